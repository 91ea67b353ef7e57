"""The `rathaus` command: what administrators, process designers and ministries do without a browser."""

from __future__ import annotations

import os
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[3]


def prepare() -> None:
    """Find the database (or start the embedded one) and set Django up. Every command calls this first."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rathaus.config.settings")
    if "DATABASE_URL" not in os.environ:
        from rathaus.core import embedded

        embedded.start(Path(os.environ.get("RATHAUS_VAR", ROOT / "var")).resolve() / "postgres")
    import django

    django.setup()


ON_THEIR_OWN = {"bench"}  # works on a database of its own


class Lazy(click.Group):
    """Sets Django up when a command really runs, not when help is printed."""

    def invoke(self, context: click.Context) -> object:
        wanted = set(context.protected_args) - ON_THEIR_OWN
        if not context.resilient_parsing and "--help" not in context.args and wanted:
            prepare()
        return super().invoke(context)


@click.group(cls=Lazy)
@click.version_option(package_name="rathaus")
def main() -> None:
    """Rathaus: die offene Plattform der Verwaltung."""


def _add_commands() -> None:
    from rathaus.cli import bench, commands, demo, export

    for command in (*commands.ALL, demo.demo, bench.bench, export.export):
        main.add_command(command)


_add_commands()
