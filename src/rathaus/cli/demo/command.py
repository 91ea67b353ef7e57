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
@click.option(
    "--lives",
    default=443,
    show_default=True,
    help="So viele Zuwendungen von 2020 leben nach dem Bescheid weiter.",
)
@click.option("--forget", is_flag=True, help="Alle Daten der Vorführung löschen und aufhören.")
def demo(serve: bool, json_file: Path | None, port: int, lives: int, forget: bool) -> None:
    """Starke Heimat Hessen, vom Verzeichnis bis zum letzten Bescheid; dann die Website mit den Anmeldungen."""
    from django.conf import settings

    if not settings.IS_PREVIEW:
        fail("Die Vorführung läuft nur in einer Vorschau (RATHAUS_PREVIEW=1).")
    if forget:
        _forget(settings.VAR)
        return
    begun = time.perf_counter()
    result = _run(settings.VAR, begun, lives)
    _print(result)
    if json_file:
        json_file.write_text(
            json.dumps(result, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8"
        )
    if serve:
        _serve(port)


def _run(var: Path, begun: float, lives: int) -> dict[str, Any]:
    from django.core.management import call_command

    from rathaus.cli.demo.people import DemoFailed
    from rathaus.cli.demo.place import prepare_place
    from rathaus.cli.demo.story import Story
    from rathaus.domains.grants.models import Grant, Programme
    from rathaus.domains.grants.queries import check_invariants, figures, lines_of_programme

    setting_up = "Datenbank, Verzeichnis, Leistungen, Zuteilung"
    with _Bars() as bar:
        call_command("migrate", database="owner", verbosity=0)
        bar(setting_up, 0, 1)
        place = prepare_place()
        bar(setting_up, 1, 1)
        story = Story.begin(place, var / "demo", bar, lives=lives)
        is_resumed = bool(story.seconds)
        try:
            story.tell()
        except DemoFailed as failed:
            fail(str(failed))
    books = check_invariants(place.clerk)
    with place.clerk.acting():
        states = {state: Grant.objects.filter(state=state).count() for state in ("running", "closed")}
        programmes = Programme.objects.filter(authority=place.ministry).order_by("key")
        money = [_money(found) for programme in programmes for found in lines_of_programme(programme)]
    return {
        "rows": [vars(row) for row in figures(place.clerk)],
        "seconds": story.round_seconds,
        "notices_per_second": round((len(place.all_2020) + 3) / max(story.round_seconds, 0.1), 1),
        "is_resumed": is_resumed,
        "money": money,
        "lives": states,
        "troubles": story.troubles.rows(),
        "chapters": story.seconds,
        "books": {"lines": books.lines, "grants": books.grants, "faults": list(books.faults)},
        "seconds_in_all": round(time.perf_counter() - begun, 1),
    }


def _money(found: Any) -> dict[str, Any]:
    """A budget line as the table shows it: each euro in one column."""
    money = found.money
    return {
        "measure": found.measure_title,
        "year": found.year,
        "kind": found.kind.label,
        "budget": money.budget,
        "free": money.free,
        "open": money.undrawn,
        "paid": money.paid + money.to_recover + money.waived,
        "proven": money.proven,
        "back": money.released + money.recovered + money.redeemed,
    }


def _print(result: dict[str, Any]) -> None:
    from rathaus.law.money import format_amount

    table = _table("Starke Heimat Hessen: Anträge und Bescheide")
    table.add_column("Aufruf\n  RegBez.", width=13)
    for name in ("An-\nträge", "bewil-\nligt", "Be-\nscheide", "Aus-\nnahmen", "Zuwendungen", "noch frei"):
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
    console.print(
        f"Vom Einlesen bis zum letzten Bescheid: {result['seconds']} s, "
        f"{result['notices_per_second']} Bescheide je Sekunde.\n"
        "Summe und Zahl von 2020 stehen im Text; die Verteilung auf die Kommunen ist unsere: 7.500 € Sockel, der Rest nach "
        "Einwohnern. Die Kostenpläne der drei Vorhaben und alles, was nach den Bescheiden geschieht, sind erfunden.\n"
    )
    _print_money(result)
    _print_troubles(result)
    books = result["books"]
    for fault in books["faults"][:20]:
        console.print(f"[bold red]{fault}[/bold red]")
    if books["faults"]:
        fail(f"Die Bücher stimmen nicht: {len(books['faults'])} Abweichungen.")
    console.print(
        f"\n[bold]Bücher geprüft:[/bold] {books['lines']} Haushaltslinien, {books['grants']} Zuwendungen, aus den "
        "Buchungen neu gerechnet, keine Abweichung.\n"
        "Mittel = gebunden + frei; gebunden = ausgezahlt + offen + freigegeben; Zuwendung = ausgezahlt - zurückgefordert + "
        "offen."
    )


def _print_money(result: dict[str, Any]) -> None:
    from rathaus.law.money import format_number

    table = _table("Wo das Geld ist, in Euro")
    table.add_column("Maßnahme", width=12)
    table.add_column("Jahr")
    for name in ("Mittel", "offen", "ausgezahlt", "nachgewiesen", "zurück"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in result["money"]:
        names = ("budget", "open", "paid", "proven", "back")
        table.add_row(
            row["measure"], str(row["year"]), *(format_number(row[name], places=0) for name in names)
        )
    console.print(table)
    lives = result["lives"]
    console.print(f"{lives['closed']} Zuwendungen sind abgeschlossen, {lives['running']} laufen.\n")


def _print_troubles(result: dict[str, Any]) -> None:
    table = _table("Was schiefging, und was das Programm dazu sagte")
    table.add_column("Was", width=30)
    table.add_column("Mal", justify="right")
    table.add_column("Antwort", width=40)
    for name, row in result["troubles"].items():
        table.add_row(name, str(row["count"]), row["reason"].split("\n")[0])
    console.print(table)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))


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
