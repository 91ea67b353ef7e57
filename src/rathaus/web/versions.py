"""The versions of an application in words: what each correction changed. Both audiences show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rathaus.casework.cases.models import Application
from rathaus.casework.services.packages import package_of
from rathaus.core.authorities.queries import by_ags
from rathaus.engine.forms.differences import Difference, differences


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with what it changed in the one before; the first changed nothing."""

    application: Application
    differences: tuple[Difference, ...]
    is_in_force: bool


def versions_view(versions: Sequence[Application]) -> tuple[VersionView, ...]:
    """The one in force first, as `queries.versions_of` gives them. One statement at most, for names of municipalities."""
    keys: set[str] = set()

    def collect(key: str) -> str:
        keys.add(key)
        return key

    pairs = list(pairwise(versions))
    for newer, older in pairs:
        _changes(newer, older, collect)
    names = by_ags(keys) if keys else {}
    changed = [
        _changes(newer, older, lambda key: names[key].label if key in names else key)
        for newer, older in pairs
    ]
    if not versions:
        return ()
    return tuple(
        VersionView(version, found, is_in_force=place == 0)
        for place, (version, found) in enumerate(zip(versions, [*changed, ()], strict=True))
    )


def _changes(newer: Application, older: Application, name: Callable[[str], str]) -> tuple[Difference, ...]:
    form = package_of(newer.version_id).form
    return differences(form, older.answers, newer.answers, authority_name=name)
