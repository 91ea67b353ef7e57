"""Drafts: kept, found again, handed in once, removed when forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.conftest import World

from rathaus.casework.cases.actions.drafts import begin_draft, discard_draft, save_draft
from rathaus.casework.cases.actions.submission import InvalidAnswers, submit_draft
from rathaus.casework.cases.jobs import expire_drafts
from rathaus.casework.cases.models import Case, Draft
from rathaus.core.identity.actors import NotAllowed

ANSWERS = {"titel": "Neue Akte", "betrag": "900.00", "ausgaben": "1000.00"}


def begin(world: World) -> Draft:
    return begin_draft(by=world.lahnau_officer, offer=world.offer, party=world.lahnau_party.id)


def test_submitted_twice_it_is_one_case(world: World) -> None:
    draft = begin(world)
    save_draft(by=world.lahnau_officer, draft=draft, answers=ANSWERS)
    first = submit_draft(by=world.lahnau_officer, draft=draft.id)
    again = submit_draft(by=world.lahnau_officer, draft=draft.id)
    assert first.id == again.id
    with world.lahnau_officer.acting():
        assert Case.objects.count() == 1
        assert not Draft.objects.exists()


def test_what_could_not_be_read_stops_handing_in(world: World) -> None:
    draft = begin(world)
    save_draft(by=world.lahnau_officer, draft=draft, answers=ANSWERS, raw={"betrag": "118.500.00"})
    with pytest.raises(InvalidAnswers, match="nicht eindeutig"):
        submit_draft(by=world.lahnau_officer, draft=draft.id)
    with world.lahnau_officer.acting():
        assert Draft.objects.get().raw == {"betrag": "118.500.00"}


def test_nobody_else_may_touch_a_draft(world: World) -> None:
    draft = begin(world)
    for action in (save_draft, discard_draft):
        arguments = {"answers": {}} if action is save_draft else {}
        with pytest.raises(NotAllowed):
            action(by=world.waldsolms_officer, draft=draft, **arguments)
    with pytest.raises(Draft.DoesNotExist):
        submit_draft(by=world.waldsolms_officer, draft=draft.id)
    with world.clerk.acting():
        assert not Draft.objects.exists()  # the authority does not see what was not handed in


def test_forgotten_drafts_are_removed_and_others_stay(world: World) -> None:
    old, fresh = begin(world), begin(world)
    with world.lahnau_officer.acting():
        Draft.objects.filter(id=old.id).update(expires_on=timezone.localdate() - timedelta(days=1))
    expire_drafts(timestamp=0)
    with world.lahnau_officer.acting():
        assert [draft.id for draft in Draft.objects.all()] == [fresh.id]
