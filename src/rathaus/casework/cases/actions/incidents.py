"""Operations that run after their step, and what becomes of one that fails: an incident, shown to staff and tried again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rathaus.casework.cases import events
from rathaus.casework.cases.enums import IncidentState
from rathaus.casework.cases.models import Incident, Timer
from rathaus.casework.cases.permissions import check_may_act
from rathaus.casework.cases.steps import lock
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor
from rathaus.engine import workflow
from rathaus.engine.workflow.values import decode

logger = logging.getLogger(__name__)

TIMER = ""  # the operation of an incident whose timer could not fire


class OperationNotDone(Exception):
    """An operation failed and will be tried again."""


def run_operation(
    *,
    by: Actor,
    case: UUID,
    token: str,
    operation: str,
    arguments: Mapping[str, Any],
    attempts: int,
    most: int,
) -> None:
    """Run an operation of a service task and let the process go on. `attempts` have begun before, out of `most`.

    Raises what stands in the way, to be tried again; at the last attempt it becomes an incident instead. Whatever stands
    in the way counts: the operation, what the process does next, or a worker that died over it. `arguments` are encoded.
    """
    try:
        with by.acting():
            run = lock(case, by=by)
            if not run.waits(token):
                return
            if attempts >= most:
                raise OperationNotDone(f"{operation}: Der Auftrag brach {most}-mal ab.")
            answer = run.call(token, operation, decode(arguments))
            if isinstance(answer, workflow.OperationFailed) and attempts + 1 < most:
                raise OperationNotDone(f"{operation}: {answer.message}")
            run.send(answer)
            run.write()
    except Exception as wrong:
        if attempts + 1 < most:
            raise
        logger.exception("%s: given up, now an incident", operation)
        open_incident(
            by=by, case=case, token=token, operation=operation, arguments=decode(arguments), wrong=wrong
        )


def open_incident(
    *, by: Actor, case: UUID, token: str, operation: str, arguments: Mapping[str, Any], wrong: Exception
) -> None:
    """Park what failed where staff see it, unless the process no longer waits for it."""
    with by.acting():
        run = lock(case, by=by)
        if run.waits(token):
            run.open_incident(token, operation, arguments, f"{type(wrong).__name__}: {wrong}")
            run.write()


def retry_incident(*, by: Actor, incident: UUID) -> Incident:
    """Action of staff: try once more, now, what failed. Raises Refused where it was settled meanwhile."""
    by.check_is_unlimited()
    with by.acting():
        found = Incident.objects.get(id=incident)
        run = lock(found.case_id, by=by)
        check_may_act(by, run.case)
        found.refresh_from_db()
        if found.state != IncidentState.OPEN or not run.waits(found.token):
            raise Refused("Diese Störung ist schon behoben.")
        run.record(events.INCIDENT_RETRIED, element=run.name_of(found.element))
        answer: workflow.Event
        if found.operation == TIMER:
            answer = workflow.TimerFired(found.token)
            Timer.objects.filter(case_id=found.case_id, token=found.token).delete()
        else:
            answer = run.call(found.token, found.operation, decode(found.arguments))
        run.send(answer)
        if not isinstance(answer, workflow.OperationFailed):
            found.state, found.resolved_at, found.resolved_by_id = IncidentState.RESOLVED, run.now, by.account
            found.save(update_fields=["state", "resolved_at", "resolved_by"])
        run.write()
        return found
