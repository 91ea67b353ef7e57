"""The register of municipalities, to search in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from rathaus.web.portal.filling import SEARCH
from rathaus.web.portal.frames import frame_of
from rathaus.web.portal.register import hits_for


@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """`/verzeichnis/?q=`: a page; for htmx the hits alone, with buttons that choose one for the field `feld`."""
    text = request.GET.get("q", request.GET.get(SEARCH, "")).strip()
    context = {"search": text, "hits": hits_for(text), "field": request.GET.get("feld", "")}
    if request.headers.get("HX-Request") == "true":
        return render(request, "portal/parts/hits.html", context)
    return render(request, "portal/register.html", context | {"frame": frame_of(request)})
