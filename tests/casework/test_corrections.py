"""Correcting what was handed in: only when asked, in force from then on, the earlier version untouched."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from tests.casework.conftest import World, run_waiting_jobs
from tests.casework.packages import MANIFEST, PROCESS, probe
from tests.casework.test_races import PROPOSAL, Rival, at_once
from tests.web.queries import counted

from rathaus.casework.cases.actions.answers import InvalidAnswers
from rathaus.casework.cases.actions.corrections import begin_correction
from rathaus.casework.cases.actions.decisions import allow_exception
from rathaus.casework.cases.actions.drafts import attach_file, save_draft
from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.actions.tasks import TaskTaken, complete_task
from rathaus.casework.cases.actions.withdrawal import withdraw_application
from rathaus.casework.cases.models import Application, Case, Decision, Draft, Finding, Message
from rathaus.casework.cases.steps import lock
from rathaus.casework.records.models import Document
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.models import Event
from rathaus.core.identity.actors import Actor, NotAllowed

PDF = b"%PDF-1.7 plan"


def rechecking(world: World) -> World:
    """The same service, whose rules are checked again after an answer."""
    process = PROCESS.replace(
        'id="f5" sourceRef="warten" targetRef="pruefen"', 'id="f5" sourceRef="warten" targetRef="regeln"'
    )
    assert process != PROCESS
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"')
    system = Actor.system(world.ministry.id)
    version = publish_package(by=system, files=probe(prozess__bpmn=process, leistung__toml=manifest))
    world.offer = offer_service(by=system, authority=world.ministry, version=version, slug="probe")
    return world


@pytest.fixture
def w(world: World) -> World:
    return rechecking(world)


def ask(w: World, case: Case, *, may_correct: bool = True) -> None:
    answers = {"vollstaendig": False, "nachricht": "Der Betrag stimmt nicht.", "korrektur": may_correct}
    complete_task(by=w.clerk, task=w.task(case).id, answers=answers)


def asked(w: World, **answers: Any) -> Case:
    case = w.submit(**answers)
    ask(w, case)
    return case


def correct(w: World, case: Case, **changes: Any) -> Case:
    draft = begin_correction(by=w.lahnau_officer, case=case)
    save_draft(by=w.lahnau_officer, draft=draft, answers={**draft.answers, **changes})
    return submit_draft(by=w.lahnau_officer, draft=draft.id)


def fresh(w: World, case: Case) -> Case:
    with Actor.system(w.ministry.id).acting():
        return Case.objects.select_related("application").get(id=case.id)


def versions(w: World, case: Case) -> list[Application]:
    with Actor.system(w.ministry.id).acting():
        return list(Application.objects.filter(case=case).order_by("number"))


def findings(w: World, case: Case, **wanted: Any) -> dict[str, Finding]:
    with Actor.system(w.ministry.id).acting():
        return {found.rule: found for found in Finding.objects.filter(case=case, **wanted)}


def test_the_new_version_is_in_force_and_the_old_one_untouched(w: World) -> None:
    case = asked(w)
    before = versions(w, case)[0]
    answered = correct(w, case, titel="Bessere Akte", betrag="800.00")
    assert answered.id == case.id
    now = fresh(w, case)
    assert (now.title, now.amount, now.state) == ("Bessere Akte", Decimal("800.00"), "PROCESSING")
    first, second = versions(w, case)
    assert (first.number, first.answers, first.submission) == (1, before.answers, before.submission)
    assert (second.number, second.answers["betrag"], second.version_id) == (2, "800.00", before.version_id)
    assert second.submitted_by_id == w.lahnau_officer.account
    assert now.application == second
    assert w.task(case).element == "pruefen"  # the question is answered
    with Actor.system(w.ministry.id).acting():
        event = Event.objects.get(name="cases.application.corrected")
        assert event.data == {"number": 2, "fields": "Titel, Betrag"}
        assert (
            Message.objects.filter(case=case, sender="applicant").get().body.startswith("Angaben berichtigt")
        )
    with w.lahnau_officer.acting():
        assert not Draft.objects.exists()


def test_what_follows_works_with_the_new_version(w: World) -> None:
    """The task's amount, what may be granted, and the letter."""
    case = asked(w)
    correct(w, case, betrag="500.00")
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    with pytest.raises(Refused, match="Mehr kann nicht"):
        complete_task(by=w.clerk, task=w.task(case).id, answers={**PROPOSAL, "betrag": Decimal("900.00")})
    complete_task(by=w.clerk, task=w.task(case).id, answers={**PROPOSAL, "betrag": Decimal("500.00")})
    complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
    run_waiting_jobs()
    assert fresh(w, case).outcome == "granted"
    with Actor.system(w.ministry.id).acting():
        assert Decision.objects.get(case=case).amount == Decimal("500.00")


def test_corrected_twice(w: World) -> None:
    case = asked(w)
    correct(w, case, betrag="800.00")
    ask(w, case)
    correct(w, case, betrag="700.00")
    assert [found.answers["betrag"] for found in versions(w, case)] == ["900.00", "800.00", "700.00"]
    assert fresh(w, case).application.number == 3


def test_rules_are_checked_again_and_the_earlier_findings_stay(w: World) -> None:
    case = asked(w, betrag="90.00")
    assert findings(w, case)["mindestbetrag"].result == "failed"
    correct(w, case, betrag="800.00")
    current = findings(w, case, is_current=True)
    assert current["mindestbetrag"].result == "met"
    assert {found.round for found in current.values()} == {2}
    earlier = findings(w, case, is_current=False)
    assert (earlier["mindestbetrag"].result, earlier["mindestbetrag"].round) == ("failed", 1)
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    complete_task(  # the rule that failed once no longer stands in the way
        by=w.clerk, task=w.task(case).id, answers={**PROPOSAL, "betrag": Decimal("800.00")}
    )


def test_an_exception_goes_on_for_the_same_value_and_for_no_other(w: World) -> None:
    case = asked(w, betrag="90.00")
    old = findings(w, case)["mindestbetrag"]
    allow_exception(by=w.approver, finding=old.id, reason="Ein kleines, gutes Vorhaben.")
    correct(w, case, titel="Anders", ausgaben="900.00")
    kept = findings(w, case, is_current=True)["mindestbetrag"]
    assert kept.excepted_reason == "Ein kleines, gutes Vorhaben."
    assert kept.excepted_by_id == w.approver.account
    ask(w, case)
    correct(w, case, betrag="80.00")
    again = findings(w, case, is_current=True)["mindestbetrag"]
    assert (again.result, again.excepted_at) == ("failed", None)
    with pytest.raises(Refused, match="neu geprüft"):
        allow_exception(by=w.approver, finding=old.id, reason="Ein kleines, gutes Vorhaben.")


def test_an_answer_without_correction_writes_no_new_round(w: World) -> None:
    case = asked(w)
    before = findings(w, case)
    answer_request(by=w.lahnau_officer, case=case, body="Es stimmt doch.")
    assert {found.id for found in findings(w, case).values()} == {found.id for found in before.values()}
    assert len(versions(w, case)) == 1


# --- who, and when ---


def test_only_when_asked_and_allowed(w: World) -> None:
    case = w.submit()
    with pytest.raises(Refused, match="Dazu müssen wir"):
        begin_correction(by=w.lahnau_officer, case=case)
    ask(w, case, may_correct=False)
    with pytest.raises(Refused, match="Dazu müssen wir"):
        begin_correction(by=w.lahnau_officer, case=case)
    answer_request(by=w.lahnau_officer, case=case, body="So?")
    ask(w, case)
    assert begin_correction(by=w.lahnau_officer, case=case).answers["betrag"] == "900.00"


def test_nobody_else(w: World) -> None:
    case = asked(w)
    draft = begin_correction(by=w.lahnau_officer, case=case)
    for stranger in (w.waldsolms_officer, w.clerk, Actor.system(w.ministry.id), Actor()):
        with pytest.raises(NotAllowed):
            begin_correction(by=stranger, case=case)
        with pytest.raises(Draft.DoesNotExist):
            submit_draft(by=stranger, draft=draft.id)


def test_leaving_and_coming_back_is_one_draft(w: World) -> None:
    case = asked(w)
    first = begin_correction(by=w.lahnau_officer, case=case)
    save_draft(by=w.lahnau_officer, draft=first, answers={**first.answers, "betrag": "1.00"})
    again = begin_correction(by=w.lahnau_officer, case=case)
    assert (again.id, again.answers["betrag"]) == (first.id, "1.00")


def test_wrong_or_unchanged_answers_store_nothing(w: World) -> None:
    case = asked(w)
    with pytest.raises(InvalidAnswers):
        correct(w, case, betrag="")
    with pytest.raises(Refused, match="noch nichts geändert"):
        correct(w, case, betrag="900.00")
    assert len(versions(w, case)) == 1
    assert fresh(w, case).state == "ACTION_REQUIRED"


def test_after_an_answer_the_draft_cannot_be_handed_in_and_is_not_lost(w: World) -> None:
    case = asked(w)
    draft = begin_correction(by=w.lahnau_officer, case=case)
    save_draft(by=w.lahnau_officer, draft=draft, answers={**draft.answers, "betrag": "1.00"})
    answer_request(by=w.lahnau_officer, case=case, body="Es stimmt doch.")
    with pytest.raises(Refused, match="Dazu müssen wir"):
        submit_draft(by=w.lahnau_officer, draft=draft.id)
    with w.lahnau_officer.acting():
        assert Draft.objects.get(id=draft.id).answers["betrag"] == "1.00"
    assert len(versions(w, case)) == 1


def test_the_window_of_the_offer_may_be_closed_meanwhile(w: World) -> None:
    case = asked(w)
    with Actor.system(w.ministry.id).acting():
        w.offer.is_open = False
        w.offer.save()
    correct(w, case, betrag="800.00")
    assert fresh(w, case).amount == Decimal("800.00")


def test_files_are_filed_once_and_a_foreign_one_is_told(w: World) -> None:
    case = asked(w)
    draft = begin_correction(by=w.lahnau_officer, case=case)
    blob = attach_file(by=w.lahnau_officer, draft=draft, name="plan.pdf", content=PDF)
    file = {
        "name": "plan.pdf",
        "sha256": blob.sha256,
        "size": blob.size,
        "media_type": blob.media_type,
    }
    correct(w, case, anlage=file)
    ask(w, case)
    correct(w, case, betrag="800.00")  # refers to the same file once more
    with Actor.system(w.ministry.id).acting():
        assert Document.objects.filter(case_id=case.id, kind="attachment").count() == 1
    ask(w, case)
    with pytest.raises(Refused, match="liegt uns nicht vor"):
        correct(w, case, anlage={**file, "sha256": "0" * 64})


def test_withdrawing_ends_the_correction_too(w: World) -> None:
    case = asked(w)
    draft = begin_correction(by=w.lahnau_officer, case=case)
    withdraw_application(by=w.lahnau_officer, case=case)
    with pytest.raises(Draft.DoesNotExist):
        submit_draft(by=w.lahnau_officer, draft=draft.id)
    with pytest.raises(Refused):
        begin_correction(by=w.lahnau_officer, case=case)


def test_the_database_keeps_versions_as_they_are(w: World) -> None:
    case = asked(w)
    other = w.submit(titel="Fremd")
    correct(w, case, betrag="800.00")
    with w.clerk.acting():
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            Application.objects.filter(case=case).update(number=9)
        foreign = Application.objects.get(case=other)
    with pytest.raises(IntegrityError, match="case_application_of_case"), w.clerk.acting():
        move_to(case, foreign)


def move_to(case: Case, application: Application) -> None:
    Case.objects.filter(id=case.id).update(application=application)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_step_still_reads_its_case_in_one_statement(w: World) -> None:
    case = asked(w)
    correct(w, case, betrag="800.00")
    task = w.task(case).id
    with counted() as found:
        complete_task(by=w.clerk, task=task, answers={"vollstaendig": True})
    assert len([sql for sql in found if "FOR UPDATE OF p" in sql]) == 1


# --- at the same moment, on connections of their own ---


@pytest.fixture
def cw(committed_world: World) -> World:
    return rechecking(committed_world)


def handing_in(w: World, case: Case) -> Callable[[], Case]:
    draft = begin_correction(by=w.lahnau_officer, case=case)
    save_draft(by=w.lahnau_officer, draft=draft, answers={**draft.answers, "betrag": "800.00"})
    return lambda: submit_draft(by=w.lahnau_officer, draft=draft.id)


def test_handed_in_twice_at_once_is_one_version(cw: World) -> None:
    case = asked(cw)
    hand_in = handing_in(cw, case)
    assert [answer.id for answer in at_once(hand_in, hand_in)] == [case.id, case.id]
    assert [found.number for found in versions(cw, case)] == [1, 2]


def test_corrected_while_answered(cw: World) -> None:
    case = asked(cw)
    hand_in = handing_in(cw, case)
    rival = Rival(
        cw.lahnau_officer, lambda: answer_request(by=cw.lahnau_officer, case=case, body="Stimmt doch.")
    )
    assert isinstance(rival.beats(hand_in), Refused)
    assert len(versions(cw, case)) == 1


def test_corrected_while_withdrawn(cw: World) -> None:
    for _ in range(3):
        case = asked(cw)
        hand_in = handing_in(cw, case)
        answers = at_once(hand_in, lambda case=case: withdraw_application(by=cw.lahnau_officer, case=case))
        assert fresh(cw, case).outcome == "withdrawn"  # it may be withdrawn before or after
        assert not isinstance(answers[1], Exception), answers
        assert not isinstance(answers[0], Exception) or isinstance(answers[0], Refused | Draft.DoesNotExist)


def test_who_waited_for_the_correction_sees_the_new_version(cw: World) -> None:
    """A clerk who proposes at that moment does not propose on the old amount."""
    case = asked(cw)
    hand_in = handing_in(cw, case)
    seen: list[str] = []

    def look() -> None:
        with cw.clerk.acting():
            seen.append(lock(case.id, by=cw.clerk).case.application.answers["betrag"])

    told = Rival(cw.lahnau_officer, hand_in).beats(look)
    assert not isinstance(told, Exception | TaskTaken), repr(told)
    assert seen == ["800.00"]
