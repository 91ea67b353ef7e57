"""The process diagram: done, now, which way was taken for certain; and files that draw badly or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.packages import PROCESS
from tests.web.desk.conftest import LEISTUNGEN, Desk, smart_case

from rathaus.web import diagram
from rathaus.web.diagram import Drawing, draw

SMART = (Path(__file__).parent / "prozess.bpmn").read_text()
DRAWN = sorted(LEISTUNGEN.glob("*/prozess.bpmn"))


def drawn(xml: str = SMART, *, done: str = "", now: str = "") -> Drawing:
    found = draw(xml, done=done.split(), now=now.split())
    assert found is not None
    return found


def text_of(label: diagram.Label) -> str:
    return " ".join(line.text for line in label.lines)


def test_states_of_shapes() -> None:
    found = drawn(
        done="antrag_eingegangen regeln_pruefen vollstaendigkeit_pruefen", now="vollstaendigkeit_pruefen"
    )
    states = {text_of(shape.label): shape.state for shape in found.shapes}
    assert states["Regeln prüfen"] == "done"
    assert states["Freigeben"] == ""
    assert states["Vollständigkeit prüfen"] == "now"  # done before, and now once more
    assert found.words.startswith(
        "Ablauf. Erledigt: Antrag, Regeln prüfen. Jetzt: Vollständigkeit prüfen. Noch offen: "
    )
    assert [text_of(lane.label) for lane in found.lanes][1:] == ["Kommune", "Sachbearbeitung", "Freigabe"]


def test_only_ways_that_were_taken_for_certain_are_marked() -> None:
    xml = SMART
    before = drawn(xml, done="antrag_eingegangen", now="regeln_pruefen")
    assert sum(edge.is_done for edge in before.edges) == 1
    everything = (
        "antrag_eingegangen regeln_pruefen vollstaendigkeit_pruefen ist_vollstaendig entscheidung_vorschlagen freigeben "
        "wie_entschieden mittel_binden bescheid_erstellen bescheid_im_postfach"
    )
    after = {
        text_of(edge.label): edge.is_done for edge in drawn(xml, done=everything).edges if edge.label.lines
    }
    assert after["bewilligt"]
    assert after["ja"]
    assert not after["abgelehnt"]
    assert not after["nein"]
    assert not after["zurückgegeben"]


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.parent.name)
def test_our_packages_are_drawn_whole(path: Path) -> None:
    found = drawn(path.read_text())
    names = {text_of(shape.label) for shape in found.shapes}
    assert set(re.findall(r'<bpmn:\w*Task id="\w+" name="([^"]+)"', path.read_text())) <= names
    for shape in found.shapes:
        assert shape.x >= 0
        assert shape.x + shape.width <= found.width
        assert shape.y + shape.height <= found.height
        if shape.kind == "box":
            for line in shape.label.lines:
                assert diagram._width(line.text, shape.label.size) <= shape.width
                assert shape.y < line.y < shape.y + shape.height


def test_no_drawing() -> None:
    assert draw(PROCESS, done=(), now=()) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('x="380" y="240"', 'x="NaN" y="240"'),
        ('x="380" y="240"', 'x="1e300" y="240"'),
        ('x="380" y="240"', 'x="" y="240"'),
        ('x="380" y="240" width="120"', 'x="380" y="240" width="-120"'),
        ('bpmnElement="vollstaendigkeit_pruefen"', 'bpmnElement="gibt_es_nicht"'),
        ('<di:waypoint x="330" y="280" />', ""),
        ('<di:waypoint x="330" y="280" />', '<di:waypoint x="inf" y="280" />'),
    ],
)
def test_a_spoiled_drawing_leaves_out_what_is_wrong(old: str, new: str) -> None:
    assert old in SMART
    found = drawn(SMART.replace(old, new))
    whole = drawn()
    assert len(found.shapes) + len(found.edges) < len(whole.shapes) + len(whole.edges)
    assert found.width < 2000


def test_vertical_pools_and_expanded_subprocesses_and_boundary_events() -> None:
    xml = SMART.replace('isHorizontal="true"', 'isHorizontal="false"').replace(
        '<bpmndi:BPMNShape id="freigeben_bild"', '<bpmndi:BPMNShape isExpanded="true" id="freigeben_bild"'
    )
    found = drawn(xml)
    assert not any(lane.label.turn for lane in found.lanes)
    box = next(shape for shape in found.shapes if text_of(shape.label) == "Freigeben")
    assert box.label.anchor == "start"


@given(st.text(max_size=300), st.sampled_from(diagram.SIZES), st.floats(1, 400))
def test_wrapping_loses_no_letter(text: str, size: int, width: float) -> None:
    flat = " ".join(text.split())
    lines = diagram._wrap(flat, width, size)
    assert "".join(lines).replace(" ", "").replace("\u200b", "") == flat.replace(" ", "").replace(
        "\u200b", ""
    )
    assert all(diagram._width(line, size) <= width or " " not in line for line in lines)


def test_names_cannot_break_out_of_the_svg(clerk: Desk) -> None:
    case = smart_case(clerk.world)
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    svg = page[page.index('<svg class="rh-flow"') : page.index("</svg>", page.index('<svg class="rh-flow"'))]
    assert "style=" not in svg
    assert "Vollständigkeit" in svg
    assert 'role="img"' in svg
    assert re.search(r'viewBox="0 0 \d+\.\d+ \d+\.\d+"', svg)  # points, not German commas
    assert "Schritte als Liste" in page
    evil = draw(SMART.replace('name="Freigeben"', 'name="&lt;/svg&gt;&lt;script&gt;"'), done=(), now=())
    from django.template.loader import render_to_string

    assert "<script>" not in render_to_string("desk/_diagram.html", {"drawing": evil})


def test_a_case_without_drawing_has_the_list(clerk: Desk) -> None:
    case = clerk.world.submit()
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    assert '<svg class="rh-flow"' not in page
    assert "<b>Vollständigkeit prüfen: jetzt</b>" in page
