"""Named reads of identity."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from rathaus.core import clock
from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import successor_of
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.claims import LOWEST
from rathaus.core.identity.models import Mandate, Party
from rathaus.core.tenancy import Context, acting, context_is


@contextmanager
def entering(
    account: UUID, *, authority: UUID | None = None, trust_level: int | None = None
) -> Iterator[Actor]:
    """A transaction as this account with all that it may do today, found and set in one statement.

    With several memberships the one of `authority` counts, else the oldest. Whoever works or acts for an authority may
    do so for those that were merged into it, too; who did so for these may no more. `trust_level` is that of this login,
    if it is known. What is yielded is the actor.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT identity_enter(%s, %s, %s), (SELECT trust_level FROM identity_account WHERE id = %s)",
            [account, authority, clock.today(), account],
        )
        found, latest = cursor.fetchone()
        known = json.loads(found) if isinstance(found, str) else found
        actor = _actor(account, known, trust_level or latest or LOWEST)
        with context_is(Context(actor.authority, account, actor.parties)):
            yield actor


def holder(party: UUID, on: date) -> Party | None:
    """Who holds a party's rights on a day: itself, or where it was merged, the party of its successor; None if nobody.

    Nobody may be an authority that ended without a successor, or whose successor never acted as a party here.
    """
    with acting(parties=[party]):
        found = Party.objects.select_related("authority__successor").filter(id=party).first()
    if found is None or found.authority is None or not found.authority.has_ended(on):
        return found
    successor = successor_of(found.authority, on)
    if successor is None:
        return None
    with acting(authority=successor.id):
        return Party.objects.select_related("authority").filter(authority=successor).first()


@dataclass(frozen=True)
class Workplace:
    """An authority for which an account may work, and as what."""

    authority: Authority
    function: str


def workplaces(account: UUID) -> list[Workplace]:
    """Where an account may work today, by name: for its authorities that exist, and for those merged into them.

    To be asked in the account's own context.
    """
    found: Iterable[Any] = Authority.objects.raw(_WORKPLACES, [clock.today(), account])
    return [Workplace(authority, authority.member_function) for authority in found]


# With several ways to one authority, the same one counts as when entering.
_WORKPLACES = """SELECT a.*, w.member_function FROM authorities_authority a JOIN (
  SELECT DISTINCT ON (h.authority_id) h.authority_id, m.function AS member_function
    FROM identity_membership m CROSS JOIN LATERAL authorities_held_by(m.authority_id, %s) h
    WHERE m.account_id = %s ORDER BY h.authority_id, (h.authority_id = m.authority_id) DESC, m.id
  ) w ON w.authority_id = a.id ORDER BY a.sort_key, a.id"""


def addresses_of(party: UUID, *, without: Callable[[Party], Collection[UUID]] | None = None) -> list[str]:
    """Where mail to a party goes: its own address, else those of the people who may act for it today.

    What is meant for an authority that was merged goes to its successor's people. `without` says, of the party that
    the mail goes to and in its context, which accounts want none.
    """
    today = clock.today()
    found = holder(party, today)
    if found is None:
        return []
    if found.email:
        return [found.email]
    with acting(parties=[found.id]):
        mandates = Mandate.objects.filter(party_id=found.id, valid_from__lte=today)
        mandates = mandates.filter(Q(valid_until=None) | Q(valid_until__gte=today))
        if without:
            mandates = mandates.exclude(account_id__in=without(found))
        return sorted(mandates.values_list("account__email", flat=True))


def actor_of(account: UUID, *, authority: UUID | None = None) -> Actor:
    """What an account may do now, for commands and tests."""
    with entering(account, authority=authority) as actor:
        return actor


def _actor(account: UUID, found: dict, trust_level: int) -> Actor:
    mandates = found["mandates"]
    return Actor(
        account=account,
        authority=UUID(found["authority"]) if found["authority"] else None,
        roles=frozenset(found["roles"]),
        parties=tuple(UUID(mandate["party"]) for mandate in mandates),
        function=found["function"] or (mandates[0]["function"] if mandates else ""),
        trust_level=trust_level,
        names={UUID(mandate["party"]): mandate["name"] for mandate in mandates},
        former=frozenset(UUID(mandate["party"]) for mandate in mandates if mandate["former"]),
        bodies=frozenset(UUID(mandate["party"]) for mandate in mandates if mandate["authority"]),
    )
