"""What people read when an answer is wrong: what is wrong with it, then what to write instead."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.engine.forms import limits
from rathaus.engine.forms.model import Field, Kind, Table
from rathaus.engine.forms.values import as_text, format_bytes, short
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import format_date

_EXAMPLES = {
    Kind.MONEY: "1.234,56",
    Kind.DATE: "25.05.2021",
    Kind.DAY_OF_YEAR: "3.12.",
    Kind.EMAIL: "rathaus@example.org",
    Kind.IBAN: "DE02 1203 0000 0000 2020 51",
    Kind.AUTHORITY: "Lahnau",
    Kind.AUTHORITIES: "Lahnau",
}
_EXPECTED = {
    "string": "ein Text",
    "integer": "eine ganze Zahl",
    "number": "eine Zahl",
    "boolean": "Ja oder Nein",
    "array": "eine Liste",
    "object": "eine Gruppe von Angaben",
}


def missing(item: Field | Table) -> str:
    """The sentence for an answer that is not there."""
    if item.if_missing:
        return item.if_missing
    label = item.label
    if isinstance(item, Table):
        return f"Tragen Sie bei „{label}“ mindestens eine Zeile ein."
    if item.kind in (Kind.CHOICE, Kind.CHOICES):
        return f"Wählen Sie bei „{label}“ eine Antwort, zum Beispiel „{item.choices[0].label}“."
    if item.kind is Kind.CHECKBOX:
        return f"Kreuzen Sie an: „{label}“"
    if item.kind is Kind.YES_NO:
        return f"Antworten Sie bei „{label}“ mit Ja oder Nein."
    if item.kind in (Kind.FILE, Kind.FILES):
        return f"Laden Sie bei „{label}“ eine Datei hoch."
    example = item.example or _EXAMPLES.get(item.kind, "")
    shown = f", zum Beispiel: {example.removesuffix('.')}" if example else ""
    return f"Füllen Sie „{label}“ aus{shown}."


def unknown(name: str) -> str:
    """The sentence for an answer that the form does not ask for."""
    return f"Die Angabe „{short(name)}“ gehört nicht zu diesem Formular."


def wrong(item: Field | Table, keyword: str, limit: Any, value: Any) -> str:
    """The sentence for an answer that the schema's ``keyword`` refuses."""
    sentence = _SENTENCES.get(keyword)
    if sentence is None:
        return f"Die Angabe bei „{item.label}“ passt nicht."
    return sentence(item, limit, value)


def too_long(field: Field, length: int) -> str:
    """The sentence for a text of ``length`` characters."""
    most = field.max_length or 0
    return (
        f"„{field.label}“ ist {format_number(length - most)} Zeichen zu lang. "
        f"Möglich sind {format_number(most)} Zeichen."
    )


def too_many(item: Field | Table, count: int) -> str:
    """The sentence for a list of ``count`` entries."""
    most = item.max_rows if isinstance(item, Table) else item.max_items
    what = "Zeilen" if isinstance(item, Table) else "Angaben"
    return f"Bei „{item.label}“ sind höchstens {most} {what} möglich, es sind {count}."


def out_of_bounds(field: Field, *, is_low: bool) -> str:
    """The sentence for a number, an amount or a date beyond its bounds."""
    limit = field.minimum if is_low else field.maximum
    excluded = field.excludes_bounds[0 if is_low else 1]
    if isinstance(limit, date):
        return f"„{field.label}“ darf nicht {'vor' if is_low else 'nach'} dem {format_date(limit)} liegen."
    shown = (
        format_amount(limit) if field.kind is Kind.MONEY and limit is not None else format_number(limit or 0)
    )
    if excluded:
        return f"„{field.label}“ muss {'größer' if is_low else 'kleiner'} als {shown} sein."
    return f"„{field.label}“ muss {'mindestens' if is_low else 'höchstens'} {shown} sein."


def too_many_digits(field: Field) -> str:
    """The sentence for a number that would not come back as it was sent."""
    return f"Die Zahl bei „{field.label}“ ist zu groß. Möglich sind {limits.NUMBER_DIGITS} Stellen."


def wrong_file(field: Field, name: str) -> str:
    """The sentence for a file whose content is of another type."""
    kinds = [one.rpartition("/")[2].upper() for one in field.accept]
    return f"„{short(name)}“ ist keine Datei der Art {' oder '.join(kinds)}. Laden Sie eine solche hoch."


def big_file(field: Field, name: str, size: int) -> str:
    """The sentence for a file that is too big."""
    return (
        f"„{short(name)}“ ist mit {format_bytes(size)} zu groß. Möglich sind {format_bytes(field.max_bytes)}."
    )


def _type(item: Field | Table, limit: Any, value: Any) -> str:
    names = limit if isinstance(limit, list) else [limit]
    return f"Bei „{item.label}“ wird {_EXPECTED.get(str(names[0]), 'eine andere Angabe')} erwartet."


def _choice(item: Field | Table, limit: Any, value: Any) -> str:
    first = item.choices[0].label if isinstance(item, Field) and item.choices else ""
    typed = short(str(value))
    return f"Bei „{item.label}“ gibt es die Antwort „{typed}“ nicht. Wählen Sie zum Beispiel „{first}“."


def _format(item: Field | Table, limit: Any, value: Any) -> str:
    kind = item.kind if isinstance(item, Field) else Kind.TEXT
    written = _STORED_EXAMPLES.get(kind, "")
    return f"„{short(str(value))}“ passt nicht bei „{item.label}“. Schreiben Sie zum Beispiel {written}."


def _pattern(item: Field | Table, limit: Any, value: Any) -> str:
    if isinstance(item, Field) and item.if_wrong:
        return item.if_wrong
    return f"„{short(str(value))}“ passt nicht bei „{item.label}“."


def _too_short(item: Field | Table, limit: Any, value: Any) -> str:
    return (
        f"„{item.label}“ ist zu kurz: Schreiben Sie mindestens {limit} Zeichen, bisher sind es {len(value)}."
    )


def _too_few(item: Field | Table, limit: Any, value: Any) -> str:
    if not value:
        return missing(item)
    what = "Zeilen" if isinstance(item, Table) else "Angaben"
    return f"Bei „{item.label}“ sind mindestens {limit} {what} nötig, bisher sind es {len(value)}."


def _multiple(item: Field | Table, limit: Any, value: Any) -> str:
    step = format_number(Decimal(str(limit)))
    shown = as_text(item, value) if isinstance(item, Field) else str(value)
    return f"„{shown}“ geht bei „{item.label}“ nicht auf: Möglich sind Schritte von {step}."


def _low(item: Field | Table, limit: Any, value: Any) -> str:
    return out_of_bounds(item, is_low=True) if isinstance(item, Field) else wrong(item, "", limit, value)


def _high(item: Field | Table, limit: Any, value: Any) -> str:
    return out_of_bounds(item, is_low=False) if isinstance(item, Field) else wrong(item, "", limit, value)


# Texts with a format come from the page as they should be; what is wrong here was sent by a program.
_STORED_EXAMPLES = {
    Kind.MONEY: "1234.56",
    Kind.DATE: "2021-05-25",
    Kind.DAY_OF_YEAR: "12-03",
    Kind.EMAIL: "rathaus@example.org",
    Kind.IBAN: "DE02120300000000202051",
    Kind.AUTHORITY: "06532014",
    Kind.AUTHORITIES: "06532014",
}
_SENTENCES: dict[str, Callable[[Field | Table, Any, Any], str]] = {
    "type": _type,
    "enum": _choice,
    "const": lambda item, limit, value: missing(item),
    "format": _format,
    "pattern": _pattern,
    "minLength": _too_short,
    "maxLength": lambda item, limit, value: (
        too_long(item, len(value)) if isinstance(item, Field) else wrong(item, "", limit, value)
    ),
    "minItems": _too_few,
    "maxItems": lambda item, limit, value: too_many(item, len(value)),
    "uniqueItems": lambda item, limit, value: (
        f"Bei „{item.label}“ steht eine Angabe doppelt. Nennen Sie jede nur einmal."
    ),
    "multipleOf": _multiple,
    "minimum": _low,
    "exclusiveMinimum": _low,
    "maximum": _high,
    "exclusiveMaximum": _high,
}
