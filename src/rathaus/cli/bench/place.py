"""A database of its own with a ministry, its people, municipalities that apply, and the service that is measured."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:  # Django is set up only after the database is there
    from uuid import UUID

    from rathaus.casework.services.models import Offer
    from rathaus.casework.services.packages import Package
    from rathaus.core.authorities.models import Authority
    from rathaus.core.embedded import DatabaseUrls
    from rathaus.core.identity.actors import Actor
    from rathaus.core.identity.models import Party

ROOT = Path(__file__).resolve().parents[4]
PACKAGE = ROOT / "src/rathaus/bench/leistung"
DATABASE = "rathaus_bench"
PASSWORD = "messung-misst-masse"  # noqa: S105  of made-up people in a database that is dropped afterwards
CLIENTS = 4
BUDGET = Decimal("900000000000.00")


@dataclass(frozen=True)
class Crew:
    """Who works together in one client: an applicant, a clerk, an approver; their e-mail addresses."""

    applicant: str
    clerk: str
    approver: str


@dataclass(frozen=True)
class Place:
    """What measurements need by name."""

    urls: DatabaseUrls
    migrate_seconds: float
    ministry: Authority
    party: Party
    offer: Offer
    applicant: Actor
    clerk: Actor
    approver: Actor
    crews: tuple[Crew, ...]


def fresh_database(name: str) -> DatabaseUrls:
    """An empty database beside that of the demo, in the same embedded cluster; what it held before is gone."""
    from rathaus.core import embedded

    folder = (_var() / "postgres").resolve()
    before = dict(os.environ)
    try:
        drop_database(embedded.start(folder, database=name).superuser, name)
        return embedded.start(folder, database=name)
    finally:  # which database Django uses is said in one place only, see set_up_django
        for key in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            os.environ.pop(key, None)
            os.environ.update({key: before[key]} if key in before else {})


def _var() -> Path:
    """The folder of the embedded cluster, also after Django was sent to a folder of its own."""
    return Path(
        os.environ.get("RATHAUS_BENCH_VAR") or os.environ.get("RATHAUS_VAR") or ROOT / "var"
    ).resolve()


def drop_database(superuser: str, name: str) -> None:
    """Drop one of our own databases, whoever is still connected."""
    with psycopg.connect(superuser, dbname="postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def set_up_django(urls: DatabaseUrls) -> None:
    """Django on this database, with files and mails in a folder of its own."""
    var = _var()
    own = var / "bench"
    own.mkdir(parents=True, exist_ok=True)
    if not (own / "build").is_symlink():
        (own / "build").symlink_to(var / "build")  # fonts
    os.environ.update(
        RATHAUS_VAR=str(own),
        RATHAUS_BENCH_VAR=str(var),
        DATABASE_URL=urls.app,
        DATABASE_OWNER_URL=urls.owner,
        DJANGO_SETTINGS_MODULE="rathaus.config.settings",
        RATHAUS_PREVIEW="1",
    )
    import django

    django.setup()


def furnish(urls: DatabaseUrls) -> Place:
    """Migrate (timed) and make everything that the measurements find."""
    from django.core.management import call_command

    from rathaus.casework.services.packages import read_folder
    from rathaus.core.authorities.enums import AuthorityKind
    from rathaus.core.identity.actions import party_of_authority
    from rathaus.core.identity.queries import actor_of
    from rathaus.domains.grants.actions import set_up_call

    begun = time.perf_counter()
    call_command("migrate", database="owner", verbosity=0)
    migrate_seconds = time.perf_counter() - begun
    ministry = _authority(AuthorityKind.MINISTRY, "Messministerium", "")
    towns = [
        _authority(AuthorityKind.MUNICIPALITY, f"Messhausen {number}", f"0653299{number}")
        for number in range(CLIENTS)
    ]
    crews = tuple(_crew(number, ministry, town) for number, town in enumerate(towns))
    offer = offer_package(ministry, read_folder(PACKAGE), "messung")
    from rathaus.core.identity.actors import Actor

    set_up_call(
        by=Actor.system(ministry.id),
        programme="messung",
        programme_title="Messprogramm",
        key="messung",
        title="Messaufruf",
        offer=offer,
        budgets={2025: BUDGET},
    )
    ids = _ids(crews[0])
    return Place(
        urls,
        migrate_seconds,
        ministry,
        party_of_authority(towns[0]),
        offer,
        actor_of(ids["applicant"]),
        actor_of(ids["clerk"]),
        actor_of(ids["approver"]),
        crews,
    )


def offer_package(authority: Authority, files: Mapping[str, str], slug: str) -> Offer:
    """Publish and offer a package without playing its samples: variants of the bench package have none of their own."""
    from rathaus.casework.services.models import Offer, Service, ServiceVersion, Terms
    from rathaus.casework.services.packages import compile_package, content_hash
    from rathaus.core.identity.actors import Actor

    package = compile_package(files)
    with Actor.system(authority.id).acting():
        service, _ = Service.objects.get_or_create(key=slug, defaults={"title": package.manifest.titel})
        version, _ = ServiceVersion.objects.get_or_create(
            hash=content_hash(files), defaults={"service": service, "number": "1", "files": dict(files)}
        )
        if found := Offer.objects.filter(slug=slug).first():
            return found
        offer = Offer(
            authority=authority,
            service=service,
            version=version,
            slug=slug,
            title=package.manifest.titel,
            prefix=slug.upper()[:12],
            opening=package.manifest.opening,
        )
        offer.terms = Terms(
            authority=authority,
            offer=offer,
            number=1,
            parameters=dict(package.manifest.parameter),
            note="Messung",
        )
        offer.save()
        offer.terms.save()
    return offer


def sample_of(package: Package) -> dict[str, Any]:
    """The answers of the package's sample."""
    return dict(next(iter(package.samples.values()))["antrag"])


def _authority(kind: str, name: str, ags: str) -> Authority:
    from rathaus.core.authorities.models import Authority

    return Authority.objects.create(
        kind=kind,
        name=name,
        label=name,
        sort_key=name.lower(),
        slug=name.lower().replace(" ", "-"),
        ags=ags,
        street="Messweg 1",
        postal_code="65183",
        city="Wiesbaden",
    )


def _crew(number: int, ministry: Authority, town: Authority) -> Crew:
    from rathaus.core.identity.actions import add_member, give_mandate, party_of_authority
    from rathaus.core.identity.actors import Actor
    from rathaus.core.identity.models import Account

    crew = Crew(*(f"{who}{number}@messung.example" for who in ("antrag", "clerk", "freigabe")))
    give_mandate(
        by=Actor.system(town.id),
        account=Account.objects.create_user(crew.applicant, PASSWORD, name="Antragstellung", trust_level=4),
        party=party_of_authority(town),
        function="Digitalisierung",
    )
    for email, role in ((crew.clerk, "Sachbearbeitung"), (crew.approver, "Freigabe")):
        account = Account.objects.create_user(email, PASSWORD, name=role)
        add_member(
            by=Actor.system(ministry.id), authority=ministry, account=account, roles=[role], function=role
        )
    return crew


def _ids(crew: Crew) -> dict[str, UUID]:
    from rathaus.core.identity.models import Account

    return {who: Account.objects.get(email=email).pk for who, email in vars(crew).items()}
