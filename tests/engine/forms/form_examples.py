"""Two forms like those of the product: a grant application and a dog, with good answers."""

from copy import deepcopy
from typing import Any

from rathaus.engine.forms import Answers, Form

FILE = {
    "name": "Projektbeschreibung.pdf",
    "sha256": "ab" * 32,
    "size": 1_200_000,
    "media_type": "application/pdf",
}

GRANT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["vorhaben", "kosten", "finanzierung", "erklaerung", "anlage"],
    "properties": {
        "vorhaben": {
            "type": "object",
            "required": ["titel", "ziel", "bereich", "beginn", "ende"],
            "properties": {
                "titel": {"type": "string", "title": "Titel", "minLength": 5, "maxLength": 120},
                "ziel": {"type": "string", "title": "Ziel", "maxLength": 4000},
                "bereich": {
                    "type": "string",
                    "title": "Bereich",
                    "oneOf": [
                        {"const": "verwaltung", "title": "Verwaltungsdigitalisierung"},
                        {
                            "const": "umwelt",
                            "title": "Smart Environment",
                            "description": "Luft, Wasser, Boden",
                        },
                    ],
                },
                "beginn": {
                    "type": "string",
                    "format": "date",
                    "title": "Beginn",
                    "formatMinimum": "2021-01-01",
                },
                "ende": {"type": "string", "format": "date", "title": "Ende"},
                "themen": {
                    "type": "array",
                    "title": "Themen",
                    "uniqueItems": True,
                    "items": {"type": "string", "enum": ["Akte", "Portal", "Sicherheit"]},
                },
            },
        },
        "kooperation": {"type": "boolean", "title": "Arbeiten mehrere Kommunen zusammen?"},
        "partner": {
            "type": "array",
            "title": "Partner",
            "minItems": 1,
            "maxItems": 5,
            "uniqueItems": True,
            "items": {"type": "string", "format": "ags"},
        },
        "kosten": {
            "type": "array",
            "title": "Ausgaben",
            "minItems": 1,
            "maxItems": 20,
            "items": {
                "type": "object",
                "required": ["art", "betrag"],
                "properties": {
                    "art": {
                        "type": "string",
                        "title": "Kostenart",
                        "enum": ["Software", "Personal", "Schulung"],
                    },
                    "wofuer": {"type": "string", "title": "Wofür?", "maxLength": 100},
                    "betrag": {
                        "type": "string",
                        "format": "betrag",
                        "title": "Betrag",
                        "formatMinimum": "0.01",
                        "formatMaximum": "5000000.00",
                    },
                },
            },
        },
        "finanzierung": {
            "type": "array",
            "title": "Finanzierung",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["quelle", "betrag"],
                "properties": {
                    "betrag": {"type": "string", "format": "betrag", "title": "Betrag"},
                    "quelle": {"type": "string", "title": "Quelle"},
                },
            },
        },
        "anlage": {"type": "object", "format": "datei", "title": "Projektbeschreibung"},
        "weitere": {
            "type": "array",
            "title": "Weitere Anlagen",
            "maxItems": 3,
            "items": {"type": "object", "format": "datei"},
        },
        "erklaerung": {"type": "boolean", "const": True, "title": "Das Vorhaben hat noch nicht begonnen."},
        "iban": {"type": "string", "format": "iban", "title": "IBAN"},
        "email": {"type": "string", "format": "email", "title": "E-Mail"},
    },
}


def control(scope: str, **options: Any) -> dict[str, Any]:
    """A control for a property of the root (``vorhaben/titel`` for a nested one)."""
    pointer = "#/properties/" + scope.replace("/", "/properties/")
    return {"type": "Control", "scope": pointer} | ({"options": options} if options else {})


GRANT_UI: dict[str, Any] = {
    "type": "Categorization",
    "pruefungen": [
        {
            "wenn-nicht": 'summe(kosten, "betrag") == summe(finanzierung, "betrag")',
            "feld": "#/properties/finanzierung",
            "meldung": "Die Finanzierung muss so hoch sein wie die Ausgaben.",
        },
        {
            "wenn-nicht": "vorhaben.beginn <= vorhaben.ende",
            "feld": "#/properties/vorhaben/properties/ende",
            "meldung": "Das Ende liegt vor dem Beginn.",
        },
    ],
    "elements": [
        {
            "type": "Category",
            "label": "Vorhaben",
            "options": {"einleitung": "Beschreiben Sie, was Sie vorhaben."},
            "elements": [
                control("vorhaben/titel", beispiel="Gemeinsames Dokumentenmanagement"),
                control("vorhaben/ziel", multi=True, fehlt="Schreiben Sie, was Sie erreichen wollen."),
                control("vorhaben/bereich", format="radio"),
                {
                    "type": "Group",
                    "label": "Zeitraum",
                    "elements": [control("vorhaben/beginn"), control("vorhaben/ende")],
                },
                control("vorhaben/themen"),
            ],
        },
        {
            "type": "Category",
            "label": "Partner",
            "elements": [
                control("kooperation", format="radio"),
                {
                    **control("partner"),
                    "rule": {
                        "effect": "SHOW",
                        "condition": {"scope": "#/properties/kooperation", "schema": {"const": True}},
                    },
                },
            ],
        },
        {
            "type": "Category",
            "label": "Kosten und Finanzierung",
            "options": {"key": "kosten"},
            "elements": [
                {"type": "Label", "text": "Mit Mehrwertsteuer."},
                control("kosten", sum="betrag"),
                control(
                    "finanzierung",
                    sum="betrag",
                    zeile="Quelle",
                    detail={"elements": [control("quelle", vorbelegung="konto.name"), control("betrag")]},
                ),
            ],
        },
        {
            "type": "Category",
            "label": "Anlagen und Erklärungen",
            "elements": [
                control("anlage", maxBytes=2_000_000),
                control("weitere", accept=["application/pdf", "image/png"]),
                control("erklaerung"),
                control("iban", vorbelegung="konto.iban"),
                control("email", vorbelegung="konto.email", autocomplete="email"),
            ],
        },
    ],
}

GRANT_ANSWERS: Answers = {
    "vorhaben": {
        "titel": "Gemeinsames Dokumentenmanagement",
        "ziel": "Drei Rathäuser führen ihre Akten digital.",
        "bereich": "verwaltung",
        "beginn": "2021-08-01",
        "ende": "2023-07-31",
        "themen": ["Akte", "Portal"],
    },
    "kooperation": True,
    "partner": ["06532001", "06532015"],
    "kosten": [
        {"art": "Software", "wofuer": "Dokumentenmanagement", "betrag": "168900.00"},
        {"art": "Personal", "betrag": "368500.00"},
    ],
    "finanzierung": [
        {"quelle": "Land", "betrag": "483660.00"},
        {"quelle": "Ehringshausen", "betrag": "53740.00"},
    ],
    "anlage": FILE,
    "erklaerung": True,
    "iban": "DE02120300000000202051",
}


def grant() -> Form:
    """The grant form, loaded anew."""
    return Form.load(GRANT_SCHEMA, GRANT_UI)


def answers(**changes: Any) -> Answers:
    """Good answers of the grant form, with changes at the root."""
    return deepcopy(GRANT_ANSWERS) | changes


def small(properties: dict[str, Any], *controls: dict[str, Any], required: tuple[str, ...] = ()) -> Form:
    """A form of one page with these properties; without controls each gets a plain one."""
    shown = list(controls) or [control(key) for key in properties]
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return Form.load(schema, pages(*shown))


def pages(*controls: dict[str, Any]) -> dict[str, Any]:
    """A UI schema of one page."""
    page = {"type": "Category", "label": "Seite", "elements": list(controls)}
    return {"type": "Categorization", "elements": [page]}
