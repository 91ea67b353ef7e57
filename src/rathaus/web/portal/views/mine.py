"""What was handed in: the list, a case with its talk and papers, receipt, notice, downloads."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from rathaus.casework.cases.actions.messages import answer_request, note_notice_read
from rathaus.casework.cases.enums import CaseState, ConfirmationState
from rathaus.casework.cases.models import Case, Notice
from rathaus.casework.cases.queries import (
    asked_confirmations,
    asks_partners,
    can_withdraw,
    confirmations,
    own_application,
    own_case,
    own_case_parts,
    own_cases,
    own_drafts,
    own_follow_ups,
    versions_of,
)
from rathaus.casework.records.enums import DocumentKind
from rathaus.casework.records.models import Document
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.files.actions import FileRefused, read
from rathaus.core.files.models import Blob
from rathaus.web.account import kept
from rathaus.web.parts import Link
from rathaus.web.portal import mine, receipts
from rathaus.web.portal.access import for_account, keeps_as
from rathaus.web.portal.catalogue import first_sentence, manifest_of
from rathaus.web.portal.frames import actor_of, frame_of
from rathaus.web.portal.next_steps import next_steps
from rathaus.web.uploads import refused_uploads, takes_refused_uploads
from rathaus.web.versions import versions_view

# What a browser may show in a tab; all else is only ever saved.
_SHOWN_INLINE = frozenset({"application/pdf", "image/png", "image/jpeg"})
_private = cache_control(private=True, no_cache=True)


@_private
@require_safe
@for_account
def overview(request: HttpRequest) -> HttpResponse:
    """Applications, drafts and the mailbox of all that one acts for."""
    by = actor_of(request)
    cases = own_cases(by)
    asked = asked_confirmations(by)
    context = {
        "frame": frame_of(request, current=reverse("portal:mine")),
        "waiting": [case for case in cases if case.state == CaseState.ACTION_REQUIRED],
        "running": [
            case for case in cases if case.state not in (CaseState.ACTION_REQUIRED, CaseState.COMPLETED)
        ],
        "closed": [case for case in cases if case.state == CaseState.COMPLETED],
        "asked": [found for found in asked if found.state == ConfirmationState.OPEN],
        "answered": [found for found in asked if found.state != ConfirmationState.OPEN],
        "drafts": own_drafts(by),
        "mailbox": mine.mailbox(by),
        "has_several": len(by.parties) > 1,
    }
    return render(request, "portal/mine.html", context)


@_private
@require_safe
@for_account
def case(request: HttpRequest, case: UUID) -> HttpResponse:
    """Where it stands, the one thing to do, messages, papers, dates."""
    found = _own(request, case)
    typed = kept.take(request, str(case))
    return _case(request, found, text=typed.get("text", "") if typed else "", is_back=typed is not None)


@takes_refused_uploads
@require_http_methods(["GET", "HEAD", "POST"])
@keeps_as(lambda request, case: str(case))
def answer(request: HttpRequest, case: UUID) -> HttpResponse:
    """Answer what the office asked, with files; what was typed stays if it is refused. Its form is on the case's page."""
    if request.method != "POST":
        return redirect("portal:case", case)
    found = _own(request, case)
    text = request.POST.get("text", "")
    too_large = refused_uploads(request)
    problem = too_large[0].reason if too_large else ""
    is_file = bool(too_large)
    if not problem:
        uploads = [(upload.name or "Datei", upload.read()) for upload in request.FILES.getlist("dateien")]
        try:
            answer_request(by=actor_of(request), case=found, body=text, uploads=uploads)
        except (FileRefused, Refused) as refused:
            problem, is_file = str(refused), isinstance(refused, FileRefused)
        else:
            return redirect(f"{reverse('portal:case', args=[case])}#nachrichten")
    status = 413 if too_large else 422
    return _case(request, found, text=text, problem=problem, is_file=is_file, status=status)


@_private
@require_safe
@for_account
def receipt(request: HttpRequest, case: UUID) -> HttpResponse:
    """The application has arrived: number, time, what happens next."""
    found = _applied_for(request, case)
    manifest = manifest_of(found.application.version_id)
    warning, about_warning = first_sentence(manifest.warnung)
    context = _around(request, found) | {
        "checksum": receipts.checksum(found.application.answers),
        "steps": manifest.schritte[1:],
        "warning": warning if found.state != CaseState.COMPLETED else "",
        "about_warning": about_warning,
    }
    return render(request, "portal/receipt.html", context)


@_private
@require_safe
@for_account
def receipt_pdf(request: HttpRequest, case: UUID) -> HttpResponse:
    """All answers, number, time and checksums as PDF, made from a version of the application, which never changes."""
    found = _applied_for(request, case)
    version = found.application
    if wanted := request.GET.get("fassung", ""):
        if not re.fullmatch("[0-9]{1,4}", wanted):
            raise Http404("Diese Fassung gibt es nicht.")
        version = next((v for v in versions_of(found) if v.number == int(wanted)), None)
    if version is None:
        raise Http404("Diese Fassung gibt es nicht.")
    attachments = Document.objects.filter(case_id=case, kind=DocumentKind.ATTACHMENT).order_by("id")
    content = receipts.render(found, version, list(attachments))
    return _download(content, "application/pdf", f"Quittung-{found.reference}.pdf", inline=False)


@_private
@require_safe
@for_account
def notice(request: HttpRequest, case: UUID, notice: UUID) -> HttpResponse:
    """The decision in words, its dates, and the letter. Opening it is noted, as the law wants it proved."""
    by = actor_of(request)
    found = (
        Notice.objects.select_related(
            "decision",
            "document",
            "case__authority",
            "case__application",
            "case__offer",
            "case__applicant__successor",
        )
        .prefetch_related("remedies")
        .filter(id=notice, case_id=case, party_id__in=by.parties)
        .first()
    )
    if found is None:
        raise Http404("Diesen Bescheid gibt es nicht.")
    note_notice_read(by=by, notice=found)
    context = _around(request, found.case) | {
        "crumbs": (
            Link("Meine Anträge", reverse("portal:mine")),
            Link(found.case.reference, reverse("portal:case", args=[case])),
            Link("Bescheid", ""),
        ),
        "notice": found,
        "decision": found.decision,
        "result": mine.result_of(found.decision),
        "sentence": mine.amount_sentence(found.case, found.decision),
        "dates": mine.remedy_dates(found),
        "waiver": mine.waiver_of(found),
        "facts": mine.facts_of(found),
        "automatic": mine.manifest_of_case(found.case).automatik,
        "paper": mine.attachment_of(found.document),
    }
    return render(request, "portal/notice.html", context)


@_private
@require_safe
@for_account
def document(request: HttpRequest, case: UUID, document: UUID) -> HttpResponse:
    """A document to save, or with `?ansehen` to look at. A notice that is fetched counts as read."""
    by = actor_of(request)
    found = Document.objects.filter(
        id=document, case_id=case, party_id__in=by.parties, is_for_applicant=True
    ).first()
    if found is None:
        raise Http404("Dieses Dokument gibt es nicht.")
    if found.kind == DocumentKind.NOTICE and request.method == "GET":
        for letter in Notice.objects.filter(document_id=found.id):
            note_notice_read(by=by, notice=letter)
    # The entry of the authority's own papers is not the applicant's to read; the document holds the same hash.
    content = read(Blob(sha256=found.sha256))
    return _download(content, found.media_type, found.file_name, inline="ansehen" in request.GET)


def _own(request: HttpRequest, case: UUID) -> Case:
    try:
        return own_case(actor_of(request), case)
    except Case.DoesNotExist as missing:
        raise Http404("Diesen Antrag gibt es nicht.") from missing


def _applied_for(request: HttpRequest, case: UUID) -> Case:
    """Theirs, and begun by them: what the office opened has no receipt."""
    found = _own(request, case)
    if own_application(found) is None:
        raise Http404("Diesen Antrag gibt es nicht.")
    return found


def _around(request: HttpRequest, case: Case) -> dict[str, Any]:
    return {
        "frame": frame_of(request, authority=case.authority, current=reverse("portal:mine")),
        "crumbs": (Link("Meine Anträge", reverse("portal:mine")), Link(case.reference, "")),
        "case": case,
        "today": clock.today(),
    }


def _case(
    request: HttpRequest,
    case: Case,
    *,
    text: str = "",
    problem: str = "",
    is_file: bool = False,
    is_back: bool = False,
    status: int = 200,
) -> HttpResponse:
    messages, documents, notices, decisions = own_case_parts(case)
    question = mine.question_of(case, messages)
    application = own_application(case)
    versions = versions_view(versions_of(case)) if application and application.number > 1 else ()
    context = _around(request, case) | {
        "question": question,
        "applicant_since": mine.applicant_since(case),
        "line": mine.line_of(case, question),
        "dates": mine.dates_of(question, notices),
        "talk": mine.talk_of(case, messages, documents),
        "papers": mine.papers_of(case, documents, versions),
        "versions": versions,
        "confirmations": confirmations(case) if application and asks_partners(application) else [],
        "notices": notices,
        "can_withdraw": can_withdraw(case),
        "is_applied_for": application is not None,
        "asks_for_money": application is not None and not mine.manifest_of_case(case).bezug,
        "follow_ups": own_follow_ups(actor_of(request), case),
        "next_steps": next_steps(case),
        "result": mine.result_of(decisions[0]) if decisions else "",
        "sentence": mine.amount_sentence(case, decisions[0]) if decisions else "",
        "contact": next((found.sender_name for found in messages if found.sender == "staff"), ""),
        "text": text,
        "problem": problem,
        "text_problem": "" if is_file else problem,
        "file_problem": problem if is_file else "",
        "is_back": is_back,
        "kept_for": kept.owner_token(request, str(case.id)),
        "kept_field": kept.FIELD,
    }
    return render(request, "portal/case.html", context, status=status)


def _download(content: bytes, media_type: str, name: str, *, inline: bool) -> HttpResponse:
    """Bytes from elsewhere: never guessed at, never run, shown in the browser only if harmless."""
    shown = inline and media_type in _SHOWN_INLINE
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(not shown, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    # A PDF is shown by the browser's viewer, which does not start in a sandbox.
    is_viewed = shown and media_type == "application/pdf"
    response["Content-Security-Policy"] = "default-src 'none'" + ("" if is_viewed else "; sandbox")
    return response
