"""What happens against a notice: objection or action, how it came out, and giving it up. Decides when a notice is final."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction

from rathaus.casework.cases import events
from rathaus.casework.cases.enums import RemedyForm, RemedyResult
from rathaus.casework.cases.models import Notice, Remedy
from rathaus.casework.cases.permissions import check_may_act
from rathaus.casework.cases.queries import why_no_waiver
from rathaus.casework.cases.rules import LONGEST_NOTE, written
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.law.text import format_date


def note_remedy(*, by: Actor, notice: UUID, kind: str, received_on: date, note: str = "") -> Remedy:
    """Staff note an objection or action. While it is open the notice is not final, if it came in time.

    The applicant reads `note`. Raises Notice.DoesNotExist for another authority's, or Refused.
    """
    authority = _of_staff(by)
    if kind not in RemedyForm.values:
        raise Refused("Wählen Sie, ob es ein Widerspruch oder eine Klage ist.")
    text = _noted(note)
    with by.acting():
        found = _locked(notice, authority)
        check_may_act(by, found.case)
        if received_on > clock.today():
            raise Refused("Der Tag des Eingangs liegt in der Zukunft.")
        if received_on < found.issued_on:
            raise Refused(
                f"Der Bescheid ist vom {format_date(found.issued_on)}. Vorher kann nichts eingehen."
            )
        remedy = Remedy(
            authority_id=authority,
            case_id=found.case_id,
            party_id=found.party_id,
            notice=found,
            kind=kind,
            received_on=received_on,
            note=text,
            noted_at=clock.now(),
            noted_by_id=by.account,
        )
        try:
            with transaction.atomic():
                remedy.save(force_insert=True)
        except IntegrityError as wrong:
            if "remedy_open_once" not in str(wrong):
                raise
            raise Refused(f"Eine offene Eintragung „{remedy.get_kind_display()}“ gibt es schon.") from wrong
        record(
            events.REMEDY_NOTED,
            by=by,
            authority=authority,
            case=found.case_id,
            remedy=remedy.get_kind_display(),
            received_on=f"{received_on:%d.%m.%Y}",
        )
        return remedy


def settle_remedy(*, by: Actor, remedy: UUID, settled_on: date, result: str, note: str = "") -> Remedy:
    """Staff note how it came out. `settled_on` is the day from which nothing more can be done (an objection that was
    rejected may still be followed by an action). Raises Remedy.DoesNotExist for another authority's, or Refused."""
    authority = _of_staff(by)
    if result not in RemedyResult.values:
        raise Refused("Wählen Sie, wie es ausgegangen ist.")
    text = _noted(note)
    with by.acting():
        remedies = Remedy.objects.select_for_update(of=("self",)).select_related("case__application")
        found = remedies.get(id=remedy, authority_id=authority)
        check_may_act(by, found.case)
        if found.settled_on:
            raise Refused("Das ist schon als erledigt vermerkt.")
        if settled_on > clock.today():
            raise Refused("Der Tag der Erledigung liegt in der Zukunft.")
        if settled_on < found.received_on:
            raise Refused(
                f"Eingegangen ist es am {format_date(found.received_on)}. Erledigt sein kann es erst danach."
            )
        found.settled_on, found.result, found.settled_note = settled_on, result, text
        found.settled_at, found.settled_by_id = clock.now(), by.account
        found.save(update_fields=["settled_on", "result", "settled_note", "settled_at", "settled_by"])
        record(
            events.REMEDY_SETTLED,
            by=by,
            authority=authority,
            case=found.case_id,
            remedy=found.get_kind_display(),
            settled_on=f"{settled_on:%d.%m.%Y}",
            result=found.get_result_display(),
        )
        return found


def waive_remedy(*, by: Actor, notice: Notice) -> Notice:
    """The applicant gives up objection and action, so that the notice is final today. It cannot be taken back.

    A second click answers with the first. Raises NotAllowed, or Refused (a remedy is open, too late, a refusal).
    """
    if notice.party_id not in by.parties or by.account is None:
        raise NotAllowed("Dieser Bescheid gehört jemand anderem.")
    with by.on_behalf_of(notice.authority_id):
        found = _locked(notice.id, notice.authority_id)
        if found.waived_at:
            return found
        if reason := why_no_waiver(found, clock.today()):
            raise Refused(reason)
        found.waived_at, found.waived_by_id = clock.now(), by.account
        found.save(update_fields=["waived_at", "waived_by"])
        record(events.REMEDY_WAIVED, by=by, authority=found.authority_id, case=found.case_id)
        return found


def _of_staff(by: Actor) -> UUID:
    """Raises NotAllowed for everybody but people who work for an authority."""
    if by.account is None:
        raise NotAllowed("Das vermerken Menschen, nicht das System.")
    return by.staff_of


def _locked(notice: UUID, authority: UUID) -> Notice:
    """Locked, so that a waiver and a remedy of the same moment know of each other."""
    notices = Notice.objects.select_for_update(of=("self",)).select_related("decision", "case__application")
    return notices.get(id=notice, authority_id=authority)


def _noted(note: str) -> str:
    return written(note, most=LONGEST_NOTE, missing="") if note.strip() else ""
