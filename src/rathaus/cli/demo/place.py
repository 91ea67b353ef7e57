"""Where the demo plays: the ministry, the town of Lahnau, their people, services and calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import read_folder
from rathaus.core.authorities.actions import keys_of, load_register
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member, give_mandate, party_of_authority
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of
from rathaus.domains.grants.actions import allot, set_up_call
from rathaus.domains.grants.actions.programme import set_up_programme
from rathaus.domains.grants.models import Allotment, Call
from rathaus.integrations.demo_idp.accounts import account_of
from rathaus.integrations.demo_idp.people import people
from rathaus.law.names import sort_key

ROOT = Path(__file__).resolve().parents[4]
PASSWORD = "starke-heimat-2020"  # noqa: S105  printed by the demo, for made-up people only
PROGRAMME = "starke-heimat-hessen"
FOLLOW_UPS = {
    "mittelabruf": "ABRUF",
    "verwendungsnachweis": "NACHWEIS",
    "aenderungsantrag": "AENDERUNG",
    "rueckforderung": "RUECK",
}
TOTAL_2020, BASE_2020 = Decimal("16000000.00"), Decimal("7500.00")


@dataclass(frozen=True)
class Person:
    """A made-up member of staff who logs in with a password."""

    email: str
    function: str
    roles: tuple[str, ...]


MINISTRY_STAFF = (
    Person("d3-2@hessen.example", "Sachbearbeitung D3-2", ("Sachbearbeitung",)),
    Person("d3@hessen.example", "Referatsleitung D3", ("Freigabe", "Leitung")),
    Person("design@hessen.example", "Prozessdesign D3", ("Prozessdesign",)),
)
# People of the preview's Servicekonto, by subject: for which municipality they act, and as what.
OFFICERS = {
    "vorschau-claudia-becker": "06532008",
    "vorschau-stefan-weber": "06532015",
    "vorschau-anja-schmidt": "06532022",
}
TAX_OFFICE = {
    "vorschau-hanna-krug": ("Steueramt", ("Steueramt",)),
    "vorschau-dieter-lotz": ("Leitung Steueramt", ("Leitung Steueramt", "Leitung")),
}


@dataclass(frozen=True)
class Place:
    """What the round needs by name."""

    ministry: Authority
    clerk: Actor
    approver: Actor
    first_call: Call
    smart_call: Call
    dog: Offer
    all_2020: list[Authority]


def prepare_place() -> Place:
    """Registers, authorities, accounts, services, calls and allotments. Called again, it changes nothing."""
    register = {authority.ags: authority for authority in load_register(ROOT / "daten/register")}
    keys = keys_of(ROOT / "daten/register/gemeinden_hessen_2021-01-01.csv")
    all_2020 = [register[key] for key in keys]
    ministry, _ = Authority.objects.get_or_create(
        slug="digitalministerium",
        defaults={
            "kind": AuthorityKind.MINISTRY,
            "name": "Digitalministerium",
            "label": "Hessisches Ministerium für Digitalisierung und Innovation",
            "sort_key": sort_key("Hessisches Ministerium für Digitalisierung und Innovation"),
            "postal_code": "65183",
            "city": "Wiesbaden",
            "valid_from": date(2019, 1, 18),
        },
    )
    accounts = _staff(ministry, MINISTRY_STAFF)
    lahnau = register["06532015"]
    _servicekonto(lahnau, register)
    system = Actor.system(ministry.id)
    first = _call(
        system,
        ministry,
        "starke-heimat-2020",
        "SHH20",
        "Starke Heimat 2020: alle Kommunen",
        {2020: TOTAL_2020},
    )
    smart = _call(
        system,
        ministry,
        "starke-heimat-smart",
        "SHH",
        "Smarte Kommunen und Regionen",
        {2021: Decimal("16000000.00"), 2022: Decimal("16000000.00")},
    )
    with system.acting():
        is_allotted = Allotment.objects.filter(call=first).exists()
    if not is_allotted:
        allot(by=system, call=first, total=TOTAL_2020, base=BASE_2020, among=all_2020)
    set_up_programme(
        by=system,
        authority=ministry.id,
        key=PROGRAMME,
        title="Starke Heimat Hessen",
        summary="Das Land fördert die Digitalisierung der Kommunen mit 20 Millionen Euro im Jahr.",
        legal_basis="§ 44 Landeshaushaltsordnung (LHO)",
        payer_name="Land Hessen",
        payer_iban="DE02100500000054540402",
    )
    for package, prefix in FOLLOW_UPS.items():
        _offer(system, ministry, package, package, prefix)
    dog = _offer(Actor.system(lahnau.id), lahnau, "hundesteuer-anmeldung", "hundesteuer-lahnau", "HUND")
    return Place(
        ministry,
        actor_of(accounts[0].pk),
        actor_of(accounts[1].pk),
        first,
        smart,
        dog,
        all_2020,
    )


def _staff(authority: Authority, people: tuple[Person, ...]) -> list[Account]:
    accounts = []
    for person in people:
        account = Account.objects.filter(email=person.email).first()
        if account is None:
            account = Account.objects.create_user(person.email, PASSWORD, name=person.function)
        add_member(
            by=Actor.system(authority.id),
            authority=authority,
            account=account,
            roles=person.roles,
            function=person.function,
        )
        accounts.append(account)
    return accounts


def _servicekonto(lahnau: Authority, register: Mapping[str, Authority]) -> None:
    """Connect the people of the preview's identity provider with what they may do here."""
    for person in people():
        if person.subject in OFFICERS:
            municipality = register[OFFICERS[person.subject]]
            party = party_of_authority(municipality)
            by = Actor.system(municipality.id)
            give_mandate(by=by, account=account_of(person), party=party, function="Digitalisierung")
        elif person.subject in TAX_OFFICE:
            function, roles = TAX_OFFICE[person.subject]
            by = Actor.system(lahnau.id)
            add_member(by=by, authority=lahnau, account=account_of(person), roles=roles, function=function)


def _offer(by: Actor, authority: Authority, package: str, slug: str, prefix: str) -> Offer:
    existing = Offer.objects.filter(slug=slug).first()
    version = publish_package(by=by, files=read_folder(ROOT / "leistungen" / package))
    if existing and existing.version_id == version.id:
        return existing
    return offer_service(by=by, authority=authority, version=version, slug=slug, prefix=prefix)


def _call(
    by: Actor, ministry: Authority, package: str, prefix: str, title: str, budgets: dict[int, Decimal]
) -> Call:
    offer = _offer(by, ministry, package, package, prefix)
    return set_up_call(
        by=by,
        programme=PROGRAMME,
        programme_title="Starke Heimat Hessen",
        key=package,
        title=title,
        offer=offer,
        budgets=budgets,
    )
