"""Lists of a programme's grants and applications: keyset pages without a total, and all grants for a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case as DbCase
from django.db.models import CharField, DateField, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Lower

from rathaus.casework.cases.models import Case
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import INTEREST, Account, ProofState, Stage
from rathaus.domains.grants.models import Balance, Claim, Grant, Programme, Proof
from rathaus.domains.grants.queries.books import NOTHING, Money
from rathaus.domains.grants.queries.scope import of_programme
from rathaus.domains.grants.queries.stages import with_stage

PAGE = 50
PROOFS = (Stage.OVERDUE, Stage.CHECKING, Stage.EXPECTED)
_NEVER = date(9999, 12, 31)
#: DIN 5007, without the kind of municipality.
_BY_NAME = Coalesce("recipient__sort_key", Lower("recipient_name"))
#: Overdue ones before those in check before those expected, each by the day they are due; a text to be compared.
_BY_DUE = Concat(
    DbCase(
        *(When(stage=stage, then=Value(str(rank))) for rank, stage in enumerate(PROOFS)), default=Value("9")
    ),
    Cast(Coalesce("proof_due_on", Value(_NEVER, DateField())), CharField()),
)


@dataclass(frozen=True)
class GrantRow:
    """A grant in a list. `next_on` is its next date and `next_what` what it is; `proof` the case of one in check."""

    grant: Grant
    stage: Stage
    paid: Decimal
    next_on: date | None = None
    next_what: str = ""
    proof: str = ""
    submitted_on: date | None = None


@dataclass(frozen=True)
class GrantPage:
    """A page of grants; `after` is the key of the next one, None on the last."""

    rows: list[GrantRow]
    after: UUID | None


def grants_page(
    by: Actor,
    programme: Programme,
    today: date,
    *,
    stages: Collection[str] = (),
    text: str = "",
    call: str = "",
    undrawn_in: int | None = None,
    by_due: bool = False,
    after: UUID | None = None,
    size: int = PAGE,
) -> GrantPage:
    """Grants of a programme by name, or by the day their proof is due. `undrawn_in`: only with money left in a year."""
    grants = _of(by, programme)
    if text:
        grants = grants.filter(
            Q(reference__iexact=text) | Q(recipient_name__icontains=text) | Q(title__icontains=text)
        )
    if call:
        grants = grants.filter(call__key=call)
    if undrawn_in:
        money = Balance.objects.filter(account=Account.OPEN, amount__gt=0, line__year=undrawn_in)
        grants = grants.filter(id__in=money.values("grant_id"))
    staged = with_stage(grants, today)
    if stages:
        staged = staged.filter(stage__in=list(stages))
    order = _BY_DUE if by_due else _BY_NAME
    staged = staged.annotate(place=order)
    if after:
        last = with_stage(Grant.objects.filter(id=after, authority_id=by.staff_of), today).annotate(p=order)
        place = Subquery(last.values("p")[:1])
        staged = staged.filter(Q(place__gt=place) | Q(place=place, id__gt=after))
    found = list(staged.order_by("place", "id")[: size + 1])
    shown = found[:size]
    return GrantPage(_rows(shown), shown[-1].id if len(found) > size else None)


def _of(by: Actor, programme: Programme) -> QuerySet[Grant]:
    own = Grant.objects.filter(of_programme(programme, "call_id"), authority_id=by.staff_of)
    return own.select_related("call")


def _rows(grants: Sequence[Any]) -> list[GrantRow]:
    """With what is paid and what comes next: three statements whatever the number."""
    keys = [grant.id for grant in grants]
    money = money_by_grant(Balance.objects.filter(grant_id__in=keys))
    proofs = {
        grant: (reference, day)
        for grant, reference, day in Proof.objects.filter(grant_id__in=keys, state=ProofState.SUBMITTED)
        .order_by("-id")
        .values_list("grant_id", "case__reference", "submitted_on")
    }
    claims = dict(
        Claim.objects.filter(grant_id__in=keys, settled_on=None, waived_at=None)
        .order_by("-due_on")
        .values_list("grant_id", "due_on")
    )
    rows = []
    for grant in grants:
        stage = Stage(grant.stage)
        proof, submitted_on = proofs.get(grant.id, ("", None))
        day, what = _next(grant, stage, claims.get(grant.id))
        paid = money.get(grant.id, Money()).paid_out
        rows.append(GrantRow(grant, stage, paid, day, what, proof, submitted_on))
    return rows


def _next(grant: Grant, stage: Stage, claim_due: date | None) -> tuple[date | None, str]:
    """The next date that counts for the ministry."""
    match stage:
        case Stage.CLAIMED:
            return claim_due, "Erstattung"
        case Stage.AWARDED | Stage.PAYING if grant.ends_on:
            return grant.ends_on, "Ende des Zeitraums"
        case Stage.EXPECTED | Stage.OVERDUE | Stage.AWARDED | Stage.PAYING if grant.proof_due_on:
            return grant.proof_due_on, "Nachweis"
        case Stage.CLOSED if grant.earmarked_until:
            return grant.earmarked_until, "Ende der Zweckbindung"
    return None, ""


def money_by_grant(balances: QuerySet[Balance]) -> dict[UUID, Money]:
    """Where the money of each grant is, over all years."""
    found: dict[UUID, list[tuple[str, Decimal]]] = {}
    rows = balances.values_list("grant_id", "account").annotate(sum=Sum("amount")).order_by()
    for grant, account, amount in rows:
        found.setdefault(grant, []).append((account, amount))
    return {grant: Money.of(amounts) for grant, amounts in found.items()}


@dataclass(frozen=True)
class GrantFigures:
    """A grant with all its amounts; `interest` is what is still owed of it and `interest_paid` what came in."""

    grant: Grant
    stage: Stage
    money: Money
    interest: Decimal
    interest_paid: Decimal


def all_grants(by: Actor, programme: Programme, today: date) -> Iterator[GrantFigures]:
    """All grants of a programme with all amounts, by name, in two statements."""
    grants = with_stage(_of(by, programme).select_related("call", "recipient"), today)
    amounts: dict[UUID, list[tuple[str, Decimal]]] = {}
    for grant, account, amount in (
        Balance.objects.filter(of_programme(programme, "grant__call_id"))
        .values_list("grant_id", "account")
        .annotate(sum=Sum("amount"))
        .order_by()
    ):
        amounts.setdefault(grant, []).append((account, amount))
    for found in grants.order_by("recipient_name", "id"):
        own = amounts.get(found.id, [])
        of = {account: amount for account, amount in own if account in INTEREST}
        yield GrantFigures(
            found,
            Stage(found.stage),
            Money.of(own),
            of.get(Account.INTEREST_DUE, NOTHING),
            of.get(Account.INTEREST_PAID, NOTHING),
        )


def applications_page(
    by: Actor,
    programme: Programme,
    *,
    states: Iterable[str] = (),
    outcome: str = "",
    text: str = "",
    call: str = "",
    after: UUID | None = None,
    size: int = PAGE,
) -> tuple[list[Case], UUID | None]:
    """Applications to a programme's calls, newest first, with the key of the next page. `states` are undecided ones."""
    cases = Case.objects.filter(
        authority_id=by.staff_of, offer__call__measure__programme=programme
    ).select_related("offer__call")
    if states := list(states):
        cases = cases.filter(state__in=states, outcome="", grant=None)
    if outcome:
        cases = cases.filter(outcome=outcome)
    if call:
        cases = cases.filter(offer__call__key=call)
    if text:
        cases = cases.filter(
            Q(reference__iexact=text) | Q(party_name__icontains=text) | Q(title__icontains=text)
        )
    if after:
        cases = cases.filter(id__lt=after)
    found = list(cases.order_by("-id")[: size + 1])
    return found[:size], found[size - 1].id if len(found) > size else None
