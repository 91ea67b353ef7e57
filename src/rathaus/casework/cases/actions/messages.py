"""Talking with the applicant."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from rathaus.casework.cases import events, jobs
from rathaus.casework.cases.enums import CaseState, Sender
from rathaus.casework.cases.models import Case, Message, Notice, Subscription
from rathaus.casework.cases.steps import REPLY, lock
from rathaus.casework.records.enums import DocumentKind
from rathaus.casework.records.models import Document
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.actions import record
from rathaus.core.files import actions as files
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.engine import workflow

Upload = tuple[str, bytes]


def send_message(*, by: Actor, case: Case, body: str) -> Message:
    """A message from staff that asks for nothing."""
    if by.authority != case.authority_id:
        raise NotAllowed("Dieser Vorgang gehört einer anderen Behörde.")
    if not body.strip():
        raise Refused("Schreiben Sie eine Nachricht.")
    with by.acting():
        message = Message.objects.create(
            authority_id=case.authority_id,
            case=case,
            party_id=case.party_id,
            sender=Sender.STAFF,
            sender_name=by.function,
            body=body.strip()[:5000],
            sent_by_id=by.account,
        )
        record(events.MESSAGE_SENT, by=by, authority=case.authority_id, case=case.id)
        jobs.send_mail_to_applicant.defer(
            authority=str(case.authority_id), case=str(case.id), reason="message"
        )
        return message


def answer_request(*, by: Actor, case: Case, body: str, uploads: Sequence[Upload] = ()) -> Message:
    """The applicant answers a question of the office, with files if wanted; the process goes on.

    Raises FileRefused or Refused with a sentence for the applicant; then nothing is stored.
    """
    if case.party_id not in by.parties:
        raise NotAllowed("Dieser Vorgang gehört jemand anderem.")
    if not body.strip() and not uploads:
        raise Refused("Schreiben Sie eine Antwort oder fügen Sie eine Datei hinzu.")
    typed = [(name, content, files.media_type_of(name, content)) for name, content in uploads]
    with by.on_behalf_of(case.authority_id):
        run = lock(case.id, by=by)
        waiting = Subscription.objects.filter(case=case, message=REPLY).first()
        if waiting is None or run.case.state != CaseState.ACTION_REQUIRED:
            raise Refused("Auf Ihre Antwort wird gerade nicht gewartet.")
        message = Message.objects.create(
            authority_id=case.authority_id,
            case=case,
            party_id=case.party_id,
            sender=Sender.APPLICANT,
            sender_name=case.party_name,
            body=body.strip()[:5000],
            sent_by_id=by.account,
        )
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
        run.send(workflow.MessageReceived(waiting.token, {}))
        run.write()
        return message


def note_notice_read(*, by: Actor, notice: Notice) -> None:
    """Remember when the applicant first fetched the notice (the authority must be able to prove it)."""
    if notice.party_id not in by.parties:
        raise NotAllowed("Dieser Bescheid gehört jemand anderem.")
    if notice.read_at is not None:
        return
    with by.on_behalf_of(notice.authority_id):
        if Notice.objects.filter(id=notice.id, read_at=None).update(read_at=timezone.now()):
            record(events.NOTICE_READ, by=by, authority=notice.authority_id, case=notice.case_id)
