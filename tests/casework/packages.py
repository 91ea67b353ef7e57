"""Small service packages for tests of the kernel."""

from __future__ import annotations

import json
from typing import Any

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"

MANIFEST = """
schluessel = "probe"
fassung = "1"
titel = "Probe"
kurztext = "Eine Leistung für Tests."
zustaendig = "ministry"
kuerzel = "PRB"
vorgangstitel = "antrag.titel"
betrag = "antrag.betrag"
ermessen = true
bearbeitung_tage = 14
[rollen]
Sachbearbeitung = "prüft und schlägt vor"
Freigabe = "gibt frei"
[parameter]
mindestbetrag = "100.00"
hoechstbetrag = "5000.00"
foerdersatz = 90
"""

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["titel", "betrag", "ausgaben"],
    "properties": {
        "titel": {"type": "string", "maxLength": 100},
        "betrag": {"type": "string", "format": "betrag"},
        "ausgaben": {"type": "string", "format": "betrag"},
        "anlage": {"type": "object", "format": "datei"},
    },
}
UI = {
    "type": "Categorization",
    "elements": [
        {
            "type": "Category",
            "label": "Vorhaben",
            "elements": [
                {"type": "Control", "scope": "#/properties/titel", "label": "Titel"},
                {"type": "Control", "scope": "#/properties/betrag", "label": "Betrag"},
                {"type": "Control", "scope": "#/properties/ausgaben", "label": "Ausgaben"},
                {"type": "Control", "scope": "#/properties/anlage", "label": "Anlage"},
            ],
        }
    ],
}

PROCESS = f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:r="urn:rathaus:bpmn:1" id="d" targetNamespace="urn:probe">
  <bpmn:message id="m1" name="antwort"/>
  <bpmn:process id="p" isExecutable="true">
    <bpmn:laneSet id="ls">
      <bpmn:lane id="l1" name="Sachbearbeitung">
        <bpmn:flowNodeRef>pruefen</bpmn:flowNodeRef><bpmn:flowNodeRef>vorschlagen</bpmn:flowNodeRef>
      </bpmn:lane>
      <bpmn:lane id="l2" name="Freigabe"><bpmn:flowNodeRef>freigeben</bpmn:flowNodeRef></bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="start"/>
    <bpmn:serviceTask id="regeln" name="Regeln prüfen" r:operation="grants.check">
      <bpmn:extensionElements>
        <r:argument name="betrag" value="antrag.betrag"/><r:argument name="ausgaben" value="antrag.ausgaben"/>
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:userTask id="pruefen" name="Vollständigkeit prüfen" r:form="kern:pruefung">
      <bpmn:extensionElements><r:output variable="vollstaendig" value="result.vollstaendig"/></bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:exclusiveGateway id="g1" default="f4"/>
    <bpmn:receiveTask id="warten" name="Antwort abwarten" messageRef="m1"/>
    <bpmn:userTask id="vorschlagen" name="Entscheidung vorschlagen" r:form="kern:vorschlag"/>
    <bpmn:userTask id="freigeben" name="Freigeben" r:form="kern:freigabe" r:four-eyes="vorschlagen">
      <bpmn:extensionElements>
        <r:output variable="freigegeben" value="result.freigegeben"/><r:output variable="ergebnis" value="result.ergebnis"/>
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:exclusiveGateway id="g2" default="f8"/>
    <bpmn:exclusiveGateway id="g3" default="f10"/>
    <bpmn:serviceTask id="bewilligen" name="Mittel binden" r:operation="grants.award"/>
    <bpmn:exclusiveGateway id="g4"/>
    <bpmn:serviceTask id="bescheid" name="Bescheid erstellen" r:operation="letters.issue"/>
    <bpmn:endEvent id="ende"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="regeln"/>
    <bpmn:sequenceFlow id="f2" sourceRef="regeln" targetRef="pruefen"/>
    <bpmn:sequenceFlow id="f3" sourceRef="pruefen" targetRef="g1"/>
    <bpmn:sequenceFlow id="f4" sourceRef="g1" targetRef="warten"/>
    <bpmn:sequenceFlow id="f5" sourceRef="warten" targetRef="pruefen"/>
    <bpmn:sequenceFlow id="f6" sourceRef="g1" targetRef="vorschlagen">
      <bpmn:conditionExpression>vollstaendig</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f7" sourceRef="vorschlagen" targetRef="freigeben"/>
    <bpmn:sequenceFlow id="f7b" sourceRef="freigeben" targetRef="g2"/>
    <bpmn:sequenceFlow id="f8" sourceRef="g2" targetRef="vorschlagen"/>
    <bpmn:sequenceFlow id="f9" sourceRef="g2" targetRef="g3">
      <bpmn:conditionExpression>freigegeben</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f10" sourceRef="g3" targetRef="g4"/>
    <bpmn:sequenceFlow id="f11" sourceRef="g3" targetRef="bewilligen">
      <bpmn:conditionExpression>ergebnis != "refused"</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f12" sourceRef="bewilligen" targetRef="g4"/>
    <bpmn:sequenceFlow id="f13" sourceRef="g4" targetRef="bescheid"/>
    <bpmn:sequenceFlow id="f14" sourceRef="bescheid" targetRef="ende"/>
  </bpmn:process>
</bpmn:definitions>
"""

LETTER = """#import "brief.typ": *
#show: brief.with(
  absender: (name: daten.behoerde.name, anschrift: ("Musterweg 1", "65183 Wiesbaden")), empfaenger: daten.empfaenger,
  zeichen: daten.fall.nummer, datum: daten.datum, betreff: "Bescheid",
)
Über Ihren Antrag #daten.fall.titel ist entschieden: #daten.entscheidung.ergebnis_text.
"""

SAMPLE: dict[str, Any] = {
    "titel": "Bewilligt",
    "antrag": {"titel": "Neue Akte", "betrag": "900.00", "ausgaben": "1000.00"},
    "schritte": [
        {"element": "pruefen", "ergebnis": {"vollstaendig": True}},
        {"element": "vorschlagen", "ergebnis": {"ergebnis": "granted", "betrag": "900.00"}},
        {"element": "freigeben", "ergebnis": {"freigegeben": True, "ergebnis": "granted"}},
    ],
    "operationen": {"grants.check": {"nicht_erfuellt": 0}},
    "pfad": ["pruefen", "vorschlagen", "freigeben", "bewilligen", "bescheid", "ende"],
    "entscheidung": {"ergebnis": "granted", "betrag": "900.00"},
}


def probe(**changes: str) -> dict[str, str]:
    """The files of the package `probe`; keyword arguments replace files (dots in names as `__`)."""
    files = {
        "leistung.toml": MANIFEST,
        "formular.schema.json": json.dumps(SCHEMA),
        "formular.ui.json": json.dumps(UI),
        "prozess.bpmn": PROCESS,
        "bescheid.typ": LETTER,
        "beispiele/bewilligt.json": json.dumps(SAMPLE),
    }
    files.update({name.replace("__", "."): text for name, text in changes.items()})
    return files


def follow_up(
    number: str = "1", *, key: str = "abruf", prefix: str = "ABR", **changes: str
) -> dict[str, str]:
    """A package of the same form and process that goes on with an earlier case; `changes` as in `probe`."""
    text = changes.pop("leistung__toml", MANIFEST.replace("ermessen = true", "ermessen = true\nbezug = true"))
    for old, new in (
        ('schluessel = "probe"', f'schluessel = "{key}"'),
        ('titel = "Probe"', 'titel = "Mittelabruf"'),
        ('fassung = "1"', f'fassung = "{number}"'),
        ('"PRB"', f'"{prefix}"'),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return probe(leistung__toml=text, **changes)
