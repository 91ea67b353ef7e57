"""The login page, and where one comes out."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse
from hypothesis import given
from hypothesis import strategies as st

from rathaus.core.identity.adapter import is_own_path
from rathaus.core.identity.models import Account

EVIL = [
    "https://boese.example/", "//boese.example", "///boese.example", "/\\boese.example", "\\\\boese.example",
    "javascript:alert(1)", "/\t/boese.example", "/\n/boese.example", " //boese.example", "http:boese.example",
    "//", "/\t//boese.example", "/\r\n\\boese.example", "http://localhost:8000@boese.example/", "http://localhost:8000/",
    "boese.example", "",
]  # fmt: skip


def test_it_offers_the_ways_of_the_settings(browser: Client) -> None:
    page = browser.get("/anmelden/?next=/meine/").content.decode()
    assert "Servicekonto (Vorschau)" in page
    assert "E-Mail-Adresse und Passwort" in page
    assert 'name="next" value="/meine/"' in page
    assert "Sitzung ist abgelaufen" not in page


def test_it_asks_for_no_more_than_needed(browser: Client) -> None:
    page = browser.get("/anmelden/?niveau=3").content.decode()
    assert "mindestens das Vertrauensniveau <b>substanziell</b>" in page
    assert "E-Mail-Adresse und Passwort" not in page
    for odd in ("2", "99", "-1", "hoch", "<script>"):
        assert (
            "mindestens das Vertrauensniveau"
            not in browser.get("/anmelden/", {"niveau": odd}).content.decode()
        )


def test_a_way_must_be_chosen(browser: Client) -> None:
    for way in ({}, {"weg": ""}, {"weg": "erfunden"}):
        answer = browser.post("/anmelden/", way)
        assert answer.status_code == 400
        assert "Bitte wählen Sie" in answer.content.decode()
    assert browser.put("/anmelden/").status_code == 405


def test_staff_go_on_to_the_password(browser: Client) -> None:
    answer = browser.post("/anmelden/", {"weg": "passwort", "next": "/amt/vorgang/1"})
    assert answer.headers["Location"] == "/konto/login/?next=%2Famt%2Fvorgang%2F1"


@pytest.mark.parametrize("url", EVIL)
def test_nobody_is_sent_elsewhere(browser: Client, clerk: Account, url: str) -> None:
    assert not is_own_path(url)
    assert "boese" not in browser.get("/anmelden/", {"next": url}).content.decode()
    assert browser.post("/anmelden/", {"weg": "passwort", "next": url}).headers["Location"] == "/konto/login/"
    browser.force_login(clerk)
    assert browser.get("/anmelden/", {"next": url}).headers["Location"] == "/weiter/"
    assert browser.get("/weiter/", {"next": url}).headers["Location"] == "/meine/"
    assert browser.post("/abmelden/", {"next": url}).headers["Location"] == "/"


@given(st.text(alphabet="/\\:@.?#%\t\r\n ahtps", max_size=12))
def test_an_own_path_has_no_host(url: str) -> None:
    if is_own_path(url):
        assert url.startswith("/")
        assert (
            not url.replace("\\", "/").replace("\t", "").replace("\r", "").replace("\n", "").startswith("//")
        )


def test_whoever_is_here_already_goes_on(browser: Client, clerk: Account) -> None:
    browser.force_login(clerk)
    assert browser.get("/anmelden/?next=/amt/").headers["Location"] == "/amt/"
    assert browser.get("/weiter/").headers["Location"] == "/meine/"


def test_nobody_goes_on_without_login(browser: Client) -> None:
    assert browser.get("/weiter/").headers["Location"] == "/anmelden/"
    assert browser.post("/weiter/").status_code == 405


@pytest.mark.parametrize(
    "path",
    ["signup/", "email/", "confirm-email/", "password/set/", "password/reset/", "3rdparty/", "3rdparty/signup/",
     "oidc/servicekonto/login/", "login/code/confirm/"],
)  # fmt: skip
def test_what_we_do_not_want_of_allauth_is_not_there(browser: Client, clerk: Account, path: str) -> None:
    for _ in range(2):
        assert browser.get(f"/konto/{path}").status_code == 404
        assert browser.post(f"/konto/{path}", {"email": "x@y.example", "password1": "p"}).status_code == 404
        browser.force_login(clerk)
    assert Account.objects.count() == 1
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")


def test_a_form_may_go_to_the_provider(browser: Client) -> None:
    policy = browser.get("/anmelden/").headers["Content-Security-Policy"]
    assert "form-action 'self' http://localhost:8001;" in policy
