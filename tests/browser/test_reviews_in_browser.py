"""Review in a real browser, with the real grant as a competition: keyboard, phone, no script, and what axe finds."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_desk import check, sit_down, site, world
from tests.casework.conftest import World
from tests.domains.competition import Round, make_round
from tests.web.desk.conftest import smart_case

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case
from rathaus.casework.services.actions import set_terms
from rathaus.casework.services.models import Offer
from rathaus.core import clock
from rathaus.domains.grants.actions.reviews import assign_experts, declare_conflict, record_jury_vote
from rathaus.domains.grants.models import Review

__all__ = ["sit_down", "site", "world"]
pytestmark = pytest.mark.browser

CRITERIA = [
    {"name": "Nutzen für die Menschen", "gewicht": 50, "hinweis": "Was wird einfacher, und für wie viele?"},
    {"name": "Umsetzbarkeit", "gewicht": 30, "hinweis": "Zeitplan, Personal, Risiken"},
    {"name": "Übertragbarkeit", "gewicht": 20, "hinweis": "Können andere Kommunen es übernehmen?"},
]


@dataclass
class Competition:
    """The real package with criteria, one application under review, and a round of small ones beside it."""

    rounds: Round
    case: Case
    reviews: list[Review]


@pytest.fixture
def competition(world: World) -> Competition:
    rounds = make_round(world, money="3000.00")
    smart_case(world)
    with world.approver.acting():
        offer = Offer.objects.select_related("terms").get(slug="smart")
    set_terms(
        by=world.approver,
        offer=offer,
        parameters={"begutachtung": CRITERIA},
        note="Der Aufruf ist ein Wettbewerb.",
        based_on=offer.terms.number,
    )
    case = smart_case(world, "waldsolms")
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    experts = [expert.account for expert in rounds.experts[:2] if expert.account]
    reviews = assign_experts(by=world.clerk, assignments=[(case.id, expert) for expert in experts])
    best = rounds.scored("Digitale Bauakte mit offenen Schnittstellen", "1200.00", (4, 4, 4), (4, 3, 4))
    rounds.scored("Sensoren an Bächen und Brücken", "1500.00", (4, 4, 3), (1, 2, 2))
    small = rounds.scored("Terminvergabe", "600.00", (2, 2, 2), (2, 3, 2))
    rounds.apply("Noch ohne Gutachten", "300.00")
    today = clock.today()
    record_jury_vote(by=world.clerk, case=best.id, verdict="yes", rank=1, session_on=today)
    record_jury_vote(
        by=world.clerk,
        case=small.id,
        verdict="conditions",
        rank=2,
        session_on=today,
        note="Mit offener Lizenz.",
    )
    return Competition(rounds, case, reviews)


RANKING = "/amt/foerderung/wettbewerbe/aufruf/runde/rangliste/"
ASSIGN = "/amt/foerderung/wettbewerbe/aufruf/runde/gutachten/"


def looked_at(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look: RATHAUS_PICTURES names the folder."""
    if folder := os.environ.get("RATHAUS_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_review_without_javascript(competition: Competition, sit_down: Callable[..., Page]) -> None:
    page = sit_down(competition.rounds.experts[0], width=375, java_script_enabled=False)
    page.goto("/amt/")
    page.locator(f'a[href="/amt/gutachten/{competition.reviews[0].id}/"]').click()
    page.get_by_label("Nein, nichts davon trifft auf mich zu").check()
    page.get_by_role("button", name="Erklärung abgeben").click()
    page.get_by_role("button", name="Gutachten abgeben").click()
    expect(page.get_by_text("Bitte prüfen Sie Ihre Angaben")).to_be_visible()
    for criterion in CRITERIA:
        group = page.get_by_role("group", name=str(criterion["name"]))
        group.get_by_label("3 gut").check()
    page.get_by_label("Begründung", exact=True).fill("Klarer Nutzen, der Zeitplan ist eng.")
    page.get_by_role("button", name="Gutachten abgeben").click()
    expect(page.get_by_text("Ihr Gutachten ist abgegeben")).to_be_visible()
    looked_at(page, "abgegeben-375")


@pytest.mark.parametrize("width", [320, 375, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    competition: Competition, sit_down: Callable[..., Page], width: int, scheme: str
) -> None:
    world = competition.rounds.world
    first, second = competition.reviews
    declare_conflict(by=competition.rounds.experts[1], review=second.id, is_conflicted=False)
    case = f"/amt/vorgang/{competition.case.reference}/"
    visits = (
        (competition.rounds.experts[0], "gutachten-liste", "/amt/gutachten/"),
        (competition.rounds.experts[0], "gutachten-erklaerung", f"/amt/gutachten/{first.id}/"),
        (competition.rounds.experts[1], "gutachten-bewerten", f"/amt/gutachten/{second.id}/"),
        (world.approver, "vorgang", case),
        (world.approver, "votum", f"{case}votum/"),
        (world.approver, "abschliessen", f"{case}begutachtung/"),
        (world.clerk, "rangliste", RANKING),
        (world.clerk, "rangliste-jury", f"{RANKING}?nach=jury"),
        (world.clerk, "zuweisen", ASSIGN),
        (world.approver, "regeln", "/amt/leistungen/smart/regeln/"),
    )
    for actor, name, path in visits:
        page = sit_down(actor, width=width, bypass_csp=True, color_scheme=scheme)
        page.goto(path)
        looked_at(page, f"{name}-{width}-{scheme}")
        check(page, f"{path} {width} {scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, width)
