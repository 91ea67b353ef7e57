"""The parameters of a package as a form: what an authority may set, how it reads, and back as values of the manifest.

A package may bring `parameter.schema.json` and `parameter.ui.json`, in the vocabulary of its other forms; without them
each parameter is asked by its kind. Values are what TOML and JSON both have: texts (amounts as "100000.00", days as
"2021-12-31"), whole numbers, true and false, lists of those, and lists of tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rathaus.engine.forms import Answers, Field, Form, FormError, Kind, Table
from rathaus.engine.forms.formats import is_amount, is_iso_date
from rathaus.engine.forms.model import FieldError
from rathaus.engine.forms.values import as_words

SCHEMA, UI = "parameter.schema.json", "parameter.ui.json"
FIXED = "nicht_aenderbar"  # in the pages: names that nobody may change
LONGEST_TEXT = 2_000
_LONG_LINE = 90
_NO_ANSWER_KINDS = {Kind.FILE, Kind.FILES, Kind.NUMBER}
_ITEM = "wert"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A parameter that has another value, in words; one line for each entry of a list."""

    name: str
    label: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class ParameterForm:
    """What may be set, as a form (None: nothing), with the package's own values; `fixed` cannot be changed."""

    form: Form | None
    fixed: tuple[str, ...]
    defaults: Values

    def answers_of(self, values: Values) -> Answers:
        """The values as answers of the form."""
        answers: Answers = {}
        for name, item in self._items():
            value = values.get(name)
            if value in ("", [], None):
                continue
            if isinstance(item, Table) and _is_plain(item):
                value = [{item.columns[0].key: entry} for entry in value]
            answers[name] = value
        return answers

    def values_of(self, answers: Answers, before: Values) -> dict[str, Any]:
        """Checked answers as values; what the form does not ask, or not now, stays as before."""
        values = {**self.defaults, **before}
        if self.form is None:
            return values
        clean, applying = self.form.clean(answers), self.form.applicable(answers)
        for name, item in self._items():
            if name in applying:
                values[name] = _value(item, clean.get(name), values[name])
        return values

    def check(self, values: Values) -> tuple[FieldError, ...]:
        """What the form says against these values."""
        return self.form.check(self.answers_of(values)) if self.form else ()

    def problems(self, given: Values) -> Iterator[str]:
        """Why these values cannot be set, each a German sentence: unknown names, other kinds than the package's."""
        if unknown := sorted(given.keys() - self.defaults.keys()):
            yield f"Unbekannte Parameter: {', '.join(unknown)}."
        for name, value in given.items():
            if name in self.defaults and not _fits(value, self.defaults[name]):
                yield f"Parameter „{name}“: Erwartet wird ein Wert wie {self.defaults[name]!r}."

    def changes(self, before: Values, after: Values) -> tuple[Change, ...]:
        """Which parameters have another value, in the order of the form."""
        order = [name for name, _ in self._items()]
        rest = sorted((before.keys() | after.keys()) - set(order))
        return tuple(
            Change(
                name, self.label(name), self.words(name, before.get(name)), self.words(name, after.get(name))
            )
            for name in [*order, *rest]
            if not same(before.get(name), after.get(name))
        )

    def label(self, name: str) -> str:
        """What people call a parameter."""
        item = self.form.items.get(name) if self.form else None
        return item.label if item else label_of(name)

    def words(self, name: str, value: Any) -> tuple[str, ...]:
        """A value as people read it, one line for each entry of a list; none for an empty one."""
        item = self.form.items.get(name) if self.form else None
        if value is None or item is None:
            return _plain_words(value)
        if isinstance(item, Table) and isinstance(value, list):
            return tuple(_row_words(item, row) for row in value)
        return as_words(item, value, str) if isinstance(item, Field) else _plain_words(value)

    def _items(self) -> list[tuple[str, Field | Table]]:
        return list(self.form.items.items()) if self.form else []


def load(schema: Mapping[str, Any], pages: Mapping[str, Any], defaults: Values) -> ParameterForm:
    """The form that a package brings. Raises FormError with every problem, in German."""
    fixed = pages.get(FIXED, [])
    if not isinstance(fixed, list) or not all(isinstance(name, str) for name in fixed):
        raise FormError((f"„{FIXED}“ ist keine Liste von Namen.",))
    form = Form.load(schema, {key: value for key, value in pages.items() if key != FIXED})
    found = ParameterForm(form, tuple(fixed), defaults)
    if problems := tuple(_mismatches(form, fixed, defaults)) or tuple(_misfits(found, form)):
        raise FormError(problems)
    return found


def generic(defaults: Values) -> ParameterForm:
    """A form for a package without one: each parameter by the kind of its value; what no field fits cannot be changed."""
    properties = {name: shape for name, value in defaults.items() if (shape := _shape(name, value))}
    found = _generic(properties, defaults)
    wrong = {error.path.partition(".")[0] for error in found.check(defaults)}
    back = found.values_of(found.answers_of(defaults), {})
    if wrong := wrong | {name for name, value in defaults.items() if not same(back[name], value)}:
        found = _generic({name: shape for name, shape in properties.items() if name not in wrong}, defaults)
    return found


def shape_problems(defaults: Values) -> Iterator[str]:
    """What a manifest may not give as a parameter, each a German sentence."""
    for name, value in defaults.items():
        entries = value if isinstance(value, list) else [value]
        rows = [entry for entry in entries if isinstance(entry, dict)] if isinstance(value, list) else []
        if rows and len(rows) == len(entries):
            entries = [cell for row in rows for cell in row.values()]
            entries = [one for cell in entries for one in (cell if isinstance(cell, list) else [cell])]
        if not all(isinstance(entry, str | int) for entry in entries):
            yield (
                f"„parameter.{name}“ ist kein Text, keine ganze Zahl, kein Wahrheitswert und keine Liste davon oder von "
                "Tabellen. Einen Betrag schreiben Sie als Text: „60.00“."
            )


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the letter: true is not 1, and a list has its order."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def label_of(name: str) -> str:
    """A name of the manifest as a label: „Mittelabruf monate“ for `mittelabruf_monate`."""
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


# --- checking a package's form -----------------------------------------------------------------------------------


def _mismatches(form: Form, fixed: list[str], defaults: Values) -> Iterator[str]:
    """Names and kinds that do not fit the manifest."""
    for name, item in form.items.items():
        if name not in defaults:
            yield f"Den Parameter „{name}“ gibt es in leistung.toml nicht."
        elif isinstance(defaults[name], int) and item.optional:
            yield f"„{name}“ ist eine Zahl oder ein Wahrheitswert und steht deshalb unter „required“."
        kinds = {column.kind for column in item.columns} if isinstance(item, Table) else {item.kind}
        if kinds & _NO_ANSWER_KINDS:
            yield f"„{name}“: Dateien und Kommazahlen sind keine Parameter. Nehmen Sie „integer“ oder „betrag“."
    for name in fixed:
        if name not in defaults or name in form.items:
            yield f"„{FIXED}“: „{name}“ gibt es in leistung.toml nicht, oder es hat ein Feld."
    for name in defaults.keys() - form.items.keys() - set(fixed):
        yield f"Der Parameter „{name}“ steht weder auf einer Seite noch unter „{FIXED}“."


def _misfits(found: ParameterForm, form: Form) -> Iterator[str]:
    """Values of the manifest that the form would not accept, or would give back otherwise."""
    wrong = [f"leistung.toml, „{e.path}“: {e.message}" for e in found.check(found.defaults)]
    yield from wrong
    back = {} if wrong else found.values_of(found.answers_of(found.defaults), found.defaults)
    for name in form.items:
        if back and not same(back[name], found.defaults[name]):
            yield f"leistung.toml, „{name}“: Das Formular macht daraus {back[name]!r}."


# --- one value ---------------------------------------------------------------------------------------------------


def _is_plain(table: Table) -> bool:
    """Whether a table with one column, called `wert`, stands for a list of single values."""
    return [column.key for column in table.columns] == [_ITEM]


def _value(item: Field | Table, answer: Any, before: Any) -> Any:
    """A clean answer as the value of the manifest; None is nothing answered."""
    if isinstance(item, Table):
        rows = answer or []
        return [row[_ITEM] for row in rows] if _is_plain(item) else [_row(item, row) for row in rows]
    if item.kind in (Kind.CHOICES, Kind.AUTHORITIES):
        chosen = answer or []
        if isinstance(before, list) and sorted(map(str, chosen)) == sorted(map(str, before)):
            return before  # ticking has no order; what is the same choice stays the same list
        places = {choice.value: place for place, choice in enumerate(item.choices)}
        return sorted(chosen, key=lambda value: places.get(value, 0))
    if answer is None:
        return False if isinstance(before, bool) else ""
    return answer


def _row(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with all its columns; only a number that was not given is not there."""
    return {
        column.key: _value(column, row.get(column.key), row.get(column.key, _empty(column)))
        for column in table.columns
        if column.key in row or column.kind is not Kind.INTEGER
    }


def _empty(column: Field) -> Any:
    return False if column.kind in (Kind.CHECKBOX, Kind.YES_NO) else ""


def _fits(value: Any, default: Any) -> bool:
    """Whether a value is of the same kind as the package's; lists are of the kind of their first entry."""
    if type(value) is not type(default):
        return False
    if isinstance(value, list):
        return all(_fits(entry, default[0] if default else entry) for entry in value) and not any(
            shape_problems({"": value})
        )
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value)
    return True


def _row_words(table: Table, row: Any) -> str:
    if not isinstance(row, dict):
        return ", ".join(_plain_words(row))
    words = []
    for column in table.columns:
        said = ", ".join(as_words(column, row.get(column.key), str))
        if column.kind in (Kind.CHECKBOX, Kind.YES_NO):
            said = f"{column.label}: {said.lower()}"
        if said:
            words.append(said)
    return " · ".join(words)


def _plain_words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("Ja" if value else "Nein",)
    if isinstance(value, list):
        return tuple(line for entry in value for line in _plain_words(entry))
    if isinstance(value, dict):
        return (" · ".join(f"{label_of(key)}: {', '.join(_plain_words(one))}" for key, one in value.items()),)
    return (str(value),) if value != "" else ()


# --- a form by kinds ---------------------------------------------------------------------------------------------


def _generic(properties: Mapping[str, Mapping[str, Any]], defaults: Values) -> ParameterForm:
    fixed = tuple(name for name in defaults if name not in properties)
    if not properties:
        return ParameterForm(None, fixed, defaults)
    schema = {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if defaults[name] not in ("", [])],
    }
    controls = [_control(name, defaults[name]) for name in properties]
    pages = {
        "type": "Categorization",
        "elements": [{"type": "Category", "label": "Werte", "elements": controls}],
    }
    try:
        return ParameterForm(Form.load(schema, pages), fixed, defaults)
    except FormError:  # a name that no form may have; one by one it shows which
        good = {name: shape for name, shape in properties.items() if _loads(name, shape, defaults[name])}
        if len(good) == len(properties):
            raise
        return _generic(good, defaults)


def _loads(name: str, shape: Mapping[str, Any], default: Any) -> bool:
    page = {"type": "Category", "label": "Werte", "elements": [_control(name, default)]}
    try:
        Form.load(
            {"type": "object", "properties": {name: shape}}, {"type": "Categorization", "elements": [page]}
        )
    except FormError:
        return False
    return True


def _control(name: str, default: Any) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if isinstance(default, bool):
        options["format"] = "radio"
    elif isinstance(default, str) and (len(default) > _LONG_LINE or "\n" in default):
        options["multi"] = True
    elif isinstance(default, list):
        options["zeile"] = "Eintrag"
    return {
        "type": "Control",
        "scope": f"#/properties/{name}",
        "label": label_of(name),
        "options": options,
    }


def _shape(name: str, value: Any) -> dict[str, Any] | None:
    """The schema of a value by its kind; None where there is no field for it."""
    if not isinstance(value, list):
        return _scalar(value)
    if not value or not isinstance(value[0], dict):
        inner = _scalar(value[0]) if value else {"type": "string", "maxLength": LONGEST_TEXT}
        columns: dict[str, Any] = {_ITEM: {**inner, "title": label_of(name)}} if inner else {}
    else:
        columns = {
            key: {**inner, "title": label_of(key)}
            for key, cell in value[0].items()
            if (inner := _scalar(cell))
        }
        if not all(isinstance(row, dict) and row.keys() == columns.keys() for row in value):
            return None
    if not columns:
        return None
    return {
        "type": "array",
        "items": {"type": "object", "properties": columns, "required": list(columns)},
        "maxItems": 100,
    }


def _scalar(value: Any) -> dict[str, Any] | None:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer"}
    if not isinstance(value, str):
        return None
    if is_amount(value) and not value.startswith("-"):
        return {"type": "string", "format": "betrag"}
    if is_iso_date(value):
        return {"type": "string", "format": "date"}
    return {"type": "string", "maxLength": LONGEST_TEXT}
