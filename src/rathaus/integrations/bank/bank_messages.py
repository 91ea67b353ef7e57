"""Reading a bank's XML: bookings (camt.053, camt.054) and refusals (pain.002), in any of their versions.

Elements are found by their local names, since versions and banks differ in namespaces and in little else that matters
here; where versions do differ, each way is tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

from lxml import etree

from rathaus.engine.forms.formats import is_iso_date
from rathaus.engine.xml import XmlRefused, read_xml
from rathaus.integrations.bank.entries import (
    ENTRIES_AT_MOST,
    Entry,
    Kind,
    LineProblem,
    RejectedRun,
    ReturnFile,
    ReturnFileRefused,
    Status,
    repeated,
)
from rathaus.integrations.bank.reasons import sentence
from rathaus.integrations.bank.transfers import NOT_PROVIDED
from rathaus.law.money import format_amount

BYTES_AT_MOST = 20_000_000

_GERMANY = ZoneInfo("Europe/Berlin")
_KINDS = {
    "BkToCstmrStmt": Kind.STATEMENT,
    "BkToCstmrDbtCdtNtfctn": Kind.NOTIFICATION,
    "CstmrPmtStsRpt": Kind.STATUS_REPORT,
}
_OTHERS = {
    "BkToCstmrAcctRpt": "Das sind vorläufige Umsätze (camt.052). Nehmen Sie den Kontoauszug (camt.053).",
    "CstmrCdtTrfInitn": "Das ist ein Zahlungsauftrag an die Bank (pain.001), keine Antwort von ihr.",
    "CstmrDrctDbtInitn": "Das ist ein Auftrag für Lastschriften (pain.008), keine Antwort der Bank.",
}
_UNKNOWN = "Das ist keine Rückmeldung einer Bank. Möglich sind camt.053, camt.054 und pain.002."
# Debits that others draw carry the others' ids, in the same place as ours.
_DIRECT_DEBITS = {"RDDT", "IDDT"}
_NOT_BOOKED = {"PDNG", "INFO", "FUTR"}
_AMOUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{0,5})?")


def read_bank_message(content: bytes) -> ReturnFile:
    """Raises ReturnFileRefused with every fault."""
    try:
        root = read_xml(content, limit=BYTES_AT_MOST)
    except XmlRefused as refused:
        raise ReturnFileRefused([LineProblem(refused.line, refused.reason)]) from refused
    message = next(iter(root), None)
    name = "" if message is None else _name(message)
    kind = _KINDS.get(name) if _name(root) == "Document" else None
    if kind is None or message is None:
        raise ReturnFileRefused([LineProblem(_line(root), _OTHERS.get(name, _UNKNOWN))])
    reading = _Reading(kind, message)
    if kind is Kind.STATUS_REPORT:
        reading.read_report()
    else:
        reading.read_bookings()
    return reading.result()


class _Wrong(Exception):
    """A fault of one element; the reading goes on with the next."""

    def __init__(self, element: etree._Element, reason: str) -> None:
        super().__init__(reason)
        self.element = element
        self.reason = reason


class _Reading:
    """One message, with what was found so far."""

    def __init__(self, kind: Kind, message: etree._Element) -> None:
        self.kind = kind
        self.message = message
        self.entries: list[Entry] = []
        self.runs: list[RejectedRun] = []
        self.accounts: list[str] = []
        self.problems: list[LineProblem] = []
        self.skipped = 0
        self.place = ""  # for people, since banks write a whole message into one line

    def result(self) -> ReturnFile:
        self.place = ""
        header = _child(self.message, "GrpHdr")
        message_id = _text(header, "MsgId")
        if not message_id or len(message_id) > 35:
            self._note(_Wrong(self.message, "Die Kennung der Nachricht (MsgId) fehlt oder ist zu lang."))
        if len(self.entries) > ENTRIES_AT_MOST:
            self._note(_Wrong(self.message, f"Die Datei hat mehr als {ENTRIES_AT_MOST} Buchungen."))
        self.problems += repeated(self.entries)
        if self.problems:
            raise ReturnFileRefused(sorted(self.problems, key=lambda problem: problem.line or 0))
        page = _text(header, "MsgPgntn", "PgNb")
        is_one_of_many = page and (page != "1" or _text(header, "MsgPgntn", "LastPgInd") not in {"true", "1"})
        return ReturnFile(
            id=f"{self.kind}/{message_id}" + (f"/{page}" if is_one_of_many else ""),
            kind=self.kind,
            entries=tuple(self.entries),
            rejected_runs=tuple(self.runs),
            accounts=tuple(dict.fromkeys(self.accounts)),
            skipped=self.skipped,
        )

    # --- bookings ---

    def read_bookings(self) -> None:
        for statement in _children(self.message, "Stmt" if self.kind is Kind.STATEMENT else "Ntfctn"):
            if iban := _text(statement, "Acct", "Id", "IBAN"):
                self.accounts.append(iban)
            for number, booking in enumerate(_children(statement, "Ntry"), start=1):
                self.place = f"Buchung {number}: "
                try:
                    self._read_booking(booking)
                except _Wrong as wrong:
                    self._note(wrong)

    def _read_booking(self, booking: etree._Element) -> None:
        """One sum on the account: a single transfer, or a batch with its transfers as details."""
        state = _text(booking, "Sts", "Cd") or _text(booking, "Sts")
        details = list(_details(booking))
        if state in _NOT_BOOKED or not details:
            self.skipped += max(1, len(details))
            return
        if state != "BOOK":
            raise _Wrong(booking, f"Die Buchung hat den unbekannten Stand „{state[:20]}“.")
        found = []
        for detail in details:
            status = _status(booking, detail)
            if status is None or not _end_to_end(detail):
                self.skipped += 1
            else:
                found.append((detail, status))
        if not found:
            return
        booked_on = _day(booking, "BookgDt")
        total = _amount(booking, _child(booking, "Amt"))
        self._compare(booking, details, total)
        for detail, status in found:
            stated = _amount_of(detail)
            if stated is None and len(details) > 1:
                self._note(_Wrong(detail, "Die Überweisung in der Sammelbuchung hat keinen Betrag."))
                continue
            try:
                amount = total if stated is None else _amount(detail, stated)
            except _Wrong as wrong:
                self._note(wrong)
                continue
            returned = _child(detail, "RtrInf")
            reason = "" if status is Status.PAID else _reason(returned)
            self.entries.append(Entry(_end_to_end(detail), amount, booked_on, status, reason, _line(detail)))

    def _compare(self, booking: etree._Element, details: list[etree._Element], total: Decimal) -> None:
        """The single amounts of a booking must add up to it, where all are given."""
        stated = [_amount_of(detail) for detail in details]
        if len(details) < 2 or any(amount is None for amount in stated):
            return
        direction = _text(booking, "CdtDbtInd")
        added = Decimal("0.00")
        for detail, amount in zip(details, stated, strict=True):
            same = (_text(detail, "CdtDbtInd") or direction) == direction
            try:
                added += _amount(detail, amount) * (1 if same else -1)
            except _Wrong:
                return  # that amount is reported by itself
        if added != total:
            raise _Wrong(
                booking,
                f"Gebucht sind {format_amount(total)}, die Einzelposten ergeben {format_amount(added)}.",
            )

    # --- refusals ---

    def read_report(self) -> None:
        original = _child(self.message, "OrgnlGrpInfAndSts")
        message_id = _text(original, "OrgnlMsgId")
        about = _text(original, "OrgnlMsgNmId")
        if original is None or not message_id:
            return self._note(_Wrong(self.message, "Der Bericht nennt die Datei nicht, zu der er gehört."))
        if about and not about.startswith("pain.001"):
            return self._note(_Wrong(original, "Der Bericht gehört nicht zu Überweisungen."))
        try:
            header = _child(self.message, "GrpHdr")
            reported_on = _day(self.message if header is None else header, "CreDtTm")
        except _Wrong as wrong:
            return self._note(wrong)
        batches = list(_children(self.message, "OrgnlPmtInfAndSts"))
        # A file of ours is one batch, so a refused batch is a refused file.
        for level, name in [(original, "GrpSts"), *((batch, "PmtInfSts") for batch in batches)]:
            if _text(level, name) == "RJCT" and not self.runs:
                self.runs.append(RejectedRun(message_id, reported_on, _reason(_child(level, "StsRsnInf"))))
        for parent in [self.message, original, *batches]:
            for report in _children(parent, "TxInfAndSts"):
                self.place = f"Überweisung {_text(report, 'OrgnlEndToEndId')[:35]}: "
                try:
                    self._read_refusal(report, reported_on)
                except _Wrong as wrong:
                    self._note(wrong)
        return None

    def _read_refusal(self, report: etree._Element, reported_on: date) -> None:
        if _text(report, "TxSts") != "RJCT":
            self.skipped += 1
            return
        end_to_end = _checked_id(report, _text(report, "OrgnlEndToEndId"))
        if not end_to_end:
            raise _Wrong(report, "Die Ablehnung nennt die Überweisung nicht.")
        stated = _child(report, "OrgnlTxRef", "Amt", "InstdAmt")
        amount = None if stated is None else _amount(report, stated)
        reason = _reason(_child(report, "StsRsnInf"))
        self.entries.append(Entry(end_to_end, amount, reported_on, Status.REJECTED, reason, _line(report)))

    def _note(self, wrong: _Wrong) -> None:
        self.problems.append(LineProblem(_line(wrong.element), self.place + wrong.reason))


def _details(booking: etree._Element) -> Iterator[etree._Element]:
    for group in _children(booking, "NtryDtls"):
        yield from _children(group, "TxDtls")
    yield from _children(booking, "TxDtls")  # version 1


def _status(booking: etree._Element, detail: etree._Element) -> Status | None:
    """Paid, came back, or (None) nothing that a credit transfer of ours does."""
    direction = _text(detail, "CdtDbtInd") or _text(booking, "CdtDbtInd")
    if direction not in {"DBIT", "CRDT"}:
        raise _Wrong(
            booking, "Ob die Buchung belastet oder gutschreibt (CdtDbtInd), fehlt oder ist unbekannt."
        )
    for place in (detail, booking):
        if _text(place, "BkTxCd", "Domn", "Fmly", "Cd") in _DIRECT_DEBITS:
            return None
    went_back = _child(detail, "RtrInf") is not None or _text(booking, "RvslInd") in {"true", "1"}
    if direction == "DBIT":
        # A debit that went back is a direct debit that somebody did not honour, or a credit taken back.
        return None if went_back else Status.PAID
    return Status.RETURNED if went_back else None


def _end_to_end(detail: etree._Element) -> str:
    return _checked_id(detail, _text(detail, "Refs", "EndToEndId"))


def _checked_id(element: etree._Element, text: str) -> str:
    if len(text) > 35:
        raise _Wrong(element, "Die Kennung der Überweisung (EndToEndId) hat mehr als 35 Zeichen.")
    return "" if text == NOT_PROVIDED else text


def _amount_of(detail: etree._Element) -> etree._Element | None:
    for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt"), ("AmtDtls", "InstdAmt", "Amt")):
        if (found := _child(detail, *path)) is not None:
            return found
    return None


def _amount(place: etree._Element, element: etree._Element | None) -> Decimal:
    """Euros with two places, more than zero."""
    if element is None:
        raise _Wrong(place, "Der Betrag fehlt.")
    currency, text = element.get("Ccy", ""), (element.text or "").strip()
    if currency != "EUR":
        raise _Wrong(element, f"Der Betrag ist nicht in Euro, sondern in „{currency[:3]}“.")
    amount = Decimal(text) if _AMOUNT.fullmatch(text) else Decimal(0)
    if amount <= 0 or amount != round(amount, 2):
        raise _Wrong(element, f"„{text[:30]}“ ist kein Betrag in Euro und Cent.")
    return round(amount, 2)


def _day(parent: etree._Element, name: str) -> date:
    """A date, or the German day of an instant; an instant without time zone is German time."""
    element = _child(parent, name)
    text = _text(element, "Dt") or _text(element, "DtTm") or _text(element)
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text)
            text = (moment.astimezone(_GERMANY) if moment.tzinfo else moment).date().isoformat()
    except (ValueError, OverflowError):
        text = ""
    if not is_iso_date(text):
        raise _Wrong(parent if element is None else element, f"Das Datum ({name}) fehlt oder stimmt nicht.")
    return date.fromisoformat(text)


def _reason(information: etree._Element | None) -> str:
    code = (
        _text(information, "Rsn", "Cd")
        or _text(information, "Rsn", "Prtry")
        or _text(information, "RtrRsn", "Cd")
    )
    remarks = [] if information is None else [_text(each) for each in _children(information, "AddtlInf")]
    return sentence(code, " ".join(remarks))


# --- elements by local name ---


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if _name(child) == name)


def _child(element: etree._Element | None, *path: str) -> etree._Element | None:
    for name in path:
        if element is None:
            return None
        element = next(_children(element, name), None)
    return element


def _text(element: etree._Element | None, *path: str) -> str:
    found = _child(element, *path)
    return "" if found is None else (found.text or "").strip()


def _line(element: etree._Element) -> int:
    return cast("int | None", element.sourceline) or 1
