"""Finding a service, reading what it is, and beginning an application."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from rathaus.casework.cases.actions.drafts import begin_draft
from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.cases.queries import own_case, own_cases, own_drafts
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Party
from rathaus.law.text import format_date
from rathaus.web.account.access import LEVEL_NAMES, level_of, refuse_below
from rathaus.web.parts import Fact, Link
from rathaus.web.portal.catalogue import (
    Listing,
    first_sentence,
    first_words,
    listing_of,
    listings,
    search,
    situations,
)
from rathaus.web.portal.filling import Filling, profile_of
from rathaus.web.portal.frames import actor_of, frame_of

_CHIPS = 5
_OPEN_AT_MOST = 4
_SHORT_TITLE = 28
_SHORT_FACT = 24


@cache_control(private=True, no_cache=True)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start: search, life situations, what was begun."""
    found = listings()
    actor = actor_of(request)
    cases = [case for case in own_cases(actor) if case.state != CaseState.COMPLETED] if actor.parties else []
    drafts = own_drafts(actor) if actor.parties else []
    context = {
        "frame": frame_of(request),
        "chips": _chips(found),
        "situations": situations(found),
        "for_people": [listing for listing in found if not listing.manifest.fuer_behoerden],
        "for_municipalities": [listing for listing in found if listing.manifest.fuer_behoerden],
        "drafts": drafts[:_OPEN_AT_MOST],
        "cases": cases[:_OPEN_AT_MOST],
    }
    return render(request, "portal/home.html", context)


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """All that is offered, or what fits `q` and `lebenslage`."""
    found = listings()
    text = request.GET.get("q", "").strip()[:100]
    situation = request.GET.get("lebenslage", "").strip()
    hits = [listing for listing in search(found, text) if situation in ("", listing.manifest.lebenslage)]
    context = {
        "frame": frame_of(request, current=reverse("portal:services")),
        "crumbs": (Link("Startseite", "/"), Link("Dienste", "")),
        "search": text,
        "situation": situation,
        "hits": hits,
        "all": found,
        "suggestions": found[:3],
    }
    return render(request, "portal/services.html", context)


@cache_control(private=True, no_cache=True)
@require_safe
def service(request: HttpRequest, slug: str) -> HttpResponse:
    """What a service is, what one needs, how it goes on."""
    return _service(request, _listing(slug))


@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    """For whom? Begins with the only party there is, else with the one chosen; goes on with a draft that exists.

    A follow-up is begun about an earlier case (`?vorgang=`), for whoever that was for.
    """
    listing = _listing(slug)
    manifest = listing.manifest
    if refused := refuse_below(request, manifest.vertrauensniveau, service=listing.offer.title):
        return refused
    actor = actor_of(request)
    about = _about(request, actor, listing)
    is_follow_up = listing.offer.opening == Opening.FOLLOW_UP
    parties = _parties(actor, listing)
    if about:
        parties = [party for party in parties if party.id == about.party_id]
    problem = ""
    if request.method == "POST" and parties:
        chosen = _chosen(request, parties)
        drafts = [draft for draft in _drafts(actor, listing, about) if draft.party_id == chosen]
        if chosen is None:
            problem = "Wählen Sie, für wen Sie den Antrag stellen."
        elif drafts and "neu" not in request.POST:
            return redirect(Filling(request, actor, drafts[0]).current_url())
        else:
            party = next(party for party in parties if party.id == chosen)
            return _begin(request, actor, listing, party, about)
    context = {
        "frame": frame_of(request, authority=listing.offer.authority),
        "listing": listing,
        "parties": parties,
        "about": about,
        "is_follow_up": is_follow_up,
        "back": reverse("portal:case", args=[about.id]) if about else listing.url,
        "problem": problem,
        "crumbs": (
            *_way_to(listing, about),
            Link(listing.offer.title if is_follow_up else "Antrag beginnen", ""),
        ),
    }
    return render(request, "portal/begin.html", context, status=422 if problem else 200)


def _about(request: HttpRequest, actor: Actor, listing: Listing) -> Case | None:
    """The earlier case that a follow-up is about, or which an application may follow, if one is named; for any other
    service none. Raises Http404 for what is not theirs."""
    given = request.POST.get("vorgang", request.GET.get("vorgang", ""))
    is_follow_up = listing.offer.opening == Opening.FOLLOW_UP
    if not is_follow_up and not (given and listing.manifest.nach):
        return None
    try:
        found = own_case(actor, UUID(given))
    except (ValueError, Case.DoesNotExist) as missing:
        raise Http404("Diesen Vorgang gibt es nicht.") from missing
    fits = is_follow_up or found.offer.service_id in listing.manifest.nach
    if found.authority_id != listing.offer.authority_id or not fits:
        raise Http404("Diesen Vorgang gibt es nicht.")
    return found


def _way_to(listing: Listing, about: Case | None) -> tuple[Link, ...]:
    if about is None:
        return (Link("Startseite", "/"), Link(listing.offer.title, listing.url))
    here = reverse("portal:case", args=[about.id])
    return (Link("Meine Anträge", reverse("portal:mine")), Link(about.reference, here))


def _begin(
    request: HttpRequest, actor: Actor, listing: Listing, party: Party, about: Case | None
) -> HttpResponse:
    try:
        draft = begin_draft(
            by=actor,
            offer=listing.offer,
            party=party.id,
            profile=profile_of(party, request.user),
            about=about,
        )
    except Refused:
        return _service(request, listing, status=409)  # the page says why nobody can apply now
    return redirect(Filling(request, actor, draft).current_url())


def _service(request: HttpRequest, listing: Listing, *, status: int = 200) -> HttpResponse:
    manifest = listing.manifest
    actor = actor_of(request)
    parties = _parties(actor, listing) if actor.parties else []
    warning, about_warning = first_sentence(manifest.warnung)
    context = {
        "frame": frame_of(request, authority=listing.offer.authority, current=reverse("portal:services")),
        "crumbs": _crumbs(listing),
        "listing": listing,
        "manifest": manifest,
        "start": _start(listing),
        "facts": (facts := _facts(listing)),
        "fee": "" if any(fact.term == "Gebühr" for fact in facts) else manifest.gebuehr,
        "warning": warning,
        "about_warning": about_warning,
        "needs": [_with_note(text) for text in manifest.unterlagen],
        "level": LEVEL_NAMES[manifest.vertrauensniveau],
        "level_bars": [bar < {1: 1, 3: 2, 4: 3}[manifest.vertrauensniveau] for bar in range(3)],
        "is_level_enough": level_of(request) >= manifest.vertrauensniveau,
        "may_apply": bool(parties) or not request.user.is_authenticated,
        "is_follow_up": listing.offer.opening == Opening.FOLLOW_UP,
        "drafts": _drafts(actor, listing) if parties else [],
        "only_party": parties[0] if len(parties) == 1 else None,
    }
    return render(request, "portal/service.html", context, status=status)


def _listing(slug: str) -> Listing:
    try:
        return listing_of(slug)
    except Offer.DoesNotExist as missing:
        raise Http404("Diese Leistung gibt es nicht.") from missing


def _parties(actor: Actor, listing: Listing) -> list[Party]:
    """For whom the actor may apply here: municipalities only, where the service is for them only.

    For one that was merged only an earlier case goes on.
    """
    gone = frozenset() if listing.offer.opening == Opening.FOLLOW_UP else actor.former
    parties = Party.objects.filter(id__in=set(actor.parties) - gone).order_by("name")
    if listing.manifest.fuer_behoerden:
        parties = parties.exclude(authority=None)
    return list(parties)


def _chosen(request: HttpRequest, parties: list[Party]) -> UUID | None:
    if len(parties) == 1:
        return parties[0].id
    return next((party.id for party in parties if str(party.id) == request.POST.get("fuer")), None)


def _drafts(actor: Actor, listing: Listing, about: Case | None = None) -> list[Draft]:
    found = [draft for draft in own_drafts(actor) if draft.offer_id == listing.offer.id]
    return [draft for draft in found if draft.about_id == about.id] if about else found


def _start(listing: Listing) -> str:
    """What the button says: the matter itself where it is short."""
    title = listing.offer.title
    return title if len(title) <= _SHORT_TITLE and not listing.manifest.betrag else "Antrag beginnen"


def _crumbs(listing: Listing) -> tuple[Link, ...]:
    between = (Link("Dienste", reverse("portal:services")),)
    if situation := listing.manifest.lebenslage:
        between = (Link(situation, f"{reverse('portal:services')}?{urlencode({'lebenslage': situation})}"),)
    return (Link("Startseite", "/"), *between, Link(listing.offer.title, ""))


def _facts(listing: Listing) -> list[Fact]:
    """What can be said in a few words; one fact alone is not worth a box."""
    manifest = listing.manifest
    found = [
        Fact(term, value, note)
        for term, (value, note) in (
            ("Aufwand", first_words(manifest.aufwand)),
            ("Bescheid", first_words(manifest.dauer)),
            ("Gebühr", first_words(manifest.gebuehr)),
        )
        if value and len(value) <= _SHORT_FACT
    ]
    if listing.offer.closes_at:
        found.append(Fact("Antrag bis", format_date(timezone.localdate(listing.offer.closes_at))))
    return found if len(found) > 1 else []


def _chips(found: Iterable[Listing]) -> list[Link]:
    """Short words that lead somewhere: a title, else the first word it is filed under."""
    chips: dict[str, Link] = {}
    for listing in found:
        title, words = listing.offer.title, listing.manifest.stichworte
        if len(title) <= _SHORT_TITLE:
            chips.setdefault(title, Link(title, listing.url))
        elif words:
            url = f"{reverse('portal:services')}?{urlencode({'q': words[0]})}"
            chips.setdefault(words[0], Link(words[0], url))
    return list(chips.values())[:_CHIPS]


def _with_note(text: str) -> Fact:
    """„Projektbeschreibung (PDF, höchstens 20 Seiten)“ as the thing and a note on it."""
    head, bracket, rest = text.partition(" (")
    return Fact(head, "", rest.removesuffix(")")) if bracket and rest.endswith(")") else Fact(text, "")
