"""A change while the grant runs: other costs, other years, a longer period, decided like an application."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import (
    change_award,
    check_plan,
    current_award,
    decision_of,
    grant_of,
    years_of,
)
from rathaus.domains.grants.actions.journal import NOTHING
from rathaus.domains.grants.actions.proof import accepted_final
from rathaus.domains.grants.enums import AwardKind, GrantState
from rathaus.domains.grants.models import Grant
from rathaus.law.financing import Financing
from rathaus.law.money import format_amount
from rathaus.law.text import format_date


@operation("grants.change.check")
def check_change(
    step: Run, *, ende: date | None = None, ausgaben: Decimal | None = None, betrag: Decimal | None = None
) -> dict[str, Any]:
    """Operation: whether a change can be asked for at all. Refused with the reason. `betrag` is the grant as it should
    become, all years together."""
    grant = grant_of(step.case)
    _check_changeable(grant)
    award = current_award(grant)
    if ende and award.begins_on and ende <= award.begins_on:
        raise Refused(f"Das neue Ende liegt nicht nach dem Beginn am {format_date(award.begins_on)}.")
    wanted, cost = award.amount if betrag is None else betrag, award.cost if ausgaben is None else ausgaben
    if cost < wanted:
        raise Refused(
            f"Ihre Ausgaben von {format_amount(cost)} wären kleiner als die Zuwendung von {format_amount(wanted)}. "
            "Senken Sie dann auch die Jahresbeträge."
        )
    return {"fassung": award.number}


def _check_changeable(grant: Grant) -> None:
    if grant.state == GrantState.CLOSED:
        raise Refused("Diese Förderung ist abgeschlossen und lässt sich nicht mehr ändern.")
    if accepted_final(grant):
        raise Refused(
            "Der Verwendungsnachweis zu dieser Förderung ist geprüft. Danach lässt sie sich nicht mehr ändern."
        )


@operation("grants.change.apply")
def apply_change(
    step: Run,
    *,
    ende: date | None = None,
    ausgaben: Decimal | None = None,
    dritte: Decimal | None = None,
    plan: list | None = None,
    partner: list | None = None,
) -> dict[str, Any]:
    """Operation, after the release: a new version of the award, with the amount and years that were decided.

    Where the decision names no amount the award keeps its own and its years.
    """
    grant = grant_of(step.case, lock=True)
    _check_changeable(grant)  # it may have ended since it was asked for
    award, decision = current_award(grant), decision_of(step)
    by_year = years_of(decision) or {row.year: row.amount for row in award.years.all()}
    amount = sum(by_year.values(), NOTHING)
    if decision.amount is not None and decision.amount != amount:
        raise Refused(
            f"Die Jahresbeträge ergeben {format_amount(amount)}, bewilligt werden sollen {format_amount(decision.amount)}."
        )
    terms: dict[str, Any] = {}
    if ende:
        terms["ends_on"] = ende
    if ausgaben is not None:
        terms["cost"] = ausgaben
    if dritte is not None:
        terms["third_party"] = dritte
    if plan:
        terms["plan"] = [{name: str(value) for name, value in dict(row).items()} for row in plan]
    cost, third_party = terms.get("cost", award.cost), terms.get("third_party", award.third_party)
    if (cost, amount, third_party) != (award.cost, award.amount, award.third_party):
        check_plan(Financing(award.financing), cost, amount, third_party)
    if partner is not None:
        grant.partners = list(partner)
        grant.save(update_fields=["partners"])
    version = change_award(
        by=step.by,
        grant=grant,
        case=step.case,
        kind=AwardKind.CHANGE,
        by_year=by_year,
        key=f"change:{step.case.id}",
        **terms,
    )
    step.record(events.CHANGED, amount=format_amount(amount), number=version.number)
    return {"fassung": version.number}
