"""What allauth asks us: who may sign up, and what an identity provider told about a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from rathaus.core.identity.actions import own_party
from rathaus.core.identity.claims import LOWEST, read_claims
from rathaus.core.identity.models import Account

TRUST_LEVEL_KEY = "trust_level"
_SILENT = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


def is_own_path(url: str) -> bool:
    """Whether an address leads to a page of this site, so that it is safe to go there after logging in."""
    # Browsers drop tabs and line breaks and read "\\" as "/": what Django allows may still name a host there.
    is_path = url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable()
    return is_path and url_has_allowed_host_and_scheme(url, allowed_hosts=None)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts with a password are made by administrators, never by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        return is_own_path(url)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        # The next page shows by itself who is logged in.
        if message_template not in _SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)

    def post_login(
        self, request: HttpRequest, user: Account, *, signal_kwargs: dict[str, Any] | None, **kwargs: Any
    ) -> HttpResponse:
        """The trust level is a fact of this login: kept with the session, and as the latest with the account."""
        login = (signal_kwargs or {}).get("sociallogin")
        level = login.account.extra_data[TRUST_LEVEL_KEY] if login else LOWEST
        request.session[TRUST_LEVEL_KEY] = level
        if user.trust_level != level:
            user.trust_level = level
            user.save(update_fields=["trust_level"])
        return super().post_login(request, user, signal_kwargs=signal_kwargs, **kwargs)


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Accounts that an OpenID Connect provider vouches for are made at the first login.

    A person is known by the provider's subject alone. An e-mail address never leads to an account that exists
    already: whoever gets hold of the address elsewhere would get the account.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        account = super().populate_user(request, sociallogin, data)
        told = sociallogin.account.extra_data
        id_token, userinfo = _mapping(told.get("id_token")), _mapping(told.get("userinfo"))
        if id_token and userinfo and id_token.get("sub") != userinfo.get("sub"):
            raise PermissionDenied(
                "ID token and userinfo are about different people (OpenID Connect Core 5.3.2)"
            )
        claims = read_claims(id_token, userinfo)
        account.name = claims.name or account.email
        account.trust_level = claims.trust_level
        sociallogin.claims = claims
        # Allauth would keep everything that was told, in a table without row-level security.
        sociallogin.account.extra_data = {TRUST_LEVEL_KEY: claims.trust_level}
        return account

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Refuse a first login without an address that the provider vouches for, or with somebody else's."""
        if sociallogin.is_existing:
            return
        addresses = [address.email for address in sociallogin.email_addresses if address.verified]
        if sociallogin.user.email not in addresses:
            raise _refused(request, "email_missing")
        if _is_taken(sociallogin.user.email):
            raise _refused(request, "email_taken")

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        try:
            with transaction.atomic():
                account = super().save_user(request, sociallogin, form)
                own_party(account, address=sociallogin.claims.address)
                return account
        except IntegrityError as error:
            # Two first logins at once with one address: the second finds it taken.
            raise _refused(request, "email_taken") from error


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_taken(email: str) -> bool:
    return (
        Account.objects.filter(email__iexact=email).exists()
        or EmailAddress.objects.filter(email__iexact=email).exists()
    )


def _refused(request: HttpRequest, reason: str) -> ImmediateHttpResponse:
    page = render(request, "socialaccount/refused.html", {"reason": reason}, status=403)
    return ImmediateHttpResponse(page)
