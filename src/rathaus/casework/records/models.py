"""Documents of a case: what it is, who brought it, who may read it; the bytes lie in files."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from rathaus.casework.records.enums import DocumentKind
from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel


class Document(TenantModel):
    """Dokument of a case. `is_for_applicant` decides whether the party may read it."""

    tenancy: ClassVar = Tenancy(
        applicant_reads="party_id = {parties} AND is_for_applicant", rights="SELECT, INSERT"
    )

    case_id = models.UUIDField()
    party_id = models.UUIDField()
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    title = models.CharField("Bezeichnung", max_length=200)
    file_name = models.CharField(max_length=200)
    blob = models.ForeignKey("files.Blob", models.PROTECT, related_name="+", db_constraint=False)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    origin = models.CharField("von", max_length=200)
    message_id = models.UUIDField(null=True)
    is_for_applicant = models.BooleanField(default=True)
    filed_at = models.DateTimeField("abgelegt am", default=clock.now)

    class Meta:
        verbose_name = "Dokument"
        indexes = [models.Index(fields=["case_id", "id"], name="document_by_case")]
