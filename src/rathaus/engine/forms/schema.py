"""Reading the JSON Schema: which properties there are, and the schema that answers are checked against."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.engine.forms import limits, patterns
from rathaus.engine.forms.formats import FORMATS, is_amount, is_iso_date

_ABOUT = frozenset({"type", "title", "description", "examples", "$comment"})
_NUMBER = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "oneOf"}
)
_KEYWORDS: dict[str, frozenset[str]] = {
    "string": _ABOUT
    | {"format", "minLength", "maxLength", "pattern", "enum", "oneOf", "formatMinimum", "formatMaximum"},
    "integer": _ABOUT | _NUMBER,
    "number": _ABOUT | _NUMBER,
    "boolean": _ABOUT | {"const"},
    "array": _ABOUT | {"items", "minItems", "maxItems", "uniqueItems"},
    "object": _ABOUT | {"properties", "required", "additionalProperties", "format"},
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
#: Names of buttons on the page.
_RESERVED = frozenset({"add", "remove"})
_ROOT_ONLY = frozenset({"$schema", "$id"})
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_CAPS = {"maxLength": limits.LONGEST_TEXT, "maxItems": limits.MOST_ROWS}

_FILE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "size": {"type": "integer", "minimum": 0},
        "media_type": {"type": "string", "minLength": 3, "maxLength": 100},
    },
    "required": ["name", "sha256", "size", "media_type"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Property:
    """One property of the schema; ``parts`` are the columns of a table."""

    path: str
    schema: Mapping[str, Any]
    is_required: bool
    parts: tuple["Property", ...] = ()


class SchemaReader:
    """Walks a schema once; ``properties`` by path, ``problems`` in German with their place."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.properties: dict[str, Property] = {}
        self.groups: set[str] = set()
        self.problems: list[str] = []
        self.strict = self._object(schema, "", "#", depth=1)

    def _object(self, schema: Any, path: str, place: str, *, depth: int) -> dict[str, Any]:
        """Take in an object's properties; returns the strict schema for it."""
        strict: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
        if not isinstance(schema, Mapping) or schema.get("type") != "object":
            self._problem(place, "Hier wird ein Objekt („type“: „object“) erwartet.")
            return strict
        if depth > limits.OBJECT_DEPTH:
            self._problem(place, f"Objekte sind tiefer als {limits.OBJECT_DEPTH} Ebenen verschachtelt.")
            return strict
        self._keywords(schema, place, extra=_ROOT_ONLY if not path else frozenset())
        if not path and schema.get("$schema", _DIALECT) != _DIALECT:
            self._problem(place, f"Das Schema muss „{_DIALECT}“ folgen.")
        properties, required = self._members(schema, place)
        strict["required"] = required
        for key, inner in properties.items():
            inner_path = f"{path}.{key}" if path else key
            inner_place = f"{place}/properties/{key}"
            if not self._is_name(key, inner_place) or not isinstance(inner, Mapping):
                self._problem(inner_place, "Hier wird ein Schema erwartet.")
            elif inner.get("type") == "object" and inner.get("format") != "datei":
                self.groups.add(inner_path)
                strict["properties"][key] = self._object(inner, inner_path, inner_place, depth=depth + 1)
            else:
                found, checked = self._property(inner, inner_path, inner_place, is_required=key in required)
                self.properties[inner_path] = found
                strict["properties"][key] = checked
        return strict

    def _members(self, schema: Mapping[str, Any], place: str) -> tuple[Mapping[str, Any], list[str]]:
        properties, required = schema.get("properties"), schema.get("required", [])
        if not isinstance(properties, Mapping) or not properties:
            self._problem(place, "Das Objekt hat keine Eigenschaften („properties“).")
            properties = {}
        if not isinstance(required, list) or not all(isinstance(key, str) for key in required):
            self._problem(place, "„required“ ist keine Liste von Namen.")
            required = []
        for key in required:
            if key not in properties:
                self._problem(place, f"Die Pflichtangabe „{key}“ gibt es nicht.")
        return properties, list(required)

    def _property(
        self, schema: Mapping[str, Any], path: str, place: str, *, is_required: bool, in_table: bool = False
    ) -> tuple[Property, dict[str, Any]]:
        strict = {key: value for key, value in schema.items() if key not in ("title", "description")}
        parts: tuple[Property, ...] = ()
        self._keywords(schema, place)
        self._limits(schema, place)
        if schema.get("type") == "object":
            strict = _FILE_SCHEMA
        elif schema.get("type") == "array":
            strict, parts = self._array(schema, path, place, in_table=in_table)
        else:
            self._choices(schema, strict, place)
            if schema.get("type") == "string" and "enum" not in strict:
                strict.setdefault("maxLength", limits.LONGEST_TEXT)
        strict.pop("formatMinimum", None)
        strict.pop("formatMaximum", None)
        return Property(path, schema, is_required, parts), strict

    def _array(
        self, schema: Mapping[str, Any], path: str, place: str, *, in_table: bool
    ) -> tuple[dict[str, Any], tuple[Property, ...]]:
        items = schema.get("items")
        strict = dict(schema) | {"maxItems": schema.get("maxItems", limits.MOST_ROWS)}
        if in_table and not (isinstance(items, Mapping) and ("enum" in items or "oneOf" in items)):
            self._problem(place, "Eine Tabelle in einer Tabelle gibt es nicht.")
            return strict, ()
        if not isinstance(items, Mapping):
            self._problem(place, "Der Liste fehlt „items“.")
            return strict, ()
        if items.get("type") != "object" or items.get("format") == "datei":
            _, strict["items"] = self._property(
                items, path, f"{place}/items", is_required=True, in_table=True
            )
            return strict, ()
        self._keywords(items, f"{place}/items")
        properties, required = self._members(items, f"{place}/items")
        row: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
        row["required"] = required
        parts = []
        for key, column in properties.items():
            column_place = f"{place}/items/properties/{key}"
            if not self._is_name(key, column_place) or not isinstance(column, Mapping):
                self._problem(column_place, "Hier wird ein Schema erwartet.")
                continue
            if column.get("type") == "object":
                self._problem(column_place, "Eine Spalte kann kein Objekt und keine Datei sein.")
                continue
            found, checked = self._property(
                column, f"{path}.{key}", column_place, is_required=key in required, in_table=True
            )
            parts.append(found)
            row["properties"][key] = checked
        strict["items"] = row
        return strict, tuple(parts)

    def _choices(self, schema: Mapping[str, Any], strict: dict[str, Any], place: str) -> None:
        """``oneOf`` of constants is checked as ``enum``: one error instead of one for each choice."""
        if "oneOf" not in schema and "enum" not in schema:
            return
        offered = schema.get("oneOf", schema.get("enum"))
        if not isinstance(offered, list) or not 1 <= len(offered) <= limits.CHOICES:
            self._problem(place, f"Eine Auswahl hat 1 bis {limits.CHOICES} Antworten.")
            return
        values = offered
        if "oneOf" in schema:
            if not all(
                isinstance(one, Mapping) and set(one) <= {"const", "title", "description"} for one in offered
            ):
                self._problem(place, "„oneOf“ ist nur für Antworten mit „const“ und „title“ möglich.")
                return
            values = [one.get("const") for one in offered]
            strict.pop("oneOf")
            strict["enum"] = values
        wanted = str if schema.get("type") == "string" else int
        if not all(
            isinstance(value, wanted) and not isinstance(value, bool) and value != "" for value in values
        ):
            self._problem(
                place, "Die Antworten einer Auswahl sind Texte oder ganze Zahlen, passend zu „type“."
            )
        elif len(set(values)) != len(values):
            self._problem(place, "Eine Antwort steht zweimal in der Auswahl.")

    def _keywords(
        self, schema: Mapping[str, Any], place: str, *, extra: frozenset[str] = frozenset()
    ) -> None:
        kind = schema.get("type")
        if not isinstance(kind, str) or kind not in _KEYWORDS:
            self._problem(place, f"Der Typ „{kind}“ wird nicht unterstützt.")
            return
        for keyword in schema:
            if keyword not in _KEYWORDS[kind] | extra:
                self._problem(place, f"„{keyword}“ wird bei „{kind}“ nicht unterstützt.")
        for keyword in ("title", "description"):
            if keyword in schema and not isinstance(schema[keyword], str):
                self._problem(place, f"„{keyword}“ ist kein Text.")
        if kind == "object" and schema.get("additionalProperties") not in (None, False):
            self._problem(place, "„additionalProperties“ kann nur false sein.")
        if kind == "boolean" and schema.get("const", True) is not True:
            self._problem(place, "„const“ kann hier nur true sein.")
        allowed_formats = ["datei"] if kind == "object" else list(FORMATS)
        if "format" in schema and schema["format"] not in allowed_formats:
            self._problem(place, f"Das Format „{schema['format']}“ wird nicht unterstützt.")
        if "pattern" in schema and (reason := patterns.problem_with(schema["pattern"])):
            self._problem(place, reason)

    def _limits(self, schema: Mapping[str, Any], place: str) -> None:
        for keyword in _COUNTS:
            value = schema.get(keyword, 0)
            if not _is_int(value) or not 0 <= value <= _CAPS.get(keyword, limits.LONGEST_TEXT):
                most = _CAPS.get(keyword, limits.LONGEST_TEXT)
                self._problem(place, f"„{keyword}“ ist keine ganze Zahl von 0 bis {most}.")
        for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
            if keyword in schema and not (_is_int(schema[keyword]) or isinstance(schema[keyword], float)):
                self._problem(place, f"„{keyword}“ ist keine Zahl.")
        if not _is_positive(schema.get("multipleOf", 1)):
            self._problem(place, "„multipleOf“ ist nicht größer als null.")
        for keyword in ("formatMinimum", "formatMaximum"):
            if keyword in schema and bound(schema, keyword) is None:
                self._problem(place, f"„{keyword}“ passt nicht zum Format: „1234.50“ oder „2021-05-25“.")

    def _is_name(self, key: str, place: str) -> bool:
        if _NAME.fullmatch(key) and "__" not in key and key not in _RESERVED:
            return True
        self._problem(place, f"Der Name „{key}“ besteht nicht aus kleinen Buchstaben (a-z), Ziffern und „_“.")
        return False

    def _problem(self, place: str, reason: str) -> None:
        self.problems.append(f"Schema {place}: {reason}")


def bound(schema: Mapping[str, Any], keyword: str) -> Decimal | date | None:
    """The bound of money or a date that ``formatMinimum`` or ``formatMaximum`` names; None if it names
    none."""
    text = schema.get(keyword)
    if not isinstance(text, str):
        return None
    if schema.get("format") == "betrag" and is_amount(text):
        return Decimal(text)
    if schema.get("format") == "date" and is_iso_date(text):
        return date.fromisoformat(text)
    return None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_positive(value: object) -> bool:
    return not isinstance(value, int | float) or value > 0
