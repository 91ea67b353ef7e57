"""Recording changes and sealing them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection

from rathaus.core import clock
from rathaus.core.audit.kinds import EventKind
from rathaus.core.audit.models import Block, Event
from rathaus.core.identity.actors import Actor
from rathaus.core.tenancy import acting


def record(kind: EventKind, *, by: Actor, authority: UUID, case: UUID | None = None, **data: Any) -> Event:
    """Write one event in the current transaction. `data` must be JSON; it feeds the event's sentence."""
    event = _event(kind, by, authority, case, data)
    event.save(force_insert=True)
    return event


def record_all(
    kind: EventKind, *, by: Actor, authority: UUID, found: Iterable[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """The same for many cases in one statement, each with its data."""
    Event.objects.bulk_create([_event(kind, by, authority, case, data) for case, data in found])


def _event(kind: EventKind, by: Actor, authority: UUID, case: UUID | None, data: Mapping[str, Any]) -> Event:
    return Event(
        authority_id=authority,
        name=kind.name,
        case_id=case,
        account_id=by.account,
        function=by.function or "Antragstellung",
        data={**data, **clock.simulated()},
    )


def seal(authority: UUID) -> Block | None:
    """Seal what is committed and not yet sealed; None if there is nothing.

    Only events of transactions before the oldest one still running are taken, so writers never wait for the seal, and
    whatever turns up later below that horizon was added by hand.
    """
    with acting(authority=authority), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7240002))", [str(authority)])
        last = Block.objects.filter(authority_id=authority).order_by("-number").first()
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        horizon = cursor.fetchone()[0]
        events = list(
            Event.objects.filter(
                authority_id=authority, transaction__gte=last.horizon if last else 0, transaction__lt=horizon
            ).order_by("id")
        )
        if not events:
            return None
        previous = last.hash if last else ""
        root = root_of(map(event_hash, events))
        return Block.objects.create(
            authority_id=authority,
            number=last.number + 1 if last else 1,
            previous_hash=previous,
            root=root,
            hash=block_hash(previous, horizon, root),
            event_ids=[event.id for event in events],
            horizon=horizon,
        )


def event_hash(event: Event) -> str:
    """SHA-256 over every field of an event. Whoever has the event can compute it; it tells nothing of an event that one
    does not have, so it may leave the house."""
    return hashlib.sha256(_text_of(event).encode()).hexdigest()


def root_of(hashes: Iterable[str]) -> str:
    """SHA-256 over the hashes of a block's events, in order."""
    digest = hashlib.sha256()
    for each in hashes:
        digest.update(each.encode())
    return digest.hexdigest()


def block_hash(previous: str, horizon: int, root: str) -> str:
    """SHA-256 over the previous block's hash, the horizon and the root of the events."""
    return hashlib.sha256(f"{previous}|{horizon}|{root}".encode()).hexdigest()


def first_block_hash(previous: str, horizon: int, events: Iterable[Event]) -> str:
    """The hash of blocks that were sealed before blocks had roots."""
    digest = hashlib.sha256(f"{previous}|{horizon}".encode())
    for event in events:
        digest.update(_text_of(event).encode())
    return digest.hexdigest()


def _text_of(event: Event) -> str:
    return json.dumps(
        [
            str(event.id),
            str(event.authority_id),
            event.name,
            str(event.case_id),
            str(event.account_id),
            event.function,
            event.data,
            event.at.isoformat(),
            event.transaction,
        ],
        sort_keys=True,
        ensure_ascii=False,
    )
