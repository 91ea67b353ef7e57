"""What an applicant sees of a case that the office opened: not the reasons, and nothing before it was told."""

from __future__ import annotations

import pytest
from tests.casework.conftest import World
from tests.casework.office_package import ANSWERS, recovery
from tests.web.portal.conftest import Person

from rathaus.casework.cases.actions.submission import open_case
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Notice
from rathaus.casework.services.models import Offer
from rathaus.core.tenancy import new_id


@pytest.fixture
def offer(world: World) -> Offer:
    return world.publish(recovery(), "rueckforderung")


def opened(world: World, offer: Offer, about: Case, **changes: object) -> Case:
    answers = {**ANSWERS, **changes}
    return open_case(by=world.clerk, offer=offer, about=about, answers=answers, submission=new_id())


def test_before_the_first_message_it_does_not_exist(world: World, offer: Offer, officer: Person) -> None:
    earlier = world.submit()
    case = opened(world, offer, earlier, eilig=True, warum="Verjährung")
    officer.get(f"/meine/{case.id}/", status=404)
    assert case.reference not in officer.get("/meine/")
    assert case.reference not in officer.get(f"/meine/{earlier.id}/")
    assert case.reference not in officer.get("/")


def test_the_hearing_can_be_answered_and_its_grounds_stay_inside(
    world: World, offer: Offer, officer: Person, neighbour: Person
) -> None:
    earlier = world.submit()
    case = opened(world, offer, earlier)
    page = officer.get(f"/meine/{case.id}/")
    assert "Sie können sich äußern" in page
    assert "Von Amts wegen eröffnet" in page
    assert "Antrag zurückziehen" not in page
    assert "Quittung" not in page
    assert "beantragt" not in page
    assert f'href="/meine/{case.id}/"' in officer.get(f"/meine/{earlier.id}/")
    assert case.reference in officer.get("/meine/")
    for address in ("", "zurueckziehen/"):
        text = officer.client.get(f"/meine/{case.id}/{address}", follow=True).content.decode()
        assert str(ANSWERS["grund"]) not in text
    officer.get(f"/meine/{case.id}/eingang/", status=404)
    officer.get(f"/meine/{case.id}/quittung.pdf", status=404)
    neighbour.get(f"/meine/{case.id}/", status=404)
    officer.post(f"/meine/{case.id}/antwort/", text="Es gab nur eine Förderung.")
    assert world.task(case).element == "vorschlagen"


def test_its_notice_speaks_of_no_application(
    world: World, offer: Offer, officer: Person, run_jobs: object
) -> None:
    case = opened(world, offer, world.submit(), eilig=True, warum="Verjährung")
    given = {"ergebnis": "granted", "betrag": case.amount, "begruendung": "Doppelt gefördert."}
    complete_task(by=world.clerk, task=world.task(case).id, answers=given)
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
    assert callable(run_jobs)
    run_jobs()
    with officer.actor.acting():
        notice = Notice.objects.get(case=case)
    page = officer.get(f"/meine/{case.id}/bescheid/{notice.id}/")
    assert "Ihr Antrag</dt>" not in page
    assert "Festgesetzt sind 400,00\xa0€." in page
    assert str(ANSWERS["grund"]) not in page
    assert "Bescheid lesen" in officer.get(f"/meine/{case.id}/")
