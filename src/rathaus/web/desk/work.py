"""The panel beside the case: what there is to do for this person, or who else must act, or how it was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from rathaus.casework.cases.actions.decisions import HEAD
from rathaus.casework.cases.enums import CaseState, DecisionState, FindingResult, TaskState
from rathaus.casework.cases.models import Decision, Notice, Task
from rathaus.casework.cases.queries import CaseFile
from rathaus.casework.services.packages import Package
from rathaus.core.identity.actors import Actor
from rathaus.law.money import format_amount
from rathaus.law.text import format_date, format_day, span_of_days
from rathaus.web.desk.panels import Panel


@dataclass(frozen=True)
class Eye:
    """One of the four eyes: what is done, by whom; `state` done, now or empty."""

    label: str
    who: str
    state: str


@dataclass(frozen=True)
class Work:
    """What the panel shows. At most one of `task`, `blocked`, `waiting`, `decided` leads; `others` are more open tasks.

    `blocked` says why this person may not do the open task, `waiting` what the process waits for. `proposal` is the
    open one, `returned` the one that was sent back last, `outcomes` are value and verb of what can be proposed,
    `obstacles` the rules that stand in the way of granting.
    """

    reference: str
    task: Task | None = None
    is_mine: bool = False
    claimed: str = ""
    due: str = ""
    due_tone: str = ""
    others: tuple[tuple[Task, str], ...] = ()
    blocked: str = ""
    waiting: str = ""
    waiting_note: str = ""
    proposal: Decision | None = None
    proposed_by: str = ""
    returned: Decision | None = None
    returned_by: str = ""
    outcomes: tuple[tuple[str, str], ...] = ()
    obstacles: tuple[str, ...] = ()
    may_except: bool = False
    eyes: tuple[Eye, ...] = ()
    decided: Decision | None = None
    notice: Notice | None = None
    can_preview: bool = False
    amount_hint: str = ""
    panel: Panel | None = None
    kept_for: str = ""

    @property
    def proposal_years(self) -> list[tuple[str, Decimal]]:
        """How the open proposal divides its amount."""
        return _years(self.proposal)

    @property
    def decided_years(self) -> list[tuple[str, Decimal]]:
        """How the decided amount is divided."""
        return _years(self.decided)

    @property
    def url(self) -> str:
        """Where the task's form goes."""
        return reverse("desk:task", args=[self.reference, self.task.id]) if self.task else ""

    @property
    def preview_url(self) -> str:
        """Where the draft of the letter is."""
        return reverse("desk:preview", args=[self.reference])

    @property
    def next_step(self) -> tuple[str, str, str]:
        """For the strip: what, who and when, and where to click."""
        if self.task:
            who = "Sie" if self.is_mine or not self.claimed else self.claimed
            return self.task.title, f"{who}, {self.due}", "#aufgabe"
        if self.blocked:
            return "Freigabe durch eine andere Person", "", "#aufgabe"
        if self.waiting:
            return self.waiting, self.waiting_note, ""
        return "Nichts", "", ""

    def with_form(self, *, panel: Panel | None, owner: Callable[[str], str]) -> Work:
        """The same with the form of its task."""
        if self.task is None or panel is None:
            return self
        return replace(self, panel=panel, kept_for=owner(self.url))


def _years(decision: Decision | None) -> list[tuple[str, Decimal]]:
    found = decision.details.get("jahre", {}) if decision else {}
    return [(str(year), Decimal(str(amount))) for year, amount in sorted(found.items())]


def work_of(
    file: CaseFile,
    package: Package,
    by: Actor,
    chosen: UUID | None,
    *,
    names: Mapping[UUID, str],
    today: date,
) -> Work:
    """What there is to do. `chosen` picks one of several open tasks, `names` says how the history calls an account."""
    tasks = [task for task in file.tasks if task.state == TaskState.OPEN]
    own = [task for task in tasks if task.role in by.roles and task.excluded_id != by.account]
    task = next((found for found in own if found.id == chosen), own[0] if own else None)
    blocked = next(
        (found for found in tasks if found.role in by.roles and found.excluded_id == by.account), None
    )
    proposal = next((found for found in file.decisions if found.state == DecisionState.PROPOSED), None)
    newest = file.decisions[0] if file.decisions else None
    returned = newest if newest and newest.state == DecisionState.RETURNED else None
    decided = next((found for found in file.decisions if found.state == DecisionState.DECIDED), None)
    leading = task or blocked or (tasks[0] if tasks else None)
    waiting, waiting_note = ("", "") if task or blocked else _waiting(file, package, tasks, today)
    return Work(
        reference=file.case.reference,
        task=task,
        is_mine=bool(task and task.claimed_by_id == by.account),
        claimed=names.get(task.claimed_by_id) or str(task.claimed_by) if task and task.claimed_by_id else "",
        due=due_words(task.due_on, today) if task else "",
        due_tone=_tone(task.due_on, today) if task else "",
        others=tuple((other, due_words(other.due_on, today)) for other in own if other is not task),
        blocked=_blocked(blocked, proposal) if blocked and not task else "",
        waiting=waiting,
        waiting_note=waiting_note,
        proposal=proposal,
        proposed_by=_name(proposal.proposed_by_id, str(proposal.proposed_by), names) if proposal else "",
        returned=returned,
        returned_by=_name(returned.decided_by_id, returned.decided_function, names) if returned else "",
        outcomes=tuple((key, words.tun) for key, words in package.manifest.results.items()),
        obstacles=tuple(
            found.title
            for found in file.findings
            if found.result == FindingResult.FAILED and not found.excepted_at and not file.case.closed_at
        ),
        may_except=HEAD in by.roles,
        eyes=_eyes(leading, package, by, proposal, names) if leading else (),
        decided=decided,
        notice=file.notices[-1] if file.notices else None,
        can_preview="bescheid.typ" in package.letters,
        amount_hint=f"beantragt: {format_amount(file.case.amount)}" if file.case.amount is not None else "",
    )


def due_words(day: date, today: date) -> str:
    """heute fällig, seit 3 Tagen überfällig, bis 30.06.2027."""
    left = (day - today).days
    if left < 0:
        return f"seit {span_of_days(-left)} überfällig"
    if left == 0:
        return "heute fällig"
    return f"bis\u00a0{format_day(day)}"


def _tone(day: date, today: date) -> str:
    """Colour only where somebody must act: overdue red, today orange."""
    return "danger" if day < today else "warning" if day == today else ""


def _waiting(file: CaseFile, package: Package, tasks: list[Task], today: date) -> tuple[str, str]:
    if tasks:
        return tasks[0].title, f"Rolle {tasks[0].role}, {due_words(tasks[0].due_on, today)}"
    if file.case.state == CaseState.ACTION_REQUIRED:
        return "Antwort abwarten", file.case.party_name
    nodes = package.definition.nodes
    waiting = package.definition.waiting(file.state)
    if not waiting:
        return "", ""
    first = waiting[0]
    # What a domain tells the process (money that was paid, reviews that are in) others are at work on.
    return nodes[
        first.element
    ].name or first.element, "läuft" if first.kind == "message" else "läuft von selbst"


def _blocked(task: Task, proposal: Decision | None) -> str:
    when = ""
    if proposal and proposal.proposed_at:
        when = f" am {format_date(timezone.localtime(proposal.proposed_at).date())}"
    return (
        f"Sie haben ihn{when} selbst gemacht. Freigeben muss eine andere Person mit der Rolle „{task.role}“."
    )


def _eyes(
    task: Task, package: Package, by: Actor, proposal: Decision | None, names: Mapping[UUID, str]
) -> tuple[Eye, ...]:
    """The two steps of a decision, if this task is one of them."""
    nodes = package.definition.nodes
    here = nodes[task.element]
    is_own = task.role in by.roles and task.excluded_id != by.account
    who = f"Sie, {by.function}" if is_own and by.function else f"Rolle {task.role}"
    if here.four_eyes:
        first = nodes[here.four_eyes]
        done_by = (
            _name(proposal.proposed_by_id, str(proposal.proposed_by), names) if proposal else first.role or ""
        )
        return Eye(first.name, done_by, "done"), Eye(here.name, who, "now")
    second = next((node for node in nodes.values() if node.four_eyes == task.element), None)
    if second is None:
        return ()
    return Eye(here.name, who, "now"), Eye(second.name, f"Rolle {second.role}, eine andere Person", "")


def _name(account: UUID | None, fallback: str, names: Mapping[UUID, str]) -> str:
    return names.get(account, fallback) if account else fallback
