"""Who got which right is in the history of the authority, once a change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from tests.casework.conftest import World, account

from rathaus.core import clock
from rathaus.core.audit.kinds import sentence_of
from rathaus.core.audit.models import Event
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member, give_mandate, set_password
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Mandate
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import acting

PASSWORD = "ein-langes-kennwort"


def told(authority: Authority, kind: str) -> list[tuple[str, Any, str]]:
    with Actor.system(authority.id).acting():
        found = Event.objects.filter(name=kind).order_by("id")
        return [(sentence_of(e.name, e.data), e.data["account"], e.function) for e in found]


def test_roles_are_recorded_when_they_change(world: World) -> None:
    person = account("neu@example.org")
    before = told(world.lahnau, "identity.membership.set")
    for roles in (["Steueramt"], ["Steueramt"], ["Steueramt", "Leitung"]):
        add_member(
            by=Actor.system(world.lahnau.id),
            authority=world.lahnau,
            account=person,
            roles=roles,
            function="Kasse",
        )
    assert before == []
    assert told(world.lahnau, "identity.membership.set") == [
        ("Kasse arbeitet hier als: Steueramt", str(person.pk), "System"),
        ("Kasse arbeitet hier als: Leitung, Steueramt", str(person.pk), "System"),
    ]
    assert told(world.waldsolms, "identity.membership.set") == []


def test_who_may_act_for_an_authority_is_recorded_there(world: World) -> None:
    person = account("neu@example.org")
    for _ in range(2):
        give_mandate(
            by=Actor.system(world.lahnau_party.authority_id),
            account=person,
            party=world.lahnau_party,
            function="Bauamt",
        )
    assert told(world.lahnau, "identity.mandate.given")[1:] == [
        ("Vertretung erteilt: Bauamt", str(person.pk), "System")
    ]


def test_a_new_password_is_told_to_every_authority_and_ends_other_sessions(
    world: World, client: Client
) -> None:
    person = set_password(
        by=Actor.system(world.lahnau.id), email="Neu@example.org", password=PASSWORD, name="Neu"
    )
    for place in (world.lahnau, world.waldsolms):
        add_member(
            by=Actor.system(place.id),
            authority=place,
            account=person,
            roles=["Steueramt"],
            function=f"Kasse {place.name}",
        )
    client.force_login(person)
    assert client.get("/weiter/").status_code == 302
    assert "anmelden" not in client.get("/weiter/").headers["Location"]
    again = set_password(
        by=Actor.system(world.lahnau.id), email="neu@example.org", password=PASSWORD + "2", name="egal"
    )
    assert (again.pk, again.name) == (person.pk, "Neu")
    for place in (world.lahnau, world.waldsolms):
        assert told(place, "identity.password.set") == [
            (f"Kennwort neu gesetzt: Kasse {place.name}", str(person.pk), "System")
        ]
    assert told(world.ministry, "identity.password.set") == []
    assert "anmelden" in client.get("/weiter/").headers["Location"]


def test_nobody_who_is_logged_in_gives_rights(world: World) -> None:
    """Not even the head of the authority; nor does the machine of another one."""
    person = account("neu@example.org")
    for by in (world.lahnau_officer, world.approver, Actor(), Actor.system(world.ministry.id)):
        with pytest.raises(NotAllowed):
            add_member(by=by, authority=world.lahnau, account=person, roles=["Leitung"], function="Kasse")
        with pytest.raises(NotAllowed):
            give_mandate(by=by, account=person, party=world.lahnau_party)
    for by in (world.lahnau_officer, world.approver, Actor()):
        with pytest.raises(NotAllowed):
            set_password(by=by, email="approver@example.org", password=PASSWORD, name="Neu")
    assert actor_of(person.pk) == Actor(account=person.pk)
    assert told(world.lahnau, "identity.membership.set") == []
    assert told(world.ministry, "identity.password.set") == []


def test_no_password_reaches_the_history(world: World) -> None:
    person = set_password(
        by=Actor.system(world.lahnau.id), email="neu@example.org", password=PASSWORD, name="Neu"
    )
    add_member(
        by=Actor.system(world.lahnau.id),
        authority=world.lahnau,
        account=person,
        roles=["Steueramt"],
        function="Kasse",
    )
    set_password(by=Actor.system(world.lahnau.id), email="neu@example.org", password=PASSWORD, name="Neu")
    with Actor.system(world.lahnau.id).acting():
        assert PASSWORD not in str(list(Event.objects.values()))


def test_mandates_begin_and_end_with_a_day_in_germany(world: World) -> None:
    """Just after midnight in Germany it is still yesterday in UTC, in which the connection counts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('identity_enter(uuid, uuid, date)'::regprocedure)")
        text = cursor.fetchone()[0]
    assert not {"current_date", "now()"} & set(text.split())  # the caller tells the day
    person, today = account("neu@example.org"), clock.today()
    mandate = give_mandate(
        by=Actor.system(world.lahnau_party.authority_id), account=person, party=world.lahnau_party
    )
    for days, may in ((0, True), (1, False)):
        with acting(parties=[world.lahnau_party.id]):
            Mandate.objects.filter(id=mandate.id).update(valid_from=today + timedelta(days=days))
        assert bool(actor_of(person.pk).parties) is may
    for days, may in ((0, True), (-1, False)):
        dates = {"valid_from": today - timedelta(days=9), "valid_until": today + timedelta(days=days)}
        with acting(parties=[world.lahnau_party.id]):
            Mandate.objects.filter(id=mandate.id).update(**dates)
        assert bool(actor_of(person.pk).parties) is may
    for hour, may in ((22, True), (23, False)):  # in winter Germany is an hour ahead
        with clock.living_at(datetime(2030, 1, 5, hour, 30, tzinfo=UTC)):
            with acting(parties=[world.lahnau_party.id]):
                Mandate.objects.filter(id=mandate.id).update(valid_until=date(2030, 1, 5))
            assert bool(actor_of(person.pk).parties) is may
