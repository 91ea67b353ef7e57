"""What runs later for bulk runs. Arguments are ids and numbers."""

from __future__ import annotations

from uuid import UUID

from procrastinate import JobContext

from rathaus.core.identity.actors import Actor
from rathaus.core.jobs.queue import RETRY, app


@app.task(name="bulk.work", retry=RETRY, pass_context=True)
def work(context: JobContext, *, authority: str, run: str, first: int, last: int) -> None:
    """Do a chunk of a run; what is done already is left alone."""
    from rathaus.casework.bulk import actions  # which defers this job

    actions.work(
        by=Actor.system(UUID(authority)),
        run=UUID(run),
        first=first,
        last=last,
        is_last_try=context.job.attempts + 1 >= (RETRY.max_attempts or 1),
    )
