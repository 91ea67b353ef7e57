"""What was applied for, and the case that it became."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from rathaus.casework.cases.enums import (
    CaseState,
    Outcome,
)
from rathaus.casework.cases.models.shared import OWN_PARTY, account_key
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel


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
    submitted_by = account_key()

    class Meta:
        verbose_name = "Antrag"
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="application_number_once"),
            # What the foreign key of `Case.application` points to together with the case.
            models.UniqueConstraint(fields=["id", "case"], name="application_of_case"),
        ]
