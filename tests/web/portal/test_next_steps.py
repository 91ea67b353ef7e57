"""From an invited sketch to the application, and from an undecided application to an early start: one click each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.casework.conftest import World
from tests.domains.claim_world import Place, on
from tests.domains.test_before_and_after import SKETCH, decide
from tests.domains.test_programmes import Town, file, load
from tests.web.portal.conftest import Person, at_portal
from tests.web.queries import counted

from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.services.models import Offer
from rathaus.core.identity.models import Account
from rathaus.core.tenancy import new_id


def person_of(town: Town) -> Person:
    return at_portal(Account.objects.get(id=town.officer.account))


@pytest.fixture
def sketches(world: World) -> tuple[World, Town, Offer]:
    found, _ = load(world, file("starke-heimat-2025"))
    with on("2025-01-02"):
        return world, Town.make(1), found.offer


def sketch(w: World, town: Town, offer: Offer, outcome: str = "") -> Case:
    case = submit_application(
        by=town.officer, offer=offer, party=town.party, answers=SKETCH, submission=new_id()
    )
    if outcome:
        decide(w, case, outcome)
    return case


def test_an_invited_sketch_leads_to_a_form_that_is_begun(sketches: tuple[World, Town, Offer]) -> None:
    w, town, offer = sketches
    with on("2025-09-05"):
        case = sketch(w, town, offer, "granted")
    with on("2025-10-01"):
        officer = person_of(town)
        officer.get(f"/meine/{case.id}/")
        with counted() as statements:
            page = officer.get(f"/meine/{case.id}/")
        assert len(statements) <= 12, "\n".join(statements)
        (link,) = re.findall(r'href="([^"]*starke-heimat-smart-2025[^"]*vorgang=[^"]*)"', page)
        assert case.reference in officer.get(link)
        officer.post(link, partei=str(town.party.id))
    with town.officer.acting():
        draft = Draft.objects.get(offer__slug="starke-heimat-smart-2025")
    assert (draft.about_id, draft.answers["titel"]) == (case.id, SKETCH["titel"])


@pytest.mark.parametrize("outcome", ["", "refused"])
def test_a_sketch_that_was_not_invited_leads_nowhere(
    sketches: tuple[World, Town, Offer], outcome: str
) -> None:
    w, town, offer = sketches
    with on("2025-09-05"):
        case = sketch(w, town, offer, outcome)
        assert "Was Sie jetzt beginnen können" not in person_of(town).get(f"/meine/{case.id}/")


def test_guessed_and_foreign_sketches_do_not_exist(sketches: tuple[World, Town, Offer]) -> None:
    w, town, offer = sketches
    with on("2025-09-05"):
        case = sketch(w, town, offer, "granted")
    with on("2025-10-01"):
        other = person_of(Town.make(2))
        for given in (str(case.id), str(new_id()), "x"):
            other.get(f"/leistung/starke-heimat-smart-2025/beginnen/?vorgang={given}", 404)


def test_an_undecided_application_leads_to_an_early_start(world: World) -> None:
    (call,) = load(world, file("thueringen-2024"))
    Place(world, call.offer, call.offer, call.offer).leistung("vorzeitiger-beginn")
    given: dict[str, Any] = {"amount": "8000.00", "cost": "10000.00"}
    with on("2024-08-05"):
        town = Town.make(1)
        case = town.apply(call, **given)
        officer = person_of(town)
        officer.get(f"/meine/{case.id}/")
        with counted() as statements:
            page = officer.get(f"/meine/{case.id}/")
        assert len(statements) <= 12, "\n".join(statements)
    assert "Vorzeitiger Maßnahmenbeginn</a>" in page
    assert f"vorgang={case.id}" in page
