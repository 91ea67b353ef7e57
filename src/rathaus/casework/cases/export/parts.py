"""What domains add to the folder of a case: functions that apps register, like facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rathaus.casework.cases.export.bundle import Folder
from rathaus.casework.cases.models import Case

Part = Callable[[Case, Folder], None]


@dataclass(frozen=True)
class Known:
    """A part with the lines that explain its files in README.txt."""

    write: Part
    files: str


_parts: dict[str, Known] = {}


def case_part(name: str, *, files: str) -> Callable[[Part], Part]:
    """Register a function that writes what a domain knows of a case into its folder, or nothing. It reads only.

    `files` explains what it writes, in German, in lines of the shape of README.txt (`export/cover.py`).
    """

    def register(function: Part) -> Part:
        if name in _parts:
            raise ValueError(f"part {name} is registered twice")
        _parts[name] = Known(function, files)
        return function

    return register


def parts() -> Iterator[Known]:
    """All of them, by name."""
    return (part for _, part in sorted(_parts.items()))


def plain(row: Any, *names: str) -> Mapping[str, Any]:
    """A row as words: `nummer=number` is an attribute under its German name, `stand=state!` its word for people."""
    found = {}
    for each in names:
        word, _, name = each.partition("=")
        found[word] = getattr(row, f"get_{name[:-1]}_display")() if name.endswith("!") else _at(row, name)
    return found


def _at(row: Any, path: str) -> Any:
    """`case.reference`: through a row that may be missing."""
    for name in path.split("."):
        row = None if row is None else getattr(row, name)
    return row
