"""Keeping bytes: type by content, limits, virus scan hook, written once under their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

import puremagic
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.module_loading import import_string

from rathaus.core.files.models import Blob

ALLOWED = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
}


class FileRefused(Exception):
    """The upload is not taken. The text is a German sentence for people."""


def media_type_of(name: str, content: bytes) -> str:
    """The type by content. Raises FileRefused where content and name disagree or the type is not allowed."""
    if not content:
        raise FileRefused(f"Die Datei „{name}“ ist leer. Wählen Sie eine andere Datei.")
    if len(content) > settings.UPLOAD_LIMIT_BYTES:
        limit = settings.UPLOAD_LIMIT_BYTES // 1024 // 1024
        raise FileRefused(
            f"Die Datei „{name}“ ist größer als {limit} MB. Verkleinern Sie sie oder teilen Sie sie auf."
        )
    if content[:5] == b"%PDF-":
        found = "application/pdf"
    else:
        try:
            found = puremagic.from_string(content[:4096], mime=True)
        except (puremagic.PureError, ValueError):
            found = ""
    endings = ALLOWED.get(found)
    if endings is None or not name.lower().endswith(endings):
        ending = name.rsplit(".", 1)[-1].upper() if "." in name else ""
        claimed = (
            f" Sie endet auf .{ending.lower()}, ist aber keine {ending}-Datei."
            if ending in {"PDF", "PNG", "JPG", "JPEG"}
            else ""
        )
        raise FileRefused(f"Die Datei „{name}“ nehmen wir nicht an.{claimed} Möglich sind PDF, PNG und JPG.")
    return found


def keep(*, authority: UUID, content: bytes, media_type: str, party: UUID | None = None) -> Blob:
    """Write bytes to the store, once whoever keeps them, and note anew that this authority keeps them."""
    if settings.VIRUS_SCAN:
        import_string(settings.VIRUS_SCAN)(content)
    sha256 = hashlib.sha256(content).hexdigest()
    name = path_of(sha256)
    if not (default_storage.exists(name) and default_storage.size(name) == len(content)):
        _write(name, content)
    return Blob.objects.create(
        authority_id=authority, sha256=sha256, size=len(content), media_type=media_type, party_id=party
    )


def _write(name: str, content: bytes) -> None:
    """Whole or not at all, whoever dies or writes the same at the same moment; an object store does that by itself."""
    try:
        target = Path(default_storage.path(name))
    except NotImplementedError:
        default_storage.save(name, ContentFile(content))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as beside:
        beside.write(content)
    Path(beside.name).chmod(settings.FILE_UPLOAD_PERMISSIONS)
    Path(beside.name).replace(target)


def read(blob: Blob) -> bytes:
    """The bytes, checked against their hash. Raises FileRefused if the store lost or changed them."""
    try:
        with default_storage.open(path_of(blob.sha256), "rb") as stored:
            content = stored.read()
    except FileNotFoundError as wrong:
        raise FileRefused("Die Datei fehlt im Speicher. Bitte melden Sie das der Betriebsstelle.") from wrong
    if hashlib.sha256(content).hexdigest() != blob.sha256:
        raise FileRefused("Die Datei im Speicher ist beschädigt. Bitte melden Sie das der Betriebsstelle.")
    return content


def path_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
