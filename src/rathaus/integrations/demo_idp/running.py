"""Prepares and runs the provider beside the platform, for the demo and for tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import psycopg

from rathaus.core.embedded import DatabaseUrls, prepare_database

PORT = 8001
_START_SECONDS = 30


class ProviderFailed(Exception):
    """The provider could not be prepared or started."""


def database(urls: DatabaseUrls, name: str = "rathaus_idp") -> str:
    """The provider's own database beside the platform's, made if missing; returns its address for the owner role."""
    with psycopg.connect(urls.superuser, autocommit=True) as connection:
        prepare_database(connection, name)
    base, mark, query = urls.owner.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}{mark}{query}"


def prepare(database_url: str, *, platform_url: str = "http://localhost:8000") -> None:
    """Migrate and fill the provider's database; safe to call again. About two seconds, most of it Django starting.

    `platform_url` is where people return to after logging in. Needs RATHAUS_PREVIEW=1 in the environment.
    """
    done = subprocess.run(
        [sys.executable, "-m", "rathaus.integrations.demo_idp"],
        env=_environment(database_url, platform_url, PORT),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProviderFailed(done.stderr)


def command(port: int = PORT) -> list[str]:
    """How to run the provider under gunicorn; `environment` says what it needs."""
    return [
        sys.executable, "-m", "gunicorn", "rathaus.integrations.demo_idp.wsgi",
        "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4", "--no-control-socket",
    ]  # fmt: skip


def environment(
    database_url: str, *, platform_url: str = "http://localhost:8000", port: int = PORT
) -> dict[str, str]:
    """What `command` must find in its environment, on top of RATHAUS_PREVIEW=1."""
    return {
        "IDP_DATABASE_URL": database_url,
        "IDP_URL": f"http://localhost:{port}",
        "RATHAUS_URL": platform_url,
    }


@contextmanager
def running(
    database_url: str, *, platform_url: str = "http://localhost:8000", port: int = PORT
) -> Iterator[str]:
    """Run the prepared provider until the block ends; yields its issuer, "http://localhost:8001"."""
    issuer = f"http://localhost:{port}"
    process = subprocess.Popen(  # noqa: S603  our own command
        [*command(port), "--log-level", "error"],
        env=_environment(database_url, platform_url, port),
    )
    try:
        _wait_for(process, issuer)
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=20)


def _environment(database_url: str, platform_url: str, port: int) -> dict[str, str]:
    return {**os.environ, **environment(database_url, platform_url=platform_url, port=port)}


def _wait_for(process: subprocess.Popen[bytes], issuer: str) -> None:
    ends = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        try:
            with urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5):  # noqa: S310  loopback
                return
        except (URLError, TimeoutError):
            time.sleep(0.1)
    raise ProviderFailed(f"No answer from {issuer}; what went wrong stands above.")
