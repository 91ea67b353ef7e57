"""What several of the kernel's tables say alike."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

OWN_PARTY = "party_id = {parties}"


def pair(first: str, second: str, name: str) -> models.CheckConstraint:
    """Who and when belong together: both or neither."""
    return models.CheckConstraint(
        condition=Q(**{f"{first}__isnull": True, f"{second}__isnull": True})
        | Q(**{f"{first}__isnull": False, f"{second}__isnull": False}),
        name=name,
    )


def account_key(related: str = "+", **options: Any) -> models.ForeignKey:
    """A person of the history; empty where the machine acted."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name=related, null=True, blank=True, **options
    )
