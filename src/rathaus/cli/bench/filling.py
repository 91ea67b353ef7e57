"""A million cases without waiting for a million lifecycles: PostgreSQL copies two real ones, each with all its rows.

Of ten cases one waits for a clerk, nine are decided and notified. Keys keep the order of time, as UUIDv7 do: the first
half of each comes from the time of the copy, the second from the row that is copied, so that rows refer to each other as
theirs did. Days and instants move with the case.
"""

from __future__ import annotations

from collections.abc import Collection

import psycopg
from django.db import models
from psycopg import sql

from rathaus.casework.cases.models import (
    Application,
    Case,
    CaseProcess,
    Decision,
    Finding,
    Message,
    Notice,
    Task,
)
from rathaus.casework.records.models import Document
from rathaus.core.audit.models import Event

PREFIX = "KOPIE"
COPIED: tuple[type[models.Model], ...] = (
    Case, Application, CaseProcess, Task, Event, Document, Decision, Finding, Message, Notice,
)  # fmt: skip
_OWN_KEYS = {"id", "case_id", "application_id", "document_id", "decision_id", "message_id", "submission"}
_APART_SECONDS, _LAST = 10, 2_000_000
_AT_ONCE = 100_000
_COPIES = """
CREATE TEMP TABLE copies ON COMMIT DROP AS
  SELECT n, left(uuidv7((n - {last}) * interval '{apart} seconds')::text, 18) AS head,
    (n - {last}) * interval '{apart} seconds' AS shift, CASE WHEN n % 10 = 0 THEN {waiting} ELSE {done} END AS template
  FROM generate_series({first}, {upto}) AS n
"""


def fill(superuser: str, *, upto: int, waiting: str, done: str) -> None:
    """Copy until there are `upto` copies of the two cases with these references."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers: keys fit by construction
        cases = {reference: key for key, reference in connection.execute(
            "SELECT id::text, reference FROM cases_case WHERE reference = ANY(%s)", [[waiting, done]]
        )}  # fmt: skip
        first = 1 + _count(connection)
        while first <= upto:
            last = min(upto, first + _AT_ONCE - 1)
            _copy(connection, first, last, cases[waiting], cases[done])
            first = last + 1
        for model in COPIED:
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(model._meta.db_table)))


def reference(number: int) -> str:
    """The reference of a copy."""
    return f"{PREFIX}-{number:07d}"


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM cases_case WHERE reference LIKE %s", [f"{PREFIX}-%"]
    ).fetchone()
    assert row is not None
    return int(row[0])


def _copy(connection: psycopg.Connection, first: int, last: int, waiting: str, done: str) -> None:
    with connection.transaction():
        connection.execute(
            sql.SQL(_COPIES).format(
                last=sql.Literal(_LAST),
                apart=sql.SQL(str(_APART_SECONDS)),
                waiting=sql.Literal(waiting),
                done=sql.Literal(done),
                first=sql.Literal(first),
                upto=sql.Literal(last),
            )
        )
        connection.execute("ANALYZE copies")
        for model in COPIED:
            connection.execute(insert(model), [[waiting, done]])


def insert(model: type[models.Model], prefix: str = PREFIX, given: Collection[str] = ()) -> sql.Composed:
    """Copies the rows of the template cases (the parameter: their keys) as the table `copies` says; columns that are
    `given` come from there too."""
    fields = model._meta.concrete_fields
    case = "id" if model is Case else "case_id"
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t JOIN copies c ON c.template = t.{case}::text "
        "WHERE t.{case} = ANY(%s::uuid[])"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        case=sql.Identifier(case),
        columns=sql.SQL(", ").join(sql.Identifier(field.column) for field in fields),
        values=sql.SQL(", ").join(
            sql.SQL("c.{}").format(sql.Identifier(field.column))
            if field.column in given
            else _value(field, prefix)
            for field in fields
        ),
    )


def _value(field: models.Field, prefix: str) -> sql.Composable:
    column = sql.Identifier(field.column)
    if field.column in _OWN_KEYS:
        return sql.SQL("(c.head || substr(t.{}::text, 19))::uuid").format(column)
    if field.column == "reference":
        return sql.SQL("{} || lpad(c.n::text, 7, '0')").format(sql.Literal(f"{prefix}-"))
    if isinstance(field, models.DateTimeField):
        return sql.SQL("t.{} + c.shift").format(column)
    if isinstance(field, models.DateField):
        return sql.SQL("t.{} + extract(day FROM justify_hours(c.shift))::int").format(column)
    return sql.SQL("t.{}").format(column)
