"""Giving up objection and action against a notice: what that means first, then the act."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.enums import RemedyForm
from rathaus.casework.cases.models import Notice
from rathaus.casework.services.operations import Refused
from rathaus.web.parts import Link
from rathaus.web.portal import mine
from rathaus.web.portal.access import for_account
from rathaus.web.portal.frames import actor_of, frame_of


@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_account
def waive(request: HttpRequest, case: UUID, notice: UUID) -> HttpResponse:
    """Explains in plain words and asks once; a POST gives the remedy up."""
    by = actor_of(request)
    notices = Notice.objects.select_related("decision", "case__authority", "case__application", "case__offer")
    found = notices.filter(id=notice, case_id=case, party_id__in=by.parties).first()
    if found is None:
        raise Http404("Diesen Bescheid gibt es nicht.")
    problem = ""
    if request.method == "POST":
        if request.POST.get("verstanden") != "ja":
            problem = "Bestätigen Sie, dass Sie verzichten möchten."
        else:
            try:
                waive_remedy(by=by, notice=found)
            except Refused as refused:
                problem = str(refused)
            else:
                return redirect("portal:notice", case, notice)
    elif not mine.waiver_of(found):
        return redirect("portal:notice", case, notice)
    context = {
        "frame": frame_of(request, authority=found.case.authority, current=reverse("portal:mine")),
        "crumbs": (
            Link("Meine Anträge", reverse("portal:mine")),
            Link(found.case.reference, reverse("portal:case", args=[case])),
            Link("Bescheid", mine.notice_url(found)),
            Link("Verzicht", ""),
        ),
        "case": found.case,
        "notice": found,
        "remedy": RemedyForm(found.remedy).label,
        "problem": problem,
    }
    return render(request, "portal/waive.html", context, status=422 if problem else 200)
