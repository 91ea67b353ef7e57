"""A decision table and how it decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rathaus.engine.expressions import FUNCTIONS, EvaluationError, Expression, describe, equal, short

from .cells import Cell


class HitPolicy(StrEnum):
    """What a table makes of the rules that hit (DMN 1.3, 8.2.8)."""

    UNIQUE = "UNIQUE"
    FIRST = "FIRST"
    ANY = "ANY"
    PRIORITY = "PRIORITY"
    RULE_ORDER = "RULE ORDER"
    COLLECT = "COLLECT"


class Aggregation(StrEnum):
    """What COLLECT makes of the outputs that it collected."""

    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type that a column may declare, with its German words."""

    words: str
    fits: Callable[[Any], bool]


def _is_whole(value: Any) -> bool:
    return isinstance(value, Decimal) and value == value.to_integral_value()


_NUMBER = Kind("eine Zahl", lambda value: isinstance(value, Decimal))
_WHOLE = Kind("eine ganze Zahl", _is_whole)
_DATE = Kind("ein Datum", lambda value: isinstance(value, date))
KINDS: dict[str, Kind] = {
    "string": Kind("ein Text", lambda value: isinstance(value, str)),
    "boolean": Kind("Ja oder Nein", lambda value: isinstance(value, bool)),
    "number": _NUMBER,
    "double": _NUMBER,
    "integer": _WHOLE,
    "long": _WHOLE,
    "date": _DATE,
}
"""By the names that FEEL and the common editors write in ``typeRef``."""


def typed(value: Any, kind: Kind | None) -> Any:
    """The value if it is of the kind, or None. A date may come as „2025-01-31“. Raises EvaluationError."""
    if value is None or kind is None:
        return value
    if kind is _DATE and isinstance(value, str):
        return FUNCTIONS["datum"].call(value)
    if not kind.fits(value):
        shown = str(value) if kind is _WHOLE and isinstance(value, Decimal) else describe(value)
        raise EvaluationError(f"Erwartet wird {kind.words}, nicht {shown}.")
    return value


@dataclass(frozen=True, slots=True)
class Input:
    """A column of conditions: what it looks at, of which kind, and which values it allows."""

    label: str
    expression: Expression
    kind: Kind | None
    allowed: Cell

    def read(self, names: Mapping[str, Any]) -> Any:
        """The value that the cells test. Raises EvaluationError naming the column."""
        try:
            value = typed(self.expression.evaluate(names), self.kind)
            if value is None or self.allowed.test is None or self.allowed.test(value, names):
                return value
        except EvaluationError as error:
            raise EvaluationError(f"Eingabe „{self.label}“: {error.reason}") from None
        raise EvaluationError(f"Eingabe „{self.label}“: Der Wert {_shown(value)} ist nicht vorgesehen.")


@dataclass(frozen=True, slots=True)
class Output:
    """A column of results. ``ranking`` are the allowed values, the most important first (empty: any)."""

    name: str
    label: str
    kind: Kind | None
    ranking: tuple[Any, ...]
    default: Expression | None

    def compute(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The result of a cell. Raises EvaluationError naming the column."""
        try:
            return self.checked(expression.evaluate(names))
        except EvaluationError as error:
            raise EvaluationError(f"Ausgabe „{self.label}“: {error.reason}") from None

    def checked(self, value: Any) -> Any:
        """The value if it is of the kind and among the allowed ones. Raises EvaluationError."""
        value = typed(value, self.kind)
        self.rank(value)
        return value

    def rank(self, value: Any) -> int:
        """The place of a value in the ranking; 0 without one. Raises EvaluationError if it is not in it."""
        if not self.ranking:
            return 0
        for place, allowed in enumerate(self.ranking):
            if equal(allowed, value):
                return place
        raise EvaluationError(f"Der Wert {_shown(value)} ist nicht vorgesehen.")


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: one cell an input, one expression an output."""

    cells: tuple[Cell, ...]
    results: tuple[Expression, ...]
    annotation: str

    def hits(self, values: tuple[Any, ...], names: Mapping[str, Any]) -> bool:
        """Whether every cell accepts the value of its column."""
        for cell, value in zip(self.cells, values, strict=True):
            if cell.test is not None and not cell.test(value, names):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Row:
    """A rule that made the decision: its number, from 1, and its annotation."""

    number: int
    annotation: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with what it rests on: the rows that made it, and the inputs by their label."""

    result: Any
    rows: tuple[Row, ...]
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """A compiled table. Nothing in it changes, so it may be shared between threads."""

    id: str
    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    hit_policy: HitPolicy
    aggregation: Aggregation | None
    rules: tuple[Rule, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names that the table reads, for a check against what a process knows."""
        return frozenset().union(*(expression.names for expression in self._expressions()))

    @property
    def paths(self) -> frozenset[str]:
        """The same with their fields: „antrag.hunde“."""
        return frozenset().union(*(expression.paths for expression in self._expressions()))

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """The result: the value of the one output, or a dict by output name if there are several.

        RULE ORDER and COLLECT give a list of them (empty without a hit). An aggregation gives one value: no
        hit is None for SUM, MIN and MAX, and 0 for COUNT. Otherwise no hit gives the default outputs, or None
        if the table has none. Numbers are Decimal.
        Raises EvaluationError: an input of the wrong kind, two hits where one is allowed, a name not given.
        """
        return self.explain(names).result

    def explain(self, names: Mapping[str, Any]) -> Explanation:
        """The same with its reasons. Raises EvaluationError."""
        try:
            values = tuple(column.read(names) for column in self.inputs)
            hits = self._hits(values, names)
            result, rows = self._decide(hits, names)
        except EvaluationError as error:
            raise EvaluationError(f"Tabelle „{self.name}“: {error.reason}") from None
        labels = (column.label for column in self.inputs)
        return Explanation(
            result,
            tuple(Row(number, self.rules[number - 1].annotation) for number in rows),
            dict(zip(labels, values, strict=True)),
        )

    def _hits(self, values: tuple[Any, ...], names: Mapping[str, Any]) -> list[int]:
        hits = []
        for number, rule in enumerate(self.rules, start=1):
            try:
                if not rule.hits(values, names):
                    continue
            except EvaluationError as error:
                raise EvaluationError(f"Regel {number}: {error.reason}") from None
            hits.append(number)
            if self.hit_policy is HitPolicy.FIRST:
                break
        return hits

    def _decide(self, hits: list[int], names: Mapping[str, Any]) -> tuple[Any, list[int]]:
        if self.hit_policy is HitPolicy.UNIQUE and len(hits) > 1:
            raise EvaluationError(f"Es treffen mehrere Regeln zu ({_listed(hits)}); erlaubt ist nur eine.")
        found = [(number, self._result(number, names)) for number in hits]
        if self.hit_policy in (HitPolicy.RULE_ORDER, HitPolicy.COLLECT):
            results = [self._shaped(result) for _, result in found]
            return self._collected(results), hits
        if not found:
            return self._default(names), []
        if self.hit_policy is HitPolicy.ANY:
            first = found[0][1]
            if not all(
                equal(one, other) for _, result in found for one, other in zip(first, result, strict=True)
            ):
                raise EvaluationError(f"Die Regeln {_listed(hits)} treffen zu, geben aber Verschiedenes aus.")
            return self._shaped(first), hits
        if self.hit_policy is HitPolicy.PRIORITY:
            number, result = min(found, key=lambda hit: self._ranks(hit[1]))
            return self._shaped(result), [number]
        number, result = found[0]
        return self._shaped(result), [number]

    def _result(self, number: int, names: Mapping[str, Any]) -> tuple[Any, ...]:
        rule = self.rules[number - 1]
        try:
            return tuple(
                output.compute(expression, names)
                for output, expression in zip(self.outputs, rule.results, strict=True)
            )
        except EvaluationError as error:
            raise EvaluationError(f"Regel {number}: {error.reason}") from None

    def _shaped(self, result: tuple[Any, ...]) -> Any:
        if len(self.outputs) == 1:
            return result[0]
        return {output.name: value for output, value in zip(self.outputs, result, strict=True)}

    def _ranks(self, result: tuple[Any, ...]) -> tuple[int, ...]:
        return tuple(output.rank(value) for output, value in zip(self.outputs, result, strict=True))

    def _default(self, names: Mapping[str, Any]) -> Any:
        if all(output.default is None for output in self.outputs):
            return None
        return self._shaped(
            tuple(
                None if output.default is None else output.compute(output.default, names)
                for output in self.outputs
            )
        )

    def _collected(self, results: list[Any]) -> Any:
        if self.aggregation is None:
            return results
        if self.aggregation is Aggregation.COUNT:
            return Decimal(len(results))
        if not results:
            return None
        return FUNCTIONS[self.aggregation.lower()].call(results)

    def _expressions(self) -> list[Expression]:
        cells = [column.allowed for column in self.inputs] + [
            cell for rule in self.rules for cell in rule.cells
        ]
        return [
            *(column.expression for column in self.inputs),
            *(operand for cell in cells for operand in cell.operands),
            *(expression for rule in self.rules for expression in rule.results),
            *(output.default for output in self.outputs if output.default is not None),
        ]


def _listed(numbers: list[int]) -> str:
    shown = [str(number) for number in numbers[:10]] + (["…"] if len(numbers) > 10 else [])
    return ", ".join(shown)


def _shown(value: Any) -> str:
    return f"„{short(str(value))}“" if isinstance(value, str | Decimal | date) else describe(value)
