"""How grants stand: all that says what is due next, of any number of grants in one statement.

Read in the context of the authority that keeps the grants, since balances are not the recipient's to read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone

from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Message, Notice, Remedy
from rathaus.casework.cases.rules import final_day
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import Account, PaymentState, ProofKind, ProofState
from rathaus.domains.grants.models import (
    AwardYear,
    Balance,
    Claim,
    Drawdown,
    Grant,
    Instalment,
    Item,
    Payment,
    Proof,
    Receipt,
)
from rathaus.domains.grants.queries.books import Money
from rathaus.domains.grants.terms import GrantTerms, terms_of

NOTHING = Decimal("0.00")


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
class Part:
    """A part of a claim: when it is due and what of it is still owed, in euros."""

    number: int
    due_on: date
    amount: Decimal
    owed: Decimal


@dataclass(frozen=True)
class Owed:
    """A claim with what is owed of it today. `parts` are the instalments agreed on, none where it is due at once."""

    id: UUID
    reason: str
    amount: Decimal
    interest: Decimal
    interest_from: date | None
    received: Decimal
    due_on: date
    is_done: bool
    case: UUID
    parts: tuple[Part, ...] = ()

    @property
    def owed(self) -> Decimal:
        return NOTHING if self.is_done else max(self.amount + self.interest - self.received, NOTHING)


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


def _text(name: str) -> Cast:
    """An amount as text: as a number of JSON it would be read as a float."""
    return Cast(name, CharField())


_OF_GRANT = {"grant": OuterRef("pk")}
_PAID = Payment.objects.filter(drawdown=OuterRef("pk"))
_AMONG_CASES = Case.objects.filter(is_for_applicant=True).exclude(state=CaseState.COMPLETED)
_ASKED = Message.objects.filter(case=OuterRef("pk"), answer_until__isnull=False).order_by("-id")


def _rows(query: QuerySet[Any], order: str = "id", **names: Any) -> ArraySubquery:
    return ArraySubquery(query.order_by(order).values(json=JSONObject(**names)))


_PARTS: dict[str, Any] = {
    "balances_": _rows(
        Balance.objects.filter(**_OF_GRANT), account="account", year="line__year", amount=_text("amount")
    ),
    "years_": _rows(
        AwardYear.objects.filter(award__grant=OuterRef("pk")),
        "year",
        number="award__number",
        year="year",
        amount=_text("amount"),
    ),
    "notices_": _rows(
        Notice.objects.filter(case=OuterRef("case_id")),
        "issued_on",
        id="id",
        remedy="remedy",
        remedy_until="remedy_until",
        waived_at="waived_at",
        remedies=_rows(
            Remedy.objects.filter(notice=OuterRef("pk")),
            received_on="received_on",
            settled_on="settled_on",
            result="result",
        ),
    ),
    "rates_": _rows(
        Drawdown.objects.filter(**_OF_GRANT),
        "number",
        number="number",
        year="year",
        amount=_text("amount"),
        used=_text("used"),
        is_final="is_final",
        state="state",
        requested_on="requested_on",
        case="case_id",
        paid_on=Subquery(_PAID.filter(state=PaymentState.PAID).values("paid_on")[:1]),
        payment=Subquery(_PAID.order_by("-id").values("state")[:1]),
        returned=Subquery(_PAID.order_by("-id").values("return_reason")[:1]),
    ),
    "proofs_": _rows(
        Proof.objects.filter(**_OF_GRANT),
        kind="kind",
        state="state",
        submitted_on="submitted_on",
        to_repay=_text("to_repay"),
        case="case_id",
    ),
    "claims_": _rows(
        Claim.objects.filter(**_OF_GRANT),
        id="id",
        reason="reason",
        amount=_text("amount"),
        interest=_text("interest"),
        interest_from="interest_from",
        due_on="due_on",
        settled_on="settled_on",
        waived_at="waived_at",
        case="case_id",
        receipts=_rows(Receipt.objects.filter(claim=OuterRef("pk")), id="id", amount=_text("amount")),
        parts=_rows(
            Instalment.objects.filter(claim=OuterRef("pk"), is_replaced=False),
            "number",
            id="id",
            number="number",
            due_on="due_on",
            amount=_text("amount"),
        ),
    ),
    "items_": _rows(Item.objects.filter(**_OF_GRANT, disposed_on=None), name="name", until="earmarked_until"),
    "own_questions_": _rows(
        _AMONG_CASES.filter(id=OuterRef("case_id"), state=CaseState.ACTION_REQUIRED),
        case="id",
        about="offer__title",
        service="offer__service_id",
        until=Subquery(_ASKED.values("answer_until")[:1]),
    ),
    "running_": _rows(
        _AMONG_CASES.filter(about=OuterRef("case_id")),
        case="id",
        about="offer__title",
        service="offer__service_id",
        state="state",
        until=Subquery(_ASKED.values("answer_until")[:1]),
    ),
}


def _standing(grant: Any) -> Standing:
    balances = [(row["account"], row["year"], Decimal(row["amount"])) for row in _read(grant.balances_)]
    open_by_year: dict[int, Decimal] = {}
    for account, year, amount in balances:
        if account == Account.OPEN and amount:
            open_by_year[year] = open_by_year.get(year, NOTHING) + amount
    years = _read(grant.years_)
    newest = max((row["number"] for row in years), default=0)
    running = _read(grant.running_)
    asked = [row for row in running if row["state"] == CaseState.ACTION_REQUIRED]
    return Standing(
        grant=grant,
        terms=terms_of(grant.case),
        money=Money.of((account, amount) for account, _, amount in balances),
        by_year={row["year"]: Decimal(row["amount"]) for row in years if row["number"] == newest},
        open_by_year=open_by_year,
        notice=_notice(_read(grant.notices_)),
        rates=tuple(_rate(row) for row in _read(grant.rates_)),
        proofs=tuple(_proof(row) for row in _read(grant.proofs_)),
        claims=tuple(_claim(row) for row in _read(grant.claims_)),
        items=tuple((row["name"], date.fromisoformat(row["until"])) for row in _read(grant.items_)),
        questions=tuple(
            Question(UUID(row["case"]), row["about"], _day(row["until"]), row["service"])
            for row in [*_read(grant.own_questions_), *asked]
        ),
        running=tuple(row["about"] for row in running if row["state"] != CaseState.ACTION_REQUIRED),
    )


def _read(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [json.loads(row) if isinstance(row, str) else row for row in rows]


def _notice(rows: list[dict[str, Any]]) -> NoticeStanding | None:
    if not rows:
        return None
    row = rows[-1]
    remedies = [
        (date.fromisoformat(found["received_on"]), _day(found["settled_on"]), found["result"])
        for found in _read(row["remedies"])
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
        _day(row["paid_on"]),
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


def _claim(row: dict[str, Any]) -> Owed:
    receipts = [(found["id"], Decimal(found["amount"])) for found in _read(row["receipts"])]
    planned = _read(row["parts"])
    # What came in before an agreement is no part of it; ids are ordered by time of making.
    agreed = min((found["id"] for found in planned), default="")
    left, parts = sum((amount for key, amount in receipts if key > agreed), NOTHING), []
    for found in planned:
        amount = Decimal(found["amount"])
        paid = min(left, amount)
        left -= paid
        parts.append(Part(found["number"], date.fromisoformat(found["due_on"]), amount, amount - paid))
    return Owed(
        UUID(row["id"]),
        row["reason"],
        Decimal(row["amount"]),
        Decimal(row["interest"]),
        _day(row["interest_from"]),
        sum((amount for _, amount in receipts), NOTHING),
        date.fromisoformat(row["due_on"]),
        bool(row["settled_on"] or row["waived_at"]),
        UUID(row["case"]),
        tuple(parts),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
