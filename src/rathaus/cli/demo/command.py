"""The command: set up, run the round, print the table, serve."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rathaus.cli.commands import console, fail, run_together

FORGETTABLE = ("postgres", "blobs", "mail", "demo")


@click.command()
@click.option("--serve/--no-serve", default=True, help="Danach die Website starten (Voreinstellung).")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Die Tabelle auch als JSON."
)
@click.option("--port", default=8000, show_default=True)
@click.option("--forget", is_flag=True, help="Alle Daten der Vorführung löschen und aufhören.")
def demo(serve: bool, json_file: Path | None, port: int, forget: bool) -> None:
    """Starke Heimat Hessen, vom Verzeichnis bis zum letzten Bescheid; dann die Website mit den Anmeldungen."""
    from django.conf import settings

    if not settings.IS_PREVIEW:
        fail("Die Vorführung läuft nur in einer Vorschau (RATHAUS_PREVIEW=1).")
    if forget:
        _forget(settings.VAR)
        return
    begun = time.perf_counter()
    result = _run(settings.VAR, begun)
    _print(result)
    if json_file:
        json_file.write_text(
            json.dumps(result, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8"
        )
    if serve:
        _serve(port)


def _run(var: Path, begun: float) -> dict[str, Any]:
    from django.core.management import call_command

    from rathaus.casework.cases.models import Case, Notice
    from rathaus.cli.demo.place import prepare_place
    from rathaus.cli.demo.round import DemoFailed, run_round, write_applications
    from rathaus.domains.grants.queries import figures

    kept = var / "demo/ergebnis.json"
    with _Bars() as bar:
        call_command("migrate", database="owner", verbosity=0)
        bar("Datenbank, Verzeichnis, Leistungen, Zuteilung", 0, 1)
        place = prepare_place()
        bar("Datenbank, Verzeichnis, Leistungen, Zuteilung", 1, 1)
        with place.clerk.acting():
            is_imported = Case.objects.filter(offer=place.first_call.offer).exists()
            before = Notice.objects.filter(authority=place.ministry).count()
        if is_imported and kept.exists():
            timing = json.loads(kept.read_text(encoding="utf-8"))
        else:
            file = var / "demo/antraege.csv"
            write_applications(place, file)
            try:
                seconds = run_round(place, file, bar)
            except DemoFailed as failed:
                fail(str(failed))
            with place.clerk.acting():
                made = Notice.objects.filter(authority=place.ministry).count() - before
            timing = {
                "seconds": round(seconds, 1),
                "notices_per_second": round(made / seconds, 1),
                "is_resumed": is_imported,
            }
            kept.write_text(json.dumps(timing), encoding="utf-8")
    rows = [vars(row) for row in figures(place.clerk)]
    return {"rows": rows, **timing, "seconds_in_all": round(time.perf_counter() - begun, 1)}


def _print(result: dict[str, Any]) -> None:
    from rathaus.law.money import format_amount

    table = Table(
        title="Starke Heimat Hessen", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1)
    )
    table.add_column("Aufruf\n  RegBez.", width=13)
    for name in ("An-\nträge", "bewil-\nligt", "Be-\nscheide", "Aus-\nnahmen", "Summe", "noch frei"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in result["rows"]:
        is_call = not row["region"]
        table.add_row(
            row["call"] if is_call else f"  {row['region']}",
            str(row["applications"]),
            str(row["approved"]),
            str(row["notices"]),
            str(row["exceptions"] or "–"),
            format_amount(row["amount"]),
            format_amount(row["free"]) if row["free"] is not None else "",
            style="bold" if is_call else "",
        )
    console.print(table)
    since = "Von der Fortsetzung nach einer Unterbrechung" if result.get("is_resumed") else "Vom Einlesen"
    console.print(
        f"{since} bis zum letzten Bescheid: {result['seconds']} s, "
        f"{result['notices_per_second']} Bescheide je Sekunde.\n"
        "Summe und Zahl von 2020 stehen im Text; die Verteilung auf die Kommunen ist unsere: 7.500 € Sockel, der Rest nach "
        "Einwohnern. Die Kostenpläne der drei Vorhaben sind erfunden, ihre Zuschüsse nicht."
    )


def _serve(port: int) -> None:
    from rathaus.cli.demo.place import MINISTRY_STAFF, PASSWORD
    from rathaus.core import embedded
    from rathaus.integrations.demo_idp import running
    from rathaus.integrations.demo_idp.people import password, people

    urls = embedded.started()
    if urls is None:
        fail("Die Website der Vorführung läuft nur auf der mitgebrachten Datenbank (ohne DATABASE_URL).")
        return
    os.environ["RATHAUS_PREVIEW"] = "1"  # said aloud: the provider of invented people runs nowhere else
    platform = f"http://localhost:{port}"
    provider = running.database(urls)
    running.prepare(provider, platform_url=platform)
    logins = Table(
        "Wer", "Anmelden über", "E-Mail-Adresse", "Kennwort", title="Anmeldungen", title_justify="left"
    )
    for member in MINISTRY_STAFF:
        logins.add_row(f"{member.function}, Ministerium", "Behördenkonto", member.email, PASSWORD)
    for person in people():
        logins.add_row(f"{person.name}, {person.role}", "Servicekonto", person.email, password())
    console.print(logins)
    console.print(f"\n[bold]{platform}[/bold]  (Ende mit Strg+C)\n")
    run_together(
        [running.command(), [sys.executable, "-m", "rathaus", "serve", "--port", str(port)]],
        env=running.environment(provider, platform_url=platform),
    )


def _forget(var: Path) -> None:
    from rathaus.core import embedded

    embedded.stop(var / "postgres")
    for name in FORGETTABLE:
        shutil.rmtree(var / name, ignore_errors=True)
    console.print("Die Daten der Vorführung sind gelöscht.")


class _Bars:
    """One line a step, as far as it is."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<46}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._steps: dict[str, Any] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        if step not in self._steps:
            self._steps[step] = self._progress.add_task(step, total=total)
        self._progress.update(self._steps[step], completed=done, total=total)
