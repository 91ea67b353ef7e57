"""A person's act for many cases at once, and each item of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from rathaus.casework.bulk.enums import ItemState
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel


class BulkRun(TenantModel):
    """Sammelbearbeitung: what was asked for, by whom, for how many. `options` are the same for all items; `amount` is
    the sum in euros that was confirmed. How far it is say its items."""

    tenancy: ClassVar = Tenancy()

    kind = models.CharField(max_length=60)
    title = models.CharField("Was", max_length=200)
    options: models.JSONField[Any] = models.JSONField(default=dict)
    total = models.PositiveIntegerField("Vorgänge")
    amount = models.DecimalField("Summe", max_digits=14, decimal_places=2, null=True)
    back_url = models.CharField(max_length=300, blank=True, help_text="where the person came from")
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_function = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "Sammelbearbeitung"
        constraints = [models.CheckConstraint(condition=Q(total__gt=0), name="bulk_run_of_something")]
        indexes = [models.Index(fields=["authority", "-requested_at"], name="bulk_run_newest")]


class BulkItem(TenantModel):
    """One of them. `target` is what the kind works on (a task, a grant), `reference` the case to look at."""

    tenancy: ClassVar = Tenancy()

    run = models.ForeignKey(BulkRun, models.PROTECT, related_name="items")
    number = models.PositiveIntegerField()
    target = models.UUIDField()
    reference = models.CharField("Vorgangsnummer", max_length=40)
    label = models.CharField("Wer", max_length=200)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2, null=True)
    state = models.CharField(max_length=12, choices=ItemState.choices, default=ItemState.WAITING)
    reason = models.TextField("Warum nicht", blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "Vorgang einer Sammelbearbeitung"
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="bulk_item_number_once"),
            models.UniqueConstraint(fields=["run", "target"], name="bulk_item_once"),
            models.CheckConstraint(
                condition=Q(state=ItemState.WAITING, settled_at=None)
                | (~Q(state=ItemState.WAITING) & Q(settled_at__isnull=False)),
                name="bulk_item_settled_iff_at",
            ),
            models.CheckConstraint(
                condition=Q(state=ItemState.FAILED) & ~Q(reason="")
                | ~Q(state=ItemState.FAILED) & Q(reason=""),
                name="bulk_item_failed_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["run", "state", "number"], name="bulk_item_by_state")]
