"""Reading a list from a CSV file in a real browser, without JavaScript too; and no barrier that axe knows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.test_portal import AXE, PHONE, officer, open_as, world
from tests.casework.conftest import World
from tests.web.portal.conftest import Person

from rathaus.casework.services.models import Offer

__all__ = ["officer", "world"]

pytestmark = pytest.mark.browser
BAD = b"Wof\xc3\xbcr?;Betrag\r\nSchulung;250,50\r\nServer;12.34.56\r\nTische;\r\n"
GOOD = b"\xef\xbb\xbfWof\xc3\xbcr?;Betrag\r\nSchulung;250,50\r\nServer;1.234,56\r\n"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_wrong_file_then_a_good_one(
    officer: Person, world: World, chromium: Browser, site: str, javascript: bool
) -> None:
    with officer.actor.acting():
        offer = Offer.objects.get(slug="akte")
    draft = officer.draft(offer, done=["vorhaben"], titel="Neue Akte", gemeinsam=False)
    context = open_as(officer, chromium, site, javascript=javascript, viewport=PHONE)
    page = context.new_page()
    page.goto(f"/antrag/{draft.id}/geld/")
    page.get_by_label("Wofür?").fill("Software")
    page.get_by_label("Betrag in Euro").fill("1.000,00")
    page.get_by_text("Aus CSV-Datei einlesen").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Vorlage herunterladen").click()
    assert download.value.suggested_filename == "Kosten.csv"
    page.get_by_label("CSV-Datei (UTF-8)").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": BAD}
    )
    page.get_by_role("button", name="Einlesen").click()
    expect(page).to_have_title(re.compile("^Fehler: Geld"))
    expect(page.get_by_text("Zeile 3: Betrag: ")).to_be_visible()
    expect(page.get_by_text("Zeile 4: ")).to_be_visible()
    expect(page.get_by_label("Wofür?")).to_have_value("Software")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    if javascript:
        page.evaluate(AXE.read_text())
        assert page.evaluate("async () => (await axe.run()).violations.map(v => v.id + ': ' + v.help)") == []
    page.get_by_label("CSV-Datei (UTF-8)").set_input_files(
        {"name": "b.csv", "mimeType": "text/csv", "buffer": GOOD}
    )
    page.get_by_role("button", name="Einlesen").click()
    expect(page.get_by_label("Wofür?")).to_have_count(3)
    expect(page.get_by_label("Wofür?").nth(2)).to_have_value("Server")
    expect(page.get_by_text("2.485,06")).to_be_visible()
    context.close()
    kept = officer.kept(draft)["kosten"]
    assert [row["betrag"] for row in kept] == ["1000.00", "250.50", "1234.56"]
