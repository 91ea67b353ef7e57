"""Plays a process as the kernel would, and checks at every step what must hold for all of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rathaus.engine.workflow import (
    CallOperation,
    Cancelled,
    CancelOperation,
    ClearTimer,
    CloseTask,
    Definition,
    Effect,
    Ended,
    Event,
    Incident,
    MessageReceived,
    OpenTask,
    OperationDone,
    OperationFailed,
    SetTimer,
    Step,
    Subscribe,
    TaskCompleted,
    TimerFired,
    Unsubscribe,
    advance,
    compile_bpmn,
    start,
)

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
OPENING = {OpenTask: "task", CallOperation: "operation", SetTimer: "timer", Subscribe: "message"}
CLOSING = {CloseTask: "task", CancelOperation: "operation", ClearTimer: "timer", Unsubscribe: "message"}
ANSWERS: dict[str, Any] = {
    "task": TaskCompleted,
    "operation": OperationDone,
    "timer": TimerFired,
    "message": MessageReceived,
}


class Play:
    """A running process. ``open`` is what effects have opened and not closed: token -> (kind, element)."""

    def __init__(
        self, xml: bytes | Definition, *, data: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        self.definition = (
            xml if isinstance(xml, Definition) else compile_bpmn(xml, **options.pop("compile", {}))
        )
        self.data = data or {}
        self.open: dict[str, tuple[str, str]] = {}
        self.log: list[Effect] = []
        self.ended: Ended | None = None
        self._take(start(self.definition, data=self.data, now=NOW, **options), None)

    def _take(self, step: Step, event: Event | None) -> None:
        self.state = json.loads(json.dumps(step.state, allow_nan=False))
        assert self.state == step.state
        self.effects = step.effects
        self.log += step.effects
        if isinstance(event, (TaskCompleted, OperationDone, OperationFailed, TimerFired)) and not any(
            isinstance(effect, Incident) for effect in step.effects
        ):
            del self.open[event.token]
        for effect in step.effects:
            if type(effect) in OPENING:
                assert effect.token not in self.open, "a token was given twice"
                self.open[effect.token] = (OPENING[type(effect)], effect.element)
            elif type(effect) in CLOSING:
                kind, _ = self.open.pop(effect.token)
                assert kind == CLOSING[type(effect)]
            elif isinstance(effect, Ended):
                assert effect is step.effects[-1]
                assert self.ended is None
                self.ended = effect
        waiting = {wait.token: (wait.kind, wait.element) for wait in self.definition.waiting(self.state)}
        assert waiting == self.open
        assert (self.ended is not None) == ("e" in self.state)
        assert self.ended is not None or self.open, "neither ended nor waiting"
        assert self.ended is None or not self.state["t"]

    def send(self, event: Event) -> Play:
        """Hand in an event; the state handed in must stay as it was."""
        before = copy.deepcopy(self.state)
        step = advance(self.definition, self.state, event, data=self.data, now=NOW)
        assert self.state == before
        self._take(step, event)
        return self

    def token(self, element: str, number: int = 0) -> str:
        """The token that waits at the element (the n-th, when there are more)."""
        return [token for token, (_, at) in self.open.items() if at == element][number]

    def do(self, element: str, result: Any = None, number: int = 0) -> Play:
        """What waits at the element gets what it waits for."""
        token = self.token(element, number)
        answer = ANSWERS[self.open[token][0]]
        return self.send(answer(token, result) if result is not None else answer(token))

    def fail(self, element: str, code: str, text: str = "") -> Play:
        """The operation of the element fails."""
        return self.send(OperationFailed(self.token(element), code, text))

    def cancel(self) -> Play:
        """The whole process is cancelled."""
        return self.send(Cancelled("Test"))

    @property
    def waits(self) -> list[str]:
        """Where tokens wait, sorted."""
        return sorted(element for _, element in self.open.values())

    @property
    def passed(self) -> set[str]:
        """The elements done so far."""
        return set(self.definition.passed(self.state))

    @property
    def passed_but_event_gateways(self) -> set[str]:
        """What can be compared with the oracle."""
        nodes = self.definition.nodes
        return {element for element in self.passed if nodes[element].kind != "eventBasedGateway"}

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of the process."""
        return self.definition.variables(self.state)
