"""Where the demo plays: two ministries, the town of Lahnau, their people, services and calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import package_of, read_folder
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
    "veraeusserung": "VER",
}
# What letters of Thüringen say otherwise than the packages, which are written for Hessen.
AS_THUERINGEN_WRITES = {
    "absender_kurz": "Thüringer Finanzministerium",
    "verfahrensgesetz": "ThürVwVfG",
    "gericht": "beim Verwaltungsgericht, in dessen Bezirk Sie Ihren Sitz haben: in Gera, Meiningen oder Weimar",
}
TOTAL_2020, BASE_2020 = Decimal("16000000.00"), Decimal("7500.00")


@dataclass(frozen=True)
class Person:
    """A made-up member of staff who logs in with a password."""

    email: str
    function: str
    roles: tuple[str, ...]


HESSEN_STAFF = (
    Person("d3-2@hessen.example", "Sachbearbeitung D3-2", ("Sachbearbeitung",)),
    Person("d3@hessen.example", "Referatsleitung D3", ("Freigabe", "Leitung")),
    Person("design@hessen.example", "Prozessdesign D3", ("Prozessdesign",)),
    Person("gutachten1@hessen.example", "Gutachten Verwaltung", ("Gutachten",)),
    Person("gutachten2@hessen.example", "Gutachten Technik", ("Gutachten",)),
    Person("gutachten3@hessen.example", "Gutachten Gesellschaft", ("Gutachten",)),
)
THUERINGEN_STAFF = (
    Person("sachbearbeitung@thueringen.example", "Sachbearbeitung E-Government", ("Sachbearbeitung",)),
    Person("freigabe@thueringen.example", "Freigabe E-Government", ("Freigabe",)),
    Person("leitung@thueringen.example", "Leitung E-Government", ("Leitung",)),
)
# Who the 19 municipalities of 2019 were is not published. Ours: the most populous one of each county, Jena, Weimar.
NINETEEN = (
    "16053000", "16055000", "16061115", "16062041", "16063003", "16064046", "16065067", "16066042", "16067029",
    "16068051", "16069024", "16070029", "16071001", "16072018", "16073077", "16074018", "16075085", "16076022",
    "16077001",
)  # fmt: skip
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
class House:
    """A ministry, and those of its people who act in the demo."""

    ministry: Authority
    clerk: Actor
    approver: Actor
    head: Actor
    experts: tuple[Actor, ...]


@dataclass(frozen=True)
class Place:
    """What the chapters need by name."""

    hessen: House
    thueringen: House
    first_call: Call
    smart_call: Call
    all_2020: list[Authority]
    nineteen: list[Authority]


def prepare_place() -> Place:
    """Registers, authorities, accounts, services, calls and allotments. Called again, it changes nothing."""
    load_register(ROOT / "daten/register/thueringen")
    register = {authority.ags: authority for authority in load_register(ROOT / "daten/register")}
    all_2020 = [register[key] for key in keys_of(ROOT / "daten/register/gemeinden_hessen_2021-01-01.csv")]
    hessen = _house(
        "digitalministerium",
        "Digitalministerium",
        "Hessisches Ministerium für Digitalisierung und Innovation",
        ("HE", "65183", "Wiesbaden"),
        date(2019, 1, 18),
        HESSEN_STAFF,
    )
    thueringen = _house(
        "thueringer-finanzministerium",
        "Thüringer Finanzministerium",
        "Thüringer Finanzministerium",
        ("TH", "99099", "Erfurt"),
        date(1990, 10, 3),
        THUERINGEN_STAFF,
    )
    _servicekonto(register)
    first, smart = _programme_of_hessen(hessen.ministry, all_2020)
    for package, prefix in FOLLOW_UPS.items():
        _offer(hessen.ministry, package, package, prefix)
        _offer(thueringen.ministry, package, f"thueringen-{package}", prefix, AS_THUERINGEN_WRITES)
    _offer(register["06532015"], "hundesteuer-anmeldung", "hundesteuer-lahnau", "HUND")
    return Place(hessen, thueringen, first, smart, all_2020, [register[key] for key in NINETEEN])


def _house(
    slug: str, name: str, label: str, place: tuple[str, str, str], since: date, staff: tuple[Person, ...]
) -> House:
    land, postal_code, city = place
    ministry, _ = Authority.objects.get_or_create(
        slug=slug,
        defaults={
            "kind": AuthorityKind.MINISTRY,
            "name": name,
            "label": label,
            "sort_key": sort_key(label),
            "land": land,
            "postal_code": postal_code,
            "city": city,
            "valid_from": since,
        },
    )
    actors = [(person.roles, actor_of(account.pk)) for person, account in _staff(ministry, staff)]
    clerk, approver, head = (
        next(actor for roles, actor in actors if role in roles)
        for role in ("Sachbearbeitung", "Freigabe", "Leitung")
    )
    return House(
        ministry, clerk, approver, head, tuple(actor for roles, actor in actors if "Gutachten" in roles)
    )


def _programme_of_hessen(ministry: Authority, all_2020: list[Authority]) -> tuple[Call, Call]:
    """The calls of 2020 and 2021."""
    by = Actor.system(ministry.id)
    first = _call(
        ministry,
        "starke-heimat-2020",
        "SHH20",
        "Starke Heimat 2020: alle Kommunen",
        {2020: TOTAL_2020},
    )
    smart = _call(
        ministry,
        "starke-heimat-smart",
        "SHH",
        "Smarte Kommunen und Regionen",
        {2021: Decimal("16000000.00"), 2022: Decimal("16000000.00")},
    )
    with by.acting():
        is_allotted = Allotment.objects.filter(call=first).exists()
    if not is_allotted:
        allot(by=by, call=first, total=TOTAL_2020, base=BASE_2020, among=all_2020)
    set_up_programme(
        by=by,
        authority=ministry.id,
        key=PROGRAMME,
        title="Starke Heimat Hessen",
        summary="Das Land fördert die Digitalisierung der Kommunen mit 20 Millionen Euro im Jahr.",
        legal_basis="§ 44 Landeshaushaltsordnung (LHO)",
        payer_name="Land Hessen",
        payer_iban="DE02100500000054540402",
    )
    return first, smart


def _staff(authority: Authority, people: tuple[Person, ...]) -> list[tuple[Person, Account]]:
    members = []
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
        members.append((person, account))
    return members


def _servicekonto(register: Mapping[str, Authority]) -> None:
    """Connect the people of the preview's identity provider with what they may do here."""
    lahnau = register["06532015"]
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


def _offer(
    authority: Authority, package: str, slug: str, prefix: str, said: Mapping[str, Any] | None = None
) -> Offer:
    """Offer a package; of what is `said` otherwise, it takes the parameters that it has."""
    by = Actor.system(authority.id)
    existing = Offer.objects.filter(slug=slug).first()
    version = publish_package(by=by, files=read_folder(ROOT / "leistungen" / package))
    if existing and existing.version_id == version.id:
        return existing
    known = package_of(version.id).manifest.parameter
    return offer_service(
        by=by,
        authority=authority,
        version=version,
        slug=slug,
        prefix=prefix,
        parameters={name: value for name, value in (said or {}).items() if name in known},
    )


def _call(ministry: Authority, package: str, prefix: str, title: str, budgets: dict[int, Decimal]) -> Call:
    offer = _offer(ministry, package, package, prefix)
    return set_up_call(
        by=Actor.system(ministry.id),
        programme=PROGRAMME,
        programme_title="Starke Heimat Hessen",
        key=package,
        title=title,
        offer=offer,
        budgets=budgets,
    )
