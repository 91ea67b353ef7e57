"""Trust levels: who is known well enough, and what is said to others."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from rathaus.core.identity.claims import read_claims
from rathaus.core.identity.models import Account
from rathaus.web.account.access import level_of, login_first, refuse_below


def request_of(
    account: Account | None, path: str = "/antrag/hund/?seite=2", *, method: str = "get", level: int = 0
) -> HttpRequest:
    request = getattr(RequestFactory(), method)(path)
    request.user = account or AnonymousUser()
    request.session = SessionStore()
    if level:
        request.session["trust_level"] = level
    return request


def test_the_level_of_a_request(resident: Account) -> None:
    assert level_of(request_of(None)) == 0
    assert level_of(request_of(resident)) == 3
    assert level_of(request_of(resident, level=1)) == 1


@pytest.mark.parametrize(
    ("has", "needs", "is_enough"), [(1, 1, True), (1, 3, False), (3, 3, True), (3, 4, False), (4, 3, True)]
)
def test_levels_compare_as_numbers(resident: Account, has: int, needs: int, is_enough: bool) -> None:
    answer = refuse_below(request_of(resident, level=has), needs)
    assert (answer is None) == is_enough


def test_the_refusal_says_what_is_missing_and_leads_on(resident: Account) -> None:
    answer = refuse_below(request_of(resident, level=1), 4, service="Gewerbe <anmelden>")
    assert answer is not None
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Gewerbe &lt;anmelden&gt;" in page
    assert "Vertrauensniveau <b>hoch</b>" in page
    assert "Vertrauensniveau <b>niedrig</b>" in page
    assert "/anmelden/?next=%2Fantrag%2Fhund%2F%3Fseite%3D2&amp;niveau=4" in page


def test_nobody_is_sent_to_the_login_and_back() -> None:
    answer = refuse_below(request_of(None), 3)
    assert answer is not None
    url = urlsplit(answer.headers["Location"])
    assert (url.path, parse_qs(url.query)) == (
        "/anmelden/",
        {"next": ["/antrag/hund/?seite=2"], "niveau": ["3"]},
    )
    posted = login_first(request_of(None, method="post"))
    assert parse_qs(urlsplit(posted.headers["Location"]).query) == {"next": ["/antrag/hund/"]}


@pytest.mark.parametrize(
    ("acr", "level"),
    [("STORK-QAA-Level-1", 1), ("STORK-QAA-Level-3", 3), ("STORK-QAA-Level-4", 4), ("STORK-QAA-Level-2", 1),
     ("http://eidas.europa.eu/LoA/high", 4), ("4", 1), (4, 1), (None, 1), (["STORK-QAA-Level-4"], 1),
     ("stork-qaa-level-4", 1)],
)  # fmt: skip
def test_levels_of_providers(acr: object, level: int) -> None:
    assert read_claims({"acr": acr}, {}).trust_level == level
    assert read_claims({}, {"acr": acr}).trust_level == level
    assert read_claims({"acr": acr}, {"acr": "STORK-QAA-Level-4"}).trust_level == level


def test_claims_of_any_shape() -> None:
    claims = read_claims(
        {},
        {
            "given_name": " Petra ",
            "family_name": "Muster",
            "address": {"street_address": "Weg\n3", "locality": 7},
        },
    )
    assert claims.name == "Petra Muster"
    assert claims.address == {"street": "Weg 3"}
    for odd in ("Weg 3", None, [], 7, {"street_address": None}):
        assert read_claims({}, {"name": odd, "address": odd}).address == {}
    long = read_claims({}, {"name": "x" * 999, "address": {"postal_code": "1" * 99, "locality": "a\x00b"}})
    assert (len(long.name), long.address) == (120, {"postal_code": "1" * 10, "city": "ab"})
