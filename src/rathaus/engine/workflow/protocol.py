"""What goes into a step of a process and what comes out: events, effects, refusals.

Tokens are short decimal strings, unique within one process instance and never used twice: an event that
names a token which no longer waits is stale, whatever happened in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return NOTHING


# ---------------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """A person finished the task; ``result`` is what ``r:output`` expressions see as ``result``."""

    token: str
    result: Any = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class OperationDone:
    """The operation of a service or send task succeeded."""

    token: str
    result: Any = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """The operation failed for good. Caught by an error boundary event, else it becomes an ``Incident``."""

    token: str
    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The instant of ``SetTimer`` has come. Whether it really has is for the caller to know."""

    token: str


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message that ``Subscribe`` waits for came in; ``r:output`` expressions see ``payload`` as
    ``result``."""

    token: str
    payload: Any = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The whole process ends now; ``reason`` comes back as the code of ``Ended``."""

    reason: str


Event = TaskCompleted | OperationDone | OperationFailed | TimerFired | MessageReceived | Cancelled


# --------------------------------------------------------------------------------------------------- effects
# Whatever is opened is also closed. A task, operation or timer is closed silently by its own event
# (the sender of that event knows) and by CloseTask, CancelOperation or ClearTimer in all other cases.
# A subscription outlives its message at a non-interrupting boundary, so its end is always said: Unsubscribe.


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A person of ``role`` shall work on ``form``. ``four_eyes`` names the element whose person may not."""

    token: str
    element: str
    name: str
    role: str | None
    form: str | None
    due: datetime | None
    four_eyes: str | None
    attributes: Mapping[str, str]
    arguments: Mapping[str, Any] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class CloseTask:
    """The task is no longer wanted, although nobody completed it."""

    token: str


@dataclass(frozen=True, slots=True)
class CallOperation:
    """Run the operation, then answer with OperationDone or OperationFailed."""

    token: str
    element: str
    operation: str
    arguments: Mapping[str, Any]
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CancelOperation:
    """Nobody waits for the operation any more; an incident about it is settled."""

    token: str


@dataclass(frozen=True, slots=True)
class Incident:
    """The operation failed and the process has no answer to that. The token waits on: a later
    OperationDone or OperationFailed with the same token continues."""

    token: str
    element: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Send TimerFired at ``due_at`` (aware, in the time zone of ``now``)."""

    token: str
    element: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ClearTimer:
    """The timer is no longer wanted."""

    token: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Send MessageReceived when the message of that name comes in for this case."""

    token: str
    element: str
    message: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """The subscription has ended, by its own message too."""

    token: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The process is over: ``completed``, ``terminated`` (``code`` is the reason of Cancelled, if any) or
    ``error`` (``code`` is the error's code). Always the last effect."""

    outcome: str
    code: str | None = None


Effect = (
    OpenTask
    | CloseTask
    | CallOperation
    | CancelOperation
    | Incident
    | SetTimer
    | ClearTimer
    | Subscribe
    | Unsubscribe
    | Ended
)


@dataclass(frozen=True, slots=True)
class Step:
    """``state`` is plain JSON and replaces the former one; ``effects`` are carried out in their order."""

    state: dict[str, Any]
    effects: tuple[Effect, ...] = ()


# -------------------------------------------------------------------------------------------------- refusals


class WorkflowError(Exception):
    """A step was refused; the given state still holds. ``reason`` is a German sentence, ``element`` an id."""

    def __init__(self, reason: str, element: str | None = None) -> None:
        super().__init__(reason if element is None else f"{element}: {reason}")
        self.reason = reason
        self.element = element


class StaleEvent(WorkflowError):
    """The event names a token that does not wait (any more) for such an event: somebody was faster."""


class StepFailed(WorkflowError):
    """An expression, table, timer or variable of the element could not be worked out with these values."""


class LoopLimit(WorkflowError):
    """One event set off more automatic steps than ``machine.STEPS_AT_MOST``."""


class Stuck(WorkflowError):
    """A joining gateway waits for a branch that can no longer arrive."""
