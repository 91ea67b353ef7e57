"""A small language for BPMN in tests: elements as functions, flows as ``"a > b > c"`` lines.

    bpmn(process(user("pruefen"), flows="start > pruefen > ende"))

Elements named ``start`` and ``ende`` are added when nobody gives them. In ``flows`` a condition stands in
braces behind the arrow (``"wahl >{betrag > 100} gross"``), ``*`` marks the default (``"wahl >* klein"``).
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:r="urn:rathaus:bpmn:1" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d" targetNamespace="t">'
)
_ARROW = re.compile(r"\s*>(\*|\{[^}]*\})?\s+")


def bpmn(*parts: str) -> bytes:
    """A whole file from processes, messages and errors."""
    return f"{HEAD}\n{chr(10).join(parts)}\n</bpmn:definitions>".encode()


def message(name: str) -> str:
    """A message that events and receive tasks refer to by its name."""
    return f'<bpmn:message id="m_{name}" name="{name}"/>'


def error(code: str) -> str:
    """An error that events refer to by its code."""
    return f'<bpmn:error id="f_{code}" errorCode="{code}" name="{code}"/>'


def process(*elements: str, flows: str, id: str = "p", lanes: dict[str, str] | None = None) -> str:
    """An executable process; ``lanes`` maps a lane's name to the ids in it, separated by blanks."""
    drawn = "".join(
        f'<bpmn:lane id="lane_{index}" name="{name}">'
        + "".join(f"<bpmn:flowNodeRef>{node}</bpmn:flowNodeRef>" for node in nodes.split())
        + "</bpmn:lane>"
        for index, (name, nodes) in enumerate((lanes or {}).items())
    )
    lane_set = f'<bpmn:laneSet id="{id}_lanes">{drawn}</bpmn:laneSet>' if lanes else ""
    content = lane_set + _content(elements, flows, id)
    return f'<bpmn:process id="{id}" isExecutable="true">{content}</bpmn:process>'


def _content(elements: tuple[str, ...], flows: str, prefix: str) -> str:
    drawn = "\n".join(elements)
    if 'Event id="start"' not in drawn and re.search(r"\bstart\b", flows):
        drawn = start() + drawn
    if 'Event id="ende"' not in drawn and re.search(r"\bende\b", flows):
        drawn += end()
    found = []
    for line in flows.replace(";", "\n").splitlines():
        parts = _ARROW.split(line.strip())
        for index in range(0, len(parts) - 2, 2):
            found.append((parts[index], parts[index + 1] or "", parts[index + 2]))
    text, defaults = "", {}
    for number, (source, mark, target) in enumerate(found):
        name = f"{prefix}_f{number}"
        condition = ""
        if mark == "*":
            defaults[source] = name
        elif mark:
            condition = _formal("conditionExpression", mark[1:-1])
        ends = f'sourceRef="{source}" targetRef="{target}"'
        text += f'<bpmn:sequenceFlow id="{name}" {ends}>{condition}</bpmn:sequenceFlow>\n'
    for source, name in defaults.items():
        drawn = drawn.replace(f' id="{source}"', f' id="{source}" default="{name}"', 1)
    # SpiffWorkflow reads the flows of an element only from its own lists.
    for node in re.findall(r'<bpmn:\w+(?:Task|Event|Gateway|Process|Activity) id="(\w+)"', drawn):
        lists = "".join(
            f"<bpmn:{way}>{prefix}_f{number}</bpmn:{way}>"
            for number, (source, _, target) in enumerate(found)
            for way, at in (("incoming", target), ("outgoing", source))
            if at == node
        )
        drawn = drawn.replace(f"<!--flows:{node}-->", lists, 1)
    return drawn + text


def element(kind: str, id: str, inner: str = "", **attributes: str) -> str:
    """Any element; the attribute ``r_four_eyes`` becomes ``r:four-eyes``, ``a__b`` becomes ``a:b``."""
    written = "".join(f" {_attribute(name)}={quoteattr(value)}" for name, value in attributes.items())
    before, after = "", inner
    if inner.startswith("<bpmn:extensionElements>"):
        before, rest = inner.split("</bpmn:extensionElements>", 1)
        before, after = before + "</bpmn:extensionElements>", rest
    return f'<bpmn:{kind} id="{id}"{written}>{before}<!--flows:{id}-->{after}</bpmn:{kind}>\n'


def extensions(arguments: dict[str, str] | None = None, outputs: dict[str, str] | None = None) -> str:
    """``r:argument`` and ``r:output`` children."""
    text = "".join(f'<r:argument name="{k}" value={quoteattr(v)}/>' for k, v in (arguments or {}).items())
    text += "".join(f'<r:output variable="{k}" value={quoteattr(v)}/>' for k, v in (outputs or {}).items())
    return f"<bpmn:extensionElements>{text}</bpmn:extensionElements>" if text else ""


def repeat(collection: str, item: str | None = None, *, sequential: bool = False) -> str:
    """Multi-instance characteristics."""
    name = f' r:element="{item}"' if item else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}" '
        f"r:collection={quoteattr(collection)}{name}/>"
    )


def timer(form: str, text: str) -> str:
    """A timer definition; ``form`` is Duration, Date or Cycle."""
    return f"<bpmn:timerEventDefinition>{_formal(f'time{form}', text)}</bpmn:timerEventDefinition>"


def _formal(kind: str, text: str) -> str:
    return f'<bpmn:{kind} xsi:type="bpmn:tFormalExpression">{escape(text)}</bpmn:{kind}>'


def _attribute(name: str) -> str:
    return "r:" + name[2:].replace("_", "-") if name.startswith("r_") else name.replace("__", ":")


def _trigger(
    timer_text: tuple[str, str] | None = None,
    message_name: str | None = None,
    error_code: str | None = None,
    other: str | None = None,
) -> str:
    if timer_text:
        return timer(*timer_text)
    if message_name:
        return f'<bpmn:messageEventDefinition messageRef="m_{message_name}"/>'
    if error_code is not None:
        reference = f' errorRef="f_{error_code}"' if error_code else ""
        return f"<bpmn:errorEventDefinition{reference}/>"
    return f"<bpmn:{other}EventDefinition/>" if other else ""


def start(
    id: str = "start", *, message: str | None = None, timer: tuple[str, str] | None = None, inner: str = ""
) -> str:
    return element("startEvent", id, inner + _trigger(timer, message))


def end(id: str = "ende", *, error: str | None = None, terminate: bool = False) -> str:
    return element("endEvent", id, _trigger(error_code=error, other="terminate" if terminate else None))


def user(id: str, inner: str = "", **attributes: str) -> str:
    return element("userTask", id, inner, name=attributes.pop("name", id), **attributes)


def service(id: str, operation: str = "test.tun", inner: str = "", **attributes: str) -> str:
    return element("serviceTask", id, inner, r_operation=operation, **attributes)


def send(id: str, inner: str = "", **attributes: str) -> str:
    return element("sendTask", id, inner, **attributes)


def receive(id: str, message: str, inner: str = "") -> str:
    return element("receiveTask", id, inner, messageRef=f"m_{message}")


def rule(id: str, decision: str, result: str, inner: str = "") -> str:
    return element("businessRuleTask", id, inner, r_decision=decision, r_result=result)


def script(id: str, text: str, inner: str = "", **attributes: str) -> str:
    return element("scriptTask", id, f"{inner}<bpmn:script>{escape(text)}</bpmn:script>", **attributes)


def exclusive(id: str, **attributes: str) -> str:
    return element("exclusiveGateway", id, **attributes)


def parallel(id: str) -> str:
    return element("parallelGateway", id)


def inclusive(id: str) -> str:
    return element("inclusiveGateway", id)


def event_based(id: str) -> str:
    return element("eventBasedGateway", id)


def catch(
    id: str, *, message: str | None = None, timer: tuple[str, str] | None = None, inner: str = ""
) -> str:
    return element("intermediateCatchEvent", id, inner + _trigger(timer, message))


def boundary(
    id: str,
    host: str,
    *,
    message: str | None = None,
    timer: tuple[str, str] | None = None,
    error: str | None = None,
    interrupting: bool = True,
    inner: str = "",
) -> str:
    return element(
        "boundaryEvent",
        id,
        inner + _trigger(timer, message, error),
        attachedToRef=host,
        cancelActivity=str(interrupting).lower(),
    )


def sub(id: str, *elements: str, flows: str, inner: str = "", **attributes: str) -> str:
    """An embedded subprocess; ``flows`` names its start ``<id>_start`` and its end ``<id>_ende``."""
    drawn = list(elements)
    if re.search(rf"\b{id}_start\b", flows):
        drawn.insert(0, start(f"{id}_start"))
    if re.search(rf"\b{id}_ende\b", flows) and not any(f'id="{id}_ende"' in part for part in drawn):
        drawn.append(end(f"{id}_ende"))
    return element("subProcess", id, inner + _content(tuple(drawn), flows, id), **attributes)


def call(id: str, process: str, inner: str = "") -> str:
    return element("callActivity", id, inner, calledElement=process)
