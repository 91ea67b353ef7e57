"""Money back: what is claimed by a notice after a hearing, and interest (VwVfG §§ 49, 49a)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import (
    balances_of,
    change_award,
    current_award,
    decision_of,
    grant_of,
)
from rathaus.domains.grants.actions.interest import interest_on, post_interest, rows_of
from rathaus.domains.grants.actions.journal import NOTHING
from rathaus.domains.grants.actions.proof import accepted_final
from rathaus.domains.grants.enums import Account, AwardKind, ClaimReason, PaymentState
from rathaus.domains.grants.models import Balance, Claim, Grant, Payment
from rathaus.domains.grants.terms import terms_of
from rathaus.law import interest as law
from rathaus.law.money import format_amount
from rathaus.law.text import format_date, format_day

PAID_OUT = (Account.PAID, Account.PROVEN)


@operation("grants.claim.examine")
def examine_claim(
    step: Run,
    *,
    grund: str,
    betrag: Decimal | None = None,
    ausgezahlt_am: date | None = None,
    verwendet_am: date | None = None,
    zinsen_ab: date | None = None,
) -> dict[str, Any]:
    """Operation, before the hearing: whether there is anything to claim, and how much. Refused where there is not, or
    where interest would run (`zinsen_ab`) before anything was paid.

    Answers `betrag` (of the claim, or the interest for late use) and `betrag_text`, the same in words.
    """
    grant, reason = grant_of(step.case), ClaimReason(grund)
    if grant.notified_on is None:
        raise Refused("Der Zuwendungsbescheid ist noch nicht ergangen.")
    amount = betrag or NOTHING
    if reason == ClaimReason.LATE_USE:
        amount = _late_interest(grant, amount, ausgezahlt_am, verwendet_am).total
    else:
        _check_claimable(grant, reason, amount)
        _check_interest_from(grant, zinsen_ab)
    return {"betrag": amount, "betrag_text": format_amount(amount)}


@operation("grants.claim.make")
def make_claim(
    step: Run,
    *,
    grund: str,
    betrag: Decimal | None = None,
    zinsen_ab: date | None = None,
    offenes: bool | None = True,
) -> dict[str, Any]:
    """Operation, after hearing and release: the decided amount is claimed back and the award falls by it.

    Newest years are claimed first. A revoked award promises nothing any more, unless `offenes` is false. Interest runs
    from `zinsen_ab` (§ 49a (3) VwVfG) and is fixed when the money comes in. Answers `zu_zahlen` and `faellig`; where
    nothing was drawn there is nothing to pay and no claim.
    """
    grant = grant_of(step.case, lock=True)
    reason = ClaimReason(grund)
    amount = betrag if betrag is not None else decision_of(step).amount or NOTHING
    _check_claimable(grant, reason, amount)
    _check_interest_from(grant, zinsen_ab)
    award = current_award(grant)
    by_year = {row.year: row.amount for row in award.years.all()}
    if reason == ClaimReason.REVOCATION and offenes is not False:
        for year, value in _standing(grant, (Account.OPEN,)).items():
            by_year[year] -= value
    claimed: dict[int, Decimal] = {}
    left = amount
    for year, value in sorted(_standing(grant, PAID_OUT).items(), reverse=True):
        if part := min(left, value):
            claimed[year], by_year[year] = part, by_year[year] - part
            left -= part
    if amount:
        _claim(step, grant, reason, amount, zinsen_ab, steps=_steps(grant, reason))
    change_award(
        by=step.by,
        grant=grant,
        case=step.case,
        kind=AwardKind.REVOCATION if reason == ClaimReason.REVOCATION else AwardKind.REDUCTION,
        by_year=by_year,
        claimed=claimed,
        key=f"claim:{step.case.id}",
    )
    step.record(
        events.CLAIMED,
        amount=format_amount(amount),
        interest=f"ab {format_day(zinsen_ab)}" if zinsen_ab else "keine",
    )
    return {"zu_zahlen": amount, "faellig": clock.today() + timedelta(days=terms_of(grant.case).payable_days)}


@operation("grants.claim.interest")
def claim_interest(step: Run, *, betrag: Decimal, ausgezahlt_am: date, verwendet_am: date) -> dict[str, Any]:
    """Operation: interest for money that was drawn too early, for the time until it was used (§ 49a (4) VwVfG).

    `betrag` was paid out on the first day and used on the second. Refused if it was used in time, or where the interest
    lies below the minor amount. The decision may ask for less than the law allows, not for more. The award stays.
    """
    grant = grant_of(step.case, lock=True)
    result = _late_interest(grant, betrag, ausgezahlt_am, verwendet_am)
    decided = decision_of(step).amount
    total = result.total if decided is None else decided
    if not NOTHING < total <= result.total:
        raise Refused(f"Die Zinsen betragen {format_amount(result.total)}. Mehr kann nicht verlangt werden.")
    claim = _claim(step, grant, ClaimReason.LATE_USE, NOTHING, None, interest=total, steps=rows_of(result))
    claim.interest_from, claim.interest_until = result.start, result.end - timedelta(days=1)
    claim.save(update_fields=["interest_from", "interest_until"])
    post_interest(step.by, grant, total, f"interest:{claim.id}")
    step.record(events.CLAIMED, amount=format_amount(NOTHING), interest=format_amount(total))
    return {"zinsen": total}


def _late_interest(grant: Grant, amount: Decimal, paid_on: date | None, used_on: date | None) -> law.Interest:
    if paid_on is None or used_on is None or not amount:
        raise Refused("Nennen Sie, wie viel wann ausgezahlt und wann verwendet wurde.")
    terms = terms_of(grant.case)
    if used_on < paid_on:
        raise Refused("Das Geld wurde verwendet, bevor es ausgezahlt wurde. Prüfen Sie beide Tage.")
    if used_on > clock.today():
        raise Refused(
            "Die Verwendung liegt nicht in der Zukunft. Zinsen gibt es bis zu dem Tag, der vorbei ist."
        )
    until_then = _payments(grant).filter(paid_on__lte=paid_on)
    paid = until_then.aggregate(all=Sum("amount"))["all"] or NOTHING
    if amount > paid:
        raise Refused(
            f"Bis zum {format_date(paid_on)} sind {format_amount(paid)} ausgezahlt. Mehr kann nicht zu spät verwendet "
            "worden sein."
        )
    period = law.late_use(paid_on, used_on, terms.spend_within_months)
    if period is None:
        raise Refused("Das Geld wurde rechtzeitig verwendet. Dafür gibt es keine Zinsen.")
    result = interest_on(grant, amount, period.first_day, period.last_day + timedelta(days=1))
    if result.total <= terms.minor_interest:
        raise Refused(
            f"Die Zinsen betragen {format_amount(result.total)}. Bis {format_amount(terms.minor_interest)} "
            "werden sie nicht erhoben."
        )
    return result


def _check_claimable(grant: Grant, reason: ClaimReason, amount: Decimal) -> None:
    """Raises Refused where the amount cannot be claimed back for this reason."""
    balances = balances_of(grant)
    paid = balances[Account.PAID] + balances[Account.PROVEN]
    if amount > paid:
        raise Refused(f"Ausgezahlt sind {format_amount(paid)}. Mehr kann nicht zurückgefordert werden.")
    if reason == ClaimReason.REVOCATION:
        if balances[Account.ORDERED]:
            raise Refused(
                f"{format_amount(balances[Account.ORDERED])} sind gerade angeordnet. Erst muss die Auszahlung "
                "ausgeführt sein. Dann können Sie auch dieses Geld zurückfordern."
            )
        if not amount and not balances[Account.OPEN]:
            raise Refused("Es ist nichts mehr offen, das ein Widerruf treffen könnte.")
        return
    if not amount:
        raise Refused("Nennen Sie den Betrag, der zurückgefordert wird.")
    if reason == ClaimReason.PROOF and amount > (rest := to_repay(grant)):
        raise Refused(
            f"Nach dem geprüften Verwendungsnachweis sind noch {format_amount(rest)} zu erstatten. "
            "Für mehr braucht es einen Widerruf."
        )


def _check_interest_from(grant: Grant, day: date | None) -> None:
    """Nobody owes interest on money they did not have yet."""
    first = _payments(grant).order_by("paid_on").values_list("paid_on", flat=True).first()
    if day and first and day < first:
        raise Refused(
            f"Die erste Auszahlung war am {format_date(first)}. Zinsen laufen frühestens ab diesem Tag."
        )


def _payments(grant: Grant) -> QuerySet[Payment]:
    return Payment.objects.filter(grant=grant, state=PaymentState.PAID)


def to_repay(grant: Grant) -> Decimal:
    """What was paid beyond the accepted final proof and not claimed yet, in euros: all that is paid and not proven."""
    return balances_of(grant)[Account.PAID] if accepted_final(grant) else NOTHING


def _claim(
    step: Run,
    grant: Grant,
    reason: ClaimReason,
    amount: Decimal,
    interest_from: date | None,
    *,
    interest: Decimal = NOTHING,
    steps: list[dict[str, Any]],
) -> Claim:
    return Claim.objects.create(
        authority_id=grant.authority_id,
        grant=grant,
        party_id=grant.party_id,
        case=step.case,
        reason=reason,
        amount=amount,
        interest=interest,
        interest_from=interest_from,
        steps=steps,
        due_on=clock.today() + timedelta(days=terms_of(grant.case).payable_days),
    )


def _steps(grant: Grant, reason: ClaimReason) -> list[dict[str, Any]]:
    """The computation behind the amount, where there is one."""
    if reason != ClaimReason.PROOF:
        return []
    proof = accepted_final(grant)
    return list(proof.steps) if proof else []


def _standing(grant: Grant, accounts: tuple[Account, ...]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for row in Balance.objects.filter(grant=grant, account__in=accounts, amount__gt=0).select_related("line"):
        found[row.line.year] = found.get(row.line.year, NOTHING) + row.amount
    return found
