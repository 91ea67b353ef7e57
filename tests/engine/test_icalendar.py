"""Calendars by the letter of RFC 5545, also with texts that want to break out."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from rathaus.engine.icalendar import Day, write_calendar

NOW = datetime(2021, 10, 18, 10, 30, tzinfo=UTC)
EVENT = Day(
    "1/nachweis@example.org",
    date(2021, 11, 1),
    "Nachweis",
    "Bitte, bald; wirklich",
    "https://e.org/1/",
    (14, 3),
)


def unfolded(content: bytes) -> list[str]:
    """Content lines as RFC 5545, 3.1 reads them."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    for line in content.split(b"\r\n"):
        line.decode()  # no character is torn apart
    return content.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def text_value(lines: list[str], name: str) -> str:
    """The value of a text property with its escapes undone."""
    value = next(line for line in lines if line.startswith(f"{name}:")).partition(":")[2]
    found, signs = "", iter(value)
    for sign in signs:
        if sign == "\\":
            sign = {"n": "\n", "\\": "\\", ";": ";", ",": ","}[next(signs)]
        else:
            assert sign not in ";,"
        found += sign
    return found


def test_an_event_line_by_line() -> None:
    assert unfolded(write_calendar([EVENT], name="Fristen", now=NOW)) == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rathaus//Fristen//DE", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        "X-WR-CALNAME:Fristen", "REFRESH-INTERVAL;VALUE=DURATION:PT12H", "X-PUBLISHED-TTL:PT12H",
        "BEGIN:VEVENT", "UID:1/nachweis@example.org", "DTSTAMP:20211018T103000Z", "DTSTART;VALUE=DATE:20211101",
        "SUMMARY:Nachweis", "DESCRIPTION:Bitte\\, bald\\; wirklich", "URL:https://e.org/1/", "TRANSP:TRANSPARENT",
        "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Nachweis", "TRIGGER:-P13DT15H", "END:VALARM",
        "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Nachweis", "TRIGGER:-P2DT15H", "END:VALARM",
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_text_breaks_out(text: str) -> None:
    lines = unfolded(write_calendar([Day("k", date(2021, 1, 1), text)], name=text, now=NOW))
    assert [line for line in lines if line.startswith("BEGIN:")] == ["BEGIN:VCALENDAR", "BEGIN:VEVENT"]
    assert len(lines) == 16
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    shown = "".join(sign for sign in kept if sign == "\n" or not (ord(sign) < 32 or 127 <= ord(sign) < 160))
    assert text_value(lines, "SUMMARY") == shown


def test_an_event_can_hide_nothing() -> None:
    evil = Day("k", date(2021, 1, 1), "X\r\nEND:VEVENT\r\nBEGIN:VEVENT")
    lines = unfolded(write_calendar([evil], name="n", now=NOW))
    assert lines.count("BEGIN:VEVENT") == 1
