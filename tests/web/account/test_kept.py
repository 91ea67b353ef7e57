"""What was typed when the session had ended: back for the same person, for nobody else, and not for long."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client, RequestFactory
from tests.web.account.conftest import PASSWORD

from rathaus.core.identity.models import Account
from rathaus.web.account import kept

FORM = "entwurf-17/seite-2"
TYPED = {"name": "Bello von der „Au“", "rasse": ["a", "b"], "leer": "", "csrfmiddlewaretoken": "geheim"}


def request_of(
    account: Account | None, session: SessionStore, data: dict[str, object] | None = None
) -> HttpRequest:
    request = RequestFactory().post("/antrag/", data or {})
    request.user = account or AnonymousUser()
    request.session = session
    return request


def keep(owner: Account, session: SessionStore, form_id: str = FORM, **typed: object) -> bool:
    """The session has ended: the form of `owner` is posted by nobody."""
    token = kept.owner_token(request_of(owner, SessionStore()), form_id)
    return kept.keep(request_of(None, session, {**TYPED, **typed, kept.FIELD: token}), FORM)


def test_the_same_person_gets_it_back_once(resident: Account) -> None:
    session = SessionStore()
    assert not kept.is_waiting(request_of(None, session))
    assert keep(resident, session)
    assert kept.is_waiting(request_of(None, session))
    typed = kept.take(request_of(resident, session), FORM)
    assert typed is not None
    assert dict(typed.lists()) == {"name": ["Bello von der „Au“"], "rasse": ["a", "b"], "leer": [""]}
    assert kept.take(request_of(resident, session), FORM) is None


def test_the_next_person_at_the_machine_gets_nothing(resident: Account, clerk: Account) -> None:
    session = SessionStore()
    keep(resident, session)
    assert kept.take(request_of(None, session), FORM) is None
    keep(resident, session)
    assert kept.take(request_of(clerk, session), FORM) is None
    assert not kept.is_waiting(request_of(clerk, session))
    assert kept.take(request_of(resident, session), FORM) is None


def test_another_form_does_not_take_it(resident: Account) -> None:
    session = SessionStore()
    keep(resident, session)
    assert kept.take(request_of(resident, session), "anderes-formular") is None
    assert kept.take(request_of(resident, session), FORM) is not None


def test_it_does_not_wait_for_ever(resident: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    session = SessionStore()
    keep(resident, session)
    later = time.time() + kept.LIMIT_SECONDS + 1
    monkeypatch.setattr(kept.time, "time", lambda: later)
    assert kept.take(request_of(resident, session), FORM) is None
    assert not kept.is_waiting(request_of(resident, session))


def test_nothing_is_kept_without_a_token_of_ours(resident: Account) -> None:
    session = SessionStore()
    good = kept.owner_token(request_of(resident, session), FORM)
    for token in (
        "",
        "erfunden",
        good + "x",
        good[1:],
        kept.owner_token(request_of(resident, session), "anderes"),
        "a:b:c",
    ):
        assert not kept.keep(request_of(None, session, {**TYPED, kept.FIELD: token}), FORM)
    assert not kept.keep(request_of(None, session, TYPED), FORM)
    assert not kept.is_waiting(request_of(None, session))


def test_not_too_much(resident: Account) -> None:
    session = SessionStore()
    assert keep(resident, session, text="x" * 60_000)
    assert not keep(resident, session, text="x" * kept.LIMIT_BYTES)
    typed = kept.take(request_of(resident, session), FORM)
    assert typed is not None
    assert len(typed["text"]) == 60_000


def test_it_outlives_logging_in(browser: Client, clerk: Account) -> None:
    browser.get("/anmelden/")
    session = browser.session
    keep(clerk, session)
    session.save()
    browser.cookies["sessionid"] = session.session_key
    assert "Ihre Sitzung ist abgelaufen" in browser.get("/anmelden/").content.decode()
    browser.post("/konto/login/", {"login": clerk.email, "password": PASSWORD})
    assert browser.session["_auth_user_id"] == str(clerk.pk)
    assert kept.take(request_of(clerk, browser.session), FORM) is not None
