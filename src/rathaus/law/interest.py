"""Interest on grants to be repaid or used too late (VwVfG § 49a(3), (4)): base rate plus a surcharge, simple.

The base rate (BGB § 247) is a dated table, never a constant, and is handed in: the one below or an
authority's own. It may change on 1 January and 1 July only, so an entry says something about its own
half-year and nothing about the next. A rate that stays is entered again; a day without one is an error and
no guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from rathaus.law.days import ONE_DAY, add_months
from rathaus.law.money import MAX_INTEGER_DIGITS, NO_BREAK_SPACE, format_amount, format_number
from rathaus.law.text import format_day

#: Percentage points above the base rate (VwVfG § 49a(3) sentence 1).
SURCHARGE = Decimal(5)

_CENT = Decimal("0.01")
_TOO_LARGE = Decimal(10) ** MAX_INTEGER_DIGITS


@dataclass(frozen=True, slots=True)
class BaseRate:
    """The base rate in percent a year for the half-year that begins on ``valid_from``; it may be negative.

    ``is_checked``: somebody compared it with the ``source``. ValueError if ``valid_from`` is neither
    1 January nor 1 July.
    """

    valid_from: date
    rate: Decimal
    source: str
    is_checked: bool = False

    def __post_init__(self) -> None:
        if (self.valid_from.month, self.valid_from.day) not in ((1, 1), (7, 1)):
            raise ValueError(f"the base rate changes on 1 January and 1 July, not on {self.valid_from}")
        if not self.rate.is_finite():
            raise ValueError(f"not a rate: {self.rate}")

    @property
    def last_day(self) -> date:
        return _next_change(self.valid_from) - ONE_DAY


def _unchanged(first_year: int, last_year: int, rate: str, source: str) -> Iterator[BaseRate]:
    """The same checked rate for each half-year from July of the first to July of the last year."""
    for half in range(2 * first_year + 1, 2 * last_year + 2):
        year, is_second = divmod(half, 2)
        yield BaseRate(date(year, 7 if is_second else 1, 1), Decimal(rate), source, is_checked=True)


_ANNOUNCED = "§ 247 BGB, Bekanntmachung der Deutschen Bundesbank"
_UNCHECKED = f"{_ANNOUNCED}; nicht an der Fundstelle geprüft"

#: From July 2016. Nothing is known here before it, nor from 1 January 2026 on.
BASE_RATES: tuple[BaseRate, ...] = (
    *_unchanged(2016, 2022, "-0.88", f"{_ANNOUNCED}; gilt seit 01.07.2016, unverändert bis 31.12.2022"),
    BaseRate(date(2023, 1, 1), Decimal("1.62"), _ANNOUNCED, is_checked=True),
    BaseRate(date(2023, 7, 1), Decimal("3.12"), _UNCHECKED),
    BaseRate(date(2024, 1, 1), Decimal("3.62"), _UNCHECKED),
    BaseRate(date(2024, 7, 1), Decimal("3.37"), _UNCHECKED),
    BaseRate(date(2025, 1, 1), Decimal("2.27"), _UNCHECKED),
    BaseRate(date(2025, 7, 1), Decimal("1.27"), _UNCHECKED),
)


class DayCount(StrEnum):
    """How days become a part of a year; § 49a does not say.

    THIRTY_360 counts every month as 30 days, a 31st as the 30th, and the days of February as they are.
    """

    ACT_365 = "act/365"
    ACT_ACT = "act/act"
    THIRTY_360 = "30/360"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    DayCount.ACT_365: "tagegenau, das Jahr zu 365 Tagen",
    DayCount.ACT_ACT: "tagegenau, Schaltjahre zu 366 Tagen",
    DayCount.THIRTY_360: "der Monat zu 30, das Jahr zu 360 Tagen",
}


class Period(NamedTuple):
    """Days with both ends counted."""

    first_day: date
    last_day: date


class MissingRate(LookupError):
    """The table lacks the base rate of days that are asked for. ``reason`` is a German sentence that names
    them, ``missing`` are these periods, ``enter`` the change days whose rates have to be entered."""

    def __init__(self, missing: Sequence[Period], enter: Sequence[date]) -> None:
        spans = [f"{format_day(first)} bis {format_day(last)}" for first, last in missing]
        first_missing = f"ab {format_day(enter[0])}"
        self.reason = f"Für die Zeit vom {' und vom '.join(spans)} fehlt der Basiszinssatz (§ 247 BGB). " + (
            f"Tragen Sie den Satz {first_missing} ein."
            if len(enter) == 1
            else f"Tragen Sie {len(enter)} Sätze ein, den ersten {first_missing}."
        )
        super().__init__(self.reason)
        self.missing = tuple(missing)
        self.enter = tuple(enter)


@dataclass(frozen=True, slots=True)
class Segment:
    """Interest at one rate, from ``start`` up to, not including, ``end``.

    ``rate`` is percent a year, surcharge in it; ``exact`` euros are unrounded; ``rounded`` is for showing
    only, the rounded segments need not add up to the total.
    """

    start: date
    end: date
    days: int
    year_days: int
    base: BaseRate
    rate: Decimal
    exact: Fraction
    rounded: Decimal
    formula: str

    @property
    def last_day(self) -> date:
        return self.end - ONE_DAY


@dataclass(frozen=True, slots=True)
class Interest:
    """``total`` is the sum of the exact segments, rounded once, half up, to the cent."""

    amount: Decimal
    start: date
    end: date
    convention: DayCount
    segments: tuple[Segment, ...]
    total: Decimal

    @property
    def exact(self) -> Fraction:
        return sum((segment.exact for segment in self.segments), Fraction(0))

    @property
    def is_checked(self) -> bool:
        """All base rates that went in were compared with their source."""
        return all(segment.base.is_checked for segment in self.segments)


def interest(
    amount: Decimal,
    start: date,
    end: date,
    *,
    rates: Sequence[BaseRate] = BASE_RATES,
    surcharge: Decimal = SURCHARGE,
    convention: DayCount = DayCount.ACT_365,
) -> Interest:
    """Simple interest on ``amount`` euros from ``start`` (counted) to ``end`` (not counted).

    For § 49a(3) ``start`` is the day on which the notice became ineffective, ``end`` the day on which the money
    is back. For days with both ends counted, as `late_use` names them, hand in the day after the last.
    A negative base rate lessens the surcharge; below zero altogether there is no interest.
    `MissingRate` if the table has no rate for a day; ValueError for an amount that is negative or has
    fractions of a cent, for an end before the start, a negative surcharge, two rates for one day.
    """
    if not amount.is_finite() or not 0 <= amount < _TOO_LARGE or amount != amount.quantize(_CENT):
        raise ValueError(f"not an amount in whole cents from zero on: {amount}")
    if end < start:
        raise ValueError("interest cannot end before it starts")
    if not surcharge.is_finite() or surcharge < 0:
        raise ValueError(f"not a surcharge: {surcharge}")
    by_half_year = {rate.valid_from: rate for rate in rates}
    if len(by_half_year) != len(rates):
        raise ValueError("two base rates are given for the same half-year")
    parts = list(_by_half_year(start, end))
    if gaps := [part for part in parts if _change_day(part[0]) not in by_half_year]:
        raise MissingRate(_joined(gaps), [_change_day(first) for first, _ in gaps])
    segments = tuple(
        _segment(amount, first, until, by_half_year[_change_day(first)], surcharge, convention)
        for first, until in parts
    )
    total = _half_up(sum((segment.exact for segment in segments), Fraction(0)))
    return Interest(amount, start, end, convention, segments, total)


class LateUseBegins(StrEnum):
    """From when money counts as used late (§ 49a(4) only says: for the time until its proper use)."""

    AFTER_PERIOD = "nach_frist"
    AFTER_PAYOUT = "nach_auszahlung"


def late_use(
    paid_on: date,
    spent_on: date,
    months: int,
    *,
    begins: LateUseBegins = LateUseBegins.AFTER_PERIOD,
) -> Period | None:
    """The first and the last day of interest for money not used promptly (§ 49a(4)); None if it was in time.

    Prompt is ``months`` months after the payout (ANBest-Gk: two). The day of the payout, or the last day for
    prompt use, does not count (BGB § 187(1)), the day of use does. The period does not move when it ends on
    a weekend. ValueError if it was spent before it was paid (then nothing is late) or months are negative.
    """
    if spent_on < paid_on or months < 0:
        raise ValueError("money is paid, then spent, within a period of months")
    last_prompt_day = add_months(paid_on, months)
    if spent_on <= last_prompt_day:
        return None
    before = last_prompt_day if begins is LateUseBegins.AFTER_PERIOD else paid_on
    return Period(before + ONE_DAY, spent_on)


def _segment(
    amount: Decimal, start: date, end: date, base: BaseRate, surcharge: Decimal, convention: DayCount
) -> Segment:
    if convention is DayCount.THIRTY_360:
        days, year_days = _day_360(end) - _day_360(start), 360
    else:
        days, year_days = (end - start).days, 365
        if convention is DayCount.ACT_ACT:
            # A segment lies in one half-year, hence in one calendar year.
            year_days = date(start.year, 12, 31).timetuple().tm_yday
    rate = max(base.rate + surcharge, Decimal(0))
    exact = Fraction(amount) * Fraction(rate) / 100 * days / year_days
    formula = f"{format_amount(amount)} × {format_number(rate)}{NO_BREAK_SPACE}% × {days} ÷ {year_days} Tage"
    return Segment(start, end, days, year_days, base, rate, exact, _half_up(exact), formula)


def _by_half_year(start: date, end: date) -> Iterator[tuple[date, date]]:
    while start < end:
        until = min(_next_change(start), end)
        yield start, until
        start = until


def _change_day(day: date) -> date:
    return date(day.year, 1 if day.month < 7 else 7, 1)


def _next_change(day: date) -> date:
    if day.month < 7:
        return date(day.year, 7, 1)
    return date(day.year + 1, 1, 1) if day.year < date.max.year else date.max


def _joined(gaps: Sequence[tuple[date, date]]) -> list[Period]:
    """Half-open parts as periods with both ends counted, neighbours as one."""
    joined: list[Period] = []
    for first, until in gaps:
        last = until - ONE_DAY
        if joined and joined[-1].last_day + ONE_DAY == first:
            joined[-1] = Period(joined[-1].first_day, last)
        else:
            joined.append(Period(first, last))
    return joined


def _day_360(day: date) -> int:
    """A number for the day, so that a difference counts the days of a year of twelve months of 30."""
    return 360 * day.year + 30 * day.month + min(day.day, 30)


def _half_up(exact: Fraction) -> Decimal:
    return Decimal((exact + Fraction(1, 200)) * 100 // 1).scaleb(-2)
