"""PostgreSQL as Django's backend speaks to it, with fewer round trips and without planning a statement twice.

Statements whose answer nobody reads (BEGIN, SAVEPOINT, RELEASE, the settings of `acting`) wait and travel with the next
one in a pipeline. What waits holds for the transaction only: on COMMIT or ROLLBACK it is dropped, so a transaction or
savepoint that runs no statement costs nothing. Parameters are bound by the server, and a statement that comes again is
prepared: planning was two thirds of the time that the database took for a step of a case (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

PREPARE_AFTER = 3  # uses of a statement on a connection


Waiting = list[tuple[str, list[Any]]]


def waiting_of(connection: psycopg.Connection) -> Waiting:
    """What waits for the next statement of a connection: statements with their values."""
    return vars(connection).setdefault("waiting", [])


class Cursor(psycopg.Cursor[Any]):
    """A cursor that takes along what waits for its connection."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        waiting = waiting_of(self.connection)
        if not waiting:
            super().execute(query, params, **options)
            return self
        sent = list(waiting)
        waiting.clear()
        with self.connection.pipeline():
            for statement, values in sent:
                # Names of savepoints differ each time; counting them would push out what comes again.
                psycopg.Cursor(self.connection).execute(statement, values, prepare=None if values else False)
            super().execute(query, params, **options)
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        self.send_waiting()
        super().executemany(query, params_seq, **options)

    def copy(self, *given: Any, **options: Any) -> Any:
        self.send_waiting()
        return super().copy(*given, **options)

    def stream(self, *given: Any, **options: Any) -> Any:
        self.send_waiting()
        return super().stream(*given, **options)

    def send_waiting(self) -> None:
        """Send what waits now, where the next statement cannot go in a pipeline."""
        if waiting_of(self.connection):
            self.execute("SELECT 1")


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with what the module says."""

    @property
    def waiting(self) -> Waiting:
        """What waits for the next statement."""
        return waiting_of(self.connection) if self.connection is not None else []

    def with_next(self, statement: str, values: list[Any]) -> None:
        """Run a statement with the next one. It must count for the transaction only and give nothing to read."""
        self.ensure_connection()
        self.waiting.append((statement, values))

    # --- what Django calls ---

    def get_connection_params(self) -> dict[str, Any]:
        return {
            **super().get_connection_params(),
            "cursor_factory": Cursor,
            "prepare_threshold": PREPARE_AFTER,
        }

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        found = super().get_new_connection(conn_params)
        found.autocommit = True  # as far as the driver knows, see _set_autocommit
        return found

    def create_cursor(self, name: str | None = None) -> Any:
        if not name:
            return super().create_cursor()
        self.create_cursor().send_waiting()  # what is read in pieces goes in no pipeline
        return psycopg.ServerCursor(self.connection, name, scrollable=False, withhold=self.get_autocommit())

    def _set_autocommit(self, autocommit: bool) -> None:
        # The driver stays in autocommit: a BEGIN of its own would be a round trip.
        self.waiting.clear()
        if not autocommit:
            self.with_next("BEGIN", [])

    def _savepoint(self, sid: str) -> None:
        self.with_next(self.ops.savepoint_create_sql(sid), [])

    def _savepoint_commit(self, sid: str) -> None:
        begin: tuple[str, list[Any]] = (self.ops.savepoint_create_sql(sid), [])
        if begin in self.waiting:
            self.waiting.remove(begin)
        elif self.connection.info.transaction_status == TransactionStatus.INERROR:
            # Somebody swallowed an error. Now it is told, and undone with the savepoint; waiting until later, it would
            # break the whole transaction, whose COMMIT PostgreSQL answers with a silent ROLLBACK.
            super()._savepoint_commit(sid)  # type: ignore[misc]  # the stubs leave it out
        else:
            self.with_next(self.ops.savepoint_commit_sql(sid), [])

    def _savepoint_rollback(self, sid: str) -> None:
        begin: tuple[str, list[Any]] = (self.ops.savepoint_create_sql(sid), [])
        if begin in self.waiting:
            del self.waiting[self.waiting.index(begin) + 1 :]
        else:
            self.waiting.clear()
            super()._savepoint_rollback(sid)  # type: ignore[misc]  # the stubs leave it out

    def _commit(self) -> None:
        self.waiting.clear()
        super()._commit()  # type: ignore[misc]  # the stubs leave it out
        self._set_autocommit(self.autocommit)

    def _rollback(self) -> None:
        self.waiting.clear()
        super()._rollback()  # type: ignore[misc]  # the stubs leave it out
        self._set_autocommit(self.autocommit)
