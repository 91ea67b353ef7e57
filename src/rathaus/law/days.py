"""Legal days: months, periods and their ends, public holidays of the Länder."""

import re
from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays

ONE_DAY = timedelta(days=1)


class Land(StrEnum):
    """The Länder; the value is the code after ISO 3166-2:DE."""

    BADEN_WUERTTEMBERG = "BW"
    BAYERN = "BY"
    BERLIN = "BE"
    BRANDENBURG = "BB"
    BREMEN = "HB"
    HAMBURG = "HH"
    HESSEN = "HE"
    MECKLENBURG_VORPOMMERN = "MV"
    NIEDERSACHSEN = "NI"
    NORDRHEIN_WESTFALEN = "NW"
    RHEINLAND_PFALZ = "RP"
    SAARLAND = "SL"
    SACHSEN = "SN"
    SACHSEN_ANHALT = "ST"
    SCHLESWIG_HOLSTEIN = "SH"
    THUERINGEN = "TH"


#: The first two digits of a municipality key name the Land, from 01.
_LAND_CODES = ("SH", "HH", "NI", "HB", "NW", "HE", "RP", "BW", "BY", "SL", "BE", "BB", "MV", "SN", "ST", "TH")


def land_of_ags(ags: str) -> Land:
    """The Land in which a municipality lies, by its key (AGS, with the leading zero). ValueError for no
    such key."""
    number = int(ags[:2]) if re.match(r"[0-9]{2}", ags) else 0
    if not 1 <= number <= len(_LAND_CODES):
        raise ValueError(f"no Land has the municipality key {ags!r}")
    return Land(_LAND_CODES[number - 1])


def add_months(day: date, months: int) -> date:
    """The same-numbered day ``months`` later (or earlier), else the last day of that month (BGB § 188(2),
    (3))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    return min(first + timedelta(days=day.day - 1), _last_of_month(first))


def end_of_period(
    event_day: date,
    *,
    land: Land,
    months: int | None = None,
    days: int | None = None,
    local_holidays: Collection[date] = (),
) -> date:
    """The last day of a period that an event on ``event_day`` starts; it may be used up to midnight.

    The day of the event does not count (BGB § 187(1)); months end on the same-numbered day (§ 188(2), (3));
    a last day on a Saturday, Sunday or public holiday moves to the next working day (§ 193, VwVfG § 31(3)).
    Give exactly one of ``months`` and ``days``, not negative, else ValueError.
    """
    if (months is None) == (days is None) or (months or days or 0) < 0:
        raise ValueError("a period has either months or days, and not less than none")
    end = add_months(event_day, months) if months is not None else event_day + timedelta(days=days or 0)
    return next_working_day(end, land, local_holidays=local_holidays)


def is_working_day(day: date, land: Land, *, local_holidays: Collection[date] = ()) -> bool:
    """Neither Saturday nor Sunday nor a public holiday of the Land.

    ``local_holidays`` are those that hold only in some municipalities (Fronleichnam in parts of the
    Eichsfeld).
    """
    return day.weekday() < 5 and day not in holidays_of(land, day.year) and day not in local_holidays


def next_working_day(day: date, land: Land, *, local_holidays: Collection[date] = ()) -> date:
    """``day`` itself if it is a working day, else the first one after it."""
    while not is_working_day(day, land, local_holidays=local_holidays):
        day += ONE_DAY
    return day


@lru_cache(maxsize=256)
def holidays_of(land: Land, year: int) -> frozenset[date]:
    """The public holidays that the whole Land keeps in a year."""
    return frozenset(holidays.country_holidays("DE", subdiv=land.value, years=year))


def _last_of_month(first: date) -> date:
    later = first + timedelta(days=31)
    return later - timedelta(days=later.day)
