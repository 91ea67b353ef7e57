"""A process instance while a step is made: its state, its variables, what expressions see.

The state (short keys, since it is written at every step; nothing in it grows with the history):

    f  format, 1                     n  next number for tokens and scopes
    d  ids of the elements passed    e  [outcome, code] once the process has ended
    t  tokens that wait: number -> [element, scope, host, instances]
         host: the activity that a boundary event hangs on, or the number that the rivals behind an
         event-based gateway share; instances: only at a multi-instance activity
         {"n": still running, "k": all, "q": items still to start, "o": {variable: {index: value}}}
    s  scopes: number -> {"c": process, subprocess or, for an instance of a task, task;
         "p": token of the activity around it; "i": index of the instance; "v": variables of its own;
         "j": {joining gateway: {flow: tokens that have arrived}}}

Variables: an expression sees the data of the case, then the variables of its scope and the scopes around it
up to the process, which is where a call ends. A value is assigned in the nearest scope with variables of its
own: the process, the called process, or the instance of a multi-instance activity. What instances shall give
back they name as ``r:output``: the variable becomes the list of all values, in the order of the collection.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rathaus.engine.expressions import EvaluationError, Expression
from rathaus.engine.workflow.definition import Definition, Flow, Moment, Node, waits_for
from rathaus.engine.workflow.protocol import (
    NOTHING,
    CancelOperation,
    ClearTimer,
    CloseTask,
    Effect,
    Step,
    StepFailed,
    Unsubscribe,
    WorkflowError,
)
from rathaus.engine.workflow.soundness import must_come
from rathaus.engine.workflow.times import Duration, as_instant, parse_duration, parse_instant
from rathaus.engine.workflow.values import ValueRefused, decode, encode

ROOT = "0"


class Instance:
    """A private copy of a state during one step, with the variables decoded when they are asked for."""

    __slots__ = (
        "changed",
        "data",
        "definition",
        "effects",
        "now",
        "number",
        "outcome",
        "passed",
        "queue",
        "scopes",
        "tokens",
        "values",
    )

    def __init__(
        self, definition: Definition, state: Mapping[str, Any], data: Mapping[str, Any], now: datetime
    ) -> None:
        if now.tzinfo is None:
            raise ValueError("now must be aware")
        self.definition = definition
        self.data = data
        self.now = now
        self.number: int = state["n"]
        self.tokens: dict[str, list[Any]] = {token: list(entry) for token, entry in state["t"].items()}
        self.scopes: dict[str, dict[str, Any]] = {number: dict(scope) for number, scope in state["s"].items()}
        self.passed: dict[str, None] = dict.fromkeys(state["d"])
        self.effects: list[Effect] = []
        self.queue: deque[tuple[Node, str, Flow | None]] = deque()  # (element, scope, flow) to be entered
        self.values: dict[str, dict[str, Any]] = {}  # decoded variables, by scope
        self.changed: set[str] = set()  # scopes whose variables must be encoded again
        self.outcome: list[str | None] | None = None

    def step(self) -> Step:
        for number in self.changed & self.scopes.keys():
            scope = self.scopes[number]
            try:
                scope["v"] = encode(self.values[number])
            except ValueRefused as refused:
                raise StepFailed(str(refused), scope["c"]) from refused
        state: dict[str, Any] = {
            "f": 1,
            "n": self.number,
            "t": self.tokens,
            "s": self.scopes,
            "d": list(self.passed),
        }
        if self.outcome is not None:
            state["e"] = self.outcome
        return Step(state, tuple(self.effects))

    def new(self) -> str:
        number = self.number
        self.number = number + 1
        return str(number)

    def node(self, element: str) -> Node:
        try:
            return self.definition.nodes[element]
        except KeyError:
            raise WorkflowError("Das Element gibt es in dieser Prozessfassung nicht.", element) from None

    # ------------------------------------------------------------------------------------------ variables

    def variables(self, scope: str) -> dict[str, Any]:
        values = self.values.get(scope)
        if values is None:
            values = self.values[scope] = decode(self.scopes[scope]["v"])
        return values

    def names(self, scope: str) -> MutableMapping[str, Any]:
        """What an expression may read here. The data of the case is not copied: it may be worked out when asked for."""
        found = []
        while True:
            entry = self.scopes[scope]
            if "v" in entry:
                found.append(self.variables(scope))
            if "p" not in entry or entry["c"] in self.definition.processes:
                break
            scope = self.tokens[entry["p"]][1]
        names: dict[str, Any] = {}
        for values in reversed(found):
            names.update(values)
        return ChainMap({}, self.data, names)  # type: ignore[arg-type]  # only the first is written to

    def assign(self, node: Node, scope: str, name: str, value: Any) -> None:
        if name in self.data or name == "result":
            raise StepFailed(
                f"„{name}“ gehört zu den Angaben des Falls und kann nicht gesetzt werden.", node.id
            )
        while "v" not in self.scopes[scope]:
            scope = self.tokens[self.scopes[scope]["p"]][1]
        values = self.variables(scope)
        if scope not in self.changed:
            self.changed.add(scope)
        values[name] = value

    def evaluate(self, node: Node, expression: Expression, names: Mapping[str, Any]) -> Any:
        try:
            return expression.evaluate(names)
        except EvaluationError as error:
            raise StepFailed(str(error), node.id) from error

    def give_out(self, node: Node, scope: str, result: Any) -> None:
        """Work out the element's ``r:output`` over ``result``."""
        if not node.outputs:
            return
        names = self.names(scope)
        names["result"] = result
        values = [(name, self.evaluate(node, expression, names)) for name, expression in node.outputs]
        around = self.scopes[scope]
        if node.repeat is None or "i" not in around:
            for name, value in values:
                self.assign(node, scope, name, value)
            return
        entry = self.tokens[around["p"]]
        lists = dict(entry[3]["o"])
        for name, value in values:
            lists[name] = {**lists.get(name, NOTHING), str(around["i"]): self.encoded(node, value)}
        entry[3] = {**entry[3], "o": lists}

    def encoded(self, node: Node, value: Any) -> Any:
        try:
            return encode(value)
        except ValueRefused as refused:
            raise StepFailed(str(refused), node.id) from refused

    def due(self, node: Node, moment: Moment, scope: str) -> datetime:
        value: Any = moment.fixed
        if moment.expression is not None:
            value = self.evaluate(node, moment.expression, self.names(scope))
            if isinstance(value, str):
                value = parse_duration(value) if moment.form == "duration" else parse_instant(value)
            elif isinstance(value, Decimal) and moment.form == "duration":
                value = parse_duration(f"P{value:f}D")  # whole days; anything else is refused below
        try:
            if isinstance(value, Duration) and moment.form == "duration":
                return value.after(self.now)
            if isinstance(value, date) and moment.form == "date":
                return as_instant(value, self.now)
        except OverflowError:
            value = None
        raise StepFailed(f"„{moment.text}“ ergibt keine gültige Zeitangabe.", node.id)

    def arguments(self, node: Node, scope: str) -> Mapping[str, Any]:
        if not node.arguments:
            return NOTHING
        names = self.names(scope)
        return {name: self.evaluate(node, expression, names) for name, expression in node.arguments}

    def scope(self, container: str, parent: str, index: int | None, values: dict[str, Any] | None) -> str:
        number = self.new()
        entry: dict[str, Any] = {"c": container, "p": parent}
        if index is not None:
            entry["i"] = index
        if values is not None:
            for name in values:
                if name in self.data:
                    raise StepFailed(
                        f"„{name}“ gehört zu den Angaben des Falls und ist schon belegt.", container
                    )
            entry["v"] = {}
            self.values[number] = values
            self.changed.add(number)
        self.scopes[number] = entry
        return number

    # ---------------------------------------------------------------------------------------------- joins

    def arrive(self, node: Node, scope: str, flow: Flow) -> dict[str, int]:
        entry = self.scopes[scope]
        joins = entry.get("j", NOTHING)
        arrived = dict(joins.get(node.id, NOTHING))
        arrived[flow.id] = arrived.get(flow.id, 0) + 1
        entry["j"] = {**joins, node.id: arrived}
        return arrived

    def consume(self, node: Node, scope: str) -> None:
        """Take one token from each flow at which one has arrived."""
        entry = self.scopes[scope]
        joins = dict(entry["j"])
        left = {flow: count - 1 for flow, count in joins.pop(node.id).items() if count > 1}
        if left:
            joins[node.id] = left
        if joins:
            entry["j"] = joins
        else:
            del entry["j"]

    def ready_inclusive(self) -> tuple[Node, str] | None:
        """An inclusive gateway that needs not wait any more, asked at rest (BPMN 2.0.2, 13.4.3)."""
        for scope in sorted(self.scopes, key=int):
            joins = self.scopes[scope].get("j")
            if not joins:
                continue
            for element, arrived in sorted(joins.items()):
                node = self.node(element)
                if node.kind != "inclusiveGateway":
                    continue
                # A boundary event that waits is no place of its own: a way leads to it from its activity.
                places = {entry[0] for entry in self.tokens.values() if entry[1] == scope}
                places = {place for place in places if self.node(place).kind != "boundaryEvent"}
                places.update(joins.keys() - {element})
                if not any(must_come(node, arrived, place) for place in places):
                    return node, scope
        return None

    # ------------------------------------------------------------------------------------------- cancelling

    def clear(self, scope: str) -> None:
        """Cancel all that goes on in the scope, also what was about to begin."""
        self.cancel([token for token, entry in self.tokens.items() if entry[1] == scope])
        self.scopes[scope].pop("j", None)
        self.queue = deque(item for item in self.queue if item[1] != scope)

    def cancel_hosted(self, host: str) -> None:
        """Cancel what hangs on the activity, or the rivals behind an event-based gateway."""
        self.cancel([token for token, entry in self.tokens.items() if len(entry) == 3 and entry[2] == host])

    def cancel(self, tokens: Iterable[str]) -> None:
        """Take tokens away with everything that hangs on them and goes on inside them."""
        wave = sorted(tokens, key=int)
        while wave:
            for token in wave:
                entry = self.tokens.pop(token)
                kind = waits_for(self.node(entry[0]), entry)
                if kind is not None:
                    self.effects.append(_CLOSE[kind](token))
            gone = set(wave)
            inside = {scope for scope, entry in self.scopes.items() if entry.get("p") in gone}
            for scope in inside:
                del self.scopes[scope]  # what is queued in it is passed over
            wave = sorted(
                (
                    token
                    for token, entry in self.tokens.items()
                    if entry[1] in inside or (len(entry) == 3 and entry[2] in gone)
                ),
                key=int,
            )

    def catcher(self, scope: str, code: str) -> tuple[str, Node] | None:
        """The nearest activity around the scope with an error boundary event for the code."""
        while scope != ROOT:
            token = self.scopes[scope]["p"]
            boundary = catching(self.node(self.tokens[token][0]), code)
            if boundary is not None:
                return token, boundary
            scope = self.tokens[token][1]
        return None


def catching(node: Node, code: str) -> Node | None:
    """The boundary event of the activity that catches the error: one for the code before one for all."""
    errors = [boundary for boundary in node.boundaries if boundary.event == "error"]
    exact = [boundary for boundary in errors if boundary.code == code]
    return next(iter(exact + [boundary for boundary in errors if boundary.code is None]), None)


_CLOSE: dict[str, Callable[[str], Effect]] = {
    "task": CloseTask,
    "operation": CancelOperation,
    "timer": ClearTimer,
    "message": Unsubscribe,
}
