"""Money on its way back: claims fixed by a notice, instalments, receipts, and the base rates for interest."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from rathaus.casework.cases.models import OWN_PARTY, pair
from rathaus.core import clock
from rathaus.core.tenancy import Shared, Tenancy, TenantModel, new_id
from rathaus.domains.grants.enums import ClaimReason


class Claim(TenantModel):
    """Rückforderung, fixed by a notice (VwVfG § 49a (1)). Amounts in euros; what is still open says the journal.

    `steps` explain the amounts; interest runs from `interest_from`.
    """

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    grant = models.ForeignKey("grants.Grant", models.PROTECT, related_name="claims")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="claim")
    reason = models.CharField(max_length=16, choices=ClaimReason.choices)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)
    interest = models.DecimalField("Zinsen", max_digits=14, decimal_places=2, default=0)
    interest_from = models.DateField("Zinsen ab", null=True)
    interest_until = models.DateField("Zinsen bis", null=True)
    steps: models.JSONField[Any] = models.JSONField("Rechenweg", default=list)
    due_on = models.DateField("fällig am")
    made_on = models.DateField(default=clock.today)
    settled_on = models.DateField("erledigt am", null=True)
    waived_at = models.DateTimeField(null=True)
    waived_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    waived_reason = models.TextField("Grund des Erlasses", blank=True)

    class Meta:
        verbose_name = "Rückforderung"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0, interest__gte=0), name="claim_not_negative"),
            models.CheckConstraint(condition=Q(amount__gt=0) | Q(interest__gt=0), name="claim_of_something"),
            pair("waived_at", "waived_by", "claim_waived_pair"),
            models.CheckConstraint(
                condition=Q(waived_at=None, waived_reason="")
                | (Q(waived_at__isnull=False) & ~Q(waived_reason="")),
                name="claim_waiver_has_reason",
            ),
        ]


class Instalment(TenantModel):
    """Rate of a claim, agreed on. Those of a claim add up to what was open when they were agreed."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="instalments")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    number = models.PositiveSmallIntegerField("Rate")
    due_on = models.DateField("fällig am")
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)
    is_replaced = models.BooleanField("durch neue Vereinbarung ersetzt", default=False)

    class Meta:
        verbose_name = "Rate einer Rückforderung"
        constraints = [
            models.UniqueConstraint(
                fields=["claim", "number"], condition=Q(is_replaced=False), name="instalment_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="instalment_positive"),
        ]


class Receipt(TenantModel):
    """Zahlungseingang on a claim. `reference` (of the cash system) keeps it from being booked twice."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY, rights="SELECT, INSERT")

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="receipts")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    reference = models.CharField("Kassenzeichen des Eingangs", max_length=80)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)
    received_on = models.DateField("eingegangen am")
    booked_at = models.DateTimeField(default=clock.now)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "Zahlungseingang"
        constraints = [
            models.UniqueConstraint(fields=["authority", "reference"], name="receipt_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="receipt_positive"),
        ]


class BaseRate(models.Model):
    """Basiszinssatz (BGB § 247) from a day on, entered when the Bundesbank made it known; adds to the law's table.

    Nothing is changed: a wrong one is corrected by another person's row, and the last of a day holds.
    """

    tenancy: ClassVar = Shared("the base rate is federal law", rights="SELECT, INSERT")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    valid_from = models.DateField("gültig ab")
    rate = models.DecimalField("Prozentpunkte", max_digits=5, decimal_places=2)
    source = models.CharField("Fundstelle", max_length=200)
    entered_at = models.DateTimeField(default=clock.now)
    entered_by = models.UUIDField(null=True)
    corrects = models.OneToOneField("self", models.PROTECT, null=True, related_name="corrected_by")

    class Meta:
        verbose_name = "Basiszinssatz"
        constraints = [
            models.UniqueConstraint(fields=["valid_from"], condition=Q(corrects=None), name="base_rate_once"),
        ]
