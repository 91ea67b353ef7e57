"""Starting a run, doing its items one by one, going on after trouble."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction

from rathaus.casework.bulk import events, jobs
from rathaus.casework.bulk.enums import ItemState
from rathaus.casework.bulk.kinds import kind_of
from rathaus.casework.bulk.models import BulkItem, BulkRun
from rathaus.casework.bulk.queries import progress_of
from rathaus.casework.cases.actions.tasks import TaskTaken
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.queries import actor_of

logger = logging.getLogger(__name__)

CHUNK = 20  # items a job: some seconds of work, so that a dead worker is noticed early and others can help
LONGEST_REASON = 1_000
BROKEN = (
    "Unerwarteter Fehler. Bearbeiten Sie diesen Vorgang einzeln, oder setzen Sie die Sammelbearbeitung fort."
)


class ItemsBroken(Exception):
    """Some items of a chunk broke in a way that nobody foresaw; they still wait, and the job is tried again."""


@dataclass(frozen=True)
class Entry:
    """What is to be done: the target of the kind, the case to look at, whom it concerns, how many euros."""

    target: UUID
    reference: str
    label: str
    amount: Decimal | None = None


def start(
    *,
    by: Actor,
    key: UUID,
    kind: str,
    title: str,
    entries: Sequence[Entry],
    options: Mapping[str, Any] | None = None,
    back_url: str = "",
) -> BulkRun:
    """Ask for a run; its items are worked off by jobs, in the name of who asks. `key` becomes its id: sent a second
    time, the first run is the answer. Raises Refused where there is nothing to do."""
    if by.account is None:
        raise NotAllowed("Eine Sammelbearbeitung beginnt eine Person.")
    kind_of(kind)
    authority = by.staff_of
    with by.acting():
        earlier = BulkRun.objects.filter(id=key, requested_by_id=by.account).first()
        if earlier is not None:
            return earlier
        if not entries:
            raise Refused("Es ist nichts ausgewählt, das zu erledigen wäre.")
        amounts = [entry.amount for entry in entries if entry.amount is not None]
        try:
            with transaction.atomic():
                run = BulkRun.objects.create(
                    id=key,
                    authority_id=authority,
                    kind=kind,
                    title=title[:200],
                    options=dict(options or {}),
                    total=len(entries),
                    amount=sum(amounts, Decimal("0.00")) if amounts else None,
                    back_url=back_url[:300],
                    requested_by_id=by.account,
                    requested_function=by.function,
                )
        except IntegrityError as wrong:  # the other click was just faster
            found = BulkRun.objects.filter(id=key, requested_by_id=by.account).first()
            if found is None:
                raise Refused("Beginnen Sie noch einmal von vorn.") from wrong
            return found
        BulkItem.objects.bulk_create(
            BulkItem(
                authority_id=authority,
                run=run,
                number=number,
                target=entry.target,
                reference=entry.reference,
                label=entry.label[:200],
                amount=entry.amount,
            )
            for number, entry in enumerate(entries, 1)
        )
        _defer(run, range(1, run.total + 1))
        record(events.STARTED, by=by, authority=authority, title=run.title, total=run.total)
        return run


def resume(*, by: Actor, run: UUID) -> int:
    """Put jobs back for what still waits and for what broke unforeseen; answers how many items. Items that a job is
    busy with are safe: each is done once, whoever comes first."""
    with by.acting():
        found = BulkRun.objects.select_for_update().get(id=run, authority_id=by.staff_of)
        found.items.filter(state=ItemState.FAILED, reason=BROKEN).update(
            state=ItemState.WAITING, reason="", settled_at=None
        )
        numbers = list(
            found.items.filter(state=ItemState.WAITING).order_by("number").values_list("number", flat=True)
        )
        if not numbers:
            raise Refused("Hier wartet nichts mehr.")
        if found.finished_at:
            found.finished_at = None
            found.save(update_fields=["finished_at"])
        _defer(found, numbers)
        record(events.RESUMED, by=by, authority=found.authority_id, title=found.title)
        return len(numbers)


def _defer(run: BulkRun, numbers: Sequence[int]) -> None:
    for start_at in range(0, len(numbers), CHUNK):
        chunk = numbers[start_at : start_at + CHUNK]
        jobs.work.defer(authority=str(run.authority_id), run=str(run.id), first=chunk[0], last=chunk[-1])


def work(*, by: Actor, run: UUID, first: int, last: int, is_last_try: bool) -> None:
    """Do the waiting items of a chunk, each in a transaction of its own. Raises ItemsBroken if some broke, so that the
    job comes back for them; at the last try they are marked instead."""
    with by.acting():
        found = BulkRun.objects.get(id=run)
        waiting = list(
            found.items.filter(state=ItemState.WAITING, number__gte=first, number__lte=last)
            .order_by("number")
            .values_list("id", flat=True)
        )
    broken = [item for item in waiting if not _survives(by, found, item)]
    if broken and not is_last_try:
        raise ItemsBroken(f"{len(broken)} of {len(waiting)} items of {run}")
    for item in broken:
        with by.acting():
            BulkItem.objects.filter(id=item, state=ItemState.WAITING).update(
                state=ItemState.FAILED, reason=BROKEN, settled_at=clock.now()
            )
    _finish(by, found)


def _survives(by: Actor, run: BulkRun, item: UUID) -> bool:
    try:
        _do(by, run, item)
    except Exception:
        logger.exception("bulk run %s, item %s", run.id, item)
        return False
    return True


def _do(by: Actor, run: BulkRun, item: UUID) -> None:
    """One item: act and mark, together or not at all. Somebody else's lock means that it is being done already."""
    person = actor_of(run.requested_by_id, authority=run.authority_id)
    with by.acting():
        found = (
            BulkItem.objects.select_for_update(skip_locked=True)
            .filter(id=item, state=ItemState.WAITING)
            .first()
        )
        if found is None:
            return
        found.reason = _reason_against(person, run, found.target)
        found.state = ItemState.FAILED if found.reason else ItemState.DONE
        found.settled_at = clock.now()
        found.save(update_fields=["state", "reason", "settled_at"])


def _reason_against(person: Actor, run: BulkRun, target: UUID) -> str:
    """Act as the person; empty if it went well. What was refused left nothing behind."""
    if person.authority != run.authority_id:
        return "Wer das begonnen hat, arbeitet nicht mehr für diese Behörde."
    try:
        with person.acting():
            kind_of(run.kind).perform(by=person, target=target, options=run.options)
    except (Refused, NotAllowed, TaskTaken) as wrong:
        return str(wrong)[:LONGEST_REASON] or "Abgelehnt ohne Angabe eines Grundes."
    except ObjectDoesNotExist:
        return "Das gibt es nicht mehr."
    return ""


def _finish(by: Actor, run: BulkRun) -> None:
    """The last chunk says that it is over, once."""
    with by.acting():
        locked = BulkRun.objects.select_for_update().get(id=run.id)
        progress = progress_of(locked)
        if locked.finished_at or progress.waiting:
            return
        locked.finished_at = clock.now()
        locked.save(update_fields=["finished_at"])
        record(
            events.FINISHED,
            by=by,
            authority=locked.authority_id,
            title=locked.title,
            done=progress.done,
            failed=progress.failed,
        )
