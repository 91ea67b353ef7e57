"""Answers to requests that cannot be taken as they came."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was opened before somebody logged in anew, or comes from elsewhere: nothing is done."""
    return render(request, "web/csrf.html", status=403)


def too_large(request: HttpRequest) -> HttpResponse:
    """More than this installation takes in one request: nothing of it was kept."""
    return render(request, "413.html", status=413)
