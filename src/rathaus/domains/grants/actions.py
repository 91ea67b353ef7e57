"""Everything that writes grants, and the operations that processes call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from rathaus.casework.cases.actions.decisions import HEAD
from rathaus.casework.cases.enums import DecisionState
from rathaus.casework.cases.events import RULES_CHECKED
from rathaus.casework.cases.models import Decision, Finding
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused, operation
from rathaus.core.audit.actions import record
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants import events, rules
from rathaus.domains.grants.models import Allotment, Booking, Budget, Call, Programme
from rathaus.law.money import format_amount, share_largest_remainder

VALUE_LENGTH = Finding._meta.get_field("value").max_length  # a name may be longer


def set_up_call(
    *,
    by: Actor,
    programme: str,
    programme_title: str,
    key: str,
    title: str,
    offer: Offer,
    budgets: Mapping[int, Decimal],
) -> Call:
    """Make a call of a programme with its money by year; what exists already stays as it is, new years are added."""
    _may_set_up(by, offer.authority_id)
    with by.acting():
        if Call.objects.filter(offer=offer).exclude(key=key).exists():
            raise Refused(f"Zu „{offer.title}“ gibt es schon einen Aufruf.")
        kept, _ = Programme.objects.get_or_create(
            authority_id=by.authority, key=programme, defaults={"title": programme_title}
        )
        call, is_new = Call.objects.get_or_create(
            authority_id=by.authority, key=key, defaults={"programme": kept, "offer": offer, "title": title}
        )
        if is_new:
            record(events.CALL_SET_UP, by=by, authority=call.authority_id, title=title)
        for year, amount in budgets.items():
            _, is_added = Budget.objects.get_or_create(
                authority_id=by.authority, call=call, year=year, defaults={"amount": amount}
            )
            if is_added:
                record(
                    events.BUDGET_ADDED,
                    by=by,
                    authority=call.authority_id,
                    title=title,
                    year=year,
                    amount=format_amount(amount),
                )
        return call


def _may_set_up(by: Actor, authority: UUID) -> None:
    if by.authority != authority or not (by.is_system or HEAD in by.roles):
        raise NotAllowed(
            "Aufrufe anlegen und Mittel zuteilen darf nur die Leitung der Behörde, die sie anbietet."
        )


def allot(
    *, by: Actor, call: Call, total: Decimal, base: Decimal, among: Sequence[Authority]
) -> list[Allotment]:
    """Share `total` among municipalities: `base` euros each, the rest by population, to the cent (largest remainder).

    Who has no population in the register gets the base amount only. Replaces nothing: a second time is refused, as is
    more than the call has. Raises ValueError where the bases alone exceed the total.
    """
    _may_set_up(by, call.authority_id)
    weights = [authority.population or 0 for authority in among]
    shares = share_largest_remainder(total, weights, base=base)
    with by.acting():
        if Allotment.objects.filter(call=call).exists():
            raise Refused("Die Mittel dieses Aufrufs sind schon zugeteilt.")
        money = Budget.objects.filter(call=call).aggregate(all=Sum("amount"))["all"] or Decimal(0)
        if total > money:
            raise Refused(
                f"Dieser Aufruf hat nur {format_amount(money)}, zugeteilt werden sollen {format_amount(total)}."
            )
        rows = Allotment.objects.bulk_create(
            Allotment(authority_id=call.authority_id, call=call, recipient=recipient, amount=share)
            for recipient, share in zip(among, shares, strict=True)
        )
        record(
            events.ALLOTTED, by=by, authority=call.authority_id, count=len(rows), total=format_amount(total)
        )
        return rows


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
    budgets = Budget.objects.filter(call__offer_id=case.offer_id)
    free = sum((budget.free for budget in budgets), Decimal(0))
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
    Finding.objects.bulk_create(
        Finding(
            authority_id=case.authority_id,
            case=case,
            rule=found.rule,
            title=found.title,
            source=found.source,
            result=found.result,
            value=found.value[:VALUE_LENGTH],
            note=found.note,
            position=position,
        )
        for position, found in enumerate(checks)
    )
    failed = sum(1 for found in checks if found.result == rules.FAILED)
    met = sum(1 for found in checks if found.result == rules.MET)
    step.record(RULES_CHECKED, met=met, failed=failed)
    return {"nicht_erfuellt": failed}


@operation("grants.award")
def award(step: Run) -> dict[str, Any]:
    """Operation: commit the decided amount, by year as decided. Refused, with the whole approval, beyond what is left."""
    case = step.case
    decision = step.decision or Decision.objects.get(case=case, state=DecisionState.DECIDED)
    amount = decision.amount or Decimal(0)
    by_year = _by_year(decision)
    budgets = {
        budget.year: budget for budget in Budget.objects.filter(call__offer_id=case.offer_id).order_by("year")
    }
    if not by_year and budgets:
        by_year = {min(budgets): amount}
    if unknown := by_year.keys() - budgets.keys():
        raise Refused(f"Für {', '.join(map(str, sorted(unknown)))} hat dieser Aufruf keine Mittel.")
    if sum(by_year.values()) != amount:
        raise Refused(
            f"Die Jahresbeträge ergeben {format_amount(sum(by_year.values(), Decimal(0)))}, "
            f"bewilligt werden sollen {format_amount(amount)}."
        )
    for year in sorted(by_year):
        _book(step, budgets[year], by_year[year])
    step.record(events.AWARDED, amount=format_amount(amount))
    return {}


def _by_year(decision: Decision) -> dict[int, Decimal]:
    """The amounts of the years among which the decision divides its amount; empty if it does not."""
    try:
        given = {int(year): Decimal(value) for year, value in decision.details.get("jahre", {}).items()}
        if any(value < 0 or value != round(value, 2) for value in given.values()):
            raise ValueError
    except (ArithmeticError, TypeError, ValueError) as wrong:
        raise Refused("Die Aufteilung auf die Jahre besteht nicht aus Beträgen in Euro und Cent.") from wrong
    return {year: value for year, value in given.items() if value}


def _book(step: Run, budget: Budget, amount: Decimal) -> None:
    case = step.case
    try:
        with transaction.atomic():
            Booking.objects.create(
                authority_id=case.authority_id,
                budget=budget,
                case=case,
                amount=amount,
                booked_by_id=step.by.account,
            )
    except IntegrityError as wrong:
        if "budget_not_exceeded" not in str(wrong):
            raise
        budget.refresh_from_db()
        raise Refused(
            f"Die Mittel {budget.year} reichen nicht: {format_amount(budget.free)} sind frei, "
            f"{format_amount(amount)} werden gebraucht."
        ) from wrong
