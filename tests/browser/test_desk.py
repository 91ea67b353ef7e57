"""The desk in a real browser: keyboard, phone, without JavaScript, and what axe finds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.test.testcases import LiveServerThread, _StaticFilesHandler
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.casework.conftest import World, make_world
from tests.web.desk.conftest import smart_case

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
pytestmark = pytest.mark.browser


@pytest.fixture
def world(committed: None) -> World:
    return make_world()


@pytest.fixture
def site(world: World) -> Iterator[str]:
    """The address of the site, served by a thread."""
    server = LiveServerThread("127.0.0.1", _StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()


@pytest.fixture
def sit_down(chromium: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """A page of a browser in which this person is logged in. Errors in its console fail the test."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_page(actor: Actor, *, width: int = 1440, **options: object) -> Page:
        client = Client()
        client.force_login(Account.objects.get(pk=actor.account))
        context = chromium.new_context(base_url=site, viewport={"width": width, "height": 900}, **options)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    # The fonts are built by `make`; without them the browser takes another one.
    assert not [text for text in said if "status of 4" not in text and "/static/fonts/" not in text]


def test_inbox_with_the_keyboard(world: World, sit_down: Callable[..., Page]) -> None:
    first, second = world.submit(titel="Erster"), world.submit(titel="Zweiter")
    page = sit_down(world.clerk)
    page.goto("/amt/eingang/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.is-cursor")).to_contain_text(second.reference)
    page.keyboard.press("x")
    expect(page.locator("[data-selected-count]")).to_have_text("1 ausgewählt")
    page.keyboard.press("k")
    page.keyboard.press("a")
    expect(page.get_by_text(f"in {first.reference} übernommen")).to_be_visible()
    expect(page.locator("[data-keys-help]")).to_be_visible()  # the script has run
    page.keyboard.press("/")
    page.keyboard.type(second.reference)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Alle Vorgänge")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto("/amt/eingang/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Gemeinde Lahnau:")


def test_a_decision_without_javascript(world: World, sit_down: Callable[..., Page]) -> None:
    case = smart_case(world, "waldsolms")
    clerk = sit_down(world.clerk, java_script_enabled=False)
    clerk.goto(f"/amt/vorgang/{case.reference}/")
    clerk.get_by_label("Ja, vollständig").check()
    clerk.get_by_role("button", name="Prüfung abschließen").click()
    clerk.get_by_label("Betrag in Euro").fill("120.000.00")
    clerk.get_by_role("button", name="Zur Freigabe geben").click()
    expect(clerk.get_by_text("ist nicht eindeutig")).to_be_visible()
    assert clerk.title().startswith("Fehler: ")
    clerk.get_by_label("Teilweise bewilligen").check()
    clerk.get_by_label("Betrag in Euro").fill("120.000")
    clerk.get_by_label("davon 2021").fill("60.000")
    clerk.get_by_label("davon 2022").fill("60.000,00")
    clerk.get_by_label("Begründung im Bescheid").fill("Der Zweck wird erreicht.")
    clerk.get_by_role("button", name="Zur Freigabe geben").click()
    expect(clerk.get_by_role("heading", name="Für Sie ist nichts zu tun")).to_be_visible()
    head = sit_down(world.approver, width=375, java_script_enabled=False)
    head.goto(f"/amt/vorgang/{case.reference}/")
    expect(head.get_by_text("120.000,00", exact=False).first).to_be_visible()
    head.get_by_role("link", name="Freigeben").click()
    head.get_by_role("button", name="Zurückgeben").click()
    expect(head.get_by_text("Schreiben Sie, was am Vorschlag zu ändern ist.")).to_be_visible()
    head.get_by_label("Was ist zu ändern?").fill("Bitte die Jahre tauschen.")
    head.get_by_role("button", name="Zurückgeben").click()
    clerk.reload()
    expect(clerk.get_by_text("Bitte die Jahre tauschen.")).to_be_visible()


@pytest.mark.parametrize("width", [320, 375, 768, 1440])
def test_no_sideways_scrolling(world: World, sit_down: Callable[..., Page], width: int) -> None:
    case = smart_case(world)
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    page = sit_down(world.clerk, width=width)
    for path in ("/amt/eingang/", "/amt/vorgaenge/", f"/amt/vorgang/{case.reference}/", "/amt/behoerde/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(world: World, sit_down: Callable[..., Page], scheme: str) -> None:
    case = smart_case(world)
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    address = f"/amt/vorgang/{case.reference}/"
    for actor in (world.clerk, world.approver):
        page = sit_down(actor, bypass_csp=True, color_scheme=scheme)
        for path in ("/amt/eingang/", "/amt/eingang/?q=nichts", "/amt/vorgaenge/", address, "/amt/behoerde/"):
            page.goto(path)
            check(page, path)
    page = sit_down(world.clerk, bypass_csp=True, color_scheme=scheme)
    page.goto(address)
    page.get_by_role("button", name="Zur Freigabe geben").click()
    expect(page.locator("#aufgabe .rh-errors")).to_be_focused()
    check(page, "with errors")


def check(page: Page, where: str) -> None:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    said = [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found]
    assert not said, f"{where}: {json.dumps(said, indent=1, ensure_ascii=False)}"


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_changing_rules_is_accessible_on_every_page(
    world: World, sit_down: Callable[..., Page], width: int, scheme: str
) -> None:
    """From the list to the saved terms; on each page axe finds nothing, and nothing scrolls sideways."""
    smart_case(world)
    page = sit_down(world.approver, width=width, bypass_csp=True, color_scheme=scheme)
    rules = "/amt/leistungen/smart/regeln/"

    def looks_well(where: str) -> None:
        check(page, where)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), where

    for path in ("/amt/leistungen/", rules, "/amt/leistungen/smart/zeitraum/", f"{rules}aendern/"):
        page.goto(path)
        looks_well(path)
    page.get_by_label("Fördersatz", exact=True).fill("achtzig")
    page.get_by_role("button", name="Änderungen prüfen").click()
    looks_well("with errors")
    page.get_by_label("Fördersatz", exact=True).fill("80")
    page.get_by_label("Warum ändern Sie die Regeln?").fill("Neue Richtlinie")
    page.get_by_role("button", name="Jahr hinzufügen").click()
    page.locator("[name='jahre.2.wert']").fill("2023")
    page.get_by_role("button", name="Änderungen prüfen").click()
    looks_well("review")
    page.get_by_role("button", name="Änderungen speichern").click()
    expect(page.get_by_text("Ab jetzt gelten die Regeln Nr. 2.")).to_be_visible()
    looks_well("saved")


def test_no_style_attribute_and_nothing_inline(world: World, sit_down: Callable[..., Page]) -> None:
    case = smart_case(world)
    page = sit_down(world.clerk)
    page.goto(f"/amt/vorgang/{case.reference}/")
    html = page.content()
    assert not re.search(r"\sstyle=|\son\w+=|<script>", html)
