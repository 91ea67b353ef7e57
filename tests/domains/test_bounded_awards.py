"""What was taken from an award bounds its result; the rate that was decided stays."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.domains.test_random_lives import BEGIN, Place, on, place

from rathaus.domains.grants.actions.closing import release_rest
from rathaus.domains.grants.actions.proof import compute
from rathaus.domains.grants.models import Award, Grant
from rathaus.domains.grants.queries.books import check_invariants
from rathaus.domains.grants.terms import terms_of

__all__ = ["place"]


@pytest.mark.parametrize(
    ("spent", "due", "bound"),
    [("10000.00", "9000.00", False), ("13333.33", "12000.00", False), ("20000.00", "12000.00", True)],
)
def test_a_lapsed_year_leaves_the_rate_of_the_plan(place: Place, spent: str, due: str, bound: bool) -> None:
    years = dict.fromkeys((2023, 2024, 2025), Decimal("6000.00"))
    with on(BEGIN):
        case = place.case(0)
        place.run(
            case, "grants.award", amount=Decimal("18000.00"), years=years, ausgaben=Decimal("20000.00"), beginn=BEGIN,
            ende=date(2025, 12, 31),
        )  # fmt: skip
        place.notify(case)
        with place.system.acting():
            grant = Grant.objects.select_related("case").get(case=case)
        assert release_rest(by=place.w.approver, grant=grant.id, year=2025) == Decimal("6000.00")
        with place.system.acting():
            award = Award.objects.get(grant=grant, number=2)
            assert (award.amount, award.cost) == (Decimal("12000.00"), Decimal("20000.00"))
            result = compute(
                award, Decimal(spent), Decimal("0.00"), paid=Decimal("12000.00"), terms=terms_of(grant.case)
            )
    assert result.due == Decimal(due)
    assert result.to_repay == Decimal("12000.00") - Decimal(due)
    assert any(step.label.startswith("Begrenzt") for step in result.steps) is bound
    assert check_invariants(place.system).faults == ()
