"""Reading our own CSV, by which a cash system without XML (or a person) reports what became of transfers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from rathaus.engine.csv_files import FileNotImported, read_records
from rathaus.engine.forms.formats import is_iso_date
from rathaus.integrations.bank.entries import (
    ENTRIES_AT_MOST,
    Entry,
    Kind,
    LineProblem,
    ReturnFile,
    ReturnFileRefused,
    Status,
    repeated,
)
from rathaus.integrations.bank.reasons import LONGEST
from rathaus.law.money import AmountError, parse_amount

BYTES_AT_MOST = 5_000_000
REQUIRED = ("end_to_end", "datum", "betrag", "status")
OPTIONAL = ("grund",)
STATUS_WORDS = {
    "bezahlt": Status.PAID,
    "zurückgegeben": Status.RETURNED,
    "zurueckgegeben": Status.RETURNED,
    "abgelehnt": Status.REJECTED,
}

_END_TO_END = re.compile(r"[!-~]{1,35}")
_GERMAN_DAY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


def read_cash_returns(content: bytes) -> ReturnFile:
    """UTF-8, semicolons, header `end_to_end;datum;betrag;status`, in any order, `grund` if there is one.

    Raises ReturnFileRefused with every wrong line.
    """
    records = _records(content)
    _, header = next(records, (1, []))
    columns = [name.strip().lower() for name in header]
    _check_header(columns)
    problems: list[LineProblem] = []
    entries: list[Entry] = []
    for line, values in records:
        if len(values) != len(columns):
            reason = f"Die Zeile hat {len(values)} Spalten statt {len(columns)} wie die Kopfzeile."
            problems.append(LineProblem(line, reason))
            continue
        row = dict(zip(columns, (value.strip() for value in values), strict=True))
        faults = list(_faults(row))
        problems += [LineProblem(line, fault) for fault in faults]
        if not faults:
            entries.append(_entry(row, line))
        if len(entries) + len(problems) > ENTRIES_AT_MOST:
            raise ReturnFileRefused([LineProblem(line, f"Mehr als {ENTRIES_AT_MOST} Zeilen.")])
    problems = sorted([*problems, *repeated(entries)], key=lambda problem: problem.line or 0)
    if not entries and not problems:
        problems = [LineProblem(1, "Die Datei enthält keine Rückmeldung.")]
    if problems:
        raise ReturnFileRefused(problems)
    return ReturnFile(id=f"{Kind.CSV}/{_fingerprint(entries)}", kind=Kind.CSV, entries=tuple(entries))


def _records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each record that says anything, with the line on which it begins."""
    if len(content) > BYTES_AT_MOST:
        reason = f"Die Datei ist größer als {BYTES_AT_MOST // 1_000_000} MB."
        raise ReturnFileRefused([LineProblem(None, reason)])
    try:
        for line, values in read_records(content):
            if any(value.strip() for value in values):
                yield line, values
    except FileNotImported as wrong:
        raise ReturnFileRefused(
            [LineProblem(found.line, found.reason) for found in wrong.problems]
        ) from wrong


def _check_header(columns: list[str]) -> None:
    faults = [f"Die Spalte „{name}“ fehlt." for name in REQUIRED if name not in columns]
    faults += [
        f"Die Spalte „{name[:30]}“ kennen wir nicht." for name in columns if name not in REQUIRED + OPTIONAL
    ]
    if len(set(columns)) != len(columns):
        faults.append("Eine Spalte kommt zweimal vor.")
    if faults:
        raise ReturnFileRefused([LineProblem(1, fault) for fault in faults])


def _faults(row: dict[str, str]) -> Iterator[str]:
    if not _END_TO_END.fullmatch(row["end_to_end"]):
        yield "Die Kennung der Überweisung (end_to_end) fehlt oder ist keine."
    if _day(row["datum"]) is None:
        yield f"„{row['datum'][:30]}“ ist kein Datum. Schreiben Sie zum Beispiel 25.05.2021."
    try:
        if not parse_amount(row["betrag"]):
            yield "Der Betrag ist null."
    except AmountError as wrong:
        yield wrong.reason
    if row["status"].lower() not in STATUS_WORDS:
        yield f"Der Status „{row['status'][:30]}“ ist weder bezahlt noch zurückgegeben noch abgelehnt."


def _entry(row: dict[str, str], line: int) -> Entry:
    """Of a row without faults."""
    day = _day(row["datum"])
    if day is None:
        raise ValueError(row["datum"])
    return Entry(
        end_to_end=row["end_to_end"],
        amount=parse_amount(row["betrag"]),
        booked_on=day,
        status=STATUS_WORDS[row["status"].lower()],
        reason=" ".join(row.get("grund", "").split())[:LONGEST],
        line=line,
    )


def _day(text: str) -> date | None:
    if german := _GERMAN_DAY.fullmatch(text):
        text = f"{german[3]}-{german[2]:0>2}-{german[1]:0>2}"
    return date.fromisoformat(text) if is_iso_date(text) else None


def _fingerprint(entries: list[Entry]) -> str:
    """Of what the file says, so that the same answers saved anew, in another order, are known again."""

    def said(entry: Entry) -> tuple[str, ...]:
        amount: Decimal | str = "" if entry.amount is None else entry.amount
        return entry.end_to_end, str(amount), entry.booked_on.isoformat(), entry.status, entry.reason

    lines = sorted("\x1f".join(said(entry)) for entry in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
