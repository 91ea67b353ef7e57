"""Whole files for the court of audit, however large."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

if TYPE_CHECKING:
    from rathaus.casework.cases.actions.exporting import Export

_TARGET = click.option(
    "--to",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Die ZIP-Datei; sie darf noch nicht da sein.",
)
_AUTHORITY = click.option("--authority", "slug", required=True, help="Kurzname der Behörde.")


@click.group()
def export() -> None:
    """Whole files as a ZIP that speaks for itself."""


@export.command("case")
@click.argument("reference")
@_AUTHORITY
@_TARGET
def export_one(reference: str, slug: str, to: Path) -> None:
    """A case, from the one that it began with to all that followed."""
    from rathaus.casework.cases.actions.exporting import export_case
    from rathaus.casework.cases.models import Case
    from rathaus.core.identity.actors import Actor

    authority = _ready(slug, to)
    try:
        found = export_case(by=Actor.system(authority), reference=reference, to=to)
    except Case.DoesNotExist:
        raise click.ClickException(f"Den Vorgang {reference} gibt es bei dieser Behörde nicht.") from None
    _say(found, to)


@export.command("programme")
@click.argument("key")
@_AUTHORITY
@_TARGET
def export_all(key: str, slug: str, to: Path) -> None:
    """All cases of a grant programme, and its books."""
    from rich.progress import Progress

    from rathaus.core.identity.actors import Actor
    from rathaus.domains.grants.actions.exporting import count_cases, export_programme
    from rathaus.domains.grants.models import Programme

    by = Actor.system(_ready(slug, to))
    try:
        total = count_cases(by, key)
    except Programme.DoesNotExist:
        raise click.ClickException(f"Das Förderprogramm {key} gibt es bei dieser Behörde nicht.") from None
    with Progress(transient=True) as progress:
        bar = progress.add_task("Vorgänge", total=total)
        found = export_programme(by=by, programme=key, to=to, on_case=lambda: progress.advance(bar))
    _say(found, to)


def _ready(slug: str, to: Path) -> UUID:
    from rathaus.core.authorities.models import Authority

    authority = Authority.objects.filter(slug=slug).first()
    if authority is None:
        raise click.ClickException(f"Die Behörde „{slug}“ gibt es nicht.")
    if to.exists():
        raise click.ClickException(f"{to} gibt es schon.")
    if not to.resolve().parent.is_dir():
        raise click.ClickException(f"Den Ordner von {to} gibt es nicht.")
    return authority.id


def _say(found: Export, to: Path) -> None:
    click.echo(f"{to}: {found.cases} Vorgänge, {found.documents} Dokumente, SHA-256 {found.sha256}")
    for path in found.missing:
        click.echo(f"FEHLT: {path}", err=True)
