"""A step of a case: lock, run the engine, run the operations it calls, write every row in one statement.

Round trips of a step: one read that locks, one statement that writes. What people, timers and messages wait for is rows;
the engine's state only holds tokens and a few variables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from rathaus.casework.cases import events
from rathaus.casework.cases.enums import CaseState, TaskState
from rathaus.casework.cases.models import Application, Case, CaseProcess, Decision, Task
from rathaus.casework.cases.reading import locked_case, locked_task
from rathaus.casework.services import facts as registry
from rathaus.casework.services import operations
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import CASE_DATA, Package, package_of
from rathaus.core import clock
from rathaus.core.audit.kinds import EventKind
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.jobs.queue import job_row
from rathaus.core.tenancy import new_id
from rathaus.engine import workflow
from rathaus.engine.workflow.values import encode

REPLY = "antwort"


class CaseData(Mapping[str, Any]):
    """What expressions of a process may read: `antrag`, `parameter`, `fall`, and the facts that its package names.

    Worked out when first asked for; facts anew for each event, since what an operation did may have changed them.
    """

    def __init__(self, package: Package, case: Case, answers: dict[str, Any]):
        self._package, self._case, self._answers = package, case, answers
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            if name == "antrag":
                self._known[name] = self._package.form.typed(self._answers)
            elif name == "parameter":
                self._known[name] = self._case.parameters
            elif name == "fall":
                self._known[name] = {
                    "nummer": self._case.reference,
                    "eingang": timezone.localtime(self._case.opened_at).date(),
                }
            elif name in self._package.facts:
                self._known[name] = registry.find(name).of(self._case)
            else:
                raise KeyError(name)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in CASE_DATA or name in self._package.facts

    def __iter__(self) -> Iterator[str]:
        return iter((*CASE_DATA, *sorted(self._package.facts)))

    def __len__(self) -> int:
        return len(CASE_DATA) + len(self._package.facts)

    def forget_facts(self) -> None:
        """Ask the domains again: something was written."""
        for name in self._package.facts:
            self._known.pop(name, None)


@dataclass
class Run:
    """A case under lock while it takes a step. Collects rows; `write` stores them."""

    by: Actor
    case: Case
    package: Package
    data: CaseData
    state: dict[str, Any]
    revision: int
    version: UUID
    now: datetime
    application: Application | None = None  # set while the case is being opened
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    timers: dict[str, dict[str, Any]] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    unsubscribed: list[str] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    calls: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)  # operations run, by token
    later: list[workflow.CallOperation] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)  # to be run after the step
    history: list[dict[str, Any]] = field(default_factory=list)
    completed: dict[str, Any] | None = None
    decision: Decision | None = None  # decided in this step
    outcome: str = ""  # of the case, known to the applicant from this step on
    completed_elements: dict[str, UUID | None] = field(default_factory=dict)

    # --- public ---

    def start(self) -> None:
        """Begin the process. Raises Refused where it cannot."""
        with _as_refusal():
            self._settle(workflow.start(self.package.definition, data=self.data, now=self.now))

    def send(self, event: workflow.Event) -> None:
        """Let the engine answer to an event. Raises workflow.StaleEvent if its token no longer waits, Refused where
        the process cannot go on."""
        with _as_refusal():
            self._settle(self._advance(event))

    def record(self, kind: EventKind, **data: Any) -> None:
        """One event, written with the step."""
        self.history.append(
            {
                "id": str(new_id()),
                "name": kind.name,
                "account_id": str(self.by.account) if self.by.account else None,
                "function": self.by.function or "Antragstellung",
                "data": {**data, **clock.simulated()},
            }
        )

    def defer(self, task: Any, **arguments: Any) -> None:
        """Hand a job to the queue with the step: it runs if the step is stored, and only then."""
        ids = {"authority": str(self.case.authority_id), "case": str(self.case.id)}
        self.jobs.append(job_row(task, {**ids, **arguments}))

    def write(self) -> None:
        """Store the step in one statement, with what runs later."""
        from rathaus.casework.cases.jobs import run_operation

        for call in self.later:
            self.defer(
                run_operation,
                token=call.token,
                element=call.element,
                operation=call.operation,
                arguments=encode(dict(call.arguments)),
            )
        statement, values = _statement(self)
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            if cursor.fetchone()[0] != 1:
                raise workflow.StaleEvent("Jemand war schneller.")

    def name_of(self, element: str) -> str:
        """A step of the process as its diagram calls it; its id where it has no name."""
        return self.package.definition.nodes[element].name or element

    def waits(self, token: str) -> bool:
        """Whether the process still waits at this token; what it waited for may have happened meanwhile."""
        return any(found.token == token for found in self.package.definition.waiting(self.state))

    def waiting_for(self, message: str) -> str | None:
        """The token that has waited longest for a BPMN message; None where none does."""
        nodes = self.package.definition.nodes
        return next(
            (
                found.token
                for found in self.package.definition.waiting(self.state)
                if found.kind == "message" and nodes[found.element].message == message
            ),
            None,
        )

    @property
    def case_state(self) -> CaseState:
        """What the applicant and the desk read, derived from what the process waits for."""
        waiting = self.package.definition.waiting(self.state)
        if not waiting and not self.later and not self.incidents:
            return CaseState.COMPLETED
        if self.waiting_for(REPLY):
            return CaseState.ACTION_REQUIRED
        return CaseState.PROCESSING

    # --- the engine's effects ---

    def _advance(self, event: workflow.Event) -> workflow.Step:
        self.data.forget_facts()
        return workflow.advance(self.package.definition, self.state, event, data=self.data, now=self.now)

    def _settle(self, step: workflow.Step) -> None:
        """Carry out effects; operations that run now answer at once, so that the process goes on."""
        pending = list(step.effects)
        self.state = step.state
        while pending:
            effect = pending.pop(0)
            if isinstance(effect, workflow.CallOperation):
                if operations.find(effect.operation).later:
                    self.later.append(effect)
                else:
                    step = self._advance(self.call(effect.token, effect.operation, effect.arguments))
                    self.state = step.state
                    pending += step.effects
            else:
                self._take(effect)

    def call(
        self, token: str, name: str, arguments: Mapping[str, Any]
    ) -> workflow.OperationDone | workflow.OperationFailed:
        """Run an operation in a savepoint. A Refused goes to whoever asked; any other error is the process's matter."""
        self.calls[token] = (name, arguments)
        operation = operations.find(name)
        converted = operation.convert(arguments)
        try:
            with transaction.atomic():
                result = operation.run(self, **converted)
        except (Refused, NotAllowed):
            raise
        except Exception as wrong:  # noqa: BLE001  whatever an operation raises must not lose the case
            return workflow.OperationFailed(token, type(wrong).__name__, str(wrong)[:500])
        return workflow.OperationDone(token, result or {})

    def _take(self, effect: workflow.Effect) -> None:
        match effect:
            case workflow.OpenTask():
                self.tasks[effect.token] = self._task(effect)
            case workflow.CloseTask(token):
                if self.tasks.pop(token, None) is None:
                    self.closed.append(token)
            case workflow.SetTimer(token, element, due_at):
                self.timers[token] = {"token": token, "element": element, "due_at": due_at.isoformat()}
            case workflow.ClearTimer(token):
                if self.timers.pop(token, None) is None:
                    self.cleared.append(token)
            case workflow.Subscribe(token, element, message):
                self.subscriptions[token] = {"token": token, "element": element, "message": message}
            case workflow.Unsubscribe(token):
                if self.subscriptions.pop(token, None) is None:
                    self.unsubscribed.append(token)
            case workflow.Incident(token, _, code, message):
                self.open_incident(token, *self.calls[token], f"{code}: {message}".strip(": "))
            case workflow.CancelOperation(token):
                self.settled.append(token)
                self.later = [call for call in self.later if call.token != token]
            case workflow.Ended():
                pass

    def _task(self, effect: workflow.OpenTask) -> dict[str, Any]:
        days = self.package.manifest.bearbeitung_tage
        due = effect.due or self.now + timedelta(days=days)
        four_eyes = effect.four_eyes
        return {
            "id": str(new_id()),
            "token": effect.token,
            "element": effect.element,
            "title": effect.name,
            "role": effect.role,
            "form": effect.form or "",
            "arguments": encode(dict(effect.arguments)),
            "due_on": timezone.localtime(due).date().isoformat(),
            "four_eyes": four_eyes,
            "excluded": str(self.completed_elements[four_eyes])
            if four_eyes in self.completed_elements
            else None,
        }

    def open_incident(self, token: str, operation: str, arguments: Mapping[str, Any], reason: str) -> None:
        """Park what failed where staff see it and may retry it; the token waits on."""
        waiting = self.package.definition.waiting(self.state)
        element = next(found.element for found in waiting if found.token == token)
        self.incidents.append(
            {
                "id": str(new_id()),
                "token": token,
                "element": element,
                "operation": operation,
                "arguments": encode(dict(arguments)),
                "reason": reason[:2000],
            }
        )
        self.record(events.INCIDENT_OPENED, element=self.name_of(element))


@contextmanager
def _as_refusal() -> Iterator[None]:
    """A process that fails on these values is no fault of whoever acts; they are told, and nothing is stored."""
    try:
        yield
    except workflow.StaleEvent:
        raise
    except workflow.WorkflowError as wrong:
        raise Refused(f"Der Ablauf dieser Leistung kann so nicht weitergehen: {wrong}") from wrong


def lock(case: UUID, *, by: Actor) -> Run:
    """The case, locked for a step until the end of the transaction. Raises CaseProcess.DoesNotExist if not visible."""
    return _run(locked_case(case), by)


def lock_task(task: UUID, *, by: Actor) -> tuple[Run, Task]:
    """A task with its case, locked for a step, in one read. Raises Task.DoesNotExist if not visible.

    Whoever waited for the lock reads the task as it was before; the engine's state is fresh and tells, then the task
    is read again. Its claim may still be old.
    """
    process, found = locked_task(task)
    run = _run(process, by)
    if found.state == TaskState.OPEN and not run.waits(found.token):
        found = Task.objects.select_related("claimed_by", "completed_by").get(id=task)
    return run, found


def _run(process: CaseProcess, by: Actor) -> Run:
    case = process.case
    package = package_of(process.version_id)
    data = CaseData(package, case, case.application.answers)
    return Run(by, case, package, data, process.state, process.revision, process.version_id, clock.now())


def opening(application: Application, package: Package, *, by: Actor) -> Run:
    """The first step of a case. `write` stores case and application with it, in the same statement."""
    case = application.case
    data = CaseData(package, case, application.answers)
    return Run(
        by, case, package, data, {}, 0, application.version_id, case.opened_at, application=application
    )


# --- one statement a step ----------------------------------------------------------------------------------------

_PROCESS_NEW = """p AS (INSERT INTO cases_caseprocess (case_id, authority_id, version_id, state, revision)
  VALUES (%s, %s, %s, %s::jsonb, 0) RETURNING 1)"""
_PROCESS = """p AS (UPDATE cases_caseprocess SET state = %s::jsonb, revision = revision + 1
  WHERE case_id = %s AND revision = %s RETURNING 1)"""
_CASE_NEW = """c AS (INSERT INTO cases_case (id, authority_id, offer_id, terms_id, party_id, party_name, party_address,
    applicant_id, application_id, about_id, is_for_applicant, reference, title, amount, state, outcome, opened_at, closed_at)
  VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s, %s, %s, '', %s, %s))"""
_APPLICATION = """a AS (INSERT INTO cases_application (id, authority_id, case_id, party_id, number, version_id, answers,
    submission, is_ex_officio, submitted_at, submitted_by_id)
  VALUES (%s, %s, %s, %s, 1, %s, %s::jsonb, %s, %s, %s, %s))"""
# Compared here, under the lock: whoever waited for it has read the case as it was before.
_CASE = """c AS (UPDATE cases_case SET state = %s, closed_at = %s, outcome = coalesce(nullif(%s, ''), outcome)
  WHERE id = %s AND (state <> %s OR outcome <> coalesce(nullif(%s, ''), outcome)))"""
_DONE = """d AS (UPDATE cases_task SET state = 'done', completed_at = %s, completed_by_id = %s
  WHERE case_id = %s AND token = %s AND state = 'open')"""
_TASKS = """t AS (INSERT INTO cases_task (id, authority_id, case_id, token, element, title, role, form, arguments,
    state, due_on, created_at, excluded_id)
  SELECT r.id, %s, %s, r.token, r.element, r.title, r.role, r.form, r.arguments, 'open', r.due_on, %s,
    coalesce(r.excluded, (SELECT b.completed_by_id FROM cases_task b WHERE b.case_id = %s AND b.element = r.four_eyes
       AND b.state = 'done' ORDER BY b.completed_at DESC LIMIT 1))
  FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, token text, element text, title text, role text, form text,
    arguments jsonb, due_on date, four_eyes text, excluded uuid))"""
_CLOSED = """tc AS (UPDATE cases_task SET state = 'cancelled' WHERE case_id = %s AND token = ANY(%s) AND state = 'open')"""
_TIMERS = """ti AS (INSERT INTO cases_timer (id, authority_id, case_id, token, element, due_at)
  SELECT gen_random_uuid(), %s, %s, r.token, r.element, r.due_at
  FROM jsonb_to_recordset(%s::jsonb) AS r(token text, element text, due_at timestamptz))"""
_CLEARED = """tx AS (DELETE FROM cases_timer WHERE case_id = %s AND token = ANY(%s))"""
_SUBSCRIPTIONS = """s AS (INSERT INTO cases_subscription (id, authority_id, case_id, token, element, message)
  SELECT gen_random_uuid(), %s, %s, r.token, r.element, r.message
  FROM jsonb_to_recordset(%s::jsonb) AS r(token text, element text, message text))"""
_UNSUBSCRIBED = """sx AS (DELETE FROM cases_subscription WHERE case_id = %s AND token = ANY(%s))"""
_INCIDENTS = """i AS (INSERT INTO cases_incident (id, authority_id, case_id, token, element, operation, arguments, reason,
    state, created_at)
  SELECT r.id, %s, %s, r.token, r.element, r.operation, r.arguments, r.reason, 'open', %s
  FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, token text, element text, operation text, arguments jsonb, reason text)
  ON CONFLICT (case_id, token) WHERE state = 'open' DO UPDATE SET reason = excluded.reason)"""
_SETTLED = """ix AS (UPDATE cases_incident SET state = 'resolved', resolved_at = %s
  WHERE case_id = %s AND token = ANY(%s) AND state = 'open')"""
_EVENTS = """e AS (INSERT INTO audit_event (id, authority_id, name, case_id, account_id, function, data)
  SELECT r.id, %s, r.name, %s, r.account_id, r.function, r.data
  FROM jsonb_to_recordset(%s::jsonb) AS r(id uuid, name text, account_id uuid, function text, data jsonb))"""

_JOBS = """procrastinate_defer_jobs_v1(ARRAY(
  SELECT j FROM jsonb_populate_recordset(NULL::procrastinate_job_to_defer_v1, %s::jsonb) AS j))"""


def _statement(run: Run) -> tuple[str, list[Any]]:
    """The rows of a step as one data-modifying statement; it answers how many processes it moved (1 or 0)."""
    case, authority = run.case.id, run.case.authority_id
    state = json.dumps(run.state, separators=(",", ":"))
    parts: list[str] = []
    values: list[Any] = []

    def add(part: str, *given: Any) -> None:
        parts.append(part)
        values.extend(given)

    run.case.state = run.case_state
    run.case.outcome = run.outcome or run.case.outcome
    run.case.closed_at = run.now if run.case.state == CaseState.COMPLETED else None
    if run.application:
        add(_CASE_NEW, *_case_row(run.case))
        add(_APPLICATION, *_application_row(run.application))
        add(_PROCESS_NEW, case, authority, run.version, state)
    else:
        add(_PROCESS, state, case, run.revision)
        add(_CASE, run.case.state, run.case.closed_at, run.outcome, case, run.case.state, run.outcome)
    if run.completed:
        add(_DONE, run.now, run.completed["account"], case, run.completed["token"])
    if run.tasks:
        add(_TASKS, authority, case, run.now, case, json.dumps(list(run.tasks.values())))
    if run.closed:
        add(_CLOSED, case, run.closed)
    if run.timers:
        add(_TIMERS, authority, case, json.dumps(list(run.timers.values())))
    if run.cleared:
        add(_CLEARED, case, run.cleared)
    if run.subscriptions:
        add(_SUBSCRIPTIONS, authority, case, json.dumps(list(run.subscriptions.values())))
    if run.unsubscribed:
        add(_UNSUBSCRIBED, case, run.unsubscribed)
    if run.incidents:
        add(_INCIDENTS, authority, case, run.now, json.dumps(run.incidents))
    if run.settled:
        add(_SETTLED, run.now, case, run.settled)
    if run.history:
        add(_EVENTS, authority, case, json.dumps(run.history))
    moved = "SELECT count(*) FROM p"
    if run.jobs:
        moved = f"SELECT ({moved}), {_JOBS}"
        values.append(json.dumps(run.jobs))
    # Only constants from above are joined; every value is a parameter.
    return f"WITH {', '.join(parts)} {moved}", values


def _case_row(case: Case) -> list[Any]:
    return [
        case.id, case.authority_id, case.offer_id, case.terms_id, case.party_id, case.party_name,
        json.dumps(case.party_address), case.applicant_id, case.application_id, case.about_id, case.is_for_applicant,
        case.reference, case.title, case.amount, case.state, case.opened_at, case.closed_at,
    ]  # fmt: skip


def _application_row(application: Application) -> list[Any]:
    return [
        application.id, application.authority_id, application.case_id, application.party_id, application.version_id,
        json.dumps(application.answers), application.submission, application.is_ex_officio, application.submitted_at,
        application.submitted_by_id,
    ]  # fmt: skip
