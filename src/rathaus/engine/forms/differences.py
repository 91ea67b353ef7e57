"""What two sets of answers to one form tell differently, field by field, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rathaus.engine.forms.form import Form
from rathaus.engine.forms.model import SummaryItem, SummarySection, SummaryTable
from rathaus.engine.forms.places import lookup


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that was changed. `before` and `now` are lines; of a table only the rows that differ, then its sum."""

    section: str
    label: str
    before: tuple[str, ...]
    now: tuple[str, ...]


def differences(
    form: Form,
    before: dict[str, Any],
    now: dict[str, Any],
    *,
    authority_name: Callable[[str], str] = str,
) -> tuple[Difference, ...]:
    """In the order of the form. What does not apply to one of the two has no lines there."""
    old = form.summary(before, authority_name=authority_name)
    new = form.summary(now, authority_name=authority_name)
    old_lines, new_lines = dict(_lines(old)), dict(_lines(new))
    found = []
    for path, section, label in _order(new, old):
        is_same = old_lines.get(path) == new_lines.get(path)
        if is_same and lookup(before, path) == lookup(now, path):  # two files may have the same name and size
            continue
        left, right = old_lines.get(path, ()), new_lines.get(path, ())
        found.append(Difference(section, label, _without(left, right), _without(right, left)))
    return tuple(found)


def _lines(sections: Sequence[SummarySection]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for section in sections:
        for item in section.items:
            yield item.path, _of_table(item) if isinstance(item, SummaryTable) else tuple(item.lines)


def _of_table(table: SummaryTable) -> tuple[str, ...]:
    rows = [" · ".join(cell for cell in row if cell) for row in table.rows]
    return (*rows, f"Summe {table.total}") if table.total else tuple(rows)


def _order(*both: Sequence[SummarySection]) -> Iterator[tuple[str, str, str]]:
    """(path, section, label) of all fields; those that only the second has come last."""
    seen: set[str] = set()
    for sections in both:
        for section in sections:
            for item in section.items:
                if item.path not in seen:
                    seen.add(item.path)
                    yield item.path, section.title, _label(item)


def _label(item: SummaryItem | SummaryTable) -> str:
    return f"{item.group}: {item.label}" if item.group else item.label


def _without(lines: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """The lines that the other side does not have, as often as it lacks them; all of them if only their order differs."""
    rest = Counter(others)
    found = []
    for line in lines:
        if rest[line]:
            rest[line] -= 1
        else:
            found.append(line)
    return tuple(found) if found or sorted(lines) != sorted(others) else tuple(lines)
