"""The provider's own pages, and what stands around all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.idp.oidc import views as oidc
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from rathaus.integrations.demo_idp import options
from rathaus.integrations.demo_idp.people import people

_POLICY = (
    "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self' {platform}; frame-ancestors 'none'; base-uri 'none'"
)


def start(request: HttpRequest) -> HttpResponse:
    """Who is here, and how to get in: not through this page."""
    return render(request, "demo_idp/start.html")


@csrf_exempt  # allauth's view checks by itself where it must
def authorize(request: HttpRequest) -> HttpResponse:
    """Allauth's authorization endpoint, without single sign-on: whoever tries several people is asked each time."""
    response = oidc.authorization(request)
    if "code" in parse_qs(urlsplit(response.headers.get("Location", "")).query):
        logout(request)
    return response


def site(request: HttpRequest) -> dict[str, Any]:
    """For every template: the people to choose from and the way back."""
    return {"people": people(), "platform_url": options.PLATFORM_URL}


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """No scripts at all; forms may end at the platform, since logging in redirects there."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault(
            "Content-Security-Policy", _POLICY.format(platform=" ".join(options.PLATFORM_URLS))
        )
        return response

    return middleware
