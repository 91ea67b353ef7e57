"""Answers of a bank that come before, beside or against what really happened."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.casework.conftest import World, money_on, world
from tests.integrations.bank.test_bank_actions import prepared, states

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions import payments
from rathaus.domains.grants.models import Payment
from rathaus.domains.grants.queries.books import check_invariants
from rathaus.integrations.bank.actions import release_run, take_return_file

__all__ = ["world"]


def csv(*rows: str) -> bytes:
    day = f"{clock.today():%d.%m.%Y}"
    lines = [row.replace("HEUTE", day) for row in rows]
    return "\r\n".join(["end_to_end;datum;betrag;status", *lines, ""]).encode()


@pytest.mark.parametrize("status", ["bezahlt", "zurückgegeben", "abgelehnt"])
def test_a_run_that_nobody_released_has_no_answer(world: World, status: str) -> None:
    w = world
    prepared(w, "10.00")
    with pytest.raises(Refused, match="nicht freigegeben"):
        take_return_file(by=w.clerk, name="a.csv", content=csv(f"MA-0;HEUTE;10,00;{status}"))
    assert states(w) == {"MA-0": "in_run"}


def test_what_was_never_sent_does_not_come_back_by_hand(world: World) -> None:
    w = world
    prepared(w, "10.00")
    with w.clerk.acting():
        payment = Payment.objects.get()
    with pytest.raises(Refused, match="nicht freigegeben"):
        payments.mark_returned(by=w.clerk, payment=payment.id, on=clock.today(), reason="Konto erloschen")
    assert states(w) == {"MA-0": "in_run"}


def test_paid_and_returned_in_one_file_in_whatever_order(world: World) -> None:
    w = world
    run = prepared(w, "10.00")
    release_run(by=w.approver, run=run.id)
    content = csv("MA-0;HEUTE;10,00;zurückgegeben", "MA-0;HEUTE;10,00;bezahlt")
    take_return_file(by=w.clerk, name="a.csv", content=content)
    assert states(w) == {"MA-0": "returned"}
    with w.clerk.acting():
        assert (money_on("ordered"), money_on("paid")) == (Decimal("10.00"), 0)
    assert check_invariants(w.clerk).faults == ()


def test_who_gets_the_money_does_not_say_that_it_came(world: World) -> None:
    """A town that hands out grants itself reads a file that names the reference of a payment to it."""
    w = world
    run = prepared(w, "10.00")
    release_run(by=w.approver, run=run.id)
    treasurer = Actor(
        account=w.lahnau_officer.account,
        authority=w.lahnau.id,
        roles=frozenset({"Sachbearbeitung"}),
        parties=w.lahnau_officer.parties,
    )
    with pytest.raises(Refused, match="gibt es nicht"):
        take_return_file(by=treasurer, name="a.csv", content=csv("MA-0;HEUTE;10,00;bezahlt"))
    assert states(w) == {"MA-0": "in_run"}
