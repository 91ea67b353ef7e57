"""The end of a grant: closing, giving back what nobody drew."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import balances_of, change_award, current_award
from rathaus.domains.grants.actions.journal import NOTHING, Shift, post, take_turns
from rathaus.domains.grants.enums import Account, AwardKind, GrantState, MovementKind, ProofKind, ProofState
from rathaus.domains.grants.models import Balance, BudgetLine, Claim, Grant, Posting, Proof
from rathaus.domains.grants.permissions import APPROVE, check_role
from rathaus.law.money import format_amount

UNFINISHED = (Account.OPEN, Account.ORDERED, Account.PAID, Account.TO_RECOVER, Account.INTEREST_DUE)


def close_if_done(*, by: Actor, grant: Grant) -> bool:
    """Close a grant whose money is all proven, given back or waived; part of a running step. Where nothing is left of
    the award there is no use to prove."""
    if grant.state == GrantState.CLOSED or any(balances_of(grant, UNFINISHED).values()):
        return False
    final = Proof.objects.filter(grant=grant, kind=ProofKind.FINAL, state=ProofState.ACCEPTED)
    if grant.amount and not final.exists():
        return False
    if Claim.objects.filter(grant=grant, settled_on=None, waived_at=None).exists():
        return False
    grant.state, grant.closed_on = GrantState.CLOSED, clock.today()
    grant.save(update_fields=["state", "closed_on"])
    record(events.CLOSED, by=by, authority=grant.authority_id, case=grant.case_id)
    return True


def release_rest(*, by: Actor, grant: UUID, year: int | None = None) -> Decimal:
    """Take back what a grant has not drawn, of one year or of all: the award falls by it. Answers the euros released."""
    with by.acting():
        found = Grant.objects.select_for_update(of=("self",)).select_related("call", "case").get(id=grant)
        check_role(by, found.authority_id, APPROVE)
        rows = Balance.objects.filter(grant=found, account=Account.OPEN, amount__gt=0)
        if year is not None:
            rows = rows.filter(line__year=year)
        undrawn: dict[int, Decimal] = {}
        for row in rows.select_related("line"):
            undrawn[row.line.year] = undrawn.get(row.line.year, NOTHING) + row.amount
        total = sum(undrawn.values(), NOTHING)
        if not total:
            raise Refused("Hier ist nichts mehr offen, das freigegeben werden kann.")
        award = current_award(found)
        by_year = {row.year: row.amount - undrawn.get(row.year, NOTHING) for row in award.years.all()}
        change_award(
            by=by,
            grant=found,
            case=found.case,
            kind=AwardKind.REDUCTION,
            by_year=by_year,
            key=f"release:{award.id}",
        )
        record(
            events.RELEASED,
            by=by,
            authority=found.authority_id,
            case=found.case_id,
            amount=format_amount(total),
        )
        close_if_done(by=by, grant=found)
        return total


def reuse(*, by: Actor, line: UUID) -> Decimal:
    """Make free again what grants gave back of a line. Answers the euros. Whether the year allows it, the law on the
    budget says; that is the ministry's to know."""
    with by.acting():
        found = BudgetLine.objects.select_related("measure").get(id=line)
        check_role(by, found.authority_id, APPROVE)
        take_turns(found.id)
        rows = list(Balance.objects.filter(line=found, account=Account.RELEASED, amount__gt=0).order_by("id"))
        for row in rows:
            times = Posting.objects.filter(grant=row.grant_id, line=found, account=Account.RELEASED).count()
            post(
                by=by,
                authority=found.authority_id,
                kind=MovementKind.REUSED,
                key=f"reuse:{row.id}:{times}",
                shifts=[Shift(found.id, Account.RELEASED, Account.FREE, row.amount)],
                grant=row.grant_id,
                text=f"{found.measure.title} {found.year}",
            )
        total = sum((row.amount for row in rows), NOTHING)
        if not total:
            raise Refused("Es ist nichts freigegeben, das wieder bereitgestellt werden kann.")
        record(
            events.REUSED, by=by, authority=found.authority_id, year=found.year, amount=format_amount(total)
        )
        return total
