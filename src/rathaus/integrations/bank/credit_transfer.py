"""SEPA credit transfers as the file that a bank takes: pain.001.001.09, the version of the German banks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, cast

import sepaxml
from lxml import etree

from rathaus.engine.xml import XmlRefused, read_xml
from rathaus.integrations.bank.transfers import (
    NOT_PROVIDED,
    Account,
    Transfer,
    TransferFile,
    TransfersRefused,
    checked,
)

__all__ = ["Account", "Transfer", "TransferFile", "TransfersRefused", "schema_problems", "write_pain001"]

SCHEMA = "pain.001.001.09"
NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
#: Room for some ten thousand transfers.
BYTES_AT_MOST = 20_000_000

# sepaxml changes a table of the whole interpreter while it builds, and a schema keeps its log to itself.
_one_at_a_time = Lock()


def write_pain001(file: TransferFile) -> bytes:
    """The same bytes for the same input, valid against the XSD. Raises TransfersRefused with all faults.

    All transfers are one batch, booked as one sum, on one day; a bank moves a day on which it does not work to the
    next. The id of the batch is the message id.
    """
    file = checked(file)
    with _one_at_a_time:
        drafted = _drafted(file)
    content = _finished(drafted, file)
    if problems := schema_problems(content):
        raise TransfersRefused(problems)
    return content


def schema_problems(content: bytes) -> list[str]:
    """What the XSD (the one inside sepaxml) says against a pain.001.001.09, by line. Empty if it is valid."""
    try:
        root = read_xml(content, limit=BYTES_AT_MOST)
    except XmlRefused as refused:
        return [str(refused)]
    with _one_at_a_time:
        schema = _schema()
        if schema.validate(root):
            return []
        return [
            f"Zeile {error.line}: Das Schema {SCHEMA} lässt das nicht zu: {error.message}"
            for error in cast(Iterable[Any], schema.error_log)  # its types leave the iterating out
        ]


@cache
def _schema() -> etree.XMLSchema:
    # By lxml, not by sepaxml's own check: that one loads 29 MB more and takes ten times as long.
    return etree.XMLSchema(etree.parse(str(Path(sepaxml.__file__).parent / "schemas" / f"{SCHEMA}.xsd")))


def _drafted(file: TransferFile) -> etree._Element:
    order = sepaxml.SepaTransfer(
        _with_bic({"name": file.debtor.name, "IBAN": file.debtor.iban}, file.debtor.bic)
        | {"batch": True, "currency": "EUR"},
        schema=SCHEMA,
        clean=False,  # it would cut long texts off and turn ü into u
    )
    for transfer in file.transfers:
        order.add_payment(
            _with_bic({"name": transfer.name, "IBAN": transfer.iban}, transfer.bic)
            | {
                "amount": int(transfer.amount * 100),
                "description": transfer.purpose,
                "endtoend_id": transfer.end_to_end,
                "execution_date": file.execute_on,
            }
        )
    return etree.fromstring(order.export(validate=False))


def _with_bic(fields: dict[str, Any], bic: str) -> dict[str, Any]:
    return {**fields, "BIC": bic} if bic else fields


def _finished(root: etree._Element, file: TransferFile) -> bytes:
    """Given ids and time instead of the invented ones; and what German banks want where the debtor's BIC is not said."""
    created_at = file.created_at.astimezone(UTC)
    _put(root, "GrpHdr/MsgId", file.message_id)
    _put(root, "GrpHdr/CreDtTm", created_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    _put(root, "PmtInf/PmtInfId", file.message_id)
    if not file.debtor.bic:
        other = etree.SubElement(_at(root, "PmtInf/DbtrAgt/FinInstnId"), f"{{{NAMESPACE}}}Othr")
        etree.SubElement(other, f"{{{NAMESPACE}}}Id").text = NOT_PROVIDED
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _put(root: etree._Element, path: str, text: str) -> None:
    _at(root, path).text = text


def _at(root: etree._Element, path: str) -> etree._Element:
    steps = "/".join(f"{{{NAMESPACE}}}{name}" for name in ["CstmrCdtTrfInitn", *path.split("/")])
    found = root.find(steps)
    if found is None:
        raise LookupError(f"sepaxml wrote no {path}")
    return found
