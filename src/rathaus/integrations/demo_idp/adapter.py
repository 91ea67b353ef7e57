"""What allauth asks the provider: nobody signs up, and what is said about a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.contrib.auth.models import User
from django.http import HttpRequest

from rathaus.integrations.demo_idp import options
from rathaus.integrations.demo_idp.people import person_of


class AccountAdapter(DefaultAccountAdapter):
    """The people are those of the file."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class ProviderAdapter(DefaultOIDCAdapter):
    """Claims come from the file; the subject is the user name, so that it stays the same in every database."""

    scope_display = {
        "openid": "Ihre Kennung",
        "email": "Ihre E-Mail-Adresse",
        "profile": "Ihren Namen",
        "address": "Ihre Anschrift",
    }

    def get_issuer(self) -> str:
        return options.ISSUER

    def get_user_sub(self, client: Any, user: User) -> str:
        return user.username

    def get_user_by_sub(self, client: Any, sub: str) -> User | None:
        return User.objects.filter(username=sub, is_active=True).first()

    def get_claims(
        self,
        purpose: str,
        user: User,
        client: Any,
        scopes: Iterable[str],
        email: str | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The standard claims, and `acr` with the STORK level as BundID names it."""
        person, granted = person_of(user.username), set(scopes)
        claims: dict[str, Any] = {"sub": person.subject, "acr": f"STORK-QAA-Level-{person.trust_level}"}
        if "email" in granted:
            claims |= {"email": person.email, "email_verified": True}
        if "profile" in granted:
            claims |= {
                "name": person.name,
                "given_name": person.given_name,
                "family_name": person.family_name,
            }
        if "address" in granted:
            claims["address"] = {
                "street_address": person.street,
                "postal_code": person.postal_code,
                "locality": person.city,
                "country": "DE",
            }
        return claims

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        data["scopes_supported"] = list(self.scope_display)
        data["claims_supported"] = [
            "sub", "acr", "email", "email_verified", "name", "given_name", "family_name", "address",
        ]  # fmt: skip
