"""What changed between two versions of a process, and whether a running case may move from one to the other.

A state names elements by their ids and nothing else of the definition, so that moving a case means going on
with the same state under the new definition. It is safe where everything that the state names still means
the same there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rathaus.engine.workflow.checks import containers
from rathaus.engine.workflow.definition import Container, Definition, Moment, Node

ASPECTS_IN_GERMAN = {
    "container": "liegt in einem anderen Prozess oder Teilprozess",
    "kind": "hat eine andere Art",
    "repeat": "wird anders wiederholt",
    "boundaries": "hat andere angeheftete Ereignisse",
    "wait": "wartet auf etwas anderes",
    "incoming": "hat andere eingehende Wege",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Element ids that are new or gone, and of the changed ones what has changed: ``name``, ``role``,
    ``form``, ``settings``, ``ways`` or one of the aspects in ``ASPECTS_IN_GERMAN``."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, tuple[str, ...]]

    @property
    def is_empty(self) -> bool:
        """Whether the two versions run alike."""
        return not (self.added or self.removed or self.changed)


def diff(old: Definition, new: Definition) -> Difference:
    """Compare by element id, in the order of the documents. Pictures and documentation do not count."""
    before, after = dict(_described(old)), dict(_described(new))
    changed = {}
    for name, aspects in before.items():
        if name in after:
            other = after[name]
            differing = tuple(aspect for aspect, value in aspects.items() if other.get(aspect) != value)
            if differing:
                changed[name] = differing
    return Difference(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=changed,
    )


def _described(definition: Definition) -> Iterator[tuple[str, dict[str, Any]]]:
    for process in definition.processes.values():
        for container in containers(process):
            if container.parent is None:
                yield container.id, {"kind": "process"}
            for node in container.nodes.values():
                yield node.id, _aspects(node, container)


def _aspects(node: Node, container: Container) -> dict[str, Any]:
    repeat = node.repeat
    return {
        "container": container.id,
        "kind": (node.kind, node.event, node.is_interrupting),
        "name": node.name,
        "role": node.role,
        "form": node.form,
        "settings": (
            _text(node.due),
            node.four_eyes,
            node.operation,
            node.arguments,
            node.outputs,
            dict(node.attributes),
            node.decision_name,
            node.script.text if node.script else None,
            node.code,
        ),
        "ways": [(flow.id, flow.target.id, flow.condition, flow is node.default) for flow in node.outgoing],
        "incoming": sorted(flow.id for flow in node.incoming),
        "repeat": (repeat.collection, repeat.item, repeat.sequential) if repeat else None,
        "boundaries": sorted(boundary.id for boundary in node.boundaries),
        "wait": (_text(node.moment), node.message, node.called.id if node.called else None),
    }


def _text(moment: Moment | None) -> tuple[str, str] | None:
    return (moment.form, moment.text) if moment else None


def can_migrate(difference: Difference, state: Mapping[str, Any]) -> list[str]:
    """The reasons (German sentences) against going on with ``state`` under the new version; empty: it may."""
    if "e" in state:
        return ["Der Prozess ist schon beendet."]
    reasons = []
    removed = set(difference.removed)
    waiting = {entry[0] for entry in state["t"].values()}
    # A task's change of form or role shows at once; these would leave the case in a state that cannot be.
    for name in sorted(waiting | {scope["c"] for scope in state["s"].values()}):
        if name in removed:
            reasons.append(f"„{name}“ gibt es in der neuen Fassung nicht, der Vorgang steht aber dort.")
        for aspect in difference.changed.get(name, ()):
            if aspect in ASPECTS_IN_GERMAN and aspect != "incoming":
                reasons.append(f"„{name}“ {ASPECTS_IN_GERMAN[aspect]}, der Vorgang steht aber dort.")
    for scope in state["s"].values():
        for name in sorted(scope.get("j", ())):
            if name in removed:
                reasons.append(
                    f"„{name}“ gibt es in der neuen Fassung nicht, dort sind aber Zweige angekommen."
                )
            elif {"kind", "incoming", "container"} & set(difference.changed.get(name, ())):
                reasons.append(f"„{name}“ führt anders zusammen, dort sind aber schon Zweige angekommen.")
    return reasons
