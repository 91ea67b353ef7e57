"""Rows of a growing table from a CSV file: taken whole, or refused whole with line and reason."""

from __future__ import annotations

from typing import Any

import pytest

from rathaus.engine.csv_files import read_rows
from rathaus.engine.forms import Form, FormError, Reading, Table
from rathaus.engine.forms.importing import FILE_PLACE, template_of

COLUMNS: dict[str, Any] = {
    "nummer": {"type": "string", "maxLength": 20},
    "zahlung": {"type": "string", "format": "date"},
    "betrag": {"type": "string", "format": "betrag", "formatMinimum": "0.01"},
    "art": {
        "type": "string",
        "oneOf": [{"const": "sach", "title": "Sachkosten"}, {"const": "pers", "title": "Personal"}],
    },
    "notiz": {"type": "string"},
    "gemeinsam": {"type": "boolean"},
    "ort": {"type": "string", "format": "ags"},
    "menge": {"type": "integer"},
}
LABELS = {"nummer": "Beleg-Nr.", "zahlung": "Tag der Zahlung", "betrag": "Betrag", "art": "Kostenart"}
HEAD = "Beleg-Nr.;Tag der Zahlung;Betrag;Kostenart"
ROW = "17;25.05.2021;1.234,56;Sachkosten"
TAKEN = {"nummer": "17", "zahlung": "2021-05-25", "betrag": "1234.56", "art": "sach"}


def form(most: int = 5, **options: Any) -> Form:
    """A page with a list of vouchers and a sum."""
    items = {"type": "object", "required": ["nummer", "zahlung", "betrag"], "properties": COLUMNS}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "belege": {"type": "array", "maxItems": most, "items": items},
            "summe": {"type": "string", "format": "betrag"},
        },
    }
    columns = [
        {"type": "Control", "scope": f"#/properties/{name}", "label": LABELS.get(name, name.capitalize())}
        for name in COLUMNS
    ]
    detail = {"type": "VerticalLayout", "elements": columns}
    chosen = {"import": "csv", **options, "detail": detail}
    controls = [
        {"type": "Control", "scope": "#/properties/belege", "label": "Belege", "options": chosen},
        {"type": "Control", "scope": "#/properties/summe", "label": "Summe"},
    ]
    page = {"type": "Category", "label": "Belege", "elements": controls}
    return Form.load(schema, {"type": "Categorization", "elements": [page]})


def take(
    content: str | bytes, answers: dict[str, Any] | None = None, *, most: int = 5, **how: Any
) -> Reading:
    encoded = content.encode() if isinstance(content, str) else content
    before = Reading(answers or {}, (), how.pop("raw", {}))
    return form(most).with_rows_imported(before, "belege", encoded, **how)


def refusal(content: str | bytes, **how: Any) -> list[str]:
    """Why the file was refused, line by line; nothing else has changed."""
    answers = {"belege": [{"nummer": "1"}], "summe": "5.00"}
    reading = take(content, answers, raw={"belege.0.betrag": "viel"}, **how)
    assert reading.answers == answers
    assert reading.raw == {"belege.0.betrag": "viel"}
    assert not reading.is_complete
    [error] = reading.errors
    assert error.path == error.name == f"belege.{FILE_PLACE}"
    first, *lines = error.message.splitlines()
    assert first == "Die Datei ist nicht eingelesen, von ihr ist nichts übernommen."
    return lines


def taken(content: str | bytes, **how: Any) -> list[dict[str, Any]]:
    reading = take(content, **how)
    assert not reading.errors, reading.errors[0].message
    assert reading.rows_changed
    rows: list[dict[str, Any]] = reading.answers["belege"]
    return rows


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}\n{ROW}\n",
        f"{HEAD}\n{ROW}",
        f"\ufeff{HEAD}\r\n{ROW}\r\n",
        f"{HEAD}\n\n;;;\n  ; ;;\n{ROW}\n\n",
        "BELEG-NR. ; tag  der zahlung;BETRAG;kostenart\n 17 ; 25.5.2021 ;1234,56; sachkosten ",
        "nummer;zahlung;betrag;art\n17;2021-05-25;1.234,56 €;sach",
        "betrag;art;nummer;zahlung\n1.234,56;sach;17;25. Mai 2021",
        f"{HEAD};\n{ROW};",
        '"Beleg-Nr.";"Tag der Zahlung";"Betrag";"Kostenart"\n"17";"25.05.2021";"1.234,56";"Sachkosten"',
    ],
    ids=[
        "plain",
        "no last line end",
        "excel",
        "empty lines",
        "case and blanks",
        "keys",
        "order",
        "nameless",
        "quoted",
    ],
)
def test_what_spreadsheets_make_of_it_is_taken(content: str) -> None:
    assert [{k: v for k, v in row.items() if k != "gemeinsam"} for row in taken(content)] == [TAKEN]


def test_texts_stay_texts() -> None:
    """What a spreadsheet would calculate, and what is quoted over several lines, is a text and nothing else."""
    head = "nummer;zahlung;betrag;notiz"
    rows = taken(
        f'{head}\n=1+1;1.1.2021;5;"=HYPERLINK(""http://x"";""ja"")"\n'
        '@SUM(A1);1.1.2021;5;"eins; zwei\nund ""drei"""\n007;1.1.2021;5;+4'
    )
    assert [(row["nummer"], row["notiz"]) for row in rows] == [
        ("=1+1", '=HYPERLINK("http://x";"ja")'),
        ("@SUM(A1)", 'eins; zwei und "drei"'),
        ("007", "+4"),
    ]


def test_every_kind_is_read_as_it_is_typed() -> None:
    [row] = taken(
        "nummer;zahlung;betrag;gemeinsam;ort;menge\n1;1.1.2021;5;Ja;Lahnau;1.000",
        find_authority={"Lahnau": "06532015"}.get,
    )
    assert (row["gemeinsam"], row["ort"], row["menge"]) == (True, "06532015", 1000)
    [row] = taken("nummer;zahlung;betrag;gemeinsam\n1;1.1.2021;5;\n")
    assert row["gemeinsam"] is False  # as an unticked box


def test_rows_are_appended_or_replace_what_was_there() -> None:
    before = {"belege": [{"nummer": "1"}, {"nummer": "2"}], "summe": "7.00"}
    raw = {"belege.1.betrag": "viel", "summe": "x"}
    reading = take(f"{HEAD}\n{ROW}", before, raw=raw)
    assert [row["nummer"] for row in reading.answers["belege"]] == ["1", "2", "17"]
    assert reading.raw == raw
    assert reading.answers["summe"] == "7.00"
    assert len(before["belege"]) == 2  # what was handed in stays unchanged
    reading = take(f"{HEAD}\n{ROW}", before, raw=raw, replaces=True)
    assert [row["nummer"] for row in reading.answers["belege"]] == ["17"]
    assert reading.raw == {"summe": "x"}


def test_a_page_checks_what_was_imported_like_what_was_typed() -> None:
    reading = take(f"{HEAD}\n{ROW}\n18;26.05.2021;1,00;Personal")
    assert form().check(reading.answers) == ()
    assert form().sums(reading.answers) == {}


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "„Beleg-Nr.“ fehlt"),
        (b"\xef\xbb\xbf", 1, "„Beleg-Nr.“ fehlt"),
        (HEAD, 1, "Unter der Kopfzeile steht nichts"),
        (f"{HEAD}\n;;;\n\n", 1, "Unter der Kopfzeile steht nichts"),
        (f"{HEAD}\n17;25.05.2021;5;Büro".encode("latin-1"), 2, "nicht UTF-8"),
        (f"{HEAD}\n{ROW}".encode("utf-16"), 1, "nicht UTF-8"),
        (f"{HEAD}\n{ROW}\n1\x007;;;", 3, "Nullzeichen"),
        (f"{HEAD}\n{ROW}".replace(";", ","), 1, "nicht mit Semikolon"),
        (f"{HEAD}\n{ROW}".replace(";", "\t"), 1, "nicht mit Semikolon"),
        (f"{HEAD};Betrag\n{ROW};1", 1, "zweimal"),
        (f"{HEAD};betrag\n{ROW};1", 1, "„Betrag“ kommt zweimal vor"),
        (f"{HEAD};Konto\n{ROW};1", 1, "„Konto“ kennen wir nicht. Möglich sind: „Beleg-Nr.“"),
        ("Beleg-Nr.;Betrag\n1;5", 1, "„Tag der Zahlung“ fehlt"),
        (f"{HEAD}\n17;25.05.2021;5", 2, "nicht 4 Spalten"),
        (f"{HEAD}\n{ROW};x", 2, "nicht 4 Spalten"),
        (f"{HEAD};\n{ROW};x", 2, "Spalte ohne Überschrift"),
        (f'{HEAD}\n{ROW}\n"18;26.05.2021;5;Personal', 3, "kein gültiges CSV"),
        (f"{HEAD}\n{ROW}\n18;26.05.2021;1,234;Personal", 3, "nicht eindeutig"),
        (f"{HEAD}\n{ROW}\n18;26.05.2021;=SUM(C1:C9);Personal", 3, "Betrag: "),
        (f"{HEAD}\n18;31.02.2021;5;Personal", 2, "Tag der Zahlung: Den Tag"),
        (f"{HEAD}\n18;44341;5;Personal", 2, "kein Datum"),
        (f"{HEAD}\n18;26.05.2021;5;Reisen", 2, "die Antwort „Reisen“ nicht"),
        (f"{HEAD}\n18;26.05.2021;;Personal", 2, "„Betrag“"),
        (f"{HEAD}\n18;26.05.2021;-5;Personal", 2, "Betrag"),
        (f"{HEAD}\n18;26.05.2021;0,00;Personal", 2, "Betrag"),
        (f"{HEAD}\n{'9' * 21};26.05.2021;5;Personal", 2, "Beleg-Nr."),
        (f"{HEAD};Gemeinsam\n{ROW};vielleicht", 2, "weder „ja“ noch „nein“"),
        (f"{HEAD};Ort\n{ROW};Nirgendwo", 2, "„Nirgendwo“ nicht im Verzeichnis"),
    ],
)
def test_a_bad_file_is_refused_whole_with_line_and_reason(
    content: str | bytes, line: int, reason: str
) -> None:
    told = refusal(content)
    assert len(told) >= 1
    assert told[0].startswith(f"Zeile {line}: "), told
    assert reason in told[0], told


def test_all_wrong_lines_are_told_at_once_the_first_twenty() -> None:
    rows = [f"{number};31.2.2021;5;Personal" for number in range(30)]
    told = refusal("\n".join([HEAD, *rows]), most=100)
    assert told[0].startswith("Zeile 2: ")
    assert told[19].startswith("Zeile 21: ")
    assert told[20:] == ["Und 10 weitere."]


def test_what_is_missing_is_told_together_with_what_cannot_be_read() -> None:
    told = refusal(f"{HEAD}\n18;31.2.2021;x;\n;26.05.2021;5;\n")
    assert [line.split(":")[0] for line in told] == ["Zeile 2", "Zeile 2", "Zeile 3"]


def test_a_line_number_is_that_of_the_file_also_after_empty_and_quoted_lines() -> None:
    told = refusal(f'{HEAD};Notiz\n\n{ROW};"a\nb\nc"\n;;;;\n18;26.05.2021;nichts;Personal;')
    assert [line.split(":")[0] for line in told] == ["Zeile 7"]


def test_no_more_rows_than_the_list_takes() -> None:
    assert refusal(f"{HEAD}\n" + f"{ROW}\n" * 5) == [
        "Zeile 6: In die Liste passen höchstens 5 Zeilen; 1 stehen schon darin."
    ]
    assert len(taken(f"{HEAD}\n" + f"{ROW}\n" * 5)) == 5
    reading = take(f"{HEAD}\n" + f"{ROW}\n" * 5, {"belege": [{"nummer": "1"}]}, replaces=True)
    assert len(reading.answers["belege"]) == 5
    assert "höchstens 5 Zeilen." in refusal(f"{HEAD}\n" + f"{ROW}\n" * 6, replaces=True)[0]


def test_a_huge_file_is_not_read_to_its_end() -> None:
    told = refusal(f"{HEAD}\n" + f"{ROW}\n" * 200_000)
    assert told == ["Zeile 52: Mehr als 50 Zeilen."]


def test_the_template_is_what_is_read() -> None:
    table = form().items["belege"]
    assert isinstance(table, Table)
    empty = template_of(table)
    assert empty.startswith(b"\xef\xbb\xbf")
    header, rows = read_rows(empty, most=1)
    assert header == [column.label for column in table.columns]
    assert rows == []
    filled = empty + b"17;25.05.2021;1.234,56;Sachkosten;;nein;;\r\n"
    assert [row["nummer"] for row in taken(filled)] == ["17"]


def test_only_tables_that_allow_it_take_files() -> None:
    reading = Reading({"summe": "5.00"}, (), {})
    for path in ("summe", "gibt_es_nicht", ""):
        assert form().with_rows_imported(reading, path, b"x").answers == {"summe": "5.00"}
    page = form().pages[0]
    assert [getattr(view, "can_import", None) for view in form().view(page, {})] == [False, None]
    assert [getattr(view, "can_import", None) for view in form().view(page, {}, takes_rows=True)] == [
        True,
        None,
    ]


def test_other_files_than_csv_are_no_option() -> None:
    with pytest.raises(FormError, match=r"options\.import ist „csv“ oder fehlt"):
        form(**{"import": "xlsx"})


def test_a_field_that_is_no_table_takes_no_rows() -> None:
    page = {
        "type": "Category",
        "label": "Seite",
        "elements": [
            {"type": "Control", "scope": "#/properties/a", "label": "A", "options": {"import": "csv"}}
        ],
    }
    with pytest.raises(FormError, match="nur für Listen mit Zeilen"):
        Form.load(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {"a": {"type": "string"}},
            },
            {"type": "Categorization", "elements": [page]},
        )
