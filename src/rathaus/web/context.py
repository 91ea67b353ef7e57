"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """`vorschau`: whether this installation is a preview and says so."""
    return {"vorschau": settings.IS_PREVIEW}
