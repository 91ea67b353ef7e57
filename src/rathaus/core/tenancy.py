"""Who sees which row: decided by PostgreSQL, declared beside each model, applied after every migrate.

A model says `tenancy = Tenancy(...)` (rows of an authority) or `tenancy = Shared(...)` (no authority's data, with the
reason). `apply_tenancy` turns the declarations into forced row-level security and the least rights that the app role
needs. A request, job or command runs inside `acting(...)`, which sets transaction-local settings that the policies
read. No setting, no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import uuid_utils.compat
from django.apps import apps
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

from rathaus.core.embedded import APP_ROLE

HOUSEKEEPING = "(SELECT current_setting('rathaus.housekeeping', true)) = 'on'"
AUTHORITY = "(SELECT nullif(current_setting('rathaus.authority', true), '')::uuid)"
ACCOUNT = "(SELECT nullif(current_setting('rathaus.account', true), '')::uuid)"
PARTIES = "ANY ((SELECT string_to_array(nullif(current_setting('rathaus.parties', true), ''), ',')::uuid[])::uuid[])"


def new_id() -> UUID:
    """A UUIDv7: unique everywhere, and ordered by time of making."""
    return uuid_utils.compat.uuid7()


@dataclass(frozen=True)
class Tenancy:
    """Rows that belong to an authority. Conditions are SQL over the row's columns.

    `{parties}` and `{account}` stand for the parties and the account acting; `housekeeping` says which rows of any authority
    may be removed by a job inside `housekeeping()`. `rights` are what the app role may do at
    all; leave out UPDATE and DELETE for what must never change, and name in `changes` the columns that may all the same.
    `authority` is empty where rows belong to parties only.
    """

    authority: str = "authority_id"
    applicant_reads: str = ""
    applicant_writes: str = ""
    everyone_reads: str = ""
    housekeeping: str = ""
    rights: str = "SELECT, INSERT, UPDATE"
    changes: tuple[str, ...] = ()

    def policies(self) -> Iterator[tuple[str, str, str, str]]:
        """(name, command, using, with check) of each policy."""
        if self.authority:
            own = f"{self.authority} = {AUTHORITY}"
            yield "own_authority", "ALL", own, own
        if self.applicant_reads:
            yield "applicant_reads", "SELECT", _fill(self.applicant_reads), ""
        if self.applicant_writes:
            yield "applicant_writes", "ALL", _fill(self.applicant_writes), _fill(self.applicant_writes)
        if self.everyone_reads:
            yield "everyone_reads", "SELECT", self.everyone_reads, ""
        if self.housekeeping:
            yield "housekeeping", "ALL", f"{HOUSEKEEPING} AND ({self.housekeeping})", "false"


@dataclass(frozen=True)
class Shared:
    """A table without any authority's data. Says why, and what the app role may do."""

    reason: str
    rights: str = "SELECT, INSERT, UPDATE"


def _fill(condition: str) -> str:
    return condition.replace("{parties}", PARTIES).replace("{account}", ACCOUNT)


class TenantModel(models.Model):
    """A row kept by one authority, under a UUIDv7."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    authority = models.ForeignKey(
        "authorities.Authority", models.PROTECT, related_name="+", verbose_name="Behörde"
    )

    tenancy: ClassVar[Tenancy | Shared] = Tenancy()

    class Meta:
        abstract = True


# --- acting ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Context:
    """For whom the current transaction speaks."""

    authority: UUID | None = None
    account: UUID | None = None
    parties: tuple[UUID, ...] = ()

    def settings(self) -> list[str]:
        return [
            str(self.authority or ""),
            str(self.account or ""),
            ",".join(str(party) for party in self.parties),
        ]


NOBODY = Context()
_current: ContextVar[Context] = ContextVar("rathaus_context", default=NOBODY)

_SET = (
    "SELECT set_config('rathaus.authority', %s, true), set_config('rathaus.account', %s, true), "
    "set_config('rathaus.parties', %s, true)"
)


@contextmanager
def acting(
    *, authority: UUID | None = None, account: UUID | None = None, parties: Iterable[UUID] = ()
) -> Iterator[Context]:
    """One transaction (or savepoint) that sees the rows of this authority, account and these parties, and no others.

    Nested calls replace the context and give the outer one back. An error rolls the inner part back.
    """
    context = Context(authority, account, tuple(parties))
    outer = _current.get()
    nested = connection.in_atomic_block
    if nested and context == outer:
        with transaction.atomic():
            yield context
        return
    with transaction.atomic():
        _apply(context)
        token = _current.set(context)
        try:
            yield context
        finally:
            _current.reset(token)
        if nested:
            _apply(outer)


@contextmanager
def housekeeping() -> Iterator[None]:
    """A transaction of a cleaning job: sees, whoever keeps them, the rows that a model gives free for removal."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('rathaus.housekeeping', 'on', true)")
        yield
        cursor.execute("SELECT set_config('rathaus.housekeeping', '', true)")


@contextmanager
def context_is(context: Context) -> Iterator[None]:
    """Say which context the database was already put into for the current transaction (see identity.queries.entering)."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def _apply(context: Context) -> None:
    connection.with_next(_SET, context.settings())  # type: ignore[attr-defined]  # our backend, core/postgres


# --- policies and rights -----------------------------------------------------------------------------------------

# Tables of libraries that hold accounts, sessions, jobs (ids only) or Django's own book-keeping, no authority's data.
LIBRARY_TABLES = {
    "account": "login of accounts (allauth)",
    "socialaccount": "login of accounts (allauth)",
    "mfa": "second factors of accounts (allauth)",
    "sessions": "sessions of accounts (Django)",
    "contenttypes": "book-keeping of Django",
    "auth": "book-keeping of Django; roles live in identity.Membership",
    "procrastinate": "jobs; arguments are ids only",
}


def models_with_tenancy() -> list[type[models.Model]]:
    """Every model of ours that has a table."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model.__module__.startswith("rathaus.")
    ]


def tenancy_of(model: type[models.Model]) -> Tenancy | Shared:
    """The declaration of a model; an error if it has none, so that no table can be forgotten."""
    declared = getattr(model, "tenancy", None)
    if not isinstance(declared, Tenancy | Shared):
        raise TypeError(f"{model._meta.label}: declare `tenancy`")
    return declared


def apply_tenancy(using: Any) -> None:
    """Make policies and rights what the models declare. Runs as the owner after each migrate; idempotent."""
    with transaction.atomic(using=using.alias), using.cursor() as cursor:
        _close_schema(cursor)
        for model in models_with_tenancy():
            _apply_to(cursor, model._meta.db_table, tenancy_of(model))
        for label in LIBRARY_TABLES:
            _open_library(cursor, label)
        cursor.execute(f"GRANT SELECT ON django_migrations TO {APP_ROLE}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")


def _apply_to(cursor: CursorWrapper, table: str, tenancy: Tenancy | Shared) -> None:
    cursor.execute(f'REVOKE ALL ON "{table}" FROM {APP_ROLE}')
    cursor.execute(f'GRANT {tenancy.rights} ON "{table}" TO {APP_ROLE}')
    if isinstance(tenancy, Shared):
        return
    if tenancy.changes:
        columns = ", ".join(f'"{column}"' for column in tenancy.changes)
        cursor.execute(f'GRANT UPDATE ({columns}) ON "{table}" TO {APP_ROLE}')
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
    cursor.execute(
        "SELECT policyname FROM pg_policies WHERE schemaname = 'public' AND tablename = %s", [table]
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'DROP POLICY "{name}" ON "{table}"')
    for name, command, using, check in tenancy.policies():
        with_check = f" WITH CHECK ({check})" if check else ""
        cursor.execute(
            f'CREATE POLICY "{name}" ON "{table}" FOR {command} TO PUBLIC USING ({using}){with_check}'
        )


def _close_schema(cursor: CursorWrapper) -> None:
    """The app role makes nothing, not even for a session, and cannot turn functions that run as their owner.

    A temporary table would come before ours in such a function's search path, or let its trigger fire at will.
    """
    cursor.execute("SELECT quote_ident(current_database())")
    cursor.execute(f"REVOKE TEMPORARY ON DATABASE {cursor.fetchone()[0]} FROM PUBLIC, {APP_ROLE}")
    cursor.execute(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {APP_ROLE}")
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
    cursor.execute(
        "SELECT oid::regprocedure::text, prorettype = 'trigger'::regtype FROM pg_proc "
        "WHERE prosecdef AND pronamespace = 'public'::regnamespace AND proowner = current_user::regrole"
    )
    for function, is_trigger in cursor.fetchall():
        cursor.execute(f"ALTER FUNCTION {function} SET search_path = public, pg_temp")
        if is_trigger:
            cursor.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC, {APP_ROLE}")


def _open_library(cursor: CursorWrapper, label: str) -> None:
    for model in apps.get_app_config(label).get_models(include_auto_created=True):
        table = model._meta.db_table
        cursor.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {APP_ROLE}')
