from copy import deepcopy
from typing import Any

import pytest
from form_examples import GRANT_SCHEMA, GRANT_UI, control, grant, pages, small
from hypothesis import given, settings
from hypothesis import strategies as st

from rathaus.engine.forms import Field, Form, FormError, Group, Kind, Table
from rathaus.engine.forms.layout import slug
from rathaus.engine.forms.patterns import problem_with

TEXT = {"type": "string", "title": "Name"}


def problems(schema: Any, ui: Any) -> str:
    with pytest.raises(FormError) as refusal:
        Form.load(schema, ui)
    assert refusal.value.problems
    return "\n".join(refusal.value.problems)


def schema_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_a_form_knows_its_pages_and_fields() -> None:
    form = grant()
    assert [page.key for page in form.pages] == ["vorhaben", "partner", "kosten", "anlagen-und-erklaerungen"]
    assert form.page("kosten").title == "Kosten und Finanzierung"
    assert form.page("vorhaben").intro == "Beschreiben Sie, was Sie vorhaben."
    with pytest.raises(KeyError):
        form.page("nichts")
    assert form.find("kosten.7.betrag") is form.items["kosten"].columns[2]
    assert form.find("vorhaben.titel") is form.items["vorhaben.titel"]
    assert form.find("vorhaben") is None
    kinds = {path: item.kind for path, item in form.items.items() if isinstance(item, Field)}
    assert kinds == {
        "vorhaben.titel": Kind.TEXT,
        "vorhaben.ziel": Kind.TEXTAREA,
        "vorhaben.bereich": Kind.CHOICE,
        "vorhaben.beginn": Kind.DATE,
        "vorhaben.ende": Kind.DATE,
        "vorhaben.themen": Kind.CHOICES,
        "kooperation": Kind.YES_NO,
        "partner": Kind.AUTHORITIES,
        "anlage": Kind.FILE,
        "weitere": Kind.FILES,
        "erklaerung": Kind.CHECKBOX,
        "iban": Kind.IBAN,
        "email": Kind.EMAIL,
    }
    period = form.page("vorhaben").elements[3]
    assert isinstance(period, Group)
    assert period.label == "Zeitraum"
    costs = form.items["finanzierung"]
    assert isinstance(costs, Table)
    assert [column.key for column in costs.columns] == ["quelle", "betrag"]
    assert (costs.noun, costs.sum_column, costs.min_rows, costs.max_rows) == ("Quelle", "betrag", 1, 100)
    assert costs.key == "finanzierung"
    assert costs.columns[1].key == "betrag"


def test_required_properties_are_the_fields_that_are_not_optional() -> None:
    items = grant().items
    assert not items["vorhaben.titel"].optional
    assert items["vorhaben.themen"].optional
    assert items["iban"].optional


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ([], "Objekt"),
        ({}, "Objekt"),
        ({"type": "object"}, "keine Eigenschaften"),
        ({"type": "object", "properties": []}, "keine Eigenschaften"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", **schema_of(a=TEXT)}, "folgen"),
        (schema_of(a=TEXT) | {"required": ["b"]}, "„b“ gibt es nicht"),
        (schema_of(a=TEXT) | {"required": "a"}, "keine Liste"),
        (schema_of(a=TEXT) | {"additionalProperties": True}, "kann nur false"),
        (schema_of(a=TEXT) | {"if": {}}, "„if“ wird bei „object“ nicht unterstützt"),
        (schema_of(a={"$ref": "https://example.org/x"}), "Typ „None“"),
        (schema_of(a={"type": ["string", "null"]}), "nicht unterstützt"),
        (schema_of(a={"type": {}}), "nicht unterstützt"),
        (schema_of(a="x"), "Schema erwartet"),
        (schema_of(A=TEXT), "kleinen Buchstaben"),
        (schema_of(add=TEXT), "„add“"),
        (schema_of(a__b=TEXT), "„a__b“"),
        (schema_of(a=TEXT | {"format": "uri"}), "Format „uri“"),
        (schema_of(a=TEXT | {"format": "datei"}), "Format „datei“"),
        (schema_of(a=TEXT | {"default": "x"}), "„default“"),
        (schema_of(a=TEXT | {"title": 1}), "„title“ ist kein Text"),
        (schema_of(a=TEXT | {"maxLength": 10**9}), "„maxLength“"),
        (schema_of(a=TEXT | {"minLength": "3"}), "„minLength“"),
        (schema_of(a=TEXT | {"minLength": True}), "„minLength“"),
        (schema_of(a=TEXT | {"enum": []}), "Auswahl hat 1 bis"),
        (schema_of(a=TEXT | {"enum": ["a", "a"]}), "zweimal"),
        (schema_of(a=TEXT | {"enum": ["a", 1]}), "passend zu"),
        (schema_of(a=TEXT | {"enum": [str(n) for n in range(501)]}), "Auswahl hat 1 bis"),
        (schema_of(a={"type": "integer", "enum": [True]}), "passend zu"),
        (schema_of(a=TEXT | {"oneOf": [{"type": "string"}]}), "„const“ und „title“"),
        (schema_of(a={"type": "boolean", "const": False}), "nur true"),
        (schema_of(a={"type": "number", "minimum": "1"}), "„minimum“ ist keine Zahl"),
        (schema_of(a={"type": "number", "multipleOf": 0}), "nicht größer als null"),
        (schema_of(a=TEXT | {"format": "betrag", "formatMinimum": "1,50"}), "passt nicht zum Format"),
        (schema_of(a=TEXT | {"format": "date", "formatMaximum": "2021-02-30"}), "passt nicht zum Format"),
        (schema_of(a=TEXT | {"pattern": "(a+)+$"}), "Wiederholung"),
        (schema_of(a=TEXT | {"pattern": "(a)\\1"}), "Rückbezüge"),
        (schema_of(a=TEXT | {"pattern": "["}), "Rückbezüge"),
        (schema_of(a=TEXT | {"pattern": "a" * 201}), "länger als"),
        (schema_of(a={"type": "array"}), "fehlt „items“"),
        (schema_of(a={"type": "array", "maxItems": 10**6, "items": TEXT}), "„maxItems“"),
        (
            schema_of(
                a={"type": "array", "items": schema_of(b={"type": "array", "items": schema_of(c=TEXT)})}
            ),
            "Tabelle in einer Tabelle",
        ),
        (
            schema_of(a={"type": "array", "items": schema_of(b={"type": "object", "format": "datei"})}),
            "Datei",
        ),
        (schema_of(a=schema_of(a=schema_of(a=schema_of(a=schema_of(a=TEXT))))), "verschachtelt"),
    ],
)
def test_bad_schemas_are_refused_with_the_reason(schema: Any, reason: str) -> None:
    assert reason in problems(schema, pages(control("a")))


def ruled(condition: Any, effect: str = "SHOW") -> dict[str, Any]:
    return pages(control("a") | {"rule": {"effect": effect, "condition": condition}})


def checked(condition: str, field: str = "#/properties/a") -> dict[str, Any]:
    return pages(control("a")) | {"pruefungen": [{"wenn-nicht": condition, "feld": field, "meldung": "x"}]}


A = "#/properties/a"


@pytest.mark.parametrize(
    ("ui", "reason"),
    [
        ({}, "Categorization"),
        ({"type": "Categorization"}, "keine Liste von Elementen"),
        ({"type": "Categorization", "elements": []}, "1 bis 30 Seiten"),
        ({"type": "Categorization", "elements": [3]}, "keine Liste von Elementen"),
        ({"type": "Categorization", "elements": [{"type": "Group"}]}, "Category"),
        ({"type": "Categorization", "elements": [{"type": "Category", "elements": []}]}, "fehlt „label“"),
        (pages(), "keine Felder"),
        (pages(control("a"), control("a")), "steht schon"),
        (pages(control("b")), "gibt es im Schema nicht"),
        (pages({"type": "Control", "scope": "#/properties/__class__"}), "gibt es im Schema nicht"),
        (pages({"type": "Control"}), "gibt es im Schema nicht"),
        (pages(control("a") | {"enabled": False}), "„enabled“ wird bei „Control“ nicht unterstützt"),
        (pages(control("a", hinweiss="x")), "options.hinweiss"),
        (pages(control("a", hinweis=3)), "falschen Typ"),
        (pages(control("a") | {"options": []}), "kein Objekt"),
        (pages(control("a", format="radio")), "nur bei Auswahl"),
        (pages(control("a", maxBytes=10)), "nur für Dateien"),
        (pages(control("a"), {"type": "ListWithDetail"}), "„ListWithDetail“"),
        (pages(control("a"), {"type": "Label"}), "fehlt „text“"),
        (ruled({}, "DISABLE"), "SHOW oder HIDE"),
        (ruled(None), "Bedingung"),
        (ruled({"scope": "#/properties/x", "schema": {"const": 1}}), "gibt es im Schema nicht"),
        (ruled({"scope": A, "schema": {}}), "kein Schema"),
        (ruled({"scope": A, "schema": {"$ref": "file:///etc/passwd"}}), "„$ref“"),
        (ruled({"scope": A, "schema": {"pattern": "(a+)+"}}), "Wiederholung"),
        (ruled({"scope": A, "schema": {"type": "quatsch"}}), "nicht gültig"),
        (ruled({"scope": A, "schema": {"const": "x"}}), "im Kreis"),
        (ruled({"type": "AND", "conditions": []}), "1 bis 20"),
        (ruled({"type": "XOR", "scope": A, "schema": {"const": 1}}), "nur „scope“ und „schema“"),
        (pages(control("a")) | {"pruefungen": {}}, "keine Liste"),
        (pages(control("a")) | {"pruefungen": [{}]}, "Prüfung 1"),
        (checked("().__class__"), "Prüfung 1"),
        (checked("b == 1"), "„b“ gibt es im Formular nicht"),
        (checked("a == 'x'", "#/properties/c"), "gibt es nicht"),
    ],
)
def test_bad_pages_are_refused_with_the_reason(ui: Any, reason: str) -> None:
    assert reason in problems(schema_of(a=TEXT), ui)


def test_every_property_needs_its_place() -> None:
    schema = schema_of(a=TEXT, b=TEXT, c=TEXT) | {"required": ["b"]}
    found = problems(schema, pages(control("a")))
    assert "Die Pflichtangabe „b“ steht auf keiner Seite." in found
    assert "Die Eigenschaft „c“ steht auf keiner Seite." in found


def test_all_problems_come_at_once_each_with_its_place() -> None:
    schema = schema_of(a=TEXT | {"format": "x"}, b={"type": "null"})
    found = problems(schema, pages()).splitlines()
    assert len(found) == 2
    assert found[0].startswith("Schema #/properties/a: ")
    assert found[1].startswith("Schema #/properties/b: ")


def test_a_field_needs_words() -> None:
    assert "fehlt „label“" in problems(schema_of(a={"type": "string"}), pages(control("a")))
    form = small({"a": {"type": "string"}}, control("a") | {"label": "Von hier"})
    assert form.items["a"].label == "Von hier"


def test_a_pattern_needs_a_sentence() -> None:
    schema = schema_of(a=TEXT | {"pattern": "^[0-9]{5}$"})
    assert "options.fehler" in problems(schema, pages(control("a")))
    Form.load(schema, pages(control("a", fehler="Eine Postleitzahl hat fünf Ziffern.")))


def test_lists_are_of_choices_authorities_files_or_rows() -> None:
    assert "Listen gibt es" in problems(
        schema_of(a={"type": "array", "title": "A", "items": TEXT}), pages(control("a"))
    )
    no_unique = schema_of(a={"type": "array", "title": "A", "items": TEXT | {"enum": ["x"]}})
    assert "uniqueItems" in problems(no_unique, pages(control("a")))


def test_tables_name_their_columns() -> None:
    schema = schema_of(t={"type": "array", "title": "T", "items": schema_of(a=TEXT, b=TEXT)})
    assert "keine Spalte mit Beträgen" in problems(schema, pages(control("t", sum="a")))
    assert "„b“ fehlt" in problems(schema, pages(control("t", detail={"elements": [control("a")]})))
    twice = {"elements": [control("a"), control("a"), control("b")]}
    assert "oder zweimal" in problems(schema, pages(control("t", detail=twice)))
    assert "ohne Regel" in problems(schema, pages(control("t", detail={"elements": [{"type": "Label"}]})))


def test_two_pages_need_two_keys() -> None:
    page = {"type": "Category", "label": "Seite", "elements": [control("a")]}
    other = {"type": "Category", "label": "Seite", "elements": [control("b")]}
    schema = schema_of(a=TEXT, b=TEXT)
    assert "Zwei Seiten" in problems(schema, {"type": "Categorization", "elements": [page, other]})
    other["options"] = {"key": "zweite"}
    form = Form.load(schema, {"type": "Categorization", "elements": [page, other]})
    assert [page.key for page in form.pages] == ["seite", "zweite"]


def test_definitions_are_bounded() -> None:
    many = {f"f{n}": TEXT for n in range(401)}
    assert "mehr als 400 Felder" in problems(schema_of(**many), pages(*map(control, many)))
    deep: dict[str, Any] = control("a")
    for _ in range(10):
        deep = {"type": "Group", "label": "G", "elements": [deep]}
    assert "verschachtelt" in problems(schema_of(a=TEXT), pages(deep))
    assert "größer als" in problems(schema_of(a=TEXT | {"description": "x" * 600_000}), pages(control("a")))
    endless: dict[str, Any] = {}
    endless["elements"] = [endless]
    assert "kein JSON" in problems(schema_of(a=TEXT), endless)


@pytest.mark.parametrize(
    "pattern",
    ["^[0-9]{5}$", "^[A-Z]{2}(-[0-9]+)?$", "^(ab|cd)$", "a[(+*)]+", r"\(a+\)+", "^[]a+]+$", "(a?b)?c*"],
)
def test_ordinary_patterns_pass(pattern: str) -> None:
    assert problem_with(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(a|aa)+",
        "((a+)b)*",
        "(a{2,}){3,}",
        "(?:x+x+)+y",
        "([a-z]+)*",
        "(?=a)b",
        "",
        None,
        3,
    ],
)
def test_explosive_patterns_do_not(pattern: object) -> None:
    assert problem_with(pattern)


@pytest.mark.parametrize(
    ("title", "key"),
    [("Kosten und Finanzierung", "kosten-und-finanzierung"), ("Über Größe!", "ueber-groesse"), ("§§", "")],
)
def test_keys_of_pages(title: str, key: str) -> None:
    assert slug(title) == key


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path] + [inner for key in keys for inner in places(value[key], (*path, key))]


SPOTS = [(0, *path) for path in places(GRANT_SCHEMA)] + [(1, *path) for path in places(GRANT_UI)]


@settings(max_examples=300, deadline=None)
@given(spot=st.sampled_from(SPOTS), junk=JSON)
def test_whatever_stands_anywhere_is_loaded_or_refused(spot: tuple[Any, ...], junk: Any) -> None:
    """Neither a crash nor a form that fails later: a spoiled definition loads and works, or is refused."""
    both: list[Any] = [deepcopy(GRANT_SCHEMA), deepcopy(GRANT_UI)]
    target = both
    for key in spot[:-1]:
        target = target[key]
    target[spot[-1]] = junk
    try:
        form = Form.load(both[0], both[1])
    except FormError:
        return
    for page in form.pages:
        form.read(page, {}, {}, {})
        form.view(page, {})
    form.check({})
    form.summary({})
