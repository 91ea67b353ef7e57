"""Dunning: who owes a proof of use is reminded in the grant's case, one by one or all at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from rathaus.casework.bulk.kinds import bulk_kind
from rathaus.casework.cases.actions.messages import send_message
from rathaus.casework.cases.models import Message
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import events
from rathaus.domains.grants.enums import GrantState, ProofKind, ProofState
from rathaus.domains.grants.models import Grant, Proof, Reminder
from rathaus.domains.grants.permissions import WORK, check_role
from rathaus.law.text import format_date

DUNNING = "grants.dunning"
DUTY = "Mahnung Verwendungsnachweis"
PAUSE = timedelta(days=14)  # nobody is dunned twice within it
PLACES = ("{kommune}", "{vorhaben}", "{nummer}", "{frist}")
DRAFT = (
    "Guten Tag,\n\nder Verwendungsnachweis für „{vorhaben}“ ({nummer}) war bis zum {frist} fällig und liegt uns nicht vor. "
    "Bitte reichen Sie ihn innerhalb von vier Wochen hier ein. Solange er fehlt, können wir nichts auszahlen; ohne Nachweis "
    "müssen wir den Bescheid ganz oder teilweise widerrufen.\n\nWenn Sie Fragen haben, schreiben Sie uns hier."
)


def dun(*, by: Actor, grant: UUID, text: str) -> Message:
    """Send the grant's case a reminder of an overdue proof of use. `text` may use the places in PLACES.

    Refused where nothing is overdue, or within two weeks of the last one.
    """
    with by.acting():
        found = Grant.objects.select_for_update(of=("self",)).select_related("case").get(id=grant)
        check_role(by, found.authority_id, WORK)
        due, today = found.proof_due_on, clock.today()
        if found.state == GrantState.CLOSED or due is None or due >= today:
            raise Refused("Hier ist kein Verwendungsnachweis überfällig.")
        if Proof.objects.filter(
            grant=found, kind=ProofKind.FINAL, state__in=[ProofState.SUBMITTED, ProofState.ACCEPTED]
        ).exists():
            raise Refused("Der Verwendungsnachweis liegt inzwischen vor.")
        last = Reminder.objects.filter(grant=found, duty=DUTY).order_by("-sent_at").first()
        if last and clock.now() - last.sent_at < PAUSE:
            raise Refused(
                f"Zuletzt gemahnt am {format_date(last.sent_at.date())}. Warten Sie zwei Wochen ab."
            )
        Reminder.objects.create(
            authority_id=found.authority_id,
            grant=found,
            duty=DUTY,
            due_on=due,
            days_before=(due - today).days,
            sent_at=clock.now(),
        )
        record(
            events.REMINDED,
            by=by,
            authority=found.authority_id,
            case=found.case_id,
            duty=DUTY,
            due=format_date(due),
        )
        return send_message(by=by, case=found.case, body=filled_in(text, found))


def filled_in(text: str, grant: Grant) -> str:
    """The text for one grant."""
    values = (
        grant.recipient_name,
        grant.title,
        grant.reference,
        format_date(grant.proof_due_on) if grant.proof_due_on else "",
    )
    for place, value in zip(PLACES, values, strict=True):
        text = text.replace(place, value)
    return text


@bulk_kind(DUNNING)
def dun_in_bulk(*, by: Actor, target: UUID, options: Mapping[str, Any]) -> Message:
    """One of a round of reminders."""
    return dun(by=by, grant=target, text=str(options["text"]))
