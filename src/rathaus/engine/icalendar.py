"""Calendars of days (RFC 5545), as programs subscribe to them: all-day events with alarms, and nothing else.

Written by hand since that is all we need: no time zones, no recurrence. A library would bring three more packages.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

MOST_OCTETS = 75  # of a line, without its break (RFC 5545, 3.1)
PRODUCT = "-//Rathaus//Fristen//DE"
_NINE_O_CLOCK = 9  # hour of the day on which an alarm goes off
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


@dataclass(frozen=True)
class Day:
    """An event of one day. `key` names it for good, so that a program moves it rather than doubling it; alarms go off
    in the morning of so many days before."""

    key: str
    day: date
    title: str
    text: str = ""
    url: str = ""
    alarms: tuple[int, ...] = ()


def write_calendar(days: Iterable[Day], *, name: str, now: datetime) -> bytes:
    """The calendar as a file. `now` is the instant of writing, in UTC. Equal arguments give equal bytes."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "X-PUBLISHED-TTL:PT12H",
    ]
    for event in days:
        lines += _event(event, now)
    lines.append("END:VCALENDAR")
    return b"".join(part for line in lines for part in _folded(line))


def _event(event: Day, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.key)}"
    yield f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}"
    yield f"SUMMARY:{_text(event.title)}"
    if event.text:
        yield f"DESCRIPTION:{_text(event.text)}"
    if event.url:
        yield f"URL:{event.url}"
    yield "TRANSP:TRANSPARENT"
    for days in event.alarms:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"DESCRIPTION:{_text(event.title)}"
        yield f"TRIGGER:-P{days - 1}DT{24 - _NINE_O_CLOCK}H"  # counted back from midnight of the day
        yield "END:VALARM"
    yield "END:VEVENT"


def _text(value: str) -> str:
    """A text without control characters, in which what separates is escaped."""
    breaks = value.replace("\r\n", "\n").replace("\r", "\n")
    clean = "".join(sign for sign in breaks if sign == "\n" or unicodedata.category(sign) != "Cc")
    return clean.translate(_ESCAPED)


def _folded(line: str) -> Iterator[bytes]:
    """The line in pieces of at most 75 octets that end between characters; what continues begins with a blank."""
    piece = b""
    for sign in line:
        octets = sign.encode()
        if len(piece) + len(octets) > MOST_OCTETS:
            yield piece + b"\r\n"
            piece = b" "
        piece += octets
    yield piece + b"\r\n"
