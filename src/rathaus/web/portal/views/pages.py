"""Pages of plain text: help, privacy, accessibility, imprint."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from rathaus.web.portal.frames import frame_of


@require_safe
def page(request: HttpRequest, template: str) -> HttpResponse:
    """One of the pages named in urls.py."""
    return render(request, template, {"frame": frame_of(request, current=request.path)})
