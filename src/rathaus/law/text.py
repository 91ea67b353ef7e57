"""Dates in German words and figures. A legal day is a date, never a timestamp."""

from datetime import date

from rathaus.law.money import NO_BREAK_SPACE

MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)
WEEKDAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
WEEKDAY_NAMES = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")


def format_date(day: date) -> str:
    """``25. Mai 2021``, with a no-break space after the day."""
    return f"{day.day}.{NO_BREAK_SPACE}{MONTHS[day.month - 1]} {day.year}"


def format_day(day: date) -> str:
    """``22.11.2021``."""
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


def format_day_short(day: date) -> str:
    """``Mo, 22.11.2021``, with a no-break space after the comma."""
    return f"{WEEKDAYS[day.weekday()]},{NO_BREAK_SPACE}{format_day(day)}"


def format_weekday(day: date) -> str:
    """``Montag, 18. Oktober 2021``."""
    return f"{WEEKDAY_NAMES[day.weekday()]}, {format_date(day)}"


def span_of_days(days: int) -> str:
    """How long, after „in“ or „seit“, no finer than a reader needs: „einem Tag“, „14 Tagen“, „11 Monaten“, „4 Jahren“."""
    if days > 730:
        return f"{days // 365} Jahren"
    if days > 90:
        return f"{days // 30} Monaten"
    return "einem Tag" if days == 1 else f"{days} Tagen"
