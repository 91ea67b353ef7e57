"""What stands around every page of the portal: whose site it is, where one can go, who is signed in."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor
from rathaus.web.parts import Frame, Link, Masthead, User

PORTAL = Masthead(name="Verwaltungsportal", area="Anträge an Land und Kommunen")


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request, as the middleware found out."""
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by ActingMiddleware
    return actor


def frame_of(request: HttpRequest, *, authority: Authority | None = None, current: str = "") -> Frame:
    """The frame of a page: the authority in front, or the portal of all; `current` is the link that it belongs to."""
    links = [("Dienste", reverse("portal:services"))]
    if request.user.is_authenticated:
        links.append(("Meine Anträge", reverse("portal:mine")))
        if actor_of(request).bodies:
            links.append(("Unsere Förderungen", reverse("portal:grants")))
    links.append(("Hilfe", reverse("portal:help")))
    return Frame(
        masthead=_masthead(authority) if authority else PORTAL,
        navigation=tuple(Link(label, url, is_current=url == current) for label, url in links),
        user=_user(request),
        help_url=reverse("portal:help"),
        privacy_url=reverse("portal:privacy"),
        accessibility_url=reverse("portal:accessibility"),
        imprint_url=reverse("portal:imprint"),
    )


def _masthead(authority: Authority) -> Masthead:
    is_ministry = authority.kind == AuthorityKind.MINISTRY
    return Masthead(
        name=authority.label,
        area="Förderportal" if is_ministry else "Digitales Rathaus",
        address=tuple(
            line for line in (authority.street, f"{authority.postal_code} {authority.city}".strip()) if line
        ),
    )


def _user(request: HttpRequest) -> User | None:
    """Signed in as the one party that one acts for, or by the account's name where there are several."""
    if not request.user.is_authenticated:
        return None
    actor = actor_of(request)
    names = [name for party, name in actor.names.items() if party not in actor.former]
    name = names[0] if len(names) == 1 else request.user.name or request.user.email
    return User(name=name, url=reverse("portal:mine"))
