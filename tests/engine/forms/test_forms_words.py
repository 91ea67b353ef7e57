from datetime import date
from decimal import Decimal

import pytest
from form_examples import GRANT_ANSWERS, answers, control, grant, small

from rathaus.engine.forms import FieldView, GroupView, Reading, SummaryItem, SummaryTable, TableView, Text
from rathaus.engine.forms.values import format_bytes

NAMES = {"06532001": "Aßlar", "06532015": "Leun"}


def test_answers_in_words() -> None:
    sections = grant().summary(GRANT_ANSWERS, authority_name=lambda ags: NAMES.get(ags, ags))
    assert [section.key for section in sections] == [
        "vorhaben",
        "partner",
        "kosten",
        "anlagen-und-erklaerungen",
    ]
    items = {item.path: item for section in sections for item in section.items}
    values = {path: item.value for path, item in items.items() if isinstance(item, SummaryItem)}
    assert values == {
        "vorhaben.titel": "Gemeinsames Dokumentenmanagement",
        "vorhaben.ziel": "Drei Rathäuser führen ihre Akten digital.",
        "vorhaben.bereich": "Verwaltungsdigitalisierung",
        "vorhaben.beginn": "1.\u00a0August 2021",
        "vorhaben.ende": "31.\u00a0Juli 2023",
        "vorhaben.themen": "Akte\nPortal",
        "kooperation": "Ja",
        "partner": "Aßlar\nLeun",
        "anlage": "Projektbeschreibung.pdf (1,2\u00a0MB)",
        "weitere": "Keine Angabe",
        "erklaerung": "Ja",
        "iban": "DE02 1203 0000 0000 2020 51",
        "email": "Keine Angabe",
    }
    assert items["vorhaben.beginn"].group == "Zeitraum"
    costs = items["kosten"]
    assert isinstance(costs, SummaryTable)
    assert costs.columns == ("Kostenart", "Wofür?", "Betrag")
    assert costs.numeric == (False, False, True)
    assert costs.rows[1] == ("Personal", "", "368.500,00\u00a0€")
    assert costs.total == "537.400,00\u00a0€"


def test_a_day_of_any_year_is_read_without_a_year() -> None:
    form = small({"frist": {"type": "string", "format": "jahrestag", "title": "Frist"}}, control("frist"))
    (item,) = form.summary({"frist": "12-03"})[0].items
    assert isinstance(item, SummaryItem)
    assert item.value == "3.\u00a0Dezember"
    shown = form.view(form.pages[0], {"frist": "12-03"})[0]
    assert isinstance(shown, FieldView)
    assert shown.text == "3.12."


def test_sums_say_what_they_leave_out() -> None:
    rows = [
        {"art": "Software", "betrag": "0.10"},
        {},
        {"art": "Personal"},
        {"betrag": "0.20"},
        {"betrag": "1,5"},
    ]
    total = grant().sums(answers(kosten=rows))["kosten"]
    assert total.total == Decimal("0.30")
    assert total.left_out == (3, 5)
    assert grant().sums({})["kosten"].total == Decimal("0.00")


def test_answers_to_calculate_with() -> None:
    typed = grant().typed(answers(kosten=[{"art": "Software", "betrag": "0.10"}, {}]))
    assert typed["vorhaben"]["beginn"] == date(2021, 8, 1)
    assert typed["kosten"] == [{"art": "Software", "wofuer": None, "betrag": Decimal("0.10")}]
    assert typed["email"] is None
    assert typed["weitere"] is None
    nothing = grant().typed({})
    assert nothing["vorhaben"] == dict.fromkeys(["titel", "ziel", "bereich", "beginn", "ende", "themen"])
    assert nothing["kosten"] == []


def test_numbers_are_exact_to_calculate_with() -> None:
    form = small({"a": {"type": "number", "title": "A"}, "b": {"type": "integer", "title": "B"}})
    assert form.typed({"a": 0.1, "b": 3}) == {"a": Decimal("0.1"), "b": 3}
    assert form.typed({"a": True}) == {"a": None, "b": None}


def test_units_stand_behind_the_number() -> None:
    form = small({"a": {"type": "number", "title": "A"}}, control("a", einheit="m²"))
    assert form.summary({"a": 1234.5})[0].items[0].value == "1.234,5\u00a0m²"


def test_prefilling_takes_what_fits() -> None:
    form = grant()
    profile = {"konto": {"iban": "DE02 1203 0000 0000 2020 51", "email": "kein Postfach", "name": "Lahnau"}}
    assert form.prefill(profile) == {"iban": "DE02120300000000202051"}
    assert form.prefill({}) == {}
    assert form.prefill({"konto": {"iban": 3, "email": " "}}) == {}
    assert form.prefill({"konto": "x"}) == {}


def test_a_page_ready_to_be_drawn() -> None:
    form = grant()
    views = form.view(form.page("vorhaben"), GRANT_ANSWERS)
    title, goal, area, period, themes = views
    assert isinstance(title, FieldView)
    assert (title.name, title.id, title.error_id, title.hint_id) == (
        "vorhaben.titel",
        "f-vorhaben-titel",
        "f-vorhaben-titel-fehler",
        "f-vorhaben-titel-hinweis",
    )
    assert title.text == "Gemeinsames Dokumentenmanagement"
    assert goal.field.kind == "textarea"
    assert [(option.value, option.id, option.is_selected) for option in area.options] == [
        ("verwaltung", "f-vorhaben-bereich", True),
        ("umwelt", "f-vorhaben-bereich-1", False),
    ]
    assert area.options[1].hint == "Luft, Wasser, Boden"
    assert isinstance(period, GroupView)
    begin = period.elements[0]
    assert isinstance(begin, FieldView)
    assert [(entry.name, entry.label, entry.text) for entry in begin.inputs] == [
        ("vorhaben.beginn.tag", "Tag", "1"),
        ("vorhaben.beginn.monat", "Monat", "8"),
        ("vorhaben.beginn.jahr", "Jahr", "2021"),
    ]
    assert [option.is_selected for option in themes.options] == [True, True, False]


def test_nothing_is_chosen_beforehand() -> None:
    form = grant()
    for page in form.pages:
        for view in form.view(page, {}):
            if isinstance(view, FieldView):
                assert not view.is_checked
                assert not any(option.is_selected for option in view.options)


def test_tables_ready_to_be_drawn() -> None:
    form = grant()
    text, costs, money = form.view(form.page("kosten"), GRANT_ANSWERS)
    assert isinstance(text, Text)
    assert isinstance(costs, TableView)
    assert costs.error_id == "f-kosten-fehler"
    assert [row.remove for row in costs.rows] == ["kosten.0", "kosten.1"]
    cell = costs.rows[0].cells[2]
    assert (cell.name, cell.id, cell.text) == ("kosten.0.betrag", "f-kosten-0-betrag", "168.900,00")
    assert money.sum.total == Decimal("537400.00")
    assert money.table.noun == "Quelle"


def test_yes_and_no_are_two_choices() -> None:
    form = grant()
    page = form.page("partner")
    (question,) = form.view(page, {"kooperation": False})
    assert [(option.value, option.label, option.is_selected) for option in question.options] == [
        ("true", "Ja", False),
        ("false", "Nein", True),
    ]


def test_authorities_are_shown_by_name_and_can_be_found_again() -> None:
    form = grant()
    page = form.page("partner")
    _, partners = form.view(page, GRANT_ANSWERS, authority_name=lambda ags: NAMES[ags])
    assert [entry.text for entry in partners.inputs] == ["Aßlar", "Leun"]
    assert partners.id == "f-partner-0"


def test_every_error_stands_at_a_field_of_the_page() -> None:
    form = grant()
    for page in form.pages:
        reading = form.read(page, {"kooperation": ["true"]}, {}, {"kooperation": True})
        shown = form.view(page, {}, reading)
        ids = set()

        def collect(views: tuple[object, ...], ids: set[str] = ids) -> None:
            for view in views:
                if isinstance(view, GroupView):
                    collect(view.elements)
                elif isinstance(view, TableView):
                    ids.add(view.id)
                    for row in view.rows:
                        collect(row.cells)
                elif isinstance(view, FieldView):
                    ids.add(view.id)

        collect(shown)
        for error in reading.errors:
            assert f"f-{error.name.replace('.', '-')}" in ids


def test_a_reading_goes_before_the_answers() -> None:
    form = grant()
    reading = Reading({"kooperation": True}, (), {})
    assert len(form.view(form.page("partner"), {"kooperation": False}, reading)) == 2


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "1\u00a0KB"), (180_000, "180\u00a0KB"), (1_240_000, "1,2\u00a0MB"), (200_000_000, "200\u00a0MB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert format_bytes(size) == words
