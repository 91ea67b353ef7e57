"""Whether a joining gateway can be left waiting for a branch that never comes.

The ways of the tokens are tried out, with every condition either way. A marking is a sorted tuple of the flows
that carry a token. Tokens in front of anything but a join go on independently of each other, so it is enough to
let one of them go on at a time; that keeps the markings few also with many parallel branches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, combinations
from typing import TypeVar

from rathaus.engine.workflow.definition import Container, Flow, Node

MARKINGS_AT_MOST = 5_000  # then it stays undecided, and ``Stuck`` would tell at run time
TOKENS_AT_MOST = 3  # on one flow: the branches multiply, which is a matter of its own
BRANCHES_AT_MOST = 6  # of an inclusive gateway; their subsets are tried

Marking = tuple[str, ...]
_T = TypeVar("_T")


def must_come(join: Node, arrived: Iterable[str], place: str) -> bool:
    """Whether a token at ``place`` holds up an inclusive join at which tokens have arrived by those flows:
    it can come in by a flow where none has come, and not by one where one has (BPMN 2.0.2, 13.4.3)."""
    came = set(arrived)
    missing = any(place in reach for flow, reach in join.reach.items() if flow not in came)
    return missing and not any(place in reach for flow, reach in join.reach.items() if flow in came)


def stuck_joins(container: Container) -> list[Node]:
    """The joins at which tokens can be left behind; the container must have passed all other checks."""
    if any(
        (node.kind == "inclusiveGateway" and len(node.outgoing) > BRANCHES_AT_MOST)
        or len(node.boundaries) > 4
        for node in container.nodes.values()
    ):
        return []
    todo = [tuple(sorted(flow.id for flow in begin.outgoing)) for begin in container.starts]
    seen = set(todo)
    stuck: dict[str, Node] = {}
    while todo and len(seen) < MARKINGS_AT_MOST:
        marking = todo.pop()
        following = _following(container.flows, marking)
        if not following:
            stuck.update((node.id, node) for node in (container.flows[name].target for name in marking))
        for further in following:
            if further and further not in seen and max(map(further.count, further)) <= TOKENS_AT_MOST:
                seen.add(further)
                todo.append(further)
    return list(stuck.values())


def _following(flows: Mapping[str, Flow], marking: Marking) -> list[Marking]:
    """The markings after one element has gone on; none when no element can."""
    joins: dict[str, Node] = {}
    for name in marking:
        node = flows[name].target
        if node.kind not in ("parallelGateway", "inclusiveGateway") or len(node.incoming) == 1:
            return [_after(marking, [name], produced) for produced in _produced(node)]
        joins[node.id] = node
    for node in joins.values():
        arrived = [flow.id for flow in node.incoming if flow.id in marking]
        if node.kind == "parallelGateway":
            is_ready = len(arrived) == len(node.incoming)
        else:
            is_ready = not any(must_come(node, arrived, place) for place in joins if place != node.id)
        if is_ready:
            return [_after(marking, arrived, produced) for produced in _produced(node)]
    return []


def _after(marking: Marking, consumed: Iterable[str], produced: list[Flow] | None) -> Marking:
    if produced is None:
        return ()
    left = list(marking)
    for name in consumed:
        left.remove(name)
    return tuple(sorted(left + [flow.id for flow in produced]))


def _produced(node: Node) -> list[list[Flow] | None]:
    """On which flows tokens can come out, one list for each possibility; None: everything around ends."""
    if node.kind == "endEvent":
        return [[] if node.event == "none" else None]
    if node.kind in ("exclusiveGateway", "eventBasedGateway"):
        return [[flow] for flow in node.outgoing]
    if node.kind == "inclusiveGateway" and len(node.outgoing) > 1:
        guarded = [flow for flow in node.outgoing if flow is not node.default]
        chosen: list[list[Flow] | None] = [list(some) for some in _subsets(guarded) if some]
        return [*chosen, [node.default]] if node.default is not None else chosen
    ends = [node.outgoing] + [event.outgoing for event in node.boundaries if event.is_interrupting]
    beside = [event.outgoing for event in node.boundaries if not event.is_interrupting]
    return [[*end, *chain.from_iterable(some)] for end in ends for some in _subsets(beside)]


def _subsets(items: list[_T]) -> Iterable[tuple[_T, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))
