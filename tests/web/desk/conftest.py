"""The desk as people use it: the world of the kernel's tests, seen through a browser that is logged in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from tests.casework.conftest import World, make_world, run_waiting_jobs

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Task
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account


@dataclass
class Desk:
    """A person at the desk."""

    world: World
    client: Client
    actor: Actor

    def get(self, path: str, status: int = 200) -> str:
        """The page, which must come with this status."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.content.decode()[:2000]
        return answer.content.decode()

    def post(self, path: str, status: int = 302, **data: Any) -> Any:
        """What a form answers."""
        answer = self.client.post(path, data)
        assert answer.status_code == status, answer.content.decode()[:2000]
        return answer

    def task_url(self, task: Task) -> str:
        """Where the form of a task goes."""
        return f"/amt/vorgang/{task.case.reference}/aufgabe/{task.id}/"


def sit_down(world: World, actor: Actor) -> Desk:
    client = Client()
    client.force_login(Account.objects.get(pk=actor.account))
    return Desk(world, client, actor)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def clerk(world: World) -> Desk:
    return sit_down(world, world.clerk)


@pytest.fixture
def head(world: World) -> Desk:
    """Leitung and Freigabe in one person."""
    return sit_down(world, world.approver)


@pytest.fixture
def run_jobs() -> Callable[[], int]:
    return run_waiting_jobs


def proposed(world: World, by: Actor | None = None, **answers: Any) -> Case:
    """A case whose decision waits to be released."""
    case = world.submit()
    actor = by or world.clerk
    complete_task(by=actor, task=world.task(case).id, answers={"vollstaendig": True})
    given = {"ergebnis": "granted", "betrag": case.amount, "begruendung": "Alles erfüllt.", **answers}
    complete_task(by=actor, task=world.task(case).id, answers=given)
    return case
