"""What the program itself costs: a fresh migrate, our own JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

from rathaus.cli.bench.figures import Figure, count, number
from rathaus.cli.bench.place import ROOT, Place

MIGRATE_SECONDS, JAVASCRIPT_LINES = 20, 5_000


def measure(place: Place) -> Iterator[Figure]:
    """The budgets of the house that need no server."""
    yield Figure(
        "fresh_migrate",
        "Leere Datenbank einrichten",
        f"≤ {MIGRATE_SECONDS} s",
        f"{number(place.migrate_seconds)} s",
        is_reached=place.migrate_seconds <= MIGRATE_SECONDS,
        values={"seconds": place.migrate_seconds},
    )
    files = list((ROOT / "src").rglob("*.js"))
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    yield Figure(
        "own_javascript",
        "Eigenes JavaScript",
        f"≤ {count(JAVASCRIPT_LINES)} Zeilen",
        f"{count(lines)} Zeilen in {len(files)} Dateien",
        is_reached=lines <= JAVASCRIPT_LINES,
        values={"lines": lines, "files": len(files)},
    )
