"""A ministry's programme in a real browser: wide, on a phone, dark, without JavaScript; axe finds nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_desk import AXE, sit_down, site, world
from tests.casework.conftest import World
from tests.web.desk.grant_lives import Ministry

HOME = "/amt/foerderung/programm/"
PAGES = (
    "/amt/foerderung/",
    HOME,
    *(f"{HOME}{name}/" for name in ("aufrufe", "antraege", "foerderungen", "nachweise")),
)
FORMS = ("/amt/foerderung/neu/", f"{HOME}mittel/", f"{HOME}beschreibung/")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
pytestmark = pytest.mark.browser
__all__ = ["sit_down", "site", "world"]


@pytest.mark.parametrize("width", [1440, 375, 320])
def test_every_page_is_accessible_and_fits(world: World, sit_down: Callable[..., Page], width: int) -> None:
    ministry = Ministry(world)
    ministry.provide(2025, "20000.00")
    ministry.every_stage()
    page = sit_down(world.approver, width=width, color_scheme="dark" if width == 375 else "light")
    for path in (*PAGES, f"{HOME}?karte=stand", *FORMS):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.evaluate(AXE.read_text())
        found = page.evaluate(f"axe.run({json.dumps(RULES)})")["violations"]
        assert not [(entry["id"], entry["nodes"][0]["html"][:200]) for entry in found], path


def test_from_a_count_to_its_list_and_through_the_form_without_javascript(
    world: World, sit_down: Callable[..., Page]
) -> None:
    ministry = Ministry(world)
    ministry.provide(2025, "20000.00")
    late = ministry.every_stage()["ueberfaellig"]
    page = sit_down(world.approver, java_script_enabled=False)
    page.goto(HOME)
    page.get_by_role("link", name="1 Nachweis anmahnen").click()
    expect(page.get_by_role("main")).to_contain_text(late.reference)
    expect(page.get_by_role("main").get_by_role("row")).to_have_count(2)
    page.goto(f"{HOME}mittel/")
    page.get_by_label("Eine neue Maßnahme").check()
    page.get_by_label("Mittel in diesem Jahr").fill("1.000,00")
    page.get_by_role("button", name="Mittel festlegen").click()
    page.get_by_label("Name der neuen Maßnahme").fill("Plattform")
    expect(page.get_by_label("Mittel in diesem Jahr")).to_have_value("1.000,00")
    page.get_by_role("button", name="Mittel festlegen").click()
    expect(page.get_by_role("main")).to_contain_text("„Plattform“ hat")
