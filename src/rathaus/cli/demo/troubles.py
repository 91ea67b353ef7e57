"""What goes wrong on purpose: tried for real, and told by the program with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from rathaus.casework.cases.actions.submission import InvalidAnswers
from rathaus.casework.services.operations import Refused
from rathaus.cli.demo.people import DemoFailed
from rathaus.core.identity.actors import NotAllowed


class Troubles:
    """Counts what was tried and refused, by name, with one reason each in the program's own words."""

    def __init__(self, known: dict[str, dict[str, Any]] | None = None) -> None:
        self.counts = Counter({name: int(row["count"]) for name, row in (known or {}).items()})
        self.reasons = {name: str(row["reason"]) for name, row in (known or {}).items()}

    def expect(self, name: str, attempt: Callable[[], object]) -> None:
        """Try what must be refused. Raises DemoFailed if it is not."""
        try:
            attempt()
        except (Refused, NotAllowed, InvalidAnswers) as wrong:
            self.note(name, str(wrong))
        else:
            raise DemoFailed(f"Das hätte nicht gehen dürfen: {name}.")

    def note(self, name: str, reason: str = "") -> None:
        """Something went wrong and was put right."""
        self.counts[name] += 1
        if reason:
            self.reasons.setdefault(name, reason)

    def rows(self) -> dict[str, dict[str, Any]]:
        """By name, as they came: how often, and what the program said."""
        return {
            name: {"count": count, "reason": self.reasons.get(name, "")}
            for name, count in self.counts.items()
        }
