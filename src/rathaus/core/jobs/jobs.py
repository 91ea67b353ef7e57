"""Jobs about jobs: what a worker that died was doing is done by another."""

from __future__ import annotations

import logging

from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from rathaus.core.jobs.queue import app

logger = logging.getLogger(__name__)

# A worker beats every 10 seconds. One that was silent for 30 is taken for dead; looked at every minute, its jobs go on
# 30 to 90 seconds after its death, plus the wait of their own retry.
SILENT_SECONDS = 30


class WorkerLost(Exception):
    """The worker ended in the middle of the job; that counts as a failed attempt."""


@app.periodic(cron="* * * * *")
@app.task(name="jobs.retry_stalled", queueing_lock="jobs.retry_stalled", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Put jobs of dead workers back into the queue, as often as each may be retried; then it is parked as failed."""
    for job in await context.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS):
        await _retry(context, job)


async def _retry(context: JobContext, job: Job) -> None:
    manager = context.app.job_manager
    task = context.app.tasks.get(job.task_name)
    again = task.get_retry_exception(exception=WorkerLost(), job=job) if task else None
    try:
        if again:
            logger.warning("%s: the worker died, tried again", job.call_string)
            await manager.retry_job(job=job, retry_at=again.retry_decision.retry_at)
        else:
            logger.error("%s: the worker died, not tried again", job.call_string)
            await manager.finish_job(job=job, status=Status.FAILED, delete_job=False)
    except ConnectorException:  # another worker was faster, or the same work is already queued
        logger.info("%s: already taken care of", job.call_string, exc_info=True)
