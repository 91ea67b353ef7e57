"""Reading the history and proving it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rathaus.core.audit.actions import block_hash, event_hash, first_block_hash, root_of
from rathaus.core.audit.kinds import sentence_of
from rathaus.core.audit.models import Block, Event
from rathaus.core.authorities.models import Authority
from rathaus.core.tenancy import acting


@dataclass(frozen=True)
class Entry:
    """One line of a history for people."""

    sentence: str
    function: str
    event: Event


def history(case: UUID) -> list[Entry]:
    """A case's events in words, newest first."""
    events = Event.objects.filter(case_id=case).order_by("-id")
    return [Entry(sentence_of(event.name, event.data), event.function, event) for event in events]


def authorities_with_history() -> list[UUID]:
    """Authorities that have events or seals, in order of their names. Asks each for itself: no context sees all."""
    found = []
    for authority in Authority.objects.order_by("sort_key", "id").values_list("id", flat=True):
        with acting(authority=authority):
            if Event.objects.exists() or Block.objects.exists():
                found.append(authority)
    return found


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `head` is the newest hash: kept elsewhere, it also proves that no block was cut off."""

    blocks: int
    events: int
    unsealed: int
    head: str
    faults: tuple[str, ...]


def verify(authority: UUID, *, known_head: str = "") -> Verification:
    """Recompute every seal of an authority. Finds changed, missing and added events and broken chains.

    `known_head` is a head of an earlier verification, kept outside the database: only against it does a chain show
    that its end was cut off, because the rest of it is whole.
    """
    faults: list[str] = []
    is_head_known = not known_head
    with acting(authority=authority):
        previous, horizon, sealed, blocks = "", 0, 0, 0
        for block in Block.objects.filter(authority_id=authority).order_by("number").iterator():
            blocks += 1
            found = {event.id: event for event in Event.objects.filter(id__in=block.event_ids)}
            missing = [key for key in block.event_ids if key not in found]
            faults += [f"Block {block.number}: Ereignis {key} fehlt." for key in missing]
            if block.number != blocks or block.previous_hash != previous:
                faults.append(f"Block {block.number}: Die Kette ist unterbrochen.")
            events = [found[key] for key in block.event_ids if key in found]
            if not missing and not _is_whole(block, events):
                faults.append(f"Block {block.number}: Ein Ereignis oder das Siegel wurde geändert.")
            known = set(block.event_ids)
            between = Event.objects.filter(
                authority_id=authority, transaction__gte=horizon, transaction__lt=block.horizon
            ).values_list("id", flat=True)
            faults += [
                f"Block {block.number}: Ereignis {key} kam nachträglich hinzu."
                for key in between
                if key not in known
            ]
            is_head_known = is_head_known or block.hash == known_head
            previous, horizon, sealed = block.hash, block.horizon, sealed + len(events)
        unsealed = Event.objects.filter(authority_id=authority, transaction__gte=horizon).count()
    if not is_head_known:
        faults.append(
            f"Der Kopf {known_head[:16]}… kommt nicht vor: Das Ende der Kette wurde abgeschnitten oder ersetzt."
        )
    return Verification(blocks, sealed, unsealed, previous, tuple(faults))


def _is_whole(block: Block, events: list[Event]) -> bool:
    if not block.root:
        return first_block_hash(block.previous_hash, block.horizon, events) == block.hash
    root = root_of(map(event_hash, events))
    return root == block.root and block_hash(block.previous_hash, block.horizon, root) == block.hash
