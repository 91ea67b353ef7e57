"""What the people of a successor see of a municipality that was merged into theirs, and what the others see no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from tests.casework.conftest import World
from tests.casework.packages import follow_up
from tests.web.portal.conftest import DONE, Person, decided
from tests.web.portal.form_package import ANSWERS
from tests.web.queries import counted

from rathaus.casework.services.models import Offer
from rathaus.core import clock
from rathaus.core.authorities.actions import merge_authority
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor
from rathaus.web.portal.catalogue import listing_of, listings

ON = date(2030, 1, 1)
EVE, DAY = datetime(2029, 12, 31, 12, tzinfo=UTC), datetime(2030, 1, 1, 12, tzinfo=UTC)
SINCE = "seit 1. Januar 2030: Gemeinde Waldsolms"


def merge(world: World, old: Authority, new: Authority) -> None:
    merge_authority(by=Actor.system(new.id), predecessor=old, successor=new, on=ON)


def plain(page: str) -> str:
    return page.replace("\u00a0", " ").replace("&nbsp;", " ")


def test_case_and_notice_under_the_old_name(
    world: World, officer: Person, neighbour: Person, run_jobs: Callable[[], int]
) -> None:
    case = world.submit()
    address = f"/meine/{case.id}/"
    merge(world, world.lahnau, world.waldsolms)
    with clock.living_at(EVE):
        assert "Antrag von:" not in officer.get(address)
        neighbour.get(address, 404)
    with clock.living_at(DAY):
        officer.get(address, 404)
        with counted() as statements:
            page = plain(neighbour.get(address))
        assert len(statements) <= 12
        assert "Antrag von: <b>Gemeinde Lahnau</b>" in page
        assert SINCE in page
        decided(world, case)
        overview = neighbour.get("/meine/")
        assert "Gemeinde Lahnau" in overview
        assert case.reference in overview
        assert case.reference not in officer.get("/meine/")
        page = neighbour.get(address)
        notice = page[page.index(f"{address}bescheid/") :].split('"')[0]
        page = plain(neighbour.get(notice))
        assert "Rechtsnachfolgerin der Gemeinde Lahnau" in page
        officer.get(notice, 404)


def test_the_address_of_a_notice_of_before_stays(
    world: World, officer: Person, neighbour: Person, run_jobs: Callable[[], int]
) -> None:
    case = world.submit()
    decided(world, case)
    merge(world, world.lahnau, world.waldsolms)
    with clock.living_at(DAY):
        page = neighbour.get(f"/meine/{case.id}/")
        notice = page[page.index(f"/meine/{case.id}/bescheid/") :].split('"')[0]
        assert "Rechtsnachfolgerin" not in neighbour.get(notice)
        assert "Gemeinde Lahnau" in neighbour.get(notice)


def test_an_application_begins_for_the_successor_only(
    world: World, akte: Offer, officer: Person, neighbour: Person
) -> None:
    merge(world, world.lahnau, world.waldsolms)
    with clock.living_at(DAY):
        page = neighbour.get("/leistung/akte/beginnen/")
        assert "Sie stellen den Antrag für: <b>Gemeinde Waldsolms</b>" in page
        assert "Lahnau" not in page
        neighbour.post("/leistung/akte/beginnen/", fuer=str(world.lahnau_party.id))
        drafts = neighbour.get("/meine/")
        assert "Gemeinde Waldsolms · gespeichert" in drafts
        assert "Gemeinde Lahnau · gespeichert" not in drafts
        assert "Diesen Antrag können nur Kommunen stellen" in officer.get("/leistung/akte/beginnen/")


def test_who_is_signed_in_is_the_successor(world: World, neighbour: Person) -> None:
    merge(world, world.lahnau, world.waldsolms)
    with clock.living_at(DAY):
        page = neighbour.get("/leistungen/")
        assert "Gemeinde Waldsolms" in page
        assert "jetzt Gemeinde" not in page


def test_a_draft_left_behind_can_be_finished(
    world: World, akte: Offer, officer: Person, neighbour: Person
) -> None:
    draft = officer.draft(akte, done=DONE, **ANSWERS)
    merge(world, world.lahnau, world.waldsolms)
    with clock.living_at(DAY):
        officer.get(f"/antrag/{draft.id}/", 404)
        assert "Gemeinde Lahnau · gespeichert" in neighbour.get("/meine/")
        answer = neighbour.client.get(f"/antrag/{draft.id}/")
        assert answer.status_code == 302


def test_what_a_merged_authority_offered_is_closed(world: World, akte: Offer, visitor: Person) -> None:
    """The ministry stands for any authority here: the test moves the register by hand."""
    Authority.objects.filter(pk=world.ministry.pk).update(valid_until=date(2029, 12, 31))
    with clock.living_at(EVE):
        assert "akte" in {listing.offer.slug for listing in listings()}
        assert listing_of("akte").closed == ""
    with clock.living_at(DAY):
        assert listings() == []
        assert plain(listing_of("akte").closed) == "Ministerium gibt es seit dem 1. Januar 2030 nicht mehr."
        assert "gibt es seit dem" in visitor.get("/leistung/akte/")


def test_an_earlier_case_goes_on_at_the_portal(world: World, officer: Person, neighbour: Person) -> None:
    world.publish(follow_up(), "abruf")
    earlier = world.submit()
    merge(world, world.lahnau, world.waldsolms)
    address = f"/leistung/abruf/beginnen/?vorgang={earlier.id}"
    with clock.living_at(DAY):
        assert "<b>Gemeinde Lahnau</b>" in neighbour.get(address)
        neighbour.post("/leistung/abruf/beginnen/", vorgang=str(earlier.id))
        assert "Gemeinde Lahnau · gespeichert" in neighbour.get("/meine/")
        officer.get(address, 404)
