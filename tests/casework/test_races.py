"""Several people at the same moment, on connections of their own: one wins, the others are told, nothing is doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from tests.casework.conftest import World, account, money_on

from rathaus.casework.cases.actions.drafts import begin_draft, discard_draft, save_draft
from rathaus.casework.cases.actions.importing import FileNotImported, import_applications
from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.actions.tasks import TaskTaken, claim_task, complete_task
from rathaus.casework.cases.models import Application, Case, CaseProcess, Decision, Draft, Message, Task
from rathaus.casework.cases.steps import lock
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.models import Event
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import actor_of
from rathaus.domains.grants.models import BudgetLine, Movement, Posting

ANSWERS = {"titel": "Neue Akte", "betrag": "900.00", "ausgaben": "1000.00"}
PROPOSAL = {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Alles erfüllt."}


def at_once(*works: Callable[[], Any], seconds: float = 60) -> list[Any]:
    """Run each in a thread with a connection of its own, all let go together; results or exceptions, in order.

    After so many seconds they are taken to wait for each other for ever.
    """
    gate = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(number: int, work: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(10)
            results[number] = work()
        except Exception as wrong:  # noqa: BLE001  the test looks at it
            results[number] = wrong
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number, work)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), "deadlock"
    return results


class Rival:
    """Somebody who is a moment faster: does the work in a transaction that commits while we wait for its lock."""

    def __init__(self, by: Actor, work: Callable[[], Any]) -> None:
        self.by, self.work = by, work
        self.has_locked, self.may_commit = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            with self.by.acting():
                self.work()
                self.has_locked.set()
                assert self.may_commit.wait(20)
        finally:
            connection.close()

    def beats(self, us: Callable[[], Any]) -> Any:
        """The rival holds the lock, we begin and wait, the rival commits. Answers our result or exception."""
        self.thread.start()
        assert self.has_locked.wait(20)
        threading.Timer(0.3, self.may_commit.set).start()
        try:
            return us()
        except Exception as wrong:  # noqa: BLE001  the test looks at it
            return wrong
        finally:
            self.thread.join(20)


@pytest.fixture
def colleague(committed_world: World) -> Actor:
    """A second clerk of the ministry."""
    person = account("second.clerk@example.org", "Zweite Person")
    add_member(
        by=Actor.system(committed_world.ministry.id),
        authority=committed_world.ministry,
        account=person,
        roles=["Sachbearbeitung", "Freigabe"],
        function="Sachbearbeitung D3-3",
    )
    return actor_of(person.pk)


@pytest.fixture
def seen(committed_world: World) -> Iterator[Callable[[], dict[str, int]]]:
    """Counts of what a step writes, as the ministry sees them."""

    def count() -> dict[str, int]:
        with Actor.system(committed_world.ministry.id).acting():
            kinds = (Task, Decision, Event, Message, Application, Case, Movement)
            return {kind.__name__: kind.objects.count() for kind in kinds}

    return count


def assert_told(answer: Any, who: str) -> None:
    assert isinstance(answer, TaskTaken), repr(answer)
    assert who in str(answer)


# --- one task, two people ----------------------------------------------------------------------------------------


def test_a_task_completed_meanwhile(
    committed_world: World, colleague: Actor, seen: Callable[[], dict[str, int]]
) -> None:
    w = committed_world
    task = w.task(w.submit()).id
    rival = Rival(w.clerk, lambda: complete_task(by=w.clerk, task=task, answers={"vollstaendig": True}))
    answer = rival.beats(lambda: complete_task(by=colleague, task=task, answers={"vollstaendig": True}))
    assert_told(answer, "clerk")
    after = seen()
    assert (after["Task"], after["Event"]) == (2, events_of_one_lifecycle(2))


def events_of_one_lifecycle(steps: int) -> int:
    """Members, published, offered, programme, measure, call, money; opened and rules checked; then one each step."""
    return 3 + 6 + 2 + steps - 1


def test_a_question_asked_meanwhile_is_asked_once(
    committed_world: World, colleague: Actor, seen: Callable[[], dict[str, int]]
) -> None:
    w = committed_world
    task = w.task(w.submit()).id
    ask = {"vollstaendig": False, "nachricht": "Was fehlt?"}
    answer = Rival(w.clerk, lambda: complete_task(by=w.clerk, task=task, answers=ask)).beats(
        lambda: complete_task(by=colleague, task=task, answers=ask)
    )
    assert_told(answer, "clerk")
    assert seen()["Message"] == 1


def test_a_proposal_made_meanwhile(
    committed_world: World, colleague: Actor, seen: Callable[[], dict[str, int]]
) -> None:
    w = committed_world
    case = w.submit()
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    task = w.task(case).id
    rival = Rival(w.clerk, lambda: complete_task(by=w.clerk, task=task, answers=PROPOSAL))
    assert_told(rival.beats(lambda: complete_task(by=colleague, task=task, answers=PROPOSAL)), "clerk")
    assert seen()["Decision"] == 1


def test_an_approval_given_meanwhile(
    committed_world: World, colleague: Actor, seen: Callable[[], dict[str, int]]
) -> None:
    w = committed_world
    case = w.submit()
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    complete_task(by=w.clerk, task=w.task(case).id, answers=PROPOSAL)
    task = w.task(case).id
    rival = Rival(w.approver, lambda: complete_task(by=w.approver, task=task, answers={"freigegeben": True}))
    answer = rival.beats(
        lambda: complete_task(by=colleague, task=task, answers={"freigegeben": False, "grund": "Nein"})
    )
    assert_told(answer, "approver")
    assert seen()["Movement"] == 2  # the budget, and the award
    with w.clerk.acting():
        assert Decision.objects.get().state == "decided"


def test_many_people_at_once(
    committed_world: World, colleague: Actor, seen: Callable[[], dict[str, int]]
) -> None:
    w = committed_world
    case = w.submit()
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    task = w.task(case).id
    before = seen()
    people = [w.clerk, colleague, w.approver, colleague]
    answers = at_once(*(lambda by=by: complete_task(by=by, task=task, answers=PROPOSAL) for by in people))
    assert sum(isinstance(answer, Task) for answer in answers) == 1, answers
    assert sum(isinstance(answer, TaskTaken) for answer in answers) == 3, answers
    after = seen()
    gained = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert gained == {"Task": 1, "Decision": 1, "Event": 2}


def test_a_task_claimed_meanwhile(committed_world: World, colleague: Actor) -> None:
    w = committed_world
    task = w.task(w.submit()).id
    rival = Rival(w.clerk, lambda: claim_task(by=w.clerk, task=task))
    assert_told(rival.beats(lambda: claim_task(by=colleague, task=task)), "clerk")
    with w.clerk.acting():
        assert Task.objects.get(id=task).claimed_by_id == w.clerk.account
        assert Event.objects.filter(name="cases.task.claimed").count() == 1


def test_a_task_completed_while_being_claimed(committed_world: World, colleague: Actor) -> None:
    w = committed_world
    task = w.task(w.submit()).id
    rival = Rival(w.clerk, lambda: complete_task(by=w.clerk, task=task, answers={"vollstaendig": True}))
    assert_told(rival.beats(lambda: claim_task(by=colleague, task=task)), "clerk")
    with w.clerk.acting():
        assert Task.objects.get(id=task).claimed_by is None


def test_claiming_twice_is_one_claim(committed_world: World) -> None:
    w = committed_world
    task = w.task(w.submit()).id
    answers = at_once(*[lambda: claim_task(by=w.clerk, task=task)] * 3)
    assert all(isinstance(answer, Task) for answer in answers), answers
    with w.clerk.acting():
        assert Event.objects.filter(name="cases.task.claimed").count() == 1


def test_an_answer_sent_twice_is_one_message(
    committed_world: World, seen: Callable[[], dict[str, int]]
) -> None:
    w = committed_world
    case = w.submit()
    complete_task(
        by=w.clerk, task=w.task(case).id, answers={"vollstaendig": False, "nachricht": "Was fehlt?"}
    )
    with w.lahnau_officer.acting():
        case = Case.objects.get(id=case.id)
    answers = at_once(*[lambda: answer_request(by=w.lahnau_officer, case=case, body="Das hier.")] * 3)
    assert sum(isinstance(answer, Message) for answer in answers) == 1, answers
    assert sum(isinstance(answer, Refused) for answer in answers) == 2, answers
    assert seen()["Message"] == 2
    assert w.task(case).title == "Vollständigkeit prüfen"


# --- handing in --------------------------------------------------------------------------------------------------


def test_a_draft_submitted_many_times_at_once_is_one_case(
    committed_world: World, seen: Callable[[], dict[str, int]]
) -> None:
    w = committed_world
    draft = begin_draft(by=w.lahnau_officer, offer=w.offer, party=w.lahnau_party.id)
    save_draft(by=w.lahnau_officer, draft=draft, answers=ANSWERS)
    cases = at_once(*[lambda: submit_draft(by=w.lahnau_officer, draft=draft.id)] * 4)
    assert len({case.id for case in cases}) == 1, cases
    after = seen()
    assert (after["Case"], after["Application"], after["Task"]) == (1, 1, 1)
    with w.lahnau_officer.acting():
        assert not Draft.objects.exists()
    assert submit_draft(by=w.lahnau_officer, draft=draft.id).id == cases[0].id
    with pytest.raises(Draft.DoesNotExist):
        submit_draft(by=w.waldsolms_officer, draft=draft.id)


@pytest.mark.parametrize(
    "late",
    [
        lambda w, draft: save_draft(by=w.lahnau_officer, draft=draft, answers={"titel": "Anders"}),
        lambda w, draft: discard_draft(by=w.lahnau_officer, draft=draft),
    ],
    ids=["saved", "discarded"],
)
def test_a_draft_handed_in_meanwhile_is_gone_and_the_case_is_what_was_handed_in(
    committed_world: World, late: Callable[[World, Draft], Any]
) -> None:
    w = committed_world
    draft = begin_draft(by=w.lahnau_officer, offer=w.offer, party=w.lahnau_party.id)
    save_draft(by=w.lahnau_officer, draft=draft, answers=ANSWERS)
    rival = Rival(w.lahnau_officer, lambda: submit_draft(by=w.lahnau_officer, draft=draft.id))
    assert isinstance(rival.beats(lambda: late(w, draft)), Draft.DoesNotExist)
    with w.lahnau_officer.acting():
        assert not Draft.objects.exists()
        assert Application.objects.get(submission=draft.id).answers["titel"] == "Neue Akte"


def test_reference_numbers_have_no_gaps(committed_world: World) -> None:
    """Also where some of those who hand in fail after they were given a number."""
    w = committed_world

    def submit() -> Case:
        return w.submit()

    def fail() -> None:
        with w.lahnau_officer.acting():
            w.submit()
            raise ZeroDivisionError

    answers = at_once(*[submit, fail, submit, submit, fail, submit])
    numbers = sorted(int(case.reference[-5:]) for case in answers if isinstance(case, Case))
    assert numbers == [1, 2, 3, 4]
    assert len({case.reference for case in answers if isinstance(case, Case)}) == 4


# --- money -------------------------------------------------------------------------------------------------------


def ready_for_approval(w: World, amount: str) -> Task:
    case = w.submit(betrag=amount, ausgaben="9000.00")
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    complete_task(by=w.clerk, task=w.task(case).id, answers={**PROPOSAL, "betrag": Decimal(amount)})
    return w.task(case)


def test_the_second_approval_beyond_the_budget_is_refused_whole(
    committed_world: World, colleague: Actor, seen: Callable[[], dict[str, int]]
) -> None:
    """10,000 euros, three approvals of 4,000: the third has no effect at all."""
    w = committed_world
    tasks = [ready_for_approval(w, "4000.00") for _ in range(3)]
    before = seen()
    answers = at_once(
        *(
            lambda task=task: complete_task(by=w.approver, task=task.id, answers={"freigegeben": True})
            for task in tasks
        )
    )
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 1, answers
    assert "reichen nicht" in str(refused[0])
    with w.clerk.acting():
        assert money_on("open") == Decimal("8000.00")
        assert Decision.objects.filter(state="decided").count() == 2
        assert Decision.objects.filter(state="proposed").count() == 1
        assert Task.objects.get(state="open").title == "Freigeben"
        assert CaseProcess.objects.count() == 3
    after = seen()
    assert after["Movement"] - before["Movement"] == 2


def test_the_database_itself_keeps_the_budget(committed_world: World) -> None:
    """Without any of our Python: two transactions book at the same moment, raw."""
    from django.db import IntegrityError

    w = committed_world
    system = Actor.system(w.ministry.id)

    def book(number: int) -> None:
        with system.acting():
            line = BudgetLine.objects.get()
            moved = Movement.objects.create(authority_id=w.ministry.id, key=f"raw:{number}", kind="awarded")
            Posting.objects.bulk_create(
                Posting(authority_id=w.ministry.id, movement=moved, line=line, account=account, amount=amount)
                for account, amount in (("free", Decimal(-4000)), ("budget", Decimal(4000)))
            )

    answers = at_once(*(lambda number=number: book(number) for number in range(3)))
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 1, answers
    with system.acting():
        assert money_on("free") == Decimal("2000.00")
        assert Movement.objects.count() == 3


# --- one case, two branches of its process -----------------------------------------------------------------------


def notify(w: World, case: Case) -> None:
    """What a branch that issues the notice does to the case."""
    run = lock(case.id, by=Actor.system(w.ministry.id))
    run.outcome = "granted"
    run.write()


def test_what_another_branch_told_the_applicant_stays(committed_world: World) -> None:
    w = committed_world
    case = w.submit()
    ask = {"vollstaendig": False, "nachricht": "Was fehlt?"}
    Rival(Actor.system(w.ministry.id), lambda: notify(w, case)).beats(
        lambda: complete_task(by=w.clerk, task=w.task(case).id, answers=ask)
    )
    with w.clerk.acting():
        found = Case.objects.get(id=case.id)
    assert (found.outcome, found.state) == ("granted", "ACTION_REQUIRED")


def test_the_state_follows_the_process_also_after_waiting(committed_world: World) -> None:
    """We end where we began, but a rival was elsewhere meanwhile: the state is what the process says, not what we read."""
    w = committed_world
    case = w.submit()
    task = w.task(case).id

    def elsewhere() -> None:
        notify(w, case)
        Case.objects.filter(id=case.id).update(state="ACTION_REQUIRED")

    Rival(Actor.system(w.ministry.id), elsewhere).beats(
        lambda: complete_task(by=w.clerk, task=task, answers={"vollstaendig": True})
    )
    with w.clerk.acting():
        assert Case.objects.get(id=case.id).state == "PROCESSING"


# --- one file, imported twice ------------------------------------------------------------------------------------


def test_of_two_identical_imports_one_is_told_line_by_line(committed_world: World) -> None:
    w = committed_world
    by = Actor.system(w.ministry.id)
    content = (
        b"leistung;ags;titel;betrag;ausgaben\nprobe;06532015;Akte;900,00;1000,00\n"
        b"probe;06532022;Akte;900,00;1000,00\n"
    )

    def run() -> Any:
        return import_applications(by=by, content=content)

    refused = Rival(by, run).beats(run)
    assert isinstance(refused, FileNotImported), repr(refused)
    assert [problem.line for problem in refused.problems] == [2, 3]
    assert all("schon eingegangen" in problem.reason for problem in refused.problems)
    with by.acting():
        assert Case.objects.count() == Application.objects.count() == 2
