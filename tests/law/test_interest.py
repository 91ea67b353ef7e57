"""The worked examples of the domain notes B7 to the cent, and what must hold for every period."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.law.days import add_months
from rathaus.law.interest import (
    BASE_RATES,
    BaseRate,
    DayCount,
    LateUseBegins,
    MissingRate,
    Period,
    interest,
    late_use,
)

AMOUNT = Decimal(10_000)
FIRST, AFTER_LAST = date(2016, 7, 1), date(2026, 1, 1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def test_interest_over_six_rates() -> None:
    result = interest(AMOUNT, day("2023-04-01"), day("2025-10-01"))
    assert [(str(part.rate), part.days, str(part.rounded)) for part in result.segments] == [
        ("6.62", 91, "165.05"),
        ("8.12", 184, "409.34"),
        ("8.62", 182, "429.82"),
        ("8.37", 184, "421.94"),
        ("7.27", 181, "360.51"),
        ("6.27", 92, "158.04"),
    ]
    assert result.total == Decimal("1944.69")
    assert sum(part.rounded for part in result.segments) == Decimal("1944.70")
    assert [(part.start, part.last_day) for part in result.segments[:2]] == [
        (day("2023-04-01"), day("2023-06-30")),
        (day("2023-07-01"), day("2023-12-31")),
    ]
    assert result.segments[0].formula.replace("\u00a0", " ") == "10.000,00 € × 6,62 % × 91 ÷ 365 Tage"


def test_a_negative_base_rate_counts() -> None:
    result = interest(AMOUNT, day("2022-07-01"), day("2023-07-01"))
    assert [part.rate for part in result.segments] == [Decimal("4.12"), Decimal("6.62")]
    assert result.total == Decimal("535.97")


def test_below_zero_altogether_there_is_no_interest() -> None:
    result = interest(AMOUNT, day("2022-01-01"), day("2022-07-01"), surcharge=Decimal("0.5"))
    assert (result.segments[0].rate, result.total) == (0, 0)


@pytest.mark.parametrize(
    ("convention", "start", "end", "days", "year_days", "total"),
    [
        (DayCount.ACT_365, "2024-01-01", "2024-07-01", 182, 365, "429.82"),
        (DayCount.ACT_ACT, "2024-01-01", "2024-07-01", 182, 366, "428.64"),
        (DayCount.ACT_ACT, "2023-01-01", "2023-07-01", 181, 365, "328.28"),
        (DayCount.THIRTY_360, "2024-01-01", "2024-07-01", 180, 360, "431.00"),
        (DayCount.THIRTY_360, "2024-01-31", "2024-02-28", 28, 360, "67.04"),
        (DayCount.THIRTY_360, "2024-03-30", "2024-03-31", 0, 360, "0.00"),
    ],
)
def test_days_are_counted_as_set(
    convention: DayCount, start: str, end: str, days: int, year_days: int, total: str
) -> None:
    result = interest(AMOUNT, day(start), day(end), convention=convention)
    (part,) = result.segments
    assert (part.days, part.year_days, result.total) == (days, year_days, Decimal(total))
    assert convention.label


def test_no_day_no_interest() -> None:
    nothing = interest(AMOUNT, day("2030-01-01"), day("2030-01-01"))
    assert (nothing.segments, nothing.total) == ((), 0)


def test_unchecked_rates_are_marked() -> None:
    assert interest(AMOUNT, day("2022-07-01"), day("2023-07-01")).is_checked
    assert not interest(AMOUNT, day("2022-07-01"), day("2023-07-02")).is_checked
    assert all("nicht" in rate.source for rate in BASE_RATES if not rate.is_checked)
    assert next(rate.valid_from for rate in BASE_RATES if not rate.is_checked) == day("2023-07-01")


def test_the_table_has_each_half_year_from_2016_to_2025() -> None:
    starts = [rate.valid_from for rate in BASE_RATES]
    assert starts == [add_months(FIRST, 6 * n) for n in range(19)]
    assert {rate.rate for rate in BASE_RATES if rate.valid_from.year < 2023} == {Decimal("-0.88")}
    assert max(rate.last_day for rate in BASE_RATES) == day("2025-12-31")


def test_nothing_is_known_after_the_last_half_year() -> None:
    interest(AMOUNT, day("2025-12-01"), AFTER_LAST)
    with pytest.raises(MissingRate) as refusal:
        interest(AMOUNT, day("2025-12-01"), day("2026-01-02"))
    assert refusal.value.reason == (
        "Für die Zeit vom 01.01.2026 bis 01.01.2026 fehlt der Basiszinssatz (§ 247 BGB). "
        "Tragen Sie den Satz ab 01.01.2026 ein."
    )
    assert refusal.value.missing == (Period(AFTER_LAST, AFTER_LAST),)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(MissingRate) as refusal:
        interest(AMOUNT, day("2016-02-01"), day("2026-10-01"))
    assert str(refusal.value) == (
        "Für die Zeit vom 01.02.2016 bis 30.06.2016 und vom 01.01.2026 bis 30.09.2026 "
        "fehlt der Basiszinssatz (§ 247 BGB). Tragen Sie 3 Sätze ein, den ersten ab 01.01.2016."
    )
    assert refusal.value.enter == (day("2016-01-01"), day("2026-01-01"), day("2026-07-01"))


def test_a_rate_does_not_reach_over_a_half_year_that_nobody_entered() -> None:
    rates = [BaseRate(day("2026-07-01"), Decimal(1), "x"), *BASE_RATES]
    with pytest.raises(MissingRate, match=r"01\.01\.2026 bis 30\.06\.2026"):
        interest(AMOUNT, day("2025-07-01"), day("2026-08-01"), rates=rates)
    entered = [*rates, BaseRate(day("2026-01-01"), Decimal("1.27"), "Bundesanzeiger", is_checked=True)]
    assert len(interest(AMOUNT, day("2025-07-01"), day("2026-08-01"), rates=entered).segments) == 3


def test_an_empty_table_and_the_end_of_time() -> None:
    with pytest.raises(MissingRate):
        interest(AMOUNT, day("2024-01-01"), day("2024-01-02"), rates=())
    with pytest.raises(MissingRate):
        interest(AMOUNT, day("9998-01-01"), date.max)


def test_impossible_input() -> None:
    start, end = day("2024-01-01"), day("2024-02-01")
    for wrong in ("-0.01", "0.001", "NaN", "Infinity", "1e12", "1e60"):
        with pytest.raises(ValueError, match="amount"):
            interest(Decimal(wrong), start, end)
    with pytest.raises(ValueError, match="before it starts"):
        interest(AMOUNT, end, start)
    for wrong in ("-1", "NaN"):
        with pytest.raises(ValueError, match="surcharge"):
            interest(AMOUNT, start, end, surcharge=Decimal(wrong))
    with pytest.raises(ValueError, match="two base rates"):
        interest(AMOUNT, start, end, rates=(*BASE_RATES, BASE_RATES[-1]))
    with pytest.raises(ValueError, match="1 January and 1 July"):
        BaseRate(day("2026-01-02"), Decimal(1), "x")
    with pytest.raises(ValueError, match="rate"):
        BaseRate(day("2026-01-01"), Decimal("NaN"), "x")


known_days = st.dates(FIRST, AFTER_LAST)
amounts = st.integers(0, 10**10).map(lambda cents: Decimal(cents).scaleb(-2))
conventions = st.sampled_from(DayCount)


@given(amounts, st.tuples(known_days, known_days, known_days), conventions)
def test_a_split_period_bears_the_same_interest(
    amount: Decimal, three: tuple[date, date, date], convention: DayCount
) -> None:
    start, middle, end = sorted(three)
    whole = interest(amount, start, end, convention=convention)
    first = interest(amount, start, middle, convention=convention)
    second = interest(amount, middle, end, convention=convention)
    assert first.exact + second.exact == whole.exact
    assert abs(first.total + second.total - whole.total) <= Decimal("0.01")
    assert abs(Fraction(whole.total) - whole.exact) <= Fraction(1, 200)


@given(amounts, amounts, known_days, known_days, conventions)
def test_interest_grows_with_amount_and_time(
    one: Decimal, other: Decimal, first: date, second: date, convention: DayCount
) -> None:
    small, large = sorted((one, other))
    start, end = sorted((first, second))
    result = interest(large, start, end, convention=convention)
    assert interest(small, start, end, convention=convention).total <= result.total
    assert interest(large, start, AFTER_LAST, convention=convention).total >= result.total >= 0
    assert sum(part.days for part in result.segments) == (
        (end - start).days
        if convention is not DayCount.THIRTY_360
        else 360 * (end.year - start.year)
        + 30 * (end.month - start.month)
        + min(end.day, 30)
        - min(start.day, 30)
    )


@given(st.permutations(BASE_RATES), known_days, known_days)
def test_the_order_of_the_table_does_not_matter(rates: list[BaseRate], first: date, second: date) -> None:
    start, end = sorted((first, second))
    assert interest(AMOUNT, start, end, rates=rates) == interest(AMOUNT, start, end)


@given(known_days, known_days)
def test_segments_follow_one_another_without_gap(first: date, second: date) -> None:
    start, end = sorted((first, second))
    cursor = start
    for part in interest(AMOUNT, start, end).segments:
        assert part.start == cursor < part.end
        assert part.base.valid_from <= part.start <= part.last_day <= part.base.last_day
        cursor = part.end
    assert cursor == end


@pytest.mark.parametrize(
    ("paid", "spent", "begins", "period"),
    [
        ("2024-03-15", "2024-05-15", LateUseBegins.AFTER_PERIOD, None),
        ("2024-03-15", "2024-05-15", LateUseBegins.AFTER_PAYOUT, None),
        ("2024-03-15", "2024-05-16", LateUseBegins.AFTER_PERIOD, ("2024-05-16", "2024-05-16")),
        ("2024-03-15", "2024-08-01", LateUseBegins.AFTER_PERIOD, ("2024-05-16", "2024-08-01")),
        ("2024-03-15", "2024-08-01", LateUseBegins.AFTER_PAYOUT, ("2024-03-16", "2024-08-01")),
        ("2023-12-31", "2024-03-01", LateUseBegins.AFTER_PERIOD, ("2024-03-01", "2024-03-01")),
        ("2024-03-15", "2024-03-15", LateUseBegins.AFTER_PERIOD, None),
    ],
)
def test_late_use(paid: str, spent: str, begins: LateUseBegins, period: tuple[str, str] | None) -> None:
    expected = Period(day(period[0]), day(period[1])) if period else None
    assert late_use(day(paid), day(spent), 2, begins=begins) == expected


def test_interest_on_late_use_counts_the_day_of_use() -> None:
    period = late_use(day("2024-03-15"), day("2024-08-01"), 2)
    assert period is not None
    result = interest(AMOUNT, period.first_day, period.last_day + timedelta(days=1))
    assert sum(part.days for part in result.segments) == (day("2024-08-01") - day("2024-05-15")).days == 78
    assert [(part.rate, part.days) for part in result.segments] == [
        (Decimal("8.62"), 46),
        (Decimal("8.37"), 32),
    ]
    assert result.total == Decimal("182.02")


def test_late_use_refuses_the_impossible() -> None:
    with pytest.raises(ValueError, match="paid, then spent"):
        late_use(day("2024-03-15"), day("2024-03-14"), 2)
    with pytest.raises(ValueError, match="months"):
        late_use(day("2024-03-15"), day("2024-03-16"), -1)


@given(known_days, st.integers(0, 2000), st.integers(0, 24))
def test_late_use_from_payout_contains_late_use_after_the_period(paid: date, after: int, months: int) -> None:
    spent = paid + timedelta(days=after)
    strict = late_use(paid, spent, months, begins=LateUseBegins.AFTER_PAYOUT)
    mild = late_use(paid, spent, months)
    if mild is None or strict is None:
        assert mild is strict is None
        assert spent <= add_months(paid, months)
    else:
        assert strict.first_day <= mild.first_day <= mild.last_day == strict.last_day == spent
