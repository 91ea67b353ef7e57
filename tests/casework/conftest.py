"""A ministry with two people, two municipalities that apply, and the service `probe`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from tests.casework.packages import probe

from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.models import Case, Task
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member, give_mandate, party_of_authority
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Party
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.models import Balance


@dataclass
class World:
    """Everything a kernel test needs by name."""

    ministry: Authority
    lahnau: Authority
    waldsolms: Authority
    offer: Offer
    clerk: Actor
    approver: Actor
    lahnau_party: Party
    waldsolms_party: Party
    lahnau_officer: Actor
    waldsolms_officer: Actor

    def submit(
        self,
        *,
        by: Actor | None = None,
        party: Party | None = None,
        offer: Offer | None = None,
        about: Case | None = None,
        **answers: Any,
    ) -> Case:
        return submit_application(
            by=by or self.lahnau_officer,
            offer=offer or self.offer,
            party=party or self.lahnau_party,
            answers={"titel": "Neue Akte", "betrag": "900.00", "ausgaben": "1000.00", **answers},
            submission=new_id(),
            about=about,
        )

    def publish(self, files: dict[str, str], slug: str) -> Offer:
        """Another package, offered by the ministry."""
        system = Actor.system(self.ministry.id)
        version = publish_package(by=system, files=files)
        return offer_service(by=system, authority=self.ministry, version=version, slug=slug)

    def task(self, case: Case) -> Task:
        with Actor.system(case.authority_id).acting():
            return Task.objects.get(case=case, state="open")


def money_on(account_name: str) -> Decimal:
    """What stands on an account of the journal over all lines that the current context sees, in euros."""
    return sum(Balance.objects.filter(account=account_name).values_list("amount", flat=True), Decimal(0))


def account(email: str, name: str = "") -> Account:
    return Account.objects.create(email=email, name=name or email.split("@")[0])


def make_world() -> World:
    def authority(kind: AuthorityKind, name: str, ags: str = "") -> Authority:
        return Authority.objects.create(
            kind=kind,
            name=name,
            label=name,
            sort_key=name.lower(),
            slug=name.lower().replace(" ", "-"),
            ags=ags,
        )

    ministry = authority(AuthorityKind.MINISTRY, "Ministerium")
    lahnau = authority(AuthorityKind.MUNICIPALITY, "Gemeinde Lahnau", "06532015")
    waldsolms = authority(AuthorityKind.MUNICIPALITY, "Gemeinde Waldsolms", "06532022")
    clerk, approver = account("clerk@example.org"), account("approver@example.org")
    add_member(
        by=Actor.system(ministry.id),
        authority=ministry,
        account=clerk,
        roles=["Sachbearbeitung"],
        function="Sachbearbeitung D3-2",
    )
    add_member(
        by=Actor.system(ministry.id),
        authority=ministry,
        account=approver,
        roles=["Sachbearbeitung", "Freigabe", "Leitung"],
        function="Referatsleitung D3",
    )
    officers = {}
    parties = {}
    for place in (lahnau, waldsolms):
        parties[place.slug] = party_of_authority(place)
        officer = account(f"{place.slug}@example.org")
        give_mandate(
            by=Actor.system(parties[place.slug].authority_id),
            account=officer,
            party=parties[place.slug],
            function="Digitalisierung",
        )
        officers[place.slug] = actor_of(officer.pk)
    system = Actor.system(ministry.id)
    version = publish_package(by=system, files=probe())
    offer = offer_service(by=system, authority=ministry, version=version, slug="probe")
    set_up_call(
        by=system,
        programme="programm",
        programme_title="Programm",
        key="aufruf",
        title="Aufruf",
        offer=offer,
        budgets={2025: Decimal("10000.00")},
    )
    return World(
        ministry,
        lahnau,
        waldsolms,
        offer,
        actor_of(clerk.pk),
        actor_of(approver.pk),
        parties[lahnau.slug],
        parties[waldsolms.slug],
        officers[lahnau.slug],
        officers[waldsolms.slug],
    )


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def committed_world(committed: None) -> World:
    return make_world()


@pytest.fixture
def run_jobs() -> Callable[[], int]:
    """Run what is waiting in the queue, in this connection; answers how many jobs ran."""
    return run_waiting_jobs


def run_waiting_jobs() -> int:
    from django.db import connection
    from procrastinate.contrib.django import app

    ran = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'doing' WHERE id = (SELECT id FROM procrastinate_jobs "
                "WHERE status = 'todo' ORDER BY id LIMIT 1) RETURNING id, task_name, args, attempts"
            )
            row = cursor.fetchone()
        if row is None:
            return ran
        ran += 1
        _run_job(app, *row)


def _run_job(app: Any, job_id: int, name: str, args: Any, attempts: int) -> None:
    import json
    from types import SimpleNamespace

    from django.db import connection

    task = app.tasks[name]
    arguments = json.loads(args) if isinstance(args, str) else args
    context = SimpleNamespace(job=SimpleNamespace(attempts=attempts))
    if task.pass_context:
        task.func(context, **arguments)
    else:
        task.func(**arguments)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job_id])
