"""The money of a grant programme: what there is, for whom, and what is committed."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.domains.grants.enums import BookingKind


class Programme(TenantModel):
    """Förderprogramm of a granting authority. Public."""

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    key = models.SlugField(max_length=80)
    title = models.CharField("Titel", max_length=200)

    class Meta:
        verbose_name = "Förderprogramm"
        constraints = [models.UniqueConstraint(fields=["authority", "key"], name="programme_key_once")]


class Call(TenantModel):
    """Förderaufruf: a round of a programme. Applications come in through its offer, whose parameters are its limits."""

    tenancy: ClassVar = Tenancy(everyone_reads="true")

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="calls")
    offer = models.OneToOneField("services.Offer", models.PROTECT, related_name="call")
    key = models.SlugField(max_length=80)
    title = models.CharField("Titel", max_length=200)

    class Meta:
        verbose_name = "Förderaufruf"
        constraints = [models.UniqueConstraint(fields=["authority", "key"], name="call_key_once")]


class Budget(TenantModel):
    """Mittel of a call in a year. `committed` is kept by the database from the bookings and never exceeds `amount`."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    call = models.ForeignKey(Call, models.PROTECT, related_name="budgets")
    year = models.PositiveSmallIntegerField("Haushaltsjahr")
    amount = models.DecimalField("Mittel", max_digits=14, decimal_places=2)
    committed = models.DecimalField("gebunden", max_digits=14, decimal_places=2, default=0)

    class Meta:
        verbose_name = "Mittel"
        constraints = [
            models.UniqueConstraint(fields=["call", "year"], name="budget_year_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="budget_not_negative"),
            models.CheckConstraint(
                condition=Q(committed__gte=0, committed__lte=F("amount")), name="budget_not_exceeded"
            ),
        ]

    @property
    def free(self) -> Decimal:
        """What is left, in euros."""
        return self.amount - self.committed


class Booking(TenantModel):
    """Buchung: money of a budget committed to a case. Written once; the database adds it to the budget."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    budget = models.ForeignKey(Budget, models.PROTECT, related_name="bookings")
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="bookings")
    kind = models.CharField(max_length=12, choices=BookingKind.choices, default=BookingKind.COMMITTED)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)
    booked_at = models.DateTimeField(default=clock.now)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "Buchung"
        constraints = [
            models.UniqueConstraint(fields=["budget", "case", "kind"], name="booking_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="booking_positive"),
        ]


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
