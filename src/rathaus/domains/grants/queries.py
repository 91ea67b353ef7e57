"""Named reads of grants."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from rathaus.casework.cases.enums import Outcome
from rathaus.casework.cases.models import Case
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.models import Booking, Budget, Call


@dataclass(frozen=True)
class CallFigures:
    """How far a call is, as a whole (`region` empty) or in one administrative district. Money in euros."""

    call: str
    region: str
    applications: int
    approved: int
    notices: int
    exceptions: int
    amount: Decimal
    free: Decimal | None


def figures(by: Actor) -> list[CallFigures]:
    """Figures of the actor's calls: each call as a whole, then by administrative district (Regierungsbezirk)."""
    found: list[CallFigures] = []
    with by.acting():
        for call in Call.objects.filter(authority_id=by.staff_of).order_by("id"):
            cases = Case.objects.filter(authority_id=by.staff_of, offer_id=call.offer_id)
            budget = Budget.objects.filter(call=call).aggregate(
                amount=Sum("amount"), committed=Sum("committed")
            )
            free = (budget["amount"] or Decimal(0)) - (budget["committed"] or Decimal(0))
            sums = {
                row["case__applicant__region"]: row["amount"]
                for row in Booking.objects.filter(budget__call=call)
                .values("case__applicant__region")
                .annotate(amount=Sum("amount"))
            }
            granted = Q(outcome__in=[Outcome.GRANTED, Outcome.PARTLY])
            excepted = Q(findings__excepted_at__isnull=False)
            rows = list(
                cases.values("applicant__region")
                .annotate(
                    applications=Count("id", distinct=True),
                    approved=Count("id", distinct=True, filter=granted),
                    notified=Count("notices", distinct=True),
                    exceptions=Count("id", distinct=True, filter=excepted),
                )
                .order_by("applicant__region")
            )
            total = CallFigures(
                call.title,
                "",
                sum(row["applications"] for row in rows),
                sum(row["approved"] for row in rows),
                sum(row["notified"] for row in rows),
                sum(row["exceptions"] for row in rows),
                sum(sums.values(), Decimal(0)),
                free,
            )
            found.append(total)
            found += [
                CallFigures(
                    call.title,
                    row["applicant__region"],
                    row["applications"],
                    row["approved"],
                    row["notified"],
                    row["exceptions"],
                    sums.get(row["applicant__region"], Decimal(0)),
                    None,
                )
                for row in rows
            ]
    return found
