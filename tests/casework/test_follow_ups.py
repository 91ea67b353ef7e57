"""Cases that go on with an earlier one: who may begin them, about what, and what the database holds."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from tests.casework.conftest import World
from tests.casework.packages import follow_up

from rathaus.casework.cases.actions.drafts import begin_draft, save_draft
from rathaus.casework.cases.actions.importing import FileNotImported, import_applications
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.cases.queries import case_file, own_case, own_follow_ups
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor, NotAllowed

ANSWERS = {"titel": "Erster Abruf", "betrag": "400.00", "ausgaben": "500.00"}


@pytest.fixture
def abruf(world: World) -> Offer:
    return world.publish(follow_up(), "abruf")


def test_a_draft_keeps_what_it_is_about(world: World, abruf: Offer) -> None:
    earlier = world.submit()
    by = world.lahnau_officer
    draft = begin_draft(by=by, offer=abruf, party=world.lahnau_party.id, about=earlier)
    save_draft(by=by, draft=draft, answers=ANSWERS)
    case = submit_draft(by=by, draft=draft.id)
    assert case.about_id == earlier.id
    assert submit_draft(by=by, draft=draft.id) == case
    assert case.reference.startswith("ABR-")
    with world.clerk.acting():
        assert case_file(world.clerk, earlier.reference).follow_ups == [case]
        assert case_file(world.clerk, case.reference).case.about == earlier
    with by.acting():
        assert own_follow_ups(by, own_case(by, earlier.id)) == [case]
        assert own_follow_ups(by, own_case(by, case.id)) == []


def test_a_follow_up_needs_its_case_and_nothing_else_takes_one(world: World, abruf: Offer) -> None:
    earlier = world.submit()
    by, party = world.lahnau_officer, world.lahnau_party.id
    with pytest.raises(Refused, match="gehört zu einem früheren Vorgang"):
        begin_draft(by=by, offer=abruf, party=party)
    with pytest.raises(Refused, match="gehört zu einem früheren Vorgang"):
        world.submit(offer=abruf)
    with pytest.raises(Refused, match="steht für sich"):
        begin_draft(by=by, offer=world.offer, party=party, about=earlier)
    with pytest.raises(Refused, match="steht für sich"):
        world.submit(about=earlier)
    with by.acting():
        assert not Draft.objects.exists()
        assert Case.objects.count() == 1


def test_nobody_refers_to_another_partys_case(world: World, abruf: Offer) -> None:
    foreign = world.submit(by=world.waldsolms_officer, party=world.waldsolms_party)
    with pytest.raises(NotAllowed, match="gehört jemand anderem"):
        begin_draft(by=world.lahnau_officer, offer=abruf, party=world.lahnau_party.id, about=foreign)
    with pytest.raises(NotAllowed, match="dürfen Sie nicht handeln"):
        begin_draft(by=world.lahnau_officer, offer=abruf, party=world.waldsolms_party.id, about=foreign)
    for by in (world.lahnau_officer, world.clerk):
        with pytest.raises(NotAllowed, match="gehört jemand anderem"):
            world.submit(by=by, offer=abruf, about=foreign)


def test_nobody_refers_to_another_authoritys_case(world: World, abruf: Offer) -> None:
    earlier = world.submit()
    elsewhere = Case(id=earlier.id, authority=world.waldsolms, party=world.lahnau_party)
    with pytest.raises(NotAllowed, match="anderen Behörde"):
        world.submit(offer=abruf, about=elsewhere)


def test_the_database_refuses_another_authoritys_case(world: World, abruf: Offer) -> None:
    """Even for an account that may see both: the key names the authority, too."""
    earlier = world.submit()
    with (
        Actor.system(world.lahnau.id).on_behalf_of(world.lahnau.id),
        pytest.raises(IntegrityError, match="case_about_same_authority"),
        transaction.atomic(),
    ):
        Case.objects.create(
            authority=world.lahnau,
            offer=abruf,
            terms=abruf.terms,
            party=world.lahnau_party,
            party_name="Lahnau",
            reference="X-1",
            title="X",
            about_id=earlier.id,
        )


def test_import_names_the_case(world: World, abruf: Offer) -> None:
    earlier = world.submit()
    other = world.submit(by=world.waldsolms_officer, party=world.waldsolms_party)
    by = Actor.system(world.ministry.id)
    head = "leistung;ags;bezug;titel;betrag;ausgaben"

    def take(*lines: str) -> list[Case]:
        return import_applications(by=by, content="\n".join([head, *lines]).encode())

    first = f"abruf;06532015;{earlier.reference};Erster Abruf;400,00;500,00"
    second = f"abruf;06532015;{earlier.reference};Zweiter Abruf;300,00;400,00"
    cases = take(first, second, "probe;06532015;;Ganz neu;100,00;200,00")
    assert [case.about_id for case in cases] == [earlier.id, earlier.id, None]
    for line, reason in (
        (first, "hat diesen Antrag schon gestellt"),
        ("abruf;06532015;PRB-2099-00001;A;100,00;200,00", "gibt es bei dieser Behörde nicht"),
        (f"abruf;06532015;{other.reference};A;100,00;200,00", "gehört jemand anderem"),
        ("abruf;06532015;;A;100,00;200,00", "gehört zu einem früheren Vorgang"),
        (f"probe;06532022;{other.reference};A;100,00;200,00", "steht für sich"),
    ):
        with pytest.raises(FileNotImported, match=reason):
            take(line)
