"""What a designer overlooked in a table: rules that hit together, and inputs for which no rule hits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from itertools import combinations, islice, pairwise, product
from operator import and_
from typing import Any, NamedTuple, TypeVar

from rathaus.engine.expressions import EvaluationError

from .table import KINDS, Decision, HitPolicy, Input

FINDINGS_AT_MOST = 20
COMBINATIONS_AT_MOST = 20_000
CONSTANTS_AT_MOST = 2_000

Found = TypeVar("Found")


class Coverage(NamedTuple):
    """Pairs of rules of a UNIQUE table that hit together, and input values (by label) that no rule covers.

    Both are hints: whether such inputs can occur is for the designer to say. At most 20 of each.
    """

    overlaps: tuple[tuple[int, int], ...]
    gaps: tuple[dict[str, Any], ...]


def examine(decision: Decision) -> Coverage:
    """Look at the table at every constant of its cells, and before, between and behind them.

    Cells test by comparing with constants, so these points stand for all values. A column whose cells read
    names, or hold more than 2,000 constants, is not examined: then nothing is said about the table.
    Gaps are sought in at most 20,000 combinations, in tables that give None without a hit.
    """
    try:
        points = [_points(column, decision, at) for at, column in enumerate(decision.inputs)]
        if any(found is None for found in points):
            return Coverage((), ())
        columns = [found for found in points if found is not None]
        masks = [
            [_mask(decision, at, rule, column) for at, column in enumerate(columns)]
            for rule in range(len(decision.rules))
        ]
    except EvaluationError:  # a column without a kind that is compared with unlike constants
        return Coverage((), ())
    overlaps = _overlaps(masks) if decision.hit_policy is HitPolicy.UNIQUE else iter(())
    gaps = _gaps(decision, columns, masks)
    return Coverage(_first(overlaps), _first(gaps))


def _mask(decision: Decision, at: int, rule: int, points: list[Any]) -> int:
    """The points that the cell accepts, as bits."""
    test = decision.rules[rule].cells[at].test
    return sum(1 << bit for bit, value in enumerate(points) if test is None or test(value, {}))


def _overlaps(masks: list[list[int]]) -> Iterator[tuple[int, int]]:
    for (one, first), (other, second) in combinations(enumerate(masks, start=1), 2):
        if all(left & right for left, right in zip(first, second, strict=True)):
            yield one, other


def _gaps(decision: Decision, columns: list[list[Any]], masks: list[list[int]]) -> Iterator[dict[str, Any]]:
    answers_always = any(output.default is not None for output in decision.outputs) or (
        decision.hit_policy in (HitPolicy.COLLECT, HitPolicy.RULE_ORDER)
    )
    size = reduce(lambda total, column: total * len(column), columns, 1)
    if answers_always or size > COMBINATIONS_AT_MOST:
        return
    # By column and point, the rules that accept it, as bits: a combination is covered if one rule is in all.
    accepting = [
        [
            sum(1 << rule for rule, mask in enumerate(masks) if mask[at] >> bit & 1)
            for bit in range(len(column))
        ]
        for at, column in enumerate(columns)
    ]
    labels = [column.label for column in decision.inputs]
    for chosen in product(*(range(len(column)) for column in columns)):
        if not reduce(and_, (rules[bit] for rules, bit in zip(accepting, chosen, strict=True))):
            values = (column[bit] for column, bit in zip(columns, chosen, strict=True))
            yield dict(zip(labels, values, strict=True))


def _points(column: Input, decision: Decision, at: int) -> list[Any] | None:
    """Values that stand for all others of the column; None if the column cannot be examined."""
    constants: list[Any] = []
    for cell in (column.allowed, *(rule.cells[at] for rule in decision.rules)):
        found = cell.constants()
        if found is None:
            return None
        constants.extend(value for value in found if value is not None)
    if len(constants) > CONSTANTS_AT_MOST:
        return None
    if column.kind is KINDS["boolean"]:
        return [True, False]
    if not constants:
        return [None] if all(rule.cells[at].test is None for rule in decision.rules) else None
    points = _around(constants, whole=column.kind is KINDS["integer"])
    allowed = column.allowed.test
    return points if allowed is None else [value for value in points if allowed(value, {})]


def _around(constants: list[Any], *, whole: bool) -> list[Any]:
    kinds = {type(value) for value in constants}
    if kinds == {Decimal}:
        return _numbers(sorted(set(constants)), whole=whole)
    if kinds == {date}:
        return _dates(sorted(set(constants)))
    if kinds == {bool}:
        return [True, False]
    if kinds == {str}:
        # One text that is none of them stands for the rest; it is longer than all, so it is new.
        return [*dict.fromkeys(constants), "…" + max(constants, key=len)]
    raise EvaluationError("Die Zellen vergleichen mit Verschiedenem.")


def _numbers(values: list[Decimal], *, whole: bool) -> list[Any]:
    between = [(one + other) / 2 for one, other in pairwise(values)]
    points = {*values, *between, values[0] - 1, values[-1] + 1}
    if whole:
        points = {value.to_integral_value() for value in points} | {
            value.to_integral_value() + step for value in values for step in (-1, 1)
        }
    return sorted(points)


def _dates(values: list[date]) -> list[Any]:
    day = timedelta(days=1)
    around = {value - day for value in values if value > date.min} | {
        value + day for value in values if value < date.max
    }
    return sorted({*values, *around})


def _first(findings: Iterator[Found]) -> tuple[Found, ...]:
    return tuple(islice(findings, FINDINGS_AT_MOST))
