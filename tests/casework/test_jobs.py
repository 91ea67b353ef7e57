"""What runs later: nothing of what was rolled back, nothing lost, failures retried and then shown to staff."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from tests.casework.conftest import World

from rathaus.casework.cases import jobs
from rathaus.casework.cases.actions.incidents import OperationNotDone, retry_incident
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Incident, Notice
from rathaus.casework.services import operations
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.queries import history
from rathaus.core.identity.models import Party
from rathaus.core.jobs.queue import MAIL_RETRY, RETRY
from rathaus.core.tenancy import acting


def queued(name: str = "%") -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name LIKE %s ORDER BY id", [name])
        return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in cursor.fetchall()]


def reachable(w: World) -> None:
    """Lahnau can be told by mail."""
    with acting(authority=w.lahnau.id):
        assert Party.objects.filter(id=w.lahnau_party.id).update(email="rathaus@lahnau.example.org") == 1


def approved(w: World) -> Case:
    """A case whose notice is waiting to be made."""
    case = w.submit()
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    amount = {"ergebnis": "refused", "begruendung": "Passt nicht."}
    complete_task(by=w.clerk, task=w.task(case).id, answers=amount)
    complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
    return case


def attempt(number: int, **changes: Any) -> None:
    """Run the queued operation as the worker would at its n-th attempt (counted from 0)."""
    context: Any = SimpleNamespace(job=SimpleNamespace(attempts=number))
    jobs.run_operation.func(context, **{**queued("cases.run_operation")[-1], **changes})


def incident(w: World) -> Incident:
    with w.clerk.acting():
        return Incident.objects.get()


# --- the outbox --------------------------------------------------------------------------------------------------


def test_a_rolled_back_submission_sends_nothing(committed_world: World, run_jobs: Callable[[], int]) -> None:
    w = committed_world
    reachable(w)
    with pytest.raises(ZeroDivisionError), w.lahnau_officer.acting():  # noqa: PT012  the error must come inside
        w.submit()
        assert queued("cases.%")
        raise ZeroDivisionError
    assert queued() == []
    assert run_jobs() == 0
    assert mail.outbox == []


def test_a_submission_sends_one_receipt(committed_world: World, run_jobs: Callable[[], int]) -> None:
    w = committed_world
    reachable(w)
    case = w.submit()
    run_jobs()
    assert [(sent.to, case.reference in sent.subject) for sent in mail.outbox] == [
        (["rathaus@lahnau.example.org"], True)
    ]


def test_the_queue_holds_ids_only(world: World, run_jobs: Callable[[], int]) -> None:
    """Its tables have no policies: nothing in them may say more than that there is something to do."""
    reachable(world)
    case = approved(world)
    run_jobs()
    texts = json.dumps(queued())
    assert str(case.id) in texts
    for secret in (
        "Neue Akte",
        "Gemeinde Lahnau",
        "rathaus@lahnau.example.org",
        "Passt nicht",
        case.reference,
    ):
        assert secret not in texts


# --- operations that fail ----------------------------------------------------------------------------------------


@pytest.fixture
def jammed(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The letters' operation fails as long as `error` is set."""
    real = operations.find("letters.issue")
    state = SimpleNamespace(error=RuntimeError("Papierstau"), calls=0)

    def run(step: Any, **arguments: Any) -> Any:
        state.calls += 1
        result = real.run(step, **arguments)  # fails late, when everything was written
        if state.error:
            raise state.error
        return result

    changed = operations.Operation(**{**real.__dict__, "run": run})
    monkeypatch.setitem(operations._operations, "letters.issue", changed)
    return state


def test_a_failed_operation_is_tried_again_then_becomes_an_incident(
    world: World, jammed: SimpleNamespace
) -> None:
    case = approved(world)
    most = RETRY.max_attempts or 0
    for number in range(most - 1):
        with pytest.raises(OperationNotDone, match="Papierstau"):
            attempt(number)
        with world.clerk.acting():
            assert not Incident.objects.exists()
            assert not Notice.objects.exists()
    attempt(most - 1)
    found = incident(world)
    assert (found.state, found.operation, found.element) == ("open", "letters.issue", "bescheid")
    assert "Papierstau" in found.reason
    with world.clerk.acting():
        assert Case.objects.get(id=case.id).state == CaseState.PROCESSING
        assert not Notice.objects.exists()
    with world.lahnau_officer.acting():
        assert not Incident.objects.exists()


def test_staff_retry_an_incident(world: World, jammed: SimpleNamespace) -> None:
    case = approved(world)
    attempt(4)
    retry_incident(by=world.clerk, incident=incident(world).id)  # still jammed
    assert incident(world).state == "open"
    jammed.error = None
    found = retry_incident(by=world.clerk, incident=incident(world).id)
    assert (found.state, found.resolved_by_id) == ("resolved", world.clerk.account)
    with world.clerk.acting():
        assert Case.objects.get(id=case.id).state == CaseState.COMPLETED
        assert Notice.objects.count() == 1
        sentences = [entry.sentence for entry in history(case.id)]
    assert sentences.count("Störung bei „Bescheid erstellen“: erneut versucht") == 2
    calls = jammed.calls
    with pytest.raises(Refused, match="schon behoben"):
        retry_incident(by=world.clerk, incident=found.id)
    attempt(0)  # the queue is late: nothing waits for it any more
    assert jammed.calls == calls


def test_an_incident_of_another_authority_is_not_there(world: World, jammed: SimpleNamespace) -> None:
    approved(world)
    attempt(4)
    found = incident(world)
    for stranger in (world.lahnau_officer, world.waldsolms_officer):
        with pytest.raises(Incident.DoesNotExist):
            retry_incident(by=stranger, incident=found.id)


@pytest.mark.parametrize(
    "error", [Refused("Kein Papier."), KeyError("x"), SystemError("tief"), ValueError("\x00")]
)
def test_whatever_an_operation_raises_ends_where_staff_see_it(
    world: World, jammed: SimpleNamespace, error: Exception
) -> None:
    approved(world)
    jammed.error = error
    with pytest.raises((OperationNotDone, Refused)):
        attempt(0)
    attempt(4)
    assert incident(world).state == "open"


def test_arguments_that_do_not_fit_become_an_incident(world: World) -> None:
    approved(world)
    attempt(4, arguments={"gibt_es": "nicht"})
    assert "gibt_es" in incident(world).reason


def test_a_worker_that_dies_over_the_operation_each_time_becomes_an_incident(
    world: World, jammed: SimpleNamespace
) -> None:
    approved(world)
    attempt(RETRY.max_attempts or 0)
    assert "brach 5-mal ab" in incident(world).reason
    assert jammed.calls == 0


def test_what_the_process_does_next_may_fail_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operation was fine, the step after it was not: nothing half done, and staff see it."""
    from rathaus.casework.cases.steps import Run
    from rathaus.engine.workflow import StepFailed

    def fail(self: Run, event: Any) -> None:
        raise StepFailed("Keine Bedingung trifft zu.", "g9")

    approved(world)
    monkeypatch.setattr(Run, "send", fail)
    with pytest.raises(StepFailed):
        attempt(0)
    attempt(4)
    assert "Keine Bedingung" in incident(world).reason
    with world.clerk.acting():
        assert not Notice.objects.exists()


def test_jobs_are_tried_again_so_often_and_no_more() -> None:
    from procrastinate.jobs import Job

    for strategy, most in ((RETRY, 5), (MAIL_RETRY, 9)):
        waits = []
        for number in range(most + 1):
            job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="x", attempts=number)
            decision = strategy.get_retry_decision(exception=ValueError(), job=job)
            waits.append(decision is not None)
        assert waits == [True] * most + [False]
