"""Accounts log in. Memberships let them work for an authority, mandates let them act for a party."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from rathaus.core import clock
from rathaus.core.identity.enums import PartyKind
from rathaus.core.tenancy import Shared, Tenancy, TenantModel, new_id


class AccountManager(BaseUserManager["Account"]):
    """What Django's authentication expects of a user model."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Account:
        account = self.model(email=email.lower(), **fields)  # allauth looks up lower case
        account.set_password(password)
        account.save(using=self._db)
        return account

    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(email__iexact=username)


class Account(AbstractBaseUser):
    """Konto: who logs in. Says nothing about what it may do."""

    tenancy: ClassVar = Shared("accounts belong to people, not to an authority")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField("E-Mail-Adresse", unique=True)
    name = models.CharField("Name", max_length=120)
    is_active = models.BooleanField("aktiv", default=True)
    trust_level = models.PositiveSmallIntegerField("Vertrauensniveau", default=1)
    created_at = models.DateTimeField(default=clock.now)

    objects: ClassVar = AccountManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = "Konto"
        constraints = [
            models.CheckConstraint(condition=Q(trust_level__in=[1, 3, 4]), name="account_trust_level_known")
        ]

    def __str__(self) -> str:
        return self.name or self.email


class Membership(TenantModel):
    """Zugehörigkeit: an account works for an authority in these roles. Joined when asked, never copied."""

    tenancy: ClassVar = Tenancy(applicant_reads="account_id = {account}")

    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=60), verbose_name="Rollen")
    function = models.CharField("Funktion", max_length=80, help_text="so heißt die Person im Verlauf")

    class Meta:
        verbose_name = "Zugehörigkeit"
        constraints = [models.UniqueConstraint(fields=["authority", "account"], name="membership_once")]


class Party(models.Model):
    """Beteiligte: who applies. A person, an organisation, or an authority."""

    # What is known of an authority is kept by the authority: nobody may make themselves one.
    tenancy: ClassVar = Tenancy(
        applicant_reads="id = {parties}", applicant_writes="id = {parties} AND authority_id IS NULL"
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField("Art", max_length=20, choices=PartyKind.choices)
    name = models.CharField("Name", max_length=200)
    authority = models.OneToOneField(
        "authorities.Authority", models.PROTECT, null=True, blank=True, related_name="party"
    )
    street = models.CharField("Straße", max_length=120, blank=True)
    postal_code = models.CharField("Postleitzahl", max_length=10, blank=True)
    city = models.CharField("Ort", max_length=120, blank=True)
    email = models.EmailField("E-Mail-Adresse", blank=True)

    class Meta:
        verbose_name = "Beteiligte"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=PartyKind.AUTHORITY, authority__isnull=False)
                | (~Q(kind=PartyKind.AUTHORITY) & Q(authority=None)),
                name="party_authority_iff_kind",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> list[str]:
        """Lines below the name, as on an envelope."""
        place = f"{self.postal_code} {self.city}".strip()
        return [line for line in (self.street, place) if line]


class Mandate(models.Model):
    """Vertretung: an account may act for a party."""

    tenancy: ClassVar = Tenancy(
        authority="", applicant_reads="account_id = {account}", applicant_writes="party_id = {parties}"
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="mandates")
    party = models.ForeignKey(Party, models.CASCADE, related_name="mandates")
    function = models.CharField("Funktion", max_length=80, blank=True)
    valid_from = models.DateField(default=clock.today)
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = "Vertretung"
        constraints = [
            models.UniqueConstraint(fields=["account", "party"], name="mandate_once"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="mandate_valid_order",
            ),
        ]
