"""The desk after a territorial change: the applicant under its old name, and the old authority's own cases."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.casework.conftest import World, account
from tests.web.desk.conftest import Desk, sit_down
from tests.web.queries import counted

from rathaus.core import clock
from rathaus.core.authorities.actions import merge_authority
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import actor_of

EVE, DAY = datetime(2029, 12, 31, 12, tzinfo=UTC), datetime(2030, 1, 1, 12, tzinfo=UTC)


def merge(world: World) -> None:
    by = Actor.system(world.waldsolms.id)
    merge_authority(by=by, predecessor=world.lahnau, successor=world.waldsolms, on=date(2030, 1, 1))


def test_the_case_page_names_the_successor_beside_the_old_name(clerk: Desk) -> None:
    case = clerk.world.submit()
    address = f"/amt/vorgang/{case.reference}/"
    merge(clerk.world)
    with clock.living_at(EVE):
        assert "seit 1." not in clerk.get(address)
        with counted() as before:
            clerk.get(address)
    with clock.living_at(DAY):
        with counted() as after:
            page = clerk.get(address).replace("\u00a0", " ")
        assert "seit 1. Januar 2030: Gemeinde Waldsolms" in page
        assert "<h1" in page
        assert "Gemeinde Lahnau: Neue Akte" in page
        assert len(after) == len(before)


def test_staff_change_to_the_old_authority(world: World) -> None:
    old, new = account("kasse@example.org"), account("amt@example.org")
    add_member(
        by=Actor.system(world.lahnau.id),
        authority=world.lahnau,
        account=old,
        roles=["Steueramt"],
        function="Kasse Lahnau",
    )
    add_member(
        by=Actor.system(world.waldsolms.id),
        authority=world.waldsolms,
        account=new,
        roles=["Steueramt"],
        function="Kasse Waldsolms",
    )
    merge(world)
    left, heir = sit_down(world, actor_of(old.pk)), sit_down(world, actor_of(new.pk))
    with clock.living_at(EVE):
        assert "Gemeinde Lahnau" in left.get("/amt/eingang/")
        assert "Behörde wechseln" not in heir.get("/amt/eingang/")
        heir.post("/amt/behoerde/", 422, behoerde=str(world.lahnau.id))
    with clock.living_at(DAY):
        left.get("/amt/eingang/", 403)
        assert heir.client.get("/amt/").headers["Location"] == "/amt/behoerde/"
        assert "Gemeinde Lahnau" in heir.get("/amt/behoerde/")
        assert "Gemeinde Waldsolms" in heir.get("/amt/eingang/")
        heir.post("/amt/behoerde/", behoerde=str(world.lahnau.id))
        page = heir.get("/amt/eingang/")
        assert "Gemeinde Lahnau" in page
        assert "Kasse Waldsolms" in page
        heir.post("/amt/behoerde/", 422, behoerde=str(world.ministry.id))
