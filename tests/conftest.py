"""Tests talk to a real PostgreSQL as the app's role, which is neither owner nor superuser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("RATHAUS_VAR", str(ROOT / "var/test"))
os.environ["DJANGO_SETTINGS_MODULE"] = "rathaus.config.settings"
os.environ["RATHAUS_EMAIL_BACKEND"] = "django.core.mail.backends.locmem.EmailBackend"

from rathaus.core import embedded  # noqa: E402  the environment must be set before Django reads it

DATABASE = f"rathaus_test_{os.getpid()}"
URLS = embedded.start(ROOT / "var/postgres", database=DATABASE)

import hypothesis  # noqa: E402

# A busy machine is no fault. In CI the same examples in each run, so that what is red is red because of the change; new
# ones on every other machine.
hypothesis.settings.register_profile(
    "rathaus",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("rathaus")

import django  # noqa: E402  reads the settings, which read the environment

django.setup()


@pytest.fixture(scope="session")
def database_urls() -> embedded.DatabaseUrls:
    """Addresses of the test database: for the app's role, the owner, and the cluster's superuser."""
    return URLS


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A fresh database of this run, migrated as the owner; the tests' connection is the app's role."""
    from django.core.management import call_command
    from django.db import connections

    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0)
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    admin = URLS.superuser.replace(f"/{DATABASE}", "/postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """For tests whose transactions really commit (several connections, workers, browsers). Emptied afterwards."""
    from django.db import connection, connections

    with django_db_blocker.unblock():
        yield
        for wrapper in connections.all(initialized_only=True):
            wrapper.close()
        connection.close()
    with psycopg.connect(URLS.superuser, autocommit=True) as cleaner:
        tables = cleaner.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations' "
            "AND tablename NOT LIKE 'django_content_type%' AND tablename NOT LIKE 'auth_permission%'"
        ).fetchall()
        with cleaner.transaction():  # deleting a few rows is quicker than truncating many empty tables
            cleaner.execute("SET LOCAL session_replication_role = replica")
            for (name,) in tables:
                cleaner.execute(f'DELETE FROM "{name}"')


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: object) -> Iterator[None]:
    """Each test keeps its files and mails to itself."""
    from django.core.files.storage import storages

    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "blobs"},
        },
    }
    storages.__dict__.pop("backends", None)
    storages._storages.clear()
    yield
    shutil.rmtree(tmp_path / "blobs", ignore_errors=True)


@pytest.fixture(autouse=True)
def _strict_templates() -> None:
    """A template variable that nobody set is an error."""
    from django.template import engines

    class Missing(str):
        def __contains__(self, text: object) -> bool:
            return True

        def __mod__(self, name: object) -> str:
            raise AssertionError(f"template variable {name} is not set")

    for engine in engines.all():
        engine.engine.string_if_invalid = Missing("%s")
