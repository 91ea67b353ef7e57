"""What two sets of answers tell differently."""

from __future__ import annotations

from typing import Any

from rathaus.engine.forms import Form
from rathaus.engine.forms.differences import Difference, differences

FORM = Form.load(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["titel"],
        "properties": {
            "titel": {"type": "string", "maxLength": 100},
            "partner": {"type": "array", "items": {"type": "string", "format": "ags"}},
            "plan": {"type": "object", "format": "datei"},
            "kosten": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["wofuer", "betrag"],
                    "properties": {
                        "wofuer": {"type": "string", "maxLength": 50},
                        "betrag": {"type": "string", "format": "betrag"},
                    },
                },
            },
        },
    },
    {
        "type": "Categorization",
        "elements": [
            {
                "type": "Category",
                "label": "Vorhaben",
                "elements": [
                    {"type": "Control", "scope": "#/properties/titel", "label": "Titel"},
                    {"type": "Control", "scope": "#/properties/partner", "label": "Partner"},
                    {"type": "Control", "scope": "#/properties/plan", "label": "Plan"},
                    {
                        "type": "Control",
                        "scope": "#/properties/kosten",
                        "label": "Kosten",
                        "options": {
                            "sum": "betrag",
                            "detail": {
                                "type": "VerticalLayout",
                                "elements": [
                                    {"type": "Control", "scope": "#/properties/wofuer", "label": "Wofür"},
                                    {"type": "Control", "scope": "#/properties/betrag", "label": "Betrag"},
                                ],
                            },
                        },
                    },
                ],
            }
        ],
    },
)


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[Difference]:
    return list(
        differences(FORM, before, now, authority_name=lambda key: {"06532015": "Lahnau"}.get(key, key))
    )


def row(what: str, amount: str) -> dict[str, str]:
    return {"wofuer": what, "betrag": amount}


def test_nothing_changed() -> None:
    answers = {"titel": "A", "kosten": [row("X", "1.00")]}
    assert changed(answers, dict(answers)) == []


def test_a_field_and_one_that_came_and_one_that_went() -> None:
    found = changed({"titel": "A", "partner": ["06532015"]}, {"titel": "B", "kosten": [row("X", "1.00")]})
    assert [(one.label, one.before, one.now) for one in found] == [
        ("Titel", ("A",), ("B",)),
        ("Partner", ("Lahnau",), ()),
        ("Kosten", ("Summe 0,00\u00a0€",), ("X · 1,00\u00a0€", "Summe 1,00\u00a0€")),
    ]
    assert {one.section for one in found} == {"Vorhaben"}


def test_of_a_table_only_the_rows_that_differ() -> None:
    before = {"titel": "A", "kosten": [row("X", "1.00"), row("Y", "2.00"), row("Y", "2.00")]}
    now = {"titel": "A", "kosten": [row("X", "1.00"), row("Y", "2.00"), row("Z", "9.00")]}
    (found,) = changed(before, now)
    assert [line.split(" ")[0] for line in found.before] == ["Y", "Summe"]
    assert [line.split(" ")[0] for line in found.now] == ["Z", "Summe"]


def test_another_order_is_a_change_too() -> None:
    (found,) = changed(
        {"titel": "A", "kosten": [row("X", "1.00"), row("Y", "2.00")]},
        {"titel": "A", "kosten": [row("Y", "2.00"), row("X", "1.00")]},
    )
    assert len(found.before) == len(found.now) == 3


def test_another_file_of_the_same_name_and_size_is_a_change() -> None:
    file = {"name": "plan.pdf", "sha256": "a" * 64, "size": 9, "media_type": "application/pdf"}
    (found,) = changed({"titel": "A", "plan": file}, {"titel": "A", "plan": {**file, "sha256": "b" * 64}})
    assert found.label == "Plan"
    assert found.before == found.now
