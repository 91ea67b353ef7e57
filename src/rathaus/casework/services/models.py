"""Public services as data: packages, their immutable versions, and who offers which."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from rathaus.casework.services.enums import Opening
from rathaus.core import clock
from rathaus.core.tenancy import Shared, Tenancy, TenantModel, new_id


class Service(models.Model):
    """Leistung: what several authorities may offer, e.g. registering a dog."""

    tenancy: ClassVar = Shared("the library of service packages is common to all authorities")

    key = models.SlugField("Schlüssel", primary_key=True, max_length=80)
    title = models.CharField("Titel", max_length=200)

    class Meta:
        verbose_name = "Leistung"


class ServiceVersion(models.Model):
    """Fassung: a published package, addressed by the hash of its content. Never changes."""

    tenancy: ClassVar = Shared("published packages are common to all authorities", rights="SELECT, INSERT")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="versions")
    number = models.CharField("Fassung", max_length=20)
    hash = models.CharField(max_length=64, unique=True)
    files: models.JSONField[Any] = models.JSONField(help_text="path → text")
    published_at = models.DateTimeField(default=clock.now)
    published_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = "Fassung"
        constraints = [models.UniqueConstraint(fields=["service", "number"], name="version_number_once")]


class Offer(TenantModel):
    """Angebot: an authority offers a service, with its own parameters. Everybody may read it."""

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    service = models.ForeignKey(Service, models.PROTECT, related_name="offers")
    version = models.ForeignKey(ServiceVersion, models.PROTECT, related_name="offers")
    slug = models.SlugField(max_length=120, unique=True)
    title = models.CharField("Titel", max_length=200)
    prefix = models.CharField("Kürzel der Vorgangsnummer", max_length=12)
    parameters: models.JSONField[Any] = models.JSONField("Parameter", default=dict)
    opens_at = models.DateTimeField("offen ab", null=True, blank=True)
    closes_at = models.DateTimeField("offen bis", null=True, blank=True)
    is_open = models.BooleanField("angeboten", default=True)
    opening = models.CharField(
        "wird begonnen", max_length=12, choices=Opening.choices, default=Opening.APPLICATION
    )

    class Meta:
        verbose_name = "Angebot"
        constraints = [
            models.UniqueConstraint(fields=["authority", "prefix"], name="offer_prefix_once"),
            models.CheckConstraint(
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
                name="offer_window_order",
            ),
        ]
