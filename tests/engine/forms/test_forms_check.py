import json
import re
from copy import deepcopy
from typing import Any

import pytest
from form_examples import GRANT_ANSWERS, GRANT_SCHEMA, answers, control, grant, small
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from rathaus.engine.forms import Form, FormError
from rathaus.engine.forms.formats import FORMATS

GRANT = grant()
PUBLISHED = Draft202012Validator(GRANT_SCHEMA, formats=FORMATS, validate_formats=True)


def paths(value: Any) -> list[str]:
    return [error.path for error in GRANT.check(value)]


def test_good_answers_pass() -> None:
    assert GRANT.check(GRANT_ANSWERS) == ()


def test_all_that_is_missing_is_named_in_the_order_of_the_pages() -> None:
    assert paths({}) == [
        "vorhaben.titel",
        "vorhaben.ziel",
        "vorhaben.bereich",
        "vorhaben.beginn",
        "vorhaben.ende",
        "kosten",
        "finanzierung",
        "anlage",
        "erklaerung",
    ]
    assert GRANT.check({"vorhaben": None}) == GRANT.check({})


def test_null_is_no_answer() -> None:
    assert paths(answers(iban=None, partner=None)) == []
    assert paths(answers(kosten=[{"art": "Software", "wofuer": None, "betrag": "537400.00"}])) == []


def test_own_sentences_go_first() -> None:
    assert GRANT.check({})[1].message == "Schreiben Sie, was Sie erreichen wollen."


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"zusatz": 1}, "zusatz", "Die Angabe „zusatz“ gehört nicht zu diesem Formular."),
        ({"erklaerung": False}, "erklaerung", "Kreuzen Sie an: „Das Vorhaben hat noch nicht begonnen.“"),
        (
            {"erklaerung": "ja"},
            "erklaerung",
            "Bei „Das Vorhaben hat noch nicht begonnen.“ wird Ja oder Nein erwartet.",
        ),
        ({"vorhaben": "x"}, "vorhaben", "Bei „vorhaben“ wird eine Gruppe von Angaben erwartet."),
        ({"kosten": "x"}, "kosten", "Bei „Ausgaben“ wird eine Liste erwartet."),
        ({"kosten": [3]}, "kosten.0", "Bei „Ausgaben“ wird eine Gruppe von Angaben erwartet."),
        (
            {"iban": "DE0212"},
            "iban",
            "„DE0212“ passt nicht bei „IBAN“. Schreiben Sie zum Beispiel DE02120300000000202051.",
        ),
        (
            {"partner": ["06532001"] * 2},
            "partner",
            "Bei „Partner“ steht eine Angabe doppelt. Nennen Sie jede nur einmal.",
        ),
        (
            {"partner": [f"065320{n:02}" for n in range(6)]},
            "partner",
            "Bei „Partner“ sind höchstens 5 Angaben möglich, es sind 6.",
        ),
        ({"anlage": {"name": "x"}}, "anlage", "Die Angabe bei „Projektbeschreibung“ passt nicht."),
        (
            {"anlage": GRANT_ANSWERS["anlage"] | {"sha256": "../../etc/passwd"}},
            "anlage",
            "Die Angabe bei „Projektbeschreibung“ passt nicht.",
        ),
        ({"kosten": []}, "kosten", "Tragen Sie bei „Ausgaben“ mindestens eine Zeile ein."),
    ],
)
def test_sentences(changes: dict[str, Any], path: str, message: str) -> None:
    found = GRANT.check(answers(**changes))
    assert [error.message for error in found if error.path == path] == [message]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"betrag": "0.00"}, "„Betrag“ muss mindestens 0,01\u00a0€ sein."),
        ({"betrag": "-5.00"}, "„Betrag“ muss mindestens 0,01\u00a0€ sein."),
        ({"betrag": "5000000.01"}, "„Betrag“ muss höchstens 5.000.000,00\u00a0€ sein."),
        ({"betrag": "1234,56"}, "„1234,56“ passt nicht bei „Betrag“. Schreiben Sie zum Beispiel 1234.56."),
        ({"betrag": "1234.5"}, "„1234.5“ passt nicht bei „Betrag“. Schreiben Sie zum Beispiel 1234.56."),
        ({"betrag": 1234.56}, "Bei „Betrag“ wird ein Text erwartet."),
        ({"betrag": "NaN"}, "„NaN“ passt nicht bei „Betrag“. Schreiben Sie zum Beispiel 1234.56."),
    ],
)
def test_amounts_are_exact(row: dict[str, Any], message: str) -> None:
    found = GRANT.check(answers(kosten=[{"art": "Software"} | row]))
    assert [(error.path, error.message) for error in found] == [("kosten.0.betrag", message)]


def test_money_without_bounds_is_not_negative() -> None:
    form = small({"a": {"type": "string", "format": "betrag", "title": "A"}})
    assert [error.message for error in form.check({"a": "-1.00"})] == [
        "„A“ muss mindestens 0,00\u00a0€ sein."
    ]
    assert form.check({"a": "0.00"}) == ()


def test_unknown_names_inside_are_refused_where_they_are() -> None:
    rows = [{"art": "Software", "betrag": "537400.00", "rabatt": "1.00"}]
    assert paths(answers(kosten=rows)) == ["kosten.0.rabatt"]
    assert paths(answers(vorhaben=GRANT_ANSWERS["vorhaben"] | {"x": 1})) == ["vorhaben.x"]


def test_empty_rows_do_not_count_and_the_others_keep_their_numbers() -> None:
    rows = [{}, {"art": "", "betrag": None}, {"art": "Software"}, {}]
    assert paths(answers(kosten=rows)) == ["kosten.2.betrag"]


def test_cross_checks_wait_until_the_fields_are_right() -> None:
    late = GRANT_ANSWERS["vorhaben"] | {"ende": "2021-07-31"}
    assert [error.message for error in GRANT.check(answers(vorhaben=late))] == [
        "Das Ende liegt vor dem Beginn."
    ]
    wrong = GRANT_ANSWERS["vorhaben"] | {"ende": "31.07.2021"}
    assert paths(answers(vorhaben=wrong)) == ["vorhaben.ende"]
    assert paths(answers(finanzierung=[{"quelle": "Land", "betrag": "1.00"}])) == ["finanzierung"]


def cross(condition: str) -> Form:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "format": "betrag", "title": "A"},
            "b": {"type": "string", "format": "betrag", "title": "B"},
        },
    }
    page = {"type": "Category", "label": "S", "elements": [control("a"), control("b")]}
    rule = {"wenn-nicht": condition, "feld": "#/properties/a", "meldung": "So nicht."}
    return Form.load(schema, {"type": "Categorization", "elements": [page], "pruefungen": [rule]})


def test_a_cross_check_that_cannot_be_decided_does_not_pass() -> None:
    form = cross("1 / b > 0")
    assert [error.message for error in form.check({"a": "1.00", "b": "0.00"})] == ["So nicht."]
    assert form.check({"a": "1.00"}) == ()


def test_a_cross_check_can_ask_for_empty_fields() -> None:
    form = cross("leer(a) or not leer(b)")
    assert form.check({}) == ()
    assert form.check({"a": "1.00"})
    assert form.check({"a": "1.00", "b": "1.00"}) == ()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "kein Objekt"),
        (None, "kein Objekt"),
        ("x", "kein Objekt"),
        ({"iban": "x" * 1_100_000}, "zu umfangreich"),
        ({"iban": "a\x00b"}, "nicht speichern"),
        ({"iban": "\ud800"}, "nicht speichern"),
        ({"a\x00": 1}, "nicht speichern"),
        ({"iban": float("nan")}, "kein JSON"),
        ({"iban": 10**5000}, "kein JSON"),
        ({"iban": object()}, "kein JSON"),
        ({"a": [[[[[[[[[1]]]]]]]]]}, "verschachtelt"),
    ],
)
def test_what_cannot_be_stored_is_refused_whole(value: Any, message: str) -> None:
    (error,) = GRANT.check(value)
    assert error.path == ""
    assert message in error.message


def test_deep_nesting_is_no_crash() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    (error,) = GRANT.check({"a": deep})
    assert "verschachtelt" in error.message


def test_numbers_stay_exact() -> None:
    form = small(
        {"a": {"type": "number", "title": "A", "multipleOf": 0.01}, "b": {"type": "integer", "title": "B"}}
    )
    for cents in range(0, 100_000, 7):
        assert form.check({"a": cents / 100}) == ()
    assert form.check({"a": 0.005})
    assert "zu groß" in form.check({"b": 10**15})[0].message
    assert "zu groß" in form.check({"a": 1e300})[0].message
    assert form.check({"b": True})[0].message == "Bei „B“ wird eine ganze Zahl erwartet."


def test_patterns_of_a_package_run_in_linear_time() -> None:
    schema = {"type": "string", "title": "A", "pattern": "^a*a*a*a*a*a*b$", "maxLength": 5000}
    form = small({"a": schema}, control("a", fehler="Nur a, dann b."))
    assert form.check({"a": "a" * 5000})[0].message == "Nur a, dann b."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path] + [inner for key in keys for inner in places(value[key], (*path, key))]


ENGLISH = re.compile(r"\b(is|not|required|valid|schema|expected|property|None|True|False)\b")


@settings(max_examples=400, deadline=None)
@given(spot=st.sampled_from(places(GRANT_ANSWERS)[1:]), junk=JSON)
def test_whatever_is_sent_is_judged_in_german_and_never_a_crash(spot: tuple[Any, ...], junk: Any) -> None:
    spoiled = deepcopy(GRANT_ANSWERS)
    target: Any = spoiled
    for key in spot[:-1]:
        target = target[key]
    target[spot[-1]] = junk
    for error in GRANT.check(spoiled):
        quoted = re.sub(r"„[^“]*“", "", error.message)
        assert error.message
        assert not ENGLISH.search(quoted)
    GRANT.applicable(spoiled)
    GRANT.summary(spoiled)
    GRANT.sums(spoiled)
    GRANT.typed(spoiled)
    for page in GRANT.pages:
        GRANT.view(page, spoiled)


@settings(max_examples=200, deadline=None)
@given(spot=st.sampled_from(places(GRANT_ANSWERS)[1:]), junk=JSON)
def test_what_passes_is_clean_and_stays_so(spot: tuple[Any, ...], junk: Any) -> None:
    spoiled = deepcopy(GRANT_ANSWERS)
    target: Any = spoiled
    for key in spot[:-1]:
        target = target[key]
    target[spot[-1]] = junk
    if GRANT.check(spoiled):
        return
    cleaned = GRANT.clean(spoiled)
    assert GRANT.check(cleaned) == ()
    assert GRANT.clean(cleaned) == cleaned
    assert json.loads(json.dumps(cleaned)) == cleaned
    # Nothing passes here that the published schema, read by anybody else, refuses.
    assert PUBLISHED.is_valid(cleaned)


NAMES = st.sampled_from(
    [
        f"{path}{tail}"
        for path in GRANT.items
        for tail in ("", ".0", ".0.betrag", ".1.art", ".tag", ".jahr", ".-1", ".00.x")
    ]
    + ["add", "remove", "", ".", "..", "kosten.999999999999999999999.art"]
)
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["1", "kosten", "kosten.0", "partner", "on", "true", "1,234", "06532001"]
)


@settings(max_examples=300, deadline=None)
@given(
    data=st.dictionaries(NAMES, st.lists(TEXTS, max_size=3), max_size=8),
    page=st.sampled_from(GRANT.pages),
    draft=st.sampled_from([{}, GRANT_ANSWERS, {"kosten": 3, "vorhaben": [], "partner": {}, "anlage": "x"}]),
)
def test_any_post_is_read_and_nothing_typed_is_lost_silently(
    data: dict[str, list[str]], page: Any, draft: dict[str, Any]
) -> None:
    before = deepcopy(draft)
    reading = GRANT.read(page, data, {}, draft)
    assert draft == before
    GRANT.view(page, draft, reading)
    applying = GRANT.applicable(reading.answers)
    if not reading.rows_changed:
        for name in reading.raw:
            root = next(path for path in GRANT.items if name == path or name.startswith(f"{path}."))
            assert root not in applying or any(error.path.startswith(root) for error in reading.errors)
    assert json.loads(json.dumps(reading.answers)) == reading.answers


def test_a_refusal_lists_its_problems() -> None:
    assert FormError(("eins", "zwei")).problems == ("eins", "zwei")
    assert str(FormError(("eins", "zwei"))) == "eins; zwei"


@pytest.mark.parametrize(("count", "rows"), [(0, 1), (7, 1), (None, 0)])
def test_a_row_with_the_number_zero_is_no_empty_row(count: int | None, rows: int) -> None:
    columns = {"anzahl": {"type": "integer", "title": "Anzahl"}}
    table = {"type": "array", "title": "Posten", "items": {"type": "object", "properties": columns}}
    form = small({"posten": table})
    assert len(form.clean({"posten": [{"anzahl": count}]}).get("posten", [])) == rows
