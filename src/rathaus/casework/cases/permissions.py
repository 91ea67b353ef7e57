"""Who may do what with a case, beyond what the database lets anybody see."""

from __future__ import annotations

from django.db.models import Q

from rathaus.casework.cases.enums import TaskState
from rathaus.casework.cases.models import Task
from rathaus.core.identity.actors import Actor, NotAllowed


def open_for(by: Actor) -> Q:
    """Which open tasks an actor may work on, as a filter; four eyes are asked apart (`excluded`)."""
    return Q(authority_id=by.authority, state=TaskState.OPEN, role__in=sorted(by.roles))


def check_may_work(by: Actor, task: Task) -> None:
    """The same for one task, with four eyes. Raises NotAllowed."""
    if by.account is None or by.authority != task.authority_id or task.role not in by.roles:
        raise NotAllowed(f"Diese Aufgabe gehört der Rolle „{task.role}“.")
    if task.excluded_id == by.account:
        raise NotAllowed(
            "Sie haben den Vorschlag gemacht. Freigeben muss eine andere Person (Vier-Augen-Prinzip)."
        )
