"""What the attributes and children of single elements mean: tasks, calls, repetitions, events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lxml import etree

from rathaus.engine.expressions import ExpressionError, compile_expression, compile_script
from rathaus.engine.workflow.definition import Moment, Node, Repeat
from rathaus.engine.workflow.names import children, is_bpmn, is_name, local, r, short
from rathaus.engine.workflow.times import parse_cycle, parse_duration, parse_instant

if TYPE_CHECKING:
    from rathaus.engine.workflow.reading import Reader

SEND = "messages.send"

EVENTS_KNOWN = {
    "startEvent": ("none", "message", "timer"),
    "endEvent": ("none", "terminate", "error"),
    "boundaryEvent": ("timer", "message", "error"),
    "intermediateCatchEvent": ("timer", "message"),
}
EVENTS_IN_GERMAN = {
    "none": "ohne Auslöser",
    "message": "Nachricht",
    "timer": "Zeit",
    "error": "Fehler",
    "terminate": "Beendigung",
    "signal": "Signal",
    "escalation": "Eskalation",
    "compensate": "Kompensation",
    "conditional": "Bedingung",
    "link": "Link",
    "cancel": "Abbruch",
}


# ------------------------------------------------------------------------------------------------- activities


def read_activity(reader: Reader, element: etree._Element, node: Node) -> None:
    """Fill in what an activity needs to run."""
    read = _READ.get(node.kind)
    if read is not None:
        read(reader, element, node)
    if children(element, "script") and node.kind != "scriptTask":
        reader.problem(element, "Ein Skript gehört in eine Skriptaufgabe.")
    for loop in children(element, "multiInstanceLoopCharacteristics"):
        _read_repeat(reader, loop, node)
    if node.outputs and node.kind == "scriptTask":
        reader.problem(
            element, "Ein Skript weist seine Werte selbst zu; „r:output“ ist hier nicht vorgesehen."
        )
    if node.outputs and node.kind == "subProcess" and node.repeat is None:
        reader.problem(element, "Ein Teilprozess teilt die Variablen seiner Umgebung; „r:output“ entfällt.")


def _read_user(reader: Reader, element: etree._Element, node: Node) -> None:
    node.form = element.get(r("form"))
    node.four_eyes = element.get(r("four-eyes"))
    due = element.get(r("due"))
    if due is not None:
        node.due = _moment(reader, element, "duration", due)


def _read_operation(reader: Reader, element: etree._Element, node: Node) -> None:
    node.operation = element.get(r("operation")) or (SEND if node.kind == "sendTask" else None)
    if node.operation is None:
        reader.problem(element, "Die Aufgabe nennt keine Operation (Attribut „r:operation“).")
    elif reader.operations is not None and node.operation not in reader.operations:
        reader.problem(element, f"Die Operation „{short(node.operation)}“ gibt es nicht.")


def _read_receive(reader: Reader, element: etree._Element, node: Node) -> None:
    node.message = _message(reader, element)


def _read_rule(reader: Reader, element: etree._Element, node: Node) -> None:
    node.decision_name = element.get(r("decision"))
    if not node.decision_name:
        reader.problem(element, "Die Aufgabe nennt keine Entscheidungstabelle (Attribut „r:decision“).")
    elif node.decision_name not in reader.decisions:
        reader.problem(element, f"Die Entscheidungstabelle „{short(node.decision_name)}“ gibt es nicht.")
    else:
        node.decision = reader.decisions[node.decision_name]
    variable = element.get(r("result"))
    if variable is not None:
        if not is_name(variable) or variable == "result":
            reader.problem(element, f"„{short(variable)}“ ist kein gültiger Name (Attribut „r:result“).")
        else:
            node.outputs = ((variable, compile_expression("result")), *node.outputs)
            reader.assigned.add(variable)
    elif not node.outputs:
        reader.problem(element, "Das Ergebnis der Tabelle braucht eine Variable (Attribut „r:result“).")


def _read_script(reader: Reader, element: etree._Element, node: Node) -> None:
    reader.check_language(element, element.get("scriptFormat"))
    text = "\n".join("".join(map(str, part.itertext())) for part in children(element, "script"))
    try:
        node.script = compile_script(text)
    except ExpressionError as error:
        reader.problem(element, f"Das Skript ist nicht erlaubt: {error}")
        return
    if "result" in node.script.assigned:
        reader.problem(element, "„result“ ist kein Name für eine Variable.")
    if not node.script.assigned:
        reader.problem(element, "Das Skript weist nichts zu.")
    reader.assigned.update(node.script.assigned)
    reader.reads.append((node, node.script.names))


def _read_call(reader: Reader, element: etree._Element, node: Node) -> None:
    reader.calls.append((node, element.get("calledElement", "")))
    reader.assigned.update(name for name, _ in node.arguments)


def _read_repeat(reader: Reader, element: etree._Element, node: Node) -> None:
    for child in element:
        if is_bpmn(child) and local(child) not in ("documentation", "extensionElements"):
            reader.problem(child, f"„{local(child)}“ wird nicht unterstützt; geben Sie „r:collection“ an.")
    if element.get("behavior", "All") != "All":
        reader.problem(element, "Ereignisse einer Mehrfachausführung werden nicht unterstützt.")
    if node.kind == "scriptTask":
        reader.problem(element, "Ein Skript kann nicht mehrfach ausgeführt werden.")
    if element.get(r("collection")) is None:
        reader.problem(element, "Die Mehrfachausführung braucht eine Sammlung (Attribut „r:collection“).")
        return
    item = element.get(r("element"))
    if item is not None:
        if not is_name(item) or item == "result":
            reader.problem(element, f"„{short(item)}“ ist kein gültiger Name (Attribut „r:element“).")
        reader.assigned.add(item)
    collection = reader.expression(element, element.get(r("collection")))
    if collection is not None:
        node.repeat = Repeat(collection, item, element.get("isSequential") == "true")


_READ: dict[str, Callable[[Reader, etree._Element, Node], None]] = {
    "userTask": _read_user,
    "serviceTask": _read_operation,
    "sendTask": _read_operation,
    "receiveTask": _read_receive,
    "businessRuleTask": _read_rule,
    "scriptTask": _read_script,
    "callActivity": _read_call,
}


# ----------------------------------------------------------------------------------------------------- events


def read_event(reader: Reader, element: etree._Element, node: Node) -> None:
    """Fill in what an event waits for or does."""
    definitions = [part for part in element if is_bpmn(part) and local(part).endswith("EventDefinition")]
    if len(definitions) > 1:
        reader.problem(element, "Mehrere Auslöser an einem Ereignis werden nicht unterstützt.")
    found = local(definitions[0]).removesuffix("EventDefinition") if definitions else "none"
    node.event = found
    if found not in EVENTS_KNOWN[node.kind]:
        reader.problem(
            element,
            f"Ein solches Ereignis ({EVENTS_IN_GERMAN.get(found, found)}) wird hier nicht unterstützt "
            f"(Element „{node.kind}“).",
        )
        return
    if node.kind == "boundaryEvent":
        reader.hosts.append((node, element.get("attachedToRef", "")))
        node.is_interrupting = element.get("cancelActivity", "true") != "false"
        if found == "error" and not node.is_interrupting:
            reader.problem(element, "Ein Fehlerereignis unterbricht immer.")
    if node.outputs and (node.kind == "endEvent" or found in ("none", "timer")):
        reader.problem(element, "„r:output“ ist hier nicht vorgesehen.")
    if found == "message":
        node.message = _message(reader, definitions[0])
    elif found == "timer":
        _read_timer(reader, definitions[0], node)
    elif found == "error":
        _read_error(reader, definitions[0], node)


def _message(reader: Reader, element: etree._Element) -> str | None:
    reference = element.get("messageRef", "").rpartition(":")[2]
    name = reader.messages.get(reference)
    if not name:
        reader.problem(element, "Es fehlt die Nachricht, auf die gewartet wird (Attribut „messageRef“).")
    return name


def _read_error(reader: Reader, element: etree._Element, node: Node) -> None:
    reference = element.get("errorRef", "").rpartition(":")[2]
    if not reference and node.kind == "boundaryEvent":
        return  # catches every error
    node.code = reader.errors.get(reference)
    if not node.code:
        reader.problem(element, "Es fehlt der Fehler mit seinem Code (Attribut „errorRef“).")


def _read_timer(reader: Reader, element: etree._Element, node: Node) -> None:
    parts = [part for part in element if is_bpmn(part) and local(part).startswith("time")]
    if len(parts) != 1:
        reader.problem(element, "Das Zeitereignis braucht genau eine Angabe (Dauer oder Datum).")
        return
    form = {"timeDuration": "duration", "timeDate": "date", "timeCycle": "cycle"}[local(parts[0])]
    if form == "cycle" and node.kind != "startEvent":
        reader.problem(element, "Eine Wiederholung ist nur am Startereignis erlaubt.")
        return
    if form == "duration" and node.kind == "startEvent":
        reader.problem(element, "Ein Start nach einer Dauer wird nicht unterstützt; geben Sie ein Datum an.")
        return
    reader.check_language(parts[0], parts[0].get("language"))
    node.moment = _moment(reader, parts[0], form, parts[0].text or "")
    if node.kind == "startEvent" and node.moment and node.moment.expression:
        reader.problem(
            element, "Ein Start nach der Zeit braucht ein festes Datum oder eine feste Wiederholung."
        )


def _moment(reader: Reader, element: etree._Element, form: str, text: str) -> Moment | None:
    text = text.strip()
    parse = {"duration": parse_duration, "date": parse_instant, "cycle": parse_cycle}[form]
    fixed = parse(text)
    if fixed is not None:
        return Moment(form, text, fixed)
    if form == "cycle" or text[:1].isdecimal() or (text[:1] == "P" and text[1:2].isdecimal()):
        reader.problem(element, f"„{short(text)}“ ist keine gültige Zeitangabe nach ISO 8601.")
        return None
    expression = reader.expression(element, text)
    return Moment(form, text, None, expression) if expression else None
