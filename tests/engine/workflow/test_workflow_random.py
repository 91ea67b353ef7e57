"""Random diagrams of the subset, walked at random: nothing is lost, nothing doubled, all comes to an end."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from tests.engine.workflow.blocks import Diagram, Generator, Walk
from tests.engine.workflow.oracle import Oracle, OracleBroken
from tests.engine.workflow.play import ANSWERS, Play

from rathaus.engine.workflow import Definition, DefinitionError, StaleEvent, compile_bpmn

ROUNDS = 2
# A seed instead of Hypothesis' own randomness: it makes large diagrams too, and a failure names its seed.
SEEDS = st.integers(0, 2**32)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=400)


def step(play: Play, diagram: Diagram, walk: Walk, random: Random, oracle: Oracle | None = None) -> None:
    """Let one of the waiting tokens have its event."""
    tokens = sorted(play.open, key=int)
    busy = [token for token in tokens if walk.done[play.open[token][1]] < ROUNDS or not repeats(play, token)]
    token = random.choice(busy)
    kind, element = play.open[token]
    if oracle is not None:
        token = next(other for other in tokens if play.open[other][1] == element)
    if element in diagram.failing and random.random() < 0.5:
        play.fail(element, "fehler")
        walk.done[diagram.failing[element]] += 1
        if oracle is not None:
            oracle.fail(element, "fehler")
        return
    values = {}
    if element.endswith("_frage"):
        again = walk.again[element] < ROUNDS and random.random() < 0.5
        walk.again[element] += again
        values = {f"{element.removesuffix('_frage')}_ok": not again}
    event = (
        ANSWERS[kind](token, {"ok": next(iter(values.values()), None)})
        if kind != "timer"
        else ANSWERS[kind](token)
    )
    play.send(event)
    walk.done[element] += 1
    if not repeats(play, token):
        with pytest.raises(StaleEvent):
            play.send(event)
    if oracle is not None:
        oracle.do(element, values)


def repeats(play: Play, token: str) -> bool:
    """Whether the token is a non-interrupting message event, which may come again and again."""
    kind, element = play.open.get(token, ("", ""))
    return (
        kind == "message"
        and element.endswith("_event")
        and not play.definition.nodes[element].is_interrupting
    )


@QUIET
@given(SEEDS, st.integers(0, 5))
def test_random_walks(seed: int, depth: int) -> None:
    random = Random(seed)
    diagram = Generator(random).diagram(depth)
    play = Play(compile_bpmn(diagram.xml), variables=diagram.variables)
    walk = Walk()
    for _ in range(2_000):
        if play.ended is not None:
            break
        step(play, diagram, walk, random)
    assert play.ended is not None
    assert play.ended.outcome == "completed"
    walk.variables = play.variables
    diagram.root.check(1, walk)


@QUIET
@given(SEEDS, st.integers(0, 4))
def test_random_walks_cancelled_in_between(seed: int, depth: int) -> None:
    random = Random(seed)
    diagram = Generator(random).diagram(depth)
    play = Play(compile_bpmn(diagram.xml), variables=diagram.variables)
    for _ in range(random.randint(0, 10)):
        if play.ended is None:
            step(play, diagram, Walk(), random)
    if play.ended is None:
        play.cancel()
        assert not play.open


def interrupting(definition: Definition) -> list[str]:
    """The boundary events that interrupt a subprocess or a call."""
    return [
        node.id
        for node in definition.nodes.values()
        if node.host is not None and node.host.kind in ("subProcess", "callActivity") and node.is_interrupting
    ]


@QUIET
@example(seed=505, depth=4)
@example(seed=9177, depth=3)
@given(SEEDS, st.integers(0, 4))
def test_random_walks_agree_with_spiffworkflow(seed: int, depth: int) -> None:
    random = Random(seed)
    diagram = Generator(random, for_oracle=True).diagram(depth)
    play = Play(compile_bpmn(diagram.xml), variables=diagram.variables)
    oracle = Oracle(diagram.xml, diagram.variables)
    walk = Walk()
    assert play.waits == oracle.waits
    for _ in range(60):
        if play.ended is not None:
            break
        try:
            step(play, diagram, walk, random, oracle)
        except OracleBroken:
            reject()
        assert play.waits == oracle.waits
    assert (play.ended is not None) == oracle.is_over
    # Spiff forgets what was done inside a call that was interrupted.
    if any(walk.done[name] for name in interrupting(play.definition)):
        assert oracle.passed <= play.passed
    else:
        assert play.passed_but_event_gateways == oracle.passed


@QUIET
@given(SEEDS, st.integers(1, 3))
def test_a_diagram_that_was_accepted_never_gets_stuck(seed: int, depth: int) -> None:
    """Here splits and joins need not match: what cannot be joined safely must have been refused."""
    random = Random(seed)
    diagram = Generator(random, any_join=True).diagram(depth)
    try:
        definition = compile_bpmn(diagram.xml)
    except DefinitionError as refused:
        reasons = {problem.reason[:30] for problem in refused.problems}
        if reasons != {"Das Gateway wartet auf Zweige,"}:
            raise
        return
    play, walk = Play(definition, variables=diagram.variables), Walk()
    for _ in range(100):
        if play.ended is None:
            step(play, diagram, walk, random)
