"""Every address says who may come: a new route must be listed here, under exactly one rule."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from rathaus.core.identity.models import Account

NOBODYS = UUID("00000000-0000-7000-8000-000000000000")
RULES: dict[str, set[str]] = {
    # Anybody, without login.
    "public": {
        "portal:home",
        "portal:services",
        "portal:service",
        "portal:register",
        "portal:help",
        "portal:privacy",
        "portal:accessibility",
        "portal:imprint",
        "public:grants",
        "public:grant",
        "public:data",
        "public:grants_csv",
        "public:grants_json",
        "public:grants_schema",
        "public:catalogue",
    },
    # Whoever has the secret address.
    "secret": {"portal:deadline_feed"},
    # Anybody with a login.
    "logged_in": {"portal:mine", "portal:begin", "portal:grants", "portal:grants_pdf", "portal:deadlines"},
    # Whoever acts for the party; for all others it does not exist.
    "applicant": {
        "portal:resume",
        "portal:step",
        "portal:sheet",
        "portal:review",
        "portal:discard",
        "portal:case",
        "portal:answer",
        "portal:withdraw",
        "portal:confirmation",
        "portal:correct",
        "portal:waive",
        "portal:receipt",
        "portal:receipt_pdf",
        "portal:notice",
        "portal:document",
        "portal:grant",
    },
    # Members of an authority, in their roles.
    "staff": {
        "desk:home",
        "desk:authority",
        "desk:inbox",
        "desk:claim",
        "desk:cases",
        "desk:offers",
        "desk:rules",
        "desk:rules_change",
        "desk:window",
        "desk:programmes",
        "desk:programme_new",
        "desk:programme",
        "desk:programme_calls",
        "desk:programme_applications",
        "desk:programme_grants",
        "desk:programme_proofs",
        "desk:programme_csv",
        "desk:programme_report",
        "desk:programme_edit",
        "desk:programme_money",
        "desk:programme_call_new",
        "desk:case",
        "desk:task",
        "desk:exception",
        "desk:open",
        "desk:message",
        "desk:incident",
        "desk:remedy",
        "desk:settle",
        "desk:document",
        "desk:preview",
        "desk:ranking",
        "desk:ranking_csv",
        "desk:assignments",
        "desk:reviews",
        "desk:review",
        "desk:review_conflict",
        "desk:review_document",
        "desk:jury",
        "desk:review_finish",
        "desk:review_set_aside",
        "desk:review_unassign",
        "desk:payments",
        "desk:payments_prepare",
        "desk:payments_return",
        "desk:payment",
        "desk:payment_run",
        "desk:payment_release",
        "desk:payment_dissolve",
        "desk:payment_sepa",
        "desk:payment_csv",
        "desk:repayments",
        "desk:repayment",
        "desk:base_rates",
        "desk:computation",
        "desk:release_rest",
        "desk:case_zip",
        "desk:programme_zip",
        "desk:bulk",
        "desk:bulk_tasks",
        "desk:bulk_run",
        "desk:bulk_resume",
        "desk:dunning",
    },
}
# Logging in and out is allauth's and the account package's; its own tests say who may come.
ACCOUNT = ("anmelden", "weiter", "account_", "mfa_", "openid_connect_", "socialaccount_")
ARGUMENTS = {
    "slug": "nichts",
    "key": "nichts",
    "authority": "nichts",
    "payment": NOBODYS,
    "number": 1,
    "run": NOBODYS,
    "draft": NOBODYS,
    "page": "nichts",
    "table": "nichts",
    "case": NOBODYS,
    "notice": NOBODYS,
    "document": NOBODYS,
    "reference": "XYZ-2026-00001",
    "task": NOBODYS,
    "review": NOBODYS,
    "call": "nichts",
    "finding": NOBODYS,
    "incident": NOBODYS,
    "confirmation": NOBODYS,
    "remedy": NOBODYS,
    "grant": NOBODYS,
    "token": "nichts",
}


def routes() -> dict[str, str]:
    """Every route by its full name, with its path."""
    found: dict[str, str] = {}

    def walk(patterns: list[URLPattern | URLResolver], namespace: str, path: str) -> None:
        for pattern in patterns:
            here = f"{path}{pattern.pattern}"
            if isinstance(pattern, URLResolver):
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                walk(pattern.url_patterns, inner, here)
            else:
                assert pattern.name, f"{here} has no name"
                found[f"{namespace}{pattern.name}"] = here

    walk(get_resolver().url_patterns, "", "/")
    return {name: path for name, path in found.items() if not name.startswith(ACCOUNT)}


def address(name: str) -> str:
    path = routes()[name]
    return reverse(name, kwargs={key: value for key, value in ARGUMENTS.items() if f":{key}>" in path})


def ask_for(client: Client, name: str) -> HttpResponse:
    """What the address answers, to a GET or, where it takes none, to a POST."""
    answer = client.get(address(name))
    return client.post(address(name)) if answer.status_code == 405 else answer


def test_every_route_stands_under_exactly_one_rule() -> None:
    listed = [name for names in RULES.values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(routes())


@pytest.mark.parametrize("name", sorted(RULES["logged_in"] | RULES["applicant"] | RULES["staff"]))
def test_without_login_there_is_the_login_page(db: None, name: str) -> None:
    answer = ask_for(Client(), name)
    if name == "portal:begin":  # which service it is comes first
        assert answer.status_code == 404
    else:
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/anmelden/")


@pytest.mark.parametrize("name", sorted(RULES["applicant"] | RULES["staff"]))
def test_whoever_is_not_concerned_finds_nothing(db: None, name: str) -> None:
    client = Client()
    client.force_login(Account.objects.create(email="fremd@example.org", trust_level=4))
    if name == "portal:answer":  # its form is on the page of the case
        assert client.post(address(name)).status_code == 404
    else:
        assert ask_for(client, name).status_code in {403, 404}


@pytest.mark.parametrize("name", sorted(RULES["secret"]))
def test_without_the_secret_there_is_nothing(db: None, name: str) -> None:
    client = Client()
    assert client.get(address(name)).status_code == 404
    client.force_login(Account.objects.create(email="fremd@example.org", trust_level=4))
    assert client.get(address(name)).status_code == 404
