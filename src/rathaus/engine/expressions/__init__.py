"""Expressions of service packages: conditions, assignments, table cells. See docs/adr/0002-expressions.md.

A package comes from another town, so its texts are compiled over a whitelist and bounded in size; they never
reach Python's own evaluation. Numbers are exact decimals.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .compiler import CONSTANTS, ORDERINGS, ExpressionError, Run, check_name, compile_text, truth
from .functions import FUNCTIONS
from .values import EvaluationError, admit, describe, equal, short

__all__ = [
    "FUNCTIONS",
    "ORDERINGS",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Script",
    "admit",
    "compile_expression",
    "compile_script",
    "describe",
    "equal",
    "short",
]

LINES_AT_MOST = 50

_ASSIGNMENT = re.compile(r"\s*(\w+)\s*=(?!=)(.*)")


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; equal and hashed by its text.

    ``names`` are the names that it reads, ``paths`` the same with their fields („antrag.halter.name“).
    """

    text: str
    names: frozenset[str] = field(compare=False)
    paths: frozenset[str] = field(compare=False)
    _run: Run = field(compare=False, repr=False)

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """The value: Decimal, str, bool, None, date, or a list or group as it is in the data.

        A name that is not given raises EvaluationError; a field that a group lacks is None, and so are its
        own fields. Calculating with None raises EvaluationError, and so do < and > with it; == and != do not.
        Unlike kinds are never compared: they raise EvaluationError.
        """
        try:
            return self._run(names)
        except EvaluationError as error:
            raise EvaluationError(f"{error.reason} Ausdruck: {short(self.text)}") from None

    def holds(self, names: Mapping[str, Any]) -> bool:
        """The value of a condition. None counts as False; what is neither raises EvaluationError."""
        value = self.evaluate(names)
        try:
            return truth(value)
        except EvaluationError as error:
            raise EvaluationError(f"{error.reason} Ausdruck: {short(self.text)}") from None


@dataclass(frozen=True, slots=True)
class Script:
    """Compiled assignments, in order. ``names`` are those that it reads before it assigns them itself."""

    text: str
    names: frozenset[str] = field(compare=False)
    assigned: frozenset[str] = field(compare=False)
    _lines: tuple[tuple[int, str, Expression], ...] = field(compare=False, repr=False)

    def run(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """What was assigned, and nothing else; ``names`` stays as it is. Raises EvaluationError."""
        known = dict(names)
        assigned: dict[str, Any] = {}
        for number, name, expression in self._lines:
            try:
                assigned[name] = known[name] = expression.evaluate(known)
            except EvaluationError as error:
                raise EvaluationError(f"Zeile {number}: {error.reason}") from None
        return assigned


def compile_expression(text: str) -> Expression:
    """Compile one expression (at most 2,000 characters). Raises ExpressionError."""
    compiled = compile_text(text)
    return Expression(text, compiled.names, compiled.paths, compiled.run)


def compile_script(text: str) -> Script:
    """Compile lines of the form ``name = expression``; empty lines and lines that begin with # are skipped.

    Raises ExpressionError, whose reason begins with the number of the line.
    """
    lines: list[tuple[int, str, Expression]] = []
    names: set[str] = set()
    assigned: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(lines) == LINES_AT_MOST:
            raise ExpressionError(f"Das Skript hat mehr als {LINES_AT_MOST} Zuweisungen.")
        try:
            name, expression = _compile_line(line)
        except ExpressionError as error:
            raise ExpressionError(f"Zeile {number}: {error.reason}", error.column) from None
        names |= expression.names - assigned
        assigned.add(name)
        lines.append((number, name, expression))
    return Script(text, frozenset(names), frozenset(assigned), tuple(lines))


def _compile_line(line: str) -> tuple[str, Expression]:
    found = _ASSIGNMENT.fullmatch(line)
    if found is None:
        raise ExpressionError("Jede Zeile weist einem Namen etwas zu: name = Ausdruck")
    name = unicodedata.normalize("NFKC", found[1])  # as Python's parser reads names
    check_name(name, found.start(1) + 1)
    if not name.isidentifier() or keyword.iskeyword(name) or name in CONSTANTS:
        raise ExpressionError(f"„{short(name)}“ ist kein Name für einen Wert.", found.start(1) + 1)
    try:
        return name, compile_expression(found[2])
    except ExpressionError as error:
        column = None if error.column is None else error.column + found.start(2)
        raise ExpressionError(error.reason, column) from None
