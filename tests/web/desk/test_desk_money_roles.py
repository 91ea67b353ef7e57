"""Who may move money at the desk: every address that does, in every role, and by people of other authorities."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from tests.casework.conftest import World
from tests.domains.claim_world import Place, on
from tests.web.desk.conftest import Desk, sit_down
from tests.web.desk.money import ordered, payment_of
from tests.web.desk.test_desk_claims import address, claimed
from tests.web.desk.test_desk_payments import member

from rathaus.casework.cases.models import Notice
from rathaus.core import clock
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.payments import prepare_run, release_run
from rathaus.domains.grants.models import Programme

WORK, APPROVE, HEAD, AUDIT, READER, EXPERT = (
    "Sachbearbeitung", "Freigabe", "Leitung", "Rechnungsprüfung", "Lesen", "Gutachten",
)  # fmt: skip
ROLES = (WORK, APPROVE, HEAD, AUDIT, READER, EXPERT)
PAY = "/amt/foerderung/land/auszahlungen/"
FUNDING = "/amt/foerderung/"


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    with on("2023-03-01"):
        yield Place.make(world)


def state_of_the_books(place: Place) -> str:
    """A sum over every row of the tables of grants, and over remedies and messages."""
    with Actor.system(place.w.ministry.id).acting(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND "
            "(table_name LIKE 'grants\\_%%' OR table_name IN ('cases_remedy', 'cases_message', 'services_offer')) "
            "ORDER BY 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        digest = hashlib.sha256()
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY id")
            digest.update(repr(cursor.fetchall()).encode())
    return digest.hexdigest()


def typed_for(path: str) -> dict[str, object]:
    """What fills in every form of these pages."""
    day = "01.03.2023"
    return {
        "ausfuehren": day, "welche": "alle", "tag": day, "tag_zurueck": day, "grund": "Konto erloschen", "text": "Guten Tag",
        "iban": "DE02120300000000202051", "inhaber": "Lahnau", "betrag": "1,00", "eingegangen": day, "kassenzeichen": "K1",
        "raten": f"{day} 10.000,00", "ab": "01.01.2026", "satz": "1,27", "quelle": "Bundesanzeiger", "titel": "Neues",
        "jahr": "2024", "massnahme": "neu", "neue": "Neue", "leistung": "abrufen",
        "art": "action" if "behelf" in path else "cash", "datei": SimpleUploadedFile("a.csv", b"egal"),
    }  # fmt: skip


def test_each_address_knows_its_roles(place: Place) -> None:
    w = place.w
    with on("2023-03-01"):
        claim = claimed(place)
        sent, _ = ordered(place, grants=2)
        with w.clerk.acting():
            programme = Programme.objects.get(key="land")
            notice = Notice.objects.select_related("case").get(case_id=sent.about_id)
        first = prepare_run(
            by=w.clerk, programme=programme, executes_on=clock.today(), payments=[payment_of(w, sent).id]
        )
        release_run(by=w.approver, run=first.id, make_file=lambda *_: b"x")
        prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())
        payment = f"{PAY}zahlung/{payment_of(w, sent).id}/"
        case = f"/amt/vorgang/{notice.case.reference}/"
    addresses = {
        f"{PAY}lauf/": {WORK, HEAD},
        f"{PAY}2/freigeben/": {APPROVE, HEAD},
        f"{PAY}2/aufloesen/": {WORK, HEAD},
        f"{PAY}rueckmeldung/": {WORK, HEAD},
        f"{payment}?tun=bezahlt": {WORK, HEAD},
        f"{payment}?tun=zurueck": {WORK, HEAD},
        f"{payment}?tun=neu": {APPROVE, HEAD},
        f"{address(claim)}?tun=eingang": {WORK, HEAD},
        f"{address(claim)}?tun=raten": {APPROVE, HEAD},
        f"{address(claim)}?tun=erlassen": {HEAD},
        f"{FUNDING}zinssaetze/": {APPROVE, HEAD},
        f"{FUNDING}neu/": {HEAD},
        f"{FUNDING}land/beschreibung/": {HEAD},
        f"{FUNDING}land/mittel/": {HEAD},
        f"{FUNDING}land/aufruf/": {HEAD},
        f"{case}rest-freigeben/": {APPROVE, HEAD},
        f"{case}bescheid/{notice.id}/rechtsbehelf/": {WORK, APPROVE, HEAD},
        f"{case}nachricht/": {WORK, APPROVE, HEAD},
        f"{FUNDING}land/mahnen/": {WORK, HEAD},
        "/amt/leistungen/zuwendung/zeitraum/": {HEAD},
        "/amt/leistungen/zuwendung/regeln/aendern/": {HEAD},
    }
    before = state_of_the_books(place)
    for number, role in enumerate(ROLES):
        person = sit_down(w, member(w, f"rolle-{number}@example.org", [role]))
        for path, allowed in addresses.items():
            if role in allowed:
                continue
            answer = person.client.post(path, typed_for(path))
            assert answer.status_code in (403, 404), (role, path, answer.status_code)
            assert state_of_the_books(place) == before, (role, path)
    for stranger in _strangers(place):
        for path in addresses:
            answer = stranger.client.post(path, typed_for(path))
            if path.endswith(("/neu/", "/zinssaetze/")):  # their own: everybody may read a programme
                before = state_of_the_books(place)
                continue
            assert answer.status_code in (403, 404), (path, answer.status_code)
            assert state_of_the_books(place) == before, path
    for path, allowed in addresses.items():  # and nobody is kept from their work
        for number, role in enumerate(ROLES):
            if role in allowed and not path.endswith(("freigeben/", "aufloesen/")):
                person = sit_down(w, member_again(w, number))
                assert person.client.post(path, {}).status_code in (200, 302, 422), (role, path)


def member_again(w: World, number: int) -> Actor:
    from rathaus.core.identity.models import Account
    from rathaus.core.identity.queries import actor_of

    return actor_of(Account.objects.get(email=f"rolle-{number}@example.org").pk)


def _strangers(place: Place) -> Iterator[Desk]:
    """The head of another ministry, and the treasurer of the town that gets the money."""
    other = Authority.objects.create(
        kind=AuthorityKind.MINISTRY, name="Anderes", label="Anderes Ministerium", sort_key="anderes", slug="anderes"
    )  # fmt: skip
    every = [WORK, APPROVE, HEAD]
    yield sit_down(place.w, member(place.w, "anderes@example.org", every, authority=other))
    yield sit_down(place.w, member(place.w, "kaemmerei@example.org", every, authority=place.w.lahnau))


@pytest.mark.parametrize("year", ["２０２３", "2O23", "20233", "-2023", "2023 ", "alles"])
def test_a_year_that_is_none_releases_nothing(place: Place, head: Desk, year: str) -> None:
    case = place.granted(amount="900.00")
    before = place.money(case)
    head.post(f"/amt/vorgang/{case.reference}/rest-freigeben/", 404, jahr=year)
    assert place.money(case) == before


def test_the_federal_rate_is_for_those_who_grant(place: Place) -> None:
    """It holds for everybody, so a town that claims nothing back does not set it."""
    treasurer = sit_down(
        place.w, member(place.w, "kaemmerei@example.org", [APPROVE, HEAD], authority=place.w.lahnau)
    )
    answer = treasurer.client.post(
        f"{FUNDING}zinssaetze/", {"ab": "01.01.2026", "satz": "99,00", "quelle": "Ich"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_a_run_of_no_number(place: Place, head: Desk, number: int) -> None:
    head.get(f"{PAY}{number}/", 404)
    head.post(f"{PAY}{number}/freigeben/", 404)
    assert "Auszahlungen" in head.get(f"{PAY}?{urlencode({'vor': number})}")
