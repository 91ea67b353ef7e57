"""Processes whose time has come go on; one that cannot holds nobody up and is shown to staff."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from rathaus.casework.cases import events
from rathaus.casework.cases.actions.incidents import TIMER, open_incident
from rathaus.casework.cases.enums import IncidentState
from rathaus.casework.cases.models import Incident, Timer
from rathaus.casework.cases.steps import lock
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.engine import workflow

logger = logging.getLogger(__name__)

PAGE = 500


def fire_timers(*, by: Actor) -> None:
    """Fire what is due now at the authority of `by`, oldest first, each in its own transaction."""
    for timer in _due(by, clock.now()):
        try:
            fire_timer(by=by, timer=timer)
        except Exception as wrong:  # one case that cannot go on must not hold up the others
            logger.exception("timer %s of case %s", timer.element, timer.case_id)
            _note_stuck(by, timer, wrong)


def fire_timer(*, by: Actor, timer: Timer) -> None:
    """One timer, in its own transaction; one that is gone by now is left alone."""
    with by.acting():
        run = lock(timer.case_id, by=by)
        if Timer.objects.filter(id=timer.id).delete()[0]:
            run.record(events.TIMER_FIRED, element=run.name_of(timer.element))
            run.send(workflow.TimerFired(timer.token))
            _open_incidents(timer).update(state=IncidentState.RESOLVED, resolved_at=run.now)
            run.write()


def _due(by: Actor, now: datetime) -> Iterator[Timer]:
    """Page by page, each after the last of the one before: those that are stuck stay due and must not be met again."""
    later = Q()
    while True:
        with by.acting():
            due = Timer.objects.filter(later, due_at__lte=now)
            page = list(due.order_by("due_at", "id")[:PAGE])
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]
        later = Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, id__gt=last.id)


def _note_stuck(by: Actor, timer: Timer, wrong: Exception) -> None:
    """An incident for staff, once; the timer is tried again every minute all the same."""
    with by.acting():
        if not _open_incidents(timer).exists():
            open_incident(
                by=by, case=timer.case_id, token=timer.token, operation=TIMER, arguments={}, wrong=wrong
            )


def _open_incidents(timer: Timer) -> QuerySet[Incident]:
    return Incident.objects.filter(case_id=timer.case_id, token=timer.token, state=IncidentState.OPEN)
