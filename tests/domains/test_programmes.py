"""Programmes as data: the files that we ship, loaded once and twice, and files with every kind of fault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from tests.casework.conftest import World, run_waiting_jobs
from tests.domains.claim_world import LEISTUNGEN, on
from tests.leistungen.library import sample

from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Finding, Task
from rathaus.casework.services.models import Offer, Terms
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import read_folder
from rathaus.core.audit.models import Event
from rathaus.core.authorities.models import Authority
from rathaus.core.files.models import Blob
from rathaus.core.identity.actions import give_mandate, party_of_authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Account, Party
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.loading import load_programme
from rathaus.domains.grants.models import Balance, BudgetLine, Call, Grant, Measure, Movement, Programme
from rathaus.domains.grants.programme_files import ProgrammeRefused, read_programme
from rathaus.domains.grants.queries import check_invariants
from rathaus.domains.grants.rules import rate_for

EGOV = LEISTUNGEN / "egov-foerderung"
FILES = sorted((LEISTUNGEN.parent / "daten/programme").glob("*.toml"))


def package(name: str) -> dict[str, str]:
    if not (LEISTUNGEN / name).is_dir():
        raise FileNotFoundError(name)
    return read_folder(LEISTUNGEN / name)


def load(w: World, file: Path | str, by: Actor | None = None) -> tuple[Call, ...]:
    text = file if isinstance(file, str) else file.read_text(encoding="utf-8")
    by = by or Actor.system(w.ministry.id)
    return load_programme(by=by, authority=w.ministry, text=text, package=package).calls


def file(name: str) -> Path:
    return next(path for path in FILES if path.stem == name)


def everything(w: World) -> dict[str, Any]:
    with w.clerk.acting():
        return {
            model.__name__: list(model.objects.order_by("id").values())
            for model in (Programme, Measure, BudgetLine, Call, Offer, Terms, Movement)
        } | {
            "balances": list(Balance.objects.order_by("line_id", "account").values_list("line__year", "account", "amount"))
        }  # fmt: skip


def free(call: Call) -> Decimal:
    with Actor.system(call.authority_id).acting():
        rows = Balance.objects.filter(line__measure=call.measure, account="free")
        return rows.aggregate(all=Sum("amount"))["all"]


def test_what_we_ship_is_what_was_promised() -> None:
    money = {}
    for path in FILES:
        plan = read_programme(path.read_text(encoding="utf-8"))
        money[path.stem] = sum(sum(measure.cash.values()) for measure in plan.measures)
    assert money == {
        "starke-heimat-2020": 20_000_000,
        "starke-heimat-2021": 80_000_000,
        "starke-heimat-2025": 16_000_000,
        "thueringen-2019": 80_000_000,
        "thueringen-2024": 10_000_000,
    }
    later = read_programme(file("starke-heimat-2025").read_text(encoding="utf-8")).calls[1]
    assert rate_for(later.parameters, 0) == 80
    assert rate_for(later.parameters, 1) == 90


def test_loading_twice_changes_nothing(world: World) -> None:
    w = world
    for path in FILES:
        load(w, path)
    once, events = everything(w), _events(w)
    assert len(once["Programme"]) == 3  # the world's own, Hessen, Thüringen
    for path in FILES:
        load(w, path)
    again = everything(w)
    # The programme of Thüringen is described by two files; the last one read holds.
    assert {**again, "Programme": None} == {**once, "Programme": None}
    assert [row["key"] for row in again["Programme"]] == [row["key"] for row in once["Programme"]]
    assert {name: count for name, count in _events(w).items() if name != "grants.programme.set"} == {
        name: count for name, count in events.items() if name != "grants.programme.set"
    }
    found = check_invariants(w.clerk)
    assert found.faults == ()


def _events(w: World) -> dict[str, int]:
    with w.clerk.acting():
        names = list(Event.objects.values_list("name", flat=True))
    return {name: names.count(name) for name in set(names)}


def test_the_window_of_2025_is_that_of_the_file(world: World) -> None:
    sketches, call = load(world, file("starke-heimat-2025"))
    assert sketches.offer.closes_at == datetime(2025, 9, 5, 22, tzinfo=UTC)
    assert call.offer.opens_at == datetime(2025, 9, 30, 22, tzinfo=UTC)
    assert call.offer.closes_at == datetime(2025, 11, 7, 23, tzinfo=UTC)  # the 7th belongs to it
    assert (call.offer.slug, call.offer.prefix) == ("starke-heimat-smart-2025", "SHH25")
    assert free(call) == 48_000_000  # cash of 2025 and what may be promised


def test_what_a_ministry_set_stays_and_what_the_file_says_holds(world: World) -> None:
    w = world
    text = file("thueringen-2024").read_text(encoding="utf-8")
    (call,) = load(w, text)
    before = call.offer.terms.number
    (again,) = load(
        w, text.replace("foerdersatz = 80", "foerdersatz = 75").replace("5000000.00", "6000000.00")
    )
    assert again.id == call.id
    with w.clerk.acting():
        offer = Offer.objects.get(id=call.offer_id)
    assert offer.parameters["foerdersatz"] == 75
    assert offer.parameters["finanzierungsart"] == "festbetrag"
    assert offer.terms.number == before + 1
    assert free(call) == 12_000_000


GOOD = """
schluessel = "p"
titel = "P"
[[massnahmen]]
schluessel = "m"
titel = "M"
barmittel = { 2025 = "10.00" }
[[aufrufe]]
schluessel = "a"
massnahme = "m"
titel = "A"
leistung = "egov-foerderung"
kurzname = "a"
kuerzel = "A"
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('titel = "P"', "", "titel: Dieser Eintrag fehlt."),
        ('titel = "P"', "titel = 5", "titel: Hier steht eine Zeile"),
        ('titel = "P"', 'titel = "P"\nfarbe = "blau"', "farbe: Diesen Eintrag gibt es nicht."),
        ('titel = "P"', 'titel = "P"\nkonto_iban = "DE00120300000000202051"', "konto_iban: Das ist keine gültige IBAN."),
        ('schluessel = "p"', 'schluessel = "P p"', "schluessel: Hier steht kleine Buchstaben"),
        ('"10.00"', "10.00", "massnahmen[0].barmittel.2025: Schreiben Sie den Betrag als Text"),
        ('"10.00"', '"10,00"', "massnahmen[0].barmittel.2025: Schreiben Sie den Betrag als Text"),
        ('"10.00"', '"-1.00"', "massnahmen[0].barmittel.2025: Schreiben Sie den Betrag als Text"),
        ("2025 =", "25 =", "massnahmen[0].barmittel.25: Das ist kein Haushaltsjahr."),
        ('{ 2025 = "10.00" }', '"viel"', "massnahmen[0].barmittel: Das ist eine Tabelle"),
        ('massnahme = "m"', 'massnahme = "x"', "aufrufe[0].massnahme: Eine Maßnahme „x“ gibt es in dieser Datei nicht."),
        ('kuerzel = "A"', 'kuerzel = "a"', "aufrufe[0].kuerzel: Hier steht große Buchstaben"),
        ('kuerzel = "A"', 'kuerzel = "A"\nbeginnt = "morgen"', "aufrufe[0].beginnt: Das ist ein Tag"),
        (
            'kuerzel = "A"', 'kuerzel = "A"\nbeginnt = 2025-02-01\nendet = 2025-01-01',
            "aufrufe[0].endet: Das Ende liegt vor dem Beginn.",
        ),
        ('kuerzel = "A"', 'kuerzel = "A"\nparameter = 5', "aufrufe[0].parameter: Das ist eine Tabelle."),
        (
            'kuerzel = "A"', 'kuerzel = "A"\n[aufrufe.parameter]\nfoerderung = 5',
            "aufrufe[0].parameter.foerderung: „egov-foerderung“ kennt diesen Parameter nicht.",
        ),
        ('kuerzel = "A"', 'kuerzel = "A"\n[aufrufe.parameter]\nfoerdersatz = 101', "aufrufe[0]: Parameter „foerdersatz“"),
        ("egov-foerderung", "gibt-es-nicht", "aufrufe[0].leistung: Ein Paket „gibt-es-nicht“ gibt es nicht."),
        ('kuerzel = "A"', 'kuerzel = "PRB"', "aufrufe[0]: Das Kürzel „PRB“ benutzt schon „probe“."),
        ("[[massnahmen]]", "[massnahmen]", "massnahmen: Das ist eine Liste von Tabellen"),
        ("[[massnahmen]]", "[[massnahmen", "Kein gültiges TOML"),
    ],
)  # fmt: skip
def test_a_faulty_file_says_where_and_why_and_stores_nothing(
    world: World, old: str, new: str, problem: str
) -> None:
    before = everything(world)
    assert GOOD.count(old) >= 1
    with pytest.raises(ProgrammeRefused) as refused:
        load(world, GOOD.replace(old, new, 1))
    assert any(found.startswith(problem) for found in refused.value.problems), refused.value.problems
    assert everything(world) == before


def test_all_faults_are_told_at_once_and_nothing_twice() -> None:
    twice = GOOD.replace(
        "[[massnahmen]]", "[[massnahmen]]\nschluessel = 'm'\ntitel = 'N'\n[[massnahmen]]"
    ).replace('"10.00"', '"x"')
    with pytest.raises(ProgrammeRefused) as refused:
        read_programme(twice)
    assert len(refused.value.problems) == 2
    assert "massnahmen[1].schluessel: „m“ steht schon an anderer Stelle." in refused.value.problems


def test_only_the_head_loads_a_programme(world: World) -> None:
    for stranger in (world.clerk, world.lahnau_officer):
        with pytest.raises(NotAllowed):
            load(world, GOOD, by=stranger)


OBJECTS = ("it-service-center", "online-dienste", "fachverfahren", "it-sicherheit")


@dataclass
class Town:
    """A municipality of Thüringen, with somebody who applies for it."""

    authority: Authority
    party: Party
    officer: Actor

    @classmethod
    def make(cls, number: int) -> Town:
        name = f"Gemeinde Probe {number}"
        place = Authority.objects.create(
            kind="municipality",
            name=name,
            label=name,
            sort_key=name.lower(),
            slug=f"probe-{number}",
            ags=f"16061{number:03}",
            land="TH",
        )
        party = party_of_authority(place)
        officer = Account.objects.create(email=f"t{number}@example.org", name="E-Government", trust_level=3)
        give_mandate(by=Actor.system(place.id), account=officer, party=party, function="E-Government")
        return cls(place, party, actor_of(officer.pk))

    def apply(self, call: Call, *, amount: str, cost: str, **changes: Any) -> Case:
        said = {**sample(EGOV, "schnittstellen")["antrag"], **changes}
        said["zuschuss"] = amount
        said["kosten"] = [{"art": "Software", "wofuer": "Lizenzen", "betrag": cost}]
        own = str(Decimal(cost) - Decimal(amount))
        said["finanzierung"] = [{"quelle": "Eigenanteil", "wer": "Gemeinde", "betrag": own}]
        file = said["projektbeschreibung"]
        with self.officer.acting():
            Blob.objects.get_or_create(
                authority_id=call.authority_id,
                party_id=self.party.id,
                sha256=file["sha256"],
                defaults={"size": file["size"], "media_type": file["media_type"]},
            )
        return submit_application(
            by=self.officer, offer=call.offer, party=self.party, answers=said, submission=new_id()
        )


def findings(case: Case) -> dict[str, tuple[str, str]]:
    with Actor.system(case.authority_id).acting():
        rows = Finding.objects.filter(case=case, is_current=True)
        return {row.rule: (row.result, row.value) for row in rows}


def award(w: World, case: Case, amount: str, years: dict[str, str]) -> None:
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": "granted", "betrag": Decimal(amount), "begruendung": "Es dient vielen."}
    complete_task(by=w.clerk, task=w.task(case).id, answers={**proposal, "einzelheiten": {"jahre": years}})
    complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
    run_waiting_jobs()


def test_nineteen_applications_of_just_under_1_8_million_euros(world: World) -> None:
    """Thüringen, by June 2019: 19 municipalities, four purposes, 80 million euros."""
    w = world
    (call,) = load(w, file("thueringen-2019"))
    amounts = [Decimal("94210.50")] * 18
    amounts.append(Decimal("1790000.00") - sum(amounts))
    with on("2019-05-20"):
        cases = [
            Town.make(number).apply(
                call,
                amount=str(amount),
                cost=str(round(amount / Decimal("0.8") + 1, 2)),
                gegenstand=OBJECTS[number % 4],
                titel=f"Vorhaben {number}",
                beginn="2019-09-01",
                ende="2021-08-31",
            )
            for number, amount in enumerate(amounts, 1)
        ]
        with w.clerk.acting():
            asked = Case.objects.filter(offer=call.offer)
            assert (asked.count(), asked.aggregate(all=Sum("amount"))["all"]) == (19, Decimal("1790000.00"))
        for case in cases:
            found = findings(case)
            assert {result for result, _ in found.values()} == {"met"}
            assert found["mittel"][1] == "frei: 80.000.000,00\xa0€"
        assert len({findings(case)["foerdergegenstand"][1] for case in cases}) == 4
    half = str(amounts[0] / 2)
    with on("2021-02-03"):
        award(w, cases[0], str(amounts[0]), {"2021": half, "2022": half})
    with w.clerk.acting():
        grant = Grant.objects.get(case=cases[0])
        assert grant.amount == Decimal("94210.50")
    assert free(call) == Decimal("79905789.50")
    text = file("thueringen-2019").read_text(encoding="utf-8")
    less = text.replace('2021 = "20000000.00"', '2021 = "47105.24"')
    reason = r"massnahmen\[0\]\.barmittel\.2021: Von den Mitteln 2021 sind nur 19\.952\.894,75"
    with pytest.raises(ProgrammeRefused, match=reason):
        load(w, less)
    assert check_invariants(w.clerk).faults == ()


def test_what_is_switched_off_is_taken_and_found(world: World) -> None:
    (call,) = load(world, file("thueringen-2024"))
    with on("2024-08-05"):
        town = Town.make(1)
        off = findings(town.apply(call, amount="8000.00", cost="10000.00", gegenstand="dms"))
        allowed = findings(
            town.apply(
                call,
                amount="8000.00",
                cost="10000.00",
                gegenstand="schulung",
                beginn="2026-01-01",
                ende="2026-06-30",
            )
        )
        unknown = findings(
            town.apply(
                call, amount="8000.00", cost="10000.00", gegenstand="it-service-center", beginn="2027-01-01",
                ende="2027-06-30",
            )
        )  # fmt: skip
    assert off["foerdergegenstand"] == ("failed", "Dokumentenmanagement")
    assert allowed["foerdergegenstand"] == ("met", "Schulung (Nr. 2f)")
    assert unknown["foerdergegenstand"] == ("failed", "it-service-center")
    with on("2024-06-30"), pytest.raises(Refused, match="noch nicht begonnen"):
        town.apply(call, amount="8000.00", cost="10000.00")


def test_the_rate_rises_for_those_who_work_together(world: World) -> None:
    text = file("thueringen-2024").read_text(encoding="utf-8")
    (call,) = load(world, text.replace("foerdersatz_kooperation = 80", "foerdersatz_kooperation = 90"))
    with on("2024-08-05"):
        one, other = Town.make(1), Town.make(2)
        alone = findings(one.apply(call, amount="9000.00", cost="10000.00"))
        together = findings(one.apply(call, amount="9000.00", cost="10000.00", partner=[other.authority.ags]))
        too_much = findings(one.apply(call, amount="9000.01", cost="10000.00", partner=[other.authority.ags]))
    assert alone["foerdersatz"][0] == "failed"
    assert together["foerdersatz"] == ("met", "90,00 %")
    assert together["kooperation"][0] == "met"
    assert too_much["foerdersatz"][0] == "failed"


def test_projects_in_the_same_time_are_shown(world: World) -> None:
    w = world
    (call,) = load(w, file("thueringen-2024"))
    with on("2024-08-05"):
        one, other, third = Town.make(1), Town.make(2), Town.make(3)
        given: dict[str, Any] = {"amount": "8000.00", "cost": "10000.00"}
        first = one.apply(call, titel="Erstes Vorhaben", beginn="2024-10-01", ende="2025-03-31", **given)
        assert findings(first)["doppelfoerderung"] == ("met", "keine Überschneidung")
        after = one.apply(call, titel="Danach", beginn="2025-04-01", ende="2025-06-30", **given)
        assert findings(after)["doppelfoerderung"][0] == "met"
        # A partner counts as well as the applicant, in both directions.
        joint = other.apply(
            call,
            titel="Gemeinsam",
            beginn="2025-03-30",
            ende="2025-03-31",
            partner=[one.authority.ags],
            **given,
        )
        assert findings(joint)["doppelfoerderung"] == ("hint", f"{first.reference} „Erstes Vorhaben“")
        stranger = third.apply(call, titel="Fremd", beginn="2024-10-01", ende="2025-12-31", **given)
        assert findings(stranger)["doppelfoerderung"][0] == "met"
        award(w, first, "8000.00", {"2024": "8000.00"})
        again = one.apply(
            call,
            titel="Noch einmal",
            gegenstand="schnittstellen",
            beginn="2024-12-01",
            ende="2025-05-01",
            **given,
        )
    result, value = findings(again)["doppelfoerderung"]
    assert result == "hint"
    for reference in (first.reference, after.reference, joint.reference):
        assert reference in value
    with w.clerk.acting():
        note = Finding.objects.get(case=again, rule="doppelfoerderung").note
        assert note == f"Gleicher Gegenstand: {first.reference}, {after.reference}, {joint.reference}"
        assert Task.objects.filter(case=again, state="open").exists()  # it advises
