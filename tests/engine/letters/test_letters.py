"""Letters as their reader, an archive and an attacker see them."""

import io
import re
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from tests.engine.letters.sample import AWARD

from rathaus.engine.letters import LetterError, check_letter, render_letter

TEMPLATE = (Path(__file__).parent / "bescheid.typ").read_text()
FRAME = """#import "brief.typ": *
#show: brief.with(absender: (name: "Amt"), empfaenger: ("Frau A",), zeichen: "X-1",
  datum: daten.datum, betreff: "Probe")
"""
DATA: dict[str, Any] = {"datum": "2021-07-12"}


def make(template: str, data: dict[str, Any] | None = None) -> bytes:
    return render_letter(template, data or DATA, fonts=None, title="Probe")


def text_of(pdf: bytes) -> str:
    pages = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", pages.replace("\u00a0", " "))


@pytest.fixture(scope="module")
def award() -> bytes:
    return render_letter(TEMPLATE, AWARD, fonts=None, title="Zuwendungsbescheid SHH-2021-00017")


def test_says_what_was_decided(award: bytes) -> None:
    text = text_of(award)
    assert "wir bewilligen Ihnen eine Zuwendung von 483.660,00 Euro." in text
    assert "Sie gilt für Ausgaben vom 1. August 2021 bis 31. Juli 2023." in text
    assert "Zuwendung 483.660,00 €" in text
    assert "Summe 537.400,00 €" in text
    assert "7. Rechtsbehelfsbelehrung" in text
    assert "gez. leitung.d3 Referatsleitung D3" in text
    assert "ohne eigenhändige Unterschrift gültig" in text
    assert text.index("wir bewilligen") < text.index("1. Art und Höhe")


def test_every_page_has_number_and_reference(award: bytes) -> None:
    pages = PdfReader(io.BytesIO(award)).pages
    assert len(pages) == 2
    for number, page in enumerate(pages, start=1):
        text = page.extract_text()
        assert f"Seite {number} von 2" in text
        assert "SHH-2021-00017" in text


def test_is_archivable_and_accessible(award: bytes) -> None:
    reader = PdfReader(io.BytesIO(award))
    root: Any = reader.trailer["/Root"]
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert root["/Lang"] == "de"
    assert root["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Zuwendungsbescheid SHH-2021-00017"
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # pypdf types it too loosely
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def tags_of(pdf: bytes) -> list[str]:
    found: list[str] = []

    def walk(node: Any) -> None:
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(node["/S"])
            if "/K" in node:
                walk(node["/K"])

    root: Any = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    walk(root["/StructTreeRoot"])
    return found


def test_has_headings_and_table_headers(award: bytes) -> None:
    tags = tags_of(award)
    assert tags.count("/H1") == 1
    assert tags.count("/H2") == 7
    assert tags.count("/TH") == 4
    assert "/LI" in tags


def position(page: Any, words: str) -> tuple[float, float]:
    """Left and upper edge of a text in mm from the upper left corner of the paper."""
    found: list[tuple[float, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], _font: Any, _size: float) -> None:
        if words in text:
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            found.append((x * 25.4 / 72, 297 - y * 25.4 / 72))

    page.extract_text(visitor_text=visit)
    return found[0]


def test_stands_where_a_window_envelope_wants_it(award: bytes) -> None:
    page = PdfReader(io.BytesIO(award)).pages[0]
    x, y = position(page, "Gemeinde Ehringshausen")
    assert 24.5 < x < 25.5
    assert 45 < y < 90
    x, y = position(page, "Bearbeitung")
    assert 124.5 < x < 125.5
    assert 50 < y < 98


def test_same_data_same_bytes(award: bytes) -> None:
    again = render_letter(TEMPLATE, dict(AWARD), fonts=None, title="Zuwendungsbescheid SHH-2021-00017")
    assert again == award
    assert make(FRAME + "#datetime.today().display()") == make(FRAME + "#datetime.today().display()")
    assert "2021-07-12" in text_of(make(FRAME + "#datetime.today().display()"))


def test_threads_do_not_disturb_each_other() -> None:
    letters: dict[int, bytes] = {}

    def work(number: int) -> None:
        letters[number] = make(FRAME + "#daten.text", {**DATA, "text": f"Brief {number}"})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"Brief {number}" in text_of(letters[number]) for number in range(8))


@pytest.mark.parametrize(
    "attack",
    [
        '#read("/etc/passwd")',
        '#read("../render.py")',
        '#image("../../../../../../etc/passwd")',
        '#csv("/proc/self/environ")',
        '#bibliography("/etc/passwd")',
        '#include "/etc/passwd"',
        '#import "@preview/cetz:0.3.0": *',
        '#import "@local/boese:0.1.0"',
        '#{ import (str.from-unicode(64) + "preview/cetz:0.3.0") }',
        '#eval("import \\"@preview/cetz:0.3.0\\"")',
        '#dictionary(std).at("ev" + "al")("1 + 1")',
        '#plugin("boese.wasm")',
        "#image(bytes(\"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
        "<image href='/etc/passwd' width='5' height='5'/></svg>\"), alt: \"x\")",
        "#while true {}",
        "#let f(n) = f(n + 1)\n#f(0)",
    ],
)
def test_template_reaches_nothing_else(attack: str) -> None:
    with pytest.raises(LetterError) as refusal:
        make(FRAME + attack)
    assert refusal.value.line is not None
    assert refusal.value.line >= 4
    assert "root" not in refusal.value.reason


def test_data_is_never_code() -> None:
    evil = '#read("/etc/passwd") *fett* $x$ "); #import "@preview/cetz:0.3.0" \\ </svg>'
    assert "*fett* $x$" in text_of(make(FRAME + "#daten.text", {**DATA, "text": evil}))


@pytest.mark.parametrize(
    ("template", "reason", "line"),
    [
        (FRAME + "#daten.betrag", "In den Daten fehlt die Angabe „betrag“.", 4),
        (FRAME + "\n#nixda(1)", "Den Namen „nixda“ gibt es nicht.", 5),
        (FRAME + "#strong[offen", "Eine Klammer oder ein Anführungszeichen wird nicht geschlossen.", 4),
        (FRAME + "😀", "Für „😀“ gibt es in der Schrift kein Zeichen.", 4),
        (FRAME + "#for _ in range(70) { pagebreak() }", "Der Brief hat mehr als 60 Seiten.", None),
        ("= Ohne Rahmen", "Die Vorlage benutzt „brief“ nicht", None),
        ("x" * 100_001, "Die Vorlage ist länger als 100000 Zeichen.", None),
    ],
)
def test_faults_are_named(template: str, reason: str, line: int | None) -> None:
    with pytest.raises(LetterError) as refusal:
        make(template)
    assert refusal.value.reason.startswith(reason)
    assert refusal.value.line == line


@pytest.mark.parametrize(
    "data",
    [{}, {"datum": "12.07.2021"}, {"datum": None}, {**DATA, "x": object()}, {**DATA, "x": "y" * 1_000_001}],
)
def test_faulty_data_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(LetterError):
        render_letter(FRAME, data, fonts=None, title="Probe")


def test_letters_without_a_glyph_become_a_box_and_controls_vanish() -> None:
    text = text_of(
        make(FRAME + "#daten.text", {**DATA, "text": "Fest 🎉 in 中 \u202eEUR\u0000\u0007 ok\ufeff"})
    )
    assert "Fest □ in □ EUR ok" in text


def test_names_of_all_latin_scripts_stay() -> None:
    names = "Łukasz Żółć, Đorđe Šćepanović, Ștefan Țurcanu, Þórður, İlkay Ağaoğlu, Ǆ, Ẽ, Nguyễn Thị Hằng"
    assert "Nguyễn Thị Hằng" in text_of(make(FRAME + "#daten.text", {**DATA, "text": names}))


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_no_text_of_a_person_breaks_a_letter(text: str) -> None:
    assert make(FRAME + "#daten.text", {**DATA, "text": text}).startswith(b"%PDF-1.7")


def german(amount: Decimal) -> str:
    whole = f"{abs(amount):,.2f}".translate(str.maketrans(",.", ".,"))
    return ("−" if amount < 0 else "") + whole + " €"


@settings(max_examples=8, deadline=None)
@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=8))
def test_amounts_and_their_sum_are_exact(amounts: list[Decimal]) -> None:
    rows = [(f"Zeile {number}", amount) for number, amount in enumerate(amounts)]
    text = text_of(make(FRAME + "#betragstabelle(daten.zeilen)", {**DATA, "zeilen": rows}))
    for name, amount in rows:
        assert f"{name} {german(amount)}" in text
    assert f"Summe {german(sum(amounts, Decimal(0)))}" in text


def test_days_and_sections() -> None:
    body = "#datum(daten.tag)\n= Eins\n= Zwei\n== Zwei eins\n#betragstabelle((), summe: none)"
    text = text_of(make(FRAME + body, {**DATA, "tag": date(2022, 3, 1)}))
    assert "1. März 2022" in text
    assert "1. Eins" in text
    assert "2.1. Zwei eins" in text


def test_long_tables_repeat_their_head() -> None:
    rows = [(f"Posten {number}", Decimal(1)) for number in range(90)]
    pages = PdfReader(
        io.BytesIO(
            make(FRAME + '#betragstabelle(daten.z, spalten: ("Wofür", "Betrag"))', {**DATA, "z": rows})
        )
    ).pages
    assert len(pages) > 2
    assert all("Wofür" in page.extract_text() for page in pages)


def test_check_finds_nothing_in_a_good_template() -> None:
    assert check_letter(TEMPLATE, AWARD) == []


def test_check_without_data_still_reads_the_syntax() -> None:
    assert check_letter(TEMPLATE) == []
    problems = check_letter(FRAME + "#let = 3\n#strong[")
    assert problems
    assert problems[0].line == 4


@pytest.mark.parametrize(
    "template",
    [FRAME + '#(("x" * 1000000000) * 20)', FRAME + "#((0,) * 100000000000)"],
    ids=["text", "list"],
)
def test_check_survives_a_bomb(template: str) -> None:
    problems = check_letter(template, DATA)
    assert len(problems) == 1


def test_check_stops_an_endless_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rathaus.engine.letters.check._WALL_SECONDS", 2)
    problems = check_letter(FRAME + "#for i in range(1000000) { for j in range(1000000) { } }", DATA)
    assert [str(problem) for problem in problems] == ["Die Vorlage braucht zu viel Zeit oder Speicher."]


def test_check_reports_what_is_forbidden() -> None:
    [problem] = check_letter(FRAME + '#import "@preview/cetz:0.3.0"', DATA)
    assert (
        str(problem)
        == "Zeile 4: „import“ ist in einer Vorlage nicht erlaubt; einbinden darf sie nur „brief.typ“."
    )


def test_plain_values_arrive() -> None:
    data = {**DATA, "a": [1, 2.5, True, None, Decimal("0.10")], "b": {"c": date(2021, 1, 2)}}
    text = text_of(make(FRAME + "#daten.a.last() #daten.b.c #json(bytes(sys.inputs.daten)).a.len()", data))
    assert "0.10 2021-01-02 5" in text
