"""Rows of a list from a CSV file, in the step of a form: all of the file or nothing, and all that was typed stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import Settings
from tests.web.portal.conftest import Person
from tests.web.queries import counted

from rathaus.casework.cases.models import Draft
from rathaus.casework.services.models import Offer

TYPED = {"kosten.0.wofuer": "Software", "kosten.0.betrag": "1.000,00", "ausgaben": "1.0x", "betrag": "900"}
GOOD = "Wofür?;Betrag\r\nSchulung;250,50\r\n=1+1;5\r\n"
BAD = "Wofür?;Betrag\nSchulung;250,50\n\nServer;12.34.56\n"


def sheet(text: str | bytes, name: str = "belege.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode("utf-8-sig") if isinstance(text, str) else text, "text/csv")


def send(person: Person, draft: Draft, text: str | bytes | None, **data: str) -> Any:
    """Press „Einlesen“ with what was typed beside it; `__` in a name stands for the dot."""
    named = {name.replace("__", "."): value for name, value in data.items()}
    files = {} if text is None else {"kosten._datei": sheet(text)}
    pressed = {} if "_nach" in data else {"_einlesen": "kosten"}
    return person.client.post(f"/antrag/{draft.id}/geld/", {**TYPED, **pressed, **named, **files})


@pytest.fixture
def draft(akte: Offer, officer: Person) -> Draft:
    return officer.draft(akte, done=["vorhaben"], titel="Neue Akte", gemeinsam=False)


def test_the_page_offers_it_and_the_template_fits(draft: Draft, officer: Person) -> None:
    page = officer.get(f"/antrag/{draft.id}/geld/")
    assert 'name="kosten._datei"' in page
    assert 'name="_einlesen" value="kosten"' in page
    assert 'href="vorlage/kosten.csv"' in page
    answer = officer.client.get(f"/antrag/{draft.id}/geld/vorlage/kosten.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.content == "\ufeffWofür?;Betrag\r\n".encode()
    assert send(officer, draft, answer.content + b"Schulung;1\r\n").status_code == 302
    for other in ("ausgaben", "nichts", "kosten.0"):
        assert officer.client.get(f"/antrag/{draft.id}/geld/vorlage/{other}.csv").status_code == 404


def test_rows_are_added_and_nothing_typed_is_lost(draft: Draft, officer: Person) -> None:
    answer = send(officer, draft, GOOD)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"/antrag/{draft.id}/geld/#f-kosten",
    )
    kept = officer.kept(draft)
    assert kept["kosten"] == [
        {"wofuer": "Software", "betrag": "1000.00"},
        {"wofuer": "Schulung", "betrag": "250.50"},
        {"wofuer": "=1+1", "betrag": "5.00"},
    ]
    page = officer.get(f"/antrag/{draft.id}/geld/")
    assert 'value="1.0x"' in page  # what was typed wrong beside it waits to be put right
    assert "1.255,50" in page
    assert 'role="alert"' not in page


def test_rows_replace_the_list_if_wanted(draft: Draft, officer: Person) -> None:
    assert send(officer, draft, GOOD, _ersetzen__kosten="true").status_code == 302
    assert [row["wofuer"] for row in officer.kept(draft)["kosten"]] == ["Schulung", "=1+1"]


def test_a_wrong_file_is_refused_whole_and_said_beside_it(draft: Draft, officer: Person) -> None:
    answer = send(officer, draft, BAD, _ersetzen__kosten="true")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Fehler: Geld" in page
    assert 'href="#f-kosten-datei"' in page
    assert 'id="f-kosten-datei-fehler"' in page
    assert "Zeile 4: Betrag: " in page
    assert "<details" in page
    assert " open>" in page
    assert officer.kept(draft)["kosten"] == [{"wofuer": "Software", "betrag": "1000.00"}]
    assert 'value="1.0x"' in page
    assert 'value="1.0x"' in officer.get(f"/antrag/{draft.id}/geld/")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "Wählen Sie die CSV-Datei aus"),
        (b"", "Spalte „Wofür?“ fehlt"),
        (b"\xff\xfe\x00", "Zeile 1: Die Datei ist nicht UTF-8"),
        ("Wofür?;Betrag\n".encode("latin-1"), "Zeile 1: Die Datei ist nicht UTF-8"),
        ("Wofür?;Betrag\n" + "x;1\n" * 10, "Zeile 11: In die Liste passen höchstens 10 Zeilen"),
        ("Wofür?;Betrag\nohne Betrag;\n", "Zeile 2: "),
        ("Wofür?;Betrag;<script>\nx;1;2\n", "&lt;script&gt;"),
    ],
)
def test_each_kind_of_wrong_file(
    draft: Draft, officer: Person, text: str | bytes | None, reason: str
) -> None:
    answer = send(officer, draft, text)
    assert answer.status_code == 422
    assert reason in answer.content.decode()
    assert officer.kept(draft)["kosten"] == [{"wofuer": "Software", "betrag": "1000.00"}]


def test_a_file_that_is_too_large(draft: Draft, officer: Person, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1024 * 1024
    answer = send(officer, draft, b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "größer als 1\u00a0MB" in answer.content.decode()
    assert officer.kept(draft)["kosten"] == [{"wofuer": "Software", "betrag": "1000.00"}]


def test_whoever_chose_a_file_and_goes_on_means_it(draft: Draft, officer: Person) -> None:
    assert send(officer, draft, GOOD, _nach="weiter", ausgaben="1.255,50").status_code == 302
    assert len(officer.kept(draft)["kosten"]) == 3
    step = f"/antrag/{draft.id}/geld/"
    answer = send(officer, draft, BAD, _nach="weiter")
    assert answer.status_code == 422
    assert send(officer, draft, BAD, _nach="spaeter").headers["Location"] == "/meine/"
    assert officer.kept(draft)["kosten"] == [{"wofuer": "Software", "betrag": "1000.00"}]
    assert officer.get(step)


@pytest.mark.parametrize("path", ["anlagen", "ausgaben", "gibt-es-nicht", "kosten.0"])
def test_what_takes_no_file_takes_none(draft: Draft, officer: Person, path: str) -> None:
    data = {**TYPED, "_einlesen": path, f"{path}._datei": sheet(GOOD)}
    officer.client.post(f"/antrag/{draft.id}/geld/", data)
    assert officer.kept(draft)["kosten"] == [{"wofuer": "Software", "betrag": "1000.00"}]


def test_nobody_else_reads_a_file_into_it(draft: Draft, officer: Person, neighbour: Person) -> None:
    assert send(neighbour, draft, GOOD).status_code == 404
    assert neighbour.client.get(f"/antrag/{draft.id}/geld/vorlage/kosten.csv").status_code == 404
    assert "kosten" not in officer.kept(draft)


def test_reading_a_file_costs_no_statement_a_row(draft: Draft, officer: Person) -> None:
    few, many = "x;1\n", "x;1\n" * 9
    with counted() as first:
        send(officer, draft, f"Wofür?;Betrag\n{few}", _ersetzen__kosten="true")
    with counted() as second:
        send(officer, draft, f"Wofür?;Betrag\n{many}", _ersetzen__kosten="true")
    assert len(first) == len(second) <= 12
