"""Every package: compiles, plays its samples, is drawn, speaks German, and writes the letters that its samples lead to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.leistungen.letters import letter_data, letter_of, pages_of, text_of
from tests.leistungen.library import FOLDERS, every_letter, package, sample

from rathaus.casework.services.packages import compile_package, read_folder
from rathaus.casework.services.samples import play
from rathaus.engine.letters import check_letter
from rathaus.law.money import format_number

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
DI = "{http://www.omg.org/spec/DD/20100524/DI}"

pytestmark = pytest.mark.usefixtures("_own_files")
NO_ACTS = {"projektskizze"}  # its answer decides nothing that one could object to (§ 35 VwVfG)
each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
each_letter = pytest.mark.parametrize(("folder", "name"), every_letter(), ids=lambda part: Path(part).name)


@each_folder
def test_passes_the_check_and_plays_its_samples(folder: Path) -> None:
    assert play(compile_package(read_folder(folder))) == []


@each_folder
def test_letter_passes_the_check_with_the_data_of_a_sample(folder: Path) -> None:
    found = package(folder)
    first = next(iter(found.samples.values()))
    assert check_letter(found.letters["bescheid.typ"], letter_data(found, first)) == []


@each_letter
def test_letter_says_what_was_decided(folder: Path, name: str) -> None:
    found, said = package(folder), sample(folder, name)
    data = letter_data(found, said)
    pdf = letter_of(found, data)
    text = text_of(pdf)
    # An award of a project carries its plan, its years and all that VV Nr. 4 zu § 44 LHO asks for.
    assert pages_of(pdf) <= (3 if folder.name == "starke-heimat-smart" else 2)
    assert data["fall"]["nummer"] in text
    assert data["entscheidung"]["begruendung"] in text
    if "betrag" in said["entscheidung"]:
        assert f"{format_number(data['entscheidung']['betrag'], places=2)} Euro" in text
    if folder.name in NO_ACTS:
        assert "kein Bescheid" in text
        assert "Rechtsbehelf" not in text
        return
    assert text.index("Rechtsbehelfsbelehrung") > text.index(data["entscheidung"]["begruendung"])
    remedy = "Klage" if found.manifest.zustaendig == "ministry" else "Widerspruch"
    assert f"innerhalb eines Monats nach Bekanntgabe {remedy} erheben" in text
    if data["entscheidung"]["automatisch"]:
        assert "automatisch ergangen (§ 155 Abs. 4 Abgabenordnung)" in text
        assert "gez." not in text
    else:
        assert "gez. leitung.d3 Referatsleitung D3" in text


@each_folder
def test_remedy_follows_the_kind_of_authority(folder: Path) -> None:
    found = package(folder)
    if found.manifest.zustaendig == "municipality" or folder.name in NO_ACTS:
        return  # a tax of the municipality is no matter for a ministry
    first = next(iter(found.samples.values()))
    county = {
        "name": "Landkreis Probe",
        "art": "county",
        "strasse": "Amtsweg 1",
        "plz": "35000",
        "ort": "Probe",
    }
    text = text_of(letter_of(found, letter_data(found, first, authority={**county, "land": "HE"})))
    assert "Widerspruch erheben, und zwar bei: Landkreis Probe" in text
    assert "Klage" not in text


@each_folder
def test_texts_of_the_applicant_are_printed_and_never_run(folder: Path) -> None:
    found = package(folder)
    data = letter_data(found, next(iter(found.samples.values())))
    evil = '#panic("x") *fett* $x$ \\ <label> @ref `code` // # [ ] " „'
    for key, value in data["antrag"].items():
        kind = getattr(found.form.items.get(key), "kind", "")
        if isinstance(value, str) and kind in ("text", "textarea"):
            data["antrag"][key] = evil
    data["entscheidung"]["begruendung"] = evil
    data["empfaenger"] = [evil]
    text = text_of(letter_of(found, data))
    assert '#panic("x") *fett* $x$' in text


@each_folder
def test_every_element_is_drawn_inside_its_lane(folder: Path) -> None:
    root = etree.fromstring((folder / "prozess.bpmn").read_bytes())
    boxes = {shape.get("bpmnElement"): _box(shape) for shape in root.iter(f"{BPMNDI}BPMNShape")}
    ways = {edge.get("bpmnElement"): _points(edge) for edge in root.iter(f"{BPMNDI}BPMNEdge")}
    nodes = {ref.text: lane for lane in root.iter(f"{BPMN}lane") for ref in lane.iter(f"{BPMN}flowNodeRef")}
    assert set(nodes) == set(package(folder).definition.nodes)
    for node, lane in nodes.items():
        assert _inside(boxes[node], boxes[lane.get("id")]), node
    placed = [(node, boxes[node]) for node in nodes]
    for at, (node, box) in enumerate(placed):
        for other, another in placed[at + 1 :]:
            assert not _overlap(box, another), (node, other)
    for flow in root.iter(f"{BPMN}sequenceFlow"):
        points = ways[flow.get("id")]
        assert _touches(points[0], boxes[flow.get("sourceRef")]), flow.get("id")
        assert _touches(points[-1], boxes[flow.get("targetRef")]), flow.get("id")
        for (x, y), (next_x, next_y) in pairwise(points):
            assert x == next_x or y == next_y, f"{flow.get('id')} runs askew"


@each_folder
def test_people_of_the_process(folder: Path) -> None:
    found = package(folder)
    for node in found.definition.nodes.values():
        if node.form == "kern:freigabe":
            assert node.four_eyes
            assert found.definition.nodes[node.four_eyes].form == "kern:vorschlag"
        if node.kind == "receiveTask":
            assert node.message in {"antwort", "ausgezahlt", "zurueckgezahlt", "begutachtet"}
        if node.kind in ("userTask", "receiveTask", "serviceTask"):
            assert node.name
    assert found.manifest.ermessen or found.manifest.automatik


@each_folder
def test_words_are_set_as_in_print(folder: Path) -> None:
    texts = [
        text for name in ("formular.ui.json",) for text in _texts(json.loads((folder / name).read_text()))
    ]
    manifest = package(folder).manifest
    texts += [
        manifest.titel,
        manifest.kurztext,
        manifest.warnung,
        manifest.automatik,
        *manifest.voraussetzungen,
    ]
    for text in texts:
        assert text.count("„") == text.count("“"), text
        assert "..." not in text, text
        assert "bitte beachten" not in text.lower(), text


def _texts(value: Any) -> Iterator[str]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, dict | list):
            yield from _texts(inner)
        elif isinstance(inner, str) and key in (
            "label",
            "text",
            "hinweis",
            "fehlt",
            "fehler",
            "meldung",
            "einleitung",
        ):
            yield inner


def _box(shape: etree._Element) -> tuple[float, float, float, float]:
    bounds = shape.find(f"{DC}Bounds")
    assert bounds is not None
    x, y, width, height = (float(bounds.get(name, "")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _points(edge: etree._Element) -> list[tuple[float, float]]:
    return [(float(point.get("x", "")), float(point.get("y", ""))) for point in edge.iter(f"{DI}waypoint")]


def _inside(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    label = 30  # the strip with the lane's name
    return (
        inner[0] >= outer[0] + label
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _touches(point: tuple[float, float], box: tuple[float, ...]) -> bool:
    x, y = point
    on_side = x in (box[0], box[2]) and box[1] <= y <= box[3]
    return on_side or (y in (box[1], box[3]) and box[0] <= x <= box[2])
