"""Named reads of identity."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Mandate, Party
from rathaus.core.tenancy import Context, acting, context_is


@contextmanager
def entering(account: UUID, *, authority: UUID | None = None) -> Iterator[Actor]:
    """A transaction as this account with all that it may do now, found and set in one statement.

    With several memberships the one of `authority` counts, else the oldest. What is yielded is the actor.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT identity_enter(%s, %s)", [account, authority])
        found = cursor.fetchone()[0]
        actor = _actor(account, json.loads(found) if isinstance(found, str) else found)
        with context_is(Context(actor.authority, account, actor.parties)):
            yield actor


def addresses_of(party: UUID) -> list[str]:
    """Where mail to a party goes: its own address, else those of the people who may act for it today."""
    today = clock.today()
    with acting(parties=[party]):
        own = Party.objects.values_list("email", flat=True).filter(id=party).first()
        if own:
            return [own]
        mandates = Mandate.objects.filter(party_id=party, valid_from__lte=today)
        mandates = mandates.filter(Q(valid_until=None) | Q(valid_until__gte=today))
        return sorted(mandates.values_list("account__email", flat=True))


def actor_of(account: UUID, *, authority: UUID | None = None) -> Actor:
    """What an account may do now, for commands and tests."""
    with entering(account, authority=authority) as actor:
        return actor


def _actor(account: UUID, found: dict) -> Actor:
    mandates = found["mandates"]
    return Actor(
        account=account,
        authority=UUID(found["authority"]) if found["authority"] else None,
        roles=frozenset(found["roles"]),
        parties=tuple(UUID(mandate["party"]) for mandate in mandates),
        function=found["function"] or (mandates[0]["function"] if mandates else ""),
        names={UUID(mandate["party"]): mandate["name"] for mandate in mandates},
    )
