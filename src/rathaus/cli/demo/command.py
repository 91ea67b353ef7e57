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
    """Zwei Länder fördern ihre Kommunen, vom Verzeichnis bis zum letzten Nachweis; dann die Website mit den Anmeldungen."""
    from django.conf import settings

    from rathaus.cli.demo.report import print_report

    if not settings.IS_PREVIEW:
        fail("Die Vorführung läuft nur in einer Vorschau (RATHAUS_PREVIEW=1).")
    if forget:
        _forget(settings.VAR)
        return
    begun = time.perf_counter()
    result = _run(settings.VAR, begun, lives)
    print_report(result)
    if json_file:
        json_file.write_text(
            json.dumps(result, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8"
        )
    if serve:
        _serve(port)


def _run(var: Path, begun: float, lives: int) -> dict[str, Any]:
    from django.core.management import call_command

    from rathaus.casework.services.packages import PackageRefused
    from rathaus.cli.demo.bars import Bars
    from rathaus.cli.demo.chapters import AFRESH, Chapters
    from rathaus.cli.demo.people import DemoFailed
    from rathaus.cli.demo.place import prepare_place
    from rathaus.cli.demo.report import figures_of
    from rathaus.cli.demo.story import tell_all

    with Bars(console) as bars:
        try:
            chapters = Chapters(var / "demo", bars, lives=lives)
            bars.begin("Datenbank, Verzeichnis, Leistungen")
            call_command("migrate", database="owner", verbosity=0)
            place = prepare_place()
            bars.end(time.perf_counter() - begun)
            tell_all(place, chapters)
        except DemoFailed as failed:
            fail(str(failed))
        except PackageRefused as refused:
            fail(f"Die Leistungen sind neuer als die Daten der Vorführung. {refused}\n{AFRESH}")
        except KeyboardInterrupt:
            fail("\nUnterbrochen. Der nächste Aufruf geht weiter oder sagt, was zu tun ist.")
    return {**figures_of(place, chapters), "seconds_in_all": round(time.perf_counter() - begun, 1)}


def _serve(port: int) -> None:
    from rathaus.cli.demo.report import print_logins
    from rathaus.core import embedded
    from rathaus.integrations.demo_idp import running

    urls = embedded.started()
    if urls is None:
        fail("Die Website der Vorführung läuft nur auf der mitgebrachten Datenbank (ohne DATABASE_URL).")
        return
    os.environ["RATHAUS_PREVIEW"] = "1"  # said aloud: the provider of invented people runs nowhere else
    platform = f"http://localhost:{port}"
    provider = running.database(urls)
    running.prepare(provider, platform_url=platform)
    print_logins(platform)
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
