"""„Unsere Förderungen“ in a real browser: light, dark, on a phone, without JavaScript; and no barrier that axe knows."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.test_portal import AXE, PHONE, open_as
from tests.casework.conftest import World, make_world, run_waiting_jobs
from tests.domains.small_lives import Lives, noon
from tests.web.portal.conftest import Person, at_portal

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.models import Notice
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.domains.grants.actions.receipts import agree_instalments
from rathaus.domains.grants.enums import ClaimReason
from rathaus.domains.grants.models import Claim, Grant

pytestmark = pytest.mark.browser
TODAY = clock.today()  # the site lives in real time, the grants in what was before


def final(world: World, grant: Grant) -> None:
    with world.lahnau_officer.acting():
        notice = Notice.objects.get(case=grant.case_id)
    waive_remedy(by=world.lahnau_officer, notice=notice)


@pytest.fixture
def grant(committed: None) -> Grant:
    """One grant that is half drawn and proven in between, one with a claim in parts, one application."""
    year = TODAY.year - 1
    with clock.living_at(noon(date(year, 1, 4))):
        world = make_world()
        lives = Lives.at(world, first_year=year)
    period = {"begins": f"{year}-01-01", "ends": f"{year + 1}-12-31"}
    with clock.living_at(noon(date(year, 3, 1))):
        found = lives.begin(
            {year: "145100.00", year + 1: "338560.00"}, title="Gemeinsames Dokumentenmanagement",
            cost="537400.00", amount="483660.00", **period,
        )  # fmt: skip
        final(world, found)
        second = lives.begin(
            title="IT-Ausstattung und Homeoffice", cost="40000.00", amount="30000.00", **period
        )
        final(world, second)
    with clock.living_at(noon(date(year, 9, 22))):
        lives.pay(lives.ask_for(found, "87300.00", year), date(year, 9, 22))
        lives.pay(lives.ask_for(second, "27000.00", year), date(year, 9, 22))
    with clock.living_at(noon(date(year + 1, 1, 10))):
        items = (("Dokumentenscanner", f"{year}-10-01", "8400.00"),)
        lives.accept(lives.prove(found, "97000.00", kind="zwischen", items=items), "97000.00")
        claim_in_parts(world, second)
        lives.apply(title="Bürgerportal mit Bezahlfunktion", **period)
        run_waiting_jobs()
    return found


def claim_in_parts(world: World, grant: Grant) -> None:
    """What a claim looks like to whom it is made; how it comes about has tests of its own."""
    with Actor.system(world.ministry.id).acting():
        claim = Claim.objects.create(
            authority_id=grant.authority_id, grant=grant, party_id=grant.party_id, case_id=grant.case_id,
            reason=ClaimReason.LATE_USE, amount=0, interest=Decimal("412.80"), due_on=TODAY,
        )  # fmt: skip
    days = [TODAY + timedelta(days=10), TODAY + timedelta(days=40)]
    agree_instalments(
        by=world.approver, claim=claim.id, instalments=[(day, Decimal("206.40")) for day in days]
    )


def somebody(grant: Grant) -> Person:
    return at_portal(Account.objects.get(email="gemeinde-lahnau@example.org"))


def check(page: Page, address: str) -> None:
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        f"{address} scrolls sideways"
    )
    page.add_script_tag(content=AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations.map(v => v.id + ': ' + v.nodes[0].html)")
    assert found == [], address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_on_any_page_also_on_a_phone(
    grant: Grant, site: str, chromium: Browser, scheme: str
) -> None:
    person = somebody(grant)
    for size in (PHONE, {"width": 320, "height": 700}, {"width": 1440, "height": 900}):
        context = open_as(person, chromium, site, viewport=size, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        for address in ("/foerderungen/", f"/foerderungen/{grant.id}/", "/foerderungen/fristen/"):
            check(page, address)
        context.close()


def test_from_the_line_to_the_form_and_the_calendar_without_javascript(
    grant: Grant, site: str, chromium: Browser, tmp_path: Path
) -> None:
    context = open_as(somebody(grant), chromium, site, javascript=False)
    page = context.new_page()
    page.goto("/meine/")
    page.get_by_role("navigation", name="Hauptnavigation").get_by_role(
        "link", name="Unsere Förderungen"
    ).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unsere Förderungen")
    page.get_by_role("link", name="Gemeinsames Dokumentenmanagement", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gemeinsames Dokumentenmanagement")
    page.get_by_role("link", name="Nachweis", exact=False).first.click()
    page.goto("/foerderungen/")
    page.get_by_role("link", name="Fristen abonnieren").click()
    page.get_by_role("button", name="Adresse erzeugen").click()
    address = page.get_by_label("Adresse des Kalenders").input_value()
    path = address.partition("/foerderungen/")[2]
    answer = context.request.get(f"{site}/foerderungen/{path}")
    assert answer.ok
    assert answer.text().startswith("BEGIN:VCALENDAR")
    context.close()
