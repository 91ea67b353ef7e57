"""A compiled process package: plain objects, linked to each other, that the machine walks over.

Kinds are the names of BPMN's own elements (``userTask``, ``boundaryEvent``), so that a diagram can be
coloured without a translation table. ``event`` says what an event element reacts to or does: ``none``,
``message``, ``timer``, ``error``, ``terminate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from rathaus.engine.expressions import Expression, Script
from rathaus.engine.workflow.times import Cycle, Duration, as_instant
from rathaus.engine.workflow.values import decode

TASKS = frozenset({"userTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask", "scriptTask"})
OPERATIONS = frozenset({"serviceTask", "sendTask"})
SCOPES = frozenset({"subProcess", "callActivity"})
ACTIVITIES = TASKS | SCOPES
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
EVENTS = frozenset({"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent"})
# What a token can wait at, so that a loop through it is not endless.
WAITING = frozenset({"userTask", "serviceTask", "sendTask", "receiveTask", "intermediateCatchEvent"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a diagram is refused: the element's id and line, where there are any, and a German sentence."""

    element: str | None
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (self.line and f"Zeile {self.line}", self.element and f"Element „{self.element}“")
            if part
        )
        return f"{place}: {self.reason}" if place else self.reason


class DefinitionError(Exception):
    """The diagram is refused whole; ``problems`` holds everything that was found, in document order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Decision(Protocol):
    """What a business rule task needs of a decision table (see ``rathaus.engine.decisions``)."""

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """The result for these names."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a timer is due: fixed when the diagram is compiled, or an expression worked out on arrival.

    As a duration an expression must give ``"P14D"`` or a number of days, as a date a date or its ISO text.
    """

    form: str  # "duration", "date" or, at a start event, "cycle"
    text: str
    fixed: Duration | date | datetime | Cycle | None = None
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """Multi-instance: once for each item of ``collection``, which every instance sees as ``item``."""

    collection: Expression
    item: str | None
    sequential: bool


@dataclass(slots=True, eq=False, repr=False)
class Flow:
    """A sequence flow; ``condition`` only behind exclusive and inclusive gateways."""

    id: str
    source: Node
    target: Node
    condition: Expression | None = None
    line: int | None = None


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """One element of the flow with everything that the machine needs to know about it."""

    id: str
    kind: str
    container: Container
    name: str = ""
    documentation: str = ""
    line: int | None = None
    event: str = "none"
    role: str | None = None
    incoming: tuple[Flow, ...] = ()
    outgoing: tuple[Flow, ...] = ()
    default: Flow | None = None
    # tasks
    form: str | None = None
    due: Moment | None = None
    four_eyes: str | None = None
    operation: str | None = None
    arguments: tuple[tuple[str, Expression], ...] = ()
    outputs: tuple[tuple[str, Expression], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    decision_name: str | None = None
    decision: Decision | None = None
    script: Script | None = None
    repeat: Repeat | None = None
    # events
    moment: Moment | None = None
    message: str | None = None
    code: str | None = None
    host: Node | None = None
    is_interrupting: bool = True
    boundaries: tuple[Node, ...] = ()
    # containers
    inner: Container | None = None
    called: Container | None = None
    # inclusive join: for each incoming flow, the elements from which a token can come to it (see checks)
    reach: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True, eq=False, repr=False)
class Container:
    """A process or an embedded subprocess with the elements directly in it."""

    id: str
    name: str = ""
    line: int | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    parent: Node | None = None  # the subprocess element; None for a process

    @property
    def starts(self) -> list[Node]:
        """The start events, in the order of the document."""
        return [node for node in self.nodes.values() if node.kind == "startEvent"]


@dataclass(frozen=True, slots=True)
class Element:
    """What a page or an export wants to know of an element."""

    id: str
    name: str
    kind: str
    role: str | None
    documentation: str
    process: str


@dataclass(frozen=True, slots=True)
class Start:
    """A way into a process: started by somebody (``none``), by a message, or by the clock."""

    process: str
    element: str
    event: str
    message: str | None
    timer: str | None
    moment: Moment | None

    def next_after(self, moment: datetime) -> datetime | None:
        """When a timer start is due next after ``moment`` (aware); None when never, or at other starts."""
        fixed = self.moment.fixed if self.moment else None
        if isinstance(fixed, Cycle):
            return fixed.next_after(moment)
        if isinstance(fixed, date):
            at = as_instant(fixed, moment)
            return at if at > moment else None
        return None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A token that waits. ``kind`` is ``task``, ``operation``, ``timer`` or ``message``."""

    token: str
    element: str
    kind: str


@dataclass(slots=True, eq=False, repr=False)
class Definition:
    """Everything compiled from one file. Immutable by convention, shared freely between threads."""

    processes: dict[str, Container]
    nodes: dict[str, Node]
    main: str

    @property
    def elements(self) -> tuple[Element, ...]:
        """All elements in the order of the document, those of subprocesses after their subprocess."""
        return tuple(
            Element(node.id, node.name, node.kind, node.role, node.documentation, process.id)
            for process in self.processes.values()
            for node in _all(process)
        )

    @property
    def starts(self) -> tuple[Start, ...]:
        """All start events of the processes, for whoever starts processes by message or clock."""
        return tuple(
            Start(
                process.id,
                node.id,
                node.event,
                node.message,
                node.moment.text if node.moment else None,
                node.moment,
            )
            for process in self.processes.values()
            for node in process.starts
        )

    @property
    def roles(self) -> frozenset[str]:
        """The roles that user tasks need."""
        return frozenset(node.role for node in self.nodes.values() if node.kind == "userTask" and node.role)

    def waiting(self, state: Mapping[str, Any]) -> list[Waiting]:
        """What waits for an event from outside, in the order in which it was opened."""
        found = []
        for token in sorted(state["t"], key=int):
            kind = waits_for(self.nodes[state["t"][token][0]], state["t"][token])
            if kind:
                found.append(Waiting(token, state["t"][token][0], kind))
        return found

    def passed(self, state: Mapping[str, Any]) -> frozenset[str]:
        """The elements done at least once so far; what was interrupted is not among them."""
        return frozenset(state["d"])

    def variables(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of the process itself, also after its end (not those of calls and instances)."""
        return decode(state["s"]["0"].get("v", {}))


def waits_for(node: Node, entry: list[Any]) -> str | None:
    """What the token's entry in the state waits for; None while something inside it is going on."""
    if len(entry) > 3:  # the token of all instances together
        return None
    if node.kind == "userTask":
        return "task"
    if node.kind in OPERATIONS:
        return "operation"
    if node.kind == "receiveTask":
        return "message"
    if node.kind in ("boundaryEvent", "intermediateCatchEvent"):
        return node.event
    return None


def _all(container: Container) -> list[Node]:
    found = []
    for node in container.nodes.values():
        found.append(node)
        if node.inner is not None:
            found.extend(_all(node.inner))
    return found
