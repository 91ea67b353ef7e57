"""Named reads of the register."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.law.names import sort_key


def valid_on(day: date) -> QuerySet[Authority]:
    """Authorities that exist on a day."""
    return Authority.objects.filter(valid_from__lte=day).filter(Q(valid_until=None) | Q(valid_until__gte=day))


def municipalities(day: date, *, land: str) -> QuerySet[Authority]:
    """Towns, municipalities and counties of a Land, by name after DIN 5007."""
    kinds = [AuthorityKind.MUNICIPALITY, AuthorityKind.COUNTY]
    return valid_on(day).filter(kind__in=kinds, land=land).order_by("sort_key", "id")


def by_ags(keys: Iterable[str]) -> dict[str, Authority]:
    """Register entries by municipality key; unknown keys are missing from the answer."""
    return {
        authority.ags: authority
        for authority in Authority.objects.filter(ags__in=[key for key in keys if key])
    }


def search(text: str, day: date, *, land: str, limit: int = 20) -> list[Authority]:
    """Municipalities whose name begins with or contains `text`, for the picker."""
    key = sort_key(text.strip())
    found = municipalities(day, land=land).filter(Q(sort_key__contains=key) | Q(ags=text.strip()))
    return list(found[:limit])
