"""Payments of a programme: what waits for a run, the runs, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import PaymentState
from rathaus.domains.grants.models import Payment, PaymentRun, Programme
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.queries.scope import of_programme

SHOWN = 200  # rows of a list on one page


@dataclass(frozen=True)
class Waiting:
    """Ordered payments that are in no run yet: how many, their sum in euros, and the oldest of them."""

    count: int
    total: Decimal
    payments: list[Payment]


def own_programme(by: Actor, key: str) -> Programme:
    """A programme of the actor's authority. Raises Programme.DoesNotExist for any other."""
    return Programme.objects.get(authority_id=by.staff_of, key=key)


def waiting_payments(programme: Programme) -> Waiting:
    """What was ordered and waits for a run, oldest first."""
    found = _payments(programme).filter(state=PaymentState.ORDERED)
    counted = found.aggregate(count=Count("id"), total=Sum("amount"))
    rows = found.select_related("grant", "drawdown__case").order_by("id")[:SHOWN] if counted["count"] else []
    return Waiting(counted["count"], counted["total"] or NOTHING, list(rows))


def returned_payments(programme: Programme) -> list[Payment]:
    """What came back and was not ordered anew, oldest first."""
    again = Payment.objects.filter(drawdown_id=OuterRef("drawdown_id")).exclude(state=PaymentState.RETURNED)
    found = _payments(programme).filter(~Exists(again), state=PaymentState.RETURNED)
    newer = Payment.objects.filter(drawdown_id=OuterRef("drawdown_id"), id__gt=OuterRef("id"))
    return list(found.filter(~Exists(newer)).select_related("grant", "drawdown__case").order_by("id")[:SHOWN])


def _payments(programme: Programme) -> QuerySet[Payment]:
    return Payment.objects.filter(
        of_programme(programme, "grant__call_id"), authority_id=programme.authority_id
    )


def runs_of(programme: Programme, *, before: int | None = None, size: int = 20) -> list[PaymentRun]:
    """Runs with payments in them, newest first, each with the counts `paid` and `returned`."""
    runs = PaymentRun.objects.filter(programme=programme, count__gt=0)
    if before is not None:
        runs = runs.filter(number__lt=before)
    return list(_with_counts(runs).order_by("-number")[:size])


def run_of(programme: Programme, number: int) -> PaymentRun:
    """A run of a programme with its counts. Raises PaymentRun.DoesNotExist."""
    return _with_counts(PaymentRun.objects.filter(programme=programme)).get(number=number)


def _with_counts(runs: QuerySet[PaymentRun]) -> QuerySet[PaymentRun]:
    """Counted for the runs that are shown, not for all that there ever were."""
    return runs.select_related("prepared_by", "released_by", "programme").annotate(
        paid=_counted(PaymentState.PAID), returned=_counted(PaymentState.RETURNED)
    )


def _counted(state: PaymentState) -> Coalesce:
    payments = Payment.objects.filter(run=OuterRef("pk"), state=state).order_by().values("run")
    return Coalesce(Subquery(payments.annotate(count=Count("id")).values("count")), 0)


def payments_of(run: PaymentRun) -> list[Payment]:
    """All payments of a run in the order of its file."""
    return list(run.payments.select_related("grant", "drawdown__case").order_by("id"))


def own_payment(programme: Programme, payment: UUID) -> Payment:
    """A payment of a programme. Raises Payment.DoesNotExist for any other."""
    found: Payment = _payments(programme).select_related("grant", "drawdown__case", "run").get(id=payment)
    return found


def newest_try(payment: Payment) -> Payment:
    """The last payment of the same drawdown: the one that took the place of one that came back."""
    return Payment.objects.filter(drawdown_id=payment.drawdown_id).order_by("-id").first() or payment
