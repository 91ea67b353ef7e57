"""The token machine: a pure function from definition, state and event to the next state and its effects.

The state is described in ``instance``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rathaus.engine.expressions import EvaluationError
from rathaus.engine.workflow.definition import (
    TASKS,
    Container,
    Definition,
    Flow,
    Node,
    waits_for,
)
from rathaus.engine.workflow.instance import ROOT, Instance, catching
from rathaus.engine.workflow.protocol import (
    NOTHING,
    CallOperation,
    Cancelled,
    Ended,
    Event,
    Incident,
    LoopLimit,
    MessageReceived,
    OpenTask,
    OperationDone,
    OperationFailed,
    SetTimer,
    StaleEvent,
    Step,
    StepFailed,
    Stuck,
    Subscribe,
    TaskCompleted,
    TimerFired,
    Unsubscribe,
    WorkflowError,
)
from rathaus.engine.workflow.values import decode

STEPS_AT_MOST = 5_000
INSTANCES_AT_MOST = 1_000


def start(
    definition: Definition,
    *,
    process: str | None = None,
    element: str | None = None,
    variables: Mapping[str, Any] = NOTHING,
    payload: Any = NOTHING,
    data: Mapping[str, Any] = NOTHING,
    now: datetime,
) -> Step:
    """Start a process (the main one unless named) at its start event ``element``.

    Without ``element`` it is the none start event, else the only one. ``payload`` is what the message of a
    message start event brought. ``data`` is never stored. ``now`` must be aware. Raises WorkflowError.
    """
    container = definition.processes.get(process or definition.main)
    if container is None:
        raise WorkflowError(f"Den Prozess „{process}“ gibt es nicht.")
    begin = _start_event(container, element)
    state: dict[str, Any] = {"f": 1, "n": 1, "t": {}, "s": {ROOT: {"c": container.id, "v": {}}}, "d": []}
    run = _Run(definition, state, data, now)
    for name, value in variables.items():
        run.assign(begin, ROOT, name, value)
    run.give_out(begin, ROOT, payload)
    run.queue.append((begin, ROOT, None))
    return run.to_rest()


def _start_event(container: Container, element: str | None) -> Node:
    starts = container.starts
    if element is not None:
        starts = [node for node in starts if node.id == element]
    elif len(starts) > 1:
        starts = [node for node in starts if node.event == "none"]
    if len(starts) != 1:
        raise WorkflowError("Es ist nicht klar, mit welchem Startereignis der Prozess beginnt.", element)
    return starts[0]


def advance(
    definition: Definition,
    state: Mapping[str, Any],
    event: Event,
    *,
    data: Mapping[str, Any] = NOTHING,
    now: datetime,
) -> Step:
    """What ``event`` leads to. ``state`` is never changed, also not when the step is refused.

    Raises StaleEvent when nothing waits for the event (it was handled before, or its wait was cancelled),
    StepFailed, LoopLimit or Stuck when the step cannot be done; all of them are WorkflowError.
    """
    run = _Run(definition, state, data, now)
    if "e" in state:
        raise StaleEvent("Der Prozess ist schon beendet.")
    if isinstance(event, Cancelled):
        run.end("terminated", event.reason)
        return run.step()
    entry = run.tokens.get(event.token)
    if entry is None:
        raise StaleEvent(f"Das Token {event.token} wartet nicht mehr.")
    node = run.node(entry[0])
    if waits_for(node, entry) != _EXPECTED[type(event)]:
        raise StaleEvent("Das Element wartet auf etwas anderes.", node.id)
    if isinstance(event, OperationFailed):
        run.fail(event, node)
    elif isinstance(event, (TimerFired, MessageReceived)):
        run.happen(event.token, node, event.payload if isinstance(event, MessageReceived) else NOTHING)
    else:
        run.complete(event.token, node, event.result)
    return run.to_rest()


_EXPECTED = {
    TaskCompleted: "task",
    OperationDone: "operation",
    OperationFailed: "operation",
    TimerFired: "timer",
    MessageReceived: "message",
}


class _Run(Instance):
    """One step, from an event to rest."""

    # ------------------------------------------------------------------------------------------- the loop

    def to_rest(self) -> Step:
        """Enter elements until every token waits or has ended."""
        steps = 0
        scopes = self.scopes
        while self.outcome is None:
            while self.queue and self.outcome is None:
                node, scope, flow = self.queue.popleft()
                if scope not in scopes:  # interrupted meanwhile
                    continue
                steps += 1
                if steps > STEPS_AT_MOST:
                    raise LoopLimit(f"Mehr als {STEPS_AT_MOST} automatische Schritte in Folge.", node.id)
                _ENTER[node.kind](self, node, scope, flow)
            if self.outcome is not None or not (self.join_inclusive() or self.leave_scopes()):
                break
        return self.step()

    # ------------------------------------------------------------------------------------ events, gateways

    def leave(self, node: Node, scope: str) -> None:
        if self.scopes[scope]["c"] == node.id:  # one instance of a task; its scope ends now
            return
        self.passed[node.id] = None
        for flow in node.outgoing:
            self.queue.append((flow.target, scope, flow))

    def enter_start(self, node: Node, scope: str, flow: Flow | None) -> None:
        self.leave(node, scope)

    def enter_end(self, node: Node, scope: str, flow: Flow | None) -> None:
        self.passed[node.id] = None
        if node.event == "terminate":
            if scope == ROOT:
                self.end("terminated", None)
            else:
                self.clear(scope)
        elif node.event == "error":
            code = node.code or ""
            catcher = self.catcher(scope, code)
            if catcher is None:
                self.end("error", code)
            else:
                self.interrupt(*catcher, {"code": code, "message": node.name})

    def enter_exclusive(self, node: Node, scope: str, flow: Flow | None) -> None:
        self.passed[node.id] = None
        chosen = (
            node.outgoing[0] if len(node.outgoing) == 1 else next(self.open_flows(node, scope), node.default)
        )
        if chosen is None:
            raise StepFailed("Keine Bedingung trifft zu, und es gibt keinen Standardfluss.", node.id)
        self.queue.append((chosen.target, scope, chosen))

    def open_flows(self, node: Node, scope: str) -> Iterator[Flow]:
        names = self.names(scope)
        for flow in node.outgoing:
            if flow.condition is not None and flow is not node.default:
                try:
                    is_open = flow.condition.holds(names)
                except EvaluationError as error:
                    raise StepFailed(str(error), flow.id) from error
                if is_open:
                    yield flow

    def enter_parallel(self, node: Node, scope: str, flow: Flow | None) -> None:
        if len(node.incoming) > 1 and flow is not None:
            arrived = self.arrive(node, scope, flow)
            if len(arrived) < len(node.incoming):
                return
            self.consume(node, scope)
        self.leave(node, scope)

    def enter_inclusive(self, node: Node, scope: str, flow: Flow | None) -> None:
        if len(node.incoming) > 1 and flow is not None:
            self.arrive(node, scope, flow)  # decided in join_inclusive, when all else is at rest
        else:
            self.split_inclusive(node, scope)

    def join_inclusive(self) -> bool:
        ready = self.ready_inclusive()
        if ready is None:
            return False
        self.consume(*ready)
        self.split_inclusive(*ready)
        return True

    def split_inclusive(self, node: Node, scope: str) -> None:
        if len(node.outgoing) == 1:
            self.leave(node, scope)
            return
        self.passed[node.id] = None
        chosen = list(self.open_flows(node, scope))
        if not chosen and node.default is not None:
            chosen = [node.default]
        if not chosen:
            raise StepFailed("Keine Bedingung trifft zu, und es gibt keinen Standardfluss.", node.id)
        for flow in chosen:
            self.queue.append((flow.target, scope, flow))

    def enter_event_based(self, node: Node, scope: str, flow: Flow | None) -> None:
        self.passed[node.id] = None
        rivals = self.new()
        for out in node.outgoing:
            if out.target.kind == "receiveTask":
                self.open(out.target, scope, [out.target.id, scope, rivals])
            else:
                self.arm(out.target, scope, rivals)

    def enter_catch(self, node: Node, scope: str, flow: Flow | None) -> None:
        self.arm(node, scope, "")

    def arm(self, node: Node, scope: str, host: str) -> None:
        """Let a timer or message event wait."""
        token = self.new()
        self.tokens[token] = [node.id, scope, host] if host else [node.id, scope]
        if node.moment is not None:
            self.effects.append(SetTimer(token, node.id, self.due(node, node.moment, scope)))
        elif node.message is not None:
            self.effects.append(Subscribe(token, node.id, node.message))

    def happen(self, token: str, node: Node, payload: Any) -> None:
        """The timer or message that the token waits for has come."""
        entry = self.tokens[token]
        if node.kind == "boundaryEvent":
            if node.is_interrupting:
                self.silence(token, node)
                self.interrupt(entry[2], node, payload)
                return
            if node.event == "timer":
                del self.tokens[token]
            self.go_on(node, entry[1], payload)
            return
        if len(entry) > 2:  # the first of the rivals behind an event-based gateway
            self.silence(token, node)
            self.cancel_hosted(entry[2])
            self.go_on(node, entry[1], payload)
            return
        if node.message is not None:
            self.effects.append(Unsubscribe(token))
        self.complete(token, node, payload)

    def go_on(self, node: Node, scope: str, result: Any) -> None:
        self.give_out(node, scope, result)
        self.leave(node, scope)

    def silence(self, token: str, node: Node) -> None:
        """Take away a token whose own event has come: only a subscription's end has to be said."""
        del self.tokens[token]
        if node.message is not None:
            self.effects.append(Unsubscribe(token))

    # ------------------------------------------------------------------------------------------ activities

    def enter_activity(self, node: Node, scope: str, flow: Flow | None) -> None:
        if node.repeat is not None:
            self.enter_instances(node, scope)
        else:
            self.perform(node, scope, None)

    def perform(self, node: Node, scope: str, instances: str | None) -> None:
        """Do the activity once; ``instances`` is the token of all of them when it is multi-instance."""
        if node.kind == "scriptTask":
            assert node.script is not None
            try:
                assigned = node.script.run(self.names(scope))
            except EvaluationError as error:
                raise StepFailed(str(error), node.id) from error
            for name, value in assigned.items():
                self.assign(node, scope, name, value)
            self.leave(node, scope)
        elif node.kind == "businessRuleTask":
            self.decide(node, scope)
            self.leave(node, scope)
        elif node.kind in TASKS:
            self.open(node, scope, [node.id, scope])
        else:
            self.go_inside(node, scope, instances)

    def decide(self, node: Node, scope: str) -> None:
        assert node.decision is not None
        try:
            result = node.decision.evaluate(self.names(scope))
        except EvaluationError as error:
            raise StepFailed(str(error), node.id) from error
        self.give_out(node, scope, result)

    def open(self, node: Node, scope: str, entry: list[Any]) -> None:
        token = self.new()
        self.tokens[token] = entry
        if node.kind == "receiveTask":
            assert node.message is not None
            self.effects.append(Subscribe(token, node.id, node.message))
        else:
            arguments = self.arguments(node, scope)
            if node.kind == "userTask":
                due = self.due(node, node.due, scope) if node.due is not None else None
                self.effects.append(
                    OpenTask(
                        token,
                        node.id,
                        node.name,
                        node.role,
                        node.form,
                        due,
                        node.four_eyes,
                        node.attributes,
                        arguments,
                    )
                )
            else:
                assert node.operation is not None
                self.effects.append(CallOperation(token, node.id, node.operation, arguments, node.attributes))
        if node.boundaries and self.scopes[scope]["c"] != node.id:
            self.arm_boundaries(node, scope, token)

    def arm_boundaries(self, node: Node, scope: str, token: str) -> None:
        for boundary in node.boundaries:
            if boundary.event != "error":
                self.arm(boundary, scope, token)

    def go_inside(self, node: Node, scope: str, instances: str | None) -> None:
        """Begin a subprocess or a called process; an instance of a subprocess already has its scope."""
        if instances is None:
            token = self.new()
            self.tokens[token] = [node.id, scope]
            self.arm_boundaries(node, scope, token)
        else:
            token = instances
        container = node.inner or node.called
        assert container is not None
        if node.called is not None:
            index = self.scopes[scope].get("i") if instances is not None else None
            values = dict(self.arguments(node, scope))
            if instances is not None:
                del self.scopes[scope]  # it only held the item for the arguments
            scope = self.scope(container.id, token, index, values)
        elif instances is None:
            scope = self.scope(container.id, token, None, None)
        begin = next(event for event in container.starts if event.event == "none")
        self.queue.append((begin, scope, None))

    def complete(self, token: str, node: Node, result: Any) -> None:
        """The activity is done: boundary events may not come any more, results are kept."""
        entry = self.tokens.pop(token)
        scope = entry[1]
        self.cancel_hosted(token)
        self.go_on(node, scope, result)

    # ---------------------------------------------------------------------------------------- many instances

    def enter_instances(self, node: Node, scope: str) -> None:
        assert node.repeat is not None
        items = self.evaluate(node, node.repeat.collection, self.names(scope))
        if not isinstance(items, (list, tuple)):
            raise StepFailed("Die Sammlung für die Mehrfachausführung ist keine Liste.", node.id)
        if len(items) > INSTANCES_AT_MOST:
            raise StepFailed(f"Mehr als {INSTANCES_AT_MOST} Ausführungen sind nicht erlaubt.", node.id)
        token = self.new()
        now, later = (items[:1], items[1:]) if node.repeat.sequential else (items, [])
        entry: list[Any] = [node.id, scope, "", {"n": len(items), "k": len(items), "o": {}}]
        if later:
            entry[3]["q"] = self.encoded(node, later)
        self.tokens[token] = entry
        self.arm_boundaries(node, scope, token)
        for index, item in enumerate(now):
            self.begin_instance(node, token, index, item)
        if not items:
            self.end_instances(token, node)

    def begin_instance(self, node: Node, token: str, index: int, item: Any) -> None:
        assert node.repeat is not None
        values = {node.repeat.item: item} if node.repeat.item else {}
        self.perform(node, self.scope(node.id, token, index, values), token)

    def end_instance(self, token: str, node: Node, index: int) -> None:
        entry = self.tokens[token]
        left = entry[3]["n"] - 1
        entry[3] = {**entry[3], "n": left}
        if left == 0:
            self.end_instances(token, node)
        elif "q" in entry[3]:
            item, *later = entry[3].pop("q")
            if later:
                entry[3]["q"] = later
            self.begin_instance(node, token, index + 1, decode(item))

    def end_instances(self, token: str, node: Node) -> None:
        entry = self.tokens.pop(token)
        self.cancel_hosted(token)
        for name, _ in node.outputs:
            # An output that came with a migration lacks the values of the instances before: None.
            values = entry[3]["o"].get(name, NOTHING)
            listed = [decode(values.get(str(index))) for index in range(entry[3]["k"])]
            self.assign(node, entry[1], name, listed)
        self.leave(node, entry[1])

    # ---------------------------------------------------------------------------------- ending, interrupting

    def leave_scopes(self) -> bool:
        """Finish each scope in which nothing is going on any more."""
        busy = {entry[1] for entry in self.tokens.values()}
        idle = sorted(self.scopes.keys() - busy, key=int)
        for scope in idle:
            entry = self.scopes[scope]
            if "j" in entry:
                raise Stuck("Das Gateway wartet auf einen Zweig, der nicht mehr kommt.", min(entry["j"]))
            if scope == ROOT:
                self.end("completed", None)
                return True
            token = entry["p"]
            node = self.node(self.tokens[token][0])
            if node.kind in ("subProcess", "callActivity"):
                result = self.variables(scope) if "v" in entry else NOTHING
                if "i" in entry:
                    self.give_out(node, scope, result)
                    del self.scopes[scope]
                    self.end_instance(token, node, entry["i"])
                else:
                    del self.scopes[scope]
                    self.complete(token, node, result)
            else:
                del self.scopes[scope]
                self.end_instance(token, node, entry["i"])
        return bool(idle)

    def end(self, outcome: str, code: str | None) -> None:
        self.clear(ROOT)
        self.queue.clear()
        self.effects.append(Ended(outcome, code))
        self.outcome = [outcome, code]

    def interrupt(self, token: str, boundary: Node, result: Any) -> None:
        """End the activity of the token and go on at its boundary event."""
        scope = self.tokens[token][1]
        self.cancel([token])
        self.go_on(boundary, scope, result)

    def fail(self, event: OperationFailed, node: Node) -> None:
        scope = self.tokens[event.token][1]
        catcher: tuple[str, Node] | None = None
        if self.scopes[scope]["c"] != node.id:  # an instance's boundary events hang on all of them together
            caught = catching(node, event.code)
            catcher = (event.token, caught) if caught else None
        catcher = catcher or self.catcher(scope, event.code)
        if catcher is None:
            self.effects.append(Incident(event.token, node.id, event.code, event.message))
            return
        token, boundary = catcher
        del self.tokens[event.token]
        self.cancel_hosted(event.token)
        result = {"code": event.code, "message": event.message}
        if token == event.token:
            self.go_on(boundary, scope, result)
        else:
            self.interrupt(token, boundary, result)


_ENTER: dict[str, Callable[[_Run, Node, str, Flow | None], None]] = {
    "startEvent": _Run.enter_start,
    "endEvent": _Run.enter_end,
    "intermediateCatchEvent": _Run.enter_catch,
    "exclusiveGateway": _Run.enter_exclusive,
    "parallelGateway": _Run.enter_parallel,
    "inclusiveGateway": _Run.enter_inclusive,
    "eventBasedGateway": _Run.enter_event_based,
    **dict.fromkeys(TASKS | {"subProcess", "callActivity"}, _Run.enter_activity),
}
