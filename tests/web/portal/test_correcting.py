"""Correcting answers at the portal: asked, opened again, handed in, compared."""

from __future__ import annotations

import re
from io import BytesIO

import pypdf
from django.test import Client
from tests.casework.conftest import World
from tests.web.portal.conftest import Person, ask
from tests.web.queries import counted

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Application, Case
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account


def asked(world: World) -> Case:
    """A question with leave to correct."""
    case = world.submit()
    answers = {"vollstaendig": False, "nachricht": "Der Betrag stimmt nicht.", "korrektur": True}
    complete_task(by=world.clerk, task=world.task(case).id, answers=answers)
    return case


def open_form(officer: Person, case: Case) -> str:
    where: str = officer.post(f"/meine/{case.id}/berichtigen/").headers["Location"]
    return where


def correct(officer: Person, case: Case) -> None:
    step = open_form(officer, case)
    officer.post(step, titel="Neue Akte", betrag="800,00", ausgaben="1000,00")
    officer.post(f"{step.rsplit('/', 2)[0]}/pruefen/")


def in_force(world: World, case: Case) -> Application:
    with Actor.system(world.ministry.id).acting():
        found: Application = Case.objects.select_related("application").get(id=case.id).application
        return found


def test_from_the_question_to_the_new_version(world: World, officer: Person) -> None:
    case = asked(world)
    page = officer.get(f"/meine/{case.id}/")
    assert "Angaben berichtigen" in page
    step = open_form(officer, case)
    page = officer.get(step)
    assert 'value="900,00"' in page  # what was handed in
    assert "Berichtigung: Gemeinde Lahnau" in page
    assert "Berichtigung: " in officer.get("/meine/")
    officer.post(step, titel="Neue Akte", betrag="800,00", ausgaben="1000,00")
    review = f"{step.rsplit('/', 2)[0]}/pruefen/"
    assert "Berichtigung absenden" in officer.get(review)
    answer = officer.post(review)
    assert answer.headers["Location"] == f"/meine/{case.id}/"
    page = officer.get(f"/meine/{case.id}/")
    assert "Berichtigte Angaben" in page
    table = page.split("Was Fassung 2 geändert hat")[1]
    assert re.search(r"Betrag.*900,00.*800,00", table, re.S)
    assert "Titel" not in table.split("</table>")[0]
    assert in_force(world, case).answers["betrag"] == "800.00"


def test_receipts_of_both_versions(world: World, officer: Person, neighbour: Person) -> None:
    case = asked(world)
    correct(officer, case)
    page = officer.get(f"/meine/{case.id}/")
    texts = {}
    for number in (1, 2):
        address = f"/meine/{case.id}/quittung.pdf?fassung={number}"
        assert address in page
        pdf = pypdf.PdfReader(BytesIO(officer.client.get(address).content))
        texts[number] = "\n".join(sheet.extract_text() for sheet in pdf.pages)
        assert neighbour.client.get(address).status_code == 404
    assert "900,00" in texts[1]
    assert "800,00" not in texts[1]
    assert "800,00" in texts[2]
    for wrong in ("3", "0", "x", "-1", "99999999"):
        assert officer.client.get(f"/meine/{case.id}/quittung.pdf?fassung={wrong}").status_code == 404


def test_no_leave_no_button(world: World, officer: Person) -> None:
    case = world.submit()
    ask(world, case)
    assert "Angaben berichtigen" not in officer.get(f"/meine/{case.id}/")
    assert open_form(officer, case) == f"/meine/{case.id}/"
    assert officer.client.get(f"/meine/{case.id}/berichtigen/").status_code == 302


def test_unchanged_is_told_and_stays(world: World, officer: Person) -> None:
    case = asked(world)
    step = open_form(officer, case)
    page = officer.post(f"{step.rsplit('/', 2)[0]}/pruefen/", 422).content.decode()
    assert "Sie haben noch nichts geändert" in page
    assert in_force(world, case).number == 1


def test_nobody_else(world: World, officer: Person, neighbour: Person, resident: Person) -> None:
    case = asked(world)
    step = open_form(officer, case)
    for person in (neighbour, resident):
        assert person.client.post(f"/meine/{case.id}/berichtigen/").status_code == 404
        assert person.client.get(step).status_code == 404
        assert person.client.post(step, {"betrag": "1,00"}).status_code == 404


def test_the_desk_shows_the_version_in_force_the_earlier_one_and_the_difference(
    world: World, officer: Person
) -> None:
    case = asked(world)
    correct(officer, case)
    desk = Client()
    desk.force_login(Account.objects.get(pk=world.clerk.account))
    here = f"/amt/vorgang/{case.reference}/"
    with counted() as found:
        page = desk.get(here).content.decode()
    assert len(found) <= 15, found  # the last asks whether the case has a grant
    assert "Fassung 2, gilt jetzt" in page
    assert "Fassung 1:" in page
    application = page.split('id="antrag"')[1].split('id="unterlagen"')[0]
    assert re.search(r"Betrag.*900,00.*800,00", application, re.S)
    assert "800,00" in application.rpartition("</details>")[2]
    assert "900,00" not in application.rpartition("</details>")[2]
    assert "Angaben berichtigt (Fassung 2): Betrag" in page
    assert 'name="korrektur"' in page


def test_staff_tick_the_box(world: World, officer: Person) -> None:
    case = world.submit()
    desk = Client()
    desk.force_login(Account.objects.get(pk=world.clerk.account))
    url = f"/amt/vorgang/{case.reference}/aufgabe/{world.task(case).id}/"
    page = desk.post(url, {"vollstaendig": "nein", "korrektur": "ja"}).content.decode()
    assert 'name="korrektur" value="ja" checked' in page  # nothing is lost
    typed = {"vollstaendig": "nein", "nachricht": "Bitte prüfen.", "frist": "31.12.2099", "korrektur": "ja"}
    assert desk.post(url, typed).status_code == 302
    assert "Angaben berichtigen" in officer.get(f"/meine/{case.id}/")


def test_pages_need_few_statements(world: World, officer: Person) -> None:
    case = asked(world)
    correct(officer, case)
    with counted() as found:
        officer.get(f"/meine/{case.id}/")
    assert len(found) <= 12, found
