"""The case page and what can be done on it. Every form comes back with what was typed if it could not be saved."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.cases.actions.decisions import allow_exception
from rathaus.casework.cases.actions.incidents import retry_incident
from rathaus.casework.cases.actions.messages import send_message
from rathaus.casework.cases.actions.tasks import TaskTaken, complete_task
from rathaus.casework.cases.models import Case, Finding, Incident, Task
from rathaus.casework.cases.queries import case_file
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.web.account import kept
from rathaus.web.addresses import key_in
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.case_page import Typed, page_of
from rathaus.web.desk.grant_panel import panel_of
from rathaus.web.desk.panels import read_panel
from rathaus.web.desk.reviews.case_section import section_of


@require_GET
@for_staff
def show(request: HttpRequest, reference: str) -> HttpResponse:
    """Everything about a case, and the form of the open task that this person may do."""
    return case_page(request, reference, Typed(task=key_in(request.GET.get("aufgabe", ""))))


@require_http_methods(["GET", "POST"])
@for_staff
def complete(request: HttpRequest, reference: str, task: UUID) -> HttpResponse:
    """Complete a task with its form."""
    found = _task(request, reference, task)
    here = f"{_address(reference)}?aufgabe={task}"
    if request.method == "GET":  # back from the login page, perhaps with what was typed before
        typed = kept.take(request, request.path)
        if typed is None:
            return redirect(here)
        panel = read_panel(found, found.case, typed, today=clock.today())
        return case_page(request, reference, Typed(task=task, panel=panel.unchecked()))
    panel = read_panel(found, found.case, request.POST, today=clock.today())
    if panel.errors:
        return case_page(request, reference, Typed(task=task, panel=panel), status=422)
    try:
        complete_task(by=actor_of(request), task=task, answers=panel.answers)
    except TaskTaken as faster:
        return case_page(request, reference, Typed(task=task, panel=panel, taken=str(faster)), status=409)
    except Refused as wrong:
        return case_page(request, reference, Typed(task=task, panel=panel.refused(str(wrong))), status=422)
    messages.success(request, f"„{found.title}“ ist erledigt.")
    return redirect(_address(reference))


@require_http_methods(["GET", "POST"])
@for_staff
def allow(request: HttpRequest, reference: str, finding: UUID) -> HttpResponse:
    """Allow an exception from a rule that is not met."""
    _own(request, reference)
    reason = _text(request, "grund")
    if request.method == "POST":
        try:
            allow_exception(by=actor_of(request), finding=finding, reason=reason)
        except Finding.DoesNotExist as missing:
            raise Http404 from missing
        except Refused as wrong:
            typed = Typed(finding=finding, reason=reason, finding_error=str(wrong))
            return case_page(request, reference, typed, status=422)
        messages.success(request, "Die Ausnahme ist zugelassen und steht im Verlauf.")
        return redirect(_address(reference))
    if waiting := kept.take(request, request.path):
        return case_page(request, reference, Typed(finding=finding, reason=waiting.get("grund", "")))
    return redirect(_address(reference) + "#pruefung")


@require_http_methods(["GET", "POST"])
@for_staff
def write(request: HttpRequest, reference: str) -> HttpResponse:
    """Send the applicant a message that asks for nothing."""
    case = _own(request, reference)
    if request.method == "POST":
        body = _text(request, "text")
        try:
            send_message(by=actor_of(request), case=case, body=body)
        except Refused as wrong:
            return case_page(request, reference, Typed(message=body, message_error=str(wrong)), status=422)
        messages.success(request, "Die Nachricht ist gesendet.")
        return redirect(_address(reference) + "#nachrichten")
    if waiting := kept.take(request, request.path):
        return case_page(request, reference, Typed(message=waiting.get("text", "")))
    return redirect(_address(reference) + "#nachrichten")


@require_http_methods(["GET", "POST"])
@for_staff
def retry(request: HttpRequest, reference: str, incident: UUID) -> HttpResponse:
    """Try a failed operation once more."""
    _own(request, reference)
    if request.method == "POST":
        try:
            found = retry_incident(by=actor_of(request), incident=incident)
        except Incident.DoesNotExist as missing:
            raise Http404 from missing
        except Refused as wrong:
            messages.warning(request, str(wrong))
        else:
            if found.state == "resolved":
                messages.success(request, "Es hat geklappt. Der Ablauf geht weiter.")
            else:
                messages.error(
                    request, "Es hat wieder nicht geklappt. Nichts ist verloren; die Störung bleibt offen."
                )
    return redirect(_address(reference))


def case_page(request: HttpRequest, reference: str, typed: Typed, *, status: int = 200) -> HttpResponse:
    """The page of a case with what was typed into one of its forms."""
    try:
        file = case_file(actor_of(request), reference)
    except Case.DoesNotExist as missing:
        raise Http404 from missing
    owner = partial(kept.owner_token, request)
    page = page_of(file, actor_of(request), typed, now=clock.now(), owner=owner)
    context = {
        "frame": frame_of(request),
        "page": page,
        "grant": panel_of(actor_of(request), file.case),
        "reviews": section_of(actor_of(request), file.case),
    }
    return render(request, "desk/case.html", context, status=status)


def _own(request: HttpRequest, reference: str) -> Case:
    """The case, if this authority keeps it. Raises Http404."""
    try:
        return Case.objects.get(authority_id=actor_of(request).staff_of, reference=reference)
    except Case.DoesNotExist as missing:
        raise Http404 from missing


def _task(request: HttpRequest, reference: str, task: UUID) -> Task:
    try:
        return Task.objects.select_related("case__offer", "case__terms", "case__application").get(
            id=task, case__reference=reference, authority_id=actor_of(request).staff_of
        )
    except Task.DoesNotExist as missing:
        raise Http404 from missing


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "")


def _address(reference: str) -> str:
    return reverse("desk:case", args=[reference])
