"""The ZIP for the court of audit, from the pages: who may, what comes, what stays behind."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.test import Client
from tests.casework.conftest import World, account
from tests.web.desk.conftest import Desk, proposed, sit_down

from rathaus.core.audit.models import Event
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import actor_of
from rathaus.web.desk import exports


@pytest.fixture
def auditor(world: World) -> Desk:
    person = account("pruefung@example.org")
    add_member(
        by=Actor.system(world.ministry.id), authority=world.ministry, account=person, roles=["Rechnungsprüfung"],
        function="Rechnungsprüfung",
    )  # fmt: skip
    return sit_down(world, actor_of(person.pk))


def names_in(answer: object) -> list[str]:
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_head_and_audit_take_a_case_with_them(head: Desk, auditor: Desk, tmp_path: Path) -> None:
    case = proposed(head.world)
    path = f"/amt/vorgang/{case.reference}/"
    for desk in (head, auditor):
        assert f'action="{path}akte.zip"' in desk.get(path)
        answer = desk.post(f"{path}akte.zip", 200)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="Akte-{case.reference}.zip"'
        assert "private" in answer.headers["Cache-Control"]
        assert f"vorgaenge/{case.reference}/case.json" in names_in(answer)
    with head.actor.acting():
        assert Event.objects.filter(name="cases.case.exported").count() == 2
    assert "Akte ausgegeben" in head.get(path)


def test_a_link_alone_takes_nothing_out(head: Desk) -> None:
    """Whatever is only looked at leaves no trace, and what leaves a trace is asked for by a form."""
    case = proposed(head.world)
    for path in (f"/amt/vorgang/{case.reference}/akte.zip", "/amt/foerderung/programm/akte.zip"):
        head.get(path, 405)
    without_token = Client(enforce_csrf_checks=True)
    without_token.cookies = head.client.cookies
    assert without_token.post(f"/amt/vorgang/{case.reference}/akte.zip").status_code == 403
    with head.actor.acting():
        assert not Event.objects.filter(name="cases.case.exported").exists()


def test_a_clerk_is_not_offered_it_and_is_refused(clerk: Desk) -> None:
    case = proposed(clerk.world)
    assert "akte.zip" not in clerk.get(f"/amt/vorgang/{case.reference}/")
    assert "akte.zip" not in clerk.get("/amt/foerderung/programm/")
    for path in (f"/amt/vorgang/{case.reference}/akte.zip", "/amt/foerderung/programm/akte.zip"):
        assert "Rechnungsprüfung" in clerk.post(path, 403).content.decode()


def test_the_head_of_another_authority_finds_nothing(world: World) -> None:
    case = proposed(world)
    person = account("leitung@waldsolms.example.org")
    add_member(
        by=Actor.system(world.waldsolms.id), authority=world.waldsolms, account=person, roles=["Leitung"],
        function="Amtsleitung",
    )  # fmt: skip
    stranger = sit_down(world, actor_of(person.pk))
    for path in (f"/amt/vorgang/{case.reference}/akte.zip", "/amt/foerderung/programm/akte.zip"):
        stranger.post(path, 404)


def test_a_programme_comes_whole_or_the_command_is_named(head: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case = proposed(head.world)
    assert 'action="/amt/foerderung/programm/akte.zip"' in head.get("/amt/foerderung/programm/")
    found = names_in(head.post("/amt/foerderung/programm/akte.zip", 200))
    assert f"vorgaenge/{case.reference}/case.json" in found
    assert "buecher/journal.csv" in found
    monkeypatch.setattr(exports, "MOST_CASES", 0)
    said = head.post("/amt/foerderung/programm/akte.zip", 422).content.decode()
    assert "rathaus export programme programm --authority ministerium --to programm.zip" in said


def test_nothing_stays_on_the_disk(head: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    case = proposed(head.world)
    answer = head.post(f"/amt/vorgang/{case.reference}/akte.zip", 200)
    assert not list(tmp_path.glob("akte-*"))
    assert names_in(answer)
