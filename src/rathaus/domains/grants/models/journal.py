"""The journal: every movement of money as a balanced set of postings, written once. The database keeps the balances."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.domains.grants.enums import SOURCES, Account, MovementKind


class Movement(TenantModel):
    """Geldbewegung: one business event with its postings. `key` names that event and keeps it from being booked twice."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=MovementKind.choices)
    grant = models.ForeignKey("grants.Grant", models.PROTECT, null=True, related_name="movements")
    text = models.CharField("Buchungstext", max_length=200, blank=True)
    booked_on = models.DateField("Buchungstag", default=clock.today)
    booked_at = models.DateTimeField(default=clock.now)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "Geldbewegung"
        constraints = [models.UniqueConstraint(fields=["authority", "key"], name="movement_once")]
        indexes = [models.Index(fields=["grant", "id"], name="movement_by_grant")]


class Posting(TenantModel):
    """Buchung: an amount on an account of a budget line. Those of a movement add up to zero on each line."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    movement = models.ForeignKey(Movement, models.PROTECT, related_name="postings")
    line = models.ForeignKey("grants.BudgetLine", models.PROTECT, related_name="+")
    grant = models.ForeignKey("grants.Grant", models.PROTECT, null=True, related_name="+")
    account = models.CharField("Konto", max_length=16, choices=Account.choices)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = "Buchung"
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="posting_not_zero")]
        indexes = [models.Index(fields=["movement"], name="posting_by_movement")]


class Balance(TenantModel):
    """Saldo of an account of a line, for a grant or (none) for the line itself. Written by the database alone."""

    tenancy: ClassVar = Tenancy(rights="SELECT")

    line = models.ForeignKey("grants.BudgetLine", models.PROTECT, related_name="balances")
    grant = models.ForeignKey("grants.Grant", models.PROTECT, null=True, related_name="balances")
    account = models.CharField("Konto", max_length=16, choices=Account.choices)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = "Saldo"
        constraints = [
            models.UniqueConstraint(
                fields=["line", "grant", "account"], name="balance_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(account__in=sorted(SOURCES), amount__lte=0)
                | (~Q(account__in=sorted(SOURCES)) & Q(amount__gte=0)),
                name="balance_not_overdrawn",
            ),
        ]
        indexes = [models.Index(fields=["grant", "account"], name="balance_by_grant")]
