"""What a measurement gives: figures with their goal, and how much is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table. `values` are the bare numbers; times in seconds, sizes in bytes unless the name says else."""

    name: str
    title: str
    goal: str
    measured: str
    yardstick: str = ""
    is_reached: bool | None = None  # None: told, no goal
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Sizes:
    """How much is measured. Everything is repeated and told as a median or quantile; nothing is a single shot."""

    repeats: int  # of what is compared with a yardstick, taking turns with it
    memory: int  # lifecycles a turn, in memory
    steps: int  # lifecycles a turn, with PostgreSQL
    loop: int  # steps of the long loop
    loops: int  # cases that walk the loop
    alone: int  # lifecycles over HTTP, one client
    turns: int  # of the site and the bare Django page, one after the other; short, so that both see the same machine
    together: int  # lifecycles over HTTP of each of four clients, a turn
    plain_seconds: float  # of the bare Django page, a turn
    cases: tuple[int, ...]  # sizes of the case table
    applicants: int  # municipalities of the first call in the round; payments of a run; proofs
    grants: int  # of the programme whose pages are asked for
    rates: int  # of each of these grants that is paid out, a multiple of three
    pages: int  # requests of each page at each size
    reads: int  # of each query, with and without row-level security


FULL = Sizes(5, 400, 200, 200, 20, 60, 9, 12, 4.0, (1_000, 100_000, 1_000_000), 443, 10_000, 36, 200, 200)
QUICK = Sizes(1, 3, 2, 8, 1, 1, 1, 1, 0.3, (20, 40), 3, 30, 3, 3, 3)


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile: the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)


def ms(seconds: float) -> str:
    """A time as people read it: milliseconds in German notation."""
    return f"{number(seconds * 1000)} ms"


def count(value: int) -> str:
    """A whole number in German notation."""
    return f"{value:,}".replace(",", ".")


def number(value: float) -> str:
    """Three digits that count, in German notation."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    whole, _, rest = f"{value:,.{digits}f}".partition(".")
    return whole.replace(",", ".") + (f",{rest}" if rest else "")
