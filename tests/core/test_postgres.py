"""What waits travels with the next statement, in order, and never outlives its transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import Any
from uuid import UUID

import pytest
from django.db import (
    DataError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from django.test.utils import CaptureQueriesContext

from rathaus.core.authorities.models import Authority
from rathaus.core.postgres.base import DatabaseWrapper
from rathaus.core.tenancy import acting, new_id

SET = "SELECT set_config('rathaus.test', %s, true)"


@pytest.fixture
def wrapper(committed: None) -> DatabaseWrapper:
    connection.ensure_connection()
    assert isinstance(connection._connections[connection._alias], DatabaseWrapper)
    return connection._connections[connection._alias]


def value_of(name: str = "rathaus.test") -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting(%s, true), '')", [name])
        return cursor.fetchone()[0]


def make(name: str) -> None:
    Authority.objects.create(kind="county", name=name, label=name, sort_key=name, slug=name)


def names() -> set[str]:
    return set(Authority.objects.values_list("name", flat=True))


def test_it_counts_for_the_next_statement_and_ends_with_the_transaction(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic():
        wrapper.with_next(SET, ["a"])
        assert value_of() == "a"
        assert value_of() == "a"
    assert value_of() is None


def test_a_transaction_without_a_statement_sends_nothing(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic():
        wrapper.with_next(SET, ["a"])
        with transaction.atomic():
            pass
        assert wrapper.connection.info.transaction_status.name == "IDLE"
    assert wrapper.waiting == []
    assert value_of() is None


def test_what_waited_is_gone_after_a_rollback(wrapper: DatabaseWrapper) -> None:
    with suppress(LookupError), transaction.atomic():
        wrapper.with_next(SET, ["a"])
        raise LookupError
    with transaction.atomic():
        assert value_of() is None


def test_an_unused_savepoint_is_never_sent(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic():
        assert value_of() is None
        with transaction.atomic():
            pass
        assert wrapper.waiting == []


def test_savepoints_roll_back_what_they_enclose(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic():
        make("outer")
        with suppress(LookupError), transaction.atomic():
            make("inner")
            raise LookupError
        with transaction.atomic():
            make("second")
            with suppress(LookupError), transaction.atomic():
                raise LookupError
            with transaction.atomic():
                make("third")
    assert names() == {"outer", "second", "third"}


def test_settings_inside_a_savepoint_are_undone_with_it(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic():
        wrapper.with_next(SET, ["outer"])
        with suppress(LookupError), transaction.atomic():
            wrapper.with_next(SET, ["inner"])
            raise LookupError
        assert value_of() == "outer"
        with suppress(LookupError), transaction.atomic():
            wrapper.with_next(SET, ["inner"])
            assert value_of() == "inner"
            raise LookupError
        assert value_of() == "outer"


def divide() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")


def test_an_error_of_the_statement_is_told_as_its_own(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic(), pytest.raises(DataError, match="division by zero"), transaction.atomic():
        divide()
    with transaction.atomic():
        make("still usable")
        with pytest.raises(DataError), transaction.atomic():
            divide()
        make("also")
    assert names() == {"still usable", "also"}


def test_an_error_of_what_waited_stops_the_statement(wrapper: DatabaseWrapper) -> None:
    with suppress(LookupError), transaction.atomic():
        wrapper.with_next("SELECT 1/0", [])
        with pytest.raises(DataError):
            make("never")
        raise LookupError
    assert names() == set()


def test_counts_of_changed_rows_are_known_at_once(wrapper: DatabaseWrapper) -> None:
    make("one")
    with transaction.atomic():
        assert Authority.objects.update(city="Lahnau") == 1
    with transaction.atomic(), transaction.atomic():
        assert Authority.objects.filter(name="one").update(city="Wiesbaden") == 1


def test_reading_in_pieces_and_many_at_once_take_along_what_waits(wrapper: DatabaseWrapper) -> None:
    for name in "abc":
        make(name)
    with transaction.atomic():
        wrapper.with_next(SET, ["a"])
        assert [found.name for found in Authority.objects.order_by("name").iterator(chunk_size=2)] == [
            "a",
            "b",
            "c",
        ]
        assert value_of() == "a"
    with transaction.atomic(), connection.cursor() as cursor:
        wrapper.with_next(SET, ["b"])
        cursor.executemany(
            "UPDATE authorities_authority SET city = current_setting('rathaus.test') WHERE name = %s",
            [["a"], ["b"]],
        )
    assert Authority.objects.filter(city="b").count() == 2


def test_a_lost_connection_takes_nothing_into_the_next(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic():
        wrapper.with_next(SET, ["a"])
    connection.close()
    with transaction.atomic():
        assert value_of() is None


def test_acting_costs_no_statement_of_its_own(wrapper: DatabaseWrapper) -> None:
    authority, account = new_id(), new_id()
    with CaptureQueriesContext(connection) as queries, acting(authority=authority, account=account):
        assert value_of("rathaus.authority") == str(authority)
        with acting(authority=account):
            assert value_of("rathaus.authority") == str(account)
        assert value_of("rathaus.authority") == str(authority)
    assert [query["sql"] for query in queries if "set_config" in query["sql"]] == []


def test_a_statement_that_comes_again_is_prepared(wrapper: DatabaseWrapper) -> None:
    key: UUID = new_id()

    def prepared() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            return [row[0] for row in cursor.fetchall() if "authorities_authority" in row[0]]

    for _ in range(5):
        assert not Authority.objects.filter(id=key).exists()
    assert len(prepared()) == 1


def swallow(error: type[Exception], statement: str, values: list[Any] | None = None) -> None:
    with suppress(error), connection.cursor() as cursor:
        cursor.execute(statement, values)


def swallow_within() -> None:
    with transaction.atomic():
        make("inner")
        swallow(DataError, "SELECT 1/0")


def test_an_error_swallowed_in_a_savepoint_is_told_at_its_end(wrapper: DatabaseWrapper) -> None:
    """As Django does: else the transaction would go on, and its commit would silently be a rollback."""
    with transaction.atomic():
        make("outer")
        with pytest.raises(InternalError, match="transaction is aborted"):
            swallow_within()
        make("after")
    assert names() == {"outer", "after"}


def test_a_value_that_cannot_be_sent_leaves_the_transaction_whole(wrapper: DatabaseWrapper) -> None:
    with transaction.atomic():
        wrapper.with_next(SET, ["a"])
        swallow(DataError, "SELECT %s", ["\x00"])
        assert value_of() == "a"
        make("kept")
        with suppress(ProgrammingError), transaction.atomic():
            make("undone")
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s, %s", ["one"])
    assert names() == {"kept"}


def test_errors_do_not_confuse_what_is_prepared(wrapper: DatabaseWrapper) -> None:
    for turn in range(8):
        with suppress(DataError), transaction.atomic():
            if turn % 2:
                wrapper.with_next("SELECT 1/0", [])
            assert value_of() is None
        with suppress(DataError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/%s::int", [turn % 3])
            assert cursor.fetchone() is not None
    with transaction.atomic():
        assert value_of() is None


def test_a_connection_that_breaks_in_a_transaction_is_replaced(
    wrapper: DatabaseWrapper, superuser: Any
) -> None:
    with suppress(OperationalError), transaction.atomic():
        make("lost")
        wrapper.with_next(SET, ["a"])
        superuser.execute("SELECT pg_terminate_backend(%s)", [wrapper.connection.info.backend_pid])
        with transaction.atomic():
            make("lost too")
    with transaction.atomic():
        assert value_of() is None
        make("new")
    assert names() == {"new"}


def test_what_waits_before_there_is_a_connection_is_not_lost(wrapper: DatabaseWrapper) -> None:
    connection.close()
    wrapper.with_next("SET SESSION application_name = 'tests'", [])
    assert value_of("application_name") == "tests"


def test_each_thread_waits_for_itself(wrapper: DatabaseWrapper) -> None:
    def elsewhere() -> str | None:
        with transaction.atomic():
            found = value_of()
        connection.close()
        return found

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        wrapper.with_next(SET, ["mine"])
        assert pool.submit(elsewhere).result() is None
        assert value_of() == "mine"


def test_the_owner_connects_as_django_does(wrapper: DatabaseWrapper) -> None:
    assert not isinstance(connections["owner"], DatabaseWrapper)


@pytest.mark.parametrize("is_atomic", [True, False])
def test_reading_in_pieces_goes_on_while_others_run(wrapper: DatabaseWrapper, is_atomic: bool) -> None:
    for name in "abcde":
        make(name)
    with transaction.atomic() if is_atomic else nullcontext():
        seen = []
        for found in Authority.objects.order_by("name").iterator(chunk_size=1):
            with transaction.atomic():
                seen += list(Authority.objects.filter(name=found.name).values_list("name", flat=True))
            with suppress(LookupError), transaction.atomic():
                Authority.objects.update(city="nowhere")
                raise LookupError
        assert seen == list("abcde")
    assert set(Authority.objects.values_list("city", flat=True)) == {""}


def test_transactions_by_hand_go_on_after_each_commit(wrapper: DatabaseWrapper) -> None:
    transaction.set_autocommit(False)
    try:
        make("kept")
        transaction.commit()
        make("undone")
        transaction.rollback()
        make("kept too")
        transaction.commit()
        make("never committed")
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert names() == {"kept", "kept too"}
