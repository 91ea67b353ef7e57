"""What runs later for cases. Arguments are ids, and for operations what the package passes."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from procrastinate import JobContext

from rathaus.casework.cases import events
from rathaus.casework.cases.enums import IncidentState
from rathaus.casework.cases.models import Case, Draft, Incident, Timer
from rathaus.casework.cases.steps import lock
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import seal
from rathaus.core.audit.queries import authorities_with_history
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import addresses_of
from rathaus.core.jobs.queue import MAIL_RETRY, RETRY, app
from rathaus.core.tenancy import acting, housekeeping
from rathaus.engine import workflow
from rathaus.engine.workflow.values import decode

logger = logging.getLogger(__name__)

TIMER = ""  # the operation of an incident whose timer could not fire
MAILS = {
    "receipt": (
        "Ihr Antrag ist eingegangen",
        "wir haben Ihren Antrag „{title}“ erhalten. Ihre Vorgangsnummer ist {reference}.",
    ),
    "question": (
        "Rückfrage zu Ihrem Antrag",
        "zu Ihrem Antrag „{title}“ ({reference}) haben wir eine Rückfrage.",
    ),
    "message": (
        "Neue Nachricht",
        "zu Ihrem Antrag „{title}“ ({reference}) liegt eine Nachricht für Sie bereit.",
    ),
    "notice": (
        "Ihr Bescheid ist da",
        "über Ihren Antrag „{title}“ ({reference}) ist entschieden. Der Bescheid liegt in Ihrem Postfach.",
    ),
}


@app.task(name="cases.run_operation", retry=RETRY, pass_context=True)
def run_operation(
    context: JobContext,
    *,
    authority: str,
    case: str,
    token: str,
    element: str,
    operation: str,
    arguments: dict[str, Any],
) -> None:
    """Run an operation of a service task and let the process go on. After the last try it becomes an incident.

    Whatever stands in the way counts: the operation, what the process does next, or a worker that died over it.
    """
    by = Actor.system(UUID(authority))
    most = RETRY.max_attempts or 1
    try:
        with by.acting():
            run = lock(UUID(case), by=by)
            if not run.waits(token):
                return
            if context.job.attempts >= most:
                raise OperationNotDone(f"{operation}: Der Auftrag brach {most}-mal ab.")
            answer = run.call(token, operation, decode(arguments))
            if isinstance(answer, workflow.OperationFailed) and context.job.attempts + 1 < most:
                raise OperationNotDone(f"{operation}: {answer.message}")
            run.send(answer)
            run.write()
    except Exception as wrong:
        if context.job.attempts + 1 < most:
            raise
        logger.exception("%s: given up, now an incident", operation)
        _give_up(by, UUID(case), token, operation, decode(arguments), wrong)


class OperationNotDone(Exception):
    """An operation failed and will be tried again."""


def _give_up(
    by: Actor, case: UUID, token: str, operation: str, arguments: dict[str, Any], wrong: Exception
) -> None:
    with by.acting():
        run = lock(case, by=by)
        if run.waits(token):
            run.open_incident(token, operation, arguments, f"{type(wrong).__name__}: {wrong}")
            run.write()


def retry_incident(*, by: Actor, incident: UUID) -> Incident:
    """Action of staff: try once more, now, what failed. Raises Refused where it was settled meanwhile."""
    with by.acting():
        found = Incident.objects.get(id=incident)
        run = lock(found.case_id, by=by)
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


@app.task(name="cases.send_receipt", retry=MAIL_RETRY)
def send_receipt(*, authority: str, case: str) -> None:
    _mail(UUID(authority), UUID(case), "receipt")


@app.task(name="cases.send_mail_to_applicant", retry=MAIL_RETRY)
def send_mail_to_applicant(*, authority: str, case: str, reason: str) -> None:
    _mail(UUID(authority), UUID(case), reason)


def _mail(authority: UUID, case_id: UUID, reason: str) -> None:
    with acting(authority=authority):
        case = Case.objects.select_related("authority").get(id=case_id)
    addresses = addresses_of(case.party_id)
    if not addresses:
        return
    subject, sentence = MAILS[reason]
    body = (
        f"Guten Tag,\n\n{sentence.format(title=case.title, reference=case.reference)}\n\n"
        f"Hier sehen Sie alles zu Ihrem Antrag: {settings.BASE_URL}/meine/{case.id}/\n\n{case.authority.label}\n"
    )
    send_mail(f"{subject} ({case.reference})", body, None, addresses)


@app.periodic(cron="* * * * *")
@app.task(name="cases.fire_due_timers", queueing_lock="cases.fire_due_timers")
def fire_due_timers(timestamp: int) -> None:
    """Let processes go on whose time has come."""
    for authority in _authorities():
        with acting(authority=authority):
            due = list(
                Timer.objects.filter(authority_id=authority, due_at__lte=clock.now()).order_by("due_at")[:500]
            )
        for timer in due:
            try:
                fire_timer(timer)
            except Exception as wrong:  # one case that cannot go on must not hold up the others
                logger.exception("timer %s of case %s", timer.element, timer.case_id)
                _note_stuck(timer, wrong)


def fire_timer(timer: Timer) -> None:
    """One timer, in its own transaction; one that is gone by now is left alone."""
    by = Actor.system(timer.authority_id)
    with by.acting():
        run = lock(timer.case_id, by=by)
        if Timer.objects.filter(id=timer.id).delete()[0]:
            run.record(events.TIMER_FIRED, element=run.name_of(timer.element))
            run.send(workflow.TimerFired(timer.token))
            Incident.objects.filter(
                case_id=timer.case_id, token=timer.token, state=IncidentState.OPEN
            ).update(state=IncidentState.RESOLVED, resolved_at=run.now)
            run.write()


def _note_stuck(timer: Timer, wrong: Exception) -> None:
    """An incident for staff, once; the timer is tried again every minute all the same."""
    by = Actor.system(timer.authority_id)
    with by.acting():
        open_ones = Incident.objects.filter(
            case_id=timer.case_id, token=timer.token, state=IncidentState.OPEN
        )
        if not open_ones.exists():
            run = lock(timer.case_id, by=by)
            run.open_incident(timer.token, TIMER, {}, f"{type(wrong).__name__}: {wrong}")
            run.write()


@app.periodic(cron="*/10 * * * *")
@app.task(name="cases.seal_events", queueing_lock="cases.seal_events")
def seal_events(timestamp: int) -> None:
    """Seal what happened, per authority; also at those that offer nothing but publish packages."""
    for authority in authorities_with_history():
        seal(authority)


@app.periodic(cron="20 3 * * *")
@app.task(name="cases.expire_drafts", queueing_lock="cases.expire_drafts")
def expire_drafts(timestamp: int) -> None:
    """Remove drafts that nobody went on with (OZG § 8a (3): thirty days after the last edit)."""
    with housekeeping():
        Draft.objects.filter(expires_on__lt=clock.today()).delete()


def _authorities() -> list[UUID]:
    return list(Offer.objects.order_by("authority_id").values_list("authority_id", flat=True).distinct())
