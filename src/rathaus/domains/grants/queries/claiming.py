"""Claims of a programme: what is owed and when, interest until today with its steps, base rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet

from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.interest import base_rates, interest_on, rows_of
from rathaus.domains.grants.models import Claim, Instalment, Programme, Receipt
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.terms import terms_of
from rathaus.law import interest as law
from rathaus.law.money import format_number


@dataclass(frozen=True)
class ClaimFigures:
    """A claim with what is still owed of it, in euros: `principal` and the interest fixed so far. `next_due` is when
    how much must come in next (the whole, or an instalment); None once nothing is owed."""

    claim: Claim
    received: Decimal
    principal: Decimal
    interest: Decimal
    next_due: tuple[date, Decimal] | None
    instalments: tuple[Instalment, ...]

    @property
    def owed(self) -> Decimal:
        return self.principal + self.interest

    @property
    def is_open(self) -> bool:
        return self.claim.settled_on is None and self.claim.waived_at is None

    def is_overdue(self, today: date) -> bool:
        """Whether something should have come in before today."""
        return self.next_due is not None and self.next_due[0] < today


def claims_of(programme: Programme) -> list[ClaimFigures]:
    """All claims of a programme: open ones first by what is due next, then the others, newest first."""
    found = [
        _figures(claim)
        for claim in _claims().filter(
            authority_id=programme.authority_id, grant__call__measure__programme=programme
        )
    ]
    waiting = sorted((row for row in found if row.next_due), key=lambda row: (row.next_due, row.claim.id))
    rest = sorted((row for row in found if not row.next_due), key=lambda row: row.claim.id, reverse=True)
    return [*waiting, *rest]


def claim_of(by: Actor, reference: str) -> ClaimFigures:
    """The claim that was made in a case of the actor's authority. Raises Claim.DoesNotExist."""
    return _figures(_claims().get(authority_id=by.staff_of, case__reference=reference))


def _claims() -> QuerySet[Any]:
    plan = Instalment.objects.filter(is_replaced=False).order_by("number")
    return Claim.objects.select_related(
        "case", "grant__case__offer", "grant__case__terms", "grant__call__measure__programme", "waived_by"
    ).prefetch_related(
        Prefetch("instalments", queryset=plan, to_attr="plan"),
        Prefetch("receipts", queryset=Receipt.objects.order_by("id"), to_attr="came_in"),
    )


def _figures(claim: Any) -> ClaimFigures:
    received = sum((row.amount for row in claim.came_in), NOTHING)
    plan: tuple[Instalment, ...] = tuple(claim.plan)
    if claim.settled_on or claim.waived_at:
        return ClaimFigures(claim, received, NOTHING, NOTHING, None, plan)
    principal = max(claim.amount - received, NOTHING)
    interest = claim.interest - max(received - claim.amount, NOTHING)
    return ClaimFigures(claim, received, principal, interest, _next(claim, plan, principal + interest), plan)


def _next(claim: Any, plan: Sequence[Instalment], owed: Decimal) -> tuple[date, Decimal] | None:
    """The first instalment that what came in since does not cover; where there is no plan, all that is owed."""
    # Ids are in the order of time: what was booked after the plan was agreed on counts for it.
    paid = sum((row.amount for row in claim.came_in if plan and row.id > plan[0].id), NOTHING)
    reached = NOTHING
    for rate in plan:
        reached += rate.amount
        if reached > paid:
            return rate.due_on, min(reached - paid, owed)
    return (claim.due_on, owed) if owed else None


@dataclass(frozen=True)
class Accrued:
    """Interest that a claim would bear if it were paid on a day. `total` in euros is what would be asked for then;
    `steps` are its computation; `problem` says why it cannot be computed."""

    on: date
    total: Decimal
    steps: tuple[dict[str, Any], ...]
    note: str = ""
    problem: str = ""


def accrued(figures: ClaimFigures, on: date) -> Accrued | None:
    """Interest on what is still owed of the claimed money until a day, beside what receipts have fixed. None where none
    runs."""
    claim = figures.claim
    if not figures.principal or claim.interest_from is None or claim.interest_from >= on:
        return None
    try:
        result = interest_on(claim.grant, figures.principal, claim.interest_from, on)
    except Refused as wrong:
        return Accrued(on, NOTHING, (), problem=str(wrong))
    minor, note = terms_of(claim.grant.case).minor_interest, ""
    if claim.interest + result.total <= minor:
        note = "Das liegt unter der Grenze, ab der Zinsen erhoben werden."
    elif not result.is_checked:
        note = "Mindestens ein Basiszinssatz ist noch nicht an der Bekanntmachung geprüft."
    return Accrued(on, result.total, tuple(rows_of(result)), note)


@dataclass(frozen=True)
class RateRow:
    """A base rate with how long it holds, and percent a year as text: its own, and what a claim bears."""

    rate: law.BaseRate
    until: date
    rate_text: str
    surcharge_text: str


def known_rates() -> list[RateRow]:
    """All base rates, newest first; half-years with the same rate from the same source are one row."""
    found: list[RateRow] = []
    for rate in base_rates():
        last = found[-1] if found else None
        if last and _same(last.rate, rate) and last.until + timedelta(days=1) == rate.valid_from:
            found[-1] = replace(last, until=rate.last_day)
            continue
        own, borne = (format_number(number, places=2) for number in (rate.rate, rate.rate + law.SURCHARGE))
        found.append(RateRow(rate, rate.last_day, own, borne))
    return found[::-1]


def _same(one: law.BaseRate, other: law.BaseRate) -> bool:
    return (one.rate, one.source, one.is_checked) == (other.rate, other.source, other.is_checked)
