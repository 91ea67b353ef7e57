"""What can be done for many at once. Each kind registers the function that does it for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from rathaus.core.identity.actors import Actor


class Perform(Protocol):
    """Do it for one target, as a single click would. Raises Refused, NotAllowed or TaskTaken with a German sentence."""

    def __call__(self, *, by: Actor, target: UUID, options: Mapping[str, Any]) -> object: ...


@dataclass(frozen=True)
class BulkKind:
    """A kind of work by its name."""

    name: str
    perform: Perform


_kinds: dict[str, BulkKind] = {}


def bulk_kind(name: str) -> Callable[[Perform], Perform]:
    """Register a function as a kind. Names are unique."""

    def register(function: Perform) -> Perform:
        if name in _kinds:
            raise ValueError(f"bulk kind {name} is registered twice")
        _kinds[name] = BulkKind(name, function)
        return function

    return register


def kind_of(name: str) -> BulkKind:
    """The kind of that name. Raises KeyError for one that nobody registered."""
    return _kinds[name]
