"""The process engine: BPMN diagrams compiled to plain objects, and a pure function that takes their steps.

    definition = compile_bpmn(xml, decisions=..., operations=...)
    step = start(definition, variables=..., data=..., now=...)
    step = advance(definition, step.state, TaskCompleted(token, result), data=..., now=...)

The caller stores ``step.state`` and carries out ``step.effects`` in the same transaction. See
docs/adr/0001-own-process-engine.md for the subset and the reasons.
"""

from __future__ import annotations

from rathaus.engine.workflow.compile import compile_bpmn
from rathaus.engine.workflow.definition import (
    Definition,
    DefinitionError,
    Element,
    Problem,
    Start,
    Waiting,
)
from rathaus.engine.workflow.differences import Difference, can_migrate, diff
from rathaus.engine.workflow.machine import advance, start
from rathaus.engine.workflow.protocol import (
    CallOperation,
    Cancelled,
    CancelOperation,
    ClearTimer,
    CloseTask,
    Effect,
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
from rathaus.engine.workflow.values import ValueRefused

__all__ = [
    "CallOperation",
    "CancelOperation",
    "Cancelled",
    "ClearTimer",
    "CloseTask",
    "Definition",
    "DefinitionError",
    "Difference",
    "Effect",
    "Element",
    "Ended",
    "Event",
    "Incident",
    "LoopLimit",
    "MessageReceived",
    "OpenTask",
    "OperationDone",
    "OperationFailed",
    "Problem",
    "SetTimer",
    "StaleEvent",
    "Start",
    "Step",
    "StepFailed",
    "Stuck",
    "Subscribe",
    "TaskCompleted",
    "TimerFired",
    "Unsubscribe",
    "ValueRefused",
    "Waiting",
    "WorkflowError",
    "advance",
    "can_migrate",
    "compile_bpmn",
    "diff",
    "start",
]
