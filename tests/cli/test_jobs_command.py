"""`rathaus jobs`: what was given up is shown, and tried once more when asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.utils import timezone
from tests.casework.conftest import World, run_waiting_jobs, world
from tests.casework.test_jobs import reachable

from rathaus.cli.commands import jobs
from rathaus.core.identity.jobs import clear_sessions

__all__ = ["world"]


def output(*options: str) -> str:
    result = CliRunner().invoke(jobs, options)
    assert result.exit_code == 0, result.output
    return result.output


def fail_all() -> None:
    """As a worker does after the last try of a mail."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = 9 WHERE status = 'todo'")
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'failed', attempts = 10 WHERE status = 'doing'"
        )


def test_nothing_has_failed(db: None) -> None:
    assert output() == output("--retry") == "Kein Auftrag ist gescheitert.\n"


def test_a_mail_that_was_given_up_is_shown_and_sent_after_all(world: World) -> None:
    reachable(world)
    case = world.submit()
    fail_all()
    assert run_waiting_jobs() == 0
    (line,) = output().splitlines()
    assert f"{timezone.localtime():%d.%m.%Y}" in line
    assert "cases.send_receipt  nach 10 Versuchen" in line
    assert f"case={case.id}" in line
    assert output("--retry").endswith("Alle noch einmal eingereiht.\n")
    assert output() == "Kein Auftrag ist gescheitert.\n"
    run_waiting_jobs()
    assert [sent.subject for sent in mail.outbox] == [f"Ihr Antrag ist eingegangen ({case.reference})"]


@pytest.mark.usefixtures("db")
def test_expired_sessions_are_removed() -> None:
    for seconds in (-1, 60):
        session = SessionStore()
        session.create()
        Session.objects.filter(session_key=session.session_key).update(
            expire_date=timezone.now() + timedelta(seconds=seconds)
        )
    clear_sessions.func(0)
    assert Session.objects.get().expire_date > timezone.now()
