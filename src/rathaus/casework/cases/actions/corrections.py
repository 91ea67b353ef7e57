"""Correcting what was handed in, where the office asked for it: a new version of the application, the old one stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rathaus.casework.cases import events
from rathaus.casework.cases.actions.answers import (
    InvalidAnswers,
    file_attachments,
    files_in,
    title_and_amount,
)
from rathaus.casework.cases.actions.confirmations import ask_partners
from rathaus.casework.cases.actions.drafts import KEPT_DAYS
from rathaus.casework.cases.actions.messages import from_applicant
from rathaus.casework.cases.facts import facts_of
from rathaus.casework.cases.models import Application, Case, Draft
from rathaus.casework.cases.queries import open_question, own_application
from rathaus.casework.cases.steps import REPLY, CaseData, Run, lock
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.engine import workflow
from rathaus.engine.forms.differences import differences

NOT_ASKED = "Ihre Angaben lassen sich gerade nicht berichtigen. Dazu müssen wir Sie zuerst bitten."
UNCHANGED = "Sie haben noch nichts geändert. Ist alles richtig, antworten Sie auf unsere Nachricht."


def begin_correction(*, by: Actor, case: Case) -> Draft:
    """Open the form again, filled in with the version in force, if the office asked and allowed it.

    There is one such draft a case; whoever asks again goes on with it. Raises NotAllowed or Refused.
    """
    if case.party_id not in by.parties or by.account is None:
        raise NotAllowed("Dieser Vorgang gehört jemand anderem.")
    with by.acting():
        _check_asked(case)
        in_force = own_application(Case.objects.select_related("application").get(id=case.id))
        if in_force is None:
            raise Refused(NOT_ASKED)
        draft, _ = Draft.objects.get_or_create(
            corrects=case,
            defaults={
                "authority_id": case.authority_id,
                "offer_id": case.offer_id,
                "version_id": in_force.version_id,
                "party_id": case.party_id,
                "account_id": by.account,
                "about_id": case.about_id,
                "answers": in_force.answers,
                "pages_done": [
                    page.key for page in package_of(in_force.version_id).form.pages_for(in_force.answers)
                ],
                "expires_on": clock.today() + timedelta(days=KEPT_DAYS),
            },
        )
        return draft


def hand_in_correction(*, by: Actor, draft: Draft) -> Case:
    """Make the draft, locked by the caller, the version in force. That answers the question, and the process goes on:
    a package that checks rules after an answer checks them with the new answers.

    Title, amount and new attachments follow the new version; what was handed in before stays as it was. Raises
    InvalidAnswers or Refused; then nothing is stored.
    """
    if draft.corrects is None or draft.party_id not in by.parties:
        raise NotAllowed("Dieser Entwurf gehört jemand anderem.")
    package = package_of(draft.version_id)
    if errors := package.form.check(draft.answers, raw=draft.raw):
        raise InvalidAnswers(errors)
    clean = package.form.clean(draft.answers)
    with by.on_behalf_of(draft.corrects.authority_id):
        run = lock(draft.corrects.id, by=by)
        waiting = run.waiting_for(REPLY)
        if waiting is None:
            raise Refused(NOT_ASKED)
        _check_asked(run.case)
        before: Application = run.case.application
        if clean == before.answers:
            raise Refused(UNCHANGED)
        changed = differences(package.form, before.answers, clean)
        _put_in_force(run, draft, clean)
        number, labels = before.number + 1, ", ".join(found.label for found in changed)
        from_applicant(run.case, f"Angaben berichtigt: {labels}."[:5_000], by=run.by)
        run.record(events.CORRECTED, number=number, fields=labels)
        ask_partners(run, clean)
        run.send(workflow.MessageReceived(waiting, {}))
        run.write()
        draft.delete()
        return run.case


def _check_asked(case: Case) -> None:
    question = open_question(case)
    if question is None or not question.allows_correction:
        raise Refused(NOT_ASKED)


def _put_in_force(run: Run, draft: Draft, answers: dict[str, Any]) -> None:
    case = run.case
    before: Application = case.application
    title, amount = title_and_amount(
        run.package, answers, case.parameters, facts_of(case, run.package.naming_facts)
    )
    file_attachments(case, answers, without={file["sha256"] for file in files_in(before.answers)})
    application = Application.objects.create(
        authority_id=case.authority_id,
        case=case,
        party_id=case.party_id,
        number=before.number + 1,
        version_id=draft.version_id,
        answers=answers,
        submission=draft.id,
        submitted_at=run.now,
        submitted_by_id=run.by.account,
    )
    case.application, case.title, case.amount = application, title, amount
    case.save(update_fields=["application", "title", "amount"])
    run.data = CaseData(run.package, case, answers)
