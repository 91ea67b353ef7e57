"""One function a command. Each reads its arguments, calls one action, prints what came out; errors exit with 1."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sized
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console

if TYPE_CHECKING:
    from rathaus.core.authorities.models import Authority

console = Console(highlight=False)
ROOT = Path(__file__).resolve().parents[3]


def fail(text: str) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    click.echo(text, err=True)
    raise SystemExit(1)


def _authority(slug: str) -> Authority:
    """The authority of this slug, or the end of the command."""
    from rathaus.core.authorities.models import Authority

    return Authority.objects.filter(slug=slug).first() or fail(f"Die Behörde „{slug}“ gibt es nicht.")


def _played(samples: Sized) -> str:
    return "1 Beispiel gespielt" if len(samples) == 1 else f"{len(samples)} Beispiele gespielt"


@click.command()
def migrate() -> None:
    """Bring the database up to date, as its owner."""
    from django.core.management import call_command

    call_command("migrate", database="owner", verbosity=1)


@click.group()
def register() -> None:
    """The register of municipalities."""


@register.command("load")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def register_load(folder: Path) -> None:
    """Load or update the register from a folder of CSV files."""
    from rathaus.core.authorities.actions import load_register

    console.print(f"{len(load_register(folder))} Behörden im Verzeichnis.")


@click.group()
def authority() -> None:
    """Authorities."""


@authority.command("merge")
@click.argument("predecessor")
@click.argument("successor")
@click.option(
    "--on",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Erster Tag, an dem es nur noch die Nachfolgerin gibt.",
)
def authority_merge(predecessor: str, successor: str, on: datetime) -> None:
    """Let an authority (its slug) end, and another hold what it held. There is no way back."""
    from rathaus.core.authorities.actions import NotMerged, merge_authority
    from rathaus.core.identity.actors import Actor

    old, new = _authority(predecessor), _authority(successor)
    try:
        merge_authority(by=Actor.system(new.id), predecessor=old, successor=new, on=on.date())
    except NotMerged as refused:
        fail(str(refused))
    console.print(f"{old.label} ist ab {on:%d.%m.%Y} Teil von: {new.label}.")


@click.group()
def account() -> None:
    """Accounts of staff."""


@account.command("add")
@click.argument("email")
@click.option("--authority", "slug", required=True, help="Kurzname der Behörde.")
@click.option("--role", "roles", multiple=True, required=True, help="Rolle; mehrfach möglich.")
@click.option(
    "--function", required=True, help="So heißt die Person im Verlauf, zum Beispiel „Referatsleitung D3“."
)
@click.password_option(help="Kennwort; wird sonst erfragt.")
def account_add(email: str, slug: str, roles: tuple[str, ...], function: str, password: str) -> None:
    """Let somebody work for an authority; a known account gets the new password, roles and function."""
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from rathaus.core.identity.actions import add_member, set_password
    from rathaus.core.identity.actors import Actor

    authority = _authority(slug)
    try:
        validate_password(password)
    except ValidationError as wrong:
        fail(" ".join(wrong.messages))
    by = Actor.system(authority.id)
    person = set_password(by=by, email=email, password=password, name=function)
    add_member(by=by, authority=authority, account=person, roles=roles, function=function)
    console.print(f"{person.email} arbeitet für {authority.label} als {function}.")


@click.group()
def service() -> None:
    """Service packages."""


@service.command("check")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
def service_check(folders: tuple[Path, ...]) -> None:
    """Check packages and play their samples through the real engine."""
    from rathaus.casework.services.packages import PackageRefused, compile_package, read_folder
    from rathaus.casework.services.samples import play

    bad = False
    for folder in folders:
        try:
            package = compile_package(read_folder(folder))
            problems = play(package)
        except PackageRefused as refused:
            problems = refused.problems
        if problems:
            bad = True
            for problem in problems:
                click.echo(f"{folder.name}/{problem}", err=True)
        else:
            console.print(f"{folder.name} {package.manifest.fassung}: in Ordnung, {_played(package.samples)}")
    if bad:
        raise SystemExit(1)


@service.command("publish")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--authority", "slug", required=True, help="Kurzname der Behörde, die die Leistung anbietet.")
@click.option("--slug", "name", default="", help="Kurzname des Angebots; sonst Leistung und Behörde.")
@click.option("--prefix", default="", help="Kürzel der Vorgangsnummern; sonst das der Leistung.")
@click.option(
    "--parameter", "given", multiple=True, metavar="NAME=WERT", help="Eigener Wert; mehrfach möglich."
)
def service_publish(folder: Path, slug: str, name: str, prefix: str, given: tuple[str, ...]) -> None:
    """Check a package, publish it and offer it at an authority, or move its offer to this version.

    Running cases stay on their version. What an offer set differently from its package stays, unless given anew.
    """
    from django.conf import settings
    from django.urls import reverse

    from rathaus.casework.services.actions import offer_service, publish_package
    from rathaus.casework.services.models import Offer
    from rathaus.casework.services.operations import Refused
    from rathaus.casework.services.packages import PackageRefused, compile_package, read_folder
    from rathaus.core.identity.actors import Actor

    authority = _authority(slug)
    by = Actor.system(authority.id)
    try:
        files = read_folder(folder)
        package = compile_package(files, check_letters=False)
        name = name or f"{package.manifest.schluessel}-{authority.slug}"
        parameters = typed_parameters(given, package.manifest.parameter)
        before = Offer.objects.filter(slug=name).select_related("version").first()
        with by.acting():  # what cannot be offered is not published either
            version = publish_package(by=by, files=files)
            offer = offer_service(
                by=by, authority=authority, version=version, slug=name, prefix=prefix, parameters=parameters
            )
    except PackageRefused as refused:
        fail("\n".join(f"{folder.name}/{problem}" for problem in refused.problems))
    except Refused as refused:
        fail(str(refused))
    click.echo(
        f"{folder.name} {version.number}: veröffentlicht, {_played(package.samples)}\n"
        f"{authority.label} bietet an: {settings.BASE_URL}{reverse('portal:service', args=[offer.slug])}"
    )
    if changed := {k: v for k, v in offer.parameters.items() if v != package.manifest.parameter[k]}:
        click.echo("Eigene Werte: " + ", ".join(f"{key}={value}" for key, value in sorted(changed.items())))
    if before and before.version_id != version.id:
        click.echo(f"Vorher galt {before.version.number}; laufende Vorgänge bleiben dabei.")


@click.group()
def programme() -> None:
    """Grant programmes."""


@programme.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--authority", "slug", required=True, help="Kurzname der Behörde, die das Programm auflegt.")
def programme_load(file: Path, slug: str) -> None:
    """Load a programme from its file: measures, money by year, calls. Loading it again changes nothing."""
    from rathaus.casework.services.packages import read_folder
    from rathaus.core.identity.actors import Actor
    from rathaus.domains.grants.actions.loading import load_programme
    from rathaus.domains.grants.programme_files import ProgrammeRefused

    authority = _authority(slug)

    def package(name: str) -> dict[str, str]:
        if not (folder := ROOT / "leistungen" / name).is_dir():
            raise FileNotFoundError(name)
        return read_folder(folder)

    try:
        loaded = load_programme(
            by=Actor.system(authority.id),
            authority=authority,
            text=file.read_text(encoding="utf-8"),
            package=package,
        )
    except UnicodeDecodeError:
        fail(f"{file.name}: Die Datei ist nicht in UTF-8 geschrieben.")
    except ProgrammeRefused as refused:
        fail("\n".join(f"{file.name}: {problem}" for problem in refused.problems))
    calls = "1 Förderaufruf" if len(loaded.calls) == 1 else f"{len(loaded.calls)} Förderaufrufe"
    click.echo(f"{loaded.programme.title}: {calls} bei {authority.label}.")


def typed_parameters(given: tuple[str, ...], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """`name=value` of the command line in the types of the package: texts as they are, the rest as in TOML.

    Raises Refused.
    """
    from rathaus.casework.services.operations import Refused

    found: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or name not in defaults:
            raise Refused(f"--parameter {pair}: Es gibt {', '.join(sorted(defaults)) or 'keine Parameter'}.")
        value: Any = text
        if not isinstance(defaults[name], str):
            try:
                value = tomllib.loads(f"value = {text}")["value"]
            except tomllib.TOMLDecodeError:
                value = None
            if type(value) is not type(defaults[name]):
                raise Refused(f"--parameter {pair}: Erwartet wird ein Wert wie {defaults[name]!r}.")
        found[name] = value
    return found


@click.group()
def applications() -> None:
    """Applications."""


@applications.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--authority", "slug", required=True, help="Kurzname der Behörde, bei der die Anträge eingehen."
)
def applications_import(file: Path, slug: str) -> None:
    """Hand in every application of a CSV file, or none."""
    from rathaus.casework.cases.actions.importing import FileNotImported, import_applications
    from rathaus.core.identity.actors import Actor

    authority = _authority(slug)
    try:
        cases = import_applications(
            by=Actor.system(authority.id), content=file.read_bytes(), attachments=beside(file)
        )
    except FileNotImported as refused:
        fail("\n".join([f"{file.name}: nichts übernommen.", *map(str, refused.problems)]))
    console.print(f"{len(cases)} Anträge übernommen.")


def beside(file: Path) -> Callable[[str], bytes]:
    """Reads attachments that lie in the folder of a file, and nowhere else."""
    folder = file.resolve().parent

    def read(name: str) -> bytes:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise FileNotFoundError(name)
        return path.read_bytes()

    return read


@click.group()
def audit() -> None:
    """The sealed history."""


@audit.command("verify")
@click.option("--authority", "slug", default="", help="Nur diese Behörde.")
@click.option(
    "--head", default="", help="Früherer Kopf dieser Behörde: zeigt, ob das Ende abgeschnitten wurde."
)
def audit_verify(slug: str, head: str) -> None:
    """Recompute all seals. Exits with 1 if anything was changed, removed or added."""
    from rathaus.core.audit.queries import verify
    from rathaus.core.authorities.models import Authority

    if head and not slug:
        fail("Ein Kopf gehört zu einer Behörde. Nennen Sie sie mit --authority.")
    if not Authority.objects.exists():
        fail("Es gibt noch keine Behörden.")
    bad = False
    # One that is asked for is looked at even if nothing of its history is left.
    for authority in [_authority(slug)] if slug else _with_history():
        found = verify(authority.id, known_head=head)
        console.print(
            f"{authority.label}: {found.events} Ereignisse in {found.blocks} Blöcken, {found.unsealed} noch ohne Siegel"
            + (f", Kopf {found.head}" if found.head else "")
        )
        for fault in found.faults:
            bad = True
            click.echo(f"  {fault}", err=True)
    if bad:
        raise SystemExit(1)


@audit.command("seal")
def audit_seal() -> None:
    """Seal now what happened since the last seal."""
    from rathaus.core.audit.actions import seal

    for authority in _with_history():
        block = seal(authority.id)
        if block:
            console.print(f"{authority.label}: Block {block.number} mit {len(block.event_ids)} Ereignissen")


def _with_history() -> list[Authority]:
    """Authorities that have a history, by name."""
    from rathaus.core.audit.queries import authorities_with_history
    from rathaus.core.authorities.models import Authority

    return list(Authority.objects.filter(id__in=authorities_with_history()).order_by("sort_key", "id"))


@click.command()
@click.option("--concurrency", default=2, show_default=True)
@click.option("--once", is_flag=True, help="Endet, wenn nichts mehr zu tun ist.")
def worker(concurrency: int, once: bool) -> None:
    """Run jobs: mail, letters, timers, seals. Start as many as you like."""
    from rathaus.core.jobs.worker import run_worker

    run_worker(concurrency=concurrency, once=once)


@click.command()
@click.option("--retry", is_flag=True, help="Alle noch einmal versuchen.")
def jobs(retry: bool) -> None:
    """Jobs that were given up, mails above all. Failed operations of a case are incidents, shown to staff at the case."""
    from django.utils.timezone import localtime

    from rathaus.core.jobs.actions import retry_failed
    from rathaus.core.jobs.queries import failed_jobs

    found = retry_failed() if retry else failed_jobs()
    for job in found:
        at = f"{localtime(job.failed_at):%d.%m.%Y %H:%M}" if job.failed_at else "?"
        arguments = " ".join(f"{name}={value}" for name, value in job.arguments.items())
        click.echo(f"{job.id}  {at}  {job.name}  nach {job.tries} Versuchen  {arguments}")
    if retry and found:
        click.echo("Alle noch einmal eingereiht.")
    elif not found:
        click.echo("Kein Auftrag ist gescheitert.")


@click.group()
def assets() -> None:
    """Fonts for pages and letters."""


@assets.command("build")
def assets_build() -> None:
    """Build the fonts from the design system's package; quick when up to date."""
    from django.conf import settings

    from rathaus.cli.assets import build_assets

    build_assets(ROOT / "node_modules", settings.LETTER_FONTS.parent)


@click.command()
@click.option("--port", default=8000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--workers", default=2, show_default=True)
def serve(port: int, host: str, workers: int) -> None:
    """Serve the site, with one job worker beside it."""
    commands = [
        [sys.executable, "-m", "gunicorn", "rathaus.config.wsgi", "--bind", f"{host}:{port}", "--workers", str(workers),
         "--threads", "2", "--timeout", "60", "--no-control-socket", "--max-requests", "20000",
         "--max-requests-jitter", "2000"],
        [sys.executable, "-m", "rathaus", "worker"],
    ]  # fmt: skip
    # Threads of one process share glibc's arenas, or each keeps what its largest page once needed.
    run_together(commands, env={"MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2")})


def run_together(commands: list[list[str]], *, env: dict[str, str] | None = None) -> None:
    """Run programs until one ends or Ctrl-C is pressed; then end the others.

    One that ended by itself with an error is ours too: we end with its exit code.
    """
    processes = [subprocess.Popen(command, env={**os.environ, **(env or {})}) for command in commands]  # noqa: S603  our own programs
    is_told_to_end = False

    def stop(*_: object) -> None:
        nonlocal is_told_to_end
        is_told_to_end = True
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    failed = 0
    try:
        while all(process.poll() is None for process in processes):
            try:
                processes[0].wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                continue
        if not is_told_to_end:
            failed = next((process.returncode for process in processes if process.returncode), 0)
    except KeyboardInterrupt:
        pass
    finally:
        stop()
        for process in processes:
            process.wait(timeout=20)
    if failed:
        raise SystemExit(abs(failed))


ALL = [
    migrate,
    register,
    authority,
    account,
    service,
    programme,
    applications,
    audit,
    worker,
    jobs,
    assets,
    serve,
]
