"""Uploads: what they are decides, not what they are called; what is kept stays what it was."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import zlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from tests.casework.conftest import World

from rathaus.casework.cases.actions.drafts import attach_file, begin_draft, save_draft
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.records.models import Document
from rathaus.casework.services.operations import Refused
from rathaus.core.files.actions import FileRefused, keep, media_type_of, path_of, read
from rathaus.core.files.models import Blob
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.tenancy import acting

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
JPG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


def exe() -> bytes:
    return b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + b"\0" * 200 + b"PE\0\0"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("plan.pdf", PDF, "application/pdf"),
        ("PLAN.PDF", PDF, "application/pdf"),
        ("bild.png", png(), "image/png"),
        ("foto.jpg", JPG, "image/jpeg"),
        ("foto.JPEG", JPG, "image/jpeg"),
    ],
)
def test_what_is_taken(name: str, content: bytes, found: str) -> None:
    assert media_type_of(name, content) == found


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("rechnung.pdf", exe(), "keine PDF-Datei"),
        ("rechnung.pdf", b"\x7fELF\x02\x01\x01" + b"\0" * 64, "keine PDF-Datei"),
        ("rechnung.pdf", b"#!/bin/sh\nrm -rf /\n", "keine PDF-Datei"),
        ("rechnung.pdf", b"PK\x03\x04" + b"\0" * 64, "keine PDF-Datei"),
        ("rechnung.pdf", b"<html><script>alert(1)</script>", "keine PDF-Datei"),
        ("rechnung.pdf", b" " + PDF, "keine PDF-Datei"),
        ("rechnung.pdf", b"MZ" + PDF, "keine PDF-Datei"),
        ("rechnung.pdf", JPG, "keine PDF-Datei"),
        ("bild.png", PDF, "keine PNG-Datei"),
        ("bild.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "keine PNG-Datei"),
        ("bild.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Möglich sind"),
        ("makro.docm", b"PK\x03\x04" + b"\0" * 64, "Möglich sind"),
        ("setup.exe", exe(), "Möglich sind"),
        ("rechnung.pdf.exe", PDF, "Möglich sind"),
        ("rechnung", PDF, "Möglich sind"),
        ("", PDF, "Möglich sind"),
        ("leer.pdf", b"", "leer"),
        ("kurz.pdf", b"%", "keine PDF-Datei"),
        ("nullen.pdf", b"\0" * 1000, "keine PDF-Datei"),
    ],
)
def test_what_is_refused(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        media_type_of(name, content)


def test_too_big_is_refused(settings: object) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1024 * 1024  # type: ignore[attr-defined]
    media_type_of("a.pdf", PDF.ljust(1024 * 1024))
    with pytest.raises(FileRefused, match="größer als 1 MB"):
        media_type_of("a.pdf", PDF.ljust(1024 * 1024 + 1))


def found(content: bytes) -> None:
    raise FileRefused("Die Datei enthält ein Virus.")


def test_what_the_scanner_finds_is_not_kept(world: World, settings: object) -> None:
    settings.VIRUS_SCAN = f"{__name__}.found"  # type: ignore[attr-defined]
    with acting(authority=world.ministry.id), pytest.raises(FileRefused, match="Virus"):
        keep(authority=world.ministry.id, content=PDF, media_type="application/pdf")
    assert not default_storage.exists(path_of(hashlib.sha256(PDF).hexdigest()))
    with acting(authority=world.ministry.id):
        assert not Blob.objects.exists()


# --- keeping -----------------------------------------------------------------------------------------------------


def kept(world: World, content: bytes = PDF) -> Blob:
    with acting(authority=world.ministry.id):
        return keep(authority=world.ministry.id, content=content, media_type="application/pdf")


def spoil(blob: Blob, content: bytes) -> None:
    name = path_of(blob.sha256)
    default_storage.delete(name)
    default_storage.save(name, ContentFile(content))


@pytest.mark.parametrize("instead", [PDF + b" ", PDF[:-1], b"", PDF.replace(b"1.7", b"1.4")])
def test_bytes_that_changed_in_the_store_are_not_given_out(instead: bytes, world: World) -> None:
    blob = kept(world)
    assert read(blob) == PDF
    spoil(blob, instead)
    with pytest.raises(FileRefused, match="beschädigt"):
        read(blob)


def test_bytes_that_are_gone_are_a_clear_answer(world: World) -> None:
    blob = kept(world)
    default_storage.delete(path_of(blob.sha256))
    with pytest.raises(FileRefused, match="fehlt"):
        read(blob)


def test_a_file_half_written_by_a_dying_process_is_written_again(world: World) -> None:
    """Else every later upload of the same bytes would be lost, since its name is there."""
    blob = kept(world)
    spoil(blob, PDF[:10])
    assert read(kept(world)) == PDF
    assert read(blob) == PDF


def test_two_authorities_keep_the_same_bytes_apart(world: World) -> None:
    with acting(authority=world.ministry.id):
        keep(authority=world.ministry.id, content=PDF, media_type="application/pdf")
    with acting(authority=world.waldsolms.id):
        mine = keep(authority=world.waldsolms.id, content=PDF, media_type="application/pdf")
        assert list(Blob.objects.all()) == [mine]
        assert read(mine) == PDF
    name = path_of(mine.sha256)
    folders, names = default_storage.listdir(name.rsplit("/", 1)[0])
    assert (folders, names) == ([], [mine.sha256])  # once in the store


def test_the_same_bytes_kept_at_once_by_many(committed_world: World) -> None:
    w = committed_world
    blobs: list[Blob] = []
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait(10)
        blobs.append(kept(w))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [read(blob) for blob in blobs] == [PDF] * 4


# --- of an application -------------------------------------------------------------------------------------------


def draft_with(world: World, sha256: str) -> Draft:
    draft = begin_draft(by=world.lahnau_officer, offer=world.offer, party=world.lahnau_party.id)
    file = {"name": "plan.pdf", "sha256": sha256, "size": len(PDF), "media_type": "application/pdf"}
    answers = {"titel": "Radweg", "betrag": "900.00", "ausgaben": "1000.00", "anlage": file}
    return save_draft(by=world.lahnau_officer, draft=draft, answers=answers)


def test_an_attachment_becomes_a_document_of_the_case(world: World) -> None:
    first = begin_draft(by=world.lahnau_officer, offer=world.offer, party=world.lahnau_party.id)
    blob = attach_file(by=world.lahnau_officer, draft=first, name="plan.pdf", content=PDF)
    case = submit_draft(by=world.lahnau_officer, draft=draft_with(world, blob.sha256).id)
    with world.lahnau_officer.acting():
        document = Document.objects.get(case_id=case.id)
        assert (document.file_name, document.size, document.sha256) == ("plan.pdf", len(PDF), blob.sha256)
    with world.waldsolms_officer.acting():
        assert not Document.objects.exists()


def test_somebody_elses_bytes_cannot_be_had_by_naming_their_hash(world: World) -> None:
    """A hash is no key: only what the party itself brought becomes its attachment."""
    theirs = begin_draft(by=world.waldsolms_officer, offer=world.offer, party=world.waldsolms_party.id)
    blob = attach_file(by=world.waldsolms_officer, draft=theirs, name="geheim.pdf", content=PDF)
    with pytest.raises(Refused, match="liegt uns nicht vor"):
        submit_draft(by=world.lahnau_officer, draft=draft_with(world, blob.sha256).id)
    with Actor.system(world.ministry.id).acting():
        assert not Document.objects.exists()
        assert not Case.objects.exists()


def test_nobody_attaches_to_somebody_elses_draft(world: World) -> None:
    theirs = begin_draft(by=world.waldsolms_officer, offer=world.offer, party=world.waldsolms_party.id)
    with pytest.raises(NotAllowed):
        attach_file(by=world.lahnau_officer, draft=theirs, name="plan.pdf", content=PDF)
    with pytest.raises(FileRefused):
        attach_file(by=world.waldsolms_officer, draft=theirs, name="plan.pdf", content=exe())
    with world.waldsolms_officer.acting():
        assert not Blob.objects.exists()


def test_a_name_cannot_lead_out_of_the_store(world: World) -> None:
    blob = kept(world, io.BytesIO(PDF).getvalue())
    assert path_of(blob.sha256).count("/") == 2
    assert media_type_of("../../etc/passwd.pdf", PDF) == "application/pdf"  # a name is only ever shown
