"""What domains know of a case: names that packages may read beside the application, registered by apps.

The kernel knows neither grants nor fees. A domain registers a function under a name; processes, titles, forms and letters
read `zuwendung.offen` and the value is worked out when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Names that expressions, letters and forms read already.
_TAKEN = {
    "antrag",
    "parameter",
    "fall",
    "result",
    "konto",
    "partei",
    "daten",
    "datum",
    "behoerde",
    "behoerden",
}
_TAKEN |= {"empfaenger", "entscheidung", "rechtsbehelf"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Facts:
    """`of(case)` answers the values by name (Decimal euros, days, texts, whole numbers, lists of groups), or None where
    there are none."""

    name: str
    names: frozenset[str]
    of: Callable[[Any], Mapping[str, Any] | None]


_registered: dict[str, Facts] = {}


def register(name: str, names: Iterable[str], of: Callable[[Any], Mapping[str, Any] | None]) -> None:
    """Make facts known under a name. A name is registered once and hides no other name of expressions."""
    kept = frozenset(names)
    if name in _TAKEN or name in _registered or not all(_NAME.fullmatch(one) for one in (name, *kept)):
        raise ValueError(f"facts {name}: registered twice, taken, or no name that expressions can read")
    _registered[name] = Facts(name, kept, of)


def find(name: str) -> Facts:
    """The facts of this name. Raises KeyError."""
    return _registered[name]


def names() -> frozenset[str]:
    return frozenset(_registered)


def read_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Where a text of a package reads facts: line, name of the facts, name within."""
    if not _registered:
        return
    shape = rf"(?<![\w.])(?:daten\.)?({'|'.join(sorted(_registered))})\.([a-z_][a-z0-9_]*)"
    for number, line in enumerate(text.splitlines(), start=1):
        for found in re.finditer(shape, line):
            yield number, found[1], found[2]
