"""A package's form for its parameters: checked whole when the package is, and true to the letter both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.packages import MANIFEST, probe

from rathaus.casework.services import parameters
from rathaus.casework.services.packages import PackageRefused, compile_package
from rathaus.casework.services.parameters import generic, same

OWN = """anschreiben = ""
behoerden = ["municipality", "county"]
jahre = [2021, 2022]
stichtag = "2021-12-31"
streng = true
intern = "bleibt"
[[parameter.kriterien]]
name = "Nutzen"
gewicht = 60
pflicht = true
bemerkung = ""
[[parameter.kriterien]]
name = "Übertragbarkeit"
gewicht = 40
pflicht = false
bemerkung = "zählt doppelt"
"""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["mindestbetrag", "hoechstbetrag", "foerdersatz", "jahre", "streng"],
    "properties": {
        "mindestbetrag": {"type": "string", "format": "betrag"},
        "hoechstbetrag": {"type": "string", "format": "betrag"},
        "foerdersatz": {"type": "integer", "minimum": 1, "maximum": 100},
        "anschreiben": {"type": "string"},
        "behoerden": {
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "enum": ["county", "municipality", "ministry"]},
        },
        "jahre": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["wert"],
                "properties": {"wert": {"type": "integer", "title": "Jahr"}},
            },
        },
        "stichtag": {"type": "string", "format": "date"},
        "streng": {"type": "boolean"},
        "kriterien": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "gewicht"],
                "properties": {
                    "name": {"type": "string", "title": "Kriterium"},
                    "gewicht": {"type": "integer", "title": "Gewicht", "minimum": 1},
                    "pflicht": {"type": "boolean", "title": "Pflicht"},
                    "bemerkung": {"type": "string", "title": "Bemerkung"},
                },
            },
        },
    },
}
LABELS = {name: name.capitalize() for name in SCHEMA["properties"]}


def pages(**more: Any) -> dict[str, Any]:
    controls = [
        {"type": "Control", "scope": f"#/properties/{name}", "label": label} for name, label in LABELS.items()
    ]
    category = {"type": "Category", "label": "Werte", "elements": controls}
    return {"type": "Categorization", "nicht_aenderbar": ["intern"], "elements": [category], **more}


def package_with(schema: Mapping[str, Any] = SCHEMA, ui: Any = None, manifest: str = MANIFEST + OWN) -> Any:
    files = probe(leistung__toml=manifest)
    files |= {parameters.SCHEMA: json.dumps(schema), parameters.UI: json.dumps(ui or pages())}
    return compile_package(files, check_letters=False)


def refused(**given: Any) -> str:
    with pytest.raises(PackageRefused) as told:
        package_with(**given)
    assert all(problem.file in (parameters.UI, parameters.SCHEMA) for problem in told.value.problems)
    return str(told.value)


def test_every_kind_comes_back_to_the_letter() -> None:
    package = package_with()
    form, defaults = package.parameters, package.manifest.parameter
    back = form.values_of(form.answers_of(defaults), {})
    assert same(back, defaults)
    assert form.fixed == ("intern",)
    assert form.words("kriterien", defaults["kriterien"]) == (
        "Nutzen · 60 · Pflicht: ja",
        "Übertragbarkeit · 40 · Pflicht: nein · zählt doppelt",
    )
    assert form.changes(defaults, defaults) == ()
    changed = {**defaults, "jahre": [2021], "streng": False}
    assert [(c.name, c.old, c.new) for c in form.changes(defaults, changed)] == [
        ("jahre", ("2021", "2022"), ("2021",)),
        ("streng", ("Ja",), ("Nein",)),
    ]


def test_ticking_the_same_choice_in_another_order_is_no_change() -> None:
    package = package_with()
    form, defaults = package.parameters, package.manifest.parameter
    answers = {**form.answers_of(defaults), "behoerden": ["county", "municipality"]}
    assert form.values_of(answers, defaults)["behoerden"] == ["municipality", "county"]
    answers["behoerden"] = ["ministry", "county"]
    assert form.values_of(answers, defaults)["behoerden"] == ["county", "ministry"]


def changed(place: str, value: Any) -> dict[str, Any]:
    schema = deepcopy(SCHEMA)
    *way, last = place.split(".")
    inner: Any = schema
    for step in way:
        inner = inner[step]
    inner[last] = value
    return schema


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (changed("properties.foerdersatz.maximum", 80), "leistung.toml, „foerdersatz“"),
        (changed("properties.foerdersatz", {"type": "number"}), "Kommazahlen sind keine Parameter"),
        (changed("properties.foerdersatz", {"type": "string"}), "foerdersatz"),
        (changed("properties.stichtag", {"type": "object", "format": "datei"}), "Dateien"),
        (changed("properties.streng", {"type": "integer"}), "streng"),
        (changed("required", ["mindestbetrag"]), "„foerdersatz“ ist eine Zahl"),
    ],
)
def test_a_form_that_does_not_fit_the_values_is_refused(schema: dict[str, Any], said: str) -> None:
    assert said in refused(schema=schema)


def test_every_parameter_has_a_field_or_is_named() -> None:
    assert "„intern“ steht weder auf einer Seite" in refused(ui=pages(nicht_aenderbar=[]))
    assert "„fremd“ gibt es in leistung.toml nicht" in refused(ui=pages(nicht_aenderbar=["intern", "fremd"]))
    assert "oder es hat ein Feld" in refused(ui=pages(nicht_aenderbar=["intern", "streng"]))
    assert "keine Liste von Namen" in refused(ui=pages(nicht_aenderbar="intern"))
    more = deepcopy(SCHEMA)
    more["properties"]["neu"] = {"type": "string"}
    ui = pages()
    ui["elements"][0]["elements"].append({"type": "Control", "scope": "#/properties/neu", "label": "Neu"})
    assert "Den Parameter „neu“ gibt es in leistung.toml nicht." in refused(schema=more, ui=ui)


def test_one_file_without_the_other_is_refused() -> None:
    for name in (parameters.SCHEMA, parameters.UI):
        with pytest.raises(PackageRefused, match="Zum Formular gehören"):
            compile_package({**probe(), name: "{}"}, check_letters=False)


SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=40),
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.decimals(0, 10**9, places=2).map(lambda amount: f"{amount:.2f}"),
    st.dates().map(str),
)
TEXT = st.text("abc 12,.äß-", min_size=1, max_size=20)
ROWS = st.lists(st.fixed_dictionaries({"name": TEXT, "zahl": st.integers(-99, 99), "frei": st.booleans()}))
VALUES = st.one_of(SCALARS, st.lists(st.integers(0, 3000)), st.lists(TEXT), ROWS)
NAMES = st.text("abcdefgh_0ÄB", min_size=1, max_size=12)


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_a_form_by_kinds_loses_no_value(defaults: dict[str, Any]) -> None:
    """Whatever a manifest gives: each parameter has a field or is fixed, and comes back as it was."""
    form = generic(defaults)
    items = form.form.items if form.form else {}
    assert items.keys() | set(form.fixed) == defaults.keys()
    assert not form.check(defaults)
    assert same(form.values_of(form.answers_of(defaults), {}), defaults)
    assert form.changes(defaults, defaults) == ()
