"""The functions that an expression may call. There are no others."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from rathaus.law.money import format_amount
from rathaus.law.text import format_date

from .values import ARITHMETIC, TEXT_AT_MOST, EvaluationError, admit, describe, equal, scalar, short

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,34}(\.[0-9]{1,34})?")
_PLACES_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class Function:
    """A callable with the number of arguments that it takes (``most`` None: any number)."""

    call: Callable[..., Any]
    least: int
    most: int | None


def count(of: Any, key: Any = None) -> Decimal:
    """Entries of a list, characters of a text; with a field name the entries in which that field is true."""
    if isinstance(of, str) and key is None:
        return Decimal(len(of))
    if key is None:
        return Decimal(len(_list(of)))
    return Decimal(sum(_truth(item) for item in _items(of, key)))


def total(of: Any, key: Any = None) -> Decimal:
    """Sum of a list of numbers, or of one field of its entries. No list is 0; an empty entry is an error."""
    result = Decimal(0)
    for item in _items(of, key):
        result = ARITHMETIC.add(result, _number(item))
    return result


def total_where(of: Any, key: Any, field: Any, wanted: Any) -> Decimal:
    """Sum of one field of those entries of a list in which another field has the value ``wanted``."""
    chosen = [item for item in _list(of) if equal(_field(item, _string(field)), scalar(wanted))]
    return total(chosen, key)


def smallest(*of: Any) -> Any:
    """The least of numbers or dates: of one list, of one field of its entries, or of the arguments."""
    return _extreme(of, lambda new, best: new < best)


def largest(*of: Any) -> Any:
    """The greatest; see ``smallest``."""
    return _extreme(of, lambda new, best: new > best)


def values_of(of: Any, key: Any) -> list[Any]:
    """One field of each entry of a list, as a list."""
    return [scalar(item) for item in _items(of, key)]


def any_true(of: Any, key: Any = None) -> bool:
    """Whether an entry (or a field of an entry) is true. Of no entries: false."""
    return any(_truth(item) for item in _items(of, key))


def all_true(of: Any, key: Any = None) -> bool:
    """Whether every entry (or a field of every entry) is true. Of no entries: true."""
    return all(_truth(item) for item in _items(of, key))


def is_empty(value: Any) -> bool:
    """Whether nothing was entered: no value, a text of blanks, a list or group without entries."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, list | tuple | Mapping) and not value


def round_half_up(value: Any, places: Any = Decimal(0)) -> Decimal:
    """Commercial rounding (DIN 1333): half goes away from zero."""
    return _rounded(value, places, ROUND_HALF_UP)


def round_down(value: Any, places: Any = Decimal(0)) -> Decimal:
    """To the next lower number, -1.5 to -2."""
    return _rounded(value, places, ROUND_FLOOR)


def round_up(value: Any, places: Any = Decimal(0)) -> Decimal:
    """To the next higher number, -1.5 to -1."""
    return _rounded(value, places, ROUND_CEILING)


def absolute(value: Any) -> Decimal:
    """Without its sign."""
    return abs(_number(value))


def to_number(value: Any) -> Decimal | None:
    """A number written as plain text („-12.50“) as a number; None stays None."""
    if value is None or isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _PLAIN_NUMBER.fullmatch(value):
        raise EvaluationError(f"{_shown(value)} ist keine Zahl in der Schreibweise „-1234.50“.")
    number: Decimal = admit(Decimal(value))
    return number


def lower(value: Any) -> str:
    """In small letters."""
    return _string(value).lower()


def upper(value: Any) -> str:
    """In capital letters."""
    result = _string(value).upper()
    if len(result) > TEXT_AT_MOST:  # "ß" grows
        raise EvaluationError(f"Ein Text ist länger als {TEXT_AT_MOST} Zeichen.")
    return result


def starts_with(value: Any, beginning: Any) -> bool:
    """Whether a text begins with another."""
    return _string(value).startswith(_string(beginning))


def to_date(value: Any, month: Any = None, day: Any = None) -> date | None:
    """A date from „2025-01-31“ or from year, month, day; None stays None."""
    if month is None and day is None:
        return None if value is None else _day(value)
    try:
        return date(_whole(value), _whole(month), _whole(day))
    except (ValueError, OverflowError):
        raise EvaluationError("Diesen Tag gibt es im Kalender nicht.") from None


def days(start: Any, end: Any) -> Decimal:
    """Days from ``start`` to ``end``, negative if it lies before; the day of the event does not count
    (§ 187 Abs. 1 BGB)."""
    return Decimal((_day(end) - _day(start)).days)


def months(start: Any, end: Any) -> Decimal:
    """Full months from ``start`` to ``end``; a month that lacks the day ends with its last day
    (§ 188 Abs. 2 and 3 BGB): from 31 January to 28 February is one."""
    first, last = _day(start), _day(end)
    if last < first:
        return -months(last, first)
    number = (last.year - first.year) * 12 + last.month - first.month
    return Decimal(number if _months_later(first, number) <= last else number - 1)


def age(born: Any, on: Any) -> Decimal:
    """Years of age on a day; the day of birth counts (§ 187 Abs. 2 Satz 2 BGB), so that somebody born on
    29 February is a year older on 1 March of a year without that day."""
    first, last = _day(born), _day(on)
    return Decimal(last.year - first.year - ((last.month, last.day) < (first.month, first.day)))


def add_days(start: Any, number: Any) -> date:
    """The date so many days later."""
    try:
        return _day(start) + timedelta(days=_whole(number))
    except OverflowError:
        raise EvaluationError("Das Datum liegt außerhalb der Jahre 1 bis 9999.") from None


def add_months(start: Any, number: Any) -> date:
    """The date so many months later, at most the last day of that month (§ 188 Abs. 3 BGB)."""
    return _months_later(_day(start), _whole(number))


def year(of: Any) -> Decimal:
    """The year of a date."""
    return Decimal(_day(of).year)


def month(of: Any) -> Decimal:
    """The month of a date, 1 to 12."""
    return Decimal(_day(of).month)


def day(of: Any) -> Decimal:
    """The day of the month, 1 to 31."""
    return Decimal(_day(of).day)


def as_euros(amount: Any) -> str:
    """An amount as in letters: „1.234,50 €“. For texts; nothing can be calculated with it."""
    try:
        return format_amount(_number(amount))
    except ValueError:
        raise EvaluationError("Ein Betrag hat höchstens zwei Nachkommastellen.") from None


def in_words(of: Any) -> str:
    """A date as in letters: „31. Januar 2025“."""
    return format_date(_day(of))


def contains(wanted: Any, of: Any) -> bool:
    """``wanted in of``: an entry of a list, a part of a text, a field that a group has a value for."""
    if of is None:
        return False
    if isinstance(of, str):
        return _string(wanted) in of
    if isinstance(of, list | tuple):
        return any(equal(wanted, scalar(item)) for item in of)
    if isinstance(of, Mapping):
        return of.get(_string(wanted)) is not None
    raise EvaluationError(f"„in“ sucht in Listen, Texten und Gruppen; hier steht {describe(of)}.")


FUNCTIONS: dict[str, Function] = {
    "anzahl": Function(count, 1, 2),
    "summe": Function(total, 1, 2),
    "summe_wenn": Function(total_where, 4, 4),
    "min": Function(smallest, 1, None),
    "max": Function(largest, 1, None),
    "werte": Function(values_of, 2, 2),
    "irgendein": Function(any_true, 1, 2),
    "alle": Function(all_true, 1, 2),
    "leer": Function(is_empty, 1, 1),
    "runden": Function(round_half_up, 1, 2),
    "abrunden": Function(round_down, 1, 2),
    "aufrunden": Function(round_up, 1, 2),
    "abs": Function(absolute, 1, 1),
    "zahl": Function(to_number, 1, 1),
    "klein": Function(lower, 1, 1),
    "gross": Function(upper, 1, 1),
    "beginnt_mit": Function(starts_with, 2, 2),
    "datum": Function(to_date, 1, 3),
    "tage": Function(days, 2, 2),
    "monate": Function(months, 2, 2),
    "alter": Function(age, 2, 2),
    "plus_tage": Function(add_days, 2, 2),
    "plus_monate": Function(add_months, 2, 2),
    "jahr": Function(year, 1, 1),
    "monat": Function(month, 1, 1),
    "tag": Function(day, 1, 1),
    "euro": Function(as_euros, 1, 1),
    "tagesdatum": Function(in_words, 1, 1),
}
"""By the German name that process designers write."""

_ENGLISH = {
    "len": "anzahl",
    "count": "anzahl",
    "sum": "summe",
    "any": "irgendein",
    "all": "alle",
    "round": "runden",
    "floor": "abrunden",
    "ceiling": "aufrunden",
    "number": "zahl",
    "lower": "klein",
    "upper": "gross",
    "date": "datum",
    "days": "tage",
    "months": "monate",
    "year": "jahr",
    "month": "monat",
    "day": "tag",
}
FUNCTIONS |= {english: FUNCTIONS[german] for english, german in _ENGLISH.items()}


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    if value is None:  # a growing table of the form in which nobody entered a row
        return ()
    if not isinstance(value, list | tuple):
        raise EvaluationError(f"Hier wird eine Liste erwartet, nicht {describe(value)}.")
    return value


def _items(of: Any, key: Any) -> Iterator[Any]:
    if key is None:
        return (admit(item) for item in _list(of))
    return (_field(item, _string(key)) for item in _list(of))


def _field(item: Any, key: str) -> Any:
    if not isinstance(item, Mapping):
        raise EvaluationError(f"„{short(key)}“ gibt es nur in Gruppen; in der Liste steht {describe(item)}.")
    return admit(item.get(key))


def _extreme(of: tuple[Any, ...], better: Callable[[Any, Any], bool]) -> Any:
    if len(of) == 2 and isinstance(of[1], str):
        items = list(_items(*of))
    elif len(of) == 1:
        items = list(_items(of[0], None))
    else:
        items = list(of)
    best = None
    for item in items:
        if type(item) not in (Decimal, date) or (best is not None and type(best) is not type(item)):
            raise EvaluationError(
                f"min und max vergleichen Zahlen oder Daten miteinander; hier steht {describe(item)}."
            )
        if best is None or better(item, best):
            best = item
    return best


def _rounded(value: Any, places: Any, how: str) -> Decimal:
    number, digits = _number(value), _whole(places)
    if abs(digits) > _PLACES_AT_MOST:
        raise EvaluationError(f"Gerundet wird auf höchstens {_PLACES_AT_MOST} Stellen.")
    try:
        result = number.quantize(Decimal(1).scaleb(-digits), rounding=how, context=ARITHMETIC)
        return result if digits >= 0 else result.quantize(Decimal(1), context=ARITHMETIC)
    except ArithmeticError:
        raise EvaluationError("Die Zahl hat zu viele Stellen, um sie so zu runden.") from None


def _truth(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise EvaluationError(f"Hier wird Ja oder Nein erwartet, nicht {describe(value)}.")


def _number(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    raise EvaluationError(f"Hier wird eine Zahl erwartet, nicht {describe(value)}.")


def _whole(value: Any) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise EvaluationError(f"Hier wird eine ganze Zahl erwartet, nicht {number}.")
    return int(number)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise EvaluationError(f"Hier wird ein Text erwartet, nicht {describe(value)}.")


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    # Forms and JSON carry dates as text; the digits are checked first, for fromisoformat also reads weeks.
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise EvaluationError(f"{_shown(value)} ist kein Datum in der Schreibweise „2025-01-31“.")


def _months_later(start: date, number: int) -> date:
    index = start.year * 12 + start.month - 1 + number
    first_year, first_month = divmod(index, 12)
    if not 1 <= first_year <= 9999:
        raise EvaluationError("Das Datum liegt außerhalb der Jahre 1 bis 9999.")
    last = monthrange(first_year, first_month + 1)[1]
    return date(first_year, first_month + 1, min(start.day, last))


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"„{short(value)}“"
    words = describe(value)
    return words[0].upper() + words[1:]
