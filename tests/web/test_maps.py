"""The map: classes, enlargement, labels beside the shapes, links, what it says; and that its borders hold."""

from __future__ import annotations

import importlib.util
import json
import random
import re
from collections import Counter
from decimal import Decimal
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.template import Context, Engine, Template
from hypothesis import given
from hypothesis import strategies as st
from tests.web.test_charts import EVIL, Page, plain

from rathaus.web.map_geometry import load_geometry
from rathaus.web.map_labels import Box, _holds
from rathaus.web.maps import MapClass, MapValue, classes, draw_map

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data"
D = Decimal
LANDS = ("hessen", "thueringen")
EHRINGSHAUSEN, ASSLAR, LEUN, WALDSOLMS, LAHNAU = "06532008", "06532001", "06532016", "06532022", "06532015"
FEW = {
    EHRINGSHAUSEN: MapValue(2, "483.660,00 €", "#g-ehringshausen"),
    ASSLAR: MapValue(0, "Partner von Ehringshausen", "#g-ehringshausen", is_partner=True),
    LEUN: MapValue(0, "Partner von Ehringshausen", "#g-ehringshausen", is_partner=True),
    WALDSOLMS: MapValue(1, "136.214,10 €", "#g-waldsolms"),
    LAHNAU: MapValue(0, "56.084,00 €", "#g-lahnau"),
}
THREE = ("unter 100.000 €", "100.000 bis unter 250.000 €", "ab 250.000 €")


def render(chart: Any) -> str:
    source = '{% include "web/parts/chart_patterns.html" %}{% include "web/parts/map.html" with chart=chart only %}'
    return Template(source, engine=Engine.get_default()).render(Context({"chart": chart}))


# --- classes ---


def test_bounds_are_round() -> None:
    classed = classes([D("483660.00"), D("136214.10"), D("56084.00")], 3)
    assert [plain(words) for words in classed.words] == list(THREE)
    assert [classed.level_of(D(amount)) for amount in ("99999.99", "100000", "249999.99", "250000")] == [
        0,
        1,
        1,
        2,
    ]


def test_few_or_equal_values_make_few_classes() -> None:
    assert classes([], 3).words == ()
    assert [plain(words) for words in classes([D("36117.00")] * 443, 5).words] == ["36.117 €"]
    two = classes([D(5), D(5), D(5), D(9)], 5)
    assert len(two.words) == 2
    assert two.level_of(D(5)) != two.level_of(D(9))
    assert [plain(words) for words in classes([D("16.34"), D("29.23")], 2, unit="€ je Einwohner").words] == [
        "unter 25 € je Einwohner", "ab 25 € je Einwohner",
    ]  # fmt: skip
    for wrong in (0, 6):
        with pytest.raises(ValueError, match="between 1 and 5"):
            classes([D(1)], wrong)


@given(
    st.lists(st.decimals(min_value=0, max_value=10_000_000, places=2), min_size=1, max_size=60),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_no_class_is_empty_and_the_order_does_not_matter(
    amounts: list[Decimal], n: int, order: random.Random
) -> None:
    classed = classes(amounts, n)
    assert len(classed.words) == len(classed.bounds) + 1 <= n
    assert list(classed.bounds) == sorted(set(classed.bounds))
    assert {classed.level_of(amount) for amount in amounts} == set(range(len(classed.words)))
    assert len(set(classed.words)) == len(classed.words)
    order.shuffle(amounts)
    assert classes(amounts, n) == classed


# --- the drawing ---


def test_few_shapes_are_enlarged_with_links_and_names() -> None:
    drawing = draw_map("hessen", FEW, legend=THREE, title="Zuschüsse")
    assert drawing.detail is not None
    assert drawing.state.frame is not None
    assert not drawing.state.is_linked
    assert [(shape.title, shape.css, shape.url) for shape in drawing.detail.shapes] == [
        ("Aßlar: Partner von Ehringshausen", "rh-mp", "#g-ehringshausen"),
        ("Ehringshausen: 483.660,00 €", "rh-a5", "#g-ehringshausen"),
        ("Lahnau: 56.084,00 €", "rh-a1", "#g-lahnau"),
        ("Leun: Partner von Ehringshausen", "rh-mp", "#g-ehringshausen"),
        ("Waldsolms: 136.214,10 €", "rh-a3", "#g-waldsolms"),
    ]
    assert drawing.detail.words == "Lahn-Dill-Kreis, vergrößert: Zuschüsse"
    assert [entry.words for entry in drawing.legend] == [*THREE, "Partner", "kein Zuschuss"]
    for said in ("Karte von Hessen: Zuschüsse.", "Ehringshausen: 483.660,00 €", "Leun: Partner von"):
        assert said in drawing.state.words
    assert drawing.source == "Grenzen: © GeoBasis-DE / BKG 2021, dl-de/by-2-0 (Daten verändert)"
    html = render(drawing)
    page = Page(html)
    assert [link["href"] for link in page.all("a")] == [shape.url for shape in drawing.detail.shapes]
    maps = [image for image in page.all("svg") if image.get("class", "")]
    assert [image.get("role") for image in maps] == [None, "img", "group"]
    assert "Karte überspringen" not in html
    assert re.search(r'x="\d+\.\d" y="\d+\.\d">Lahnau<', html), "numbers with a point, not a German comma"


def test_names_stand_beside_the_shapes_and_apart() -> None:
    drawing = draw_map("hessen", FEW, legend=THREE, title="Zuschüsse")
    assert drawing.detail is not None
    labels = drawing.detail.labels
    assert {label.text: label.is_strong for label in labels} == {
        "Aßlar": False, "Ehringshausen": True, "Lahnau": True, "Leun": False, "Waldsolms": True,
    }  # fmt: skip
    for one, other in combinations(labels, 2):
        assert not one.box.meets(other.box)
    rings = [ring for shape in drawing.detail.shapes for ring in read(shape.path)]
    left, top, width, height = map(float, drawing.detail.view.split())
    for label in labels:
        middle = (label.box.x + label.box.width / 2, label.box.y + label.box.height / 2)
        assert not any(_holds(ring, middle) for ring in rings), label.text
        assert Box(left - 1, top - 1, width + 2, height + 2).with_box(label.box).width == width + 2


def test_long_names_do_not_make_the_letters_small() -> None:
    """The picture is as wide as its column: a wider drawing would be shown smaller, with all its words."""
    names = {"Friedberg (Hessen)", "Karben", "Bad Vilbel", "Frankfurt am Main", "Offenbach am Main"}
    values = {
        ags: MapValue(0, "x", "/") for ags, name in load_geometry("hessen").names.items() if name in names
    }
    assert len(values) == len(names)
    for chosen in (values, FEW):
        detail = draw_map("hessen", chosen, legend=THREE, title="Zuschüsse").detail
        assert detail is not None
        assert detail.labels
        assert float(detail.view.split()[2]) <= 400


def read(path: str) -> list[tuple[tuple[float, float], ...]]:
    found = []
    for part in path.split("M")[1:]:
        x, y, *steps = map(float, re.findall(r"-?[\d.]+", part))
        ring = [(x, y)]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((x, y))
        found.append(tuple(ring))
    return found


def test_a_whole_land_is_not_enlarged_and_its_shapes_are_links() -> None:
    names = load_geometry("hessen").names
    values = {ags: MapValue(number % 5, "1,00 €", f"/amt/{ags}/") for number, ags in enumerate(names)}
    values |= {f"065{n:02}": MapValue(0, "2,00 €", "/") for n in (31, 32)}
    drawing = draw_map("hessen", values, legend=("a", "b", "c", "d", "e"), title="Zuschüsse")
    assert drawing.detail is None
    assert drawing.state.frame is None
    assert drawing.state.land == ""
    assert drawing.missing == ("06531", "06532")
    assert drawing.note == "Nur in der Tabelle: 2 Landkreise (auf der Karte ohne eigene Fläche)."
    assert [entry.words for entry in drawing.legend] == ["a", "b", "c", "d", "e"]
    assert "a: 86; b: 85; c: 85; d: 85; e: 85" in drawing.state.words
    html = render(drawing)
    page = Page(html)
    assert len([link for link in page.all("a") if str(link["href"]).startswith("/amt/")]) == 426
    assert {"class": "rh-skip rh-skip--here", "href": "#nach-der-karte"} in page.all("a")
    assert 'id="nach-der-karte"' in html
    assert len(html) < 150_000


def test_nothing_to_show_is_a_grey_land() -> None:
    drawing = draw_map("thueringen", {}, legend=(), title="Zuschüsse")
    assert drawing.detail is None
    assert drawing.state.shapes == ()
    assert "Noch keine Werte" in drawing.state.words
    assert [entry.words for entry in drawing.legend] == ["kein Zuschuss"]
    assert 'role="img"' in render(drawing)


def test_many_names_are_left_out_rather_than_heaped() -> None:
    names = load_geometry("hessen").names
    county = {ags: MapValue(0, "x", "/") for ags in names if ags.startswith("06532")}
    drawing = draw_map("hessen", county, legend=("a",), title="Zuschüsse")
    assert drawing.detail is not None
    assert drawing.detail.labels == ()
    assert len(drawing.detail.shapes) == 23


def test_a_merged_municipality_shows_its_successor() -> None:
    bromskirchen, allendorf = "06635005", "06635001"
    values = {allendorf: MapValue(0, "5,00 €", "/a/")}
    drawing = draw_map("hessen", values, legend=("a",), title="Z", successors={bromskirchen: allendorf})
    assert drawing.detail is not None
    assert [shape.title for shape in drawing.detail.shapes] == [
        "Allendorf (Eder): 5,00 €", "Bromskirchen: 5,00 €",
    ]  # fmt: skip
    assert drawing.missing == ()
    new = draw_map(
        "hessen",
        {"06635099": values[allendorf]},
        legend=("a",),
        title="Z",
        successors={bromskirchen: "06635099"},
    )
    assert new.missing == ()
    assert len(new.state.shapes) == 1


def test_only_overdue_is_red_and_classes_have_a_limit() -> None:
    legend = ("Antrag", "bewilligt", MapClass("überfällig", is_overdue=True))
    drawing = draw_map("hessen", {LAHNAU: MapValue(2, "überfällig", "/")}, legend=legend, title="Stand")
    assert [entry.css for entry in drawing.legend] == ["rh-a2", "rh-a4", "rh-abad", "rh-sw--none"]
    assert drawing.state.shapes[0].css == "rh-abad"
    with pytest.raises(ValueError, match="6 classes"):
        draw_map("hessen", {}, legend=tuple("abcdef"), title="Z")
    with pytest.raises(ValueError, match=r"without a class: \[3\]"):
        draw_map("hessen", {LAHNAU: MapValue(3, "x", "/")}, legend=THREE, title="Z")


@pytest.mark.parametrize("land", ["bayern", "../register", "", "Hessen"])
def test_unknown_lands_are_refused(land: str) -> None:
    with pytest.raises(LookupError):
        draw_map(land, {}, legend=(), title="Z")


def test_the_map_escapes() -> None:
    drawing = draw_map(
        "hessen", {LAHNAU: MapValue(0, EVIL, f"/{EVIL}")}, legend=(EVIL,), title=EVIL, without=EVIL
    )
    html = render(drawing)
    Page(html)
    assert "<script" not in html


# --- the boundaries ---


@pytest.mark.parametrize("land", LANDS)
def test_borders_meet_everywhere(land: str) -> None:
    """An edge has two sides, or it is the border of the Land, which is closed."""
    edges: Counter[frozenset[tuple[float, float]]] = Counter()
    for rings in load_geometry(land).rings.values():
        for ring in rings:
            edges.update(frozenset(edge) for edge in zip(ring, (*ring[1:], ring[0]), strict=True))
    assert set(edges.values()) == {1, 2}
    ends = Counter(point for edge, sides in edges.items() if sides == 1 for point in edge)
    assert set(ends.values()) == {2}


@pytest.mark.parametrize("land", LANDS)
def test_maps_are_small_and_name_their_source(land: str) -> None:
    path = ROOT / f"daten/karten/{land}.json"
    assert path.stat().st_size < 120_000
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert "© GeoBasis-DE / BKG 2021, dl-de/by-2-0" in stored["source"]
    assert {ags[:5] for ags in stored["municipalities"]} == set(stored["counties"])


def test_all_municipalities_of_the_register_have_a_shape() -> None:
    lines = (ROOT / "daten/register/gemeinden_hessen_2021-01-01.csv").read_text(encoding="utf-8").splitlines()
    register = {line.split(",")[0] for line in lines[1:]}
    towns = {ags for ags in register if len(ags) == 8}
    assert len(towns) == 422
    assert towns <= set(load_geometry("hessen").rings)


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_maps", ROOT / "daten/karten/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def square(ags: str, x: float, width: float = 0.1) -> dict[str, Any]:
    ring = [[x, 50], [x + width, 50], [x + width, 50.1], [x, 50.1], [x, 50]]
    return {
        "properties": {"ags": ags, "name": ags, "bez": "Gemeinde"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def test_the_builder_draws_county_lines_between_counties_only() -> None:
    county = {"properties": {"ags": "06001", "name": "Gießen", "bez": "Landkreis"}}
    towns = [square("06001001", 9.0), square("06001002", 9.1), square("06002001", 9.2)]
    drawn = builder().build("Hessen", towns, [county])
    assert drawn["counties"] == {"06001": "Landkreis Gießen"}
    corners = {point for line in read(drawn["county_lines"]) for point in line}
    inner = {read(drawn["municipalities"]["06001002"]["path"])[0][0]}
    assert len(corners) == 8
    assert inner <= corners  # a corner of the Land's own border; the line up from it is not drawn
    steps = [frozenset(step) for line in read(drawn["county_lines"]) for step in pairwise(line)]
    assert len(steps) == len(set(steps)) == 9


def test_the_builder_refuses_borders_with_three_sides() -> None:
    with pytest.raises(ValueError, match="three municipalities"):
        builder().build("Hessen", [square(f"0600100{n}", 9.0) for n in range(3)], [])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the boundaries in GeoJSON are not here")
@pytest.mark.parametrize("land", LANDS)
def test_the_stored_maps_are_what_the_builder_makes(land: str) -> None:
    build = builder()
    towns, counties = (
        json.loads((SHARED / f"{land}_{kind}.geojson").read_text(encoding="utf-8"))["features"]
        for kind in ("gemeinden", "kreise")
    )
    text = build.write(build.build(build.LANDS[land], towns, counties))
    assert text == (ROOT / f"daten/karten/{land}.json").read_text(encoding="utf-8")
