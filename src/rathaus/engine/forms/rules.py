"""Which elements apply: SHOW and HIDE rules, resolved in an order in which each only asks earlier ones."""

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs

from rathaus.engine.forms import patterns
from rathaus.engine.forms.model import Condition, Field, Rule, Table
from rathaus.engine.forms.places import MISSING, lookup

_KEYWORDS = frozenset(
    {
        "type",
        "const",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "pattern",
        "not",
        "contains",
    }
)


def holds(rules: Iterable[Rule], answers: Mapping[str, Any], applying: set[str] | frozenset[str]) -> bool:
    """Whether an element with these rules is shown, given which fields apply so far."""
    return all(rule.shows == _fits(rule.condition, answers, applying) for rule in rules)


def paths_of(rules: Iterable[Rule]) -> frozenset[str]:
    """The fields whose answers these rules ask."""
    return frozenset(path for rule in rules for path in _paths(rule.condition))


def in_order(items: Mapping[str, Field | Table]) -> tuple[Field | Table, ...] | None:
    """The fields so that each comes after those that its rules ask; None if they ask in a circle."""
    waiting = {path: paths_of(item.rules) for path, item in items.items()}
    ordered: list[Field | Table] = []
    while waiting:
        ready = [path for path, asked in waiting.items() if not asked & waiting.keys()]
        if not ready:
            return None
        ordered += [items[path] for path in ready]
        for path in ready:
            del waiting[path]
    return tuple(ordered)


def compile_condition(schema: object) -> jsonschema_rs.Draft202012Validator:
    """The validator of a rule's schema. Raises ValueError with the reason in German."""
    checked = _checked(schema, depth=0)
    try:
        return jsonschema_rs.Draft202012Validator(checked, pattern_options=patterns.LINEAR, offline=True)
    except ValueError as error:
        raise ValueError("Das Schema der Bedingung ist nicht gültig.") from error


def _checked(schema: object, *, depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or not schema or depth > 3:
        raise ValueError("Die Bedingung hat kein Schema, oder es ist zu tief verschachtelt.")
    checked = dict(schema)
    for keyword, value in schema.items():
        if keyword not in _KEYWORDS:
            raise ValueError(f"„{keyword}“ wird in Bedingungen nicht unterstützt.")
        if keyword == "pattern" and (reason := patterns.problem_with(value)):
            raise ValueError(reason)
        if keyword in ("not", "contains"):
            checked[keyword] = _checked(value, depth=depth + 1)
    return checked


def _fits(condition: Condition, answers: Mapping[str, Any], applying: set[str] | frozenset[str]) -> bool:
    if condition.operator == "AND":
        return all(_fits(part, answers, applying) for part in condition.parts)
    if condition.operator == "OR":
        return any(_fits(part, answers, applying) for part in condition.parts)
    value = lookup(answers, condition.path) if condition.path in applying else MISSING
    return value is not MISSING and bool(condition.fits.is_valid(value))


def _paths(condition: Condition) -> frozenset[str]:
    if condition.parts:
        return frozenset(path for part in condition.parts for path in _paths(part))
    return frozenset({condition.path})
