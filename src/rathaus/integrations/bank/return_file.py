"""Reading what comes back from the bank or the cash system, whichever of the known files it is."""

from __future__ import annotations

from rathaus.integrations.bank.bank_messages import read_bank_message
from rathaus.integrations.bank.cash_returns import read_cash_returns
from rathaus.integrations.bank.entries import (
    Entry,
    Kind,
    LineProblem,
    RejectedRun,
    ReturnFile,
    ReturnFileRefused,
    Status,
)

__all__ = [
    "Entry",
    "Kind",
    "LineProblem",
    "RejectedRun",
    "ReturnFile",
    "ReturnFileRefused",
    "Status",
    "read_return",
]

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_return(content: bytes) -> ReturnFile:
    """All of the file (camt.053, camt.054, pain.002 or our CSV), or ReturnFileRefused with every fault and its line.

    It says what the bank said, no more: whether an id is of ours, whether the amount is the one we ordered, whether
    the account is ours, and whether the file or an entry was seen before, the caller must ask.
    """
    if not content.strip():
        raise ReturnFileRefused([LineProblem(None, "Die Datei ist leer.")])
    if content.startswith(b"PK\x03\x04"):
        raise ReturnFileRefused(
            [
                LineProblem(
                    None, "Das ist ein ZIP-Archiv. Entpacken Sie es, und laden Sie jede Datei einzeln hoch."
                )
            ]
        )
    bare = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith((b"<", *_BYTE_ORDER_MARKS)):
        return read_bank_message(content)
    return read_cash_returns(content)
