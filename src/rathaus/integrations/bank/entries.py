"""What a bank or a cash system answers, in one form whatever the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

#: More lines or bookings than any payment run has.
ENTRIES_AT_MOST = 20_000


class Kind(StrEnum):
    STATEMENT = "camt.053"
    NOTIFICATION = "camt.054"
    STATUS_REPORT = "pain.002"
    CSV = "csv"


class Status(StrEnum):
    PAID = "paid"  # booked from the payer's account
    RETURNED = "returned"  # came back after it had been booked
    REJECTED = "rejected"  # was never carried out


@dataclass(frozen=True)
class Entry:
    """What became of one transfer. `end_to_end` is the id we gave it, or somebody else's: a statement holds other
    people's bookings too. `amount` in euros; None only where a rejection does not repeat it. `booked_on` is the day of
    the booking, of a rejection the day of the report. `line` in the file, from 1."""

    end_to_end: str
    amount: Decimal | None
    booked_on: date
    status: Status
    reason: str
    line: int


@dataclass(frozen=True)
class RejectedRun:
    """A bank's no to a whole file, which names none of its transfers: none of them was carried out."""

    message_id: str
    reported_on: date
    reason: str


@dataclass(frozen=True)
class ReturnFile:
    """`id` tells a file that was seen already: kind and message id, with the page if there are several; of a CSV the
    hash of what it says. `accounts` are the IBANs that the file speaks of; `skipped` counts bookings that say nothing
    about a transfer of ours: not booked yet, without our id, other people's debits, charges."""

    id: str
    kind: Kind
    entries: tuple[Entry, ...]
    rejected_runs: tuple[RejectedRun, ...] = ()
    accounts: tuple[str, ...] = ()
    skipped: int = 0


@dataclass(frozen=True)
class LineProblem:
    """Why a line cannot be taken; line 1 is the first of the file, None where no line is to blame."""

    line: int | None
    reason: str

    def __str__(self) -> str:
        return self.reason if self.line is None else f"Zeile {self.line}: {self.reason}"


class ReturnFileRefused(Exception):
    """Nothing of the file is taken. `problems` has every fault with its line."""

    def __init__(self, problems: list[LineProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def repeated(entries: list[Entry]) -> list[LineProblem]:
    """A transfer is paid once and comes back once. (That it was paid and came back is no contradiction.)"""
    first: dict[tuple[str, Status], int] = {}
    problems = []
    for entry in entries:
        key = (entry.end_to_end, entry.status)
        if key in first:
            reason = f"„{entry.end_to_end}“ steht mit demselben Ergebnis schon in Zeile {first[key]}."
            problems.append(LineProblem(entry.line, reason))
        first.setdefault(key, entry.line)
    return problems
