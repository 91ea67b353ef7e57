"""What nobody may decide, neither a person nor the machine; and exceptions that say who, when and why."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.casework.conftest import World

from rathaus.casework.cases.actions.decisions import allow_exception, decide_automatically
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Decision, Finding, Task
from rathaus.casework.cases.steps import lock
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.models import Event
from rathaus.core.identity.actors import Actor

WRONG = [
    ("vielleicht", Decimal("900.00"), "entscheiden möchten"),
    ("granted", None, "Nennen Sie den Betrag"),
    ("granted", Decimal(0), "Nennen Sie den Betrag"),
    ("granted", Decimal("-1"), "Euro und Cent"),
    ("granted", Decimal("899.999"), "Euro und Cent"),
    ("granted", Decimal("900.01"), "Mehr kann nicht"),
    ("granted", Decimal("899.99"), "Teilweise bewilligen"),
]


@pytest.mark.parametrize(("outcome", "amount", "reason"), WRONG)
def test_what_a_person_cannot_propose_the_machine_cannot_decide(
    world: World, outcome: str, amount: Decimal | None, reason: str
) -> None:
    case = world.submit()
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": outcome, "betrag": amount, "begruendung": "Gut."}
    with pytest.raises(Refused, match=reason):
        complete_task(by=world.clerk, task=world.task(case).id, answers=proposal)
    system = Actor.system(world.ministry.id)
    with pytest.raises(ValueError, match=reason), system.acting():
        decide_automatically(lock(case.id, by=system), ergebnis=outcome, begruendung="Gut.", betrag=amount)
    with world.clerk.acting():
        assert not Decision.objects.exists()


def test_the_machine_waits_for_an_exception_too(world: World) -> None:
    case = world.submit(betrag="50.00", ausgaben="60.00")
    system = Actor.system(world.ministry.id)
    with (
        pytest.raises(ValueError, match="Die Regel „Mindestbetrag nicht erreicht“ steht entgegen"),
        system.acting(),
    ):
        decide_automatically(
            lock(case.id, by=system), ergebnis="granted", begruendung="Gut.", betrag=Decimal("50.00")
        )


def test_an_exception_is_in_the_history_with_its_reason(world: World) -> None:
    case = world.submit(betrag="50.00", ausgaben="60.00")
    with world.clerk.acting():
        finding = Finding.objects.get(case=case, result="failed")
    reason = "Der Zweck wird mit weniger Geld erreicht."
    allow_exception(by=world.approver, finding=finding.id, reason=f"  {reason} ")
    with world.clerk.acting():
        event = Event.objects.get(name="cases.finding.excepted")
    assert event.data == {"title": finding.title, "rule": "mindestbetrag", "reason": reason}
    assert (event.account_id, event.function) == (world.approver.account, "Referatsleitung D3")


def test_a_closed_case_needs_no_exception(world: World) -> None:
    case = world.submit(betrag="50.00", ausgaben="60.00")
    with world.clerk.acting():
        finding = Finding.objects.get(case=case, result="failed")
        Task.objects.filter(case=case).update(state="cancelled")
        Case.objects.filter(id=case.id).update(state="COMPLETED", closed_at=case.opened_at)
    with pytest.raises(Refused, match="abgeschlossen"):
        allow_exception(by=world.approver, finding=finding.id, reason="Weil es sinnvoll ist.")
