"""ISO 8601 durations, dates and repetitions as timers of BPMN use them."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,7})S)?)?",
    re.ASCII,
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_CYCLE = re.compile(r"R(?P<count>\d{0,4})/(?:(?P<begin>[^/P]+)/)?(?P<duration>P[^/]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of the calendar: months are added first (the day is cut to the month's last), then the rest."""

    months: int
    rest: timedelta

    def after(self, moment: datetime) -> datetime:
        """The instant that lies this span after ``moment``. Raises OverflowError past the year 9999."""
        return _months_later(moment, self.months) + self.rest


def _months_later(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    if year > 9999:
        raise OverflowError("year")
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def parse_duration(text: str) -> Duration | None:
    """``P14D``, ``P1Y6M``, ``PT36H`` ... as a Duration; None when the text is none of these."""
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        return None
    part = {name: int(digits or 0) for name, digits in match.groupdict().items()}
    return Duration(
        part["years"] * 12 + part["months"],
        timedelta(
            weeks=part["weeks"],
            days=part["days"],
            hours=part["hours"],
            minutes=part["minutes"],
            seconds=part["seconds"],
        ),
    )


def parse_instant(text: str) -> date | datetime | None:
    """``2026-01-31`` as a date, ``2026-01-31T06:00:00Z`` as a datetime; None when it is neither."""
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Cycle:
    """``R/2026-01-01/P1Y``: at the beginning, then after each span; ``count`` times again, None: always."""

    count: int | None
    begin: date | datetime
    every: Duration

    def next_after(self, moment: datetime) -> datetime | None:
        """The first occurrence later than ``moment``; None when all have been."""
        first = as_instant(self.begin, moment)
        seconds = self.every.rest.total_seconds()
        # Jump close to the goal (28 days are the shortest month), then walk the last few occurrences.
        longest = self.every.months * 31 * 86_400 + seconds
        index = max(0, int((moment - first).total_seconds() / longest) - 1)
        while self.count is None or index <= self.count:
            try:
                # Counted from the beginning: monthly from the 31st stays at the months' ends.
                occurrence = _months_later(first, self.every.months * index) + self.every.rest * index
            except OverflowError:
                return None
            if occurrence > moment:
                return occurrence
            index += 1
        return None


def parse_cycle(text: str) -> Cycle | None:
    """``R[count]/begin/duration`` as a Cycle; None when the text is something else or has no beginning."""
    match = _CYCLE.fullmatch(text)
    if match is None or not match["begin"]:
        return None
    begin, every = parse_instant(match["begin"]), parse_duration(match["duration"])
    if begin is None or every is None or (not every.months and not every.rest):
        return None
    return Cycle(int(match["count"]) if match["count"] else None, begin, every)


def as_instant(moment: date | datetime, now: datetime) -> datetime:
    """A date begins at midnight in the time zone of ``now``; a datetime without zone is meant there too."""
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=now.tzinfo)
    return moment.replace(tzinfo=now.tzinfo) if moment.tzinfo is None else moment.astimezone(now.tzinfo)
