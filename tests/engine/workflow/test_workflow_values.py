"""Variables as JSON and back; durations and dates of timers."""

from __future__ import annotations

import enum
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.engine.workflow.times import Cycle, as_instant, parse_cycle, parse_duration, parse_instant
from rathaus.engine.workflow.values import ValueRefused, decode, encode

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | TEXTS
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXTS | st.sampled_from(["$n", "$d", "$t", "$m", "$"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def typed(value: Any) -> Any:
    """The value with its types, so that 1, True and Decimal(1) differ, and 1.0 and 1.00 too."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value), str(value)


@given(VALUES)
def test_round_trip_is_exact(value: Any) -> None:
    text = json.dumps(encode(value), allow_nan=False)
    assert typed(decode(json.loads(text))) == typed(value)
    assert typed(decode(json.loads(json.dumps(encode(value), sort_keys=True)))) == typed(value)


def test_what_is_turned_into_its_plain_form() -> None:
    class Color(enum.StrEnum):
        RED = "rot"

    assert encode((1, Color.RED)) == [1, "rot"]
    assert type(encode(Color.RED)) is str
    assert decode(encode(12.5)) == Decimal("12.5")


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("Infinity"),
        b"bytes",
        {1: 2},
        {"a": {1, 2}},
        "x\x00y",
        {"\x00": 1},
        "\ud800",
        object(),
        "x" * 20_001,
        [0] * 10_000,
        10**100_000,
    ],
    ids=range(14),
)
def test_refused_values(value: Any) -> None:
    with pytest.raises(ValueRefused):
        encode(value)


def test_deep_nesting_is_refused() -> None:
    value: Any = []
    for _ in range(100):
        value = [value]
    with pytest.raises(ValueRefused, match="verschachtelt"):
        encode(value)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("P1M", "2026-01-31", "2026-02-28"),
        ("P1M", "2028-01-31", "2028-02-29"),
        ("P1Y", "2028-02-29", "2029-02-28"),
        ("P14D", "2026-12-24", "2027-01-07"),
        ("P2W", "2026-12-24", "2027-01-07"),
        ("P1Y2M3D", "2026-01-01", "2027-03-04"),
        ("PT36H", "2026-01-01", "2026-01-02T12:00"),
        ("P0D", "2026-01-01", "2026-01-01"),
    ],
)
def test_durations(text: str, begin: str, end: str) -> None:
    duration = parse_duration(text)
    assert duration is not None
    assert duration.after(datetime.fromisoformat(begin)) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "1D", "P-1D", "P1.5D", "P1DT", "P1H", "P1D2M", "p1d", "P١D", "P1D "]
)
def test_not_a_duration(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    "text", ["31.12.2026", "2026-02-30", "2026-1-1", "20260101", "2026-01-01T25:00", "2026-01-01 06:00"]
)
def test_not_a_date(text: str) -> None:
    assert parse_instant(text) is None


def test_past_the_end_of_time() -> None:
    for text in ("P9999Y", "P99999D", "P9999M"):
        duration = parse_duration(text)
        assert duration is not None
        with pytest.raises(OverflowError):
            duration.after(datetime(9990, 1, 1))


def test_a_date_begins_in_the_zone_of_now() -> None:
    zone = timezone(timedelta(hours=2))
    now = datetime(2026, 7, 1, tzinfo=zone)
    assert as_instant(date(2026, 8, 1), now) == datetime(2026, 7, 31, 22, tzinfo=UTC)
    assert as_instant(datetime(2026, 8, 1, 6), now) == datetime(2026, 8, 1, 4, tzinfo=UTC)
    assert as_instant(datetime(2026, 8, 1, 6, tzinfo=UTC), now).utcoffset() == timedelta(hours=2)


@given(
    st.sampled_from(["P1D", "P1M", "P1Y", "P1M1D", "P1W", "PT1H"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
def test_cycle_goes_on_without_a_gap(span: str, moment: datetime) -> None:
    cycle = parse_cycle(f"R/2020-01-31/{span}")
    assert isinstance(cycle, Cycle)
    first = cycle.next_after(moment)
    assert first is not None
    assert first > moment
    # Nothing lies between: the one after the moment just before it is the same.
    assert cycle.next_after(first - timedelta(microseconds=1)) == first
    second = cycle.next_after(first)
    assert second is not None
    assert timedelta(0) < second - first <= timedelta(days=366)


def test_cycle_ends_after_its_count() -> None:
    cycle = parse_cycle("R2/2026-01-01/P1Y")
    assert cycle is not None
    assert cycle.next_after(datetime(2027, 6, 1, tzinfo=UTC)) == datetime(2028, 1, 1, tzinfo=UTC)
    assert cycle.next_after(datetime(2028, 1, 1, tzinfo=UTC)) is None
    for text in ("R/P1Y", "R/2026-01-01/P0D", "R/2026-02-30/P1Y", "2026-01-01/P1Y", "R/2026-01-01"):
        assert parse_cycle(text) is None
