"""Talking with the applicant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from rathaus.casework.cases import events, jobs
from rathaus.casework.cases.enums import Sender
from rathaus.casework.cases.models import Case, Message, Notice
from rathaus.casework.cases.permissions import check_may_act
from rathaus.casework.cases.queries import office_of
from rathaus.casework.cases.rules import LONGEST_MESSAGE, LONGEST_PERIOD_DAYS, written
from rathaus.casework.cases.steps import REPLY, Run, lock
from rathaus.casework.records.enums import DocumentKind
from rathaus.casework.records.models import Document
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.files import actions as files
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.engine import workflow
from rathaus.law.days import Land, next_working_day

Upload = tuple[str, bytes]


def send_message(*, by: Actor, case: Case, body: str) -> Message:
    """A message from staff that asks for nothing."""
    by.check_is_unlimited()
    if by.authority != case.authority_id:
        raise NotAllowed("Dieser Vorgang gehört einer anderen Behörde.")
    text = written(body, most=LONGEST_MESSAGE, missing="Schreiben Sie eine Nachricht.")
    with by.acting():
        check_may_act(by, case)
        message = _from_authority(case, text, name=by.function, account=by.account)
        record(events.MESSAGE_SENT, by=by, authority=case.authority_id, case=case.id)
        jobs.send_mail_to_applicant.defer(
            authority=str(case.authority_id), case=str(case.id), reason="message"
        )
        return message


def ask(run: Run, *, body: str, until: date, may_correct: bool = False) -> Message:
    """Ask the applicant for what is missing, to be answered by a day; part of a step. Raises Refused.

    With `may_correct` they may also open the form again and hand in corrected answers (`corrections.begin_correction`).
    """
    text = written(body, most=LONGEST_MESSAGE, missing="Schreiben Sie, was noch fehlt.")
    if until <= clock.today():
        raise Refused("Die Frist muss in der Zukunft liegen.")
    message = _from_authority(
        run.case, text, name=run.by.function, account=run.by.account, until=until, may_correct=may_correct
    )
    run.record(events.CORRECTION_ASKED if may_correct else events.ASKED, until=f"{until:%d.%m.%Y}")
    run.defer(jobs.send_mail_to_applicant, reason="question")
    return message


@operation("messages.send")
def send_from_process(step: Run, *, text: str) -> None:
    """Operation, and what a send task does unless it names another: a message of the authority to the applicant.

    A text that is empty or too long is the package's fault: it becomes an incident, not a refusal to whoever acted.
    """
    if not 0 < len(text.strip()) <= LONGEST_MESSAGE:
        raise ValueError(f"Eine Nachricht hat 1 bis {LONGEST_MESSAGE} Zeichen, diese {len(text.strip())}.")
    office = office_of(step.case, on=clock.today())
    _from_authority(step.case, text.strip(), name=office.label, account=None)
    step.record(events.MESSAGE_SENT_BY_PROCESS)
    step.defer(jobs.send_mail_to_applicant, reason="message")


@operation("messages.ask")
def ask_from_process(step: Run, *, text: str, tage: int) -> dict[str, Any]:
    """Operation: a question to the applicant with a deadline, such as a hearing (§ 28 VwVfG).

    The reply comes as message `antwort`. `result.frist` is the last day to answer: `tage` days from today, moved to the
    next working day (§ 31 (3) VwVfG); the package lets a timer go off after it, since nobody has to answer.
    """
    if not 0 < len(text.strip()) <= LONGEST_MESSAGE:
        raise ValueError(f"Eine Nachricht hat 1 bis {LONGEST_MESSAGE} Zeichen, diese {len(text.strip())}.")
    if not 1 <= tage <= LONGEST_PERIOD_DAYS:
        raise ValueError(f"Eine Frist hat 1 bis {LONGEST_PERIOD_DAYS} Tage, diese {tage}.")
    office = office_of(step.case, on=clock.today())
    until = next_working_day(clock.today() + timedelta(days=tage), Land(step.case.authority.land))
    _from_authority(step.case, text.strip(), name=office.label, account=None, until=until)
    step.record(events.ASKED, until=f"{until:%d.%m.%Y}")
    step.defer(jobs.send_mail_to_applicant, reason="question")
    return {"frist": until}


def _from_authority(
    case: Case,
    text: str,
    *,
    name: str,
    account: UUID | None,
    until: date | None = None,
    may_correct: bool = False,
) -> Message:
    show_to_applicant(case)
    return Message.objects.create(
        authority_id=case.authority_id,
        case=case,
        party_id=case.party_id,
        sender=Sender.STAFF,
        sender_name=name,
        body=text,
        sent_by_id=account,
        answer_until=until,
        allows_correction=may_correct,
    )


def show_to_applicant(case: Case) -> None:
    """From the first message or notice on the applicant knows of a case that the office opened."""
    if not case.is_for_applicant:
        case.is_for_applicant = True  # a case that is only being opened is stored with it
        Case.objects.filter(id=case.id).update(is_for_applicant=True)


def deliver(*, by: Actor, case: UUID, message: str, result: Mapping[str, Any] | None = None) -> bool:
    """Tell a process what it waits for: the BPMN message `message`, with `result` for its `r:output`. False if it does
    not wait for it.

    For staff and the system of the authority that keeps the case. Of several that wait, the one that waits longest goes
    on. Not from within a step of the same case; from a step of another the caller sees to the order of the locks.
    Raises CaseProcess.DoesNotExist for a case that the authority does not keep, Refused where the process cannot go on.
    """
    if message == REPLY:
        raise ValueError("what the applicant answers comes through answer_request")
    by.staff_of  # noqa: B018  raises NotAllowed
    with by.acting():
        run = lock(case, by=by)
        if run.case.authority_id != by.authority:
            raise NotAllowed("Dieser Vorgang gehört einer anderen Behörde.")
        waiting = run.waiting_for(message)
        if waiting is None:
            return False
        run.record(events.MESSAGE_DELIVERED, message=message)
        run.send(workflow.MessageReceived(waiting, dict(result or {})))
        run.write()
        return True


def from_applicant(case: Case, text: str, *, by: Actor) -> Message:
    """A message in the talk of a case, where staff read; part of an action that saw to the right."""
    return Message.objects.create(
        authority_id=case.authority_id,
        case=case,
        party_id=case.party_id,
        sender=Sender.APPLICANT,
        sender_name=case.party_name,
        body=text,
        sent_by_id=by.account,
    )


def answer_request(*, by: Actor, case: Case, body: str, uploads: Sequence[Upload] = ()) -> Message:
    """The applicant answers a question of the office, with files if wanted; the process goes on.

    Raises FileRefused or Refused with a sentence for the applicant; then nothing is stored.
    """
    if case.party_id not in by.parties:
        raise NotAllowed("Dieser Vorgang gehört jemand anderem.")
    missing = "Schreiben Sie eine Antwort oder fügen Sie eine Datei hinzu."
    text = "" if uploads and not body.strip() else written(body, most=LONGEST_MESSAGE, missing=missing)
    typed = [(name, content, files.media_type_of(name, content)) for name, content in uploads]
    with by.on_behalf_of(case.authority_id):
        run = lock(case.id, by=by)
        waiting = run.waiting_for(REPLY)
        if waiting is None:
            raise Refused("Auf Ihre Antwort wird gerade nicht gewartet.")
        message = from_applicant(case, text, by=by)
        for name, content, media_type in typed:
            blob = files.keep(
                authority=case.authority_id, content=content, media_type=media_type, party=case.party_id
            )
            Document.objects.create(
                authority_id=case.authority_id,
                case_id=case.id,
                party_id=case.party_id,
                kind=DocumentKind.REPLY,
                title=name.rsplit(".", 1)[0][:200],
                file_name=name[:200],
                blob=blob,
                sha256=blob.sha256,
                size=blob.size,
                media_type=media_type,
                origin=case.party_name,
                message_id=message.id,
            )
        run.record(events.ANSWERED)
        run.send(workflow.MessageReceived(waiting, {}))
        run.write()
        return message


def note_notice_read(*, by: Actor, notice: Notice) -> None:
    """Remember when the applicant first fetched the notice (the authority must be able to prove it)."""
    if notice.party_id not in by.parties:
        raise NotAllowed("Dieser Bescheid gehört jemand anderem.")
    if notice.read_at is not None:
        return
    with by.on_behalf_of(notice.authority_id):
        if Notice.objects.filter(id=notice.id, read_at=None).update(read_at=clock.now()):
            record(events.NOTICE_READ, by=by, authority=notice.authority_id, case=notice.case_id)
