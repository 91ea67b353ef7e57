"""Taking an application back at the portal: asked once, said what follows, seen on both sides."""

from __future__ import annotations

from django.test import Client
from tests.casework.conftest import World
from tests.web.portal.conftest import Person, ask, decided
from tests.web.queries import counted

from rathaus.casework.cases.models import Case
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account


def outcome(world: World, case: Case) -> str:
    with Actor.system(world.ministry.id).acting():
        return Case.objects.get(id=case.id).outcome


def test_asked_once_and_then_gone(world: World, officer: Person) -> None:
    case = world.submit()
    here = f"/meine/{case.id}/"
    assert f"{here}zurueckziehen/" in officer.get(here)
    page = officer.get(f"{here}zurueckziehen/")
    assert "Was dann geschieht" in page
    assert "können Sie weiter ansehen" in page
    assert outcome(world, case) == ""  # looking changes nothing
    officer.post(f"{here}zurueckziehen/", grund="Kein Geld im Haushalt.")
    page = officer.get(here)
    assert "Sie haben den Antrag zurückgezogen" in page
    assert "Zurückgezogen</span>" in page
    assert "zurueckziehen/" not in page
    assert "Kein Geld im Haushalt." in page
    assert "Zurückgezogen" in officer.get("/meine/").split("Abgeschlossen", 1)[1]
    assert officer.client.get(f"{here}zurueckziehen/").status_code == 302


def test_the_desk_sees_it_and_offers_nothing(world: World, officer: Person) -> None:
    case = world.submit(betrag="90.00")  # below the least amount: a rule that is not met
    officer.post(f"/meine/{case.id}/zurueckziehen/", grund="Kein Geld im Haushalt.")
    for actor in (world.clerk, world.approver):
        desk = Client()
        desk.force_login(Account.objects.get(pk=actor.account))
        page = desk.get(f"/amt/vorgang/{case.reference}/").content.decode()
        assert "Der Antrag ist zurückgezogen" in page
        assert "Kein Geld im Haushalt." in page
        assert "Ausnahme nötig" not in page
        assert "<fieldset" not in page


def test_what_was_asked_is_no_longer_asked(world: World, officer: Person) -> None:
    case = world.submit()
    ask(world, case)
    officer.post(f"/meine/{case.id}/zurueckziehen/")
    page = officer.get(f"/meine/{case.id}/")
    assert "Das brauchen wir noch" not in page
    assert "<textarea" not in page


def test_too_late_is_told_and_what_was_typed_stays(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    page = officer.post(f"/meine/{case.id}/zurueckziehen/", 422, grund="Doch nicht").content.decode()
    assert "schon entschieden" in page
    assert "Doch nicht</textarea>" in page
    assert outcome(world, case) == "granted"


def test_nobody_else(world: World, officer: Person, neighbour: Person, resident: Person) -> None:
    case = world.submit()
    for person in (neighbour, resident):
        assert person.client.post(f"/meine/{case.id}/zurueckziehen/").status_code == 404
        assert person.client.get(f"/meine/{case.id}/zurueckziehen/").status_code == 404
    assert outcome(world, case) == ""


def test_pages_need_few_statements(world: World, officer: Person) -> None:
    case = world.submit()
    with counted() as found:
        officer.get(f"/meine/{case.id}/zurueckziehen/")
    assert len(found) <= 8, found
