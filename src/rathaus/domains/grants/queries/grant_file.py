"""All that is known of one grant, for the page of its case and of the cases that follow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Sum

from rathaus.casework.cases.models import Case
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import (
    AwardKind,
    DrawdownState,
    PaymentState,
    ProofKind,
    ProofState,
)
from rathaus.domains.grants.models import Award, Balance, Drawdown, Grant, Item, Payment, Proof
from rathaus.domains.grants.queries.books import NOTHING, Money
from rathaus.domains.grants.queries.owed import CLAIMS, Owed, read_claims
from rathaus.domains.grants.queries.rows import day_in, rows_of, text_of


@dataclass(frozen=True)
class Version:
    """A version of the award with its notice, if it has one yet. `amount` in euros."""

    number: int
    kind: str
    amount: Decimal
    awarded_on: date
    reference: str
    document: UUID | None
    issued_on: date | None


@dataclass(frozen=True)
class Rate:
    """A drawdown with its payments in words, newest last. `amount` in euros."""

    number: int
    year: int
    amount: Decimal
    state: str
    requested_on: date
    reference: str
    paid_on: date | None
    returned: str


@dataclass(frozen=True)
class ProofRow:
    """A proof with its result, in euros."""

    kind: str
    state: str
    spent: Decimal
    due: Decimal
    to_repay: Decimal
    submitted_on: date
    reference: str


@dataclass(frozen=True)
class Kept:
    """Something of the inventory. `price` in euros."""

    name: str
    price: Decimal
    bought_on: date
    earmarked_until: date
    disposed_on: date | None
    disposal: str


@dataclass(frozen=True)
class GrantFile:
    """A grant with all that became of it; `years` is where its money stands, by budget year."""

    grant: Grant
    money: Money
    years: tuple[tuple[int, Money], ...]
    versions: tuple[Version, ...]
    rates: tuple[Rate, ...]
    proofs: tuple[ProofRow, ...]
    items: tuple[Kept, ...]
    claims: tuple[Owed, ...]


def grant_file(case: Case) -> GrantFile | None:
    """The grant that was awarded in a case, or that the case is about; None where there is none. One statement."""
    keys = [key for key in (case.pk, case.about_id) if key]
    found = _with_all(Grant.objects.filter(case_id__in=keys)).order_by("id").first()
    if found is None:
        return None
    return GrantFile(
        grant=found,
        money=Money.of((row["account"], Decimal(row["amount"])) for row in found.money_rows),
        years=_years(found.money_rows),
        versions=tuple(_version(row) for row in found.version_rows),
        rates=tuple(_rate(row) for row in found.rate_rows),
        proofs=tuple(_proof(row) for row in found.proof_rows),
        items=tuple(_kept(row) for row in found.item_rows),
        claims=read_claims(found.claim_rows),
    )


def _with_all(grants: QuerySet[Grant]) -> QuerySet[Any]:
    mine = OuterRef("pk")
    money = Balance.objects.filter(grant=mine).values("account", "line__year").annotate(all=Sum("amount"))
    payments = Payment.objects.filter(drawdown=OuterRef("pk"))
    return grants.select_related("call__measure__programme", "case").annotate(
        money_rows=rows_of(money, "line__year", "account", account="account", year="line__year", amount=text_of("all")),
        version_rows=rows_of(
            Award.objects.filter(grant=mine), "number",
            number="number", kind="kind", amount=text_of("amount"), awarded_on="awarded_on", reference="case__reference",
            document="notice__document_id", issued_on="notice__issued_on",
        ),
        rate_rows=rows_of(
            Drawdown.objects.filter(grant=mine), "number",
            number="number", year="year", amount=text_of("amount"), state="state", requested_on="requested_on",
            reference="case__reference",
            payments=rows_of(payments, "id", state="state", paid_on="paid_on", reason="return_reason"),
        ),
        proof_rows=rows_of(
            Proof.objects.filter(grant=mine), "id",
            kind="kind", state="state", spent=text_of("spent"), due=text_of("due"), to_repay=text_of("to_repay"),
            submitted_on="submitted_on", reference="case__reference",
        ),
        item_rows=rows_of(
            Item.objects.filter(grant=mine), "bought_on", "id",
            name="name", price=text_of("price"), bought_on="bought_on", earmarked_until="earmarked_until",
            disposed_on="disposed_on", disposal="disposal",
        ),
        claim_rows=CLAIMS,
    )  # fmt: skip


def _years(rows: list[Mapping[str, Any]]) -> tuple[tuple[int, Money], ...]:
    years = sorted({row["year"] for row in rows})
    return tuple(
        (year, Money.of((row["account"], Decimal(row["amount"])) for row in rows if row["year"] == year))
        for year in years
    )


def _version(row: Mapping[str, Any]) -> Version:
    return Version(
        row["number"],
        AwardKind(row["kind"]).label,
        Decimal(row["amount"]),
        date.fromisoformat(row["awarded_on"]),
        row["reference"],
        UUID(row["document"]) if row["document"] else None,
        day_in(row["issued_on"]),
    )


def _rate(row: Mapping[str, Any]) -> Rate:
    paid = [found for found in row["payments"] if found["state"] == PaymentState.PAID]
    last = row["payments"][-1] if row["payments"] else None
    came_back = last["reason"] or "zurückgekommen" if last and last["state"] == PaymentState.RETURNED else ""
    return Rate(
        row["number"],
        row["year"],
        Decimal(row["amount"]),
        DrawdownState(row["state"]).label,
        date.fromisoformat(row["requested_on"]),
        row["reference"],
        day_in(paid[-1]["paid_on"]) if paid else None,
        came_back,
    )


def _proof(row: Mapping[str, Any]) -> ProofRow:
    return ProofRow(
        ProofKind(row["kind"]).label,
        ProofState(row["state"]).label,
        Decimal(row["spent"]),
        Decimal(row["due"]),
        Decimal(row["to_repay"]),
        date.fromisoformat(row["submitted_on"]),
        row["reference"],
    )


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(
        row["name"],
        Decimal(row["price"]),
        date.fromisoformat(row["bought_on"]),
        date.fromisoformat(row["earmarked_until"]),
        day_in(row["disposed_on"]),
        row["disposal"],
    )


# --- one proof ---


@dataclass(frozen=True)
class PlanLine:
    """A line of the plan beside what was spent on it, in euros; `planned` None for what the plan does not know."""

    label: str
    planned: Decimal | None
    spent: Decimal

    @property
    def difference(self) -> Decimal:
        return self.spent - (self.planned or NOTHING)


def proof_of(by: Actor, reference: str) -> Proof:
    """The proof that was handed in with a case of the actor's authority, with its grant and, as `award`, the version of
    the award that it was computed with. Raises Proof.DoesNotExist."""
    proof = Proof.objects.select_related(
        "case", "grant__case__offer", "grant__case__terms", "grant__call__measure__programme__authority"
    ).get(authority_id=by.staff_of, case__reference=reference)
    proof.award = award_of(proof)  # type: ignore[attr-defined]
    return proof


def award_of(proof: Proof) -> Award:
    """The version of the award that a proof is measured by: the newest that the proof itself did not bring about."""
    awards = Award.objects.filter(grant=proof.grant_id).order_by("-number")
    found = awards.exclude(case_id=proof.case_id).filter(awarded_on__lte=proof.decided_on or date.max).first()
    return found or awards.reverse()[0]


def plan_and_actual(plan: list[Mapping[str, Any]], proof: Proof) -> list[PlanLine]:
    """What was planned and what was spent, in the order of the plan; what the plan does not name comes last."""
    spent: dict[str, Decimal] = {}
    for line in proof.lines:
        label = str(line.get("wofuer", ""))
        spent[label] = spent.get(label, NOTHING) + Decimal(str(line.get("betrag", "0")))
    planned: dict[str, Decimal] = {}
    for line in plan:
        label = str(line.get("wofuer", ""))
        planned[label] = planned.get(label, NOTHING) + Decimal(str(line.get("betrag", "0")))
    rows = [PlanLine(label, amount, spent.pop(label, NOTHING)) for label, amount in planned.items()]
    return [*rows, *(PlanLine(label, None, amount) for label, amount in spent.items())]
