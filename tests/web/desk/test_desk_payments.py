"""Payment runs as people make them on the desk, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.casework.conftest import World, account
from tests.web.desk.conftest import Desk, sit_down
from tests.web.desk.money import Place, on, ordered, payment_of
from tests.web.queries import counted

from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import actor_of
from rathaus.domains.grants.enums import PaymentState, RunState
from rathaus.domains.grants.models import PaymentRun, ReturnFile
from rathaus.integrations.bank.credit_transfer import schema_problems

HERE = "/amt/foerderung/land/auszahlungen/"


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    with on("2023-05-10"):
        yield Place.make(world)


@pytest.fixture
def colleague(world: World) -> Desk:
    """Works on cases and decides nothing."""
    return sit_down(world, member(world, "second@example.org", ["Sachbearbeitung"]))


def member(w: World, email: str, roles: list[str], *, authority: object = None) -> Actor:
    person = account(email)
    place = authority or w.ministry
    add_member(by=Actor.system(place.id), authority=place, account=person, roles=roles, function=email)  # type: ignore[attr-defined, arg-type]
    return actor_of(person.pk)


def run(w: World, number: int = 1) -> PaymentRun:
    with w.clerk.acting():
        return PaymentRun.objects.get(number=number)


def prepared(clerk: Desk, **data: object) -> str:
    given = {"ausfuehren": "12.05.2023", "welche": "alle", **data}
    return str(clerk.post(HERE + "lauf/", **given).headers["Location"])


def test_from_the_order_to_the_money(place: Place, clerk: Desk, head: Desk) -> None:
    w = place.w
    rates = ordered(place, grants=3)
    page = clerk.get(HERE)
    assert "3 Zahlungen, <b>900,00\u00a0€</b>" in page
    assert "DE02\u00a01203\u00a00000\u00a00000\u00a02020\u00a051" in page
    address = prepared(clerk)
    assert address == HERE + "1/"
    assert "Freigeben muss eine andere Person" in clerk.get(address)
    assert "900,00\u00a0€ freigeben" in head.get(address)
    head.post(address + "freigeben/")
    for name, start in (("sepa.xml", b"<?xml"), ("zahlungen.csv", b"\xef\xbb\xbflauf;nummer")):
        answer = clerk.client.get(address + name)
        assert answer.status_code == 200
        assert answer.content.startswith(start)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        if name == "sepa.xml":
            assert schema_problems(answer.content) == []
            assert answer.content.count(b"<CdtTrfTxInf>") == 3
    lines = [f"{payment_of(w, rate).end_to_end};12.05.2023;300,00;bezahlt" for rate in rates]
    with on("2023-05-13"):
        upload(clerk, "\n".join(["end_to_end;datum;betrag;status", *lines]))
        assert "erledigt" in clerk.get(address)
    assert {payment_of(w, rate).state for rate in rates} == {PaymentState.PAID}
    assert run(w).state == RunState.DONE
    place.sound()


def upload(desk: Desk, text: str, status: int = 302) -> str:
    file = SimpleUploadedFile("antwort.csv", text.encode(), content_type="text/csv")
    return str(desk.post(HERE + "rueckmeldung/", status, datei=file).content.decode())


def test_some_of_them_and_the_rest_waits(place: Place, clerk: Desk) -> None:
    rates = ordered(place, grants=3)
    chosen = [str(payment_of(place.w, rate).id) for rate in rates[:2]]
    prepared(clerk, welche="auswahl", zahlung=chosen)
    assert run(place.w).count == 2
    assert "1 Zahlung, <b>300,00\u00a0€</b>" in clerk.get(HERE)
    page = clerk.post(HERE + "lauf/", 422, welche="auswahl", ausfuehren="12.05.2023").content.decode()
    assert "Wählen Sie zuerst Zahlungen" in page
    page = clerk.post(HERE + "lauf/", 422, welche="alle", ausfuehren="bald").content.decode()
    assert "„bald“ ist kein Datum" in page
    page = clerk.post(HERE + "lauf/", 422, welche="alle", ausfuehren="01.05.2023").content.decode()
    assert "nicht in der Vergangenheit" in page


def test_a_second_click_leads_to_the_same_run(place: Place, clerk: Desk, head: Desk) -> None:
    ordered(place, grants=2)
    assert prepared(clerk) == prepared(clerk)
    with place.w.clerk.acting():
        assert PaymentRun.objects.count() == 1
    # Somebody else's click finds nothing to do, and says so.
    page = head.post(HERE + "lauf/", 422, welche="alle", ausfuehren="12.05.2023").content.decode()
    assert "keine Auszahlung angeordnet" in page
    for _ in range(2):
        head.post(HERE + "1/freigeben/")
    assert run(place.w).released_by_id == head.actor.account
    clerk.post(HERE + "1/aufloesen/")
    assert run(place.w).count == 2  # it was released: nothing to dissolve
    assert "schon freigegeben" in clerk.get(HERE)


def test_four_eyes_and_roles(place: Place, clerk: Desk, head: Desk, colleague: Desk) -> None:
    ordered(place)
    address = prepared(head)
    assert "Vier-Augen-Prinzip" in head.post(address + "freigeben/", 403).content.decode()
    colleague.post(address + "freigeben/", 403)
    assert run(place.w).released_at is None
    for name in ("sepa.xml", "zahlungen.csv"):
        head.get(address + name, 404)  # nothing leaves before the release
    clerk.post(address + "aufloesen/")
    assert "aufgelöst" in clerk.get(address)
    assert "1 Zahlung, <b>300,00\u00a0€</b>" in clerk.get(HERE)
    clerk.post(address + "aufloesen/")
    assert "schon aufgelöst" in clerk.get(HERE)
    outsider = sit_down(place.w, member(place.w, "reader@example.org", ["Lesen"]))
    outsider.post(HERE + "lauf/", 403, welche="alle", ausfuehren="12.05.2023")
    assert "Zahlungsläufe bereitet die Sachbearbeitung vor" in outsider.get(HERE)


def test_another_authority_finds_nothing(place: Place, clerk: Desk, head: Desk) -> None:
    rate = ordered(place)[0]
    address = prepared(clerk)
    head.post(address + "freigeben/")
    payment = payment_of(place.w, rate)
    stranger = sit_down(
        place.w,
        member(
            place.w, "x@example.org", ["Sachbearbeitung", "Freigabe", "Leitung"], authority=place.w.lahnau
        ),
    )
    for path in ("", "1/", "1/sepa.xml", "1/zahlungen.csv", f"zahlung/{payment.id}/"):
        stranger.get(HERE + path, 404)
    for path in (
        "lauf/",
        "rueckmeldung/",
        "1/freigeben/",
        "1/aufloesen/",
        f"zahlung/{payment.id}/?tun=bezahlt",
    ):
        stranger.post(HERE + path, 404, welche="alle", ausfuehren="12.05.2023", tag="10.05.2023")
    clerk.get(f"{HERE}zahlung/{uuid4()}/", 404)
    clerk.get(HERE + "2/", 404)
    clerk.post(f"{HERE}zahlung/{payment.id}/?tun=verschenken", 404)


def test_a_wrong_file_lists_all_and_books_nothing(place: Place, clerk: Desk, head: Desk) -> None:
    w, rates = place.w, ordered(place, grants=2)
    head.post(prepared(clerk) + "freigeben/")
    first, second = (payment_of(w, rate).end_to_end for rate in rates)
    page = upload(
        clerk,
        f"end_to_end;datum;betrag;status\n{first};10.05.2023;299,99;bezahlt\n{second};10.05.2023;300,00;bezahlt\n"
        "GIBTSNICHT;10.05.2023;1,00;bezahlt\n",
        422,
    )
    assert "„antwort.csv“ ist nicht eingelesen" in page
    assert "die Datei sagt 299,99" in page
    assert "GIBTSNICHT" in page
    with w.clerk.acting():
        assert not ReturnFile.objects.exists()
    assert payment_of(w, rates[1]).state == PaymentState.IN_RUN
    page = upload(
        clerk, "end_to_end;datum;betrag;status\nA;morgen;x;vielleicht\nB;31.02.2023;1,00;bezahlt\n", 422
    )
    assert "Zeile 2" in page
    assert "Zeile 3" in page
    assert "Wählen Sie die Datei" in clerk.post(HERE + "rueckmeldung/", 422).content.decode()
    good = f"end_to_end;datum;betrag;status\n{first};10.05.2023;300,00;bezahlt\n"
    upload(clerk, good)
    assert "schon eingelesen" in upload(clerk, good, 422)
    place.sound()


def test_by_hand_paid_returned_and_ordered_again(place: Place, clerk: Desk, head: Desk) -> None:
    w, rate = place.w, ordered(place)[0]
    payment = payment_of(w, rate)
    address = f"{HERE}zahlung/{payment.id}/"
    assert "Als ausgezahlt" not in clerk.get(address)
    assert (
        "wartet auf keine Bestätigung"
        in clerk.post(address + "?tun=bezahlt", 422, tag="10.05.2023").content.decode()
    )
    head.post(prepared(clerk) + "freigeben/")
    assert "Als ausgezahlt" in clerk.get(address)
    assert "ist kein Datum" in clerk.post(address + "?tun=bezahlt", 422, tag="gestern").content.decode()
    assert (
        "zwischen der Anordnung"
        in clerk.post(address + "?tun=bezahlt", 422, tag="11.05.2023").content.decode()
    )
    clerk.post(address + "?tun=bezahlt", tag="10.05.2023")
    assert (
        "wartet auf keine Bestätigung"
        in clerk.post(address + "?tun=bezahlt", 422, tag="10.05.2023").content.decode()
    )
    assert (
        "warum die Zahlung"
        in clerk.post(address + "?tun=zurueck", 422, tag_zurueck="10.05.2023", grund=" ").content.decode()
    )
    clerk.post(address + "?tun=zurueck", tag_zurueck="10.05.2023", grund="Konto erloschen")
    assert "Konto erloschen" in clerk.get(HERE)
    # Whoever only works on cases may not name another account.
    clerk.post(address + "?tun=neu", 403, iban="DE89370400440532013000", inhaber="Gemeinde Lahnau")
    page = head.post(
        address + "?tun=neu", 422, iban="DE89370400440532013001", inhaber="Lahnau"
    ).content.decode()
    assert "keine gültige IBAN" in page
    assert 'value="DE89370400440532013001"' in page
    head.post(address + "?tun=neu", iban="de89 3704 0044 0532 0130 00", inhaber="Gemeinde Lahnau")
    head.post(address + "?tun=neu", 422, iban="DE89370400440532013000", inhaber="Gemeinde Lahnau")
    again = payment_of(w, rate)
    assert (again.state, again.iban, again.amount) == (
        PaymentState.ORDERED,
        "DE89370400440532013000",
        Decimal("300.00"),
    )
    assert "Neu angeordnet als" in head.get(address)
    assert "Konto erloschen" not in clerk.get(HERE)
    place.sound()


def test_pages_cost_a_fixed_number_of_statements(place: Place, clerk: Desk) -> None:
    ordered(place, grants=2)
    clerk.get(HERE)
    costs = []
    for _ in range(2):
        with counted() as statements:
            clerk.get(HERE)
        costs.append(len(statements))
        ordered(place, grants=2)
    assert costs[0] == costs[1] <= 12
    address = prepared(clerk)
    with counted() as statements:
        clerk.get(address)
    assert len(statements) <= 12


def test_nothing_is_waiting(place: Place, clerk: Desk) -> None:
    page = clerk.get(HERE)
    assert "Keine Zahlung wartet" in page
    assert not re.search(r"<button[^>]*>[^<]*<span[^>]*>Zahlungslauf", page)
