"""Variables of a process as plain JSON and back, exactly.

JSON knows no decimals and no dates. They are kept as objects with one key that begins with ``$``; a mapping
whose own keys begin so is escaped. A ``float`` becomes the decimal that it prints as, or is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rathaus.engine.expressions import EvaluationError, admit

CHARACTERS_AT_MOST = 20_000  # all variables of one scope; a usual process has some hundred
DEPTH_AT_MOST = 20


class ValueRefused(ValueError):
    """The value cannot be a variable of a process. The text is a German sentence."""


def encode(value: Any) -> Any:
    """``value`` as JSON that PostgreSQL's ``jsonb`` keeps unchanged. Raises ValueRefused."""
    return _encode(value, [CHARACTERS_AT_MOST], 0)


def _encode(value: Any, budget: list[int], depth: int) -> Any:
    budget[0] -= 4
    kind = type(value)
    if kind is str:
        budget[0] -= len(value)
        # jsonb can store neither; better refused here than in the middle of a transaction.
        if "\x00" in value or not _is_unicode(value):
            raise ValueRefused("Ein Text enthält ein Zeichen, das nicht gespeichert werden kann.")
        result: Any = value
    elif kind is Decimal:
        if not value.is_finite():
            raise ValueRefused("Eine Variable ist keine endliche Zahl.")
        text = str(value)
        budget[0] -= len(text)
        result = {"$n": text}
    elif value is None or kind is bool:
        result = value
    elif kind is int:
        budget[0] -= value.bit_length() // 3
        result = value
    elif isinstance(value, datetime):
        result = {"$t": value.isoformat()}
    elif isinstance(value, date):
        result = {"$d": value.isoformat()}
    elif isinstance(value, Mapping):
        if depth > DEPTH_AT_MOST:
            raise ValueRefused("Eine Variable ist zu tief verschachtelt.")
        if any(type(key) is not str for key in value):
            raise ValueRefused("Die Schlüssel einer Variable müssen Texte sein.")
        pairs = {
            _encode(key, budget, depth + 1): _encode(item, budget, depth + 1) for key, item in value.items()
        }
        result = {"$m": pairs} if any(key.startswith("$") for key in pairs) else pairs
    elif isinstance(value, (list, tuple)):
        if depth > DEPTH_AT_MOST:
            raise ValueRefused("Eine Variable ist zu tief verschachtelt.")
        result = [_encode(item, budget, depth + 1) for item in value]
    elif kind is float:  # as an expression takes it: the decimal that it prints as, if that is short enough
        try:
            return _encode(admit(value), budget, depth)
        except EvaluationError as error:
            raise ValueRefused(error.reason) from error
    elif isinstance(value, str):  # a choice of an enumeration, a text marked as safe
        return _encode(str.__str__(value), budget, depth)
    else:
        raise ValueRefused(f"Ein Wert der Art „{kind.__name__}“ kann keine Variable sein.")
    if budget[0] < 0:
        raise ValueRefused(
            f"Die Variablen sind zu groß (mehr als {CHARACTERS_AT_MOST} Zeichen). "
            "Ein Prozess merkt sich nur, was seine Gateways brauchen."
        )
    return result


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    return not any("\ud800" <= character <= "\udfff" for character in text)


def decode(value: Any) -> Any:
    """The value that ``encode`` was given (a tuple comes back as a list)."""
    if type(value) is dict:
        if len(value) == 1:
            ((key, inner),) = value.items()
            if key == "$n":
                return Decimal(inner)
            if key == "$d":
                return date.fromisoformat(inner)
            if key == "$t":
                return datetime.fromisoformat(inner)
            if key == "$m":
                return {name: decode(item) for name, item in inner.items()}
        return {name: decode(item) for name, item in value.items()}
    if type(value) is list:
        return [decode(item) for item in value]
    return value
