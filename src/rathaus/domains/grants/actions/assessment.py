"""Assessment: what a call asks, checked by rules that advise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone

from rathaus.casework.cases.actions.findings import keep_findings
from rathaus.casework.cases.enums import ConfirmationState, Outcome
from rathaus.casework.cases.events import RULES_CHECKED
from rathaus.casework.cases.models import Case, Finding
from rathaus.casework.cases.queries import confirmations
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import operation
from rathaus.domains.grants import rules
from rathaus.domains.grants.enums import Account
from rathaus.domains.grants.models import Allotment, Balance, Call, EarlyStart, Grant, Project

VALUE_LENGTH = Finding._meta.get_field("value").max_length  # a name may be longer


@operation("grants.check")
def check_rules(
    step: Run,
    *,
    betrag: Decimal,
    ausgaben: Decimal = Decimal(0),
    beginn: date | None = None,
    ende: date | None = None,
    partner: int = 0,
    nicht_begonnen: bool = True,
    partnerliste: list | None = None,
    gegenstand: str = "",
) -> dict[str, Any]:
    """Operation: check the call's rules and keep the findings. Answers how many are not met; it decides nothing.

    `partnerliste` are the keys (AGS) of the partners, `gegenstand` is the funding object or field; with them projects
    that overlap are found.
    """
    case = step.case
    call = Call.objects.filter(offer_id=case.offer_id).first()
    free = sum(
        Balance.objects.filter(line__measure__calls=call, account=Account.FREE).values_list(
            "amount", flat=True
        )
        if call
        else (),
        Decimal(0),
    )
    allotment = Allotment.objects.filter(call__offer_id=case.offer_id, recipient_id=case.applicant_id).first()
    request = rules.Request(
        applicant_kind=case.applicant.kind if case.applicant else "",
        applicant_label=case.applicant.label if case.applicant else case.party_name,
        amount=betrag,
        cost=ausgaben,
        begins_on=beginn,
        ends_on=ende,
        partners=max(partner, len(partnerliste or ())),
        has_not_begun=nicht_begonnen,
        submitted_on=timezone.localtime(case.opened_at).date(),
        funding_object=gegenstand,
        confirmed=_confirmed(step),
        sketch=case.about.reference if case.about and case.about.outcome == Outcome.GRANTED else "",
        early_start=_early(case),
        overlapping=_overlapping(case, call, beginn, ende, partnerliste or [], gegenstand),
    )
    checks = list(
        rules.check(request, case.parameters, free=free, allotment=allotment.amount if allotment else None)
    )
    keep_findings(
        step,
        [
            Finding(
                rule=found.rule,
                title=found.title,
                source=found.source,
                result=found.result,
                value=found.value[:VALUE_LENGTH],
                note=found.note,
            )
            for found in checks
        ],
    )
    failed = sum(1 for found in checks if found.result == rules.FAILED)
    met = sum(1 for found in checks if found.result == rules.MET)
    step.record(RULES_CHECKED, met=met, failed=failed)
    return {"nicht_erfuellt": failed}


def _confirmed(step: Run) -> int | None:
    """How many partners confirmed so far; None before they are asked: while the case is being opened, or by no form."""
    asked = confirmations(step.case) if step.application is None else []  # else the case is being opened
    return sum(row.state == ConfirmationState.CONFIRMED for row in asked) if asked else None


def _early(case: Case) -> rules.EarlyBeginning | None:
    early = EarlyStart.objects.select_related("case").filter(application_id=case.id).first()
    return rules.EarlyBeginning(early.begins_on, early.case.reference) if early else None


def _overlapping(
    case: Case, call: Call | None, begins_on: date | None, ends_on: date | None, partners: list, subject: str
) -> tuple[rules.Overlap, ...] | None:
    """Keep the project as it is applied for and find others of the same authority in the same time, in which the
    applicant or a partner takes part: grants, and applications that nobody decided yet."""
    if call is None or begins_on is None or ends_on is None or begins_on > ends_on:
        return None
    project, _ = Project.objects.update_or_create(
        case_id=case.id,
        defaults={
            "authority_id": case.authority_id,
            "call": call,
            "recipient_id": case.applicant_id,
            "partners": [str(key) for key in partners],
            "subject": subject[:120],
            "begins_on": begins_on,
            "ends_on": ends_on,
        },
    )
    keys = [*project.partners, *([case.applicant.ags] if case.applicant and case.applicant.ags else [])]
    involved = Q(recipient__ags__in=keys)
    for key in keys:
        involved |= Q(partners__contains=[key])
    same_time = Q(begins_on__lte=ends_on, ends_on__gte=begins_on)
    granted = Grant.objects.filter(involved, same_time, authority_id=case.authority_id).exclude(case=case)
    applied = (
        Project.objects.filter(involved, same_time, authority_id=case.authority_id, case__outcome="")
        .exclude(case=case)
        .select_related("case")
    )
    subjects = dict(
        Project.objects.filter(case_id__in=granted.values("case_id")).values_list("case_id", "subject")
    )
    found = [
        rules.Overlap(row.reference, row.title, bool(subject) and subjects.get(row.case_id) == subject)
        for row in granted.order_by("reference")
    ]
    found += [
        rules.Overlap(row.case.reference, row.case.title, bool(subject) and row.subject == subject)
        for row in applied.order_by("case__reference")
        if row.case_id not in subjects
    ]
    return tuple(found)
