"""Regeln und Texte: what an authority set for its services, how that came about, and changing it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.cases.queries import count_running
from rathaus.casework.services.actions import TermsChanged, WindowChanged, set_terms, set_window
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.permissions import check_may_set_terms
from rathaus.casework.services.queries import offer_of, offers_of, terms_of
from rathaus.web.account import kept
from rathaus.web.desk import window as windows
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.rules_page import (
    BACK,
    SAVE,
    TO,
    Editing,
    NothingToChange,
    edited,
    fresh,
    history_of,
    row_of,
    sections_of,
)
from rathaus.web.parts import Link

CRUMB = "Leistungen"


@require_GET
@for_staff
def offers(request: HttpRequest) -> HttpResponse:
    """What the authority offers, each with its version, its terms and its window."""
    actor = actor_of(request)
    check_may_set_terms(actor, actor.staff_of)
    rows = [row_of(offer) for offer in offers_of(actor.staff_of)]
    return render(request, "desk/offers.html", {"frame": frame_of(request, current="offers"), "rows": rows})


@require_GET
@for_staff
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """The terms in force in words, and all that were before them: who, when, why, what."""
    offer = _own(request, slug)
    context = _around(request, offer) | sections_of(offer) | {"history": history_of(offer, terms_of(offer))}
    return render(request, "desk/rules.html", context)


@require_http_methods(["GET", "POST"])
@for_staff
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Change terms: form, review of what changes, save. Nothing typed is lost on the way."""
    offer = _own(request, slug)
    try:
        return _change(request, offer)
    except NothingToChange as nothing:
        raise Http404 from nothing


def _change(request: HttpRequest, offer: Offer) -> HttpResponse:
    if request.method == "GET":
        typed = kept.take(request, request.path)
        if typed is None:
            return _form(request, fresh(offer))
        return _form(request, edited(offer, _without_buttons(typed)), is_back=True)
    editing = edited(offer, request.POST)
    if editing.rows_changed or request.POST.get(TO) == BACK:
        return _form(request, editing)
    if not editing.is_complete:
        return _form(request, editing, status=409 if editing.overtaken else 422)
    if request.POST.get(TO) != SAVE:
        return _review(request, editing)
    try:
        terms = set_terms(
            by=actor_of(request),
            offer=offer,
            parameters=editing.changed_values,
            note=editing.note,
            based_on=editing.based_on,
        )
    except TermsChanged:
        return _form(request, edited(_own(request, offer.slug), request.POST), status=409)
    except Refused as wrong:
        return _form(request, editing.refused(str(wrong)), status=422)
    messages.success(request, f"Gespeichert. Ab jetzt gelten die Regeln Nr. {terms.number}.")
    return redirect("desk:rules", offer.slug)


@require_http_methods(["GET", "POST"])
@for_staff
def window(request: HttpRequest, slug: str) -> HttpResponse:
    """From when until when applications are taken, and whether at all."""
    offer = _own(request, slug)
    typed = request.POST if request.method == "POST" else kept.take(request, request.path)
    filled = windows.read(offer, typed) if typed is not None else windows.shown(offer)
    if request.method == "POST" and filled.window:
        try:
            set_window(by=actor_of(request), offer=offer, window=filled.window, based_on=filled.based_on)
        except WindowChanged:
            filled = windows.read(_own(request, slug), request.POST)
        except Refused as wrong:
            filled = filled.refused(str(wrong))
        else:
            messages.success(request, "Der Zeitraum ist gespeichert.")
            return redirect("desk:rules", slug)
    status = 200 if request.method == "GET" else 409 if filled.is_overtaken else 422
    context = _around(request, offer, Link("Zeitraum", "")) | {"filled": filled}
    return render(request, "desk/window.html", context, status=status)


def _own(request: HttpRequest, slug: str) -> Offer:
    """An offer of the authority, for those who may change it. Raises NotAllowed, Http404."""
    actor = actor_of(request)
    check_may_set_terms(actor, actor.staff_of)
    try:
        return offer_of(actor.staff_of, slug)
    except Offer.DoesNotExist as missing:
        raise Http404 from missing


def _form(
    request: HttpRequest, editing: Editing, *, is_back: bool = False, status: int = 200
) -> HttpResponse:
    context = _around(request, editing.offer, Link("Ändern", "")) | {
        "editing": editing,
        "is_back": is_back,
    }
    return render(request, "desk/rules_change.html", context, status=status)


def _review(request: HttpRequest, editing: Editing) -> HttpResponse:
    context = _around(request, editing.offer, Link("Prüfen", "")) | {
        "editing": editing,
        "running": count_running(editing.offer.id),
    }
    return render(request, "desk/rules_review.html", context)


def _around(request: HttpRequest, offer: Offer, *last: Link) -> dict[str, object]:
    """What every page of an offer shows around its content."""
    rules = Link(offer.title, reverse("desk:rules", args=[offer.slug]) if last else "")
    return {
        "frame": frame_of(request, current="offers"),
        "offer": offer,
        "row": row_of(offer),
        "crumbs": (Link(CRUMB, reverse("desk:offers")), rules, *last),
        "kept_field": kept.FIELD,
        "kept_for": kept.owner_token(request, request.path),
    }


def _without_buttons(typed: QueryDict) -> QueryDict:
    """What somebody had typed when the session ended; the buttons wait until they press them again."""
    for name in ("add", "remove", TO):
        typed.pop(name, None)
    return typed
