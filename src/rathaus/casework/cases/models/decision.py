"""What was decided, how it was told, and what was done against it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from rathaus.casework.cases.enums import (
    DecisionState,
    Outcome,
    RemedyForm,
    RemedyResult,
)
from rathaus.casework.cases.models.case import Case, label_of
from rathaus.casework.cases.models.shared import OWN_PARTY, account_key, pair
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel


class Decision(TenantModel):
    """Entscheidung: proposed by one, decided by another, or automatic. The applicant sees it once it is notified."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY + " AND notified_at IS NOT NULL")

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    outcome = models.CharField("Ergebnis", max_length=20, choices=Outcome.choices)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2, null=True, blank=True)
    reasons = models.TextField("Begründung")
    details: models.JSONField[Any] = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=DecisionState.choices, default=DecisionState.PROPOSED)
    is_automatic = models.BooleanField("ohne Mensch entschieden (§ 35a VwVfG)", default=False)
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = account_key()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = account_key()
    decided_function = models.CharField(max_length=80, blank=True)
    return_note = models.TextField("Grund der Rückgabe", blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "Entscheidung"
        constraints = [
            pair("proposed_at", "proposed_by", "decision_proposed_pair"),
            models.CheckConstraint(
                condition=Q(is_automatic=True, proposed_by=None, decided_by=None)
                | Q(is_automatic=False, proposed_by__isnull=False),
                name="decision_person_or_machine",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="decision_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(state=DecisionState.PROPOSED, decided_at=None)
                | (~Q(state=DecisionState.PROPOSED) & Q(decided_at__isnull=False)),
                name="decision_decided_iff_at",
            ),
            models.CheckConstraint(
                condition=Q(is_automatic=True)
                | Q(decided_at=None)
                | Q(decided_by__isnull=False)
                | Q(state=DecisionState.OBSOLETE),  # a proposal on an application that was withdrawn
                name="decision_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.WITHDRAWN), name="decision_says_what_was_decided"
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0), name="decision_amount_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(notified_at=None) | Q(state=DecisionState.DECIDED),
                name="decision_notified_after_decided",
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(state="proposed"), name="decision_one_proposal"
            ),
            models.UniqueConstraint(fields=["case"], condition=Q(state="decided"), name="decision_one_final"),
        ]

    @property
    def outcome_label(self) -> str:
        """The outcome in the words of the service."""
        return label_of(self.case, self.outcome)


class Notice(TenantModel):
    """Bescheid: the decision as a letter, with the day it counts as notified and the end of the remedy.

    `waived_*`: the applicant gave up every remedy (Rechtsbehelfsverzicht), which makes it final on that day.
    """

    tenancy: ClassVar = Tenancy(
        applicant_reads=OWN_PARTY,
        rights="SELECT, INSERT",
        changes=("read_at", "waived_at", "waived_by_id"),
    )

    case = models.ForeignKey(Case, models.PROTECT, related_name="notices")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="notice")
    document = models.OneToOneField("records.Document", models.PROTECT, related_name="notice")
    issued_on = models.DateField("Datum")
    deemed_on = models.DateField("gilt als bekannt gegeben am")
    remedy = models.CharField("Rechtsbehelf", max_length=12)
    remedy_until = models.DateField("Rechtsbehelf bis")
    read_at = models.DateTimeField("abgerufen am", null=True, blank=True)
    waived_at = models.DateTimeField("auf Rechtsbehelf verzichtet am", null=True, blank=True)
    waived_by = account_key()

    class Meta:
        verbose_name = "Bescheid"
        constraints = [
            pair("waived_at", "waived_by", "notice_waived_pair"),
            models.CheckConstraint(
                condition=Q(deemed_on__gte=F("issued_on")), name="notice_deemed_after_issue"
            ),
            models.CheckConstraint(
                condition=Q(remedy_until__gt=F("deemed_on")), name="notice_remedy_after_deemed"
            ),
        ]


class Remedy(TenantModel):
    """Rechtsbehelf: an objection or action against a notice, as the authority noted it. The applicant reads it all."""

    tenancy: ClassVar = Tenancy(
        applicant_reads=OWN_PARTY,
        rights="SELECT, INSERT",
        changes=("settled_on", "result", "settled_at", "settled_by_id", "settled_note"),
    )

    case = models.ForeignKey(Case, models.PROTECT, related_name="remedies")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    notice = models.ForeignKey(Notice, models.PROTECT, related_name="remedies")
    kind = models.CharField("Art", max_length=12, choices=RemedyForm.choices)
    received_on = models.DateField("eingegangen am")
    note = models.TextField("Vermerk", blank=True)
    noted_at = models.DateTimeField(default=clock.now)
    noted_by = account_key()
    settled_on = models.DateField("unanfechtbar erledigt am", null=True, blank=True)
    result = models.CharField("Ausgang", max_length=12, choices=RemedyResult.choices, blank=True)
    settled_note = models.TextField("Vermerk zum Ausgang", blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = account_key()

    class Meta:
        verbose_name = "Rechtsbehelf"
        constraints = [
            pair("noted_at", "noted_by", "remedy_noted_pair"),
            pair("settled_at", "settled_by", "remedy_settled_pair"),
            models.CheckConstraint(
                condition=Q(settled_on=None, settled_at=None, result="", settled_note="")
                | (Q(settled_on__isnull=False, settled_at__isnull=False) & ~Q(result="")),
                name="remedy_settled_whole",
            ),
            models.CheckConstraint(
                condition=Q(settled_on=None) | Q(settled_on__gte=F("received_on")),
                name="remedy_settled_after_received",
            ),
            models.UniqueConstraint(
                fields=["notice", "kind"], condition=Q(settled_on=None), name="remedy_open_once"
            ),
        ]
        indexes = [models.Index(fields=["case", "id"], name="remedy_by_case")]
