"""The choice of how to log in, and where to go afterwards. Passwords, second factors and OpenID Connect are allauth's."""

from __future__ import annotations

import logging

import requests
from allauth.account import views as allauth_account
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess, Provider
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.core.identity.adapter import is_own_path
from rathaus.core.identity.claims import LOWEST
from rathaus.web.account import kept
from rathaus.web.account.access import LEVEL_NAMES, level_of

log = logging.getLogger(__name__)

PASSWORD = "passwort"  # noqa: S105  the name of a choice
_LATER = "Bitte versuchen Sie es in einigen Minuten noch einmal."


@never_cache
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """The login page: people and municipalities by their Servicekonto, staff of an authority by password.

    `next` is the page to return to (of this site, else ignored), `niveau` the trust level that it needs.
    """
    asked = request.POST if request.method == "POST" else request.GET
    following = asked.get("next", "")
    following = following if is_own_path(following) else ""
    level = next((known for known in LEVEL_NAMES if asked.get("niveau") == str(known)), LOWEST)
    if level_of(request) >= level:
        return redirect(following or "weiter")
    providers = {provider.sub_id: provider for provider in get_adapter().list_providers(request)}
    problem, status = "", 200
    if request.method == "POST":
        way = request.POST.get("weg", "")
        if way == PASSWORD:
            return redirect(
                reverse("account_login") + (f"?{urlencode({'next': following})}" if following else "")
            )
        if way not in providers:
            problem, status = "Bitte wählen Sie, wie Sie sich anmelden möchten.", 400
        else:
            try:
                return _to_provider(request, providers[way], following)
            except requests.RequestException:
                log.exception("The identity provider %s does not answer", way)
                problem, status = f"„{providers[way].name}“ antwortet gerade nicht. {_LATER}", 503
    context = {
        "following": following,
        "niveau": level,
        "needed": LEVEL_NAMES[level] if level > LOWEST else "",
        "has_kept": kept.is_waiting(request),
        "problem": problem,
        "providers": list(providers.values()),
        "password": PASSWORD,
    }
    return render(request, "account/choose.html", context, status=status)


@never_cache
@require_GET
def onward(request: HttpRequest) -> HttpResponse:
    """After logging in: to the page that was wanted, else staff to their desk and everybody else to their applications."""
    if not request.user.is_authenticated:
        return redirect("anmelden")
    following = request.GET.get("next", "")
    if is_own_path(following):
        return redirect(following)
    return redirect("/amt/" if request.actor.is_staff else "/meine/")  # type: ignore[attr-defined]


@never_cache
def signup_refused(request: HttpRequest) -> HttpResponse:
    """Where allauth sends a first login whose address was taken meanwhile; it would ask for another one."""
    return render(request, "socialaccount/refused.html", {"reason": "email_taken"}, status=403)


def change_password(request: HttpRequest) -> HttpResponse:
    """Allauth's page, for accounts that have a password at all."""
    if request.user.is_authenticated and not request.user.has_usable_password():
        raise Http404("Dieses Konto hat kein Passwort.")
    return allauth_account.password_change(request)


def _to_provider(request: HttpRequest, provider: Provider, following: str) -> HttpResponse:
    response: HttpResponse = provider.redirect(request, AuthProcess.LOGIN, next_url=following or None)
    return response
