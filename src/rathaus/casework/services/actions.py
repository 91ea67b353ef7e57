"""Publishing packages and offering services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from rathaus.casework.services import events
from rathaus.casework.services.manifest import PREFIX, Manifest
from rathaus.casework.services.models import Offer, Service, ServiceVersion, Terms, Window
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import MANIFEST, PackageRefused, Problem, compile_package, package_of
from rathaus.casework.services.parameters import ParameterForm, same
from rathaus.casework.services.permissions import DESIGNER, check_may_set_terms, may_design
from rathaus.casework.services.samples import play
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import why_ended
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.law.text import format_date

LONGEST_NOTE = 500


def publish_package(*, by: Actor, files: Mapping[str, str]) -> ServiceVersion:
    """Check a package, play its samples, store it under its hash. The same content again is the same version.

    Raises PackageRefused; then nothing is stored. A number that was published with other content is refused.
    """
    if not may_design(by):
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
    if by.authority != authority.id or not may_design(by):
        raise NotAllowed(f"Leistungen anbieten darf nur die Rolle {DESIGNER} der Behörde.")
    package = package_of(version.id)
    manifest, given = package.manifest, dict(parameters or {})
    if unknown := sorted(given.keys() - manifest.parameter.keys()):
        raise PackageRefused([Problem(MANIFEST, None, f"Unbekannte Parameter: {unknown}.")])
    if problems := list(package.parameters.problems(given)):
        raise Refused(" ".join(problems))
    with by.acting():
        before = Offer.objects.filter(slug=slug).first()
        prefix = prefix or (before.prefix if before else manifest.kuerzel)
        _check_offer(authority, version, manifest, before, slug=slug, prefix=prefix)
        if before:
            before = _locked(before)
        own = own_values(before, package.parameters) if before else {}
        values = {**manifest.parameter, **own, **given}
        _check_values(package.parameters, values)
        offer = before or Offer(authority=authority, service=version.service, slug=slug)
        if before is None or not same(before.terms.parameters, values):
            offer.terms = _next_terms(by, offer, values, before, _reason(before, version, given))
        offer.version = version
        offer.title = title or manifest.titel
        offer.prefix = prefix
        offer.opening = manifest.opening
        offer.opens_at = opens_at or offer.opens_at
        offer.closes_at = closes_at or offer.closes_at
        offer.save()
        if offer.terms._state.adding:
            offer.terms.save()
        record(events.OFFERED, by=by, authority=authority.id, slug=slug, number=version.number)
        return offer


class TermsChanged(Refused):
    """Somebody else set terms after those that this change is based on; `current` are theirs."""

    def __init__(self, current: Terms) -> None:
        who = current.set_function or "Jemand"
        super().__init__(
            f"{who} hat die Regeln inzwischen geändert (Nr. {current.number}: {current.note}). Prüfen Sie Ihre Änderung "
            "daran noch einmal."
        )
        self.current = current


def set_terms(*, by: Actor, offer: Offer, parameters: Mapping[str, Any], note: str, based_on: int) -> Terms:
    """Make new terms of an offer: the parameters given have new values, all others stay.

    They hold for applications handed in from now on; running cases keep theirs. `based_on` is the number of the terms
    that the person had before them. Raises NotAllowed, TermsChanged if those are no longer in force, and Refused for
    values that the package's form does not accept, for no reason given, or where nothing changes.
    """
    check_may_set_terms(by, offer.authority_id)
    reason = " ".join(note.replace("\x00", "").split())
    if not reason:
        raise Refused("Schreiben Sie, warum Sie die Regeln ändern. Das steht später bei der Fassung.")
    if len(reason) > LONGEST_NOTE:
        raise Refused(f"Der Grund hat {len(reason)} Zeichen. Kürzen Sie ihn auf höchstens {LONGEST_NOTE}.")
    with by.acting():
        held = _locked(offer)
        if held.terms.number != based_on:
            raise TermsChanged(held.terms)
        form = package_of(held.version_id).parameters
        if problems := list(form.problems(parameters)):
            raise Refused(" ".join(problems))
        if fixed := sorted(parameters.keys() & set(form.fixed)):
            raise Refused(f"Diesen Wert legt die Leistung selbst fest: {', '.join(fixed)}.")
        before = held.terms.values_for(held.version_id)
        values = {**before, **parameters}
        _check_values(form, values)
        changes = form.changes(before, values)
        if not changes:
            raise Refused("Sie haben nichts geändert.")
        terms = _next_terms(by, held, values, held, reason)
        terms.save()
        held.terms = offer.terms = terms
        held.save(update_fields=["terms"])
        said = "; ".join(
            f"{change.label}: {', '.join(change.old) or 'leer'} → {', '.join(change.new) or 'leer'}"
            for change in changes
        )
        record(
            events.TERMS_SET,
            by=by,
            authority=held.authority_id,
            slug=held.slug,
            number=terms.number,
            note=reason,
            changes=said,
            values=[[change.name, before.get(change.name), values[change.name]] for change in changes],
        )
        return terms


class WindowChanged(Refused):
    """Somebody else set the window after the one that this change is based on."""

    def __init__(self, current: Offer) -> None:
        super().__init__(
            f"Jemand hat den Zeitraum inzwischen geändert. Er ist jetzt: {window_words(current)}."
        )


def set_window(*, by: Actor, offer: Offer, window: Window, based_on: Window) -> Offer:
    """Say from when until when an offer takes applications, and whether at all.

    `based_on` is the window that the person had before them. Raises NotAllowed, WindowChanged if it is no longer that, and
    Refused.
    """
    check_may_set_terms(by, offer.authority_id)
    if window.opens_at and window.closes_at and window.closes_at <= window.opens_at:
        raise Refused("Das Ende liegt nicht nach dem Beginn. Prüfen Sie beide Zeitpunkte.")
    with by.acting():
        held = _locked(offer)
        if held.window != based_on:
            raise WindowChanged(held)
        if window == based_on:
            raise Refused("Sie haben nichts geändert.")
        held.is_open, held.opens_at, held.closes_at = window
        held.save(update_fields=["is_open", "opens_at", "closes_at"])
        record(
            events.WINDOW_SET, by=by, authority=held.authority_id, slug=held.slug, window=window_words(held)
        )
        return held


def window_words(offer: Offer) -> str:
    """When an offer takes applications, in words."""
    if not offer.is_open:
        return "nimmt keine Anträge an"
    words = [
        f"{word} {_moment(timezone.localtime(moment))}"
        for word, moment in (("ab", offer.opens_at), ("bis", offer.closes_at))
        if moment
    ]
    return " ".join(words) or "ohne Frist"


def _moment(local: datetime) -> str:
    return f"{format_date(local.date())}, {local:%H:%M} Uhr"


def _locked(offer: Offer) -> Offer:
    """The offer with its terms, locked until the end of the transaction. The terms are read after the lock was got."""
    held = Offer.objects.select_for_update().get(id=offer.id)
    held.terms = Terms.objects.get(id=held.terms_id)
    return held


def _next_terms(by: Actor, offer: Offer, values: Mapping[str, Any], before: Offer | None, note: str) -> Terms:
    return Terms(
        authority_id=offer.authority_id,
        offer=offer,
        number=before.terms.number + 1 if before else 1,
        parameters=dict(values),
        note=note,
        set_at=clock.now(),
        set_by_id=by.account,
        set_function=by.function,
    )


def _reason(before: Offer | None, version: ServiceVersion, given: Mapping[str, Any]) -> str:
    if before is None:
        return "Zum ersten Mal angeboten."
    if before.version_id != version.id:
        return f"Leistung in Fassung {version.number} übernommen."
    return f"Beim Anbieten gesetzt: {', '.join(sorted(given))}."[:LONGEST_NOTE]


def _check_values(form: ParameterForm, values: Mapping[str, Any]) -> None:
    if errors := form.check(values):
        raise Refused(" ".join(f"Parameter „{error.path}“: {error.message}" for error in errors))


def own_values(offer: Offer, form: ParameterForm) -> dict[str, Any]:
    """The parameters that an offer set differently from its version, as far as the new version still knows them so."""
    before = package_of(offer.version_id).manifest.parameter
    return {
        name: value
        for name, value in offer.parameters.items()
        if not same(value, before.get(name)) and not any(form.problems({name: value}))
    }


def _check_offer(
    authority: Authority,
    version: ServiceVersion,
    manifest: Manifest,
    before: Offer | None,
    *,
    slug: str,
    prefix: str,
) -> None:
    if reason := why_ended(authority, clock.today()):
        raise Refused(reason)
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
