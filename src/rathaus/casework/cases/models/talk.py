"""What is said between the authority, the applicant and its partners."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from rathaus.casework.cases.enums import (
    ConfirmationState,
    Sender,
)
from rathaus.casework.cases.models.case import Case
from rathaus.casework.cases.models.shared import OWN_PARTY, account_key, pair
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel


class Message(TenantModel):
    """Nachricht between authority and applicant."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    case = models.ForeignKey(Case, models.PROTECT, related_name="messages")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    sender = models.CharField(max_length=12, choices=Sender.choices)
    sender_name = models.CharField(max_length=200)
    body = models.TextField("Nachricht")
    sent_at = models.DateTimeField(default=clock.now)
    sent_by = account_key()
    answer_until = models.DateField("Antwort bis", null=True, blank=True)
    allows_correction = models.BooleanField("Angaben dürfen berichtigt werden", default=False)

    class Meta:
        verbose_name = "Nachricht"
        indexes = [models.Index(fields=["case", "id"], name="message_by_case")]


class Confirmation(TenantModel):
    """Bestätigung: what a partner that an application names is asked to agree to, and its answer.

    The partner sees this row and nothing else of the case, so it says all that they need to know.
    """

    tenancy: ClassVar = Tenancy(
        applicant_reads="party_id = {parties} OR applicant_party_id = {parties}",
        rights="SELECT, INSERT",
        changes=("state", "answered_at", "answered_by_id", "note"),
    )

    case = models.ForeignKey(Case, models.PROTECT, related_name="confirmations")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    partner = models.ForeignKey("authorities.Authority", models.PROTECT, related_name="+")
    applicant_party = models.ForeignKey(
        "identity.Party", models.PROTECT, related_name="+", db_constraint=False
    )
    applicant_name = models.CharField("Antragstellende", max_length=200)
    reference = models.CharField("Vorgangsnummer", max_length=40)
    service = models.CharField("Leistung", max_length=200)
    title = models.CharField("Vorhaben", max_length=200)
    role = models.CharField("Rolle", max_length=200)
    text = models.TextField("was bestätigt wird")
    state = models.CharField(
        "Stand", max_length=12, choices=ConfirmationState.choices, default=ConfirmationState.OPEN
    )
    asked_at = models.DateTimeField("gefragt am", default=clock.now)
    answered_at = models.DateTimeField("beantwortet am", null=True, blank=True)
    answered_by = account_key()
    note = models.TextField("Grund", blank=True)

    class Meta:
        verbose_name = "Bestätigung"
        constraints = [
            pair("answered_at", "answered_by", "confirmation_answered_pair"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[ConfirmationState.CONFIRMED, ConfirmationState.DECLINED],
                    answered_at__isnull=False,
                )
                | Q(state=ConfirmationState.OPEN, answered_at=None)
                | Q(state=ConfirmationState.OBSOLETE),
                name="confirmation_answered_iff_at",
            ),
            models.CheckConstraint(
                condition=~Q(state=ConfirmationState.DECLINED) | ~Q(note=""), name="confirmation_declined_why"
            ),
            models.UniqueConstraint(
                fields=["case", "partner"],
                condition=~Q(state=ConfirmationState.OBSOLETE),
                name="confirmation_once",
            ),
        ]
        indexes = [models.Index(fields=["party", "-asked_at"], name="confirmation_by_party")]
