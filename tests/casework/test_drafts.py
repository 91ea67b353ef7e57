"""Drafts: kept, found again, handed in once, removed when forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.conftest import World
from tests.casework.packages import MANIFEST, probe

from rathaus.casework.cases.actions.answers import InvalidAnswers
from rathaus.casework.cases.actions.drafts import begin_draft, discard_draft, save_draft
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.jobs import expire_drafts
from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actions import give_mandate
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import acting

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


@pytest.fixture
def substantial(world: World) -> Offer:
    """The service `probe` for people who are known substantially."""
    by = Actor.system(world.ministry.id)
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"\nvertrauensniveau = 3')
    version = publish_package(by=by, files=probe(leistung__toml=manifest))
    world.offer = offer_service(by=by, authority=world.ministry, version=version, slug="probe")
    return world.offer


def known(by: Actor, level: int) -> Actor:
    """The same person, who logged in at this level."""
    Account.objects.filter(pk=by.account).update(trust_level=level)
    assert by.account
    return actor_of(by.account)


def test_who_is_not_known_well_enough_can_neither_begin_nor_hand_in(world: World, substantial: Offer) -> None:
    weak, strong = known(world.lahnau_officer, 1), known(world.lahnau_officer, 3)
    assert (weak.trust_level, strong.trust_level) == (1, 3)
    with pytest.raises(NotAllowed, match="substanziell"):
        begin_draft(by=weak, offer=substantial, party=world.lahnau_party.id)
    draft = begin_draft(by=strong, offer=substantial, party=world.lahnau_party.id)
    save_draft(by=strong, draft=draft, answers=ANSWERS)
    with pytest.raises(NotAllowed, match="substanziell"):
        submit_draft(by=weak, draft=draft.id)
    with pytest.raises(NotAllowed, match="substanziell"):
        world.submit(by=weak)  # past the draft
    with world.clerk.acting():
        assert not Case.objects.exists()
    assert submit_draft(by=strong, draft=draft.id).party_id == world.lahnau_party.id


def test_working_for_the_authority_does_not_make_an_applicant_known(world: World, substantial: Offer) -> None:
    """A clerk who may also act for a municipality applies like everybody else."""
    assert world.clerk.account
    with acting(authority=world.lahnau.id):
        give_mandate(
            by=Actor.system(world.lahnau.id),
            account=Account.objects.get(pk=world.clerk.account),
            party=world.lahnau_party,
        )
    both = actor_of(world.clerk.account)
    assert (both.authority, both.parties) == (world.ministry.id, (world.lahnau_party.id,))
    with pytest.raises(NotAllowed, match="substanziell"):
        begin_draft(by=both, offer=substantial, party=world.lahnau_party.id)


def test_the_office_enters_what_it_received_by_other_ways(world: World, substantial: Offer) -> None:
    for by in (world.clerk, Actor.system(world.ministry.id)):
        assert by.trust_level == 1
        assert world.submit(by=by).party_id == world.lahnau_party.id


def test_forgotten_drafts_are_removed_and_others_stay(world: World) -> None:
    old, fresh = begin(world), begin(world)
    with world.lahnau_officer.acting():
        Draft.objects.filter(id=old.id).update(expires_on=timezone.localdate() - timedelta(days=1))
    expire_drafts(timestamp=0)
    with world.lahnau_officer.acting():
        assert [draft.id for draft in Draft.objects.all()] == [fresh.id]
