"""The command: a database of its own, the measurements one after the other, the table, the JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from rathaus.cli.bench.figures import FULL, QUICK, Figure, Sizes
from rathaus.cli.bench.place import (
    DATABASE,
    Place,
    drop_database,
    fresh_database,
    furnish,
    set_up_django,
)

console = Console(highlight=False, width=None if sys.stdout.isatty() else 170)
PARTS = ("memory", "steps", "web", "statements", "round", "lists", "payments", "grants", "program")


@click.command()
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Die Tabelle auch als JSON."
)
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Nur diese Messung (mehrmals möglich).")
@click.option("--quick", is_flag=True, help="Mit winzigen Zahlen: zeigt, dass alles läuft, sonst nichts.")
def bench(json_file: Path | None, only: tuple[str, ...], quick: bool) -> None:
    """Geschwindigkeit messen, mit den Maßstäben im selben Lauf (docs/performance.md)."""
    begun = time.perf_counter()
    urls = fresh_database(DATABASE)
    set_up_django(urls)
    try:
        place = furnish(urls)
        figures: list[Figure] = []
        for part in only or PARTS:
            console.print(f"{part} …", style="dim")
            figures += _part(part, QUICK if quick else FULL, place)
    finally:
        from django.db import connections

        connections.close_all()
        drop_database(urls.superuser, DATABASE)
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "is_quick": quick,
        "seconds": round(time.perf_counter() - begun, 1),
        "figures": [figure.as_json() for figure in figures],
    }
    _print(figures, result)
    if json_file:
        json_file.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _part(name: str, sizes: Sizes, place: Place) -> Iterator[Figure]:
    # Each is imported when Django is set up.
    from rathaus.cli.bench import (
        grant_pages,
        lists,
        memory,
        paying,
        program,
        statements,
        steps,
        web,
        whole_round,
    )

    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "memory": lambda: memory.measure(sizes),
        "steps": lambda: steps.measure(sizes, place),
        "web": lambda: web.measure(sizes, place),
        "statements": lambda: statements.measure(sizes, place),
        "round": lambda: whole_round.measure(sizes),
        "lists": lambda: lists.measure(sizes, place),
        "payments": lambda: paying.measure(sizes, place),
        "grants": lambda: grant_pages.measure(sizes, place),
        "program": lambda: program.measure(place),
    }
    return parts[name]()


def _machine() -> dict[str, Any]:
    load = os.getloadavg()[1]
    return {"cores": os.cpu_count(), "python": platform.python_version(), "load_of_5_minutes": round(load, 2)}


def _print(figures: list[Figure], result: dict[str, Any]) -> None:
    table = Table(title="Rathaus, gemessen", title_justify="left")
    for heading in ("Größe", "Ziel", "gemessen", "Maßstab", "erreicht"):
        table.add_column(heading)
    words = {True: "ja", False: "nein", None: ""}
    for figure in figures:
        style = "bold" if figure.is_reached is False else ""
        table.add_row(
            figure.title,
            figure.goal,
            figure.measured,
            figure.yardstick,
            words[figure.is_reached],
            style=style,
        )
    console.print(table)
    machine = result["machine"]
    console.print(
        f"{machine['cores']} Kerne, Python {machine['python']}, Last {machine['load_of_5_minutes']}, "
        f"{result['seconds']} s.{' Winzige Zahlen: nichts davon gilt.' if result['is_quick'] else ''}"
    )
