"""Authorities: who grants, who decides, and, as municipalities, who applies. The register is public."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.tenancy import Shared, new_id


class Authority(models.Model):
    """Behörde: the tenant. Territorial changes are normal, so it has a period of validity and a successor."""

    tenancy: ClassVar = Shared("public register of authorities")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField("Art", max_length=20, choices=AuthorityKind.choices)
    name = models.CharField("Name", max_length=200)
    label = models.CharField("Bezeichnung", max_length=200, help_text="mit Art: Gemeinde Lahnau")
    sort_key = models.CharField(max_length=200, help_text="DIN 5007-1")
    slug = models.SlugField(max_length=120, unique=True)
    ags = models.CharField("Amtlicher Gemeindeschlüssel", max_length=8, blank=True)
    land = models.CharField("Land", max_length=2, default="HE")
    region = models.CharField("Regierungsbezirk", max_length=60, blank=True)
    county = models.CharField("Landkreis", max_length=120, blank=True)
    population = models.PositiveIntegerField("Einwohner", null=True, blank=True)
    street = models.CharField("Straße", max_length=120, blank=True)
    postal_code = models.CharField("Postleitzahl", max_length=5, blank=True)
    city = models.CharField("Ort", max_length=120, blank=True)
    valid_from = models.DateField("gültig ab", default=date(1949, 5, 23))
    valid_until = models.DateField("gültig bis", null=True, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="predecessors")

    class Meta:
        verbose_name = "Behörde"
        constraints = [
            models.UniqueConstraint(fields=["ags"], condition=~Q(ags=""), name="authority_ags_once"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="authority_valid_order",
            ),
            models.CheckConstraint(
                condition=Q(successor=None) | Q(valid_until__isnull=False),
                name="authority_successor_after_end",
            ),
            models.CheckConstraint(
                condition=Q(successor=None) | ~Q(successor=F("id")), name="authority_successor_is_another"
            ),
        ]
        indexes = [models.Index(fields=["sort_key", "id"], name="authority_by_name")]

    def __str__(self) -> str:
        return self.label

    def has_ended(self, day: date) -> bool:
        """Whether the authority exists no more on a day. On the day of `valid_until` it still does."""
        return self.valid_until is not None and self.valid_until < day

    @property
    def address(self) -> list[str]:
        """Lines below the name, as on an envelope."""
        place = f"{self.postal_code} {self.city}".strip()
        return [line for line in (self.street, place) if line]
