"""Filling in an application: its steps, the review, handing in, throwing away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header, urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from rathaus.casework.cases.actions.answers import InvalidAnswers
from rathaus.casework.cases.actions.corrections import begin_correction
from rathaus.casework.cases.actions.drafts import check_open, discard_draft
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.models import Application, Case, Draft
from rathaus.casework.cases.queries import own_case
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor
from rathaus.engine.forms import Page, Reading, Table
from rathaus.engine.forms.importing import template_of
from rathaus.engine.forms.places import lookup
from rathaus.web.account import kept
from rathaus.web.account.access import refuse_below
from rathaus.web.portal.access import for_account, keeps_as
from rathaus.web.portal.catalogue import first_sentence
from rathaus.web.portal.filling import (
    IMPORT,
    PICK,
    SEARCH,
    TO,
    Filling,
    anchor_of,
    draft_of,
    page_or_none,
    revealed_views,
)
from rathaus.web.portal.frames import actor_of, frame_of
from rathaus.web.portal.register import asks_for_municipalities, hits_for, picked_on
from rathaus.web.uploads import refused_uploads, takes_refused_uploads

REVIEW_MARK = "pruefen"


@takes_refused_uploads
@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_as(lambda request, draft, page: f"{draft}/{page}")
def step(request: HttpRequest, draft: UUID, page: str) -> HttpResponse:
    """A step of the form. A POST keeps what was typed in any case; what is wrong is shown beside the fields."""
    form_id = f"{draft}/{page}"
    filling = _filling(request, draft)
    if isinstance(filling, HttpResponse):
        return filling
    try:
        current = page_or_none(filling, page)
    except KeyError as unknown:
        raise Http404("Diesen Schritt gibt es nicht.") from unknown
    if current is None:
        return redirect(filling.current_url())
    try:
        if request.method == "POST":
            return _posted(filling, current)
        typed = kept.take(request, form_id)
        if typed is not None:
            reading = filling.take(current, _without_buttons(typed), request.FILES)
            return _page(filling, current, reading, is_back=True)
    except Draft.DoesNotExist:  # gone since we looked
        return _instead(filling.actor, draft)
    return _page(filling, current, None, with_errors=REVIEW_MARK in request.GET)


@cache_control(private=True, no_cache=True)
@require_safe
@for_account
def sheet(request: HttpRequest, draft: UUID, page: str, table: str) -> HttpResponse:
    """An empty CSV file with the header of a table that rows may be read into."""
    filling = _filling(request, draft)
    if isinstance(filling, HttpResponse):
        return filling
    found = filling.form.items.get(table)
    if not isinstance(found, Table) or not found.may_import:
        raise Http404("Diese Liste gibt es nicht.")
    response = HttpResponse(template_of(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{found.label}.csv") or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@cache_control(private=True, no_cache=True)
@require_safe
@for_account
def resume(request: HttpRequest, draft: UUID) -> HttpResponse:
    """On to the first step that is not done."""
    filling = _filling(request, draft)
    return filling if isinstance(filling, HttpResponse) else redirect(filling.current_url())


@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_account
def review(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Everything on one page; a POST hands it in. Sent twice, it makes one case."""
    filling = _filling(request, draft)
    if isinstance(filling, HttpResponse):
        return filling
    refused = ""
    if request.method == "POST" and not filling.problems():
        try:
            case = submit_draft(by=filling.actor, draft=draft)
        except InvalidAnswers:
            pass  # the page below shows the errors, each with a link to its field
        except Refused as reason:
            refused = str(reason)
        except Draft.DoesNotExist:  # thrown away since we looked
            return _instead(filling.actor, draft)
        else:
            return redirect("portal:case" if filling.draft.corrects_id else "portal:receipt", case.id)
    is_posted = request.method == "POST"
    pages = {page.key: page for page in filling.pages}
    return render(
        request,
        "portal/review.html",
        _around(filling, None)
        | {
            "sections": [
                (section, f"{filling.url_of(pages[section.key])}?{REVIEW_MARK}")
                for section in filling.summary()
            ],
            "warning": first_sentence(filling.package.manifest.warnung)[0],
            "problems": _linked(filling),
            "refused": refused,
            "closed": _closed(filling),
            "confirming": any(lookup(filling.draft.answers, field.path) for field in filling.form.confirming),
            "is_posted": is_posted,
            "back": filling.url_of(filling.pages[-1]) if filling.pages else "",
        },
        status=422 if is_posted else 200,
    )


@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_account
def discard(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Asks once, then throws the draft away."""
    filling = _filling(request, draft)
    if isinstance(filling, HttpResponse):
        return filling
    if request.method == "POST":
        try:
            discard_draft(by=filling.actor, draft=filling.draft)
        except Draft.DoesNotExist:  # gone since we looked
            return _instead(filling.actor, draft)
        return redirect("portal:mine")
    return render(request, "portal/discard.html", _around(filling, None) | {"back": filling.current_url()})


@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_account
def correct(request: HttpRequest, case: UUID) -> HttpResponse:
    """Open the form again, as the office allowed; its button is on the case's page."""
    by = actor_of(request)
    try:
        found = own_case(by, case)
    except Case.DoesNotExist as missing:
        raise Http404("Diesen Antrag gibt es nicht.") from missing
    if request.method != "POST":
        return redirect("portal:case", case)
    try:
        draft = begin_correction(by=by, case=found)
    except Refused:  # answered, withdrawn or decided meanwhile; the page says where it stands
        return redirect("portal:case", case)
    filling = Filling(request, by, draft_of(by, draft.id))
    return redirect(filling.url_of(filling.pages[0] if filling.pages else None))


def _filling(request: HttpRequest, draft: UUID) -> Filling | HttpResponse:
    """The draft, if it is one of the actor's and the login is good enough; else what to answer."""
    actor = actor_of(request)
    try:
        filling = Filling(request, actor, draft_of(actor, draft))
    except Draft.DoesNotExist:
        return _instead(actor, draft)
    manifest = filling.package.manifest
    refused = refuse_below(request, manifest.vertrauensniveau, service=filling.draft.offer.title)
    return refused or filling


def _instead(actor: Actor, draft: UUID) -> HttpResponse:
    """A draft that is not there was handed in (a second click, another window, "back" after sending): to its case."""
    handed_in = Application.objects.filter(submission=draft, party_id__in=actor.parties).first()
    if handed_in is None:
        raise Http404("Diesen Entwurf gibt es nicht.")
    return redirect("portal:receipt", handed_in.case_id)


def _posted(filling: Filling, page: Page) -> HttpResponse:
    request = filling.request
    refused = refused_uploads(request)
    reading = filling.take(page, request.POST, request.FILES, refused)
    to = request.POST.get(TO, "")
    if to == "zurueck":
        return redirect(filling.previous_url(page))
    if to == "spaeter":
        return redirect("portal:mine")
    if to == "suche" or _is_entered_search(request.POST):
        asked = urlencode({SEARCH: request.POST.get(SEARCH, "")})
        return HttpResponseRedirect(f"{filling.url_of(page)}?{asked}#suche")
    if reading.rows_changed and not reading.errors:
        return HttpResponseRedirect(f"{request.get_full_path()}#{anchor_of(reading, request.POST)}")
    if reading.is_complete:
        came_from_review = REVIEW_MARK in request.GET and not filling.problems()
        return redirect(filling.url_of(None) if came_from_review else filling.next_url(page))
    return _page(filling, page, reading, is_too_large=bool(refused))


def _is_entered_search(posted: QueryDict) -> bool:
    """Enter in the search field presses no button that has a name: it searches, and does not go on."""
    return bool(posted.get(SEARCH, "").strip()) and not {TO, PICK, IMPORT, "add", "remove"} & posted.keys()


def _page(
    filling: Filling,
    page: Page,
    reading: Reading | None,
    *,
    with_errors: bool = False,
    is_back: bool = False,
    is_too_large: bool = False,
) -> HttpResponse:
    request = filling.request
    errors = reading.errors if reading else filling.errors_on(page) if with_errors else ()
    views = filling.draw(page, reading, with_errors=with_errors)
    search = request.GET.get(SEARCH, "").strip()
    context = _around(filling, page) | {
        "page": page,
        "views": views,
        "errors": errors,
        "revealed": revealed_views(views, reading.revealed) if reading and not errors else [],
        "is_back": is_back,
        "kept_for": kept.owner_token(request, f"{filling.draft.id}/{page.key}"),
        "kept_field": kept.FIELD,
        "closed": _closed(filling),
        "register": filling.register.labels if asks_for_municipalities(page) else {},
        "picked": picked_on(page),
        "search": search,
        "hits": hits_for(search),
    }
    status = 413 if is_too_large else 422 if reading and errors and not is_back else 200
    return render(request, "portal/step.html", context, status=status)


def _around(filling: Filling, page: Page | None) -> dict[str, Any]:
    """What the frame and the steps of any page of a draft need."""
    draft = filling.draft
    return {
        "frame": frame_of(filling.request, authority=draft.offer.authority),
        "draft": draft,
        "manifest": filling.package.manifest,
        "steps": filling.steps(page),
    }


def _closed(filling: Filling) -> str:
    if filling.draft.corrects_id:
        return ""
    try:
        check_open(filling.draft.offer)
    except Refused as refused:
        return str(refused)
    return ""


def _linked(filling: Filling) -> list[dict[str, str]]:
    """Every error with the address of its field; for a page not gone through, that page."""
    found = []
    for page, errors in filling.problems():
        url = filling.url_of(page)
        if not errors:
            text = f"{page.title}: Diesen Schritt haben Sie noch nicht abgeschlossen."
            found.append({"url": url, "text": text})
        for error in errors:
            place = f"{url}?{REVIEW_MARK}#f-{error.name.replace('.', '-')}"
            row, colon, _ = error.label.partition(
                ":"
            )  # „Position 4: Betrag“; the message names the field itself
            found.append(
                {"url": place, "text": f"{page.title}, {row}: {error.message}" if colon else error.message}
            )
    return found


def _without_buttons(typed: QueryDict) -> QueryDict:
    """What somebody had typed when the session ended; the buttons wait until they press them again."""
    for name in ("add", "remove", TO, PICK, IMPORT):
        typed.pop(name, None)
    return typed
