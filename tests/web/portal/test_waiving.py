"""Giving up a remedy at the portal, and what the notice page says about finality."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.casework.conftest import World
from tests.web.portal.conftest import Person, decided
from tests.web.portal.test_mine import notice_of
from tests.web.queries import counted

from rathaus.casework.cases.actions.remedies import note_remedy, settle_remedy
from rathaus.core import clock
from rathaus.law.text import format_date


def test_offered_explained_and_done(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    here = f"/meine/{case.id}/bescheid/{notice_of(world, case).id}/"
    page = officer.get(here)
    assert "Auf Klage verzichten und das Geld früher bekommen" in page
    assert "danach ist der Bescheid bestandskräftig" in page
    page = officer.get(f"{here}verzicht/")
    assert "Dann bekommen Sie das Geld früher" in page
    assert "Sie müssen das nicht tun" in page
    page = officer.post(f"{here}verzicht/", 422).content.decode()  # the box is not ticked
    assert "Bestätigen Sie, dass Sie verzichten" in page
    assert notice_of(world, case).waived_at is None
    officer.post(f"{here}verzicht/", verstanden="ja")
    page = officer.get(here)
    assert "Bescheid ist bestandskräftig" in page
    assert "Sie haben auf Klage verzichtet" in page
    assert "verzicht/" not in page
    assert officer.client.get(f"{here}verzicht/").status_code == 302
    officer.post(f"{here}verzicht/", verstanden="ja")  # a second click
    assert notice_of(world, case).waived_by_id == officer.actor.account


def test_a_remedy_is_shown_and_stands_in_the_way(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    letter = notice_of(world, case)
    here = f"/meine/{case.id}/bescheid/{letter.id}/"
    remedy = note_remedy(by=world.clerk, notice=letter.id, kind="action", received_on=clock.today())
    page = officer.get(here)
    assert "Klage eingegangen" in page
    assert "noch nicht entschieden" in page
    assert "verzicht/" not in page
    assert "läuft ein Rechtsbehelf" in officer.post(f"{here}verzicht/", 422, verstanden="ja").content.decode()
    settle_remedy(by=world.clerk, remedy=remedy.id, settled_on=clock.today(), result="withdrawn")
    assert "zurückgenommen" in officer.get(here)
    assert "zurückgenommen" in officer.get(f"/meine/{case.id}/")


def test_final_by_date(world: World, officer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    case = world.submit()
    decided(world, case)
    letter = notice_of(world, case)
    after = letter.remedy_until + timedelta(days=1)
    monkeypatch.setattr(clock, "today", lambda: after)
    page = officer.get(f"/meine/{case.id}/bescheid/{letter.id}/")
    assert "Bescheid ist bestandskräftig" in page
    assert format_date(after) in page
    assert "verzicht/" not in page


def test_a_refusal_offers_no_waiver(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case, ergebnis="refused", betrag=None)
    page = officer.get(f"/meine/{case.id}/bescheid/{notice_of(world, case).id}/")
    assert "verzichten" not in page


def test_nobody_else_waives(world: World, officer: Person, neighbour: Person, resident: Person) -> None:
    case = world.submit()
    decided(world, case)
    here = f"/meine/{case.id}/bescheid/{notice_of(world, case).id}/verzicht/"
    for person in (neighbour, resident):
        assert person.client.get(here).status_code == 404
        assert person.client.post(here, {"verstanden": "ja"}).status_code == 404
    assert notice_of(world, case).waived_at is None


def test_statements(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    here = f"/meine/{case.id}/bescheid/{notice_of(world, case).id}/"
    officer.get(here)
    for page in (here, f"{here}verzicht/", f"/meine/{case.id}/"):
        with counted() as found:
            officer.get(page)
        assert len(found) <= 12, found
