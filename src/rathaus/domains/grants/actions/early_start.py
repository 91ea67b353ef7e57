"""An early start: allowed before the award, at the applicant's risk (VV Nr. 1.3 zu § 44 LHO)."""

from __future__ import annotations

from datetime import date
from typing import Any

from rathaus.casework.cases.enums import CaseState, DecisionState
from rathaus.casework.cases.models import Case, Decision, Finding
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.domains.grants import events, rules
from rathaus.domains.grants.call_facts import may_become_grant
from rathaus.domains.grants.models import EarlyStart
from rathaus.law.text import format_date, format_day


@operation("grants.early_start.check")
def check_early_start(step: Run, *, beginn: date) -> dict[str, Any]:
    """Operation: whether an early start may still be asked for. Refused after the decision, or for a day that is over."""
    _application_of(step)
    if beginn < clock.today():
        raise Refused(
            "Dieser Tag ist vorbei. Ein Vorhaben, das schon begonnen hat, kann nicht mehr zugelassen werden."
        )
    return {}


@operation("grants.early_start.allow")
def allow_early_start(step: Run, *, beginn: date) -> dict[str, Any]:
    """Operation, after the release: the project may begin on that day, at the earliest today. Its application shows it
    among the findings. Answers `beginn`, the day that holds."""
    application = _application_of(step)
    day = max(beginn, clock.today())
    early, _ = EarlyStart.objects.update_or_create(
        application=application,
        defaults={
            "authority_id": application.authority_id,
            "case": step.case,
            "begins_on": day,
            "allowed_on": clock.today(),
        },
    )
    found = rules.not_begun(True, rules.EarlyBeginning(early.begins_on, step.case.reference))
    Finding.objects.filter(case=application, rule=found.rule, is_current=True, excepted_at=None).update(
        result=found.result, value=found.value
    )
    step.record(events.EARLY_START_ALLOWED, on=format_day(day))
    return {"beginn": day}


def _application_of(step: Run) -> Case:
    """The application that the case is about. Raises Refused where there is none, or it is decided."""
    application = step.case.about
    if application is None or not may_become_grant(application):
        raise Refused("Dieser Antrag gehört zu einem Förderantrag. Zu dem genannten Vorgang gibt es keinen.")
    decided = Decision.objects.filter(case=application, state=DecisionState.DECIDED).first()
    if decided is not None or application.state == CaseState.COMPLETED:
        day = f" am {format_date(decided.decided_at.date())}" if decided and decided.decided_at else ""
        raise Refused(
            f"Über Ihren Förderantrag ist{day} entschieden. Ein vorzeitiger Beginn ist nicht mehr nötig."
        )
    return application
