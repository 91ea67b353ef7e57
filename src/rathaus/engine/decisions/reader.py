"""From a DMN file to compiled tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from lxml import etree

from rathaus.engine.expressions import (
    EvaluationError,
    Expression,
    ExpressionError,
    compile_expression,
    describe,
    short,
)
from rathaus.engine.xml import XmlRefused, read_xml

from .cells import Cell, compile_cell
from .table import KINDS, Aggregation, Decision, HitPolicy, Input, Kind, Output, Rule

DECISIONS_AT_MOST = 50
RULES_AT_MOST = 1_000
COLUMNS_AT_MOST = 30

# 1.3 is what the common editors write; the tables of 1.2 and 1.1 differ from it in their namespace alone.
NAMESPACES = frozenset(
    {
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    }
)

_DRAWN = frozenset(
    {
        "description",
        "extensionElements",
        "inputData",
        "knowledgeSource",
        "textAnnotation",
        "association",
        "group",
    }
)
_TOLD = frozenset(
    {"description", "extensionElements", "question", "allowedAnswers", "variable", "authorityRequirement"}
)
_OUTPUT_NAME = re.compile(r"(?!_)\w+")

Made = TypeVar("Made")


class Problem(NamedTuple):
    """What is wrong with one element: its tag and id, its line (None if unknown), a German sentence."""

    element: str
    line: int | None
    reason: str


class DecisionError(Exception):
    """The file is refused as a whole, with everything that was found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        lines = (f"Zeile {line}, {element}: {reason}" for element, line, reason in problems)
        super().__init__("; ".join(lines))
        self.problems = problems


def parse_dmn(xml: bytes) -> dict[str, Decision]:
    """The decision tables of a DMN 1.3 file (at most 1 MB), by their id, in the order of the file.

    Raises DecisionError with every problem, among them whatever DMN knows beyond tables.
    """
    try:
        root = read_xml(xml)
    except XmlRefused as error:
        raise DecisionError((Problem("Datei", error.line, error.reason),)) from None
    reader = _Reader(root)
    decisions = reader.read()
    if reader.problems:
        raise DecisionError(tuple(reader.problems))
    return decisions


class _Reader:
    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.problems: list[Problem] = []

    def problem(self, element: etree._Element, reason: str) -> None:
        where = f"{_tag(element)} {short(element.get('id', ''))}".strip()
        line = element.sourceline
        self.problems.append(Problem(where, line if isinstance(line, int) else None, reason))

    def read(self) -> dict[str, Decision]:
        root = self.root
        if _tag(root) != "definitions" or _namespace(root) not in NAMESPACES:
            self.problem(root, "Das ist keine DMN-Datei der Versionen 1.1 bis 1.3.")
            return {}
        decisions: dict[str, Decision] = {}
        elements = []
        for child in _children(root):
            if _tag(child) == "decision":
                elements.append(child)
            elif _tag(child) not in _DRAWN:
                self.problem(
                    child, f"„{_tag(child)}“ wird nicht unterstützt; erlaubt sind Entscheidungstabellen."
                )
        if not elements:
            self.problem(root, "Die Datei enthält keine Entscheidung.")
        if len(elements) > DECISIONS_AT_MOST:
            self.problem(root, f"Die Datei enthält mehr als {DECISIONS_AT_MOST} Entscheidungen.")
            return {}
        for element in elements:
            key = element.get("id", "")
            if not key or key in decisions:
                self.problem(element, "Die Entscheidung braucht eine eigene id.")
            before = len(self.problems)
            decision = self.decision(element)
            if decision is not None and len(self.problems) == before:
                decisions[key] = decision
        return decisions

    def decision(self, element: etree._Element) -> Decision | None:
        table = None
        for child in _children(element):
            tag = _tag(child)
            if tag == "decisionTable":
                table = child
            elif tag == "informationRequirement":
                if any(_tag(inner) == "requiredDecision" for inner in child):
                    self.problem(
                        child,
                        "Die Entscheidung hängt von einer anderen ab. Lassen Sie den Prozess beide "
                        "nacheinander treffen und übergeben Sie das Ergebnis unter einem Namen.",
                    )
            elif tag not in _TOLD:
                self.problem(
                    child, f"„{tag}“ wird nicht unterstützt; eine Entscheidung ist hier eine Tabelle."
                )
        if table is None:
            self.problem(element, "Die Entscheidung hat keine Tabelle.")
            return None
        return self.table(element, table)

    def table(self, decision: etree._Element, table: etree._Element) -> Decision | None:
        policy, aggregation = self.policy(table)
        inputs = [self.input(child) for child in _children(table, "input")]
        outputs = [self.output(child) for child in _children(table, "output")]
        rules = _children(table, "rule")
        for child in _children(table):
            if _tag(child) not in (
                "input",
                "output",
                "rule",
                "annotation",
                "description",
                "extensionElements",
            ):
                self.problem(child, f"„{_tag(child)}“ wird in Tabellen nicht unterstützt.")
        if not inputs or not outputs or not rules:
            self.problem(table, "Die Tabelle braucht mindestens eine Eingabe, eine Ausgabe und eine Regel.")
        if max(len(inputs), len(outputs)) > COLUMNS_AT_MOST or len(rules) > RULES_AT_MOST:
            self.problem(
                table,
                f"Erlaubt sind höchstens {RULES_AT_MOST} Regeln und je {COLUMNS_AT_MOST} Ein- und Ausgaben.",
            )
            return None
        columns = [column for column in inputs if column is not None]
        results = [output for output in outputs if output is not None]
        if len(columns) != len(inputs) or len(results) != len(outputs):
            return None
        self.check_columns(table, columns, results, policy, aggregation)
        rows = [self.rule(number, rule, columns, results) for number, rule in enumerate(rules, start=1)]
        return Decision(
            id=decision.get("id", ""),
            name=decision.get("name", "") or decision.get("id", ""),
            inputs=tuple(columns),
            outputs=tuple(results),
            hit_policy=policy,
            aggregation=aggregation,
            rules=tuple(row for row in rows if row is not None),
        )

    def policy(self, table: etree._Element) -> tuple[HitPolicy, Aggregation | None]:
        policy, aggregation = table.get("hitPolicy", "UNIQUE"), table.get("aggregation")
        if policy not in {known.value for known in HitPolicy}:
            self.problem(
                table, f"Die Trefferregel „{short(policy)}“ wird nicht unterstützt (U, F, A, P, R oder C)."
            )
            policy = "UNIQUE"
        if aggregation is not None and (
            policy != "COLLECT" or aggregation not in {known.value for known in Aggregation}
        ):
            self.problem(table, f"„{short(aggregation)}“ gibt es nur bei COLLECT: SUM, MIN, MAX oder COUNT.")
            aggregation = None
        return HitPolicy(policy), Aggregation(aggregation) if aggregation else None

    def check_columns(
        self,
        table: etree._Element,
        inputs: list[Input],
        outputs: list[Output],
        policy: HitPolicy,
        aggregation: Aggregation | None,
    ) -> None:
        if len({column.label for column in inputs}) < len(inputs):
            self.problem(table, "Zwei Eingaben haben dieselbe Bezeichnung.")
        if len({output.name for output in outputs}) < len(outputs):
            self.problem(table, "Mehrere Ausgaben brauchen verschiedene Namen.")
        if len(outputs) > 1 and not all(_OUTPUT_NAME.fullmatch(output.name) for output in outputs):
            self.problem(table, "Mehrere Ausgaben brauchen Namen aus Buchstaben und Ziffern.")
        if aggregation is not None and len(outputs) > 1:
            self.problem(table, f"{aggregation.value} braucht genau eine Ausgabe.")
        if policy is HitPolicy.PRIORITY and not any(output.ranking for output in outputs):
            self.problem(
                table, "PRIORITY braucht eine Ausgabe mit vorgegebenen Werten, die wichtigsten zuerst."
            )

    def input(self, element: etree._Element) -> Input | None:
        inner = _child(element, "inputExpression")
        if inner is None:
            self.problem(element, "Die Eingabe hat keinen Ausdruck.")
            return None
        text = self.text(inner)
        label = short(element.get("label") or text)
        kind = self.kind(inner)
        expression = self.made(inner, f"Eingabe „{label}“", lambda: compile_expression(text))
        allowed = self.values(element, "inputValues", f"Eingabe „{label}“", kind)
        return None if expression is None else Input(label, expression, kind, allowed)

    def output(self, element: etree._Element) -> Output:
        name = element.get("name", "")
        label = short(element.get("label") or name or "Ergebnis")
        kind = self.kind(element)
        where = f"Ausgabe „{label}“"
        ranking = self.values(element, "outputValues", where, kind).constants()
        if ranking is None:
            self.problem(element, f"{where}: Vorgegebene Werte dürfen von keinem Namen abhängen.")
        output = Output(name, label, kind, ranking or (), default=None)
        entry = _child(element, "defaultOutputEntry")
        return output if entry is None else replace(output, default=self.result(entry, where, output))

    def rule(
        self, number: int, element: etree._Element, inputs: list[Input], outputs: list[Output]
    ) -> Rule | None:
        conditions, results = _children(element, "inputEntry"), _children(element, "outputEntry")
        if len(conditions) != len(inputs) or len(results) != len(outputs):
            self.problem(element, f"Regel {number}: Die Zahl der Zellen passt nicht zu den Spalten.")
            return None
        cells = [
            self.cell(cell, f"Regel {number}, Eingabe „{column.label}“", column.kind)
            for cell, column in zip(conditions, inputs, strict=True)
        ]
        expressions = []
        for cell, output in zip(results, outputs, strict=True):
            expressions.append(self.result(cell, f"Regel {number}, Ausgabe „{output.label}“", output))
        notes = [*_children(element, "description"), *_children(element, "annotationEntry")]
        annotation = "; ".join(filter(None, (" ".join(_text(note).split()) for note in notes)))
        return Rule(tuple(cells), tuple(made for made in expressions if made is not None), annotation)

    def cell(self, element: etree._Element, where: str, kind: Kind | None) -> Cell:
        text = self.text(element)
        cell = self.made(element, where, lambda: compile_cell(text)) or Cell(None)
        # Whole numbers may be compared with any number; a date only with a date, not with its text.
        kind = KINDS["number"] if kind is KINDS["integer"] else kind
        for constant in cell.constants() or ():
            if kind is not None and constant is not None and not kind.fits(constant):
                self.problem(element, f"{where}: Erwartet wird {kind.words}, nicht {describe(constant)}.")
        return cell

    def values(self, element: etree._Element, tag: str, where: str, kind: Kind | None) -> Cell:
        inner = _child(element, tag)
        return Cell(None) if inner is None else self.cell(inner, where, kind)

    def result(self, element: etree._Element, where: str, output: Output) -> Expression | None:
        text = self.text(element)
        expression = self.made(
            element, where, lambda: compile_expression("null" if text in ("", "-") else text)
        )
        if expression is not None and not expression.names:
            self.made(element, where, lambda: output.checked(expression.evaluate({})))
        return expression

    def kind(self, element: etree._Element) -> Kind | None:
        name = element.get("typeRef", "Any").removeprefix("feel:")
        if name == "Any":
            return None
        if name not in KINDS:
            self.problem(
                element, f"Die Art „{short(name)}“ wird nicht unterstützt; bekannt sind {', '.join(KINDS)}."
            )
        return KINDS.get(name)

    def text(self, element: etree._Element) -> str:
        language = element.get("expressionLanguage", "feel")
        if "feel" not in language.lower():
            self.problem(element, f"Die Sprache „{short(language)}“ wird nicht unterstützt.")
        inner = _child(element, "text")
        return "" if inner is None else _text(inner)

    def made(self, element: etree._Element, where: str, make: Callable[[], Made]) -> Made | None:
        try:
            return make()
        except (ExpressionError, EvaluationError) as error:
            self.problem(element, f"{where}: {error.reason}")
            return None


def _namespace(element: etree._Element) -> str:
    return etree.QName(element).namespace or ""


def _tag(element: etree._Element) -> str:
    return etree.QName(element).localname


def _children(element: etree._Element, tag: str | None = None) -> list[etree._Element]:
    """The children of DMN's own; what editors add in other namespaces (pictures, colours) means nothing."""
    return [
        child for child in element if _namespace(child) in NAMESPACES and (tag is None or _tag(child) == tag)
    ]


def _child(element: etree._Element, tag: str) -> etree._Element | None:
    return next(iter(_children(element, tag)), None)


def _text(element: etree._Element) -> str:
    return "".join(str(text) for text in element.itertext()).strip()
