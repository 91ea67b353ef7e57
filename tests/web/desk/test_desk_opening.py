"""Opening a case ex officio at the desk: offered to who may, one page, nothing lost, one case."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from tests.casework.office_package import recovery
from tests.web.desk.conftest import Desk
from tests.web.queries import counted

from rathaus.casework.cases.models import Application, Case
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of

TYPED = {"grund": "Verdacht auf Doppelförderung", "eilig": "false", "betrag": "1.400,00"}


@pytest.fixture
def offer(clerk: Desk) -> Offer:
    return clerk.world.publish(recovery(), "rueckforderung")


@pytest.fixture
def earlier(clerk: Desk) -> Case:
    return clerk.world.submit()


def address(case: Case) -> str:
    return f"/amt/vorgang/{case.reference}/neu/rueckforderung/"


def hidden(page: str) -> str:
    found = re.search(r'name="_vorgang" value="([0-9a-f-]{36})"', page)
    assert found
    return found[1]


def count(desk: Desk) -> int:
    with Actor.system(desk.world.ministry.id).acting():
        return Case.objects.count()


def approver_only(desk: Desk) -> Desk:
    account = Account.objects.create(email="nur-freigabe@example.org")
    system = Actor.system(desk.world.ministry.id)
    add_member(by=system, authority=desk.world.ministry, account=account, roles=["Freigabe"], function="F")
    client = Client()
    client.force_login(account)
    return Desk(desk.world, client, actor_of(account.pk))


def test_offered_to_who_may_and_opened(clerk: Desk, offer: Offer, earlier: Case) -> None:
    case_page = clerk.get(f"/amt/vorgang/{earlier.reference}/")
    assert f'href="{address(earlier)}"' in case_page
    assert "Rückforderung beginnen" in case_page
    page = clerk.get(address(earlier))
    assert earlier.reference in page
    assert "Anlass" in page
    assert "Geld" in page
    sent = {**TYPED, "_vorgang": hidden(page)}
    there = clerk.post(address(earlier), **sent).headers["Location"]
    assert clerk.post(address(earlier), **sent).headers["Location"] == there  # a second click
    assert count(clerk) == 2
    page = clerk.get(there)
    assert "Angaben der Behörde" in page
    assert "von Amts wegen eröffnet" in page
    assert "Verdacht auf Doppelförderung" in page
    assert "vorgesehen" in page
    assert "Von Amts wegen eröffnet" in page  # history
    assert f'href="/amt/vorgang/{earlier.reference}/"' in page


def test_what_is_wrong_stays_beside_its_field(clerk: Desk, offer: Offer, earlier: Case) -> None:
    answer = clerk.client.post(
        address(earlier), {**TYPED, "grund": "<i>x</i>", "betrag": "viel", "eilig": ""}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="viel"' in page
    assert "&lt;i&gt;x&lt;/i&gt;" in page
    assert 'href="#f-betrag"' in page
    assert 'id="f-betrag-fehler"' in page
    assert count(clerk) == 1


def test_questions_and_rows_appear_without_losing_anything(clerk: Desk, offer: Offer, earlier: Case) -> None:
    assert 'name="warum"' not in clerk.get(address(earlier))
    page = clerk.post(address(earlier), status=200, **{**TYPED, "eilig": "true"}).content.decode()
    assert 'name="warum"' in page
    assert 'value="1.400,00"' in page
    page = clerk.post(address(earlier), status=200, **{**TYPED, "posten.0.was": "Eins", "add": "posten"})
    text = page.content.decode()
    assert 'name="posten.1.was"' in text
    assert 'name="posten.2.was"' not in text
    assert 'value="Eins"' in text
    assert "Doppelförderung" in text
    assert count(clerk) == 1
    clerk.post(address(earlier), **{**TYPED, "eilig": "true", "warum": "Verjährung", "posten.0.was": "Eins"})
    with clerk.actor.acting():
        kept = Application.objects.get(case__about=earlier)
    assert kept.is_ex_officio
    assert kept.answers["warum"] == "Verjährung"
    assert kept.answers["posten"] == [{"was": "Eins"}]


def test_others_are_refused(clerk: Desk, offer: Offer, earlier: Case) -> None:
    other = approver_only(clerk)
    assert "Rückforderung beginnen" not in other.get(f"/amt/vorgang/{earlier.reference}/")
    assert "eröffnet die Rolle „Sachbearbeitung“" in other.get(address(earlier), status=403)
    other.post(address(earlier), status=403, **TYPED)
    officer = Client()
    officer.force_login(Account.objects.get(pk=clerk.world.lahnau_officer.account))
    for answer in (officer.get(address(earlier)), officer.post(address(earlier), TYPED)):
        assert answer.status_code == 403
    assert officer.get("/leistung/rueckforderung/").status_code == 404
    assert officer.get(f"/leistung/rueckforderung/beginnen/?vorgang={earlier.id}").status_code == 404
    assert "Rückforderung" not in officer.get("/leistungen/").content.decode()
    for path in (
        "/amt/vorgang/PRB-2099-00001/neu/rueckforderung/",
        f"/amt/vorgang/{earlier.reference}/neu/probe/",
        f"/amt/vorgang/{earlier.reference}/neu/nichts/",
    ):
        clerk.get(path, status=404)
    assert count(clerk) == 1


def test_a_session_that_ended_loses_nothing(clerk: Desk, offer: Offer, earlier: Case) -> None:
    page = clerk.get(address(earlier))
    token = re.search(r'name="kept_for" value="([^"]+)"', page)
    assert token
    clerk.client.logout()
    clerk.post(address(earlier), **TYPED, kept_for=token[1])
    clerk.client.force_login(Account.objects.get(pk=clerk.actor.account))
    assert 'value="1.400,00"' in clerk.get(address(earlier))
    assert count(clerk) == 1


def test_the_pages_cost_little(clerk: Desk, offer: Offer, earlier: Case) -> None:
    for path, most in ((f"/amt/vorgang/{earlier.reference}/", 14), (address(earlier), 12)):
        clerk.get(path)
        with counted() as statements:
            clerk.get(path)
        assert len(statements) <= most, "\n".join(statements)
