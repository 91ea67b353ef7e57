"""Who got what: the map of the Land, and the table that says the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import urlencode

from django.urls import reverse

from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import by_ags
from rathaus.domains.grants.enums import Stage
from rathaus.domains.grants.queries import ProgrammeFile, Share
from rathaus.law.money import format_amount
from rathaus.web.maps import Drawing, MapClass, MapValue, classes, draw_map

MODES = {"betrag": "Betrag", "kopf": "je Einwohner", "stand": "Stand"}
LANDS = {"HE": "hessen", "TH": "thueringen"}
SHOWN = 12  # rows before the others are folded away
CLASSES = 3
#: Stages as the map tells them apart, from light to dark, and which is red.
STAGES = (
    ("Noch kein Abruf", (Stage.AWARDED,), False),
    ("Auszahlung läuft", (Stage.PAYING,), False),
    ("Nachweis erwartet oder in Prüfung", (Stage.EXPECTED, Stage.CHECKING, Stage.CHECKED), False),
    ("Abgeschlossen", (Stage.CLOSED,), False),
    ("Überfällig oder Rückforderung offen", (Stage.OVERDUE, Stage.CLAIMED), True),
)
#: Of several grants of a municipality the one counts that needs somebody most.
URGENT = (
    Stage.OVERDUE, Stage.CLAIMED, Stage.CHECKING, Stage.EXPECTED, Stage.PAYING, Stage.AWARDED, Stage.CHECKED,
    Stage.CLOSED,
)  # fmt: skip
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Place:
    """A municipality with what it got, of all its grants; `per_head` counts the people of its partners, too."""

    name: str
    ags: str
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
    """The map, if there is one of the Land, and its table: `first` rows, `others` folded away."""

    mode: str
    drawing: Drawing | None
    first: tuple[Place, ...]
    others: tuple[Place, ...]
    total: Decimal


def places_of(file: ProgrammeFile, shares: Sequence[Share], mode: str) -> Places:
    """By amount, largest first; by name where amounts are the same."""
    keys = {partner for share in shares for partner in share.partners}
    register = by_ags(keys) if keys else {}
    own: dict[str, list[Share]] = {}
    for share in shares:
        own.setdefault(share.ags or share.name, []).append(share)
    rows = sorted(
        (_place(file, found, register) for found in own.values()), key=lambda row: (-row.amount, row.name)
    )
    return Places(
        mode,
        _drawing(file, rows, shares, register, mode),
        tuple(rows[:SHOWN]),
        tuple(rows[SHOWN:]),
        sum((row.amount for row in rows), Decimal("0.00")),
    )


def _place(file: ProgrammeFile, shares: Sequence[Share], register: dict[str, Authority]) -> Place:
    partners = sorted({partner for share in shares for partner in share.partners if partner != shares[0].ags})
    amount = sum((share.amount for share in shares), Decimal("0.00"))
    people = [shares[0].population, *(found.population for key in partners if (found := register.get(key)))]
    per_head = None
    if people[0]:
        per_head = (amount / sum(number or 0 for number in people)).quantize(CENT, ROUND_HALF_UP)
    count = sum(share.count for share in shares)
    if count == 1:
        url = reverse("desk:case", args=[shares[0].reference])
    else:
        url = f"{reverse('desk:programme_grants', args=[file.programme.key])}?{urlencode({'q': shares[0].name})}"
    return Place(
        shares[0].name,
        shares[0].ags,
        _listed([register[key].name if key in register else key for key in partners]),
        amount,
        per_head,
        min((share.stage for share in shares), key=URGENT.index),
        count,
        url,
    )


def _drawing(
    file: ProgrammeFile,
    rows: Sequence[Place],
    shares: Sequence[Share],
    register: dict[str, Authority],
    mode: str,
) -> Drawing | None:
    land = LANDS.get(file.programme.authority.land)
    if land is None or not rows:
        return None
    values: dict[str, MapValue] = {}
    of = {row.ags: row for row in rows if row.ags}
    for share in shares:
        for partner in share.partners - of.keys():
            label = f"Partner von {share.name}"
            values[partner] = MapValue(
                0, label, of[share.ags].url if share.ags in of else "", is_partner=True
            )
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
