"""Public services as data: packages, their immutable versions, and who offers which."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from rathaus.casework.services.enums import Opening
from rathaus.casework.services.packages import package_of
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


class Window(NamedTuple):
    """When an offer takes applications: whether at all, and from and until which moment; None is without limit."""

    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None


class Offer(TenantModel):
    """Angebot: an authority offers a service, on its own terms. Everybody may read it.

    `terms` are those in force. They name their offer, so both are made in one transaction.
    """

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    service = models.ForeignKey(Service, models.PROTECT, related_name="offers")
    version = models.ForeignKey(ServiceVersion, models.PROTECT, related_name="offers")
    slug = models.SlugField(max_length=120, unique=True)
    title = models.CharField("Titel", max_length=200)
    prefix = models.CharField("Kürzel der Vorgangsnummer", max_length=12)
    # The database holds that they are terms of this offer (migration `terms`), with one key over both columns.
    terms = models.ForeignKey(
        "services.Terms", models.PROTECT, related_name="+", db_constraint=False, verbose_name="Bedingungen"
    )
    opens_at = models.DateTimeField("offen ab", null=True, blank=True)
    closes_at = models.DateTimeField("offen bis", null=True, blank=True)
    is_open = models.BooleanField("angeboten", default=True)
    opening = models.CharField(
        "wird begonnen", max_length=12, choices=Opening.choices, default=Opening.APPLICATION
    )

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters in force, for what begins now. A case has its own (`Case.parameters`)."""
        parameters: Mapping[str, Any] = self.terms.parameters
        return parameters

    @property
    def window(self) -> Window:
        """When it takes applications."""
        return Window(self.is_open, self.opens_at, self.closes_at)

    class Meta:
        verbose_name = "Angebot"
        constraints = [
            models.UniqueConstraint(fields=["authority", "prefix"], name="offer_prefix_once"),
            models.CheckConstraint(
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
                name="offer_window_order",
            ),
        ]


class Terms(TenantModel):
    """Bedingungen: a version of an offer's parameters. Never changes; a case keeps those under which it was handed in."""

    tenancy: ClassVar = Tenancy(everyone_reads="true", rights="SELECT, INSERT")

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="all_terms")
    number = models.PositiveIntegerField("Nummer")
    parameters: models.JSONField[Any] = models.JSONField("Parameter")
    note = models.CharField("Grund", max_length=500)
    set_at = models.DateTimeField(default=clock.now)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    set_function = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = "Bedingungen"
        constraints = [
            models.UniqueConstraint(fields=["offer", "number"], name="terms_number_once"),
            models.UniqueConstraint(
                fields=["id", "offer"], name="terms_of_offer"
            ),  # what offers and cases refer to
            models.CheckConstraint(condition=Q(number__gte=1), name="terms_number_from_one"),
        ]

    def values_for(self, version: UUID) -> Mapping[str, Any]:
        """The parameters as this version of the service reads them: what the terms do not name is as in the package.

        An application may be on an older version than the terms, which then lack what only the older one asks.
        """
        return {**package_of(version).manifest.parameter, **self.parameters}
