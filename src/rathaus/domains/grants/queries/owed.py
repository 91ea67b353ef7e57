"""What a grant's claims still ask for, read beside the grant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import OuterRef

from rathaus.domains.grants.enums import ClaimReason
from rathaus.domains.grants.models import Claim, Instalment, Receipt
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.queries.rows import day_in, read_rows, rows_of, text_of


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
    is_waived: bool = False
    reference: str = ""

    @property
    def owed(self) -> Decimal:
        return NOTHING if self.is_done else max(self.amount + self.interest - self.received, NOTHING)

    @property
    def reason_label(self) -> str:
        """Why it was made, in words."""
        return ClaimReason(self.reason).label

    def is_overdue(self, today: date) -> bool:
        """Whether something should have come in before today."""
        due_on = next((part.due_on for part in self.parts if part.owed), self.due_on)
        return bool(self.owed) and due_on < today


#: Annotates grants with their claims, to be read with `read_claims`.
CLAIMS = rows_of(
    Claim.objects.filter(grant=OuterRef("pk")),
    id="id",
    reason="reason",
    amount=text_of("amount"),
    interest=text_of("interest"),
    interest_from="interest_from",
    due_on="due_on",
    settled_on="settled_on",
    waived_at="waived_at",
    case="case_id",
    reference="case__reference",
    receipts=rows_of(Receipt.objects.filter(claim=OuterRef("pk")), id="id", amount=text_of("amount")),
    parts=rows_of(
        Instalment.objects.filter(claim=OuterRef("pk"), is_replaced=False),
        "number",
        id="id",
        number="number",
        due_on="due_on",
        amount=text_of("amount"),
    ),
)


def read_claims(rows: Iterable[Any]) -> tuple[Owed, ...]:
    """What `CLAIMS` gave, oldest first."""
    return tuple(_claim(row) for row in read_rows(rows))


def _claim(row: dict[str, Any]) -> Owed:
    receipts = [(found["id"], Decimal(found["amount"])) for found in read_rows(row["receipts"])]
    planned = read_rows(row["parts"])
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
        day_in(row["interest_from"]),
        sum((amount for _, amount in receipts), NOTHING),
        date.fromisoformat(row["due_on"]),
        bool(row["settled_on"] or row["waived_at"]),
        UUID(row["case"]),
        tuple(parts),
        bool(row["waived_at"]),
        row["reference"],
    )
