"""The kernel's tables: what was applied for, where the case stands, who must act, what was decided and told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from rathaus.casework.cases.enums import (
    CaseState,
    ConfirmationState,
    DecisionState,
    FindingResult,
    IncidentState,
    Outcome,
    RemedyForm,
    RemedyResult,
    Sender,
    TaskState,
)
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.engine.workflow.values import decode

OWN_PARTY = "party_id = {parties}"


def pair(first: str, second: str, name: str) -> models.CheckConstraint:
    """Who and when belong together: both or neither."""
    return models.CheckConstraint(
        condition=Q(**{f"{first}__isnull": True, f"{second}__isnull": True})
        | Q(**{f"{first}__isnull": False, f"{second}__isnull": False}),
        name=name,
    )


def _account(related: str = "+", **options: Any) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name=related, null=True, blank=True, **options
    )


def label_of(case: Case, outcome: str) -> str:
    """An outcome in the words of the service that the case's offer has now."""
    found = package_of(case.offer.version_id).manifest.results.get(outcome)
    return found.name if found else str(Outcome(outcome).label)


class Draft(TenantModel):
    """Entwurf: an application being filled in. Only the party sees it, the authority does not."""

    tenancy: ClassVar = Tenancy(
        authority="",
        applicant_writes=OWN_PARTY,
        housekeeping="expires_on < current_date",
        rights="SELECT, INSERT, UPDATE, DELETE",
    )

    offer = models.ForeignKey("services.Offer", models.PROTECT, related_name="+")
    version = models.ForeignKey("services.ServiceVersion", models.PROTECT, related_name="+")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    about = models.ForeignKey(
        "cases.Case",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="bezieht sich auf",
    )
    corrects = models.ForeignKey(
        "cases.Case",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name="berichtigt den Antrag zu",
    )
    answers: models.JSONField[Any] = models.JSONField(default=dict)
    raw: models.JSONField[Any] = models.JSONField(
        default=dict, help_text="typed texts that could not be read, by name"
    )
    pages_done: models.JSONField[Any] = models.JSONField(default=list)
    created_at = models.DateTimeField(default=clock.now)
    saved_at = models.DateTimeField(default=clock.now)
    expires_on = models.DateField("bleibt erhalten bis")

    class Meta:
        verbose_name = "Entwurf"
        indexes = [models.Index(fields=["party", "-saved_at"], name="draft_by_party")]
        constraints = [
            models.UniqueConstraint(
                fields=["corrects"], condition=Q(corrects__isnull=False), name="draft_one_correction"
            )
        ]


class ReferenceCounter(TenantModel):
    """Zähler der Vorgangsnummern einer Behörde, je Kürzel und Jahr."""

    prefix = models.CharField(max_length=12)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authority", "prefix", "year"], name="counter_once")]


class Case(TenantModel):
    """Vorgang. Holds nothing that the applicant may not see; what is internal lies in the tables beside it.

    `about` is the earlier case of the same authority that this one goes on with (the database holds the authority).
    A case that the office opened is the applicant's to see from the first message or notice on.
    """

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY + " AND is_for_applicant")

    offer = models.ForeignKey("services.Offer", models.PROTECT, related_name="cases")
    # The database holds that they are terms of this offer (migration `terms`), with one key over both columns.
    terms = models.ForeignKey(
        "services.Terms",
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        verbose_name="Bedingungen",
        help_text="in force when the application was handed in; later ones do not touch the case",
    )
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    party_name = models.CharField("Antragstellende", max_length=200)
    party_address: models.JSONField[Any] = models.JSONField(default=list)
    applicant = models.ForeignKey(
        "authorities.Authority",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Kommune",
    )
    # The version in force: what was handed in first, or the newest correction. Everything that reads answers reads these.
    # Null only where row-level security hides it. The database holds that it is this case's (migration `corrections`).
    application: models.ForeignKey[Any, Any] = models.ForeignKey(
        "Application",
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name="Antrag in der geltenden Fassung",
    )
    about = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="follow_ups",
        db_index=False,
        verbose_name="bezieht sich auf",
    )
    is_for_applicant = models.BooleanField("den Antragstellenden bekannt", default=True)
    reference = models.CharField("Vorgangsnummer", max_length=40)
    title = models.CharField("Titel", max_length=200)
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2, null=True, blank=True)
    state = models.CharField("Stand", max_length=20, choices=CaseState.choices, default=CaseState.RECEIVED)
    outcome = models.CharField("Ergebnis", max_length=20, choices=Outcome.choices, blank=True)
    opened_at = models.DateTimeField("eingegangen am", default=clock.now)
    closed_at = models.DateTimeField("abgeschlossen am", null=True, blank=True)

    class Meta:
        verbose_name = "Vorgang"
        constraints = [
            models.UniqueConstraint(fields=["authority", "reference"], name="case_reference_once"),
            # What the foreign key of `about` points to together with the authority (migration 0004).
            models.UniqueConstraint(fields=["id", "authority"], name="case_of_authority"),
            models.CheckConstraint(
                condition=Q(state=CaseState.COMPLETED, closed_at__isnull=False)
                | (~Q(state=CaseState.COMPLETED) & Q(closed_at=None)),
                name="case_closed_iff_completed",
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0), name="case_amount_not_negative"
            ),
            models.CheckConstraint(condition=Q(about=None) | ~Q(about=F("id")), name="case_not_about_itself"),
        ]
        indexes = [
            models.Index(fields=["party", "-opened_at"], name="case_by_party"),
            models.Index(fields=["about", "id"], condition=Q(about__isnull=False), name="case_follow_ups"),
            models.Index(fields=["authority", "-opened_at", "id"], name="case_by_authority"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters that hold for this case: those under which its application was handed in."""
        return self.terms.values_for(self.application.version_id)

    @property
    def outcome_label(self) -> str:
        """The outcome in the words of the service; empty while there is none."""
        return label_of(self, self.outcome) if self.outcome else ""


class Application(TenantModel):
    """Antrag: what was submitted, once, unchanged. `submission` is the draft or import line it came from.

    Number 1 is what was handed in; a correction that the office asked for is another row with the next number.
    Where the office opened the case, it is what the office wrote down, and stays inside.
    """

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY + " AND NOT is_ex_officio", rights="SELECT, INSERT")

    case = models.ForeignKey(Case, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField("Fassung", default=1)
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    version = models.ForeignKey("services.ServiceVersion", models.PROTECT, related_name="+")
    answers: models.JSONField[Any] = models.JSONField()
    submission = models.UUIDField(unique=True)
    is_ex_officio = models.BooleanField("von Amts wegen", default=False)
    submitted_at = models.DateTimeField(default=clock.now)
    submitted_by = _account()

    class Meta:
        verbose_name = "Antrag"
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="application_number_once"),
            # What the foreign key of `Case.application` points to together with the case.
            models.UniqueConstraint(fields=["id", "case"], name="application_of_case"),
        ]


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
    claimed_by = _account()
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = _account()
    excluded = _account(verbose_name="darf nicht (Vier-Augen-Prinzip)")

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
    resolved_by = _account()

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
    excepted_by = _account()
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


class Message(TenantModel):
    """Nachricht between authority and applicant."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    case = models.ForeignKey(Case, models.PROTECT, related_name="messages")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    sender = models.CharField(max_length=12, choices=Sender.choices)
    sender_name = models.CharField(max_length=200)
    body = models.TextField("Nachricht")
    sent_at = models.DateTimeField(default=clock.now)
    sent_by = _account()
    answer_until = models.DateField("Antwort bis", null=True, blank=True)
    allows_correction = models.BooleanField("Angaben dürfen berichtigt werden", default=False)

    class Meta:
        verbose_name = "Nachricht"
        indexes = [models.Index(fields=["case", "id"], name="message_by_case")]


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
    proposed_by = _account()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = _account()
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
    waived_by = _account()

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
    noted_by = _account()
    settled_on = models.DateField("unanfechtbar erledigt am", null=True, blank=True)
    result = models.CharField("Ausgang", max_length=12, choices=RemedyResult.choices, blank=True)
    settled_note = models.TextField("Vermerk zum Ausgang", blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = _account()

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
    answered_by = _account()
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
