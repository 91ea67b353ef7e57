"""A process diagram as shapes to draw, from the drawing (BPMN DI) that the process file brings. Pure: text in, data out.

The template `desk/_diagram.html` writes the SVG; how a step looks (done, now, to come) is a class, never a style.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from rathaus.engine.xml import read_xml

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
DI = "{http://www.omg.org/spec/DD/20100524/DI}"

ACTIVITIES = frozenset(
    {
        "task",
        "userTask",
        "serviceTask",
        "sendTask",
        "receiveTask",
        "businessRuleTask",
        "scriptTask",
        "callActivity",
        "subProcess",
    }
)
EVENTS = frozenset({"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent"})
GATEWAYS = {
    "exclusiveGateway": "×",
    "parallelGateway": "+",
    "inclusiveGateway": "○",
    "eventBasedGateway": "◇",
}
MARGIN = 2.0
BAND = 30.0  # the strip of a pool or lane that carries its name
FURTHEST = 100_000.0  # a coordinate beyond this is a mistake, not a drawing
SIZES = (15, 14, 13, 12, 11)
SMALL = 13
GLYPH = 0.56  # mean width of a letter of Fira Sans, as a part of its size
LEADING = 1.22


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a label; `y` is its baseline."""

    x: float
    y: float
    text: str


def _stack(lines: Sequence[str], x: float, y: float, size: int) -> tuple[Line, ...]:
    """Lines below each other, the first at `y`."""
    return tuple(
        Line(round(x, 1), round(y + number * size * LEADING, 1), text) for number, text in enumerate(lines)
    )


@dataclass(frozen=True, slots=True)
class Label:
    """Words in one size; `anchor` is SVG's `text-anchor`, `turn` an SVG `transform` or empty."""

    lines: tuple[Line, ...]
    size: int
    anchor: str = "middle"
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A pool or lane, with its name along the left edge."""

    x: float
    y: float
    width: float
    height: float
    css: str
    label: Label


@dataclass(frozen=True, slots=True)
class Shape:
    """An element: `kind` is "box", "circle" or "diamond", `state` "done", "now" or "" (to come)."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    state: str
    label: Label
    mark: str = ""
    is_end: bool = False
    is_double: bool = False

    @property
    def centre(self) -> tuple[float, float]:
        """The middle, where a circle and a gateway's sign are drawn."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def radius(self) -> float:
        """Of a circle that fits."""
        return min(self.width, self.height) / 2

    @property
    def inner_radius(self) -> float:
        """Of the second line of a double circle."""
        return max(self.radius - 4, 0)

    @property
    def path(self) -> str:
        """The outline of a diamond."""
        (x, y), right, bottom = self.centre, self.x + self.width, self.y + self.height
        corners = ((x, self.y), (right, y), (x, bottom), (self.x, y))
        return f"M{' '.join(f'{_n(a)} {_n(b)}' for a, b in corners)}z"


@dataclass(frozen=True, slots=True)
class Edge:
    """A flow as an SVG path; `is_done` only where the case certainly went that way."""

    path: str
    is_done: bool
    label: Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that the template draws. `words` says the same in a sentence, for who does not see it."""

    width: float
    height: float
    lanes: tuple[Lane, ...]
    edges: tuple[Edge, ...]
    shapes: tuple[Shape, ...]
    words: str


def draw(xml: str, *, done: Collection[str], now: Collection[str]) -> Drawing | None:
    """The diagram of a process file, or None if the file brings no drawing (or a broken one).

    `done` and `now` are ids of elements; what is both (a step that is done once more) counts as now. Raises
    XmlRefused for a file that is not XML, which no published package is.
    """
    root = read_xml(xml.encode())
    elements = {key: node for node in root.iter(etree.Element) if (key := node.get("id"))}
    frames = dict(_frames(root, elements))
    if not any(_kind(elements[key]) in ACTIVITIES for key in frames):
        return None
    left = min(frame.x for frame in frames.values()) - MARGIN
    top = min(frame.y for frame in frames.values()) - MARGIN
    frames = {key: frame.moved(-left, -top) for key, frame in frames.items()}
    edges = list(_edges(root, elements, (-left, -top), frozenset(done), frozenset(now)))
    shapes = [
        _shape(elements[key], frame, "now" if key in now else "done" if key in done else "")
        for key, frame in frames.items()
        if _kind(elements[key]) in ACTIVITIES | EVENTS | GATEWAYS.keys()
    ]
    return Drawing(
        width=max(frame.right for frame in frames.values()) + MARGIN,
        height=max(frame.bottom for frame in frames.values()) + MARGIN,
        lanes=tuple(_lanes(elements, frames)),
        edges=tuple(edges),
        shapes=tuple(sorted(shapes, key=_size, reverse=True)),  # a subprocess lies below what is in it
        words=_words([elements[key] for key in frames], done, now),
    )


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def moved(self, x: float, y: float) -> _Box:
        return _Box(self.x + x, self.y + y, self.width, self.height)


@dataclass(frozen=True, slots=True)
class _Frame(_Box):
    """Bounds of an element, and of its name where the drawing places it."""

    label: _Box | None
    is_horizontal: bool
    is_expanded: bool

    def moved(self, x: float, y: float) -> _Frame:
        label = self.label.moved(x, y) if self.label else None
        return _Frame(
            self.x + x, self.y + y, self.width, self.height, label, self.is_horizontal, self.is_expanded
        )


# --- reading the drawing ---


def _frames(root: etree._Element, elements: dict[str, etree._Element]) -> Iterator[tuple[str, _Frame]]:
    for shape in root.iter(f"{BPMNDI}BPMNShape"):
        key, bounds = shape.get("bpmnElement"), _bounds(shape.find(f"{DC}Bounds"))
        if key in elements and bounds is not None:
            label = _bounds(shape.find(f"{BPMNDI}BPMNLabel/{DC}Bounds"))
            yield (
                key,
                _Frame(
                    bounds.x,
                    bounds.y,
                    bounds.width,
                    bounds.height,
                    label,
                    shape.get("isHorizontal") != "false",
                    shape.get("isExpanded") == "true",
                ),
            )


def _bounds(found: etree._Element | None) -> _Box | None:
    if found is None:
        return None
    numbers = [_number(found.get(name)) for name in ("x", "y", "width", "height")]
    if None in numbers:
        return None
    x, y, width, height = (number or 0.0 for number in numbers)
    return _Box(x, y, width, height) if width >= 0 and height >= 0 else None


def _number(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= FURTHEST else None


def _kind(element: etree._Element) -> str:
    return str(element.tag).removeprefix(BPMN)


def _name(element: etree._Element) -> str:
    return " ".join((element.get("name") or "").split())[:200]


# --- shapes ---


def _shape(element: etree._Element, frame: _Frame, state: str) -> Shape:
    kind, name = _kind(element), _name(element)
    if kind in ACTIVITIES:
        form, label = "box", _inside(name, frame)
        if frame.is_expanded:
            label = _block(name, frame.x + 10, frame.y + 20, frame.width - 20, SMALL, "start")
    else:
        form, label = "circle" if kind in EVENTS else "diamond", _outside(name, frame)
    return Shape(
        form,
        frame.x,
        frame.y,
        frame.width,
        frame.height,
        state,
        label,
        mark=GATEWAYS.get(kind, ""),
        is_end=kind == "endEvent",
        is_double=kind in {"boundaryEvent", "intermediateCatchEvent"},
    )


def _size(shape: Shape) -> float:
    return shape.width * shape.height


def _lanes(elements: dict[str, etree._Element], frames: dict[str, _Frame]) -> Iterator[Lane]:
    count = 0
    for key, frame in frames.items():
        kind = _kind(elements[key])
        if kind not in {"participant", "lane"}:
            continue
        if kind == "lane":
            count += 1
        name = _name(elements[key])
        if frame.is_horizontal:
            x, y = frame.x + BAND / 2 + SMALL * 0.35, frame.y + frame.height / 2
            lines = _wrap(name, frame.height - 12, SMALL)[:1]
            label = Label(
                tuple(Line(0, 0, line) for line in lines),
                SMALL,
                turn=f"translate({_n(x)} {_n(y)}) rotate(-90)",
            )
        else:
            label = _block(name, frame.x + frame.width / 2, frame.y + 20, frame.width - 12, SMALL, "middle")
        yield Lane(frame.x, frame.y, frame.width, frame.height, "lane" if count % 2 else "lane2", label)


def _inside(name: str, box: _Box) -> Label:
    """Words in the middle of a box, in the largest size that holds them whole."""
    width, height = box.width - 10, box.height - 8
    for size in SIZES:
        lines = _wrap(name, width, size)
        if len(lines) * size * LEADING <= height and all(_width(line, size) <= width for line in lines):
            break
    most = max(1, int(height // (size * LEADING)))
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1].rstrip() + " …"]
    middle = box.y + box.height / 2 - (len(lines) - 1) * size * LEADING / 2 + size * 0.35
    x = box.x + box.width / 2
    return Label(_stack(lines, x, middle, size), size)


def _outside(name: str, frame: _Frame) -> Label:
    """The name of an event or gateway: where the drawing puts it, else below."""
    if frame.label is None:
        return _block(
            name, frame.x + frame.width / 2, frame.bottom + SMALL + 3, max(90.0, frame.width), SMALL, "middle"
        )
    label = frame.label
    if label.x >= frame.right:
        return _beside(name, label, label.x, "start")
    if label.right <= frame.x:
        return _beside(name, label, label.right, "end")
    width = max(label.width, frame.width) + 8
    middle = label.x + label.width / 2
    is_below = label.y >= frame.y + frame.height / 2 and frame.x <= middle <= frame.right
    top = max(label.y, frame.bottom + 2) if is_below else label.y
    return _block(name, middle, top + SMALL - 2, width, SMALL, "middle")


def _beside(name: str, label: _Box, x: float, anchor: str) -> Label:
    lines = _wrap(name, label.width + 24, SMALL)
    top = label.y + label.height / 2 - (len(lines) - 1) * SMALL * LEADING / 2 + SMALL * 0.35
    return Label(_stack(lines, x, top, SMALL), SMALL, anchor)


def _block(name: str, x: float, y: float, width: float, size: int, anchor: str) -> Label:
    return Label(_stack(_wrap(name, width, size), x, y, size), size, anchor)


# --- flows ---


def _edges(
    root: etree._Element,
    elements: dict[str, etree._Element],
    shift: tuple[float, float],
    done: frozenset[str],
    now: frozenset[str],
) -> Iterator[Edge]:
    flows = {
        key: (node.get("sourceRef") or "", node.get("targetRef") or "")
        for key, node in elements.items()
        if _kind(node) == "sequenceFlow"
    }
    certain = _certain(flows, done, done | now)
    for edge in root.iter(f"{BPMNDI}BPMNEdge"):
        key = edge.get("bpmnElement")
        points = list(_points(edge, shift))
        if key not in elements or len(points) < 2:
            continue
        path = "M" + " ".join(f"{_n(x)} {_n(y)}" for x, y in points)
        yield Edge(path, key in certain, _edge_label(_name(elements[key]), edge, points, shift))


def _certain(
    flows: dict[str, tuple[str, str]], left: frozenset[str], reached: frozenset[str]
) -> frozenset[str]:
    """Flows that were taken for certain. The state knows elements, not flows: where two ways lead to the same
    element and either may have been taken, none is marked."""
    possible = {key: flow for key, flow in flows.items() if flow[0] in left and flow[1] in reached}
    sources = [source for source, _ in possible.values()]
    targets = [target for _, target in possible.values()]
    return frozenset(
        key
        for key, (source, target) in possible.items()
        if sources.count(source) == 1 or targets.count(target) == 1
    )


def _points(edge: etree._Element, shift: tuple[float, float]) -> Iterator[tuple[float, float]]:
    for point in edge.iter(f"{DI}waypoint"):
        x, y = _number(point.get("x")), _number(point.get("y"))
        if x is not None and y is not None:
            yield x + shift[0], y + shift[1]


def _edge_label(
    name: str, edge: etree._Element, points: list[tuple[float, float]], shift: tuple[float, float]
) -> Label:
    bounds = _bounds(edge.find(f"{BPMNDI}BPMNLabel/{DC}Bounds"))
    if bounds is not None:
        box = bounds.moved(*shift)
        return _block(name, box.x + box.width / 2, box.y + SMALL - 2, box.width + 30, 12, "middle")
    (ax, ay), (bx, by) = points[0], points[1]
    return _block(name, (ax + bx) / 2, (ay + by) / 2 - 5, 110, 12, "middle")


# --- words ---


def _wrap(text: str, width: float, size: int) -> list[str]:
    """The text in lines of at most `width`, at spaces and hyphens; a longer word keeps its line."""
    lines: list[str] = []
    for word in text.replace("-", "-\u200b").replace("/", "/\u200b").split(" "):
        for number, part in enumerate(word.split("\u200b")):
            glue = " " if number == 0 else ""
            if lines and _width(lines[-1] + glue + part, size) <= width:
                lines[-1] += glue + part
            elif part:
                lines.append(part)
    return lines


def _width(text: str, size: int) -> float:
    narrow = sum(1 for char in text if char in "iljt.,:;|'!Ifr -")
    return (len(text) - narrow * 0.45) * size * GLYPH


def _words(elements: Iterable[etree._Element], done: Collection[str], now: Collection[str]) -> str:
    named = [
        element
        for element in elements
        if _name(element) and _kind(element) in ACTIVITIES | {"startEvent", "endEvent"}
    ]
    at = [_name(element) for element in named if element.get("id") in now]
    past = [_name(element) for element in named if element.get("id") in done and element.get("id") not in now]
    rest = [
        _name(element) for element in named if element.get("id") not in now and element.get("id") not in done
    ]
    parts = [
        f"{title}: {', '.join(names)}."
        for title, names in (("Erledigt", past), ("Jetzt", at), ("Noch offen", rest))
        if names
    ]
    return "Ablauf. " + " ".join(parts)


def _n(number: float) -> str:
    """A coordinate with at most one place."""
    return f"{number:.1f}".removesuffix(".0")
