"""Cases that the office opens by itself: who may, what stays inside, the hearing with its deadline, and being told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from tests.casework.conftest import World
from tests.casework.fact_package import package as package_with_facts
from tests.casework.office_package import ANSWERS, MANIFEST, PROCESS, SAMPLES, SCHEMA, UI, recovery

from rathaus.casework.cases.actions.drafts import begin_draft
from rathaus.casework.cases.actions.messages import answer_request, deliver, send_message
from rathaus.casework.cases.actions.submission import InvalidAnswers, open_case
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.actions.timers import fire_timers
from rathaus.casework.cases.actions.withdrawal import withdraw_application
from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Application, Case, CaseProcess, Message, Subscription, Timer
from rathaus.casework.cases.queries import office_offers, own_case, own_cases
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import PackageRefused, compile_package
from rathaus.casework.services.samples import play
from rathaus.core import clock
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.law.days import Land, next_working_day

Jobs = Callable[[], int]


@pytest.fixture
def offer(world: World) -> Offer:
    return world.publish(recovery(), "rueckforderung")


@pytest.fixture
def earlier(world: World) -> Case:
    return world.submit()


def opened(world: World, offer: Offer, about: Case, **changes: Any) -> Case:
    return open_case(
        by=world.clerk, offer=offer, about=about, answers={**ANSWERS, **changes}, submission=new_id()
    )


def seen_by(by: Actor, case: Case) -> tuple[bool, int, int]:
    """Whether an applicant sees the case, how many applications, how many messages of it."""
    with by.acting():
        return (
            Case.objects.filter(id=case.id).exists(),
            Application.objects.filter(case_id=case.id).count(),
            Message.objects.filter(case_id=case.id).count(),
        )


# --- who may ---


def test_for_the_party_of_the_earlier_case(world: World, offer: Offer, earlier: Case) -> None:
    case = opened(world, offer, earlier)
    assert case.reference.startswith("RF-")
    assert (case.about_id, case.party_id, case.party_name) == (
        earlier.id,
        earlier.party_id,
        "Gemeinde Lahnau",
    )
    assert (case.title, case.amount) == ("Prüfung zu Ihrem Vorgang", Decimal("400.00"))
    assert case.applicant_id == earlier.applicant_id


def test_the_same_act_makes_one_case(world: World, offer: Offer, earlier: Case) -> None:
    act = {"by": world.clerk, "offer": offer, "answers": ANSWERS, "submission": new_id()}
    case = open_case(about=earlier, **act)
    assert open_case(about=earlier, **act) == case
    with pytest.raises(Refused, match="schon eingegangen"):
        open_case(about=world.submit(), **act)


def test_nobody_else_may(world: World, offer: Offer, earlier: Case) -> None:
    other = Account.objects.create(email="leser@example.org")
    add_member(
        by=Actor.system(world.ministry.id),
        authority=world.ministry,
        account=other,
        roles=["Freigabe"],
        function="Freigabe",
    )
    elsewhere = Account.objects.create(email="anderswo@example.org")
    add_member(
        by=Actor.system(world.waldsolms.id),
        authority=world.waldsolms,
        account=elsewhere,
        roles=["Sachbearbeitung"],
        function="Amt",
    )
    both = Actor(
        account=world.lahnau_officer.account,
        authority=world.lahnau.id,
        roles=frozenset({"Sachbearbeitung"}),
        parties=(world.lahnau_party.id,),
    )
    for by in (actor_of(other.pk), actor_of(elsewhere.pk), world.lahnau_officer, both, Actor()):
        with pytest.raises(NotAllowed, match="eröffnet"):
            open_case(by=by, offer=offer, about=earlier, answers=ANSWERS, submission=new_id())
    for begin in (
        lambda: world.submit(offer=offer, about=earlier),
        lambda: world.submit(by=world.clerk, offer=offer, about=earlier),
        lambda: begin_draft(by=world.lahnau_officer, offer=offer, party=world.lahnau_party.id, about=earlier),
    ):
        with pytest.raises(NotAllowed, match="eröffnet nur die Behörde"):
            begin()
    with pytest.raises(NotAllowed, match="beginnt mit einem Antrag"):
        open_case(by=world.clerk, offer=world.offer, about=earlier, answers=ANSWERS, submission=new_id())
    with Actor.system(world.ministry.id).acting():
        assert Case.objects.count() == 1


def test_about_a_case_of_ones_own_authority_only(world: World, offer: Offer, earlier: Case) -> None:
    elsewhere = Case(id=earlier.id, authority=world.waldsolms, party=world.lahnau_party)
    with pytest.raises(NotAllowed, match="anderen Behörde"):
        open_case(by=world.clerk, offer=offer, about=elsewhere, answers=ANSWERS, submission=new_id())


def test_wrong_answers_store_nothing(world: World, offer: Offer, earlier: Case) -> None:
    with pytest.raises(InvalidAnswers):
        opened(world, offer, earlier, betrag="viel")
    with Actor.system(world.ministry.id).acting():
        assert Case.objects.count() == 1


def test_offered_where_it_fits_and_to_who_may(world: World, offer: Offer, earlier: Case) -> None:
    manifest = MANIFEST.replace("parameter.wozu", "bestand.name").replace('"rueckforderung"', '"widerruf"')
    manifest = manifest.replace('"RF"', '"WI"').replace("Rückforderung", "Widerruf")
    samples = {
        name.replace(".", "__"): json.dumps(sample | {"fakten": {"bestand": {"name": "Akte"}}})
        for name, sample in SAMPLES.items()
    }
    fitting = world.publish(recovery(leistung__toml=manifest, **samples), "widerruf")
    plain = world.publish(package_with_facts(), "abruf")
    with world.clerk.acting():
        assert office_offers(world.clerk, earlier) == [offer, fitting]
        # Of a case without an amount the domain knows nothing.
        Case.objects.filter(id=earlier.id).update(amount=None)
        earlier.refresh_from_db()
        assert office_offers(world.clerk, earlier) == [offer]
        Offer.objects.filter(id=offer.id).update(closes_at=clock.now() - timedelta(days=1))
        assert office_offers(world.clerk, earlier) == []
    assert plain.opening == "follow_up"
    with pytest.raises(Refused, match="passt nicht"):
        opened(world, fitting, earlier)


# --- what stays inside ---


def test_the_applicant_learns_of_it_with_the_first_message(
    world: World, offer: Offer, earlier: Case, run_jobs: Jobs
) -> None:
    case = opened(world, offer, earlier, eilig=True, warum="Verjährung")
    by = world.lahnau_officer
    run_jobs()
    assert [mail for mail in mail.outbox if case.reference in mail.subject] == []  # no receipt
    assert seen_by(by, case) == (False, 0, 0)
    assert case not in own_cases(by)
    with by.acting(), pytest.raises(Case.DoesNotExist):
        own_case(by, case.id)
    send_message(by=world.clerk, case=case, body="Bitte rufen Sie uns an.")
    assert seen_by(by, case) == (True, 0, 1)
    with by.acting():
        assert own_case(by, case.id) == case
        assert case in own_cases(by)
    assert seen_by(world.waldsolms_officer, case) == (False, 0, 0)
    run_jobs()
    (letter,) = [letter for letter in mail.outbox if case.reference in letter.subject]
    assert "Antrag" not in letter.body
    assert ANSWERS["grund"] not in letter.body


def test_a_notice_makes_it_known_too(world: World, offer: Offer, earlier: Case, run_jobs: Jobs) -> None:
    case = opened(world, offer, earlier, eilig=True, warum="Verjährung")
    _decide(world, case)
    assert seen_by(world.lahnau_officer, case)[0] is False
    run_jobs()
    assert seen_by(world.lahnau_officer, case) == (True, 0, 0)


def test_nobody_withdraws_what_the_office_opened(world: World, offer: Offer, earlier: Case) -> None:
    case = opened(world, offer, earlier)
    with pytest.raises(NotAllowed, match="hat die Behörde eröffnet"):
        withdraw_application(by=world.lahnau_officer, case=case)


# --- hearing ---


def test_a_hearing_is_known_at_once_and_answered(
    world: World, offer: Offer, earlier: Case, run_jobs: Jobs
) -> None:
    case = opened(world, offer, earlier)
    by = world.lahnau_officer
    assert case.state == CaseState.ACTION_REQUIRED
    assert seen_by(by, case) == (True, 0, 1)
    until = next_working_day(clock.today() + timedelta(days=14), Land(world.ministry.land))
    with world.clerk.acting():
        asked = Message.objects.get(case=case)
        assert (asked.answer_until, asked.sender_name) == (until, "Ministerium")
        timer = Timer.objects.get(case=case)
        assert timezone.localdate(timer.due_at) == until + timedelta(days=1)
    run_jobs()
    assert any("Sie können sich äußern" in letter.subject for letter in mail.outbox)
    answer_request(by=by, case=case, body="Es gab nur eine Förderung.")
    assert world.task(case).element == "vorschlagen"
    with world.clerk.acting():
        assert not Timer.objects.filter(case=case).exists()
    with pytest.raises(Refused, match="nicht gewartet"):
        answer_request(by=by, case=case, body="Noch etwas.")


def test_without_an_answer_the_process_goes_on_after_the_deadline(
    world: World, offer: Offer, earlier: Case
) -> None:
    case = opened(world, offer, earlier)
    system = Actor.system(world.ministry.id)
    with world.clerk.acting():
        due = Timer.objects.get(case=case).due_at
    with clock.living_at(due - timedelta(minutes=1)):
        fire_timers(by=system)
        with world.clerk.acting():
            assert Subscription.objects.filter(case=case, message="antwort").exists()
    with clock.living_at(due + timedelta(minutes=1)):
        fire_timers(by=system)
        assert world.task(case).element == "vorschlagen"
        with world.clerk.acting():
            assert Case.objects.get(id=case.id).state == CaseState.PROCESSING
            assert not Subscription.objects.filter(case=case).exists()
        with pytest.raises(Refused, match="nicht gewartet"):
            answer_request(by=world.lahnau_officer, case=case, body="Zu spät.")


def test_a_question_that_cannot_be_sent_is_the_packages_fault(world: World, earlier: Case) -> None:
    broken = PROCESS.replace('name="tage" value="14"', 'name="tage" value="0 * 1"')
    offer = world.publish(recovery(prozess__bpmn=broken), "rueckforderung")
    case = opened(world, offer, earlier)
    with world.clerk.acting():
        assert "1 bis 366 Tage" in case.incidents.get().reason
        assert not Message.objects.filter(case=case).exists()
    assert seen_by(world.lahnau_officer, case)[0] is False


# --- being told ---


def test_a_process_goes_on_when_it_is_told_what_it_waits_for(
    world: World, offer: Offer, earlier: Case, run_jobs: Jobs
) -> None:
    case = opened(world, offer, earlier, eilig=True, warum="Verjährung")
    told = {"message": "bezahlt", "result": {"betrag": Decimal("400.00")}}
    assert deliver(by=world.clerk, case=case.id, **told) is False
    _decide(world, case)
    run_jobs()
    assert deliver(by=world.clerk, case=case.id, message="anderes") is False
    for by in (Actor.system(world.waldsolms.id), actor_of(_clerk_of(world.waldsolms))):
        with pytest.raises(CaseProcess.DoesNotExist):
            deliver(by=by, case=case.id, **told)
    with pytest.raises(NotAllowed):
        deliver(by=world.lahnau_officer, case=case.id, **told)
    with pytest.raises(ValueError, match="answer_request"):
        deliver(by=world.clerk, case=case.id, message="antwort")
    system = Actor.system(world.ministry.id)
    assert deliver(by=system, case=case.id, **told) is True
    assert deliver(by=system, case=case.id, **told) is False
    with system.acting():
        process = CaseProcess.objects.select_related("case").get(case=case)
        assert process.case.state == CaseState.COMPLETED
        variables = compile_package(recovery(), check_letters=False).definition.variables(process.state)
        assert variables["gezahlt"] == Decimal("400.00")


def _work_for(authority: Authority, account: Account, role: str) -> None:
    add_member(
        by=Actor.system(authority.id), authority=authority, account=account, roles=[role], function="Amt"
    )


def _clerk_of(authority: Any) -> Any:
    account = Account.objects.create(email="fremd@example.org")
    add_member(
        by=Actor.system(authority.id),
        authority=authority,
        account=account,
        roles=["Sachbearbeitung"],
        function="Amt",
    )
    return account.pk


def _decide(world: World, case: Case) -> None:
    given = {"ergebnis": "granted", "betrag": Decimal("400.00"), "begruendung": "Doppelt gefördert."}
    complete_task(by=world.clerk, task=world.task(case).id, answers=given)
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})


# --- packages ---


def test_samples_play_answer_and_silence() -> None:
    assert play(compile_package(recovery())) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"leistung__toml": MANIFEST.replace("parameter.wozu", "antrag.grund")},
            "verrät nichts aus „antrag“",
        ),
        (
            {"leistung__toml": MANIFEST.replace("von_amts_wegen = true", "von_amts_wegen = true\nbezug = false")},
            "gehört immer zu einem früheren Vorgang",
        ),
        (
            {"leistung__toml": MANIFEST[: MANIFEST.index("[rollen]")] + MANIFEST[MANIFEST.index("[parameter]") :]},
            "Die erste eröffnet den Vorgang",
        ),
    ],
)  # fmt: skip
def test_what_the_check_refuses(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(PackageRefused, match=reason):
        compile_package(recovery(**changes), check_letters=False)


def test_a_form_of_the_office_takes_no_files() -> None:
    schema = json.dumps(
        {**SCHEMA, "properties": {**SCHEMA["properties"], "brief": {"type": "object", "format": "datei"}}}
    )
    elements: list[Any] = json.loads(json.dumps(UI["elements"]))
    elements[0]["elements"].append({"type": "Control", "scope": "#/properties/brief", "label": "Brief"})
    with pytest.raises(PackageRefused, match="„brief“: Was die Behörde eröffnet, nimmt keine Dateien"):
        compile_package(
            recovery(
                formular__schema__json=schema,
                formular__ui__json=json.dumps({**UI, "elements": elements}),
            ),
            check_letters=False,
        )
