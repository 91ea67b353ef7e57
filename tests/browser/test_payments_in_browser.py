"""Money on the desk in a real browser: wide and on a phone, without JavaScript; axe finds nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_desk import AXE, sit_down, site, world
from tests.browser.test_programmes_in_browser import RULES
from tests.casework.conftest import World, run_waiting_jobs
from tests.domains.claim_world import Place
from tests.web.desk.conftest import proposed
from tests.web.desk.money import payment_of

from rathaus.casework.bulk.actions import Entry, start
from rathaus.casework.bulk.tasks import TASKS
from rathaus.casework.cases.models import Case
from rathaus.core import clock
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.award import change_award, current_award
from rathaus.domains.grants.actions.payments import mark_returned, prepare_run
from rathaus.domains.grants.enums import AwardKind, ClaimReason
from rathaus.domains.grants.models import Claim, Grant, Programme
from rathaus.integrations.bank.actions import release_run

pytestmark = pytest.mark.browser
__all__ = ["sit_down", "site", "world"]
HERE = "/amt/foerderung/land/"


def live(world: World) -> tuple[Place, dict[str, str]]:
    """A programme with payments in every state, a claim, a proof, and a bulk run with a refusal; pages by name."""
    place, year = Place.make(world, years=(clock.today().year,)), clock.today().year
    cases = [place.granted(amount=f"{number}8400.50", ende=f"{year + 1}-12-31") for number in range(1, 5)]
    rates = [place.follow(place.draw, case, betrag="5000.00", jahr=year) for case in cases[:2]]
    for rate in rates:
        place.decide(rate, amount="5000.00")
    with world.clerk.acting():
        programme = Programme.objects.get(key="land")
    payments = [payment_of(world, rate) for rate in rates]
    run = prepare_run(
        by=world.clerk,
        programme=programme,
        executes_on=clock.today(),
        payments=[row.id for row in payments],
    )
    release_run(by=world.approver, run=run.id)
    mark_returned(by=world.clerk, payment=payments[1].id, on=clock.today(), reason="Konto erloschen")
    own = place.granted(amount="20000.00", cost="25000.00", ende=f"{year + 1}-12-31")
    place.drawn(own, amount="12000.00", year=year)
    follow_up = claimed(place, own, "1000.00")
    proof = place.follow(
        place.prove, own, betrag="9000.00", inventar=[],
        zeilen=[{"wofuer": "Software", "betrag": "6000.00"}, {"wofuer": "Schulung der Beschäftigten", "betrag": "3000.00"}],
    )  # fmt: skip
    for case in cases[2:]:  # these wait for the next run
        place.decide(place.follow(place.draw, case, betrag="5000.00", jahr=year), amount="5000.00")
    waiting = [proposed(world), proposed(world, by=world.approver)]
    begun = start(
        by=world.approver, key=new_id(), kind=TASKS, title="Freigeben: Probe",
        entries=[Entry(world.task(case).id, case.reference, case.party_name, case.amount) for case in waiting],
    )  # fmt: skip
    run_waiting_jobs()
    for _ in range(2):
        proposed(world)
    late = place.granted(amount="7000.00")
    with world.clerk.acting():
        Grant.objects.filter(case=late).update(proof_due_on=clock.today() - timedelta(days=20))
    return place, {
        "auszahlungen": f"{HERE}auszahlungen/",
        "lauf": f"{HERE}auszahlungen/{run.number}/",
        "zahlung": f"{HERE}auszahlungen/zahlung/{payments[1].id}/",
        "rueckforderungen": f"{HERE}rueckforderungen/",
        "rueckforderung": f"{HERE}rueckforderungen/{follow_up.reference}/",
        "zinssaetze": "/amt/foerderung/zinssaetze/",
        "zuwendung": f"/amt/vorgang/{own.reference}/",
        "nachweis": f"/amt/vorgang/{proof.reference}/",
        "sammel": "/amt/sammel/",
        "bestaetigen": "/amt/sammel/aufgaben/?leistung=probe&schritt=freigeben",
        "fortschritt": f"/amt/sammel/lauf/{begun.id}/",
        "mahnen": f"{HERE}mahnen/",
    }


def claimed(place: Place, case: Case, amount: str) -> Case:
    """A claim with a receipt, made without its notice."""
    w, year = place.w, clock.today().year
    with w.clerk.acting():
        grant = place.grant(case)
        follow_up = place.follow(
            place.draw,
            case,
            betrag="1.00",
            jahr=year,
            verwendet="12000.00",
            verwendet_am=clock.today().isoformat(),
        )
        claim = Claim.objects.create(
            authority=w.ministry, grant=grant, party_id=grant.party_id, case=follow_up, reason=ClaimReason.REVOCATION,
            amount=Decimal(amount), interest_from=clock.today() - timedelta(days=500), due_on=clock.today(),
        )  # fmt: skip
        years = {row.year: row.amount for row in current_award(grant).years.all()}
        years[year] -= Decimal(amount)
        change_award(
            by=w.clerk, grant=grant, case=follow_up, kind=AwardKind.REVOCATION, by_year=years,
            claimed={year: Decimal(amount)}, key=f"claim:{claim.id}",
        )  # fmt: skip
    return follow_up


@pytest.mark.parametrize("width", [1440, 375, 320])
def test_every_page_is_accessible_and_fits(world: World, sit_down: Callable[..., Page], width: int) -> None:
    _, pages = live(world)
    page = sit_down(world.approver, width=width, color_scheme="dark" if width == 320 else "light")
    wrong = []
    for name, path in pages.items():
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if shots := os.environ.get("RATHAUS_SHOTS"):
            page.screenshot(path=Path(shots) / f"{name}-{width}.png", full_page=True)
        page.evaluate(AXE.read_text())
        found = page.evaluate(f"axe.run({json.dumps(RULES)})")["violations"]
        wrong += [(name, entry["id"], entry["nodes"][0]["html"][:200]) for entry in found]
    assert not wrong


def test_a_run_without_javascript(world: World, sit_down: Callable[..., Page]) -> None:
    place = Place.make(world, years=(clock.today().year,))
    case = place.granted(amount="900.00", ende=f"{clock.today().year + 1}-12-31")
    rate = place.follow(place.draw, case, betrag="300.00", jahr=clock.today().year)
    place.decide(rate, amount="300.00")
    clerk = sit_down(world.clerk, java_script_enabled=False)
    clerk.goto(f"{HERE}auszahlungen/")
    clerk.get_by_role("button", name="Zahlungslauf vorbereiten").click()
    expect(clerk.get_by_role("main")).to_contain_text("Freigeben muss eine andere Person")
    head = sit_down(world.approver, java_script_enabled=False)
    head.goto(f"{HERE}auszahlungen/1/")
    head.get_by_role("button", name="freigeben").click()
    with head.expect_download() as download:
        head.get_by_role("link", name="SEPA-Datei").click()
    assert download.value.suggested_filename == "land-Lauf-1.xml"


def test_progress_comes_by_itself(world: World, sit_down: Callable[..., Page]) -> None:
    for _ in range(2):
        proposed(world)
    page = sit_down(world.approver)
    page.goto("/amt/sammel/")
    page.get_by_role("link", name="Freigeben").click()
    page.get_by_role("button", name="Alle 2 freigeben").click()
    expect(page.get_by_role("status")).to_contain_text("0 von 2")
    run_waiting_jobs()
    expect(page.get_by_role("status")).to_contain_text("2 erledigt", timeout=10_000)
