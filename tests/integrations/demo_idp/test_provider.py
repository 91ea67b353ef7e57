"""The provider by itself: its people, its pages, its secrets, and where it refuses to run."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import requests

from rathaus.integrations.demo_idp import keys, people, running


def test_the_people() -> None:
    everybody = people.people()
    assert (
        len({person.subject for person in everybody})
        == len({person.email for person in everybody})
        == len(everybody)
    )
    assert {person.trust_level for person in everybody} == {1, 3, 4}
    assert all(person.email.endswith(".example") for person in everybody)
    with pytest.raises(KeyError):
        people.person_of("niemand")


def test_it_refuses_to_run_outside_a_preview() -> None:
    for value in ("0", ""):
        done = subprocess.run(
            [sys.executable, "-m", "rathaus.integrations.demo_idp"],
            env={**os.environ, "RATHAUS_PREVIEW": value, "IDP_DATABASE_URL": "postgresql://localhost/nichts"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "RATHAUS_PREVIEW=1" in done.stderr


def test_preparing_twice_changes_nothing(idp_database: str) -> None:
    def state() -> tuple[object, ...]:
        with psycopg.connect(idp_database) as connection:
            users = connection.execute("SELECT id, username, password FROM auth_user ORDER BY id").fetchall()
            return users, connection.execute("SELECT * FROM allauth_idp_oidc_client").fetchall()

    before = state()
    assert len(before[0]) == len(people.people())  # type: ignore[arg-type]
    running.prepare(idp_database)
    assert state() == before


def test_what_cannot_be_prepared_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATHAUS_PREVIEW", "1")
    with pytest.raises(running.ProviderFailed, match="connection"):
        running.prepare("postgresql://niemand@localhost:1/nichts")


def test_discovery(issuer: str) -> None:
    said = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=20).json()
    assert said["issuer"] == issuer
    assert "address" in said["scopes_supported"]
    assert requests.get(said["jwks_uri"], timeout=20).json()["keys"][0]["kty"] == "RSA"


def test_pages_allow_no_scripts_and_name_the_preview(issuer: str) -> None:
    for path in ("/", "/anmelden/", "/gesperrt/"):
        page = requests.get(issuer + path, timeout=20)
        assert page.status_code == 200
        assert "Vorschau-Servicekonto – keine echten Daten" in page.text
        assert "script-src 'none'" in page.headers["Content-Security-Policy"]
        assert "http://localhost:8000" in page.headers["Content-Security-Policy"]


def test_its_cookies_do_not_meet_the_platforms(issuer: str) -> None:
    # Both answer at localhost, and cookies do not know ports.
    assert requests.get(f"{issuer}/anmelden/", timeout=20).cookies.keys() == ["vorschau_konto_csrf"]


def test_a_wrong_password_and_a_foreign_site(issuer: str) -> None:
    with requests.Session() as browser:
        page = browser.get(f"{issuer}/anmelden/", timeout=20)
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        answer = browser.post(
            page.url,
            data={"csrfmiddlewaretoken": token, "login": "petra.muster@lahnau.example", "password": "falsch"},
            timeout=20,
        )
        assert answer.status_code == 200
        assert "Bitte prüfen Sie Ihre Angaben" in answer.text
        assert requests.post(f"{issuer}/anmelden/", timeout=20).status_code == 403


def test_nobody_signs_up(issuer: str) -> None:
    for path in ("/signup/", "/registrieren/", "/accounts/signup/", "/password/reset/"):
        assert requests.get(issuer + path, timeout=20).status_code == 404


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "idp/signing_key.pem"
    first = keys.signing_key(path)
    assert first.startswith("-----BEGIN PRIVATE KEY-----")
    assert keys.signing_key(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["signing_key.pem"]
    assert keys.secret(tmp_path / "secret") != keys.secret(tmp_path / "other")
