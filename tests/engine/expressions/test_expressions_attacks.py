"""What a hostile package or hostile data may try."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections import UserDict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rathaus.engine.expressions import (
    FUNCTIONS,
    EvaluationError,
    ExpressionError,
    compile_expression,
    compile_script,
)

ESCAPES = [
    "__import__('os')",
    "__import__('os').system('id')",
    "().__class__.__bases__[0].__subclasses__()",
    "''.__class__",
    "x.__class__",
    "x['__class__']",
    'x["__globals__"]',
    "x.y.__init__.__globals__",
    "x._private",
    "x._",
    "_",
    "__builtins__",
    "__name__",
    "a__b",
    "x.a__b",
    "ｘ.＿＿class＿＿",  # full-width letters, which Python folds into plain ones
    "x.__ｃlass__",
    "x.__cl\u00adass__",
    "[c for c in x]",
    "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen'][0]",
    "{c for c in x}",
    "{c: 1 for c in x}",
    "(c for c in x)",
    "any(c for c in x)",
    "lambda: 1",
    "(lambda: 1)()",
    'f"{x}"',
    'f"{x.__class__}"',
    'rf"{x!r:>{y}}"',
    '"{0.__class__}".format(x)',
    '"%s" % x',
    '"%999999999d" % 1',
    "x.format(1)",
    "x.upper()",
    "x()",
    "x.y()",
    "x[0]()",
    "(summe)(summe)(1)",
    "summe.__call__([1])",
    "eval('1')",
    "exec('x = 1')",
    "compile('1', '', 'eval')",
    "open('/etc/passwd')",
    "getattr(x, 'y')",
    "type(x)",
    "vars()",
    "globals()",
    "print(1)",
    "input()",
    "breakpoint()",
    "(y := 1)",
    "x if (x := 1) else 2",
    "await x",
    "yield x",
    "(yield)",
    "*x",
    "[*x]",
    "summe(*x)",
    "summe(**x)",
    "summe(x, key='a')",
    "summe(x, schluessel=1)",
    "max(1, default=2)",
    "{1: 2}",
    "{}",
    "{1, 2}",
    "{**x}",
    "(1, 2)",
    "1, 2",
    "()",
    "1.000,50",
    "x[1:2]",
    "x[:]",
    "x[::1]",
    "x[1, 2]",
    "x[...]",
    "...",
    "b'x'",
    "rb'x'",
    "1j",
    "0x10",
    "0b1",
    "0o7",
    "007",
    "1e9",
    "1E999999999",
    "1_000",
    "5.",
    "1or 2",
    "1if x else 2",
    "9**9**9",
    "2 ** 2",
    "x << 99999",
    "x >> 1",
    "x | y",
    "x & y",
    "x ^ y",
    "~x",
    "x @ y",
    "x // y",
    "x % y",
    '"a" * 10**9',
    '"a" * 1000000000',
    "1000000000 * 'a'",
    "[0] * 1000000000",
    "[1] + [2]",
    "[[1]]",
    "x is null",
    "x is not None",
    "x = 1",
    "x == 1; y",
    "x == 1\ny == 2",
    "import os",
    "del x",
    "assert x",
    "pass",
    "return 1",
    "while true: pass",
    "x # y",
    "x \\\n + 1",
    r'"\x5f\x5fclass\x5f\x5f"',
    r'x["\N{LOW LINE}x"]',
    "x\x00",
    "\x00",
    "“x”",
    "„x“ == y",
    "",
    "   ",
    "\n",
    "9" * 35,
    "9" * 1500,
    "0." + "1" * 40,
    "1 / 0",
    "summe()",
    "summe([1], 'a', 2)",
    "runden('a')",
    '"1" < 2',
    "not 1",
    "1 + true",
    "datum('2025-02-30')",
    "datum('2025-W01-1')",
    "zahl('1e5')",
    "zahl('１２')",
    "zahl('NaN')",
    " * ".join(["9" * 20] * 6),
]

TOO_MUCH = [
    "(" * 1990,
    "(" * 250 + "1" + ")" * 250,
    "[" * 900 + "]" * 900,
    "-" * 1990 + "1",
    "not " * 490 + "x",
    "x" + ".a" * 900,
    "x" + "[0]" * 600,
    "1" + "+1" * 990,
    "1" + "<1" * 990,
    "summe(" * 300 + ")" * 300,
    "1 if " * 300 + "1" + " else 1" * 300,
    " or ".join(["x"] * 490),
    "[" + "1," * 900 + "]",
    "x" * 2001,
    "{" * 1000,
    'f"{' * 400,
    "lambda:" * 280 + "1",
]


@pytest.mark.parametrize("text", ESCAPES, ids=lambda text: text[:40] or "empty")
def test_escapes_are_refused_when_compiled(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.reason
    assert caught.value.column is None or 1 <= caught.value.column <= len(text) + 1


@pytest.mark.parametrize("text", ESCAPES, ids=lambda text: text[:40] or "empty")
def test_escapes_are_refused_in_a_part_of_an_expression_and_in_a_script(text: str) -> None:
    for around in ("(%s) == 1", "x and (%s)", "summe((%s))", "[1, (%s)]", "x[(%s)]"):
        with pytest.raises(ExpressionError):
            compile_expression(around.replace("%s", text))
    with pytest.raises(ExpressionError, match=r"^Zeile 2: "):
        compile_script("a = 1\nb = " + (text.replace("\n", " ").strip() or "("))


@pytest.mark.parametrize("text", TOO_MUCH, ids=lambda text: text[:20])
def test_too_long_too_deep_too_many_is_refused_quickly(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ExpressionError):
        compile_expression(text)
    assert time.process_time() - began < 1


def test_the_parser_has_nothing_to_warn_about() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for text in ESCAPES:
            with pytest.raises(ExpressionError):
                compile_expression(text)
    assert not seen


@pytest.mark.parametrize(
    ("text", "column"),
    [("a + __b", 5), ("  a + __b", 7), ('"ä" == x.__y', 8), ("a = 1", 3), ("a +\n b ** 2", 6), ("ä # b", 3)],
)
def test_the_column_counts_characters_of_the_text(text: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.column == column
    assert f"(Spalte {column})" in str(caught.value)


HOSTILE: dict[str, Any] = {
    "__class__": "data only",
    "__globals__": {"__builtins__": {"eval": 1}},
    "_x": 1,
    "items": "no method",
    "get": 5,
}


def test_hostile_keys_are_data_and_out_of_reach() -> None:
    names = {"x": HOSTILE, "k": "__class__", "l": ["_x"]}
    for text in ("x[k]", "x[l[0]]", 'x["__cla" + "ss__"]', 'x["_" + "x"]'):
        with pytest.raises(EvaluationError, match="nicht erlaubt"):
            compile_expression(text).evaluate(names)
    assert compile_expression("x.items").evaluate(names) == "no method"
    assert compile_expression("x.get + 1").evaluate(names) == 6


class Spy:
    """An object that must never be touched."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":  # isinstance asks
            return Spy
        raise AssertionError(f"touched {name}")


@pytest.mark.parametrize(
    "text",
    ["x", "x.a", "x[0]", "x == 1", "x + 1", "not x", "x in [1]", "1 in x", "summe(x)", "leer(x)", "l[0]"],
)
def test_objects_are_not_touched(text: str) -> None:
    with pytest.raises(EvaluationError, match="Spy ist in Ausdrücken nicht zugelassen"):
        compile_expression(text).evaluate({"x": Spy(), "l": [Spy()]})


class Loud(str):
    """A text whose own methods lie."""

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return "admin"

    def __eq__(self, other: object) -> bool:
        return True


class Liar(int):
    def __int__(self) -> int:
        return 10**6

    def __index__(self) -> int:
        return 10**6

    def __lt__(self, other: object) -> bool:
        return True


def test_methods_of_subclasses_are_not_asked() -> None:
    assert compile_expression('x == "admin"').evaluate({"x": Loud("gast")}) is False
    assert compile_expression("x").evaluate({"x": Liar(5)}) == 5


def test_mappings_that_are_no_dicts() -> None:
    assert compile_expression("x.a.b").evaluate({"x": UserDict({"a": UserDict({"b": 1})})}) == 1


def nested(levels: int) -> Any:
    data: Any = 1
    for _ in range(levels):
        data = [data]
    return data


def test_deep_data_does_no_harm() -> None:
    names = {"x": nested(5_000), "y": nested(5_000)}
    for text in ("x == y", "1 in x", "x in [1]", "summe(x)", "max(x)"):
        with pytest.raises(EvaluationError):
            compile_expression(text).evaluate(names)
    assert compile_expression("leer(x[0][0])").evaluate(names) is False


def test_a_list_that_holds_itself_does_no_harm() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for text in ("x == x", "x[0] in x", "summe(x)"):
        with pytest.raises(EvaluationError):
            compile_expression(text).evaluate({"x": loop})


@pytest.mark.parametrize(
    "script",
    [
        "a = t\n" + "a = a + a\n" * 40,
        "a = 99999999999\n" + "a = a * a\n" * 40,
        "a = 0.00000000001\n" + "a = 1 / (a * a)\n" * 40,
        "a = [1, 2]\n" + "a = [a, a]\n" * 40,
        "a = [1, 2]\n" + "a = a + a\n" * 40,
    ],
)
def test_values_that_double_line_by_line_hit_a_limit(script: str) -> None:
    with pytest.raises((EvaluationError, ExpressionError), match=r"länger als|zu groß|Liste"):
        compile_script(script).run({"t": "x"})


def test_the_slowest_expression_is_still_bounded() -> None:
    """Functions over a full list, as often as an expression may hold: steps are nodes times entries."""
    names = {"x": [{"b": Decimal("0.01")}] * 2_000}
    text = "+".join(['summe(x,"b")'] * 60)
    with pytest.raises(ExpressionError):
        compile_expression(text)
    began = time.process_time()
    compile_expression("max(" + ",".join(['summe(x,"b")'] * 70) + ")").evaluate(names)
    assert time.process_time() - began < 2


@given(st.text(max_size=60))
@example("(\ud800)")
@example("x\N{COMBINING DIAERESIS}")
def test_any_text_compiles_or_is_refused(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        compile_expression(text)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=5)
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=2)
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
LEAVES = st.sampled_from(
    ["a", "b", "a.b", "a[0]", "b.c.a", "1", "0.5", '"a"', "null", "true", '"2025-01-31"']
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    calls = st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=3))
    return (
        st.tuples(inner, OPERATORS, inner).map(lambda three: "({} {} {})".format(*three))
        | calls.map(lambda call: f"{call[0]}({', '.join(call[1])})")
        | inner.map(lambda one: f"(not {one})")
        | inner.map(lambda one: f"(-{one})")
        | st.tuples(inner, inner, inner).map(lambda three: "({} if {} else {})".format(*three))
        | st.tuples(inner, inner).map(lambda two: "[{}, {}]".format(*two))
        | st.tuples(inner, inner).map(lambda two: "{}[{}]".format(*two))
    )


@settings(max_examples=600, deadline=None)
@given(st.recursive(LEAVES, larger, max_leaves=8), st.fixed_dictionaries({"a": DATA, "b": DATA}))
def test_only_our_own_errors_come_out(text: str, names: dict[str, Any]) -> None:
    before = repr(names)
    with contextlib.suppress(ExpressionError, EvaluationError):
        compile_expression(text).evaluate(names)
    assert repr(names) == before
