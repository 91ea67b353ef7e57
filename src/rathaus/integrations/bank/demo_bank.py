"""The bank of the preview: takes a pain.001 as a bank would, and answers. It moves no money and remembers nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType

from lxml import etree

from rathaus.engine.xml import XmlRefused, read_xml
from rathaus.integrations.bank.credit_transfer import BYTES_AT_MOST, NAMESPACE, schema_problems
from rathaus.law.iban import is_sepa_iban

NOTIFICATION = "camt.054.001.08"
STATUS_REPORT = "pain.002.001.10"

_NOTHING: Mapping[str, str] = MappingProxyType({})


def answer(
    order: bytes,
    *,
    at: datetime,
    rejected: Mapping[str, str] = _NOTHING,
    returned: Mapping[str, str] = _NOTHING,
) -> list[bytes]:
    """What the bank sends back for a pain.001: one pain.002 if it refuses something, one camt.054 if it books something.

    `rejected` and `returned` say what goes wrong, by end-to-end id, with a code like `AC04`: the one is never booked,
    the other is booked in the batch and comes back on the same day. An order that is not valid, does not add up, names
    an id twice or an IBAN that cannot be is refused whole. The same order has the same answers. KeyError for an id
    that the order does not have, or in both.
    """
    if at.tzinfo is None:
        raise ValueError("at needs a time zone")
    if problems := schema_problems(order):
        return [_refusal(order, _message_id(order), at, "FF01", problems[0])]
    taken = _read(order)
    if code := _objection(taken):
        return [_refusal(order, taken.message_id, at, code)]
    ids = {each.end_to_end for each in taken.transfers}
    if strange := (set(rejected) | set(returned)) - ids | (set(rejected) & set(returned)):
        raise KeyError(", ".join(sorted(strange)))
    answers = []
    if rejected:
        answers.append(_partial_refusal(order, taken, at, rejected))
    if booked := [each for each in taken.transfers if each.end_to_end not in rejected]:
        answers.append(_notification(order, taken, booked, at, returned))
    return answers


@dataclass(frozen=True)
class _Transfer:
    end_to_end: str
    name: str
    iban: str
    amount: Decimal


@dataclass(frozen=True)
class _Order:
    message_id: str
    count: int
    control_sum: Decimal
    execute_on: date
    debtor_iban: str
    transfers: tuple[_Transfer, ...]


def _read(order: bytes) -> _Order:
    """A valid order, read by the standard alone: nothing is shared with what wrote it but schema and namespace."""
    root = read_xml(order, limit=BYTES_AT_MOST)

    def text(element: etree._Element, path: str) -> str:
        return element.findtext("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/"))) or ""

    header, batch = "CstmrCdtTrfInitn/GrpHdr", "CstmrCdtTrfInitn/PmtInf"
    return _Order(
        message_id=text(root, f"{header}/MsgId"),
        count=int(text(root, f"{header}/NbOfTxs")),
        control_sum=Decimal(text(root, f"{header}/CtrlSum") or "0"),
        execute_on=date.fromisoformat(text(root, f"{batch}/ReqdExctnDt/Dt")),
        debtor_iban=text(root, f"{batch}/DbtrAcct/Id/IBAN"),
        transfers=tuple(
            _Transfer(
                text(each, "PmtId/EndToEndId"),
                text(each, "Cdtr/Nm"),
                text(each, "CdtrAcct/Id/IBAN"),
                Decimal(text(each, "Amt/InstdAmt")),
            )
            for each in root.iter(f"{{{NAMESPACE}}}CdtTrfTxInf")
        ),
    )


def _objection(order: _Order) -> str:
    """The code of the first thing that a bank's computer would refuse the whole file for."""
    if order.count != len(order.transfers):
        return "AM18"
    if order.control_sum != sum(each.amount for each in order.transfers):
        return "AM10"
    if len({each.end_to_end for each in order.transfers}) != len(order.transfers):
        return "DUPL"
    if not all(is_sepa_iban(iban) for iban in [order.debtor_iban, *(each.iban for each in order.transfers)]):
        return "AC01"
    return ""


def _message_id(order: bytes) -> str:
    """Of an order that may be anything."""
    try:
        found = next(read_xml(order, limit=BYTES_AT_MOST).iter("{*}MsgId"), None)
    except XmlRefused:
        found = None
    return ((found.text if found is not None else "") or "UNREADABLE")[:35]


# --- writing ---


def _partial_refusal(order: bytes, taken: _Order, at: datetime, rejected: Mapping[str, str]) -> bytes:
    document, report = _report(order, taken.message_id, at, "PART")
    batch = _add(report, "OrgnlPmtInfAndSts")
    _add(batch, "OrgnlPmtInfId", taken.message_id)
    _add(batch, "PmtInfSts", "PART")
    for transfer in taken.transfers:
        if transfer.end_to_end in rejected:
            status = _add(batch, "TxInfAndSts")
            _add(status, "OrgnlEndToEndId", transfer.end_to_end)
            _add(status, "TxSts", "RJCT")
            _add(_add(_add(status, "StsRsnInf"), "Rsn"), "Cd", rejected[transfer.end_to_end])
            _amount(_add(_add(status, "OrgnlTxRef"), "Amt"), "InstdAmt", transfer.amount)
    return _bytes(document)


def _refusal(order: bytes, message_id: str, at: datetime, code: str, remark: str = "") -> bytes:
    document, report = _report(order, message_id, at, "RJCT")
    reason = _add(report[-1], "StsRsnInf")
    _add(_add(reason, "Rsn"), "Cd", code)
    if remark:
        _add(reason, "AddtlInf", remark[:105])
    return _bytes(document)


def _report(
    order: bytes, message_id: str, at: datetime, status: str
) -> tuple[etree._Element, etree._Element]:
    document, report = _document(STATUS_REPORT, "CstmrPmtStsRpt", order, at)
    original = _add(report, "OrgnlGrpInfAndSts")
    _add(original, "OrgnlMsgId", message_id)
    _add(original, "OrgnlMsgNmId", "pain.001.001.09")
    _add(original, "GrpSts", status)
    return document, report


def _notification(
    order: bytes, taken: _Order, booked: list[_Transfer], at: datetime, returned: Mapping[str, str]
) -> bytes:
    document, message = _document(NOTIFICATION, "BkToCstmrDbtCdtNtfctn", order, at)
    statement = _add(message, "Ntfctn")
    _add(statement, "Id", f"{_fingerprint(order)}-A")
    _add(_add(_add(statement, "Acct"), "Id"), "IBAN", taken.debtor_iban)
    # The batch is one booking of one sum, as the order asks for; its transfers are the details.
    details = _booking(statement, sum((each.amount for each in booked), Decimal(0)), "DBIT", taken, "ICDT")
    batch = _add(details, "Btch")
    _add(batch, "PmtInfId", taken.message_id)
    _add(batch, "NbOfTxs", str(len(booked)))
    for transfer in booked:
        _detail(details, transfer, "DBIT")
    for transfer in booked:
        if code := returned.get(transfer.end_to_end):
            detail = _detail(_booking(statement, transfer.amount, "CRDT", taken, "RRTN"), transfer, "CRDT")
            _add(_add(_add(detail, "RtrInf"), "Rsn"), "Cd", code)
    return _bytes(document)


def _booking(
    statement: etree._Element, amount: Decimal, direction: str, taken: _Order, code: str
) -> etree._Element:
    booking = _add(statement, "Ntry")
    _amount(booking, "Amt", amount)
    _add(booking, "CdtDbtInd", direction)
    _add(_add(booking, "Sts"), "Cd", "BOOK")
    _add(_add(booking, "BookgDt"), "Dt", taken.execute_on.isoformat())
    _add(_add(booking, "ValDt"), "Dt", taken.execute_on.isoformat())
    domain = _add(_add(booking, "BkTxCd"), "Domn")
    _add(domain, "Cd", "PMNT")
    family = _add(domain, "Fmly")
    _add(family, "Cd", "ICDT")
    _add(family, "SubFmlyCd", "ESCT" if code == "ICDT" else code)
    return _add(booking, "NtryDtls")


def _detail(details: etree._Element, transfer: _Transfer, direction: str) -> etree._Element:
    detail = _add(details, "TxDtls")
    _add(_add(detail, "Refs"), "EndToEndId", transfer.end_to_end)
    _amount(detail, "Amt", transfer.amount)
    _add(detail, "CdtDbtInd", direction)
    parties = _add(detail, "RltdPties")
    _add(_add(_add(parties, "Cdtr"), "Pty"), "Nm", transfer.name)
    _add(_add(_add(parties, "CdtrAcct"), "Id"), "IBAN", transfer.iban)
    return detail


def _document(version: str, root: str, order: bytes, at: datetime) -> tuple[etree._Element, etree._Element]:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{version}"
    document = etree.fromstring(f'<Document xmlns="{namespace}"/>')
    message = _add(document, root)
    header = _add(message, "GrpHdr")
    _add(header, "MsgId", f"{_fingerprint(order)}-{'R' if version == STATUS_REPORT else 'B'}")
    _add(header, "CreDtTm", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return document, message


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    element.text = text
    return element


def _amount(parent: etree._Element, name: str, amount: Decimal) -> None:
    _add(parent, name, f"{amount:.2f}").set("Ccy", "EUR")


def _fingerprint(order: bytes) -> str:
    return f"DEMO-{hashlib.sha256(order).hexdigest()[:24]}"


def _bytes(document: etree._Element) -> bytes:
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)
