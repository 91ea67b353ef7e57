"""The seals of a history, so that its events can be verified outside the house.

For each block in which an event of the bundle lies: the hashes of all its events, of which only those of the bundle can be
computed. From the first of them to the newest each block with what its own hash covers.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from uuid import UUID

from rathaus.casework.cases.export.bundle import Folder
from rathaus.core.audit.actions import event_hash
from rathaus.core.audit.models import Block, Event


class Seals:
    """What seals there are when the bundle begins. To be used in the context of the authority."""

    def __init__(self, authority: UUID) -> None:
        self._authority = authority
        found = list(
            Block.objects.filter(authority_id=authority).order_by("number").values_list("number", "horizon")
        )
        self._numbers = [number for number, _ in found]
        self._horizons = [horizon for _, horizon in found]
        self._used: set[int] = set()

    def block_of(self, event: Event) -> int | None:
        """The number of the block under which an event lies; None if it is not sealed yet."""
        place = bisect_right(self._horizons, event.transaction)
        if place == len(self._numbers):
            return None
        self._used.add(self._numbers[place])
        return self._numbers[place]

    def write(self, into: Folder) -> None:
        """`siegel.json`, block by block."""
        blocks = Block.objects.filter(authority_id=self._authority, number__in=self._numbers)
        blocks = blocks.filter(number__gte=min(self._used, default=0)).order_by("number")
        with into.open("siegel.json") as entry:
            entry.write(f'{{"behoerde": "{self._authority}", "bloecke": ['.encode())
            is_first = True
            for block in blocks.iterator(chunk_size=200):
                told = {
                    "nummer": block.number,
                    "vorher": block.previous_hash,
                    "horizont": block.horizon,
                    "wurzel": block.root,
                    "hash": block.hash,
                }
                if block.number in self._used:
                    found = {event.id: event for event in Event.objects.filter(id__in=block.event_ids)}
                    told["ereignisse"] = [
                        event_hash(found[key]) if key in found else "" for key in block.event_ids
                    ]
                entry.write(("\n" if is_first else ",\n").encode() + json.dumps(told).encode())
                is_first = False
            entry.write(b"\n]}\n")
