"""„Unsere Förderungen“ as municipalities see it, and as nobody else does."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from pypdf import PdfReader
from tests.casework.conftest import World, make_world
from tests.domains.small_lives import Lives, noon
from tests.web.portal.conftest import Person, at_portal
from tests.web.queries import counted

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.models import Case, Notice
from rathaus.core import clock
from rathaus.core.authorities.actions import merge_authority
from rathaus.core.identity.actions import give_mandate
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.domains.grants.duties import Left
from rathaus.domains.grants.models import Grant
from rathaus.web.portal.grants import days_until, left_notes

START = date(2021, 1, 4)
TODAY = date(2021, 10, 18)


def plain(page: str) -> str:
    return " ".join(page.replace("\u00a0", " ").replace("&nbsp;", " ").split())


@contextmanager
def living(day: date) -> Iterator[None]:
    with clock.living_at(noon(day)):
        yield


@pytest.fixture
def world(db: None) -> World:
    """As of 2021: mandates hold from the day on which they are given."""
    with living(START):
        return make_world()


@pytest.fixture
def lives(world: World) -> Lives:
    with living(START):
        return Lives.at(world)


def final(lives: Lives, grant: Grant) -> Grant:
    officer = lives.world.lahnau_officer
    with officer.acting():
        notice = Notice.objects.get(case=grant.case_id)
    waive_remedy(by=officer, notice=notice)
    return grant


def drawn(lives: Lives, title: str = "Dokumentenmanagement", **given: str) -> Grant:
    """Two years, of which a part of the first is paid on 22 September."""
    with living(date(2021, 3, 1)):
        given = {"cost": "1000.00", "amount": "900.00", **given}
        grant = final(lives, lives.begin({2021: "600.00", 2022: "300.00"}, title=title, **given))
    with living(date(2021, 9, 22)):
        lives.pay(lives.ask_for(grant, "400.00", 2021), date(2021, 9, 22))
    return grant


def test_one_line_a_grant_most_urgent_first(lives: Lives, officer: Person) -> None:
    drawn(lives)
    with living(TODAY):
        application = lives.apply(title="Bürgerportal")
        page = plain(officer.get("/foerderungen/"))
    assert "Gemeinde Lahnau · Montag, 18. Oktober 2021" in page
    assert page.index("Dokumentenmanagement") < page.index("Bürgerportal")
    assert "1. Rate ausgeben und melden" in page
    assert "Mo, 22.11.2021" in page
    assert "in 35 Tagen" in page
    assert "200,00 €" in page
    assert "bis 3. Dezember 2021" in page
    assert page.count("kern-btn--primary") == 1
    assert "/leistung/mittelabruf/beginnen/?vorgang=" in page
    assert "noch nicht bewilligt" not in page
    assert "beantragt 900,00 €" in page
    assert application.reference in page
    assert "ausgezahlt" in page
    assert "bewilligt</dt>" in page


def test_parts_of_the_glance_add_up(lives: Lives, officer: Person) -> None:
    drawn(lives)
    with living(TODAY):
        page = plain(officer.get("/foerderungen/"))
    assert (
        "bewilligt 900,00 €: ausgezahlt 400,00 €, abrufbar bis 3. Dezember 2021 200,00 €, "
        "abrufbar 2022 210,00 €, nach dem Nachweis 90,00 €" in page
    )


def test_few_statements_however_many_grants(lives: Lives, officer: Person) -> None:
    drawn(lives)
    with living(TODAY):
        officer.get("/foerderungen/")  # manifests and packages are read once a process
        with counted() as one:
            officer.get("/foerderungen/")
    for number in range(3):
        drawn(lives, title=f"Vorhaben {number}")
    with living(TODAY):
        lives.apply()
        officer.get("/foerderungen/")
        with counted() as many:
            officer.get("/foerderungen/")
        with counted() as pdf:
            officer.client.get("/foerderungen/uebersicht.pdf")
    assert len(many) == len(one) <= 12
    assert len(pdf) <= 12


def test_the_page_of_a_grant(lives: Lives, officer: Person) -> None:
    grant = drawn(lives)
    address = f"/foerderungen/{grant.id}/"
    with living(date(2022, 1, 10)):
        lives.accept(lives.prove(grant, "500.00", kind="zwischen"), "500.00")
    with living(date(2023, 2, 1)):
        items = (("Scanner", "2022-05-01", "900.00"),)
        proof = lives.prove(grant, "800.00", items=items)
        officer.get(address)
        with counted() as statements:
            page = plain(officer.get(address))
    assert len(statements) <= 12
    assert "Dokumentenmanagement" in page
    assert "Wir prüfen Ihren Verwendungsnachweis." in page
    assert "1. Rate für 2021" in page
    assert "ausgezahlt am 22.09.2021" in page
    assert "Verwendungsnachweis vom 1. Februar 2023" in page
    assert "Rechenweg" in page
    with living(date(2023, 2, 1)):
        lives.accept(proof, "800.00")
        with counted() as statements:
            page = plain(officer.get(address))
    assert len(statements) <= 12
    assert "Schlussrate abrufen: 320,00 €" in page
    assert "Scanner" in page
    assert "01.05.2027" in page
    assert "1. Fassung: Bewilligung" in page
    with living(date(2023, 2, 1)):
        notice = page[page.index(f"/meine/{grant.case_id}/bescheid/") :].split('"')[0]
        officer.get(notice)


def test_a_rate_that_is_paid_and_a_proof_that_is_checked_promise_no_money(
    lives: Lives, officer: Person
) -> None:
    grant = drawn(lives)
    with living(date(2023, 2, 1)):
        proof = lives.prove(grant, "800.00")
        lives.accept(proof, "800.00")
        with lives.world.lahnau_officer.acting():
            rate = Case.objects.get(about=grant.case_id, offer__slug="mittelabruf")
        paid, checked = plain(officer.get(f"/meine/{rate.id}/")), plain(officer.get(f"/meine/{proof.id}/"))
    assert "Der Vorgang ist seit 22. September 2021" in paid
    assert "Wir prüfen Ihren Antrag" not in paid
    assert "Sie erhalten" not in checked + paid
    assert "beantragt:" not in checked


def test_buttons_lead_to_forms_that_begin(lives: Lives, officer: Person) -> None:
    grant = drawn(lives)
    with living(TODAY):
        page = officer.get(f"/foerderungen/{grant.id}/")
        for slug in ("mittelabruf", "verwendungsnachweis"):
            address = f"/leistung/{slug}/beginnen/?vorgang={grant.case_id}"
            assert address in page
            assert grant.reference in officer.get(address)


def test_what_the_authority_does_not_offer_has_no_button(lives: Lives, officer: Person) -> None:
    grant = drawn(lives)
    with Actor.system(lives.world.ministry.id).acting():
        for offer in (lives.drawdown_offer, lives.proof_offer):
            offer.is_open = False
            offer.save(update_fields=["is_open"])
    with living(TODAY):
        page = officer.get("/foerderungen/") + officer.get(f"/foerderungen/{grant.id}/")
    assert "1. Rate ausgeben und melden" in page
    assert "/beginnen/" not in page


def test_overdue_is_red_and_soon_is_orange(lives: Lives, officer: Person) -> None:
    drawn(lives)
    with living(date(2021, 11, 10)):
        assert "rh-due--warn" in officer.get("/foerderungen/")
    with living(date(2021, 11, 23)):
        page = officer.get("/foerderungen/")
    assert "rh-due--bad" in page
    assert "seit einem Tag überfällig" in page


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2021, 8, 1), "seit 89 Tagen überfällig"),
        (date(2021, 7, 1), "seit 4 Monaten überfällig"),
        (date(2017, 10, 29), "seit 4 Jahren überfällig"),
        (date(2022, 1, 27), "in 90 Tagen"),
    ],
)
def test_how_far_a_day_is(day: date, words: str) -> None:
    assert days_until(day, date(2021, 10, 29)) == words


def test_the_last_rate_is_called_so() -> None:
    """Money that waits for no day and can be had is not „ganz ausgezahlt“."""
    assert left_notes(Left(now=Decimal("107994.00")), date(2021, 10, 29)) == ["als Schlussrate"]


def test_a_question_about_an_application_comes_first(lives: Lives, officer: Person) -> None:
    drawn(lives)
    with living(TODAY):
        case = lives.apply(title="Bürgerportal")
        lives.ask(case)
        page = plain(officer.get("/foerderungen/"))
    assert page.index("Bürgerportal") < page.index("Dokumentenmanagement")
    assert "Rückfrage beantworten" in page


# --- who sees it -------------------------------------------------------------------------------------------------


def test_others_see_nothing_of_it(lives: Lives, officer: Person, neighbour: Person, resident: Person) -> None:
    grant = drawn(lives)
    clerk = at_portal(Account.objects.get(pk=lives.world.clerk.account))
    with living(TODAY):
        for person in (neighbour, resident, clerk):
            person.get(f"/foerderungen/{grant.id}/", 404)
            assert "Dokumentenmanagement" not in person.get("/foerderungen/")
            document = person.client.get("/foerderungen/uebersicht.pdf")
            assert "Dokumentenmanagement" not in text_of(document.content)
        officer.get(f"/foerderungen/{uuid4()}/", 404)
        officer.get(f"/foerderungen/{grant.id}/")


def test_a_grant_without_its_notice_is_no_grant_yet(lives: Lives, officer: Person) -> None:
    """Between the decision and its notice nobody outside knows."""
    with living(date(2021, 3, 1)):
        case = lives.apply()
        lives.decide_without_notice(case)
        with lives.world.clerk.acting():
            grant = Grant.objects.get(case=case)
        officer.get(f"/foerderungen/{grant.id}/", 404)
        page = plain(officer.get("/foerderungen/"))
    assert "prüft." in page
    assert "bewilligt</dt>" not in page


def test_the_menu_names_it_for_municipalities_only(world: World, officer: Person, resident: Person) -> None:
    assert "Unsere Förderungen" in officer.get("/meine/")
    assert "Unsere Förderungen" not in resident.get("/meine/")
    assert "Das ist die Seite für Kommunen" in resident.get("/foerderungen/")
    assert "Das ist die Seite für Kommunen" in resident.get("/foerderungen/fristen/")


def test_an_empty_page_says_what_comes(world: World, officer: Person) -> None:
    assert "Zurzeit läuft keine Förderung" in officer.get("/foerderungen/")


def test_grants_of_a_predecessor_stand_under_its_old_name(
    lives: Lives, world: World, officer: Person, neighbour: Person
) -> None:
    grant = drawn(lives)
    merge_authority(
        by=Actor.system(world.waldsolms.id),
        predecessor=world.lahnau,
        successor=world.waldsolms,
        on=date(2022, 1, 1),
    )
    with living(date(2021, 12, 31)):
        neighbour.get(f"/foerderungen/{grant.id}/", 404)
    with clock.living_at(datetime(2022, 1, 1, 12, tzinfo=UTC)):
        officer.get(f"/foerderungen/{grant.id}/", 404)
        assert "Dokumentenmanagement" not in officer.get("/foerderungen/")
        page = plain(neighbour.get("/foerderungen/"))
        assert "Gemeinde Waldsolms · Samstag, 1. Januar 2022" in page
        assert "<small>Gemeinde Lahnau</small>" in page
        one = plain(neighbour.get(f"/foerderungen/{grant.id}/"))
        assert "Förderung an: <b>Gemeinde Lahnau</b>" in one
        assert "seit 1. Januar 2022: Gemeinde Waldsolms" in one
        assert f"/leistung/verwendungsnachweis/beginnen/?vorgang={grant.case_id}" in one


def test_who_acts_for_two_sees_whose_each_is(lives: Lives, world: World) -> None:
    drawn(lives)
    with living(date(2021, 3, 1)):
        lives.begin(title="Radweg", by=world.waldsolms_officer, party=world.waldsolms_party)
    both = Account.objects.create(email="beide@example.org", name="Beide", trust_level=3)
    with living(TODAY):
        for party in (world.lahnau_party, world.waldsolms_party):
            give_mandate(by=Actor.system(party.authority_id), account=both, party=party)
        page = plain(at_portal(both).get("/foerderungen/"))
    assert "<small>Gemeinde Lahnau</small>" in page
    assert "<small>Gemeinde Waldsolms</small>" in page


# --- the sheet for the board -------------------------------------------------------------------------------------


def text_of(pdf: bytes) -> str:
    return plain(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def test_the_sheet_for_the_board(lives: Lives, officer: Person) -> None:
    drawn(lives)
    with living(TODAY):
        lives.apply(title='#raw("Bürgerportal") *fett* $x$')
        answer = officer.client.get("/foerderungen/uebersicht.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(answer.content)).pages) == 1
    text = text_of(answer.content)
    assert "Gemeinde Lahnau" in text
    assert "Stand 18. Oktober 2021" in text
    assert "1. Rate ausgeben und melden" in text
    assert "22.11.2021" in text
    assert "200,00 €" in text
    assert '#raw("Bürgerportal") *fett* $x$' in text
    assert "Letzter" not in text


def test_an_empty_sheet_is_one_too(world: World, officer: Person) -> None:
    answer = officer.client.get("/foerderungen/uebersicht.pdf")
    assert "Zurzeit läuft keine Förderung" in text_of(answer.content)


def test_follow_ups_are_no_applications(lives: Lives, officer: Person) -> None:
    grant = drawn(lives)
    with living(TODAY):
        request = lives.ask_for(grant, "100.00", 2021, verwendet="400.00", verwendet_am="2021-10-01")
        page = officer.get("/foerderungen/")
        with officer.actor.acting():
            assert Case.objects.get(id=request.id).about_id == grant.case_id
    assert request.reference not in page
    assert "Wir prüfen die 2. Rate." in page
