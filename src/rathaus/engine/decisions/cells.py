"""The tests in the cells of a table: S-FEEL unary tests (DMN 1.3, 9.2, grammar rules 12 to 18).

„-“, values, lists of them, <= 3, [1..3], (1..3], ]1..3[, not(...). A value is an expression of our language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rathaus.engine.expressions import (
    ORDERINGS,
    EvaluationError,
    Expression,
    ExpressionError,
    compile_expression,
    equal,
)

CHARACTERS_AT_MOST = 2_000

Names = Mapping[str, Any]
Test = Callable[[Any, Names], bool]

_NOT = re.compile(r"not\s*\((.*)\)", re.DOTALL)
_COMPARISON = re.compile(r"(<=|>=|<|>)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cell:
    """A compiled test of one column. ``test`` is None if any value will do."""

    test: Test | None
    operands: tuple[Expression, ...] = ()

    def constants(self) -> tuple[Any, ...] | None:
        """The values that it compares with, or None if one of them depends on a name."""
        if any(operand.names for operand in self.operands):
            return None
        return tuple(operand.evaluate({}) for operand in self.operands)


def compile_cell(text: str) -> Cell:
    """Compile the text of a cell; an empty cell is „-“. Raises ExpressionError.

    A missing input (None) fails every test but „-“, ``null`` and ``not(...)`` of what it is not.
    """
    text = text.strip()
    if len(text) > CHARACTERS_AT_MOST:
        raise ExpressionError(f"Die Zelle ist länger als {CHARACTERS_AT_MOST} Zeichen.")
    if text in ("", "-"):
        return Cell(None)
    negated = _NOT.fullmatch(text)
    tests: list[Test] = []
    operands: list[Expression] = []
    for part in _parts(negated[1] if negated else text):
        try:
            test, used = _compile_part(part)
        except EvaluationError as error:  # constants that do not go together: [1.."a"]
            raise ExpressionError(error.reason) from None
        tests.append(test)
        operands.extend(used)
    return Cell(_combined(tests, negated is not None), tuple(operands))


def _combined(tests: list[Test], is_negated: bool) -> Test:
    if is_negated:
        return lambda value, names: not any(test(value, names) for test in tests)
    if len(tests) == 1:
        return tests[0]
    return lambda value, names: any(test(value, names) for test in tests)


def _compile_part(part: str) -> tuple[Test, tuple[Expression, ...]]:
    part = part.strip()
    if part.startswith(("=", "!")):
        raise ExpressionError("Gleichheit braucht kein Zeichen; „ungleich“ schreiben Sie not(…).")
    if found := _COMPARISON.fullmatch(part):
        operand = compile_expression(found[2])
        return _ordering(found[1], operand), (operand,)
    if bounds := _interval(part):
        return _between(*bounds), bounds[1:3]
    if part.startswith(("[", "]")):
        raise ExpressionError("Bereiche schreiben Sie [1..3], mehrere Werte ohne Klammern: 1, 2, 3")
    operand = compile_expression(part)
    wanted = _value_of(operand)
    return lambda value, names: equal(value, wanted(names)), (operand,)


def _ordering(sign: str, operand: Expression) -> Test:
    compare, bound = ORDERINGS[sign], _value_of(operand)
    if not operand.names:
        compare(bound({}), bound({}))  # whether it can be ordered at all
    return lambda value, names: value is not None and compare(value, bound(names))


def _between(opening: str, low: Expression, high: Expression, closing: str) -> Test:
    above, below = ORDERINGS[">=" if opening == "[" else ">"], ORDERINGS["<=" if closing == "]" else "<"]
    least, most = _value_of(low), _value_of(high)
    if not low.names and not high.names and ORDERINGS[">"](least({}), most({})):
        raise ExpressionError(f"Der Bereich von {low.text.strip()} bis {high.text.strip()} ist leer.")
    return lambda value, names: value is not None and above(value, least(names)) and below(value, most(names))


def _value_of(operand: Expression) -> Callable[[Names], Any]:
    if operand.names:
        return operand.evaluate
    value = operand.evaluate({})
    return lambda names: value


def _interval(part: str) -> tuple[str, Expression, Expression, str] | None:
    marks = _interval_marks(part, 0)
    if marks is None:
        return None
    dots, end = marks
    if end != len(part) - 1:
        raise ExpressionError("Einen Bereich schreiben Sie so: [1..3] oder (1..3]")
    return part[0], compile_expression(part[1:dots]), compile_expression(part[dots + 2 : end]), part[end]


def _parts(text: str) -> Iterator[str]:
    """What stands between the commas that are neither in a text nor in brackets."""
    start = 0
    while True:
        comma = _end_of_part(text, start)
        yield text[start:comma]
        if comma == len(text):
            return
        start = comma + 1


def _end_of_part(text: str, start: int) -> int:
    # An interval is read as a whole, for its brackets need not match: ]1..3[
    begin = start + len(text[start:]) - len(text[start:].lstrip())
    marks = _interval_marks(text, begin)
    comma = _find(text, start if marks is None else marks[1] + 1, (",",))
    return len(text) if comma is None else comma


def _interval_marks(text: str, begin: int) -> tuple[int, int] | None:
    """Where the dots and the closing bracket of an interval stand, if one begins here."""
    if text[begin : begin + 1] not in ("[", "]", "("):
        return None
    dots = _find(text, begin + 1, ("..",))
    end = None if dots is None else _find(text, dots + 2, (")", "]", "["))
    return None if dots is None or end is None else (dots, end)


def _find(text: str, start: int, wanted: tuple[str, ...]) -> int | None:
    """Where one of the marks stands next, outside texts and brackets opened after ``start``."""
    depth = 0
    quote = ""
    for at in range(start, len(text)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif depth == 0 and text.startswith(wanted, at):
            return at
        elif char in "\"'":
            quote = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
            if depth < 0:
                return None
    return None
