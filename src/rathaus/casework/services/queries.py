"""Named reads of offers and their terms."""

from __future__ import annotations

from uuid import UUID

from rathaus.casework.services.models import Offer, Terms

TERMS_SHOWN = 50


def offers_of(authority: UUID) -> list[Offer]:
    """What an authority offers, by title, with version and terms in force."""
    found = Offer.objects.filter(authority_id=authority).select_related("version", "terms")
    return list(found.order_by("title", "slug"))


def offer_of(authority: UUID, slug: str) -> Offer:
    """One of them. Raises Offer.DoesNotExist for what the authority does not offer."""
    return Offer.objects.select_related("version", "terms").get(authority_id=authority, slug=slug)


def terms_of(offer: Offer) -> list[Terms]:
    """All terms of an offer, newest first; of very many the newest."""
    return list(offer.all_terms.order_by("-number")[:TERMS_SHOWN])
