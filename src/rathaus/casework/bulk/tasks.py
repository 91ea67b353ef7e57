"""The kernel's own kind: completing open tasks of one step, as a click on each would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rathaus.casework.bulk.kinds import bulk_kind
from rathaus.casework.bulk.queries import APPROVAL, PROPOSAL
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.enums import Outcome, TaskState
from rathaus.casework.cases.models import Task
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor

TASKS = "cases.tasks"


@bulk_kind(TASKS)
def complete(*, by: Actor, target: UUID, options: Mapping[str, Any]) -> Task:
    """Release a proposal as it is, or propose what was applied for with the reasons in `options`."""
    task = Task.objects.select_related("case__offer", "case__terms", "case__application").get(id=target)
    if task.state != TaskState.OPEN:  # complete_task says who was faster
        return complete_task(by=by, task=target, answers={})
    return complete_task(by=by, task=target, answers=_answers(task, options))


def _answers(task: Task, options: Mapping[str, Any]) -> dict[str, Any]:
    if task.form == APPROVAL:
        return {"freigegeben": True}
    if task.form != PROPOSAL:
        raise Refused("Diese Aufgabe braucht für jeden Vorgang eigene Angaben.")
    years = task.case.parameters.get("jahre") or []
    if len(years) > 1:
        raise Refused(
            "Hier ist der Betrag auf mehrere Jahre zu verteilen. Bearbeiten Sie den Vorgang einzeln."
        )
    details: dict[str, Any] = {}
    if years and task.amount is not None:
        details = {"jahre": {str(years[0]): str(task.amount)}}
    return {
        "ergebnis": Outcome.GRANTED.value,
        "betrag": task.amount,
        "begruendung": str(options.get("begruendung", "")),
        "einzelheiten": details,
    }
