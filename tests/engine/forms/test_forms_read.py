from typing import Any

import pytest
from form_examples import FILE, answers, control, grant, pages, small

from rathaus.engine.forms import FileAnswer, Form, Reading

COSTS = {
    "kosten.0.art": ["Software"],
    "kosten.0.wofuer": ["Dokumentenmanagement"],
    "kosten.0.betrag": ["168.900,00"],
    "kosten.1.art": ["Personal"],
    "kosten.1.betrag": ["368500"],
    "finanzierung.0.quelle": ["Land"],
    "finanzierung.0.betrag": ["483.660,00 €"],
    "finanzierung.1.quelle": ["Ehringshausen"],
    "finanzierung.1.betrag": ["53740,00"],
}


def read(page: str, data: dict[str, list[str]], draft: dict[str, Any] | None = None, **extra: Any) -> Reading:
    form = grant()
    return form.read(form.page(page), data, extra.pop("files", {}), draft or {}, **extra)


def test_a_page_becomes_answers() -> None:
    reading = read(
        "vorhaben",
        {
            "vorhaben.titel": ["  Gemeinsames   Dokumentenmanagement "],
            "vorhaben.ziel": ["Akten.\r\n\r\nPortal."],
            "vorhaben.bereich": ["verwaltung"],
            "vorhaben.beginn.tag": ["1"],
            "vorhaben.beginn.monat": ["8"],
            "vorhaben.beginn.jahr": ["2021"],
            "vorhaben.ende": ["31. Juli 2023"],
            "vorhaben.themen": ["Akte", "Portal"],
        },
    )
    assert reading.errors == ()
    assert reading.is_complete
    assert reading.raw == {}
    assert reading.answers == {
        "vorhaben": {
            "titel": "Gemeinsames Dokumentenmanagement",
            "ziel": "Akten.\n\nPortal.",
            "bereich": "verwaltung",
            "beginn": "2021-08-01",
            "ende": "2023-07-31",
            "themen": ["Akte", "Portal"],
        }
    }


def test_a_table_becomes_rows() -> None:
    reading = read("kosten", COSTS)
    assert reading.errors == ()
    assert reading.answers["kosten"] == [
        {"art": "Software", "wofuer": "Dokumentenmanagement", "betrag": "168900.00"},
        {"art": "Personal", "betrag": "368500.00"},
    ]


def test_errors_are_those_of_the_page_and_the_draft_stays_as_it_was() -> None:
    draft = {"vorhaben": {"titel": "Alter Titel"}}
    reading = read("kosten", COSTS, draft)
    assert reading.errors == ()
    assert draft == {"vorhaben": {"titel": "Alter Titel"}}
    assert reading.answers["vorhaben"] == {"titel": "Alter Titel"}


def test_a_wrong_amount_keeps_what_was_typed_and_all_the_rest() -> None:
    data = COSTS | {"kosten.1.betrag": ["118.500.00"], "kosten.0.art": [""]}
    reading = read("kosten", data)
    assert reading.raw == {"kosten.1.betrag": "118.500.00"}
    assert [(error.path, error.label) for error in reading.errors] == [
        ("kosten.0.art", "Position 1: Kostenart"),
        ("kosten.1.betrag", "Position 2: Betrag"),
    ]
    assert reading.errors[1].message == (
        "Der Betrag „118.500.00“ ist nicht eindeutig. Schreiben Sie zum Beispiel 118.500,00."
    )
    assert reading.answers["kosten"][1] == {"art": "Personal"}
    form = grant()
    assert form.check(reading.answers, raw=reading.raw)
    shown = form.view(form.page("kosten"), {}, reading)
    table = shown[1]
    assert table.rows[1].cells[2].text == "118.500.00"
    assert "nicht eindeutig" in table.rows[1].cells[2].error
    assert table.rows[1].has_error
    assert table.sum.left_out == (2,)


def test_sums_that_differ_are_told_when_all_amounts_are_right() -> None:
    reading = read("kosten", COSTS | {"finanzierung.1.betrag": ["53.739,99"]})
    assert [error.message for error in reading.errors] == [
        "Die Finanzierung muss so hoch sein wie die Ausgaben."
    ]
    assert reading.errors[0].name == "finanzierung"
    reading = read("kosten", COSTS | {"finanzierung.1.betrag": ["x"]})
    assert [error.path for error in reading.errors] == ["finanzierung.1.betrag"]


def test_empty_rows_are_dropped_and_the_others_move_up_with_their_texts() -> None:
    data = {
        "kosten.0.art": [""],
        "kosten.0.betrag": [""],
        "kosten.7.art": ["Software"],
        "kosten.7.betrag": ["1,234"],
        "kosten.3.betrag": ["5"],
    }
    reading = read("kosten", data)
    assert reading.answers["kosten"] == [{"betrag": "5.00"}, {"art": "Software"}]
    assert reading.raw == {"kosten.1.betrag": "1,234"}
    assert "kosten.1.betrag" in [error.path for error in reading.errors]


def test_a_row_of_which_nothing_could_be_read_is_no_empty_row() -> None:
    reading = read("kosten", {"kosten.0.betrag": ["zehn"]})
    assert reading.answers["kosten"] == [{}]
    assert [error.path for error in reading.errors][:2] == ["kosten.0.art", "kosten.0.betrag"]


def test_a_row_is_added_without_complaints() -> None:
    reading = read("kosten", COSTS | {"kosten.1.betrag": ["1,234"], "add": ["kosten"]})
    assert reading.rows_changed
    assert not reading.is_complete
    assert reading.errors == ()
    assert reading.answers["kosten"][2] == {}
    assert reading.raw == {"kosten.1.betrag": "1,234"}
    again = read("kosten", COSTS | {"kosten.2.art": [""], "kosten.2.betrag": [""], "add": ["kosten"]})
    assert len(again.answers["kosten"]) == 4


def test_the_first_row_is_shown_before_it_exists() -> None:
    form = grant()
    (_, costs, _) = form.view(form.page("kosten"), {})
    assert [row.number for row in costs.rows] == [1]
    assert len(read("kosten", {"add": ["kosten"]}).answers["kosten"]) == 2


def test_rows_are_not_added_beyond_the_limit() -> None:
    draft = answers(kosten=[{"art": "Software", "betrag": "1.00"}] * 20)
    form = grant()
    reading = form.with_row_added(Reading(draft, (), {}), "kosten")
    assert len(reading.answers["kosten"]) == 20
    assert not form.view(form.page("kosten"), draft)[1].can_add


def test_a_row_is_removed_and_later_texts_move_up() -> None:
    data = COSTS | {"kosten.2.art": ["Schulung"], "kosten.2.betrag": ["1,234"], "remove": ["kosten.1"]}
    reading = read("kosten", data)
    assert [row.get("art") for row in reading.answers["kosten"]] == ["Software", "Schulung"]
    assert reading.raw == {"kosten.1.betrag": "1,234"}
    assert reading.rows_changed


def test_the_last_row_can_be_removed() -> None:
    reading = read("kosten", {"kosten.0.art": ["Software"], "remove": ["kosten.0"]})
    assert "kosten" not in reading.answers


@pytest.mark.parametrize(
    "button", ["kosten.9", "kosten.x", "kosten.-1", "nichts.0", "", "vorhaben.titel", "kosten.99999999999"]
)
def test_a_button_for_what_is_not_there_changes_nothing(button: str) -> None:
    assert read("kosten", COSTS | {"remove": [button]}).answers == read("kosten", COSTS).answers
    assert read("kosten", COSTS | {"add": [button]}).answers == read("kosten", COSTS).answers


def test_more_rows_than_allowed_are_refused_not_cut_silently() -> None:
    data = {
        f"kosten.{n}.{key}": [text] for n in range(30) for key, text in (("art", "Software"), ("betrag", "1"))
    }
    reading = read("kosten", data)
    assert "höchstens 20" in next(error for error in reading.errors if error.path == "kosten").message


def test_files_are_kept_added_and_removed() -> None:
    form = grant()
    page = form.page("anlagen-und-erklaerungen")
    pdf = FileAnswer("a.pdf", "1" * 64, 10, "application/pdf")
    png = FileAnswer("b.png", "2" * 64, 10, "image/png")
    first = form.read(page, {"erklaerung": ["on"]}, {"anlage": [pdf], "weitere": [pdf, png]}, {})
    assert first.errors == ()
    assert first.answers["anlage"] == pdf.as_answer()
    again = form.read(page, {"erklaerung": ["on"]}, {"weitere": [png]}, first.answers)
    assert again.answers == first.answers
    fewer = form.read(page, {"erklaerung": ["on"], "remove": ["weitere.0"]}, {}, first.answers)
    assert fewer.answers["weitere"] == [png.as_answer()]
    none = form.read(page, {"remove": ["anlage"]}, {}, first.answers)
    assert "anlage" not in none.answers


def test_a_refused_file_names_itself_and_what_is_possible() -> None:
    form = grant()
    page = form.page("anlagen-und-erklaerungen")
    program = FileAnswer("rechnung.pdf", "1" * 64, 10, "application/x-dosexec")
    reading = form.read(page, {}, {"anlage": [program]}, {})
    assert reading.errors[0].message == (
        "„rechnung.pdf“ ist keine Datei der Art PDF. Laden Sie eine solche hoch."
    )
    big = FileAnswer("groß.pdf", "1" * 64, 200_000_000, "application/pdf")
    reading = form.read(page, {}, {"anlage": [big]}, {})
    assert "200\u00a0MB" in reading.errors[0].message
    assert "2\u00a0MB" in reading.errors[0].message


def test_a_declaration_is_ticked_or_missing() -> None:
    page = "anlagen-und-erklaerungen"
    assert read(page, {"erklaerung": ["on"]}).answers["erklaerung"] is True
    reading = read(page, {}, {"erklaerung": True})
    assert "erklaerung" not in reading.answers
    assert "Kreuzen Sie an" in next(e.message for e in reading.errors if e.path == "erklaerung")


def test_a_field_that_now_applies_is_revealed_without_complaint() -> None:
    reading = read("partner", {"kooperation": ["true"]})
    assert reading.revealed == {"partner"}
    assert reading.errors == ()
    assert not reading.is_complete
    assert read("partner", {"kooperation": ["false"]}).is_complete


def test_answers_that_no_longer_apply_stay_in_the_draft() -> None:
    draft = {"kooperation": True, "partner": ["06532001"]}
    reading = read("partner", {"kooperation": ["false"], "partner.0": ["06532001"]}, draft)
    assert reading.answers["partner"] == ["06532001"]
    assert reading.errors == ()


def test_authorities_are_found_by_name_or_key() -> None:
    register = {"asslar": "06532001", "06532001": "06532001", "leun": "06532015"}

    def find(text: str) -> str | None:
        return register.get(text.casefold())

    data = {"kooperation": ["true"], "partner.0": ["Aßlar"], "partner.1": [""], "partner.2": ["Leun"]}
    reading = read("partner", data, {"kooperation": True}, find_authority=find)
    assert reading.answers["partner"] == ["06532001", "06532015"]
    assert reading.errors == ()
    data |= {"partner.1": ["Aslar"], "partner.3": ["06999999"]}
    reading = read("partner", data, {"kooperation": True}, find_authority=find)
    assert reading.answers["partner"] == ["06532001", "", "06532015", ""]
    assert reading.raw == {"partner.1": "Aslar", "partner.3": "06999999"}
    assert [error.path for error in reading.errors] == ["partner.1", "partner.3"]
    assert "„Aslar“ nicht im Verzeichnis" in reading.errors[0].message
    assert "„06999999“ nicht im Verzeichnis" in reading.errors[1].message
    form = grant()
    field = form.view(form.page("partner"), {}, reading)[1]
    assert [entry.text for entry in field.inputs] == ["06532001", "Aslar", "06532015", "06999999"]
    assert "„Aslar“" in field.error


def test_authorities_can_come_repeated_and_grow() -> None:
    reading = read("partner", {"kooperation": ["true"], "partner": ["06532001", "06532015"]})
    assert reading.answers["partner"] == ["06532001", "06532015"]
    grown = read("partner", {"kooperation": ["true"], "partner.0": ["06532001"], "add": ["partner"]})
    assert grown.answers["partner"] == ["06532001", ""]
    first = read("partner", {"kooperation": ["true"], "add": ["partner"]})
    assert first.answers["partner"] == ["", ""]
    twice = read("partner", {"kooperation": ["true"], "partner": ["06532001", "06532001"]})
    assert "doppelt" in twice.errors[0].message
    empty = read("partner", {"kooperation": ["true"], "partner.0": [""]}, {"kooperation": True})
    assert [error.name for error in empty.errors] == []


KINDS: dict[str, dict[str, Any]] = {
    "ganz": {"type": "integer", "title": "Anzahl", "minimum": 1, "maximum": 5000},
    "zahl": {"type": "number", "title": "Fläche", "multipleOf": 0.01, "exclusiveMinimum": 0},
    "geld": {"type": "string", "format": "betrag", "title": "Betrag", "formatMinimum": "-100.00"},
    "tag": {"type": "string", "format": "date", "title": "Tag", "formatMaximum": "2030-12-31"},
    "jaehrlich": {"type": "string", "format": "jahrestag", "title": "Letzter Tag"},
    "mail": {"type": "string", "format": "email", "title": "E-Mail"},
    "konto": {"type": "string", "format": "iban", "title": "IBAN"},
    "ort": {"type": "string", "format": "ags", "title": "Gemeinde"},
    "wahl": {
        "type": "integer",
        "title": "Stufe",
        "oneOf": [{"const": 1, "title": "Eins"}, {"const": 2, "title": "Zwei"}],
    },
    "plz": {"type": "string", "title": "Postleitzahl", "pattern": "^[0-9]{5}$"},
    "kurz": {"type": "string", "title": "Kürzel", "minLength": 2, "maxLength": 3},
}
CONTROLS = [
    control(key, **({"fehler": "Eine Postleitzahl hat fünf Ziffern."} if key == "plz" else {}))
    for key in KINDS
]


@pytest.fixture(scope="module")
def kinds() -> Form:
    return small(KINDS, *CONTROLS)


@pytest.mark.parametrize(
    ("key", "typed", "stored"),
    [
        ("ganz", "1.234", 1234),
        ("ganz", "007", 7),
        ("zahl", "1.234,5", 1234.5),
        ("zahl", "0.07", 0.07),
        ("zahl", "12", 12),
        ("geld", "-12,5", "-12.50"),
        ("geld", "−12", "-12.00"),
        ("tag", "29.2.2024", "2024-02-29"),
        ("tag", "29. Februar 2024", "2024-02-29"),
        ("tag", "2024-02-29", "2024-02-29"),
        ("jaehrlich", "3.12.", "12-03"),
        ("jaehrlich", "3. 12", "12-03"),
        ("jaehrlich", "3. Dezember", "12-03"),
        ("jaehrlich", "12-03", "12-03"),
        ("mail", "rathaus@lahnau.de", "rathaus@lahnau.de"),
        ("mail", "bürgermeisterin@gemeinde-größe.de", "bürgermeisterin@gemeinde-größe.de"),
        ("konto", "de02 1203 0000 0000 2020 51", "DE02120300000000202051"),
        ("ort", "06532014", "06532014"),
        ("ort", "06532", "06532"),
        ("wahl", "2", 2),
        ("plz", "35633", "35633"),
        ("kurz", "a\u0308b", "äb"),
    ],
)
def test_what_people_type_is_read(kinds: Form, key: str, typed: str, stored: object) -> None:
    reading = kinds.read(kinds.pages[0], {key: [typed]}, {}, {})
    assert reading.errors == ()
    assert reading.answers == {key: stored}
    assert type(reading.answers[key]) is type(stored)


@pytest.mark.parametrize(
    ("key", "typed", "message"),
    [
        ("ganz", "12,5", "„12,5“ ist keine ganze Zahl. Schreiben Sie zum Beispiel 12."),
        ("ganz", "0", "„Anzahl“ muss mindestens 1 sein."),
        ("ganz", "5001", "„Anzahl“ muss höchstens 5.000 sein."),
        ("ganz", "9" * 16, "hat mehr als 15 Stellen"),
        ("zahl", "1,234", "Die Zahl „1,234“ ist nicht eindeutig. Schreiben Sie zum Beispiel 12,5."),
        ("zahl", "1e5", "„1e5“ ist keine Zahl."),
        ("zahl", "0,005", "Möglich sind Schritte von 0,01."),
        ("zahl", "0", "„Fläche“ muss größer als 0 sein."),
        ("geld", "-100,01", "„Betrag“ muss mindestens -100,00\u00a0€ sein."),
        ("geld", "1.23.4", "nicht eindeutig"),
        ("tag", "31.2.2024", "Den Tag „31.2.2024“ gibt es nicht"),
        ("tag", "1.1.21", "mit vier Ziffern"),
        ("tag", "1.1.0021", "gibt es nicht"),
        ("tag", "morgen", "„morgen“ ist kein Datum. Schreiben Sie zum Beispiel 25.05.2021."),
        ("tag", "1.1.2031", "„Tag“ darf nicht nach dem 31.\u00a0Dezember 2030 liegen."),
        (
            "jaehrlich",
            "29.2.",
            "„29.2.“ ist kein Tag, den es in jedem Jahr gibt. Schreiben Sie zum Beispiel 3.12.",
        ),
        ("jaehrlich", "Nikolaus", "kein Tag, den es in jedem Jahr gibt"),
        ("mail", "rathaus@lahnau", "keine E-Mail-Adresse"),
        ("mail", "a..b@lahnau.de", "keine E-Mail-Adresse"),
        ("mail", "Amt <a@b.de>", "keine E-Mail-Adresse"),
        ("konto", "DE03 1203 0000 0000 2020 51", "Die IBAN „DE03 1203 0000 0000 2020 51“ stimmt nicht"),
        ("konto", "DE0212030000000020205", "stimmt nicht"),
        ("ort", "17000000", "nicht im Verzeichnis"),
        ("wahl", "3", "gibt es die Antwort „3“ nicht. Wählen Sie zum Beispiel „Eins“."),
        ("plz", "3563", "Eine Postleitzahl hat fünf Ziffern."),
        ("kurz", "a", "Schreiben Sie mindestens 2 Zeichen, bisher sind es 1."),
        ("kurz", "abcde", "„Kürzel“ ist 2 Zeichen zu lang. Möglich sind 3 Zeichen."),
    ],
)
def test_what_cannot_be_read_is_told_and_stays(kinds: Form, key: str, typed: str, message: str) -> None:
    reading = kinds.read(kinds.pages[0], {key: [typed]}, {}, {})
    assert len(reading.errors) == 1
    assert message in reading.errors[0].message
    shown = next(view for view in kinds.view(kinds.pages[0], {}, reading) if view.field.path == key)
    kept = shown.inputs[0].text if key == "tag" and key in reading.raw else shown.text
    if key not in ("wahl", "konto", "zahl", "tag", "ganz", "geld"):
        assert kept == typed


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("31", "", "2021"), "Das Datum ist unvollständig, es fehlt: Monat."),
        (("31", "2", "2021"), "Den Tag „31.2.2021“ gibt es nicht"),
        (("x", "2", "2021"), "kein Datum"),
    ],
)
def test_three_inputs_of_a_date_stay_as_typed(kinds: Form, parts: tuple[str, ...], message: str) -> None:
    names = [f"tag.{part}" for part in ("tag", "monat", "jahr")]
    reading = kinds.read(
        kinds.pages[0], {name: [text] for name, text in zip(names, parts, strict=True)}, {}, {}
    )
    assert reading.errors[0].message.startswith(message) or message in reading.errors[0].message
    assert reading.errors[0].name == "tag.tag"
    view = next(view for view in kinds.view(kinds.pages[0], {}, reading) if view.field.path == "tag")
    assert tuple(entry.text for entry in view.inputs) == parts
    assert view.id == "f-tag-tag"
    assert kinds.check(reading.answers, raw=reading.raw) == reading.errors


def test_an_optional_field_with_a_wrong_text_does_not_pass_the_last_check(kinds: Form) -> None:
    assert kinds.check({}) == ()
    assert [error.path for error in kinds.check({}, raw={"geld": "1,234", "unbekannt": "x"})] == ["geld"]


def test_what_nobody_sees_is_taken_out(kinds: Form) -> None:
    reading = kinds.read(kinds.pages[0], {"kurz": ["\x00a\u202eb\ud800\x1b\ufeff\n"]}, {}, {})
    assert reading.answers == {"kurz": "ab"}


def test_emptied_fields_are_taken_away_absent_pages_change_nothing_else() -> None:
    draft = answers()
    reading = read("anlagen-und-erklaerungen", {"erklaerung": ["on"], "iban": [""]}, draft)
    assert "iban" not in reading.answers
    assert reading.answers["anlage"] == FILE
    assert reading.answers["kosten"] == draft["kosten"]


def test_a_page_with_a_table_in_a_group() -> None:
    table = {
        "type": "array",
        "title": "T",
        "items": {"type": "object", "properties": {"a": {"type": "string", "title": "A"}}},
    }
    schema = {
        "type": "object",
        "properties": {"g": {"type": "object", "properties": {"t": table}, "required": ["t"]}},
    }
    form = Form.load(schema, pages({"type": "Group", "label": "G", "elements": [control("g/t")]}))
    reading = form.read(form.pages[0], {"g.t.0.a": [""], "g.t.4.a": ["x"]}, {}, {})
    assert reading.answers == {"g": {"t": [{"a": "x"}]}}
    assert [error.path for error in form.check({})] == ["g.t"]
    wrong = form.check({"g": {"t": [{}, {"a": 1}]}})
    assert [(error.path, error.label) for error in wrong] == [("g.t.1.a", "Position 2: A")]
