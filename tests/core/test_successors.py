"""A municipality is merged into another: from the day on the successor acts for it, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from tests.casework.conftest import World, account

from rathaus.casework.cases.models import Case, Draft
from rathaus.core import clock
from rathaus.core.audit.kinds import sentence_of
from rathaus.core.audit.models import Event
from rathaus.core.authorities.actions import NotMerged, load_register, merge_authority
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import succession, successor_of
from rathaus.core.identity.actions import add_member, give_mandate, party_of_authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Account, Mandate, Party
from rathaus.core.identity.queries import actor_of, addresses_of, entering, holder, workplaces
from rathaus.core.tenancy import acting

ON = date(2030, 1, 1)
# Midnight in Germany is eleven in the evening in UTC, in which the database's connection counts.
LAST_EVENING, FIRST_NIGHT = (
    datetime(2029, 12, 31, 22, 59, tzinfo=UTC),
    datetime(2029, 12, 31, 23, 0, tzinfo=UTC),
)


def merge(old: Authority, new: Authority, on: date = ON) -> Authority:
    return merge_authority(by=Actor.system(new.id), predecessor=old, successor=new, on=on)


def town(
    name: str, *, kind: AuthorityKind = AuthorityKind.MUNICIPALITY, valid_from: date | None = None
) -> Authority:
    return Authority.objects.create(
        kind=kind, name=name, label=f"Gemeinde {name}", sort_key=name.lower(), slug=name.lower(),
        **({"valid_from": valid_from} if valid_from else {}),
    )  # fmt: skip


@contextmanager
def on_day(day: date) -> Iterator[None]:
    with clock.living_at(datetime(day.year, day.month, day.day, 10, tzinfo=UTC)):
        yield


def told(authority: Authority) -> list[str]:
    with Actor.system(authority.id).acting():
        found = Event.objects.filter(name__startswith="authorities.").order_by("id")
        return [sentence_of(event.name, event.data).replace("\u00a0", " ") for event in found]


def key(actor: Actor) -> object:
    assert actor.account
    return actor.account


# --- who acts for whom ---


def test_the_successor_acts_from_the_day_and_the_predecessor_until_the_day_before(world: World) -> None:
    w = world
    case = w.submit()
    merge(w.lahnau, w.waldsolms)
    assert w.lahnau_officer.account
    assert w.waldsolms_officer.account
    with clock.living_at(LAST_EVENING):
        assert actor_of(w.lahnau_officer.account).parties == (w.lahnau_party.id,)
        assert actor_of(w.waldsolms_officer.account).parties == (w.waldsolms_party.id,)
        with entering(w.waldsolms_officer.account):
            assert not Case.objects.exists()
    with clock.living_at(FIRST_NIGHT):
        lost = actor_of(w.lahnau_officer.account)
        assert (lost.parties, lost.names, lost.function) == ((), {}, "")
        with entering(w.lahnau_officer.account):
            assert not Case.objects.exists()
        heir = actor_of(w.waldsolms_officer.account)
        assert heir.parties == (w.waldsolms_party.id, w.lahnau_party.id)
        assert heir.former == {w.lahnau_party.id}
        assert heir.names == {
            w.waldsolms_party.id: "Gemeinde Waldsolms",
            w.lahnau_party.id: "Gemeinde Lahnau (jetzt Gemeinde Waldsolms)",
        }
        with entering(w.waldsolms_officer.account):
            found = Case.objects.get()
            assert (found.id, found.party_name, found.party_id) == (
                case.id,
                "Gemeinde Lahnau",
                w.lahnau_party.id,
            )
            assert {str(p) for p in Party.objects.all()} == {"Gemeinde Waldsolms", "Gemeinde Lahnau"}
    assert actor_of(w.waldsolms_officer.account).parties == (w.waldsolms_party.id,)  # today it is not yet so


def test_nobody_else_gains_anything(world: World) -> None:
    w = world
    w.submit()
    stranger, resident = account("dorf@example.org"), account("petra@example.org")
    village = town("Dorf")
    give_mandate(
        by=Actor.system(village.id),
        account=stranger,
        party=party_of_authority(village),
        function="Büro",
    )
    add_member(
        by=Actor.system(village.id),
        authority=village,
        account=stranger,
        roles=["Sachbearbeitung"],
        function="Büro",
    )
    merge(w.lahnau, w.waldsolms)
    with on_day(ON):
        for who in (stranger, resident, Account.objects.get(pk=key(w.lahnau_officer))):
            for wanted in (None, w.lahnau.id, w.waldsolms.id):
                with entering(who.pk, authority=wanted) as actor:
                    assert w.lahnau_party.id not in actor.parties
                    assert actor.authority in (None, village.id)
                    assert not Case.objects.exists()
                    assert not Draft.objects.exists()
                    assert not Mandate.objects.exclude(account=who).exists()
                    assert not Party.objects.exclude(authority=village).exists()
        with acting(parties=[w.waldsolms_party.id]):  # the rule is in who enters, not in the policies
            assert not Case.objects.exists()


def test_a_mandate_of_the_successor_that_ended_gives_nothing_of_the_predecessor(world: World) -> None:
    w = world
    merge(w.lahnau, w.waldsolms)
    with acting(parties=[w.waldsolms_party.id]):
        Mandate.objects.filter(party=w.waldsolms_party).update(valid_until=ON)
    assert w.waldsolms_officer.account
    with on_day(ON):
        assert len(actor_of(w.waldsolms_officer.account).parties) == 2
    with on_day(ON + timedelta(days=1)):
        assert actor_of(w.waldsolms_officer.account).parties == ()


def test_one_person_for_both_keeps_each_party_once(world: World) -> None:
    w = world
    assert w.waldsolms_officer.account
    both = Account.objects.get(pk=w.waldsolms_officer.account)
    give_mandate(
        by=Actor.system(w.lahnau_party.authority_id),
        account=both,
        party=w.lahnau_party,
        function="Digitalisierung",
    )
    merge(w.lahnau, w.waldsolms)
    assert actor_of(both.pk).former == frozenset()
    with on_day(ON):
        assert actor_of(both.pk).parties == (w.waldsolms_party.id, w.lahnau_party.id)
        assert actor_of(both.pk).former == {w.lahnau_party.id}


def test_a_chain_of_mergers_and_several_into_one(world: World) -> None:
    w = world
    new, side = town("Neustadt", valid_from=ON + timedelta(days=365)), town("Seitental")
    side_party, new_party = party_of_authority(side), party_of_authority(new)
    heir = account("neu@example.org")
    give_mandate(by=Actor.system(new_party.authority_id), account=heir, party=new_party, function="Amt")
    later = ON + timedelta(days=365)
    merge(w.lahnau, w.waldsolms)
    merge(w.waldsolms, new, later)
    merge(side, new, later)
    assert w.waldsolms_officer.account
    with on_day(ON):
        assert actor_of(heir.pk).parties == (new_party.id,)
        assert set(actor_of(w.waldsolms_officer.account).parties) == {w.waldsolms_party.id, w.lahnau_party.id}
        assert holder(w.lahnau_party.id, clock.today()) == w.waldsolms_party
        assert (
            addresses_of(w.lahnau_party.id)
            == addresses_of(w.waldsolms_party.id)
            == ["gemeinde-waldsolms@example.org"]
        )
    with on_day(later):
        actor = actor_of(heir.pk)
        assert actor.parties[0] == new_party.id
        assert actor.former == {w.lahnau_party.id, w.waldsolms_party.id, side_party.id}
        assert actor.names[w.lahnau_party.id] == "Gemeinde Lahnau (jetzt Gemeinde Neustadt)"
        assert actor_of(w.waldsolms_officer.account).parties == ()
        for party in actor.parties:
            assert addresses_of(party) == ["neu@example.org"]
            assert holder(party, clock.today()) == new_party
        old = Authority.objects.get(pk=w.lahnau.pk)
        assert successor_of(old, clock.today()) == new
        assert [str(step).replace("\u00a0", " ") for step in succession(old, clock.today())] == [
            "seit 1. Januar 2030: Gemeinde Waldsolms",
            "seit 1. Januar 2031: Gemeinde Neustadt",
        ]


def test_an_end_without_a_successor_leaves_nobody(world: World) -> None:
    w = world
    Authority.objects.filter(pk=w.lahnau.pk).update(valid_until=ON - timedelta(days=1))
    assert w.lahnau_officer.account
    with on_day(ON):
        assert actor_of(w.lahnau_officer.account).parties == ()
        assert holder(w.lahnau_party.id, ON) is None
        assert addresses_of(w.lahnau_party.id) == []
        assert successor_of(Authority.objects.get(pk=w.lahnau.pk), ON) is None


def test_a_successor_that_never_applied_here_has_no_party(world: World) -> None:
    village = town("Dorf")
    merge(world.lahnau, village)
    assert holder(world.lahnau_party.id, ON) is None
    assert holder(world.lahnau_party.id, ON - timedelta(days=1)) == world.lahnau_party
    assert not Party.objects.exists()


# --- staff ---


def test_staff_of_the_successor_work_for_the_predecessor_in_the_roles_that_they_have(world: World) -> None:
    w = world
    tax, chief = account("tax@example.org"), account("chief@example.org")
    add_member(
        by=Actor.system(w.lahnau.id),
        authority=w.lahnau,
        account=tax,
        roles=["Steueramt"],
        function="Kasse Lahnau",
    )
    add_member(
        by=Actor.system(w.waldsolms.id),
        authority=w.waldsolms,
        account=chief,
        roles=["Leitung"],
        function="Leitung Waldsolms",
    )
    merge(w.lahnau, w.waldsolms)
    with clock.living_at(LAST_EVENING):
        assert actor_of(tax.pk).authority == w.lahnau.id
        assert actor_of(chief.pk, authority=w.lahnau.id).authority == w.waldsolms.id
    with clock.living_at(FIRST_NIGHT):
        assert actor_of(tax.pk).authority is None
        assert actor_of(tax.pk, authority=w.lahnau.id).roles == frozenset()
        assert actor_of(chief.pk).authority == w.waldsolms.id
        heir = actor_of(chief.pk, authority=w.lahnau.id)
        assert (heir.authority, heir.roles, heir.function) == (w.lahnau.id, {"Leitung"}, "Leitung Waldsolms")
        with entering(chief.pk):
            assert [place.authority.label for place in workplaces(chief.pk)] == [
                "Gemeinde Lahnau",
                "Gemeinde Waldsolms",
            ]
            assert workplaces(tax.pk) == []  # not even asked in another's context
        with entering(tax.pk):
            assert workplaces(tax.pk) == []


def test_taken_over_staff_keep_their_account(world: World) -> None:
    """Who goes on working at the successor gets a membership there, and works where that reaches."""
    w = world
    tax = account("tax@example.org")
    add_member(
        by=Actor.system(w.lahnau.id),
        authority=w.lahnau,
        account=tax,
        roles=["Steueramt"],
        function="Kasse Lahnau",
    )
    add_member(
        by=Actor.system(w.waldsolms.id),
        authority=w.waldsolms,
        account=tax,
        roles=["Bürgerbüro"],
        function="Büro",
    )
    merge(w.lahnau, w.waldsolms)
    with on_day(ON - timedelta(days=1)):
        assert actor_of(tax.pk, authority=w.lahnau.id).roles == {"Steueramt"}
    with on_day(ON):
        assert actor_of(tax.pk, authority=w.lahnau.id).roles == {"Bürgerbüro"}
        with entering(tax.pk):
            assert [(p.authority.id, p.function) for p in workplaces(tax.pk)] == [
                (w.lahnau.id, "Büro"),
                (w.waldsolms.id, "Büro"),
            ]


# --- the change itself ---


def test_both_histories_tell_once(world: World) -> None:
    for _ in range(2):
        assert merge(world.lahnau, world.waldsolms).successor == world.waldsolms
    assert told(world.lahnau) == ["Aufgegangen zum 1. Januar 2030 in: Gemeinde Waldsolms"]
    assert told(world.waldsolms) == ["Rechtsnachfolge ab 1. Januar 2030 für: Gemeinde Lahnau"]
    assert told(world.ministry) == []


def test_only_the_machine_changes_the_register(world: World) -> None:
    for by in (world.clerk, world.lahnau_officer, Actor()):
        with pytest.raises(NotAllowed):
            merge_authority(by=by, predecessor=world.lahnau, successor=world.waldsolms, on=ON)
    assert Authority.objects.exclude(successor=None).count() == 0


def test_changes_that_cannot_be(world: World) -> None:
    w = world
    village, unborn = town("Dorf"), town("Neustadt", valid_from=ON + timedelta(days=1))
    merge(w.lahnau, w.waldsolms)
    for old, new, on, words in (
        (village, village, ON, "in sich selbst"),
        (village, w.ministry, ON, "verschiedener Art"),
        (w.lahnau, village, ON, "ist schon zum .* aufgegangen in: Gemeinde Waldsolms"),
        (w.lahnau, w.waldsolms, ON + timedelta(days=1), "ist schon"),
        (w.waldsolms, w.lahnau, ON, "gibt es am .* nicht"),
        (w.waldsolms, w.lahnau, ON - timedelta(days=30), "geht erst später"),
        (w.waldsolms, village, ON, "geht erst später"),
        (village, unborn, ON, "gibt es am"),
        (unborn, village, ON, "endet nicht am Tag vor"),
        (village, w.lahnau, ON, "gibt es am"),
    ):
        with pytest.raises(NotMerged, match=words):
            merge(old, new, on)
    assert list(Authority.objects.exclude(valid_until=None)) == [w.lahnau]
    assert told(village) == []


def test_the_database_refuses_a_successor_of_itself(world: World) -> None:
    with pytest.raises(IntegrityError, match="authority_successor_is_another"), transaction.atomic():
        Authority.objects.filter(pk=world.lahnau.pk).update(successor=world.lahnau.pk, valid_until=ON)


def test_a_circle_made_by_hand_hangs_nothing(world: World) -> None:
    w = world
    ended = ON - timedelta(days=1)
    Authority.objects.filter(pk=w.lahnau.pk).update(successor=w.waldsolms, valid_until=ended)
    Authority.objects.filter(pk=w.waldsolms.pk).update(successor=w.lahnau, valid_until=ended)
    assert w.lahnau_officer.account
    with on_day(ON):
        assert actor_of(w.lahnau_officer.account).parties == ()
        assert successor_of(Authority.objects.get(pk=w.lahnau.pk), ON) is None


def test_two_changes_at_once_that_name_each_other(committed_world: World) -> None:
    w = committed_world
    start, said = Barrier(2), []

    def run(old: Authority, new: Authority) -> None:
        start.wait()
        try:
            merge(old, new)
            said.append("merged")
        except NotMerged as refused:
            said.append(str(refused))
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in ((w.lahnau, w.waldsolms), (w.waldsolms, w.lahnau))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("merged") == 1
    assert Authority.objects.exclude(successor=None).count() == 1


# --- the register ---

HEAD = "ags,name,type,county,regierungsbezirk,population,postal_code,seat,valid_as_of"


def registers(folder: Path, successions: str) -> Path:
    both = "06635005,Bromskirchen,Gemeinde,Waldeck-Frankenberg,Kassel,1800,59969,Bromskirchen"
    one = "06635001,Allendorf (Eder),Gemeinde,Waldeck-Frankenberg,Kassel,5700,35108,Allendorf (Eder)"
    (folder / "gemeinden_alt.csv").write_text(f"{HEAD}\n{both},2021-01-01\n{one},2021-01-01\n")
    (folder / "gemeinden_neu.csv").write_text(f"{HEAD}\n{one},2025-08-31\n")
    if successions:
        (folder / "nachfolge.csv").write_text(f"ags,gueltig_bis,nachfolger\n{successions}\n")
    return folder


def test_the_register_merges_as_the_action_does(db: None, tmp_path: Path) -> None:
    folder = registers(tmp_path, "06635005,2022-12-31,06635001")
    for _ in range(2):
        found = {authority.ags: authority for authority in load_register(folder)}
    old, new = found["06635005"], found["06635001"]
    assert (old.successor, old.valid_until) == (new, date(2022, 12, 31))
    assert told(old) == ["Aufgegangen zum 1. Januar 2023 in: Gemeinde Allendorf (Eder)"]
    assert told(new) == ["Rechtsnachfolge ab 1. Januar 2023 für: Gemeinde Bromskirchen"]


def test_the_register_knows_what_the_command_merged(db: None, tmp_path: Path) -> None:
    folder = registers(tmp_path, "")
    with pytest.raises(ValueError, match=r"no successor for .*06635005"):
        load_register(folder)
    load_register_of_2021 = tmp_path / "2021"
    load_register_of_2021.mkdir()
    (folder / "gemeinden_alt.csv").rename(load_register_of_2021 / "gemeinden_alt.csv")
    found = {authority.ags: authority for authority in load_register(load_register_of_2021)}
    merge(found["06635005"], found["06635001"], date(2023, 1, 1))
    (load_register_of_2021 / "gemeinden_alt.csv").rename(folder / "gemeinden_alt.csv")
    assert {a.ags: a.valid_until for a in load_register(folder)}["06635005"] == date(2022, 12, 31)


def test_a_successor_that_no_register_has(db: None, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="06635099"):
        load_register(registers(tmp_path, "06635005,2022-12-31,06635099"))
    assert not Authority.objects.exists()


def test_a_register_says_by_its_keys_which_land_it_is(db: None, tmp_path: Path) -> None:
    (tmp_path / "thueringen").mkdir()
    load_register(registers(tmp_path, "06635005,2022-12-31,06635001"))
    row = '16053000,"Jena, Stadt",kreisfreie Stadt,,,109725,07743,,2025-08-31'
    (tmp_path / "thueringen/gemeinden_thueringen.csv").write_text(f"{HEAD}\n{row}\n")
    found = {authority.ags: authority for authority in load_register(tmp_path / "thueringen")}
    assert (found["16053000"].land, found["16053000"].label) == ("TH", "Stadt Jena")
    assert found["06635001"].land == "HE", "another Land's stays"
