"""The books: where the money is, and whether what is kept agrees with what was posted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Max, QuerySet, Sum

from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import (
    AWARDED,
    CLAIMED,
    INTEREST_CLAIMED,
    Account,
    DrawdownState,
    PaymentState,
)
from rathaus.domains.grants.models import AwardYear, Balance, Claim, Drawdown, Grant, Payment, Posting

NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class Money:
    """Where the euros of a budget are; each stands in one place. `budget` = `committed` + `free`."""

    budget: Decimal = NOTHING
    free: Decimal = NOTHING
    open: Decimal = NOTHING
    ordered: Decimal = NOTHING
    paid: Decimal = NOTHING
    proven: Decimal = NOTHING
    to_recover: Decimal = NOTHING
    recovered: Decimal = NOTHING
    waived: Decimal = NOTHING
    released: Decimal = NOTHING
    redeemed: Decimal = NOTHING

    @classmethod
    def of(cls, amounts: Iterable[tuple[str, Decimal]]) -> Money:
        """From accounts and their sums; interest has no place in a budget."""
        found = dict.fromkeys(cls.__dataclass_fields__, NOTHING)
        for account, amount in amounts:
            if account in found:
                found[account] += -amount if account == Account.BUDGET else amount
        return cls(**found)

    @property
    def paid_out(self) -> Decimal:
        """All that ever left and did not bounce, whatever became of it."""
        return self.paid + self.proven + self.to_recover + self.recovered + self.waived

    @property
    def claimed_back(self) -> Decimal:
        """What was taken from the award again after it was paid: still owed, come in, or waived."""
        return self.to_recover + self.recovered + self.waived

    @property
    def undrawn(self) -> Decimal:
        """Promised and not yet paid out."""
        return self.open + self.ordered

    @property
    def committed(self) -> Decimal:
        """committed = paid + open + released (and, of a commitment authority, redeemed)."""
        return self.paid_out + self.undrawn + self.released + self.redeemed

    @property
    def awarded(self) -> Decimal:
        """award = paid - repaid + open."""
        return self.paid_out - self.claimed_back + self.undrawn


@dataclass(frozen=True)
class Invariants:
    """What was compared, and every difference found: none if the books are right."""

    lines: int
    grants: int
    faults: tuple[str, ...] = field(default=())


def check_invariants(by: Actor) -> Invariants:
    """Recompute the books of the actor's authority from the postings alone and compare them with everything kept beside.

    Each movement adds up to nothing on each line; each balance is the sum of its postings. For each budget line: budget =
    committed + free, committed = paid + open + released + redeemed; for each grant and year: award = paid - repaid + open.
    What payments, requests and claims say of a grant is what is booked for it.
    """
    with by.acting():
        posted: Sums = {
            (line, grant, account): amount
            for line, grant, account, amount in Posting.objects.filter(authority_id=by.staff_of)
            .values_list("line_id", "grant_id", "account")
            .annotate(amount=Sum("amount"))
            .order_by()
        }
        lines: dict[UUID, list[tuple[str, Decimal]]] = {}
        for (line, _, account), amount in posted.items():
            lines.setdefault(line, []).append((account, amount))
        faults = (
            *_of_movements(by),
            *_of_balances(by, posted),
            *_of_lines(lines),
            *_of_awards(by),
            *_of_grants(by, posted),
        )
        return Invariants(len(lines), Grant.objects.filter(authority_id=by.staff_of).count(), faults)


Sums = dict[tuple[UUID, UUID | None, str], Decimal]  # by line, grant and account


def _of_movements(by: Actor) -> Iterator[str]:
    sums = Posting.objects.filter(authority_id=by.staff_of).values_list("movement_id", "line_id")
    for movement, line, amount in sums.annotate(sum=Sum("amount")).exclude(sum=0).order_by():
        yield f"Bewegung {movement} auf {line}: ergibt {amount} statt nichts."


def _of_balances(by: Actor, posted: Sums) -> Iterator[str]:
    kept: Sums = {
        (line, grant, account): amount
        for line, grant, account, amount in Balance.objects.filter(authority_id=by.staff_of).values_list(
            "line_id", "grant_id", "account", "amount"
        )
    }
    for key in posted.keys() | kept.keys():
        if posted.get(key, NOTHING) != kept.get(key, NOTHING):
            yield f"Saldo {key}: {kept.get(key, NOTHING)}, gebucht {posted.get(key, NOTHING)}."


def _of_lines(lines: Mapping[UUID, list[tuple[str, Decimal]]]) -> Iterator[str]:
    for line, amounts in lines.items():
        money = Money.of(amounts)
        if money.budget != money.committed + money.free:
            yield f"Mittel {line}: {money.budget} sind nicht {money.committed} + {money.free}."


def _of_awards(by: Actor) -> Iterator[str]:
    years = AwardYear.objects.filter(authority_id=by.staff_of)
    in_force = years.annotate(newest=Max("award__grant__awards__number")).filter(award__number=F("newest"))
    awarded = {
        (grant, year): amount
        for grant, year, amount in in_force.values_list("award__grant_id", "year", "amount")
    }
    standing: dict[tuple[UUID, int], Decimal] = {
        (grant, year): amount
        for grant, year, amount in Balance.objects.filter(
            authority_id=by.staff_of, grant__isnull=False, account__in=AWARDED
        )
        .values_list("grant_id", "line__year")
        .annotate(sum=Sum("amount"))
        .order_by()
    }
    for of in awarded.keys() | standing.keys():
        if awarded.get(of, NOTHING) != standing.get(of, NOTHING):
            yield f"Zuwendung {of}: bewilligt {awarded.get(of, NOTHING)}, gebucht {standing.get(of, NOTHING)}."


def _of_grants(by: Actor, posted: Sums) -> Iterator[str]:
    """What the rows beside the journal say of a grant, over all years."""
    booked: dict[tuple[UUID, str], Decimal] = {}
    for (_, grant, account), amount in posted.items():
        if grant is not None:
            booked[grant, account] = booked.get((grant, account), NOTHING) + amount

    def of_authority(rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(authority_id=by.staff_of)

    grants = dict(of_authority(Grant.objects.all()).values_list("id", "amount"))
    paid = of_authority(Payment.objects.filter(state=PaymentState.PAID))
    ordered = of_authority(Drawdown.objects.filter(state=DrawdownState.ORDERED))
    claims = of_authority(Claim.objects.all())
    told = (
        ("Zuwendung", AWARDED, grants),
        ("Zahlungen", (Account.PAID, Account.PROVEN, *CLAIMED), _by_grant(paid, "amount")),
        ("angeordnete Abrufe", (Account.ORDERED,), _by_grant(ordered, "amount")),
        ("Rückforderungen", CLAIMED, _by_grant(claims, "amount")),
        ("Zinsen", INTEREST_CLAIMED, _by_grant(claims, "interest")),
    )
    for what, accounts, said in told:
        for grant in grants:
            standing = sum((booked.get((grant, account), NOTHING) for account in accounts), NOTHING)
            if standing != said.get(grant, NOTHING):
                yield f"{what} von {grant}: {said.get(grant, NOTHING)}, gebucht {standing}."


def _by_grant(rows: QuerySet[Any], name: str) -> dict[UUID, Decimal]:
    return dict(rows.values_list("grant_id").annotate(sum=Sum(name)).order_by())
