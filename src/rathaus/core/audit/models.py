"""What happened, in order, and the seals that show if somebody changed it afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from rathaus.core.clock import SIMULATED_AT
from rathaus.core.tenancy import Tenancy, TenantModel


class Event(TenantModel):
    """Ereignis: one change, written in the transaction of the change. The database sets time and transaction."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    name = models.CharField(max_length=80)
    case_id = models.UUIDField(null=True)
    account_id = models.UUIDField(null=True)
    function = models.CharField(max_length=80)
    data: models.JSONField[Any] = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())
    transaction = models.BigIntegerField(db_default=0)

    class Meta:
        verbose_name = "Ereignis"
        indexes = [
            models.Index(fields=["case_id", "id"], name="event_by_case"),
            models.Index(fields=["authority", "transaction"], name="event_by_transaction"),
        ]

    @property
    def happened_at(self) -> datetime:
        """When it happened: as the database says, but in a preview that lived at another time, then."""
        told = self.data.get(SIMULATED_AT)
        return datetime.fromisoformat(told) if told else self.at


class Block(TenantModel):
    """Siegel: a run of events under one hash, which covers the hash of the block before."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    number = models.PositiveIntegerField()
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    root = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        help_text="hash over the events; empty in the first blocks of old",
    )
    event_ids = ArrayField(models.UUIDField())
    horizon = models.BigIntegerField(help_text="every event of an earlier transaction lies in a block")
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "Siegel"
        constraints = [models.UniqueConstraint(fields=["authority", "number"], name="block_number_once")]
