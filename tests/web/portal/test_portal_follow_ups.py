"""Follow-ups at the portal: begun from an earlier case, found nowhere else, shown at both."""

from __future__ import annotations

import re

import pytest
from tests.casework.conftest import World
from tests.casework.fact_package import package as package_with_facts
from tests.casework.packages import MANIFEST, follow_up, probe
from tests.web.portal.conftest import Person
from tests.web.queries import counted

from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actors import Actor
from rathaus.core.tenancy import new_id


@pytest.fixture
def abruf(world: World) -> Offer:
    return world.publish(follow_up(), "abruf")


def test_it_is_not_in_the_catalogue(world: World, abruf: Offer, officer: Person) -> None:
    assert "Mittelabruf" not in officer.get("/")
    assert "Mittelabruf" not in officer.get("/leistungen/?q=Mittelabruf").replace(
        "„Mittelabruf“", ""
    ).replace('value="Mittelabruf"', "")
    page = officer.get("/leistung/abruf/")
    assert "Diesen Antrag stellen Sie zu einem früheren Vorgang" in page
    assert 'action="/leistung/abruf/beginnen/"' not in page


def test_begun_from_the_earlier_case(world: World, abruf: Offer, officer: Person) -> None:
    earlier = world.submit()
    address = f"/leistung/abruf/beginnen/?vorgang={earlier.id}"
    page = officer.get(address)
    assert f'<input type="hidden" name="vorgang" value="{earlier.id}">' in page
    assert earlier.reference in page
    step = officer.post("/leistung/abruf/beginnen/", vorgang=str(earlier.id)).headers["Location"]
    assert f'zum Vorgang <span class="rh-num">{earlier.reference}</span>' in officer.get(step)
    # A second click goes on with the same draft; one for another case is another draft.
    assert officer.post("/leistung/abruf/beginnen/", vorgang=str(earlier.id)).headers["Location"] == step
    another = world.submit()
    other = officer.post(f"/leistung/abruf/beginnen/?vorgang={another.id}").headers["Location"]
    assert other != step
    officer.post(step, titel="Erster Abruf", betrag="400,00", ausgaben="500,00", _nach="weiter")
    draft = re.search(r"[0-9a-f-]{36}", step)
    assert draft
    officer.post(f"/antrag/{draft[0]}/pruefen/")
    with officer.actor.acting():
        case = Case.objects.get(about=earlier)
    here, there = officer.get(f"/meine/{case.id}/"), officer.get(f"/meine/{earlier.id}/")
    assert f'href="/meine/{earlier.id}/"' in here
    assert "Was dazu noch läuft" in there
    assert f'href="/meine/{case.id}/"' in there
    assert "Was dazu noch läuft" not in here


def test_what_is_not_theirs_does_not_exist(
    world: World, abruf: Offer, officer: Person, neighbour: Person
) -> None:
    foreign = world.submit(by=world.waldsolms_officer, party=world.waldsolms_party)
    for case in (foreign.id, new_id(), "", "x", "%00"):
        address = f"/leistung/abruf/beginnen/?vorgang={case}"
        officer.get(address, status=404)
        officer.post(address, status=404)
    officer.post("/leistung/abruf/beginnen/", status=404, vorgang=str(foreign.id))
    officer.post("/leistung/abruf/beginnen/", status=404)
    with officer.actor.acting():
        assert not Draft.objects.exists()
    neighbour.get(f"/leistung/abruf/beginnen/?vorgang={foreign.id}")


def test_a_case_of_another_authority_does_not_exist_here(world: World, abruf: Offer, officer: Person) -> None:
    system = Actor.system(world.waldsolms.id)
    manifest = MANIFEST.replace('"ministry"', '"municipality"').replace('fassung = "1"', 'fassung = "2"')
    version = publish_package(by=system, files=probe(leistung__toml=manifest))
    offer = offer_service(by=system, authority=world.waldsolms, version=version, slug="probe-waldsolms")
    theirs = world.submit(offer=offer)
    officer.get(f"/meine/{theirs.id}/")
    officer.get(f"/leistung/abruf/beginnen/?vorgang={theirs.id}", status=404)


def test_the_case_page_costs_one_statement_for_any_number(
    world: World, abruf: Offer, officer: Person
) -> None:
    earlier = world.submit()
    address = f"/meine/{earlier.id}/"

    def cost() -> int:
        with counted() as statements:
            officer.get(address)
        return len(statements)

    cost()
    none = cost()
    world.submit(offer=abruf, about=earlier)
    one = cost()
    for number in range(4):
        world.submit(offer=abruf, about=earlier, titel=f"Abruf {number}")
    assert cost() == one == none + 1 <= 12


def test_the_form_tells_what_is_known_and_begins_with_it(world: World, officer: Person) -> None:
    world.publish(package_with_facts(), "abruf")
    earlier = world.submit(titel="Akte <b>neu</b>")
    step = officer.post(f"/leistung/abruf/beginnen/?vorgang={earlier.id}").headers["Location"]
    page = officer.get(step)
    assert "Noch abrufbar: 900,00\xa0€, bis 31.\xa0März 2026." in page
    assert "Höchstens 900,00\xa0€." in page
    assert "Vorhaben „Akte &lt;b&gt;neu&lt;/b&gt;“, Abruf 0" in page
    assert "<b>neu</b>" not in page
    for text in ('value="900,00"', 'value="Software"', 'value="600,00"', 'value="Schulung"'):
        assert text in page
    assert "bleibt weg" not in page
    # Told anew when the page is seen again.
    with world.clerk.acting():
        Case.objects.filter(id=earlier.id).update(amount="1234.50")
    assert "Noch abrufbar: 1.234,50\xa0€" in officer.get(step)
    with counted() as statements:
        officer.get(step)
    assert len(statements) <= 12
