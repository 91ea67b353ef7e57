"""What grants keep of an application before there is a grant: the project as applied for, and an early start."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel


class Project(TenantModel):
    """Beantragtes Vorhaben, as its last check of the rules saw it. Only the authority reads it: overlapping projects of
    one municipality are compared, whoever applied."""

    tenancy: ClassVar = Tenancy()

    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="project")
    call = models.ForeignKey("grants.Call", models.PROTECT, related_name="projects")
    recipient = models.ForeignKey("authorities.Authority", models.PROTECT, null=True, related_name="+")
    partners: models.JSONField[Any] = models.JSONField("Partner", default=list, help_text="AGS")
    subject = models.CharField("Gegenstand oder Handlungsfeld", max_length=120, blank=True)
    begins_on = models.DateField("Beginn")
    ends_on = models.DateField("Ende")

    class Meta:
        verbose_name = "beantragtes Vorhaben"
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("begins_on")), name="project_period_order")
        ]
        indexes = [models.Index(fields=["recipient", "begins_on", "ends_on"], name="project_by_recipient")]


class EarlyStart(TenantModel):
    """Zugelassener vorzeitiger Maßnahmenbeginn: the applicant may begin before the award, at their own risk (VV Nr. 1.3)."""

    tenancy: ClassVar = Tenancy()

    application = models.OneToOneField("cases.Case", models.PROTECT, related_name="early_start")
    case = models.OneToOneField("cases.Case", models.PROTECT, related_name="+")
    begins_on = models.DateField("Beginn ab")
    allowed_on = models.DateField("zugelassen am", default=clock.today)

    class Meta:
        verbose_name = "vorzeitiger Maßnahmenbeginn"
        constraints = [
            models.CheckConstraint(
                condition=Q(begins_on__gte=F("allowed_on")), name="early_start_not_backwards"
            )
        ]
