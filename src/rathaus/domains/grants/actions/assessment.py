"""Assessment: what a call asks, checked by rules that advise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from rathaus.casework.cases.actions.findings import keep_findings
from rathaus.casework.cases.events import RULES_CHECKED
from rathaus.casework.cases.models import Finding
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import operation
from rathaus.domains.grants import rules
from rathaus.domains.grants.enums import Account
from rathaus.domains.grants.models import Allotment, Balance, Call

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
) -> dict[str, Any]:
    """Operation: check the call's rules and keep the findings. Answers how many are not met; it decides nothing."""
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
        partners=partner,
        has_not_begun=nicht_begonnen,
        submitted_on=timezone.localtime(case.opened_at).date(),
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
