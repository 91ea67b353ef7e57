"""Paying: runs of payments released by a second person, and what the bank answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef

from rathaus.casework.cases.actions.messages import deliver
from rathaus.casework.cases.models import Notice
from rathaus.casework.cases.queries import final_on
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record, record_all
from rathaus.core.files import actions as files
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import balances_of
from rathaus.domains.grants.actions.closing import close_if_done
from rathaus.domains.grants.actions.drawdown import PLAIN_LETTERS, checked_iban
from rathaus.domains.grants.actions.journal import AlreadyBooked, Shift, post, take_turns
from rathaus.domains.grants.actions.proof import accepted_finals, prove
from rathaus.domains.grants.enums import (
    Account,
    DrawdownState,
    GrantState,
    MovementKind,
    PaymentState,
    RunState,
)
from rathaus.domains.grants.models import Claim, Drawdown, Grant, Payment, PaymentRun, Programme, ReturnFile
from rathaus.domains.grants.permissions import APPROVE, WORK, check_role
from rathaus.law.money import format_amount
from rathaus.law.text import format_day

LONGEST_AHEAD = timedelta(days=90)  # further ahead is a slip of the pen
PAID_OUT = "ausgezahlt"  # the message that a drawdown's process waits for


@dataclass(frozen=True)
class Answer:
    """What the bank says of one payment: paid on a day, or returned with a reason."""

    end_to_end: str
    amount: Decimal
    on: date
    is_paid: bool
    reason: str = ""


class ReturnRefused(Exception):
    """Nothing of the file was taken; `problems` are German sentences, one a fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def prepare_run(
    *, by: Actor, programme: Programme, executes_on: date, payments: Sequence[UUID] | None = None
) -> PaymentRun:
    """Put ordered payments (all of the programme, or the chosen ones) into a run. Another run may have been faster
    with some of them: those stay out, as do those that rest (`_resting`), and wait. Refused if none is left."""
    check_role(by, programme.authority_id, WORK)
    if by.account is None:
        raise NotAllowed("Einen Zahlungslauf bereitet eine Person vor.")
    if executes_on < clock.today():
        raise Refused("Die Ausführung kann nicht in der Vergangenheit liegen.")
    if executes_on > clock.today() + LONGEST_AHEAD:
        raise Refused(
            f"Die Ausführung liegt höchstens {LONGEST_AHEAD.days} Tage voraus. Prüfen Sie das Jahr."
        )
    if not programme.payer_iban:
        raise Refused(f"Das Programm „{programme.title}“ hat noch kein Konto, von dem gezahlt wird.")
    with by.acting():
        found = Payment.objects.filter(state=PaymentState.ORDERED, grant__call__measure__programme=programme)
        if payments is not None:
            found = found.filter(id__in=payments)
        rows = list(found.order_by("id").select_for_update(skip_locked=True, of=("self",)))
        resting = _resting(rows)
        rows = [row for row in rows if row.id not in resting]
        if not rows:
            why = "\n".join(resting.values())
            raise Refused(why or "Es ist keine Auszahlung angeordnet, die in einen Lauf kann.")
        total = sum((row.amount for row in rows), Decimal("0.00"))
        run = PaymentRun.objects.create(
            authority_id=programme.authority_id,
            programme=programme,
            number=_next_number(programme.authority_id),
            executes_on=executes_on,
            total=total,
            count=len(rows),
            prepared_by_id=by.account,
        )
        Payment.objects.filter(id__in=[row.id for row in rows]).update(state=PaymentState.IN_RUN, run=run)
        record(
            events.RUN_PREPARED,
            by=by,
            authority=run.authority_id,
            number=run.number,
            count=run.count,
            total=format_amount(total),
        )
        return run


def _resting(payments: Sequence[Payment]) -> dict[UUID, str]:
    """Payments that must not go out now, each with its reason: since they were ordered an objection, an action or a
    claim came."""
    today, grants = clock.today(), {payment.grant_id for payment in payments}
    cases = dict(Grant.objects.filter(id__in=grants).values_list("id", "case_id"))
    contested = {
        notice.case_id
        for notice in Notice.objects.filter(case_id__in=cases.values()).prefetch_related("remedies")
        if final_on(notice, today) is None
    }
    claims = Claim.objects.filter(grant_id__in=grants, settled_on=None, waived_at=None)
    claimed = set(claims.values_list("grant_id", flat=True))
    found: dict[UUID, str] = {}
    for payment in payments:
        if cases[payment.grant_id] in contested:
            found[payment.id] = (
                f"„{payment.end_to_end}“ ruht: Gegen den Zuwendungsbescheid läuft ein Rechtsbehelf."
            )
        elif payment.grant_id in claimed:
            found[payment.id] = f"„{payment.end_to_end}“ ruht: Eine Rückforderung ist offen."
    return found


def _next_number(authority: UUID) -> int:
    """Counted per authority; whoever comes second waits for the first."""
    take_turns(authority)
    runs = PaymentRun.objects.filter(authority_id=authority)
    return (runs.aggregate(last=Max("number"))["last"] or 0) + 1


def dissolve_run(*, by: Actor, run: UUID) -> None:
    """Take a run apart that was not released; its payments wait for the next one."""
    with by.acting():
        found = _run(run)
        check_role(by, found.authority_id, WORK)
        if found.state != RunState.PREPARED:
            raise Refused("Dieser Zahlungslauf ist schon freigegeben.")
        if not found.count:
            raise Refused("Dieser Zahlungslauf ist schon aufgelöst.")
        found.payments.update(state=PaymentState.ORDERED, run=None)
        found.count, found.total = 0, Decimal("0.00")
        found.save(update_fields=["count", "total"])
        record(events.RUN_DISSOLVED, by=by, authority=found.authority_id, number=found.number)


def release_run(
    *, by: Actor, run: UUID, make_file: Callable[[PaymentRun, Sequence[Payment]], bytes]
) -> PaymentRun:
    """Release a run that another person prepared, and keep the file for the bank, in one transaction.

    `make_file` writes the file; if it cannot, nothing is released. A run whose day went by is executed today, since banks
    take no day that is over. Raises NotAllowed for who prepared it.
    """
    with by.acting():
        found = _run(run)
        check_role(by, found.authority_id, APPROVE)
        if found.prepared_by_id == by.account:
            raise NotAllowed(
                "Sie haben diesen Lauf vorbereitet. Freigeben muss eine andere Person (Vier-Augen-Prinzip)."
            )
        if found.state != RunState.PREPARED or not found.count:
            raise Refused("Dieser Zahlungslauf wartet auf keine Freigabe.")
        payments = list(found.payments.select_related("grant").order_by("id"))
        if resting := _resting(payments):
            raise Refused(
                "\n".join([*resting.values(), "Lösen Sie den Lauf auf, und bereiten Sie ihn neu vor."])
            )
        found.executes_on = max(found.executes_on, clock.today())
        content = make_file(found, payments)
        found.blob = files.keep(authority=found.authority_id, content=content, media_type="application/xml")
        found.state, found.released_at, found.released_by_id = RunState.RELEASED, clock.now(), by.account
        found.save(update_fields=["blob", "state", "executes_on", "released_at", "released_by"])
        record(
            events.RUN_RELEASED,
            by=by,
            authority=found.authority_id,
            number=found.number,
            total=format_amount(found.total),
        )
        return found


def _run(run: UUID) -> PaymentRun:
    return PaymentRun.objects.select_for_update(of=("self",)).select_related("programme").get(id=run)


def take_return(
    *, by: Actor, identifier: str, name: str, answers: Sequence[Answer], is_statement: bool = False
) -> ReturnFile:
    """Book what the bank answers, whole or not at all. A file is taken once (Refused).

    Raises ReturnRefused with every entry that does not fit: unknown payment, other amount, contradiction. A statement
    of an account holds other people's bookings too, and tells again what was told before: those are left out.
    """
    authority = by.staff_of
    check_role(by, authority, WORK)
    with by.acting():
        if ReturnFile.objects.filter(authority_id=authority, identifier=identifier[:80]).exists():
            raise Refused("Diese Datei ist schon eingelesen. Es wurde nichts noch einmal gebucht.")
        references = [answer.end_to_end for answer in answers]
        known = {
            payment.end_to_end: payment
            for payment in Payment.objects.filter(end_to_end__in=references)
            .select_related("grant", "drawdown__case", "run")
            .order_by("id")
            .select_for_update(of=("self",))
        }
        told = len(answers)
        if is_statement:
            answers = [answer for answer in answers if _is_news(answer, known.get(answer.end_to_end))]
        if problems := list(_problems(answers, known)):
            raise ReturnRefused(problems)
        file = _note_file(by, authority, identifier, name, answers, skipped=told - len(answers))
        _lock_grants(known.values())
        # Nothing comes back before it was paid, whatever the order in the file.
        _pay(by, [(known[answer.end_to_end], answer.on) for answer in answers if answer.is_paid])
        for answer in answers:
            if not answer.is_paid:
                _return(by, known[answer.end_to_end], answer.reason, answer.on)
        _finish_runs(known.values())
        record(
            events.RETURN_TAKEN, by=by, authority=authority, name=name, paid=file.paid, returned=file.returned
        )
        return file


def _note_file(
    by: Actor, authority: UUID, identifier: str, name: str, answers: Sequence[Answer], *, skipped: int
) -> ReturnFile:
    try:
        with transaction.atomic():
            return ReturnFile.objects.create(
                authority_id=authority,
                identifier=identifier[:80],
                name=name[:200],
                paid=sum(1 for answer in answers if answer.is_paid),
                returned=sum(1 for answer in answers if not answer.is_paid),
                skipped=skipped,
                taken_by_id=by.account,
            )
    except IntegrityError as wrong:
        if "return_file_once" not in str(wrong):
            raise
        raise Refused("Diese Datei ist schon eingelesen. Es wurde nichts noch einmal gebucht.") from wrong


def _is_news(answer: Answer, payment: Payment | None) -> bool:
    """Whether an entry of a statement is about a payment of ours, and says what is not booked yet."""
    if payment is None:
        return False
    return payment.paid_on is None if answer.is_paid else payment.state != PaymentState.RETURNED


def _problems(answers: Sequence[Answer], known: dict[str, Payment]) -> list[str]:
    found: list[str] = []
    seen: set[tuple[str, bool]] = set()
    for number, answer in enumerate(answers, 1):
        payment = known.get(answer.end_to_end)
        if payment is None:
            found.append(f"Eintrag {number}: Eine Zahlung „{answer.end_to_end}“ gibt es nicht.")
        elif payment.amount != answer.amount:
            found.append(
                f"Eintrag {number}: „{answer.end_to_end}“ lautet über {format_amount(payment.amount)}, "
                f"die Datei sagt {format_amount(answer.amount)}."
            )
        elif (answer.is_paid and payment.state != PaymentState.IN_RUN) or (
            not answer.is_paid and payment.state not in (PaymentState.IN_RUN, PaymentState.PAID)
        ):
            found.append(f"Eintrag {number}: „{answer.end_to_end}“ ist {PaymentState(payment.state).label}.")
        elif not _was_sent(payment):
            found.append(f"Eintrag {number}: {_not_sent(payment)}")
        if (answer.end_to_end, answer.is_paid) in seen:
            found.append(f"Eintrag {number}: „{answer.end_to_end}“ steht zweimal in der Datei.")
        seen.add((answer.end_to_end, answer.is_paid))
    return found


def _was_sent(payment: Payment) -> bool:
    """Whether the bank can know of a payment: its run was released by a second person."""
    return payment.run is not None and payment.run.state != RunState.PREPARED


def _not_sent(payment: Payment) -> str:
    return f"Der Zahlungslauf von „{payment.end_to_end}“ ist noch nicht freigegeben."


def mark_paid(*, by: Actor, payment: UUID, on: date) -> Payment:
    """Note by hand that a payment of a released run left the account; a second time changes nothing (Refused)."""
    with by.acting():
        found = _payment(payment)
        check_role(by, found.authority_id, WORK)
        if found.state != PaymentState.IN_RUN:
            raise Refused(
                f"Diese Zahlung ist {PaymentState(found.state).label}; sie wartet auf keine Bestätigung."
            )
        if not _was_sent(found):
            raise Refused(_not_sent(found))
        if on > clock.today() or on < found.ordered_on:
            raise Refused("Der Tag der Zahlung liegt zwischen der Anordnung und heute.")
        _lock_grants([found])
        _pay(by, [(found, on)])
        _finish_runs([found])
        return found


def mark_returned(*, by: Actor, payment: UUID, on: date, reason: str) -> Payment:
    """Note by hand that a payment came back or was rejected; it waits to be ordered anew with another account."""
    with by.acting():
        found = _payment(payment)
        check_role(by, found.authority_id, WORK)
        if found.state not in (PaymentState.IN_RUN, PaymentState.PAID):
            raise Refused(f"Diese Zahlung ist {PaymentState(found.state).label}.")
        if not _was_sent(found):
            raise Refused(_not_sent(found))
        if not reason.strip():
            raise Refused("Schreiben Sie, warum die Zahlung zurückkam.")
        if on > clock.today() or on < found.ordered_on:
            raise Refused("Der Tag, an dem die Zahlung zurückkam, liegt zwischen der Anordnung und heute.")
        _lock_grants([found])
        _return(by, found, reason.strip(), on)
        _finish_runs([found])
        return found


def order_again(*, by: Actor, payment: UUID, iban: str, holder: str) -> Payment:
    """Order a payment anew that came back, to the account that the municipality named instead."""
    account = checked_iban(iban)
    with by.acting():
        found = _payment(payment)
        check_role(by, found.authority_id, APPROVE)
        if found.state != PaymentState.RETURNED:
            raise Refused("Nur eine zurückgekommene Zahlung wird neu angeordnet.")
        if not holder.strip():
            raise Refused("Schreiben Sie, wem das Konto gehört.")
        tries = Payment.objects.filter(drawdown=found.drawdown).count()
        try:
            with transaction.atomic():
                again = Payment.objects.create(
                    authority_id=found.authority_id,
                    grant=found.grant,
                    party_id=found.party_id,
                    drawdown=found.drawdown,
                    end_to_end=f"{found.drawdown.case.reference.translate(PLAIN_LETTERS)}-{tries + 1}",
                    line_id=found.line_id,
                    amount=found.amount,
                    iban=account,
                    holder=holder.strip()[:70],
                )
        except IntegrityError as wrong_state:
            raise Refused("Diese Zahlung ist schon neu angeordnet.") from wrong_state
        record(
            events.ORDERED,
            by=by,
            authority=found.authority_id,
            case=found.drawdown.case_id,
            amount=format_amount(found.amount),
        )
        return again


def _payment(payment: UUID) -> Payment:
    return (
        Payment.objects.select_for_update(of=("self",))
        .select_related("grant", "drawdown__case", "run")
        .get(id=payment)
    )


def _lock_grants(payments: Iterable[Payment]) -> None:
    """Before anything of them is booked, and in one order, so that two files never wait for each other in a circle."""
    keys = {payment.grant_id for payment in payments}
    list(Grant.objects.select_for_update().filter(id__in=keys).order_by("id").values_list("id"))


def _pay(by: Actor, paid: Sequence[tuple[Payment, date]]) -> None:
    """Book payments of locked grants that left the account on a day, and let their drawdowns go on."""
    if not paid:
        return
    for payment, on in paid:
        shift = Shift(payment.line_id, Account.ORDERED, Account.PAID, payment.amount)
        _book(by, payment, MovementKind.PAID, [shift], on)
        payment.state, payment.paid_on = PaymentState.PAID, on
        payment.drawdown.state = DrawdownState.PAID
    for day in sorted({on for _, on in paid}):
        of_day = Payment.objects.filter(id__in=[payment.id for payment, on in paid if on == day])
        of_day.update(state=PaymentState.PAID, paid_on=day)
    drawdowns = Drawdown.objects.filter(id__in=[payment.drawdown_id for payment, _ in paid])
    drawdowns.update(state=DrawdownState.PAID)
    record_all(
        events.PAID,
        by=by,
        authority=paid[0][0].authority_id,
        found=[
            (payment.grant.case_id, {"amount": format_amount(payment.amount), "on": format_day(on)})
            for payment, on in paid
        ],
    )
    for payment, _ in paid:
        deliver(by=by, case=payment.drawdown.case_id, message=PAID_OUT)
    finals = accepted_finals({payment.grant_id for payment, _ in paid})
    for payment, _ in paid:
        if proof := finals.get(payment.grant_id):  # the last rate, after the proof: nothing more to prove
            prove(by=by, grant=proof.grant, proof=proof, key=f"proof:{proof.id}:{payment.id}")
            close_if_done(by=by, grant=proof.grant)


def _return(by: Actor, payment: Payment, reason: str, on: date) -> None:
    if payment.state == PaymentState.PAID:
        _take_back(by, payment, on)
    payment.state, payment.return_reason = PaymentState.RETURNED, reason[:200]
    payment.save(update_fields=["state", "return_reason"])
    payment.drawdown.state = DrawdownState.ORDERED
    payment.drawdown.save(update_fields=["state"])
    record(
        events.PAYMENT_RETURNED,
        by=by,
        authority=payment.authority_id,
        case=payment.grant.case_id,
        amount=format_amount(payment.amount),
        reason=reason,
    )


def _take_back(by: Actor, payment: Payment, on: date) -> None:
    """The bank may send back what it had confirmed, even after the proof: then it is neither paid nor proven."""
    grant = Grant.objects.get(id=payment.grant_id)
    standing = balances_of(grant, (Account.PAID, Account.PROVEN), line=payment.line_id)
    from_paid = min(payment.amount, standing[Account.PAID])
    if payment.amount - from_paid > standing[Account.PROVEN]:
        raise Refused(
            f"Von „{payment.end_to_end}“ ist schon Geld zurückgefordert. Klären Sie zuerst die Rückforderung."
        )
    shifts = [
        Shift(payment.line_id, Account.PAID, Account.ORDERED, from_paid),
        Shift(payment.line_id, Account.PROVEN, Account.ORDERED, payment.amount - from_paid),
    ]
    _book(by, payment, MovementKind.RETURNED, shifts, on)
    if grant.state == GrantState.CLOSED:
        grant.state, grant.closed_on = GrantState.RUNNING, None
        grant.save(update_fields=["state", "closed_on"])


def _book(by: Actor, payment: Payment, kind: MovementKind, shifts: Sequence[Shift], on: date) -> None:
    try:
        post(
            by=by,
            authority=payment.authority_id,
            kind=kind,
            key=f"{kind.value}:{payment.id}",
            shifts=shifts,
            grant=payment.grant_id,
            text=f"{payment.end_to_end} an {payment.holder}",
            on=on,
        )
    except AlreadyBooked as wrong:
        raise Refused(f"„{payment.end_to_end}“ ist schon gebucht.") from wrong


def _finish_runs(payments: Iterable[Payment]) -> None:
    """A run is done when none of its payments waits any more."""
    waiting = Payment.objects.filter(run=OuterRef("id"), state=PaymentState.IN_RUN)
    runs = PaymentRun.objects.filter(id__in={row.run_id for row in payments}, state=RunState.RELEASED)
    runs.exclude(Exists(waiting)).update(state=RunState.DONE)
