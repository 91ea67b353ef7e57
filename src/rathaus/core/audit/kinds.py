"""What can be recorded. Each app names its events in `events.py`, each with its sentence for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_kinds: dict[str, EventKind] = {}


@dataclass(frozen=True)
class EventKind:
    """`<app>.<object>.<past tense>` and a German sentence; `{}` fields come from the event's data."""

    name: str
    sentence: str


def define(name: str, sentence: str) -> EventKind:
    """Make an event recordable. Names are unique."""
    if name in _kinds:
        raise ValueError(f"event {name} is defined twice")
    _kinds[name] = kind = EventKind(name, sentence)
    return kind


def sentence_of(name: str, data: Mapping[str, Any]) -> str:
    """The event in words; an event of a version that is gone is shown by its name."""
    kind = _kinds.get(name)
    return kind.sentence.format_map(defaultdict(str, data)) if kind else name
