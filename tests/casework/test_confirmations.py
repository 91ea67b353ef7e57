"""Partners that an application names answer for themselves: who is asked, who may answer, who sees what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, ProgrammingError, transaction
from tests.casework.conftest import World, account, run_waiting_jobs
from tests.casework.packages import MANIFEST, PROCESS, SCHEMA, UI, probe
from tests.casework.test_races import PROPOSAL, at_once

from rathaus.casework.cases.actions.confirmations import answer_confirmation
from rathaus.casework.cases.actions.corrections import begin_correction
from rathaus.casework.cases.actions.drafts import save_draft
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.actions.withdrawal import withdraw_application
from rathaus.casework.cases.models import Application, Case, Confirmation
from rathaus.casework.cases.queries import confirmations
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import PackageRefused, compile_package
from rathaus.core.audit.models import Event
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import give_mandate, party_of_authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.queries import actor_of

LAHNAU, WALDSOLMS, LEUN = "06532015", "06532022", "06532016"


def with_partners(world: World) -> World:
    """The service `probe` with a list of partners who are asked to confirm."""
    schema = json.loads(json.dumps(SCHEMA))
    schema["properties"]["partner"] = {
        "type": "array",
        "items": {"type": "string", "format": "ags"},
        "uniqueItems": True,
        "maxItems": 5,
    }
    ui = json.loads(json.dumps(UI))
    ui["elements"][0]["elements"].append(
        {
            "type": "Control",
            "scope": "#/properties/partner",
            "label": "Partnerkommunen",
            "options": {"bestaetigen": True},
        }
    )
    process = PROCESS.replace(
        'id="f5" sourceRef="warten" targetRef="pruefen"', 'id="f5" sourceRef="warten" targetRef="regeln"'
    )
    files = probe(
        formular__schema__json=json.dumps(schema),
        formular__ui__json=json.dumps(ui),
        prozess__bpmn=process,
        leistung__toml=MANIFEST.replace('fassung = "1"', 'fassung = "2"'),
    )
    system = Actor.system(world.ministry.id)
    version = publish_package(by=system, files=files)
    world.offer = offer_service(by=system, authority=world.ministry, version=version, slug="probe")
    Authority.objects.create(
        kind=AuthorityKind.MUNICIPALITY,
        name="Leun",
        label="Stadt Leun",
        sort_key="leun",
        slug="leun",
        ags=LEUN,
    )
    return world


@pytest.fixture
def w(world: World) -> World:
    return with_partners(world)


@pytest.fixture
def leun(w: World) -> Actor:
    """Somebody who acts for Leun."""
    person = account("leun@example.org")
    party = party_of_authority(Authority.objects.get(ags=LEUN))
    give_mandate(by=Actor.system(party.authority_id), account=person, party=party, function="Amt 10")  # type: ignore[arg-type]
    return actor_of(person.pk)


def asked(w: World, case: Case) -> dict[str, Confirmation]:
    with Actor.system(w.ministry.id).acting():
        return {found.partner.ags: found for found in confirmations(case)}


def test_each_partner_is_asked_once_and_never_who_applies(w: World) -> None:
    mail.outbox.clear()
    case = w.submit(partner=[WALDSOLMS, LEUN, LAHNAU])
    found = asked(w, case)
    assert set(found) == {WALDSOLMS, LEUN}
    one = found[WALDSOLMS]
    assert (one.state, one.title, one.applicant_name) == ("open", "Neue Akte", "Gemeinde Lahnau")
    assert (one.role, one.party_id, one.reference) == (
        "Partnerkommunen",
        w.waldsolms_party.id,
        case.reference,
    )
    assert "„Neue Akte“" in one.text
    assert "Gemeinde Waldsolms wirkt" in one.text
    run_waiting_jobs()
    (letter,) = [m for m in mail.outbox if m.to == ["gemeinde-waldsolms@example.org"]]
    assert "Um Ihre Bestätigung wird gebeten" in letter.subject
    assert f"/meine/bestaetigung/{one.id}/" in letter.body
    with Actor.system(w.ministry.id).acting():
        event = Event.objects.get(name="cases.confirmation.asked")
    assert "Gemeinde Waldsolms" in event.data["partners"]


def test_without_partners_nobody_is_asked(w: World) -> None:
    assert asked(w, w.submit()) == {}


def test_an_open_answer_does_not_hold_up_the_decision_and_ends_with_it(w: World) -> None:
    case = w.submit(partner=[WALDSOLMS])
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    complete_task(by=w.clerk, task=w.task(case).id, answers=PROPOSAL)
    complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
    one = asked(w, case)[WALDSOLMS]
    run_waiting_jobs()
    assert asked(w, case) == {}
    with pytest.raises(Refused, match="nicht mehr gebraucht"):
        answer_confirmation(by=w.waldsolms_officer, confirmation=one.id, confirms=True)


def test_confirmed_by_who_was_asked(w: World) -> None:
    one = asked(w, w.submit(partner=[WALDSOLMS]))[WALDSOLMS]
    answer_confirmation(by=w.waldsolms_officer, confirmation=one.id, confirms=True, note="egal")
    with Actor.system(w.ministry.id).acting():
        stored = Confirmation.objects.get(id=one.id)
        event = Event.objects.get(name="cases.confirmation.confirmed")
    assert (stored.state, stored.answered_by_id, stored.note) == (
        "confirmed",
        w.waldsolms_officer.account,
        "",
    )
    assert event.data["partner"] == "Gemeinde Waldsolms"
    for again in (True, False):
        with pytest.raises(Refused, match="schon geantwortet"):
            answer_confirmation(
                by=w.waldsolms_officer, confirmation=one.id, confirms=again, note="Doch nicht"
            )


def test_declined_with_a_reason_and_the_applicant_is_told(w: World) -> None:
    case = w.submit(partner=[WALDSOLMS])
    one = asked(w, case)[WALDSOLMS]
    with pytest.raises(Refused, match="warum Sie nicht"):
        answer_confirmation(by=w.waldsolms_officer, confirmation=one.id, confirms=False, note=" ")
    run_waiting_jobs()
    mail.outbox.clear()
    answer_confirmation(by=w.waldsolms_officer, confirmation=one.id, confirms=False, note="Kein Geld.")
    run_waiting_jobs()
    assert mail.outbox[0].to == ["gemeinde-lahnau@example.org"]
    assert "Partner" in mail.outbox[0].subject
    assert asked(w, case)[WALDSOLMS].note == "Kein Geld."


def test_nobody_else_answers(w: World, leun: Actor) -> None:
    one = asked(w, w.submit(partner=[WALDSOLMS]))[WALDSOLMS]
    for stranger in (w.lahnau_officer, leun, w.clerk, Actor.system(w.ministry.id), Actor()):
        with pytest.raises(Confirmation.DoesNotExist):
            answer_confirmation(by=stranger, confirmation=one.id, confirms=True)
    machine = Actor(parties=(w.waldsolms_party.id,))
    with pytest.raises(NotAllowed):
        answer_confirmation(by=machine, confirmation=one.id, confirms=True)


def test_a_partner_sees_its_own_row_and_nothing_of_the_case(w: World, leun: Actor) -> None:
    case = w.submit(partner=[WALDSOLMS, LEUN])
    with w.waldsolms_officer.acting():
        (own,) = Confirmation.objects.all()
        assert own.party_id == w.waldsolms_party.id
        assert not Case.objects.filter(id=case.id).exists()
        assert not Application.objects.filter(case_id=case.id).exists()
    with leun.acting():
        assert Confirmation.objects.count() == 1
    with w.lahnau_officer.acting():  # who applies sees all of theirs
        assert Confirmation.objects.count() == 2


def test_the_database_keeps_what_was_asked(w: World) -> None:
    one = asked(w, w.submit(partner=[WALDSOLMS]))[WALDSOLMS]
    with w.waldsolms_officer.acting():  # the row is theirs to read, the kernel writes
        assert Confirmation.objects.filter(id=one.id).update(state="obsolete") == 0
    with w.clerk.acting():
        for changes in ({"text": "Anders"}, {"title": "Anders"}, {"party_id": w.lahnau_party.id}):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                Confirmation.objects.filter(id=one.id).update(**changes)
        for changes in ({"state": "confirmed"}, {"state": "declined", "note": ""}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Confirmation.objects.filter(id=one.id).update(**changes)


def test_withdrawn_and_nobody_is_asked_any_more(w: World) -> None:
    case = w.submit(partner=[WALDSOLMS])
    one = asked(w, case)[WALDSOLMS]
    withdraw_application(by=w.lahnau_officer, case=case)
    mail.outbox.clear()
    run_waiting_jobs()
    assert not [m for m in mail.outbox if "Bestätigung" in m.subject]
    with pytest.raises(Refused, match="nicht mehr gebraucht"):
        answer_confirmation(by=w.waldsolms_officer, confirmation=one.id, confirms=True)


def correct(w: World, case: Case, **changes: Any) -> None:
    ask = {"vollstaendig": False, "nachricht": "Wer macht mit?", "korrektur": True}
    complete_task(by=w.clerk, task=w.task(case).id, answers=ask)
    draft = begin_correction(by=w.lahnau_officer, case=case)
    save_draft(by=w.lahnau_officer, draft=draft, answers={**draft.answers, **changes})
    submit_draft(by=w.lahnau_officer, draft=draft.id)


def test_a_correction_asks_who_is_new_and_lets_go_who_is_gone(w: World) -> None:
    case = w.submit(partner=[WALDSOLMS])
    one = asked(w, case)[WALDSOLMS]
    answer_confirmation(by=w.waldsolms_officer, confirmation=one.id, confirms=True)
    correct(w, case, partner=[WALDSOLMS, LEUN])
    found = asked(w, case)
    assert (found[WALDSOLMS].id, found[WALDSOLMS].state) == (one.id, "confirmed")
    assert found[LEUN].state == "open"
    correct(w, case, titel="Ganz anders")  # they agreed to something else
    found = asked(w, case)
    assert {key: (one.state, one.title) for key, one in found.items()} == {
        WALDSOLMS: ("open", "Ganz anders"),
        LEUN: ("open", "Ganz anders"),
    }
    correct(w, case, partner=[])
    assert asked(w, case) == {}


def test_answered_twice_at_the_same_moment(committed_world: World) -> None:
    w = with_partners(committed_world)
    case = w.submit(partner=[WALDSOLMS])
    one = asked(w, case)[WALDSOLMS]
    answers = at_once(
        lambda: answer_confirmation(by=w.waldsolms_officer, confirmation=one.id, confirms=True),
        lambda: answer_confirmation(
            by=w.waldsolms_officer, confirmation=one.id, confirms=False, note="Nein."
        ),
    )
    assert len([a for a in answers if isinstance(a, Refused)]) == 1, answers


def test_only_authorities_can_be_asked() -> None:
    ui = json.loads(json.dumps(UI))
    ui["elements"][0]["elements"][0]["options"] = {"bestaetigen": True}
    with pytest.raises(PackageRefused, match="bestaetigen gilt nur für Behörden"):
        compile_package(probe(formular__ui__json=json.dumps(ui)))
