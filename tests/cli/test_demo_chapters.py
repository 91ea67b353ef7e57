"""A demo that was interrupted: what is told stays told, and half a chapter is not booked twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from rathaus.cli.demo.bars import Bars
from rathaus.cli.demo.chapters import Chapters
from rathaus.cli.demo.people import DemoFailed


def chapters(folder: Path, lives: int = 443) -> Chapters:
    return Chapters(folder, Bars(Console(quiet=True)), lives=lives)


def pulled_the_plug() -> None:
    raise KeyboardInterrupt


def test_a_chapter_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    first = chapters(tmp_path, lives=40)
    first.tell("Erste Abrufe", lambda: told.append("erste"))
    first.troubles.note("Falsche IBAN", "Die Prüfziffer passt nicht.")
    first.tell("Letzte Abrufe", lambda: told.append("letzte"))
    again = chapters(tmp_path)
    again.tell("Erste Abrufe", lambda: told.append("noch einmal"))
    assert told == ["erste", "letzte"]
    assert again.is_resumed
    assert again.lives == 40, "what the first run said holds"
    assert again.troubles.rows() == first.troubles.rows()


def test_half_a_chapter_is_not_told_again(tmp_path: Path) -> None:
    first = chapters(tmp_path)
    first.tell("Erste Abrufe", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        first.tell("Ein Widerruf", pulled_the_plug)
    again = chapters(tmp_path)
    again.tell("Erste Abrufe", pulled_the_plug)  # told: not tried
    with pytest.raises(DemoFailed, match=r"mitten in „Ein Widerruf“ ab.*\n`make clean-demo`"):
        again.tell("Ein Widerruf", lambda: None)
    assert "Ein Widerruf" not in chapters(tmp_path).seconds


def test_a_chapter_that_does_nothing_twice_goes_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        chapters(tmp_path).tell("Nachweise", pulled_the_plug, goes_on=True)
    again = chapters(tmp_path)
    again.tell("Nachweise", lambda: None, goes_on=True)
    assert list(again.seconds) == ["Nachweise"]
    assert chapters(tmp_path).begun == ""


def test_data_of_another_story_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kapitel.json").write_text('{"seconds": {"Vollmachten": 1.0}, "troubles": {}}')
    with pytest.raises(DemoFailed, match="frühere Fassung"):
        chapters(tmp_path)
