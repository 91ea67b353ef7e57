"""The command measures everything once with tiny numbers. What comes out is looked at for shape, never for speed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {
    "engine_in_memory", "engine_with_postgresql", "round_trips", "state_bytes", "long_loop", "step_request",
    "approval_to_notice", "lifecycle_over_http", "web_worker", "sql_statements", "whole_round", "inbox_page", "case_page",
    "row_level_security", "payment_run", "proof_submitted", "proof_accepted", "programme_page", "grants_page",
    "payments_page", "proofs_page", "grant_case_page", "own_grants_page", "public_grants_page", "books_checked",
    "fresh_migrate", "own_javascript",
}  # fmt: skip


@pytest.fixture(scope="module")
def measured() -> Iterator[tuple[dict[str, Any], str]]:
    """The JSON and the table of a quick run on a cluster of its own."""
    var = ROOT / f"var/b{os.getpid()}"  # short, since the socket of the server lies in it
    var.mkdir(parents=True)
    (var / "build").symlink_to(ROOT / "var/build")
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("DATABASE_", "DJANGO_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "rathaus", "bench", "--quick", "--json", str(var / "bench.json")],
        env={**inherited, "RATHAUS_VAR": str(var)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    yield json.loads((var / "bench.json").read_text(encoding="utf-8")), done.stdout
    shutil.rmtree(var)


def test_every_figure_is_there_with_its_goal(measured: tuple[dict[str, Any], str]) -> None:
    result, table = measured
    figures = {figure["name"]: figure for figure in result["figures"]}
    assert figures.keys() == FIGURES
    for figure in figures.values():
        assert figure["goal"]
        assert figure["measured"]
        assert figure["values"]
        assert figure["is_reached"] in (True, False)
    assert result["is_quick"] is True
    assert result["machine"]["cores"]
    assert "gemessen" in table
    assert "nichts davon gilt" in table


def test_what_does_not_depend_on_speed(measured: tuple[dict[str, Any], str]) -> None:
    figures = {figure["name"]: figure["values"] for figure in measured[0]["figures"]}
    assert figures["round_trips"]["round_trips_a_step"] <= 3
    assert figures["state_bytes"]["bytes"] <= 2048
    assert figures["sql_statements"]["a_lifecycle"] <= 60
    assert figures["own_javascript"]["lines"] <= 5000


def test_the_money_was_paid_proven_and_booked(measured: tuple[dict[str, Any], str]) -> None:
    """The command fails where payments or proofs are missing or the books are wrong; these are what it counted."""
    figures = {figure["name"]: figure["values"] for figure in measured[0]["figures"]}
    assert figures["payment_run"]["payments"] == figures["proof_accepted"]["proofs"] == 3
    assert figures["books_checked"]["grants"] >= 30 + 3
    assert figures["books_checked"]["postings"] > 30 * 6
