"""The provider runs as in the demo: its own process, database and port."""

from __future__ import annotations

import copy
import os
import socket
from collections.abc import Iterator

import psycopg
import pytest
from django.http import HttpResponse
from django.test import Client
from psycopg.conninfo import make_conninfo
from tests.integrations.demo_idp.steps import LogIn, at_provider, back_at, to_provider

from rathaus.core.embedded import DatabaseUrls
from rathaus.integrations.demo_idp import people, running


@pytest.fixture(scope="session")
def idp_database(database_urls: DatabaseUrls) -> Iterator[str]:
    os.environ["RATHAUS_PREVIEW"] = "1"
    name = f"rathaus_idp_test_{os.getpid()}"
    url = running.database(database_urls, name)
    running.prepare(url)
    yield url
    # The platform's test database may be gone by now.
    cluster = make_conninfo(database_urls.superuser, dbname="postgres")
    with psycopg.connect(cluster, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def issuer(idp_database: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running.running(idp_database, port=port) as address:
        yield address


@pytest.fixture
def provider(issuer: str, settings: object) -> str:
    """The platform's settings point to the running provider."""
    providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)  # type: ignore[attr-defined]
    providers["openid_connect"]["APPS"][0]["settings"]["server_url"] = issuer
    settings.SOCIALACCOUNT_PROVIDERS = providers  # type: ignore[attr-defined]
    return issuer


@pytest.fixture
def platform(db: None) -> Client:
    return Client(headers={"host": "localhost:8000"})


@pytest.fixture
def log_in(provider: str, platform: Client) -> LogIn:
    """The whole way: platform, provider, platform. Returns the platform's answer at the end."""

    def go(subject: str, **data: str) -> HttpResponse:
        person = people.person_of(subject)
        return back_at(platform, at_provider(to_provider(platform, **data), person.email))

    return go
