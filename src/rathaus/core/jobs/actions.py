"""Everything that writes the queue by hand."""

from __future__ import annotations

from rathaus.core import clock
from rathaus.core.jobs.queries import FailedJob, failed_jobs
from rathaus.core.jobs.queue import app


def retry_failed() -> list[FailedJob]:
    """Put all jobs that were given up back into the queue, for one more try each; answers them."""
    found = failed_jobs()
    for job in found:
        app.job_manager.retry_job_by_id(job_id=job.id, retry_at=clock.now())
    return found
