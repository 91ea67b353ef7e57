"""A package with every kind of step that the portal must get right: rows, partners, files, questions that depend."""

from __future__ import annotations

import json
from typing import Any

from tests.casework.packages import MANIFEST, PROCESS, SAMPLE, probe

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["titel", "betrag", "ausgaben", "gemeinsam", "kosten"],
    "properties": {
        "titel": {"type": "string", "maxLength": 100},
        "email": {"type": "string", "format": "email"},
        "gemeinsam": {"type": "boolean"},
        "womit": {"type": "string"},
        "partner": {"type": "array", "items": {"type": "string", "format": "ags"}, "uniqueItems": True, "maxItems": 5},
        "betrag": {"type": "string", "format": "betrag"},
        "ausgaben": {"type": "string", "format": "betrag"},
        "spende": {"type": "string", "format": "betrag"},
        "kosten": {
            "type": "array",
            "minItems": 1,
            "maxItems": 10,
            "items": {
                "type": "object",
                "required": ["wofuer", "betrag"],
                "properties": {"wofuer": {"type": "string"}, "betrag": {"type": "string", "format": "betrag"}},
            },
        },
        "anlagen": {"type": "array", "items": {"type": "object", "format": "datei"}, "maxItems": 3},
    },
}  # fmt: skip


def _control(name: str, label: str, **options: Any) -> dict[str, Any]:
    return {"type": "Control", "scope": f"#/properties/{name}", "label": label, "options": options}


UI: dict[str, Any] = {
    "type": "Categorization",
    "pruefungen": [
        {
            "wenn-nicht": 'summe(kosten, "betrag") == ausgaben',
            "feld": "#/properties/ausgaben",
            "meldung": "Die Ausgaben sind nicht die Summe der Positionen.",
        }
    ],
    "elements": [
        {
            "type": "Category",
            "label": "Vorhaben",
            "options": {"key": "vorhaben"},
            "elements": [
                _control("titel", "Titel"),
                _control("email", "E-Mail", vorbelegung="konto.email"),
                _control("gemeinsam", "Gemeinsames Vorhaben?", format="radio"),
                _control("womit", "Womit zusammen?")
                | {
                    "rule": {
                        "effect": "SHOW",
                        "condition": {"scope": "#/properties/gemeinsam", "schema": {"const": True}},
                    }
                },
            ],
        },
        {
            "type": "Category",
            "label": "Partner",
            "options": {"key": "partner"},
            "rule": {
                "effect": "SHOW",
                "condition": {"scope": "#/properties/gemeinsam", "schema": {"const": True}},
            },
            "elements": [_control("partner", "Partnerkommunen")],
        },
        {
            "type": "Category",
            "label": "Geld",
            "options": {"key": "geld"},
            "elements": [
                _control(
                    "kosten",
                    "Kosten",
                    sum="betrag",
                    **{"import": "csv"},
                    detail={
                        "type": "VerticalLayout",
                        "elements": [_control("wofuer", "Wofür?"), _control("betrag", "Betrag")],
                    },
                ),
                _control("ausgaben", "Ausgaben"),
                _control("betrag", "Zuschuss"),
                _control("spende", "Spenden"),
            ],
        },
        {
            "type": "Category",
            "label": "Anlagen",
            "options": {"key": "anlagen"},
            "elements": [_control("anlagen", "Unterlagen")],
        },
    ],
}
ANSWERS = {
    "titel": "Neue Akte",
    "gemeinsam": False,
    "kosten": [{"wofuer": "Software", "betrag": "1000.00"}],
    "betrag": "900.00",
    "ausgaben": "1000.00",
}


_CHECK = PROCESS[
    PROCESS.index('    <bpmn:serviceTask id="regeln"') : PROCESS.index('    <bpmn:userTask id="pruefen"')
]
WITHOUT_RULES = (
    PROCESS.replace(_CHECK, "")
    .replace('sourceRef="start" targetRef="regeln"', 'sourceRef="start" targetRef="pruefen"')
    .replace('    <bpmn:sequenceFlow id="f2" sourceRef="regeln" targetRef="pruefen"/>\n', "")
)


def form_package(number: str = "1", **manifest: str) -> dict[str, str]:
    """The files of the package `akte`; keyword arguments are further lines of the manifest (TOML values)."""
    own = {"fuer_behoerden": "true", "vertrauensniveau": "3", **manifest}
    lines = "".join(f"{name} = {value}\n" for name, value in own.items())
    text = MANIFEST.replace('schluessel = "probe"', f'{lines}schluessel = "akte"').replace(
        'titel = "Probe"', 'titel = "Elektronische Akte"'
    )
    return probe(
        leistung__toml=text.replace('fassung = "1"', f'fassung = "{number}"').replace('"PRB"', '"AKT"'),
        formular__schema__json=json.dumps(SCHEMA),
        formular__ui__json=json.dumps(UI),
        prozess__bpmn=WITHOUT_RULES,
        **{"beispiele/bewilligt__json": json.dumps({**SAMPLE, "antrag": ANSWERS})},
    )
