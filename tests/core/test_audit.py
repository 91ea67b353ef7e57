"""The sealed history: every tampering shows, and no writer is lost or waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from click.testing import CliRunner
from django.db import connection
from tests.casework.conftest import World
from tests.core.conftest import seal_all

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.events import ANSWERED
from rathaus.cli.commands import audit_seal, audit_verify
from rathaus.core.audit.actions import record, seal
from rathaus.core.audit.models import Block, Event
from rathaus.core.audit.queries import authorities_with_history, verify
from rathaus.core.authorities.models import Authority
from rathaus.core.embedded import DatabaseUrls
from rathaus.core.identity.actors import Actor
from rathaus.core.tenancy import new_id


@pytest.fixture
def sealed(committed_world: World) -> World:
    """Three blocks with several events each, and a few events not yet sealed."""
    w = committed_world
    for _ in range(3):
        complete_task(by=w.clerk, task=w.task(w.submit()).id, answers={"vollstaendig": True})
        seal_all(w.ministry.id)
    w.submit()
    found = verify(w.ministry.id)
    assert found.blocks >= 3
    assert found.unsealed == 2
    assert found.faults == ()
    return w


TAMPERING = {
    "changed data": "UPDATE audit_event SET data = data || '{\"x\": 1}' WHERE id = {sealed}",
    "changed name": "UPDATE audit_event SET name = 'cases.task.claimed' WHERE id = {sealed}",
    "changed time": "UPDATE audit_event SET at = at + interval '1 microsecond' WHERE id = {sealed}",
    "changed person": "UPDATE audit_event SET account_id = gen_random_uuid() WHERE id = {sealed}",
    "changed function": "UPDATE audit_event SET function = 'Leitung' WHERE id = {sealed}",
    "changed case": "UPDATE audit_event SET case_id = NULL WHERE id = {sealed}",
    "moved to later": "UPDATE audit_event SET transaction = transaction + 1000000 WHERE id = {sealed}",
    "given to another authority": "UPDATE audit_event SET authority_id = {other} WHERE id = {sealed}",
    "missing": "DELETE FROM audit_event WHERE id = {sealed}",
    "two swapped": (
        "UPDATE audit_event a SET data = b.data FROM audit_event b WHERE a.id <> b.id AND a.data <> b.data "
        "AND a.id = {sealed} AND b.id = {second}"
    ),
    "order swapped": (
        "UPDATE audit_block SET event_ids = event_ids[2:] || event_ids[1] WHERE number = 2 AND authority_id = {mine}"
    ),
    "taken out of the block": (
        "UPDATE audit_block SET event_ids = event_ids[2:] WHERE number = 2 AND authority_id = {mine}"
    ),
    "block changed": "UPDATE audit_block SET hash = reverse(hash) WHERE number = 2 AND authority_id = {mine}",
    "horizon changed": "UPDATE audit_block SET horizon = horizon + 1 WHERE number = 2 AND authority_id = {mine}",
    "block missing": "DELETE FROM audit_block WHERE number = 2 AND authority_id = {mine}",
    "first block missing": "DELETE FROM audit_block WHERE number = 1 AND authority_id = {mine}",
    "blocks swapped": (
        "UPDATE audit_block SET number = number + 100 WHERE authority_id = {mine};"
        "UPDATE audit_block SET number = CASE number WHEN 102 THEN 3 WHEN 103 THEN 2 ELSE number - 100 END "
        "WHERE authority_id = {mine}"
    ),
    "added below the horizon": (
        "CREATE TEMP TABLE one AS SELECT * FROM audit_event WHERE id = {sealed}; UPDATE one SET id = gen_random_uuid();"
        "INSERT INTO audit_event SELECT * FROM one; DROP TABLE one"
    ),
}


def test_tampering_shows(sealed: World, superuser: psycopg.Connection) -> None:
    mine = sealed.ministry.id
    row = superuser.execute(
        "SELECT event_ids FROM audit_block WHERE authority_id = %s AND number = 2", [mine]
    ).fetchone()
    assert row
    values = {"sealed": row[0][0], "second": row[0][1], "mine": mine, "other": sealed.lahnau.id}
    for kind, statement in TAMPERING.items():
        for name, value in values.items():
            statement = statement.replace("{" + name + "}", f"'{value}'")
        with restored(superuser):
            superuser.execute(statement)
            assert verify(mine).faults, kind
            result = CliRunner().invoke(audit_verify, [])
            assert result.exit_code == 1, kind
            assert "Block" in result.output, kind
        assert not verify(mine).faults, kind


@contextlib.contextmanager
def restored(superuser: psycopg.Connection) -> Iterator[None]:
    """Afterwards events and blocks are what they were."""
    tables = ("audit_event", "audit_block")
    superuser.execute(
        "SET session_replication_role = replica"
    )  # no triggers: they would date the events anew
    for table in tables:
        superuser.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}")
    try:
        yield
    finally:
        for table in tables:
            superuser.execute(
                f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
            )


def test_without_tampering_all_is_well(sealed: World) -> None:
    result = CliRunner().invoke(audit_verify, [])
    assert result.exit_code == 0, result.output
    assert "2 noch ohne Siegel" in result.output
    assert CliRunner().invoke(audit_verify, ["--authority", "ministerium"]).exit_code == 0


def test_a_cut_end_shows_against_a_head_kept_elsewhere(sealed: World, superuser: psycopg.Connection) -> None:
    """The chain alone cannot know how long it was: its last block and events may be cut off without a gap."""
    head = verify(sealed.ministry.id).head
    last = "SELECT max(number) FROM audit_block WHERE authority_id = %(a)s"
    superuser.execute(
        f"DELETE FROM audit_event WHERE id IN (SELECT unnest(event_ids) FROM audit_block WHERE number = ({last}))",
        {"a": sealed.ministry.id},
    )
    superuser.execute(
        f"DELETE FROM audit_block WHERE number = ({last}) AND authority_id = %(a)s", {"a": sealed.ministry.id}
    )
    assert not verify(sealed.ministry.id).faults
    assert any("abgeschnitten" in fault for fault in verify(sealed.ministry.id, known_head=head).faults)


def test_an_older_head_still_proves_what_it_covered(sealed: World) -> None:
    head = verify(sealed.ministry.id).head
    sealed.submit()
    seal_all(sealed.ministry.id)
    found = verify(sealed.ministry.id, known_head=head)
    assert found.head != head
    assert not found.faults
    assert verify(sealed.ministry.id, known_head="0" * 64).faults


# --- sealing beside writers ----------------------------------------------------------------------------------------


def in_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_writer_that_commits_late_loses_no_event(committed_world: World) -> None:
    w = committed_world
    by = Actor.system(w.ministry.id)
    seal_all(w.ministry.id)
    written, go = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with by.acting():
            record(ANSWERED, by=by, authority=w.ministry.id, mark="slow")
            written.set()
            assert go.wait(10)

    thread = in_thread(slow_writer)
    assert written.wait(10)
    with by.acting():  # a later transaction that commits earlier
        record(ANSWERED, by=by, authority=w.ministry.id, mark="quick")
    seal(w.ministry.id)
    seal(w.ministry.id)
    go.set()
    thread.join(10)
    seal_all(w.ministry.id)
    found = verify(w.ministry.id)
    assert found.faults == ()
    with by.acting():
        marks = {event.id: event.data.get("mark") for event in Event.objects.all()}
        sealed = [key for block in Block.objects.order_by("number") for key in block.event_ids]
    assert sorted(sealed) == sorted(marks)
    assert {"slow", "quick"} <= {marks[key] for key in sealed}


def test_a_seal_does_not_wait_for_a_writer_nor_the_other_way(committed_world: World) -> None:
    w = committed_world
    by = Actor.system(w.ministry.id)
    with by.acting():
        record(ANSWERED, by=by, authority=w.ministry.id)
        thread = in_thread(lambda: seal(w.ministry.id))
        thread.join(5)
        assert not thread.is_alive()


def test_two_sealers_at_once_make_one_chain(committed_world: World) -> None:
    w = committed_world
    by = Actor.system(w.ministry.id)
    stop = threading.Event()
    errors: list[BaseException] = []

    def sealer() -> None:
        try:
            while not stop.is_set():
                seal(w.ministry.id)
        except BaseException as wrong:  # noqa: BLE001  a thread's error must reach the test
            errors.append(wrong)

    def writer() -> None:
        for number in range(25):
            with by.acting():
                record(ANSWERED, by=by, authority=w.ministry.id, number=number)

    sealers = [in_thread(sealer) for _ in range(2)]
    writers = [in_thread(writer) for _ in range(2)]
    for thread in writers:
        thread.join(20)
    stop.set()
    for thread in sealers:
        thread.join(20)
    seal_all(w.ministry.id)
    assert errors == []
    found = verify(w.ministry.id)
    assert found.faults == ()
    with by.acting():
        sealed = [key for block in Block.objects.order_by("number") for key in block.event_ids]
        assert len(sealed) == len(set(sealed)) == Event.objects.count() == found.events


def test_a_rolled_back_change_leaves_no_event(committed_world: World) -> None:
    w = committed_world
    by = Actor.system(w.ministry.id)
    before = verify(w.ministry.id)
    with contextlib.suppress(ZeroDivisionError), by.acting():
        record(ANSWERED, by=by, authority=w.ministry.id)
        raise ZeroDivisionError
    after = verify(w.ministry.id)
    assert after.events + after.unsealed == before.events + before.unsealed


def test_the_database_sets_time_and_transaction(committed_world: World, database_urls: DatabaseUrls) -> None:
    """The app's role cannot date an event back below a seal."""
    w = committed_world
    with psycopg.connect(database_urls.app) as app:
        app.execute("SELECT set_config('rathaus.authority', %s, true)", [str(w.ministry.id)])
        app.execute(
            "INSERT INTO audit_event (id, authority_id, name, function, data, at, transaction) "
            "VALUES (%s, %s, 'x', 'x', '{}', '1999-01-01', 1)",
            [new_id(), w.ministry.id],
        )
        row = app.execute(
            "SELECT at > now() - interval '1 minute', transaction = pg_current_xact_id()::text::bigint "
            "FROM audit_event WHERE name = 'x'"
        ).fetchone()
        assert row == (True, True)


def test_a_block_that_reaches_beyond_the_present_shows(
    committed_world: World, database_urls: DatabaseUrls
) -> None:
    """A forged block could cover the future; what happens then is found below its horizon."""
    w = committed_world
    with psycopg.connect(database_urls.app) as app:
        app.execute("SELECT set_config('rathaus.authority', %s, true)", [str(w.ministry.id)])
        app.execute(
            "INSERT INTO audit_block (id, authority_id, number, previous_hash, hash, event_ids, horizon) "
            "VALUES (%s, %s, 1, '', 'x', '{}', 9000000000000000000)",
            [new_id(), w.ministry.id],
        )
    w.submit()
    assert verify(w.ministry.id).faults


def test_a_history_that_is_gone_altogether_shows_against_its_head(
    sealed: World, superuser: psycopg.Connection
) -> None:
    head = verify(sealed.ministry.id).head
    for table in ("audit_event", "audit_block"):
        superuser.execute(f"DELETE FROM {table}")
    result = CliRunner().invoke(audit_verify, ["--authority", "ministerium", "--head", head])
    assert result.exit_code == 1
    assert "abgeschnitten" in result.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [(["--authority", "ministeruim"], "gibt es nicht"), (["--head", "ab"], "mit --authority")],
)
def test_a_verification_of_nothing_is_no_success(sealed: World, options: list[str], reason: str) -> None:
    result = CliRunner().invoke(audit_verify, options)
    assert result.exit_code == 1
    assert reason in result.output


def test_every_authority_that_has_events_is_sealed_and_verified(
    committed_world: World, superuser: psycopg.Connection
) -> None:
    """Also one that offers nothing: it may have published a package."""
    from tests.casework.packages import MANIFEST, probe

    from rathaus.casework.cases.jobs import seal_events
    from rathaus.casework.services.actions import publish_package

    w = committed_world
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"')
    publish_package(by=Actor.system(w.lahnau.id), files=probe(leistung__toml=manifest))
    until = time.monotonic() + 30
    while verify(w.lahnau.id).unsealed and time.monotonic() < until:  # see seal_all
        seal_events.func(0)
    assert verify(w.lahnau.id).events == 2  # its mandate, the package
    Authority.objects.create(kind="county", name="x", label="x", sort_key="x", slug="without-history")
    assert set(authorities_with_history()) == {w.lahnau.id, w.waldsolms.id, w.ministry.id}
    assert CliRunner().invoke(audit_seal, []).exit_code == 0
