"""What everybody may know of grants: who got what for which project. Asked without any context, so the database itself
gives nothing else; the filter here only keeps staff from seeing more than others on these pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import ExtractYear

from rathaus.core.authorities.models import Authority
from rathaus.domains.grants.models import Grant
from rathaus.law.names import sort_key

PAGE = 50
CHUNK = 1000
PUBLIC = Q(notified_on__isnull=False, recipient__isnull=False)


@dataclass(frozen=True)
class Choice:
    """Which public grants: by words, key of the municipality, programme, Land, year of the notice, granting authority."""

    text: str = ""
    municipality: str = ""
    programme: str = ""
    land: str = ""
    year: int | None = None
    authority: str = ""


@dataclass(frozen=True)
class Options:
    """What there is to choose among: programmes by key, Länder, years newest first, granting authorities by slug."""

    programmes: dict[str, str]
    lands: list[str]
    years: list[int]
    authorities: dict[str, str]


@dataclass(frozen=True)
class PublicPage:
    """A page of grants, the newest notice first; `after` is the key of the next page, empty on the last."""

    grants: list[Grant]
    after: str


@dataclass(frozen=True)
class Place:
    """What a municipality got in all. Amounts in euros."""

    ags: str
    label: str
    land: str
    grants: int
    amount: Decimal


def public_grants(choice: Choice = Choice()) -> QuerySet[Grant]:
    """Notified grants of municipalities, as far as they are chosen. The order is the caller's."""
    found = Grant.objects.filter(PUBLIC)
    if choice.text:
        words = Q(title__icontains=choice.text) | Q(reference__iexact=choice.text)
        words |= Q(recipient_name__icontains=choice.text)
        if key := sort_key(choice.text):  # every name contains the empty one
            words |= Q(recipient__sort_key__contains=key)
        found = found.filter(words)
    if choice.municipality:
        found = found.filter(recipient__ags=choice.municipality)
    if choice.programme:
        found = found.filter(call__measure__programme__key=choice.programme)
    if choice.land:
        found = found.filter(recipient__land=choice.land)
    if choice.year:
        found = found.filter(notified_on__range=(date(choice.year, 1, 1), date(choice.year, 12, 31)))
    if choice.authority:
        found = found.filter(authority__slug=choice.authority)
    return found


def public_page(choice: Choice, *, after: str = "", size: int = PAGE) -> PublicPage:
    """One page, in one statement. Raises ValueError for a key of no page."""
    grants = public_grants(choice)
    if after:
        day, _, key = after.partition("_")
        # The first condition is what the index can seek; deep pages cost what the first one does.
        on, last = date.fromisoformat(day), UUID(key)
        grants = grants.filter(Q(notified_on__lte=on), Q(notified_on__lt=on) | Q(id__lt=last))
    found = list(_with_names(grants).order_by("-notified_on", "-id")[: size + 1])
    shown = found[:size]
    more = len(found) > size
    return PublicPage(shown, f"{shown[-1].notified_on}_{shown[-1].id}" if more else "")


def public_grant(authority: str, reference: str) -> Grant:
    """One grant by the slug of its granting authority and its reference. Raises Grant.DoesNotExist."""
    return (
        _with_names(public_grants())
        .select_related("recipient__successor")
        .get(authority__slug=authority, reference=reference)
    )


def all_public_grants(choice: Choice) -> Iterator[Grant]:
    """Each chosen grant in the order of their making, a thousand at a time: memory does not grow with their number."""
    last: UUID | None = None
    while True:
        grants = _with_names(public_grants(choice)).order_by("id")
        chunk = list((grants.filter(id__gt=last) if last else grants)[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].id


def places(choice: Choice) -> list[Place]:
    """What each municipality got of the chosen grants, by name; their sum is the sum of all."""
    rows = (
        public_grants(choice)
        .order_by("recipient__sort_key", "recipient_id")
        .values_list("recipient__ags", "recipient__label", "recipient__land")
        .annotate(count=Count("id"), sum=Sum("amount"))
    )
    return [Place(*row) for row in rows]


def options() -> Options:
    """Everything that public grants can be chosen by, in one statement."""
    rows = list(
        Grant.objects.filter(PUBLIC)
        .order_by()
        .values_list(
            "call__measure__programme__key",
            "call__measure__programme__title",
            "recipient__land",
            ExtractYear("notified_on"),
            "authority__slug",
            "authority__label",
        )
        .distinct()
    )
    return Options(
        programmes=dict(sorted({row[0]: row[1] for row in rows}.items(), key=lambda item: item[1])),
        lands=sorted({row[2] for row in rows}),
        years=sorted({row[3] for row in rows}, reverse=True),
        authorities=dict(sorted({row[4]: row[5] for row in rows}.items(), key=lambda item: item[1])),
    )


def publishers() -> list[Authority]:
    """The authorities that have public grants, by name."""
    keys = Grant.objects.filter(PUBLIC).order_by().values("authority_id").distinct()
    return list(Authority.objects.filter(id__in=keys).order_by("sort_key", "id"))


def _with_names(grants: QuerySet[Grant]) -> QuerySet[Grant]:
    return grants.select_related("recipient", "authority", "call__measure__programme")
