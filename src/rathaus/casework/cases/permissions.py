"""Who may do what with a case, beyond what the database lets anybody see."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from rathaus.casework.cases.enums import TaskState
from rathaus.casework.cases.models import Case, Task
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import Package, package_of
from rathaus.casework.services.permissions import HEAD
from rathaus.core.identity.actors import Actor, NotAllowed


def open_for(by: Actor) -> Q:
    """Which open tasks an actor may work on, as a filter; four eyes are asked apart (`excluded`)."""
    return Q(authority_id=by.authority, state=TaskState.OPEN, role__in=sorted(by.roles))


def check_may_open(by: Actor, offer: Offer, package: Package) -> None:
    """Whether the actor may open a case of an offer by themselves, for the authority. Raises NotAllowed."""
    if by.authority != offer.authority_id:
        raise NotAllowed("Diesen Vorgang eröffnet nur die Behörde.")
    if package.manifest.opening != Opening.OFFICE:
        raise NotAllowed("Dieser Vorgang beginnt mit einem Antrag. Die Behörde eröffnet ihn nicht selbst.")
    role = package.manifest.first_role
    if not (by.is_system or role in by.roles):
        raise NotAllowed(f"Diesen Vorgang eröffnet die Rolle „{role}“.")


def may_act(by: Actor, package: Package) -> bool:
    """Whether an actor writes for the authority in a case of this package: in a role that its process names, as its head,
    or as the machine. Who only reads (an auditor) does not."""
    return by.is_system or bool(by.roles & {HEAD, *package.manifest.rollen})


def check_may_act(by: Actor, case: Case) -> None:
    """The same for a case of the actor's authority. Raises NotAllowed."""
    if by.authority != case.authority_id or not may_act(by, package_of(case.application.version_id)):
        raise NotAllowed("Das darf nur, wer an diesem Vorgang arbeitet oder die Behörde leitet.")


AUDIT = frozenset({HEAD, "Rechnungsprüfung"})


def may_export(by: Actor, authority: UUID) -> bool:
    """Whether an actor may take whole files out of the house: head and audit of the authority, and the machine."""
    return by.authority == authority and (by.is_system or bool(AUDIT & by.roles))


def check_may_export(by: Actor, authority: UUID) -> None:
    """The same. Raises NotAllowed."""
    if not may_export(by, authority):
        raise NotAllowed("Ganze Akten ausgeben darf nur die Leitung oder die Rechnungsprüfung.")


def check_may_work(by: Actor, task: Task) -> None:
    """The same for one task, with four eyes. Raises NotAllowed."""
    if by.account is None or by.authority != task.authority_id or task.role not in by.roles:
        raise NotAllowed(f"Diese Aufgabe gehört der Rolle „{task.role}“.")
    if task.excluded_id == by.account:
        raise NotAllowed(
            "Sie haben den Vorschlag gemacht. Freigeben muss eine andere Person (Vier-Augen-Prinzip)."
        )
