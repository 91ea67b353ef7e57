"""What runs later for accounts."""

from __future__ import annotations

from django.core.management import call_command

from rathaus.core.jobs.queue import app


@app.periodic(cron="40 3 * * *")
@app.task(name="identity.clear_sessions", queueing_lock="identity.clear_sessions")
def clear_sessions(timestamp: int) -> None:
    """Remove sessions that have expired; each login leaves one."""
    call_command("clearsessions")
