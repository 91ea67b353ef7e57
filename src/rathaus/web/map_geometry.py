"""The boundaries of a Land as `daten/karten` has them, and as SVG paths. Both are read and written once a process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rathaus.web.map_labels import Box, Ring

FOLDER = Path(__file__).resolve().parents[3] / "daten/karten"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Boundaries of a Land in one coordinate space of `width` by `height` units, y down; rings by AGS, boxes by county."""

    land: str
    source: str
    width: int
    height: int
    counties: Mapping[str, str]
    lines: tuple[Ring, ...]
    names: Mapping[str, str]
    rings: Mapping[str, tuple[Ring, ...]]
    boxes: Mapping[str, Box]


@dataclass(frozen=True, slots=True)
class Written:
    """A whole Land as SVG paths at a scale: the counties' borders, and the municipalities by AGS."""

    scale: float
    width: int
    height: int
    lines: str
    towns: Mapping[str, str]


@cache
def load_geometry(land: str) -> Geometry:
    """The boundaries of a Land, read once a process. LookupError if there are none."""
    if not re.fullmatch(r"[a-z]+", land) or not (path := FOLDER / f"{land}.json").is_file():
        raise LookupError(f"no map of {land!r}")
    stored = json.loads(path.read_text(encoding="utf-8"))
    towns = stored["municipalities"]
    rings = {ags: _read_path(town["path"]) for ags, town in towns.items()}
    of_county: dict[str, list[Ring]] = {}
    for ags, own in rings.items():
        of_county.setdefault(ags[:5], []).extend(own)
    return Geometry(
        stored["land"],
        stored["source"],
        stored["width"],
        stored["height"],
        stored["counties"],
        _read_path(stored["county_lines"]),
        {ags: town["name"] for ags, town in towns.items()},
        rings,
        {county: Box.around(own) for county, own in of_county.items()},
    )


@cache
def write_land(land: str, long_side: int) -> Written:
    """A Land with its longer side at so many units, written once a process."""
    geometry = load_geometry(land)
    scale = long_side / max(geometry.width, geometry.height)
    return Written(
        scale,
        round(geometry.width * scale),
        round(geometry.height * scale),
        write_path(geometry.lines, scale, is_closed=False),
        {ags: write_path(rings, scale) for ags, rings in geometry.rings.items()},
    )


def _read_path(path: str) -> tuple[Ring, ...]:
    """Points from `M x y l dx dy …`, the only form that the files have."""
    rings = []
    for part in path.split("M")[1:]:
        x, y, *steps = map(int, re.findall(r"-?\d+", part))
        ring = [(float(x), float(y))]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((float(x), float(y)))
        rings.append(tuple(ring))
    return tuple(rings)


def write_path(rings: Iterable[Ring], scale: float = 1, *, places: int = 0, is_closed: bool = True) -> str:
    """An SVG path. Each point is rounded for itself, so that neighbours still meet."""
    unit = 10**places
    parts = []
    for ring in rings:
        points = [(round(x * scale * unit), round(y * scale * unit)) for x, y in ring]
        x, y = points[0]
        steps = []
        for after_x, after_y in points[1:]:
            if (after_x, after_y) != (x, y):
                steps.append(f"{_number(after_x - x, unit)} {_number(after_y - y, unit)}")
                x, y = after_x, after_y
        if steps:
            end = "z" if is_closed else ""
            start = f"M{_number(points[0][0], unit)} {_number(points[0][1], unit)}"
            parts.append(f"{start}l{' '.join(steps)}{end}".replace(" -", "-"))
    return "".join(parts)


def _number(value: int, unit: int) -> str:
    return str(value) if unit == 1 else f"{value / unit:g}"
