"""How a person wants to be told of the deadlines of a municipality that they act for."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from rathaus.casework.cases.models import pair
from rathaus.core.tenancy import Tenancy, new_id


class DeadlineChoice(models.Model):
    """Fristenhinweise of an account for a party: mail or none, and the secret address of a calendar, as its hash only.

    No authority's data. Whoever sends a mail to a party asks in the party's context who wants none.
    """

    tenancy: ClassVar = Tenancy(
        authority="",
        applicant_reads="account_id = {account} OR party_id = {parties}",
        applicant_writes="account_id = {account} AND party_id = {parties}",
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    party = models.ForeignKey("identity.Party", models.CASCADE, related_name="+", db_constraint=False)
    wants_mail = models.BooleanField("Erinnerungen per E-Mail", default=True)
    feed_hash = models.CharField("Kalenderadresse", max_length=64, null=True, unique=True)  # noqa: DJ001  unique
    feed_made_at = models.DateTimeField("Kalenderadresse erzeugt am", null=True)

    class Meta:
        verbose_name = "Fristenhinweise"
        constraints = [
            models.UniqueConstraint(fields=["account", "party"], name="deadline_choice_once"),
            pair("feed_hash", "feed_made_at", "deadline_choice_feed_pair"),
            models.CheckConstraint(condition=~Q(feed_hash=""), name="deadline_choice_feed_not_empty"),
        ]
