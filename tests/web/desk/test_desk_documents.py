"""Files leave the desk as downloads that cannot run; the draft of a letter is made and not kept."""

from __future__ import annotations

from io import BytesIO
from uuid import uuid4

from pypdf import PdfReader
from tests.web.desk.conftest import Desk, proposed, smart_case

from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Decision, Notice
from rathaus.casework.records.models import Document
from rathaus.core.files.models import Blob
from rathaus.web.desk.documents import file_response

PDF = b"%PDF-1.7 x"


def with_document(desk: Desk) -> tuple[Case, Document]:
    case = desk.world.submit()
    complete_task(
        by=desk.actor,
        task=desk.world.task(case).id,
        answers={"vollstaendig": False, "nachricht": "Was fehlt?"},
    )
    with desk.actor.acting():
        case.refresh_from_db()
    answer_request(by=desk.world.lahnau_officer, case=case, body="", uploads=[('Plan "ä".pdf', PDF)])
    with desk.actor.acting():
        return case, Document.objects.get()


def test_download_and_view(clerk: Desk) -> None:
    case, document = with_document(clerk)
    address = f"/amt/vorgang/{case.reference}/dokument/{document.id}/"
    saved = clerk.client.get(address)
    assert saved.content == PDF
    assert saved["Content-Disposition"].startswith("attachment; filename*=utf-8''Plan")
    assert saved["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in saved["Content-Security-Policy"]
    shown = clerk.client.get(address + "?ansehen")
    assert shown["Content-Disposition"].startswith("inline")
    assert "default-src 'none'" in shown["Content-Security-Policy"]
    assert "private" in saved["Cache-Control"]


def test_a_document_belongs_to_its_case(clerk: Desk) -> None:
    _, document = with_document(clerk)
    other = clerk.world.submit()
    clerk.get(f"/amt/vorgang/{other.reference}/dokument/{document.id}/", 404)
    clerk.get(f"/amt/vorgang/{other.reference}/dokument/{uuid4()}/", 404)
    clerk.get(f"/amt/vorgang/GIBT-ES-NICHT/dokument/{document.id}/", 404)


def test_what_is_neither_pdf_nor_image_is_never_shown() -> None:
    answer = file_response(b"<script>", "x.html", "text/html", is_shown=True)
    assert answer["Content-Disposition"] == 'attachment; filename="x.html"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer["Content-Security-Policy"]
    picture = file_response(b"x", "x.png", "image/png", is_shown=True)
    assert picture["Content-Disposition"].startswith("inline")
    assert "sandbox" in picture["Content-Security-Policy"]


def test_a_lost_file_is_said(clerk: Desk) -> None:
    case, document = with_document(clerk)
    from django.core.files.storage import default_storage

    from rathaus.core.files.actions import path_of

    default_storage.delete(path_of(document.sha256))
    page = clerk.get(f"/amt/vorgang/{case.reference}/dokument/{document.id}/", 503)
    assert "Die Datei fehlt im Speicher." in page


def test_draft_of_the_open_proposal(clerk: Desk, head: Desk) -> None:
    case = proposed(clerk.world)
    answer = head.client.get(f"/amt/vorgang/{case.reference}/entwurf/")
    assert answer["Content-Type"] == "application/pdf"
    assert "Entwurf-" in answer["Content-Disposition"]
    document = PdfReader(BytesIO(answer.content))
    assert document.metadata
    assert document.metadata.title == f"Entwurf: Bescheid {case.reference}"
    assert "Bewilligt" in document.pages[0].extract_text()
    with clerk.actor.acting():
        assert not Notice.objects.exists()
        assert not Blob.objects.exists()


def test_draft_of_what_is_typed(clerk: Desk) -> None:
    case = clerk.world.submit()
    address = f"/amt/vorgang/{case.reference}/entwurf/"
    typed = {"ergebnis": "granted", "betrag": "900,00", "begruendung": "Passt."}
    assert "Noch keine Vorschau" in clerk.get(address, 422)
    clerk.post(address, 422, **typed)  # not to be proposed yet
    complete_task(by=clerk.actor, task=clerk.world.task(case).id, answers={"vollstaendig": True})
    clerk.post(address, 422, **{**typed, "betrag": "x"})
    for outcome, word in (("granted", "Bewilligt"), ("refused", "Abgelehnt")):
        answer = clerk.post(address, 200, **{**typed, "ergebnis": outcome})
        assert word in PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    with clerk.actor.acting():
        assert not Decision.objects.exists()


def test_draft_of_the_real_letter(clerk: Desk) -> None:
    case = smart_case(clerk.world, "waldsolms")
    complete_task(by=clerk.actor, task=clerk.world.task(case).id, answers={"vollstaendig": True})
    address = f"/amt/vorgang/{case.reference}/entwurf/"
    typed = {"ergebnis": "partly", "betrag": "120.000", "jahr_2021": "20.000", "jahr_2022": "100.000"}
    answer = clerk.post(address, 200, **typed, begruendung="Der Zweck wird erreicht.")
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    assert "120.000,00" in text
    assert "100.000,00" in text
    assert "noch nicht freigegeben" in text
