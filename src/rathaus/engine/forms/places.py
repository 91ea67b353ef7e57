"""Dotted paths into the answers, which may come from anywhere and hold anything."""

from typing import Any, Final

from rathaus.engine.forms.model import Answers


class _Missing:
    __slots__ = ()


#: What ``lookup`` returns for a place without an answer.
MISSING: Final = _Missing()


def lookup(answers: Any, path: str) -> Any:
    """The answer at ``path``, or MISSING; ``null`` counts as missing."""
    value = answers
    for key in path.split("."):
        if not isinstance(value, dict):
            return MISSING
        value = value.get(key, MISSING)
    return MISSING if value is None else value


def store(answers: Answers, path: str, value: Any) -> None:
    """Put an answer at ``path``; MISSING takes it away."""
    *outer, last = path.split(".")
    for key in outer:
        inner = answers.get(key)
        if not isinstance(inner, dict):
            if value is MISSING:
                return
            inner = answers[key] = {}
        answers = inner
    if value is MISSING:
        answers.pop(last, None)
    else:
        answers[last] = value


def is_empty_row(row: Any) -> bool:
    """Whether a table's row (or a list's entry) holds nothing; an unticked box is nothing, the number 0 is something."""
    if isinstance(row, dict):
        return all(value is None or value is False or value in ("", []) for value in row.values())
    return row in (None, "")


def copy_of(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return {key: copy_of(inner) for key, inner in value.items()}
    return [copy_of(inner) for inner in value] if isinstance(value, list) else value
