"""A form: one definition for the page, the API and the check. See README.md in this folder."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jsonschema_rs import ValidationError

from rathaus.engine.csv_files import FileNotImported, LineProblem
from rathaus.engine.expressions import Expression, ExpressionError, compile_expression
from rathaus.engine.forms import importing, limits, placeholders, prefilling, rules, summary
from rathaus.engine.forms.checking import Checker, CrossCheck, place_of_row, unfit
from rathaus.engine.forms.drawing import PageDrawer
from rathaus.engine.forms.layout import LayoutReader
from rathaus.engine.forms.model import (
    Answers,
    Field,
    FieldError,
    FormError,
    Kind,
    Page,
    Reading,
    Sum,
    SummarySection,
    Table,
)
from rathaus.engine.forms.places import MISSING, copy_of, lookup, store
from rathaus.engine.forms.reading import Data, Files, FindAuthority, PageReader, fields_of, without_row
from rathaus.engine.forms.schema import SchemaReader
from rathaus.engine.forms.views import ElementView

_NOTHING_TYPED: Mapping[str, str] = {}


class Form:
    """A checked form, compiled once and shared by all requests; it keeps no state between calls.

    ``items`` are its fields and tables by path, in the order of the pages; ``placeholders`` and ``prefills`` the dotted
    names of what its texts tell and what its fields begin with.
    """

    def __init__(self, pages: tuple[Page, ...], items: Mapping[str, Field | Table], checker: Checker) -> None:
        self.pages = pages
        self.items = items
        self._checker = checker
        self._ordered = rules.in_order(items) or ()
        self.placeholders = placeholders.names_in(pages)
        self.confirming = tuple(
            item for item in items.values() if isinstance(item, Field) and item.asks_to_confirm
        )
        self.prefills = frozenset(item.prefill for item in items.values() if item.prefill)

    @classmethod
    def load(cls, schema: Mapping[str, Any], ui: Mapping[str, Any]) -> "Form":
        """Build a form from its two files. Raises FormError with every problem, in German, with its place."""
        _refuse(_size_problems(schema, ui))
        properties = SchemaReader(schema)
        _refuse(properties.problems)
        layout = LayoutReader(ui, properties)
        problems = list(layout.problems)
        if rules.in_order(layout.items) is None:
            problems.append("Die Regeln fragen einander im Kreis.")
        declared = ui.get("pruefungen", []) if isinstance(ui, Mapping) else []
        cross_checks = _cross_checks(declared, layout.items, problems)
        _refuse(problems)
        try:
            checker = Checker(properties.strict, layout.items, frozenset(properties.groups), cross_checks)
        except ValidationError as error:
            place = "/".join(["#", *map(str, error.instance_path)])
            raise FormError((f"Schema {place}: Das ist nach JSON Schema 2020-12 nicht gültig.",)) from error
        return cls(layout.pages, layout.items, checker)

    def page(self, key: str) -> Page:
        """The page with that key. KeyError if there is none."""
        for page in self.pages:
            if page.key == key:
                return page
        raise KeyError(key)

    def find(self, place: str) -> Field | Table | None:
        """The field or table at a place of the answers (``kosten.0.betrag``), or None."""
        return self._checker.find(place)

    def pages_for(self, answers: Answers) -> tuple[Page, ...]:
        """The pages on which at least one field applies."""
        applying = self.applicable(answers)
        return tuple(
            page for page in self.pages if any(item.path in applying for item in fields_of(page.elements))
        )

    def applicable(self, answers: Answers) -> frozenset[str]:
        """The paths of the fields and tables that apply to these answers; a table's columns apply with it.

        The one place that decides this. A rule that asks a field which does not apply itself finds no answer.
        """
        applying: set[str] = set()
        for item in self._ordered:
            if rules.holds(item.rules, answers, applying):
                applying.add(item.path)
        return frozenset(applying)

    def read(
        self,
        page: Page,
        data: Data,
        files: Files,
        answers: Answers,
        *,
        find_authority: FindAuthority | None = None,
    ) -> Reading:
        """Read a posted page on top of the answers so far, which stay unchanged.

        Texts that cannot be answers stay in ``raw``; the buttons ``add`` and ``remove`` are obeyed. The
        errors are those of this page. ``find_authority`` looks up names and keys in the register; without
        it only the shape of a key is checked.
        """
        changed: Answers = copy_of(answers)
        before = self.applicable(answers)
        add, remove = _last(data, "add"), _last(data, "remove")
        reader = PageReader(changed, data, files, find_authority, keep_empty_rows=bool(add or remove))
        items = fields_of(page.elements)
        posted = set()
        for item in items:
            if item.path in before or reader.is_posted(item):
                posted.add(item.path)
                reader.read(item)
        after = self.applicable(changed)
        revealed = frozenset(item.path for item in items if item.path in after and item.path not in posted)
        reading = Reading(changed, (), reader.raw, revealed)
        if add:
            return self.with_row_added(reading, add)
        if remove:
            path, number = self._row(remove)
            return self.with_row_removed(reading, path, number)
        on_page = {item.path for item in items} - revealed
        errors = tuple(
            error for error in self.check(changed, raw=reader.raw) if self._owner(error.path) in on_page
        )
        return replace(reading, errors=errors)

    def with_row_added(self, reading: Reading, path: str) -> Reading:
        """The reading with an empty row (or list entry) at the end, up to the limit; unknown paths change
        nothing."""
        item = self.items.get(path)
        if isinstance(item, Table):
            empty: Any = {}
            least, most = max(item.min_rows, 1), item.max_rows
        elif item is not None and item.kind is Kind.AUTHORITIES:
            empty, least, most = "", 1, item.max_items
        else:
            return replace(reading, errors=(), rows_changed=True)
        answers: Answers = copy_of(reading.answers)
        value = lookup(answers, path)
        rows = list(value) if isinstance(value, list) else []
        # The page shows at least so many rows even if there are none yet.
        rows += [empty] * max(0, least - len(rows))
        if len(rows) < most:
            rows.append(empty)
        store(answers, path, rows)
        return replace(reading, answers=answers, errors=(), rows_changed=True)

    def with_row_removed(self, reading: Reading, path: str, number: int) -> Reading:
        """The reading without a row, list entry or file (``number`` from 0); unknown ones change nothing."""
        answers: Answers = copy_of(reading.answers)
        item, value = self.items.get(path), lookup(answers, path)
        raw = dict(reading.raw)
        if isinstance(item, Field) and item.kind is Kind.FILE:
            store(answers, path, MISSING)
        elif item is not None and isinstance(value, list) and 0 <= number < len(value):
            rest = value[:number] + value[number + 1 :]
            store(answers, path, rest or MISSING)
            raw = without_row(raw, path, number)
        return replace(reading, answers=answers, raw=raw, errors=(), rows_changed=True)

    def with_rows_imported(
        self,
        reading: Reading,
        path: str,
        content: bytes,
        *,
        replaces: bool = False,
        find_authority: FindAuthority | None = None,
    ) -> Reading:
        """The reading with the rows of a CSV file after those of the table, or in their place.

        A file with anything wrong is refused whole: then nothing changes, and the only error is that of the place
        ``path._datei``, with one line for each problem. Tables that no file may be read into change nothing.
        """
        table = self.items.get(path)
        if not isinstance(table, Table) or not table.may_import:
            return replace(reading, errors=(), rows_changed=True)
        value = lookup(reading.answers, path)
        before = list(value) if isinstance(value, list) and not replaces else []
        answers: Answers = copy_of(reading.answers)
        free = max(0, table.max_rows - len(before))
        try:
            rows, problems = importing.rows_of(table, content, most=free, find_authority=find_authority)
            problems += self._problems_of_imported(answers, table, rows)
            store(answers, path, [*before, *(row.answers for row in rows)])
            if not problems and (problem := unfit(answers)):
                problems = [LineProblem(rows[-1].line, problem)]
            if problems:
                raise FileNotImported(sorted(problems, key=lambda problem: problem.line))
        except FileNotImported as refused:
            place = f"{path}.{importing.FILE_PLACE}"
            error = FieldError(place, importing.told(refused), place, table.label)
            return replace(reading, errors=(error,), rows_changed=True)
        raw = {
            name: text
            for name, text in reading.raw.items()
            if not replaces or not name.startswith(f"{path}.")
        }
        return replace(reading, answers=answers, raw=raw, errors=(), rows_changed=True)

    def _problems_of_imported(
        self, answers: Answers, table: Table, rows: Sequence[importing.ImportedRow]
    ) -> list[LineProblem]:
        """Where a row that was read is not what the form demands of it."""
        alone: Answers = copy_of(answers)
        store(alone, table.path, [row.answers for row in rows])
        problems = []
        for error in self._checker.check(alone, self.applicable(alone) | {table.path}, _NOTHING_TYPED):
            number, column = place_of_row(error.path, table.path), self.find(error.path)
            if number is not None and column is not None and column.key not in rows[number].unread:
                problems.append(LineProblem(rows[number].line, importing.named(column, error.message)))
        return problems

    def check(self, answers: Answers, *, raw: Mapping[str, str] = _NOTHING_TYPED) -> tuple[FieldError, ...]:
        """All errors in the order of the pages; none means that the answers may be submitted.

        ``raw`` are a draft's texts that could not become answers: each is an error. ``answers`` may be any
        JSON value, as an API receives it.
        """
        if problem := unfit(answers):
            return (FieldError("", problem, "", "Antrag"),)
        return self._checker.check(answers, self.applicable(answers), raw)

    def clean(self, answers: Answers) -> Answers:
        """What is submitted: the answers that apply, without empty rows and without what the form does not
        ask."""
        prepared, _ = self._checker.prepare(answers, self.applicable(answers), _NOTHING_TYPED)
        cleaned: Answers = {}
        for path in self.items:
            value = lookup(prepared, path)
            if value is not MISSING:
                store(cleaned, path, value)
        return cleaned

    def typed(self, answers: Answers) -> dict[str, Any]:
        """The clean answers to calculate with: money and numbers as Decimal, dates as date.

        Every name of the form is there; what was not answered or does not apply is None (a table: no rows).
        """
        prepared, _ = self._checker.prepare(answers, self.applicable(answers), _NOTHING_TYPED)
        return self._checker.typed(prepared)

    def sums(self, answers: Answers) -> dict[str, Sum]:
        """For each table with a sum that applies: the sum so far, by the table's path."""
        applying = self.applicable(answers)
        return {
            path: summary.table_sum(item, lookup(answers, path))
            for path, item in self.items.items()
            if isinstance(item, Table) and item.sum_column and path in applying
        }

    def summary(
        self, answers: Answers, *, authority_name: Callable[[str], str] = str
    ) -> tuple[SummarySection, ...]:
        """The answers that apply, in words, page by page. ``authority_name`` turns an AGS into a name."""
        return summary.sections(self.pages, answers, self.applicable(answers), authority_name)

    def view(
        self,
        page: Page,
        answers: Answers,
        reading: Reading | None = None,
        *,
        authority_name: Callable[[str], str] = str,
        takes_rows: bool = False,
    ) -> tuple[ElementView, ...]:
        """The page's elements that apply, ready to be drawn; with a reading, its texts and errors instead.

        ``takes_rows``: whoever draws it also takes files of rows, where a table allows that.
        """
        shown = reading.answers if reading else answers
        drawer = PageDrawer(
            shown,
            self.applicable(shown),
            self.sums(shown),
            reading.raw if reading else {},
            reading.errors if reading else (),
            authority_name,
            takes_rows=takes_rows,
        )
        return drawer.draw(page.elements)

    def prefill(self, profile: Mapping[str, Any]) -> Answers:
        """Answers for the fields and tables with ``options.vorbelegung``, from a nested profile (``konto.name``).

        Texts are read as if they had been typed; what does not fit its field is left out. A table takes a list of
        groups, one row each in their order, and of each what is named like a column.
        """
        answers: Answers = {}
        for path, item in self.items.items():
            known = lookup(profile, item.prefill) if item.prefill else MISSING
            if isinstance(item, Table):
                if rows := prefilling.rows(item, known):
                    store(answers, path, rows)
            elif known is not MISSING:
                store(answers, path, prefilling.answer(item, known))
        applying = frozenset(self.items)
        for error in self._checker.check(answers, applying, _NOTHING_TYPED):
            self._forget(answers, error.path)
        return answers

    def filled_in(self, known: Mapping[str, Any]) -> "Form":
        """The same form with its texts telling what is known, from nested groups (``zuwendung.offen``)."""
        if not self.placeholders:
            return self
        pages = tuple(placeholders.filled_in(page, known) for page in self.pages)
        return Form(pages, self.items, self._checker)

    def _forget(self, answers: Answers, place: str) -> None:
        """Take away the answer at a place with row numbers; a row's other cells stay."""
        path = self._owner(place)
        if path not in self.items:
            return
        row = place.removeprefix(path).strip(".").split(".")
        table = lookup(answers, path)
        if isinstance(self.items[path], Table) and len(row) == 2 and isinstance(table, list):
            if int(row[0]) < len(table):
                table[int(row[0])].pop(row[1], None)
        elif not isinstance(self.items[path], Table):
            store(answers, path, MISSING)

    def _owner(self, place: str) -> str:
        """The path of the field or table that a place with row numbers belongs to."""
        parts = place.split(".")
        at = next((at for at, part in enumerate(parts) if part.isdecimal()), len(parts))
        return ".".join(parts[:at])

    def _row(self, place: str) -> tuple[str, int]:
        path, _, number = place.rpartition(".")
        if number.isascii() and number.isdecimal() and len(number) < 6:
            return path, int(number)
        return place, 0


def _last(data: Data, name: str) -> str:
    return data[name][-1] if data.get(name) else ""


def _refuse(problems: list[str]) -> None:
    if problems:
        raise FormError(tuple(problems))


def _size_problems(schema: Any, ui: Any) -> list[str]:
    try:
        size = len(json.dumps([schema, ui], allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return ["Schema oder Seiten sind kein JSON, oder sie sind zu tief verschachtelt."]
    if size > limits.DEFINITION_BYTES:
        return [f"Schema und Seiten sind zusammen größer als {limits.DEFINITION_BYTES} Bytes."]
    return []


def _cross_checks(
    declared: Any, items: Mapping[str, Field | Table], problems: list[str]
) -> tuple[CrossCheck, ...]:
    if not isinstance(declared, list) or len(declared) > limits.CHECKS:
        problems.append(f"„pruefungen“ ist keine Liste mit höchstens {limits.CHECKS} Prüfungen.")
        return ()
    found = []
    for number, rule in enumerate(declared, start=1):
        place = f"Prüfung {number}"
        if not isinstance(rule, Mapping) or rule.keys() != {"wenn-nicht", "feld", "meldung"}:
            problems.append(f"{place}: Eine Prüfung hat „wenn-nicht“, „feld“ und „meldung“.")
            continue
        condition, field, message = (str(rule[key]) for key in ("wenn-nicht", "feld", "meldung"))
        path = field.removeprefix("#/properties/").replace("/properties/", ".")
        if path not in items:
            problems.append(f"{place}: Das Feld „{field}“ gibt es nicht.")
        try:
            expression = compile_expression(condition)
        except ExpressionError as error:
            problems.append(f"{place}: {error}")
            continue
        problems += [f"{place}: {reason}" for reason in _unknown_names(expression, items)]
        found.append(CrossCheck(expression, path, message))
    return tuple(found)


def _unknown_names(expression: Expression, items: Mapping[str, Field | Table]) -> list[str]:
    def is_known(read: str) -> bool:
        return any(
            read == path or path.startswith(f"{read}.") or read.startswith(f"{path}.") for path in items
        )

    return [f"„{read}“ gibt es im Formular nicht." for read in sorted(expression.paths) if not is_known(read)]
