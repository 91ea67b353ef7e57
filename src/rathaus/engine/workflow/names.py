"""Names of BPMN's and our own XML, and which of them lxml has in hand."""

from __future__ import annotations

import keyword
from typing import cast

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
RATHAUS = "urn:rathaus:bpmn:1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

LANGUAGES = frozenset({"", "rathaus"})
# Drawn or declared, but never run.
PICTURES = frozenset(
    [
        "documentation",
        "extensionElements",
        "textAnnotation",
        "association",
        "group",
        "category",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "ioSpecification",
        "property",
        "dataInputAssociation",
        "dataOutputAssociation",
        "auditing",
        "monitoring",
        "incoming",
        "outgoing",
        "laneSet",
    ]
)
DECLARATIONS = PICTURES | frozenset(
    [
        "process",
        "collaboration",
        "message",
        "error",
        "signal",
        "escalation",
        "itemDefinition",
        "dataStore",
        "interface",
        "resource",
        "correlationProperty",
        "endPoint",
        "partnerEntity",
        "partnerRole",
        "relationship",
    ]
)
# Other vendors' attributes and extensions behind which their engines run something.
RUNNING = frozenset(
    [
        "class",
        "expression",
        "delegateExpression",
        "type",
        "topic",
        "resource",
        "executionListener",
        "taskListener",
        "connector",
        "script",
        "field",
        "preScript",
        "postScript",
        "serviceTaskOperator",
        "taskDefinition",
        "jobType",
        "calledDecision",
        "calledElement",
        "decisionRef",
        "delegate",
        "inputOutput",
        "ioMapping",
    ]
)
REFUSED = {
    "task": "Eine Aufgabe ohne Art kann nicht ausgeführt werden; wählen Sie z. B. eine Benutzeraufgabe.",
    "manualTask": "Manuelle Aufgaben werden nicht unterstützt; nehmen Sie eine Benutzeraufgabe.",
    "intermediateThrowEvent": "Auslösende Zwischenereignisse werden nicht unterstützt; "
    "eine Nachricht verschickt eine Sendeaufgabe.",
    "complexGateway": "Komplexe Gateways werden nicht unterstützt.",
    "transaction": "Transaktionen werden nicht unterstützt.",
    "adHocSubProcess": "Ad-hoc-Teilprozesse werden nicht unterstützt.",
    "standardLoopCharacteristics": "Schleifen an Aufgaben werden nicht unterstützt; nehmen Sie ein Gateway.",
    "import": "Andere Dateien können nicht eingebunden werden.",
}
OWN_ATTRIBUTES = frozenset({"form", "due", "four-eyes", "operation", "decision", "result", "role"})


def q(name: str) -> str:
    """The name as lxml writes it, in BPMN's namespace."""
    return f"{{{BPMN}}}{name}"


def r(name: str) -> str:
    """The name as lxml writes it, in our own namespace."""
    return f"{{{RATHAUS}}}{name}"


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def is_bpmn(element: etree._Element) -> bool:
    """Whether BPMN itself defines the element."""
    return etree.QName(element).namespace == BPMN


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """The direct children of that name in BPMN's namespace."""
    return element.findall(q(name))


def is_name(text: str) -> bool:
    """Whether expressions can read a variable of that name."""
    return (
        text.isidentifier() and not text.startswith("_") and "__" not in text and not keyword.iskeyword(text)
    )


def short(text: str | None) -> str:
    """At most 60 characters of a foreign text, for a sentence."""
    line = " ".join((text or "").split())
    return line if len(line) <= 60 else line[:59] + "…"


def line_of(element: etree._Element) -> int | None:
    """The element's line in the file (lxml-stubs do not know the type)."""
    return cast("int | None", element.sourceline)
