"""Whose proof of use is overdue, and who was dunned already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from rathaus.core import clock
from rathaus.domains.grants.actions.dunning import DUTY, PAUSE
from rathaus.domains.grants.enums import Account, Stage
from rathaus.domains.grants.models import Balance, Grant, Programme
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.queries.stages import with_stage


@dataclass(frozen=True)
class Late:
    """A grant whose proof is overdue; `paid` is what was paid out and not proven, in euros."""

    grant: Grant
    paid: Decimal
    dunned_at: datetime | None

    @property
    def can_be_dunned(self) -> bool:
        """Not within two weeks of the last time."""
        return self.dunned_at is None or clock.now() - self.dunned_at >= PAUSE


def overdue_proofs(programme: Programme, today: date) -> list[Late]:
    """Grants of a programme whose proof of use is overdue, longest first, in one statement."""
    paid = (
        Balance.objects.filter(grant=OuterRef("pk"), account=Account.PAID)
        .values("grant")
        .annotate(all=Sum("amount"))
        .values("all")
    )
    found: Any = (
        with_stage(Grant.objects.filter(call__measure__programme=programme), today)
        .filter(stage=Stage.OVERDUE)
        .annotate(
            paid=Coalesce(Subquery(paid), NOTHING),
            dunned_at=Max("reminders__sent_at", filter=Q(reminders__duty=DUTY)),
        )
        .order_by("proof_due_on", "id")
    )
    return [Late(grant, grant.paid, grant.dunned_at) for grant in found]
