"""Posting: the only way in which money moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.enums import Account, MovementKind
from rathaus.domains.grants.models import Balance, BudgetLine
from rathaus.law.money import format_amount

NOTHING = Decimal("0.00")
OF_LINE = frozenset({Account.BUDGET, Account.FREE})  # accounts of a line itself; all others belong to a grant


@dataclass(frozen=True)
class Shift:
    """Move `amount` euros (more than nothing) on a line from one account to another."""

    line: UUID
    source: Account
    target: Account
    amount: Decimal


class AlreadyBooked(Exception):
    """A movement of this key exists; nothing was booked."""


class NotEnough(Exception):
    """An account does not have what should leave it; nothing was booked. Amounts in euros."""

    def __init__(self, line: BudgetLine, account: Account, available: Decimal, wanted: Decimal) -> None:
        self.line, self.account, self.available, self.wanted = line, account, available, wanted
        super().__init__(
            f"Die Mittel {line.year} reichen nicht: {format_amount(available)} sind {account.label}, "
            f"{format_amount(wanted)} werden gebraucht."
        )


def post(
    *,
    by: Actor,
    authority: UUID,
    kind: MovementKind,
    key: str,
    shifts: Iterable[Shift],
    grant: UUID | None = None,
    text: str = "",
    on: date | None = None,
) -> None:
    """Book a movement with its postings, whole or not at all, in the running transaction and in one statement.

    `key` names the business event and is booked once: AlreadyBooked the second time. NotEnough where an account would
    be overdrawn. Shifts of nothing are left out; ValueError if nothing remains.
    """
    wanted = [shift for shift in shifts if shift.amount]
    if not wanted or any(shift.amount < 0 for shift in wanted):
        raise ValueError("a movement moves something, and forwards")
    sums: dict[tuple[UUID, UUID | None, str], Decimal] = defaultdict(lambda: NOTHING)
    for shift in wanted:
        sums[shift.line, _owner(shift.source, grant), shift.source.value] -= shift.amount
        sums[shift.line, _owner(shift.target, grant), shift.target.value] += shift.amount
    postings = [
        (new_id(), line, owner, account, sum_) for (line, owner, account), sum_ in sums.items() if sum_
    ]
    keys, lines, owners, accounts, amounts = (list(column) for column in zip(*postings, strict=True))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _POST,
                {
                    "movement": new_id(),
                    "authority": authority,
                    "key": key,
                    "kind": kind.value,
                    "grant": grant,
                    "text": text[:200],
                    "on": on or clock.today(),
                    "at": clock.now(),
                    "by": by.account,
                    "keys": keys,
                    "lines": lines,
                    "owners": owners,
                    "accounts": accounts,
                    "amounts": amounts,
                },
            )
    except IntegrityError as wrong:
        if "movement_once" in str(wrong):
            raise AlreadyBooked(key) from wrong
        if "balance_not_overdrawn" in str(wrong):
            raise _lack(wanted, grant) from wrong
        raise


_POST = """
WITH m AS (
  INSERT INTO grants_movement (id, authority_id, key, kind, grant_id, text, booked_on, booked_at, booked_by_id)
  VALUES (%(movement)s, %(authority)s, %(key)s, %(kind)s, %(grant)s, %(text)s, %(on)s, %(at)s, %(by)s)
  RETURNING id, authority_id
)
INSERT INTO grants_posting (id, authority_id, movement_id, line_id, grant_id, account, amount)
SELECT p.id, m.authority_id, m.id, p.line, p.owner, p.account, p.amount
FROM m, unnest(%(keys)s::uuid[], %(lines)s::uuid[], %(owners)s::uuid[], %(accounts)s::text[], %(amounts)s::numeric[])
  AS p (id, line, owner, account, amount)
"""


def _owner(account: Account, grant: UUID | None) -> UUID | None:
    return None if account in OF_LINE else grant


def _lack(shifts: list[Shift], grant: UUID | None) -> NotEnough:
    """Which account fell short; read after the attempt was taken back."""
    needed: dict[tuple[UUID, Account], Decimal] = defaultdict(lambda: NOTHING)
    for shift in shifts:
        needed[shift.line, shift.source] += shift.amount
        needed[shift.line, shift.target] -= shift.amount
    lack: list[NotEnough] = []
    for (line, account), amount in needed.items():
        available = balance(line, account, _owner(account, grant))
        if amount > available and account not in (Account.BUDGET, Account.INTEREST):
            lack.append(NotEnough(BudgetLine.objects.get(id=line), account, available, amount))
    return (
        lack[0]
        if lack
        else NotEnough(BudgetLine.objects.get(id=shifts[0].line), shifts[0].source, NOTHING, shifts[0].amount)
    )


def balance(line: UUID, account: Account, grant: UUID | None = None) -> Decimal:
    """What stands on an account of a line now, in euros."""
    of_line = Balance.objects.filter(line_id=line, account=account)
    found = of_line.filter(grant_id=grant) if grant else of_line.filter(grant=None)
    return found.values_list("amount", flat=True).first() or NOTHING


def take_turns(of: UUID) -> None:
    """Whoever comes second waits until the transaction of the first is over. For actions that read a balance first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7240003))", [str(of)])
