"""The same transfers for a cash system that takes no XML."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from rathaus.engine.csv_files import harmless
from rathaus.integrations.bank.transfers import TransferFile, checked
from rathaus.law.text import format_day

#: The header, in this order. What each column means stands in the README of this folder.
COLUMNS = (
    "lauf",
    "nummer",
    "ausfuehren_am",
    "empfaenger",
    "iban",
    "bic",
    "betrag",
    "waehrung",
    "verwendungszweck",
    "end_to_end",
)


def write_cash_csv(file: TransferFile) -> bytes:
    """UTF-8 with byte order mark (so that a spreadsheet reads the Umlauts), semicolons, CRLF, amounts as `1234,56`.

    Takes and refuses what `write_pain001` takes and refuses; raises TransfersRefused.
    """
    file = checked(file)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for number, transfer in enumerate(file.transfers, start=1):
        row = (
            file.message_id,
            str(number),
            format_day(file.execute_on),
            transfer.name,
            transfer.iban,
            transfer.bic,
            _amount(transfer.amount),
            "EUR",
            transfer.purpose,
            transfer.end_to_end,
        )
        writer.writerow([harmless(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")
