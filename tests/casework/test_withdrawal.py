"""Taking an application back: what ends, what stays, who may, and that a decision of the same moment is not lost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core import mail
from tests.casework.conftest import World
from tests.casework.test_races import PROPOSAL, Rival, at_once

from rathaus.casework.cases.actions.tasks import TaskTaken, complete_task
from rathaus.casework.cases.actions.withdrawal import withdraw_application
from rathaus.casework.cases.models import (
    Case,
    CaseProcess,
    Decision,
    Finding,
    Incident,
    Message,
    Subscription,
    Task,
)
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.models import Event
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants.models import Grant


def fresh(w: World, case: Case) -> Case:
    with Actor.system(w.ministry.id).acting():
        return Case.objects.get(id=case.id)


def proposed(w: World) -> Case:
    case = w.submit()
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    complete_task(by=w.clerk, task=w.task(case).id, answers=PROPOSAL)
    return case


def test_everything_that_waits_ends_and_nothing_that_was_said_is_lost(
    world: World, run_jobs: Callable[[], int]
) -> None:
    case = proposed(world)
    withdrawn = withdraw_application(by=world.lahnau_officer, case=case, reason="  Kein Eigenanteil.  ")
    assert (withdrawn.state, withdrawn.outcome) == ("COMPLETED", "withdrawn")
    stored = fresh(world, case)
    assert (stored.state, stored.outcome, stored.outcome_label) == ("COMPLETED", "withdrawn", "Zurückgezogen")
    assert stored.closed_at is not None
    with Actor.system(world.ministry.id).acting():
        assert set(Task.objects.filter(case=case).values_list("state", flat=True)) == {"done", "cancelled"}
        decision = Decision.objects.get(case=case)
        assert (decision.state, decision.decided_by_id) == ("obsolete", None)
        assert decision.decided_at is not None
        assert Finding.objects.filter(case=case).exists()
        assert stored.application.answers["titel"] == "Neue Akte"
        assert CaseProcess.objects.get(case=case).state["e"] == ["terminated", "withdrawn"]
        event = Event.objects.get(case_id=case.id, name="cases.case.withdrawn")
        assert event.data["reason"] == "Kein Eigenanteil."
        assert event.account_id == world.lahnau_officer.account
        message = Message.objects.get(case=case)
        assert (message.sender, message.sender_name) == ("applicant", "Gemeinde Lahnau")
        assert "Kein Eigenanteil." in message.body
    mail.outbox.clear()
    run_jobs()
    assert "zurückgezogen" in mail.outbox[-1].subject


def test_while_an_answer_is_awaited(world: World) -> None:
    case = world.submit()
    ask = {"vollstaendig": False, "nachricht": "Was fehlt?"}
    complete_task(by=world.clerk, task=world.task(case).id, answers=ask)
    withdraw_application(by=world.lahnau_officer, case=case)
    with Actor.system(world.ministry.id).acting():
        assert not Subscription.objects.filter(case=case).exists()
    assert fresh(world, case).state == "COMPLETED"


def test_an_open_incident_is_settled(world: World) -> None:
    case = world.submit()
    with Actor.system(world.ministry.id).acting():
        Incident.objects.create(
            authority_id=world.ministry.id, case=case, token="99", element="regeln", operation="x", reason="y"
        )
    withdraw_application(by=world.lahnau_officer, case=case)
    with Actor.system(world.ministry.id).acting():
        incident = Incident.objects.get(case=case)
    assert incident.state == "resolved"
    assert incident.resolved_at is not None


def test_only_who_applied_may_and_only_once(world: World) -> None:
    case = world.submit()
    for stranger in (world.waldsolms_officer, world.clerk, Actor.system(world.ministry.id), Actor()):
        with pytest.raises(NotAllowed):
            withdraw_application(by=stranger, case=case)
    assert fresh(world, case).outcome == ""
    withdraw_application(by=world.lahnau_officer, case=case)
    with pytest.raises(Refused, match="abgeschlossen"):
        withdraw_application(by=world.lahnau_officer, case=case)
    with Actor.system(world.ministry.id).acting():
        assert Message.objects.filter(case=case).count() == 1


def test_a_reason_that_is_too_long_stores_nothing(world: World) -> None:
    case = world.submit()
    with pytest.raises(Refused, match="2001 Zeichen"):
        withdraw_application(by=world.lahnau_officer, case=case, reason="x" * 2001)
    assert fresh(world, case).outcome == ""


def test_after_the_decision_it_is_too_late_although_the_letter_is_not_written(world: World) -> None:
    case = proposed(world)
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
    with pytest.raises(Refused, match="schon entschieden"):
        withdraw_application(by=world.lahnau_officer, case=case)
    with Actor.system(world.ministry.id).acting():
        assert Decision.objects.get(case=case).state == "decided"
        assert not Message.objects.filter(case=case).exists()


def test_nobody_works_on_a_task_that_ended(world: World) -> None:
    case = proposed(world)
    task = world.task(case).id
    withdraw_application(by=world.lahnau_officer, case=case)
    with pytest.raises(TaskTaken, match="entfallen"):
        complete_task(by=world.approver, task=task, answers={"freigegeben": True})


# --- at the same moment, on connections of their own ---


def test_withdrawn_while_the_decision_is_released_first(committed_world: World) -> None:
    w = committed_world
    case = proposed(w)
    task = w.task(case).id
    release = Rival(
        w.approver, lambda: complete_task(by=w.approver, task=task, answers={"freigegeben": True})
    )
    told = release.beats(lambda: withdraw_application(by=w.lahnau_officer, case=case))
    assert isinstance(told, Refused), repr(told)
    assert_one_won(w, case, "decided")


def test_released_while_it_is_withdrawn_first(committed_world: World) -> None:
    w = committed_world
    case = proposed(w)
    task = w.task(case).id
    rival = Rival(w.lahnau_officer, lambda: withdraw_application(by=w.lahnau_officer, case=case))
    told = rival.beats(lambda: complete_task(by=w.approver, task=task, answers={"freigegeben": True}))
    assert isinstance(told, TaskTaken), repr(told)
    assert_one_won(w, case, "obsolete")


def test_both_at_once_one_wins(committed_world: World) -> None:
    w = committed_world
    for _ in range(4):
        case = proposed(w)
        task = w.task(case).id
        answers = at_once(
            lambda case=case: withdraw_application(by=w.lahnau_officer, case=case),
            lambda task=task: complete_task(by=w.approver, task=task, answers={"freigegeben": True}),
        )
        failed = [answer for answer in answers if isinstance(answer, Exception)]
        assert len(failed) == 1, answers
        assert isinstance(failed[0], Refused | TaskTaken), answers
        assert_one_won(w, case, "decided" if isinstance(failed[0], Refused) else "obsolete")


def assert_one_won(w: World, case: Case, state: str) -> None:
    with Actor.system(w.ministry.id).acting():
        assert Decision.objects.get(case=case).state == state
        found = Case.objects.get(id=case.id)
        booked = sum(Grant.objects.filter(case=case).values_list("amount", flat=True), Decimal(0))
        is_open = Task.objects.filter(case=case, state="open").exists()
    assert not is_open
    if state == "decided":
        assert (found.outcome, booked) == ("", Decimal("900.00"))  # known to the applicant with the letter
    else:
        assert (found.outcome, found.state, booked) == ("withdrawn", "COMPLETED", 0)
