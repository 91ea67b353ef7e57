"""Partners that an application names agree for themselves, online. An open answer informs and holds up nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rathaus.casework.cases import events, jobs
from rathaus.casework.cases.enums import CaseState, ConfirmationState
from rathaus.casework.cases.models import Case, Confirmation
from rathaus.casework.cases.rules import LONGEST_NOTE, written
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import by_ags
from rathaus.core.identity.actions import party_of_authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.tenancy import new_id
from rathaus.engine.forms import Form
from rathaus.engine.forms.places import lookup

LIVE = (ConfirmationState.OPEN, ConfirmationState.CONFIRMED, ConfirmationState.DECLINED)


def ask_partners(run: Run, answers: dict[str, Any]) -> list[Confirmation]:
    """Ask each authority that the form's fields with `bestaetigen` name, as part of the step that took the answers.

    After a correction: who is named anew is asked; who is no longer named is not needed; who stays keeps its answer,
    unless the project is now called something else, since that is what they agreed to.
    """
    form, case = run.package.form, run.case
    if not form.confirming:
        return []
    wanted = _named(form, answers, without=case.applicant_id)
    asked: dict[UUID, Confirmation] = {}
    if run.application is None:  # else the case is being opened, and nobody was asked yet
        for found in Confirmation.objects.filter(case=case, state__in=LIVE):
            if found.partner_id in wanted and found.title == case.title:
                asked[found.partner_id] = found
            else:
                found.state = ConfirmationState.OBSOLETE
                found.save(update_fields=["state"])
    new = [_asking(case, partner, role) for key, (partner, role) in wanted.items() if key not in asked]
    if new:
        Confirmation.objects.bulk_create(new)
        run.record(events.PARTNERS_ASKED, partners=", ".join(found.partner.label for found in new))
    for found in new:
        run.defer(jobs.send_confirmation_request, confirmation=str(found.id))
    return new


def answer_confirmation(*, by: Actor, confirmation: UUID, confirms: bool, note: str = "") -> Confirmation:
    """A partner agrees, or declines with a reason, once. Raises Confirmation.DoesNotExist for anybody else's, or Refused
    where it was answered, or the application is decided or withdrawn."""
    with by.acting():
        found = Confirmation.objects.get(id=confirmation, party_id__in=by.parties)
    if by.account is None:
        raise NotAllowed("Das bestätigen Menschen, nicht das System.")
    text = ""
    if not confirms:
        text = written(note, most=LONGEST_NOTE, missing="Schreiben Sie, warum Sie nicht mitmachen.")
    with by.on_behalf_of(found.authority_id):
        found = Confirmation.objects.select_for_update(of=("self",)).get(id=confirmation)
        if found.state in (ConfirmationState.CONFIRMED, ConfirmationState.DECLINED):
            raise Refused("Darauf haben Sie schon geantwortet.")
        is_over = Case.objects.filter(id=found.case_id, state=CaseState.COMPLETED).exists()
        if found.state == ConfirmationState.OBSOLETE or is_over:
            raise Refused("Ihre Bestätigung wird nicht mehr gebraucht.")
        found.state = ConfirmationState.CONFIRMED if confirms else ConfirmationState.DECLINED
        found.answered_at, found.answered_by_id, found.note = clock.now(), by.account, text
        found.save(update_fields=["state", "answered_at", "answered_by", "note"])
        partner = Authority.objects.get(id=found.partner_id).label
        kind = events.CONFIRMED if confirms else events.DECLINED
        record(kind, by=by, authority=found.authority_id, case=found.case_id, partner=partner)
        if not confirms:
            jobs.send_mail_to_applicant.defer(
                authority=str(found.authority_id), case=str(found.case_id), reason="declined"
            )
        return found


def settle_confirmations(case: Case) -> None:
    """The case ends: nobody is asked any more. What was answered stays."""
    Confirmation.objects.filter(case=case, state=ConfirmationState.OPEN).update(
        state=ConfirmationState.OBSOLETE
    )


def _named(
    form: Form, answers: dict[str, Any], *, without: UUID | None
) -> Mapping[UUID, tuple[Authority, str]]:
    """The authorities named, each with the field that names it first; never who applies itself."""
    applying = form.applicable(answers)
    roles: dict[str, str] = {}
    for field in form.confirming:
        if field.path in applying:
            value = lookup(answers, field.path)
            for ags in value if isinstance(value, list) else [value]:
                if isinstance(ags, str) and ags:
                    roles.setdefault(ags, field.label)
    found = by_ags(set(roles)) if roles else {}
    return {
        authority.id: (authority, roles[ags]) for ags, authority in found.items() if authority.id != without
    }


def _asking(case: Case, partner: Authority, role: str) -> Confirmation:
    return Confirmation(
        id=new_id(),
        authority_id=case.authority_id,
        case=case,
        party_id=party_of_authority(partner).id,
        partner=partner,
        applicant_party_id=case.party_id,
        applicant_name=case.party_name,
        reference=case.reference,
        service=case.offer.title[:200],
        title=case.title,
        role=role[:200],
        text=(
            f"{partner.label} wirkt an dem Vorhaben „{case.title}“ mit. {case.party_name} stellt dafür den Antrag "
            f"„{case.offer.title}“ bei: {case.authority.label}."
        ),
        asked_at=clock.now(),
    )
