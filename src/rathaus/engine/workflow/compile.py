"""From the bytes of a BPMN file to a definition, or to all the reasons why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rathaus.engine.workflow.checks import check_graph, containers, reach_of
from rathaus.engine.workflow.definition import Container, Decision, Definition, DefinitionError, Problem
from rathaus.engine.workflow.names import short
from rathaus.engine.workflow.protocol import NOTHING
from rathaus.engine.workflow.reading import Reader
from rathaus.engine.workflow.soundness import stuck_joins
from rathaus.engine.xml import XmlRefused, read_xml


def compile_bpmn(
    xml: bytes,
    *,
    decisions: Mapping[str, Decision] = NOTHING,
    operations: Collection[str] | None = None,
    data: Collection[str] | None = None,
    variables: Collection[str] = (),
) -> Definition:
    """Compile a BPMN 2.0 file of our subset (docs/adr/0001). Raises DefinitionError with all problems.

    ``decisions`` are the tables that business rule tasks may name, ``operations`` those that service and send
    tasks may name (None: not checked). ``data`` are the names of the read-only context that every step will
    be given and ``variables`` those of the variables given at the start; with ``data`` (None: not checked) an
    expression may read only these and what the process assigns, and the process may not assign to ``data``.
    """
    try:
        root = read_xml(xml)
    except XmlRefused as refused:
        raise DefinitionError((Problem(None, refused.line, refused.reason),)) from refused
    reader = Reader(root, decisions, operations)
    reader.read()
    if data is not None:
        _check_names(reader, frozenset(data), frozenset(variables))
    _check_four_eyes(reader)
    check_graph(reader.processes.values(), reader.problem)
    if not reader.problems:
        for process in reader.processes.values():
            for container in containers(process):
                _check_joins(container, reader)
    if reader.problems:
        in_order = sorted(reader.problems, key=lambda problem: (problem.line or 0, problem.element or ""))
        raise DefinitionError(tuple(dict.fromkeys(in_order)))
    return Definition(reader.processes, reader.nodes, _main(reader.processes))


def _check_joins(container: Container, reader: Reader) -> None:
    for node in container.nodes.values():
        if node.kind == "inclusiveGateway" and len(node.incoming) > 1:
            node.reach = reach_of(node)
    for node in stuck_joins(container):
        reader.problem(
            node,
            "Das Gateway wartet auf Zweige, die nicht immer kommen; der Vorgang bliebe hier hängen. "
            "Ein inklusives Gateway wartet nur auf Zweige, die noch kommen können.",
        )


def _main(processes: Mapping[str, Container]) -> str:
    """The process that an application starts: called by no other, with a none start event if possible."""
    called = {
        node.called.id
        for process in processes.values()
        for container in containers(process)
        for node in container.nodes.values()
        if node.called is not None
    }
    candidates = [process for process in processes.values() if process.id not in called]
    plain = [process for process in candidates if any(begin.event == "none" for begin in process.starts)]
    return (plain or candidates)[0].id


def _check_names(reader: Reader, data: frozenset[str], variables: frozenset[str]) -> None:
    known = data | variables | reader.assigned | {"result"}
    for place, names in reader.reads:
        for name in sorted(names - known):
            reader.problem(place, f"Den Namen „{short(name)}“ gibt es nicht, und nichts weist ihm etwas zu.")
    for name in sorted(reader.assigned & data):
        reader.problem(None, f"„{name}“ gehört zu den Angaben des Falls; nichts darf ihm etwas zuweisen.")


def _check_four_eyes(reader: Reader) -> None:
    for node in reader.nodes.values():
        if node.four_eyes is None:
            continue
        other = reader.nodes.get(node.four_eyes)
        if other is None or other.kind != "userTask" or other is node:
            reader.problem(
                node, f"„r:four-eyes“ nennt keine andere Benutzeraufgabe ({short(node.four_eyes)})."
            )
