"""Working on tasks: taking one, completing it, and what the kernel's own task forms do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from rathaus.casework.cases import events
from rathaus.casework.cases.actions.decisions import decide, propose
from rathaus.casework.cases.actions.messages import ask
from rathaus.casework.cases.enums import TaskState
from rathaus.casework.cases.models import Task
from rathaus.casework.cases.permissions import check_may_work
from rathaus.casework.cases.steps import Run, lock_task
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.engine import workflow

ANSWER_DAYS = 14  # to answer a question of the office, where it names no day


class TaskTaken(Exception):
    """Somebody was faster. The text says who and when."""


def claim_task(*, by: Actor, task: UUID) -> Task:
    """Take a task of one's roles; the second of two is told who was first."""
    with by.acting():
        run, found = lock_task(task, by=by)
        _may_work(by, found)
        free = Task.objects.filter(id=task, claimed_by=None)  # asks again: we may have waited for the lock
        if free.update(claimed_by_id=by.account, claimed_at=run.now):
            found.claimed_by_id, found.claimed_at = by.account, run.now
            run.record(events.TASK_CLAIMED, title=found.title)
            run.write()
            return found
        found = Task.objects.select_related("claimed_by", "completed_by").get(id=task)
        if found.claimed_by_id != by.account:
            raise TaskTaken(_who(found))
        return found


def complete_task(*, by: Actor, task: UUID, answers: Mapping[str, Any]) -> Task:
    """Complete a task: its form writes what belongs to it, then the process goes on, in one transaction.

    `answers` depends on the form (see `FORMS`). Raises TaskTaken, NotAllowed, or Refused with a sentence for the
    person; then nothing is stored.
    """
    with by.acting():
        run, found = lock_task(task, by=by)
        _may_work(by, found)
        result = FORMS[found.form](run, found, answers)
        run.completed = {"token": found.token, "account": by.account}
        run.completed_elements[found.element] = by.account
        run.record(events.TASK_COMPLETED, title=found.title)
        try:
            run.send(workflow.TaskCompleted(found.token, result))
            run.write()
        except workflow.StaleEvent as stale:
            raise TaskTaken(_who(Task.objects.select_related("completed_by").get(id=task))) from stale
        found.state, found.completed_at, found.completed_by_id = TaskState.DONE, run.now, by.account
        return found


def _may_work(by: Actor, task: Task) -> None:
    check_may_work(by, task)
    if task.state != TaskState.OPEN:
        raise TaskTaken(_who(task))


def _who(task: Task) -> str:
    at = task.completed_at or task.claimed_at
    person = task.completed_by or task.claimed_by
    if at is None or person is None:
        return "Diese Aufgabe ist entfallen."
    verb = "erledigt" if task.completed_at else "übernommen"
    return f"Diese Aufgabe hat {person} am {timezone.localtime(at):%d.%m.%Y um %H:%M Uhr} {verb}."


# --- the kernel's task forms: answers in, result for the process out ---


def _review(run: Run, task: Task, answers: Mapping[str, Any]) -> dict[str, Any]:
    """kern:pruefung: `vollstaendig` (bool); if not, `nachricht` to the applicant, `frist` (date) and `korrektur`
    (bool): whether they may correct what they handed in."""
    if answers.get("vollstaendig"):
        return {"vollstaendig": True}
    until = answers.get("frist") or clock.today() + timedelta(days=ANSWER_DAYS)
    if not isinstance(until, date):
        raise Refused("Die Frist ist kein Tag.")
    if answers.get("korrektur") and run.case.application.is_ex_officio:
        raise Refused(
            "Diesen Vorgang hat die Behörde eröffnet. Es gibt keine Angaben, die berichtigt werden können."
        )
    ask(
        run,
        body=str(answers.get("nachricht") or ""),
        until=until,
        may_correct=bool(answers.get("korrektur")),
    )
    return {"vollstaendig": False}


def _proposal(run: Run, task: Task, answers: Mapping[str, Any]) -> dict[str, Any]:
    """kern:vorschlag: `ergebnis` (Outcome), `betrag` (Decimal or None), `begruendung`, `einzelheiten` (JSON)."""
    decision = propose(
        run,
        outcome=str(answers.get("ergebnis") or ""),
        amount=answers.get("betrag"),
        reasons=str(answers.get("begruendung") or ""),
        details=dict(answers.get("einzelheiten") or {}),
    )
    amount = decision.amount if decision.amount is not None else Decimal(0)
    return {"ergebnis": decision.outcome, "betrag": amount}


def _approval(run: Run, task: Task, answers: Mapping[str, Any]) -> dict[str, Any]:
    """kern:freigabe: `freigegeben` (bool); if not, `grund`."""
    decision = decide(run, approve=bool(answers.get("freigegeben")), note=str(answers.get("grund") or ""))
    amount = decision.amount if decision.amount is not None else Decimal(0)
    return {"freigegeben": bool(answers.get("freigegeben")), "ergebnis": decision.outcome, "betrag": amount}


FORMS: Mapping[str, Callable[[Run, Task, Mapping[str, Any]], dict[str, Any]]] = {
    "kern:pruefung": _review,
    "kern:vorschlag": _proposal,
    "kern:freigabe": _approval,
}
