"""What tables decide: the dog tax, each hit policy, each cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.engine.decisions import Decision, HitPolicy, Row, parse_dmn
from rathaus.engine.expressions import EvaluationError

DOG_TAX = (Path(__file__).parent / "hundesteuer.dmn").read_bytes()
Make = Callable[..., Decision]


def dogs(*dangerous: bool | None) -> dict[str, Any]:
    return {"antrag": {"hunde": [{"gefaehrlich": kind} for kind in dangerous]}}


@pytest.mark.parametrize(
    ("names", "amount", "ground", "rule"),
    [
        (dogs(False), "72.00", "Ersthund", 1),
        (dogs(None), "72.00", "Ersthund", 1),
        (dogs(False, False), "168.00", "Zweithund", 2),
        (dogs(*[False] * 5), "528.30", "Dritter und weitere Hunde", 3),
        (dogs(False, True), "600", "Gefährliche Hunde", 4),
        (dogs(True, True), "1200", "Gefährliche Hunde", 4),
    ],
)
def test_dog_tax(names: dict[str, Any], amount: str, ground: str, rule: int) -> None:
    decision = parse_dmn(DOG_TAX)["hundesteuer"]
    assert decision.evaluate(names) == {"steuer": Decimal(amount), "grund": ground}
    reasons = decision.explain(names)
    assert [row.number for row in reasons.rows] == [rule]
    assert reasons.rows[0].annotation.endswith("der Satzung")
    assert reasons.inputs["Hunde im Haushalt"] == len(names["antrag"]["hunde"])


def test_dog_tax_describes_itself() -> None:
    decision = parse_dmn(DOG_TAX)["hundesteuer"]
    assert (decision.id, decision.name) == ("hundesteuer", "Hundesteuer im Jahr")
    assert decision.hit_policy is HitPolicy.UNIQUE
    assert [column.label for column in decision.inputs] == ["Hunde im Haushalt", "Gefährlicher Hund"]
    assert [(output.name, output.label) for output in decision.outputs] == [
        ("steuer", "Steuer in Euro"),
        ("grund", "Rechtsgrund"),
    ]
    assert decision.names == {"antrag"}
    assert decision.paths == {"antrag.hunde"}


def test_values_outside_the_allowed_ones_are_an_error() -> None:
    with pytest.raises(EvaluationError) as caught:
        parse_dmn(DOG_TAX)["hundesteuer"].evaluate(dogs())
    assert caught.value.reason == (
        "Tabelle „Hundesteuer im Jahr“: Eingabe „Hunde im Haushalt“: Der Wert „0“ ist nicht vorgesehen."
    )


RULES = [["< 10", '"klein"'], ["[5..20]", '"mittel"'], ["> 15", '"groß"']]
SIZES = ([("x", "number")], [("art", "string")])


@pytest.mark.parametrize(
    ("policy", "options", "x", "expected", "rows"),
    [
        ("UNIQUE", {}, 3, "klein", [1]),
        ("UNIQUE", {}, 12, "mittel", [2]),
        ("FIRST", {}, 7, "klein", [1]),
        ("FIRST", {}, 18, "mittel", [2]),
        ("PRIORITY", {"output_values": '"groß","mittel","klein"'}, 18, "groß", [3]),
        ("PRIORITY", {"output_values": '"groß","mittel","klein"'}, 7, "mittel", [2]),
        ("RULE ORDER", {}, 7, ["klein", "mittel"], [1, 2]),
        ("RULE ORDER", {}, 3, ["klein"], [1]),
        ("COLLECT", {}, 18, ["mittel", "groß"], [2, 3]),
        ("COLLECT", {"aggregation": "COUNT"}, 18, Decimal(2), [2, 3]),
    ],
)
def test_hit_policies(
    table: Make, policy: str, options: dict[str, str], x: int, expected: Any, rows: list[int]
) -> None:
    reasons = table(*SIZES, RULES, policy=policy, **options).explain({"x": x})
    assert reasons.result == expected
    assert [row.number for row in reasons.rows] == rows
    assert reasons.inputs == {"x": x}


def test_unique_with_two_hits_names_them(table: Make) -> None:
    with pytest.raises(EvaluationError, match=r"mehrere Regeln zu \(1, 2\)"):
        table(*SIZES, RULES).evaluate({"x": 7})


def test_any_wants_the_same_outputs(table: Make) -> None:
    rules = [["< 10", '"a"'], ["> 5", '"a"'], ["> 8", '"b"']]
    decision = table(*SIZES, rules, policy="ANY")
    assert decision.evaluate({"x": 7}) == "a"
    assert [row.number for row in decision.explain({"x": 7}).rows] == [1, 2]
    with pytest.raises(EvaluationError, match="Regeln 1, 2, 3 treffen zu, geben aber Verschiedenes aus"):
        decision.evaluate({"x": 9})


@pytest.mark.parametrize(
    ("aggregation", "expected", "empty"),
    [("SUM", "31.35", None), ("MIN", "0.10", None), ("MAX", "31.25", None), ("COUNT", "2", Decimal(0))],
)
def test_aggregations_are_exact(table: Make, aggregation: str, expected: str, empty: Any) -> None:
    fees = [["> 1", "0.10"], ["> 2", "12.5 * 2.5"]]
    decision = table([("x", "number")], [("g", "number")], fees, policy="COLLECT", aggregation=aggregation)
    assert decision.evaluate({"x": 5}) == Decimal(expected)
    assert decision.evaluate({"x": 0}) == empty


def test_priority_of_several_outputs_goes_by_columns(table: Make) -> None:
    rules = [["-", "2", "1"], ["-", "1", "2"], ["-", "1", "1"]]
    outputs = [("a", "number"), ("b", "number")]
    decision = table([("x", "number")], outputs, rules, policy="PRIORITY", output_values="1,2")
    assert decision.evaluate({"x": 0}) == {"a": 1, "b": 1}


@pytest.mark.parametrize("policy", ["UNIQUE", "FIRST", "ANY"])
def test_no_hit_is_none_or_the_default(table: Make, policy: str) -> None:
    rules = [["1", '"eins"']]
    assert table(*SIZES, rules, policy=policy).evaluate({"x": 2}) is None
    reasons = table(*SIZES, rules, policy=policy, default='"viele"').explain({"x": 2})
    assert (reasons.result, reasons.rows) == ("viele", ())


@pytest.mark.parametrize("policy", ["COLLECT", "RULE ORDER"])
def test_no_hit_is_an_empty_list_where_lists_are_given(table: Make, policy: str) -> None:
    assert table(*SIZES, [["1", '"eins"']], policy=policy).evaluate({"x": 2}) == []


def test_annotations(table: Make) -> None:
    decision = table(*SIZES, RULES, notes=["§ 1\n der Satzung", "§ 2"], policy="RULE ORDER")
    assert decision.explain({"x": 18}).rows == (Row(2, "§ 2"), Row(3, ""))
    assert decision.explain({"x": 1}).rows == (Row(1, "§ 1 der Satzung"),)


@pytest.mark.parametrize(
    ("cell", "hits", "misses"),
    [
        ("-", [1, "a", None, True], []),
        ("", [1, None], []),
        ("1", [1, 1.0, Decimal("1.00")], [2, None]),
        ("-1", [-1], [1]),
        ("1, 2,3", [1, 2, 3], [4, None]),
        ('"a"', ["a"], ["A", None]),
        ('"a","b"', ["a", "b"], ["a,b"]),
        ('"a,b"', ["a,b"], ["a", "b"]),
        ('"not(x)"', ["not(x)"], ["x"]),
        ('"[1..3]"', ["[1..3]"], ["1"]),
        ("true", [True], [False, None]),
        ("null", [None], [0]),
        ("<= 3", [3, -1], [4, None]),
        (">=3", [3], [2]),
        ("<3", [2], [3]),
        (">\t3", [4], [3]),
        ("< 1, > 3", [0, 4], [1, 3]),
        ("[1..3]", [1, 2, 3], [0, 4, None]),
        ("(1..3]", [2, 3], [1]),
        ("]1..3]", [2, 3], [1]),
        ("[1..3)", [1, 2], [3]),
        ("]1..3[", [2], [1, 3]),
        ("(1..3)", [2], [1, 3]),
        ("[ 1.5 .. 2.5 ]", [1.5, 2.5], [1.4, 2.6]),
        ("[-3..-1]", [-2], [0]),
        ("[1..2], ]5..6[ , 9", [1, 5.5, 9], [5, 6, 3]),
        ("not(1)", [2, None], [1]),
        ("not (1, [5..7])", [2, 8], [1, 6]),
        ('not("a","b")', ["c", None], ["a", "b"]),
        ("not(null)", [1], [None]),
        ("(1 + 2) * 3", [9], [3]),
        ("max(1, 2), 7", [2, 7], [1]),
        ("<= grenze", [10], [11]),
        ("[grenze..grenze * 2]", [10, 20], [21]),
        ("gruppe.wert", [5], [6]),
        ('date("2025-01-31")', [date(2025, 1, 31)], [date(2025, 2, 1)]),
        ('< date("2025-01-31")', [date(2025, 1, 30)], [date(2025, 1, 31), None]),
        ('[date("2025-01-01")..date("2025-12-31")]', [date(2025, 6, 1)], [date(2026, 1, 1)]),
    ],
)
def test_cells(one_cell: Make, cell: str, hits: list[Any], misses: list[Any]) -> None:
    decision = one_cell(cell)
    names = {"grenze": 10, "gruppe": {"wert": 5}}
    for value in hits:
        assert decision.evaluate(names | {"x": value}) is True, value
    for value in misses:
        assert decision.evaluate(names | {"x": value}) is None, value


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("number", "5", "Erwartet wird eine Zahl, nicht ein Text"),
        ("number", True, "Erwartet wird eine Zahl, nicht Ja/Nein"),
        ("integer", 1.5, "Erwartet wird eine ganze Zahl, nicht 1.5"),
        ("string", 5, "Erwartet wird ein Text, nicht eine Zahl"),
        ("boolean", "true", "Erwartet wird Ja oder Nein, nicht ein Text"),
        ("date", "31.01.2025", "kein Datum"),
        ("date", 20250131, "Erwartet wird ein Datum"),
        ("number", [1], "nicht eine Liste"),
        ("string", {"a": 1}, "nicht eine Gruppe"),
    ],
)
def test_inputs_of_the_wrong_kind_are_an_error(one_cell: Make, kind: str, value: Any, words: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        one_cell("-", kind).evaluate({"x": value})
    assert caught.value.reason.startswith("Tabelle „Tabelle“: Eingabe „x“: ")
    assert words in caught.value.reason


@pytest.mark.parametrize("kind", ["number", "integer", "string", "boolean", "date", "long", "double", "Any"])
def test_a_missing_input_is_of_any_kind(one_cell: Make, kind: str) -> None:
    assert one_cell("-", kind).evaluate({"x": None}) is True


def test_dates_come_as_text_too(table: Make) -> None:
    rules = [['>= date("2025-02-01")', '"2025-12-31"']]
    decision = table([("antrag.ab", "date")], [("bis", "date")], rules)
    assert decision.evaluate({"antrag": {"ab": "2025-02-01"}}) == date(2025, 12, 31)
    assert decision.evaluate({"antrag": {"ab": date(2025, 1, 31)}}) is None


def test_unlike_kinds_without_a_declared_kind_are_an_error(one_cell: Make) -> None:
    with pytest.raises(EvaluationError, match=r"Regel 1: .* ein Text und eine Zahl"):
        one_cell("5").evaluate({"x": "5"})


@pytest.mark.parametrize(
    ("names", "words"),
    [({}, "„x“ ist nicht bekannt"), ({"x": 1}, "Regel 1: „y“ ist nicht bekannt"), ({"x": 1, "y": 1}, "„z“")],
)
def test_a_name_that_is_not_given_is_an_error(table: Make, names: dict[str, Any], words: str) -> None:
    decision = table([("x", "number")], [("a", "number")], [["<= y", "z"]])
    with pytest.raises(EvaluationError, match=words):
        decision.evaluate(names)


def test_computed_outputs_are_checked(table: Make) -> None:
    decision = table([("x", "number")], [("art", "string")], [["-", "y"]], output_values='"a","b"')
    assert decision.evaluate({"x": 1, "y": "b"}) == "b"
    for value, words in (("c", "„c“ ist nicht vorgesehen"), (1, "ein Text"), (None, "leerer Wert")):
        with pytest.raises(EvaluationError, match=f"Regel 1: Ausgabe „art“: .*{words}"):
            decision.evaluate({"x": 1, "y": value})


def test_an_empty_output_is_none(table: Make) -> None:
    assert table(*SIZES, [["-", ""]]).evaluate({"x": 1}) is None


@pytest.mark.parametrize(
    "namespace",
    ["http://www.omg.org/spec/DMN/20180521/MODEL/", "http://www.omg.org/spec/DMN/20151101/dmn.xsd"],
)
def test_older_versions(table: Make, namespace: str) -> None:
    assert table(*SIZES, RULES, namespace=namespace).evaluate({"x": 1}) == "klein"


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 10), st.integers(1, 9)), min_size=1, max_size=8),
    st.integers(-25, 35),
)
def test_collect_agrees_with_a_plain_loop(
    write: Callable[..., bytes], rules: list[tuple[int, int, int]], x: int
) -> None:
    rows = [[f"[{low}..{low + width}[" if width else str(low), str(result)] for low, width, result in rules]
    decision = parse_dmn(write([("x", "number")], [("y", "number")], rows, policy="COLLECT"))["tabelle"]
    expected = [result for low, width, result in rules if (low <= x < low + width if width else low == x)]
    assert decision.evaluate({"x": x}) == expected
