"""The calendar of deadlines and its secret address; reminders by mail, once, to those who want them."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from tests.casework.conftest import World, make_world, run_waiting_jobs
from tests.domains.small_lives import Lives, noon
from tests.engine.test_icalendar import text_value, unfolded
from tests.web.portal.conftest import Person
from tests.web.queries import counted

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.models import Notice
from rathaus.core import clock
from rathaus.core.audit.models import Event
from rathaus.core.authorities.actions import merge_authority
from rathaus.core.identity.actions import give_mandate
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Account, Mandate
from rathaus.core.tenancy import acting
from rathaus.domains.grants.actions.deadlines import feed_of, make_feed, remind, revoke_feed, set_mail
from rathaus.domains.grants.jobs import send_reminder
from rathaus.domains.grants.models import DeadlineChoice, Grant, Reminder

START, TODAY = date(2021, 1, 4), date(2021, 10, 18)
DUE = date(2021, 11, 22)


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


@pytest.fixture
def grant(lives: Lives) -> Grant:
    """Paid in part on 22 September: the use is to be told by 22 November."""
    officer = lives.world.lahnau_officer
    with living(date(2021, 3, 1)):
        found = lives.begin({2021: "600.00", 2022: "300.00"}, title="Neue; Akte, bald")
        with officer.acting():
            notice = Notice.objects.get(case=found.case_id)
        waive_remedy(by=officer, notice=notice)
    with living(date(2021, 9, 22)):
        lives.pay(lives.ask_for(found, "400.00", 2021), date(2021, 9, 22))
        run_waiting_jobs()
    return found


def feed_url(token: str) -> str:
    return f"/foerderungen/fristen/{token}/fristen.ics"


def made_on_page(person: Person) -> str:
    party = person.actor.parties[0]
    page = person.post("/foerderungen/fristen/", 200, tun="kalender", kommune=str(party)).content.decode()
    found = re.search(r'value="[^"]*/foerderungen/fristen/([\w-]+)/fristen\.ics"', page)
    assert found
    return found.group(1)


# --- the calendar ------------------------------------------------------------------------------------------------


def test_a_calendar_without_login(grant: Grant, officer: Person) -> None:
    with living(TODAY):
        token = made_on_page(officer)
        answer = Client().get(feed_url(token))
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]
    lines = unfolded(answer.content)
    assert "DTSTART;VALUE=DATE:20211122" in lines
    assert "DTSTART;VALUE=DATE:20211203" in lines
    assert f"URL:http://localhost:8000/foerderungen/{grant.id}/" in lines
    assert text_value(lines, "SUMMARY") == "1. Rate ausgeben und melden (Neue; Akte, bald, 400,00 €)"
    assert (
        lines.count("TRIGGER:-P13DT15H") == 3
    )  # to tell, to draw, to prove; what is only good to know wakes nobody
    assert "DTSTART;VALUE=DATE:20221203" in lines


def test_the_address_is_told_once_and_kept_as_a_hash(grant: Grant, officer: Person) -> None:
    with living(TODAY):
        token = made_on_page(officer)
        assert token not in officer.get("/foerderungen/fristen/")
    with officer.actor.acting():
        choice = DeadlineChoice.objects.get()
    assert choice.feed_hash is not None
    assert len(choice.feed_hash) == 64
    assert choice.feed_hash not in token
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session WHERE session_data LIKE %s", [f"%{token}%"])
        assert cursor.fetchone()[0] == 0


def test_a_new_address_ends_the_old_one_and_locking_ends_all(grant: Grant, officer: Person) -> None:
    with living(TODAY):
        first, second = made_on_page(officer), made_on_page(officer)
        assert Client().get(feed_url(first)).status_code == 404
        assert Client().get(feed_url(second)).status_code == 200
        officer.post("/foerderungen/fristen/", tun="widerrufen", kommune=str(officer.actor.parties[0]))
        assert Client().get(feed_url(second)).status_code == 404


def test_guessed_and_twisted_secrets_lead_nowhere(grant: Grant, officer: Person, neighbour: Person) -> None:
    account = officer.actor.account
    assert account is not None
    with living(TODAY):
        token = make_feed(by=officer.actor, party=officer.actor.parties[0])
        others = make_feed(by=neighbour.actor, party=neighbour.actor.parties[0])
        guesses = [
            "nichts",
            "",
            "é",
            token[:-1],
            token + "A",
            token.swapcase(),
            others[:22] + token[22:],
            token[:22] + others[22:],
            urlsafe_b64encode(account.bytes + bytes(24)).decode().rstrip("="),
            "A" * 10_000,
        ]
        for guess in guesses:
            assert feed_of(guess) is None
            assert Client().get(f"/foerderungen/fristen/{guess or '%00'}/fristen.ics").status_code == 404
        assert feed_of(token) == (account, officer.actor.parties[0])


def test_each_calendar_shows_its_own_municipality(grant: Grant, officer: Person, neighbour: Person) -> None:
    with living(TODAY):
        token = make_feed(by=neighbour.actor, party=neighbour.actor.parties[0])
        assert b"VEVENT" not in Client().get(feed_url(token)).content


def test_without_a_mandate_the_calendar_ends(grant: Grant, officer: Person) -> None:
    with living(TODAY):
        token = make_feed(by=officer.actor, party=officer.actor.parties[0])
    with acting(parties=officer.actor.parties):
        assert Mandate.objects.update(valid_until=TODAY) == 1
    with living(TODAY):
        assert Client().get(feed_url(token)).status_code == 200
    with living(TODAY + timedelta(days=1)):
        assert Client().get(feed_url(token)).status_code == 404


def test_the_successors_calendar_shows_what_it_took_over(
    world: World, grant: Grant, officer: Person, neighbour: Person
) -> None:
    with living(TODAY):
        old = make_feed(by=officer.actor, party=officer.actor.parties[0])
        token = make_feed(by=neighbour.actor, party=neighbour.actor.parties[0])
    merge_authority(
        by=Actor.system(world.waldsolms.id),
        predecessor=world.lahnau,
        successor=world.waldsolms,
        on=date(2021, 11, 1),
    )
    with living(date(2021, 11, 2)):
        assert "Gemeinde Lahnau" in Client().get(feed_url(token)).content.replace(b"\r\n ", b"").decode()
        assert Client().get(feed_url(old)).status_code == 404


def test_nobody_makes_a_calendar_of_others(
    world: World, officer: Person, neighbour: Person, resident: Person
) -> None:
    foreign = neighbour.actor.parties[0]
    for party in (str(foreign), "nichts", ""):
        officer.post("/foerderungen/fristen/", 404, tun="kalender", kommune=party)
    officer.post("/foerderungen/fristen/", 404, tun="sonstwas", kommune=str(officer.actor.parties[0]))
    for act in (make_feed, revoke_feed):
        with pytest.raises(NotAllowed):
            act(by=officer.actor, party=foreign)
    with pytest.raises(NotAllowed):
        set_mail(by=officer.actor, party=foreign, wanted=False)
    with pytest.raises(NotAllowed):
        make_feed(by=resident.actor, party=resident.actor.parties[0])
    with pytest.raises(NotAllowed):
        make_feed(by=Actor.system(world.ministry.id), party=foreign)


def test_statements_of_the_calendar_and_its_page(grant: Grant, officer: Person) -> None:
    with living(TODAY):
        token = made_on_page(officer)
        Client().get(feed_url(token))
        with counted() as statements:
            Client().get(feed_url(token))
        assert len(statements) <= 12
        with counted() as statements:
            officer.get("/foerderungen/fristen/")
        assert len(statements) <= 12


# --- reminders ---------------------------------------------------------------------------------------------------


def morning(world: World, day: date) -> list[Any]:
    """What goes out on a day, by the real job."""
    mail.outbox.clear()
    with living(day):
        remind(by=Actor.system(world.ministry.id))
        run_waiting_jobs()
    return list(mail.outbox)


def test_reminders_come_14_and_3_days_before_and_once(world: World, grant: Grant) -> None:
    sent = {left: morning(world, DUE - timedelta(days=left)) for left in (15, 14, 13, 4, 3, 2, 0, -1)}
    told = {left: [found.subject for found in mails] for left, mails in sent.items() if mails}
    assert told == {
        14: [f"1. Rate ausgeben und melden: bis 22.\u00a0November 2021 ({grant.reference})"],
        3: [
            f"2 Fristen, die erste am 22.\u00a0November 2021 ({grant.reference})"
        ],  # and 14 days to the last request
    }
    body = sent[14][0].body.replace("\u00a0", " ")
    assert "- 1. Rate ausgeben und melden, 400,00 € bis 22. November 2021 (in 14 Tagen)" in body
    assert "„Neue; Akte, bald“" in body
    assert f"http://localhost:8000/foerderungen/{grant.id}/" in body
    assert sent[14][0].to == ["gemeinde-lahnau@example.org"]
    with Actor.system(world.ministry.id).acting():
        assert Event.objects.filter(name="grants.grant.reminded").count() == Reminder.objects.count()


def test_a_missed_morning_is_made_good(world: World, grant: Grant) -> None:
    assert len(morning(world, DUE - timedelta(days=9))) == 1
    assert morning(world, DUE - timedelta(days=8)) == []
    assert len(morning(world, DUE - timedelta(days=1))) == 1
    assert morning(world, DUE) == []


def test_several_deadlines_of_a_grant_are_one_mail(world: World, grant: Grant) -> None:
    (sent,) = morning(world, date(2021, 11, 20))
    assert sent.subject.startswith("2 Fristen, die erste am 22.")
    assert "1. Rate ausgeben" in sent.body
    assert "Geld für 2021 abrufen" in sent.body
    assert "verfällt" in sent.body


def test_what_is_done_when_the_mail_is_written_is_left_out(world: World, lives: Lives, grant: Grant) -> None:
    day = DUE - timedelta(days=14)
    with living(day):
        assert remind(by=Actor.system(world.ministry.id)) == 1
        assert remind(by=Actor.system(world.ministry.id)) == 0
        lives.ask_for(grant, "100.00", 2021, verwendet="400.00", verwendet_am="2021-11-01")
        mail.outbox.clear()
        send_reminder(authority=str(world.ministry.id), grant=str(grant.id), duties=["verwendung:1"])
        assert mail.outbox == []


def test_who_switched_it_off_gets_none_and_the_others_do(world: World, grant: Grant, officer: Person) -> None:
    colleague = Account.objects.create(email="kollegin@example.org", name="Kollegin", trust_level=3)
    with living(START):
        give_mandate(by=Actor.system(world.lahnau.id), account=colleague, party=world.lahnau_party)
    party = str(world.lahnau_party.id)
    with living(TODAY):
        assert "Erinnerungen abschalten" in officer.get("/foerderungen/fristen/")
        officer.post("/foerderungen/fristen/", tun="mail-aus", kommune=party)
        assert "Erinnerungen einschalten" in officer.get("/foerderungen/fristen/")
    (sent,) = morning(world, DUE - timedelta(days=14))
    assert sent.to == ["kollegin@example.org"]
    with living(TODAY):
        officer.post("/foerderungen/fristen/", tun="mail-an", kommune=party)
    (sent,) = morning(world, DUE - timedelta(days=3))
    assert sent.to == ["gemeinde-lahnau@example.org", "kollegin@example.org"]


def test_the_successors_people_are_reminded(world: World, grant: Grant) -> None:
    merge_authority(
        by=Actor.system(world.waldsolms.id),
        predecessor=world.lahnau,
        successor=world.waldsolms,
        on=date(2021, 11, 1),
    )
    (sent,) = morning(world, DUE - timedelta(days=14))
    assert sent.to == ["gemeinde-waldsolms@example.org"]
    assert "(Gemeinde Lahnau)" in sent.body


def test_an_authority_reminds_of_its_own_grants_only(world: World, grant: Grant) -> None:
    with living(DUE - timedelta(days=14)):
        assert remind(by=Actor.system(world.waldsolms.id)) == 0
        with pytest.raises(NotAllowed):
            remind(by=world.lahnau_officer)
