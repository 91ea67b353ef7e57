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
        connection = self.connection
        waiting = waiting_of(connection)
        begins = not connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE
        if not waiting and not begins:
            super().execute(query, params, **options)
            return self
        sent = list(waiting)
        waiting.clear()
        with connection.pipeline():  # psycopg itself puts BEGIN in front
            for statement, values in sent:
                # Names of savepoints differ each time; counting them would push out what comes again.
                psycopg.Cursor(connection).execute(statement, values, prepare=None if values else False)
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
        self.waiting.append((statement, values))

    # --- what Django calls ---

    def get_connection_params(self) -> dict[str, Any]:
        return {
            **super().get_connection_params(),
            "cursor_factory": Cursor,
            "prepare_threshold": PREPARE_AFTER,
        }

    def create_cursor(self, name: str | None = None) -> Any:
        if name:  # read in pieces from the server's side, which goes in no pipeline
            self.create_cursor().send_waiting()
        return super().create_cursor(name)

    def _savepoint(self, sid: str) -> None:
        self.with_next(self.ops.savepoint_create_sql(sid), [])

    def _savepoint_commit(self, sid: str) -> None:
        begin: tuple[str, list[Any]] = (self.ops.savepoint_create_sql(sid), [])
        if begin in self.waiting:
            self.waiting.remove(begin)
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

    def _rollback(self) -> None:
        self.waiting.clear()
        super()._rollback()  # type: ignore[misc]  # the stubs leave it out
