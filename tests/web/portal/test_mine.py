"""What was handed in: state, question and answer, receipt, notice, documents; and that nobody else sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.casework.conftest import World
from tests.web.portal.conftest import PDF, Person, ask, decided
from tests.web.queries import counted

from rathaus.casework.cases.models import Case, Draft, Message, Notice
from rathaus.casework.records.models import Document
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.law.text import format_date


def reloaded(world: World, case: Case) -> Case:
    with Actor.system(world.ministry.id).acting():
        return Case.objects.get(id=case.id)


def notice_of(world: World, case: Case) -> Notice:
    with Actor.system(world.ministry.id).acting():
        return Notice.objects.select_related("document").get(case=case)


def test_nothing_yet(officer: Person) -> None:
    page = officer.get("/meine/")
    assert "Noch kein Antrag" in page
    assert "Ihr Postfach ist leer" in page


def test_overview_parts_what_waits_for_the_applicant(world: World, officer: Person, full: Draft) -> None:
    asked, running = world.submit(titel="Gefragt"), world.submit(titel="Läuft")
    ask(world, asked)
    page = officer.get("/meine/")
    waits, rest = page.split("Wir warten auf Ihre Antwort")[1].split("Entwürfe")
    assert f"/meine/{asked.id}/" in waits
    assert f"/meine/{running.id}/" in rest.split("In Arbeit bei uns")[1]
    assert "<b>Rückfrage</b>" in rest


def test_a_case_says_where_it_stands_and_that_nothing_is_to_be_done(world: World, officer: Person) -> None:
    case = world.submit()
    page = officer.get(f"/meine/{case.id}/")
    assert "Sie müssen gerade nichts tun" in page
    assert case.reference in page
    assert "900,00" in page
    assert "<textarea" not in page


def test_question_and_answer_with_a_file(world: World, officer: Person) -> None:
    case = world.submit()
    ask(world, case)
    page = officer.get(f"/meine/{case.id}/")
    until = timezone.localdate() + timedelta(days=14)
    assert "Das brauchen wir noch von Ihnen" in page
    assert "Bitte reichen Sie den Beschluss nach." in page
    assert format_date(until) in page
    assert "noch 14 Tage" in page
    beschluss = SimpleUploadedFile("Beschluss.pdf", PDF)
    answer = officer.post(f"/meine/{case.id}/antwort/", text="Liegt bei.", dateien=beschluss)
    assert answer.headers["Location"] == f"/meine/{case.id}/#nachrichten"
    page = officer.get(f"/meine/{case.id}/")
    assert "Sie (Gemeinde Lahnau)" in page
    assert "Beschluss.pdf" in page
    assert "Sie müssen gerade nichts tun" in page


def test_a_refused_file_keeps_the_text_of_the_answer(world: World, officer: Person) -> None:
    case = world.submit()
    ask(world, case)
    program = SimpleUploadedFile("Beschluss.pdf", b"MZ\x90\x00" + b"\0" * 100)
    page = officer.post(
        f"/meine/{case.id}/antwort/", 422, text="Lang getippt", dateien=program
    ).content.decode()
    assert "Lang getippt</textarea>" in page
    assert "ist aber keine PDF-Datei" in page
    assert 'href="#dateien"' in page
    assert 'id="dateien-fehler"' in page
    assert 'id="antwort-fehler"' not in page
    assert "<title>Fehler: " in page
    with officer.actor.acting():
        assert not Message.objects.filter(case=case, sender="applicant").exists()


def test_a_file_too_large_keeps_the_text_of_the_answer(
    world: World, officer: Person, settings: Settings
) -> None:
    settings.REQUEST_LIMIT_BYTES = 1_000
    case = world.submit()
    ask(world, case)
    large = SimpleUploadedFile("film.pdf", b"x" * 2_000)
    page = officer.post(
        f"/meine/{case.id}/antwort/", 413, text="Lang getippt", dateien=large
    ).content.decode()
    assert "Lang getippt</textarea>" in page
    assert "„film.pdf“ ist nicht gespeichert" in page


def test_an_empty_answer_and_an_answer_to_no_question_are_refused(world: World, officer: Person) -> None:
    case = world.submit()
    page = officer.post(f"/meine/{case.id}/antwort/", 422, text="Ungefragt").content.decode()
    assert "wird gerade nicht gewartet" in page
    ask(world, case)
    assert (
        "Schreiben Sie eine Antwort"
        in officer.post(f"/meine/{case.id}/antwort/", 422, text=" ").content.decode()
    )


def test_a_login_that_ends_while_answering_loses_nothing(world: World, officer: Person) -> None:
    case = world.submit()
    ask(world, case)
    found = re.search(r'name="kept_for" value="([^"]+)"', officer.get(f"/meine/{case.id}/"))
    assert found
    browser = Client()
    answer = browser.post(f"/meine/{case.id}/antwort/", {"text": "Lang getippt", "kept_for": found[1]})
    assert answer.headers["Location"].startswith("/anmelden/?next=")
    browser.force_login(Account.objects.get(pk=officer.actor.account))
    back = browser.get(f"/meine/{case.id}/antwort/", follow=True)
    assert "Lang getippt</textarea>" in back.content.decode()


def test_receipt_page_and_pdf_hold_everything_that_was_sent(
    full: Draft, officer: Person, world: World
) -> None:
    step = f"/antrag/{full.id}/anlagen/"
    officer.post(step, anlagen=SimpleUploadedFile("plan.pdf", PDF))
    where = officer.post(f"/antrag/{full.id}/pruefen/").headers["Location"]
    page = officer.get(where)
    assert "Ihr Antrag ist eingegangen" in page
    assert "PDF, mit allen Angaben" in page
    answer = officer.client.get(where.replace("eingang/", "quittung.pdf"))
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(BytesIO(answer.content)).pages)
    with officer.actor.acting():
        case = Case.objects.select_related("application").get(offer__slug="akte")
        paper = Document.objects.get(case_id=case.id)
    squeezed = re.sub(r"\s", "", text)
    for part in (case.reference, "Neue Akte", "Software", "1.000,00", "plan.pdf", paper.sha256):
        assert re.sub(r"\s", "", part) in squeezed
    checksum = re.search(r"[0-9a-f]{64}", page)
    assert checksum
    assert checksum[0] in squeezed
    again = officer.client.get(where.replace("eingang/", "quittung.pdf"))
    assert again.content == answer.content


def test_notice_in_words_with_its_dates_and_reading_it_is_noted(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    notice = notice_of(world, case)
    assert notice.read_at is None
    overview = officer.get("/meine/")
    assert f"/meine/{case.id}/bescheid/{notice.id}/" in overview
    assert "neu</span>" in overview
    page = officer.get(f"/meine/{case.id}/bescheid/{notice.id}/")
    assert "Ihr Antrag ist bewilligt" in page
    assert "Sie erhalten 900,00" in page
    assert format_date(notice.deemed_on) in page
    assert format_date(notice.remedy_until) in page
    assert "Klage ist bis dahin möglich" in page
    assert "Alles erfüllt." in page
    first = notice_of(world, case).read_at
    assert first is not None
    officer.get(f"/meine/{case.id}/bescheid/{notice.id}/")
    assert notice_of(world, case).read_at == first
    assert "neu</span>" not in officer.get("/meine/")


def test_a_refusal_is_said_plainly_and_without_money(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case, ergebnis="refused", betrag=None)
    page = officer.get(f"/meine/{case.id}/")
    assert "Ihr Antrag ist abgelehnt" in page
    assert "Sie erhalten" not in page


def test_documents_are_saved_not_run(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    notice = notice_of(world, case)
    path = f"/meine/{case.id}/dokument/{notice.document_id}"
    answer = officer.client.get(path)
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert notice_of(world, case).read_at is not None
    seen = officer.client.get(f"{path}?ansehen")
    assert seen.headers["Content-Disposition"].startswith("inline")
    assert seen.headers["Content-Security-Policy"] == "default-src 'none'"


def test_nothing_but_pdf_and_images_is_ever_shown_inline(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    with Actor.system(world.ministry.id).acting():
        original = notice_of(world, case).document
        other = Document.objects.create(
            **{
                name: getattr(original, name)
                for name in (
                    "authority_id",
                    "case_id",
                    "party_id",
                    "blob_id",
                    "sha256",
                    "size",
                    "origin",
                    "title",
                )
            },
            kind="reply",
            file_name="seite.html",
            media_type="text/html",
        )
    answer = officer.client.get(f"/meine/{case.id}/dokument/{other.id}?ansehen")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_nobody_elses_case_exists(world: World, neighbour: Person, resident: Person) -> None:
    case = world.submit()
    ask(world, case)
    other = world.submit(by=world.waldsolms_officer, party=world.waldsolms_party)
    decided(world, other)
    notice = notice_of(world, other)
    for path in ("", "eingang/", "quittung.pdf"):
        neighbour.get(f"/meine/{case.id}/{path}", status=404)
        resident.get(f"/meine/{case.id}/{path}", status=404)
    neighbour.post(f"/meine/{case.id}/antwort/", 404, text="Fremd")
    resident.get(f"/meine/{other.id}/bescheid/{notice.id}/", status=404)
    resident.get(f"/meine/{other.id}/dokument/{notice.document_id}", status=404)
    neighbour.get(f"/meine/{case.id}/dokument/{notice.document_id}", status=404)
    neighbour.get(f"/meine/{other.id}/bescheid/{uuid4()}/", status=404)
    assert notice_of(world, other).read_at is None
    assert reloaded(world, case).state == "ACTION_REQUIRED"


def test_what_is_internal_stays_hidden(world: World, officer: Person) -> None:
    case = world.submit()
    decided(world, case)
    with Actor.system(world.ministry.id).acting():
        original = notice_of(world, case).document
        Document.objects.create(
            **{
                name: getattr(original, name)
                for name in (
                    "authority_id",
                    "case_id",
                    "party_id",
                    "blob_id",
                    "sha256",
                    "size",
                    "origin",
                    "media_type",
                )
            },
            kind="reply",
            title="Vermerk",
            file_name="Vermerk.pdf",
            is_for_applicant=False,
        )
    assert "Vermerk" not in officer.get(f"/meine/{case.id}/")


@pytest.mark.parametrize("path", ["", "eingang/"])
def test_pages_of_a_case_take_few_statements(
    world: World, officer: Person, run_jobs: Callable[[], int], path: str
) -> None:
    case = world.submit()
    ask(world, case)
    officer.get(f"/meine/{case.id}/{path}")
    with counted() as statements:
        officer.get(f"/meine/{case.id}/{path}")
    assert len(statements) <= 12, "\n".join(statements)
