"""How far calls are, in figures by administrative district."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from rathaus.casework.cases.enums import Outcome
from rathaus.casework.cases.models import Case
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import Account
from rathaus.domains.grants.models import Award, Balance, Call
from rathaus.domains.grants.queries.books import NOTHING


@dataclass(frozen=True)
class CallFigures:
    """How far a call is, as a whole (`region` empty) or in one administrative district. Money in euros: `amount` is what
    the notices awarded, whatever became of it, `free` what is left of the measure."""

    call: str
    region: str
    applications: int
    approved: int
    notices: int
    exceptions: int
    amount: Decimal
    free: Decimal | None


def figures(by: Actor) -> list[CallFigures]:
    """Figures of the actor's calls: each call as a whole, then by administrative district (Regierungsbezirk), where the
    Land has them."""
    found: list[CallFigures] = []
    with by.acting():
        for call in Call.objects.filter(authority_id=by.staff_of).order_by("id"):
            cases = Case.objects.filter(authority_id=by.staff_of, offer_id=call.offer_id)
            free = (
                Balance.objects.filter(line__measure_id=call.measure_id, account=Account.FREE).aggregate(
                    all=Sum("amount")
                )["all"]
                or NOTHING
            )
            sums = {
                row["grant__recipient__region"]: row["amount"]
                for row in Award.objects.filter(grant__call=call, number=1)
                .values("grant__recipient__region")
                .annotate(amount=Sum("amount"))
                .order_by()
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
                sum(sums.values(), NOTHING),
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
                    sums.get(row["applicant__region"], NOTHING),
                    None,
                )
                for row in rows
                if row["applicant__region"]
            ]
    return found
