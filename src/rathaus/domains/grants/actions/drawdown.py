"""Drawdown: what must hold before money leaves, each check with its reason (domain rules: ANBest-GK Nr. 1.2, VV Nr. 7)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from rathaus.casework.cases.actions.withdrawal import when_withdrawn
from rathaus.casework.cases.models import Notice
from rathaus.casework.cases.queries import final_on
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import balances_of, decision_of, grant_of
from rathaus.domains.grants.actions.journal import NOTHING, NotEnough, Shift, balance, post
from rathaus.domains.grants.enums import (
    Account,
    DrawdownState,
    GrantState,
    LineKind,
    MovementKind,
    PaymentState,
    ProofKind,
    ProofState,
)
from rathaus.domains.grants.models import (
    Balance,
    BudgetLine,
    Claim,
    Drawdown,
    Grant,
    Payment,
    Proof,
)
from rathaus.domains.grants.terms import GrantTerms, terms_of
from rathaus.law.days import add_months
from rathaus.law.iban import is_sepa_iban
from rathaus.law.money import format_amount
from rathaus.law.text import format_date


@operation("grants.drawdown.request")
def request_drawdown(
    step: Run,
    *,
    betrag: Decimal,
    jahr: int,
    iban: str,
    inhaber: str,
    verwendet: Decimal | None = None,
    verwendet_am: date | None = None,
    schlussrate: bool = False,
) -> dict[str, Any]:
    """Operation: take a request for money of a budget year. Refused, with the reason, if anything stands against it.

    `verwendet` is what of all earlier rates is spent, the last of it on `verwendet_am`.
    """
    grant = grant_of(step.case, lock=True)
    terms = terms_of(grant.case)
    today = clock.today()
    _check_running(grant, today)
    _check_final(grant, today)
    _check_duties(grant, today)
    earlier = _check_use(grant, terms, verwendet, verwendet_am, today)
    _check_period(grant, terms, jahr, today, is_final=schlussrate)
    _check_amount(grant, terms, betrag, jahr, is_final=schlussrate)
    account = checked_iban(iban)
    number = (Drawdown.objects.filter(grant=grant).aggregate(last=Max("number"))["last"] or 0) + 1
    try:
        with transaction.atomic():
            drawdown = Drawdown.objects.create(
                authority_id=grant.authority_id,
                grant=grant,
                party_id=grant.party_id,
                case=step.case,
                number=number,
                year=jahr,
                amount=betrag,
                iban=account,
                holder=inhaber.strip()[:70],
                used=verwendet or NOTHING,
                used_on=verwendet_am if earlier else None,
                is_final=schlussrate,
                requested_on=today,
            )
    except IntegrityError as wrong_state:
        if "drawdown_one_at_a_time" not in str(wrong_state):
            raise
        raise Refused(
            "Über Ihren letzten Mittelabruf ist noch nicht entschieden. Danach können Sie den nächsten stellen."
        ) from wrong_state
    step.record(events.DRAWN, number=drawdown.number, amount=format_amount(betrag))
    return {"rate": drawdown.number}


def _check_running(grant: Grant, today: date) -> None:
    if grant.state == GrantState.CLOSED:
        raise Refused("Diese Förderung ist abgeschlossen.")
    if grant.notified_on is None:
        raise Refused("Der Zuwendungsbescheid ist noch nicht im Postfach.")


def _check_final(grant: Grant, today: date) -> None:
    notice = Notice.objects.filter(case_id=grant.case_id).order_by("-issued_on").first()
    if notice and final_on(notice, today):
        return
    because, remedies = "", list(notice.remedies.all()) if notice else []
    if any(remedy.settled_on is None for remedy in remedies):
        because = " Über den Rechtsbehelf ist noch nicht entschieden."
    elif notice and not remedies:
        day = notice.remedy_until + timedelta(days=1)
        because = f" Das ist er ab dem {format_date(day)}. Schneller geht es, wenn Sie auf Rechtsbehelfe verzichten."
    raise Refused(f"Geld gibt es erst, wenn der Bescheid bestandskräftig ist.{because}")


def _check_duties(grant: Grant, today: date) -> None:
    claim = Claim.objects.filter(grant=grant, settled_on=None, waived_at=None).first()
    if claim:
        raise Refused(
            f"Zu dieser Förderung ist eine Rückforderung offen, fällig am {format_date(claim.due_on)}. "
            "Solange können wir nichts auszahlen."
        )
    accepted = Proof.objects.filter(
        grant=grant, kind=ProofKind.FINAL, state__in=[ProofState.SUBMITTED, ProofState.ACCEPTED]
    )
    if grant.proof_due_on and grant.proof_due_on < today and not accepted.exists():
        raise Refused(
            f"Ihr Verwendungsnachweis war bis {format_date(grant.proof_due_on)} fällig. Reichen Sie ihn zuerst ein."
        )


def _check_use(
    grant: Grant, terms: GrantTerms, used: Decimal | None, used_on: date | None, today: date
) -> Decimal:
    """What was paid before must be reported as used, each rate in time. Answers what was paid before, in euros."""
    payments = Payment.objects.filter(grant=grant, state=PaymentState.PAID)
    rates = [(paid_on, amount) for paid_on, amount in payments.values_list("paid_on", "amount") if paid_on]
    earlier = sum((amount for _, amount in rates), NOTHING)
    if not earlier:
        if used:
            raise Refused("Sie haben noch keine Rate bekommen, also kann auch keine verwendet sein.")
        return earlier
    if used is None or used_on is None:
        raise Refused(
            f"Sie haben bisher {format_amount(earlier)} bekommen. Melden Sie, wie viel davon bis wann verwendet ist."
        )
    if used > earlier:
        raise Refused(f"Sie haben bisher {format_amount(earlier)} bekommen, mehr kann nicht verwendet sein.")
    if used_on > today:
        raise Refused("Die Verwendung der vorigen Raten liegt nicht in der Zukunft.")
    until = [(add_months(paid_on, terms.spend_within_months), amount) for paid_on, amount in rates]
    late = [(day, amount) for day, amount in until if day < today]
    # What was claimed back is taken off the rates that lay too long: it need not be used any more.
    balances = balances_of(grant)
    claimed = earlier - balances[Account.PAID] - balances[Account.PROVEN]
    over = sum((amount for _, amount in late), NOTHING) - claimed
    if used < over:
        raise Refused(
            f"Von den bisherigen Raten sind {format_amount(over - used)} nicht verwendet, obwohl die Frist dafür am "
            f"{format_date(max(late)[0])} endete. Geben Sie zuerst dieses Geld aus oder zurück."
        )
    return earlier


def _check_period(grant: Grant, terms: GrantTerms, year: int, today: date, *, is_final: bool) -> None:
    if year > today.year:
        raise Refused(f"Das Geld für {year} können Sie ab dem 1. Januar {year} abrufen.")
    if is_final:
        return
    if grant.begins_on and today < grant.begins_on:
        raise Refused(f"Ihr Bewilligungszeitraum beginnt am {format_date(grant.begins_on)}.")
    if grant.ends_on and today > grant.ends_on:
        raise Refused(
            f"Ihr Bewilligungszeitraum endete am {format_date(grant.ends_on)}. "
            "Möglich ist nur noch die Schlussrate nach dem Verwendungsnachweis."
        )
    if year < today.year:
        raise Refused(
            f"Das Geld für {year} war bis Ende {year} abzurufen. Beantragen Sie eine Änderung, wenn Sie es noch brauchen."
        )
    last = terms.last_request_in(year)
    if last and today > last:
        raise Refused(f"Der letzte Tag für Abrufe aus {year} war der {format_date(last)}.")


def _check_amount(grant: Grant, terms: GrantTerms, amount: Decimal, year: int, *, is_final: bool) -> None:
    if amount <= 0 or amount != round(amount, 2):
        raise Refused("Der Betrag muss mehr als 0,00 Euro sein.")
    left_in_year = sum(
        Balance.objects.filter(grant=grant, line__year=year, account=Account.OPEN).values_list(
            "amount", flat=True
        ),
        NOTHING,
    )
    if amount > left_in_year:
        raise Refused(
            f"Aus {year} sind noch {format_amount(left_in_year)} abrufbar, beantragt sind {format_amount(amount)}."
        )
    is_proven = Proof.objects.filter(grant=grant, kind=ProofKind.FINAL, state=ProofState.ACCEPTED).exists()
    if is_final and not is_proven:
        raise Refused("Die Schlussrate gibt es, wenn der Verwendungsnachweis geprüft ist.")
    if is_proven or not terms.retained_percent:
        return
    retained = terms.retained_of(grant.amount)
    available = balances_of(grant)[Account.OPEN] - retained
    if amount > available:
        raise Refused(
            f"Bis zum Verwendungsnachweis behalten wir {format_amount(retained)} ein. "
            f"Abrufbar sind jetzt noch {format_amount(max(available, NOTHING))}."
        )


@operation("grants.drawdown.order")
def order_payment(step: Run) -> dict[str, Any]:
    """Operation, after the release by a second person: the decided amount is ordered and waits for a payment run."""
    grant = grant_of(step.case, lock=True)
    drawdown = Drawdown.objects.select_for_update().get(case=step.case)
    amount = decision_of(step).amount or NOTHING
    try:  # an objection, an action, a claim or a change may have come since the request
        _check_final(grant, clock.today())
        _check_duties(grant, clock.today())
        _check_amount(grant, terms_of(grant.case), amount, drawdown.year, is_final=drawdown.is_final)
    except Refused as wrong:
        raise Refused(f"Seit dem Antrag hat sich etwas geändert: {wrong}") from wrong
    line = _cash_line(grant, drawdown.year)
    if missing := max(amount - balance(line.id, Account.OPEN, grant.id), NOTHING):
        _redeem(step, grant, drawdown, line, missing)
    try:
        post(
            by=step.by,
            authority=grant.authority_id,
            kind=MovementKind.ORDERED,
            key=f"order:{drawdown.id}",
            shifts=[Shift(line.id, Account.OPEN, Account.ORDERED, amount)],
            grant=grant.id,
            text=f"{grant.reference}, {drawdown.number}. Rate",
        )
    except NotEnough as wrong:
        raise Refused(str(wrong)) from wrong
    drawdown.amount, drawdown.state = amount, DrawdownState.ORDERED
    drawdown.save(update_fields=["amount", "state"])
    Payment.objects.create(
        authority_id=grant.authority_id,
        grant=grant,
        party_id=grant.party_id,
        drawdown=drawdown,
        end_to_end=step.case.reference.translate(PLAIN_LETTERS),
        line=line,
        amount=amount,
        iban=drawdown.iban,
        holder=drawdown.holder,
    )
    step.record(events.ORDERED, amount=format_amount(amount))
    return {}


def checked_iban(typed: str) -> str:
    """An account number as it is kept, without blanks. Refused if it cannot be one."""
    account = "".join(typed.split()).upper()
    if not is_sepa_iban(account):
        raise Refused(
            f"„{typed}“ ist keine gültige IBAN. Eine deutsche hat 22 Stellen, zum Beispiel DE02 1203 0000 0000 2020 51."
        )
    return account


PLAIN_LETTERS = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE"})  # what a bank takes in a reference


def _cash_line(grant: Grant, year: int) -> BudgetLine:
    found = BudgetLine.objects.filter(measure_id=grant.call.measure_id, year=year, kind=LineKind.CASH).first()
    if found is None:
        raise Refused(f"Für {year} gibt es keine Barmittel, aus denen gezahlt werden kann.")
    return found


def _redeem(step: Run, grant: Grant, drawdown: Drawdown, cash: BudgetLine, amount: Decimal) -> None:
    """What was promised from a commitment authority is now covered by cash of its year."""
    promised = BudgetLine.objects.filter(
        measure_id=cash.measure_id, year=cash.year, kind=LineKind.COMMITMENT
    ).first()
    if promised is None:
        raise Refused(f"Aus {cash.year} ist nicht so viel gebunden.")
    try:
        post(
            by=step.by,
            authority=grant.authority_id,
            kind=MovementKind.REDEEMED,
            key=f"redeem:{drawdown.id}",
            shifts=[
                Shift(promised.id, Account.OPEN, Account.REDEEMED, amount),
                Shift(cash.id, Account.FREE, Account.OPEN, amount),
            ],
            grant=grant.id,
            text=f"{grant.reference}, Verpflichtungsermächtigung {cash.year}",
        )
    except NotEnough as wrong:
        raise Refused(str(wrong)) from wrong


@when_withdrawn
def forget_request(step: Run) -> None:
    """A request that was withdrawn stands in the way of no other."""
    Drawdown.objects.filter(case=step.case, state=DrawdownState.REQUESTED).update(state=DrawdownState.REFUSED)


@operation("grants.drawdown.refuse")
def refuse_drawdown(step: Run) -> dict[str, Any]:
    """Operation: the request was refused; another may follow."""
    drawdown = Drawdown.objects.select_for_update().get(case=step.case)
    drawdown.state = DrawdownState.REFUSED
    drawdown.save(update_fields=["state"])
    step.record(events.DRAWDOWN_REFUSED, number=drawdown.number)
    return {}
