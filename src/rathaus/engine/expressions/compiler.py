"""From the text of an expression to a closure.

Python's parser reads the text, and each kind of node that the language has is turned into a small function of
the names. A node without such a function is refused; nothing is ever handed to Python to run.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, DivisionByZero
from typing import Any, NamedTuple

from .functions import FUNCTIONS, contains
from .values import (
    ARITHMETIC,
    DIGITS,
    TEXT_AT_MOST,
    EvaluationError,
    admit,
    describe,
    equal,
    scalar,
    short,
)

CHARACTERS_AT_MOST = 2_000
NODES_AT_MOST = 300
DEPTH_AT_MOST = 60

Names = Mapping[str, Any]
Run = Callable[[Names], Any]

CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
"""As FEEL and JSON write them; Python's True, False and None are understood too."""

_STRING = re.compile(r'"[^"\n]*"|' + r"'[^'\n]*'")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+")
# Python would read 0x10, 1e9, 2j, 1_000 and (with a warning) 1or 2.
_ODD_NUMBER = re.compile(r"(?<!\w)[0-9][0-9.]*\w*[^\W0-9]")
_SINGLE_EQUALS = re.compile(r"(?<![=!<>:])=(?!=)")


class ExpressionError(Exception):
    """The text is not an expression of the language. ``reason`` is a German sentence, ``column`` 1-based."""

    def __init__(self, reason: str, column: int | None = None) -> None:
        super().__init__(reason if column is None else f"{reason} (Spalte {column})")
        self.reason = reason
        self.column = column


class Compiled(NamedTuple):
    """What an expression does, and what of the names it reads: whole names and dotted paths."""

    run: Run
    names: frozenset[str]
    paths: frozenset[str]


def compile_text(text: str) -> Compiled:
    """Check and compile. Raises ExpressionError."""
    if len(text) > CHARACTERS_AT_MOST:
        raise ExpressionError(f"Der Ausdruck ist länger als {CHARACTERS_AT_MOST} Zeichen.")
    line = re.sub(r"[\r\n\t]", " ", text).strip()
    if not line:
        raise ExpressionError("Der Ausdruck ist leer.")
    try:
        _check_characters(line)
        return _Compiler(line).compile()
    except ExpressionError as error:
        if error.column is None:
            raise
        lead = len(text) - len(text.lstrip())
        raise ExpressionError(error.reason, error.column + lead) from None


def check_name(name: str, column: int | None = None) -> None:
    """Refuse names that begin with „_“, the road to Python's inside."""
    if name.startswith("_") or "__" in name:
        raise ExpressionError(f"Der Name „{short(name)}“ ist nicht erlaubt.", column)


def _check_characters(line: str) -> None:
    # Without backslashes a string is what it looks like, and Python's parser has nothing to warn about.
    if (at := line.find("\\")) >= 0:
        raise ExpressionError("Ein Rückstrich „\\“ ist nicht erlaubt.", at + 1)
    bare = _STRING.sub(lambda found: " " * len(found[0]), line)
    if (at := bare.find("#")) >= 0:
        raise ExpressionError("Kommentare sind hier nicht erlaubt.", at + 1)
    if odd := _ODD_NUMBER.search(bare):
        raise ExpressionError("Zahlen schreiben Sie so: 1234.50", odd.start() + 1)
    if single := _SINGLE_EQUALS.search(bare):
        raise ExpressionError("Zum Vergleichen schreiben Sie „==“.", single.start() + 1)


def _parse(line: str) -> ast.expr:
    try:
        return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        raise ExpressionError("Das ist kein gültiger Ausdruck.", error.offset or None) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise ExpressionError("Das ist kein gültiger Ausdruck, oder er ist zu tief verschachtelt.") from None


class _Part(NamedTuple):
    run: Run
    is_constant: bool


class _Compiler:
    def __init__(self, line: str) -> None:
        self.tree = _parse(line)
        self.source = line.encode()
        self.nodes = 0
        self.depth = 0
        self.names: set[str] = set()

    def compile(self) -> Compiled:
        run = self.part(self.tree).run
        return Compiled(run, frozenset(self.names), frozenset(_paths(self.tree)))

    def part(self, node: ast.expr) -> _Part:
        """Compile a node; what depends on no name is computed now, once."""
        self.nodes += 1
        self.depth += 1
        if self.nodes > NODES_AT_MOST:
            raise ExpressionError(f"Der Ausdruck hat mehr als {NODES_AT_MOST} Teile.")
        if self.depth > DEPTH_AT_MOST:
            raise ExpressionError(f"Der Ausdruck ist tiefer als {DEPTH_AT_MOST} Ebenen verschachtelt.")
        compile_node = _NODES.get(type(node))
        if compile_node is None:
            raise self.refuse(node, _REFUSED.get(type(node), "Das gehört nicht zur Sprache der Ausdrücke."))
        part = compile_node(self, node)
        self.depth -= 1
        if part.is_constant and not isinstance(node, ast.Constant):
            try:
                value = part.run({})
            except EvaluationError as error:
                raise self.refuse(node, error.reason) from None
            return _constant(value)
        return part

    def refuse(self, node: ast.expr, reason: str) -> ExpressionError:
        return ExpressionError(reason, self.column(node))

    def column(self, node: ast.expr) -> int:
        # Python counts bytes, people count characters.
        return len(self.source[: node.col_offset].decode()) + 1

    def written(self, node: ast.expr) -> str:
        return self.source[node.col_offset : node.end_col_offset].decode()

    def constant(self, node: ast.Constant) -> _Part:
        value = node.value
        if value is None or isinstance(value, bool | str):
            return _constant(value)
        if isinstance(value, int | float):
            # The text, not Python's float: 0.1 means one tenth.
            written = self.written(node)
            digits = len(written.replace(".", ""))
            if not _NUMBER.fullmatch(written) or digits > DIGITS:
                raise self.refuse(node, f"Zahlen schreiben Sie so: 1234.50, mit höchstens {DIGITS} Stellen.")
            return _constant(Decimal(written))
        raise self.refuse(node, "Erlaubt sind Zahlen, Texte, true, false und null.")

    def name(self, node: ast.Name) -> _Part:
        name = node.id
        if name in CONSTANTS:
            return _constant(CONSTANTS[name])
        check_name(name, self.column(node))
        self.names.add(name)

        def run(names: Names) -> Any:
            try:
                value = names[name]
            except KeyError:
                raise EvaluationError(f"„{name}“ ist nicht bekannt.") from None
            return admit(value)

        return _Part(run, False)

    def attribute(self, node: ast.Attribute) -> _Part:
        check_name(node.attr, self.column(node))
        return self.member(node.value, node.attr)

    def subscript(self, node: ast.Subscript) -> _Part:
        index = node.slice
        if isinstance(index, ast.Constant) and isinstance(index.value, str):
            check_name(index.value, self.column(index))
            return self.member(node.value, index.value)
        owner, at = self.part(node.value), self.part(index)

        def run(names: Names) -> Any:
            return _entry(owner.run(names), at.run(names))

        return _Part(run, False)

    def member(self, owner_node: ast.expr, key: str) -> _Part:
        owner = self.part(owner_node).run

        def run(names: Names) -> Any:
            group = owner(names)
            if isinstance(group, dict):
                return admit(group.get(key))
            return _member(group, key)

        return _Part(run, False)

    def list_literal(self, node: ast.List) -> _Part:
        for item in node.elts:
            if isinstance(item, ast.List):
                raise self.refuse(item, "Listen in Listen sind nicht erlaubt.")
        runs = [self.part(item).run for item in node.elts]
        # Members are scalars: lists of lists could grow line by line in a script until nobody can write them.
        # Not a constant even if all its members are: whoever gets the list may change it.
        return _Part(lambda names: [scalar(run(names)) for run in runs], False)

    def boolean(self, node: ast.BoolOp) -> _Part:
        parts = [self.part(item) for item in node.values]
        runs = [part.run for part in parts]
        word, ends_with = ("„and“", False) if isinstance(node.op, ast.And) else ("„or“", True)
        first, *rest = runs

        def two(names: Names) -> bool:
            if truth(first(names), word) is ends_with:
                return ends_with
            return truth(second(names), word)

        def many(names: Names) -> bool:
            return any(truth(run(names), word) is ends_with for run in runs) is ends_with

        second = rest[0]
        return _Part(two if len(rest) == 1 else many, all(part.is_constant for part in parts))

    def unary(self, node: ast.UnaryOp) -> _Part:
        part = self.part(node.operand)
        inner = part.run
        if isinstance(node.op, ast.Not):
            return _Part(lambda names: not truth(inner(names), "„not“"), part.is_constant)
        if isinstance(node.op, ast.USub):
            return _Part(lambda names: _negated(inner(names)), part.is_constant)
        if isinstance(node.op, ast.UAdd):
            return _Part(lambda names: _number(inner(names), "+"), part.is_constant)
        raise self.refuse(node, "„~“ gehört nicht zur Sprache der Ausdrücke.")

    def binary(self, node: ast.BinOp) -> _Part:
        if isinstance(node.op, ast.Pow):
            raise self.refuse(node, "Potenzen („**“) sind nicht erlaubt.")
        operation = _ARITHMETIC.get(type(node.op))
        if operation is None:
            raise self.refuse(node, "Gerechnet wird mit + - * und /.")
        for side in (node.left, node.right):
            is_text = isinstance(side, ast.Constant) and isinstance(side.value, str)
            if isinstance(side, ast.List) or (is_text and operation is not _add):
                raise self.refuse(side, "Gerechnet wird nur mit Zahlen.")
        left, right = self.part(node.left), self.part(node.right)
        first, second = left.run, right.run
        return _Part(
            lambda names: operation(first(names), second(names)), left.is_constant and right.is_constant
        )

    def compare(self, node: ast.Compare) -> _Part:
        for kind in node.ops:
            if type(kind) not in _COMPARISONS:
                raise self.refuse(node, "„is“ gibt es nicht; schreiben Sie „== null“ oder „!= null“.")
        operations = [_COMPARISONS[type(kind)] for kind in node.ops]
        parts = [self.part(item) for item in (node.left, *node.comparators)]
        is_constant = all(part.is_constant for part in parts)
        first, *others = [part.run for part in parts]
        if len(others) == 1:
            operation, second = operations[0], others[0]
            if parts[1].is_constant:
                # Most conditions compare with a constant: one call less.
                value = second({})
                return _Part(lambda names: operation(first(names), value), is_constant)
            return _Part(lambda names: operation(first(names), second(names)), is_constant)
        steps = list(zip(operations, others, strict=True))

        def chain(names: Names) -> bool:
            left = first(names)
            for step, run in steps:
                right = run(names)
                if not step(left, right):
                    return False
                left = right
            return True

        return _Part(chain, is_constant)

    def choice(self, node: ast.IfExp) -> _Part:
        test, yes, no = self.part(node.test), self.part(node.body), self.part(node.orelse)
        return _Part(
            lambda names: yes.run(names) if truth(test.run(names), "„if“") else no.run(names),
            test.is_constant and yes.is_constant and no.is_constant,
        )

    def call(self, node: ast.Call) -> _Part:
        if not isinstance(node.func, ast.Name):
            raise self.refuse(node, "Aufgerufen werden nur die Funktionen der Sprache, keine Methoden.")
        name = node.func.id
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.refuse(node, f"Die Funktion „{short(name)}“ gibt es nicht.")
        if node.keywords:
            raise self.refuse(node, f"„{name}“ nimmt keine benannten Angaben.")
        parts = [self.part(item) for item in node.args]
        if len(parts) < function.least or (function.most is not None and len(parts) > function.most):
            raise self.refuse(node, f"„{name}“ hat die falsche Zahl von Angaben ({len(parts)}).")
        runs = tuple(part.run for part in parts)
        call = function.call

        def run(names: Names) -> Any:
            arguments = [run(names) for run in runs]
            try:
                return call(*arguments)
            except EvaluationError as error:
                raise EvaluationError(f"„{name}“: {error.reason}") from None

        # The list that „werte“ makes is not shared either.
        return _Part(run, all(part.is_constant for part in parts) and name != "werte")


def truth(value: Any, who: str = "Die Bedingung") -> bool:
    """True, False, or None as False (a box that nobody ticked); anything else raises EvaluationError."""
    if value is True:
        return True
    if value is False or value is None:
        return False
    raise EvaluationError(f"{who} braucht Ja oder Nein; hier steht {describe(value)}.")


def _constant(value: Any) -> _Part:
    return _Part(lambda names: value, True)


def _paths(node: ast.AST) -> set[str]:
    """What is read, for checks against a form: „antrag.halter.name“ as a whole, not its beginnings."""
    path = _path(node)
    if path is not None:
        return {path}
    inner = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    return set().union(*map(_paths, inner))


def _path(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return None if node.id in CONSTANTS else node.id
    if isinstance(node, ast.Attribute):
        key: Any = node.attr
        owner = node.value
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        key, owner = node.slice.value, node.value
    else:
        return None
    before = _path(owner)
    return f"{before}.{key}" if before is not None and isinstance(key, str) else None


def _member(group: Any, key: str) -> Any:
    if group is None:  # a group of the form that does not apply
        return None
    if isinstance(group, Mapping):
        return admit(group.get(key))
    raise EvaluationError(f"„{short(key)}“ gibt es nur in Gruppen; hier steht {describe(group)}.")


def _entry(owner: Any, at: Any) -> Any:
    if isinstance(at, str):
        if at.startswith("_"):
            raise EvaluationError(f"Der Name „{short(at)}“ ist nicht erlaubt.")
        return _member(owner, at)
    if not isinstance(owner, list | tuple):
        raise EvaluationError(
            f"Eine Nummer in eckigen Klammern braucht eine Liste; hier steht {describe(owner)}."
        )
    if not isinstance(at, Decimal) or at != at.to_integral_value():
        raise EvaluationError("In eckigen Klammern steht eine ganze Zahl oder ein Feldname.")
    if not -len(owner) <= at < len(owner):
        raise EvaluationError(
            f"Die Liste hat {len(owner)} Einträge; einen mit der Nummer {at} gibt es nicht."
        )
    return admit(owner[int(at)])


def _number(value: Any, sign: str) -> Decimal:
    if isinstance(value, Decimal):
        return value
    raise EvaluationError(f"„{sign}“ braucht eine Zahl; hier steht {describe(value)}.")


def _negated(value: Any) -> Decimal:
    return ARITHMETIC.minus(_number(value, "-"))


def _arithmetic(sign: str, operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Any, Any], Any]:
    def run(left: Any, right: Any) -> Decimal:
        if type(left) is not Decimal or type(right) is not Decimal:
            raise EvaluationError(
                f"„{sign}“ braucht zwei Zahlen; hier stehen {describe(left)} und {describe(right)}."
            )
        try:
            return operation(left, right)
        except DivisionByZero:
            raise EvaluationError("Durch null lässt sich nicht teilen.") from None
        except ArithmeticError:  # also 0/0, which decimal calls an invalid operation
            reason = "Durch null lässt sich nicht teilen." if not right else "Das Ergebnis ist zu groß."
            raise EvaluationError(reason) from None

    return run


_add_numbers = _arithmetic("+", ARITHMETIC.add)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > TEXT_AT_MOST:
            raise EvaluationError(f"Ein Text ist länger als {TEXT_AT_MOST} Zeichen.")
        return left + right
    return _add_numbers(left, right)


def _divide(left: Decimal, right: Decimal) -> Decimal:
    # 100 / 0.5 is 2E+2 to decimal; adding nothing writes it as 200.
    return ARITHMETIC.add(ARITHMETIC.divide(left, right), Decimal(0))


def _ordered(sign: str, operation: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def run(left: Any, right: Any) -> bool:
        kind = type(left)
        if kind is type(right) and (kind is Decimal or kind is date):
            return operation(left, right)
        hint = " Ein Datum aus einem Text macht „datum(…)“, eine Zahl „zahl(…)“."
        raise EvaluationError(
            f"„{sign}“ vergleicht zwei Zahlen oder zwei Daten; "
            f"hier stehen {describe(left)} und {describe(right)}."
            + (hint if isinstance(left, str) or isinstance(right, str) else "")
        )

    return run


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _add,
    ast.Sub: _arithmetic("-", ARITHMETIC.subtract),
    ast.Mult: _arithmetic("*", ARITHMETIC.multiply),
    ast.Div: _arithmetic("/", _divide),
}

ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
}
"""Which of two numbers or dates is greater; anything else raises EvaluationError."""

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: equal,
    ast.NotEq: lambda left, right: not equal(left, right),
    ast.Lt: ORDERINGS["<"],
    ast.LtE: ORDERINGS["<="],
    ast.Gt: ORDERINGS[">"],
    ast.GtE: ORDERINGS[">="],
    ast.In: contains,
    ast.NotIn: lambda left, right: not contains(left, right),
}

_NODES: dict[type[ast.expr], Callable[[_Compiler, Any], _Part]] = {
    ast.Constant: _Compiler.constant,
    ast.Name: _Compiler.name,
    ast.Attribute: _Compiler.attribute,
    ast.Subscript: _Compiler.subscript,
    ast.List: _Compiler.list_literal,
    ast.BoolOp: _Compiler.boolean,
    ast.UnaryOp: _Compiler.unary,
    ast.BinOp: _Compiler.binary,
    ast.Compare: _Compiler.compare,
    ast.IfExp: _Compiler.choice,
    ast.Call: _Compiler.call,
}

_REFUSED: dict[type[ast.expr], str] = {
    ast.Tuple: "Listen schreiben Sie in eckigen Klammern; Nachkommastellen trennt ein Punkt.",
    ast.JoinedStr: 'Texte mit eingesetzten Werten (f"…") sind nicht erlaubt.',
    ast.Lambda: "Eigene Funktionen sind nicht erlaubt.",
    ast.ListComp: "Schleifen sind nicht erlaubt.",
    ast.SetComp: "Schleifen sind nicht erlaubt.",
    ast.DictComp: "Schleifen sind nicht erlaubt.",
    ast.GeneratorExp: "Schleifen sind nicht erlaubt.",
    ast.Slice: "Ausschnitte von Listen sind nicht erlaubt.",
    ast.Starred: "„*“ vor einem Wert ist nicht erlaubt.",
    ast.NamedExpr: "Zuweisungen sind im Ausdruck nicht erlaubt.",
}
