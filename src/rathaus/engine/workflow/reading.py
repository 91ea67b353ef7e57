"""From BPMN 2.0 XML to linked elements, refusing whatever is outside the subset.

Nothing is skipped silently that another engine would run: unknown elements of BPMN are refused, and so are
other vendors' attributes and extensions that call code. Drawings, notes, data objects and message flows are
pictures here. Checks of the graph as a whole are in ``checks``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from lxml import etree

from rathaus.engine.expressions import Expression, ExpressionError, compile_expression
from rathaus.engine.workflow.definition import (
    ACTIVITIES,
    EVENTS,
    GATEWAYS,
    Container,
    Decision,
    Flow,
    Node,
    Problem,
)
from rathaus.engine.workflow.elements import read_activity, read_event
from rathaus.engine.workflow.names import (
    BPMN,
    DECLARATIONS,
    LANGUAGES,
    OWN_ATTRIBUTES,
    PICTURES,
    RATHAUS,
    REFUSED,
    RUNNING,
    XSI,
    children,
    is_bpmn,
    is_name,
    line_of,
    local,
    q,
    r,
    short,
)

ELEMENTS_AT_MOST = 2_000
NESTING_AT_MOST = 20


class Reader:
    """Reads the root element into ``processes``; what is wrong is collected in ``problems``."""

    def __init__(
        self,
        root: etree._Element,
        decisions: Mapping[str, Decision],
        operations: Collection[str] | None,
    ) -> None:
        self.root = root
        self.decisions = decisions
        self.operations = operations
        self.problems: list[Problem] = []
        self.processes: dict[str, Container] = {}
        self.nodes: dict[str, Node] = {}
        self.ids: set[str] = set()
        self.messages: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.calls: list[tuple[Node, str]] = []
        self.hosts: list[tuple[Node, str]] = []
        self.roles: dict[str, str] = {}
        self.assigned: set[str] = set()
        self.reads: list[tuple[Node | etree._Element, frozenset[str]]] = []

    def problem(self, element: etree._Element | Node | Flow | Container | None, reason: str) -> None:
        """Note what is wrong at the element; reading goes on."""
        if element is None:
            self.problems.append(Problem(None, None, reason))
        elif isinstance(element, (Node, Flow, Container)):
            self.problems.append(Problem(element.id, element.line, reason))
        else:
            owner: etree._Element | None = element
            while owner is not None and not owner.get("id"):
                owner = owner.getparent()
            identity = owner.get("id") if owner is not None else None
            self.problems.append(Problem(identity, line_of(element), reason))

    # ------------------------------------------------------------------------------------------- the document

    def read(self) -> None:
        """Read everything. Afterwards ``processes`` is complete only if there are no ``problems``."""
        if self.root.tag != q("definitions"):
            self.problem(self.root, "Die Datei ist kein BPMN 2.0 (oberstes Element: „definitions“).")
            return
        if (
            sum(1 for element in self.root.iter() if is_bpmn(element) and element.get("id"))
            > ELEMENTS_AT_MOST
        ):
            self.problem(self.root, f"Das Diagramm hat zu viele Elemente (erlaubt sind {ELEMENTS_AT_MOST}).")
            return
        for child in self.root:
            if is_bpmn(child) and local(child) not in DECLARATIONS:
                self.problem(child, self.refusal(child))
        for message in children(self.root, "message"):
            self.messages[message.get("id", "")] = (message.get("name") or "").strip()
        for error in children(self.root, "error"):
            self.errors[error.get("id", "")] = (error.get("errorCode") or error.get("name") or "").strip()
        drawn = children(self.root, "process")
        chosen = [process for process in drawn if process.get("isExecutable") == "true"] or drawn
        for element in chosen:
            self.read_process(element)
        if not chosen:
            self.problem(self.root, "Das Diagramm enthält keinen Prozess.")
        self.link_calls()
        self.link_hosts()

    def refusal(self, element: etree._Element) -> str:
        """Why an element of BPMN does not belong here."""
        name = local(element)
        return REFUSED.get(name, f"Das Element „{name}“ gehört nicht zum unterstützten Umfang von BPMN.")

    def read_process(self, element: etree._Element) -> None:
        container = Container(self.identity(element), element.get("name", ""), line_of(element))
        self.processes[container.id] = container
        for part in element.iter():
            self.refuse_foreign(part)
        for lane_set in element.iter(q("laneSet"), q("childLaneSet")):
            for lane in children(lane_set, "lane"):  # outer lanes come first, inner ones overwrite
                role = lane.get(r("role")) or (lane.get("name") or "").strip()
                for reference in children(lane, "flowNodeRef"):
                    self.roles[(reference.text or "").strip()] = role
        self.read_content(element, container)

    def identity(self, element: etree._Element) -> str:
        name = element.get("id", "")
        if not re.fullmatch(r"[A-Za-z_][\w.-]{0,99}", name):
            self.problem(element, "Das Element braucht eine gültige Kennung (Attribut „id“).")
            name = f"?{len(self.ids)}"
        elif name in self.ids:
            self.problem(element, f"Die Kennung „{name}“ ist doppelt vergeben.")
        self.ids.add(name)
        return name

    def read_content(self, element: etree._Element, container: Container) -> None:
        flows = []
        for child in element:
            name = local(child)
            if not is_bpmn(child):
                if etree.QName(child).namespace == RATHAUS:
                    self.problem(child, f"„r:{name}“ ist hier nicht vorgesehen.")
                continue
            if name == "sequenceFlow":
                flows.append(child)
            elif name in ACTIVITIES or name in GATEWAYS or name in EVENTS:
                self.read_node(child, name, container)
            elif name not in PICTURES and name != "multiInstanceLoopCharacteristics":
                self.problem(child, self.refusal(child))
        for flow in flows:
            self.read_flow(flow, container)
        for child in element:
            node = container.nodes.get(child.get("id", ""))
            if node is not None:
                self.order_flows(child, node)

    # --------------------------------------------------------------------------------------------- the flows

    def read_flow(self, element: etree._Element, container: Container) -> None:
        name = self.identity(element)
        ends = []
        for attribute, word in (("sourceRef", "Anfang"), ("targetRef", "Ziel")):
            end = container.nodes.get(element.get(attribute, ""))
            if end is None:
                known = element.get(attribute, "") in self.nodes
                where = "liegt in einem anderen Prozess oder Teilprozess" if known else "gibt es nicht"
                self.problem(
                    element, f"Das {word} des Sequenzflusses {where}.".replace("Das Anfang", "Der Anfang")
                )
            else:
                ends.append(end)
        condition = None
        for part in element:
            if is_bpmn(part) and local(part) == "conditionExpression":
                self.check_language(part, part.get("language"))
                condition = self.expression(part, part.text)
        if len(ends) < 2:
            return
        source, target = ends
        flow = Flow(name, source, target, condition, line_of(element))
        if condition is not None and source.kind not in ("exclusiveGateway", "inclusiveGateway"):
            self.problem(flow, "Bedingungen sind nur hinter exklusiven und inklusiven Gateways erlaubt.")
        container.flows[name] = flow
        source.outgoing += (flow,)
        target.incoming += (flow,)

    def order_flows(self, element: etree._Element, node: Node) -> None:
        """BPMN orders the outgoing flows as the element lists them; conditions are tried in that order."""
        listed = [(reference.text or "").strip() for reference in children(element, "outgoing")]
        place = {name: index for index, name in enumerate(listed)}
        node.outgoing = tuple(sorted(node.outgoing, key=lambda flow: place.get(flow.id, len(place))))
        default = element.get("default")
        if default:
            node.default = next((flow for flow in node.outgoing if flow.id == default), None)
            if node.default is None:
                self.problem(element, f"Der Standardfluss „{default}“ geht nicht von diesem Element aus.")
            elif node.kind not in ("exclusiveGateway", "inclusiveGateway"):
                self.problem(
                    element, "Ein Standardfluss ist nur an exklusiven und inklusiven Gateways erlaubt."
                )

    # ------------------------------------------------------------------------------------------- the elements

    def read_node(self, element: etree._Element, kind: str, container: Container) -> None:
        node = Node(self.identity(element), kind, container, (element.get("name") or "").strip())
        node.line = line_of(element)
        node.documentation = "\n".join(
            (part.text or "").strip() for part in children(element, "documentation")
        )
        node.role = element.get(r("role")) or self.roles.get(node.id) or self.role_around(container)
        container.nodes[node.id] = node
        self.nodes[node.id] = node
        self.refuse_odd(element, kind)
        self.read_extensions(element, node)
        if kind in EVENTS:
            read_event(self, element, node)
        elif kind in ACTIVITIES:
            read_activity(self, element, node)
        if kind == "subProcess":
            node.inner = Container(node.id, node.name, node.line, parent=node)
            if sum(1 for _ in element.iterancestors(q("subProcess"))) < NESTING_AT_MOST:
                self.read_content(element, node.inner)
            else:
                self.problem(
                    element, f"Mehr als {NESTING_AT_MOST} Teilprozesse ineinander sind nicht erlaubt."
                )

    def role_around(self, container: Container) -> str | None:
        return container.parent.role if container.parent is not None else None

    def refuse_odd(self, element: etree._Element, kind: str) -> None:
        """Standard attributes that would change what the element does."""
        for attribute, harmless, reason in (
            ("isForCompensation", "false", "Kompensation wird nicht unterstützt."),
            ("triggeredByEvent", "false", "Ereignis-Teilprozesse werden nicht unterstützt."),
            ("startQuantity", "1", "Eine Startmenge wird nicht unterstützt."),
            ("completionQuantity", "1", "Eine Abschlussmenge wird nicht unterstützt."),
            ("parallelMultiple", "false", "Mehrfache Ereignisse werden nicht unterstützt."),
            ("instantiate", "false", "Ein Prozess beginnt hier nur mit einem Startereignis."),
            (
                "eventGatewayType",
                "Exclusive",
                "Parallele ereignisbasierte Gateways werden nicht unterstützt.",
            ),
        ):
            if element.get(attribute, harmless) != harmless:
                self.problem(element, reason)
        allowed = PICTURES | {"script", "multiInstanceLoopCharacteristics"}
        for child in element:
            name = local(child)
            if not is_bpmn(child) or name in allowed or name.endswith("EventDefinition"):
                continue
            if kind != "subProcess":  # a subprocess' content is read on its own
                self.problem(child, self.refusal(child))

    def refuse_foreign(self, element: etree._Element) -> None:
        """Other vendors' attributes and extensions are pictures to us, unless they would run something."""
        for name in map(str, element.attrib):
            space, found = etree.QName(name).namespace, etree.QName(name).localname
            if space not in (None, BPMN, RATHAUS, XSI) and found in RUNNING:
                self.problem(element, f"Das fremde Attribut „{found}“ würde etwas ausführen; nicht erlaubt.")
        if not is_bpmn(element) and etree.QName(element).namespace != RATHAUS and local(element) in RUNNING:
            reason = f"Die fremde Erweiterung „{local(element)}“ würde etwas ausführen; nicht erlaubt."
            self.problem(element, reason)

    def read_extensions(self, element: etree._Element, node: Node) -> None:
        arguments, outputs = [], []
        for extensions in children(element, "extensionElements"):
            for part in extensions:
                if etree.QName(part).namespace != RATHAUS:
                    continue
                if local(part) == "argument":
                    pair = self.named(part, "name")
                    arguments += [pair] if pair else []
                elif local(part) == "output":
                    pair = self.named(part, "variable")
                    outputs += [pair] if pair else []
                else:
                    self.problem(part, f"Die Erweiterung „r:{local(part)}“ gibt es nicht.")
        for pairs in (arguments, outputs):
            for name in {name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1}:
                self.problem(element, f"„{name}“ ist zweimal angegeben.")
        if arguments and node.kind not in ("userTask", "serviceTask", "sendTask", "callActivity"):
            self.problem(element, "„r:argument“ ist hier nicht vorgesehen.")
        node.arguments, node.outputs = tuple(arguments), tuple(outputs)
        self.assigned.update(name for name, _ in outputs)
        own = {
            etree.QName(name).localname: str(value)
            for name, value in element.attrib.items()
            if etree.QName(str(name)).namespace == RATHAUS
        }
        node.attributes = {name: value for name, value in own.items() if name not in OWN_ATTRIBUTES}

    def named(self, element: etree._Element, attribute: str) -> tuple[str, Expression] | None:
        name = element.get(attribute, "")
        if not is_name(name) or (attribute == "variable" and name == "result"):
            self.problem(element, f"„{name}“ ist kein gültiger Name (Attribut „{attribute}“).")
            return None
        expression = self.expression(element, element.get("value"))
        return (name, expression) if expression else None

    def expression(self, element: etree._Element, text: str | None) -> Expression | None:
        """The compiled text; None after noting the problem."""
        try:
            expression = compile_expression(text or "")
        except ExpressionError as error:
            self.problem(element, f"Der Ausdruck „{short(text)}“ ist nicht erlaubt: {error}")
            return None
        self.reads.append((element, expression.names))
        return expression

    def check_language(self, element: etree._Element, language: str | None) -> None:
        if (language or "").strip().lower() not in LANGUAGES:
            self.problem(element, f"Die Sprache „{short(language)}“ wird nicht ausgeführt.")

    # ---------------------------------------------------------------------------------------------- the links

    def link_hosts(self) -> None:
        """Hang boundary events on their activities."""
        for node, name in self.hosts:
            host = node.container.nodes.get(name)
            if host is None or host.kind not in ACTIVITIES:
                self.problem(node, "Das angeheftete Ereignis hängt an keiner Aktivität desselben Prozesses.")
                continue
            node.host = host
            node.role = node.role or host.role
            host.boundaries += (node,)

    def link_calls(self) -> None:
        """Find the processes that call activities name."""
        for node, name in self.calls:
            node.called = self.processes.get(name)
            if node.called is None:
                self.problem(node, f"Den aufgerufenen Prozess „{short(name)}“ gibt es in diesem Paket nicht.")
            elif not any(begin.event == "none" for begin in node.called.starts):
                self.problem(node, f"Der aufgerufene Prozess „{name}“ hat kein einfaches Startereignis.")
