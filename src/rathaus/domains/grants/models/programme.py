"""What there is to give: programmes, their measures with money by year, and calls."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.domains.grants.enums import LineKind


class Programme(TenantModel):
    """Förderprogramm of a granting authority. Public. Payments leave its account."""

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    key = models.SlugField(max_length=80)
    title = models.CharField("Titel", max_length=200)
    summary = models.TextField("Kurzbeschreibung", blank=True)
    legal_basis = models.CharField("Grundlage", max_length=200, blank=True)
    payer_name = models.CharField("Kontoinhaber", max_length=70, blank=True)
    payer_iban = models.CharField("IBAN des Programmkontos", max_length=34, blank=True)

    class Meta:
        verbose_name = "Förderprogramm"
        constraints = [models.UniqueConstraint(fields=["authority", "key"], name="programme_key_once")]


class Measure(TenantModel):
    """Maßnahme: a part of a programme with money of its own, e.g. the platform or projects of municipalities. Public."""

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="measures")
    key = models.SlugField(max_length=80)
    title = models.CharField("Titel", max_length=200)

    class Meta:
        verbose_name = "Maßnahme"
        constraints = [models.UniqueConstraint(fields=["authority", "key"], name="measure_key_once")]


class BudgetLine(TenantModel):
    """Mittel of a measure in a year. What is on it says the journal."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="lines")
    year = models.PositiveSmallIntegerField("Haushaltsjahr")
    kind = models.CharField("Art", max_length=12, choices=LineKind.choices, default=LineKind.CASH)

    class Meta:
        verbose_name = "Mittel"
        constraints = [models.UniqueConstraint(fields=["measure", "year", "kind"], name="line_once")]


class Call(TenantModel):
    """Förderaufruf: a round of a measure. Applications come in through its offer, whose terms are its limits."""

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="calls")
    offer = models.OneToOneField("services.Offer", models.PROTECT, related_name="call")
    key = models.SlugField(max_length=80)
    title = models.CharField("Titel", max_length=200)

    class Meta:
        verbose_name = "Förderaufruf"
        constraints = [models.UniqueConstraint(fields=["authority", "key"], name="call_key_once")]


class Allotment(TenantModel):
    """Zuteilung: the most a municipality may get in a call that shares its money among all."""

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    call = models.ForeignKey(Call, models.PROTECT, related_name="allotments")
    recipient = models.ForeignKey("authorities.Authority", models.PROTECT, related_name="+")
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = "Zuteilung"
        constraints = [
            models.UniqueConstraint(fields=["call", "recipient"], name="allotment_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="allotment_not_negative"),
        ]
