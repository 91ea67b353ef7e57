"""Named reads: how far runs are, and which open tasks could be done at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case as When_
from django.db.models import Count, DecimalField, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from rathaus.casework.bulk.enums import ItemState
from rathaus.casework.bulk.models import BulkItem, BulkRun
from rathaus.casework.cases.enums import DecisionState, Outcome
from rathaus.casework.cases.models import Decision, Task
from rathaus.casework.cases.permissions import open_for
from rathaus.core import clock
from rathaus.core.identity.actors import Actor

PROPOSAL, APPROVAL = "kern:vorschlag", "kern:freigabe"
FORMS = (PROPOSAL, APPROVAL)  # what needs no other words for each case
QUIET = timedelta(minutes=2)  # after so long without a step a person may go on by hand


@dataclass(frozen=True)
class Progress:
    """How many items of a run wait, are done, or were refused; when the last one was settled."""

    waiting: int
    done: int
    failed: int
    last_at: Any = None

    @property
    def settled(self) -> int:
        return self.done + self.failed


def progress_of(run: BulkRun) -> Progress:
    """How far a run is, in one statement over its index."""
    counted = run.items.aggregate(
        waiting=Count("id", filter=Q(state=ItemState.WAITING)),
        done=Count("id", filter=Q(state=ItemState.DONE)),
        failed=Count("id", filter=Q(state=ItemState.FAILED)),
        last_at=Max("settled_at"),
    )
    return Progress(**counted)


def is_quiet(run: BulkRun, progress: Progress) -> bool:
    """Whether nothing has happened for a while although something waits."""
    return bool(progress.waiting) and (progress.last_at or run.requested_at) < clock.now() - QUIET


def run_of(by: Actor, run: UUID) -> BulkRun:
    """A run of the actor's authority. Raises BulkRun.DoesNotExist."""
    return BulkRun.objects.select_related("requested_by").get(id=run, authority_id=by.staff_of)


def runs_of(by: Actor, size: int = 10) -> list[BulkRun]:
    """The newest runs of the actor's authority, with `done` and `failed`."""
    runs = BulkRun.objects.filter(authority_id=by.staff_of).annotate(
        done=Count("items", filter=Q(items__state=ItemState.DONE)),
        failed=Count("items", filter=Q(items__state=ItemState.FAILED)),
    )
    return list(runs.order_by("-requested_at")[:size])


def failures_of(run: BulkRun, size: int = 200) -> list[BulkItem]:
    """What was not done, with its reasons, in the order of the run."""
    return list(run.items.filter(state=ItemState.FAILED).order_by("number")[:size])


# --- open tasks that could be done at once ---


@dataclass(frozen=True)
class TaskGroup:
    """Open tasks of one step of one service, about cases of one service (`about` empty: about none). `amount` in euros
    is what they would grant or pay together."""

    offer: str
    offer_title: str
    element: str
    title: str
    form: str
    about: str
    about_title: str
    count: int
    amount: Decimal

    @property
    def words(self) -> str:
        """„Freigeben: Mittelabruf (Starke Heimat 2020)“"""
        about = f" ({self.about_title})" if self.about_title else ""
        return f"{self.title}: {self.offer_title}{about}"


def task_groups(
    by: Actor, *, offer: str = "", element: str = "", about: str | None = None
) -> list[TaskGroup]:
    """Groups of tasks that this person may do now, largest first; narrowed by service, step and what they are about."""
    tasks = _doable(by)
    if offer:
        tasks = tasks.filter(case__offer__slug=offer)
    if element:
        tasks = tasks.filter(element=element)
    if about is not None:
        tasks = _about(tasks, about)
    rows = (
        tasks.values(
            "element", "title", "form",
            offer=F("case__offer__slug"), offer_title=F("case__offer__title"),
            about=F("case__about__offer__slug"), about_title=F("case__about__offer__title"),
        )
        .annotate(count=Count("id"), amount=Sum("worth"))
        .order_by("-count", "offer", "element", "about")
    )  # fmt: skip
    return [
        TaskGroup(
            **{
                **row,
                "about": row["about"] or "",
                "about_title": row["about_title"] or "",
                "amount": row["amount"] or Decimal("0.00"),
            }
        )
        for row in rows
    ]


def tasks_at_once(
    by: Actor, *, offer: str = "", element: str = "", about: str = "", chosen: Iterable[UUID] | None = None
) -> list[Task]:
    """Tasks of a group that this person may do now, each with its case, `worth` (euros or None) and `proposed` (an
    outcome); of all their tasks those that are `chosen`. Oldest due first."""
    tasks = _doable(by)
    if chosen is not None:
        tasks = tasks.filter(id__in=list(chosen))
    else:
        tasks = _about(tasks.filter(case__offer__slug=offer, element=element), about)
    return list(tasks.select_related("case__offer", "case__about__offer").order_by("due_on", "id"))


def _about(tasks: QuerySet[Any], about: str) -> QuerySet[Any]:
    return tasks.filter(case__about__offer__slug=about) if about else tasks.filter(case__about=None)


def _doable(by: Actor) -> QuerySet[Any]:
    proposed = Decision.objects.filter(case_id=OuterRef("case_id"), state=DecisionState.PROPOSED)
    money: Any = DecimalField(max_digits=14, decimal_places=2)
    return (
        Task.objects.filter(open_for(by), form__in=FORMS)
        .exclude(excluded_id=by.account)
        .annotate(
            proposed=Coalesce(Subquery(proposed.values("outcome")[:1]), Value("")),
            worth=When_(
                When(form=APPROVAL, then=Subquery(proposed.values("amount")[:1], output_field=money)),
                default=F("case__amount"),
                output_field=money,
            ),
        )
    )


def outcomes_of(tasks: Iterable[Any]) -> dict[str, int]:
    """How many of the proposals that wait for release grant, grant in part, refuse."""
    found: dict[str, int] = {}
    for task in tasks:
        if task.proposed:
            label = str(Outcome(task.proposed).label)
            found[label] = found.get(label, 0) + 1
    return found
