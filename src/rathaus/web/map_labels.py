"""Where the names of a map's coloured shapes stand: beside them, not on them nor on each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Ring = tuple[Point, ...]

SIZE = 14.0  # of the letters, in units of the drawing
GLYPH = 0.58  # mean width of a letter of Fira Sans, as a part of its size
GAP = 5.0  # between a shape and its name
CROWDED = 40.0  # a name that covers so much of others is left out: a click, the title and the table say it


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def around(cls, rings: Iterable[Ring]) -> Box:
        """The smallest that holds all points. ValueError without any."""
        points = [point for ring in rings for point in ring]
        left, top = min(x for x, _ in points), min(y for _, y in points)
        return cls(left, top, max(x for x, _ in points) - left, max(y for _, y in points) - top)

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.height

    def scaled(self, by: float) -> Box:
        """The same in other units."""
        return Box(self.x * by, self.y * by, self.width * by, self.height * by)

    def grown(self, by: float) -> Box:
        """Larger by so much on every side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def rounded(self) -> Box:
        """In whole units."""
        left, top = round(self.x), round(self.y)
        return Box(left, top, round(self.right) - left, round(self.bottom) - top)

    def with_box(self, other: Box) -> Box:
        """The smallest that holds both."""
        left, top = min(self.x, other.x), min(self.y, other.y)
        right, bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        return Box(left, top, right - left, bottom - top)

    def meets(self, other: Box) -> bool:
        """Whether they overlap."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A name: `x` and `y` of its baseline at `anchor` (SVG's text-anchor); a partner's is lighter."""

    text: str
    x: float
    y: float
    anchor: str
    is_strong: bool
    box: Box


def place_labels(
    names: Mapping[str, tuple[str, bool]], shapes: Mapping[str, Sequence[Ring]]
) -> tuple[Label, ...]:
    """Name each of `names` (text, whether strong) beside its shape among `shapes`, in the order given.

    Each name takes the place where it covers least: coloured shapes and other names count most, then leaving the
    drawing, then covering grey ones; where all is taken it is left out. The same input gives the same places.
    """
    coloured = {key: shapes[key] for key in names}
    grey = [ring for key, rings in shapes.items() if key not in names for ring in rings]
    whole = Box.around(ring for rings in shapes.values() for ring in rings)
    placed: list[Label] = []
    for key, (text, is_strong) in names.items():
        candidates = _candidates(text, is_strong, max(coloured[key], key=_area))
        best = min(candidates, key=lambda label: _cost(label, coloured.values(), grey, whole, placed))
        if _cost(best, coloured.values(), grey, whole, placed) < CROWDED:
            placed.append(best)
    return tuple(placed)


def _candidates(text: str, is_strong: bool, ring: Ring) -> Iterator[Label]:
    """Right and left of the shape at several heights, then above and below its middle."""
    width, height = len(text) * SIZE * GLYPH, SIZE
    around = Box.around([ring])
    for part in (0.5, 0.3, 0.7, 0.15, 0.85):
        middle = around.y + around.height * part
        reached = _reach(ring, middle - height / 2, middle + height / 2)
        baseline = round(middle + SIZE * 0.35, 1)
        right, left = round(reached[1] + GAP, 1), round(reached[0] - GAP, 1)
        top = middle - height / 2
        yield Label(text, right, baseline, "start", is_strong, Box(right, top, width, height))
        yield Label(text, left, baseline, "end", is_strong, Box(left - width, top, width, height))
    centre = round(around.x + around.width / 2, 1)
    for baseline in (round(around.bottom + GAP + SIZE * 0.75, 1), round(around.y - GAP, 1)):
        box = Box(centre - width / 2, baseline - SIZE * 0.8, width, height)
        yield Label(text, centre, baseline, "middle", is_strong, box)


def _reach(ring: Ring, top: float, bottom: float) -> tuple[float, float]:
    """How far left and right the outline comes between two heights."""
    found: list[float] = []
    for (x, y), (after_x, after_y) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if top <= y <= bottom:
            found.append(x)
        for line in (top, bottom):
            if (y < line) != (after_y < line):
                found.append(x + (after_x - x) * (line - y) / (after_y - y))
    if not found:  # the shape is lower than the letters
        found = [x for x, _ in ring]
    return min(found), max(found)


def _cost(
    label: Label,
    coloured: Iterable[Sequence[Ring]],
    grey: Sequence[Ring],
    whole: Box,
    placed: Sequence[Label],
) -> float:
    """How bad a place is; 0 is free ground."""
    box = label.box
    cost = 100.0 * sum(box.grown(1).meets(other.box) for other in placed)
    points = [
        (box.x + box.width * across / 6, box.y + box.height * down / 2)
        for across in range(7)
        for down in range(3)
    ]
    for rings in coloured:
        cost += 10.0 * sum(any(_holds(ring, point) for ring in rings) for point in points)
    cost += 0.4 * sum(any(_holds(ring, point) for ring in grey) for point in points)
    outside = max(whole.x - box.x, 0) + max(box.right - whole.right, 0)
    return cost + 0.05 * outside


def _holds(ring: Ring, point: Point) -> bool:
    """Whether the point lies inside (even-odd)."""
    px, py = point
    is_inside = False
    for (x, y), (after_x, after_y) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y > py) != (after_y > py) and px < x + (after_x - x) * (py - y) / (after_y - y):
            is_inside = not is_inside
    return is_inside


def _area(ring: Ring) -> float:
    """Twice the area: the name stands at the largest part of a municipality."""
    following = (*ring[1:], ring[0])
    return abs(
        sum(x * after_y - after_x * y for (x, y), (after_x, after_y) in zip(ring, following, strict=True))
    )
