"""Real worker processes on the real queue, killed without warning: nothing is lost, no notice is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from procrastinate.contrib.django import app
from tests.casework.conftest import World
from tests.casework.test_jobs import approved, reachable

from rathaus.casework.cases.models import Case, Notice
from rathaus.core.embedded import DatabaseUrls
from rathaus.core.jobs.jobs import retry_stalled

ROOT = Path(__file__).resolve().parents[2]
RUN = "from rathaus.cli import prepare; prepare(); from rathaus.core.jobs.worker import run_worker; run_worker({})"


@pytest.fixture
def superuser(database_urls: DatabaseUrls, committed_world: World) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_urls.superuser, autocommit=True) as connection:
        yield connection


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(database_urls: DatabaseUrls, tmp_path: Path) -> Iterator[Start]:
    """Start a worker process with files and mails of its own place, given its command."""
    (tmp_path / "build").symlink_to(settings.LETTER_FONTS.parent)
    environment = {
        **os.environ,
        "DATABASE_URL": database_urls.app,
        "DATABASE_OWNER_URL": database_urls.owner,
        "RATHAUS_VAR": str(tmp_path),
        "RATHAUS_EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "PYTHONPATH": str(ROOT / "src"),
    }
    started: list[subprocess.Popen[bytes]] = []

    def run(*command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *command], env=environment, cwd=tmp_path)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait(10)


def until(condition: Callable[[], Any], what: str, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited too long for: {what}"
        time.sleep(0.05)


def count(superuser: psycopg.Connection, query: str) -> int:
    row = superuser.execute(f"SELECT count(*) FROM {query}").fetchone()  # type: ignore[arg-type]  tests' own text
    assert row
    return int(row[0])


OURS = (
    "procrastinate_jobs WHERE task_name LIKE 'cases.%' "
    "AND task_name NOT IN ('cases.fire_due_timers', 'cases.seal_events')"
)


def subjects(place: Path) -> list[str]:
    """Subjects of all mails that left, read back from the files."""
    found = []
    for file in sorted((place / "mail").glob("*")):
        for text in file.read_bytes().split(b"-" * 79 + b"\n"):
            if text.strip():
                found.append(str(message_from_bytes(text)["Subject"]))
    return found


def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    committed_world: World,
    superuser: psycopg.Connection,
    start: Start,
    database_urls: DatabaseUrls,
    tmp_path: Path,
) -> None:
    w = committed_world
    reachable(w)
    cases = [approved(w) for _ in range(4)]
    held = cases[2]
    done_job = superuser.execute(
        "SELECT queue_name, task_name, args::text FROM procrastinate_jobs WHERE task_name = 'cases.run_operation' "
        "AND args->>'case' = %s",
        [str(cases[0].id)],
    ).fetchone()
    assert done_job
    with psycopg.connect(database_urls.superuser) as blocker:  # keeps one job in the middle of its work
        blocker.execute("SELECT 1 FROM cases_caseprocess WHERE case_id = %s FOR UPDATE", [held.id])
        worker = start("-m", "rathaus", "worker")
        until(lambda: count(superuser, "cases_notice") == 3, "three notices")
        doing = f"{OURS} AND status = 'doing' AND args->>'case' = '{held.id}'"
        until(lambda: count(superuser, doing) == 1, "the fourth being made")
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
    # What a kill between the commit of a job and its acknowledgement leaves behind: done, but not known to be done.
    superuser.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id) "
        "SELECT %s, %s, %s::jsonb, 'doing', max(id) FROM procrastinate_workers",
        done_job,
    )
    assert count(superuser, f"{OURS} AND status = 'doing'") >= 2
    assert count(superuser, "cases_notice") == 3
    # Instead of the half minute of silence that makes a worker count as dead, and of the next full minute:
    superuser.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'")
    start("-m", "rathaus", "worker")
    retry_stalled.configure(queueing_lock="beside the clock").defer(timestamp=0)
    until(lambda: count(superuser, OURS) == 0, "all jobs done, and deleted")
    until(lambda: len(set(subjects(tmp_path))) == 8, "all mails")
    with w.clerk.acting():
        assert Notice.objects.count() == 4
        assert set(Case.objects.values_list("state", flat=True)) == {"COMPLETED"}
    sent = subjects(tmp_path)
    for case in cases:
        for sentence in ("Ihr Antrag ist eingegangen", "Ihr Bescheid ist da"):
            assert f"{sentence} ({case.reference})" in sent
    assert count(superuser, "records_document WHERE kind = 'notice'") == 4
    assert count(superuser, "audit_event WHERE name = 'cases.notice.issued'") == 4


def test_what_a_job_defers_belongs_to_its_transaction(
    committed_world: World, superuser: psycopg.Connection, start: Start, tmp_path: Path
) -> None:
    """A notice that is rolled back in the worker must not be announced: the mail is queued inside the job."""
    w = committed_world
    reachable(w)
    approved(w)
    superuser.execute(  # the last row that the step writes is refused, after the mail was deferred
        "CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;"
        "CREATE TRIGGER refuse_it BEFORE UPDATE ON cases_caseprocess FOR EACH ROW EXECUTE FUNCTION refuse_it()"
    )
    try:
        assert start("-c", RUN.format("once=True")).wait(40) == 0
    finally:
        superuser.execute("DROP TRIGGER refuse_it ON cases_caseprocess; DROP FUNCTION refuse_it()")
    assert (
        count(superuser, "procrastinate_jobs WHERE task_name = 'cases.run_operation' AND attempts = 1") == 1
    )
    assert count(superuser, "cases_notice") == 0
    assert count(superuser, "procrastinate_jobs WHERE task_name = 'cases.send_mail_to_applicant'") == 0
    assert [subject[:26] for subject in subjects(tmp_path)] == ["Ihr Antrag ist eingegangen"]


# --- stalled jobs, one by one ------------------------------------------------------------------------------------


def stalled(
    superuser: psycopg.Connection, *, attempts: int, silent: str, name: str = "cases.send_receipt"
) -> int:
    worker = superuser.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval) RETURNING id",
        [silent],
    ).fetchone()
    assert worker
    row = superuser.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts, worker_id, queueing_lock) "
        "VALUES ('default', %s, '{}', 'doing', %s, %s, %s) RETURNING id",
        [name, attempts, worker[0], name if name.startswith("jobs.") else None],
    ).fetchone()
    assert row
    return int(row[0])


def recover() -> None:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    from types import SimpleNamespace

    context: Any = SimpleNamespace(app=app)
    connector: Any = app.connector

    async def run() -> None:
        with app.replace_connector(connector.get_worker_connector()):
            async with app.open_async():
                await retry_stalled.func(context, 0)

    with ThreadPoolExecutor(1) as thread:  # a loop of its own: a browser beside us may be running one here
        thread.submit(asyncio.run, run()).result()


@pytest.mark.parametrize(
    ("attempts", "silent", "status"),
    [
        (0, "5 minutes", "todo"),
        (3, "31 seconds", "todo"),
        (0, "20 seconds", "doing"),  # alive: its next beat is due
        (9, "5 minutes", "failed"),  # it has been tried often enough
    ],
)
def test_jobs_of_silent_workers_are_tried_again(
    attempts: int, silent: str, status: str, superuser: psycopg.Connection
) -> None:
    job = stalled(superuser, attempts=attempts, silent=silent)
    recover()
    row = superuser.execute(
        "SELECT status::text, attempts, scheduled_at > now() FROM procrastinate_jobs WHERE id = %s", [job]
    ).fetchone()
    assert row
    assert row[0] == status
    assert row[1] == attempts + (status != "doing")
    assert status != "todo" or row[2]  # with a wait, as after any failure


def test_one_that_is_queued_again_already_does_not_hold_up_the_others(superuser: psycopg.Connection) -> None:
    first = stalled(superuser, attempts=0, silent="5 minutes", name="jobs.retry_stalled")
    retry_stalled.defer(timestamp=1)
    second = stalled(superuser, attempts=0, silent="5 minutes")
    unknown = stalled(superuser, attempts=0, silent="5 minutes", name="cases.gone_with_the_last_version")
    recover()
    query = "SELECT status::text FROM procrastinate_jobs WHERE id = ANY(%s) ORDER BY id"
    states = [row[0] for row in superuser.execute(query, [[first, second, unknown]])]
    assert states == ["failed", "todo", "failed"]
