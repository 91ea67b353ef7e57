"""Payment runs to the bank of the preview and back, through actions, on real connections where it matters."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.casework.conftest import World, committed_world, money_on, world
from tests.casework.test_races import at_once
from tests.domains.test_journal import begin_grant, line_of, post_one

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.files.actions import read
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants.actions import payments
from rathaus.domains.grants.enums import Account, PaymentState, RunState
from rathaus.domains.grants.models import (
    Drawdown,
    Measure,
    Payment,
    PaymentRun,
    Programme,
    ReturnFile,
)
from rathaus.domains.grants.queries.books import check_invariants
from rathaus.integrations.bank import demo_bank
from rathaus.integrations.bank.actions import cash_csv, release_run, take_return_file
from rathaus.integrations.bank.credit_transfer import schema_problems

__all__ = ["committed_world", "world"]

OURS, THEIRS = "DE02120300000000202051", "DE02500105170137075030"


def programme_of(w: World) -> Programme:
    found = Measure.objects.get(calls__offer=w.offer).programme
    found.payer_name, found.payer_iban = "Land Hessen", OURS
    found.save()
    return found


def order(w: World, number: int, amount: str = "10.00") -> Payment:
    """A payment that is ordered, as a released drawdown leaves it. In the ministry's context."""
    euro = Decimal(amount)
    grant = begin_grant(w, euro)
    drawdown = Drawdown.objects.create(
        authority=w.ministry, grant=grant, party_id=grant.party_id, case=grant.case, number=1, year=2025,
        amount=euro, iban=THEIRS, holder="Gemeinde Lahnau", state="ordered",
    )  # fmt: skip
    post_one(w, grant, Account.OPEN, Account.ORDERED, euro)
    return Payment.objects.create(
        authority=w.ministry, grant=grant, party_id=grant.party_id, drawdown=drawdown, end_to_end=f"MA-{number}",
        line=line_of(w), amount=euro, iban=THEIRS, holder="Gemeinde Lahnau",
    )  # fmt: skip


def prepared(w: World, *amounts: str) -> PaymentRun:
    with Actor.system(w.ministry.id).acting():
        programme = programme_of(w)
        for number, amount in enumerate(amounts):
            order(w, number, amount)
    return payments.prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())


def file_of(w: World, run: PaymentRun) -> bytes:
    with w.clerk.acting():
        return read(PaymentRun.objects.get(id=run.id).blob)


def states(w: World) -> dict[str, str]:
    with w.clerk.acting():
        return dict(Payment.objects.order_by("end_to_end").values_list("end_to_end", "state"))


def test_a_run_goes_out_and_comes_back_paid(world: World) -> None:
    w = world
    run = prepared(w, "10.00", "20.50")
    assert (run.count, run.total, run.number) == (2, Decimal("30.50"), 1)
    with pytest.raises(NotAllowed, match="Vier-Augen"):
        release_run(
            by=Actor(account=w.clerk.account, authority=w.ministry.id, roles=frozenset({"Freigabe"})),
            run=run.id,
        )
    with pytest.raises(NotAllowed):
        release_run(by=w.clerk, run=run.id)
    release_run(by=w.approver, run=run.id)
    order_file = file_of(w, run)
    assert schema_problems(order_file) == []
    assert b"30.50" in order_file
    (answer,) = demo_bank.answer(order_file, at=clock.now())
    taken = take_return_file(by=w.clerk, name="camt.xml", content=answer)
    assert (taken.paid, taken.returned, taken.skipped) == (2, 0, 0)
    with w.clerk.acting():
        assert PaymentRun.objects.get().state == RunState.DONE
        assert money_on("paid") == Decimal("30.50")
        assert money_on("ordered") == 0
    with pytest.raises(Refused, match="schon eingelesen"):
        take_return_file(by=w.clerk, name="noch-einmal.xml", content=answer)
    with w.clerk.acting():
        assert money_on("paid") == Decimal("30.50")
        assert ReturnFile.objects.count() == 1
    assert check_invariants(w.clerk).faults == ()


def test_a_run_whose_day_went_by_is_executed_on_the_day_of_its_release(world: World) -> None:
    w = world
    run = prepared(w, "10.00")
    later = clock.now() + timedelta(days=3)
    with clock.living_at(later):
        release_run(by=w.approver, run=run.id)
        today = clock.today()
    assert f"<Dt>{today.isoformat()}</Dt>".encode() in file_of(w, run).replace(b" ", b"")
    with w.clerk.acting():
        assert PaymentRun.objects.get(id=run.id).executes_on == today


def test_what_bounces_is_ordered_anew_and_paid_once(world: World) -> None:
    w = world
    run = prepared(w, "10.00", "20.00", "30.00")
    release_run(by=w.approver, run=run.id)
    answers = demo_bank.answer(
        file_of(w, run), at=clock.now(), rejected={"MA-0": "AC01"}, returned={"MA-1": "AC04"}
    )
    for number, answer in enumerate(answers):
        take_return_file(by=w.clerk, name=f"{number}.xml", content=answer)
    assert states(w) == {"MA-0": "returned", "MA-1": "returned", "MA-2": "paid"}
    with w.clerk.acting():
        assert (money_on("ordered"), money_on("paid")) == (Decimal("30.00"), Decimal("30.00"))
        bounced = Payment.objects.get(end_to_end="MA-1")
    with pytest.raises(Refused, match="keine gültige IBAN"):
        payments.order_again(by=w.approver, payment=bounced.id, iban="DE00", holder="Lahnau")
    again = payments.order_again(by=w.approver, payment=bounced.id, iban=OURS, holder="Lahnau")
    with pytest.raises(Refused, match="schon neu angeordnet"):
        payments.order_again(by=w.approver, payment=bounced.id, iban=OURS, holder="Lahnau")
    with w.clerk.acting():
        programme = Programme.objects.get()
    second = payments.prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())
    release_run(by=w.approver, run=second.id)
    payments.mark_paid(by=w.clerk, payment=again.id, on=clock.today())
    with pytest.raises(Refused, match="ausgezahlt"):
        payments.mark_paid(by=w.clerk, payment=again.id, on=clock.today())
    with w.clerk.acting():
        assert money_on("paid") == Decimal("50.00")
    assert check_invariants(w.clerk).faults == ()


def test_a_file_that_does_not_fit_books_nothing(world: World) -> None:
    w = world
    run = prepared(w, "10.00", "20.00")
    release_run(by=w.approver, run=run.id)
    day = f"{clock.today():%d.%m.%Y}"
    wrong = (
        f"end_to_end;datum;betrag;status\r\nMA-0;{day};10,00;bezahlt\r\nMA-1;{day};20,01;bezahlt\r\n"
        f"FREMD;{day};1,00;bezahlt\r\n"
    )
    with pytest.raises(Refused) as refused:
        take_return_file(by=w.clerk, name="antwort.csv", content=wrong.encode())
    assert "20,01" in str(refused.value)
    assert "FREMD" in str(refused.value)
    assert states(w) == {"MA-0": "in_run", "MA-1": "in_run"}
    with w.clerk.acting():
        assert not ReturnFile.objects.exists()


def test_a_statement_of_another_account_is_refused(world: World) -> None:
    w = world
    run = prepared(w, "10.00")
    release_run(by=w.approver, run=run.id)
    (answer,) = demo_bank.answer(file_of(w, run), at=clock.now())
    with w.clerk.acting():
        Programme.objects.update(payer_iban=THEIRS)
    with pytest.raises(Refused, match="gehört zum Konto"):
        take_return_file(by=w.clerk, name="camt.xml", content=answer)


def test_a_statement_tells_again_what_is_booked(world: World) -> None:
    w = world
    run = prepared(w, "10.00")
    release_run(by=w.approver, run=run.id)
    order_file = file_of(w, run)
    (answer,) = demo_bank.answer(order_file, at=clock.now())
    take_return_file(by=w.clerk, name="camt.xml", content=answer)
    later = answer.replace(b"<MsgId>", b"<MsgId>B", 1)  # another message of the bank with the same booking
    taken = take_return_file(by=w.clerk, name="auszug.xml", content=later)
    assert (taken.paid, taken.skipped) == (0, 1)
    with w.clerk.acting():
        assert money_on("paid") == Decimal("10.00")


def test_runs_are_taken_apart_only_before_the_release(world: World) -> None:
    w = world
    run = prepared(w, "10.00")
    payments.dissolve_run(by=w.clerk, run=run.id)
    assert states(w) == {"MA-0": PaymentState.ORDERED}
    with pytest.raises(Refused, match="keine Freigabe"):
        release_run(by=w.approver, run=run.id)
    with w.clerk.acting():
        programme = Programme.objects.get()
    second = payments.prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())
    release_run(by=w.approver, run=second.id)
    with pytest.raises(Refused, match="schon freigegeben"):
        payments.dissolve_run(by=w.clerk, run=second.id)
    with w.clerk.acting():
        rows = list(Payment.objects.select_related("grant"))
        assert b"MA-0" in cash_csv(PaymentRun.objects.select_related("programme").get(id=second.id), rows)


@pytest.mark.parametrize("who", ["lahnau_officer", "stranger"])
def test_others_pay_nothing(world: World, who: str) -> None:
    w = world
    run = prepared(w, "10.00")
    stranger = Actor(
        account=w.approver.account, authority=w.lahnau.id, roles=frozenset({"Freigabe", "Leitung"})
    )
    by = stranger if who == "stranger" else w.lahnau_officer
    with pytest.raises((NotAllowed, PaymentRun.DoesNotExist)):
        release_run(by=by, run=run.id)
    with pytest.raises((NotAllowed, PaymentRun.DoesNotExist)):
        payments.dissolve_run(by=by, run=run.id)


def test_the_same_answer_from_two_sides_is_booked_once(committed_world: World) -> None:
    w = committed_world
    run = prepared(w, "10.00", "20.00")
    release_run(by=w.approver, run=run.id)
    (answer,) = demo_bank.answer(file_of(w, run), at=clock.now())
    results = at_once(
        *(lambda: take_return_file(by=w.clerk, name="camt.xml", content=answer) for _ in range(4))
    )
    assert sum(isinstance(result, ReturnFile) for result in results) == 1, results
    assert all(isinstance(result, ReturnFile | Refused) for result in results), results
    with w.clerk.acting():
        assert money_on("paid") == Decimal("30.00")
    assert check_invariants(w.clerk).faults == ()


def test_two_runs_at_once_share_no_payment(committed_world: World) -> None:
    w = committed_world
    with Actor.system(w.ministry.id).acting():
        programme = programme_of(w)
        for number in range(6):
            order(w, number)
    results = at_once(
        *(
            lambda: payments.prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())
            for _ in range(3)
        )
    )
    runs = [result for result in results if isinstance(result, PaymentRun)]
    assert sum(run.count for run in runs) == 6, results
    assert all(isinstance(result, PaymentRun | Refused) for result in results), results
    assert len({run.number for run in runs}) == len(runs)
