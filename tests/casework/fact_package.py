"""A domain that knows what is left of an earlier case, and a package that reads it in every place where it may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from tests.casework.packages import LETTER, MANIFEST, PROCESS, SAMPLE, SCHEMA, follow_up

from rathaus.casework.cases.facts import facts
from rathaus.casework.cases.models import Case
from rathaus.casework.services.operations import operation


@facts("bestand", names=("offen", "bis", "name", "zahl", "plan", "fertig"))
def remains(case: Case) -> Mapping[str, Any] | None:
    """What is left of an earlier case after all that went on with it."""
    if case.about is None or case.about.amount is None:
        return None
    taken = case.about.follow_ups.exclude(pk=case.pk).aggregate(all=Sum("amount"))["all"] or Decimal(0)
    return {
        "offen": case.about.amount - taken,
        "bis": date(2026, 3, 31),
        "name": case.about.title,
        "zahl": case.about.follow_ups.count(),
        "fertig": False,
        "plan": [
            {"wofuer": "Software", "soll": Decimal("600.00"), "fremd": "bleibt weg"},
            {"wofuer": "Schulung", "soll": Decimal("300.00")},
        ],
    }


@operation("test.bestand_aendern")
def change(step: Any, *, betrag: Decimal) -> dict[str, Any]:
    """Takes some of the earlier case's amount away, as an operation of a domain would."""
    Case.objects.filter(id=step.case.about_id).update(amount=betrag)
    step.case.about.amount = betrag
    return {}


def schema() -> dict[str, Any]:
    row = {
        "type": "object",
        "required": ["wofuer", "soll", "ist"],
        "properties": {
            "wofuer": {"type": "string", "title": "Wofür?", "maxLength": 100},
            "soll": {"type": "string", "title": "Geplant", "format": "betrag"},
            "ist": {"type": "string", "title": "Ausgegeben", "format": "betrag"},
        },
    }
    properties = {
        **SCHEMA["properties"],  # type: ignore[dict-item]
        "plan": {"type": "array", "items": row, "maxItems": 10},
        "bis": {"type": "string", "format": "date"},
    }
    return {**SCHEMA, "properties": properties, "required": ["titel", "betrag"]}


def ui(**changes: Any) -> dict[str, Any]:
    def control(name: str, **options: str) -> dict[str, Any]:
        return {"type": "Control", "scope": f"#/properties/{name}", "label": name, "options": options}

    page = {
        "type": "Category",
        "label": "Abruf",
        "options": {"key": "abruf", "einleitung": "Noch abrufbar: {bestand.offen}, bis {bestand.bis}."},
        "elements": [
            {"type": "Label", "text": "Vorhaben „{bestand.name}“, Abruf {bestand.zahl}, {keins} { bestand.offen }"},
            control("titel", vorbelegung="bestand.name"),
            control("betrag", vorbelegung="bestand.offen", hinweis="Höchstens {bestand.offen}."),
            control("ausgaben"),
            control("bis", vorbelegung="bestand.bis"),
            control("plan", vorbelegung="bestand.plan"),
            control("anlage"),
        ],
    }  # fmt: skip
    return {"type": "Categorization", "elements": [{**page, **changes}]}


_PLAN = [
    {"wofuer": "Software", "soll": "600.00", "ist": "500.00"},
    {"wofuer": "Schulung", "soll": "300.00", "ist": "0.00"},
]
ABRUF = SAMPLE | {
    "antrag": {"titel": "Neue Akte", "betrag": "400.00", "ausgaben": "1000.00", "plan": _PLAN},
    "fakten": {"bestand": {"offen": "900.00", "bis": "2026-03-31", "name": "Akte", "zahl": 1}},
    "schritte": [
        {"element": "pruefen", "ergebnis": {"vollstaendig": True}},
        {
            "element": "vorschlagen",
            "ergebnis": {"ergebnis": "granted", "betrag": "400.00", "begruendung": "Passt."},
        },
        {"element": "freigeben", "ergebnis": {"freigegeben": True, "ergebnis": "granted"}},
    ],
    "entscheidung": {"ergebnis": "granted", "betrag": "400.00"},
}
_BEGIN, _END = (
    PROCESS.index(text) for text in ('    <bpmn:serviceTask id="regeln"', '    <bpmn:userTask id="pruefen"')
)
_CHECK = PROCESS[_BEGIN:_END]
_OWN_CHECK = """    <bpmn:serviceTask id="regeln" name="Bestand ändern" r:operation="test.bestand_aendern">
      <bpmn:extensionElements><r:argument name="betrag" value="bestand.offen - antrag.betrag"/></bpmn:extensionElements>
    </bpmn:serviceTask>
"""
ABRUF_PROCESS = (
    PROCESS.replace(_CHECK, _OWN_CHECK)
    .replace('r:operation="grants.award"', 'r:operation="messages.send"')
    .replace(
        '<bpmn:userTask id="pruefen" name="Vollständigkeit prüfen" r:form="kern:pruefung">\n      <bpmn:extensionElements>',
        '<bpmn:userTask id="pruefen" name="Vollständigkeit prüfen" r:form="kern:pruefung">\n      <bpmn:extensionElements>'
        '<r:argument name="betrag" value="bestand.offen"/>',
    )
    .replace(
        'r:operation="messages.send"/>',
        'r:operation="messages.send"><bpmn:extensionElements>'
        '<r:argument name="text" value=\'"Bewilligt für " + bestand.name\'/></bpmn:extensionElements></bpmn:serviceTask>',
    )
)


def package(**changes: str) -> dict[str, str]:
    manifest = MANIFEST.replace("ermessen = true", "ermessen = true\nbezug = true").replace(
        'vorgangstitel = "antrag.titel"', "vorgangstitel = '\"Abruf für \" + bestand.name'"
    )
    files = {
        "leistung__toml": manifest,
        "formular__schema__json": json.dumps(schema()),
        "formular__ui__json": json.dumps(ui()),
        "prozess__bpmn": ABRUF_PROCESS,
        "bescheid__typ": LETTER + "\nOffen sind #euro(daten.bestand.offen) bis #datum(daten.bestand.bis).\n",
        "beispiele/bewilligt__json": json.dumps(ABRUF),
    }
    return follow_up(**{**files, **changes})
