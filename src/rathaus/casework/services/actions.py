"""Publishing packages and offering services."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rathaus.casework.services import events
from rathaus.casework.services.models import Offer, Service, ServiceVersion
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import PackageRefused, Problem, compile_package
from rathaus.casework.services.samples import play
from rathaus.core.audit.actions import record
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor, NotAllowed

DESIGNER = "Prozessdesign"


def publish_package(*, by: Actor, files: Mapping[str, str]) -> ServiceVersion:
    """Check a package, play its samples, store it under its hash. The same content again is the same version.

    Raises PackageRefused; then nothing is stored. A number that was published with other content is refused.
    """
    if not by.is_staff or not (by.is_system or DESIGNER in by.roles):
        raise NotAllowed("Leistungen veröffentlichen darf nur die Rolle Prozessdesign.")
    package = compile_package(files)
    if failed := play(package):
        raise PackageRefused(failed)
    with by.acting():
        if existing := ServiceVersion.objects.filter(hash=package.hash).first():
            return existing
        manifest = package.manifest
        service, _ = Service.objects.update_or_create(
            key=manifest.schluessel, defaults={"title": manifest.titel}
        )
        if ServiceVersion.objects.filter(service=service, number=manifest.fassung).exists():
            reason = f"Die Fassung {manifest.fassung} ist schon veröffentlicht, mit anderem Inhalt. Erhöhen Sie „fassung“."
            raise PackageRefused([Problem("leistung.toml", None, reason)])
        version = ServiceVersion.objects.create(
            service=service,
            number=manifest.fassung,
            hash=package.hash,
            files=dict(package.files),
            published_by=by.account,
        )
        assert by.authority is not None
        record(
            events.PUBLISHED,
            by=by,
            authority=by.authority,
            service=manifest.schluessel,
            number=manifest.fassung,
        )
        return version


def offer_service(
    *,
    by: Actor,
    authority: Authority,
    version: ServiceVersion,
    slug: str,
    title: str = "",
    prefix: str = "",
    parameters: Mapping[str, Any] | None = None,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
) -> Offer:
    """Offer a version at an authority, or move its offer to that version. Running cases stay on theirs."""
    if by.authority != authority.id or not (by.is_system or DESIGNER in by.roles):
        raise NotAllowed("Leistungen anbieten darf nur die Rolle Prozessdesign der Behörde.")
    manifest = compile_package(version.files, check_letters=False).manifest
    unknown = set(parameters or {}) - set(manifest.parameter)
    if unknown:
        raise PackageRefused([Problem("leistung.toml", None, f"Unbekannte Parameter: {sorted(unknown)}.")])
    if Offer.objects.filter(slug=slug).exclude(authority=authority).exists():
        raise Refused(f"Den Kurznamen „{slug}“ benutzt schon eine andere Behörde.")
    with by.acting():
        offer, _ = Offer.objects.update_or_create(
            slug=slug,
            defaults={
                "authority": authority,
                "service": version.service,
                "version": version,
                "title": title or manifest.titel,
                "prefix": prefix or manifest.kuerzel,
                "parameters": {**manifest.parameter, **(parameters or {})},
                "opens_at": opens_at,
                "closes_at": closes_at,
            },
        )
        record(events.OFFERED, by=by, authority=authority.id, slug=slug, number=version.number)
        return offer
