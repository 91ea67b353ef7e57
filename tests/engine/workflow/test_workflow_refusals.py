"""What is refused when a diagram is checked: with the element, its line and a reason, and all at once."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from tests.engine.workflow import diagrams as d
from tests.engine.workflow.play import Play

from rathaus.engine.workflow import DefinitionError, Problem, StepFailed, compile_bpmn


def problems(xml: bytes, **options: object) -> tuple[Problem, ...]:
    with pytest.raises(DefinitionError) as caught:
        compile_bpmn(xml, **options)  # type: ignore[arg-type]  # options of several types
    assert all(problem.reason.endswith((".", ")")) for problem in caught.value.problems)
    return caught.value.problems


def refused(xml: bytes, element: str | None, reason: str, **options: object) -> None:
    """The one element is refused for the one reason."""
    found = problems(xml, **options)
    assert {problem.element for problem in found} == {element}, found
    assert reason in " ".join(problem.reason for problem in found), found


def around(element: str, *more: str, id: str = "x") -> bytes:
    return d.bpmn(d.message("m"), d.error("f"), d.process(element, *more, flows=f"start > {id} > ende"))


# -------------------------------------------------------------------------------------------------- the file

DEFINITIONS = b'<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL">'
END = b"</bpmn:process></bpmn:definitions>"
BOMB = (
    b"<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
    b"<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;'>]>" + DEFINITIONS + b"<bpmn:process id='p'>&c;" + END
)
OUTSIDE = (
    b"<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
    + DEFINITIONS
    + b"<bpmn:process id='p'>&a;"
    + END
)
GOOD = d.bpmn(d.process(d.user("u"), flows="start > u > ende"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"kein XML",
        b"%PDF-1.7",
        b"<a>",
        b"\xff\xfe\x00",
        BOMB,
        OUTSIDE,
        b"<!DOCTYPE html>" + GOOD,
        GOOD[:-20],
        GOOD + b" " * 1_000_001,
        b"<x/>",
        b'<definitions xmlns="urn:andere"/>',
        b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>',
        b"<a>" * 5_000 + b"</a>" * 5_000,
    ],
    ids=range(15),
)
def test_not_a_diagram_at_all(data: bytes) -> None:
    (problem,) = problems(data)
    assert problem.element is None


def test_too_many_elements() -> None:
    found = problems(d.bpmn(d.process(*(f'<bpmn:userTask id="u{n}"/>' for n in range(2_001)), flows="")))
    assert "zu viele Elemente" in found[0].reason


def test_nested_too_deeply() -> None:
    inner = d.user("u")
    for level in range(24):
        inside = f"s{level - 1}" if level else "u"
        inner = d.sub(f"s{level}", inner, flows=f"s{level}_start > {inside} > s{level}_ende")
    found = problems(d.bpmn(d.process(inner, flows="start > s23 > ende")))
    assert any("ineinander" in problem.reason for problem in found)


# ------------------------------------------------------------------------------------ outside of the subset


@pytest.mark.parametrize(
    "kind",
    [
        "task",
        "manualTask",
        "complexGateway",
        "transaction",
        "adHocSubProcess",
        "intermediateThrowEvent",
        "implicitThrowEvent",
        "callChoreography",
        "subChoreography",
        "choreographyTask",
        "erfundenesElement",
    ],
)
def test_elements_outside_the_subset(kind: str) -> None:
    xml = d.bpmn(d.process(d.user("u"), d.element(kind, "fremd"), flows="start > u > ende"))
    (problem,) = problems(xml)
    assert problem.element == "fremd"
    assert problem.line is not None


@pytest.mark.parametrize(
    "kind", ["signal", "escalation", "conditional", "compensate", "link", "cancel", "error"]
)
def test_events_outside_the_subset(kind: str) -> None:
    definition = f"<bpmn:{kind}EventDefinition/>"
    refused(around(d.element("intermediateCatchEvent", "x", definition)), "x", "wird hier nicht unterstützt")
    if kind != "error":
        boundary = d.element("boundaryEvent", "b", definition, attachedToRef="x")
        xml = d.bpmn(d.process(d.user("x"), boundary, flows="start > x > ende; b > ende"))
        refused(xml, "b", "wird hier nicht unterstützt")
        xml = d.bpmn(d.process(d.user("x"), d.element("endEvent", "e", definition), flows="start > x > e"))
        refused(xml, "e", "wird hier nicht unterstützt")


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (d.user("x", isForCompensation="true"), "Kompensation"),
        (d.user("x", startQuantity="2"), "Startmenge"),
        (d.user("x", "<bpmn:standardLoopCharacteristics/>"), "Schleifen"),
        (d.user("x", "<bpmn:potentialOwner/>"), "potentialOwner"),
        (d.user("x", "<bpmn:script>a = 1</bpmn:script>"), "Skript"),
        (d.user("x", camunda__class="de.x.Y"), "class"),
        (
            d.user("x", "<bpmn:extensionElements><camunda:taskListener/></bpmn:extensionElements>"),
            "taskListener",
        ),
        (d.service("x", camunda__delegateExpression="${x}"), "delegateExpression"),
        (d.service("x", camunda__type="external"), "type"),
        (
            d.service("x", inner="<bpmn:extensionElements><camunda:connector/></bpmn:extensionElements>"),
            "connector",
        ),
        (d.element("serviceTask", "x"), "Operation"),
        (d.element("receiveTask", "x"), "Nachricht"),
        (d.element("receiveTask", "x", messageRef="m_m", instantiate="true"), "Startereignis"),
        (d.element("businessRuleTask", "x", r_result="y"), "Entscheidungstabelle"),
        (d.rule("x", "unbekannt", "y"), "unbekannt"),
        (d.call("x", "nirgends"), "nirgends"),
        (d.script("x", "a = 1", scriptFormat="javascript"), "javascript"),
        (d.script("x", "a = 1", scriptFormat="python"), "python"),
        (d.script("x", ""), "nichts"),
        (d.script("x", "a = 1", d.extensions(outputs={"b": "1"})), "r:output"),
        (d.script("x", "a = 1", d.repeat("[1]")), "mehrfach"),
        (d.script("x", "result = 1"), "result"),
        (d.user("x", "<bpmn:multiInstanceLoopCharacteristics/>"), "Sammlung"),
        (
            d.user(
                "x",
                '<bpmn:multiInstanceLoopCharacteristics r:collection="[1]"><bpmn:completionCondition/>'
                "</bpmn:multiInstanceLoopCharacteristics>",
            ),
            "completionCondition",
        ),
        (d.user("x", d.repeat("[1]", "__class__")), "kein gültiger Name"),
        (d.user("x", d.extensions(outputs={"__x": "1"})), "kein gültiger Name"),
        (d.user("x", d.extensions(outputs={"result": "1"})), "kein gültiger Name"),
        (d.user("x", "<bpmn:extensionElements><r:ausgabe/></bpmn:extensionElements>"), "r:ausgabe"),
        (d.user("x", r_due="P14"), "ISO 8601"),
        (d.user("x", r_four_eyes="x"), "four-eyes"),
        (d.user("x", r_four_eyes="start"), "four-eyes"),
        (d.catch("x", timer=("Duration", "14 Tage")), "ISO 8601"),
        (d.catch("x", timer=("Date", "31.12.2026")), "ISO 8601"),
        (d.catch("x", timer=("Date", "2026-02-30")), "ISO 8601"),
        (d.catch("x", timer=("Cycle", "R/2026-01-01/P1Y")), "Startereignis"),
        (d.element("intermediateCatchEvent", "x", "<bpmn:timerEventDefinition/>"), "genau eine Angabe"),
        (d.element("intermediateCatchEvent", "x"), "ohne Auslöser"),
        (d.catch("x", message="gibtsnicht"), "Nachricht"),
        (
            d.element(
                "intermediateCatchEvent", "x", d.timer("Date", "2026-01-01") + d.timer("Date", "2026-01-01")
            ),
            "Mehrere Auslöser",
        ),
        (d.sub("x", flows="", triggeredByEvent="true"), "Ereignis-Teilprozesse"),
        (
            d.sub("x", d.user("i"), flows="x_start > i > x_ende", inner=d.extensions(outputs={"a": "1"})),
            "r:output",
        ),
    ],
)
def test_what_an_element_may_not_say(element: str, reason: str) -> None:
    found = problems(around(element))
    assert any(problem.element == "x" and reason in problem.reason for problem in found), found


def test_harmless_foreign_things_are_let_through() -> None:
    xml = d.bpmn(
        '<bpmn:collaboration id="k"><bpmn:participant id="pool" processRef="p"/>'
        '<bpmn:messageFlow id="mf" sourceRef="u" targetRef="pool"/></bpmn:collaboration>',
        '<bpmn:signal id="s" name="s"/>',
        d.process(
            d.user(
                "u",
                "<bpmn:extensionElements><camunda:formData/></bpmn:extensionElements>"
                "<bpmn:documentation>Erst lesen.</bpmn:documentation>",
                camunda__assignee="demo",
            ),
            '<bpmn:dataObjectReference id="do"/><bpmn:textAnnotation id="ta"/><bpmn:association id="as"/>',
            flows="start > u > ende",
        ),
        # A partner that is drawn but not run may hold whatever it likes.
        '<bpmn:process id="partner" isExecutable="false"><bpmn:task id="irgendwas"/></bpmn:process>',
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" id="bild"/>',
    )
    definition = compile_bpmn(xml)
    assert [element.id for element in definition.elements] == ["start", "u", "ende"]
    assert definition.elements[1].documentation == "Erst lesen."


def test_foreign_things_that_run_are_found_wherever_they_hide() -> None:
    listener = "<bpmn:extensionElements><camunda:executionListener/></bpmn:extensionElements>"
    flow = '<bpmn:sequenceFlow id="p_f1" sourceRef="u" targetRef="ende">'
    hidden = [
        GOOD.decode().replace(flow, flow + listener),
        GOOD.decode().replace(
            '<bpmn:process id="p" isExecutable="true">', f'<bpmn:process id="p">{listener}'
        ),
        around(d.catch("x", timer=("Date", "2026-01-01")))
        .decode()
        .replace("<bpmn:timeDate", "<bpmn:timeDate camunda:class='a.B'"),
    ]
    for text in hidden:
        assert any("fremde" in problem.reason for problem in problems(text.encode()))


def test_operations_are_checked_only_when_known() -> None:
    xml = around(d.service("x", "letters.issue"))
    compile_bpmn(xml)
    compile_bpmn(xml, operations=["letters.issue"])
    refused(xml, "x", "„letters.issue“ gibt es nicht", operations=["payments.request"])
    refused(around(d.send("x")), "x", "messages.send", operations=[])


# ------------------------------------------------------------------------------------------------ the graph


@pytest.mark.parametrize(
    ("flows", "elements", "element", "reason"),
    [
        ("start > a > ende", [d.user("a"), d.user("b")], "b", "nie erreicht"),
        ("start > a", [d.user("a")], "a", "Sackgasse"),
        ("start > a > ende; b > c > b", [d.user("a"), d.user("b"), d.user("c")], "b", "nie erreicht"),
        ("start > a > b > a", [d.user("a"), d.user("b")], "a", "kein Weg zu einem Endereignis"),
        ("a > ende", [d.user("a")], "p", "kein Startereignis"),
        ("start > a > start", [d.user("a")], "start", "darf kein Sequenzfluss führen"),
        ("start > ende > a > ende", [d.user("a")], "ende", "Aus einem Endereignis"),
        (
            "start > g >{True} a > ende; g >{False} ende",
            [d.exclusive("g"), d.user("a")],
            "g",
            "Standardfluss",
        ),
        ("start > g >* a > ende; g > ende", [d.exclusive("g"), d.user("a")], "g", "fehlt die Bedingung"),
        ("start > g >* a > ende; g > ende", [d.inclusive("g"), d.user("a")], "g", "fehlt die Bedingung"),
        ("start > a >{True} ende", [d.user("a")], "p_f1", "nur hinter exklusiven"),
        (
            "start > g >{True} a > ende; g > ende",
            [d.parallel("g"), d.user("a")],
            "p_f1",
            "nur hinter exklusiven",
        ),
        ("start > a >* ende", [d.user("a")], "a", "nur an exklusiven"),
        (
            "start > g > a > ende; g > ende",
            [d.event_based("g"), d.user("a")],
            "a",
            "auf ein Ereignis gewartet",
        ),
        (
            "start > g > t > ende",
            [d.event_based("g"), d.catch("t", timer=("Duration", "P1D"))],
            "g",
            "zwei Wege",
        ),
        (
            "start > a > ende; t > ende",
            [d.user("a"), d.boundary("t", "weg", timer=("Duration", "P1D"))],
            "t",
            "hängt an",
        ),
        (
            "start > a > ende; t > ende",
            [d.script("a", "x = 1"), d.boundary("t", "a", timer=("Duration", "P1D"))],
            "a",
            "sofort",
        ),
        (
            "start > a > ende; t > ende",
            [d.user("a"), d.boundary("t", "a", error="", interrupting=False)],
            "t",
            "unterbricht immer",
        ),
        (
            "start > a > ende; t > ende; u > ende",
            [d.user("a"), d.boundary("t", "a", error=""), d.boundary("u", "a", error="")],
            "a",
            "denselben Fehler",
        ),
        (
            "start > s > ende",
            [d.sub("s", d.user("i"), flows="i > s_ende")],
            "s",
            "genau ein einfaches Startereignis",
        ),
        (
            "start > s > ende; s > i",
            [d.sub("s", d.user("i"), flows="s_start > i > s_ende")],
            "p_f2",
            "anderen Prozess",
        ),
        ("start > a > ende; a > nirgends", [d.user("a")], "p_f2", "gibt es nicht"),
        ("start > a > ende", [d.user("a"), d.user("a")], "a", "doppelt"),
        ("start > a > ende", [d.user("a"), '<bpmn:userTask name="ohne"/>'], "p", "Kennung"),
        ("start > g > ende", [d.exclusive("g", default="weg")], "g", "Standardfluss „weg“"),
        ("start > a > ende; zwei > a", [d.start("zwei"), d.user("a")], "p", "mehr als ein einfaches"),
    ],
)
def test_graph(flows: str, elements: list[str], element: str, reason: str) -> None:
    found = problems(d.bpmn(d.process(*elements, flows=flows)))
    assert any(problem.element == element and reason in problem.reason for problem in found), found


@pytest.mark.parametrize(
    ("split", "join", "is_fine"),
    [
        ("exclusive", "parallel", False),
        ("inclusive", "parallel", False),
        ("event", "parallel", False),
        ("parallel", "parallel", True),
        ("exclusive", "inclusive", True),
        ("inclusive", "inclusive", True),
        ("parallel", "inclusive", True),
        ("event", "inclusive", True),
        ("parallel", "exclusive", True),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_join_that_could_wait_for_ever(split: str, join: str, is_fine: bool, nested: bool) -> None:
    gateways = {
        "exclusive": d.exclusive,
        "inclusive": d.inclusive,
        "parallel": d.parallel,
        "event": d.event_based,
    }
    marks = ("{x > 1}", "*") if split in ("exclusive", "inclusive") else ("", "")
    first, last = ("s_start", "s_ende") if nested else ("start", "ende")
    content = [
        gateways[split]("auf"),
        gateways[join]("zu"),
        d.catch("a", timer=("Duration", "P1D")),
        d.catch("b", timer=("Duration", "P2D")),
    ]
    flows = f"{first} > auf >{marks[0]} a > zu > {last}; auf >{marks[1]} b > zu"
    if nested:
        process = d.process(d.sub("s", *content, flows=flows), flows="start > s > ende")
    else:
        process = d.process(*content, flows=flows)
    if is_fine:
        compile_bpmn(d.bpmn(process))
    else:
        refused(d.bpmn(process), "zu", "hängen")


def test_join_left_waiting_by_a_boundary_event_or_by_a_branch_that_ends() -> None:
    interrupted = d.process(
        d.parallel("auf"),
        d.user("a"),
        d.user("b"),
        d.boundary("f", "a", timer=("Duration", "P1D")),
        d.parallel("zu"),
        flows="start > auf > a > zu > ende; auf > b > zu; f > ende",
    )
    refused(d.bpmn(interrupted), "zu", "hängen")
    compile_bpmn(d.bpmn(interrupted.replace('cancelActivity="true"', 'cancelActivity="false"')))
    # Terminating takes the waiting branch along.
    compile_bpmn(
        d.bpmn(
            interrupted.replace("<!--flows", "<!--").replace(
                "</bpmn:endEvent>", "<bpmn:terminateEventDefinition/></bpmn:endEvent>"
            )
        )
    )


@pytest.mark.parametrize(
    ("flows", "elements"),
    [
        (
            "start > a > s > b >{False} ende; b >* a",
            [d.exclusive("a"), d.script("s", "n = 1"), d.exclusive("b")],
        ),
        ("start > a > a2 > ende; a2 > a", [d.exclusive("a"), d.parallel("a2")]),
        (
            "start > a > s > b >{False} ende; b >* a",
            [
                d.exclusive("a"),
                d.sub("s", d.script("i", "n = 1"), flows="s_start > i > s_ende"),
                d.exclusive("b"),
            ],
        ),
        (
            "start > a > s > b >{False} ende; b >* a",
            [
                d.exclusive("a"),
                d.sub(
                    "s", d.exclusive("w"), d.user("u"), flows="s_start > w >{True} u > s_ende; w >* s_ende"
                ),
                d.exclusive("b"),
            ],
        ),
    ],
)
def test_endless_loop_of_automatic_steps(flows: str, elements: list[str]) -> None:
    found = problems(d.bpmn(d.process(*elements, flows=flows)))
    assert ["Endlosschleife" in problem.reason for problem in found] == [True]
    assert found[0].element in ("a", "b", "s")


def test_loop_through_something_that_waits_is_fine() -> None:
    inner = d.sub("s", d.user("u"), flows="s_start > u > s_ende")
    compile_bpmn(
        d.bpmn(
            d.process(
                d.exclusive("a"), inner, d.exclusive("b"), flows="start > a > s > b >{False} ende; b >* a"
            )
        )
    )


def test_processes_may_not_call_themselves_in_a_circle() -> None:
    one = d.process(d.call("c1", "q"), flows="start > c1 > ende")
    two = d.process(d.start("q1"), d.call("c2", "p"), d.end("q2"), flows="q1 > c2 > q2", id="q")
    found = problems(d.bpmn(one, two))
    assert {problem.element for problem in found if "ruft sich selbst auf" in problem.reason} == {"c1", "c2"}


# ------------------------------------------------------------------------------------- dangerous expressions

ESCAPES = [
    "().__class__.__bases__[0].__subclasses__()",
    "[c for c in ().__class__.__base__.__subclasses__()]",
    "__import__('os').system('id')",
    "open('/etc/passwd').read()",
    "eval('1')",
    "exec('x=1')",
    "(lambda: 1)()",
    "'{0.__class__}'.format(1)",
    "f'{antrag}'",
    "'%s' % antrag",
    "antrag.__class__.__mro__",
    "9 ** 9 ** 9",
    "getattr(antrag, 'x')",
    "globals()",
    "(x := 1)",
    "[*antrag]",
    "await x",
    "${execution.getVariable('x')}",
    "abs(" * 100 + "1" + ")" * 100,
    "1" + " + 1" * 2_000,
    "",
]


@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_dangerous_expressions_are_refused_wherever_they_stand(text: str) -> None:
    places = {
        "f": d.process(d.exclusive("x"), d.user("u"), flows="start > x > ende; x >* u > ende").replace(
            'sourceRef="x" targetRef="ende">',
            'sourceRef="x" targetRef="ende"><bpmn:conditionExpression>'
            + text.replace("<", "&lt;")
            + "</bpmn:conditionExpression>",
        ),
        "script": d.process(d.script("x", f"y = {text}"), flows="start > x > ende"),
        "output": d.process(d.user("x", d.extensions(outputs={"y": text})), flows="start > x > ende"),
        "argument": d.process(d.user("x", d.extensions({"y": text})), flows="start > x > ende"),
        "collection": d.process(d.user("x", d.repeat(text)), flows="start > x > ende"),
        "timer": d.process(d.catch("x", timer=("Duration", text)), flows="start > x > ende"),
        "due": d.process(d.user("x", r_due=text), flows="start > x > ende"),
    }
    for place, process in places.items():
        found = problems(d.bpmn(process))
        assert any(problem.element in ("x", "p_f1") for problem in found), (place, found)


def test_text_that_got_past_the_check_is_not_run_by_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine knows compiled expressions only: a text in their place is refused, never interpreted."""
    definition = compile_bpmn(
        d.bpmn(d.process(d.exclusive("x"), d.user("u"), flows="start > x >{1 > 2} ende; x >* u > ende"))
    )
    flow = definition.nodes["x"].outgoing[0]
    monkeypatch.setattr(flow, "condition", "__import__('os').abort()")
    with pytest.raises(AttributeError):
        Play(definition)
    # The same for a compiled expression whose text was swapped afterwards: the text is not what runs.
    good = compile_bpmn(d.bpmn(d.process(d.script("s", "y = 1"), flows="start > s > ende")))
    script = good.nodes["s"].script
    assert script is not None
    monkeypatch.setattr(
        good.nodes["s"], "script", dataclasses.replace(script, text="y = open('/etc/passwd')")
    )
    assert Play(good).variables == {"y": Decimal(1)}


@pytest.mark.parametrize(
    ("text", "antrag"),
    [
        ("antrag.a * antrag.a", {"a": Decimal(10) ** 60}),
        ("antrag.a + 1", {"a": object()}),
        ("antrag.a + antrag.a", {"a": "lang" * 20_000}),
        ("antrag.a", {"a": lambda: 1}),
        ("antrag.a[0]", {"a": 5}),
    ],
)
def test_hostile_data_stops_the_step(text: str, antrag: object) -> None:
    xml = d.bpmn(d.process(d.script("s", f"y = {text}"), flows="start > s > ende"))
    with pytest.raises(StepFailed):
        Play(xml, data={"antrag": antrag})


# ------------------------------------------------------------------------------------------- names and order


def test_names_are_checked_when_the_data_is_known() -> None:
    xml = d.bpmn(
        d.process(
            d.script("s", "x = antrag.a + zahl"),
            d.user("u", d.extensions({"y": "x + unbekannt"})),
            flows="start > s > u > ende",
        )
    )
    compile_bpmn(xml)
    refused(xml, "u", "„unbekannt“", data=["antrag"], variables=["zahl"])
    assert any(
        "„x“ gehört zu den Angaben" in problem.reason
        for problem in problems(xml, data=["antrag", "zahl", "x"])
    )


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    xml = d.bpmn(
        d.process(
            d.element("manualTask", "eins"),
            d.service("zwei", "gibts.nicht"),
            d.script("drei", "x = open(1)"),
            flows="start > zwei > drei",
        )
    )
    found = problems(xml, operations=[])
    assert [problem.element for problem in found] == ["eins", "zwei", "drei", "drei"]
    assert [problem.line for problem in found] == sorted(problem.line or 0 for problem in found)
    assert str(found[0]) == f"Zeile {found[0].line}, Element „eins“: {found[0].reason}"
