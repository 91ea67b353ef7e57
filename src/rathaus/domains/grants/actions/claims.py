"""Money back: a claim by notice, instalments, interest (VwVfG § 49a), receipts and waivers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from rathaus.casework.cases.actions.messages import deliver
from rathaus.casework.cases.rules import LONGEST_NOTE, written
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import change_award, current_award, decision_of, grant_of
from rathaus.domains.grants.actions.closing import close_if_done
from rathaus.domains.grants.actions.journal import NOTHING, Shift, post
from rathaus.domains.grants.enums import Account, AwardKind, ClaimReason, MovementKind, ProofKind
from rathaus.domains.grants.models import (
    Balance,
    BaseRate,
    BudgetLine,
    Claim,
    Grant,
    Instalment,
    Proof,
    Receipt,
)
from rathaus.domains.grants.permissions import APPROVE, WORK, check_role
from rathaus.domains.grants.terms import terms_of
from rathaus.law import interest as law
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import format_date, format_day

REPAID = "zurueckgezahlt"  # the message that a claim's process waits for


@operation("grants.claim.make")
def make_claim(
    step: Run, *, grund: str, betrag: Decimal | None = None, zinsen_ab: date | None = None
) -> dict[str, Any]:
    """Operation, after hearing and release: the decided amount is claimed back and the award falls by it.

    What was not drawn goes first, as it needs no repayment. Interest runs from `zinsen_ab` (§ 49a (3) VwVfG) and is
    fixed when the money comes in. Newest years are claimed first.
    """
    grant = grant_of(step.case, lock=True)
    reason = ClaimReason(grund)
    amount = betrag if betrag is not None else decision_of(step).amount or NOTHING
    award = current_award(grant)
    by_year = {row.year: row.amount for row in award.years.all()}
    undrawn = _standing(grant, (Account.OPEN,))
    paid = _standing(grant, (Account.PAID, Account.PROVEN))
    claimed: dict[int, Decimal] = {}
    left = amount
    if reason == ClaimReason.REVOCATION:  # a revoked award promises nothing any more
        for year, value in undrawn.items():
            by_year[year] -= value
    for year in sorted(paid, reverse=True):
        part = min(left, paid[year])
        if part:
            claimed[year], by_year[year] = part, by_year[year] - part
            left -= part
    if left:
        raise Refused(
            f"Ausgezahlt sind {format_amount(sum(paid.values(), NOTHING))}. Mehr kann nicht zurückgefordert werden."
        )
    terms = terms_of(grant.case)
    claim = _claim(step, grant, reason, amount, zinsen_ab)
    change_award(
        by=step.by,
        grant=grant,
        case=step.case,
        kind=AwardKind.REVOCATION if reason == ClaimReason.REVOCATION else AwardKind.REDUCTION,
        by_year=by_year,
        claimed=claimed,
        key=f"claim:{claim.id}",
    )
    step.record(
        events.CLAIMED,
        amount=format_amount(amount),
        interest=f"ab {format_day(zinsen_ab)}" if zinsen_ab else "keine",
    )
    return {"faellig": clock.today() + timedelta(days=terms.payable_days)}


@operation("grants.claim.interest")
def claim_interest(step: Run, *, betrag: Decimal, ausgezahlt_am: date, verwendet_am: date) -> dict[str, Any]:
    """Operation: interest for money that was drawn too early, for the time until it was used (§ 49a (4) VwVfG).

    `betrag` was paid out on the first day and used on the second. Refused if it was used in time, or where the interest
    lies below the minor amount. The award stays as it is.
    """
    grant = grant_of(step.case, lock=True)
    terms = terms_of(grant.case)
    period = law.late_use(ausgezahlt_am, verwendet_am, terms.spend_within_months)
    if period is None:
        raise Refused("Das Geld wurde rechtzeitig verwendet. Dafür gibt es keine Zinsen.")
    result = _interest(grant, betrag, period.first_day, period.last_day + timedelta(days=1))
    if result.total <= terms.minor_interest:
        raise Refused(
            f"Die Zinsen betragen {format_amount(result.total)}. Bis {format_amount(terms.minor_interest)} "
            "werden sie nicht erhoben."
        )
    claim = _claim(
        step, grant, ClaimReason.LATE_USE, NOTHING, None, interest=result.total, steps=_rows(result)
    )
    _post_interest(step.by, grant, claim, result.total, f"interest:{claim.id}")
    step.record(events.CLAIMED, amount=format_amount(NOTHING), interest=format_amount(result.total))
    return {"zinsen": result.total}


def _claim(
    step: Run,
    grant: Grant,
    reason: ClaimReason,
    amount: Decimal,
    interest_from: date | None,
    *,
    interest: Decimal = NOTHING,
    steps: list[dict[str, Any]] | None = None,
) -> Claim:
    proof = Proof.objects.filter(grant=grant, kind=ProofKind.FINAL).order_by("-id").first()
    return Claim.objects.create(
        authority_id=grant.authority_id,
        grant=grant,
        party_id=grant.party_id,
        case=step.case,
        reason=reason,
        amount=amount,
        interest=interest,
        interest_from=interest_from,
        steps=steps if steps is not None else (proof.steps if proof and reason == ClaimReason.PROOF else []),
        due_on=clock.today() + timedelta(days=terms_of(grant.case).payable_days),
    )


def _standing(grant: Grant, accounts: tuple[Account, ...]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for row in Balance.objects.filter(grant=grant, account__in=accounts, amount__gt=0).select_related("line"):
        found[row.line.year] = found.get(row.line.year, NOTHING) + row.amount
    return found


def record_receipt(*, by: Actor, claim: UUID, amount: Decimal, on: date, reference: str) -> Receipt:
    """Book what came in on a claim. The claimed money is paid first, then interest; the interest on what came in is
    fixed with it. The same reference a second time is Refused, as is more than is owed.
    """
    with by.acting():
        found = _open_claim(claim)
        check_role(by, found.authority_id, WORK)
        grant = Grant.objects.select_for_update(of=("self",)).get(id=found.grant_id)
        if amount <= 0 or amount != round(amount, 2):
            raise Refused("Der Betrag muss mehr als 0,00 Euro sein.")
        if on > clock.today():
            raise Refused("Der Eingang liegt nicht in der Zukunft.")
        text = reference.strip()
        if not text:
            raise Refused("Nennen Sie das Kassenzeichen des Eingangs.")
        try:
            with transaction.atomic():
                receipt = Receipt.objects.create(
                    authority_id=found.authority_id,
                    claim=found,
                    party_id=found.party_id,
                    reference=text[:80],
                    amount=amount,
                    received_on=on,
                    booked_by_id=by.account,
                )
        except IntegrityError as wrong:
            if "receipt_once" not in str(wrong):
                raise
            raise Refused(f"Der Eingang „{text}“ ist schon gebucht.") from wrong
        principal = min(amount, open_principal(found))
        if principal and found.interest_from and found.interest_from < on:
            _fix_interest(by, grant, found, principal, on, receipt)
        rest = amount - principal
        if rest > open_interest(found):
            owed = open_principal(found) + open_interest(found)
            raise Refused(f"Offen sind nur noch {format_amount(owed)}. Überzahltes bucht die Kasse zurück.")
        _book_receipt(by, grant, found, receipt, principal, rest)
        _settle(by, grant, found, on)
        record(
            events.REPAID,
            by=by,
            authority=found.authority_id,
            case=found.case_id,
            amount=format_amount(amount),
        )
        return receipt


def _fix_interest(
    by: Actor, grant: Grant, claim: Claim, principal: Decimal, on: date, receipt: Receipt
) -> None:
    assert claim.interest_from is not None
    result = _interest(grant, principal, claim.interest_from, on)
    if result.total <= terms_of(grant.case).minor_interest:
        return
    claim.interest += result.total
    claim.interest_until = on
    claim.steps = [*claim.steps, *_rows(result)]
    claim.save(update_fields=["interest", "interest_until", "steps"])
    _post_interest(by, grant, claim, result.total, f"interest:{receipt.id}")


def _post_interest(by: Actor, grant: Grant, claim: Claim, amount: Decimal, key: str) -> None:
    line = _interest_line(grant)
    post(
        by=by,
        authority=grant.authority_id,
        kind=MovementKind.CLAIMED,
        key=key,
        shifts=[Shift(line.id, Account.INTEREST, Account.INTEREST_DUE, amount)],
        grant=grant.id,
        text=f"{grant.reference}, Zinsen",
    )


def _interest_line(grant: Grant) -> BudgetLine:
    """Interest is kept with the last line of the measure on which the grant has anything."""
    found = (
        BudgetLine.objects.filter(balances__grant=grant, kind="cash").order_by("-year").distinct().first()
        or BudgetLine.objects.filter(balances__grant=grant).order_by("-year").first()
    )
    if found is None:
        raise Refused("Zu dieser Zuwendung gibt es keine Mittel.")
    return found


def _book_receipt(
    by: Actor, grant: Grant, claim: Claim, receipt: Receipt, principal: Decimal, rest: Decimal
) -> None:
    shifts = [*_off(grant, claim, Account.TO_RECOVER, Account.RECOVERED, principal)]
    shifts += _off(grant, claim, Account.INTEREST_DUE, Account.INTEREST_PAID, rest)
    post(
        by=by,
        authority=grant.authority_id,
        kind=MovementKind.REPAID,
        key=f"receipt:{receipt.id}",
        shifts=shifts,
        grant=grant.id,
        text=f"{grant.reference}, {receipt.reference}",
        on=receipt.received_on,
    )


def _off(grant: Grant, claim: Claim, source: Account, target: Account, amount: Decimal) -> list[Shift]:
    shifts, left = [], amount
    for row in Balance.objects.filter(grant=grant, account=source, amount__gt=0).order_by(
        "-line__year", "id"
    ):
        part = min(left, row.amount)
        if part:
            shifts.append(Shift(row.line_id, source, target, part))
            left -= part
    if left:
        raise Refused(f"Offen sind {format_amount(left)} weniger.")
    return shifts


def open_principal(claim: Claim) -> Decimal:
    """What of the claimed money is still owed, in euros."""
    if claim.waived_at or claim.settled_on:
        return NOTHING
    received = Receipt.objects.filter(claim=claim).aggregate(all=Sum("amount"))["all"] or NOTHING
    return max(claim.amount - received, NOTHING)


def open_interest(claim: Claim) -> Decimal:
    """What of the interest fixed so far is still owed, in euros."""
    if claim.waived_at or claim.settled_on:
        return NOTHING
    received = Receipt.objects.filter(claim=claim).aggregate(all=Sum("amount"))["all"] or NOTHING
    return claim.interest - max(received - claim.amount, NOTHING)


def agree_instalments(
    *, by: Actor, claim: UUID, instalments: Sequence[tuple[date, Decimal]]
) -> list[Instalment]:
    """Agree that a claim is paid in parts: days in order, amounts that add up to what is open. Replaces an earlier plan."""
    with by.acting():
        found = _open_claim(claim)
        check_role(by, found.authority_id, APPROVE)
        days, owed = [day for day, _ in instalments], open_principal(found) + open_interest(found)
        total = sum((amount for _, amount in instalments), NOTHING)
        if not instalments or days != sorted(set(days)) or days[0] < clock.today():
            raise Refused("Die Raten haben aufsteigende Tage, der erste nicht vor heute.")
        if total != owed:
            raise Refused(f"Offen sind {format_amount(owed)}, die Raten ergeben {format_amount(total)}.")
        found.instalments.update(is_replaced=True)
        rows = Instalment.objects.bulk_create(
            Instalment(
                authority_id=found.authority_id,
                claim=found,
                party_id=found.party_id,
                number=number,
                due_on=day,
                amount=amount,
            )
            for number, (day, amount) in enumerate(instalments, 1)
        )
        found.due_on = days[-1]
        found.save(update_fields=["due_on"])
        record(events.INSTALMENTS, by=by, authority=found.authority_id, case=found.case_id, count=len(rows))
        return rows


def waive(*, by: Actor, claim: UUID, reason: str) -> Claim:
    """Give up what is still owed of a claim, with a reason that stays (LHO § 59). Only the Leitung may."""
    if "Leitung" not in by.roles:
        raise NotAllowed("Auf eine Forderung verzichten darf nur die Leitung.")
    text = written(reason, most=LONGEST_NOTE, missing="Begründen Sie den Verzicht in einem Satz.")
    with by.acting():
        found = _open_claim(claim)
        check_role(by, found.authority_id, APPROVE)
        grant = Grant.objects.select_for_update(of=("self",)).get(id=found.grant_id)
        principal, rest = open_principal(found), open_interest(found)
        shifts = _off(grant, found, Account.TO_RECOVER, Account.WAIVED, principal)
        shifts += _off(grant, found, Account.INTEREST_DUE, Account.INTEREST_WAIVED, rest)
        post(
            by=by,
            authority=grant.authority_id,
            kind=MovementKind.WAIVED,
            key=f"waive:{found.id}",
            shifts=shifts,
            grant=grant.id,
            text=f"{grant.reference}, Verzicht",
        )
        found.waived_at, found.waived_by_id, found.waived_reason = clock.now(), by.account, text
        found.save(update_fields=["waived_at", "waived_by", "waived_reason"])
        record(
            events.WAIVED,
            by=by,
            authority=found.authority_id,
            case=found.case_id,
            amount=format_amount(principal + rest),
            reason=text,
        )
        deliver(by=by, case=found.case_id, message=REPAID)
        close_if_done(by=by, grant=grant)
        return found


def _open_claim(claim: UUID) -> Claim:
    found = Claim.objects.select_for_update(of=("self",)).select_related("case").get(id=claim)
    if found.settled_on or found.waived_at:
        raise Refused("Diese Rückforderung ist erledigt.")
    return found


def _settle(by: Actor, grant: Grant, claim: Claim, on: date) -> None:
    """A claim is settled when claimed money and interest are paid."""
    if open_principal(claim) or open_interest(claim):
        return
    claim.settled_on = on
    claim.save(update_fields=["settled_on"])
    deliver(by=by, case=claim.case_id, message=REPAID)
    close_if_done(by=by, grant=grant)


def _interest(grant: Grant, amount: Decimal, start: date, end: date) -> law.Interest:
    try:
        return law.interest(amount, start, end, rates=base_rates(), convention=terms_of(grant.case).day_count)
    except law.MissingRate as wrong:
        raise Refused(wrong.reason) from wrong


def _rows(result: law.Interest) -> list[dict[str, Any]]:
    rows = [
        {
            "label": f"Zinsen {format_date(part.start)} bis {format_date(part.last_day)}",
            "formula": part.formula,
            "amount": str(part.rounded),
            "note": f"{format_number(part.rate)} %",
            "source": part.base.source,
        }
        for part in result.segments
    ]
    return [
        *rows,
        {
            "label": "Zinsen zusammen",
            "formula": "Summe der genauen Beträge, einmal gerundet",
            "amount": str(result.total),
            "note": "",
            "source": "§ 49a VwVfG",
        },
    ]


def base_rates() -> list[law.BaseRate]:
    """The law's table and what was entered since, by day."""
    entered = {
        row.valid_from: law.BaseRate(row.valid_from, row.rate, row.source, is_checked=True)
        for row in BaseRate.objects.all()
    }
    known = {rate.valid_from: rate for rate in law.BASE_RATES}
    return [rate for _, rate in sorted({**known, **entered}.items())]


def enter_base_rate(*, by: Actor, valid_from: date, rate: Decimal, source: str) -> BaseRate:
    """Enter a base rate that the Bundesbank made known. It changes on 1 January and 1 July only (BGB § 247)."""
    check_role(by, by.staff_of, APPROVE)
    if (valid_from.month, valid_from.day) not in ((1, 1), (7, 1)):
        raise Refused("Der Basiszinssatz ändert sich nur zum 1. Januar und zum 1. Juli.")
    if not source.strip():
        raise Refused("Nennen Sie die Bekanntmachung, in der der Zinssatz steht.")
    with by.acting():
        if BaseRate.objects.filter(valid_from=valid_from).exists():
            raise Refused(f"Für den {format_date(valid_from)} ist schon ein Zinssatz eingetragen.")
        entered = BaseRate.objects.create(
            valid_from=valid_from, rate=rate, source=source.strip()[:200], entered_by=by.account
        )
        record(
            events.RATE_ENTERED,
            by=by,
            authority=by.staff_of,
            on=format_day(valid_from),
            rate=format_number(rate),
        )
        return entered
