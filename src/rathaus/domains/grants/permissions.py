"""Who may do what with the money of grants, beyond what the database lets anybody see."""

from __future__ import annotations

from uuid import UUID

from rathaus.casework.cases.actions.decisions import HEAD
from rathaus.core.identity.actors import Actor, NotAllowed

WORK = frozenset({"Sachbearbeitung", HEAD})
APPROVE = frozenset({"Freigabe", HEAD})
HEAD_ONLY = frozenset({HEAD})
EXPERT = "Gutachten"  # whoever has this role alone sees what they are asked to review, and nothing else


def check_role(by: Actor, authority: UUID, roles: frozenset[str]) -> None:
    """Raises NotAllowed for everybody but staff of the authority in one of the roles, and the machine."""
    if by.authority != authority or not (by.is_system or roles & by.roles):
        raise NotAllowed(f"Das darf nur die Rolle {' oder '.join(f'„{role}“' for role in sorted(roles))}.")


def may_set_up(by: Actor, authority: UUID) -> bool:
    """Whether an actor may set up programmes and their money: the head of the authority, and the machine."""
    return by.authority == authority and (by.is_system or HEAD in by.roles)


def check_may_set_up(by: Actor, authority: UUID) -> None:
    """The same. Raises NotAllowed."""
    if not may_set_up(by, authority):
        raise NotAllowed(
            "Programme und Aufrufe anlegen und Mittel zuteilen darf nur die Leitung der Behörde, die sie anbietet."
        )
