"""Content, kept once under its own hash."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from rathaus.core import clock
from rathaus.core.tenancy import Tenancy, TenantModel


class Blob(TenantModel):
    """Inhalt: bytes that an authority keeps. The same bytes lie in the store once, whoever keeps them."""

    tenancy: ClassVar = Tenancy(
        applicant_reads="party_id = {parties}",
        applicant_writes="party_id = {parties}",
        rights="SELECT, INSERT",
    )

    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    party_id = models.UUIDField(null=True, help_text="who brought it, if an applicant did")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "Inhalt"
        indexes = [models.Index(fields=["authority", "sha256"], name="blob_by_hash")]
