"""Withdrawing an application before it is decided."""

from __future__ import annotations

from collections.abc import Callable

from rathaus.casework.cases import events, jobs
from rathaus.casework.cases.actions.confirmations import settle_confirmations
from rathaus.casework.cases.actions.messages import from_applicant
from rathaus.casework.cases.enums import DecisionState, IncidentState, Outcome
from rathaus.casework.cases.models import Case, Decision, Draft, Incident
from rathaus.casework.cases.rules import LONGEST_NOTE, written
from rathaus.casework.cases.steps import Run, lock
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.engine import workflow

DECIDED = "Über Ihren Antrag ist schon entschieden. Zurückziehen lässt er sich nicht mehr."
OVER = "Dieser Vorgang ist schon abgeschlossen."
_listeners: list[Callable[[Run], None]] = []


def when_withdrawn(function: Callable[[Run], None]) -> Callable[[Run], None]:
    """Register what a domain does when an application is withdrawn for which it keeps something already."""
    _listeners.append(function)
    return function


def withdraw_application(*, by: Actor, case: Case, reason: str = "") -> Case:
    """The applicant takes the application back, as long as nothing is decided; the case ends there and then.

    What was handed in, said and found stays readable for both sides. Tasks, timers and incidents are settled by the
    process ending, an open proposal is without object. Nothing is bound before the decision; a domain that keeps
    something earlier is told (`when_withdrawn`).
    Raises NotAllowed, or Refused where a decision was released, also a moment ago.
    """
    if case.party_id not in by.parties:
        raise NotAllowed("Dieser Vorgang gehört jemand anderem.")
    text = written(reason, most=LONGEST_NOTE, missing="") if reason.strip() else ""
    with by.on_behalf_of(case.authority_id):
        Draft.objects.filter(corrects=case).delete()  # before the process, as handing it in locks them
        run = lock(case.id, by=by)
        if run.case.application.is_ex_officio:
            raise NotAllowed("Diesen Vorgang hat die Behörde eröffnet. Zurückziehen kann ihn nur sie.")
        if Decision.objects.filter(case=case, state=DecisionState.DECIDED).exists():
            raise Refused(DECIDED)
        from_applicant(run.case, f"Der Antrag wird zurückgezogen.\n\n{text}".strip(), by=run.by)
        Decision.objects.filter(case=case, state=DecisionState.PROPOSED).update(
            state=DecisionState.OBSOLETE, decided_at=run.now, return_note="Der Antrag wurde zurückgezogen."
        )
        open_incidents = Incident.objects.filter(case=case, state=IncidentState.OPEN)
        open_incidents.update(state=IncidentState.RESOLVED, resolved_at=run.now)
        settle_confirmations(case)
        run.outcome = Outcome.WITHDRAWN
        run.record(events.WITHDRAWN, reason=text)
        run.defer(jobs.send_mail_to_applicant, reason="withdrawn")
        for tell in _listeners:
            tell(run)
        try:
            run.send(workflow.Cancelled(Outcome.WITHDRAWN))
        except workflow.StaleEvent as ended:
            raise Refused(OVER) from ended
        run.write()
        return run.case
