"""The usual case: a table of six rows, a gateway, a clerk, a gateway, an approver, an operation."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

import pytest
from tests.engine.workflow.diagrams import bpmn, exclusive, extensions, process, rule, service, user

from rathaus.engine.decisions import parse_dmn
from rathaus.engine.workflow import (
    CallOperation,
    Cancelled,
    CloseTask,
    Ended,
    OpenTask,
    OperationDone,
    StaleEvent,
    TaskCompleted,
    Waiting,
    advance,
    compile_bpmn,
    start,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DATA = {"antrag": {"hunde": Decimal(1), "art": "normal"}}


RULES = [
    ('"normal"', "1", "54.00"),
    ('"normal"', "2", "90.00"),
    ('"normal"', ">= 3", "120.00"),
    ('"gefährlich"', "1", "600.00"),
    ('"gefährlich"', "2", "900.00"),
    ('"gefährlich"', ">= 3", "1200.00"),
]


def table() -> bytes:
    rules = "".join(
        f'<rule id="r{number}"><inputEntry><text>{escape(kind)}</text></inputEntry>'
        f"<inputEntry><text>{escape(dogs)}</text></inputEntry><outputEntry><text>{tax}</text></outputEntry></rule>"
        for number, (kind, dogs, tax) in enumerate(RULES)
    )
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
        '<decision id="steuer" name="steuer"><decisionTable id="t" hitPolicy="UNIQUE">'
        '<input id="i1"><inputExpression typeRef="string"><text>antrag.art</text></inputExpression></input>'
        '<input id="i2"><inputExpression typeRef="number"><text>antrag.hunde</text></inputExpression></input>'
        f'<output id="o" name="betrag" typeRef="number"/>{rules}</decisionTable></decision></definitions>'
    ).encode()


def diagram() -> bytes:
    return bpmn(
        process(
            rule("regel", "steuer", "betrag"),
            exclusive("gross"),
            user(
                "pruefen",
                extensions(outputs={"ok": "result.ok"}),
                r_form="pruefung",
                r_due="P1M",
                r_farbe="blau",
            ),
            exclusive("gut"),
            user("freigabe", r_four_eyes="pruefen"),
            service("bescheid", "letters.issue", extensions({"summe": "betrag * 2"})),
            flows="""
                start > regel > gross >{betrag > 10} pruefen > gut >{ok} freigabe > bescheid > ende
                gross >* ende
                gut >* ende
            """,
            lanes={"Sachbearbeitung": "pruefen", "Leitung": "freigabe"},
        )
    )


DEFINITION = compile_bpmn(
    diagram(), decisions=parse_dmn(table()), operations=["letters.issue"], data=["antrag"]
)


def test_whole_life() -> None:
    step = start(DEFINITION, data=DATA, now=NOW)
    (task,) = step.effects
    assert task == OpenTask(
        "1",
        "pruefen",
        "pruefen",
        "Sachbearbeitung",
        "pruefung",
        NOW.replace(month=2, day=28),
        None,
        {"farbe": "blau"},
        {},
    )
    assert DEFINITION.waiting(step.state) == [Waiting("1", "pruefen", "task")]
    assert DEFINITION.variables(step.state) == {"betrag": Decimal("54.00")}

    step = advance(DEFINITION, step.state, TaskCompleted("1", {"ok": True, "geheim": 1}), data=DATA, now=NOW)
    (task,) = step.effects
    assert isinstance(task, OpenTask)
    assert (task.element, task.role, task.four_eyes) == ("freigabe", "Leitung", "pruefen")

    step = advance(DEFINITION, step.state, TaskCompleted(task.token), data=DATA, now=NOW)
    assert step.effects == (
        CallOperation("3", "bescheid", "letters.issue", {"summe": Decimal("108.00")}, {}),
    )

    step = advance(DEFINITION, step.state, OperationDone("3"), data=DATA, now=NOW)
    assert step.effects == (Ended("completed"),)
    assert DEFINITION.waiting(step.state) == []
    assert DEFINITION.passed(step.state) == {
        "start",
        "regel",
        "gross",
        "pruefen",
        "gut",
        "freigabe",
        "bescheid",
        "ende",
    }
    # Nothing of a result stays that no r:output asked for.
    assert DEFINITION.variables(step.state) == {"betrag": Decimal("54.00"), "ok": True}


def test_second_completion_is_stale() -> None:
    first = start(DEFINITION, data=DATA, now=NOW)
    step = advance(DEFINITION, first.state, TaskCompleted("1", {"ok": True}), data=DATA, now=NOW)
    with pytest.raises(StaleEvent):
        advance(DEFINITION, step.state, TaskCompleted("1", {"ok": False}), data=DATA, now=NOW)
    with pytest.raises(StaleEvent):
        advance(DEFINITION, first.state, OperationDone("1"), data=DATA, now=NOW)
    with pytest.raises(StaleEvent):
        advance(DEFINITION, first.state, TaskCompleted("77"), data=DATA, now=NOW)


def test_cancelled_ends_everything_once() -> None:
    state = start(DEFINITION, data=DATA, now=NOW).state
    step = advance(DEFINITION, state, Cancelled("zurückgezogen"), data=DATA, now=NOW)
    assert step.effects == (CloseTask("1"), Ended("terminated", "zurückgezogen"))
    for event in (Cancelled("nochmal"), TaskCompleted("1")):
        with pytest.raises(StaleEvent):
            advance(DEFINITION, step.state, event, data=DATA, now=NOW)


def test_state_is_small_json_and_never_changed() -> None:
    step = start(DEFINITION, data=DATA, now=NOW)
    before = copy.deepcopy(step.state)
    thawed = json.loads(json.dumps(step.state))
    assert thawed == step.state
    after = advance(DEFINITION, step.state, TaskCompleted("1", {"ok": True}), data=DATA, now=NOW)
    assert step.state == before
    assert advance(DEFINITION, thawed, TaskCompleted("1", {"ok": True}), data=DATA, now=NOW) == after
    assert len(json.dumps(after.state)) < 300


def test_naive_now_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        start(DEFINITION, data=DATA, now=datetime(2026, 1, 1))


def test_due_is_counted_from_now() -> None:
    (task,) = start(DEFINITION, data=DATA, now=NOW + timedelta(days=1)).effects
    assert isinstance(task, OpenTask)
    assert task.due == datetime(2026, 3, 1, 12, tzinfo=UTC)
