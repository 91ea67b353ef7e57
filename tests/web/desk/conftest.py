"""The desk as people use it: the world of the kernel's tests, seen through a browser that is logged in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.casework.conftest import World, make_world, run_waiting_jobs

from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.packages import read_folder
from rathaus.core.files.models import Blob
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import set_up_call


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

    def task_url(self, case: Case) -> str:
        """Where the form of the case's open task goes."""
        return f"/amt/vorgang/{case.reference}/aufgabe/{self.world.task(case).id}/"


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


LEISTUNGEN = Path(__file__).resolve().parents[3] / "leistungen"


def files_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "sha256" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from files_in(inner)


def smart_case(world: World, sample: str = "lahnau") -> Case:
    """A case of the real grant, with its form, its drawing of the process and years to divide money among."""
    folder = LEISTUNGEN / "starke-heimat-smart"
    system = Actor.system(world.ministry.id)
    version = publish_package(by=system, files=read_folder(folder))
    offer = offer_service(by=system, authority=world.ministry, version=version, slug="smart")
    set_up_call(
        by=system,
        programme="programm",
        programme_title="Programm",
        key="smart",
        title="Aufruf 2021",
        offer=offer,
        budgets={2021: Decimal(10_000_000), 2022: Decimal(10_000_000)},
    )
    answers = json.loads((folder / f"beispiele/{sample}.json").read_text())["antrag"]
    for file in files_in(answers):
        with world.lahnau_officer.acting():  # as if it had been uploaded; its bytes do not matter here
            Blob.objects.create(
                authority_id=world.ministry.id,
                party_id=world.lahnau_party.id,
                **{name: file[name] for name in ("sha256", "size", "media_type")},
            )
    applicant = replace(world.lahnau_officer, trust_level=4)
    return submit_application(
        by=applicant, offer=offer, party=world.lahnau_party, answers=answers, submission=new_id()
    )


def proposed(world: World, by: Actor | None = None, **answers: Any) -> Case:
    """A case whose decision waits to be released."""
    case = world.submit()
    actor = by or world.clerk
    complete_task(by=actor, task=world.task(case).id, answers={"vollstaendig": True})
    given = {"ergebnis": "granted", "betrag": case.amount, "begruendung": "Alles erfüllt.", **answers}
    complete_task(by=actor, task=world.task(case).id, answers=given)
    return case
