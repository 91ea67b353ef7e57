"""The register of municipalities as a form needs it: names to choose from, what was typed, names of keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from rathaus.core import clock
from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import by_ags, municipalities, search
from rathaus.engine.forms.model import Field, Kind, Page, Table
from rathaus.engine.forms.reading import fields_of
from rathaus.law.names import sort_key

_MOST_TYPED = 80
_KINDS = (Kind.AUTHORITY, Kind.AUTHORITIES)


class Register:
    """The municipalities that exist today, read in one statement."""

    def __init__(self) -> None:
        rows = municipalities(clock.today(), land=settings.LAND).values_list("ags", "label", "name")
        self.labels: dict[str, str] = {ags: label for ags, label, _ in rows if ags}
        self._by_name: dict[str, set[str]] = {}
        for ags, label, name in rows:
            for word in {sort_key(label), sort_key(name), ags}:
                self._by_name.setdefault(word, set()).add(ags)

    def find(self, text: str) -> str | None:
        """The key for a name or key as typed; None if there is no such municipality, or several."""
        found = self._by_name.get(sort_key(text), set())
        return next(iter(found)) if len(found) == 1 else None


def hits_for(text: str) -> list[Authority]:
    """Municipalities of today whose name contains `text`, the first twenty; none for an empty text."""
    text = text.strip()[:_MOST_TYPED]
    return search(text, clock.today(), land=settings.LAND) if text else []


def names_of(keys: Iterable[str]) -> dict[str, str]:
    """Names of municipalities by key, also of those that no longer exist; unknown keys are missing."""
    wanted = list(keys)
    return {ags: found.label for ags, found in by_ags(wanted).items()} if wanted else {}


def keys_in(pages: Iterable[Page], answers: Mapping[str, Any]) -> set[str]:
    """Every key of a municipality that the answers hold."""
    found: set[str] = set()
    for page in pages:
        for item in fields_of(page.elements):
            value = _at(answers, item.path)
            if isinstance(item, Table):
                for row in value if isinstance(value, list) else []:
                    found |= {
                        str(row[column.key])
                        for column in item.columns
                        if column.kind in _KINDS and row.get(column.key)
                    }
            elif item.kind in _KINDS and value:
                found |= {str(entry) for entry in (value if isinstance(value, list) else [value]) if entry}
    return found


def picked_on(page: Page) -> Field | None:
    """The list of municipalities on a page for which a search is offered."""
    return next(
        (
            item
            for item in fields_of(page.elements)
            if isinstance(item, Field) and item.kind is Kind.AUTHORITIES
        ),
        None,
    )


def asks_for_municipalities(page: Page) -> bool:
    """Whether anything on the page is chosen from the register."""
    return any(
        column.kind in _KINDS
        for item in fields_of(page.elements)
        for column in (item.columns if isinstance(item, Table) else (item,))
    )


def _at(answers: Mapping[str, Any], path: str) -> Any:
    value: Any = answers
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
