"""Two versions of a process: what changed, and which running cases may move."""

from __future__ import annotations

import pytest
from tests.engine.workflow import diagrams as d
from tests.engine.workflow.play import NOW, Play

from rathaus.engine.workflow import TaskCompleted, advance, can_migrate, compile_bpmn, diff, start

HOUR = ("Duration", "PT1H")
OLD = d.bpmn(
    d.process(
        d.user("a", r_form="eins"),
        d.user("b"),
        d.user("c"),
        d.parallel("auf"),
        d.parallel("zu"),
        flows="start > a > auf > b > zu > ende; auf > c > zu",
        lanes={"Amt": "a b c"},
    )
)


def changed(*, replace: tuple[str, str] = ("", ""), xml: bytes | None = None) -> bytes:
    text = (xml or OLD).decode()
    assert replace[0] in text
    return text.replace(*replace).encode()


def test_nothing_changed() -> None:
    assert diff(compile_bpmn(OLD), compile_bpmn(OLD)).is_empty
    described = changed(replace=('<bpmn:userTask id="a"', '<!-- neu -->\n\n<bpmn:userTask id="a"'))
    assert diff(compile_bpmn(OLD), compile_bpmn(described)).is_empty


@pytest.mark.parametrize(
    ("replace", "expected"),
    [
        (('r:form="eins"', 'r:form="zwei"'), {"a": ("form",)}),
        (('name="a"', 'name="Antrag"'), {"a": ("name",)}),
        (('name="Amt"', 'name="Leitung"'), {"a": ("role",), "b": ("role",), "c": ("role",)}),
        (('r:form="eins"', 'r:form="eins" r:due="P14D"'), {"a": ("settings",)}),
        (('r:form="eins"', 'r:form="eins" r:farbe="rot"'), {"a": ("settings",)}),
    ],
)
def test_changes_that_no_running_case_minds(
    replace: tuple[str, str], expected: dict[str, tuple[str, ...]]
) -> None:
    difference = diff(compile_bpmn(OLD), compile_bpmn(changed(replace=replace)))
    assert (difference.added, difference.removed, dict(difference.changed)) == ((), (), expected)
    assert can_migrate(difference, start(compile_bpmn(OLD), now=NOW).state) == []


def test_a_case_moves_and_goes_on_in_the_new_version() -> None:
    new = compile_bpmn(
        d.bpmn(
            d.process(
                d.user("a"),
                d.user("b"),
                d.user("neu"),
                d.user("c"),
                d.parallel("auf"),
                d.parallel("zu"),
                flows="start > a > auf > b > zu > neu; auf > c > zu; neu > ende",
            )
        )
    )
    old = compile_bpmn(OLD)
    difference = diff(old, new)
    assert difference.added == ("neu",)
    assert "ways" in difference.changed["zu"]
    state = Play(old).do("a").do("b").state
    assert can_migrate(difference, state) == []
    step = advance(new, state, TaskCompleted("3"), now=NOW)
    assert [wait.element for wait in new.waiting(step.state)] == ["neu"]


def test_reasons_against() -> None:
    old = compile_bpmn(OLD)
    at_a = start(old, now=NOW).state
    at_join = Play(old).do("a").do("b").state
    without_a = d.bpmn(d.process(d.user("b"), flows="start > b > ende"))
    (reason,) = can_migrate(diff(old, compile_bpmn(without_a)), at_a)
    assert "„a“ gibt es in der neuen Fassung nicht" in reason
    service = compile_bpmn(
        changed(
            replace=(
                '<bpmn:userTask id="a" name="a" r:form="eins">',
                '<bpmn:serviceTask id="a" name="a" r:operation="x">',
            )
        ).replace(
            b"<bpmn:incoming>p_f0</bpmn:incoming><bpmn:outgoing>p_f1</bpmn:outgoing></bpmn:userTask>",
            b"<bpmn:incoming>p_f0</bpmn:incoming><bpmn:outgoing>p_f1</bpmn:outgoing></bpmn:serviceTask>",
        )
    )
    assert any("andere Art" in reason for reason in can_migrate(diff(old, service), at_a))
    guarded = compile_bpmn(
        d.bpmn(
            d.process(
                d.user("a", r_form="eins"),
                d.boundary("f", "a", timer=HOUR),
                flows="start > a > ende; f > ende",
            )
        )
    )
    assert any("angeheftete" in reason for reason in can_migrate(diff(old, guarded), at_a))
    third = d.bpmn(
        d.process(
            d.user("a"),
            d.user("b"),
            d.user("c"),
            d.user("x"),
            d.parallel("auf"),
            d.parallel("zu"),
            flows="start > a > auf > b > zu > ende; auf > c > zu; auf > x > zu",
        )
    )
    difference = diff(old, compile_bpmn(third))
    assert can_migrate(difference, at_a) == []
    assert any("führt anders zusammen" in reason for reason in can_migrate(difference, at_join))
    done = Play(old).do("a").do("b").do("c").state
    assert can_migrate(difference, done) == ["Der Prozess ist schon beendet."]


def test_instances_that_run_may_not_be_repeated_otherwise() -> None:
    def many(text: str, **options: bool) -> bytes:
        return d.bpmn(d.process(d.user("t", d.repeat(text, "x", **options)), flows="start > t > ende"))

    old = compile_bpmn(many("[1, 2]"))
    state = start(old, now=NOW).state
    for other in (many("[1, 2, 3]"), many("[1, 2]", sequential=True)):
        assert any(
            "anders wiederholt" in reason for reason in can_migrate(diff(old, compile_bpmn(other)), state)
        )
    more = d.user("t", d.extensions(outputs={"neu": "result.x"}) + d.repeat("[1, 2]", "x"))
    new = compile_bpmn(d.bpmn(d.process(more, flows="start > t > ende")))
    play = Play(old).do("t")
    assert can_migrate(diff(old, new), play.state) == []
    step = advance(new, play.state, TaskCompleted(play.token("t"), {"x": 7}), now=NOW)
    assert new.variables(step.state) == {"neu": [None, 7]}
