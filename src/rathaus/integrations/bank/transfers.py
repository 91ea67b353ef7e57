"""Credit transfers on their way to the bank, and what a bank would refuse about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rathaus.law.iban import is_sepa_iban

NAME_AT_MOST = 70
PURPOSE_AT_MOST = 140
#: What a single SEPA credit transfer can carry.
AMOUNT_AT_MOST = Decimal("999999999.99")
#: What stands in a message where nobody gave an id.
NOT_PROVIDED = "NOTPROVIDED"

_CENT = Decimal("0.01")
_GERMANY = ZoneInfo("Europe/Berlin")
# 35 characters (ISO 20022). Fewer kinds of them than banks take, so that an id is the same in a CSV that a
# spreadsheet opened, and in an answer of the bank.
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9./:-]{0,33}[A-Za-z0-9])?")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
# The German banks' rules for customers (DFÜ-Abkommen, Anlage 3, 2.1): the letters of SEPA, and those of the old
# German format that each bank must take over.
_FOREIGN = re.compile(r"[^A-Za-z0-9/?:().,'+ \-ÄÖÜäöüß&*$%]")
_LIKE = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys('„“”«»"‚‘’‹›`´', "'"),
        **{"_": "-", ";": ",", "…": "...", "§": "Par.", "€": "EUR", "@": "(at)", "[": "(", "]": ")"},
        **{
            "Ł": "L",
            "ł": "l",
            "Ø": "O",
            "ø": "o",
            "Æ": "AE",
            "æ": "ae",
            "Œ": "OE",
            "œ": "oe",
            "Đ": "D",
            "đ": "d",
        },
    }
)


@dataclass(frozen=True)
class Account:
    """Whose money it is. IBAN without blanks."""

    name: str
    iban: str
    bic: str = ""


@dataclass(frozen=True)
class Transfer:
    """One payment. `end_to_end` is our id, which comes back with every answer; `amount` is in euros."""

    end_to_end: str
    name: str
    iban: str
    amount: Decimal
    purpose: str
    bic: str = ""


@dataclass(frozen=True)
class TransferFile:
    """What goes to the bank at once. Whoever gives the same file the same `message_id` is paid once: banks refuse a
    message id that they have seen."""

    message_id: str
    created_at: datetime
    execute_on: date
    debtor: Account
    transfers: tuple[Transfer, ...]

    @property
    def total(self) -> Decimal:
        return sum((transfer.amount for transfer in self.transfers), Decimal("0.00"))


class TransfersRefused(Exception):
    """The file was not written. `problems` has a German sentence for each fault, naming the transfer."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def checked(file: TransferFile) -> TransferFile:
    """The file as the bank takes it: names and purposes in its character set, everything else unchanged.

    Nothing is cut off: what is too long is refused, for a shortened name or purpose is not what was released. Raises
    TransfersRefused with all faults; ValueError for a `created_at` without time zone, TypeError for an amount that is
    no Decimal.
    """
    if file.created_at.tzinfo is None:
        raise ValueError("created_at needs a time zone")
    clean = replace(
        file,
        debtor=replace(file.debtor, name=bank_text(file.debtor.name)),
        transfers=tuple(
            replace(each, name=bank_text(each.name), purpose=bank_text(each.purpose))
            for each in file.transfers
        ),
    )
    problems = [*_of_file(clean), *_of_transfers(clean)]
    if problems:
        raise TransfersRefused(problems)
    return clean


def bank_text(text: str) -> str:
    """Text in letters that banks know, where there is a like one: é becomes e, – becomes -; Umlauts and ß stay."""
    spaced = " ".join(unicodedata.normalize("NFC", text).translate(_LIKE).split())
    return _FOREIGN.sub(lambda found: _without_marks(found.group()), spaced)


def _without_marks(letter: str) -> str:
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    # What has no like letter stays, and is refused by name.
    return bare if bare and not _FOREIGN.search(bare) else letter


def _of_file(file: TransferFile) -> Iterator[str]:
    if not _is_id(file.message_id):
        yield f"Die Kennung der Datei „{file.message_id}“ passt nicht. {_ID_RULE}"
    if file.execute_on < file.created_at.astimezone(_GERMANY).date():
        yield "Der Ausführungstag liegt vor dem Tag, an dem die Datei entsteht."
    for fault in _of_party(file.debtor.name, file.debtor.iban, file.debtor.bic):
        yield f"Auftraggeber: {fault}"
    if not file.transfers:
        yield "Die Datei enthält keine Überweisung."


def _of_transfers(file: TransferFile) -> Iterator[str]:
    seen: set[str] = set()
    for transfer in file.transfers:
        who = f"Überweisung {transfer.end_to_end or 'ohne Kennung'} an {transfer.name or 'unbekannt'}"
        for fault in _of_transfer(transfer):
            yield f"{who}: {fault}"
        if transfer.end_to_end in seen:
            yield f"{who}: Die Kennung kommt in der Datei zweimal vor."
        seen.add(transfer.end_to_end)


def _of_transfer(transfer: Transfer) -> Iterator[str]:
    if not _is_id(transfer.end_to_end):
        yield f"Die Kennung passt nicht. {_ID_RULE}"
    yield from _of_party(transfer.name, transfer.iban, transfer.bic)
    yield from _of_amount(transfer.amount)
    yield from _of_text("Verwendungszweck", transfer.purpose, PURPOSE_AT_MOST)


def _of_party(name: str, iban: str, bic: str) -> Iterator[str]:
    yield from _of_text("Name", name, NAME_AT_MOST)
    if not is_sepa_iban(iban):
        yield f"Die IBAN „{iban}“ stimmt nicht, oder ihr Land nimmt an SEPA nicht teil."
    if bic and not _BIC.fullmatch(bic):
        yield f"Die BIC „{bic}“ stimmt nicht. Sie hat 8 oder 11 Zeichen und darf fehlen."


def _of_amount(amount: Decimal) -> Iterator[str]:
    if not isinstance(amount, Decimal):
        raise TypeError("amounts are Decimal")
    if not amount.is_finite() or amount <= 0:
        yield "Der Betrag muss größer als null sein."
    elif amount > AMOUNT_AT_MOST:
        yield "Der Betrag ist größer als 999.999.999,99 Euro; so viel trägt eine SEPA-Überweisung nicht."
    elif amount != amount.quantize(_CENT):
        yield "Der Betrag hat Bruchteile eines Cents."


def _of_text(what: str, text: str, at_most: int) -> Iterator[str]:
    if not text:
        yield f"Das Feld „{what}“ ist leer."
    if len(text) > at_most:
        yield f"Das Feld „{what}“ hat {len(text)} Zeichen; die Bank nimmt höchstens {at_most}."
    if strange := sorted(set(_FOREIGN.findall(text))):
        shown = " ".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in strange)
        yield f"Im Feld „{what}“ stehen Zeichen, die die Bank nicht kennt: {shown}"


_ID_RULE = "Möglich sind 1 bis 35 Buchstaben, Ziffern, Punkte, Schräg- und Bindestriche, Doppelpunkte."


def _is_id(text: str) -> bool:
    # ISO 20022 leaves double slashes to the banks themselves.
    return bool(_ID.fullmatch(text)) and "//" not in text and text.upper() != NOT_PROVIDED
