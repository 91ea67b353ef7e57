"""Payment runs to the bank and its answers back, booked in the grants' journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions import payments
from rathaus.domains.grants.actions.payments import Answer
from rathaus.domains.grants.models import Payment, PaymentRun, Programme, ReturnFile
from rathaus.domains.grants.permissions import WORK, check_role
from rathaus.integrations.bank.cash_csv import write_cash_csv
from rathaus.integrations.bank.credit_transfer import write_pain001
from rathaus.integrations.bank.entries import Entry, Kind, ReturnFileRefused, Status
from rathaus.integrations.bank.return_file import read_return
from rathaus.integrations.bank.transfers import Account, Transfer, TransferFile, TransfersRefused


def release_run(*, by: Actor, run: UUID) -> PaymentRun:
    """Release a run that another person prepared; its SEPA file is kept with it, whole or not at all.

    Raises Refused with every payment that no bank would take, and NotAllowed for who prepared it.
    """

    def make_file(found: PaymentRun, rows: Sequence[Payment]) -> bytes:
        try:
            return write_pain001(transfer_file(found, rows))
        except TransfersRefused as wrong:
            raise Refused("\n".join(wrong.problems)) from wrong

    return payments.release_run(by=by, run=run, make_file=make_file)


def transfer_file(run: PaymentRun, rows: Sequence[Payment]) -> TransferFile:
    """A run as the bank is told. The run's id is the message id, so a file sent twice is paid once."""
    programme = run.programme
    return TransferFile(
        message_id=run.id.hex,
        created_at=run.prepared_at,
        execute_on=run.executes_on,
        debtor=Account(programme.payer_name or programme.title[:70], programme.payer_iban),
        transfers=tuple(
            Transfer(
                row.end_to_end,
                row.holder,
                row.iban,
                row.amount,
                f"{row.grant.reference} {row.grant.title}"[:140],
            )
            for row in rows
        ),
    )


def cash_csv(run: PaymentRun, rows: Sequence[Payment]) -> bytes:
    """The same run for the cash system."""
    return write_cash_csv(transfer_file(run, rows))


def take_return_file(*, by: Actor, name: str, content: bytes) -> ReturnFile:
    """Read the bank's or the cash system's answer and book it, whole or not at all, and once.

    Raises Refused with every fault, in sentences.
    """
    check_role(by, by.staff_of, WORK)  # before anybody's file is read
    try:
        file = read_return(content)
    except ReturnFileRefused as wrong:
        raise Refused("\n".join(map(str, wrong.problems))) from wrong
    with by.acting():
        _check_account(by, file.accounts)
        answers = list(_answers(file.entries))
        for rejected in file.rejected_runs:
            answers += _whole_run(rejected.message_id, rejected.reported_on, rejected.reason)
        try:
            return payments.take_return(
                by=by, identifier=file.id, name=name, answers=answers, is_statement=file.kind != Kind.CSV
            )
        except payments.ReturnRefused as wrong:
            raise Refused("\n".join(wrong.problems)) from wrong


def _check_account(by: Actor, accounts: Iterable[str]) -> None:
    own = set(Programme.objects.filter(authority_id=by.staff_of).values_list("payer_iban", flat=True))
    if strange := [iban for iban in accounts if iban not in own]:
        raise Refused(f"Die Datei gehört zum Konto {strange[0]}, von dem keines Ihrer Programme zahlt.")


def _answers(entries: Sequence[Entry]) -> Iterable[Answer]:
    """Entries in the journal's words; the amount of a rejection that does not repeat it is the payment's own."""
    silent = [entry.end_to_end for entry in entries if entry.amount is None]
    amounts = dict(Payment.objects.filter(end_to_end__in=silent).values_list("end_to_end", "amount"))
    for entry in entries:
        amount = entry.amount if entry.amount is not None else amounts.get(entry.end_to_end)
        if amount is not None:
            yield Answer(
                entry.end_to_end, amount, _day(entry.booked_on), entry.status == Status.PAID, entry.reason
            )


def _whole_run(message: str, on: date, reason: str) -> list[Answer]:
    try:
        run = UUID(message)
    except ValueError:
        return []
    rows = Payment.objects.filter(run_id=run).order_by("id")
    return [Answer(row.end_to_end, row.amount, _day(on), False, reason) for row in rows]


def _day(told: date) -> date:
    """A day of the bank; none after today, as a booking lies behind us."""
    return min(told, clock.today())
