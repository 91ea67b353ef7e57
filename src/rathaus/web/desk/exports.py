"""Whole files as a ZIP. Asked for by a form, since it leaves a trace in the history."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from rathaus.casework.cases.actions.exporting import Export, export_case
from rathaus.casework.cases.export.bundle import safe_name
from rathaus.casework.cases.models import Case
from rathaus.casework.cases.permissions import check_may_export
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.exporting import count_cases, export_programme
from rathaus.domains.grants.models import Programme
from rathaus.web.desk.access import actor_of, for_staff, frame_of

MOST_CASES = 100  # a programme of more takes longer than a browser waits


@require_POST
@for_staff
def case_file(request: HttpRequest, reference: str) -> HttpResponse:
    """A case with all that followed it."""
    by = actor_of(request)
    try:
        return _download(lambda to: export_case(by=by, reference=reference, to=to), f"Akte-{reference}.zip")
    except Case.DoesNotExist as missing:
        raise Http404 from missing


@require_POST
@for_staff
def programme_file(request: HttpRequest, key: str) -> HttpResponse:
    """A programme with all its cases; a large one is for the command."""
    by = actor_of(request)
    check_may_export(by, by.staff_of)
    try:
        if count_cases(by, key) > MOST_CASES:
            return _too_large(request, by, key)
        return _download(lambda to: export_programme(by=by, programme=key, to=to), f"Programm-{key}.zip")
    except Programme.DoesNotExist as missing:
        raise Http404 from missing


def _download(write: Callable[[Path], Export], name: str) -> HttpResponse:
    """Written to disk first, then sent from there piece by piece; nothing stays."""
    with tempfile.TemporaryDirectory(prefix="akte-") as folder:
        to = Path(folder) / "akte.zip"
        found = write(to)
        content = to.open("rb")  # stays readable when its name is gone; closed with the response
    answer = FileResponse(
        content, as_attachment=True, filename=safe_name(name), content_type="application/zip"
    )
    answer["X-Content-SHA256"] = found.sha256
    return answer  # type: ignore[return-value]  # a response that streams


def _too_large(request: HttpRequest, by: Actor, key: str) -> HttpResponse:
    frame = frame_of(request, current="programmes")
    slug = Authority.objects.values_list("slug", flat=True).get(id=by.staff_of)
    context = {"frame": frame, "key": key, "slug": slug, "most": MOST_CASES}
    return render(request, "desk/export_too_large.html", context, status=422)
