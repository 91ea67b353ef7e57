"""Answers in words: for the review page, the receipt, the desk and the letters."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from rathaus.engine.forms import values
from rathaus.engine.forms.model import (
    Element,
    Field,
    Group,
    Kind,
    Page,
    Sum,
    SummaryItem,
    SummarySection,
    SummaryTable,
    Table,
    Text,
)
from rathaus.engine.forms.places import is_empty_row, lookup
from rathaus.law.money import format_amount

_NUMERIC = (Kind.MONEY, Kind.NUMBER, Kind.INTEGER)


def sections(
    pages: Iterable[Page],
    answers: Mapping[str, Any],
    applying: frozenset[str],
    authority_name: Callable[[str], str],
) -> tuple[SummarySection, ...]:
    """One section a page, with the answers that apply; a page without any is left out."""
    found = []
    for page in pages:
        items = tuple(_items(page.elements, "", answers, applying, authority_name))
        if items:
            found.append(SummarySection(page.key, page.title, items))
    return tuple(found)


def table_sum(table: Table, rows: Any) -> Sum:
    """The sum of a table's money column; rows without a valid amount are counted as left out."""
    column = next(column for column in table.columns if column.key == table.sum_column)
    total = Decimal("0.00")
    left_out = []
    for number, row in enumerate(rows if isinstance(rows, list) else [], start=1):
        amount = values.as_typed(column, row.get(column.key)) if isinstance(row, dict) else None
        if amount is not None:
            total += amount
        elif not is_empty_row(row):
            left_out.append(number)
    return Sum(total, tuple(left_out))


def _items(
    elements: Iterable[Element],
    group: str,
    answers: Mapping[str, Any],
    applying: frozenset[str],
    authority_name: Callable[[str], str],
) -> Iterable[SummaryItem | SummaryTable]:
    for element in elements:
        if isinstance(element, Group):
            yield from _items(element.elements, element.label or group, answers, applying, authority_name)
        elif isinstance(element, Text) or element.path not in applying:
            continue
        elif isinstance(element, Table):
            yield _table(element, group, lookup(answers, element.path), authority_name)
        else:
            value = lookup(answers, element.path)
            yield SummaryItem(element.path, element.label, _lines(element, value, authority_name), group)


def _table(table: Table, group: str, rows: Any, authority_name: Callable[[str], str]) -> SummaryTable:
    filled = (
        [row for row in rows if isinstance(row, dict) and not is_empty_row(row)]
        if isinstance(rows, list)
        else []
    )
    return SummaryTable(
        table.path,
        table.label,
        columns=tuple(column.label for column in table.columns),
        numeric=tuple(column.kind in _NUMERIC for column in table.columns),
        rows=tuple(
            tuple(", ".join(_lines(column, row.get(column.key), authority_name)) for column in table.columns)
            for row in filled
        ),
        total=format_amount(table_sum(table, filled).total) if table.sum_column else "",
        group=group,
    )


def _lines(field: Field, value: Any, authority_name: Callable[[str], str]) -> tuple[str, ...]:
    return values.as_words(field, value, authority_name)
