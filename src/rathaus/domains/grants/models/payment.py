"""Money on its way out: what a municipality asks for, what is ordered, sent in a run, and what the bank says."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from rathaus.casework.cases.models import OWN_PARTY, pair
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.domains.grants.enums import DrawdownState, PaymentState, RunState


class Drawdown(TenantModel):
    """Mittelabruf: a municipality asks for a part of its grant. Reports the use of what it got before.

    `used` is what of all earlier payments is spent by `used_on`.
    """

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    grant = models.ForeignKey("grants.Grant", models.PROTECT, related_name="drawdowns")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="drawdown")
    number = models.PositiveSmallIntegerField("Rate")
    year = models.PositiveSmallIntegerField("Haushaltsjahr")
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)
    iban = models.CharField("IBAN", max_length=34)
    holder = models.CharField("Kontoinhaber", max_length=70)
    used = models.DecimalField("bisher verwendet", max_digits=14, decimal_places=2, default=0)
    used_on = models.DateField("verwendet bis", null=True)
    is_final = models.BooleanField("Schlussrate", default=False)
    state = models.CharField(max_length=12, choices=DrawdownState.choices, default=DrawdownState.REQUESTED)
    requested_on = models.DateField(default=clock.today)

    class Meta:
        verbose_name = "Mittelabruf"
        constraints = [
            models.UniqueConstraint(fields=["grant", "number"], name="drawdown_number_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, used__gte=0), name="drawdown_positive"),
            models.UniqueConstraint(
                fields=["grant"], condition=Q(state="requested"), name="drawdown_one_at_a_time"
            ),
        ]


class PaymentRun(TenantModel):
    """Zahlungslauf: payments that leave in one file. Prepared by one, released by another; then the file is made."""

    tenancy: ClassVar = Tenancy()

    programme = models.ForeignKey("grants.Programme", models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField("Nummer")
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.PREPARED)
    executes_on = models.DateField("Ausführung am")
    total = models.DecimalField("Summe", max_digits=14, decimal_places=2)
    count = models.PositiveIntegerField("Zahlungen")
    blob = models.ForeignKey("files.Blob", models.PROTECT, null=True, related_name="+", db_constraint=False)
    prepared_at = models.DateTimeField(default=clock.now)
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "Zahlungslauf"
        constraints = [
            models.UniqueConstraint(fields=["authority", "number"], name="run_number_once"),
            pair("released_at", "released_by", "run_released_pair"),
            models.CheckConstraint(
                condition=Q(released_by=None) | ~Q(released_by=F("prepared_by")), name="run_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(state=RunState.PREPARED, released_at=None, blob=None)
                | (~Q(state=RunState.PREPARED) & Q(released_at__isnull=False, blob__isnull=False)),
                name="run_released_iff_at",
            ),
        ]


class Payment(TenantModel):
    """Auszahlung of a drawdown. One that came back stays; a new one takes its place."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    grant = models.ForeignKey("grants.Grant", models.PROTECT, related_name="payments")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    drawdown = models.ForeignKey(Drawdown, models.PROTECT, related_name="payments")
    run = models.ForeignKey(PaymentRun, models.PROTECT, null=True, related_name="payments")
    end_to_end = models.CharField("Ende-zu-Ende-Referenz", max_length=35)
    line = models.ForeignKey("grants.BudgetLine", models.PROTECT, related_name="+", db_constraint=False)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)
    iban = models.CharField("IBAN", max_length=34)
    holder = models.CharField("Kontoinhaber", max_length=70)
    state = models.CharField(max_length=12, choices=PaymentState.choices, default=PaymentState.ORDERED)
    ordered_on = models.DateField(default=clock.today)
    paid_on = models.DateField("ausgezahlt am", null=True)
    return_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "Auszahlung"
        constraints = [
            models.UniqueConstraint(fields=["authority", "end_to_end"], name="payment_reference_once"),
            models.UniqueConstraint(
                fields=["drawdown"], condition=~Q(state=PaymentState.RETURNED), name="payment_one_alive"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(state=PaymentState.PAID, paid_on__isnull=False)
                | Q(state=PaymentState.RETURNED)
                | (Q(state__in=[PaymentState.ORDERED, PaymentState.IN_RUN], paid_on=None)),
                name="payment_paid_iff_on",
            ),
            models.CheckConstraint(
                condition=Q(state=PaymentState.ORDERED, run=None) | ~Q(state=PaymentState.ORDERED),
                name="payment_ordered_without_run",
            ),
        ]
        indexes = [models.Index(fields=["authority", "state", "id"], name="payment_by_state")]


class ReturnFile(TenantModel):
    """Rückmeldung der Bank: a file that was taken in, once."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    identifier = models.CharField(max_length=80)
    name = models.CharField("Datei", max_length=200)
    paid = models.PositiveIntegerField(default=0)
    returned = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(
        default=0, help_text="bookings that are not ours or were told before"
    )
    taken_at = models.DateTimeField(default=clock.now)
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "Rückmeldung der Bank"
        constraints = [models.UniqueConstraint(fields=["authority", "identifier"], name="return_file_once")]
