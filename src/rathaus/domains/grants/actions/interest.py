"""Interest on money that comes back (VwVfG § 49a (3) and (4)): base rates, computation, booking."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.journal import Shift, post
from rathaus.domains.grants.enums import Account, LineKind, MovementKind
from rathaus.domains.grants.models import BaseRate, BudgetLine, Grant, Programme
from rathaus.domains.grants.permissions import APPROVE
from rathaus.domains.grants.terms import terms_of
from rathaus.law import interest as law
from rathaus.law.money import format_number
from rathaus.law.text import format_date, format_day

PART = "zinsen"  # marks the rows of a claim's computation that interest adds


def interest_on(grant: Grant, amount: Decimal, start: date, end: date) -> law.Interest:
    """Interest on `amount` euros from `start` to the day before `end`, by the terms of the grant.

    Refused where a base rate of the time is not known yet, with what must be entered.
    """
    try:
        return law.interest(amount, start, end, rates=base_rates(), convention=terms_of(grant.case).day_count)
    except law.MissingRate as wrong:
        raise Refused(wrong.reason) from wrong


def rows_of(result: law.Interest) -> list[dict[str, Any]]:
    """The computation (Rechenweg) as JSON rows, as those of a proof."""
    rows = [
        {
            "label": f"Zinsen {format_date(part.start)} bis {format_date(part.last_day)}",
            "formula": part.formula,
            "amount": str(part.rounded),
            "note": f"{format_number(part.rate)} %",
            "source": part.base.source,
            "part": PART,
        }
        for part in result.segments
    ]
    total = {
        "label": "Zinsen zusammen",
        "formula": "Summe der genauen Beträge, einmal gerundet",
        "amount": str(result.total),
        "note": "",
        "source": "§ 49a VwVfG",
        "part": PART,
    }
    return [*rows, total]


def post_interest(by: Actor, grant: Grant, amount: Decimal, key: str) -> None:
    """Book interest as owed, on the last cash line of the measure on which the grant has anything."""
    lines = BudgetLine.objects.filter(balances__grant=grant).order_by("-year")
    line = lines.filter(kind=LineKind.CASH).first() or lines.first()
    if line is None:
        raise Refused("Zu dieser Zuwendung gibt es keine Mittel.")
    post(
        by=by,
        authority=grant.authority_id,
        kind=MovementKind.CLAIMED,
        key=key,
        shifts=[Shift(line.id, Account.INTEREST, Account.INTEREST_DUE, amount)],
        grant=grant.id,
        text=f"{grant.reference}, Zinsen",
    )


def base_rates() -> list[law.BaseRate]:
    """The law's table and what was entered since, by day."""
    entered = {
        row.valid_from: law.BaseRate(row.valid_from, row.rate, row.source, is_checked=True)
        for row in BaseRate.objects.order_by("id")  # a correction comes after what it corrects
    }
    known = {rate.valid_from: rate for rate in law.BASE_RATES}
    return [rate for _, rate in sorted({**known, **entered}.items())]


def may_enter_rates(by: Actor) -> bool:
    """A rate holds for every authority, so it is entered where money is granted, by who approves."""
    return bool(APPROVE & by.roles) and Programme.objects.filter(authority_id=by.staff_of).exists()


def enter_base_rate(*, by: Actor, valid_from: date, rate: Decimal, source: str) -> BaseRate:
    """Enter a base rate that the Bundesbank made known. It changes on 1 January and 1 July only (BGB § 247).

    One of the law's table that nobody has compared with its source yet is confirmed, or put right, the same way; one that
    was entered wrongly is corrected by another person. What was computed with it before stays as it is. NotAllowed, Refused.
    """
    if not may_enter_rates(by):
        raise NotAllowed(
            "Basiszinssätze trägt die Rolle „Freigabe“ oder „Leitung“ einer Behörde ein, die Förderprogramme hat."
        )
    if (valid_from.month, valid_from.day) not in ((1, 1), (7, 1)):
        raise Refused("Der Basiszinssatz ändert sich nur zum 1. Januar und zum 1. Juli.")
    if not rate.is_finite() or abs(rate) >= 100 or rate != round(rate, 2):
        raise Refused("Der Basiszinssatz ist eine Zahl mit höchstens zwei Stellen nach dem Komma.")
    if valid_from > clock.today() + timedelta(days=31):
        raise Refused("Dieser Zinssatz kann noch nicht bekannt sein. Die Bundesbank nennt ihn kurz vorher.")
    if not source.strip():
        raise Refused("Nennen Sie die Bekanntmachung, in der der Zinssatz steht.")
    with by.acting():
        wrong = _to_correct(by, valid_from, rate)
        try:
            with transaction.atomic():
                entered = BaseRate.objects.create(
                    valid_from=valid_from,
                    rate=rate,
                    source=source.strip()[:200],
                    entered_by=by.account,
                    corrects=wrong,
                )
        except IntegrityError as faster:
            raise Refused(_known(valid_from)) from faster
        record(
            events.RATE_CORRECTED if wrong else events.RATE_ENTERED,
            by=by,
            authority=by.staff_of,
            on=format_day(valid_from),
            rate=format_number(rate),
        )
        return entered


def _to_correct(by: Actor, day: date, rate: Decimal) -> BaseRate | None:
    """What was entered for a day, if a person may correct it with this rate; None where nothing was. Raises Refused."""
    entered = BaseRate.objects.filter(valid_from=day).order_by("-id").first()
    if entered is None and any(known.valid_from == day and known.is_checked for known in law.BASE_RATES):
        raise Refused(_known(day))
    if entered and entered.rate == rate:
        raise Refused(_known(day))
    if entered and entered.entered_by == by.account:
        raise Refused(
            f"Für den {format_date(day)} haben Sie {format_number(entered.rate)} % eingetragen. Ist das falsch, trägt eine "
            "andere Person den richtigen Satz ein."
        )
    return entered


def _known(day: date) -> str:
    return f"Für den {format_date(day)} ist schon ein Zinssatz eingetragen."
