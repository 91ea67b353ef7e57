"""The one application object of Procrastinate, and how jobs retry."""

from __future__ import annotations

from typing import Any

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.tasks import Task

__all__ = ["MAIL_RETRY", "RETRY", "app", "job_row"]

RETRY = RetryStrategy(max_attempts=5, exponential_wait=3)  # 3, 9, 27, 81, 243 seconds
# Waits of up to five hours, eight in all: a mail server may be down.
MAIL_RETRY = RetryStrategy(max_attempts=9, exponential_wait=3)


def job_row(task: Task, arguments: dict[str, Any]) -> dict[str, Any]:
    """A job as PostgreSQL's `procrastinate_job_to_defer_v1`, for whoever defers it in a statement of their own."""
    job = task.configure(task_kwargs=arguments).job
    return {
        "queue_name": job.queue,
        "task_name": job.task_name,
        "priority": job.priority,
        "lock": job.lock,
        "queueing_lock": job.queueing_lock,
        "args": job.task_kwargs,
    }
