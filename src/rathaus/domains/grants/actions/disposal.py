"""Things bought with a grant that are given away before their earmarking (Zweckbindung) ends."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.casework.cases.enums import DecisionState
from rathaus.casework.cases.models import Decision
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import balances_of, current_award, grant_of
from rathaus.domains.grants.actions.journal import NOTHING
from rathaus.domains.grants.enums import Account, ProofKind, ProofState
from rathaus.domains.grants.models import Grant, Item, Proof
from rathaus.law.financing import pro_rata_repayment
from rathaus.law.money import format_amount, to_cents
from rathaus.law.text import format_date, format_day


@operation("grants.item.examine")
def examine_disposal(step: Run, *, gegenstand: str, am: date) -> dict[str, Any]:
    """Operation: what giving something away would cost. `gegenstand` is its name in the inventory (or its number).

    Answers `betrag`, the part of the grant in its price for the full months that were left, and `betrag_text`; not more
    than what is still paid out. Refused for what is not in the inventory, or free already.
    """
    grant = grant_of(step.case)
    amount = _share(grant, _item(grant, gegenstand, am), am)
    return {"betrag": amount, "betrag_text": format_amount(amount)}


@operation("grants.item.dispose")
def dispose(step: Run, *, gegenstand: str, am: date, verbleib: str) -> dict[str, Any]:
    """Operation, after the decision: the thing leaves the inventory. Answers `betrag` as `grants.item.examine` does."""
    grant = grant_of(step.case, lock=True)
    item = _item(grant, gegenstand, am, lock=True)
    amount = _share(grant, item, am)
    item.disposed_on, item.disposal = am, verbleib.strip()[:200] or "veräußert"
    item.save(update_fields=["disposed_on", "disposal"])
    step.record(events.DISPOSED, name=item.name, on=format_day(am))
    return {"betrag": amount}


def _item(grant: Grant, name: str, on: date, *, lock: bool = False) -> Item:
    items = Item.objects.filter(grant=grant, disposed_on=None).order_by("id")
    if lock:
        items = items.select_for_update()
    wanted = name.strip().casefold()
    item = next((found for found in items if wanted in (str(found.id), found.name.casefold())), None)
    if item is None:
        raise Refused(f"Im Inventar dieser Förderung steht kein „{name.strip()}“.")
    if on > clock.today() or on < item.bought_on:
        raise Refused(f"Der Tag liegt zwischen der Anschaffung am {format_date(item.bought_on)} und heute.")
    if on > item.earmarked_until:
        raise Refused(
            f"„{item.name}“ war bis zum {format_date(item.earmarked_until)} gebunden. Sie müssen nichts melden."
        )
    return item


def _share(grant: Grant, item: Item, on: date) -> Decimal:
    """The part of the grant in the price of an item, for the time that was left."""
    granted, cost = _funded(grant)
    share = to_cents(item.price * granted / cost) if cost else NOTHING
    balances = balances_of(grant)
    still = balances[Account.PAID] + balances[Account.PROVEN]
    return min(pro_rata_repayment(share, item.bought_on, item.earmarked_until, on).to_repay, still)


def _funded(grant: Grant) -> tuple[Decimal, Decimal]:
    """What of the expenditure the grant paid: by the accepted final proof, before that by the award. Euros."""
    proof = Proof.objects.filter(grant=grant, kind=ProofKind.FINAL, state=ProofState.ACCEPTED).first()
    if proof is None:
        award = current_award(grant)
        return award.amount, award.cost
    decision = Decision.objects.filter(case_id=proof.case_id, state=DecisionState.DECIDED).first()
    accepted = min(decision.amount, proof.spent) if decision and decision.amount else proof.spent
    return min(proof.due, accepted), accepted
