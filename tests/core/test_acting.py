"""The context of a transaction: never wider than asked, given back after errors, gone with the transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from tests.casework.conftest import World

from rathaus.casework.cases.models import Case
from rathaus.core import tenancy
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of, entering
from rathaus.core.tenancy import NOBODY, Context, acting
from rathaus.web.middleware import ActingMiddleware

A, B = UUID(int=1), UUID(int=2)


def current_context() -> Context:
    """What Python believes the database to be set to; were it wrong, a nested `acting` might set nothing."""
    return tenancy._current.get()


def settings_of_database() -> tuple[str, str, str]:
    names = ", ".join(
        f"coalesce(current_setting('rathaus.{n}', true), '')" for n in ("authority", "account", "parties")
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names}")
        return cursor.fetchone()


NONE = ("", "", "")


@pytest.fixture
def clean(committed: None) -> Iterator[None]:
    """Outside any transaction, as a request or a job begins."""
    assert not connection.in_atomic_block
    yield
    assert current_context() == NOBODY
    assert settings_of_database() == NONE


def test_the_context_ends_with_the_transaction(clean: None) -> None:
    with acting(authority=A, account=B, parties=[A, B]):
        assert settings_of_database() == (str(A), str(B), f"{A},{B}")
    assert settings_of_database() == NONE


def test_inner_contexts_replace_and_give_back(clean: None) -> None:
    with acting(authority=A, parties=[B]):
        with acting(authority=B):
            assert settings_of_database() == (str(B), "", "")
            with acting():
                assert settings_of_database() == NONE
            assert settings_of_database() == (str(B), "", "")
        assert settings_of_database() == (str(A), "", str(B))
        assert current_context() == Context(A, None, (B,))


def test_an_error_gives_the_outer_context_back(clean: None) -> None:
    with acting(authority=A):
        with pytest.raises(ZeroDivisionError), acting(authority=B), acting(authority=A, parties=[B]):
            raise ZeroDivisionError
        assert settings_of_database() == (str(A), "", "")
        with (
            pytest.raises(DatabaseError, match="division"),
            acting(authority=B),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1/0")  # the database itself fails
        assert settings_of_database() == (str(A), "", "")
        assert current_context() == Context(A)


def test_an_error_at_the_outermost_leaves_nothing(clean: None) -> None:
    with pytest.raises(ZeroDivisionError), acting(authority=A):
        raise ZeroDivisionError
    assert settings_of_database() == NONE
    assert current_context() == NOBODY


def test_a_plain_transaction_around_sees_nothing_afterwards(clean: None) -> None:
    with transaction.atomic():
        with acting(authority=A):
            pass
        assert settings_of_database() == NONE
        with pytest.raises(ZeroDivisionError), acting(authority=B):
            raise ZeroDivisionError
        assert settings_of_database() == NONE


def test_threads_do_not_share_a_context(clean: None) -> None:
    seen: dict[str, Any] = {}

    def other() -> None:
        seen["context"], seen["settings"] = current_context(), settings_of_database()
        with acting(authority=B):
            inside.set()
            assert done.wait(5)
        connection.close()

    inside, done = threading.Event(), threading.Event()
    with acting(authority=A):
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(5)
        assert settings_of_database() == (str(A), "", "")
        assert current_context() == Context(A)
        done.set()
        thread.join(5)
    assert seen == {"context": NOBODY, "settings": NONE}


def test_a_rolled_back_savepoint_inside_keeps_the_context(clean: None) -> None:
    with acting(authority=A):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert settings_of_database() == (str(A), "", "")


def test_settings_for_the_session_do_not_outlive_acting(committed: None) -> None:
    """Whoever may run SQL may set the settings: that is the limit of these policies. But `acting` always overrides."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('rathaus.authority', %s, false)", [str(A)])
    with acting(parties=[B]):
        assert settings_of_database() == ("", "", str(B))
    connection.close()
    assert settings_of_database() == NONE


@pytest.mark.parametrize("value", ["x", "' OR true --", "{}", "00000000"])
def test_nonsense_in_a_setting_is_an_error_and_never_a_row(value: str, committed_world: World) -> None:
    committed_world.submit()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('rathaus.parties', %s, true)", [value])
        with pytest.raises(DatabaseError, match=r"uuid|array"), transaction.atomic():
            list(Case.objects.all())


# --- who an account is -------------------------------------------------------------------------------------------


def test_entering_gives_what_the_account_may_and_nothing_else(committed_world: World) -> None:
    w = committed_world
    case = w.submit()
    assert w.clerk.account
    assert w.lahnau_officer.account
    with entering(w.clerk.account) as actor:
        assert (actor.authority, actor.parties) == (w.ministry.id, ())
        assert current_context() == Context(w.ministry.id, w.clerk.account)
        assert Case.objects.get() == case
    with entering(w.lahnau_officer.account) as actor:
        assert (actor.authority, actor.parties) == (None, (w.lahnau_party.id,))
        assert Case.objects.get() == case
    with entering(w.waldsolms_officer.account):
        assert not Case.objects.exists()
    with entering(uuid4()) as actor:
        assert actor.authority is None
        assert not actor.parties
        assert not Case.objects.exists()
    assert settings_of_database() == NONE
    assert not Case.objects.exists()


def test_a_wanted_authority_counts_only_with_a_membership(committed_world: World) -> None:
    w = committed_world
    assert w.clerk.account
    assert w.lahnau_officer.account
    assert actor_of(w.clerk.account, authority=w.waldsolms.id).authority == w.ministry.id
    assert actor_of(w.lahnau_officer.account, authority=w.ministry.id).authority is None


def test_a_mandate_that_ended_gives_nothing(committed_world: World) -> None:
    w = committed_world
    w.submit()
    assert w.lahnau_officer.account
    with acting(parties=[w.lahnau_party.id]), connection.cursor() as cursor:
        cursor.execute("UPDATE identity_mandate SET valid_from = '2020-01-01', valid_until = '2020-12-31'")
        assert cursor.rowcount == 1
    actor = actor_of(w.lahnau_officer.account)
    assert actor.parties == ()
    assert actor.names == {}
    with actor.acting():
        assert not Case.objects.exists()


def test_a_change_of_membership_holds_at_once(committed_world: World) -> None:
    """Nothing of what an account may do is kept between transactions."""
    w = committed_world
    assert w.clerk.account
    with Actor.system(w.ministry.id).acting(), connection.cursor() as cursor:
        cursor.execute("UPDATE identity_membership SET roles = '{}' WHERE account_id = %s", [w.clerk.account])
    assert actor_of(w.clerk.account).roles == frozenset()


# --- requests over one persistent connection -----------------------------------------------------------------------


def request_of(account: UUID, view: Any) -> HttpResponse:
    request: HttpRequest = RequestFactory().get("/postfach/")
    request.user = Account.objects.get(id=account)  # type: ignore[assignment]  what the login middleware does
    request.session = {}  # type: ignore[assignment]
    response = ActingMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    return response


def test_a_request_leaves_no_context_on_the_connection(committed_world: World) -> None:
    w = committed_world
    w.submit()
    process: list[int] = []

    def view(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            process.append(cursor.fetchone()[0])
        return HttpResponse(str(Case.objects.count()))

    def broken(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    assert w.clerk.account
    assert w.lahnau_officer.account
    assert w.waldsolms_officer.account
    assert request_of(w.clerk.account, view).content == b"1"
    assert settings_of_database() == NONE
    assert current_context() == NOBODY
    with pytest.raises(ZeroDivisionError):
        request_of(w.clerk.account, broken)
    assert settings_of_database() == NONE
    assert current_context() == NOBODY
    assert request_of(w.waldsolms_officer.account, view).content == b"0"
    assert request_of(w.lahnau_officer.account, view).content == b"1"
    assert settings_of_database() == NONE
    assert len(set(process)) == 1  # it really was one connection


def test_a_failed_request_writes_nothing(committed_world: World) -> None:
    w = committed_world
    case = w.submit()

    def view(request: HttpRequest) -> HttpResponse:
        assert Case.objects.filter(id=case.id).update(title="Anders") == 1
        return HttpResponse(status=500)

    assert w.clerk.account
    request_of(w.clerk.account, view)
    with w.clerk.acting():
        assert Case.objects.get(id=case.id).title == "Neue Akte"
