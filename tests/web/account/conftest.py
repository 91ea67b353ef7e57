"""People who log in without any provider."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from rathaus.core.identity.models import Account

PASSWORD = "Regen-Apfel-Brücke-17"


@pytest.fixture(autouse=True)
def _fresh_and_quick(settings: Settings) -> None:
    """Counters of failed logins live in the cache; the real hasher is slow on purpose."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clerk(db: None) -> Account:
    return Account.objects.create_user("krug@lahnau.example", PASSWORD, name="Hanna Krug")


@pytest.fixture
def resident(db: None) -> Account:
    return Account.objects.create_user("petra@lahnau.example", name="Petra Muster", trust_level=3)


@pytest.fixture
def browser(db: None) -> Client:
    return Client(headers={"host": "localhost:8000"})
