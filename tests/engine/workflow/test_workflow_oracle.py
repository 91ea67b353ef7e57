"""The same diagrams with the same inputs through SpiffWorkflow: the same must wait and the same be done."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.workflow import diagrams as d
from tests.engine.workflow.oracle import Oracle
from tests.engine.workflow.play import Play

HOUR = ("Duration", "PT1H")
Action = tuple[Any, ...]


def same(
    xml: bytes,
    actions: list[Action],
    variables: dict[str, Any] | None = None,
    *,
    rearmed: str = "",
    called_done: str = "",
) -> None:
    """Play the actions on both engines and compare after each one.

    Known differences, each by name: ``rearmed`` is a non-interrupting message event, which in Spiff comes
    only once, though BPMN 2.0.2 (13.5.3) lets it come as long as the activity goes on; ``called_done`` is a
    subprocess or call left by an error, which Spiff counts as completed.
    """
    play, oracle = Play(xml, variables=variables or {}), Oracle(xml, variables or {})
    fired = False
    for action in [("",), *actions]:
        if action[0] == "fail":
            play.fail(action[1], action[2])
            oracle.fail(action[1], action[2])
        elif action[0]:
            play.do(action[0], *action[1:])
            oracle.do(action[0], *action[1:])
        fired = fired or action[0] == rearmed != ""
        waits = [name for name in play.waits if not (fired and name == rearmed)]
        assert waits == oracle.waits, action
        assert (play.ended is not None) == oracle.is_over, action
        assert play.passed_but_event_gateways - {called_done} == oracle.passed - {called_done}, action


def sets(*names: str) -> str:
    return d.extensions(outputs={name: f"result.{name}" for name in names})


SEQUENCE = d.bpmn(
    d.message("m"),
    d.process(
        d.user("a"),
        d.service("b"),
        d.send("c"),
        d.script("e", "y = x + 1"),
        d.catch("f", message="m"),
        d.catch("g", timer=HOUR),
        d.receive("h", "m"),
        flows="start > a > b > c > e > f > g > h > ende",
    ),
)
EXCLUSIVE = d.bpmn(
    d.process(
        d.exclusive("w"),
        d.user("a"),
        d.user("b"),
        d.user("c"),
        d.exclusive("z"),
        d.user("e"),
        flows="start > w >{x > 10} a > z > e > ende; w >{x > 5} b > z; w >* c > z",
    )
)
INCLUSIVE = d.bpmn(
    d.process(
        d.inclusive("w"),
        d.user("a"),
        d.user("b"),
        d.user("c"),
        d.inclusive("z"),
        d.user("e"),
        flows="start > w >{x > 1} a > z > e > ende; w >{x > 5} b > z; w >* c > z",
    )
)
PARALLEL = d.bpmn(
    d.process(
        d.parallel("w"),
        d.user("a"),
        d.user("b"),
        d.script("s", "y = 1"),
        d.parallel("z"),
        d.user("e"),
        flows="start > w > a > z > e > ende; w > b > z; w > s > z",
    )
)
LOOP = d.bpmn(
    d.process(
        d.exclusive("v"),
        d.user("a", sets("ok")),
        d.exclusive("w"),
        flows="start > v > a > w >{ok} ende; w >* v",
    )
)
SUB = d.bpmn(
    d.process(
        d.sub(
            "s",
            d.parallel("g"),
            d.user("a"),
            d.sub("t", d.user("b"), flows="t_start > b > t_ende"),
            d.parallel("h"),
            flows="s_start > g > a > h > s_ende; g > t > h",
        ),
        d.user("e"),
        flows="start > s > e > ende",
    )
)
CALL = d.bpmn(
    d.process(
        d.call("c", "q", d.extensions({"x": "x"}, {"y": "result.y"})),
        d.exclusive("w"),
        d.user("e"),
        flows="start > c > w >{y > 5} e > ende; w >* ende",
    ),
    d.process(
        d.start("q_start"),
        d.script("q_s", "y = x * 2"),
        d.user("q_u"),
        d.end("q_ende"),
        flows="q_start > q_s > q_u > q_ende",
        id="q",
    ),
)
EVENT = d.bpmn(
    d.message("m"),
    d.process(
        d.event_based("w"),
        d.catch("m1", message="m"),
        d.catch("t1", timer=HOUR),
        d.user("a"),
        d.user("b"),
        d.exclusive("z"),
        flows="start > w > m1 > a > z > ende; w > t1 > b > z",
    ),
)
TERMINATE = d.bpmn(
    d.process(
        d.parallel("g"),
        d.user("a"),
        d.user("b"),
        d.end("schluss", terminate=True),
        flows="start > g > a > schluss; g > b > ende",
    )
)


@pytest.mark.parametrize(
    ("xml", "variables", "actions"),
    [
        (SEQUENCE, {"x": 1}, [("a",), ("b",), ("c",), ("f",), ("g",), ("h",)]),
        (EXCLUSIVE, {"x": 11}, [("a",), ("e",)]),
        (EXCLUSIVE, {"x": 6}, [("b",), ("e",)]),
        (EXCLUSIVE, {"x": 1}, [("c",), ("e",)]),
        (INCLUSIVE, {"x": 0}, [("c",), ("e",)]),
        (INCLUSIVE, {"x": 2}, [("a",), ("e",)]),
        (INCLUSIVE, {"x": 6}, [("b",), ("a",), ("e",)]),
        (PARALLEL, {}, [("b",), ("a",), ("e",)]),
        (LOOP, {}, [("a", {"ok": False}), ("a", {"ok": False}), ("a", {"ok": True})]),
        (SUB, {}, [("b",), ("a",), ("e",)]),
        (CALL, {"x": 3}, [("q_u",), ("e",)]),
        (CALL, {"x": 2}, [("q_u",)]),
        (EVENT, {}, [("m1",), ("a",)]),
        (EVENT, {}, [("t1",), ("b",)]),
        (TERMINATE, {}, [("a",)]),
        (TERMINATE, {}, [("b",), ("a",)]),
    ],
)
def test_plain_flow(xml: bytes, variables: dict[str, Any], actions: list[Action]) -> None:
    same(xml, actions, variables)


@pytest.mark.parametrize("trigger", ["timer", "message"])
@pytest.mark.parametrize("host", ["user", "sub", "call"])
@pytest.mark.parametrize(
    ("interrupting", "order"),
    [
        (True, ["x"]),
        (True, ["b", "spaet"]),
        (False, ["x"]),
        (False, ["b", "x", "spaet"]),
        (False, ["b", "spaet", "x"]),
    ],
)
def test_boundary(interrupting: bool, trigger: str, host: str, order: list[str]) -> None:
    hosts = {
        "user": d.user("x"),
        "sub": d.sub("h", d.user("x"), flows="h_start > x > h_ende"),
        "call": d.call("h", "q"),
    }
    name = "x" if host == "user" else "h"
    event = {"timer": HOUR} if trigger == "timer" else {"message": "m"}
    xml = d.bpmn(
        d.message("m"),
        d.process(
            hosts[host],
            d.boundary("b", name, interrupting=interrupting, **event),
            d.user("spaet"),
            d.end("zwei"),
            flows=f"start > {name} > ende; b > spaet > zwei",
        ),
        d.process(
            d.start("q_start"),
            d.user("x" if host == "call" else "q_u"),
            d.end("q_ende"),
            flows=f"q_start > {'x' if host == 'call' else 'q_u'} > q_ende",
            id="q",
        ),
    )
    same(xml, [(element,) for element in order], rearmed="" if interrupting or trigger == "timer" else "b")


@pytest.mark.parametrize("code", ["eins", "zwei"])
def test_error_of_an_operation(code: str) -> None:
    xml = d.bpmn(
        d.error("eins"),
        d.error("zwei"),
        d.process(
            d.service("t"),
            d.boundary("b1", "t", error="eins"),
            d.boundary("b2", "t", error="zwei"),
            d.user("a"),
            d.user("b"),
            flows="start > t > ende; b1 > a > ende; b2 > b > ende",
        ),
    )
    same(xml, [("fail", "t", code), ("a" if code == "eins" else "b",)])


def test_error_end_in_a_subprocess_and_in_a_call() -> None:
    sub = d.sub(
        "s",
        d.user("a", sets("ok")),
        d.exclusive("w"),
        d.end("s_fehler", error="f"),
        flows="s_start > a > w >{ok} s_ende; w >* s_fehler",
    )
    process = d.process(
        sub, d.boundary("b", "s", error="f"), d.user("e"), flows="start > s > ende; b > e > ende"
    )
    same(d.bpmn(d.error("f"), process), [("a", {"ok": True})])
    same(d.bpmn(d.error("f"), process), [("a", {"ok": False}), ("e",)], called_done="s")
    call = d.bpmn(
        d.error("f"),
        d.process(
            d.call("s", "q"),
            d.boundary("b", "s", error="f"),
            d.user("e"),
            flows="start > s > ende; b > e > ende",
        ),
        d.process(
            d.start("q_start"), d.user("a"), d.end("q_ende", error="f"), flows="q_start > a > q_ende", id="q"
        ),
    )
    same(call, [("a",), ("e",)], called_done="s")


@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize("items", [[], [1], [1, 2, 3]])
def test_multi_instance(sequential: bool, items: list[int]) -> None:
    task = d.user(
        "t", d.extensions(outputs={"alle": "result.votum"}) + d.repeat("liste", "eins", sequential=sequential)
    )
    xml = d.bpmn(d.process(task, d.user("e"), flows="start > t > e > ende"))
    same(xml, [("t", {"votum": "ja"})] * len(items) + [("e",)], {"liste": items})


@pytest.mark.parametrize("sequential", [False, True])
def test_multi_instance_subprocess(sequential: bool) -> None:
    inner = d.sub(
        "s",
        d.exclusive("w"),
        d.user("a", sets("y")),
        d.script("klein", "y = eins"),
        flows="s_start > w >{eins > 1} a > s_ende; w >* klein > s_ende",
        inner=d.extensions(outputs={"alle": "y"}) + d.repeat("liste", "eins", sequential=sequential),
    )
    xml = d.bpmn(d.process(inner, d.user("e"), flows="start > s > e > ende"))
    same(xml, [("a", {"y": 5}), ("a", {"y": 6}), ("e",)], {"liste": [2, 1, 3]})
