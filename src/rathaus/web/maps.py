"""A map of a Land by municipality, as shapes to draw. Pure: values by AGS in, data out; `web/parts/map.html` writes the SVG.

    classed = classes((grant.amount for grant in grants), 3)
    values = {grant.ags: MapValue(classed.level_of(grant.amount), format_amount(grant.amount), url) for grant in grants}
    drawing = draw_map("hessen", values, legend=classed.words, title="Zuschüsse")

and in the page `{% include "web/parts/chart_patterns.html" %}` once, `{% include "web/parts/map.html" with chart=drawing %}`
where the map stands. The table with the same values stands beside the map; the geometry comes from `daten/karten`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import pairwise

from rathaus.law.money import NO_BREAK_SPACE, format_number
from rathaus.web.map_geometry import Geometry, Written, load_geometry, write_land, write_path
from rathaus.web.map_labels import Box, Label, Point, Ring, place_labels

#: Which of the five shades (1 is the lightest) so many classes take, as far apart as can be.
SHADES: Mapping[int, tuple[int, ...]] = {
    1: (3,),
    2: (2, 4),
    3: (1, 3, 5),
    4: (1, 2, 3, 5),
    5: (1, 2, 3, 4, 5),
}
MOST_CLASSES = max(SHADES)
MOST_LABELS = 12  # more words than this are a heap: then the titles and the table say them
MOST_FIGURES = 12  # as many figures are read out one by one, more by class
FAR = 0.62  # counties that take more than this part of the Land's width or height are not enlarged
LONG_SIDE = 1000  # the Land's longer side in units of the drawing, when its shapes are links
LONG_SIDE_BESIDE = 520  # ... and when it only shows where the enlarged part lies
DETAIL = 360  # width of the enlarged part: about a pixel a unit, so that its words keep their size
LEAST = 0.7  # of that, when names beside it need room
MARGIN = 4
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class MapValue:
    """What a municipality shows: class from 0, its figure in words ("483.660,00 €"), where a click leads.

    A partner is hatched, whatever its class; its label says whose ("Partner von Ehringshausen").
    """

    level: int
    label: str
    url: str
    is_partner: bool = False


@dataclass(frozen=True, slots=True)
class MapClass:
    """A class of the legend where a plain word is not enough: `is_overdue` makes it red, and nothing else may."""

    words: str
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class MapShape:
    """A coloured municipality: SVG path, class names, title ("Lahnau: 56.084,00 €"), address or nothing."""

    path: str
    css: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class MapSheet:
    """One SVG: `view` is its viewBox, `land` what is grey, `lines` the counties' borders, `frame` what is enlarged."""

    view: str
    words: str
    land: str
    lines: str
    shapes: tuple[MapShape, ...]
    labels: tuple[Label, ...] = ()
    frame: Box | None = None

    @property
    def is_linked(self) -> bool:
        """Whether shapes are links: then the SVG is a group, not an image."""
        return any(shape.url for shape in self.shapes)


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A swatch with its words."""

    css: str
    words: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The map: the Land, the enlarged counties if shapes are few, legend, source; `missing` are AGS without a shape."""

    land: str
    state: MapSheet
    detail: MapSheet | None
    legend: tuple[LegendEntry, ...]
    source: str
    missing: tuple[str, ...] = ()
    links: int = 0

    @property
    def note(self) -> str:
        """A sentence on those that have a value and no shape, which the table shows all the same; or nothing."""
        counties = sum(len(ags) == 5 for ags in self.missing)
        others = len(self.missing) - counties
        said = []
        if counties:
            said.append("ein Landkreis" if counties == 1 else f"{counties} Landkreise")
        if others:
            said.append("eine weitere Kommune" if others == 1 else f"{others} weitere Kommunen")
        if not said:
            return ""
        return f"Nur in der Tabelle: {' und '.join(said)} (auf der Karte ohne eigene Fläche)."


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of amounts: a bound belongs to the class above it. `words` has one more entry than `bounds`."""

    bounds: tuple[Decimal, ...]
    words: tuple[str, ...]

    def level_of(self, amount: Decimal) -> int:
        """The class of an amount, from 0."""
        return bisect_right(self.bounds, amount)


def draw_map(
    land: str,
    values: Mapping[str, MapValue],
    *,
    legend: Sequence[str | MapClass],
    title: str,
    without: str = "kein Zuschuss",
    successors: Mapping[str, str] | None = None,
) -> Drawing:
    """The map of `land` ("hessen", "thueringen") with `values` by AGS, `legend` naming their classes from level 0 up.

    `title` says what is shown ("Zuschüsse"), `without` what grey means. Boundaries are those of 2021: `successors`
    leads from the AGS of a municipality that has merged since to the one whose value its area shows. ValueError for
    more than five classes or a level without a class; LookupError for a Land without a map.
    """
    geometry = load_geometry(land)
    looks = _looks(legend)
    if wrong := sorted({value.level for value in values.values()} - set(range(len(looks)))):
        raise ValueError(f"levels without a class: {wrong}")
    shown = _shown(geometry, values, successors or {})
    box = _box_of_counties(geometry, shown)
    written = write_land(land, LONG_SIDE if box is None else LONG_SIDE_BESIDE)
    figures = _in_figures(geometry, shown, [look.words for look in looks])
    state = _state_sheet(
        geometry, written, shown, looks, box, f"Karte von {geometry.land}: {title}. {figures}"
    )
    detail = None if box is None else _detail_sheet(geometry, shown, looks, box, title)
    swatches = [LegendEntry(look.css, look.words) for look in looks]
    if any(value.is_partner for value in shown.values()):
        swatches.append(LegendEntry("rh-mp", "Partner"))
    if len(shown) < len(geometry.rings):
        swatches.append(LegendEntry("rh-sw--none", without))
    return Drawing(
        geometry.land,
        state,
        detail,
        tuple(swatches),
        f"Grenzen: {geometry.source}",
        tuple(sorted(set(values) - {ags if ags in values else (successors or {})[ags] for ags in shown})),
        sum(bool(value.url) for value in shown.values()),
    )


def classes(values: Iterable[Decimal], n: int = 3, *, unit: str = "€") -> Classes:
    """At most `n` classes (up to 5) of about as many values each, with bounds as round as the values allow.

    "unter 100.000 €", "100.000 bis unter 250.000 €", "ab 250.000 €". Fewer classes if fewer values differ, none of
    them is empty, the order of the values does not matter. Without values there is no class.
    """
    if not 1 <= n <= MOST_CLASSES:
        raise ValueError(f"between 1 and {MOST_CLASSES} classes, not {n}")
    ordered = sorted(values)
    bounds: list[Decimal] = []
    for part in range(1, n):
        bound = _bound(ordered, Decimal(part) / n, Decimal(1) / n, bounds[-1] if bounds else None)
        if bound is not None:
            bounds.append(bound)
    return Classes(tuple(bounds), _class_words(bounds, ordered, unit))


def _bound(ordered: Sequence[Decimal], part: Decimal, width: Decimal, last: Decimal | None) -> Decimal | None:
    """The roundest number with about this part of the values below it; None if it would leave a class empty."""
    if not ordered:
        return None
    used = 0 if last is None else bisect_left(ordered, last)
    place = min(max(round(part * len(ordered)), 1), len(ordered) - 1)
    wanted = (ordered[place - 1] + ordered[place]) / 2 if len(ordered) > 1 else ordered[0]
    for is_strict in (True, False):
        for candidates in _round_numbers(wanted):
            fitting = []
            for candidate in candidates:
                below = bisect_left(ordered, candidate)
                is_near = abs(Decimal(below) / len(ordered) - part) <= width / 2
                if used < below < len(ordered) and (is_near or not is_strict):
                    fitting.append((abs(candidate - wanted), candidate))
            if fitting:
                return min(fitting)[1].quantize(CENT)
    return None


def _round_numbers(near: Decimal) -> Iterator[list[Decimal]]:
    """Numbers around this one, the roundest first: 1, 2, 2.5 or 5 with zeros, then one digit, two, … to the cent."""
    if near <= 0:
        yield [Decimal(0)]
        return
    exponent = near.adjusted()
    decades = [Decimal(1).scaleb(exponent + step) for step in (-1, 0, 1)]
    yield [decade * Decimal(front) for decade in decades for front in ("1", "2", "2.5", "5")]
    for digits in range(exponent + 3):  # to the cent
        step = Decimal(1).scaleb(exponent - digits)
        whole = int(near / step)
        yield [step * (whole + shift) for shift in range(-2, 4) if whole + shift > 0]


def _class_words(bounds: Sequence[Decimal], ordered: Sequence[Decimal], unit: str) -> tuple[str, ...]:
    """Each class in words."""
    if not ordered:
        return ()
    exact = [*bounds] if bounds else [ordered[0], ordered[-1]]
    places = 0 if all(bound == bound.to_integral_value() for bound in exact) else 2

    def said(bound: Decimal) -> str:
        return format_number(bound, places=places)

    after = f"{NO_BREAK_SPACE}{unit}"
    if not bounds:
        low, high = said(ordered[0]), said(ordered[-1])
        return (f"{low}{after}" if low == high else f"{low} bis {high}{after}",)
    between = [f"{said(low)} bis unter {said(high)}{after}" for low, high in pairwise(bounds)]
    return (f"unter {said(bounds[0])}{after}", *between, f"ab {said(bounds[-1])}{after}")


def _looks(legend: Sequence[str | MapClass]) -> list[LegendEntry]:
    """The swatch of each class."""
    wanted = [entry if isinstance(entry, MapClass) else MapClass(entry) for entry in legend]
    if len(wanted) > MOST_CLASSES:
        raise ValueError(f"{len(wanted)} classes are more than the eye tells apart ({MOST_CLASSES})")
    plain = sum(not entry.is_overdue for entry in wanted)
    shades = iter(SHADES[plain]) if plain else iter(())
    return [
        LegendEntry("rh-abad" if entry.is_overdue else f"rh-a{next(shades)}", entry.words) for entry in wanted
    ]


def _shown(
    geometry: Geometry, values: Mapping[str, MapValue], successors: Mapping[str, str]
) -> dict[str, MapValue]:
    """The value of each shape that has one, its own before that of its successor."""
    found = {}
    for ags in geometry.rings:
        value = values.get(ags) or values.get(successors.get(ags, ""))
        if value is not None:
            found[ags] = value
    return found


def _box_of_counties(geometry: Geometry, shown: Mapping[str, MapValue]) -> Box | None:
    """The part to enlarge: the counties of the coloured shapes, if they take a small part of the Land."""
    counties = {ags[:5] for ags in shown}
    if not counties:
        return None
    first, *others = (geometry.boxes[county] for county in counties)
    box = reduce(Box.with_box, others, first)
    if box.width > FAR * geometry.width or box.height > FAR * geometry.height:
        return None
    return box


def _state_sheet(
    geometry: Geometry,
    written: Written,
    shown: Mapping[str, MapValue],
    looks: Sequence[LegendEntry],
    box: Box | None,
    words: str,
) -> MapSheet:
    """The whole Land; its shapes are links unless an enlarged part has them."""
    margin = 0 if box is None else MARGIN  # the frame may go round a county at the edge
    return MapSheet(
        f"{-margin} {-margin} {written.width + 2 * margin} {written.height + 2 * margin}",
        words,
        "".join(path for ags, path in written.towns.items() if ags not in shown),
        written.lines,
        tuple(
            MapShape(
                written.towns[ags],
                _css(value, looks),
                f"{geometry.names[ags]}: {value.label}",
                value.url if box is None else "",
            )
            for ags, value in _in_order(geometry, shown)
        ),
        frame=None if box is None else box.scaled(written.scale).grown(3).rounded(),
    )


def _detail_sheet(
    geometry: Geometry, shown: Mapping[str, MapValue], looks: Sequence[LegendEntry], box: Box, title: str
) -> MapSheet:
    """The counties of the coloured shapes, with words outside them; each coloured shape is a link."""
    counties = sorted({ags[:5] for ags in shown})
    towns = [ags for ags in geometry.rings if ags[:5] in counties]
    ordered = _in_order(geometry, shown)
    # Not much taller than wide: it stands beside the Land.
    scale = min(DETAIL / box.width, 1.25 * DETAIL / box.height)
    placed, labels, whole = _place(geometry, towns, ordered, box, scale)
    if whole.width > DETAIL:  # names reach out: the land makes room, or they would be too small to read
        scale *= max(1 - (whole.width - DETAIL) / (box.width * scale), LEAST)
        placed, labels, whole = _place(geometry, towns, ordered, box, scale)
    corners = {point for ags in towns for ring in geometry.rings[ags] for point in ring}
    lines = [
        tuple(((x - box.x) * scale, (y - box.y) * scale) for x, y in piece)
        for line in geometry.lines
        for piece in _stretches(line, corners)
    ]
    names = _listed([geometry.counties[key] for key in counties if key in geometry.counties])
    return MapSheet(
        f"{whole.x:g} {whole.y:g} {whole.width:g} {whole.height:g}",
        f"{names}, vergrößert: {title}",
        write_path([ring for ags in towns if ags not in shown for ring in placed[ags]], places=1),
        write_path(lines, places=1, is_closed=False) if len(counties) > 1 else "",
        tuple(
            MapShape(
                write_path(placed[ags], places=1),
                _css(value, looks),
                f"{geometry.names[ags]}: {value.label}",
                value.url,
            )
            for ags, value in ordered
        ),
        labels,
    )


def _place(
    geometry: Geometry, towns: Sequence[str], ordered: Sequence[tuple[str, MapValue]], box: Box, scale: float
) -> tuple[dict[str, tuple[Ring, ...]], tuple[Label, ...], Box]:
    """The shapes of the enlarged part at this scale, the names beside them, and the room that both take."""
    placed = {
        ags: tuple(
            tuple(((x - box.x) * scale, (y - box.y) * scale) for x, y in ring) for ring in geometry.rings[ags]
        )
        for ags in towns
    }
    labels: tuple[Label, ...] = ()
    if len(ordered) <= MOST_LABELS:
        names = {ags: (geometry.names[ags], not value.is_partner) for ags, value in ordered}
        labels = place_labels(names, placed)
    whole = Box(0, 0, box.width * scale, box.height * scale).grown(2)
    for label in labels:
        whole = whole.with_box(label.box)
    return placed, labels, whole.rounded()


def _in_order(geometry: Geometry, shown: Mapping[str, MapValue]) -> list[tuple[str, MapValue]]:
    """By name, as the table beside it: the order in which the keyboard comes to the links."""
    return sorted(shown.items(), key=lambda item: (geometry.names[item[0]], item[0]))


def _css(value: MapValue, looks: Sequence[LegendEntry]) -> str:
    return "rh-mp" if value.is_partner else looks[value.level].css


def _stretches(line: Ring, corners: Set[Point]) -> Iterator[Ring]:
    """The parts of a line that run along these corners."""
    piece: list[Point] = []
    for point in line:
        if point in corners:
            piece.append(point)
        elif piece:
            yield tuple(piece)
            piece = []
    if piece:
        yield tuple(piece)


def _in_figures(geometry: Geometry, shown: Mapping[str, MapValue], words: Sequence[str]) -> str:
    """What the picture says, for those who hear it: each value, or how many are in each class."""
    if not shown:
        return "Noch keine Werte."
    if len(shown) <= MOST_FIGURES:
        return f"{'; '.join(f'{geometry.names[ags]}: {value.label}' for ags, value in _in_order(geometry, shown))}."
    counted = Counter(value.level for value in shown.values() if not value.is_partner)
    said = [f"{words[level]}: {counted[level]}" for level in sorted(counted)]
    if partners := sum(value.is_partner for value in shown.values()):
        said.append(f"Partner: {partners}")
    return f"Kommunen nach Klasse: {'; '.join(said)}. Alle Werte in der Tabelle."


def _listed(names: Sequence[str]) -> str:
    """One, two und three."""
    return f"{', '.join(names[:-1])} und {names[-1]}" if len(names) > 1 else "".join(names)
