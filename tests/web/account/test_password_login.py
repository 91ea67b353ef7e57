"""Staff: password, second factor, changing the password, logging out."""

from __future__ import annotations

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from tests.web.account.conftest import PASSWORD

from rathaus.core.identity.models import Account

LOGIN = "/konto/login/"


def log_in(browser: Client, password: str = PASSWORD, **data: str) -> object:
    return browser.post(LOGIN, {"login": "krug@lahnau.example", "password": password, **data})


def test_password_login(browser: Client, clerk: Account) -> None:
    Account.objects.filter(pk=clerk.pk).update(trust_level=4)
    assert "E-Mail-Adresse" in browser.get(LOGIN).content.decode()
    answer = log_in(browser, next="/amt/vorgang/1")
    assert answer.headers["Location"] == "/amt/vorgang/1"  # type: ignore[attr-defined]
    clerk.refresh_from_db()
    # A password alone says little about who sits there, whatever an earlier login has shown.
    assert clerk.trust_level == browser.session["trust_level"] == 1
    assert browser.session.get_expire_at_browser_close()


def test_password_login_never_leads_elsewhere(browser: Client, clerk: Account) -> None:
    for url in ("https://boese.example/", "//boese.example", "http://localhost:8000/amt/"):
        assert log_in(browser, next=url).headers["Location"] == "/weiter/"  # type: ignore[attr-defined]
        browser.post("/abmelden/")


def test_a_wrong_password_says_no_more_than_that(browser: Client, clerk: Account) -> None:
    wrong = log_in(browser, "daneben").content.decode()  # type: ignore[attr-defined]
    unknown = browser.post(LOGIN, {"login": "niemand@lahnau.example", "password": "daneben"}).content.decode()
    assert "Fehler: " in wrong
    assert 'role="alert"' in wrong
    assert "daneben" not in wrong
    assert wrong.count("<li>") == unknown.count("<li>") == 1
    assert wrong.split("<li>")[1].split("</li>")[0] == unknown.split("<li>")[1].split("</li>")[0]
    empty = browser.post(LOGIN, {}).content.decode()
    assert empty.count('aria-invalid="true"') == 2


def test_an_account_of_a_servicekonto_has_no_password(browser: Client, resident: Account) -> None:
    for password in ("", "!", resident.password):
        answer = browser.post(LOGIN, {"login": resident.email, "password": password})
        assert answer.status_code == 200
    assert "_auth_user_id" not in browser.session
    browser.force_login(resident)
    assert browser.get("/konto/password/change/").status_code == 404


def test_guessing_is_stopped(browser: Client, clerk: Account) -> None:
    for _ in range(6):
        log_in(browser, "falsch")
    assert "_auth_user_id" not in browser.session
    assert log_in(browser).status_code != 302  # type: ignore[attr-defined]


def test_too_many_requests_get_a_page(browser: Client, clerk: Account, settings: object) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}  # type: ignore[attr-defined]
    log_in(browser)
    browser.logout()
    answer = log_in(browser)
    assert answer.status_code == 429  # type: ignore[attr-defined]
    assert "Zu viele Versuche" in answer.content.decode()  # type: ignore[attr-defined]


def test_logging_out_takes_a_post(browser: Client, clerk: Account) -> None:
    browser.force_login(clerk)
    assert "Möchten Sie sich abmelden?" in browser.get("/abmelden/").content.decode()
    assert "_auth_user_id" in browser.session
    assert browser.post("/abmelden/").headers["Location"] == "/"
    assert "_auth_user_id" not in browser.session


def test_another_site_can_neither_log_in_nor_out(clerk: Account) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"host": "localhost:8000"})
    browser.force_login(clerk)
    assert browser.post("/abmelden/").status_code == 403
    assert browser.post("/anmelden/", {"weg": "servicekonto"}).status_code == 403
    assert browser.post(LOGIN, {"login": clerk.email, "password": PASSWORD}).status_code == 403


def test_a_closed_account(browser: Client, clerk: Account) -> None:
    Account.objects.filter(pk=clerk.pk).update(is_active=False)
    log_in(browser)
    assert "_auth_user_id" not in browser.session
    assert "gesperrt" in browser.get("/konto/inactive/").content.decode()


def test_changing_the_password(browser: Client, clerk: Account) -> None:
    log_in(browser)
    page = browser.get("/konto/password/change/").content.decode()
    assert "Mindestens 12 Zeichen" in page
    new = "Wolke-Garten-Treppe-4"
    weak = browser.post(
        "/konto/password/change/", {"oldpassword": PASSWORD, "password1": "kurz", "password2": "kurz"}
    )
    assert "Fehler: " in weak.content.decode()
    answer = browser.post(
        "/konto/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert answer.status_code == 302
    clerk.refresh_from_db()
    assert clerk.check_password(new)
    assert browser.get("/konto/password/change/").status_code == 200


def test_second_factor(browser: Client, clerk: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(browser)
    assert "Ist nicht eingerichtet" in browser.get("/konto/2fa/").content.decode()
    asked = browser.get("/konto/2fa/totp/activate/")
    assert asked.headers["Location"].startswith("/konto/reauthenticate/?next=")
    assert "dass Sie es sind" in browser.get(asked.headers["Location"]).content.decode()
    browser.post(asked.headers["Location"], {"password": PASSWORD})
    page = browser.get("/konto/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
    assert "Fehler: " in browser.post("/konto/2fa/totp/activate/", {"code": "000000x"}).content.decode()
    answer = browser.post("/konto/2fa/totp/activate/", {"code": code})
    assert answer.headers["Location"] == "/konto/2fa/recovery-codes/"
    codes = browser.get("/konto/2fa/recovery-codes/").context["unused_codes"]
    assert codes[0] in browser.get("/konto/2fa/recovery-codes/").content.decode()
    assert codes[0] in browser.get("/konto/2fa/recovery-codes/download/").content.decode()
    for path in ("", "totp/deactivate/", "recovery-codes/generate/", "reauthenticate/"):
        assert browser.get(f"/konto/2fa/{path}").status_code == 200

    browser.post("/abmelden/")
    answer = log_in(browser, next="/amt/")
    assert answer.headers["Location"] == "/konto/2fa/authenticate/"  # type: ignore[attr-defined]
    assert "_auth_user_id" not in browser.session
    assert "Zweiter Faktor" in browser.get("/konto/2fa/authenticate/").content.decode()
    wrong = browser.post("/konto/2fa/authenticate/", {"code": "123123"})
    assert "Fehler: " in wrong.content.decode()
    assert "_auth_user_id" not in browser.session
    answer = browser.post("/konto/2fa/authenticate/", {"code": codes[0]})
    assert answer.headers["Location"] == "/amt/"
    assert browser.session["trust_level"] == 1
