"""Taking an application back: what that means first, then the act."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from rathaus.casework.cases.actions.withdrawal import withdraw_application
from rathaus.casework.cases.models import Case
from rathaus.casework.cases.queries import can_withdraw, own_case
from rathaus.casework.services.operations import Refused
from rathaus.web.account import kept
from rathaus.web.parts import Link
from rathaus.web.portal.access import for_account
from rathaus.web.portal.frames import actor_of, frame_of


@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_account
def withdraw(request: HttpRequest, case: UUID) -> HttpResponse:
    """Says what follows and asks once; a POST withdraws."""
    by = actor_of(request)
    try:
        found = own_case(by, case)
    except Case.DoesNotExist as missing:
        raise Http404("Diesen Antrag gibt es nicht.") from missing
    reason, problem = "", ""
    if request.method == "POST":
        reason = request.POST.get("grund", "")
        try:
            withdraw_application(by=by, case=found, reason=reason)
        except Refused as refused:
            problem = str(refused)
        else:
            return redirect("portal:case", case)
    elif not can_withdraw(found):
        return redirect("portal:case", case)
    elif typed := kept.take(request, request.path):
        reason = typed.get("grund", "")
    context = {
        "frame": frame_of(request, authority=found.authority, current=reverse("portal:mine")),
        "crumbs": (
            Link("Meine Anträge", reverse("portal:mine")),
            Link(found.reference, reverse("portal:case", args=[case])),
            Link("Zurückziehen", ""),
        ),
        "case": found,
        "reason": reason,
        "problem": problem,
        "kept_for": kept.owner_token(request, request.path),
        "kept_field": kept.FIELD,
    }
    return render(request, "portal/withdraw.html", context, status=422 if problem else 200)
