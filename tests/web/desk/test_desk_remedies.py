"""Objection and action on the case page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests.casework.conftest import account, run_waiting_jobs
from tests.web.desk.conftest import Desk, proposed, sit_down
from tests.web.queries import counted

from rathaus.casework.cases.actions.remedies import note_remedy
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Notice, Remedy
from rathaus.core import clock
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of
from rathaus.law.text import format_day


@pytest.fixture
def case(clerk: Desk) -> Case:
    found = proposed(clerk.world)
    complete_task(by=clerk.world.approver, task=clerk.world.task(found).id, answers={"freigegeben": True})
    run_waiting_jobs()
    return found


def notice(desk: Desk) -> Notice:
    with desk.actor.acting():
        return Notice.objects.get()


def test_noted_and_settled_with_its_effect(clerk: Desk, case: Case) -> None:
    here = f"/amt/vorgang/{case.reference}/"
    page = clerk.get(here)
    assert "ein Rechtsbehelf ist bis" in page
    assert '<input type="radio" name="art" value="action" checked>' in page  # what the notice names
    answer = clerk.post(
        f"{here}bescheid/{notice(clerk).id}/rechtsbehelf/",
        art="action",
        eingegangen=format_day(clock.today()),
        vermerk="VG Gießen",
    )
    assert answer.headers["Location"].endswith("#rechtsbehelf")
    page = clerk.get(here)
    assert "es läuft ein Rechtsbehelf" in page
    assert "VG Gießen" in page
    with clerk.actor.acting():
        remedy = Remedy.objects.get()
    clerk.post(
        f"{here}rechtsbehelf/{remedy.id}/",
        **{f"ausgang-{remedy.id}": "upheld", f"erledigt-{remedy.id}": format_day(clock.today())},
    )
    assert "ein Rechtsbehelf hatte Erfolg" in clerk.get(here)


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(clerk: Desk, case: Case) -> None:
    url = f"/amt/vorgang/{case.reference}/bescheid/{notice(clerk).id}/rechtsbehelf/"
    page = clerk.post(url, 422, eingegangen="gestern", vermerk="Lang getippt").content.decode()
    assert "„gestern“ ist kein Datum" in page
    assert "Wählen Sie eines davon." in page
    assert "Lang getippt</textarea>" in page
    assert '<details class="rh-details" open><summary>Widerspruch oder Klage' in page
    assert "<title>Fehler: " in page
    tomorrow = format_day(clock.today() + timedelta(days=1))
    page = clerk.post(url, 422, art="action", eingegangen=tomorrow, vermerk="Lang getippt").content.decode()
    assert "liegt in der Zukunft" in page
    assert "Lang getippt</textarea>" in page
    with clerk.actor.acting():
        assert not Remedy.objects.exists()


def test_a_login_that_ended_loses_nothing(clerk: Desk, case: Case) -> None:
    url = f"/amt/vorgang/{case.reference}/bescheid/{notice(clerk).id}/rechtsbehelf/"
    form = clerk.get(f"/amt/vorgang/{case.reference}/").split(f'action="{url}')[1]
    token = re.search(r'name="kept_for" value="([^"]+)"', form)
    assert token
    clerk.client.logout()
    clerk.client.post(url, {"art": "action", "vermerk": "Lang getippt", "kept_for": token[1]})
    clerk.client.force_login(Account.objects.get(pk=clerk.actor.account))
    assert "Lang getippt</textarea>" in clerk.get(url)


def test_another_authority_finds_nothing(clerk: Desk, case: Case) -> None:
    person = account("fremd@example.org")
    add_member(
        by=Actor.system(clerk.world.waldsolms.id),
        authority=clerk.world.waldsolms,
        account=person,
        roles=["Sachbearbeitung"],
        function="Amt 1",
    )
    stranger = sit_down(clerk.world, actor_of(person.pk))
    remedy = note_remedy(by=clerk.actor, notice=notice(clerk).id, kind="action", received_on=clock.today())
    for url in (f"bescheid/{notice(clerk).id}/rechtsbehelf/", f"rechtsbehelf/{remedy.id}/"):
        stranger.post(f"/amt/vorgang/{case.reference}/{url}", 404, art="action", eingegangen="1.1.2020")
    with Actor.system(clerk.world.ministry.id).acting():
        assert Remedy.objects.get().settled_on is None


def test_statements(clerk: Desk, case: Case) -> None:
    here = f"/amt/vorgang/{case.reference}/"
    clerk.get(here)
    with counted() as before:
        clerk.get(here)
    note_remedy(by=clerk.actor, notice=notice(clerk).id, kind="action", received_on=clock.today())
    with counted() as after:
        clerk.get(here)
    assert len(after) == len(before) + 1
    assert len(after) <= 14
