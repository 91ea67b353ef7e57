"""Who acts, for the length of a request; and what the browser may load."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from rathaus.core.identity.actors import Actor
from rathaus.core.identity.adapter import TRUST_LEVEL_KEY
from rathaus.core.identity.queries import entering

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'{providers}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
AUTHORITY_KEY = "authority"


class ActingMiddleware:
    """One transaction for each request of somebody logged in, in which only their rows are visible.

    `request.actor` says what they may do. Anonymous requests get an actor that may nothing, and no transaction.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = Actor()  # type: ignore[attr-defined]
        if request.path.startswith("/static/") or not request.user.is_authenticated:
            return self.get_response(request)
        chosen = request.session.get(AUTHORITY_KEY)
        account: UUID = request.user.pk
        level = request.session.get(TRUST_LEVEL_KEY)
        with entering(account, authority=UUID(chosen) if chosen else None, trust_level=level) as actor:
            request.actor = actor  # type: ignore[attr-defined]
            response = self.get_response(request)
            if response.status_code >= 500:
                from django.db import transaction

                transaction.set_rollback(True)
            return response


class ContentSecurityPolicy:
    """A strict policy: nothing inline, nothing from elsewhere; forms may go to the identity provider only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        from django.conf import settings

        response = self.get_response(request)
        provider = settings.IDENTITY_PROVIDER_URL.split("/", 3)
        origin = "/".join(provider[:3])
        response.headers.setdefault("Content-Security-Policy", CSP.format(providers=f" {origin}"))
        return response
