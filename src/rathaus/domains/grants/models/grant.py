"""A grant: what was awarded, in which versions, and what must be proven and kept afterwards."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from rathaus.casework.cases.models import OWN_PARTY
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel
from rathaus.domains.grants.enums import AwardKind, GrantState, ProofKind, ProofState


class Grant(TenantModel):
    """Zuwendung. Public from the day of its notice on, so it holds nothing that is not; but only if its recipient stands in
    the public register of authorities: what a person or a club gets is nobody else's to read.

    `amount` is what its newest award says; the database holds it equal to the journal: award = paid - repaid + open.
    `years` are the amounts by year of that award; the database writes them, so that what is public needs no other table.
    """

    tenancy: ClassVar = Tenancy(
        applicant_reads=OWN_PARTY, everyone_reads="notified_on IS NOT NULL AND recipient_id IS NOT NULL"
    )

    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="grant")
    call = models.ForeignKey("grants.Call", models.PROTECT, related_name="grants")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    recipient = models.ForeignKey("authorities.Authority", models.PROTECT, null=True, related_name="grants")
    recipient_name = models.CharField("Empfängerin", max_length=200)
    reference = models.CharField("Vorgangsnummer", max_length=40)
    title = models.CharField("Vorhaben", max_length=200)
    partners: models.JSONField[Any] = models.JSONField("Partner", default=list, help_text="AGS")
    state = models.CharField("Stand", max_length=12, choices=GrantState.choices, default=GrantState.RUNNING)
    amount = models.DecimalField("Zuwendung", max_digits=14, decimal_places=2)
    years: models.JSONField[Any] = models.JSONField(
        "Jahresbeträge", default=dict, help_text="euros by year, written by the database"
    )
    begins_on = models.DateField("Beginn", null=True)
    ends_on = models.DateField("Ende des Bewilligungszeitraums", null=True)
    proof_due_on = models.DateField("Verwendungsnachweis bis", null=True)
    earmarked_until = models.DateField("zweckgebunden bis", null=True)
    awarded_on = models.DateField("bewilligt am")
    notified_on = models.DateField("Bescheid vom", null=True)
    closed_on = models.DateField("abgeschlossen am", null=True)

    class Meta:
        verbose_name = "Zuwendung"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="grant_not_negative"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(begins_on=None) | Q(ends_on__gte=F("begins_on")),
                name="grant_period_order",
            ),
            models.CheckConstraint(
                condition=Q(state=GrantState.CLOSED, closed_on__isnull=False)
                | (~Q(state=GrantState.CLOSED) & Q(closed_on=None)),
                name="grant_closed_iff_on",
            ),
        ]
        indexes = [
            models.Index(fields=["party", "id"], name="grant_by_party"),
            models.Index(fields=["call", "state", "proof_due_on"], name="grant_by_call"),
            models.Index(
                fields=["-notified_on", "-id"],
                condition=Q(notified_on__isnull=False, recipient__isnull=False),
                name="grant_public",
            ),
        ]


class Award(TenantModel):
    """Bewilligung: a version of what was awarded; each notice makes one and all are kept as they are. Amounts in euros.

    `plan` is the binding plan of expenditure: rows with `art`, `wofuer`, `betrag`.
    """

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY, rights="SELECT, INSERT", changes=("notice_id",))

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="awards")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    number = models.PositiveSmallIntegerField("Fassung")
    kind = models.CharField(max_length=12, choices=AwardKind.choices, default=AwardKind.AWARD)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="+")
    financing = models.CharField("Finanzierungsart", max_length=12)
    amount = models.DecimalField("Zuwendung", max_digits=14, decimal_places=2)
    cost = models.DecimalField("zuwendungsfähige Ausgaben", max_digits=14, decimal_places=2)
    third_party = models.DecimalField("Mittel Dritter", max_digits=14, decimal_places=2, default=0)
    plan: models.JSONField[Any] = models.JSONField("Ausgabenplan", default=list)
    begins_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    awarded_on = models.DateField(default=clock.today)
    notice = models.ForeignKey("cases.Notice", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "Bewilligung"
        constraints = [
            models.UniqueConstraint(fields=["grant", "number"], name="award_number_once"),
            models.CheckConstraint(
                condition=Q(amount__gte=0, cost__gte=0, third_party__gte=0), name="award_not_negative"
            ),
        ]


class AwardYear(TenantModel):
    """Jahresbetrag of an award."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY, rights="SELECT, INSERT")

    award = models.ForeignKey(Award, models.PROTECT, related_name="years")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    year = models.PositiveSmallIntegerField("Haushaltsjahr")
    amount = models.DecimalField("Betrag", max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = "Jahresbetrag"
        constraints = [
            models.UniqueConstraint(fields=["award", "year"], name="award_year_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="award_year_not_negative"),
        ]


class Proof(TenantModel):
    """Nachweis: what was spent and received, and the result with its steps. Amounts in euros.

    `lines` follow the plan's order (`wofuer`, `geplant`, `betrag`); `vouchers` are the list of vouchers; `steps` the
    computation as ordered explanation rows.
    """

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="proofs")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="proof")
    kind = models.CharField(max_length=12, choices=ProofKind.choices)
    state = models.CharField(max_length=12, choices=ProofState.choices, default=ProofState.SUBMITTED)
    spent = models.DecimalField("Ausgaben", max_digits=14, decimal_places=2)
    third_party = models.DecimalField("Mittel Dritter", max_digits=14, decimal_places=2, default=0)
    lines: models.JSONField[Any] = models.JSONField(default=list)
    vouchers: models.JSONField[Any] = models.JSONField(default=list)
    due = models.DecimalField("Zuwendung nach Nachweis", max_digits=14, decimal_places=2)
    to_repay = models.DecimalField("zu erstatten", max_digits=14, decimal_places=2, default=0)
    steps: models.JSONField[Any] = models.JSONField("Rechenweg", default=list)
    submitted_on = models.DateField(default=clock.today)
    decided_on = models.DateField(null=True)

    class Meta:
        verbose_name = "Nachweis"
        constraints = [
            models.UniqueConstraint(
                fields=["grant"],
                condition=Q(kind=ProofKind.FINAL, state__in=["submitted", "accepted"]),
                name="proof_final_once",
            ),
            models.CheckConstraint(
                condition=Q(spent__gte=0, third_party__gte=0, due__gte=0, to_repay__gte=0),
                name="proof_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(state=ProofState.SUBMITTED, decided_on=None)
                | (~Q(state=ProofState.SUBMITTED) & Q(decided_on__isnull=False)),
                name="proof_decided_iff_on",
            ),
        ]


class Item(TenantModel):
    """Gegenstand im Inventar: bought with the grant, bound to its purpose until a day. Amounts in euros."""

    tenancy: ClassVar = Tenancy(applicant_reads=OWN_PARTY)

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="items")
    party = models.ForeignKey("identity.Party", models.PROTECT, related_name="+", db_constraint=False)
    name = models.CharField("Gegenstand", max_length=200)
    price = models.DecimalField("Preis", max_digits=14, decimal_places=2)
    bought_on = models.DateField("angeschafft am")
    earmarked_until = models.DateField("zweckgebunden bis")
    disposed_on = models.DateField("veräußert am", null=True)
    disposal = models.CharField("Verbleib", max_length=200, blank=True)

    class Meta:
        verbose_name = "Gegenstand"
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="item_price_positive"),
            models.CheckConstraint(
                condition=Q(earmarked_until__gte=F("bought_on")), name="item_earmarking_order"
            ),
            models.CheckConstraint(
                condition=Q(disposed_on=None) | Q(disposed_on__gte=F("bought_on")), name="item_disposal_order"
            ),
            models.CheckConstraint(
                condition=Q(disposed_on=None, disposal="") | (Q(disposed_on__isnull=False) & ~Q(disposal="")),
                name="item_disposal_said",
            ),
        ]


class Reminder(TenantModel):
    """Erinnerung that was sent, so that nobody is reminded twice of the same day."""

    tenancy: ClassVar = Tenancy(rights="SELECT, INSERT")

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="reminders")
    duty = models.CharField(max_length=80)
    due_on = models.DateField()
    days_before = models.SmallIntegerField()
    sent_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "Erinnerung"
        constraints = [
            models.UniqueConstraint(fields=["grant", "duty", "due_on", "days_before"], name="reminder_once")
        ]
