"""The CSV for the cash system: the same as the bank gets, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from tests.integrations.bank.orders import big_order, iban, order, transfer

import rathaus.integrations.bank as bank
from rathaus.integrations.bank.cash_csv import COLUMNS, write_cash_csv
from rathaus.integrations.bank.credit_transfer import TransferFile, TransfersRefused


def rows(file: TransferFile) -> list[dict[str, str]]:
    text = write_cash_csv(file).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def test_bytes() -> None:
    assert (
        write_cash_csv(order())
        == (
            "\ufefflauf;nummer;ausfuehren_am;empfaenger;iban;bic;betrag;waehrung;verwendungszweck;end_to_end\r\n"
            f"SHH-2021-LAUF-7;1;27.05.2021;Gemeinde Müsterhausen 1;{iban(1)};;36117,38;EUR;"
            "Starke Heimat Hessen, Rate 1 zu SHH-2021-0001;SHH-2021-0001-1\r\n"
        ).encode()
    )


def test_443_transfers_add_up() -> None:
    file = big_order()
    found = rows(file)
    assert len(found) == 443
    assert sum(Decimal(row["betrag"].replace(",", ".")) for row in found) == file.total
    assert [row["nummer"] for row in found] == [str(n) for n in range(1, 444)]
    assert [row["end_to_end"] for row in found] == [each.end_to_end for each in file.transfers]


@pytest.mark.parametrize("start", ["+", "-", "=", "@", "\t=", "\r=", "＝", "–"])
def test_no_cell_is_a_formula(start: str) -> None:
    file = order(transfer(name=f"{start}1+cmd", purpose=f'{start}HYPERLINK("x")'))
    try:
        content = write_cash_csv(file)
    except TransfersRefused:
        return  # the bank does not know the letter
    for cells in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_a_marked_cell_keeps_its_text() -> None:
    [row] = rows(order(transfer(purpose="-Rate 1; letzte")))
    assert row["verwendungszweck"] == "'-Rate 1, letzte"


def test_refuses_what_the_bank_would_refuse() -> None:
    with pytest.raises(TransfersRefused, match="stimmt nicht"):
        write_cash_csv(order(transfer(iban="DE00")))


def test_each_column_is_explained() -> None:
    text = (Path(bank.__file__).parent / "README.md").read_text(encoding="utf-8")
    for column in COLUMNS:
        assert f"| `{column}` |" in text
