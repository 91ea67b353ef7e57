"""Noting what is done against a notice, on the case page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from rathaus.casework.cases.actions.remedies import note_remedy, settle_remedy
from rathaus.casework.cases.models import Notice, Remedy
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.web.account import kept
from rathaus.web.desk.access import actor_of, for_staff
from rathaus.web.desk.case import case_page
from rathaus.web.desk.case_page import Typed
from rathaus.web.desk.remedies import RemedyPanel, note_panel, settle_panel


@require_http_methods(["GET", "POST"])
@for_staff
def note(request: HttpRequest, reference: str, notice: UUID) -> HttpResponse:
    """An objection or action came in."""
    by = actor_of(request)
    found = Notice.objects.filter(id=notice, case__reference=reference, authority_id=by.staff_of).first()
    if found is None:
        raise Http404
    return _act(
        request,
        reference,
        lambda data: note_panel(reference, found, data, today=clock.today()),
        lambda panel, day: note_remedy(
            by=by, notice=notice, kind=panel.choice.text, received_on=day, note=panel.note.text
        ),
        "Der Rechtsbehelf ist vermerkt.",
    )


@require_http_methods(["GET", "POST"])
@for_staff
def settle(request: HttpRequest, reference: str, remedy: UUID) -> HttpResponse:
    """It is over."""
    by = actor_of(request)
    own = Remedy.objects.filter(id=remedy, case__reference=reference, authority_id=by.staff_of)
    if not own.exists():
        raise Http404
    return _act(
        request,
        reference,
        lambda data: settle_panel(reference, remedy, data, today=clock.today()),
        lambda panel, day: settle_remedy(
            by=by, remedy=remedy, settled_on=day, result=panel.choice.text, note=panel.note.text
        ),
        "Der Ausgang ist vermerkt.",
    )


def _act(
    request: HttpRequest,
    reference: str,
    panel_of: Callable[..., RemedyPanel],
    act: Callable[[RemedyPanel, date], object],
    done: str,
) -> HttpResponse:
    """Read, do, go back to the section; what cannot be saved is shown again as it was typed."""
    here = reverse("desk:case", args=[reference]) + "#rechtsbehelf"
    if request.method != "POST":
        typed = kept.take(request, request.path)
        if typed is None:
            return redirect(here)
        return case_page(request, reference, Typed(remedy=replace(panel_of(typed), is_open=True)))
    panel = panel_of(request.POST).checked()
    day = panel.read_day
    if panel.has_error or day is None:
        return case_page(request, reference, Typed(remedy=panel), status=422)
    try:
        act(panel, day)
    except Refused as wrong:
        return case_page(request, reference, Typed(remedy=replace(panel, refusal=str(wrong))), status=422)
    messages.success(request, done)
    return redirect(here)
