"""A recovery: opened by the office, with a hearing and its deadline, and a process that waits for the money."""

from __future__ import annotations

import json
from typing import Any

from tests.casework.packages import BPMN, LETTER, probe

MANIFEST = """
schluessel = "rueckforderung"
fassung = "1"
titel = "Rückforderung"
kurztext = "Für Tests."
zustaendig = "ministry"
kuerzel = "RF"
vorgangstitel = '"Prüfung zu " + parameter.wozu'
betrag = "antrag.betrag"
ermessen = true
von_amts_wegen = true
[rollen]
Sachbearbeitung = "eröffnet, hört an und schlägt vor"
Freigabe = "gibt frei"
[parameter]
wozu = "Ihrem Vorgang"
"""
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["grund", "betrag", "eilig", "warum"],
    "properties": {
        "grund": {"type": "string", "maxLength": 500},
        "betrag": {"type": "string", "format": "betrag"},
        "eilig": {"type": "boolean"},
        "warum": {"type": "string", "maxLength": 100},
        "posten": {
            "type": "array",
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {"was": {"type": "string", "title": "Was?", "maxLength": 100}},
            },
        },
    },
}


def _control(name: str, label: str, **more: Any) -> dict[str, Any]:
    return {"type": "Control", "scope": f"#/properties/{name}", "label": label, **more}


UI = {
    "type": "Categorization",
    "elements": [
        {
            "type": "Category",
            "label": "Anlass",
            "options": {"key": "anlass", "einleitung": "Warum die Prüfung?"},
            "elements": [
                _control("grund", "Grund", options={"multi": True}),
                _control("eilig", "Eilt es?", options={"format": "radio"}),
                _control(
                    "warum",
                    "Warum eilt es?",
                    rule={
                        "effect": "SHOW",
                        "condition": {"scope": "#/properties/eilig", "schema": {"const": True}},
                    },
                ),
            ],
        },
        {
            "type": "Category",
            "label": "Geld",
            "options": {"key": "geld"},
            "elements": [_control("betrag", "Betrag"), _control("posten", "Posten")],
        },
    ],
}
PROCESS = f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:r="urn:rathaus:bpmn:1" id="d" targetNamespace="urn:probe">
  <bpmn:message id="m1" name="antwort"/><bpmn:message id="m2" name="bezahlt"/>
  <bpmn:process id="p" isExecutable="true">
    <bpmn:laneSet id="ls">
      <bpmn:lane id="l1" name="Sachbearbeitung"><bpmn:flowNodeRef>vorschlagen</bpmn:flowNodeRef></bpmn:lane>
      <bpmn:lane id="l2" name="Freigabe"><bpmn:flowNodeRef>freigeben</bpmn:flowNodeRef></bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="start"/>
    <bpmn:exclusiveGateway id="eilt" default="f2"/>
    <bpmn:serviceTask id="anhoeren" name="Anhören" r:operation="messages.ask">
      <bpmn:extensionElements>
        <r:argument name="text" value="'Wir prüfen eine Rückforderung von ' + fall.nummer + '. Sie können sich äußern.'"/>
        <r:argument name="tage" value="14"/>
        <r:output variable="frist" value="result.frist"/>
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:eventBasedGateway id="warten" name="Äußerung?"/>
    <bpmn:intermediateCatchEvent id="geantwortet">
      <bpmn:messageEventDefinition messageRef="m1"/>
    </bpmn:intermediateCatchEvent>
    <bpmn:intermediateCatchEvent id="verstrichen">
      <bpmn:timerEventDefinition><bpmn:timeDate>plus_tage(frist, 1)</bpmn:timeDate></bpmn:timerEventDefinition>
    </bpmn:intermediateCatchEvent>
    <bpmn:exclusiveGateway id="angehoert"/>
    <bpmn:userTask id="vorschlagen" name="Entscheidung vorschlagen" r:form="kern:vorschlag"/>
    <bpmn:userTask id="freigeben" name="Freigeben" r:form="kern:freigabe" r:four-eyes="vorschlagen"/>
    <bpmn:serviceTask id="bescheid" name="Bescheid erstellen" r:operation="letters.issue"/>
    <bpmn:receiveTask id="zahlung" name="Zahlung abwarten" messageRef="m2">
      <bpmn:extensionElements><r:output variable="gezahlt" value="result.betrag"/></bpmn:extensionElements>
    </bpmn:receiveTask>
    <bpmn:endEvent id="ende"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="eilt"/>
    <bpmn:sequenceFlow id="f2" sourceRef="eilt" targetRef="anhoeren"/>
    <bpmn:sequenceFlow id="f3" sourceRef="eilt" targetRef="angehoert">
      <bpmn:conditionExpression>antrag.eilig</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f4" sourceRef="anhoeren" targetRef="warten"/>
    <bpmn:sequenceFlow id="f5" sourceRef="warten" targetRef="geantwortet"/>
    <bpmn:sequenceFlow id="f6" sourceRef="warten" targetRef="verstrichen"/>
    <bpmn:sequenceFlow id="f7" sourceRef="geantwortet" targetRef="angehoert"/>
    <bpmn:sequenceFlow id="f8" sourceRef="verstrichen" targetRef="angehoert"/>
    <bpmn:sequenceFlow id="f9" sourceRef="angehoert" targetRef="vorschlagen"/>
    <bpmn:sequenceFlow id="f10" sourceRef="vorschlagen" targetRef="freigeben"/>
    <bpmn:sequenceFlow id="f11" sourceRef="freigeben" targetRef="bescheid"/>
    <bpmn:sequenceFlow id="f12" sourceRef="bescheid" targetRef="zahlung"/>
    <bpmn:sequenceFlow id="f13" sourceRef="zahlung" targetRef="ende"/>
  </bpmn:process>
</bpmn:definitions>
"""
ANSWERS: dict[str, Any] = {"grund": "Verdacht auf Doppelförderung", "betrag": "400.00", "eilig": False}
_DECISION: dict[str, Any] = {"ergebnis": "granted", "betrag": "400.00", "begruendung": "Doppelt gefördert."}
_END: list[dict[str, Any]] = [
    {"element": "vorschlagen", "ergebnis": _DECISION},
    {"element": "freigeben", "ergebnis": {"freigegeben": True}},
    {"element": "zahlung", "ergebnis": {"betrag": "400.00"}},
]
_EXPECTED = {"entscheidung": {"ergebnis": "granted", "betrag": "400.00"}}
SAMPLES: dict[str, dict[str, Any]] = {
    "beispiele/antwort.json": {
        "antrag": ANSWERS,
        "schritte": [{"element": "geantwortet"}, *_END],
        "pfad": ["anhoeren", "geantwortet", "zahlung"],
        **_EXPECTED,
    },
    "beispiele/schweigen.json": {
        "antrag": ANSWERS,
        "schritte": [{"element": "verstrichen"}, *_END],
        "pfad": ["anhoeren", "verstrichen", "zahlung"],
        **_EXPECTED,
    },
}


def recovery(**changes: str) -> dict[str, str]:
    """The files of the package; keyword arguments replace files (dots in names as `__`)."""
    files = probe(
        leistung__toml=MANIFEST,
        formular__schema__json=json.dumps(SCHEMA),
        formular__ui__json=json.dumps(UI),
        prozess__bpmn=PROCESS,
        bescheid__typ=LETTER,
        **{name.replace(".", "__"): json.dumps(sample) for name, sample in SAMPLES.items()},
    )
    del files["beispiele/bewilligt.json"]
    return files | {name.replace("__", "."): text for name, text in changes.items()}
