"""The packages in the real kernel, from application to notice, and the letter's data as the kernel gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from tests.casework.conftest import run_waiting_jobs
from tests.leistungen.letters import letter_data, text_of
from tests.leistungen.library import DOG, SMART, package, sample

from rathaus.casework.cases.actions import notices
from rathaus.casework.cases.actions.decisions import allow_exception
from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Decision, Finding, Notice, Task
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import read_folder
from rathaus.core.authorities.models import Authority
from rathaus.core.files.actions import path_of
from rathaus.core.files.models import Blob
from rathaus.core.identity.actions import add_member, give_mandate, own_party, party_of_authority
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Party
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.models import Balance


@dataclass
class Place:
    """An authority that offers a package, with its two people, and somebody who applies."""

    offer: Offer
    clerk: Actor
    head: Actor
    applicant: Actor
    party: Party

    def submit(self, answers: Mapping[str, Any]) -> Case:
        answers = {key: value for key, value in answers.items() if key != "weitere_unterlagen"}
        for file in answers.values():
            if isinstance(file, dict) and "sha256" in file:
                self.bring(file)
        return submit_application(
            by=self.applicant, offer=self.offer, party=self.party, answers=answers, submission=new_id()
        )

    def bring(self, file: Mapping[str, Any]) -> None:
        """The sample's file as if the applicant had uploaded it; its bytes do not matter here."""
        with self.applicant.acting():
            Blob.objects.create(
                authority_id=self.offer.authority_id,
                party_id=self.party.id,
                sha256=file["sha256"],
                size=file["size"],
                media_type=file["media_type"],
            )

    def work(self, case: Case, by: Actor, answers: Mapping[str, Any]) -> None:
        with Actor.system(case.authority_id).acting():
            task = Task.objects.get(case=case, state="open")
        complete_task(by=by, task=task.id, answers=answers)


def authority(kind: str, label: str, ags: str = "") -> Authority:
    return Authority.objects.create(
        kind=kind,
        name=label.split()[-1],
        label=label,
        sort_key=label.lower(),
        slug=label.lower().replace(" ", "-"),
        ags=ags,
        street="Rathausstraße 1",
        postal_code="35633",
        city="Lahnau",
    )


def staff(of: Authority, name: str, roles: list[str], function: str) -> Actor:
    account = Account.objects.create(email=f"{name}@example.org", name=name)
    add_member(by=Actor.system(of.id), authority=of, account=account, roles=roles, function=function)
    return actor_of(account.pk)


def offered(folder: Path, of: Authority) -> Offer:
    system = Actor.system(of.id)
    version = publish_package(by=system, files=read_folder(folder))
    return offer_service(by=system, authority=of, version=version, slug=folder.name)


@pytest.fixture
def ministry(db: None) -> Place:
    place, town = (
        authority("ministry", "Digitalministerium"),
        authority("municipality", "Gemeinde Lahnau", "06532015"),
    )
    offer = offered(SMART, place)
    set_up_call(
        by=Actor.system(place.id),
        programme="starke-heimat",
        programme_title="Starke Heimat Hessen",
        key="smart-2021",
        title="Aufruf 2021",
        offer=offer,
        budgets={2021: Decimal("8000000.00"), 2022: Decimal("8000000.00")},
    )
    party = party_of_authority(town)
    officer = Account.objects.create(email="digital@lahnau.example", name="Digitalisierung", trust_level=3)
    give_mandate(
        by=Actor.system(party.authority_id), account=officer, party=party, function="Digitalisierung"
    )
    head = staff(place, "leitung", ["Freigabe", "Leitung"], "Referatsleitung D3")
    return Place(
        offer,
        staff(place, "team", ["Sachbearbeitung"], "Sachbearbeitung D3-2"),
        head,
        actor_of(officer.pk),
        party,
    )


@pytest.fixture
def town(db: None) -> Place:
    place = authority("municipality", "Gemeinde Lahnau", "06532015")
    resident = Account.objects.create(email="erika@example.org", name="Erika Mustermann")
    party = own_party(resident)
    head = staff(place, "leitung", ["Leitung Steueramt"], "Leitung Steueramt")
    clerk = staff(place, "steueramt", ["Steueramt"], "Steueramt")
    return Place(offered(DOG, place), clerk, head, actor_of(resident.pk), party)


def notice_of(place: Place, case: Case) -> str:
    run_waiting_jobs()
    with place.applicant.acting():
        notice = Notice.objects.select_related("document").get(case=case)
        assert Case.objects.get(id=case.id).state == "COMPLETED"
    with default_storage.open(path_of(notice.document.sha256), "rb") as stored:
        return text_of(stored.read())


def same_shape(kernel: Any, ours: Any, where: str = "") -> None:
    """Both have the same names at every level that the kernel builds (answers are the form's)."""
    if isinstance(kernel, dict) and where not in (".antrag", ".parameter", ".entscheidung.einzelheiten"):
        assert set(kernel) - {"behoerden"} == set(ours), where
        for name in ours:
            same_shape(kernel[name], ours[name], f"{where}.{name}")


def test_lahnau_with_its_exception(ministry: Place) -> None:
    said = sample(SMART, "lahnau")
    case = ministry.submit(said["antrag"])
    assert (case.title, case.amount) == ("Akten von überall verfügbar", Decimal("56084.00"))
    ministry.work(case, ministry.clerk, {"vollstaendig": True})
    with ministry.clerk.acting():
        failed = Finding.objects.get(case=case, result="failed")
    assert failed.rule == "mindestbetrag"
    allow_exception(
        by=ministry.head, finding=failed.id, reason="Der Zweck wird mit weniger Geld voll erreicht."
    )
    proposal = {**said["schritte"][1]["ergebnis"], "betrag": Decimal("56084.00")}
    ministry.work(case, ministry.clerk, proposal)
    ministry.work(case, ministry.head, {"freigegeben": True})
    text = notice_of(ministry, case)
    assert "wir bewilligen Ihnen eine Zuwendung von 56.084,00 Euro." in text
    assert "Wir lassen eine Ausnahme zu (Mindestbetrag nicht erreicht: 56.084,00 €)" in text
    assert "gez. leitung Referatsleitung D3" in text
    with ministry.clerk.acting():
        committed = dict(Balance.objects.filter(account="open").values_list("line__year", "amount"))
        decision = Decision.objects.select_related("decided_by").get(case=case)
        same_shape(
            notices.letter_data(Case.objects.get(id=case.id), decision), letter_data(package(SMART), said)
        )
    assert committed == {2021: Decimal("28042.00"), 2022: Decimal("28042.00")}


def test_refusal_commits_nothing(ministry: Place) -> None:
    said = sample(SMART, "ablehnung")
    case = ministry.submit(said["antrag"])
    ministry.work(case, ministry.clerk, {"vollstaendig": True})
    ministry.work(case, ministry.clerk, said["schritte"][1]["ergebnis"])
    ministry.work(case, ministry.head, {"freigegeben": True})
    assert "wir lehnen Ihren Antrag" in notice_of(ministry, case)
    with ministry.clerk.acting():
        assert not Balance.objects.filter(account="open").exists()


def test_ordinary_dog_needs_nobody(town: Place) -> None:
    said = sample(DOG, "zwei-hunde")["antrag"]
    today = timezone.localdate().isoformat()
    case = town.submit({**said, "hunde": [{**dog, "halter_seit": today} for dog in said["hunde"]]})
    assert case.title == "Mehrere Hunde angemeldet"
    text = notice_of(town, case)
    assert "wir setzen Ihre Hundesteuer auf 150,00 Euro im Jahr fest." in text
    assert "automatisch ergangen" in text
    with town.clerk.acting():
        assert not Task.objects.filter(case=case).exists()
        assert Decision.objects.get(case=case).is_automatic


def test_dangerous_dog_goes_to_two_people(town: Place) -> None:
    said = sample(DOG, "gefaehrlicher-hund")
    case = town.submit(said["antrag"])
    assert case.title == "Hund angemeldet: Rex"
    proposal = {**said["schritte"][0]["ergebnis"], "betrag": Decimal("600.00")}
    town.work(case, town.clerk, proposal)
    town.work(case, town.head, {"freigegeben": False, "grund": "Bitte die Erlaubnis prüfen."})
    town.work(case, town.clerk, proposal)
    town.work(case, town.head, {"freigegeben": True})
    assert "600,00 Euro im Jahr" in notice_of(town, case)
