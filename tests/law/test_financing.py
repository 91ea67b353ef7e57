"""The worked examples of the domain notes B2 to the cent, and what must hold for every grant."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rathaus.law.financing import (
    Actual,
    Financing,
    MinorBasis,
    Plan,
    Settlement,
    overruns,
    settle,
)

PROPORTIONAL, DEFICIT = Financing.PROPORTIONAL, Financing.DEFICIT
FIXED, FULL = Financing.FIXED_AMOUNT, Financing.FULL
PLAN = Plan(Decimal(200_000), award=Decimal(180_000), own_funds=Decimal(20_000))
FULL_PLAN = Plan(Decimal(200_000), award=Decimal(200_000))
PER_UNIT = Plan(Decimal(10_000), award=Decimal(7_000), own_funds=Decimal(3_000), units=7)


def euro(text: str) -> Decimal:
    return Decimal(text)


def text_of(settlement: Settlement, label: str) -> str:
    (formula,) = [step.formula for step in settlement.steps if step.label == label]
    return formula.replace("\u00a0", " ")


def labels(settlement: Settlement) -> list[str]:
    return [step.label for step in settlement.steps]


@pytest.mark.parametrize(
    ("financing", "cost", "third", "due"),
    [
        (PROPORTIONAL, "160000", "0", "144000"),
        (DEFICIT, "160000", "0", "140000"),
        (FIXED, "160000", "0", "160000"),
        (FULL, "160000", "0", "160000"),
        (PROPORTIONAL, "190000", "0", "171000"),
        (DEFICIT, "190000", "0", "170000"),
        (FIXED, "190000", "0", "180000"),
        (FULL, "190000", "0", "190000"),
        (PROPORTIONAL, "200000", "10000", "171000"),
        (DEFICIT, "200000", "10000", "170000"),
        (FIXED, "200000", "10000", "180000"),
        (FULL, "200000", "10000", "190000"),
        (PROPORTIONAL, "230000", "0", "180000"),
        (DEFICIT, "230000", "0", "180000"),
        (FIXED, "230000", "0", "180000"),
        (FULL, "230000", "0", "200000"),
        (PROPORTIONAL, "0", "0", "0"),
        (DEFICIT, "15000", "0", "0"),
        (FIXED, "0", "0", "0"),
        (FULL, "0", "5000", "0"),
    ],
)
def test_what_is_due(financing: Financing, cost: str, third: str, due: str) -> None:
    plan = FULL_PLAN if financing is FULL else PLAN
    result = settle(financing, plan, Actual(euro(cost), euro(third)), paid=plan.award)
    assert result.due == euro(due)
    assert result.reduction == result.to_repay == plan.award - euro(due)
    assert result.still_payable == 0


def test_the_computation_can_be_read_aloud() -> None:
    result = settle(
        PROPORTIONAL,
        PLAN,
        Actual(euro("200000"), euro("10000")),
        paid=euro("180000"),
        minor_amount=euro("500"),
    )
    rows = [(step.label, step.formula.replace("\u00a0", " "), step.amount) for step in result.steps]
    assert rows == [
        (
            "Zuwendung laut Bescheid",
            "Geplante Ausgaben 200.000,00 € − eigene Mittel 20.000,00 €",
            Decimal(180_000),
        ),
        ("Anerkannte Ausgaben", "wie geplant", Decimal(200_000)),
        ("Neue Deckungsmittel", "Drittmittel 10.000,00 € statt geplanter 0,00 €", Decimal(10_000)),
        (
            "Verbleibende Ausgaben",
            "Anerkannte Ausgaben 200.000,00 € − neue Deckungsmittel 10.000,00 €",
            Decimal(190_000),
        ),
        ("Fördersatz", "Zuwendung 180.000,00 € ÷ geplante Ausgaben 200.000,00 € = 90 %", None),
        (
            "Anteil an den Ausgaben",
            "Ausgaben 190.000,00 € × 180.000,00 € ÷ 200.000,00 €",
            Decimal(171_000),
        ),
        ("Minderung", "Bewilligt 180.000,00 € − errechnet 171.000,00 €", Decimal(9_000)),
        ("Bagatellgrenze", "Minderung 9.000,00 € ist höher als die Bagatellgrenze 500,00 €", Decimal(9_000)),
        ("Zustehende Zuwendung", "Bewilligt 180.000,00 € − Minderung 9.000,00 €", Decimal(171_000)),
        ("Zu erstatten", "Ausgezahlt 180.000,00 € − zustehend 171.000,00 €", Decimal(9_000)),
    ]


def test_the_step_of_rounding_says_what_was_rounded() -> None:
    plan = Plan(euro("300"), award=euro("100"), own_funds=euro("200"))
    result = settle(PROPORTIONAL, plan, Actual(euro("100.01")))
    assert result.due == euro("33.34")
    assert text_of(result, "Rundung auf den Cent") == "33,336666… € wird 33,34 €"
    assert text_of(result, "Fördersatz") == "Zuwendung 100,00 € ÷ geplante Ausgaben 300,00 € = 33,333333… %"
    half = Plan(euro("200"), award=euro("100"), own_funds=euro("100"))
    result = settle(PROPORTIONAL, half, Actual(euro("0.01")))
    assert result.due == euro("0.01")
    assert text_of(result, "Rundung auf den Cent") == "0,005 € wird 0,01 €"
    assert "Rundung auf den Cent" not in labels(settle(PROPORTIONAL, half, Actual(euro("0.02"))))


def test_the_amount_of_a_row_of_division_is_left_to_the_row_of_rounding() -> None:
    plan = Plan(euro("300"), award=euro("100"), own_funds=euro("200"))
    steps = {step.label: step for step in settle(PROPORTIONAL, plan, Actual(euro("100.01"))).steps}
    assert steps["Anteil an den Ausgaben"].amount is None
    assert steps["Rundung auf den Cent"].amount == euro("33.34")


@pytest.mark.parametrize(
    ("minor", "cost", "due", "waived"),
    [
        ("500", "199500", "180000", "500"),
        ("500", "199499.99", "179499.99", "0"),
        ("0", "199999.99", "179999.99", "0"),
        ("500", "200000", "180000", "0"),
    ],
)
def test_reductions_up_to_the_minor_amount_are_not_made(minor: str, cost: str, due: str, waived: str) -> None:
    result = settle(DEFICIT, PLAN, Actual(euro(cost)), minor_amount=euro(minor), paid=PLAN.award)
    assert (result.due, result.waived_as_minor) == (euro(due), euro(waived))
    assert result.to_repay == PLAN.award - euro(due)


def test_the_minor_amount_may_be_compared_with_the_change_instead() -> None:
    actual = Actual(euro("199450"))  # 550 € saved, 495 € of it the grant's
    as_reduction = settle(PROPORTIONAL, PLAN, actual, minor_amount=euro("500"))
    as_change = settle(PROPORTIONAL, PLAN, actual, minor_amount=euro("500"), minor_basis=MinorBasis.CHANGE)
    assert (as_reduction.due, as_reduction.waived_as_minor) == (PLAN.award, euro("495"))
    assert (as_change.due, as_change.waived_as_minor) == (euro("179505"), 0)
    assert (
        text_of(as_change, "Bagatellgrenze") == "Änderung 550,00 € ist höher als die Bagatellgrenze 500,00 €"
    )


def test_a_small_grant_that_nothing_was_spent_for_is_not_kept_as_minor() -> None:
    plan = Plan(euro("400"), award=euro("300"), own_funds=euro("100"))
    for financing in (PROPORTIONAL, DEFICIT, FIXED):
        result = settle(financing, plan, Actual(euro("0")), minor_amount=euro("500"), paid=euro("300"))
        assert result.to_repay == euro("300")


def test_what_was_not_paid_yet_is_payable_and_nothing_else() -> None:
    result = settle(PROPORTIONAL, PLAN, Actual(euro("190000")), paid=euro("162000"))
    assert (result.still_payable, result.to_repay) == (euro("9000"), 0)
    assert result.steps[-1].label == "Noch auszuzahlen"
    assert result.steps[-1].amount == euro("9000")


def test_new_money_pays_for_new_cost_first() -> None:
    actual = Actual(euro("210000"), third_party_funds=euro("10000"))
    for financing in (PROPORTIONAL, DEFICIT, FIXED):
        assert settle(financing, PLAN, actual).due == PLAN.award


def test_planned_third_party_money_that_stays_away_is_not_made_up_beyond_the_award() -> None:
    plan = Plan(euro("1000"), euro("600"), euro("100"), euro("300"))
    gone = Actual(euro("1000"))
    for financing in (PROPORTIONAL, DEFICIT, FIXED):
        assert settle(financing, plan, gone).due == euro("600")
    assert "Obergrenze" in labels(settle(DEFICIT, plan, gone))


def test_a_share_never_leaves_more_money_than_cost() -> None:
    plan = Plan(euro("1000"), euro("450"), euro("50"), euro("500"))
    result = settle(PROPORTIONAL, plan, Actual(euro("600"), third_party_funds=euro("500")))
    assert result.due == euro("100")  # the share of 45 % would be 270
    assert text_of(result, "Keine Überfinanzierung") == "Ausgaben 600,00 € − Drittmittel 500,00 €"


@pytest.mark.parametrize(
    ("financing", "due"), [(PROPORTIONAL, "171000"), (DEFICIT, "170000"), (FIXED, "180000")]
)
def test_more_own_funds_than_planned_count_like_new_money(financing: Financing, due: str) -> None:
    assert settle(financing, PLAN, Actual(euro("200000"), own_funds=euro("30000"))).due == euro(due)


@pytest.mark.parametrize("own", ["0", "10000", "20000"])
@pytest.mark.parametrize("financing", [PROPORTIONAL, DEFICIT, FIXED])
def test_less_own_funds_than_planned_gains_nothing(financing: Financing, own: str) -> None:
    spent = settle(financing, PLAN, Actual(euro("190000"), own_funds=euro(own)))
    assert spent.due == settle(financing, PLAN, Actual(euro("190000"))).due


@pytest.mark.parametrize(
    ("cost", "units", "due"),
    [("10000", 7, "7000"), ("10000", 9, "7000"), ("10000", 3, "3000"), ("2500", 3, "2500"), ("9000", 0, "0")],
)
def test_a_fixed_amount_for_each_unit(cost: str, units: int, due: str) -> None:
    assert settle(FIXED, PER_UNIT, Actual(euro(cost), units=units)).due == euro(due)


def test_too_few_units_are_no_minor_change_because_the_cost_stayed() -> None:
    result = settle(
        FIXED,
        PER_UNIT,
        Actual(euro("10000"), units=3),
        minor_amount=euro("500"),
        minor_basis=MinorBasis.CHANGE,
    )
    assert result.due == euro("3000")


@pytest.mark.parametrize(
    "parts",
    [
        {"eligible_cost": "0", "award": "0"},
        {"eligible_cost": "100", "award": "101"},
        {"eligible_cost": "100", "award": "90"},
        {"eligible_cost": "100", "award": "90", "own_funds": "10.01"},
        {"eligible_cost": "100", "award": "90", "own_funds": "20", "third_party_funds": "-10"},
        {"eligible_cost": "-100", "award": "-90", "own_funds": "-10"},
        {"eligible_cost": "100", "award": "90.005", "own_funds": "9.995"},
        {"eligible_cost": "NaN", "award": "1"},
        {"eligible_cost": "Infinity", "award": "Infinity"},
        {"eligible_cost": "1000000000000", "award": "1000000000000"},
        {"eligible_cost": "1e60", "award": "1e60"},
    ],
)
def test_impossible_plans(parts: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match=r"cost|award|amount"):
        Plan(**{name: Decimal(amount) for name, amount in parts.items()})


@pytest.mark.parametrize(
    "parts",
    [
        {"eligible_cost": Decimal(-1)},
        {"eligible_cost": Decimal(1), "third_party_funds": Decimal("-0.01")},
        {"eligible_cost": Decimal(1), "own_funds": Decimal("0.001")},
        {"eligible_cost": Decimal("sNaN")},
        {"eligible_cost": Decimal(1), "units": -1},
    ],
)
def test_impossible_proofs(parts: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"amount|unit"):
        Actual(**parts)


def test_what_does_not_fit_together_is_refused() -> None:
    spent = Actual(euro("100"))
    with pytest.raises(ValueError, match="own funds"):
        settle(FULL, PLAN, spent)
    with pytest.raises(ValueError, match="neither"):
        settle(FIXED, PER_UNIT, spent)
    with pytest.raises(ValueError, match="neither"):
        settle(FIXED, PLAN, Actual(euro("100"), units=1))
    with pytest.raises(ValueError, match="per unit"):
        settle(PROPORTIONAL, PER_UNIT, Actual(euro("100"), units=1))
    with pytest.raises(ValueError, match="at least one unit"):
        Plan(euro("10"), euro("10"), units=0)
    with pytest.raises(ValueError, match="amount"):
        settle(PROPORTIONAL, PLAN, spent, paid=euro("-1"))
    with pytest.raises(ValueError, match="amount"):
        settle(PROPORTIONAL, PLAN, spent, minor_amount=euro("-1"))


def test_the_values_stand_in_packages_and_each_has_a_label() -> None:
    assert {financing.value: financing.label for financing in Financing} == {
        "anteil": "Anteilfinanzierung",
        "fehlbedarf": "Fehlbedarfsfinanzierung",
        "festbetrag": "Festbetragsfinanzierung",
        "voll": "Vollfinanzierung",
    }


def amounts(most: int = 50_000_000) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda cents: Decimal(cents).scaleb(-2))


@st.composite
def plans(draw: st.DrawFn) -> tuple[Financing, Plan]:
    financing = draw(st.sampled_from(Financing))
    award, third = draw(amounts()), draw(amounts())
    own = Decimal("0.00") if financing is FULL else draw(amounts())
    assume(award + own + third)
    return financing, Plan(award + own + third, award, own, third)


@given(plans(), amounts(200_000_000), amounts(), amounts(100_000), amounts(), st.sampled_from(MinorBasis))
def test_the_parts_of_a_settlement_add_up(
    drawn: tuple[Financing, Plan],
    cost: Decimal,
    third: Decimal,
    minor: Decimal,
    paid: Decimal,
    basis: MinorBasis,
) -> None:
    financing, plan = drawn
    result = settle(financing, plan, Actual(cost, third), minor_amount=minor, minor_basis=basis, paid=paid)
    assert result.due + result.reduction == plan.award == result.award
    assert result.paid + result.still_payable == result.due + result.to_repay
    assert 0 in (result.to_repay, result.still_payable)
    assert 0 in (result.reduction, result.waived_as_minor)
    assert 0 <= result.due <= plan.award
    if basis is MinorBasis.REDUCTION:
        assert result.waived_as_minor <= minor
        assert result.reduction == 0 or result.reduction > minor or cost == 0
    rows = {step.label: step.amount for step in result.steps}
    assert rows["Zustehende Zuwendung"] == result.due
    assert len(rows) == len(result.steps)
    assert rows.get("Zu erstatten", rows.get("Noch auszuzahlen")) == result.to_repay + result.still_payable


@given(plans(), amounts(200_000_000), amounts(200_000_000), amounts(), amounts(100_000))
def test_less_cost_never_brings_more_grant(
    drawn: tuple[Financing, Plan], one: Decimal, other: Decimal, third: Decimal, minor: Decimal
) -> None:
    low, high = sorted((one, other))
    low_due, high_due = (settle(*drawn, Actual(cost, third), minor_amount=minor).due for cost in (low, high))
    assert low_due <= high_due


@given(plans(), amounts(200_000_000), amounts(), amounts())
def test_more_third_party_money_never_brings_more_grant(
    drawn: tuple[Financing, Plan], cost: Decimal, one: Decimal, other: Decimal
) -> None:
    low, high = sorted((one, other))
    assert settle(*drawn, Actual(cost, high)).due <= settle(*drawn, Actual(cost, low)).due


@given(plans())
def test_a_project_as_planned_gets_exactly_its_award(drawn: tuple[Financing, Plan]) -> None:
    financing, plan = drawn
    result = settle(financing, plan, Actual(plan.eligible_cost, plan.third_party_funds))
    assert (result.due, result.reduction) == (plan.award, 0)


@given(plans(), amounts(200_000_000), amounts())
def test_deficit_is_the_strictest_and_fixed_amount_the_mildest(
    drawn: tuple[Financing, Plan], cost: Decimal, more: Decimal
) -> None:
    _, plan = drawn
    actual = Actual(cost, plan.third_party_funds + more)
    dues = [settle(financing, plan, actual).due for financing in (DEFICIT, PROPORTIONAL, FIXED)]
    assert all(one <= other for one, other in pairwise(dues))


@given(plans(), amounts(200_000_000), amounts())
def test_no_grant_but_a_fixed_amount_makes_a_gain(
    drawn: tuple[Financing, Plan], cost: Decimal, third: Decimal
) -> None:
    financing, plan = drawn
    due = settle(financing, plan, Actual(cost, third)).due
    assert due <= (cost if financing is FIXED else max(cost - third, Decimal(0)))


@given(amounts(), amounts(), amounts(200_000_000))
def test_a_share_is_the_exact_share_to_half_a_cent(award: Decimal, own: Decimal, cost: Decimal) -> None:
    assume(award + own)
    plan = Plan(award + own, award, own)
    exact = min(Fraction(award) * Fraction(cost) / Fraction(award + own), Fraction(award))
    difference = Fraction(settle(PROPORTIONAL, plan, Actual(cost)).due) - exact
    assert Fraction(-1, 200) < difference <= Fraction(1, 200)


LINES = {"Software": Decimal(100_000), "Schulung": Decimal(10_000), "Beratung": Decimal(90_000)}


def test_a_line_may_be_exceeded_by_a_fifth_if_another_saves_it() -> None:
    spent = LINES | {"Schulung": euro("12000"), "Beratung": euro("88000")}
    assert overruns(LINES, spent) == ()
    (found,) = overruns(LINES, spent | {"Schulung": euro("12000.01"), "Beratung": euro("87000")})
    assert (found.line, found.planned, found.actual) == ("Schulung", euro("10000"), euro("12000.01"))
    assert (found.allowed, found.excess, found.percent_over) == (
        euro("12000"),
        euro("2000.01"),
        euro("20.00"),
    )
    assert found.is_beyond_percent
    assert found.is_offset


def test_without_savings_elsewhere_every_exceeded_line_is_listed() -> None:
    (found,) = overruns(LINES, LINES | {"Schulung": euro("10000.01")})
    assert not found.is_offset
    assert not found.is_beyond_percent


def test_a_line_that_nobody_planned_comes_last_and_has_no_percentage() -> None:
    spent = {"Reise": euro("50"), "Schulung": euro("20000"), "Software": euro("90000")}
    assert [(one.line, one.percent_over) for one in overruns(LINES, spent)] == [
        ("Schulung", euro("100.00")),
        ("Reise", None),
    ]


def test_the_percentage_is_a_parameter() -> None:
    spent = {"Schulung": euro("11000")}
    assert overruns(LINES, spent, percent=10) == ()
    assert [one.line for one in overruns(LINES, spent, Decimal("9.99"))] == ["Schulung"]
    assert overruns({}, {}) == ()
    with pytest.raises(ValueError, match="percentage"):
        overruns(LINES, spent, percent=-1)
    with pytest.raises(ValueError, match="amount"):
        overruns(LINES, {"Schulung": euro("-1")})


@given(st.lists(st.tuples(amounts(), amounts()), max_size=5), st.integers(0, 100))
def test_a_plan_without_overruns_is_kept_in_total(lines: list[tuple[Decimal, Decimal]], percent: int) -> None:
    planned = {str(n): plan for n, (plan, _) in enumerate(lines)}
    actual = {str(n): spent for n, (_, spent) in enumerate(lines)}
    found = {one.line for one in overruns(planned, actual, percent)}
    if not found:
        assert sum(actual.values()) <= sum(planned.values())
    for line in planned:
        if actual[line] * 100 > planned[line] * (100 + percent):
            assert line in found
        if actual[line] <= planned[line]:
            assert line not in found
