"""Pure decisions of the kernel."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from rathaus.casework.cases.enums import RemedyResult
from rathaus.casework.services.operations import Refused

LONGEST_MESSAGE = 5_000
LONGEST_PERIOD_DAYS = 366
LONGEST_REASONS = 10_000
LONGEST_NOTE = 2_000


def written(text: str, *, most: int, missing: str) -> str:
    """What somebody wrote, without space around it and without NUL, which PostgreSQL cannot keep.

    Raises Refused with the sentence `missing` for an empty text, and for one of more than `most` characters: a text is
    never cut off in silence.
    """
    found = text.replace("\x00", "").strip()
    if not found:
        raise Refused(missing)
    if len(found) > most:
        raise Refused(f"Der Text hat {len(found)} Zeichen. Kürzen Sie ihn auf höchstens {most}.")
    return found


def final_day(
    *, waived_on: date | None, remedy_until: date, remedies: Iterable[tuple[date, date | None, str]]
) -> date | None:
    """The day from which a notice can no longer be contested (Bestandskraft, VwGO §§ 70, 74); None while nobody knows.

    The day of the waiver, else the day after the last one for a remedy. A remedy of (received on, settled on, result)
    that came in time holds it up: until it is settled, and for good where it was upheld, since the notice then does not
    stand as it was. One that came too late holds up nothing.
    """
    if waived_on is not None:
        return waived_on
    days = [remedy_until + timedelta(days=1)]
    for received_on, settled_on, result in remedies:
        if received_on > remedy_until:
            continue
        if settled_on is None or result == RemedyResult.UPHELD:
            return None
        days.append(settled_on)
    return max(days)
