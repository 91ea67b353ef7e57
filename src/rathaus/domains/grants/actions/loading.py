"""Loading a programme from its file: programme, measures, money, services and calls, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer, ServiceVersion
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import PackageRefused, package_of
from rathaus.casework.services.parameters import same
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.programme import provide, set_up_call, set_up_measure, set_up_programme
from rathaus.domains.grants.enums import LineKind
from rathaus.domains.grants.models import Call, Programme
from rathaus.domains.grants.programme_files import CallPlan, ProgrammeRefused, read_programme

Files = Mapping[str, str]


@dataclass(frozen=True)
class LoadedProgramme:
    programme: Programme
    calls: tuple[Call, ...]


def load_programme(
    *, by: Actor, authority: Authority, text: str, package: Callable[[str], Files]
) -> LoadedProgramme:
    """Make what a programme's file says, or bring it up to date. Loading it twice changes nothing.

    What the file does not name stays: other measures and calls, money of other years, parameters that the ministry set.
    `package` gives the files of a service package by its name (FileNotFoundError if there is none). Raises
    ProgrammeRefused with key and reason, NotAllowed; then nothing is stored.
    """
    plan = read_programme(text)
    with by.acting():
        programme = set_up_programme(
            by=by,
            authority=authority.id,
            key=plan.key,
            title=plan.title,
            summary=plan.summary,
            legal_basis=plan.legal_basis,
            payer_name=plan.payer_name,
            payer_iban=plan.payer_iban,
        )
        for number, given in enumerate(plan.measures):
            measure = set_up_measure(by=by, programme=programme, key=given.key, title=given.title)
            for kind, amounts in ((LineKind.CASH, given.cash), (LineKind.COMMITMENT, given.commitments)):
                for year, amount in amounts.items():
                    try:
                        provide(by=by, measure=measure, year=year, amount=amount, kind=kind)
                    except Refused as wrong:
                        name = "barmittel" if kind == LineKind.CASH else "verpflichtungen"
                        raise ProgrammeRefused([f"massnahmen[{number}].{name}.{year}: {wrong}"]) from wrong
        titles = {given.key: given.title for given in plan.measures}
        versions: dict[str, ServiceVersion] = {}
        calls = []
        for number, given_call in enumerate(plan.calls):
            where = f"aufrufe[{number}]"
            if given_call.package not in versions:
                versions[given_call.package] = _published(by, where, given_call, package)
            try:
                offer = _offered(by, authority, versions[given_call.package], given_call, where)
                calls.append(
                    set_up_call(
                        by=by,
                        programme=plan.key,
                        programme_title=plan.title,
                        key=given_call.key,
                        title=given_call.title,
                        offer=offer,
                        budgets={},
                        measure=given_call.measure,
                        measure_title=titles[given_call.measure],
                    )
                )
            except Refused as wrong:
                raise ProgrammeRefused([f"{where}: {wrong}"]) from wrong
        return LoadedProgramme(programme, tuple(calls))


def _published(by: Actor, where: str, call: CallPlan, package: Callable[[str], Files]) -> ServiceVersion:
    try:
        return publish_package(by=by, files=package(call.package))
    except FileNotFoundError as wrong:
        raise ProgrammeRefused([f"{where}.leistung: Ein Paket „{call.package}“ gibt es nicht."]) from wrong
    except PackageRefused as wrong:
        raise ProgrammeRefused([f"{where}.leistung: {problem}" for problem in wrong.problems]) from wrong


def _offered(by: Actor, authority: Authority, version: ServiceVersion, call: CallPlan, where: str) -> Offer:
    """The offer of a call; one that is already as the file says is left alone."""
    manifest = package_of(version.id).manifest
    if unknown := sorted(call.parameters.keys() - manifest.parameter.keys()):
        raise ProgrammeRefused(
            [f"{where}.parameter.{name}: „{call.package}“ kennt diesen Parameter nicht." for name in unknown]
        )
    opens_at = _start_of(call.opens_on)
    closes_at = _start_of(call.closes_on + timedelta(days=1) if call.closes_on else None)
    offer = Offer.objects.filter(slug=call.slug).select_related("terms").first()
    if (
        offer is not None
        and offer.authority_id == authority.id
        and (offer.version_id, offer.title, offer.prefix)
        == (version.id, call.offer_title or manifest.titel, call.prefix)
        and (opens_at or offer.opens_at, closes_at or offer.closes_at) == (offer.opens_at, offer.closes_at)
        and all(same(offer.parameters.get(name), value) for name, value in call.parameters.items())
    ):
        return offer
    return offer_service(
        by=by,
        authority=authority,
        version=version,
        slug=call.slug,
        title=call.offer_title,
        prefix=call.prefix,
        parameters=call.parameters,
        opens_at=opens_at,
        closes_at=closes_at,
    )


def _start_of(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None
