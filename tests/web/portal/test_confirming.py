"""A partner answers at the portal, and both sides see it."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.casework.conftest import World
from tests.casework.test_confirmations import WALDSOLMS, with_partners
from tests.web.portal.conftest import Person
from tests.web.queries import counted

from rathaus.casework.cases.models import Case, Confirmation
from rathaus.core.identity.models import Account


@pytest.fixture
def case(world: World) -> Case:
    return with_partners(world).submit(titel="Gemeinsame Akte", partner=[WALDSOLMS])


def address(neighbour: Person) -> str:
    with neighbour.actor.acting():
        return f"/meine/bestaetigung/{Confirmation.objects.get().id}/"


def test_asked_and_confirmed(world: World, case: Case, officer: Person, neighbour: Person) -> None:
    page = neighbour.get("/meine/")
    here = address(neighbour)
    assert "Um Ihre Bestätigung wird gebeten" in page
    assert here in page
    page = neighbour.get(here)
    assert "Gemeinsame Akte" in page
    assert "Gemeinde Lahnau" in page
    assert "Partnerkommunen" in page
    assert "900,00" not in page  # what they do not need to know
    assert "Bestätigung steht aus" in officer.get(f"/meine/{case.id}/")
    neighbour.post(here, antwort="ja")
    page = neighbour.get(here)
    assert "Bestätigt am" in page
    assert "<form method" not in page.split("<h1")[1].split("</main>")[0]
    assert "Als Partner genannt" in neighbour.get("/meine/")
    assert "bestätigt" in officer.get(f"/meine/{case.id}/").split('id="partner"')[1]
    desk = Client()
    desk.force_login(Account.objects.get(pk=world.clerk.account))
    page = desk.get(f"/amt/vorgang/{case.reference}/").content.decode()
    assert "Gemeinde Waldsolms</b>: bestätigt" in page
    assert "Gemeinde Waldsolms hat die Mitwirkung bestätigt" in page


def test_declining_needs_a_reason_and_loses_none(case: Case, officer: Person, neighbour: Person) -> None:
    here = address(neighbour)
    assert "warum Sie nicht" in neighbour.post(here, 422, antwort="nein").content.decode()
    page = neighbour.post(here, 422, grund="Lang getippt").content.decode()  # Enter presses no button
    assert "Wählen Sie" in page
    assert "Lang getippt</textarea>" in page
    neighbour.post(here, antwort="nein", grund="Kein Geld.")
    assert "Kein Geld." in officer.get(f"/meine/{case.id}/")
    assert "schon geantwortet" in neighbour.post(here, 422, antwort="ja").content.decode()


def test_nobody_else_and_nothing_else(
    case: Case, officer: Person, neighbour: Person, resident: Person
) -> None:
    here = address(neighbour)
    for person in (officer, resident):
        assert person.client.get(here).status_code == 404
        assert person.client.post(here, {"antwort": "ja"}).status_code == 404
    assert neighbour.client.get(f"/meine/{case.id}/").status_code == 404
    assert neighbour.client.get(f"/meine/{case.id}/quittung.pdf").status_code == 404


def test_statements(case: Case, officer: Person, neighbour: Person) -> None:
    here = address(neighbour)
    neighbour.get(here)
    for person, page in ((neighbour, here), (neighbour, "/meine/"), (officer, f"/meine/{case.id}/")):
        with counted() as found:
            person.get(page)
        assert len(found) <= 12, found
