"""„Unsere Förderungen“: all grants of a municipality, one of them, and the sheet for the board."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from rathaus.core import clock
from rathaus.domains.grants.models import Grant
from rathaus.domains.grants.queries import own_standing
from rathaus.web.parts import Link
from rathaus.web.portal import board, grants
from rathaus.web.portal.access import for_account
from rathaus.web.portal.frames import actor_of, frame_of
from rathaus.web.portal.grant_page import page_of

_private = cache_control(private=True, no_cache=True)


@_private
@require_safe
@for_account
def overview(request: HttpRequest) -> HttpResponse:
    """What is next, until when, how much is left: one line a grant; then the money and all deadlines."""
    by, today = actor_of(request), clock.today()
    found = grants.overview(by, today)
    context = {
        "frame": frame_of(request, current=reverse("portal:grants")),
        "today": today,
        "overview": found,
        "deadlines": found.deadlines[: grants.SHOWN_DEADLINES],
        "more_deadlines": found.deadlines[grants.SHOWN_DEADLINES :],
        "is_municipality": bool(by.bodies),
    }
    return render(request, "portal/grants.html", context)


@_private
@require_safe
@for_account
def grant(request: HttpRequest, grant: UUID) -> HttpResponse:
    """Everything about one grant, the next step first."""
    by, today = actor_of(request), clock.today()
    try:
        standing = own_standing(by, grant)
    except Grant.DoesNotExist as missing:
        raise Http404("Diese Förderung gibt es nicht.") from missing
    context = {
        "frame": frame_of(request, authority=standing.grant.case.authority, current=reverse("portal:grants")),
        "crumbs": (
            Link("Unsere Förderungen", reverse("portal:grants")),
            Link(standing.grant.reference, ""),
        ),
        "today": today,
        "page": page_of(by, standing, today),
        "grant": standing.grant,
    }
    return render(request, "portal/grant.html", context)


@_private
@require_safe
@for_account
def board_pdf(request: HttpRequest) -> HttpResponse:
    """All grants on a sheet to print, for the mayor and the board."""
    by, today = actor_of(request), clock.today()
    response = HttpResponse(board.render(grants.overview(by, today), today), content_type="application/pdf")
    name = f"Foerderungen-{today.isoformat()}.pdf"
    response["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response
