"""The engine in memory against SpiffWorkflow: the same diagram, the same inputs, the state through JSON at each step."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from rathaus.cli.bench.figures import Figure, Sizes, median, number
from rathaus.cli.bench.place import PACKAGE
from rathaus.engine import workflow
from rathaus.engine.decisions import parse_dmn
from rathaus.engine.workflow import CallOperation, OpenTask

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
OURS = "{urn:rathaus:bpmn:1}"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
ANSWERS: dict[str, dict[str, Any]] = {
    "entscheidung_vorschlagen": {"ergebnis": "granted"},
    "freigeben": {"freigegeben": True},
}
AMOUNTS = {"eigenanteil": 4000, "betrag": 36000}
NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)
FACTOR, CPU_MS = 4.0, 0.7


def measure(sizes: Sizes) -> Iterator[Figure]:
    """Lifecycles per second and CPU of each, in turns."""
    own, other = own_lifecycle(), spiff_lifecycle()
    own(), other()
    ours, theirs = [], []
    for _ in range(sizes.repeats):
        ours.append(_cpu(own, sizes.memory))
        theirs.append(_cpu(other, max(1, sizes.memory // 10)))
    a, b = median(ours), median(theirs)
    yield Figure(
        "engine_in_memory",
        "Ablauf im Speicher, je Durchlauf",
        f"≥ {FACTOR:.0f} × SpiffWorkflow, ≤ {number(CPU_MS)} ms CPU",
        f"{number(a * 1000)} ms CPU, {number(1 / a)}/s, {number(b / a)} ×",
        f"SpiffWorkflow {number(b * 1000)} ms CPU",
        b / a >= FACTOR and a * 1000 <= CPU_MS,
        {"cpu_seconds": a, "per_second": 1 / a, "spiff_cpu_seconds": b, "times_spiff": b / a},
    )


def _cpu(run: Callable[[], Any], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - begun) / times


def own_lifecycle() -> Callable[[], str]:
    """One lifecycle of four steps in our engine; answers the last state."""
    files = {name: (PACKAGE / name).read_bytes() for name in ("prozess.bpmn", "regeln.dmn")}
    definition = workflow.compile_bpmn(
        files["prozess.bpmn"],
        decisions=parse_dmn(files["regeln.dmn"]),
        operations=frozenset({"grants.award", "letters.issue"}),
        data=("antrag", "parameter", "fall"),
    )
    data = {"antrag": {key: Decimal(value) for key, value in AMOUNTS.items()}, "parameter": {}, "fall": {}}

    def lifecycle() -> str:
        step = workflow.start(definition, data=data, now=NOW)
        while True:
            text = json.dumps(step.state, separators=(",", ":"))
            opened = next((e for e in step.effects if isinstance(e, OpenTask | CallOperation)), None)
            if opened is None:
                return text
            state = json.loads(text)
            event: workflow.Event = (
                workflow.TaskCompleted(opened.token, ANSWERS[opened.element])
                if isinstance(opened, OpenTask)
                else workflow.OperationDone(opened.token, {})
            )
            step = workflow.advance(definition, state, event, data=data, now=NOW)
            booking = next(
                (e for e in step.effects if isinstance(e, CallOperation) and e.operation == "grants.award"),
                None,
            )
            if booking:  # runs in the same step as the approval
                done = workflow.OperationDone(booking.token, {})
                step = workflow.advance(definition, step.state, done, data=data, now=NOW)

    return lifecycle


def spiff_lifecycle() -> Callable[[], str]:
    """The same in SpiffWorkflow 3.2, with the two amounts as data; service tasks are user tasks (it runs them itself)."""
    from SpiffWorkflow.bpmn import BpmnWorkflow
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
    from SpiffWorkflow.spiff.parser import SpiffBpmnParser
    from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
    from SpiffWorkflow.util.task import TaskState

    parser = SpiffBpmnParser()
    parser.add_dmn_io(io.BytesIO(_dmn_for_spiff()))
    parser.add_bpmn_io(io.BytesIO(_bpmn_for_spiff()))
    spec = parser.get_spec("messung")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(SPIFF_CONFIG))

    def complete(running: Any, element: str, values: dict[str, Any]) -> None:
        task = next(
            task for task in running.get_tasks(state=TaskState.READY) if task.task_spec.bpmn_id == element
        )
        task.data.update(values)
        task.run()
        running.do_engine_steps()

    def lifecycle() -> str:
        running = BpmnWorkflow(spec)
        running.task_tree.data.update(AMOUNTS)
        running.do_engine_steps()
        for elements in (
            ("entscheidung_vorschlagen",),
            ("freigeben", "mittel_binden"),
            ("bescheid_erstellen",),
        ):
            running = serializer.deserialize_json(serializer.serialize_json(running))
            for element in elements:
                complete(running, element, ANSWERS.get(element, {}))
        if not running.completed:
            raise RuntimeError("SpiffWorkflow did not reach the end")
        text: str = serializer.serialize_json(running)
        return text

    return lifecycle


def _bpmn_for_spiff() -> bytes:
    root = etree.parse(str(PACKAGE / "prozess.bpmn")).getroot()
    for task in list(root.iter(f"{BPMN}serviceTask")):
        task.tag = f"{BPMN}userTask"
    for task in root.iter(f"{BPMN}businessRuleTask"):
        extension = etree.Element(f"{BPMN}extensionElements")
        called = etree.SubElement(extension, f"{{{SPIFF}}}calledDecisionId")
        called.text = task.get(f"{OURS}decision")
        task.insert(0, extension)
    return etree.tostring(root)


def _dmn_for_spiff() -> bytes:
    """Its tables are Python: an interval is written around a question mark, anything is an empty cell."""
    text = (PACKAGE / "regeln.dmn").read_text(encoding="utf-8")
    text = text.replace("<text>antrag.", "<text>").replace("<text>-</text>", "<text></text>")
    return re.sub(r"<text>\((\d+)\.\.(\d+)\]</text>", r"<text>\1 &lt; ? &lt;= \2</text>", text).encode()
