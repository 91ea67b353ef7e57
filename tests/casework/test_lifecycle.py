"""From application to notice, through actions only."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core import mail
from tests.casework.conftest import World, money_on

from rathaus.casework.cases.actions.decisions import allow_exception
from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Decision, Finding, Notice, Task
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.models import Event
from rathaus.core.identity.actors import NotAllowed


def test_from_application_to_notice(world: World, run_jobs: Callable[[], int]) -> None:
    case = world.submit()
    assert case.reference.startswith("PRB-")
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    complete_task(
        by=world.clerk,
        task=world.task(case).id,
        answers={"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Alles erfüllt."},
    )
    with world.lahnau_officer.acting():
        assert not Decision.objects.exists()  # a proposal is internal
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
    run_jobs()
    with world.lahnau_officer.acting():
        case = Case.objects.get(id=case.id)
        assert (case.state, case.outcome) == (CaseState.COMPLETED, "granted")
        notice = Notice.objects.get(case=case)
        assert notice.remedy == "action"
        assert (notice.deemed_on - notice.issued_on).days == 4
        assert Decision.objects.get().amount == Decimal("900.00")
        assert not Task.objects.exists()
        assert not Finding.objects.exists()
        assert not Event.objects.exists()
    with world.clerk.acting():
        assert money_on("open") == Decimal("900.00")
        assert Event.objects.filter(case_id=case.id).count() >= 7
    assert [sent.subject.partition(" (")[0] for sent in mail.outbox] == [
        "Ihr Antrag ist eingegangen",
        "Ihr Bescheid ist da",
    ]
    assert mail.outbox[0].to == [
        "gemeinde-lahnau@example.org"
    ]  # the party has none of its own; its officer does


def test_question_and_answer(world: World, run_jobs: Callable[[], int]) -> None:
    case = world.submit()
    complete_task(
        by=world.clerk, task=world.task(case).id, answers={"vollstaendig": False, "nachricht": "Was fehlt?"}
    )
    with world.lahnau_officer.acting():
        case = Case.objects.get(id=case.id)
    assert case.state == CaseState.ACTION_REQUIRED
    with pytest.raises(NotAllowed):
        answer_request(by=world.waldsolms_officer, case=case, body="Ich auch")
    answer_request(by=world.lahnau_officer, case=case, body="Hier", uploads=[("a.pdf", b"%PDF-1.7 x")])
    assert world.task(case).title == "Vollständigkeit prüfen"
    with pytest.raises(Refused):
        answer_request(by=world.lahnau_officer, case=case, body="Noch einmal")


def test_failed_rule_needs_an_exception(world: World) -> None:
    case = world.submit(betrag="50.00", ausgaben="60.00")
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": "granted", "betrag": Decimal("50.00"), "begruendung": "Klein, aber gut."}
    with pytest.raises(Refused, match="Mindestbetrag"):
        complete_task(by=world.clerk, task=world.task(case).id, answers=proposal)
    with world.clerk.acting():
        assert not Decision.objects.exists()
        finding = Finding.objects.get(result="failed")
    with pytest.raises(NotAllowed):
        allow_exception(by=world.clerk, finding=finding.id, reason="Weil es sinnvoll ist.")
    allow_exception(by=world.approver, finding=finding.id, reason="Der Zweck wird mit weniger Geld erreicht.")
    complete_task(by=world.clerk, task=world.task(case).id, answers=proposal)
    assert world.task(case).title == "Freigeben"


def test_own_proposal_is_not_released(world: World) -> None:
    case = world.submit()
    complete_task(by=world.approver, task=world.task(case).id, answers={"vollstaendig": True})
    complete_task(
        by=world.approver,
        task=world.task(case).id,
        answers={"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Gut."},
    )
    with pytest.raises(NotAllowed, match="Vier-Augen"):
        complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})


def test_sent_back_and_proposed_again(world: World) -> None:
    case = world.submit()
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Gut."}
    complete_task(by=world.clerk, task=world.task(case).id, answers=proposal)
    with pytest.raises(Refused):
        complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": False})
    complete_task(
        by=world.approver, task=world.task(case).id, answers={"freigegeben": False, "grund": "Zu viel."}
    )
    assert world.task(case).title == "Entscheidung vorschlagen"
    less = {**proposal, "betrag": Decimal("800.00")}
    with pytest.raises(Refused, match="Teilweise bewilligen"):
        complete_task(by=world.clerk, task=world.task(case).id, answers=less)
    with pytest.raises(Refused, match="Mehr kann nicht"):
        complete_task(by=world.clerk, task=world.task(case).id, answers={**less, "betrag": Decimal("900.01")})
    complete_task(by=world.clerk, task=world.task(case).id, answers={**less, "ergebnis": "partly"})
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
    with world.clerk.acting():
        assert sorted(Decision.objects.values_list("state", flat=True)) == ["decided", "returned"]
