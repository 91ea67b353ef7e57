"""Payment runs for these tests: invented names, accounts at a bank code that no bank has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from rathaus.integrations.bank.credit_transfer import Account, Transfer, TransferFile

CREATED_AT = datetime(2021, 5, 25, 8, 30, 15, tzinfo=UTC)
EXECUTE_ON = date(2021, 5, 27)


def iban(number: int, country: str = "DE", bank: str = "99999999") -> str:
    """The account with that number, its check digits by the rule of ISO 7064, written here once more."""
    rest = f"{bank}{number:010}"
    letters = "".join(str(ord(letter) - 55) for letter in country)
    return f"{country}{98 - int(f'{rest}{letters}00') % 97:02}{rest}"


def transfer(number: int = 1, **changes: Any) -> Transfer:
    made = Transfer(
        end_to_end=f"SHH-2021-{number:04}-1",
        name=f"Gemeinde Müsterhausen {number}",
        iban=iban(number),
        amount=Decimal("36117.38"),
        purpose=f"Starke Heimat Hessen, Rate 1 zu SHH-2021-{number:04}",
    )
    return replace(made, **changes)


def order(*transfers: Transfer, **changes: Any) -> TransferFile:
    made = TransferFile(
        message_id="SHH-2021-LAUF-7",
        created_at=CREATED_AT,
        execute_on=EXECUTE_ON,
        debtor=Account("Hessisches Ministerium für Beispiele", iban(7_000_000)),
        transfers=transfers or (transfer(),),
    )
    return replace(made, **changes)


def big_order(count: int = 443) -> TransferFile:
    """As many transfers as Hessen had municipalities and counties, of amounts that differ."""
    return order(*(transfer(n, amount=Decimal(20_000_00 + n * 37) / 100) for n in range(1, count + 1)))
