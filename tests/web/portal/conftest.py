"""The portal as people use it: the world of the kernel's tests, and a browser that is logged in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from tests.casework.conftest import World, make_world, run_waiting_jobs
from tests.web.portal.form_package import ANSWERS, form_package

from rathaus.casework.cases.actions.drafts import begin_draft, save_draft
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actions import own_party
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of

PDF = b"%PDF-1.7\nminimal"
DONE = ["vorhaben", "geld", "anlagen"]


@dataclass
class Person:
    """Somebody at the portal."""

    client: Client
    actor: Actor

    def get(self, path: str, status: int = 200, **headers: Any) -> str:
        """The page, which must come with this status."""
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == status, answer.content.decode(errors="replace")[:2000]
        return answer.content.decode(errors="replace")

    def post(self, path: str, status: int = 302, **data: Any) -> Any:
        """What a form answers; `__` in a name stands for the dot."""
        answer = self.client.post(path, {name.replace("__", "."): value for name, value in data.items()})
        assert answer.status_code == status, answer.content.decode(errors="replace")[:3000]
        return answer

    def draft(self, offer: Offer, *, done: list[str] | None = None, **answers: Any) -> Draft:
        """A draft with answers, as if its steps had been gone through."""
        draft = begin_draft(by=self.actor, offer=offer, party=self.actor.parties[0])
        if answers or done:
            save_draft(by=self.actor, draft=draft, answers=answers, pages_done=done or [])
        return draft

    def kept(self, draft: Draft) -> dict[str, Any]:
        """The answers of a draft as they are stored now."""
        with self.actor.acting():
            answers: dict[str, Any] = Draft.objects.get(id=draft.id).answers
            return answers


def at_portal(account: Account) -> Person:
    client = Client()
    client.force_login(account)
    return Person(client, actor_of(account.pk))


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def akte(world: World) -> Offer:
    """An offer for municipalities only, with a form of four steps, at trust level 3."""
    system = Actor.system(world.ministry.id)
    version = publish_package(by=system, files=form_package())
    return offer_service(by=system, authority=world.ministry, version=version, slug="akte")


@pytest.fixture
def officer(world: World) -> Person:
    """Digitalisation officer of Lahnau, known well enough."""
    account = Account.objects.get(pk=world.lahnau_officer.account)
    account.trust_level = 3
    account.save()
    return at_portal(account)


@pytest.fixture
def neighbour(world: World) -> Person:
    """Digitalisation officer of Waldsolms."""
    account = Account.objects.get(pk=world.waldsolms_officer.account)
    account.trust_level = 3
    account.save()
    return at_portal(account)


@pytest.fixture
def resident(world: World) -> Person:
    account = Account.objects.create(email="petra@example.org", name="Petra Muster", trust_level=1)
    own_party(account)
    return at_portal(account)


@pytest.fixture
def visitor(db: None) -> Person:
    """Nobody who is logged in."""
    return Person(Client(), Actor())


@pytest.fixture
def run_jobs() -> Callable[[], int]:
    return run_waiting_jobs


@pytest.fixture
def full(akte: Offer, officer: Person) -> Draft:
    """A draft that can be handed in."""
    return officer.draft(akte, done=DONE, **ANSWERS)


def ask(world: World, case: Case, text: str = "Bitte reichen Sie den Beschluss nach.") -> None:
    """The office asks the applicant."""
    complete_task(
        by=world.clerk, task=world.task(case).id, answers={"vollstaendig": False, "nachricht": text}
    )


def decided(world: World, case: Case, **answers: Any) -> None:
    """The office decides; the letter is written by the job that follows."""
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    given = {"ergebnis": "granted", "betrag": case.amount, "begruendung": "Alles erfüllt.", **answers}
    complete_task(by=world.clerk, task=world.task(case).id, answers=given)
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
    run_waiting_jobs()
