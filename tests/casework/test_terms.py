"""Terms of an offer: numbered versions; a case keeps those under which it was handed in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from tests.casework.conftest import World
from tests.casework.packages import MANIFEST, SAMPLE, probe

from rathaus.casework.cases.actions.decisions import allow_exception
from rathaus.casework.cases.actions.notices import letter_data
from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Decision, Finding
from rathaus.casework.cases.steps import lock
from rathaus.casework.services.actions import (
    TermsChanged,
    WindowChanged,
    offer_service,
    publish_package,
    set_terms,
    set_window,
)
from rathaus.casework.services.models import Offer, Terms, Window
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import PackageRefused
from rathaus.core.audit.kinds import sentence_of
from rathaus.core.audit.models import Event
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.tenancy import new_id

CLOSED = Window(is_open=False, opens_at=None, closes_at=None)


def amend(world: World, by: Actor | None = None, based_on: int = 1, **parameters: Any) -> Terms:
    return set_terms(
        by=by or world.approver,
        offer=world.offer,
        parameters=parameters,
        note="Beschluss vom 3. März",
        based_on=based_on,
    )


def least(world: World, case: Case) -> str:
    with world.clerk.acting():
        return Finding.objects.get(case=case, rule="mindestbetrag").result


def test_a_running_case_never_changes(world: World) -> None:
    """Findings, engine, letter and form of a case handed in before read what held then; the next one reads the new."""
    before = world.submit(betrag="900.00")
    terms = amend(world, mindestbetrag="950.00", foerdersatz=50)
    after = world.submit(betrag="900.00", titel="Später")
    assert (least(world, before), least(world, after)) == ("met", "failed")
    assert (terms.number, terms.set_function) == (2, "Referatsleitung D3")
    for case, number, rate in ((before, 1, 90), (after, 2, 50)):
        complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
        with world.clerk.acting():
            found = Case.objects.get(id=case.id)
            assert (found.terms.number, found.parameters["foerdersatz"]) == (number, rate)
            assert lock(case.id, by=world.clerk).data["parameter"]["foerdersatz"] == rate
    complete_task(
        by=world.clerk,
        task=world.task(before).id,
        answers={"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Passt."},
    )
    with world.clerk.acting():
        printed = letter_data(Case.objects.get(id=before.id), Decision.objects.get())
    assert printed["parameter"] == {
        "mindestbetrag": "100.00",
        "hoechstbetrag": "5000.00",
        "foerdersatz": 90,
    }
    # The rule that the amendment made stricter stands in the way of the later one alone.
    with world.clerk.acting():
        finding = Finding.objects.get(case=after, rule="mindestbetrag")
    allow_exception(by=world.approver, finding=finding.id, reason="Ein Härtefall, wie der Ausschuss meint.")


def test_terms_are_numbered_and_told(world: World) -> None:
    amend(world, foerdersatz=80)
    third = amend(world, based_on=2, hoechstbetrag="6000.00")
    with world.clerk.acting():
        offer = Offer.objects.get(id=world.offer.id)
        assert offer.terms_id == third.id == world.offer.terms.id
        assert offer.parameters == {
            "mindestbetrag": "100.00",
            "hoechstbetrag": "6000.00",
            "foerdersatz": 80,
        }
        assert [(t.number, t.parameters["foerdersatz"]) for t in offer.all_terms.order_by("number")] == [
            (1, 90),
            (2, 80),
            (3, 80),
        ]
        told = Event.objects.filter(name="services.terms.set").order_by("id").last()
    assert told is not None
    assert told.data["values"] == [["hoechstbetrag", "5000.00", "6000.00"]]
    said = sentence_of(told.name, told.data).replace("\xa0", " ")
    assert said == (
        "Regeln von „probe“ geändert (Nr. 3): Hoechstbetrag: 5.000,00 € → 6.000,00 €. Grund: Beschluss vom 3. März"
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"foerdersatz": "80"}, "Erwartet wird ein Wert wie 90"),
        ({"foerdersatz": True}, "Erwartet wird ein Wert wie 90"),
        ({"mindestbetrag": "viel"}, "mindestbetrag"),
        ({"mindestbetrag": "1.5"}, "mindestbetrag"),
        ({"unbekannt": 1}, "Unbekannte Parameter: unbekannt"),
        ({"foerdersatz": 90}, "nichts geändert"),
        ({}, "nichts geändert"),
    ],
)
def test_bad_values_change_nothing(world: World, given: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        amend(world, **given)
    with world.clerk.acting():
        assert Terms.objects.filter(offer=world.offer).count() == 1


@pytest.mark.parametrize("note", ["", "  \n", "\x00", "x" * 501])
def test_a_change_needs_its_reason(world: World, note: str) -> None:
    with pytest.raises(Refused):
        set_terms(by=world.approver, offer=world.offer, parameters={"foerdersatz": 80}, note=note, based_on=1)


def test_who_may(world: World) -> None:
    strangers = [
        world.clerk,
        world.lahnau_officer,
        replace(world.approver, authority=world.lahnau.id),
        replace(world.approver, authority=None),
    ]
    for by in strangers:
        with pytest.raises(NotAllowed):
            amend(world, by=by, foerdersatz=80)
        with pytest.raises(NotAllowed):
            set_window(by=by, offer=world.offer, window=CLOSED, based_on=world.offer.window)
    designer = replace(world.clerk, roles=frozenset({"Prozessdesign"}))
    assert amend(world, by=designer, foerdersatz=80).number == 2


def test_the_second_of_two_editors_is_told(world: World) -> None:
    amend(world, foerdersatz=80)
    with pytest.raises(TermsChanged, match="Referatsleitung D3 hat die Regeln inzwischen geändert") as told:
        amend(world, foerdersatz=70)
    assert told.value.current.number == 2
    with world.clerk.acting():
        assert Offer.objects.get(id=world.offer.id).parameters["foerdersatz"] == 80


def test_two_editors_at_the_same_moment(committed_world: World) -> None:
    """Over connections of their own: one wins, the other is told; numbers have no gap."""
    world, start = committed_world, threading.Barrier(4)
    results: list[int | str] = []

    def edit(rate: int) -> None:
        try:
            start.wait(timeout=10)
            offer = Offer.objects.get(id=world.offer.id)
            results.append(
                set_terms(
                    by=world.approver, offer=offer, parameters={"foerdersatz": rate}, note="Eile", based_on=1
                ).number
            )
        except Refused as told:
            results.append(type(told).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=edit, args=(rate,)) for rate in (50, 60, 70, 80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(map(str, results)) == ["2", "TermsChanged", "TermsChanged", "TermsChanged"]


def test_the_database_keeps_terms_as_they_are(world: World) -> None:
    with world.approver.acting(), pytest.raises(DatabaseError), transaction.atomic():
        Terms.objects.filter(offer=world.offer).update(note="anders")
    with world.approver.acting(), pytest.raises(DatabaseError), transaction.atomic():
        Terms.objects.filter(offer=world.offer).delete()


def test_terms_of_another_offer_are_refused_by_the_database(world: World) -> None:
    other = offer_service(
        by=Actor.system(world.ministry.id),
        authority=world.ministry,
        version=world.offer.version,
        slug="zweite",
        prefix="ZWEI",
    )
    case = world.submit()
    for change in (
        lambda: Case.objects.filter(id=case.id).update(terms=other.terms),
        lambda: Offer.objects.filter(id=world.offer.id).update(terms=other.terms),
    ):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), world.approver.acting():
            change()


def test_offering_again_makes_terms_only_when_they_differ(world: World) -> None:
    system = Actor.system(world.ministry.id)

    def offer(**given: Any) -> Offer:
        return offer_service(
            by=system, authority=world.ministry, version=world.offer.version, slug="probe", **given
        )

    assert offer().terms.number == 1
    assert offer(parameters={"foerdersatz": 90}).terms.number == 1
    assert offer(parameters={"foerdersatz": 80}).terms.number == 2
    assert offer().terms.number == 2
    with pytest.raises(Refused, match="mindestbetrag"):
        offer(parameters={"mindestbetrag": "viel"})


def test_an_older_draft_finds_what_only_its_version_asks(world: World) -> None:
    """The offer moved on to a version without `foerdersatz`; an application on the first still has its default."""
    system = Actor.system(world.ministry.id)
    first = world.offer.version_id
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"').replace("foerdersatz = 90\n", "")
    version = publish_package(by=system, files=probe(leistung__toml=manifest))
    offer = offer_service(by=system, authority=world.ministry, version=version, slug="probe")
    assert "foerdersatz" not in offer.parameters
    case = submit_application(
        by=world.lahnau_officer,
        offer=offer,
        party=world.lahnau_party,
        answers=SAMPLE["antrag"],
        submission=new_id(),
        version=first,
    )
    with world.clerk.acting():
        assert Case.objects.get(id=case.id).parameters["foerdersatz"] == 90


def test_a_value_of_another_kind_does_not_outlive_its_version(world: World) -> None:
    system = Actor.system(world.ministry.id)
    amend(world, foerdersatz=80)
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"').replace(
        "foerdersatz = 90", 'foerdersatz = "85.00"'
    )
    version = publish_package(by=system, files=probe(leistung__toml=manifest))
    offer = offer_service(by=system, authority=world.ministry, version=version, slug="probe")
    assert (offer.terms.number, offer.parameters["foerdersatz"]) == (3, "85.00")


def test_the_window_is_set_and_told(world: World) -> None:
    opens, closes = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    by, before = world.approver, world.offer.window
    with pytest.raises(Refused, match="Ende liegt nicht nach dem Beginn"):
        set_window(by=by, offer=world.offer, window=Window(True, closes, opens), based_on=before)
    may = Window(True, opens, closes)
    offer = set_window(by=by, offer=world.offer, window=may, based_on=before)
    assert (offer.opens_at, offer.closes_at) == (opens, closes)
    with pytest.raises(Refused, match="nichts geändert"):
        set_window(by=by, offer=offer, window=may, based_on=may)
    with pytest.raises(WindowChanged, match="inzwischen geändert"):
        set_window(by=by, offer=offer, window=CLOSED, based_on=before)
    set_window(by=by, offer=offer, window=CLOSED, based_on=may)
    with pytest.raises(Refused, match="zurzeit nicht angeboten"):
        submit_application(
            by=world.lahnau_officer,
            offer=Offer.objects.get(id=world.offer.id),
            party=world.lahnau_party,
            answers=SAMPLE["antrag"],
            submission=new_id(),
        )
    with world.clerk.acting():
        said = [
            sentence_of(e.name, e.data).replace("\xa0", " ")
            for e in Event.objects.filter(name="services.offer.window_set").order_by("id")
        ]
    assert said == [
        "Zeitraum von „probe“ geändert: ab 1. Januar 2026, 01:00 Uhr bis 1. Februar 2026, 01:00 Uhr",
        "Zeitraum von „probe“ geändert: nimmt keine Anträge an",
    ]


def test_lists_of_tables_are_parameters(world: World) -> None:
    """Funding objects, each switched on or off: a TOML array of tables, set as a whole."""
    tables = (
        '[[parameter.gegenstaende]]\nname = "Schnittstellen"\nfrei = true\n'
        '[[parameter.gegenstaende]]\nname = "Schulung"\nfrei = false\n'
    )
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"') + tables
    system = Actor.system(world.ministry.id)
    version = publish_package(by=system, files=probe(leistung__toml=manifest))
    world.offer = offer_service(by=system, authority=world.ministry, version=version, slug="probe")
    kept = world.offer.parameters["gegenstaende"]
    assert kept == [{"name": "Schnittstellen", "frei": True}, {"name": "Schulung", "frei": False}]
    amend(world, based_on=2, gegenstaende=[{**kept[0], "frei": False}, kept[1]])
    assert world.offer.parameters["gegenstaende"][0]["frei"] is False
    for wrong in (["Schulung"], [{"name": 1, "frei": True}], [{"name": "x", "frei": True, "mehr": 1}], "x"):
        with pytest.raises(Refused):
            amend(world, based_on=3, gegenstaende=wrong)


@pytest.mark.parametrize("value", ["1.5", "2021-12-31", "inf", "{ a = 1 }", "[[1]]", "[1.5]"])
def test_a_manifest_with_other_kinds_is_refused(world: World, value: str) -> None:
    files = probe(leistung__toml=MANIFEST + f"neu = {value}\n")
    with pytest.raises(PackageRefused, match=r"parameter\.neu"):
        publish_package(by=Actor.system(world.ministry.id), files=files)
