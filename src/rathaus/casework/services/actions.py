"""Publishing packages and offering services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rathaus.casework.services import events
from rathaus.casework.services.manifest import PREFIX, Manifest
from rathaus.casework.services.models import Offer, Service, ServiceVersion
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import MANIFEST, PackageRefused, Problem, compile_package, package_of
from rathaus.casework.services.samples import play
from rathaus.core.audit.actions import record
from rathaus.core.authorities.enums import AuthorityKind
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
            raise PackageRefused([Problem(MANIFEST, None, reason)])
        version = ServiceVersion.objects.create(
            service=service,
            number=manifest.fassung,
            hash=package.hash,
            files=dict(package.files),
            published_by=by.account,
        )
        record(
            events.PUBLISHED,
            by=by,
            authority=by.staff_of,
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
    """Offer a version at an authority, or move its offer to that version. Running cases stay on theirs.

    What is not given stays as the offer has it: prefix, window, and the parameters that it set differently from its
    package. Raises Refused, NotAllowed, or PackageRefused for parameters that the version does not know.
    """
    if by.authority != authority.id or not (by.is_system or DESIGNER in by.roles):
        raise NotAllowed("Leistungen anbieten darf nur die Rolle Prozessdesign der Behörde.")
    manifest = package_of(version.id).manifest
    _check_parameters(parameters or {}, manifest.parameter)
    with by.acting():
        before = Offer.objects.filter(slug=slug).first()
        prefix = prefix or (before.prefix if before else manifest.kuerzel)
        _check_offer(authority, version, manifest, before, slug=slug, prefix=prefix)
        own = own_values(before, manifest.parameter) if before else {}
        offer, _ = Offer.objects.update_or_create(
            slug=slug,
            defaults={
                "authority": authority,
                "service": version.service,
                "version": version,
                "title": title or manifest.titel,
                "prefix": prefix,
                "opening": manifest.opening,
                "parameters": {**manifest.parameter, **own, **(parameters or {})},
                "opens_at": opens_at or (before.opens_at if before else None),
                "closes_at": closes_at or (before.closes_at if before else None),
            },
        )
        record(events.OFFERED, by=by, authority=authority.id, slug=slug, number=version.number)
        return offer


def own_values(offer: Offer, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that an offer set differently from its version, as far as the new version still knows them."""
    before = package_of(offer.version_id).manifest.parameter
    return {
        name: value
        for name, value in offer.parameters.items()
        if name in defaults and value != before.get(name)
    }


def _check_parameters(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    if unknown := sorted(given.keys() - defaults.keys()):
        raise PackageRefused([Problem(MANIFEST, None, f"Unbekannte Parameter: {unknown}.")])
    for name, value in given.items():
        if type(value) is not type(defaults[name]):
            raise Refused(f"Parameter „{name}“: Erwartet wird ein Wert wie {defaults[name]!r}.")


def _check_offer(
    authority: Authority,
    version: ServiceVersion,
    manifest: Manifest,
    before: Offer | None,
    *,
    slug: str,
    prefix: str,
) -> None:
    if authority.kind != manifest.zustaendig:
        responsible, kind = AuthorityKind(manifest.zustaendig).label, AuthorityKind(authority.kind).label
        raise Refused(f"Für diese Leistung ist zuständig: {responsible}. {authority.label} ist: {kind}.")
    if before and before.authority_id != authority.id:
        raise Refused(f"Den Kurznamen „{slug}“ benutzt schon eine andere Behörde.")
    if before and before.service_id != version.service_id:
        raise Refused(f"Unter „{slug}“ wird schon die Leistung „{before.service_id}“ angeboten.")
    if not re.fullmatch(r"[-a-z0-9]{1,120}", slug):
        raise Refused(f"Der Kurzname „{slug}“ hat höchstens 120 kleine Buchstaben, Ziffern und Bindestriche.")
    if not re.fullmatch(PREFIX, prefix):
        raise Refused(f"Das Kürzel „{prefix}“ hat höchstens 12 große Buchstaben und Ziffern.")
    if other := Offer.objects.filter(authority=authority, prefix=prefix).exclude(slug=slug).first():
        raise Refused(f"Das Kürzel „{prefix}“ benutzt schon „{other.slug}“. Wählen Sie ein anderes.")
