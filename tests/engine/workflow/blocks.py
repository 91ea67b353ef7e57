"""Random block-structured diagrams that know how often each of their elements must have been done.

Every block has one way in and one way out. ``check`` compares, after the process has ended, what was done
with what the choices made on the way ask for; ``times`` is None where an interruption makes that unknowable.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.engine.workflow import diagrams as d

HOUR = ("Duration", "PT1H")


class Drawing:
    """Elements and flows of one process or subprocess while it is drawn."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.elements: list[str] = []
        self.flows: list[str] = []

    def add(self, element: str) -> None:
        self.elements.append(element)

    def flow(self, source: str, target: str, mark: str = "") -> None:
        self.flows.append(f"{source} >{mark} {target}")


@dataclass
class Page:
    """What belongs to the whole file."""

    heads: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass
class Walk:
    """What happened: completions of each element, and answers „once more“ of each loop."""

    done: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    variables: dict[str, object] = field(default_factory=dict)


class Block:
    """Base of all blocks."""

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        """Add the elements; return the first and the last one."""
        raise NotImplementedError

    def check(self, times: int | None, walk: Walk) -> None:
        """Assert that everything inside was done as often as entering the block so many times asks for."""
        raise NotImplementedError


@dataclass
class Leaf(Block):
    kind: str
    id: str

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        if self.kind in ("receive", "message"):
            drawing.page.heads.append(d.message(self.id))
        drawing.add(
            {
                "user": lambda: d.user(self.id),
                "service": lambda: d.service(self.id),
                "receive": lambda: d.receive(self.id, self.id),
                "message": lambda: d.catch(self.id, message=self.id),
                "timer": lambda: d.catch(self.id, timer=HOUR),
            }[self.kind]()
        )
        return self.id, self.id

    def check(self, times: int | None, walk: Walk) -> None:
        assert times is None or walk.done[self.id] == times, self.id


@dataclass
class Count(Block):
    """A script that counts how often it ran; ``shared`` when its variable is one of the process."""

    id: str
    shared: bool

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        drawing.page.variables[f"z_{self.id}"] = 0
        drawing.add(d.script(self.id, f"z_{self.id} = z_{self.id} + 1"))
        return self.id, self.id

    def check(self, times: int | None, walk: Walk) -> None:
        assert times is None or not self.shared or walk.variables[f"z_{self.id}"] == times, self.id


@dataclass
class Sequence(Block):
    parts: list[Block]

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        ends = [part.draw(drawing) for part in self.parts]
        for (_, before), (after, _) in itertools.pairwise(ends):
            drawing.flow(before, after)
        return ends[0][0], ends[-1][1]

    def check(self, times: int | None, walk: Walk) -> None:
        for part in self.parts:
            part.check(times, walk)


@dataclass
class Branches(Block):
    """Exclusive, inclusive or parallel; ``holds`` are what the conditions give, the last is default."""

    kind: str
    id: str
    parts: list[Block]
    holds: list[bool]
    join: str = ""  # when it is of another kind than the split

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        make = {"exclusive": d.exclusive, "inclusive": d.inclusive, "parallel": d.parallel}
        drawing.add(make[self.kind](f"{self.id}_auf"))
        drawing.add(make[self.join or self.kind](f"{self.id}_zu"))
        for index, part in enumerate(self.parts):
            first, last = part.draw(drawing)
            mark = ""
            if self.kind != "parallel":
                name = f"{self.id}_w{index}"
                drawing.page.variables[name] = self.holds[index]
                mark = "*" if index == len(self.parts) - 1 else f"{{{name}}}"
            drawing.flow(f"{self.id}_auf", first, mark)
            drawing.flow(last, f"{self.id}_zu")
        return f"{self.id}_auf", f"{self.id}_zu"

    def taken(self) -> set[int]:
        """The indices of the branches that are taken."""
        last = len(self.parts) - 1
        if self.kind == "parallel":
            return set(range(last + 1))
        holding = [index for index in range(last) if self.holds[index]] or [last]
        return set(holding if self.kind == "inclusive" else holding[:1])

    def check(self, times: int | None, walk: Walk) -> None:
        taken = self.taken()
        for index, part in enumerate(self.parts):
            part.check(times if index in taken or times is None else 0, walk)


@dataclass
class EventChoice(Block):
    id: str
    events: list[Leaf]
    parts: list[Block]

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        drawing.add(d.event_based(f"{self.id}_auf"))
        drawing.add(d.exclusive(f"{self.id}_zu"))
        for event, part in zip(self.events, self.parts, strict=True):
            event.draw(drawing)
            first, last = part.draw(drawing)
            drawing.flow(f"{self.id}_auf", event.id)
            drawing.flow(event.id, first)
            drawing.flow(last, f"{self.id}_zu")
        return f"{self.id}_auf", f"{self.id}_zu"

    def check(self, times: int | None, walk: Walk) -> None:
        assert times is None or sum(walk.done[event.id] for event in self.events) == times, self.id
        for event, part in zip(self.events, self.parts, strict=True):
            part.check(None if times is None else walk.done[event.id], walk)


@dataclass
class Loop(Block):
    """The part, then a task that asks whether once more."""

    id: str
    part: Block

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        first, last = self.part.draw(drawing)
        drawing.add(d.exclusive(f"{self.id}_vor"))
        drawing.add(d.user(f"{self.id}_frage", d.extensions(outputs={f"{self.id}_ok": "result.ok"})))
        drawing.add(d.exclusive(f"{self.id}_nach"))
        drawing.add(d.exclusive(f"{self.id}_aus"))
        drawing.flow(f"{self.id}_vor", first)
        drawing.flow(last, f"{self.id}_frage")
        drawing.flow(f"{self.id}_frage", f"{self.id}_nach")
        drawing.flow(f"{self.id}_nach", f"{self.id}_aus", f"{{{self.id}_ok}}")
        drawing.flow(f"{self.id}_nach", f"{self.id}_vor", "*")
        return f"{self.id}_vor", f"{self.id}_aus"

    def check(self, times: int | None, walk: Walk) -> None:
        rounds = None if times is None else times + walk.again[f"{self.id}_frage"]
        assert rounds is None or walk.done[f"{self.id}_frage"] == rounds
        self.part.check(rounds, walk)


@dataclass
class Inside(Block):
    """A subprocess, or a call of a process with the part in it; once for each of ``items`` when given."""

    kind: str
    id: str
    part: Block
    items: int | None = None
    sequential: bool = False

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        page = drawing.page
        inner, known = Drawing(page), set(page.variables)
        first, last = self.part.draw(inner)
        inner.flow(f"{self.id}_start", first)
        inner.flow(last, f"{self.id}_ende")
        needed = {name: name for name in page.variables if name not in known}
        loop = ""
        if self.items is not None:
            page.variables[f"{self.id}_liste"] = list(range(self.items))
            loop = d.repeat(f"{self.id}_liste", sequential=self.sequential)
        flows = "\n".join(inner.flows)
        if self.kind == "sub":
            drawing.add(d.sub(self.id, *inner.elements, flows=flows, inner=loop))
        else:
            ends = d.start(f"{self.id}_start"), d.end(f"{self.id}_ende")
            page.processes.append(d.process(*ends, *inner.elements, flows=flows, id=f"{self.id}_prozess"))
            drawing.add(d.call(self.id, f"{self.id}_prozess", d.extensions(needed) + loop))
        return self.id, self.id

    def check(self, times: int | None, walk: Walk) -> None:
        self.part.check(None if times is None else times * (1 if self.items is None else self.items), walk)


@dataclass
class Many(Block):
    """A multi-instance user task."""

    id: str
    items: int
    sequential: bool

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        drawing.page.variables[f"{self.id}_liste"] = list(range(self.items))
        drawing.add(d.user(self.id, d.repeat(f"{self.id}_liste", sequential=self.sequential)))
        return self.id, self.id

    def check(self, times: int | None, walk: Walk) -> None:
        assert times is None or walk.done[self.id] == times * self.items, self.id


@dataclass
class Guarded(Block):
    """A task or subprocess with a boundary event and what follows on it."""

    id: str
    host: Leaf | Inside
    event: str
    interrupting: bool
    part: Block

    def draw(self, drawing: Drawing) -> tuple[str, str]:
        self.host.draw(drawing)
        event = f"{self.id}_event"
        if self.event == "message":
            drawing.page.heads.append(d.message(event))
        drawing.add(
            d.boundary(
                event,
                self.host.id,
                message=event if self.event == "message" else None,
                timer=HOUR if self.event == "timer" else None,
                error="" if self.event == "error" else None,
                interrupting=self.interrupting,
            )
        )
        first, last = self.part.draw(drawing)
        drawing.flow(event, first)
        drawing.add(d.exclusive(f"{self.id}_zu"))
        drawing.flow(self.host.id, f"{self.id}_zu")
        if self.interrupting:
            drawing.flow(last, f"{self.id}_zu")
        else:
            drawing.add(d.end(f"{self.id}_ende"))
            drawing.flow(last, f"{self.id}_ende")
        return self.host.id, f"{self.id}_zu"

    def check(self, times: int | None, walk: Walk) -> None:
        fired = walk.done[f"{self.id}_event"]
        if self.interrupting and isinstance(self.host, Leaf):
            self.host.check(None if times is None else times - fired, walk)
        else:
            self.host.check(None if self.interrupting and fired else times, walk)
        self.part.check(None if times is None else fired, walk)


@dataclass
class Diagram:
    """A whole random diagram. ``failing`` maps tasks with an error boundary event to that event."""

    xml: bytes
    variables: dict[str, Any]
    root: Block
    failing: dict[str, str]


@dataclass(frozen=True)
class Place:
    """Where a block is put: ``shared`` while variables are those of the process itself, ``many`` inside many
    instances, ``looped`` inside a loop, ``behind`` on the way of a boundary event."""

    shared: bool = True
    many: bool = False
    looped: bool = False
    behind: bool = False


class Generator:
    """Makes diagrams out of the given randomness; with ``any_join`` splits and joins need not match.

    ``for_oracle`` leaves out where SpiffWorkflow 3.2 differs, found by running it against this engine:
    a non-interrupting message event comes only once; in the third round of a loop a join fires before all its
    branches have arrived; instances begun behind a boundary event raise an exception; and inside many
    instances (or where a loop has begun a non-interrupting way twice) a message reaches all that wait for it
    at once, while here each has a token of its own.
    """

    def __init__(self, random: Random, *, for_oracle: bool = False, any_join: bool = False) -> None:
        self.random = random
        self.any_join = any_join
        self.for_oracle = for_oracle
        self.numbers = itertools.count()
        self.failing: dict[str, str] = {}

    def diagram(self, depth: int) -> Diagram:
        """A process ``p`` around one block."""
        root = self.block(depth, Place())
        page = Page()
        drawing = Drawing(page)
        first, last = root.draw(drawing)
        drawing.flow("start", first)
        drawing.flow(last, "ende")
        process = d.process(*drawing.elements, flows="\n".join(drawing.flows))
        return Diagram(d.bpmn(*page.heads, process, *page.processes), page.variables, root, self.failing)

    def new(self) -> str:
        """An id that is not taken."""
        return f"n{next(self.numbers)}"

    def block(self, depth: int, at: Place) -> Block:
        """Any block, at most ``depth`` blocks deep."""
        kinds = ["leaf", "leaf", "count"]
        if depth > 0:
            kinds = ["leaf", "count", "sequence", "sequence", "branches", "branches", "inside"]
            if not (self.for_oracle and (at.behind or at.many)):
                kinds += ["many"]
            if not (self.for_oracle and at.many):
                kinds += ["loop", "events", "guarded", "guarded"]
        make: dict[str, Callable[[], Block]] = {
            "leaf": lambda: Leaf(self.random.choice(["user", "service", *self.waits(at)]), self.new()),
            "count": lambda: Count(self.new(), at.shared),
            "sequence": lambda: Sequence(self.parts(depth, at, self.random.randint(2, 4))),
            "branches": lambda: self.branches(depth, at),
            "loop": lambda: Loop(self.new(), self.block(depth - 1, replace(at, looped=True))),
            "many": lambda: Many(self.new(), self.random.randint(0, 3), self.random.random() < 0.5),
            "events": lambda: self.events(depth, at),
            "inside": lambda: self.inside(depth, at),
            "guarded": lambda: self.guarded(depth, at),
        }
        return make[self.random.choice(kinds)]()

    def parts(self, depth: int, at: Place, count: int) -> list[Block]:
        """Some blocks, one level deeper."""
        return [self.block(depth - 1, at) for _ in range(count)]

    def waits(self, at: Place) -> list[str]:
        """Kinds of events that can be waited for here."""
        return [] if at.many and self.for_oracle else ["receive", "message", "timer"]

    def branches(self, depth: int, at: Place) -> Branches:
        """A split and its join."""
        is_plain = self.for_oracle and (at.many or at.looped)
        kind = "exclusive" if is_plain else self.random.choice(["exclusive", "inclusive", "parallel"])
        parts = self.parts(depth, at, self.random.randint(2, 3))
        join = self.random.choice(["exclusive", "inclusive", "parallel"]) if self.any_join else ""
        return Branches(kind, self.new(), parts, [self.random.random() < 0.5 for _ in parts], join)

    def events(self, depth: int, at: Place) -> EventChoice:
        """An event-based gateway and its merge."""
        events = [Leaf(self.random.choice(["message", "timer", "receive"]), self.new()) for _ in range(2)]
        return EventChoice(self.new(), events, self.parts(depth, at, len(events)))

    def inside(self, depth: int, at: Place) -> Inside:
        """A subprocess or a call, perhaps many times."""
        is_single = self.for_oracle and (at.behind or at.many)
        items = None if is_single else self.random.choice([None, None, 0, 1, 3])
        kind = self.random.choice(["sub", "call"])
        is_own = kind == "call" or items is not None
        place = replace(at, shared=at.shared and not is_own, many=at.many or items is not None)
        return Inside(kind, self.new(), self.block(depth - 1, place), items, self.random.random() < 0.5)

    def guarded(self, depth: int, at: Place) -> Guarded:
        """An activity with a boundary event."""
        event = self.random.choice(["timer", "message", "error"])
        name = self.new()
        host: Leaf | Inside
        if event == "error":
            host = Leaf("service", self.new())
            self.failing[host.id] = f"{name}_event"
        elif self.random.random() < 0.5:
            host = Leaf(self.random.choice(["user", "service", "receive"]), self.new())
        else:
            kind = self.random.choice(["sub", "call"])
            place = replace(at, shared=at.shared and kind == "sub")
            host = Inside(kind, self.new(), self.block(depth - 1, place))
        interrupting = event == "error" or self.random.random() < 0.5
        if self.for_oracle and (event == "message" or at.looped):
            interrupting = True
        return Guarded(name, host, event, interrupting, self.block(depth - 1, replace(at, behind=True)))
