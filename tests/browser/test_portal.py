"""The portal in a real browser: with JavaScript, without it, by keyboard, on a phone; and no barrier that axe knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.casework.conftest import World, make_world
from tests.web.portal.conftest import PDF, Person, ask, at_portal, decided
from tests.web.portal.form_package import form_package

from rathaus.casework.cases.models import Case, Notice
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
NEXT = "Speichern und weiter"
PHONE = {"width": 375, "height": 800}


@pytest.fixture
def world(committed: None) -> World:
    world = make_world()
    system = Actor.system(world.ministry.id)
    version = publish_package(by=system, files=form_package())
    offer_service(by=system, authority=world.ministry, version=version, slug="akte")
    return world


@pytest.fixture
def officer(world: World) -> Person:
    account = Account.objects.get(pk=world.lahnau_officer.account)
    account.trust_level = 3
    account.save()
    return at_portal(account)


def open_as(
    person: Person, chromium: Browser, url: str, *, javascript: bool = True, **options: object
) -> BrowserContext:
    """A window of the browser in which this person is signed in."""
    context = chromium.new_context(java_script_enabled=javascript, base_url=url, locale="de-DE", **options)  # type: ignore[arg-type]
    cookie = person.client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
    context.set_default_timeout(10_000)
    return context


def fill_in(page: Page, plan: Path) -> None:
    """From the service to the receipt, with one mistake on the way."""
    page.goto("/leistung/akte/")
    page.get_by_role("button", name="Antrag beginnen").click()
    page.get_by_label("Titel").fill("Gemeinsame Akte")
    page.get_by_label("Ja").check()
    page.get_by_role("button", name=NEXT).click()
    page.get_by_label("Womit zusammen?").fill("Software")
    page.get_by_role("button", name=NEXT).click()
    page.get_by_label("Name der Kommune").fill("waldso")
    page.get_by_role("button", name="Suchen").click()
    page.get_by_role("button", name="Auswählen: Gemeinde Waldsolms").click()
    expect(page.get_by_label("Partnerkommunen 1")).to_have_value("Gemeinde Waldsolms")
    page.get_by_role("button", name=NEXT).click()
    page.get_by_label("Wofür?").fill("Einführung")
    page.get_by_label("Betrag in Euro").fill("118.500.00")
    page.get_by_label("Ausgaben").fill("118.500,00")
    page.get_by_label("Zuschuss").fill("900")
    page.get_by_role("button", name=NEXT).click()
    expect(page).to_have_title(re.compile("^Fehler: Geld"))
    expect(page.get_by_role("alert")).to_contain_text("„118.500.00“ ist nicht eindeutig")
    expect(page.get_by_label("Betrag in Euro")).to_have_value("118.500.00")
    page.get_by_label("Betrag in Euro").fill("118.500,00")
    page.get_by_role("button", name="Position hinzufügen").click()
    expect(page.get_by_role("group", name="Position 2")).to_be_visible()
    page.get_by_role("button", name="Position 2 entfernen").click()
    page.get_by_role("button", name=NEXT).click()
    page.get_by_label("Unterlagen").set_input_files(plan)
    page.get_by_role("button", name=NEXT).click()
    expect(page.get_by_role("heading", name="Prüfen Sie Ihre Angaben")).to_be_visible()
    expect(page.get_by_text("Gemeinde Waldsolms")).to_be_visible()
    page.get_by_role("button", name="Antrag absenden").click()
    expect(page.get_by_role("heading", name="Ihr Antrag ist eingegangen")).to_be_visible()


def wider_than_window(page: Page) -> bool:
    """Whether the page has to be moved sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("javascript", [True, False])
def test_a_municipality_applies(
    world: World, officer: Person, chromium: Browser, site: str, tmp_path: Path, javascript: bool
) -> None:
    plan = tmp_path / "plan.pdf"
    plan.write_bytes(PDF)
    context = open_as(officer, chromium, site, javascript=javascript)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    fill_in(page, plan)
    with Actor.system(world.ministry.id).acting():
        assert Case.objects.get(offer__slug="akte").title == "Gemeinsame Akte"
    assert problems == []
    context.close()


def test_the_sum_follows_the_typing_and_enter_goes_on(
    world: World, officer: Person, chromium: Browser, site: str
) -> None:
    draft = officer.draft(Offer.objects.get(slug="akte"), titel="Akte", gemeinsam=False)
    context = open_as(officer, chromium, site)
    page = context.new_page()
    page.goto(f"/antrag/{draft.id}/geld/")
    page.get_by_label("Wofür?").fill("Software")
    page.get_by_label("Betrag in Euro").press_sequentially("1.000,50")
    expect(page.locator("[data-total]")).to_contain_text("1.000,50")
    page.get_by_label("Ausgaben").fill("1000,50")
    page.get_by_label("Zuschuss").fill("900")
    page.get_by_label("Zuschuss").press("Enter")
    expect(page.get_by_role("heading", name="Anlagen")).to_be_visible()
    context.close()


def test_errors_take_the_focus_and_lead_to_their_fields(
    world: World, officer: Person, chromium: Browser, site: str
) -> None:
    draft = officer.draft(Offer.objects.get(slug="akte"))
    context = open_as(officer, chromium, site)
    page = context.new_page()
    page.goto(f"/antrag/{draft.id}/vorhaben/")
    page.get_by_role("button", name=NEXT).press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Titel")).to_be_focused()
    context.close()


def test_pages_fit_a_phone_and_have_no_barrier_that_axe_knows(
    world: World, officer: Person, chromium: Browser, site: str
) -> None:
    draft = officer.draft(Offer.objects.get(slug="akte"), titel="Akte", gemeinsam=True, womit="Software")
    asked, done = world.submit(), world.submit(titel="Entschieden")
    ask(world, asked)
    decided(world, done)
    with Actor.system(world.ministry.id).acting():
        notice = Notice.objects.get(case=done)
    paths = [
        "/", "/leistungen/?q=akte", "/leistungen/?q=Pferd", "/verzeichnis/?q=lahn",
        "/leistung/akte/", "/leistung/akte/beginnen/?neu", f"/antrag/{draft.id}/vorhaben/?pruefen",
        f"/antrag/{draft.id}/partner/?_suche=lahn", f"/antrag/{draft.id}/geld/?pruefen",
        f"/antrag/{draft.id}/anlagen/", f"/antrag/{draft.id}/pruefen/", f"/antrag/{draft.id}/verwerfen/",
        "/meine/", f"/meine/{asked.id}/", f"/meine/{done.id}/", f"/meine/{asked.id}/eingang/",
        f"/meine/{done.id}/bescheid/{notice.id}/",
        "/hilfe/", "/datenschutz/", "/barrierefreiheit/", "/impressum/",
    ]  # fmt: skip
    context = open_as(officer, chromium, site, viewport=PHONE, bypass_csp=True)
    page = context.new_page()
    found: dict[str, list[str]] = {}
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        page.add_script_tag(path=AXE)
        violations = page.evaluate(
            "async () => (await axe.run()).violations.map(v => "
            "`${v.id}: ${v.nodes.map(n => n.html.slice(0, 120)).join(' | ')}`)"
        )
        if wider_than_window(page):
            violations.append("wider than the window")
        if violations:
            found[path] = violations
    assert found == {}
    context.close()
