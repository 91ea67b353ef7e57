"""Who got what for which project, for everybody."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from rathaus.core import clock
from rathaus.core.authorities.queries import succession
from rathaus.domains.grants.models import Grant
from rathaus.domains.grants.queries.public import (
    Choice,
    Options,
    Place,
    options,
    places,
    public_grant,
    public_page,
    publishers,
)
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import format_date
from rathaus.web.maps import Drawing, MapValue, classes, draw_map
from rathaus.web.parts import Column, Fact, Link, PlainTable
from rathaus.web.public.choices import address_of, choice_of
from rathaus.web.public.frames import frame_of
from rathaus.web.public.records import COLUMNS, licence, page_of, partner_names

MAX_AGE = 300
LANDS = {"HE": "Hessen", "TH": "Thüringen"}
MAPS = {"HE": "hessen", "TH": "thueringen"}
CLASSES = 4


@require_safe
def grants(request: HttpRequest) -> HttpResponse:
    """The list with its sums, as a map and as tables; every filter stands in the address."""
    choice = choice_of(request.GET)
    after = request.GET.get("nach", "")
    try:
        page = public_page(choice, after=after)
    except ValueError as wrong:
        raise Http404 from wrong
    known, found = options(), places(choice)
    here = reverse("public:grants")
    total = sum((place.amount for place in found), Decimal("0.00"))
    context: dict[str, Any] = {
        "frame": frame_of(request, current=here),
        "choice": choice,
        "rows": [(grant, page_of(grant)) for grant in page.grants],
        "options": known,
        "lands": [(key, LANDS.get(key, key)) for key in known.lands],
        "glance": (
            Fact("Förderungen", format_number(sum(place.grants for place in found), places=0)),
            Fact("Kommunen", format_number(len(found), places=0)),
            Fact("bewilligt", format_amount(total)),
        ),
        "chosen": _chosen(choice, known, found),
        "map": _map(choice, known, found),
        "table": _table(found, total),
        "csv": address_of(reverse("public:grants_csv"), choice),
        "json": address_of(reverse("public:grants_json"), choice),
        "more": address_of(here, choice, nach=page.after) if page.after else "",
        "start": address_of(here, choice) if after else "",
        "licence": licence(),
        "today": clock.today(),
    }
    return _public(request, render(request, "public/grants.html", context))


@require_safe
def grant(request: HttpRequest, authority: str, reference: str) -> HttpResponse:
    """What everybody may know of one grant."""
    try:
        found = public_grant(authority, reference)
    except Grant.DoesNotExist as missing:
        raise Http404 from missing
    context = {
        "frame": frame_of(request),
        "grant": found,
        "crumbs": (
            Link("Förderungen", reverse("public:grants")),
            Link(found.reference, ""),
        ),
        "facts": _facts(found),
        "years": _years(found),
        "description": tuple(_description(found)),
        "partners": _partners(found),
        "others": address_of(reverse("public:grants"), Choice(municipality=_ags(found))),
    }
    return _public(request, render(request, "public/grant.html", context))


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """What there is as open data, what its columns mean, under which licence."""
    here = reverse("public:data")
    columns = PlainTable(
        "Spalten",
        (Column("Spalte"), Column("Bedeutung")),
        tuple((column.name, column.words) for column in COLUMNS),
    )
    context = {
        "frame": frame_of(request, current=here),
        "columns": columns,
        "licence": licence(),
        "base": settings.BASE_URL,
        "publishers": [authority.label for authority in publishers()],
        "files": (
            ("Förderungen als CSV", reverse("public:grants_csv"), "UTF-8, Komma, eine Kopfzeile"),
            ("Förderungen als JSON", reverse("public:grants_json"), "mit Lizenz und Stand"),
            ("Beschreibung der JSON-Datei", reverse("public:grants_schema"), "JSON Schema 2020-12"),
            ("Katalog für Datenportale", reverse("public:catalogue"), "DCAT-AP.de, JSON-LD"),
        ),
    }
    return _public(request, render(request, "public/data.html", context))


def _public(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Caches may keep the page for a while, unless it names who is logged in."""
    if request.user.is_authenticated:
        patch_cache_control(answer, private=True, no_cache=True)
    else:
        patch_cache_control(answer, public=True, max_age=MAX_AGE)
    return answer


# --- the list ---


def _chosen(choice: Choice, known: Options, found: list[Place]) -> list[Link]:
    """Each filter in words, with the address without it."""
    here = reverse("public:grants")
    names = {place.ags: place.label for place in found}
    words = (
        ("q", f"„{choice.text}“" if choice.text else ""),
        ("kommune", names.get(choice.municipality, choice.municipality)),
        ("programm", known.programmes.get(choice.programme, choice.programme)),
        ("land", LANDS.get(choice.land, choice.land)),
        ("jahr", str(choice.year or "")),
        ("behoerde", known.authorities.get(choice.authority, choice.authority)),
    )
    return [Link(word, address_of(here, choice, **{key: ""})) for key, word in words if word]


def _map(choice: Choice, known: Options, found: list[Place]) -> Drawing | None:
    """The Land that was chosen, or the only one, or that of this site; nothing where there is no map of it."""
    land = choice.land or (known.lands[0] if len(known.lands) == 1 else settings.LAND)
    here = [place for place in found if place.land == land and place.ags]
    if land not in MAPS or not here:
        return None
    classed = classes((place.amount for place in here), CLASSES)
    address = reverse("public:grants")
    values = {
        place.ags: MapValue(
            classed.level_of(place.amount),
            format_amount(place.amount),
            address_of(address, choice, kommune=place.ags),
        )
        for place in here
    }
    return draw_map(MAPS[land], values, legend=classed.words, title="Förderungen", without="keine Förderung")


def _table(found: list[Place], total: Decimal) -> PlainTable:
    return PlainTable(
        "Summen je Kommune",
        (Column("Kommune"), Column("Land"), Column("Förderungen", True), Column("Summe", True)),
        tuple(
            (
                place.label,
                LANDS.get(place.land, place.land),
                format_number(place.grants, places=0),
                format_amount(place.amount),
            )
            for place in found
        ),
        total=(
            "Summe",
            "",
            format_number(sum(place.grants for place in found), places=0),
            format_amount(total),
        ),
    )


# --- one grant ---


def _facts(grant: Grant) -> tuple[Fact, ...]:
    period = ""
    if grant.begins_on and grant.ends_on:
        period = f"{format_date(grant.begins_on)} bis {format_date(grant.ends_on)}"
    elif grant.ends_on:
        period = f"bis {format_date(grant.ends_on)}"
    facts = [Fact("Zuwendung", format_amount(grant.amount))]
    if grant.notified_on:
        facts.append(Fact("Bescheid vom", format_date(grant.notified_on)))
    if period:
        facts.append(Fact("Zeitraum", period))
    closed = f"am {format_date(grant.closed_on)}" if grant.closed_on else ""
    facts.append(Fact("Stand", grant.get_state_display(), closed))
    return tuple(facts)


def _years(grant: Grant) -> PlainTable | None:
    """The amounts by year, where there are several."""
    if len(grant.years) < 2:
        return None
    amounts = [(year, Decimal(amount)) for year, amount in sorted(grant.years.items())]
    return PlainTable(
        "Beträge je Haushaltsjahr",
        (Column("Haushaltsjahr"), Column("Betrag", True)),
        tuple((year, format_amount(amount)) for year, amount in amounts),
        total=("Summe", format_amount(sum((amount for _, amount in amounts), Decimal("0.00")))),
    )


def _description(grant: Grant) -> list[Fact]:
    programme, recipient = grant.call.measure.programme, grant.recipient
    assert recipient is not None  # else it were not public
    followed = "; ".join(str(step) for step in succession(recipient, clock.today()))
    found = [
        Fact("Empfängerin", grant.recipient_name, followed),
        Fact("Förderprogramm", programme.title),
        Fact("Förderaufruf", grant.call.title),
        Fact("Bewilligt von", grant.authority.label),
        Fact("Vorgangsnummer", grant.reference),
    ]
    if programme.legal_basis:
        found.insert(2, Fact("Grundlage", programme.legal_basis))
    if len(grant.years) == 1:
        found.append(Fact("Haushaltsjahr", next(iter(grant.years))))
    return found


def _partners(grant: Grant) -> list[str]:
    names = partner_names([grant])
    return [names.get(str(key), str(key)) for key in grant.partners]


def _ags(grant: Grant) -> str:
    return grant.recipient.ags if grant.recipient else ""
