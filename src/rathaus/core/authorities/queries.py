"""Named reads of the register."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.law.names import sort_key
from rathaus.law.text import format_date


def valid_on(day: date) -> QuerySet[Authority]:
    """Authorities that exist on a day."""
    return Authority.objects.filter(valid_from__lte=day).filter(Q(valid_until=None) | Q(valid_until__gte=day))


@dataclass(frozen=True)
class Succession:
    """A step of a territorial change: from `since` on, `authority` holds what the one before held."""

    since: date
    authority: Authority

    def __str__(self) -> str:
        return f"seit {format_date(self.since)}: {self.authority.label}"


def succession(authority: Authority, on: date) -> list[Succession]:
    """Who followed an authority until a day, in order: nobody while it exists or where no successor is known."""
    steps: list[Succession] = []
    seen = {authority.id}
    while authority.has_ended(on) and authority.successor is not None and authority.valid_until is not None:
        steps.append(Succession(authority.valid_until + timedelta(days=1), authority.successor))
        authority = authority.successor
        if authority.id in seen:  # nonsense that the register refuses; it must not hang a page
            break
        seen.add(authority.id)
    return steps


def successor_of(authority: Authority, on: date) -> Authority | None:
    """The authority that holds on a day what this one held; None while it exists, or if there is nobody."""
    steps = succession(authority, on)
    return steps[-1].authority if steps and not steps[-1].authority.has_ended(on) else None


def why_ended(authority: Authority, on: date) -> str:
    """Why nothing new begins for an authority on a day, and who is there instead; empty while it exists."""
    if not authority.has_ended(on) or authority.valid_until is None:
        return ""
    ended = f"{authority.label} gibt es seit dem {format_date(authority.valid_until + timedelta(days=1))} nicht mehr."
    holder = successor_of(authority, on)
    if holder is None:
        return ended
    key = f" (Schlüssel {holder.ags})" if holder.ags else ""
    return f"{ended} Die Rechtsnachfolge hat: {holder.label}{key}."


def municipalities(day: date, *, land: str) -> QuerySet[Authority]:
    """Towns, municipalities and counties of a Land, by name after DIN 5007."""
    kinds = [AuthorityKind.MUNICIPALITY, AuthorityKind.COUNTY]
    return valid_on(day).filter(kind__in=kinds, land=land).order_by("sort_key", "id")


def by_ags(keys: Iterable[str]) -> dict[str, Authority]:
    """Register entries by municipality key; unknown keys are missing from the answer."""
    return {
        authority.ags: authority
        for authority in Authority.objects.select_related("successor").filter(
            ags__in=[key for key in keys if key]
        )
    }


def search(text: str, day: date, *, land: str, limit: int = 20) -> list[Authority]:
    """Municipalities whose name begins with or contains `text`, for the picker."""
    key = sort_key(text.strip())
    found = municipalities(day, land=land).filter(Q(sort_key__contains=key) | Q(ags=text.strip()))
    return list(found[:limit])
