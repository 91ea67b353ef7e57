"""What a value may be inside an expression, and how data from outside becomes one.

Values are Decimal, str, bool, None, date, list and Mapping. Nothing else gets in, so nothing that has methods
worth reaching is ever in reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

TEXT_AT_MOST = 100_000
"""Characters of a text, from data or computed."""
ITEMS_AT_MOST = 2_000
"""Entries of a list. With the limit on nodes it bounds the steps of an evaluation, for there are no loops."""

DIGITS = 34
ARITHMETIC = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-99,
    Emax=99,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""Precision of IEEE 754 decimal128, as FEEL asks; the exponents are small, for nobody counts to 1E+6144."""

# A decimal number of at most 15 digits survives the way through a double and back (IEEE 754, DBL_DIG).
_FLOAT_DIGITS = 15
_INT_BOUND = 10**DIGITS
_ZERO = Decimal(0)


class EvaluationError(Exception):
    """An expression or table met data that it cannot work with. ``reason`` is a German sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def admit(value: Any) -> Any:
    """Turn data into a value of the language, or raise EvaluationError.

    Whole numbers and decimals become Decimal. A float is taken as the decimal that it prints as (data that
    came through JSON), but only with at most 15 digits: more betray a calculation that was not exact.
    Members of lists and groups are admitted when they are read, not before.
    """
    convert = _CONVERT.get(type(value))
    return convert(value) if convert is not None else _admit_other(value)


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same. None equals only None; unlike kinds raise EvaluationError.

    "5" == 5 is an error, not False: a silent False would send a case down the wrong branch.
    """
    kind = type(left)
    if kind is type(right) and kind in _SCALARS:
        return bool(left == right)
    if left is None or right is None:
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right):
            return False
        return all(equal(scalar(one), scalar(other)) for one, other in zip(left, right, strict=True))
    raise EvaluationError(
        f"Verglichen wird nur Gleiches; hier stehen {describe(left)} und {describe(right)}."
    )


def scalar(value: Any) -> Any:
    """Admit a member of a list that is itself neither list nor group."""
    found = admit(value)
    if type(found) not in _SCALARS:
        raise EvaluationError(f"In der Liste steht {describe(found)}; hier sind nur einfache Werte erlaubt.")
    return found


def describe(value: Any) -> str:
    """The kind of a value for people: „eine Zahl“."""
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words
    return f"ein unbekannter Wert ({type(value).__name__})"


def short(text: str) -> str:
    """A text for an error message: one line of at most 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"


def _same(value: Any) -> Any:
    return value


def _text(value: str) -> str:
    if len(value) > TEXT_AT_MOST:
        raise EvaluationError(f"Ein Text ist länger als {TEXT_AT_MOST} Zeichen.")
    return value


def _whole(value: int) -> Decimal:
    if not -_INT_BOUND < value < _INT_BOUND:
        raise EvaluationError(f"Eine Zahl hat mehr als {DIGITS} Stellen.")
    return Decimal(value)


def _decimal(value: Decimal) -> Decimal:
    try:
        # Adding nothing also writes 1E+2 as 100, so that a number looks the same wherever it came from.
        number = ARITHMETIC.add(value, _ZERO)
        if number == value and number.is_finite():
            return number
    except ArithmeticError:
        pass
    raise EvaluationError(f"Eine Zahl ist nicht endlich, zu groß oder hat mehr als {DIGITS} Stellen.")


def _float(value: float) -> Decimal:
    number = Decimal(float.__repr__(value))
    if len(number.as_tuple().digits) > _FLOAT_DIGITS:
        raise EvaluationError(
            f"Die Gleitkommazahl {number} ist nicht genau; geben Sie Zahlen dezimal an, etwa als Text."
        )
    return _decimal(number)


def _list(value: list[Any] | tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    if len(value) > ITEMS_AT_MOST:
        raise EvaluationError(f"Eine Liste hat mehr als {ITEMS_AT_MOST} Einträge.")
    return value


def _instant(value: datetime) -> Any:
    raise EvaluationError("Ein Zeitpunkt ist kein Datum; ein Tag im Rechtssinn hat keine Uhrzeit.")


_CONVERT: dict[type, Callable[[Any], Any]] = {
    bool: _same,
    type(None): _same,
    date: _same,
    dict: _same,
    str: _text,
    int: _whole,
    Decimal: _decimal,
    float: _float,
    list: _list,
    tuple: _list,
    datetime: _instant,
}
_SCALARS = frozenset({bool, type(None), date, str, Decimal})
_WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "Ja/Nein"),
    (type(None), "ein leerer Wert"),
    ((Decimal, int, float), "eine Zahl"),
    (str, "ein Text"),
    (datetime, "ein Zeitpunkt"),
    (date, "ein Datum"),
    ((list, tuple), "eine Liste"),
    (Mapping, "eine Gruppe"),
)


def _admit_other(value: Any) -> Any:
    """Subclasses (enumerations, marked-up text) lose what they add: the plain value is what remains."""
    if isinstance(value, str):
        return _text(str.__str__(value))
    if isinstance(value, int):
        return _whole(int.__index__(value))
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if isinstance(value, list | tuple):
        return _list(value)
    if isinstance(value, Mapping):
        return value
    raise EvaluationError(f"Ein Wert der Art {type(value).__name__} ist in Ausdrücken nicht zugelassen.")
