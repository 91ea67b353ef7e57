"""The whole check of answers: the compiled schema, bounds, files, typed texts, rules between fields."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import jsonschema_rs

from rathaus.engine.expressions import EvaluationError, Expression
from rathaus.engine.forms import limits, patterns, values, wording
from rathaus.engine.forms.formats import FORMATS
from rathaus.engine.forms.model import Answers, Field, FieldError, Kind, Table
from rathaus.engine.forms.places import MISSING, copy_of, is_empty_row, lookup, store


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A rule between fields: ``message`` stands at ``path`` unless ``expression`` holds."""

    expression: Expression
    path: str
    message: str


class Checker:
    """Checks answers against one form; compiled once, used for every request."""

    def __init__(
        self,
        strict_schema: dict[str, Any],
        items: Mapping[str, Field | Table],
        groups: frozenset[str],
        cross_checks: tuple[CrossCheck, ...],
    ) -> None:
        self.items = items
        self.groups = groups
        self.cross_checks = [
            (rule, [path for path in items if any(_overlap(path, read) for read in rule.expression.paths)])
            for rule in cross_checks
        ]
        self.roots = tuple(dict.fromkeys(path.partition(".")[0] for path in items))
        self.order = {path: at for at, path in enumerate(items)}
        self.columns = {
            column.path: (at, column)
            for item in items.values()
            if isinstance(item, Table)
            for at, column in enumerate(item.columns)
        }
        self.validator = jsonschema_rs.Draft202012Validator(
            strict_schema,
            formats=FORMATS,
            validate_formats=True,
            pattern_options=patterns.LINEAR,
            offline=True,
        )

    def check(
        self, answers: Answers, applying: frozenset[str], raw: Mapping[str, str]
    ) -> tuple[FieldError, ...]:
        """Every error of answers that are not ``unfit``, one for each place, in the order of the pages."""
        errors: dict[str, FieldError] = {}
        for name in raw:
            place = base_name(name)
            if isinstance(field := self.find(place), Field):
                self._add(errors, applying, place, _sentence_for_typed(field, place, raw))
        prepared, places = self.prepare(answers, applying, raw)
        for error in self.validator.iter_errors(prepared):
            self._add_schema_error(errors, applying, places, prepared, error)
        for path in applying:
            self._add_limits(errors, applying, self.items[path], lookup(answers, path))
        if self.cross_checks:
            typed = self.typed(prepared)
            for rule, asked in self.cross_checks:
                self._add_cross_check(errors, applying, rule, asked, typed)
        return tuple(sorted(errors.values(), key=self._position))

    def prepare(
        self, answers: Answers, applying: frozenset[str], raw: Mapping[str, str]
    ) -> tuple[Answers, dict[str, list[int]]]:
        """The answers as the schema sees them: what applies, no empty rows, every group that is asked for.

        A row in which something unreadable was typed (``raw``) is not empty. What the form does not know
        stays in, to be refused. The second value maps lists that lost rows to the numbers of the rows kept.
        """
        prepared = copy_of(answers)
        places: dict[str, list[int]] = {}
        for path, item in self.items.items():
            value = lookup(prepared, path)
            if path not in applying or value is MISSING or value in ("", []):
                store(prepared, path, MISSING)
            elif isinstance(value, list) and (isinstance(item, Table) or item.kind is Kind.AUTHORITIES):
                typed = {place_of_row(name, path) for name in raw} if isinstance(item, Table) else set()
                kept = [at for at, row in enumerate(value) if at in typed or not is_empty_row(row)]
                if len(kept) < len(value):
                    places[path] = kept
                store(prepared, path, [_without_gaps(value[at]) for at in kept] or MISSING)
        for group in sorted(self.groups):
            wanted = any(path.startswith(f"{group}.") for path in applying)
            inner = lookup(prepared, group)
            if wanted and inner is MISSING:
                store(prepared, group, {})
            elif not wanted and inner in (MISSING, {}):
                store(prepared, group, MISSING)
        return prepared, places

    def typed(self, prepared: Answers) -> dict[str, Any]:
        """Prepared answers to calculate with; every name of the form is there."""
        typed: dict[str, Any] = dict.fromkeys(self.roots)
        for path, item in self.items.items():
            value = lookup(prepared, path)
            if isinstance(item, Table):
                rows = value if isinstance(value, list) else []
                store(typed, path, [_typed_row(item, row) for row in rows if isinstance(row, dict)])
            else:
                store(typed, path, None if value is MISSING else values.as_typed(item, value))
        return typed

    def find(self, place: str) -> Field | Table | None:
        """The field, table or column at a place with row numbers (``kosten.3.betrag``)."""
        path = ".".join(part for part in place.split(".") if not part.isdecimal())
        return self.items.get(path) or (self.columns[path][1] if path in self.columns else None)

    def label(self, place: str) -> str:
        """What a list of errors calls a place: „Position 4: Betrag“."""
        item = self.find(place)
        table = self.items.get(place.split(".")[0]) or self._table_of(place)
        number = next((int(part) for part in place.split(".") if part.isdecimal()), None)
        if item is None:
            return place
        if isinstance(table, Table) and number is not None:
            return f"{table.noun} {number + 1}{f': {item.label}' if item is not table else ''}"
        return item.label

    def _table_of(self, place: str) -> Field | Table | None:
        parts = place.split(".")
        at = next((at for at, part in enumerate(parts) if part.isdecimal()), len(parts))
        return self.items.get(".".join(parts[:at]))

    def _add(self, errors: dict[str, FieldError], applying: frozenset[str], place: str, message: str) -> None:
        item = self.find(place)
        if item is None or place in errors:
            return
        owner = self._table_of(place) or item
        if owner.path not in applying:
            return
        if isinstance(item, Field) and item.kind in (Kind.CHOICES, Kind.FILE, Kind.FILES):
            place = place if owner is not item else item.path
        name = place
        if isinstance(item, Field) and item.kind is Kind.DATE:
            name = f"{place}.{values.DATE_PARTS[0]}"
        elif isinstance(item, Field) and item.kind is Kind.AUTHORITIES and place == item.path:
            if any(other.startswith(f"{place}.") for other in errors):
                return  # An entry that could not be read is no missing entry.
            name = f"{place}.0"
        errors[place] = FieldError(place, message, name, self.label(place))

    def _add_schema_error(
        self,
        errors: dict[str, FieldError],
        applying: frozenset[str],
        places: Mapping[str, list[int]],
        prepared: Answers,
        error: Any,
    ) -> None:
        parts = [str(part) for part in error.instance_path]
        value: Any = prepared
        for part in error.instance_path:
            value = value[part]
        for at, part in enumerate(parts):
            original = places.get(".".join(parts[:at]))
            if part.isdecimal() and original is not None:
                parts[at] = str(original[int(part)])
        keyword, limit = error.kind.name, error.kind.value
        if keyword == "additionalProperties":
            for name in map(str, error.kind.unexpected):
                unknown = ".".join([*parts, name])
                errors[unknown] = FieldError(unknown, wording.unknown(name), unknown, values.short(name))
            return
        if keyword == "required":
            parts.append(error.kind.property)
        place = ".".join(parts)
        item = self.find(place)
        while item is None and parts:
            # Inside a file, say: what people see is the nearest known place above.
            parts.pop()
            keyword = ""
            item = self.find(".".join(parts))
        if item is None:
            message = f"Bei „{values.short(place)}“ wird eine Gruppe von Angaben erwartet."
            errors.setdefault(place, FieldError(place, message, place, values.short(place)))
            return
        message = (
            wording.missing(item) if keyword == "required" else wording.wrong(item, keyword, limit, value)
        )
        self._add(errors, applying, ".".join(parts), message)

    def _add_limits(
        self, errors: dict[str, FieldError], applying: frozenset[str], item: Field | Table, value: Any
    ) -> None:
        if isinstance(item, Table):
            if not isinstance(value, list):
                return
            if len(value) > item.max_rows:
                self._add(errors, applying, item.path, wording.too_many(item, len(value)))
            for at, row in enumerate(value):
                for column in item.columns if isinstance(row, dict) else ():
                    if message := _limit_problem(column, row.get(column.key)):
                        self._add(errors, applying, f"{item.path}.{at}.{column.key}", message)
        elif message := _limit_problem(item, value):
            self._add(errors, applying, item.path, message)

    def _add_cross_check(
        self,
        errors: dict[str, FieldError],
        applying: frozenset[str],
        rule: CrossCheck,
        asked: list[str],
        typed: Mapping[str, Any],
    ) -> None:
        """A rule is asked when all that it reads is right; what it cannot compare for want of an answer, it
        lets be."""
        if any(_overlap(place, path) for place in errors for path in asked):
            return
        if not any(path in applying for path in asked):
            return
        try:
            if rule.expression.holds(typed):
                return
        except EvaluationError:
            if any(lookup(typed, path) is MISSING for path in asked):
                return
        self._add(errors, applying, rule.path, rule.message)

    def _position(self, error: FieldError) -> tuple[int, int, int, str]:
        parts = error.path.split(".")
        row = next((int(part) for part in parts if part.isdecimal()), -1)
        plain = ".".join(part for part in parts if not part.isdecimal())
        column, _ = self.columns.get(plain, (-1, None))
        owner = plain.rpartition(".")[0] if column >= 0 else plain
        return self.order.get(owner, len(self.order)), row, column, error.path


def place_of_row(name: str, path: str) -> int | None:
    """The row that an HTML name of the table at ``path`` belongs to (``kosten.3.betrag`` → 3), if it does."""
    number = name.removeprefix(f"{path}.").partition(".")[0] if name.startswith(f"{path}.") else ""
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else None


def base_name(name: str) -> str:
    """The HTML name without the part of a date: ``beginn.tag`` → ``beginn``."""
    head, _, last = name.rpartition(".")
    return head if head and last in values.DATE_PARTS else name


def _sentence_for_typed(field: Field, place: str, raw: Mapping[str, str]) -> str:
    """What is wrong with a typed text that could not become an answer."""
    typed = values.tidy(raw.get(place, ""))
    try:
        if field.kind is Kind.DATE and place not in raw:
            values.parse_day({part: raw.get(f"{place}.{part}", "").strip() for part in values.DATE_PARTS})
        else:
            values.parse(field, typed)
    except values.WrongText as error:
        return error.message
    # It reads well, so it was the register that does not know it.
    return f"Wir finden „{values.short(typed)}“ nicht im Verzeichnis. Schreiben Sie zum Beispiel Lahnau."


def unfit(answers: Any) -> str | None:
    """Why answers cannot be looked at or stored at all, in German; None if they can."""
    if not isinstance(answers, dict):
        return "Der Antrag ist kein Objekt mit Angaben."
    if not _is_shallow(answers, limits.ANSWER_DEPTH):
        return "Die Angaben sind zu tief verschachtelt."
    try:
        size = len(json.dumps(answers, allow_nan=False))
    except (ValueError, TypeError, RecursionError):
        return "Die Angaben enthalten etwas, das kein JSON ist."
    if size > limits.ANSWER_BYTES:
        return "Der Antrag ist zu umfangreich. Laden Sie lange Texte als Datei hoch."
    if not _is_storable(answers):
        return "Eine Angabe enthält Zeichen, die sich nicht speichern lassen."
    return None


def _is_shallow(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_is_shallow(inner, depth - 1) for inner in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_shallow(inner, depth - 1) for inner in value)
    return True


def _is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return values.is_tidy(value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and values.is_tidy(k) and _is_storable(v) for k, v in value.items())
    return all(map(_is_storable, value)) if isinstance(value, list) else True


def _limit_problem(field: Field, value: Any) -> str | None:
    if isinstance(value, str) and field.max_length is not None and len(value) > field.max_length:
        return wording.too_long(field, len(value))
    if isinstance(value, list) and field.kind is not Kind.CHOICES and len(value) > field.max_items:
        return wording.too_many(field, len(value))
    if field.kind in (Kind.INTEGER, Kind.NUMBER) and isinstance(value, int | float):
        return wording.too_many_digits(field) if abs(value) >= 10**limits.NUMBER_DIGITS else None
    if field.kind in (Kind.MONEY, Kind.DATE):
        return _bound_problem(field, values.as_typed(field, value))
    if field.kind in (Kind.FILE, Kind.FILES):
        return _file_problem(field, value)
    return None


def _bound_problem(field: Field, typed: Decimal | date | None) -> str | None:
    if typed is None:
        return None
    if isinstance(typed, Decimal):
        low = isinstance(field.minimum, Decimal) and typed < field.minimum
        high = isinstance(field.maximum, Decimal) and typed > field.maximum
    else:
        low = isinstance(field.minimum, date) and typed < field.minimum
        high = isinstance(field.maximum, date) and typed > field.maximum
    return wording.out_of_bounds(field, is_low=low) if low or high else None


def _file_problem(field: Field, value: Any) -> str | None:
    for file in values.files_of(value):
        if file.media_type not in field.accept:
            return wording.wrong_file(field, file.name)
        if file.size > field.max_bytes:
            return wording.big_file(field, file.name, file.size)
    return None


def _typed_row(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {column.key: values.as_typed(column, row.get(column.key)) for column in table.columns}


def _without_gaps(row: Any) -> Any:
    return (
        {k: v for k, v in row.items() if v is not None and v not in ("", [])}
        if isinstance(row, dict)
        else row
    )


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
