"""A partner that an application names agrees, or not; it sees what it is asked, and nothing else of the case."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from rathaus.casework.cases.actions.confirmations import answer_confirmation
from rathaus.casework.cases.models import Confirmation
from rathaus.casework.cases.queries import own_confirmation
from rathaus.casework.services.operations import Refused
from rathaus.web.account import kept
from rathaus.web.parts import Fact, Link
from rathaus.web.portal.access import for_account
from rathaus.web.portal.frames import actor_of, frame_of


@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_account
def answer(request: HttpRequest, confirmation: UUID) -> HttpResponse:
    """What is asked, with two buttons; a POST answers, once."""
    by = actor_of(request)
    try:
        found = own_confirmation(by, confirmation)
    except Confirmation.DoesNotExist as missing:
        raise Http404("Diese Bestätigung gibt es nicht.") from missing
    reason, problem = "", ""
    if request.method == "POST":
        reason, said = request.POST.get("grund", ""), request.POST.get("antwort", "")
        if said not in ("ja", "nein"):
            problem = "Wählen Sie, ob Sie die Mitwirkung bestätigen oder ablehnen."
        else:
            try:
                answer_confirmation(by=by, confirmation=confirmation, confirms=said == "ja", note=reason)
            except Refused as refused:
                problem = str(refused)
            else:
                return redirect("portal:confirmation", confirmation)
    elif typed := kept.take(request, request.path):
        reason = typed.get("grund", "")
    context = {
        "frame": frame_of(request, authority=found.authority, current=reverse("portal:mine")),
        "crumbs": (Link("Meine Anträge", reverse("portal:mine")), Link("Bestätigung", "")),
        "asked": found,
        "facts": (
            Fact("Vorhaben", found.title),
            Fact("Wer stellt den Antrag?", found.applicant_name),
            Fact("Leistung", found.service),
            Fact("Bei", found.authority.label),
            Fact("Wer ist gefragt?", found.partner.label),
            Fact("Genannt als", found.role),
        ),
        "reason": reason,
        "problem": problem,
        "kept_for": kept.owner_token(request, request.path),
        "kept_field": kept.FIELD,
    }
    return render(request, "portal/confirmation.html", context, status=422 if problem else 200)
