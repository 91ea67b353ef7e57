"""What a domain knows of a case reaches processes, titles, forms, samples and letters, and only under its names."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.casework.conftest import World
from tests.casework.fact_package import ABRUF, ABRUF_PROCESS, package, remains, ui
from tests.casework.packages import LETTER, MANIFEST, SAMPLE, probe

from rathaus.casework.cases.actions.drafts import begin_draft
from rathaus.casework.cases.actions.notices import letter_data
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.facts import facts, facts_before
from rathaus.casework.cases.models import Case, Decision, Draft, Task
from rathaus.casework.services.manifest import Manifest
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import PackageRefused, compile_package
from rathaus.casework.services.samples import play
from rathaus.core.identity.actors import NotAllowed


def test_a_draft_begins_with_what_is_known(world: World) -> None:
    offer = world.publish(package(), "abruf")
    earlier = world.submit()
    by = world.lahnau_officer
    draft = begin_draft(by=by, offer=offer, party=world.lahnau_party.id, about=earlier)
    assert draft.answers == {
        "titel": "Neue Akte",
        "betrag": "900.00",
        "bis": "2026-03-31",
        "plan": [{"wofuer": "Software", "soll": "600.00"}, {"wofuer": "Schulung", "soll": "300.00"}],
    }
    with by.acting():
        kept = Draft.objects.select_related("offer", "party", "about").get(id=draft.id)
        known = facts_before(by, kept)
    page = compile_package(package(), check_letters=False).form.filled_in(known).pages[0]
    assert page.intro == "Noch abrufbar: 900,00\xa0€, bis 31.\xa0März 2026."
    text, _, amount = page.elements[:3]
    assert getattr(text, "text", "") == "Vorhaben „Neue Akte“, Abruf 0, {keins} { bestand.offen }"
    assert getattr(amount, "hint", "") == "Höchstens 900,00\xa0€."
    with pytest.raises(NotAllowed):
        facts_before(world.waldsolms_officer, kept)


def test_title_process_and_letter_read_them_and_see_what_changed(world: World) -> None:
    offer = world.publish(package(), "abruf")
    earlier = world.submit()
    case = world.submit(offer=offer, about=earlier, titel="x", betrag="400.00")
    assert case.title == "Abruf für Neue Akte"
    with world.clerk.acting():
        earlier.refresh_from_db()
        assert earlier.amount == Decimal("500.00")  # 900 - 400, by the operation
        # The task was opened after the operation, and knows what is left then.
        assert Task.objects.get(case=case, state="open").amount == Decimal("500.00")
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    given = {"ergebnis": "granted", "betrag": Decimal("400.00"), "begruendung": "Passt."}
    complete_task(by=world.clerk, task=world.task(case).id, answers=given)
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
    with world.clerk.acting():
        case = Case.objects.select_related("offer", "authority", "application", "about").get(id=case.id)
        data = letter_data(case, Decision.objects.get(case=case))
        assert data["bestand"]["offen"] == Decimal("500.00")
        assert [message.body for message in case.messages.all()] == ["Bewilligt für Neue Akte"]


def test_a_case_of_which_the_domain_knows_nothing_does_not_fit(world: World) -> None:
    offer = world.publish(package(), "abruf")
    plain = MANIFEST.replace('betrag = "antrag.betrag"\n', "").replace('fassung = "1"', 'fassung = "2"')
    without = world.publish(
        probe(leistung__toml=plain, **{"beispiele/bewilligt__json": json.dumps(SAMPLE)}), "probe"
    )
    earlier = world.submit(offer=without)
    assert earlier.amount is None
    with pytest.raises(Refused, match="„Mittelabruf“ passt nicht zu dem Vorgang"):
        world.submit(offer=offer, about=earlier)
    with pytest.raises(Refused, match="passt nicht"):
        begin_draft(by=world.lahnau_officer, offer=offer, party=world.lahnau_party.id, about=earlier)


def test_packages_that_read_nothing_ask_no_domain() -> None:
    assert compile_package(probe(), check_letters=False).facts == frozenset()
    assert compile_package(package(), check_letters=False).facts == {"bestand"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"prozess__bpmn": ABRUF_PROCESS.replace("bestand.offen - ", "bestand.ofen - ")},
            "„bestand.ofen“ gibt es nicht. Es gibt: bis,",
        ),
        (
            {"prozess__bpmn": ABRUF_PROCESS.replace("bestand.offen - ", "vorrat.offen - ")},
            "Den Namen „vorrat“ gibt es nicht",
        ),
        ({"formular__ui__json": json.dumps(ui(options={"einleitung": "{bestand.rest}"}))}, "„bestand.rest“"),
        (
            {"formular__ui__json": json.dumps(ui(options={"einleitung": "{vorrat.offen}"}))},
            "„vorrat.offen“ ist nichts",
        ),
        (
            {"formular__ui__json": json.dumps(ui(options={"einleitung": "{partei.name}"}))},
            "„partei.name“ ist nichts",
        ),
        ({"bescheid__typ": LETTER + "\n#daten.bestand.rest"}, "„bestand.rest“ gibt es nicht"),
    ],
)
def test_a_slip_of_the_pen_is_found(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(PackageRefused, match=reason):
        compile_package(package(**changes), check_letters=False)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"vorrat": {}}, "liest „vorrat“ nicht"),
        ({"bestand": {"rest": "1.00"}}, r"kennt \['rest'\] nicht"),
        ({"bestand": "viel"}, "ist eine Gruppe von Werten"),
        ({}, "Ausdruck"),
    ],
)
def test_samples_tell_what_a_domain_would(known: dict[str, Any], reason: str) -> None:
    files = package(**{"beispiele/bewilligt__json": json.dumps(ABRUF | {"fakten": known})})
    problems = play(compile_package(files, check_letters=False))
    assert problems
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(str(problems))
    assert play(compile_package(package(), check_letters=False)) == []


def test_facts_cannot_take_anothers_name() -> None:
    for name in ("bestand", "antrag", "daten", "Bestand", "_x"):
        with pytest.raises(ValueError, match="registered twice, taken"):
            facts(name, names=("a",))(remains)
    with pytest.raises(ValueError, match="no name"):
        facts("neu", names=("__class__",))(remains)


def test_manifest_of_the_test_package_is_a_follow_up() -> None:
    assert Manifest.parse(package()["leistung.toml"]).opening == "follow_up"
