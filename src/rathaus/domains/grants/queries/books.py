"""The books: where the money is, and whether what is kept agrees with what was posted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Max, QuerySet, Sum

from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import AWARDED, Account
from rathaus.domains.grants.models import AwardYear, Balance, Grant, Posting

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
    """Recompute the books of the actor's authority from the postings alone and compare them with balances and awards.

    For each budget line: budget = committed + free, committed = paid + open + released + redeemed; for each grant and
    year: award = paid - repaid + open; each balance is the sum of its postings.
    """
    faults: list[str] = []
    with by.acting():
        posted: dict[tuple[UUID, UUID | None, str], Decimal] = {
            (line, grant, account): amount
            for line, grant, account, amount in Posting.objects.filter(authority_id=by.staff_of)
            .values_list("line_id", "grant_id", "account")
            .annotate(amount=Sum("amount"))
            .order_by()
        }
        kept: dict[tuple[UUID, UUID | None, str], Decimal] = {
            (line, grant, account): amount
            for line, grant, account, amount in Balance.objects.filter(authority_id=by.staff_of).values_list(
                "line_id", "grant_id", "account", "amount"
            )
        }
        for key in posted.keys() | kept.keys():
            if posted.get(key, NOTHING) != kept.get(key, NOTHING):
                faults.append(f"Saldo {key}: {kept.get(key, NOTHING)}, gebucht {posted.get(key, NOTHING)}.")
        lines: dict[UUID, list[tuple[str, Decimal]]] = {}
        for (line, _, account), amount in posted.items():
            lines.setdefault(line, []).append((account, amount))
        for line, amounts in lines.items():
            money = Money.of(amounts)
            if money.budget != money.committed + money.free:
                faults.append(f"Mittel {line}: {money.budget} sind nicht {money.committed} + {money.free}.")
        awarded = {
            (grant, year): amount
            for grant, year, amount in _awards_in_force(by).values_list("award__grant_id", "year", "amount")
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
        for grant_year in awarded.keys() | standing.keys():
            if awarded.get(grant_year, NOTHING) != standing.get(grant_year, NOTHING):
                faults.append(
                    f"Zuwendung {grant_year}: bewilligt {awarded.get(grant_year, NOTHING)}, "
                    f"gebucht {standing.get(grant_year, NOTHING)}."
                )
        grants = Grant.objects.filter(authority_id=by.staff_of).count()
        return Invariants(len(lines), grants, tuple(faults))


def _awards_in_force(by: Actor) -> QuerySet[AwardYear]:
    return (
        AwardYear.objects.filter(authority_id=by.staff_of)
        .annotate(newest=Max("award__grant__awards__number"))
        .filter(award__number=F("newest"))
    )
