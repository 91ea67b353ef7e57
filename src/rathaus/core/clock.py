"""What time it is. A preview may live through other years, so that a grant's whole life can be shown; nobody else can.

Everything that writes a time or compares with today asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from functools import cache

from django.conf import settings
from django.utils import timezone

SIMULATED_AT = "simulated_at"
NOT_MOVED = timedelta(0)
_moved: ContextVar[timedelta | None] = ContextVar("rathaus_clock", default=None)


def now() -> datetime:
    """The instant, in UTC."""
    return timezone.now() + _shift()


def today() -> date:
    """The legal day in Germany."""
    return timezone.localdate(now())


def simulated() -> dict[str, str]:
    """What an event of a simulated time says beside the time that the database gives it; empty in real life."""
    return {SIMULATED_AT: now().isoformat()} if _shift() else {}


@contextmanager
def living_at(moment: datetime) -> Iterator[None]:
    """Live from `moment` on; the clock goes on from there. Raises RuntimeError outside a preview."""
    if not settings.IS_PREVIEW:
        raise RuntimeError("Nur eine Vorschau darf in einer anderen Zeit leben.")
    token = _moved.set(moment - timezone.now())
    try:
        yield
    finally:
        _moved.reset(token)


def _shift() -> timedelta:
    moved = _moved.get()
    return _of_the_process() if moved is None else moved


@cache
def _of_the_process() -> timedelta:
    """How far the whole process lives away from now, as RATHAUS_LIVES_AT says; only a preview may."""
    if not settings.LIVES_AT or not settings.IS_PREVIEW:
        return NOT_MOVED
    return datetime.fromisoformat(settings.LIVES_AT) - timezone.now()
