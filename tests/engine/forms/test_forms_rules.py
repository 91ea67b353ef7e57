from typing import Any

import pytest
from form_examples import answers, control, grant, small
from hypothesis import given
from hypothesis import strategies as st

from rathaus.engine.forms import Form

BOOL = {"type": "boolean", "title": "Ja?"}
TEXT = {"type": "string", "title": "Text"}


def rule(field: str, schema: dict[str, Any], effect: str = "SHOW") -> dict[str, Any]:
    return {"rule": {"effect": effect, "condition": {"scope": f"#/properties/{field}", "schema": schema}}}


def test_what_a_rule_hides_does_not_apply() -> None:
    form = grant()
    assert "partner" in form.applicable(answers(kooperation=True))
    assert "partner" not in form.applicable(answers(kooperation=False))
    assert "partner" not in form.applicable({})


def test_hidden_answers_are_neither_checked_nor_submitted_nor_shown() -> None:
    form = grant()
    draft = answers(kooperation=False, partner=["nonsense"])
    assert form.check(draft) == ()
    assert "partner" not in form.clean(draft)
    assert form.typed(draft)["partner"] is None
    assert all(item.path != "partner" for section in form.summary(draft) for item in section.items)


def test_a_required_field_is_demanded_only_where_it_applies() -> None:
    form = small(
        {"a": BOOL, "b": TEXT}, control("a"), control("b") | rule("a", {"const": True}), required=("b",)
    )
    assert form.check({"a": False}) == ()
    assert [error.path for error in form.check({"a": True})] == ["b"]


def test_hide_is_the_opposite_of_show() -> None:
    form = small({"a": BOOL, "b": TEXT}, control("a"), control("b") | rule("a", {"const": True}, "HIDE"))
    assert form.applicable({"a": True}) == {"a"}
    assert form.applicable({"a": False}) == {"a", "b"}
    assert form.applicable({}) == {"a", "b"}


def test_a_hidden_answer_shows_nothing_else() -> None:
    form = small(
        {"c": TEXT, "b": BOOL, "a": BOOL},
        control("c") | rule("b", {"const": True}),
        control("b") | rule("a", {"const": True}),
        control("a"),
    )
    assert form.applicable({"a": True, "b": True}) == {"a", "b", "c"}
    assert form.applicable({"a": False, "b": True}) == {"a"}


def test_groups_and_pages_hand_their_rule_down() -> None:
    group = {"type": "Group", "label": "G", "elements": [control("b"), {"type": "Label", "text": "Hallo"}]}
    form = small({"a": BOOL, "b": TEXT}, control("a"), group | rule("a", {"const": True}))
    assert form.applicable({}) == {"a"}
    page = form.pages[0]
    assert len(form.view(page, {})) == 1
    assert len(form.view(page, {"a": True})) == 2


def test_a_page_without_applying_fields_is_left_out() -> None:
    schema = {"type": "object", "properties": {"a": BOOL, "b": TEXT}}
    first = {"type": "Category", "label": "Eins", "elements": [control("a")]}
    second = {"type": "Category", "label": "Zwei", "elements": [control("b")], **rule("a", {"const": True})}
    form = Form.load(schema, {"type": "Categorization", "elements": [first, second]})
    assert [page.key for page in form.pages_for({})] == ["eins"]
    assert [page.key for page in form.pages_for({"a": True})] == ["eins", "zwei"]


@pytest.mark.parametrize(
    ("condition", "held", "not_held"),
    [
        ({"minimum": 3}, 3, 2),
        ({"enum": [1, 2]}, 2, 3),
        ({"not": {"const": 1}}, 2, 1),
        ({"type": "integer", "exclusiveMaximum": 5}, 4, 5),
    ],
)
def test_conditions_are_schemas(condition: dict[str, Any], held: int, not_held: int) -> None:
    number = {"type": "integer", "title": "Zahl"}
    form = small({"a": number, "b": TEXT}, control("a"), control("b") | rule("a", condition))
    assert "b" in form.applicable({"a": held})
    assert "b" not in form.applicable({"a": not_held})
    assert "b" not in form.applicable({})


def test_conditions_join_with_and_and_or() -> None:
    def either(operator: str) -> dict[str, Any]:
        parts = [{"scope": f"#/properties/{key}", "schema": {"const": True}} for key in "ab"]
        return {"rule": {"effect": "SHOW", "condition": {"type": operator, "conditions": parts}}}

    form = small(
        {"a": BOOL, "b": BOOL, "c": TEXT, "d": TEXT},
        control("a"),
        control("b"),
        control("c") | either("AND"),
        control("d") | either("OR"),
    )
    assert form.applicable({"a": True, "b": True}) == set("abcd")
    assert form.applicable({"a": True}) == set("abd")
    assert form.applicable({}) == set("ab")


def test_a_list_can_be_asked_for_an_entry() -> None:
    themes = {
        "type": "array",
        "title": "T",
        "uniqueItems": True,
        "items": {"type": "string", "enum": ["x", "y"]},
    }
    form = small(
        {"a": themes, "b": TEXT}, control("a"), control("b") | rule("a", {"contains": {"const": "x"}})
    )
    assert "b" in form.applicable({"a": ["y", "x"]})
    assert "b" not in form.applicable({"a": ["y"]})


@given(st.dictionaries(st.sampled_from("abc"), st.booleans() | st.none() | st.text(max_size=3)))
def test_cleaning_is_idempotent_and_changes_nothing_that_applies(draft: dict[str, Any]) -> None:
    form = small(
        {"a": BOOL, "b": BOOL, "c": TEXT},
        control("a"),
        control("b") | rule("a", {"const": True}),
        control("c") | rule("b", {"const": True}),
    )
    cleaned = form.clean(draft)
    assert form.clean(cleaned) == cleaned
    assert form.applicable(cleaned) == form.applicable(draft)
    assert {path: draft[path] for path in cleaned} == cleaned
