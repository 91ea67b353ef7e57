"""Makes the maps of this folder from boundaries in GeoJSON: `python daten/karten/build.py FOLDER`.

FOLDER holds `<land>_gemeinden.geojson` and `<land>_kreise.geojson` (WGS 84, neighbours sharing their points exactly,
which is checked). Each point is projected (Lambert's azimuthal equal-area about the middle of the Land, so that
areas may be compared) and moved to a grid of 50 metres. A point that two municipalities share falls on the same grid
point for both: borders cannot tear. The boundaries are those of 1:5,000,000, so nothing further is simplified.
The same input gives the same bytes.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

LANDS = {"hessen": "Hessen", "thueringen": "Thüringen"}
SOURCE = "© GeoBasis-DE / BKG 2021, dl-de/by-2-0 (Daten verändert)"
AS_OF = "2021-01-01"
GRID = 50  # metres
EARTH = 6_371_000  # metres, as a sphere: the difference is less than the width of a line

Point = tuple[int, int]
Ring = list[Point]


def main() -> None:
    """Write every map that FOLDER has boundaries for."""
    source, target = Path(sys.argv[1]), Path(__file__).parent
    for key, name in LANDS.items():
        towns, counties = (
            json.loads((source / f"{key}_{kind}.geojson").read_text(encoding="utf-8"))["features"]
            for kind in ("gemeinden", "kreise")
        )
        text = write(build(name, towns, counties))
        (target / f"{key}.json").write_text(text, encoding="utf-8")
        sys.stdout.write(f"{key}.json: {len(text.encode()) // 1000} KB\n")


def build(name: str, towns: Sequence[Any], counties: Sequence[Any]) -> dict[str, Any]:
    """The map of a Land from the features of its municipalities and counties. ValueError if borders do not meet."""
    place = _projection([point for town in towns for ring in _rings(town["geometry"]) for point in ring])
    shapes: dict[str, list[Ring]] = {}
    names: dict[str, str] = {}
    for town in sorted(towns, key=lambda feature: feature["properties"]["ags"]):
        rings = [_tidy([place(*point) for point in ring]) for ring in _rings(town["geometry"])]
        shapes[town["properties"]["ags"]] = [ring for ring in rings if len(ring) > 2]
        names[town["properties"]["ags"]] = town["properties"]["name"]
    points = [point for rings in shapes.values() for ring in rings for point in ring]
    return {
        "land": name,
        "as_of": AS_OF,
        "source": SOURCE,
        "metres": GRID,
        "width": max(x for x, _ in points),
        "height": max(y for _, y in points),
        "counties": {
            county["properties"]["ags"]: _county_name(county["properties"])
            for county in sorted(counties, key=lambda feature: feature["properties"]["ags"])
        },
        "county_lines": "".join(_path(line) for line in _county_lines(shapes)),
        "municipalities": {
            ags: {"name": names[ags], "path": "".join(f"{_path(ring)}z" for ring in rings)}
            for ags, rings in shapes.items()
        },
    }


def write(drawn: dict[str, Any]) -> str:
    """JSON with a line for each municipality, so that a difference of two versions can be read."""
    head = {key: value for key, value in drawn.items() if key != "municipalities"}
    rows = ",\n".join(
        f"{json.dumps(ags)}:{json.dumps(town, ensure_ascii=False, separators=(',', ':'))}"
        for ags, town in drawn["municipalities"].items()
    )
    start = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{start},\n "municipalities": {{\n{rows}\n}}}}\n'


def _projection(points: Sequence[tuple[float, float]]) -> Callable[[float, float], Point]:
    """From longitude and latitude to the grid; x to the right, y down, both from 0."""
    lon0 = math.radians((min(x for x, _ in points) + max(x for x, _ in points)) / 2)
    lat0 = math.radians((min(y for _, y in points) + max(y for _, y in points)) / 2)

    def project(lon: float, lat: float) -> Point:
        angle, lat = math.radians(lon) - lon0, math.radians(lat)
        cosine = math.sin(lat0) * math.sin(lat) + math.cos(lat0) * math.cos(lat) * math.cos(angle)
        scale = EARTH / GRID * math.sqrt(2 / (1 + cosine))
        x = scale * math.cos(lat) * math.sin(angle)
        y = scale * (math.cos(lat0) * math.sin(lat) - math.sin(lat0) * math.cos(lat) * math.cos(angle))
        return round(x), round(-y)

    placed = [project(*point) for point in points]
    left, top = min(x for x, _ in placed), min(y for _, y in placed)

    def place(lon: float, lat: float) -> Point:
        x, y = project(lon, lat)
        return x - left, y - top

    return place


def _rings(geometry: dict[str, Any]) -> Iterator[list[tuple[float, float]]]:
    """All outlines and holes, closed."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for polygon in polygons:
        for ring in polygon:
            yield [(point[0], point[1]) for point in ring]


def _tidy(ring: Ring) -> Ring:
    """Without the repetition at the end and without points that fell together."""
    kept = [point for before, point in zip([None, *ring], ring, strict=False) if point != before]
    return kept[:-1] if len(kept) > 1 and kept[0] == kept[-1] else kept


def _county_lines(shapes: dict[str, list[Ring]]) -> list[Ring]:
    """The borders between counties and the one around the Land, as lines that are as long as possible."""
    owners: dict[frozenset[Point], list[str]] = defaultdict(list)
    for ags, rings in shapes.items():
        for ring in rings:
            for edge in zip(ring, [*ring[1:], ring[0]], strict=True):
                owners[frozenset(edge)].append(ags[:5])
    if wrong := [edge for edge, found in owners.items() if len(found) > 2]:
        raise ValueError(f"{len(wrong)} borders belong to three municipalities: {sorted(wrong[0])}")
    neighbours: dict[Point, set[Point]] = defaultdict(set)
    for edge, found in owners.items():
        if len(found) == 1 or found[0] != found[1]:
            one, other = edge
            neighbours[one].add(other)
            neighbours[other].add(one)
    if open_ends := sorted(point for point, found in neighbours.items() if len(found) == 1):
        raise ValueError(f"borders do not meet at {open_ends[:3]} ({len(open_ends)} points)")
    lines = []
    # Knots first, where three counties meet; what is left then are closed rings.
    for start in sorted(neighbours, key=lambda point: (len(neighbours[point]) < 3, point)):
        while neighbours[start]:
            line = [start]
            while following := neighbours[line[-1]]:
                after = min(following)
                following.discard(after)
                neighbours[after].discard(line[-1])
                line.append(after)
            lines.append(line)
    return lines


def _path(points: Ring) -> str:
    """M, then steps from point to point."""
    (x, y), *rest = points
    steps = []
    for after_x, after_y in rest:
        steps.append(f"{after_x - x} {after_y - y}")
        x, y = after_x, after_y
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}".replace(" -", "-")


def _county_name(county: dict[str, str]) -> str:
    """Lahn-Dill-Kreis, Landkreis Gießen, Darmstadt."""
    name, kind = county["name"], county["bez"]
    return name if "Stadt" in kind or name.lower().endswith("kreis") else f"{kind} {name}"


if __name__ == "__main__":
    main()
