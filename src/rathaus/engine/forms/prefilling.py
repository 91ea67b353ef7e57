"""What is known before anybody typed, as the answers that a form keeps."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.engine.forms import values
from rathaus.engine.forms.model import Answers, Field, Kind, Table
from rathaus.engine.forms.places import MISSING


def answer(field: Field, known: Any) -> Any:
    """The answer that says what is known, or MISSING: texts are read as if they had been typed, amounts (Decimal
    euros) and days become what the form keeps. What is of another kind is left out."""
    match known:
        case bool():
            return known if field.kind in (Kind.YES_NO, Kind.CHECKBOX) else MISSING
        case Decimal() if field.kind is Kind.MONEY:
            return f"{known:.2f}"
        case Decimal() | int() if field.kind is Kind.NUMBER:
            return int(known) if known == int(known) else float(known)
        case Decimal() | int() if field.kind in (Kind.INTEGER, Kind.CHOICE) and known == int(known):
            return int(known)
        case date() if field.kind is Kind.DATE:
            return known.isoformat()
        case str() if known.strip():
            try:
                return values.parse(field, values.tidy(known))
            except values.WrongText:
                return MISSING
        case list() if field.kind in (Kind.CHOICES, Kind.AUTHORITIES):
            return list(known)
    return MISSING


def rows(table: Table, known: Any) -> list[Answers]:
    """Rows of a growing table in the order of what is known; columns that a row does not name stay empty."""
    if not isinstance(known, list | tuple):
        return []
    found = []
    for entry in known[: table.max_rows]:
        if isinstance(entry, Mapping):
            cells = {column.key: answer(column, entry.get(column.key)) for column in table.columns}
            found.append({key: value for key, value in cells.items() if value is not MISSING})
    return found
