"""What comes in on claims: receipts with their interest, instalments, waivers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from rathaus.casework.cases.actions.messages import deliver, send_message
from rathaus.casework.cases.rules import LONGEST_NOTE, written
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.closing import close_if_done
from rathaus.domains.grants.actions.interest import PART, interest_on, post_interest, rows_of
from rathaus.domains.grants.actions.journal import NOTHING, Shift, post
from rathaus.domains.grants.enums import Account, MovementKind
from rathaus.domains.grants.models import Balance, Claim, Grant, Instalment, Receipt
from rathaus.domains.grants.permissions import APPROVE, WORK, check_role
from rathaus.domains.grants.terms import terms_of
from rathaus.law.money import format_amount
from rathaus.law.text import format_date

REPAID = "zurueckgezahlt"  # the message that a claim's process waits for


def record_receipt(*, by: Actor, claim: UUID, amount: Decimal, on: date, reference: str) -> Receipt:
    """Book what came in on a claim. The claimed money is paid first, then interest; the interest on what came in is
    fixed with it. The same reference a second time is Refused, as is more than is owed.
    """
    with by.acting():
        grant, found = _open_claim(by, claim, WORK)
        _check_receipt(found, amount, on)
        text = reference.strip()
        if not text:
            raise Refused("Nennen Sie das Kassenzeichen des Eingangs.")
        principal = min(amount, open_principal(found))
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
        more = _fix_interest(by, grant, found, receipt) if principal else NOTHING
        owed = open_interest(found) + amount - principal  # before what this receipt pays of it
        if amount - principal > owed:
            raise Refused(
                f"Offen sind nur noch {format_amount(principal + owed)}. Überzahltes bucht die Kasse zurück."
            )
        _book_receipt(by, grant, found, receipt, principal)
        record(
            events.REPAID,
            by=by,
            authority=found.authority_id,
            case=found.case_id,
            amount=format_amount(amount),
        )
        _settle(by, grant, found, on, more)
        return receipt


def _check_receipt(claim: Claim, amount: Decimal, on: date) -> None:
    if not amount.is_finite() or amount <= 0 or amount != round(amount, 2):
        raise Refused("Der Betrag ist mehr als 0,00 Euro, in Euro und Cent.")
    if on > clock.today():
        raise Refused("Der Eingang liegt nicht in der Zukunft.")
    if on < claim.made_on:
        raise Refused("Der Eingang liegt nicht vor der Rückforderung.")


def _fix_interest(by: Actor, grant: Grant, claim: Claim, receipt: Receipt) -> Decimal:
    """Interest on all claimed money that came in so far, each part until its day; booked is what is new, and nothing
    up to the minor amount. Interest for late use is fixed by its notice."""
    if claim.interest_from is None or not claim.amount:
        return NOTHING
    left, rows, total, until = claim.amount, [], NOTHING, receipt.received_on
    for row in Receipt.objects.filter(claim=claim).order_by("booked_at", "id"):
        part = min(left, row.amount)
        left -= part
        if part and claim.interest_from < row.received_on:
            result = interest_on(grant, part, claim.interest_from, row.received_on)
            total += result.total
            rows += rows_of(result)
            until = max(until, row.received_on)
    more = total - claim.interest
    if total <= terms_of(grant.case).minor_interest or more <= 0:
        return NOTHING
    claim.interest, claim.interest_until = total, until - timedelta(days=1)
    claim.steps = [*(row for row in claim.steps if row.get("part") != PART), *rows]
    claim.save(update_fields=["interest", "interest_until", "steps"])
    post_interest(by, grant, more, f"interest:{receipt.id}")
    return more


def _book_receipt(by: Actor, grant: Grant, claim: Claim, receipt: Receipt, principal: Decimal) -> None:
    shifts = _off(grant, Account.TO_RECOVER, Account.RECOVERED, principal)
    shifts += _off(grant, Account.INTEREST_DUE, Account.INTEREST_PAID, receipt.amount - principal)
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


def _off(grant: Grant, source: Account, target: Account, amount: Decimal) -> list[Shift]:
    shifts, left = [], amount
    rows = Balance.objects.filter(grant=grant, account=source, amount__gt=0).order_by("-line__year", "id")
    for row in rows:
        if part := min(left, row.amount):
            shifts.append(Shift(row.line_id, source, target, part))
            left -= part
    if left:
        raise Refused(f"In den Büchern fehlen {format_amount(left)} zu dieser Forderung.")
    return shifts


def open_principal(claim: Claim) -> Decimal:
    """What of the claimed money is still owed, in euros."""
    if claim.waived_at or claim.settled_on:
        return NOTHING
    return max(claim.amount - _received(claim), NOTHING)


def open_interest(claim: Claim) -> Decimal:
    """What of the interest fixed so far is still owed, in euros; negative if more came in than that."""
    if claim.waived_at or claim.settled_on:
        return NOTHING
    return claim.interest - max(_received(claim) - claim.amount, NOTHING)


def _received(claim: Claim) -> Decimal:
    return Receipt.objects.filter(claim=claim).aggregate(all=Sum("amount"))["all"] or NOTHING


def agree_instalments(
    *, by: Actor, claim: UUID, instalments: Sequence[tuple[date, Decimal]]
) -> list[Instalment]:
    """Agree that a claim is paid in parts: days in order, amounts that add up to what is open. Replaces an earlier plan."""
    with by.acting():
        _, found = _open_claim(by, claim, APPROVE)
        days, owed = [day for day, _ in instalments], open_principal(found) + open_interest(found)
        if not instalments or days != sorted(set(days)) or days[0] < clock.today():
            raise Refused("Die Raten haben aufsteigende Tage, der erste nicht vor heute.")
        if any(amount <= 0 or amount != round(amount, 2) for _, amount in instalments):
            raise Refused("Jede Rate ist mehr als 0,00 Euro, in Euro und Cent.")
        total = sum((amount for _, amount in instalments), NOTHING)
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
        grant, found = _open_claim(by, claim, APPROVE)
        principal, rest = open_principal(found), open_interest(found)
        shifts: list[Shift] = _off(grant, Account.TO_RECOVER, Account.WAIVED, principal)
        shifts += _off(grant, Account.INTEREST_DUE, Account.INTEREST_WAIVED, rest)
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
        _go_on(by, grant, found, waived=principal + rest)
        return found


def _open_claim(by: Actor, claim: UUID, roles: frozenset[str]) -> tuple[Grant, Claim]:
    """The grant and the claim, locked in this order. Raises NotAllowed, Refused for a claim that is settled."""
    known = Claim.objects.get(id=claim)
    check_role(by, known.authority_id, roles)
    grants = Grant.objects.select_for_update(of=("self",)).select_related("call", "case__offer")
    grant = grants.get(id=known.grant_id)
    found = Claim.objects.select_for_update(of=("self",)).select_related("case").get(id=claim)
    if found.settled_on or found.waived_at:
        raise Refused("Diese Rückforderung ist erledigt.")
    return grant, found


def _settle(by: Actor, grant: Grant, claim: Claim, on: date, more: Decimal) -> None:
    """A claim is settled when claimed money and interest are paid; where only interest is left, the debtor is told."""
    if open_principal(claim):
        return
    if rest := open_interest(claim):
        if more:
            claim.due_on = clock.today() + timedelta(days=terms_of(grant.case).payable_days)
            claim.save(update_fields=["due_on"])
            send_message(by=by, case=claim.case, body=_interest_message(claim, rest))
        return
    claim.settled_on = on
    claim.save(update_fields=["settled_on"])
    _go_on(by, grant, claim, waived=NOTHING)


def _interest_message(claim: Claim, rest: Decimal) -> str:
    assert claim.interest_from is not None
    assert claim.interest_until is not None
    return (
        f"Ihre Zahlung ist eingegangen. Dazu kommen Zinsen von {format_amount(rest)}: 5 Prozentpunkte über dem "
        f"Basiszinssatz, vom {format_date(claim.interest_from)} bis zum {format_date(claim.interest_until)}. "
        f"Bitte zahlen Sie sie bis zum {format_date(claim.due_on)} unter demselben Aktenzeichen."
    )


def _go_on(by: Actor, grant: Grant, claim: Claim, *, waived: Decimal) -> None:
    result: dict[str, Any] = {"erlassen": waived}
    deliver(by=by, case=claim.case_id, message=REPAID, result=result)
    close_if_done(by=by, grant=grant)
