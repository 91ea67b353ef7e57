"""The same diagrams through SpiffWorkflow 3.2, which is kept as an oracle and for nothing else.

What is rewritten in the XML before, and why:
- service and send tasks become user tasks, since Spiff runs a service task at once by itself;
- timers become messages of their own, since Spiff looks at the clock and fires them when it likes;
- ``r:collection``, ``r:element`` and the ``r:output`` of a multi-instance activity become
  ``loopDataInputRef``, ``inputDataItem``, ``loopDataOutputRef`` and ``outputDataItem``, BPMN's own words;
- what a task gives out is put into the task's data by hand, since ``r:output`` is ours.
Spiff evaluates conditions and scripts as Python, so diagrams for it use what both languages share.
"""

from __future__ import annotations

import io
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import ErrorEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
OURS = "{urn:rathaus:bpmn:1}"
EVENTS = ("IntermediateCatchEvent", "BoundaryEvent", "ReceiveTask")


def _translated(xml: bytes) -> bytes:
    root = etree.fromstring(xml)
    for element in list(root.iter(f"{BPMN}serviceTask", f"{BPMN}sendTask")):
        element.tag = f"{BPMN}userTask"
    for timer in list(root.iter(f"{BPMN}timerEventDefinition")):
        owner = timer.getparent()
        assert owner is not None
        name = f"zeit_{owner.get('id')}"
        etree.SubElement(root, f"{BPMN}message", id=name, name=name)
        owner.replace(timer, etree.Element(f"{BPMN}messageEventDefinition", messageRef=name))
    for loop in root.iter(f"{BPMN}multiInstanceLoopCharacteristics"):
        reference = etree.SubElement(loop, f"{BPMN}loopDataInputRef")
        reference.text = loop.get(f"{OURS}collection")
        if loop.get(f"{OURS}element"):
            etree.SubElement(loop, f"{BPMN}inputDataItem", id=loop.get(f"{OURS}element", ""))
        owner = loop.getparent()
        assert owner is not None
        for output in owner.iterfind(f"{BPMN}extensionElements/{OURS}output"):
            etree.SubElement(loop, f"{BPMN}loopDataOutputRef").text = output.get("variable")
            etree.SubElement(loop, f"{BPMN}outputDataItem", id=output.get("value", "").rpartition(".")[2])
    return etree.tostring(root)


class OracleBroken(Exception):
    """SpiffWorkflow itself fell over; there is nothing to compare with."""


class Oracle:
    """A process in SpiffWorkflow, driven with the same words as ``play.Play``."""

    def __init__(self, xml: bytes, variables: dict[str, Any], process: str = "p") -> None:
        parser = BpmnParser()
        parser.add_bpmn_io(io.BytesIO(_translated(xml)))
        self.workflow = BpmnWorkflow(parser.get_spec(process), parser.get_subprocess_specs(process))
        self.workflow.task_tree.data.update(variables)
        self.workflow.do_engine_steps()

    def _waiting(self) -> list[tuple[str, Task, Any]]:
        """What waits: element, task, and the event that it waits for (None: a person)."""
        found = []
        for task in self.workflow.get_tasks():
            spec = task.task_spec
            kind = type(spec).__name__
            if task.state == TaskState.READY and spec.manual:
                found.append((spec.bpmn_id, task, None))
            elif task.state == TaskState.WAITING and kind == "EventBasedGateway":
                # In Spiff the gateway itself waits, for all the events behind it.
                for child, event in zip(task.children, spec.event_definition.event_definitions, strict=True):
                    found.append((child.task_spec.bpmn_id, task, event))
            # An error boundary event waits in Spiff; with us nothing has to wait for it.
            elif (
                task.state == TaskState.WAITING
                and kind in EVENTS
                and not isinstance(spec.event_definition, ErrorEventDefinition)
            ):
                found.append((spec.bpmn_id, task, spec.event_definition))
        return found

    def do(self, element: str, values: dict[str, Any] | None = None) -> None:
        """What waits at the element gets what it waits for."""
        _, task, event = next(wait for wait in self._waiting() if wait[0] == element)
        if event is None:
            task.data.update(values or {})
            task.run()
        else:
            try:
                self.workflow.send_event(BpmnEvent(event, payload=values))
            except AttributeError as wrong:
                # Spiff lets an inclusive join throw away a branch in which an event still waits, and trips over the
                # task without a parent when the event comes (seed 505, depth 4).
                raise OracleBroken from wrong
        self.workflow.do_engine_steps()

    def fail(self, element: str, code: str) -> None:
        """The operation of the element fails with the code."""
        task = next(task for name, task, _ in self._waiting() if name == element)
        error = BpmnEvent(ErrorEventDefinition(code, code), target=task.workflow)
        waiting = self.workflow.get_tasks(state=TaskState.WAITING, spec_class=CatchingEvent)
        if any(
            other.workflow is task.workflow and other.parent is not task.parent
            for other in waiting
            if other.task_spec.catches(other, error)
        ):
            # Spiff lets an error reach the boundary events of other activities too (seed 9177, depth 3).
            raise OracleBroken
        self.workflow.catch(error)
        self.workflow.do_engine_steps()

    @property
    def waits(self) -> list[str]:
        """Where tokens wait, sorted."""
        return sorted(name for name, _, _ in self._waiting())

    @property
    def passed(self) -> set[str]:
        """The elements done so far; a multi-instance activity when all its instances are. Without event-based
        gateways: in Spiff they wait, with us a token has gone through them to the events that wait."""
        return {
            task.task_spec.bpmn_id
            for task in self.workflow.get_tasks()
            if task.state == TaskState.COMPLETED
            and task.task_spec.bpmn_id
            and not task.task_spec.name.endswith("[child]")
            and type(task.task_spec).__name__ != "EventBasedGateway"
        }

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return bool(self.workflow.completed)
