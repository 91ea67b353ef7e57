"""Who got what: the map of the Land, and the table that says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import by_ags
from rathaus.domains.grants.enums import Stage
from rathaus.domains.grants.queries import URGENT, ProgrammeFile, Share
from rathaus.law.money import format_amount, to_cents
from rathaus.web.maps import Drawing, MapClass, MapValue, classes, draw_map

MODES = {"betrag": "Betrag", "kopf": "je Einwohner", "stand": "Stand"}
LANDS = {"HE": "hessen", "TH": "thueringen"}
SHOWN = 12  # rows before the others are left to a link
CLASSES = 3
#: Stages as the map tells them apart, from light to dark, and which is red.
STAGES = (
    ("Noch kein Abruf", (Stage.AWARDED,), False),
    ("Auszahlung läuft", (Stage.PAYING,), False),
    ("Nachweis erwartet oder in Prüfung", (Stage.EXPECTED, Stage.CHECKING, Stage.CHECKED), False),
    ("Abgeschlossen", (Stage.CLOSED,), False),
    ("Überfällig oder Rückforderung offen", (Stage.OVERDUE, Stage.CLAIMED), True),
)


@dataclass(frozen=True)
class Place:
    """A municipality with what it got, of all its grants; `per_head` counts the people of its partners, too."""

    name: str
    ags: str
    partner_keys: tuple[str, ...]
    partners: str
    amount: Decimal
    per_head: Decimal | None
    stage: Stage
    count: int
    url: str

    @property
    def tone(self) -> str:
        """Colour of the badge: only where somebody must act."""
        return "danger" if self.stage in (Stage.OVERDUE, Stage.CLAIMED) else "neutral"


@dataclass(frozen=True)
class Places:
    """The map, if there is one of the Land, and its table: the `rows` to show of `count`, the `total` of all in euros."""

    mode: str
    drawing: Drawing | None
    rows: tuple[Place, ...]
    count: int
    total: Decimal

    @property
    def is_cut(self) -> bool:
        """Whether the table leaves municipalities out."""
        return len(self.rows) < self.count

    @property
    def is_long(self) -> bool:
        """Whether it has more than are shown at first."""
        return len(self.rows) > SHOWN


def places_of(file: ProgrammeFile, shares: Iterable[Share], mode: str, *, is_whole: bool) -> Places:
    """By amount, largest first; by name where amounts are the same. The map always has all, the table if `is_whole`."""
    own: dict[str, list[Share]] = {}
    for share in shares:
        own.setdefault(share.ags or share.name, []).append(share)
    keys = {partner for found in own.values() for share in found for partner in share.partners}
    register = by_ags(keys) if keys else {}
    list_url = reverse("desk:programme_grants", args=[file.programme.key])
    rows = sorted(
        (_place(found, register, list_url) for found in own.values()), key=lambda row: (-row.amount, row.name)
    )
    return Places(
        mode,
        _drawing(file, rows, mode),
        tuple(rows if is_whole else rows[:SHOWN]),
        len(rows),
        sum((row.amount for row in rows), Decimal("0.00")),
    )


def _place(shares: Sequence[Share], register: Mapping[str, Authority], list_url: str) -> Place:
    first = shares[0]
    partners = sorted({partner for share in shares for partner in share.partners if partner != first.ags})
    amount = sum((share.amount for share in shares), Decimal("0.00"))
    people = [first.population, *(found.population for key in partners if (found := register.get(key)))]
    per_head = None
    if people[0]:
        per_head = to_cents(amount / sum(number or 0 for number in people))
    count = sum(share.count for share in shares)
    return Place(
        first.name,
        first.ags,
        tuple(partners),
        _listed([register[key].name if key in register else key for key in partners]),
        amount,
        per_head,
        min((share.stage for share in shares), key=URGENT.index),
        count,
        reverse("desk:case", args=[first.reference])
        if count == 1
        else f"{list_url}?{urlencode({'q': first.name})}",
    )


def _drawing(file: ProgrammeFile, rows: Sequence[Place], mode: str) -> Drawing | None:
    land = LANDS.get(file.programme.authority.land)
    if land is None or not rows:
        return None
    values: dict[str, MapValue] = {}
    of = {row.ags: row for row in rows if row.ags}
    for row in rows:
        for partner in row.partner_keys:
            if partner not in of:
                url = row.url if row.ags else ""
                values.setdefault(partner, MapValue(0, f"Partner von {row.name}", url, is_partner=True))
    legend: tuple[str | MapClass, ...]
    if mode == "stand":
        legend = tuple(MapClass(words, is_overdue) for words, _, is_overdue in STAGES)
        for ags, row in of.items():
            level = next(number for number, (_, stages, _) in enumerate(STAGES) if row.stage in stages)
            values[ags] = MapValue(level, row.stage.label, row.url)
    else:
        figures = {ags: row.amount if mode == "betrag" else row.per_head for ags, row in of.items()}
        known = {ags: figure for ags, figure in figures.items() if figure is not None}
        classed = classes(known.values(), CLASSES)
        legend = classed.words
        for ags, figure in known.items():
            words = format_amount(figure) + (" je Einwohner" if mode == "kopf" else "")
            values[ags] = MapValue(classed.level_of(figure), words, of[ags].url)
    return draw_map(land, values, legend=legend, title=f"Zuschüsse, {MODES[mode]}")


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return " und ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else ""
