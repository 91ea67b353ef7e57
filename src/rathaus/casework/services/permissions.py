"""Who may change what a public service is, and how an authority offers it."""

from __future__ import annotations

from uuid import UUID

from rathaus.core.identity.actors import Actor, NotAllowed

DESIGNER = "Prozessdesign"
HEAD = "Leitung"


def may_design(by: Actor) -> bool:
    """Whether an actor may publish packages and offer them."""
    return by.is_staff and (by.is_system or DESIGNER in by.roles)


def may_set_terms(by: Actor) -> bool:
    """Whether an actor may change on which terms and when its authority offers a service."""
    return may_design(by) or (by.is_staff and HEAD in by.roles)


def check_may_set_terms(by: Actor, authority: UUID) -> None:
    """The same for an offer of this authority. Raises NotAllowed."""
    if by.authority != authority or not may_set_terms(by):
        raise NotAllowed(
            f"Regeln einer Leistung ändern darf nur die Rolle {DESIGNER} oder {HEAD} der Behörde, die sie anbietet."
        )
