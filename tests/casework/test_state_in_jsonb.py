"""What the engine gives back survives PostgreSQL's `jsonb` unchanged, at every step of random diagrams."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from django.db import connection
from tests.engine.workflow.blocks import Generator, Walk
from tests.engine.workflow.play import Play
from tests.engine.workflow.test_workflow_random import step as take_step

from rathaus.engine.workflow import Event, Step, compile_bpmn


class StoredPlay(Play):
    """A play whose state lies in the database between any two steps."""

    def _take(self, step: Step, event: Event | None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::jsonb::text", [json.dumps(step.state)])
            kept: dict[str, Any] = json.loads(cursor.fetchone()[0])
        assert kept == step.state
        super()._take(Step(kept, step.effects), event)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(40))
def test_random_diagrams_walk_on_from_what_was_stored(seed: int) -> None:
    random = Random(seed)
    diagram = Generator(random).diagram(seed % 5)
    play = StoredPlay(compile_bpmn(diagram.xml), variables=diagram.variables)
    walk = Walk()
    for _ in range(2_000):
        if play.ended is not None:
            break
        take_step(play, diagram, walk, random)
    assert play.ended is not None
    assert play.ended.outcome == "completed"
    walk.variables = play.variables
    diagram.root.check(1, walk)
