"""Bulk runs: through the same actions, each item once, rights asked anew, whoever dies in the middle."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from tests.casework.conftest import World
from tests.casework.test_races import at_once
from tests.casework.test_worker import Start, count, start, superuser, until

from rathaus.casework.bulk import actions
from rathaus.casework.bulk.actions import BROKEN, Entry, ItemsBroken, resume, work
from rathaus.casework.bulk.enums import ItemState
from rathaus.casework.bulk.models import BulkItem, BulkRun
from rathaus.casework.bulk.queries import progress_of, task_groups, tasks_at_once
from rathaus.casework.bulk.tasks import TASKS
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Decision
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Account
from rathaus.core.jobs.jobs import retry_stalled
from rathaus.core.tenancy import new_id

__all__ = ["start", "superuser"]


def proposed(w: World, *, by: Actor | None = None, amount: str = "100.00") -> Case:
    case = w.submit(betrag=amount)
    complete_task(by=by or w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    given = {"ergebnis": "granted", "betrag": case.amount, "begruendung": "Gut."}
    complete_task(by=by or w.clerk, task=w.task(case).id, answers=given)
    return case


def entries(w: World, cases: list[Case]) -> list[Entry]:
    return [Entry(w.task(case).id, case.reference, case.party_name, case.amount) for case in cases]


def begin(w: World, cases: list[Case], *, by: Actor | None = None, **options: Any) -> BulkRun:
    return actions.start(
        by=by or w.approver,
        key=new_id(),
        kind=TASKS,
        title="Freigeben",
        entries=entries(w, cases),
        options=options,
    )


def items(w: World, run: BulkRun) -> list[BulkItem]:
    with w.clerk.acting():
        return list(BulkItem.objects.filter(run=run).order_by("number"))


def decided(w: World) -> int:
    with w.clerk.acting():
        return Decision.objects.filter(state="decided").count()


def test_all_of_a_round_in_one_act(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    cases = [proposed(w) for _ in range(3)]
    with w.approver.acting():
        [group] = task_groups(w.approver)
        ours = tasks_at_once(w.approver, offer="probe", element="freigeben")
    assert (group.count, str(group.amount), group.title) == (3, "300.00", "Freigeben")
    assert [task.case_id for task in ours] == [case.id for case in cases]
    with w.clerk.acting():
        assert task_groups(w.clerk) == []
    run = begin(w, cases)
    assert (run.total, str(run.amount)) == (3, "300.00")
    assert decided(w) == 0  # nothing happens in the request
    run_jobs()
    assert decided(w) == 3
    assert {item.state for item in items(w, run)} == {ItemState.DONE}
    with w.clerk.acting():
        run.refresh_from_db()
        assert run.finished_at
        decision = Decision.objects.filter(state="decided").first()
        assert decision
        assert decision.decided_by_id == w.approver.account  # the person, not the machine
        assert decision.decided_function == w.approver.function


def test_four_eyes_hold_and_refusals_stay_with_their_reason(
    world: World, run_jobs: Callable[[], int]
) -> None:
    w = world
    own, other, taken = proposed(w, by=w.approver), proposed(w), proposed(w)
    run = begin(w, [own, other, taken])
    complete_task(
        by=w.approver, task=w.task(taken).id, answers={"freigegeben": False, "grund": "Noch einmal."}
    )
    run_jobs()
    first, second, third = items(w, run)
    assert first.state == ItemState.FAILED
    assert "Vier-Augen-Prinzip" in first.reason
    assert second.state == ItemState.DONE
    assert third.state == ItemState.FAILED
    assert "erledigt" in third.reason
    assert decided(w) == 1


def test_beyond_the_budget_the_rest_is_refused(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    cases = [proposed(w, amount="900.00") for _ in range(12)]  # 10,000 € are there
    run = begin(w, cases)
    run_jobs()
    states = [item.state for item in items(w, run)]
    assert states.count(ItemState.DONE) == 11
    [failed] = [item for item in items(w, run) if item.state == ItemState.FAILED]
    assert "Mittel" in failed.reason or "frei" in failed.reason


def test_rights_are_asked_when_it_is_done(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    case = proposed(w)
    run = begin(w, [case])
    demote(w, ["Sachbearbeitung"])
    run_jobs()
    assert "Rolle" in items(w, run)[0].reason
    assert decided(w) == 0


def demote(w: World, roles: list[str]) -> None:
    person = Account.objects.get(id=w.approver.account)
    add_member(
        by=Actor.system(w.ministry.id), authority=w.ministry, account=person, roles=roles, function="X"
    )


def test_who_left_does_nothing_any_more(
    committed_world: World, superuser: psycopg.Connection, run_jobs: Callable[[], int]
) -> None:
    w = committed_world
    run = begin(w, [proposed(w)])
    superuser.execute("DELETE FROM identity_membership WHERE account_id = %s", [w.approver.account])
    run_jobs()
    assert "arbeitet nicht mehr" in items(w, run)[0].reason
    assert decided(w) == 0


def test_proposing_for_many(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    cases = [w.submit(betrag="100.00") for _ in range(2)]
    for case in cases:
        complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    run = begin(w, cases, by=w.clerk, begruendung="Alle Voraussetzungen liegen vor.")
    run_jobs()
    assert {item.state for item in items(w, run)} == {ItemState.DONE}
    with w.clerk.acting():
        found = Decision.objects.filter(state="proposed")
        assert {str(row.amount) for row in found} == {"100.00"}
        assert {row.reasons for row in found} == {"Alle Voraussetzungen liegen vor."}


def test_a_second_click_is_the_same_run(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    given: dict[str, Any] = {
        "key": new_id(),
        "kind": TASKS,
        "title": "Freigeben",
        "entries": entries(w, [proposed(w)]),
    }
    assert actions.start(by=w.approver, **given).id == actions.start(by=w.approver, **given).id
    with pytest.raises(Refused):  # somebody else's key
        actions.start(by=w.clerk, **given)
    with pytest.raises(Refused, match="nichts ausgewählt"):
        actions.start(by=w.approver, key=new_id(), kind=TASKS, title="x", entries=[])
    with pytest.raises(KeyError):
        actions.start(by=w.approver, **{**given, "key": new_id(), "kind": "erfunden"})
    with pytest.raises(NotAllowed):
        actions.start(by=Actor.system(w.ministry.id), **{**given, "key": new_id()})
    run_jobs()
    assert decided(w) == 1


def test_a_job_that_runs_twice_does_nothing_twice(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    run = begin(w, [proposed(w) for _ in range(2)])
    run_jobs()
    before = items(w, run)
    work(by=Actor.system(w.ministry.id), run=run.id, first=1, last=2, is_last_try=False)
    assert [item.settled_at for item in items(w, run)] == [item.settled_at for item in before]
    assert decided(w) == 2
    with pytest.raises(Refused, match="wartet nichts mehr"):
        resume(by=w.approver, run=run.id)


def test_what_breaks_is_tried_again_and_in_the_end_said(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    run = begin(w, [proposed(w) for _ in range(3)])
    real, broken = actions.kind_of(TASKS).perform, items(w, run)[1].target

    def fragile(*, by: Actor, target: UUID, options: Any) -> object:
        done = real(by=by, target=target, options=options)
        if target == broken:
            raise ZeroDivisionError("after the work was done")
        return done

    system = Actor.system(w.ministry.id)
    with mock.patch(
        "rathaus.casework.bulk.kinds._kinds", {TASKS: actions.kind_of(TASKS).__class__(TASKS, fragile)}
    ):
        with pytest.raises(ItemsBroken):
            work(by=system, run=run.id, first=1, last=3, is_last_try=False)
        assert [item.state for item in items(w, run)] == ["done", "waiting", "done"]
        assert decided(w) == 2  # what broke left nothing behind
        work(by=system, run=run.id, first=1, last=3, is_last_try=True)
    assert items(w, run)[1].reason == BROKEN
    with connection.cursor() as cursor:  # the jobs of the start, which this test ran by hand
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert resume(by=w.approver, run=run.id) == 1
    run_jobs()
    assert decided(w) == 3
    with w.clerk.acting():
        progress = progress_of(run)
    assert (progress.waiting, progress.done, progress.failed) == (0, 3, 0)


def test_the_database_refuses_what_cannot_be(world: World) -> None:
    w = world
    run = begin(w, [proposed(w)])
    with w.clerk.acting():
        for wrong in (
            {"state": "done"},
            {"state": "failed", "settled_at": run.requested_at},
            {"reason": "x"},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                BulkItem.objects.filter(run=run).update(**wrong)
    with w.lahnau_officer.acting():
        assert not BulkRun.objects.exists()


def test_two_jobs_at_once_share_the_work(committed_world: World) -> None:
    w = committed_world
    run = begin(w, [proposed(w) for _ in range(4)])
    system = Actor.system(w.ministry.id)
    labour = partial(work, by=system, run=run.id, first=1, last=4, is_last_try=True)
    assert at_once(labour, labour, labour) == [None, None, None]
    assert decided(w) == 4
    assert {item.state for item in items(w, run)} == {ItemState.DONE}
    with w.clerk.acting():
        run.refresh_from_db()
    assert run.finished_at


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    committed_world: World, superuser: psycopg.Connection, start: Start, database_urls: Any
) -> None:
    w = committed_world
    cases = [proposed(w) for _ in range(4)]
    run = begin(w, cases)
    with psycopg.connect(database_urls.superuser) as blocker:  # keeps the third in the middle of its work
        blocker.execute("SELECT 1 FROM cases_caseprocess WHERE case_id = %s FOR UPDATE", [cases[2].id])
        worker = start("-m", "rathaus", "worker")
        until(lambda: count(superuser, "bulk_bulkitem WHERE state = 'done'") == 2, "two done")
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
    assert count(superuser, "cases_decision WHERE state = 'decided'") == 2
    superuser.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'")
    start("-m", "rathaus", "worker")
    retry_stalled.configure(queueing_lock="beside the clock").defer(timestamp=0)
    until(lambda: count(superuser, "bulk_bulkrun WHERE finished_at IS NOT NULL") == 1, "the run to be over")
    assert count(superuser, "cases_decision WHERE state = 'decided'") == 4
    assert count(superuser, "grants_grant") == 4
    assert [item.state for item in items(w, run)] == [ItemState.DONE] * 4
    assert count(superuser, "audit_event WHERE name = 'bulk.run.finished'") == 1
