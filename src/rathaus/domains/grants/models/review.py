"""Competition for money: what experts think of an application, and what the jury advises. Nothing of it decides."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from rathaus.casework.cases.models import pair
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.domains.grants.enums import Conflict, Verdict


class Review(TenantModel):
    """Gutachten of one expert on one application. First the declaration on ties, then scores; then it never changes.

    `scores` are whole numbers by the name of the criterion, as the terms of the case have them. What is handed in can only
    be set aside as a whole, with its reason; a trigger holds that. An assignment may go as long as nothing was declared.
    """

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT, UPDATE, DELETE")

    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="reviews")
    expert = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    function = models.CharField(
        "Funktion", max_length=80, help_text="of the expert, as pages and history say it"
    )
    assigned_at = models.DateTimeField("erbeten am", default=clock.now)
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    due_on = models.DateField("erbeten bis", null=True, help_text="asks only; a later review counts as well")
    conflict = models.CharField("Befangenheit", max_length=12, choices=Conflict.choices, blank=True)
    conflict_reason = models.TextField("Grund der Befangenheit", blank=True)
    declared_at = models.DateTimeField("erklärt am", null=True)
    scores: models.JSONField[Any] = models.JSONField("Punkte", default=dict)
    comment = models.TextField("Begründung", blank=True)
    submitted_at = models.DateTimeField("abgegeben am", null=True)
    set_aside_at = models.DateTimeField("zählt nicht mehr seit", null=True)
    set_aside_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="durch"
    )
    set_aside_reason = models.TextField(blank=True)

    class Meta:
        verbose_name = "Gutachten"
        constraints = [
            models.UniqueConstraint(fields=["case", "expert"], name="review_once"),
            models.CheckConstraint(condition=~Q(expert=F("assigned_by")), name="review_not_ones_own_errand"),
            models.CheckConstraint(
                condition=Q(conflict="", declared_at=None) | (~Q(conflict="") & Q(declared_at__isnull=False)),
                name="review_declared_iff_at",
            ),
            models.CheckConstraint(
                condition=(Q(conflict=Conflict.DECLARED) & ~Q(conflict_reason=""))
                | (~Q(conflict=Conflict.DECLARED) & Q(conflict_reason="")),
                name="review_conflict_reason",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None, scores={}, comment="")
                | (Q(submitted_at__isnull=False, conflict=Conflict.NONE) & ~Q(scores={})),
                name="review_scored_without_conflict",
            ),
            pair("set_aside_at", "set_aside_by", "review_set_aside_pair"),
            models.CheckConstraint(
                condition=Q(set_aside_at=None, set_aside_reason="")
                | (Q(set_aside_at__isnull=False, submitted_at__isnull=False) & ~Q(set_aside_reason="")),
                name="review_set_aside_why",
            ),
        ]
        indexes = [models.Index(fields=["expert", "submitted_at"], name="review_by_expert")]

    @property
    def is_open(self) -> bool:
        """Whether the expert still has to do something."""
        return self.submitted_at is None and self.conflict != Conflict.DECLARED

    @property
    def is_valid(self) -> bool:
        """Whether its scores count."""
        return self.submitted_at is not None and self.set_aside_at is None


class JuryVote(TenantModel):
    """Votum der Jury on an application, as the minutes of its session have it. Recorded once; it advises."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="jury_vote")
    verdict = models.CharField("Votum", max_length=12, choices=Verdict.choices)
    rank = models.PositiveSmallIntegerField("Rang", null=True)
    amount = models.DecimalField("empfohlener Betrag", max_digits=14, decimal_places=2, null=True)
    note = models.TextField("Begründung oder Auflagen", blank=True)
    session_on = models.DateField("Sitzung am")
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "Votum der Jury"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount=None) | (Q(amount__gt=0) & ~Q(verdict=Verdict.NO)),
                name="vote_amount_where_money",
            ),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.CONDITIONS) | ~Q(note=""), name="vote_conditions_said"
            ),
            models.CheckConstraint(condition=Q(rank=None) | Q(rank__gte=1), name="vote_rank_from_one"),
        ]
