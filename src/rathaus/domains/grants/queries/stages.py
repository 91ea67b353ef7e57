"""How far grants are: one expression for lists, counts, map and files, so that they never disagree."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, Value, When

from rathaus.domains.grants.enums import Account, DrawdownState, GrantState, ProofKind, ProofState, Stage
from rathaus.domains.grants.models import Balance, Claim, Drawdown, Grant, Proof


def with_stage(grants: QuerySet[Grant], today: date) -> QuerySet[Any]:
    """Each grant with its `stage`. PostgreSQL looks each condition up once for all rows (hashed), not row by row."""
    mine = OuterRef("pk")
    proofs = Proof.objects.filter(grant=mine)
    claims = Claim.objects.filter(grant=mine, settled_on=None, waived_at=None)
    drawdowns = Drawdown.objects.filter(grant=mine).exclude(state=DrawdownState.REFUSED)
    undrawn = Balance.objects.filter(grant=mine, account__in=[Account.OPEN, Account.ORDERED], amount__gt=0)
    accepted = proofs.filter(kind=ProofKind.FINAL, state=ProofState.ACCEPTED)
    return grants.annotate(
        stage=Case(
            When(state=GrantState.CLOSED, then=Value(Stage.CLOSED)),
            When(Exists(claims), then=Value(Stage.CLAIMED)),
            When(Exists(proofs.filter(state=ProofState.SUBMITTED)), then=Value(Stage.CHECKING)),
            When(Exists(accepted), then=Value(Stage.CHECKED)),
            When(proof_due_on__lt=today, then=Value(Stage.OVERDUE)),
            When(ends_on__lt=today, then=Value(Stage.EXPECTED)),
            When(~Exists(drawdowns), then=Value(Stage.AWARDED)),
            When(~Exists(undrawn), then=Value(Stage.EXPECTED)),
            default=Value(Stage.PAYING),
            output_field=CharField(),
        )
    )
