"""How grants stand: all that says what is due next, of any number of grants in one statement.

Read in the context of the authority that keeps the grants, since balances are not the recipient's to read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Message, Notice, Remedy
from rathaus.casework.cases.rules import final_day
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import Account, PaymentState, ProofKind, ProofState
from rathaus.domains.grants.models import (
    AwardYear,
    Balance,
    Drawdown,
    Grant,
    Item,
    Payment,
    Proof,
)
from rathaus.domains.grants.queries.books import NOTHING, Money
from rathaus.domains.grants.queries.owed import CLAIMS, Owed, read_claims
from rathaus.domains.grants.queries.rows import day_in, read_rows, rows_of, text_of
from rathaus.domains.grants.terms import GrantTerms, terms_of


@dataclass(frozen=True)
class Rate:
    """A request for money (Mittelabruf) with what became of it. `returned` is why its payment came back, if it did."""

    number: int
    year: int
    amount: Decimal
    used: Decimal
    is_final: bool
    state: str
    requested_on: date
    case: UUID
    paid_on: date | None = None
    returned: str = ""


@dataclass(frozen=True)
class ProofStanding:
    """A proof as far as it is handed in."""

    kind: str
    state: str
    submitted_on: date
    to_repay: Decimal
    case: UUID

    @property
    def counts(self) -> bool:
        """Whether it was handed in and not rejected."""
        return self.state != ProofState.REJECTED


@dataclass(frozen=True)
class Question:
    """What the office asked about the grant or a case that goes on with it, and still waits for. `service` is the key
    of that case's package."""

    case: UUID
    about: str
    until: date | None
    service: str = ""


@dataclass(frozen=True)
class NoticeStanding:
    """The award notice: until when it can be contested, and since when it is final (None as long as it is not)."""

    id: UUID
    remedy: str
    remedy_until: date
    final_on: date | None
    has_remedy: bool


@dataclass(frozen=True)
class Standing:
    """A grant as it stands. Amounts in euros; `open_by_year` is promised and neither paid nor ordered."""

    grant: Grant
    terms: GrantTerms
    money: Money = field(default_factory=Money)
    by_year: dict[int, Decimal] = field(default_factory=dict)
    open_by_year: dict[int, Decimal] = field(default_factory=dict)
    notice: NoticeStanding | None = None
    rates: tuple[Rate, ...] = ()
    proofs: tuple[ProofStanding, ...] = ()
    claims: tuple[Owed, ...] = ()
    items: tuple[tuple[str, date], ...] = ()
    questions: tuple[Question, ...] = ()
    running: tuple[str, ...] = ()

    def is_final(self, today: date) -> bool:
        """Whether the notice can no longer be contested, which is when money may be paid."""
        return bool(self.notice and self.notice.final_on and self.notice.final_on <= today)

    @property
    def is_proven(self) -> bool:
        """Whether the final proof was accepted."""
        return any(p.kind == ProofKind.FINAL and p.state == ProofState.ACCEPTED for p in self.proofs)

    @property
    def has_final_proof(self) -> bool:
        return any(p.kind == ProofKind.FINAL and p.counts for p in self.proofs)


def own_standings(by: Actor, parties: Collection[UUID]) -> list[Standing]:
    """All grants of these of the parties that the actor acts for, newest first, as far as their notice is out."""
    keys: dict[UUID, list[UUID]] = {}
    own = Grant.objects.filter(party_id__in=set(parties) & set(by.parties), notified_on__isnull=False)
    for key, authority in own.order_by("id").values_list("id", "authority_id"):
        keys.setdefault(authority, []).append(key)
    found: list[Standing] = []
    for authority, of_authority in keys.items():
        with by.on_behalf_of(authority):
            found += standings(Grant.objects.filter(id__in=of_authority))
    return sorted(found, key=lambda standing: standing.grant.id, reverse=True)


def own_standing(by: Actor, grant: UUID) -> Standing:
    """One grant of those whom the actor acts for. Raises Grant.DoesNotExist for anybody else's."""
    found = Grant.objects.only("id", "authority_id").get(
        id=grant, party_id__in=by.parties, notified_on__isnull=False
    )
    with by.on_behalf_of(found.authority_id):
        return next(iter(standings(Grant.objects.filter(id=found.id))))


def standings(grants: QuerySet[Grant]) -> list[Standing]:
    """How these grants stand, in one statement, oldest first. To be asked in the context of their authority."""
    rows = (
        grants.select_related(
            "case__application",
            "case__terms",
            "case__offer",
            "case__authority",
            "call",
            "recipient__successor",
        )
        .annotate(**_PARTS)
        .order_by("id")
    )
    return [_standing(row) for row in rows]


_OF_GRANT = {"grant": OuterRef("pk")}
_PAID = Payment.objects.filter(drawdown=OuterRef("pk"))
_AMONG_CASES = Case.objects.filter(is_for_applicant=True).exclude(state=CaseState.COMPLETED)
_ASKED = Message.objects.filter(case=OuterRef("pk"), answer_until__isnull=False).order_by("-id")


_PARTS: dict[str, Any] = {
    "balances_": rows_of(
        Balance.objects.filter(**_OF_GRANT), account="account", year="line__year", amount=text_of("amount")
    ),
    "years_": rows_of(
        AwardYear.objects.filter(award__grant=OuterRef("pk")),
        "year",
        number="award__number",
        year="year",
        amount=text_of("amount"),
    ),
    "notices_": rows_of(
        Notice.objects.filter(case=OuterRef("case_id")),
        "issued_on",
        id="id",
        remedy="remedy",
        remedy_until="remedy_until",
        waived_at="waived_at",
        remedies=rows_of(
            Remedy.objects.filter(notice=OuterRef("pk")),
            received_on="received_on",
            settled_on="settled_on",
            result="result",
        ),
    ),
    "rates_": rows_of(
        Drawdown.objects.filter(**_OF_GRANT),
        "number",
        number="number",
        year="year",
        amount=text_of("amount"),
        used=text_of("used"),
        is_final="is_final",
        state="state",
        requested_on="requested_on",
        case="case_id",
        paid_on=Subquery(_PAID.filter(state=PaymentState.PAID).values("paid_on")[:1]),
        payment=Subquery(_PAID.order_by("-id").values("state")[:1]),
        returned=Subquery(_PAID.order_by("-id").values("return_reason")[:1]),
    ),
    "proofs_": rows_of(
        Proof.objects.filter(**_OF_GRANT),
        kind="kind",
        state="state",
        submitted_on="submitted_on",
        to_repay=text_of("to_repay"),
        case="case_id",
    ),
    "claims_": CLAIMS,
    "items_": rows_of(
        Item.objects.filter(**_OF_GRANT, disposed_on=None), name="name", until="earmarked_until"
    ),
    "own_questions_": rows_of(
        _AMONG_CASES.filter(id=OuterRef("case_id"), state=CaseState.ACTION_REQUIRED),
        case="id",
        about="offer__title",
        service="offer__service_id",
        until=Subquery(_ASKED.values("answer_until")[:1]),
    ),
    "running_": rows_of(
        _AMONG_CASES.filter(about=OuterRef("case_id")),
        case="id",
        about="offer__title",
        service="offer__service_id",
        state="state",
        until=Subquery(_ASKED.values("answer_until")[:1]),
    ),
}


def _standing(grant: Any) -> Standing:
    balances = [(row["account"], row["year"], Decimal(row["amount"])) for row in read_rows(grant.balances_)]
    open_by_year: dict[int, Decimal] = {}
    for account, year, amount in balances:
        if account == Account.OPEN and amount:
            open_by_year[year] = open_by_year.get(year, NOTHING) + amount
    years = read_rows(grant.years_)
    newest = max((row["number"] for row in years), default=0)
    running = read_rows(grant.running_)
    asked = [row for row in running if row["state"] == CaseState.ACTION_REQUIRED]
    return Standing(
        grant=grant,
        terms=terms_of(grant.case),
        money=Money.of((account, amount) for account, _, amount in balances),
        by_year={row["year"]: Decimal(row["amount"]) for row in years if row["number"] == newest},
        open_by_year=open_by_year,
        notice=_notice(read_rows(grant.notices_)),
        rates=tuple(_rate(row) for row in read_rows(grant.rates_)),
        proofs=tuple(_proof(row) for row in read_rows(grant.proofs_)),
        claims=read_claims(grant.claims_),
        items=tuple((row["name"], date.fromisoformat(row["until"])) for row in read_rows(grant.items_)),
        questions=tuple(
            Question(UUID(row["case"]), row["about"], day_in(row["until"]), row["service"])
            for row in [*read_rows(grant.own_questions_), *asked]
        ),
        running=tuple(row["about"] for row in running if row["state"] != CaseState.ACTION_REQUIRED),
    )


def _notice(rows: list[dict[str, Any]]) -> NoticeStanding | None:
    if not rows:
        return None
    row = rows[-1]
    remedies = [
        (date.fromisoformat(found["received_on"]), day_in(found["settled_on"]), found["result"])
        for found in read_rows(row["remedies"])
    ]
    waived = timezone.localdate(datetime.fromisoformat(row["waived_at"])) if row["waived_at"] else None
    until = date.fromisoformat(row["remedy_until"])
    return NoticeStanding(
        UUID(row["id"]),
        row["remedy"],
        until,
        final_day(waived_on=waived, remedy_until=until, remedies=remedies),
        has_remedy=any(received <= until and settled is None for received, settled, _ in remedies),
    )


def _rate(row: dict[str, Any]) -> Rate:
    return Rate(
        row["number"],
        row["year"],
        Decimal(row["amount"]),
        Decimal(row["used"]),
        row["is_final"],
        row["state"],
        date.fromisoformat(row["requested_on"]),
        UUID(row["case"]),
        day_in(row["paid_on"]),
        row["returned"] or "Die Bank nannte keinen Grund." if row["payment"] == PaymentState.RETURNED else "",
    )


def _proof(row: dict[str, Any]) -> ProofStanding:
    return ProofStanding(
        row["kind"],
        row["state"],
        date.fromisoformat(row["submitted_on"]),
        Decimal(row["to_repay"]),
        UUID(row["case"]),
    )
