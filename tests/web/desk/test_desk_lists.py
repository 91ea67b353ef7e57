"""Inbox and list of cases: views, filters, pages, taking tasks; what strange addresses do; which authority is meant."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from tests.casework.conftest import World
from tests.web.desk.conftest import Desk, proposed

from rathaus.casework.cases.actions.tasks import claim_task
from rathaus.casework.cases.models import Case, Task
from rathaus.casework.cases.queries import count_tasks
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.web.desk import inbox
from rathaus.web.desk.access import capped, initials_of


def due(desk: Desk, case: Case, days: int) -> None:
    with desk.actor.acting():
        Task.objects.filter(case=case, state="open").update(
            due_on=timezone.localdate() + timedelta(days=days)
        )


def test_views_and_taking(clerk: Desk, head: Desk) -> None:
    first, second = clerk.world.submit(titel="Erster"), clerk.world.submit(titel="Zweiter")
    page = clerk.get("/amt/eingang/")
    assert "Erster" in page
    assert "Zweiter" in page
    assert "Sie haben keine Aufgabe übernommen" in clerk.get("/amt/eingang/?sicht=meine")
    clerk.post("/amt/eingang/uebernehmen/", nur=str(clerk.world.task(first).id), zurueck="?faellig=woche")
    page = clerk.get("/amt/eingang/")
    assert f"in {first.reference} übernommen" in page
    assert ">Sie</span>" in page
    assert "Erster" in clerk.get("/amt/eingang/?sicht=meine")
    free = clerk.get("/amt/eingang/?sicht=frei")
    assert "Erster" not in free
    assert "Zweiter" in free
    both = [str(clerk.world.task(case).id) for case in (first, second)]
    head.post("/amt/eingang/uebernehmen/", aufgabe=both)
    page = head.get("/amt/eingang/")
    assert "Diese Aufgabe hat clerk am" in page
    assert f"in {second.reference} übernommen" in page


def test_taking_leads_back_to_the_same_list_and_nowhere_else(clerk: Desk) -> None:
    case = clerk.world.submit()
    task = str(clerk.world.task(case).id)
    answer = clerk.post(
        "/amt/eingang/uebernehmen/", nur=task, zurueck="?sicht=frei&q=Akte&evil=//example.org"
    )
    assert answer.headers["Location"] == "/amt/eingang/?sicht=frei&q=Akte"
    for odd in (
        {},
        {"nur": "x"},
        {"nur": str(uuid4())},
        {"aufgabe": ["", "\0"], "zurueck": "https://example.org"},
    ):
        assert clerk.post("/amt/eingang/uebernehmen/", **odd).headers["Location"] == "/amt/eingang/?"


def test_a_task_taken_on_its_case_leads_back_there(clerk: Desk, head: Desk) -> None:
    case = clerk.world.submit()
    task, here = str(clerk.world.task(case).id), f"/amt/vorgang/{case.reference}/"
    assert "Noch bei niemandem" in clerk.get(here)
    answer = clerk.post("/amt/eingang/uebernehmen/", nur=task, vorgang=case.reference)
    assert answer.headers["Location"] == here
    assert "Sie haben diese Aufgabe übernommen." in clerk.get(here)
    for odd in ("../..", "//example.org", "", "x" * 100):
        answer = clerk.post("/amt/eingang/uebernehmen/", nur=task, vorgang=odd)
        assert answer.headers["Location"] == "/amt/eingang/?"


def test_filters(clerk: Desk) -> None:
    titles = {"Gestern": -1, "Heute": 0, "Später": 40}
    for title, days in titles.items():
        due(clerk, clerk.world.submit(titel=title), days)

    def shown(query: str) -> set[str]:
        page = clerk.get(f"/amt/eingang/?{query}")
        return {title for title in titles if f">{title}</a>" in page}

    assert shown("faellig=ueberfaellig") == {"Gestern"}
    assert shown("faellig=heute") == {"Gestern", "Heute"}
    assert shown("faellig=woche") == {"Gestern", "Heute"}
    assert shown("faellig=unsinn") == set(titles)
    assert shown("q=spät") == {"Später"}
    assert shown("q=lahnau") == set(titles)
    assert shown(f"leistung={clerk.world.offer.id}") == set(titles)
    assert shown(f"leistung={uuid4()}") == set()
    page = clerk.get("/amt/eingang/?q=nichts&faellig=heute")
    assert "Keine Aufgabe passt" in page
    assert "Alle entfernen" in page


@pytest.mark.parametrize(
    "query",
    [
        "nach=2026-13-45_x",
        "nach=_",
        "nach=' OR 1=1",
        "leistung=1",
        "q=%00",
        "q=" + "x" * 5000,
        "sicht=%F0%9F%92%A9",
        "q=%25%25_\\",
    ],
)
def test_strange_addresses(clerk: Desk, query: str) -> None:
    clerk.world.submit()
    clerk.get(f"/amt/eingang/?{query}")
    clerk.get(f"/amt/vorgaenge/?{query}&stand=X")


def test_pages_follow_each_other_without_gap_or_repeat(clerk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [clerk.world.submit(titel=f"Antrag {number}") for number in range(5)]
    monkeypatch.setattr(inbox, "PAGE", 2)
    monkeypatch.setattr(inbox, "inbox", lambda by, **given: real(by, **given, size=2))
    for path in ("/amt/eingang/", "/amt/vorgaenge/"):
        seen, address = [], path
        while address:
            page = clerk.client.get(address)
            listed = page.context["rows"] if "rows" in page.context else page.context["cases"]
            seen += [(getattr(entry, "task", None) and entry.task.case_id) or entry.id for entry in listed]
            address = path + page.context["more"] if page.context["more"] else ""
        assert len(seen) == 5
        assert set(seen) == {case.id for case in cases}


real = inbox.inbox


def test_own_proposal_is_not_in_the_inbox(head: Desk) -> None:
    case = proposed(head.world, by=head.actor)
    assert case.reference not in head.get("/amt/eingang/")
    assert "Alles erledigt" in head.get("/amt/eingang/")


def test_counts_are_capped_and_exact_below(world: World) -> None:
    cases = [world.submit() for _ in range(3)]
    claim_task(by=world.clerk, task=world.task(cases[0]).id)
    with world.clerk.acting():
        assert count_tasks(world.clerk) == {"team": 3, "meine": 1, "frei": 2}
        assert count_tasks(world.approver) == {"team": 3, "meine": 0, "frei": 2}
    assert (capped(99), capped(100)) == ("99", "99+")


def test_all_cases(clerk: Desk) -> None:
    case = clerk.world.submit(titel="Gesucht")
    page = clerk.get(f"/amt/vorgaenge/?q={case.reference.lower()}")
    assert "Gesucht" in page
    assert "900,00" in page
    assert "Kein Vorgang gefunden" in clerk.get("/amt/vorgaenge/?stand=COMPLETED")


def test_who_is_not_staff_is_sent_away_kindly(world: World) -> None:
    client = Client()
    assert client.get("/amt/eingang/").headers["Location"] == "/anmelden/?next=%2Famt%2Feingang%2F"
    client.force_login(Account.objects.get(pk=world.lahnau_officer.account))
    answer = client.get("/amt/")
    assert answer.status_code == 403
    assert "Meine Anträge" in answer.content.decode()


def test_two_authorities(clerk: Desk) -> None:
    world = clerk.world
    assert clerk.client.get("/amt/").headers["Location"] == "/amt/eingang/"
    add_member(
        by=Actor.system(world.lahnau.id),
        authority=world.lahnau,
        account=Account.objects.get(pk=clerk.actor.account),
        roles=["Steueramt"],
        function="Steueramt",
    )
    assert clerk.client.get("/amt/").headers["Location"] == "/amt/behoerde/"
    page = clerk.get("/amt/behoerde/")
    assert "Gemeinde Lahnau" in page
    assert "Ministerium" in page
    clerk.post("/amt/behoerde/", behoerde=str(world.lahnau.id))
    case = world.submit()
    assert case.reference not in clerk.get("/amt/vorgaenge/")
    assert "Steueramt" in clerk.get("/amt/eingang/")
    clerk.get(f"/amt/vorgang/{case.reference}/", 404)
    clerk.post("/amt/behoerde/", 422, behoerde=str(world.waldsolms.id))
    clerk.post("/amt/behoerde/", behoerde=str(world.ministry.id))
    assert case.reference in clerk.get("/amt/vorgaenge/")


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Sachbearbeitung D3-2", "D3-2"), ("Rita Muster", "RM"), ("Steueramt", "S"), ("", "?"), ("…", "?")],
)
def test_initials(name: str, letters: str) -> None:
    assert initials_of(name) == letters
