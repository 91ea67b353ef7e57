"""Files that a ministry could send us: taken whole, or refused whole with line and reason."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests.casework.conftest import World

from rathaus.casework.cases.actions.importing import ROWS_AT_MOST, FileNotImported, import_applications
from rathaus.casework.cases.models import Application, Case, ReferenceCounter, Task
from rathaus.core.audit.models import Event
from rathaus.core.files.models import Blob
from rathaus.core.identity.actors import Actor, NotAllowed

HEAD = "leistung;ags;titel;betrag;ausgaben"
LAHNAU = "probe;06532015;Neue Akte;900,00;1.000,00"
WALDSOLMS = "probe;06532022;Radweg;1.234,56;2.000"


def file_of(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines, ""]).encode()


@pytest.fixture
def refuse(world: World) -> Callable[..., list[str]]:
    """Import a file that must be refused; answers its problems after a look that nothing was stored."""
    by = Actor.system(world.ministry.id)
    kinds = (Case, Application, Task, Event, ReferenceCounter, Blob)

    def counts() -> list[int]:
        with by.acting():
            return [kind.objects.count() for kind in kinds]

    def run(content: bytes) -> list[str]:
        before = counts()
        with pytest.raises(FileNotImported) as refused:
            import_applications(by=by, content=content)
        assert counts() == before
        assert all(problem.line >= 1 and problem.reason for problem in refused.value.problems)
        return [str(problem) for problem in refused.value.problems]

    return run


Refuse = Callable[[bytes], list[str]]


def test_a_good_file_is_taken_once(world: World, refuse: Refuse) -> None:
    by = Actor.system(world.ministry.id)
    content = file_of(LAHNAU, WALDSOLMS)
    cases = import_applications(by=by, content=content)
    assert [(case.party_name, str(case.amount)) for case in cases] == [
        ("Gemeinde Lahnau", "900.00"),
        ("Gemeinde Waldsolms", "1234.56"),
    ]
    assert refuse(content) == [
        "Zeile 2: Gemeinde Lahnau hat diesen Antrag schon gestellt.",
        "Zeile 3: Gemeinde Waldsolms hat diesen Antrag schon gestellt.",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + file_of(LAHNAU),
        file_of(LAHNAU).replace(b"\n", b"\r\n"),
        file_of('probe;06532015;"Akte; mit ""Zeichen""";900;1000'),
        file_of("probe ; 06532015 ; Neue Akte ;900.00; 1000,00 "),
    ],
    ids=["byte order mark", "lines of windows", "quoted", "spaces"],
)
def test_what_spreadsheets_make_of_it_is_taken(content: bytes, world: World) -> None:
    assert len(import_applications(by=Actor.system(world.ministry.id), content=content)) == 1


def test_all_faults_of_a_file_are_told_at_once(refuse: Refuse) -> None:
    problems = refuse(
        file_of(
            "probe;06532015;Neue Akte;-5;1000",
            "probe;99999999;Neue Akte;900;1000",
            "gibt-es-nicht;06532022;Neue Akte;900;1000",
            "probe;06532022;Neue Akte;900;1.00.0",
        )
    )
    assert [problem.split(":")[0] for problem in problems] == ["Zeile 2", "Zeile 3", "Zeile 4", "Zeile 5"]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "leistung"),
        (b"\n\n", 1, "leistung"),
        (b"\xef\xbb\xbf", 1, "leistung"),
        (HEAD.encode(), 1, "keine Anträge"),
        (file_of(), 1, "keine Anträge"),
        (file_of("probe;06532015;Straße;900;1000").decode().encode("latin-1"), 2, "nicht UTF-8"),
        (file_of(LAHNAU).decode().encode("utf-16"), 1, "nicht UTF-8"),
        (b"ags;titel\n06532015;x\n", 1, "„leistung“ fehlt"),
        (b"leistung;titel\nprobe;x\n", 1, "„ags“ fehlt"),
        (file_of(LAHNAU).replace(b";", b","), 1, "fehlt"),
        (b"leistung;ags;titel;titel\nprobe;06532015;a;b\n", 1, "zweimal"),
        (b'"leistung;ags\nprobe;06532015\n', 1, "kein gültiges CSV"),
        (b'leistung;"ags\n', 1, "kein gültiges CSV"),
        (file_of("probe;06532015;Neue Akte;900;1000;zu viel"), 2, "5 Spalten"),
        (file_of("probe;06532015;Neue Akte"), 2, "5 Spalten"),
        (file_of('probe;06532015;"Neue Akte;900;1000'), 2, "kein gültiges CSV"),
        (file_of('probe;06532015;"Neue" Akte;900;1000'), 2, "kein gültiges CSV"),
        (file_of(LAHNAU, 'probe;06532022;"offen'), 3, "kein gültiges CSV"),
        (file_of("probe;06532015;" + "x" * 200_000 + ";900;1000"), 2, "kein gültiges CSV"),
        (file_of("probe;12345678;Neue Akte;900;1000"), 2, "gibt es im Verzeichnis nicht"),
        (file_of("probe;;Neue Akte;900;1000"), 2, "gibt es im Verzeichnis nicht"),
        (file_of("probe;6532015;Neue Akte;900;1000"), 2, "gibt es im Verzeichnis nicht"),
        (file_of(LAHNAU, LAHNAU), 3, "steht schon in Zeile 2"),
        (file_of(LAHNAU, "", LAHNAU), 4, "steht schon in Zeile 2"),
        (file_of("andere;06532015;Neue Akte;900;1000"), 2, "bietet diese Behörde nicht an"),
        (file_of("probe;06532015;Neue Akte;neunhundert;1000"), 2, "betrag"),
        (file_of("probe;06532015;Neue Akte;9,001;1000"), 2, "betrag"),
        (file_of("probe;06532015;Neue Akte;1e5;1000"), 2, "betrag"),
        (file_of("probe;06532015;Neue Akte;NaN;1000"), 2, "betrag"),
        (file_of("probe;06532015;Neue Akte;-900;1000"), 2, "betrag"),
        (file_of("probe;06532015;Neue Akte;" + "9" * 30 + ";1000"), 2, "betrag"),
        (file_of("probe;06532015;Neue Akte;999999999999999999,99;1000"), 2, "betrag"),
        (file_of("probe;06532015;Neue Akte;;1000"), 2, "betrag"),
        (file_of("probe;06532015;;900;1000"), 2, "titel"),
        (file_of("probe;06532015;" + "x" * 101 + ";900;1000"), 2, "titel"),
        (file_of("probe;06532015;Neue\x00Akte;900;1000"), 2, "Nullzeichen"),
        (file_of("probe;0653\x002015;Neue Akte;900;1000"), 2, "Nullzeichen"),
        (file_of("pro\x00be;06532015;Neue Akte;900;1000"), 2, "Nullzeichen"),
        (b"leistung;ags;tit\x00el\nprobe;06532015;x\n", 1, "Nullzeichen"),
        (b"leistung;ags;unbekannt\nprobe;06532015;x\n", 2, "„unbekannt“ kennt das Formular nicht"),
        (b"leistung;ags;__class__\nprobe;06532015;x\n", 2, "kennt das Formular nicht"),
        (b"leistung;ags;titel.0\nprobe;06532015;x\n", 2, "kennt das Formular nicht"),
        (b"leistung;ags;0\nprobe;06532015;x\n", 2, "kennt das Formular nicht"),
        (b"leistung;ags;.\nprobe;06532015;x\n", 2, "kennt das Formular nicht"),
        (b"leistung;ags;\nprobe;06532015;x\n", 2, "kennt das Formular nicht"),
        (
            b"leistung;ags;titel;betrag;ausgaben;anlage\nprobe;06532015;x;900;1000;../../etc/passwd\n",
            2,
            "anlage",
        ),
    ],
)
def test_a_bad_file_is_refused_with_line_and_reason(
    content: bytes, line: int, reason: str, refuse: Refuse
) -> None:
    problems = refuse(content)
    assert problems[0].startswith(f"Zeile {line}: "), problems
    assert any(reason in problem for problem in problems), problems


def test_thirty_thousand_lines_are_refused_quickly(refuse: Refuse) -> None:
    begun = time.monotonic()
    problems = refuse(file_of(*[LAHNAU] * 30_000))
    assert problems == [f"Zeile {ROWS_AT_MOST + 2}: Mehr als {ROWS_AT_MOST} Zeilen."]
    assert time.monotonic() - begun < 5  # far from a limit; only an endless walk would fail here


def test_the_last_line_spoils_the_first(world: World, refuse: Refuse) -> None:
    assert refuse(file_of(LAHNAU, "probe;06532022;Radweg;0,001;2.000"))
    with world.lahnau_officer.acting():
        assert not Case.objects.exists()
    case = import_applications(by=Actor.system(world.ministry.id), content=file_of(LAHNAU))[0]
    assert case.reference.endswith("-00001")  # no number was used up


def test_only_the_authority_itself_imports(world: World) -> None:
    with pytest.raises(NotAllowed):
        import_applications(by=world.lahnau_officer, content=file_of(LAHNAU))
    with pytest.raises(FileNotImported, match="bietet diese Behörde nicht an"):
        import_applications(by=Actor.system(world.waldsolms.id), content=file_of(LAHNAU))
