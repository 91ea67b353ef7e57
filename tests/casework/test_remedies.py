"""Objection, action and waiver: who may note what, and since when a notice is final."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from tests.casework.conftest import World, run_waiting_jobs
from tests.casework.test_races import PROPOSAL, Rival

from rathaus.casework.cases.actions.remedies import note_remedy, settle_remedy, waive_remedy
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Notice, Remedy
from rathaus.casework.cases.queries import final_on
from rathaus.casework.cases.rules import final_day
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.models import Event
from rathaus.core.identity.actors import Actor, NotAllowed

UNTIL = date(2026, 6, 30)
AFTER = date(2026, 7, 1)


def decided(w: World, **answers: Any) -> Notice:
    case = w.submit()
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    complete_task(by=w.clerk, task=w.task(case).id, answers={**PROPOSAL, **answers})
    complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
    run_waiting_jobs()
    return notice(w, case.id)


def notice(w: World, case: Any) -> Notice:
    with Actor.system(w.ministry.id).acting():
        return Notice.objects.select_related("decision").get(case_id=case)


def finality(w: World, of: Notice, on: date) -> date | None:
    with Actor.system(w.ministry.id).acting():
        return final_on(Notice.objects.get(id=of.id), on)


# --- when, by the rule alone ---


@pytest.mark.parametrize(
    ("waived", "remedies", "final"),
    [
        (None, [], AFTER),
        (date(2026, 6, 3), [], date(2026, 6, 3)),
        (None, [(date(2026, 6, 10), None, "")], None),
        (None, [(UNTIL, None, "")], None),  # on the last day is in time
        (None, [(AFTER, None, "")], AFTER),  # a day later is not
        (None, [(date(2026, 6, 10), date(2026, 6, 12), "withdrawn")], AFTER),
        (None, [(date(2026, 6, 10), date(2026, 9, 1), "rejected")], date(2026, 9, 1)),
        (None, [(date(2026, 6, 10), date(2026, 9, 1), "upheld")], None),
        (None, [(date(2026, 6, 1), date(2026, 7, 9), "rejected"), (date(2026, 6, 30), None, "")], None),
        (date(2026, 6, 3), [(date(2026, 6, 10), None, "")], date(2026, 6, 3)),
    ],
)
def test_final_day(waived: date | None, remedies: list[Any], final: date | None) -> None:
    assert final_day(waived_on=waived, remedy_until=UNTIL, remedies=remedies) == final


# --- through the actions ---


def test_final_by_date_and_not_a_day_earlier(world: World) -> None:
    found = decided(world)
    assert finality(world, found, found.remedy_until) is None
    after = found.remedy_until + timedelta(days=1)
    assert finality(world, found, after) == after
    assert finality(world, found, after + timedelta(days=400)) == after


def test_an_open_remedy_holds_it_up_until_it_is_settled(world: World) -> None:
    found = decided(world)
    late = found.remedy_until + timedelta(days=90)
    remedy = note_remedy(
        by=world.clerk, notice=found.id, kind="action", received_on=clock.today(), note=" VG Gießen "
    )
    assert (remedy.note, remedy.party_id) == ("VG Gießen", found.party_id)
    assert finality(world, found, late) is None
    settle_remedy(by=world.clerk, remedy=remedy.id, settled_on=clock.today(), result="withdrawn")
    assert finality(world, found, late) == found.remedy_until + timedelta(days=1)
    with pytest.raises(Refused, match="schon als erledigt"):
        settle_remedy(by=world.clerk, remedy=remedy.id, settled_on=clock.today(), result="rejected")
    with Actor.system(world.ministry.id).acting():
        names = set(Event.objects.filter(case_id=found.case_id).values_list("name", flat=True))
    assert {"cases.remedy.noted", "cases.remedy.settled"} <= names


def test_what_is_upheld_never_becomes_final(world: World) -> None:
    found = decided(world)
    remedy = note_remedy(by=world.clerk, notice=found.id, kind="objection", received_on=clock.today())
    settle_remedy(by=world.clerk, remedy=remedy.id, settled_on=clock.today(), result="upheld")
    assert finality(world, found, found.remedy_until + timedelta(days=999)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "beschwerde"}, "Widerspruch oder eine Klage"),
        ({"received_on": date(2999, 1, 1)}, "Zukunft"),
        ({"received_on": date(2000, 1, 1)}, "Vorher kann nichts"),
        ({"note": "x" * 2001}, "2001 Zeichen"),
    ],
)
def test_bad_notes_store_nothing(world: World, changes: dict[str, Any], reason: str) -> None:
    found = decided(world)
    given = {"kind": "action", "received_on": clock.today(), **changes}
    with pytest.raises(Refused, match=reason):
        note_remedy(by=world.clerk, notice=found.id, **given)
    with Actor.system(world.ministry.id).acting():
        assert not Remedy.objects.exists()


def test_bad_ends_store_nothing(world: World) -> None:
    found = decided(world)
    remedy = note_remedy(by=world.clerk, notice=found.id, kind="action", received_on=clock.today())
    for given, reason in (
        ({"result": "vielleicht"}, "wie es ausgegangen ist"),
        ({"settled_on": clock.today() + timedelta(days=1)}, "Zukunft"),
        ({"settled_on": clock.today() - timedelta(days=1)}, "erst danach"),
    ):
        with pytest.raises(Refused, match=reason):
            settle_remedy(
                by=world.clerk,
                remedy=remedy.id,
                **{"result": "rejected", "settled_on": clock.today(), **given},  # type: ignore[arg-type]
            )
    with Actor.system(world.ministry.id).acting():
        assert Remedy.objects.get().settled_on is None


def test_the_same_twice_is_refused_a_second_kind_is_not(world: World) -> None:
    found = decided(world)
    note_remedy(by=world.clerk, notice=found.id, kind="objection", received_on=clock.today())
    with pytest.raises(Refused, match="gibt es schon"):
        note_remedy(by=world.clerk, notice=found.id, kind="objection", received_on=clock.today())
    note_remedy(by=world.clerk, notice=found.id, kind="action", received_on=clock.today())


def test_only_staff_of_the_authority_note_anything(world: World) -> None:
    found = decided(world)
    day = clock.today()
    elsewhere = Actor(account=world.clerk.account, authority=world.waldsolms.id)
    with pytest.raises(Notice.DoesNotExist):
        note_remedy(by=elsewhere, notice=found.id, kind="action", received_on=day)
    for nobody in (world.lahnau_officer, Actor.system(world.ministry.id), Actor()):
        with pytest.raises(NotAllowed):
            note_remedy(by=nobody, notice=found.id, kind="action", received_on=day)
    remedy = note_remedy(by=world.clerk, notice=found.id, kind="action", received_on=day)
    with pytest.raises(Remedy.DoesNotExist):
        settle_remedy(by=elsewhere, remedy=remedy.id, settled_on=day, result="rejected")
    with pytest.raises(NotAllowed):
        settle_remedy(by=world.lahnau_officer, remedy=remedy.id, settled_on=day, result="rejected")


# --- giving it up ---


def test_a_waiver_makes_it_final_today_once(world: World) -> None:
    found = decided(world)
    waived = waive_remedy(by=world.lahnau_officer, notice=found)
    assert waived.waived_by_id == world.lahnau_officer.account
    assert finality(world, found, clock.today()) == clock.today()
    again = waive_remedy(by=world.lahnau_officer, notice=found)
    assert again.waived_at == notice(world, found.case_id).waived_at
    with Actor.system(world.ministry.id).acting():
        assert Event.objects.filter(name="cases.notice.waived").count() == 1


def test_nobody_else_waives(world: World) -> None:
    found = decided(world)
    for nobody in (world.waldsolms_officer, world.clerk, Actor.system(world.ministry.id), Actor()):
        with pytest.raises(NotAllowed):
            waive_remedy(by=nobody, notice=found)
    assert notice(world, found.case_id).waived_at is None


def test_no_waiver_while_a_remedy_is_open_or_against_a_refusal(world: World) -> None:
    found = decided(world)
    note_remedy(by=world.clerk, notice=found.id, kind="action", received_on=clock.today())
    with pytest.raises(Refused, match="läuft ein Rechtsbehelf"):
        waive_remedy(by=world.lahnau_officer, notice=found)
    refused = decided(world, ergebnis="refused", betrag=None)
    with pytest.raises(Refused, match="Ablehnung"):
        waive_remedy(by=world.lahnau_officer, notice=refused)
    assert notice(world, refused.case_id).waived_at is None


def test_no_waiver_once_the_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = decided(world)
    monkeypatch.setattr(clock, "today", lambda: found.remedy_until + timedelta(days=1))
    with pytest.raises(Refused, match="schon vorbei"):
        waive_remedy(by=world.lahnau_officer, notice=found)


def test_waived_while_a_remedy_is_noted(committed_world: World) -> None:
    w = committed_world
    found = decided(w)
    rival = Rival(
        w.clerk,
        lambda: note_remedy(by=w.clerk, notice=found.id, kind="action", received_on=clock.today()),
    )
    told = rival.beats(lambda: waive_remedy(by=w.lahnau_officer, notice=found))
    assert isinstance(told, Refused), repr(told)
    assert notice(w, found.case_id).waived_at is None


def test_noted_twice_at_the_same_moment_stands_once(committed_world: World) -> None:
    w = committed_world
    found = decided(w)

    def note() -> Remedy:
        return note_remedy(by=w.clerk, notice=found.id, kind="action", received_on=clock.today())

    told = Rival(w.clerk, note).beats(note)
    assert isinstance(told, Refused), repr(told)


# --- what the database holds by itself ---


def test_the_database_refuses_what_the_actions_would(world: World) -> None:
    found = decided(world)
    remedy = note_remedy(by=world.clerk, notice=found.id, kind="action", received_on=clock.today())
    with world.clerk.acting():
        for changes in (
            {"settled_on": clock.today()},
            {"result": "rejected"},
            {"settled_at": clock.now(), "settled_by_id": world.clerk.account},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                Remedy.objects.filter(id=remedy.id).update(**changes)
        with pytest.raises(IntegrityError), transaction.atomic():
            Notice.objects.filter(id=found.id).update(waived_at=clock.now())
        for model, changes in (
            (Remedy, {"received_on": date(2000, 1, 1)}),
            (Remedy, {"note": "anders"}),
            (Notice, {"remedy_until": date(2999, 1, 1)}),
            (Notice, {"deemed_on": date(2999, 1, 1)}),
        ):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                model.objects.update(**changes)
