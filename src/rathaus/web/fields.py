"""How each kind of form field is drawn: which template, which attributes."""

from typing import Any

from rathaus.engine.forms import format_bytes
from rathaus.engine.forms.importing import FILE_PLACE
from rathaus.engine.forms.model import Kind
from rathaus.engine.forms.views import FieldView, TableView

_TEMPLATES = {
    Kind.TEXTAREA: "web/fields/textarea.html",
    Kind.MONEY: "web/fields/money.html",
    Kind.DATE: "web/fields/date.html",
    Kind.CHECKBOX: "web/fields/checkbox.html",
    Kind.YES_NO: "web/fields/options.html",
    Kind.CHOICES: "web/fields/options.html",
    Kind.AUTHORITIES: "web/fields/authorities.html",
    Kind.FILE: "web/fields/file.html",
    Kind.FILES: "web/fields/file.html",
}
_TYPES = {Kind.EMAIL: "email"}
_INPUTMODES = {Kind.INTEGER: "numeric", Kind.NUMBER: "decimal", Kind.EMAIL: "email"}
_AUTOCOMPLETE = {Kind.EMAIL: "email"}
_COLUMNS = {
    Kind.MONEY: "rh-col-money",
    Kind.CHOICE: "rh-col-choice",
    Kind.YES_NO: "rh-col-choice",
    Kind.INTEGER: "rh-col-short",
    Kind.NUMBER: "rh-col-short",
    Kind.CHECKBOX: "rh-col-short",
    Kind.DATE: "rh-col-date",
}
_MEDIA = {
    "application/pdf": "PDF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "text/csv": "CSV",
    "application/xml": "XML",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel (XLSX)",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word (DOCX)",
    "application/vnd.oasis.opendocument.text": "OpenDocument (ODT)",
    "application/vnd.oasis.opendocument.spreadsheet": "OpenDocument (ODS)",
}
# Up to so many choices are shown at once; more go into a list to open.
_RADIO_AT_MOST = 6


def template_of(view: FieldView) -> str:
    """The template that draws a field with label, hint and error."""
    if view.field.kind is Kind.CHOICE:
        return "web/fields/select.html" if is_select(view) else "web/fields/options.html"
    return _TEMPLATES.get(view.field.kind, "web/fields/input.html")


def is_select(view: FieldView) -> bool:
    """Whether a choice is drawn as a list to open: as the form says, else by the number of choices."""
    if view.field.widget in {"select", "radio"}:
        return view.field.widget == "select"
    return len(view.field.choices) > _RADIO_AT_MOST


def context_of_field(view: FieldView) -> dict[str, Any]:
    """Everything that a template in web/fields/ may ask for."""
    field = view.field
    hint = " ".join(part for part in (field.hint, _file_hint(view), _example(view)) if part)
    ids = [view.hint_id] if hint else []
    if view.error:
        ids.append(view.error_id)
    return {
        "view": view,
        "field": field,
        "kind": str(field.kind),
        "hint": hint,
        "described_by": " ".join(ids),
        "type": _TYPES.get(field.kind, "text"),
        "inputmode": _INPUTMODES.get(field.kind, ""),
        "autocomplete": field.autocomplete or _AUTOCOMPLETE.get(field.kind, ""),
        "is_short": field.kind in {Kind.INTEGER, Kind.NUMBER},
        "is_authority": field.kind in {Kind.AUTHORITY, Kind.AUTHORITIES},
        "is_many": field.kind in {Kind.CHOICES, Kind.FILES},
        "accept": ",".join(field.accept),
    }


def context_of_table(view: TableView) -> dict[str, Any]:
    """What web/fields/table.html shows."""
    table = view.table
    left_out = view.sum.left_out if view.sum else ()
    return {
        "view": view,
        "table": table,
        "columns": [(column, _COLUMNS.get(column.kind, "rh-col-text")) for column in table.columns],
        "rows": [
            {
                "row": row,
                "cells": [(cell, _COLUMNS.get(cell.field.kind, "rh-col-text")) for cell in row.cells],
                "errors": [cell for cell in row.cells if cell.error],
            }
            for row in view.rows
        ],
        "left_out": _left_out(table.noun, left_out),
        "hint_id": f"{view.id}-hinweis",
        "file_place": f"{table.path}.{FILE_PLACE}",
    }


def media_name(media_type: str) -> str:
    """PDF for application/pdf; the last part of the type for an unknown one."""
    return _MEDIA.get(media_type, media_type.rpartition("/")[2].upper())


def _file_hint(view: FieldView) -> str:
    field = view.field
    if field.kind not in {Kind.FILE, Kind.FILES}:
        return ""
    parts = [", ".join(media_name(kind) for kind in field.accept)] if field.accept else []
    if field.max_bytes:
        parts.append(
            f"höchstens {format_bytes(field.max_bytes)}{' je Datei' if field.kind is Kind.FILES else ''}"
        )
    text = ", ".join(parts)
    return text + "." if text and view.field.hint else text


def _example(view: FieldView) -> str:
    return f"Zum Beispiel: {view.field.example}" if view.field.example else ""


def _left_out(noun: str, numbers: tuple[int, ...]) -> str:
    if not numbers:
        return ""
    words = [str(number) for number in numbers]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} und {words[-1]}"
    return f"ohne {noun} {listed}"
