"""The desk shows what a case goes on with, and what goes on with it."""

from __future__ import annotations

import pytest
from tests.casework.packages import follow_up
from tests.web.desk.conftest import Desk
from tests.web.queries import counted

from rathaus.casework.services.models import Offer


@pytest.fixture
def abruf(clerk: Desk) -> Offer:
    return clerk.world.publish(follow_up(), "abruf")


def test_both_cases_lead_to_each_other(clerk: Desk, abruf: Offer) -> None:
    earlier = clerk.world.submit()
    plain = clerk.get(f"/amt/vorgang/{earlier.reference}/")
    assert "Folgevorgänge" not in plain
    assert "gehört zu" not in plain
    case = clerk.world.submit(offer=abruf, about=earlier, titel="Erster Abruf", betrag="400.00")
    there = clerk.get(f"/amt/vorgang/{earlier.reference}/")
    assert 'id="folgen"' in there
    assert f'href="/amt/vorgang/{case.reference}/"' in there
    assert "Erster Abruf" in there
    assert "400,00\xa0€" in there
    here = clerk.get(f"/amt/vorgang/{case.reference}/")
    assert "gehört zu" in here
    assert f'href="/amt/vorgang/{earlier.reference}/"' in here


def test_any_number_costs_one_statement(clerk: Desk, abruf: Offer) -> None:
    earlier = clerk.world.submit()
    address = f"/amt/vorgang/{earlier.reference}/"

    def cost() -> int:
        with counted() as statements:
            clerk.get(address)
        return len(statements)

    cost()
    none = cost()
    for number in range(4):
        clerk.world.submit(offer=abruf, about=earlier, titel=f"Abruf {number}")
    assert cost() == none + 1 <= 14
