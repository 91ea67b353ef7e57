"""Deciding: proposed by one, released by another, or automatic where the law leaves no choice."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from rathaus.casework.cases import events
from rathaus.casework.cases.enums import CaseState, DecisionState, FindingResult, Outcome
from rathaus.casework.cases.models import Decision, Finding, label_of
from rathaus.casework.cases.rules import LONGEST_NOTE, LONGEST_REASONS, written
from rathaus.casework.cases.steps import Run, lock
from rathaus.casework.services import permissions
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.law.money import format_amount

HEAD = permissions.HEAD  # also the role that may allow an exception from a rule


def propose(
    run: Run, *, outcome: str, amount: Decimal | None, reasons: str, details: Mapping[str, Any]
) -> Decision:
    """Propose a decision. A failed rule without an exception stands in the way of granting."""
    text = written(
        reasons, most=LONGEST_REASONS, missing="Schreiben Sie eine Begründung. Sie steht im Bescheid."
    )
    _check(run, outcome, amount)
    decision = Decision.objects.create(
        authority_id=run.case.authority_id,
        case=run.case,
        party_id=run.case.party_id,
        outcome=outcome,
        amount=None if outcome == Outcome.REFUSED else amount,
        reasons=text,
        details=dict(details),
        proposed_at=run.now,
        proposed_by_id=run.by.account,
    )
    run.record(events.PROPOSED, outcome=label_of(run.case, outcome))
    return decision


def _check(run: Run, outcome: str, amount: Decimal | None) -> None:
    """Raises Refused where a case cannot be decided so, by a person or by the machine.

    Nobody is granted more than they applied for, and less is a partial grant where the service knows one.
    """
    results, asked = run.package.manifest.results, run.case.amount
    if outcome not in results:
        raise Refused("Wählen Sie, wie Sie entscheiden möchten.")
    if amount is not None and (amount < 0 or amount != round(amount, 2)):
        raise Refused("Der Betrag muss ein Betrag in Euro und Cent sein.")
    if outcome == Outcome.REFUSED:
        return
    if asked is not None:
        if amount is None or (asked and not amount):
            raise Refused(
                f"Beantragt sind {format_amount(asked)}. Nennen Sie den Betrag, der bewilligt wird."
            )
        if amount > asked:
            raise Refused(f"Beantragt sind {format_amount(asked)}. Mehr kann nicht bewilligt werden.")
        partly = results.get(Outcome.PARTLY)
        if outcome == Outcome.GRANTED and amount < asked and partly:
            raise Refused(
                f"Das ist weniger als beantragt ({format_amount(asked)}). Wählen Sie „{partly.tun}“."
            )
    failed = Finding.objects.filter(
        case=run.case, is_current=True, result=FindingResult.FAILED, excepted_at=None
    ).first()
    if failed:
        raise Refused(
            f"Die Regel „{failed.title}“ steht entgegen. Erst muss die Leitung eine Ausnahme zulassen."
        )


def decide(run: Run, *, approve: bool, note: str) -> Decision:
    """Release the open proposal or send it back with a note. Nobody decides their own proposal."""
    decision = Decision.objects.filter(case=run.case, state=DecisionState.PROPOSED).first()
    if decision is None:
        raise Refused("Es gibt keinen offenen Vorschlag.")
    if decision.proposed_by_id == run.by.account:
        raise NotAllowed(
            "Sie haben den Vorschlag gemacht. Freigeben muss eine andere Person (Vier-Augen-Prinzip)."
        )
    why = "Schreiben Sie, was am Vorschlag zu ändern ist."
    returned = "" if approve else written(note, most=LONGEST_NOTE, missing=why)
    decision.state = DecisionState.DECIDED if approve else DecisionState.RETURNED
    decision.decided_at, decision.decided_by_id = run.now, run.by.account
    decision.decided_function = run.by.function
    decision.return_note = returned
    decision.save(update_fields=["state", "decided_at", "decided_by", "decided_function", "return_note"])
    run.decision = decision if approve else None
    run.record(events.DECIDED if approve else events.RETURNED, outcome=label_of(run.case, decision.outcome))
    return decision


@operation("decisions.automatic", decides=True)
def decide_automatically(
    step: Run, *, ergebnis: str, begruendung: str, betrag: Decimal | None = None
) -> dict[str, Any]:
    """Operation: decide without a person, within what a person could decide.

    Only packages that say why no discretion is involved may call this (VwVfG § 35a). What does not fit is no fault of
    whoever acts: it becomes an incident, which staff retry after allowing an exception, or see as a fault of the package.
    """
    try:
        _check(step, ergebnis, betrag)
    except Refused as wrong:
        raise ValueError(f"{ergebnis}, {betrag}: {wrong}") from wrong
    case = step.case
    step.decision = Decision.objects.create(
        authority_id=case.authority_id,
        case=case,
        party_id=case.party_id,
        outcome=ergebnis,
        amount=betrag,
        reasons=begruendung,
        state=DecisionState.DECIDED,
        is_automatic=True,
        decided_at=step.now,
        decided_function="Automatische Entscheidung",
    )
    step.record(events.DECIDED_AUTOMATICALLY, outcome=label_of(case, ergebnis))
    return {"ergebnis": ergebnis}


@operation("decisions.announce")
def announce(step: Run) -> dict[str, Any]:
    """Operation: the applicant knows the decision from now on, without a letter (money was paid as it was asked for)."""
    decision = step.decision or Decision.objects.get(case=step.case, state=DecisionState.DECIDED)
    decision.notified_at = step.now
    decision.save(update_fields=["notified_at"])
    step.outcome = decision.outcome
    return {}


def allow_exception(*, by: Actor, finding: UUID, reason: str) -> Finding:
    """Allow an exception from a failed rule: role, account, time and reason stay visible for ever."""
    if HEAD not in by.roles:
        raise NotAllowed("Eine Ausnahme zulassen darf nur die Leitung.")
    sentence = "Begründen Sie die Ausnahme in einem Satz."
    text = written(reason, most=LONGEST_NOTE, missing=sentence)
    if len(text) < 10:
        raise Refused(sentence)
    with by.acting():
        # The process is locked first, as in every step: a check that is made again waits, or is waited for.
        run = lock(Finding.objects.only("case_id").get(id=finding).case_id, by=by)
        found = Finding.objects.select_for_update().get(id=finding)
        if not found.is_current:
            raise Refused("Die Regeln sind inzwischen neu geprüft. Sehen Sie sich das neue Ergebnis an.")
        if found.result != FindingResult.FAILED or found.excepted_at:
            raise Refused("Zu dieser Regel braucht es keine Ausnahme.")
        if run.case.state == CaseState.COMPLETED:
            raise Refused("Der Vorgang ist abgeschlossen.")
        found.excepted_at, found.excepted_by_id = clock.now(), by.account
        found.excepted_function, found.excepted_reason = by.function, text
        found.save(update_fields=["excepted_at", "excepted_by", "excepted_function", "excepted_reason"])
        run.record(events.EXCEPTION_ALLOWED, title=found.title, rule=found.rule, reason=text)
        run.write()
        return found
