"""What allauth asks us: who may sign up, and what an identity provider told about a person."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from rathaus.core.identity.actions import own_party


class AccountAdapter(DefaultAccountAdapter):
    """Accounts with a password are made by administrators, never by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Accounts that an OpenID Connect provider vouches for are made at the first login."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        account = super().populate_user(request, sociallogin, data)
        account.name = data.get("name") or f"{data.get('first_name', '')} {data.get('last_name', '')}".strip()
        return account

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        account = super().save_user(request, sociallogin, form)
        own_party(account)
        return account
