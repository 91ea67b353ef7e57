"""What a provider says at a first login, and what we make of it, without the way there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.internal.flows import signup
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from rathaus.core.identity import adapter
from rathaus.core.identity.models import Account, Party
from rathaus.core.identity.queries import entering

SAID = {"sub": "p-1", "email": "Petra@lahnau.example", "email_verified": True, "name": "Petra Muster"}


@pytest.fixture
def request_(db: None) -> Iterator[HttpRequest]:
    request = RequestFactory(headers={"host": "localhost:8000"}).get("/")
    request.session = SessionStore()
    request.user = AnonymousUser()
    with context.request_context(request):
        yield request


def enter(request: HttpRequest, *, id_token: dict[str, Any] | None = None, **said: Any) -> HttpResponse:
    """A login as it is after the provider has answered; what is None was not said."""
    userinfo = {claim: value for claim, value in {**SAID, **said}.items() if value is not None}
    token = {"sub": userinfo["sub"]} if id_token is None else id_token
    provider = get_adapter().get_provider(request, "servicekonto")
    login = provider.sociallogin_from_response(request, {"userinfo": userinfo, "id_token": token})
    login.state = {"process": "login"}
    return complete_social_login(request, login)


def is_in(request: HttpRequest) -> bool:
    return "_auth_user_id" in request.session


def test_an_address_must_be_there(request_: HttpRequest) -> None:
    for email in (None, "", "keine-adresse"):
        answer = enter(request_, email=email)
        assert answer.status_code == 403
        assert "keine bestätigte E-Mail-Adresse" in answer.content.decode()
    assert not is_in(request_)
    assert not Account.objects.exists()


def test_the_provider_must_vouch_for_it(request_: HttpRequest) -> None:
    for verified in (None, False, 0):
        assert enter(request_, email_verified=verified).status_code == 403
    assert not is_in(request_)
    assert not Account.objects.exists()


def test_a_provider_whose_addresses_count_may_say_nothing(request_: HttpRequest, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["verified_email"] = True
    try:
        assert enter(request_, email_verified=None).status_code == 302
    finally:
        del settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["verified_email"]
    assert is_in(request_)


def test_two_answers_about_two_people(request_: HttpRequest) -> None:
    with pytest.raises(PermissionDenied):
        enter(request_, id_token={"sub": "p-2"})


def test_the_same_address_twice_is_one_account(request_: HttpRequest) -> None:
    assert enter(request_).status_code == 302
    account = Account.objects.get()
    request_.session.flush()
    request_.user = AnonymousUser()
    assert enter(request_, sub="p-2").status_code == 403
    assert enter(request_, sub="p-2", email="PETRA@LAHNAU.example").status_code == 403
    assert not is_in(request_)
    assert Account.objects.get() == account


@pytest.mark.parametrize("seen_by_allauth", [True, False])
def test_two_first_logins_at_once(
    request_: HttpRequest, browser: Client, monkeypatch: pytest.MonkeyPatch, seen_by_allauth: bool
) -> None:
    """Our check has passed, then the other one is faster: refused all the same, and nothing is left half done."""
    monkeypatch.setattr(adapter, "_is_taken", lambda email: False)
    monkeypatch.setattr(signup, "assess_unique_email", lambda email: not seen_by_allauth)
    Account.objects.create_user("petra@lahnau.example", name="schneller")
    answer = enter(request_)
    if seen_by_allauth:
        answer = browser.get(answer.headers["Location"])
    assert answer.status_code == 403
    assert "gehört hier schon" in answer.content.decode()
    assert not is_in(request_)
    assert Account.objects.count() == 1
    assert not SocialAccount.objects.exists()
    assert not EmailAddress.objects.exists()


def test_whatever_the_address_looks_like(request_: HttpRequest) -> None:
    enter(
        request_,
        address={"street_address": "W" * 500, "postal_code": ["1"], "locality": "Lahnau\x00"},
        name=None,
    )
    account = Account.objects.get()
    assert account.name == account.email == "petra@lahnau.example"
    with entering(account.pk) as actor:
        party = Party.objects.get(id__in=actor.parties)
        assert party.address == ["W" * 120, "Lahnau"]


def test_a_later_login_does_not_move_to_a_new_address(request_: HttpRequest) -> None:
    """The subject is the person; the address is only where to write to."""
    enter(request_)
    account = Account.objects.get()
    other = Account.objects.create_user("amt@lahnau.example", name="Amt")
    request_.session.flush()
    request_.user = AnonymousUser()
    assert enter(request_, email="amt@lahnau.example").status_code == 302
    assert request_.session["_auth_user_id"] == str(account.pk) != str(other.pk)
