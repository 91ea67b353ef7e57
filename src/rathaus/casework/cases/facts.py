"""What domains know of a case, for processes, forms and letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.services import facts as registry
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import Package, package_of
from rathaus.core.identity.actors import Actor, NotAllowed

Provider = Callable[[Case], Mapping[str, Any] | None]


def facts(name: str, *, names: Iterable[str]) -> Callable[[Provider], Provider]:
    """Register a function that says what a domain knows of a case, by the names that packages may read.

    It is given the case, which is not stored yet while an application is filled in or named; what it knows it finds
    through `case.about`, or the case itself, and answers None where there is nothing. It runs in the context of the
    case's authority, reads only, and is called anew for each step. Amounts are Decimal euros. What costs a query may be
    worked out when its name is asked for, by a mapping of its own.
    """

    def register(function: Provider) -> Provider:
        registry.register(name, names, function)
        return function

    return register


def facts_of(case: Case, names: Iterable[str]) -> dict[str, dict[str, Any] | None]:
    """The facts of these names about a case, whole (`zuwendung`) or in part (`zuwendung.offen`); None for what the domain
    does not know of it."""
    wanted: dict[str, set[str]] = {}
    for name in names:
        root, _, inner = name.partition(".")
        wanted.setdefault(root, set()).update([inner] if inner else registry.find(root).names)
    found: dict[str, dict[str, Any] | None] = {}
    for root, inner_names in wanted.items():
        answer = registry.find(root).of(case)
        found[root] = (
            None if answer is None else {inner: answer[inner] for inner in inner_names if inner in answer}
        )
    return found


def check_fits(case: Case, package: Package) -> dict[str, dict[str, Any] | None]:
    """The facts that a package reads about a case, stored or about to be, with its `about`.

    Raises Refused where it goes on with an earlier case of which a domain knows nothing: a drawdown without a grant.
    """
    found = facts_of(case, package.facts)
    if case.about is not None and None in found.values():
        raise Refused(f"„{package.manifest.titel}“ passt nicht zu dem Vorgang {case.about.reference}.")
    return found


def facts_for_opening(offer: Offer, about: Case) -> dict[str, dict[str, Any] | None]:
    """What the form of an offer may tell and begin with, before the office opens a case about an earlier one."""
    case = Case(authority_id=offer.authority_id, offer=offer, party_id=about.party_id, about=about)
    return facts_of(case, package_of(offer.version_id).form_facts)


def facts_before(by: Actor, draft: Draft, package: Package | None = None) -> dict[str, dict[str, Any] | None]:
    """What the form of a draft may tell and begin with, for whoever may act for its party."""
    if draft.party_id not in by.parties:
        raise NotAllowed("Dieser Entwurf gehört jemand anderem.")
    wanted = (package or package_of(draft.version_id)).form_facts
    if not wanted:
        return {}
    case = Case(authority_id=draft.authority_id, offer=draft.offer, party=draft.party, about=draft.about)
    with by.on_behalf_of(draft.authority_id):
        return facts_of(case, wanted)
