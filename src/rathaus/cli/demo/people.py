"""Acting in the demo: a ministry's people, whoever acts for a municipality, and workers that live in their time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from rathaus.casework.cases.actions.submission import open_case, submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Incident, Task
from rathaus.casework.services.models import Offer
from rathaus.cli.demo.place import FOLLOW_UPS, House
from rathaus.core import clock
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import give_mandate, party_of_authority
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Party
from rathaus.core.identity.queries import actor_of
from rathaus.core.jobs.queries import waiting_jobs
from rathaus.core.jobs.worker import run_worker
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.models import Grant

TOWN_HALLS = "rathaus@kommunen.example"
_TIMEOUT_SECONDS = 300


class DemoFailed(Exception):
    """The demo did not end as it must; the text says where."""


def moment(day: str, hour: int = 9) -> datetime:
    """A working hour of a day, as ISO 8601 writes it."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)


@contextmanager
def living(day: str, *, workers: int = 0) -> Iterator[None]:
    """Live on a day until no job is left, with `workers` beside us that live then too.

    Without, the jobs are done here in the end: for a few that is quicker than starting a process.
    """
    at = moment(day)
    command = [sys.executable, "-m", "rathaus", "worker"]
    with clock.living_at(at):
        environment = {**os.environ, "RATHAUS_LIVES_AT": at.isoformat()}
        started = [subprocess.Popen(command, env=environment) for _ in range(workers)]  # noqa: S603  our own program
        try:
            yield
            if workers:
                _wait_for_jobs()
            else:
                run_worker(once=True, has_signals=False)
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(timeout=30)


def _wait_for_jobs() -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while left := waiting_jobs():
        if time.monotonic() > deadline:
            raise DemoFailed(f"Nach {_TIMEOUT_SECONDS} Sekunden warteten noch {left} Aufträge.")
        time.sleep(0.1)


@dataclass(frozen=True)
class Hands:
    """Everybody who acts in the lives of one ministry's grants: `town` gives the person who acts for a party.

    `offers` are what grants go on with (request for money, proof ...), by key of the package.
    """

    house: House
    offers: Mapping[str, Offer]
    account: UUID

    @classmethod
    def of(cls, house: House) -> Hands:
        """Everybody in place; one invented person acts for each municipality that nobody else plays."""
        account = Account.objects.filter(email=TOWN_HALLS).first()
        if account is None:
            account = Account.objects.create_user(TOWN_HALLS, None, name="Verwaltungen der Kommunen")
            account.trust_level = 3
            account.save(update_fields=["trust_level"])
        offers = Offer.objects.filter(authority=house.ministry, service_id__in=FOLLOW_UPS)
        return cls(house, {offer.service_id: offer for offer in offers}, account.pk)

    @property
    def clerk(self) -> Actor:
        return self.house.clerk

    @property
    def approver(self) -> Actor:
        return self.house.approver

    def town(self, party: UUID) -> Actor:
        """Whoever acts for a party today: after a merger it is the successor's person."""
        return replace(Actor(account=self.account, parties=(party,), function="Verwaltung"), trust_level=3)

    def enter_mandates(self, authorities: Iterable[Authority]) -> None:
        """Let the invented person act for these municipalities; called again, it changes nothing."""
        account = Account.objects.get(id=self.account)
        known = set(actor_of(self.account).parties)
        for authority in authorities:
            party: Party = party_of_authority(authority)
            if party.id not in known:
                give_mandate(
                    by=Actor.system(authority.id), account=account, party=party, function="Verwaltung"
                )

    def hand_in(self, service: str, grant: Grant, answers: Mapping[str, Any]) -> Case:
        """The municipality hands in something about its grant."""
        town = self.town(grant.party_id)
        with town.acting():
            about = Case.objects.get(id=grant.case_id)
            party = Party.objects.get(id=grant.party_id)
        return submit_application(
            by=town,
            offer=self.offers[service],
            party=party,
            answers=dict(answers),
            submission=new_id(),
            about=about,
        )

    def open(self, service: str, grant: Grant, answers: Mapping[str, Any]) -> Case:
        """The ministry opens a case about a grant by itself."""
        with self.clerk.acting():
            about = Case.objects.get(id=grant.case_id)
        return open_case(
            by=self.clerk, offer=self.offers[service], about=about, answers=dict(answers), submission=new_id()
        )

    def work_off(
        self,
        progress: Callable[[int, int], None],
        *,
        answers: Callable[[Task], dict[str, Any] | None],
        only: Q | None = None,
    ) -> int:
        """Complete every open task that `answers` has an answer for: first the clerk, then whoever releases."""
        done = 0
        for by, role in ((self.clerk, "Sachbearbeitung"), (self.approver, "Freigabe")):
            left: set[UUID] = set()
            while True:
                with by.acting():
                    found = Task.objects.filter(only or Q(), state="open", role=role).exclude(id__in=left)
                    tasks = list(
                        found.select_related("case__offer", "case__terms", "case__application").order_by("id")
                    )
                if not tasks:
                    break
                for number, task in enumerate(tasks, 1):
                    given = answers(task)
                    if given is None:
                        left.add(task.id)
                        continue
                    complete_task(by=by, task=task.id, answers=given)
                    done += 1
                    progress(number, len(tasks))
        return done

    @contextmanager
    def living(self, day: str, *, many: bool = False) -> Iterator[None]:
        """Live on a day; for `many` cases with two workers beside us. Raises DemoFailed for an operation that failed."""
        with living(day, workers=2 if many else 0):
            yield
        with self.clerk.acting():
            incident = Incident.objects.filter(state="open").first()
        if incident:
            raise DemoFailed(f"{incident.operation}: {incident.reason}")


def yes(task: Task) -> dict[str, Any]:
    """Complete, granted as asked, released."""
    match task.form:
        case "kern:pruefung":
            return {"vollstaendig": True}
        case "kern:vorschlag":
            amount = task.amount
            return {
                "ergebnis": "granted",
                "betrag": amount if amount is None else Decimal(amount),
                "begruendung": "Alle Voraussetzungen sind erfüllt.",
            }
    return {"freigegeben": True}
