"""Regeln und Texte: what a ministry sets in the browser, from the list to the saved version."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.casework.packages import MANIFEST, probe
from tests.web.desk.conftest import LEISTUNGEN, Desk, sit_down, smart_case
from tests.web.queries import counted

from rathaus.casework.cases.models import Case
from rathaus.casework.services.actions import offer_service, publish_package, set_terms
from rathaus.casework.services.models import Offer, Terms
from rathaus.casework.services.packages import compile_package, read_folder
from rathaus.casework.services.parameters import same
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of
from rathaus.web.desk.rules_page import fresh

RULES = "/amt/leistungen/probe/regeln/"
CHANGE = f"{RULES}aendern/"
PARTS = re.compile(r"<input\b([^>]*)>|<textarea\b([^>]*)>(.*?)</textarea>", re.DOTALL)
TABLES = (
    '[[parameter.gegenstaende]]\nname = "Schnittstellen"\nfrei = true\n'
    '[[parameter.gegenstaende]]\nname = "Schulung"\nfrei = false\n'
)


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " ").split())


def fields(page: str) -> dict[str, Any]:
    """What a browser would send of the page's form if nothing was touched; buttons are not pressed."""
    form = page.partition('<form method="post" action="/amt/leistungen')[2].partition("</form>")[0]
    found: dict[str, Any] = {}
    for attributes, of_textarea, text in PARTS.findall(form):
        known = dict(re.findall(r'([a-z-]+)="([^"]*)"', attributes or of_textarea))
        if "name" not in known or known["name"] == "csrfmiddlewaretoken":
            continue
        if known.get("type") in ("radio", "checkbox") and " checked" not in attributes:
            continue
        value = text.removeprefix("\n") if of_textarea else known.get("value", "")
        found.setdefault(known["name"], []).append(html.unescape(value))
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = re.findall(r'value="([^"]*)" selected', inner)
    return found


def terms(desk: Desk) -> list[Terms]:
    with desk.actor.acting():
        return list(Terms.objects.filter(offer=desk.world.offer).order_by("number"))


def test_from_the_list_to_the_saved_version(head: Desk) -> None:
    case = head.world.submit()
    assert 'href="/amt/leistungen/"' in head.get("/amt/eingang/")
    listed = words(head.get("/amt/leistungen/"))
    assert "Probe" in listed
    assert "Nr. 1" in listed
    shown = words(head.get(RULES))
    assert "Hoechstbetrag 5.000,00 €" in shown
    assert "Zum ersten Mal angeboten." in shown

    typed = fields(head.get(CHANGE))
    assert (typed["mindestbetrag"], typed["foerdersatz"]) == (["100,00"], ["90"])
    typed |= {"hoechstbetrag": ["6.000,00"], "foerdersatz": ["80"], "_grund": ["Neue Richtlinie"]}
    review = head.post(CHANGE, 200, **typed, _nach="pruefen").content.decode()
    said = words(review)
    assert "Hoechstbetrag 5.000,00 € 6.000,00 €" in said
    assert "Foerdersatz 90 80" in said
    assert "Mindestbetrag" not in said
    assert "Ein laufender Vorgang bleibt bei seiner Fassung." in said
    assert len(terms(head)) == 1  # looking is not saving

    back = words(head.post(CHANGE, 200, **fields(review), _nach="zurueck").content.decode())
    assert "Regeln ändern" in back
    head.post(CHANGE, **fields(review), _nach="speichern")
    first, second = terms(head)
    assert second.parameters == first.parameters | {"hoechstbetrag": "6000.00", "foerdersatz": 80}
    assert (second.note, second.set_by_id) == ("Neue Richtlinie", head.actor.account)
    shown = words(head.get(RULES))
    assert "Es gelten die Regeln Nr. 2." in shown
    assert "Referatsleitung D3" in shown
    assert "Hoechstbetrag 5.000,00 € 6.000,00 €" in shown
    with head.actor.acting():
        assert Case.objects.get(id=case.id).terms_id == first.id


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"hoechstbetrag": ["viel Geld"]}, "viel Geld"),
        ({"hoechstbetrag": [""]}, "Hoechstbetrag"),
        ({"foerdersatz": ["neunzig"]}, "„neunzig“ ist keine ganze Zahl"),
        ({}, "Sie haben nichts geändert."),
        ({"foerdersatz": ["80"], "_grund": [""]}, "warum Sie die Regeln ändern"),
        ({"foerdersatz": ["80"], "_grund": ["x" * 501]}, "höchstens 500 Zeichen"),
    ],
)
def test_errors_stand_beside_their_field_and_nothing_is_lost(
    head: Desk, typed: dict[str, list[str]], said: str
) -> None:
    sent = fields(head.get(CHANGE)) | {"_grund": ["Anpassung wegen Teuerung"]} | typed
    for button in ("pruefen", "speichern"):
        answer = head.post(CHANGE, 422, **sent, _nach=button).content.decode()
        assert said in words(answer)
        assert "<title>Fehler: " in answer
        again = fields(answer)
        assert {name: again[name] for name in typed} == typed
    assert len(terms(head)) == 1


def test_the_second_editor_sees_both_changes(head: Desk) -> None:
    typed = fields(head.get(CHANGE)) | {"hoechstbetrag": ["7.000,00"], "_grund": ["Mehr Geld"]}
    set_terms(
        by=Actor.system(head.world.ministry.id),
        offer=head.world.offer,
        parameters={"foerdersatz": 70},
        note="Weniger Anteil",
        based_on=1,
    )
    page = head.post(CHANGE, 409, **typed, _nach="speichern").content.decode()
    assert "System hat inzwischen die Regeln Nr. 2 gesetzt: Weniger Anteil" in words(page)
    again = fields(page)
    assert (again["foerdersatz"], again["hoechstbetrag"], again["_grundlage"]) == (
        ["70"],
        ["7.000,00"],
        ["2"],
    )
    head.post(CHANGE, **again, _nach="speichern")
    newest = terms(head)[-1]
    assert (newest.number, newest.parameters["foerdersatz"], newest.parameters["hoechstbetrag"]) == (
        3,
        70,
        "7000.00",
    )


@pytest.mark.parametrize("base", ["", "0", "99", "-1", "²", "x", "99999999999999999999"])
def test_a_forged_base_counts_as_the_terms_in_force(head: Desk, base: str) -> None:
    typed = fields(head.get(CHANGE)) | {"foerdersatz": ["80"], "_grund": ["Test"], "_grundlage": [base]}
    head.post(CHANGE, **typed, _nach="speichern")
    assert [found.number for found in terms(head)] == [1, 2]


def test_only_the_roles_that_may(clerk: Desk, head: Desk) -> None:
    assert "/amt/leistungen/" not in clerk.get("/amt/eingang/")
    for path in ("/amt/leistungen/", RULES, CHANGE, "/amt/leistungen/probe/zeitraum/"):
        assert "Prozessdesign" in clerk.get(path, 403)
    clerk.post(CHANGE, 403, foerdersatz="1", _grund="x", _nach="speichern", _grundlage="1")
    clerk.post("/amt/leistungen/probe/zeitraum/", 403, angeboten="false")
    # The head of another authority does not even find it.
    other = head.world.lahnau
    stranger = Account.objects.create(email="fremd@example.org", name="Fremd")
    add_member(
        by=Actor.system(other.id),
        authority=other,
        account=stranger,
        roles=["Leitung"],
        function="Bürgermeisterin",
    )
    desk = sit_down(head.world, actor_of(stranger.pk))
    for path in (RULES, CHANGE, "/amt/leistungen/probe/zeitraum/"):
        desk.get(path, 404)
    desk.post(CHANGE, 404, foerdersatz="1", _grund="x", _nach="speichern", _grundlage="1")
    assert len(terms(head)) == 1


def test_what_was_typed_outlives_the_session(head: Desk) -> None:
    typed = fields(head.get(CHANGE)) | {"foerdersatz": ["55"], "_grund": ["Nach der Pause"]}
    head.client.logout()
    head.post(CHANGE, 302, **typed, _nach="speichern")
    head.client.force_login(Account.objects.get(pk=str(head.actor.account)))
    page = head.get(CHANGE)
    assert "Ihre Eingaben sind wieder da" in page
    assert fields(page)["foerdersatz"] == ["55"]
    assert len(terms(head)) == 1


def test_rows_of_tables(head: Desk) -> None:
    """A list of tables without a form of its own: rows are added, switched off and removed."""
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"') + TABLES
    system = Actor.system(head.world.ministry.id)
    version = publish_package(by=system, files=probe(leistung__toml=manifest))
    offer_service(by=system, authority=head.world.ministry, version=version, slug="probe")
    typed = fields(head.get(CHANGE)) | {"_grund": ["Nur noch Schulung"]}
    assert typed["gegenstaende.0.name"] == ["Schnittstellen"]
    added = fields(head.post(CHANGE, 200, **typed, add="gegenstaende").content.decode())
    assert added["gegenstaende.2.name"] == [""]
    added |= {"gegenstaende.0.frei": [], "gegenstaende.2.frei": ["true"]}
    wrong = head.post(CHANGE, 422, **added, _nach="pruefen").content.decode()
    assert "Eintrag 3: Name" in words(wrong)
    added |= {"gegenstaende.2.name": ["Hardware"]}
    review = head.post(CHANGE, 200, **added, _nach="pruefen").content.decode()
    assert "Schnittstellen · Frei: nein" in words(review)
    head.post(CHANGE, **fields(review), _nach="speichern")
    assert terms(head)[-1].parameters["gegenstaende"] == [
        {"name": "Schnittstellen", "frei": False},
        {"name": "Schulung", "frei": False},
        {"name": "Hardware", "frei": True},
    ]
    typed = fields(head.get(CHANGE)) | {"_grund": ["Ohne Schnittstellen"]}
    less = fields(head.post(CHANGE, 200, **typed, remove="gegenstaende.0").content.decode())
    head.post(CHANGE, **less, _nach="speichern")
    assert [row["name"] for row in terms(head)[-1].parameters["gegenstaende"]] == ["Schulung", "Hardware"]


def test_the_window(head: Desk) -> None:
    address = "/amt/leistungen/probe/zeitraum/"
    typed: dict[str, Any] = fields(head.get(address))
    typed |= {"ab_tag.tag": "1", "ab_tag.monat": "5", "ab_tag.jahr": "2031", "ab_zeit": "8:30"}
    assert "09:30" in words(head.post(address, 422, **typed).content.decode())
    typed |= {"ab_zeit": "08:30", "bis_tag.tag": "31", "bis_tag.monat": "5", "bis_tag.jahr": "2031"}
    head.post(address, **typed)
    with head.actor.acting():
        offer = Offer.objects.get(slug="probe")
    assert offer.opens_at == datetime(2031, 5, 1, 6, 30, tzinfo=UTC)
    assert offer.closes_at == datetime(2031, 5, 31, 22, 0, tzinfo=UTC)  # to the end of 31 May in Germany
    again = fields(head.get(address))
    assert (again["bis_tag.tag"], again["bis_zeit"]) == (["31"], [""])
    assert "Der Antragszeitraum hat noch nicht begonnen." in words(head.get(RULES))
    early = again | {"bis_tag.jahr": ["2030"]}
    assert "Ende liegt nicht nach dem Beginn" in words(head.post(address, 422, **early).content.decode())
    no_day = again | {"bis_tag.tag": [""], "bis_tag.monat": [""], "bis_tag.jahr": [""], "bis_zeit": ["12:00"]}
    assert "Zur Uhrzeit gehört ein Tag." in words(head.post(address, 422, **no_day).content.decode())
    head.post(address, **(again | {"angeboten": ["false"]}))
    assert "geschlossen" in words(head.get("/amt/leistungen/"))


def test_the_second_of_two_who_set_the_window_is_told(head: Desk) -> None:
    address = "/amt/leistungen/probe/zeitraum/"
    seen = fields(head.get(address))
    mine = seen | {"bis_tag.tag": ["31"], "bis_tag.monat": ["5"], "bis_tag.jahr": ["2031"]}
    head.post(address, **(seen | {"ab_tag.tag": ["1"], "ab_tag.monat": ["5"], "ab_tag.jahr": ["2031"]}))
    page = head.post(address, 409, **mine).content.decode()
    assert "Jemand hat den Zeitraum inzwischen geändert Jetzt gilt: Ab 1. Mai 2031" in words(page)
    both = fields(page)
    assert (both["ab_tag.monat"], both["bis_tag.tag"]) == (["5"], ["31"])
    head.post(address, **both)
    with head.actor.acting():
        offer = Offer.objects.get(slug="probe")
    assert (offer.opens_at, offer.closes_at) == (
        datetime(2031, 4, 30, 22, 0, tzinfo=UTC),
        datetime(2031, 5, 31, 22, 0, tzinfo=UTC),
    )
    for wrong in ("", "1", "1 - 2031", "1 - 2031-05-01T00:00:00", "1 - - -"):
        assert "nichts geändert" in words(
            head.post(address, 422, **(both | {"_grundlage": [wrong]})).content.decode()
        )


def test_a_moment_that_nobody_touched_stays_to_the_second(head: Desk) -> None:
    closes = datetime(2031, 5, 31, 21, 59, 59, tzinfo=UTC)
    with head.actor.acting():
        Offer.objects.filter(slug="probe").update(closes_at=closes)
    address = "/amt/leistungen/probe/zeitraum/"
    head.post(address, **(fields(head.get(address)) | {"angeboten": ["false"]}))
    with head.actor.acting():
        assert Offer.objects.get(slug="probe").closes_at == closes


def test_statements(head: Desk) -> None:
    for path in ("/amt/leistungen/", RULES, CHANGE, "/amt/leistungen/probe/zeitraum/"):
        head.get(path)
        with counted() as statements:
            head.get(path)
        assert len(statements) <= 12, path


@pytest.mark.parametrize("folder", sorted(LEISTUNGEN.iterdir()), ids=lambda folder: folder.name)
def test_the_library_s_values_survive_their_form(head: Desk, folder: Path) -> None:
    """Each package: what its form shows, sent back untouched, is each value again, to the letter and the cent."""
    package = compile_package(read_folder(folder), check_letters=False)
    if package.manifest.zustaendig != "ministry":
        head.world.ministry.kind = package.manifest.zustaendig
        head.world.ministry.save()
    system = Actor.system(head.world.ministry.id)
    version = publish_package(by=system, files=read_folder(folder))
    offer = offer_service(
        by=system, authority=head.world.ministry, version=version, slug="bibliothek", prefix="BIB"
    )
    page = head.get("/amt/leistungen/bibliothek/regeln/aendern/")
    sent = fields(page) | {"_grund": ["Nichts"]}
    answer = head.post("/amt/leistungen/bibliothek/regeln/aendern/", 422, **sent, _nach="pruefen")
    assert "Sie haben nichts geändert." in words(answer.content.decode())
    with head.actor.acting():
        editing = fresh(Offer.objects.select_related("terms").get(id=offer.id))
    for name, value in package.manifest.parameter.items():
        assert same(editing.form.values_of(editing.reading.answers, {})[name], value), name


def test_a_ministry_changes_the_rate_of_a_real_call(head: Desk) -> None:
    case = smart_case(head.world)
    address = "/amt/leistungen/smart/regeln/aendern/"
    page = head.get(address)
    assert "Fördersatz" in page
    assert "Städte und Gemeinden" in page
    sent = fields(page) | {"foerdersatz": ["80"], "jahre.1.wert": ["2023"], "_grund": ["Richtlinie 2023"]}
    review = head.post(address, 200, **sent, _nach="pruefen").content.decode()
    assert "Fördersatz 90 % 80 %" in words(review)
    wrong = head.post(address, 422, **(sent | {"hoechstbetrag": ["1,00"]}), _nach="pruefen")
    assert "Der größte Zuschuss ist kleiner als der kleinste." in words(wrong.content.decode())
    head.post(address, **fields(review), _nach="speichern")
    with head.actor.acting():
        offer = Offer.objects.select_related("terms").get(slug="smart")
        assert (offer.parameters["foerdersatz"], offer.parameters["jahre"]) == (80, [2021, 2023])
        assert Case.objects.get(id=case.id).parameters["jahre"] == [2021, 2022]
