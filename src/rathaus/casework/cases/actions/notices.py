"""The notice: the decision as a letter in the mailbox, with the dates that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from rathaus.casework.cases import events, jobs
from rathaus.casework.cases.actions.confirmations import settle_confirmations
from rathaus.casework.cases.actions.messages import show_to_applicant
from rathaus.casework.cases.enums import DecisionState
from rathaus.casework.cases.facts import facts_of
from rathaus.casework.cases.models import Case, Decision, Finding, Notice, label_of
from rathaus.casework.cases.queries import addressee, office_of
from rathaus.casework.cases.steps import Run
from rathaus.casework.records.enums import DocumentKind
from rathaus.casework.records.models import Document
from rathaus.casework.services.operations import operation
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.authorities.queries import by_ags
from rathaus.core.files import actions as files
from rathaus.engine.forms import Field, Form, Kind
from rathaus.engine.letters import render_letter
from rathaus.law.days import Land
from rathaus.law.notification import Channel, deemed_notification, remedy_deadline, remedy_for


def letter_data(case: Case, decision: Decision) -> dict[str, Any]:
    """Everything a letter's template may print, facts of domains under their names."""
    issued_on = clock.today()
    authority = office_of(case, on=issued_on)
    application = case.application
    package = package_of(application.version_id)
    exceptions = Finding.objects.filter(case=case, is_current=True, excepted_at__isnull=False).order_by(
        "position"
    )
    return {
        **facts_of(case, package.facts),
        "datum": issued_on,
        "behoerde": {
            "name": authority.label,
            "art": authority.kind,
            "strasse": authority.street,
            "plz": authority.postal_code,
            "ort": authority.city,
            "land": authority.land,
        },
        "empfaenger": addressee(case, on=issued_on),
        "fall": {
            "nummer": case.reference,
            "titel": case.title,
            "leistung": case.offer.title,
            "eingang": timezone.localtime(case.opened_at).date(),
        },
        "behoerden": _municipalities(package.form, application.answers),
        "antrag": package.form.typed(application.answers),
        "parameter": case.parameters,
        "entscheidung": {
            "ergebnis": decision.outcome,
            "ergebnis_text": label_of(case, decision.outcome),
            "betrag": decision.amount,
            "begruendung": decision.reasons,
            "einzelheiten": decision.details,
            "automatisch": decision.is_automatic,
            "am": timezone.localtime(decision.decided_at).date() if decision.decided_at else None,
            "funktion": decision.decided_function,
            "konto": decision.decided_by.email.split("@")[0] if decision.decided_by else "",
            "ausnahmen": [
                {"regel": found.title, "wert": found.value, "grund": found.excepted_reason}
                for found in exceptions
            ],
        },
        "rechtsbehelf": remedy_for(authority.kind, land=Land(authority.land), on=issued_on).remedy,
    }


def _municipalities(form: Form, answers: Mapping[str, Any]) -> dict[str, str]:
    """Names of the municipalities that the answers pick from the register, by key."""
    keys: list[str] = []
    for path, item in form.items.items():
        if isinstance(item, Field) and item.kind in (Kind.AUTHORITY, Kind.AUTHORITIES):
            value: Any = answers
            for step in path.split("."):
                value = value.get(step) if isinstance(value, Mapping) else None
            keys += value if isinstance(value, list) else [value] if value else []
    return {key: found.label for key, found in by_ags(keys).items()} if keys else {}


@operation("letters.issue", later=True)
def issue_notice(step: Run, *, vorlage: str = "bescheid.typ") -> dict[str, Any]:
    """Operation: render, file and deliver the notice of a case's decision with a letter template of the package."""
    case = step.case
    decision = (
        Decision.objects.select_for_update(of=("self",))
        .select_related("decided_by")
        .get(case=case, state=DecisionState.DECIDED)
    )
    data = letter_data(case, decision)
    show_to_applicant(case)
    title = f"Bescheid {case.reference}"
    pdf = render_letter(step.package.letters[vorlage], data, fonts=settings.LETTER_FONTS, title=title)
    blob = files.keep(authority=case.authority_id, content=pdf, media_type="application/pdf")
    document = Document.objects.create(
        authority_id=case.authority_id,
        case_id=case.id,
        party_id=case.party_id,
        kind=DocumentKind.NOTICE,
        title="Bescheid",
        file_name=f"Bescheid-{case.reference}.pdf",
        blob=blob,
        sha256=blob.sha256,
        size=blob.size,
        media_type=blob.media_type,
        origin=data["behoerde"]["name"],
    )
    land, issued_on = Land(case.authority.land), data["datum"]
    deemed_on = deemed_notification(issued_on, land=land, channel=Channel.MAILBOX)
    Notice.objects.create(
        authority_id=case.authority_id,
        case=case,
        party_id=case.party_id,
        decision=decision,
        document=document,
        issued_on=issued_on,
        deemed_on=deemed_on,
        remedy=data["rechtsbehelf"],
        remedy_until=remedy_deadline(deemed_on, land=land),
    )
    decision.notified_at = clock.now()
    decision.save(update_fields=["notified_at"])
    step.outcome = decision.outcome
    if step.package.form.confirming:
        settle_confirmations(case)
    step.record(events.NOTICE_ISSUED)
    step.defer(jobs.send_mail_to_applicant, reason="notice")
    return {}
