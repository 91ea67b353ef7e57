"""Where the process stands, what it waits for, who must act, and what was checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from rathaus.casework.cases.enums import (
    FindingResult,
    IncidentState,
    TaskState,
)
from rathaus.casework.cases.models.case import Case
from rathaus.casework.cases.models.shared import account_key, pair
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.engine.workflow.values import decode


class CaseProcess(models.Model):
    """Ablauf: where the process stands. Small, internal, locked first in each step."""

    tenancy: ClassVar = Tenancy()

    case = models.OneToOneField(Case, models.PROTECT, primary_key=True, related_name="process")
    authority = models.ForeignKey("authorities.Authority", models.PROTECT, related_name="+")
    version = models.ForeignKey("services.ServiceVersion", models.PROTECT, related_name="+")
    state: models.JSONField[Any] = models.JSONField()
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "Ablauf"


class Task(TenantModel):
    """Aufgabe: what a person of a role must do. The inbox is one indexed read of this table."""

    tenancy: ClassVar = Tenancy()

    case = models.ForeignKey(Case, models.PROTECT, related_name="tasks")
    token = models.CharField(max_length=40)
    element = models.CharField(max_length=80)
    title = models.CharField("Aufgabe", max_length=120)
    role = models.CharField("Rolle", max_length=60)
    form = models.CharField(max_length=80, blank=True)
    arguments: models.JSONField[Any] = models.JSONField(
        default=dict, help_text="what the process tells about the task"
    )
    state = models.CharField(max_length=12, choices=TaskState.choices, default=TaskState.OPEN)
    due_on = models.DateField("fällig am")
    created_at = models.DateTimeField(default=clock.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_by = account_key()
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = account_key()
    excluded = account_key(verbose_name="darf nicht (Vier-Augen-Prinzip)")

    @property
    def amount(self) -> Decimal | None:
        """The amount that the task is about: what the process worked out (argument `betrag`), else what was applied for."""
        told = decode(self.arguments).get("betrag")
        return round(told, 2) if isinstance(told, Decimal) else self.case.amount

    @property
    def years(self) -> dict[int, Decimal] | None:
        """How the process suggests to divide the amount among budget years (argument `jahre`: rows `jahr`, `betrag`);
        None if it says nothing."""
        told = decode(self.arguments).get("jahre")
        if not isinstance(told, list):
            return None
        return {int(row["jahr"]): round(Decimal(row["betrag"]), 2) for row in told}

    class Meta:
        verbose_name = "Aufgabe"
        constraints = [
            pair("claimed_at", "claimed_by", "task_claimed_pair"),
            pair("completed_at", "completed_by", "task_completed_pair"),
            models.CheckConstraint(
                condition=Q(state=TaskState.DONE, completed_at__isnull=False)
                | (~Q(state=TaskState.DONE) & Q(completed_at=None)),
                name="task_completed_iff_done",
            ),
            models.CheckConstraint(
                condition=Q(excluded=None) | Q(completed_by=None) | ~Q(completed_by=F("excluded")),
                name="task_four_eyes",
            ),
            models.UniqueConstraint(
                fields=["case", "token"], condition=Q(state="open"), name="task_open_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["authority", "due_on", "id"], condition=Q(state=TaskState.OPEN), name="task_inbox"
            ),
            models.Index(
                fields=["claimed_by", "due_on"], condition=Q(state=TaskState.OPEN), name="task_claimed"
            ),
            models.Index(fields=["case", "id"], name="task_by_case"),
        ]


class Timer(TenantModel):
    """Zeitpunkt, auf den ein Ablauf wartet."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT, UPDATE, DELETE")

    case = models.ForeignKey(Case, models.PROTECT, related_name="timers")
    token = models.CharField(max_length=40)
    element = models.CharField(max_length=80)
    due_at = models.DateTimeField()

    class Meta:
        verbose_name = "Zeitpunkt"
        constraints = [models.UniqueConstraint(fields=["case", "token"], name="timer_once")]
        indexes = [models.Index(fields=["authority", "due_at"], name="timer_due")]


class Subscription(TenantModel):
    """Nachricht, auf die ein Ablauf wartet."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT, UPDATE, DELETE")

    case = models.ForeignKey(Case, models.PROTECT, related_name="subscriptions")
    token = models.CharField(max_length=40)
    element = models.CharField(max_length=80)
    message = models.CharField(max_length=80)

    class Meta:
        verbose_name = "Erwartete Nachricht"
        constraints = [models.UniqueConstraint(fields=["case", "token"], name="subscription_once")]


class Incident(TenantModel):
    """Störung: an operation failed; staff see it at the case and retry."""

    tenancy: ClassVar = Tenancy()

    case = models.ForeignKey(Case, models.PROTECT, related_name="incidents")
    token = models.CharField(max_length=40)
    element = models.CharField(max_length=80)
    operation = models.CharField(max_length=80)
    arguments: models.JSONField[Any] = models.JSONField(default=dict)
    reason = models.TextField()
    state = models.CharField(max_length=12, choices=IncidentState.choices, default=IncidentState.OPEN)
    created_at = models.DateTimeField(default=clock.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = account_key()

    class Meta:
        verbose_name = "Störung"
        constraints = [
            models.CheckConstraint(
                condition=Q(state=IncidentState.RESOLVED, resolved_at__isnull=False)
                | Q(state=IncidentState.OPEN, resolved_at=None, resolved_by=None),
                name="incident_resolved_iff_at",
            ),
            models.UniqueConstraint(
                fields=["case", "token"], condition=Q(state="open"), name="incident_open_once"
            ),
        ]


class Finding(TenantModel):
    """Prüfergebnis: one rule with its value, limit and source; it advises. An exception is named, with a reason.

    A check that is made again writes another round; the earlier one stays, and only the last counts (`is_current`).
    """

    tenancy: ClassVar = Tenancy()

    case = models.ForeignKey(Case, models.PROTECT, related_name="findings")
    rule = models.CharField(max_length=60)
    title = models.CharField("Regel", max_length=120)
    source = models.CharField("Fundstelle", max_length=160)
    result = models.CharField(max_length=10, choices=FindingResult.choices)
    value = models.CharField("Wert", max_length=160)
    note = models.CharField("Hinweis", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveSmallIntegerField("Durchgang", default=1)
    is_current = models.BooleanField("aus dem letzten Durchgang", default=True)
    excepted_at = models.DateTimeField(null=True, blank=True)
    excepted_by = account_key()
    excepted_function = models.CharField(max_length=80, blank=True)
    excepted_reason = models.TextField("Begründung der Ausnahme", blank=True)

    class Meta:
        verbose_name = "Prüfergebnis"
        constraints = [
            pair("excepted_at", "excepted_by", "finding_excepted_pair"),
            models.CheckConstraint(
                condition=Q(excepted_at=None, excepted_reason="")
                | (Q(excepted_at__isnull=False, result=FindingResult.FAILED) & ~Q(excepted_reason="")),
                name="finding_exception_has_reason",
            ),
            models.UniqueConstraint(
                fields=["case", "rule"], condition=Q(is_current=True), name="finding_current_once"
            ),
            models.UniqueConstraint(fields=["case", "rule", "round"], name="finding_once_a_round"),
        ]
