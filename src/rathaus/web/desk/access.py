"""Who may see the desk, and what stands around its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control

from rathaus.casework.cases.queries import COUNT_CAP, count_tasks
from rathaus.casework.services.permissions import may_set_terms
from rathaus.core import clock
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.queries import Workplace, workplaces
from rathaus.domains.grants.permissions import EXPERT, may_set_up
from rathaus.domains.grants.queries import desk_figures
from rathaus.domains.grants.queries.reviews import count_open_reviews
from rathaus.web.account import kept
from rathaus.web.account.access import login_first
from rathaus.web.parts import Frame, Link, LinkGroup, Masthead, User

View = Callable[..., HttpResponse]


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request, as the middleware found out."""
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by ActingMiddleware
    return actor


def for_staff(view: View) -> View:
    """Only for people who work for an authority, but not for those who see only what is laid before them by name.

    Nobody logged in: to the login page, and what was typed is kept until they are back. No membership, or an action
    that they may not take: 403 with the reason and a way back.
    """
    return _guarded(view, is_for_limited=False)


def for_all_staff(view: View) -> View:
    """The same for people with limited roles too, such as experts: the view itself shows nobody more than is theirs."""
    return _guarded(view, is_for_limited=True)


def _guarded(view: View, *, is_for_limited: bool) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if request.method == "POST":
                kept.keep(request, request.path)
            return login_first(request)
        if not actor_of(request).is_staff:
            return render(request, "desk/no_authority.html", status=403)
        try:
            if not is_for_limited:
                actor_of(request).check_is_unlimited()
            response = view(request, *args, **kwargs)
        except NotAllowed as wrong:
            context = {"frame": frame_of(request), "reason": str(wrong)}
            response = render(request, "desk/not_allowed.html", context, status=403)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return guarded


def workplaces_of(request: HttpRequest) -> list[Workplace]:
    """The authorities that this account may work for today, by name, with those that were merged into them."""
    account = actor_of(request).account
    return workplaces(account) if account else []


def frame_of(
    request: HttpRequest, *, current: str = "", text: str = "", counts: Mapping[str, int] | None = None
) -> Frame:
    """The frame of a desk page, in three statements, or two if `counts` of the inbox are known already.

    `current` is the link that the page belongs to, `text` what was searched.
    """
    actor = actor_of(request)
    places = workplaces_of(request)
    authority = next(found.authority for found in places if found.authority.id == actor.authority)
    reviews = _reviews(actor, current)
    if actor.is_limited:
        return _frame(actor, authority, [LinkGroup("Arbeit", reviews), *_change(places, current)])
    counts = counts if counts is not None else count_tasks(actor)
    inbox = reverse("desk:inbox")
    work = (
        Link("Eingang", inbox, "mail", current == "inbox", _count(counts["team"])),
        Link(
            "Meine Aufgaben", f"{inbox}?sicht=meine", "checklist", current == "mine", _count(counts["meine"])
        ),
        Link("Alle Vorgänge", reverse("desk:cases"), "content-copy", current == "cases"),
        Link("Sammelbearbeitung", reverse("desk:bulk"), "check", current == "bulk"),
    )
    groups = [LinkGroup("Arbeit", (*work, *reviews))]
    if grants := _grants(actor, authority, current):
        groups.append(LinkGroup("Förderung", grants))
    if may_set_terms(actor):
        offers = Link("Leistungen", reverse("desk:offers"), "edit", current == "offers")
        groups.append(LinkGroup("Werkstatt", (offers,)))
    frame = _frame(actor, authority, [*groups, *_change(places, current)])
    return replace(frame, search_url=reverse("desk:cases"), search_text=text)


def _frame(actor: Actor, authority: Authority, groups: list[LinkGroup]) -> Frame:
    return Frame(
        masthead=Masthead(
            name=authority.label, area="Schreibtisch", short_name=_short(authority), url=reverse("desk:home")
        ),
        sidebar=tuple(groups),
        user=User(name=actor.function, initials=initials_of(actor.function)),
    )


def _change(places: list[Workplace], current: str) -> list[LinkGroup]:
    if len(places) < 2:
        return []
    change = Link("Behörde wechseln", reverse("desk:authority"), "autorenew", current == "authority")
    return [LinkGroup("Behörde", (change,))]


def _reviews(actor: Actor, current: str) -> tuple[Link, ...]:
    """The link of those who review, in one statement; nobody else has it."""
    if EXPERT not in actor.roles:
        return ()
    waiting = _count(count_open_reviews(actor))
    return (Link("Meine Gutachten", reverse("desk:reviews"), "checklist", current == "reviews", waiting),)


def _grants(actor: Actor, authority: Authority, current: str) -> tuple[Link, ...]:
    """The links on grants: where there are programmes, and for the head of a ministry, who may set one up."""
    figures = desk_figures(actor, clock.today())
    is_ministry = authority.kind == AuthorityKind.MINISTRY
    if not figures.has_programmes and not (is_ministry and may_set_up(actor, authority.id)):
        return ()
    overdue = _count(figures.overdue)
    return (
        Link("Programme", reverse("desk:programmes"), "home", current == "programmes", overdue, is_bad=True),
    )


def capped(count: int) -> str:
    """„99+“ from 100 on."""
    return str(count) if count < COUNT_CAP else f"{COUNT_CAP - 1}+"


def initials_of(name: str) -> str:
    """Two to five letters for a round badge: "D3-2" for "Sachbearbeitung D3-2", "RM" for "Rita Muster"."""
    words = name.split()
    if not words:
        return "?"
    if len(words) > 1 and len(words[-1]) <= 5 and any(char.isdigit() for char in words[-1]):
        return words[-1]
    return "".join(word[0] for word in words if word[0].isalnum())[:2].upper() or "?"


def _short(authority: Authority) -> str:
    """What fits into the head of the side bar: the name without its kind, if that is shorter."""
    return authority.name if len(authority.name) < len(authority.label) else ""


def _count(number: int) -> str:
    """What the side bar says: nothing for none."""
    return capped(number) if number else ""
