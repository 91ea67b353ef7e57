"""The main job as a newcomer runs it: the command in a process of its own, on a database of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demo keeps its data; short, since the socket of the server lies in it."""
    path = ROOT / f"var/d{os.getpid()}"
    path.mkdir(parents=True)
    yield path
    _rathaus(path, "demo", "--forget")
    shutil.rmtree(path, ignore_errors=True)


def _rathaus(folder: Path, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if "DATABASE" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "rathaus", *arguments],
        env={**kept, "RATHAUS_VAR": str(folder)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


LIVES = 45  # so many go on after their notice; the table and the round are the whole ones


def _demo(folder: Path) -> dict[str, Any]:
    _rathaus(folder, "demo", "--no-serve", "--lives", str(LIVES), "--json", str(folder / "ergebnis.json"))
    return json.loads((folder / "ergebnis.json").read_text(encoding="utf-8"))


def test_the_round_of_446_and_what_comes_after(folder: Path) -> None:
    result = _demo(folder)
    calls = {row["call"]: row for row in result["rows"] if not row["region"]}
    first, smart = calls["Starke Heimat 2020: alle Kommunen"], calls["Smarte Kommunen und Regionen"]
    later = calls["Smarte Kommunen und Regionen 2025"]
    counted = ("applications", "approved", "notices", "exceptions")
    assert [first[name] for name in counted] == [443, 443, 443, 0]
    assert [smart[name] for name in counted] == [3, 3, 3, 1]
    assert Decimal(first["amount"]) == Decimal("16000000.00")
    assert Decimal(first["free"]) == 0
    assert Decimal(smart["amount"]) == Decimal("675958.10")
    moved = Decimal("150000.00")  # to the next year: what it was in 2021 is released, and not free by itself
    assert Decimal(smart["free"]) == Decimal("32000000.00") - Decimal("675958.10") - moved
    assert [later[name] for name in counted] == [4, 4, 4, 0]
    thueringen, guideline = (
        calls["E-Government-Förderung 2019 bis 2022"],
        calls["E-Government-Richtlinie 2024"],
    )
    assert [thueringen[name] for name in counted] == [19, 19, 19, 0]
    assert Decimal(thueringen["amount"]) == Decimal("1790000.00")
    assert Decimal(thueringen["free"]) == Decimal("80000000.00") - Decimal("1790000.00")
    assert [guideline[name] for name in counted] == [3, 0, 0, 0]
    assert Decimal(guideline["free"]) == Decimal("10000000.00")
    assert thueringen["ministry"] != first["ministry"]
    assert [calls["Wettbewerb 2026 (Beispiel)"][name] for name in counted] == [5, 0, 0, 0]
    by_region = [row for row in result["rows"] if row["region"] and row["call"] == first["call"]]
    assert {row["region"] for row in by_region} == {"Darmstadt", "Gießen", "Kassel"}
    assert sum(row["notices"] for row in by_region) == 443
    assert sum(Decimal(row["amount"]) for row in by_region) == Decimal("16000000.00")
    assert result["books"]["grants"] == 446 + 4 + 19
    assert result["books"]["faults"] == []
    assert result["lives"]["closed"] >= LIVES * 3 // 4
    for row in result["money"]:
        parts = sum(Decimal(row[name]) for name in ("free", "open", "paid", "proven", "back"))
        assert parts == Decimal(row["budget"]), row
    proven = [
        row for row in result["money"] if row["measure"].startswith("Kommunale Verwaltungsdigitalisierung")
    ]
    assert sum(Decimal(row["proven"]) for row in proven) == Decimal("1790000.00")
    assert len(result["troubles"]) >= 20
    assert "Gefördertes Gerät vor der Zeit verkauft: 720,00\u00a0€ zurück" in result["troubles"]
    assert result["troubles"]["Fremdes Ministerium rät Nummern: sieht nichts"]["count"] == 2
    again = _demo(folder)  # safe and quick: nothing is handed in, decided or paid twice
    for name in ("rows", "seconds", "money", "lives", "troubles", "books"):
        assert again[name] == result[name], name
    assert again["is_resumed"]
    assert not result["is_resumed"]
    _rathaus(folder, "audit", "seal")
    assert "Ereignisse in" in _rathaus(folder, "audit", "verify")
