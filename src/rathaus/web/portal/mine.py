"""What the applicant's pages say about a case: where it stands, what they must do, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone

from rathaus.casework.cases.enums import CaseState, Outcome, RemedyForm, Sender
from rathaus.casework.cases.models import Case, Decision, Message, Notice
from rathaus.casework.cases.queries import addressee, final_on, own_application, why_no_waiver
from rathaus.casework.records.enums import DocumentKind
from rathaus.casework.records.models import Document
from rathaus.casework.services.manifest import Manifest
from rathaus.core import clock
from rathaus.core.authorities.queries import succession
from rathaus.core.identity.actors import Actor
from rathaus.engine.forms import format_bytes
from rathaus.law.money import format_amount
from rathaus.law.notification import RemedyKind
from rathaus.law.text import format_date, format_day
from rathaus.web.fields import media_name
from rathaus.web.parts import Attachment, DateView, Fact, MessageView, Step
from rathaus.web.portal.catalogue import first_words, manifest_of
from rathaus.web.versions import VersionView

_LATEST = 5
# Result as a headline and as a word, without and with an amount that was applied for.
_REMEDIES = {
    RemedyKind.OBJECTION: "Widerspruch ist bis dahin möglich",
    RemedyKind.ACTION: "Klage ist bis dahin möglich",
}
_WAIVED = {
    RemedyKind.OBJECTION: "Sie haben auf Widerspruch und Klage verzichtet",
    RemedyKind.ACTION: "Sie haben auf Klage verzichtet",
}


@dataclass(frozen=True)
class Question:
    """What the office asked and still waits for."""

    body: str
    asked_on: date
    until: date | None
    allows_correction: bool = False


@dataclass(frozen=True)
class News:
    """Something that lies in the mailbox: what, about which application, when, whether it was opened."""

    title: str
    about: str
    url: str
    on: date
    is_new: bool = False


def mailbox(by: Actor) -> list[News]:
    """The newest notices and messages of the office, newest first."""
    notices = Notice.objects.filter(party_id__in=by.parties).select_related("case").order_by("-id")[:_LATEST]
    messages = (
        Message.objects.filter(party_id__in=by.parties, sender=Sender.STAFF)
        .select_related("case")
        .order_by("-id")[:_LATEST]
    )
    found = [
        News("Bescheid", notice.case.title, notice_url(notice), notice.issued_on, notice.read_at is None)
        for notice in notices
    ]
    found += [
        News(
            "Rückfrage" if message.answer_until else "Nachricht",
            message.case.title,
            f"{reverse('portal:case', args=[message.case_id])}#nachrichten",
            timezone.localdate(message.sent_at),
            message.case.state == CaseState.ACTION_REQUIRED and message.answer_until is not None,
        )
        for message in messages
    ]
    return sorted(found, key=lambda news: news.on, reverse=True)[:_LATEST]


def question_of(case: Case, messages: Sequence[Message]) -> Question | None:
    """What the office waits for, if it waits; `messages` newest first."""
    if case.state != CaseState.ACTION_REQUIRED:
        return None
    asked = next((found for found in messages if found.sender == Sender.STAFF and found.answer_until), None)
    if asked is None:
        return Question("Bitte antworten Sie auf unsere Nachricht.", timezone.localdate(case.opened_at), None)
    return Question(
        asked.body, timezone.localdate(asked.sent_at), asked.answer_until, asked.allows_correction
    )


def line_of(case: Case, question: Question | None) -> list[Step]:
    """The stations of a case, with dates."""
    opened = format_date(timezone.localdate(case.opened_at))
    application = own_application(case)
    if application is None:
        found = [Step("Von Amts wegen eröffnet", "done", note=opened)]
    else:
        found = [Step("Begonnen", "done"), Step("Abgesendet", "done", note=opened)]
        if case.state == CaseState.RECEIVED:
            return [*found, Step("Eingegangen", "now", note=opened), Step("In Bearbeitung"), _end_of(case)]
        found.append(Step("Eingegangen", "done", note=opened))
    if case.state == CaseState.COMPLETED:
        return [*found, Step("In Bearbeitung", "done"), _end_of(case)]
    if question:
        waits = f"wartet seit {format_date(question.asked_on).rpartition(' ')[0]} auf Sie"
        return [*found, Step("In Bearbeitung", "wait", note=waits), _end_of(case)]
    return [*found, Step("In Bearbeitung", "now"), _end_of(case)]


def _end_of(case: Case) -> Step:
    """The last station: when it was reached, or how long it takes by what the package says."""
    if case.closed_at:
        return Step("Abgeschlossen", "done", note=format_date(timezone.localdate(case.closed_at)))
    return Step("Abgeschlossen", note=first_words(manifest_of_case(case).dauer)[0])


def manifest_of_case(case: Case) -> Manifest:
    """The manifest of the version that the applicant used; of the one on offer where the office opened the case."""
    application = own_application(case)
    return manifest_of(application.version_id if application else case.offer.version_id)


def applicant_since(case: Case) -> list[str]:
    """Who holds today what the applicant held, step by step, where the applicant was merged; else nothing."""
    return [str(step) for step in succession(case.applicant, clock.today())] if case.applicant else []


def dates_of(question: Question | None, notices: Iterable[Notice]) -> list[DateView]:
    """What is due when."""
    found: list[DateView] = []
    if question and question.until:
        found.append(DateView(question.until, "Rückfrage beantworten", "Frist für Sie"))
    for notice in notices:
        found += remedy_dates(notice)
    return sorted(found, key=lambda entry: entry.day)


def remedy_dates(notice: Notice) -> list[DateView]:
    """From when a notice counts, until when it can be contested, and since when it is final."""
    today = clock.today()
    remedies = list(notice.remedies.all())
    found = [
        DateView(notice.deemed_on, "Bescheid gilt als bekannt gegeben", "auch wenn Sie ihn später öffnen")
    ]
    found += [
        DateView(
            remedy.received_on,
            f"{remedy.get_kind_display()} eingegangen",
            f"{remedy.get_result_display()}, {format_date(remedy.settled_on)}"
            if remedy.settled_on
            else "noch nicht entschieden",
        )
        for remedy in remedies
    ]
    final = final_on(notice, today, remedies)
    if final:
        note = _WAIVED[RemedyKind(notice.remedy)] if notice.waived_at else "Die Frist ist abgelaufen"
        found.append(DateView(final, "Bescheid ist bestandskräftig", note))
    elif not remedies:
        possible = _REMEDIES[RemedyKind(notice.remedy)]
        found.append(DateView(notice.remedy_until, possible, "danach ist der Bescheid bestandskräftig"))
    return sorted(found, key=lambda entry: entry.day)


def waiver_of(notice: Notice) -> str:
    """What the applicant may give up („Klage“), where that brings them something: money that is paid once it is final."""
    manifest = manifest_of_case(notice.case)
    if not manifest.betrag or why_no_waiver(notice, clock.today()):
        return ""
    return RemedyForm(notice.remedy).label


def talk_of(case: Case, messages: Iterable[Message], documents: Sequence[Document]) -> list[MessageView]:
    """The messages with the files that came with them."""
    return [
        MessageView(
            sender=f"Sie ({message.sender_name})"
            if message.sender == Sender.APPLICANT
            else message.sender_name,
            sent_at=message.sent_at,
            text=message.body,
            is_mine=message.sender == Sender.APPLICANT,
            attachments=tuple(
                attachment_of(document) for document in documents if document.message_id == message.id
            ),
        )
        for message in messages
    ]


def papers_of(case: Case, documents: Iterable[Document], versions: Sequence[VersionView]) -> list[Attachment]:
    """The receipts of all versions, where there was an application, the one in force first, and all documents."""
    filed = [attachment_of(document, with_day=True) for document in documents]
    if own_application(case) is None:
        return filed
    url = reverse("portal:receipt_pdf", args=[case.id])
    receipts = [
        Attachment(
            f"Quittung, Fassung {version.application.number}",
            f"{url}?fassung={version.application.number}",
            f"{format_day(timezone.localdate(version.application.submitted_at))} · PDF",
        )
        for version in versions
    ]
    if not receipts:
        receipts = [Attachment("Quittung", url, f"{format_day(timezone.localdate(case.opened_at))} · PDF")]
    return [*receipts, *filed]


def attachment_of(document: Document, *, with_day: bool = False) -> Attachment:
    """A document as a link with kind, size and, if wanted, its day."""
    note = f"{media_name(document.media_type)}, {format_bytes(document.size)}"
    if with_day:
        note = f"{format_day(timezone.localdate(document.filed_at))} · {note}"
    label = document.title if document.kind == DocumentKind.NOTICE else document.file_name
    return Attachment(label, reverse("portal:document", args=[document.case_id, document.id]), note)


def result_of(decision: Decision) -> str:
    """The result as a headline."""
    return manifest_of_case(decision.case).results[decision.outcome].satz


def amount_sentence(case: Case, decision: Decision) -> str:
    """What the result means in money: the grant, or what is to be paid; empty where no money is decided, or where only the
    notice can say it: of a proof the amount is what was spent, of a change what the whole grant is now."""
    if decision.amount is None or decision.outcome == Outcome.REFUSED:
        return ""
    manifest, is_own = manifest_of_case(case), own_application(case) is not None
    if is_own and manifest.bezug:
        return ""
    amount = format_amount(Decimal(decision.amount))
    return (
        f"Sie erhalten {amount} für „{case.title}“."
        if is_own and manifest.betrag
        else f"Festgesetzt sind {amount}."
    )


def facts_of(notice: Notice) -> list[Fact]:
    """What a notice says, in pairs of word and value."""
    case, decision = notice.case, notice.decision
    found = [
        Fact("Aktenzeichen", case.reference),
        Fact("An", "\n".join(addressee(case, on=notice.issued_on))),
        Fact(
            "Ihr Antrag" if own_application(case) else "Vorgang",
            f"„{case.title}“ vom {format_date(timezone.localdate(case.opened_at))}",
        ),
        Fact("Ergebnis", decision.outcome_label),
    ]
    if decision.amount is not None:
        found.append(Fact("Betrag", format_amount(decision.amount)))
        years = sorted(decision.details.get("jahre", {}).items())
        found += [Fact(f"davon {year}", format_amount(Decimal(str(share)))) for year, share in years]
    if decision.decided_function:
        found.append(Fact("Entschieden hat", decision.decided_function))
    return found


def notice_url(notice: Notice) -> str:
    return reverse("portal:notice", args=[notice.case_id, notice.id])
