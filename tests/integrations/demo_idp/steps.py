"""The steps of a login: from the platform to the provider and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import requests
from django.http import HttpResponse
from django.test import Client

from rathaus.integrations.demo_idp import people

PLATFORM = "http://localhost:8000"
LogIn = Callable[..., HttpResponse]


def to_provider(platform: Client, **data: str) -> str:
    """Where the platform's login page sends the browser."""
    answer = platform.post("/anmelden/", {"weg": "servicekonto", **data})
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def at_provider(url: str, email: str, password: str = "") -> str:
    """Log in at the provider as a browser would; returns the address at the platform that it leads to."""
    with requests.Session() as browser:
        page = browser.get(url, timeout=20)
        assert page.status_code == 200
        form = {name: field_of(page.text, name) for name in ("csrfmiddlewaretoken", "next")}
        answer = browser.post(
            page.url,
            data={**form, "login": email, "password": password or people.password()},
            allow_redirects=False,
            timeout=20,
        )
        while answer.status_code == 302:
            target = urljoin(answer.url, answer.headers["Location"])
            if target.startswith(PLATFORM):
                return target
            answer = browser.get(target, allow_redirects=False, timeout=20)
        raise AssertionError(answer.text)


def back_at(platform: Client, url: str) -> HttpResponse:
    parts = urlsplit(url)
    return platform.get(f"{parts.path}?{parts.query}")


def field_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1].replace("&amp;", "&")
