"""Reading the tables of a Markdown page."""

from __future__ import annotations

import re
from pathlib import Path

_CODE = re.compile(r"`([^`]+)`")


def section(page: Path, title: str) -> str:
    """What stands below a heading, up to the next of the same or a higher level. Raises LookupError."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    if found is None:
        raise LookupError(f"{page.name} has no section {title}")
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a text: rows of cells, without the heading."""
    found: list[list[list[str]]] = []
    is_inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            is_inside = False
        elif not is_inside:
            found.append([])
            is_inside = True
        elif not re.fullmatch(r"[|\-: ]+", line):
            found[-1].append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return found


def codes(cell: str) -> list[str]:
    """What stands in backticks."""
    return _CODE.findall(cell)


def names_of(text: str, *, table: int = 0, column: int = 0) -> set[str]:
    """What stands in backticks in a column of the text's nth table."""
    return {name for row in tables(text)[table] for name in codes(row[column])}
