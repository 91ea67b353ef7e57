"""What a service task may call: functions that apps register by name, with typed parameters."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


class Refused(Exception):
    """What was asked cannot be done now. The text is a German sentence for the person who asked; nothing is stored."""


@dataclass(frozen=True)
class Operation:
    """`run(step, **arguments)`; `later` ones run as a job after the step was committed.

    `decides` marks an operation that decides without a person: a package may use it only where no discretion is
    involved (VwVfG § 35a).
    """

    name: str
    run: Callable[..., Mapping[str, Any] | None]
    later: bool
    decides: bool
    parameters: Mapping[str, Any]
    required: frozenset[str]

    def convert(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments in the declared types. Raises Refused where one does not fit."""
        missing = self.required - arguments.keys()
        unknown = arguments.keys() - self.parameters.keys()
        if missing or unknown:
            raise Refused(f"{self.name}: fehlt {sorted(missing)}, unbekannt {sorted(unknown)}.")
        return {name: _as(self.parameters[name], value, name) for name, value in arguments.items()}

    def problems(self, given: set[str]) -> list[str]:
        """What is wrong with the names of the arguments a package gives."""
        found = [f"Argument „{name}“ fehlt." for name in sorted(self.required - given)]
        return found + [
            f"Argument „{name}“ kennt {self.name} nicht." for name in sorted(given - self.parameters.keys())
        ]


_operations: dict[str, Operation] = {}


def operation(
    name: str, *, later: bool = False, decides: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as an operation. Its keyword-only parameters are what a package may pass.

    The first argument is the step (`cases.steps.Run`): the case under lock, who acts, and `record` for events.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        if name in _operations:
            raise ValueError(f"operation {name} is registered twice")
        hints = typing.get_type_hints(function)
        keywords = [
            parameter
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]
        _operations[name] = Operation(
            name=name,
            run=function,
            later=later,
            decides=decides,
            parameters={parameter.name: hints[parameter.name] for parameter in keywords},
            required=frozenset(p.name for p in keywords if p.default is p.empty),
        )
        return function

    return register


def find(name: str) -> Operation:
    """The operation of this name. Raises KeyError."""
    return _operations[name]


def names() -> frozenset[str]:
    return frozenset(_operations)


def _as(wanted: Any, value: Any, name: str) -> Any:
    if isinstance(wanted, types.UnionType):  # `X | None`
        if value is None:
            return None
        wanted = next(kind for kind in wanted.__args__ if kind is not types.NoneType)
    try:
        if isinstance(value, bool) and wanted is not bool:
            raise TypeError
        if wanted is Decimal:
            number = Decimal(value)
            if not number.is_finite():
                raise ValueError
            return number
        if wanted is int and isinstance(value, Decimal) and value == int(value):
            return int(value)
        if wanted is date and isinstance(value, str):
            return date.fromisoformat(value)
    except (ArithmeticError, TypeError, ValueError) as wrong:
        raise Refused(f"Argument „{name}“: {value!r} passt nicht.") from wrong
    if not isinstance(value, wanted):
        raise Refused(f"Argument „{name}“: {value!r} passt nicht.")
    return value
