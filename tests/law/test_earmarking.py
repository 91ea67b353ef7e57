"""Disposal of an item while it is earmarked."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.law.days import add_months
from rathaus.law.financing import EarmarkingUnit, ProRata, pro_rata_repayment

AMOUNT = Decimal("10000.00")
BOUGHT, UNTIL = date(2021, 3, 15), date(2026, 3, 14)
MONTHS, DAYS = EarmarkingUnit.FULL_MONTHS, EarmarkingUnit.DAYS


def repayment(disposed: str, unit: EarmarkingUnit = MONTHS) -> ProRata:
    return pro_rata_repayment(AMOUNT, BOUGHT, UNTIL, date.fromisoformat(disposed), unit=unit)


@pytest.mark.parametrize(
    ("disposed", "months", "amount"),
    [
        ("2021-03-15", 60, "10000"),
        ("2021-03-16", 59, "9833.33"),
        ("2024-03-15", 24, "4000"),
        ("2024-03-16", 23, "3833.33"),
        ("2024-04-14", 23, "3833.33"),
        ("2026-02-15", 1, "166.67"),
        ("2026-02-16", 0, "0"),
        ("2026-03-14", 0, "0"),
        ("2030-01-01", 0, "0"),
    ],
)
def test_full_months_that_remain(disposed: str, months: int, amount: str) -> None:
    result = repayment(disposed)
    assert (result.total, result.remaining, result.to_repay) == (60, months, Decimal(amount))


@pytest.mark.parametrize(
    ("disposed", "days", "amount"),
    [
        ("2021-03-15", 1826, "10000"),
        ("2026-03-14", 1, "5.48"),
        ("2026-03-15", 0, "0"),
        ("2025-03-15", 365, "1998.90"),
    ],
)
def test_days_that_remain(disposed: str, days: int, amount: str) -> None:
    result = repayment(disposed, DAYS)
    assert (result.total, result.remaining, result.to_repay) == (1826, days, Decimal(amount))


def test_an_earmarking_that_ends_on_the_same_numbered_day_has_the_same_months() -> None:
    same_day = pro_rata_repayment(AMOUNT, BOUGHT, date(2026, 3, 15), date(2024, 3, 15))
    assert (same_day.total, same_day.remaining) == (60, 24)


def test_the_computation_can_be_read_aloud() -> None:
    rows = [
        (step.label, step.formula.replace("\u00a0", " "), step.amount)
        for step in repayment("2026-02-10").steps
    ]
    assert rows == [
        ("Zuwendung für den Gegenstand", "Angeschafft am 15.03.2021", AMOUNT),
        ("Zweckbindung", "15.03.2021 bis 14.03.2026: 60 volle Monate", None),
        ("Verbleibende Zeit", "10.02.2026 bis 14.03.2026: 1 voller Monat", None),
        ("Zu erstatten", "10.000,00 € × 1 ÷ 60 = 166,666666… €", None),
        ("Rundung auf den Cent", "166,666666… € wird 166,67 €", Decimal("166.67")),
    ]
    late = repayment("2026-04-01").steps
    assert late[2].formula == "Die Zweckbindung endete am 14.03.2026: 0 volle Monate"
    assert late[-1].amount == 0


def test_days_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="disposed"):
        repayment("2021-03-14")
    with pytest.raises(ValueError, match="earmarked"):
        pro_rata_repayment(AMOUNT, BOUGHT, BOUGHT - timedelta(days=1), BOUGHT)
    with pytest.raises(ValueError, match="in days"):
        pro_rata_repayment(AMOUNT, BOUGHT, BOUGHT + timedelta(days=20), BOUGHT)
    with pytest.raises(ValueError, match="amount"):
        pro_rata_repayment(-AMOUNT, BOUGHT, UNTIL, BOUGHT)


days_of_purchase = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@given(
    days_of_purchase,
    st.integers(1, 300),
    st.integers(0, 10_000),
    st.integers(0, 400),
    st.sampled_from(EarmarkingUnit),
)
def test_later_disposal_never_costs_more(
    bought: date, months: int, after: int, more: int, unit: EarmarkingUnit
) -> None:
    until = add_months(bought, months)
    early, late = bought + timedelta(days=after), bought + timedelta(days=after + more)
    first = pro_rata_repayment(AMOUNT, bought, until, early, unit=unit)
    second = pro_rata_repayment(AMOUNT, bought, until, late, unit=unit)
    assert 0 <= second.to_repay <= first.to_repay <= AMOUNT
    assert 0 <= second.remaining <= first.remaining <= first.total
    if unit is MONTHS:
        assert first.total == months
    assert (first.to_repay == AMOUNT) == (first.remaining == first.total)
    if late > until:
        assert second.to_repay == 0


@given(days_of_purchase, st.integers(1, 300), st.sampled_from(EarmarkingUnit))
def test_on_the_day_of_purchase_all_goes_back(bought: date, months: int, unit: EarmarkingUnit) -> None:
    assert (
        pro_rata_repayment(AMOUNT, bought, add_months(bought, months), bought, unit=unit).to_repay == AMOUNT
    )
