"""Pure decisions of the kernel."""

from __future__ import annotations

from rathaus.casework.services.operations import Refused

LONGEST_MESSAGE = 5_000
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
