"""What is on offer, with the manifests of the packages, and the search for everyday words in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.urls import reverse
from django.utils import timezone

from rathaus.casework.cases.actions.drafts import check_open
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.manifest import Manifest
from rathaus.casework.services.models import Offer, ServiceVersion
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import MANIFEST
from rathaus.core import clock
from rathaus.law.names import sort_key
from rathaus.law.text import format_date

# A shorter word says too little to be taken for the beginning of a longer one.
_SHORTEST_STEM = 4

# Manifests of published versions, which never change; one entry a version that is on offer.
_manifests: dict[UUID, Manifest] = {}


@dataclass(frozen=True)
class Listing:
    """An offer with the manifest of its current version."""

    offer: Offer
    manifest: Manifest

    @property
    def url(self) -> str:
        return reverse("portal:service", args=[self.offer.slug])

    @property
    def closed(self) -> str:
        """Why nobody can apply now, as a sentence; empty while the offer is open."""
        try:
            check_open(self.offer)
        except Refused as refused:
            return str(refused)
        return ""

    @property
    def meta(self) -> str:
        """One line below the title in lists: who offers it, how long it takes, until when."""
        parts = [self.offer.authority.label]
        if self.manifest.fuer_behoerden:
            parts.append("nur für Kommunen")
        if self.manifest.aufwand:
            parts.append(first_words(self.manifest.aufwand)[0])
        if self.closed:
            parts.append(self.closed.removesuffix("."))
        elif self.offer.closes_at:
            parts.append(f"Antrag bis {format_date(timezone.localtime(self.offer.closes_at).date())}")
        return " · ".join(parts)

    @property
    def words(self) -> str:
        """Everything that a search looks at, folded as German names are sorted."""
        found = self.manifest
        return sort_key(
            " ".join(
                [
                    self.offer.title, found.titel, found.kurztext, found.lebenslage, *found.stichworte,
                    self.offer.authority.label,
                ]
            )
        )  # fmt: skip


def listings() -> list[Listing]:
    """All that one can apply for without an earlier case, at authorities that exist, by title after DIN 5007."""
    ended = Q(authority__valid_until__lt=clock.today())
    offers = list(
        Offer.objects.filter(~ended, is_open=True, opening=Opening.APPLICATION).select_related("authority")
    )
    _load({offer.version_id for offer in offers})
    found = [Listing(offer, _manifests[offer.version_id]) for offer in offers]
    return sorted(found, key=lambda listing: (sort_key(listing.offer.title), listing.offer.slug))


def listing_of(slug: str) -> Listing:
    """One offer by its address, withdrawn ones and follow-ups too, but nothing that only the office opens.

    Raises Offer.DoesNotExist.
    """
    offer = (
        Offer.objects.select_related("authority__successor").exclude(opening=Opening.OFFICE).get(slug=slug)
    )
    return Listing(offer, manifest_of(offer.version_id))


def manifest_of(version: UUID) -> Manifest:
    """The manifest of a published version, without compiling the rest of the package."""
    _load({version})
    return _manifests[version]


def manifests_of(versions: Iterable[UUID]) -> dict[UUID, Manifest]:
    """The manifests of several versions at once."""
    wanted = set(versions)
    _load(wanted)
    return {version: _manifests[version] for version in wanted}


def search(found: Iterable[Listing], text: str) -> list[Listing]:
    """Those in which every word of `text` occurs, titles first. An empty text finds all.

    „Hundesteuer“ finds what is filed under „Hund“ as well as the other way round.
    """
    words = sort_key(text).split()
    hits = [listing for listing in found if all(_occurs(word, listing.words) for word in words)]
    return sorted(hits, key=lambda listing: not all(_occurs(w, sort_key(listing.offer.title)) for w in words))


def situations(found: Sequence[Listing]) -> list[tuple[str, list[Listing]]]:
    """Life situations with what is filed under each, by name; what names none is left out."""
    by_name: dict[str, list[Listing]] = {}
    for listing in found:
        if listing.manifest.lebenslage:
            by_name.setdefault(listing.manifest.lebenslage, []).append(listing)
    return sorted(by_name.items(), key=lambda entry: sort_key(entry[0]))


def first_sentence(text: str) -> tuple[str, str]:
    """A text as its first sentence, without the full stop, and the rest."""
    head, _, rest = text.partition(". ")
    return head.strip().removesuffix("."), rest.strip()


def first_words(text: str) -> tuple[str, str]:
    """Like `first_sentence`, but a semicolon ends the first part as well."""
    head, _, rest = text.partition("; ")
    return first_sentence(text) if not rest or ". " in head else (head.strip(), rest.strip())


def _occurs(word: str, words: str) -> bool:
    return word in words or any(
        len(stem) >= _SHORTEST_STEM and word.startswith(stem) for stem in words.split()
    )


def _load(versions: set[UUID]) -> None:
    missing = versions - _manifests.keys()
    if missing:
        texts = ServiceVersion.objects.filter(id__in=missing).values_list(
            "id", KeyTextTransform(MANIFEST, "files")
        )
        _manifests.update({version: Manifest.parse(text) for version, text in texts})
