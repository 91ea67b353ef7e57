"""Checks of the linked graph: what can be reached, what comes to an end, what would run for ever."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from rathaus.engine.workflow.definition import WAITING, Container, Node

Report = Callable[[Node | Container, str], None]


def check_graph(processes: Collection[Container], report: Report) -> None:
    """Report everything that is wrong in the processes and their subprocesses."""
    for process in processes:
        for container in containers(process):
            _check_starts(container, report)
            for node in container.nodes.values():
                _check_node(node, report)
            _check_ways(container, report)
    _check_loops(processes, report)
    _check_calls(processes, report)


def containers(process: Container) -> Iterator[Container]:
    """The process and all subprocesses in it."""
    yield process
    for node in process.nodes.values():
        if node.inner is not None:
            yield from containers(node.inner)


def _check_starts(container: Container, report: Report) -> None:
    starts = container.starts
    plain = [node for node in starts if node.event == "none"]
    if container.parent is not None:
        if len(starts) != 1 or not plain:
            report(container, "Ein Teilprozess braucht genau ein einfaches Startereignis.")
    elif not starts:
        report(container, "Der Prozess hat kein Startereignis.")
    elif len(plain) > 1:
        report(container, "Der Prozess hat mehr als ein einfaches Startereignis.")


def _check_node(node: Node, report: Report) -> None:
    if node.kind in ("startEvent", "boundaryEvent"):
        if node.incoming:
            report(node, "In dieses Ereignis darf kein Sequenzfluss führen.")
    elif node.kind == "endEvent":
        if node.outgoing:
            report(node, "Aus einem Endereignis darf kein Sequenzfluss führen.")
    elif not node.incoming:
        report(node, "Das Element wird nie erreicht: Es führt kein Sequenzfluss hinein.")
    if node.kind != "endEvent" and not node.outgoing:
        report(node, "Sackgasse: Hier geht es nicht weiter, und es ist kein Endereignis.")
    if node.kind in ("exclusiveGateway", "inclusiveGateway"):
        _check_conditions(node, report)
    elif node.kind == "eventBasedGateway":
        _check_event_gateway(node, report)
    if node.boundaries:
        if node.kind not in WAITING | {"subProcess", "callActivity"}:
            report(node, "Die Aufgabe läuft sofort ab; ein angeheftetes Ereignis kann nicht eintreten.")
        codes = [boundary.code for boundary in node.boundaries if boundary.event == "error"]
        if len(codes) != len(set(codes)):
            report(node, "Zwei angeheftete Fehlerereignisse fangen denselben Fehler.")


def _check_conditions(node: Node, report: Report) -> None:
    if len(node.outgoing) < 2:
        return
    if node.default is None:
        report(node, "Dem Gateway fehlt der Standardfluss für den Fall, dass keine Bedingung zutrifft.")
    for flow in node.outgoing:
        if flow is node.default and flow.condition is not None:
            report(node, f"Der Standardfluss „{flow.id}“ darf keine Bedingung haben.")
        elif flow is not node.default and flow.condition is None and node.default is not None:
            report(node, f"Dem Sequenzfluss „{flow.id}“ fehlt die Bedingung.")


def _check_event_gateway(node: Node, report: Report) -> None:
    if len(node.outgoing) == 1:
        report(node, "Das ereignisbasierte Gateway braucht mindestens zwei Wege.")
    for flow in node.outgoing:
        target = flow.target
        if target.kind not in ("intermediateCatchEvent", "receiveTask"):
            report(target, "Hinter einem ereignisbasierten Gateway muss auf ein Ereignis gewartet werden.")
        elif len(target.incoming) > 1:
            report(target, "Hierher darf nur das ereignisbasierte Gateway führen.")
        elif target.boundaries or target.repeat is not None:
            report(target, "Hinter einem ereignisbasierten Gateway geht das nur ohne angeheftete Ereignisse.")


def successors(node: Node) -> list[Node]:
    """Where a token at the element can go next, by a flow or by a boundary event."""
    return [flow.target for flow in node.outgoing] + list(node.boundaries)


def _closure(begin: Iterable[Node], follow: Callable[[Node], Iterable[Node]]) -> set[str]:
    seen: dict[str, Node] = {node.id: node for node in begin}
    todo = list(seen.values())
    while todo:
        for node in follow(todo.pop()):
            if node.id not in seen:
                seen[node.id] = node
                todo.append(node)
    return set(seen)


def predecessors(node: Node) -> list[Node]:
    """From where a token can have come to the element."""
    found = [flow.source for flow in node.incoming]
    return [*found, node.host] if node.host is not None else found


def _check_ways(container: Container, report: Report) -> None:
    nodes = container.nodes.values()
    reached = _closure(container.starts, successors)
    finishing = _closure(
        [node for node in nodes if not node.outgoing], predecessors
    )  # dead ends are said already
    for node in nodes:
        if node.id not in reached and (node.incoming or node.kind == "boundaryEvent"):
            report(node, "Das Element wird vom Startereignis aus nie erreicht.")
        if node.id not in finishing and node.outgoing:
            report(node, "Von hier aus führt kein Weg zu einem Endereignis.")


# --------------------------------------------------------------------------------------------- endless loops


def _check_loops(processes: Iterable[Container], report: Report) -> None:
    """A circle of elements none of which waits would never come to rest."""
    every = [container for process in processes for container in containers(process)]
    passable = _passable(every)
    for container in every:
        restless = {node.id: node for node in container.nodes.values() if not _rests(node, passable)}
        circle = _circles(restless)
        if circle:
            names = ", ".join(f"„{node.id}“" for node in circle[:6])
            report(circle[0], f"Endlosschleife: Auf diesem Kreis wartet kein Element ({names}).")


def _rests(node: Node, passable: set[str]) -> bool:
    """Whether a token cannot pass the element without waiting for something from outside."""
    content = node.inner or node.called
    if content is not None:
        return content.id not in passable
    return node.kind in WAITING or node.kind == "boundaryEvent"


def _passable(every: list[Container]) -> set[str]:
    """The containers with a way from start to end on which nothing waits; found from the inmost outwards."""
    passable: set[str] = set()

    def follow(node: Node) -> list[Node]:
        return [] if _rests(node, passable) else _targets(node)

    while True:
        found = set()
        for container in every:
            if container.id not in passable:
                seen = _closure(container.starts, follow)
                if any(node.kind == "endEvent" and node.id in seen for node in container.nodes.values()):
                    found.add(container.id)
        if not found:
            return passable
        passable.update(found)


def _circles(nodes: dict[str, Node]) -> list[Node]:
    """What is left when elements that nothing else here leads to, or that lead to nothing, are taken away."""
    left = dict(nodes)
    for ahead, behind in ((_targets, _sources), (_sources, _targets)):
        open_ends = {name: sum(at.id in left for at in behind(node)) for name, node in left.items()}
        todo = [name for name, count in open_ends.items() if count == 0]
        while todo:
            node = left.pop(todo.pop())
            for at in ahead(node):
                if at.id in left:
                    open_ends[at.id] -= 1
                    if open_ends[at.id] == 0:
                        todo.append(at.id)
    return list(left.values())


def _targets(node: Node) -> list[Node]:
    return [flow.target for flow in node.outgoing]


def _sources(node: Node) -> list[Node]:
    return [flow.source for flow in node.incoming]


def _check_calls(processes: Iterable[Container], report: Report) -> None:
    """A process that calls itself, also by way of others, might never stop."""
    calls: dict[str, list[tuple[Node, str]]] = {}
    for process in processes:
        calls[process.id] = [
            (node, node.called.id)
            for container in containers(process)
            for node in container.nodes.values()
            if node.called is not None
        ]
    for name, made in calls.items():
        for node, called in made:
            seen, todo = {called}, [called]
            while todo:
                for _, further in calls.get(todo.pop(), []):
                    if further not in seen:
                        seen.add(further)
                        todo.append(further)
            if name in seen:
                report(node, "Der Prozess ruft sich selbst auf, unmittelbar oder über andere.")


def reach_of(join: Node) -> dict[str, frozenset[str]]:
    """For each flow into the join: the elements from which it can be reached without passing the join."""
    return {
        flow.id: frozenset(
            _closure([flow.source], lambda node: [at for at in predecessors(node) if at is not join])
            - {join.id}
        )
        for flow in join.incoming
    }
