"""Who may see a page at all: logged in, and known well enough."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from rathaus.core.identity.adapter import TRUST_LEVEL_KEY
from rathaus.core.identity.claims import LEVEL_NAMES, LOWEST


def level_of(request: HttpRequest) -> int:
    """The trust level (1, 3, 4) of the login that this request belongs to; 0 if nobody is logged in.

    A session that did not come from a login page (tests, `force_login`) has the account's latest level.
    """
    if not request.user.is_authenticated:
        return 0
    level: int = request.session.get(TRUST_LEVEL_KEY, request.user.trust_level)
    return level


def login_first(request: HttpRequest, *, level: int = LOWEST) -> HttpResponse:
    """To the login page, and afterwards back to this page."""
    page = request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
    asked = {"next": page} | ({"niveau": level} if level > LOWEST else {})
    return redirect(f"{reverse('anmelden')}?{urlencode(asked)}")


def refuse_below(request: HttpRequest, level: int, *, service: str = "") -> HttpResponse | None:
    """None if this login suffices for a service that needs `level`; else the answer to give instead.

    Nobody logged in: to the login page. Known, but not well enough: a page that says so (403), with the way on.
    """
    here = level_of(request)
    if here >= level:
        return None
    if not here:
        return login_first(request, level=level)
    context = {
        "service": service,
        "needed": LEVEL_NAMES[level],
        "here": LEVEL_NAMES[here],
        "again": login_first(request, level=level).headers["Location"],
    }
    return render(request, "account/level.html", context, status=403)
