"""Two windows on one draft, each on a connection of its own: whoever comes too late is led to what was handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.casework.conftest import World, make_world
from tests.casework.test_races import Rival
from tests.web.portal.conftest import PDF, Person

from rathaus.casework.cases.actions.drafts import discard_draft
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.models import Application, Draft


@pytest.fixture
def world(committed: None) -> World:
    """As elsewhere in the portal's tests, but transactions commit and other connections see them."""
    return make_world()


LATE: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "step": ("vorhaben/", lambda: {"titel": "Anders", "gemeinsam": "false"}),
    "upload": ("anlagen/", lambda: {"anlagen": SimpleUploadedFile("plan.pdf", PDF)}),
    "later": ("vorhaben/", lambda: {"titel": "Anders", "_nach": "spaeter"}),
    "discard": ("verwerfen/", dict),
    "hand in": ("pruefen/", dict),
}


@pytest.mark.parametrize("what", LATE)
def test_handed_in_meanwhile_leads_to_the_case(what: str, full: Draft, officer: Person) -> None:
    page, data = LATE[what]
    rival = Rival(officer.actor, lambda: submit_draft(by=officer.actor, draft=full.id))
    answer = rival.beats(lambda: officer.client.post(f"/antrag/{full.id}/{page}", data()))
    assert not isinstance(answer, Exception), repr(answer)
    with officer.actor.acting():
        application = Application.objects.get(submission=full.id)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/meine/{application.case_id}/eingang/")
    assert application.answers["titel"] == "Neue Akte"


@pytest.mark.parametrize("what", LATE)
def test_thrown_away_meanwhile_is_not_there(what: str, full: Draft, officer: Person) -> None:
    page, data = LATE[what]
    rival = Rival(officer.actor, lambda: discard_draft(by=officer.actor, draft=full))
    answer = rival.beats(lambda: officer.client.post(f"/antrag/{full.id}/{page}", data()))
    assert not isinstance(answer, Exception), repr(answer)
    assert answer.status_code == 404
    with officer.actor.acting():
        assert not Application.objects.filter(submission=full.id).exists()
