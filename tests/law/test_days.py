from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.law.days import (
    Land,
    add_months,
    end_of_period,
    holidays_of,
    is_working_day,
    land_of_ags,
    next_working_day,
)

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-08-31", 1, "2025-09-30"),
        ("2025-12-15", 1, "2026-01-15"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2025-03-31", -1, "2025-02-28"),
        ("2025-01-15", -1, "2024-12-15"),
        ("2021-08-01", 24, "2023-08-01"),
        ("2025-05-18", 0, "2025-05-18"),
    ],
)
def test_months_end_on_the_same_day_or_the_last(day: str, months: int, expected: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)


@given(DAYS, st.integers(min_value=-300, max_value=300))
def test_months_never_skip_a_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("event", "period", "land", "end"),
    [
        ("2026-03-06", {"months": 1}, Land.HESSEN, "2026-04-07"),  # Easter Monday
        ("2025-05-19", {"months": 1}, Land.HESSEN, "2025-06-20"),  # Fronleichnam in Hessen
        ("2025-05-19", {"months": 1}, Land.THUERINGEN, "2025-06-19"),  # none in Thüringen
        ("2025-10-17", {"days": 14}, Land.HESSEN, "2025-10-31"),
        ("2025-10-17", {"days": 14}, Land.THUERINGEN, "2025-11-03"),  # Reformationstag, a Friday
        ("2021-09-20", {"days": 0}, Land.HESSEN, "2021-09-20"),
        ("2021-09-20", {"days": 0}, Land.THUERINGEN, "2021-09-21"),  # Weltkindertag
        ("2018-09-20", {"days": 0}, Land.THUERINGEN, "2018-09-20"),  # not before 2019
        ("2025-12-24", {"days": 1}, Land.HESSEN, "2025-12-29"),  # Christmas, then a weekend
    ],
)
def test_periods_end_on_working_days(event: str, period: dict[str, int], land: Land, end: str) -> None:
    assert end_of_period(date.fromisoformat(event), land=land, **period) == date.fromisoformat(end)


def test_local_holidays_count_where_they_are_kept() -> None:
    fronleichnam = date(2025, 6, 19)
    assert is_working_day(fronleichnam, Land.THUERINGEN)
    assert not is_working_day(fronleichnam, Land.THUERINGEN, local_holidays={fronleichnam})
    assert end_of_period(
        date(2025, 5, 19), months=1, land=Land.THUERINGEN, local_holidays={fronleichnam}
    ) == date(2025, 6, 20)


@pytest.mark.parametrize("period", [{}, {"months": 1, "days": 1}, {"months": -1}, {"days": -1}])
def test_a_period_is_either_months_or_days(period: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="either months or days"):
        end_of_period(date(2025, 1, 1), land=Land.HESSEN, **period)


def test_holidays_by_land() -> None:
    assert len(holidays_of(Land.HESSEN, 2025)) == 10
    assert len(holidays_of(Land.THUERINGEN, 2025)) == 11
    assert date(2025, 6, 19) in holidays_of(Land.HESSEN, 2025) - holidays_of(Land.THUERINGEN, 2025)


@pytest.mark.parametrize("land", list(Land))
def test_every_land_has_holidays(land: Land) -> None:
    assert date(2025, 10, 3) in holidays_of(land, 2025)


@given(DAYS, st.sampled_from([Land.HESSEN, Land.THUERINGEN]))
def test_the_next_working_day_is_near_and_the_first(day: date, land: Land) -> None:
    found = next_working_day(day, land)
    assert is_working_day(found, land)
    assert found - day <= timedelta(days=5)
    between = [day + timedelta(days=n) for n in range((found - day).days)]
    assert not any(is_working_day(other, land) for other in between)


@pytest.mark.parametrize(
    ("ags", "land"),
    [
        ("06532006", Land.HESSEN),
        ("06", Land.HESSEN),
        ("16051000", Land.THUERINGEN),
        ("09162000", Land.BAYERN),
    ],
)
def test_the_key_names_the_land(ags: str, land: Land) -> None:
    assert land_of_ags(ags) is land


@pytest.mark.parametrize("ags", ["", "00", "17000000", "6", "ab", "٠٦"])
def test_no_land_for_no_key(ags: str) -> None:
    with pytest.raises(ValueError, match="no Land"):
        land_of_ags(ags)
