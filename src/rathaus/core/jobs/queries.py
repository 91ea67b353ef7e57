"""Named reads of the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Q
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateJob


@dataclass(frozen=True)
class FailedJob:
    """A job that will not be tried again by itself. `arguments` are ids; `tries` is how often it was begun."""

    id: int
    name: str
    arguments: dict[str, Any]
    tries: int
    failed_at: datetime | None


def failed_jobs() -> list[FailedJob]:
    """Jobs that were given up, oldest first. Operations of cases are not among them: they become incidents."""
    failed = Max("procrastinateevent__at", filter=Q(procrastinateevent__type="failed"))
    jobs = ProcrastinateJob.objects.filter(status="failed").annotate(failed_at=failed).order_by("id")
    return [FailedJob(job.id, job.task_name, job.args, job.attempts, job.failed_at) for job in jobs]


def waiting_jobs() -> int:
    """How many jobs run now or could; those that a worker will try again later are not among them."""
    due = Q(scheduled_at=None) | Q(scheduled_at__lte=Now())
    return ProcrastinateJob.objects.filter(Q(status="doing") | (Q(status="todo") & due)).count()
