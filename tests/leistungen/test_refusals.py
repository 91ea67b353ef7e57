"""What the check says of the real packages after one thing was broken in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.leistungen.library import DOG, SMART

from rathaus.casework.services.packages import PackageRefused, compile_package, read_folder
from rathaus.casework.services.samples import play


def broken(folder: Path, file: str, old: str, new: str) -> list[str]:
    files = read_folder(folder)
    assert old in files[file]
    files[file] = files[file].replace(old, new)
    try:
        return [str(problem) for problem in play(compile_package(files, check_letters=file.endswith(".typ")))]
    except PackageRefused as refused:
        return [str(problem) for problem in refused.problems]


def with_sample(folder: Path, name: str, **changes: Any) -> list[str]:
    files = read_folder(folder)
    path = f"beispiele/{name}.json"
    files[path] = json.dumps({**json.loads(files[path]), **changes})
    return [str(problem) for problem in play(compile_package(files, check_letters=False))]


@pytest.mark.parametrize(
    ("folder", "file", "old", "new", "words"),
    [
        (
            SMART,
            "prozess.bpmn",
            "not vollstaendig",
            "not volstaendig",
            "Den Namen „volstaendig“ gibt es nicht",
        ),
        (SMART, "prozess.bpmn", "grants.check", "grants.chek", "Die Operation „grants.chek“ gibt es nicht"),
        (
            SMART,
            "prozess.bpmn",
            'name="ausgaben"',
            'name="kosten"',
            "Argument „kosten“ kennt grants.check nicht",
        ),
        (SMART, "prozess.bpmn", "kern:freigabe", "kern:frei", "Das Formular „kern:frei“ gibt es nicht"),
        (
            SMART,
            "leistung.toml",
            "Freigabe = ",
            "Leitung = ",
            "Die Rolle „Freigabe“ steht nicht in leistung.toml",
        ),
        (SMART, "leistung.toml", 'betrag = "antrag.zuschuss"', 'betrag = "antrag.zuschuss +"', "betrag"),
        (SMART, "bescheid.typ", '#import "brief.typ": *', '#import "@preview/x:1.0.0": *', "nicht erlaubt"),
        (SMART, "bescheid.typ", "#rechtsbehelf[", "#rechtsbehelf(", "bescheid.typ"),
        (SMART, "formular.ui.json", "ende > beginn", "ende > anfang", "„anfang“ gibt es im Formular nicht"),
        (DOG, "leistung.toml", "ermessen = false", "ermessen = true", "Automatisch entscheiden darf nur"),
        (DOG, "leistung.toml", "automatik = ", "dauer_text = ", "Unbekannter Eintrag"),
        (DOG, "regeln.dmn", "parameter.steuer_zweiter", "parameter.steuer_zwei", "Zahl"),
        (DOG, "regeln.dmn", "zahl(parameter.steuer_erster)", "().__class__", "regeln.dmn"),
    ],
)
def test_broken_part_is_named(folder: Path, file: str, old: str, new: str, words: str) -> None:
    problems = broken(folder, file, old, new)
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"entscheidung": {"ergebnis": "granted", "betrag": "1.00"}},
            "Erwartet 1.00 €, entschieden 483660.00 €",
        ),
        ({"entscheidung": {"ergebnis": "refused"}}, "Erwartet „refused“, entschieden „granted“"),
        ({"pfad": ["unterlage_nachreichen"]}, "Nicht erreicht: unterlage_nachreichen"),
        ({"schritte": []}, "wartet auf ['vollstaendigkeit_pruefen']"),
        ({"eingang": "gestern"}, "„eingang“ ist kein Tag: gestern"),
        ({"antrag": {}}, "titel"),
        ({"unbekannt": 1}, "Unbekannte Einträge"),
    ],
)
def test_sample_that_expects_something_else_is_named(changes: dict[str, Any], words: str) -> None:
    problems = with_sample(SMART, "ehringshausen", **changes)
    assert any(words in problem for problem in problems), problems


def test_day_of_receipt_reaches_the_tables() -> None:
    """The dog came last year if the registration comes a year later: no longer automatic."""
    assert with_sample(DOG, "ein-hund", eingang="2025-12-31") == []
    problems = with_sample(DOG, "ein-hund", eingang="2026-01-01")
    assert any("steuer_vorschlagen" in problem for problem in problems), problems
