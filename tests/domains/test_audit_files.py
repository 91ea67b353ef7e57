"""The ZIP for the court of audit, opened as its reader would: with nothing but the files in it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core.files.storage import default_storage
from tests.casework.conftest import World
from tests.core.conftest import decide_fully, seal_all

from rathaus.casework.cases.actions.exporting import export_case
from rathaus.casework.cases.export.bundle import LONGEST_NAME, safe_name
from rathaus.casework.cases.models import Case
from rathaus.casework.records.models import Document
from rathaus.cli.export import export
from rathaus.core.audit.models import Event
from rathaus.core.audit.queries import verify
from rathaus.core.files.actions import keep, path_of
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants.actions.exporting import export_programme
from rathaus.domains.grants.models import Grant, Programme

PDF = b"%PDF-1.7 plan"


@pytest.fixture
def granted(world: World) -> Case:
    """A case from its question to its notice, with a document."""
    case = world.submit(titel='Akte <b>"=1+1"</b>')
    decide_fully(world, world.clerk, world.approver, case)
    return case


def opened(path: Path, into: Path) -> Path:
    """The ZIP unpacked, after every name in it was looked at: none leads out, none comes twice."""
    with zipfile.ZipFile(path) as found:
        names = found.namelist()
        assert len({name.casefold() for name in names}) == len(names)
        for name in names:
            parts = Path(name).parts
            assert not name.startswith("/")
            assert ".." not in parts
            assert "\\" not in name
            assert all(len(part.encode()) <= 255 for part in parts)
        assert found.testzip() is None
        found.extractall(into)
    return into


def checked(folder: Path, *, faults: int = 0) -> str:
    """What the script in the package says, run as a stranger would: alone, isolated from our code."""
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(folder / "pruefen.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == (1 if faults else 0), done.stdout + done.stderr
    assert done.stdout.count("FEHLER:") == faults, done.stdout
    return done.stdout


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), delimiter=";"))


def documents_of(w: World, case: Case) -> list[Document]:
    with w.clerk.acting():
        return list(Document.objects.filter(case_id=case.id).order_by("id"))


def bring(w: World, case: Case, *names: str, content: bytes = PDF) -> None:
    """Documents under names that an applicant may have chosen; the database takes anything but NUL."""
    with Actor.system(w.ministry.id).acting():
        for number, name in enumerate(names):
            bytes_ = content + str(number).encode()
            blob = keep(authority=w.ministry.id, content=bytes_, media_type="application/pdf")
            Document.objects.create(
                authority=w.ministry, case_id=case.id, party_id=case.party_id, kind="attachment", title=name[:200],
                file_name=name[:200], blob=blob, sha256=blob.sha256, size=blob.size, media_type=blob.media_type,
                origin="Antrag",
            )  # fmt: skip


# --- one case ---


def test_a_case_is_whole_and_verifies_itself(world: World, granted: Case, tmp_path: Path) -> None:
    found = export_case(by=world.approver, reference=granted.reference, to=tmp_path / "a.zip")
    folder = opened(tmp_path / "a.zip", tmp_path / "out")
    assert "Alles stimmt." in checked(folder)
    if shutil.which("sha256sum"):
        subprocess.run(
            ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=True, capture_output=True
        )
    case = folder / "vorgaenge" / granted.reference
    told = json.loads((case / "case.json").read_text())
    assert told["antrag"][0]["angaben"]["titel"] == 'Akte <b>"=1+1"</b>'
    assert told["antrag"][0]["in_worten"][0]["inhalt"][0]["frage"] == "Titel"
    assert [each["stand"] for each in told["entscheidungen"]] == ["zurückgegeben", "entschieden"]
    final = told["entscheidungen"][1]
    assert final["betrag"] == "900.00"
    assert final["vorgeschlagen_von"] != final["entschieden_von"]  # four eyes, to be seen from outside
    assert told["pruefung"]
    assert told["nachrichten"]
    assert told["aufgaben"]
    assert told["bescheide"][0]["rechtsbehelf_bis"]
    for listed, document in zip(told["dokumente"], documents_of(world, granted), strict=True):
        content = (case / listed["datei"]).read_bytes()
        assert len(content) == document.size == listed["bytes"]
        assert not listed["fehlt"]
    notice = (case / told["bescheide"][0]["datei"]).read_bytes()
    assert notice.startswith(b"%PDF")
    assert found.documents == len(told["dokumente"])
    assert not found.missing
    history = rows(case / "history.csv")
    assert history[0]["Was"] == "Antrag eingegangen"
    assert all(row["Block"] == "noch ohne Siegel" for row in history)
    readme = (folder / "README.txt").read_text()
    for name in ("case.json", "journal.csv", "siegel.json", "SHA256SUMS", "pruefen.py"):
        assert name in readme


def test_the_grant_is_in_it_with_every_euro(world: World, granted: Case, tmp_path: Path) -> None:
    export_case(by=world.approver, reference=granted.reference, to=tmp_path / "a.zip")
    case = opened(tmp_path / "a.zip", tmp_path / "out") / "vorgaenge" / granted.reference
    told = json.loads((case / "grant.json").read_text())
    assert told["zuwendung"]["betrag"] == "900.00"
    assert told["bewilligungen"][0]["je_jahr"] == {"2025": "900.00"}
    booked = rows(case / "journal.csv")
    assert {(row["Konto"], row["Betrag"]) for row in booked} == {("free", "-900,00"), ("open", "900,00")}
    assert [(row["Konto"], row["Saldo"]) for row in rows(case / "salden.csv")] == [("open", "900,00")]


def test_what_followed_is_in_it_whichever_is_asked_for(world: World, granted: Case, tmp_path: Path) -> None:
    from tests.core.conftest import follow_up

    abruf = world.publish(follow_up(), "abruf")
    later = world.submit(offer=abruf, about=granted)
    other = world.submit(titel="Ein anderer")
    for number, asked in enumerate((granted, later)):
        found = export_case(by=world.approver, reference=asked.reference, to=tmp_path / f"{number}.zip")
        folder = opened(tmp_path / f"{number}.zip", tmp_path / f"out{number}")
        there = {path.name for path in (folder / "vorgaenge").iterdir()}
        assert there == {granted.reference, later.reference}
        assert other.reference not in (folder / "index.html").read_text()
        assert found.cases == 2


@pytest.mark.parametrize("who", ["clerk", "officer", "neighbour", "nobody"])
def test_only_head_and_audit_take_files_out(world: World, granted: Case, tmp_path: Path, who: str) -> None:
    by = {
        "clerk": world.clerk,
        "officer": world.lahnau_officer,
        "neighbour": world.waldsolms_officer,
        "nobody": Actor(),
    }[who]
    with pytest.raises(NotAllowed):
        export_case(by=by, reference=granted.reference, to=tmp_path / "a.zip")
    with pytest.raises(NotAllowed):
        export_programme(by=by, programme="programm", to=tmp_path / "a.zip")
    assert list(tmp_path.glob("*.zip")) == list(tmp_path.glob(".*.zip")) == []


def test_the_audit_may_and_another_authority_finds_nothing(
    world: World, granted: Case, tmp_path: Path
) -> None:
    auditor = Actor(
        account=world.clerk.account, authority=world.ministry.id, roles=frozenset({"Rechnungsprüfung"})
    )
    assert export_case(by=auditor, reference=granted.reference, to=tmp_path / "a.zip").cases == 1
    stranger = Actor.system(world.waldsolms.id)
    with pytest.raises(Case.DoesNotExist):
        export_case(by=stranger, reference=granted.reference, to=tmp_path / "b.zip")
    with pytest.raises(Programme.DoesNotExist):
        export_programme(by=stranger, programme="programm", to=tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_taking_it_out_is_in_the_history(world: World, granted: Case, tmp_path: Path) -> None:
    found = export_case(by=world.approver, reference=granted.reference, to=tmp_path / "a.zip")
    with world.clerk.acting():
        event = Event.objects.get(name="cases.case.exported")
    assert event.case_id == granted.id
    assert event.account_id == world.approver.account
    assert event.data["sha256"] == found.sha256


# --- seals ---


def test_seals_are_verified_outside_and_tell_nothing_of_others(
    committed_world: World, tmp_path: Path
) -> None:
    w = committed_world
    case = w.submit()
    decide_fully(w, w.clerk, w.approver, case)
    secret = w.submit(titel="Geheim")
    seal_all(w.ministry.id)
    w.submit()
    seal_all(w.ministry.id)
    head = verify(w.ministry.id).head
    export_case(by=w.approver, reference=case.reference, to=tmp_path / "a.zip")
    folder = opened(tmp_path / "a.zip", tmp_path / "out")
    said = checked(folder)
    assert ", 0 noch ohne Siegel" in said
    assert head in said
    whole = "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())
    for word in ("Geheim", str(secret.id), secret.reference):
        assert word not in whole


def change(path: Path, of: Callable[[Any], None]) -> None:
    """Change a JSON file and its checksum with it, as a forger would."""
    import hashlib

    told = json.loads(path.read_text())
    of(told)
    path.write_text(json.dumps(told))
    folder = path.parent if (path.parent / "SHA256SUMS").exists() else path.parents[2]
    sums = folder / "SHA256SUMS"
    name = path.relative_to(folder).as_posix()
    lines = [line for line in sums.read_text().splitlines() if not line.endswith(f"  {name}")]
    lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}")
    sums.write_text("\n".join(lines) + "\n")


def test_what_was_forged_afterwards_shows(committed_world: World, tmp_path: Path) -> None:
    w = committed_world
    case = w.submit()
    decide_fully(w, w.clerk, w.approver, case)
    seal_all(w.ministry.id)
    w.submit()
    seal_all(w.ministry.id)
    export_case(by=w.approver, reference=case.reference, to=tmp_path / "a.zip")

    def fresh(number: int) -> Path:
        return opened(tmp_path / "a.zip", tmp_path / f"out{number}")

    events = f"vorgaenge/{case.reference}/events.json"
    folder = fresh(1)
    (folder / f"vorgaenge/{case.reference}/history.csv").write_text("x")
    checked(folder, faults=1)
    folder = fresh(2)
    (folder / "README.txt").unlink()
    (folder / "mehr.txt").write_text("untergeschoben")
    checked(folder, faults=2)
    for number, field, value in (
        (3, "funktion", "x"),
        (4, "daten", {"x": 1}),
        (5, "am", "2020-01-01"),
        (6, "konto", "y"),
    ):
        folder = fresh(number)
        change(folder / events, lambda told, f=field, v=value: told["ereignisse"][0].__setitem__(f, v))
        assert "liegt nicht unter seinem Siegel" in checked(folder, faults=1)
    folder = fresh(7)
    change(folder / "siegel.json", lambda told: told["bloecke"][0]["ereignisse"].pop())
    assert "passen nicht zur Wurzel" in checked(folder, faults=2)
    folder = fresh(8)
    change(folder / "siegel.json", lambda told: told["bloecke"][-1].__setitem__("horizont", 1))
    assert "Das Siegel stimmt nicht" in checked(folder, faults=1)
    folder = fresh(9)
    change(folder / "siegel.json", lambda told: told["bloecke"][-1].__setitem__("vorher", "0" * 64))
    assert "Kette ist unterbrochen" in checked(folder, faults=2)


def test_books_that_do_not_add_up_show(world: World, granted: Case, tmp_path: Path) -> None:
    export_case(by=world.approver, reference=granted.reference, to=tmp_path / "a.zip")
    folder = opened(tmp_path / "a.zip", tmp_path / "out")
    path = folder / "vorgaenge" / granted.reference / "journal.csv"
    path.write_text(
        path.read_text(encoding="utf-8-sig").replace(";900,00;", ";901,00;"), encoding="utf-8-sig"
    )
    said = checked(folder, faults=4)  # the checksum, the movement, the balance, the grant
    assert "geht nicht auf" in said
    assert "ist nicht, was gebucht ist" in said


# --- names and lost bytes ---

EVIL = [
    "../../../../etc/passwd.pdf", "..\\..\\windows\\system32.pdf", "/etc/shadow.pdf", "C:\\autoexec.pdf", "CON.pdf",
    "a\nb\r.pdf", "gnp.\u202efdp.pdf", ".htaccess", "...", " ", "plan.pdf", "PLAN.PDF", "plan.pdf", "<script>.pdf",
    "ä" * 200, "x" * 190 + ".pdf", "a.pdf.", "Größe €.pdf", "-rf.pdf", "=1+1.pdf", "a\x7f\x1b[31m.pdf",
]  # fmt: skip


def test_names_of_applicants_do_no_harm(world: World, granted: Case, tmp_path: Path) -> None:
    bring(world, granted, *EVIL)
    export_case(by=world.approver, reference=granted.reference, to=tmp_path / "a.zip")
    folder = opened(tmp_path / "a.zip", tmp_path / "out")
    checked(folder)
    if shutil.which("sha256sum"):
        subprocess.run(
            ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=True, capture_output=True
        )
    case = folder / "vorgaenge" / granted.reference
    listed = json.loads((case / "case.json").read_text())["dokumente"]
    assert [each["name_beim_hochladen"] for each in listed][-len(EVIL) :] == EVIL
    assert len(list((case / "documents").iterdir())) == len(listed)
    assert not list(tmp_path.rglob("passwd*"))[1:]


@pytest.mark.parametrize(
    "name", [*EVIL, "\x00", "a\x00.pdf", "", "." * 300 + "pdf", "😀" * 100 + ".pdf", "a." + "b" * 300]
)
def test_safe_names_are_plain(name: str) -> None:
    found = safe_name(name)
    assert found
    assert len(found.encode()) <= LONGEST_NAME
    assert not set(found) & set('<>:"/\\|?*\x00\n\r\u202e')
    assert found not in {".", ".."}
    assert not found.startswith(".")
    assert safe_name(found) == found


@pytest.mark.parametrize("harm", ["lost", "changed"])
def test_a_document_without_its_bytes_is_told_of(
    world: World, granted: Case, tmp_path: Path, harm: str
) -> None:
    bring(world, granted, "wichtig.pdf", content=b"%PDF-1.7 wichtig")
    (document,) = [each for each in documents_of(world, granted) if each.file_name == "wichtig.pdf"]
    path = Path(default_storage.path(path_of(document.sha256)))
    if harm == "lost":
        path.unlink()
    else:
        path.write_bytes(b"gefaelscht")
    found = export_case(by=world.approver, reference=granted.reference, to=tmp_path / "a.zip")
    (missing,) = found.missing
    folder = opened(tmp_path / "a.zip", tmp_path / "out")
    checked(folder)
    assert document.sha256 in (folder / missing).read_text()
    assert missing in (folder / "README.txt").read_text()
    assert "1 fehlen" in (folder / "index.html").read_text()
    listed = json.loads((folder / "vorgaenge" / granted.reference / "case.json").read_text())["dokumente"]
    assert [bool(each["fehlt"]) for each in listed].count(True) == 1


def test_nothing_is_left_when_it_fails(
    world: World, granted: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rathaus.casework.cases.export import seals

    def fail(*_: object) -> None:
        raise OSError("Platte voll")

    monkeypatch.setattr(seals.Seals, "write", fail)
    with pytest.raises(OSError, match="Platte voll"):
        export_case(by=world.approver, reference=granted.reference, to=tmp_path / "a.zip")
    assert [path for path in tmp_path.iterdir() if "zip" in path.name] == []


# --- a programme ---


def test_a_programme_has_every_case_and_its_books(world: World, granted: Case, tmp_path: Path) -> None:
    open_case = world.submit(titel="Noch offen")
    with Actor.system(world.ministry.id).acting():
        Grant.objects.update(title="Akte")
    steps: list[None] = []
    found = export_programme(
        by=world.approver, programme="programm", to=tmp_path / "p.zip", on_case=lambda: steps.append(None)
    )
    folder = opened(tmp_path / "p.zip", tmp_path / "out")
    assert "Alles stimmt." in checked(folder)
    assert found.cases == len(steps) == 2
    index = (folder / "index.html").read_text()
    for case in (granted, open_case):
        assert f'href="vorgaenge/{case.reference}/case.json"' in index
        assert (folder / "vorgaenge" / case.reference / "case.json").exists()
    for target in re.findall(r'href="([^"]+)"', index):
        assert (folder / target).exists(), target
    assert "<b>" not in index
    assert "&lt;b&gt;" in index
    (line,) = rows(folder / "buecher" / "mittel.csv")
    assert (line["Bereitgestellt"], line["Frei"], line["Gebunden"]) == ("10000,00", "9100,00", "900,00")
    assert json.loads((folder / "buecher" / "pruefung.json").read_text())["abweichungen"] == []
    booked = rows(folder / "buecher" / "journal.csv")
    assert sum(Decimal(row["Betrag"].replace(",", ".")) for row in booked) == 0
    with world.clerk.acting():
        assert Event.objects.get(name="grants.programme.exported").data["sha256"] == found.sha256


def test_the_order_is_always_the_same(world: World, granted: Case, tmp_path: Path) -> None:
    for _ in range(3):
        world.submit()
    names = []
    for number in range(2):
        export_programme(by=world.approver, programme="programm", to=tmp_path / f"{number}.zip")
        with zipfile.ZipFile(tmp_path / f"{number}.zip") as found:
            names.append(found.namelist())
    assert names[0] == names[1]


def test_memory_does_not_grow_with_the_cases(world: World, tmp_path: Path) -> None:
    """Documents of 40 MB in all pass through, one at a time."""
    import tracemalloc

    for number in range(8):
        bring(world, world.submit(), "gross.pdf", content=bytes([number]) * 5_000_000)
    tracemalloc.start()
    export_programme(by=world.approver, programme="programm", to=tmp_path / "p.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_the_command_writes_what_the_pages_write(world: World, granted: Case, tmp_path: Path) -> None:
    run = CliRunner().invoke
    at = ["--authority", world.ministry.slug, "--to"]
    done = run(export, ["case", granted.reference, *at, str(tmp_path / "c.zip")])
    assert done.exit_code == 0, done.output
    assert "1 Vorgänge" in done.output
    done = run(export, ["programme", "programm", *at, str(tmp_path / "p.zip")])
    assert done.exit_code == 0, done.output
    checked(opened(tmp_path / "p.zip", tmp_path / "out"))
    for words in (
        ["case", granted.reference, *at, str(tmp_path / "c.zip")],  # there already
        ["case", "X-1", *at, str(tmp_path / "d.zip")],
        ["case", granted.reference, "--authority", "nichts", "--to", str(tmp_path / "d.zip")],
        ["case", granted.reference, "--authority", world.waldsolms.slug, "--to", str(tmp_path / "d.zip")],
        ["programme", "x", *at, str(tmp_path / "d.zip")],
        ["programme", "programm", *at, str(tmp_path / "fehlt" / "d.zip")],
    ):
        assert run(export, words).exit_code == 1, words
    assert not (tmp_path / "d.zip").exists()
