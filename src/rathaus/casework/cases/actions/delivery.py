"""News for a process that waits: what happened elsewhere lets it go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rathaus.casework.cases.models import Case, Subscription
from rathaus.casework.cases.steps import lock
from rathaus.core.identity.actors import Actor
from rathaus.engine import workflow


def deliver(*, by: Actor, case: Case, message: str, result: Mapping[str, Any] | None = None) -> bool:
    """Let the process of a case go on that waits for a message of this name; False if it does not wait for it.

    Part of the caller's transaction: `by` acts for the authority that keeps the case.
    """
    with by.acting():
        run = lock(case.id, by=by)
        waiting = Subscription.objects.filter(case_id=case.id, message=message).first()
        if waiting is None or not run.waits(waiting.token):
            return False
        run.send(workflow.MessageReceived(waiting.token, dict(result or {})))
        run.write()
        return True
