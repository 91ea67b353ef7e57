"""A worker process."""

from __future__ import annotations

from typing import Any

from rathaus.core.jobs.queue import app


def run_worker(*, concurrency: int = 2, once: bool = False, has_signals: bool = True) -> None:
    """Run jobs until the process is told to end (SIGTERM, SIGINT), or with `once` until nothing is left to do now.

    A worker inside another program leaves the signals to that (`has_signals`).

    Jobs that succeeded are deleted: what they did is in the history. Failed ones stay (`failed_jobs`).

    The worker has connections of its own, beside the application object that the jobs use: what a job defers goes
    through Django's connection and so belongs to the job's transaction. (`app.replace_connector` would send it past it:
    a mail about something that was rolled back.)
    """
    django_connector: Any = app.connector
    beside = app.with_connector(django_connector.get_worker_connector())
    beside.run_worker(
        concurrency=concurrency,
        wait=not once,
        install_signal_handlers=has_signals,
        listen_notify=not once,
        delete_jobs="successful",
    )
