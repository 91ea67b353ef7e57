"""Files of a case, and the draft of its letter. What somebody uploaded never runs in the name of this site."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.cases.actions.notices import letter_data
from rathaus.casework.cases.enums import DecisionState, TaskState
from rathaus.casework.cases.models import Case, Decision, Task
from rathaus.casework.records.models import Document
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.files import actions as files
from rathaus.core.files.actions import FileRefused
from rathaus.engine.letters import LetterError, render_letter
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.panels import PROPOSAL, read_panel
from rathaus.web.parts import Link

_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg"})
# A browser's own PDF viewer does not run in a sandbox; a PDF has no access to the site's pages in any case.
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; object-src 'self'; frame-ancestors 'none'"
_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


@require_GET
@for_staff
def download(request: HttpRequest, reference: str, document: UUID) -> HttpResponse:
    """A document of the case as a file to save; with `?ansehen` a PDF or an image opens in the browser."""
    authority = actor_of(request).staff_of
    try:
        case = Case.objects.only("id").get(authority_id=authority, reference=reference)
        found = Document.objects.select_related("blob").get(id=document, case_id=case.id)
    except (Case.DoesNotExist, Document.DoesNotExist) as missing:
        raise Http404 from missing
    return document_response(request, found, back=_to_case(reference))


def document_response(request: HttpRequest, found: Document, *, back: Link) -> HttpResponse:
    """A document to save, or with `?ansehen` to look at; a page that leads `back` if the store has lost it."""
    try:
        content = files.read(found.blob)
    except (FileRefused, FileNotFoundError) as wrong:
        reason = str(wrong) if isinstance(wrong, FileRefused) else "Die Datei fehlt im Speicher."
        context = {
            "frame": frame_of(request),
            "title": "Die Datei lässt sich nicht öffnen",
            "reason": reason,
            "back": back,
        }
        return render(request, "desk/problem.html", context, status=503)
    return file_response(content, found.file_name, found.media_type, is_shown="ansehen" in request.GET)


def _to_case(reference: str) -> Link:
    return Link(f"Zum Vorgang {reference}", reverse("desk:case", args=[reference]))


def file_response(content: bytes, name: str, media_type: str, *, is_shown: bool = False) -> HttpResponse:
    """Bytes as a download; shown in the browser only if asked for and only PDF, PNG, JPEG. Never sniffed, never scripted."""
    inline = is_shown and media_type in _SHOWN
    response = HttpResponse(
        content, content_type=media_type if media_type in _SHOWN else "application/octet-stream"
    )
    response["Content-Disposition"] = content_disposition_header(not inline, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _ALONE if inline and media_type == "application/pdf" else _SANDBOX
    return response


@require_http_methods(["GET", "POST"])
@for_staff
def preview(request: HttpRequest, reference: str) -> HttpResponse:
    """The letter as it would be with the open proposal, or (POST) with what is typed in its form. Stores nothing."""
    authority = actor_of(request).staff_of
    try:
        case = Case.objects.select_related("offer", "terms", "authority", "application").get(
            authority_id=authority, reference=reference
        )
    except Case.DoesNotExist as missing:
        raise Http404 from missing
    decision = _typed(request, case) if request.method == "POST" else _proposed(case)
    package = package_of(case.application.version_id)
    template = package.letters.get("bescheid.typ")
    if template is None:
        raise Http404("Diese Leistung hat keinen Bescheid.")
    context = {"frame": frame_of(request), "title": "Noch keine Vorschau", "back": _to_case(reference)}
    if decision is None:
        reason = "Es gibt noch keinen Vorschlag. Füllen Sie Ergebnis, Betrag und Begründung aus."
        return render(request, "desk/problem.html", context | {"reason": reason}, status=422)
    title = f"Entwurf: Bescheid {case.reference}"
    try:
        pdf = render_letter(template, letter_data(case, decision), fonts=settings.LETTER_FONTS, title=title)
    except LetterError as wrong:
        reason = f"Der Bescheid lässt sich so nicht setzen. {wrong.reason}"
        return render(request, "desk/problem.html", context | {"reason": reason}, status=422)
    return file_response(pdf, f"Entwurf-{case.reference}.pdf", "application/pdf", is_shown=True)


def _proposed(case: Case) -> Decision | None:
    found = Decision.objects.filter(case=case, state=DecisionState.PROPOSED).first()
    return _as_draft(found) if found else None


def _typed(request: HttpRequest, case: Case) -> Decision | None:
    """The decision that is being typed, not stored; None as long as it has errors, or is not to be made now."""
    task = Task.objects.filter(case=case, form=PROPOSAL, state=TaskState.OPEN).order_by("id").first()
    if task is None:
        return None
    panel = read_panel(task, case, request.POST, today=clock.today())
    if panel.errors:
        return None
    answers = panel.answers
    return _as_draft(
        Decision(
            case=case,
            outcome=answers["ergebnis"],
            amount=answers["betrag"],
            reasons=answers["begruendung"].strip(),
            details=answers.get("einzelheiten", {}),
        )
    )


def _as_draft(decision: Decision) -> Decision:
    """Where the letter names who decided, a draft says that nobody has yet."""
    decision.decided_function = "Entwurf, noch nicht freigegeben"
    return decision
