"""Uploads that are too large: their bytes are thrown away while they arrive, what was typed beside them is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from rathaus.web.errors import too_large

# Up to so many times the limit a request is read on, so that the page that says why can still be seen.
PATIENCE = 10


@dataclass(frozen=True)
class RefusedUpload:
    """A file that was not kept: the field it was for, its name, and a German sentence for people."""

    field: str
    name: str
    reason: str


def refused_uploads(request: HttpRequest) -> list[RefusedUpload]:
    """What the handler below threw away. Reads the body of the request if that was not yet done."""
    _ = request.POST
    return getattr(request, "refused_uploads", [])


def takes_refused_uploads(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Mark a view that tells people itself about refused uploads; any other gets the page 413 in its stead."""
    view.takes_refused_uploads = True  # type: ignore[attr-defined]  # a mark, as Django's own decorators leave
    return view


class LimitedUploads(FileUploadHandler):
    """Stands first among the handlers and skips what is larger than a file, or a request, may be."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803  Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        self.is_request_too_large = content_length > settings.REQUEST_LIMIT_BYTES
        self.taken = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.taken = 0
        if self.is_request_too_large:
            limit = settings.REQUEST_LIMIT_BYTES // 1024 // 1024
            self._refuse(
                f"Auf einmal nehmen wir höchstens {limit}\u00a0MB an. „{self.file_name}“ ist nicht gespeichert."
            )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.taken += len(raw_data)
        if self.taken > settings.UPLOAD_LIMIT_BYTES:
            limit = settings.UPLOAD_LIMIT_BYTES // 1024 // 1024
            self._refuse(
                f"Die Datei „{self.file_name}“ ist größer als {limit}\u00a0MB. "
                "Verkleinern Sie sie oder teilen Sie sie auf."
            )
        return raw_data

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return None

    def _refuse(self, reason: str) -> None:
        assert self.request is not None
        found = getattr(self.request, "refused_uploads", [])
        self.request.refused_uploads = [  # type: ignore[attr-defined]  # read by refused_uploads() only
            *found,
            RefusedUpload(self.field_name or "", self.file_name or "", reason),
        ]
        raise SkipFile


class UploadLimit:
    """Turns away what is far too large unread, and views that do not look at refused uploads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _length(request) > PATIENCE * settings.REQUEST_LIMIT_BYTES:
            return too_large(request)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.method != "POST" or getattr(view, "takes_refused_uploads", False):
            return None
        return too_large(request) if refused_uploads(request) else None


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0
