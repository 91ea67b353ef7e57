"""What a DMN file may not hold, and what a hostile one tries."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rathaus.engine.decisions import Decision, DecisionError, Problem, examine, parse_dmn

DOG_TAX = (Path(__file__).parent / "hundesteuer.dmn").read_text(encoding="utf-8")
Make = Callable[..., Decision]
Write = Callable[..., bytes]
X = [("x", "number")]
Y = [("y", "number")]


def problems(xml: bytes | str) -> tuple[Problem, ...]:
    with pytest.raises(DecisionError) as caught:
        parse_dmn(xml.encode() if isinstance(xml, str) else xml)
    return caught.value.problems


def reasons(xml: bytes | str) -> str:
    return " | ".join(problem.reason for problem in problems(xml))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "().__class__.__bases__[0].__subclasses__()",
        "x.__class__",
        "[c for c in x]",
        "lambda: 1",
        'f"{x}"',
        '"%s" % x',
        '"{}".format(x)',
        "9**9**9",
        '"a" * 1000000000',
        "(" * 1900,
        "1" * 3000,
        "x = 1",
        "open('/etc/passwd')",
    ],
)
def test_injections_are_refused_wherever_a_text_stands(write: Write, text: str) -> None:
    assert problems(write([(text[:60], "Any")] if len(text) > 60 else [(text, "Any")], Y, [["-", "1"]]))
    assert problems(write(X, Y, [[text, "1"]]))
    assert problems(write(X, Y, [[f"< {text}", "1"]]))
    assert problems(write(X, Y, [[f"[1..{text}]", "1"]]))
    assert problems(write(X, Y, [[f"not({text})", "1"]]))
    assert problems(write(X, Y, [["-", text]]))
    assert problems(write(X, Y, [["-", "1"]], default=text))
    assert problems(write(X, Y, [["-", "1"]], input_values=text))
    assert problems(write(X, Y, [["-", "1"]], output_values=text))


@pytest.mark.parametrize(
    "cell",
    [
        "[1..3",
        "[1..]",
        "[..3]",
        "[1..3]]",
        "[1..3] 4",
        "[3..1]",
        "[1...3]",
        "[1, 2]",
        "[1]",
        "]1",
        '[1.."a"]',
        '["a".."b"]',
        '< "a"',
        "< true",
        "<",
        "= 5",
        "== 5",
        "!= 5",
        "1,",
        ",1",
        "1,,2",
        "not(",
        "not(1",
        "not()",
        "not(1),(2)",
        "not 1",
        '"a',
        '"a"',
        "1;2",
        "1..3",
        "> 1 and < 3",
        "1/0",
        'date("2025-02-30")',
        "()",
        "1,000.50 €",
    ],
)
def test_cells_that_are_no_tests_are_refused(write: Write, cell: str) -> None:
    found = problems(write(X, Y, [["1", "1"], [cell, "2"]]))
    assert all(problem.reason.startswith("Regel 2, Eingabe „x“: ") for problem in found)
    assert all(problem.element == "inputEntry" for problem in found)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("number", '"a"'),
        ("string", "1"),
        ("boolean", '"true"'),
        ("date", '"2025-01-01"'),
        ("integer", "not(true)"),
    ],
)
def test_constants_of_another_kind_than_the_column_are_refused(write: Write, kind: str, cell: str) -> None:
    assert "Erwartet wird" in reasons(write([("x", kind)], Y, [[cell, "1"]]))
    assert parse_dmn(write([("x", kind)], Y, [["null", "1"]]))


def test_outputs_of_another_kind_or_outside_the_allowed_are_refused(write: Write) -> None:
    assert "Ausgabe „y“: Erwartet wird eine Zahl" in reasons(write(X, Y, [["-", '"a"']]))
    assert "nicht vorgesehen" in reasons(write(X, Y, [["-", "3"]], output_values="1,2"))
    assert "von keinem Namen" in reasons(write(X, Y, [["-", "1"]], output_values="x"))
    assert "Erwartet wird" in reasons(write(X, Y, [["-", "1"]], default="true"))


def test_all_problems_are_told_at_once_with_element_and_line(write: Write) -> None:
    found = problems(write([("x +", "number"), ("z", "datum")], Y, [["1", "-", "a b"], ["<", "-", "2"]]))
    assert [(problem.element, problem.line) for problem in found] == [
        ("inputExpression e0", 5),
        ("inputExpression e1", 6),
    ]
    found = problems(write(X, Y, [["<", "__a"], ["1", "1", "1"]]))
    assert [(problem.element, problem.line) for problem in found] == [
        ("inputEntry", 7),
        ("outputEntry", 7),
        ("rule r1", 8),
    ]
    with pytest.raises(DecisionError, match=r"Zeile 8, rule r1: Regel 2: Die Zahl der Zellen"):
        parse_dmn(write(X, Y, [["<", "__a"], ["1", "1", "1"]]))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("https://www.omg.org/spec/DMN/20191111/MODEL/", "urn:x", "keine DMN-Datei"),
        ("UNIQUE", "OUTPUT ORDER", "Trefferregel „OUTPUT ORDER“"),
        ("UNIQUE", "unique", "Trefferregel"),
        ("UNIQUE", "PRIORITY", "vorgegebenen Werten"),
        ('hitPolicy="UNIQUE"', 'hitPolicy="UNIQUE" aggregation="SUM"', "nur bei COLLECT"),
        ('hitPolicy="UNIQUE"', 'hitPolicy="COLLECT" aggregation="AVG"', "nur bei COLLECT"),
        ('hitPolicy="UNIQUE"', 'hitPolicy="COLLECT" aggregation="SUM"', "genau eine Ausgabe"),
        ('name="grund"', 'name="steuer"', "verschiedene Namen"),
        ('name="grund"', 'name="__class__"', "Buchstaben und Ziffern"),
        ('name="grund"', "", "Buchstaben und Ziffern"),
        ('typeRef="boolean"', 'typeRef="tWahrheit"', "Die Art „tWahrheit“"),
        ('typeRef="boolean"', 'typeRef="boolean" expressionLanguage="groovy"', "Die Sprache „groovy“"),
        ('label="Gefährlicher Hund"', 'label="Hunde im Haushalt"', "dieselbe Bezeichnung"),
        ("requiredInput", "requiredDecision", "von einer anderen ab"),
        ('<decision id="hundesteuer"', "<decision", "eigene id"),
        ("decisionTable", "literalExpression", "„literalExpression“ wird nicht unterstützt"),
        ("decisionTable", "context", "„context“ wird nicht unterstützt"),
        ("inputData", "businessKnowledgeModel", "„businessKnowledgeModel“ wird nicht unterstützt"),
        ("inputData", "decisionService", "„decisionService“ wird nicht unterstützt"),
        ("inputData", "itemDefinition", "„itemDefinition“ wird nicht unterstützt"),
        ('<inputData id="antrag"', '<import locationURI="http://localhost/x"', "„import“ wird nicht"),
        ("inputExpression", "inputVariable", "keinen Ausdruck"),
        ("anzahl(antrag.hunde)", "", "leer"),
        ("<?xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><?xml", "kein gültiges XML"),
        ("<definitions", "<!DOCTYPE x [<!ENTITY a 'b'>]><definitions", "DOCTYPE"),
        ("<definitions", "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><definitions", "DOCTYPE"),
        ("</definitions>", "", "kein gültiges XML"),
    ],
)
def test_what_is_not_a_table_of_ours_is_refused(old: str, new: str, words: str) -> None:
    assert old in DOG_TAX
    assert words in reasons(DOG_TAX.replace(old, new))


def test_two_decisions_need_two_ids() -> None:
    start, end = DOG_TAX.index("<decision "), DOG_TAX.index("</decision>") + len("</decision>")
    decision = DOG_TAX[start:end]
    assert "eigene id" in reasons(DOG_TAX.replace(decision, decision * 2))
    renamed = decision.replace('"hundesteuer"', '"zweite"')
    assert list(parse_dmn(DOG_TAX.replace(decision, decision + renamed).encode())) == [
        "hundesteuer",
        "zweite",
    ]
    assert "mehr als 50" in reasons(DOG_TAX.replace(decision, decision * 51))
    assert "keine Entscheidung" in reasons(DOG_TAX.replace(decision, ""))


def test_empty_tables_are_refused(write: Write) -> None:
    for empty in (write([], Y, [["1"]]), write(X, [], [["-"]]), write(X, Y, [])):
        assert "mindestens eine" in reasons(empty)


def test_size(write: Write) -> None:
    rules = [[str(number), str(number * 2)] for number in range(1_000)]
    decision = parse_dmn(write(X, Y, rules))["tabelle"]
    assert decision.evaluate({"x": 999}) == 1998
    began = time.process_time()
    assert examine(decision).overlaps == ()
    assert time.process_time() - began < 5
    assert "höchstens 1000 Regeln" in reasons(write(X, Y, [*rules, ["-", "1"]]))
    columns = [(f"x{n}", "number") for n in range(31)]
    assert "höchstens" in reasons(write(columns, Y, [["-"] * 31 + ["1"]]))
    assert "zu groß" in reasons(write(X, Y, [['"' + "x" * 1_000_000 + '"', "1"]]))
    assert "länger als 2000 Zeichen" in reasons(write(X, Y, [["1," * 1_000 + "1", "1"]]))


def test_refusing_a_full_table_is_quick(write: Write) -> None:
    began = time.process_time()
    assert len(problems(write(X, Y, [["[1..", "__a"]] * 1_000))) == 2_000
    assert time.process_time() - began < 5


class TestCoverage:
    """The hints for designers: rules that overlap and inputs that nothing covers."""

    def test_the_dog_tax_is_complete(self) -> None:
        assert examine(parse_dmn(DOG_TAX.encode())["hundesteuer"]) == ((), ())

    def test_overlaps_of_ranges(self, table: Make) -> None:
        rules = [["[1..5]", "1"], ["]5..8]", "2"], ["[8..9]", "3"], ["> 8.5, < 1", "4"]]
        assert examine(table(X, Y, rules)) == (((2, 3), (3, 4)), ())
        assert examine(table(X, Y, rules, policy="FIRST")).overlaps == ()

    def test_gaps_between_and_beside_the_rules(self, table: Make) -> None:
        found = examine(table(X, Y, [["[1..5[", "1"], ["]5..9]", "2"]])).gaps
        assert [gap["x"] for gap in found] == [0, 5, 10]

    def test_whole_numbers_have_nothing_between_them(self, table: Make) -> None:
        rules = [["<= 2", "1"], ["[3..4]", "2"], ["> 4", "3"]]
        assert examine(table([("x", "integer")], Y, rules)) == ((), ())
        assert examine(table(X, Y, rules)).gaps == ({"x": 2.5},)

    def test_texts_and_booleans(self, table: Make) -> None:
        columns = [("art", "string"), ("neu", "boolean")]
        rules = [['"a"', "true", "1"], ['not("a")', "-", "2"], ['"b"', "false", "3"]]
        found = examine(table(columns, Y, rules))
        assert found.overlaps == ((2, 3),)
        assert found.gaps == ({"art": "a", "neu": False},)

    def test_dates(self, table: Make) -> None:
        rules = [['< date("2025-01-01")', "1"], ['> date("2025-01-01")', "2"]]
        gaps = examine(table([("x", "date")], Y, rules)).gaps
        assert [gap["x"].isoformat() for gap in gaps] == ["2025-01-01"]

    def test_allowed_values_and_defaults_close_gaps(self, table: Make) -> None:
        assert examine(table(X, Y, [["1", "1"], ["2", "2"]], input_values="1,2")).gaps == ()
        assert examine(table(X, Y, [["1", "1"]], default="0")).gaps == ()
        assert examine(table(X, Y, [["1", "1"]], policy="COLLECT")).gaps == ()

    @pytest.mark.parametrize(
        ("kind", "rules"),
        [
            ("number", [["< y", "1"], ["< y", "2"]]),
            ("Any", [["1", "1"], ['"a"', "1"]]),
            ("Any", [["null", "1"]]),
        ],
    )
    def test_nothing_is_said_where_nothing_is_known(
        self, table: Make, kind: str, rules: list[list[str]]
    ) -> None:
        assert examine(table([("x", kind)], Y, rules)) == ((), ())
