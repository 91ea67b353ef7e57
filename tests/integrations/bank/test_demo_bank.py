"""There and back: what we write, the preview's bank understands, and what it answers, we read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from lxml import etree
from tests.integrations.bank.orders import big_order, iban, order, transfer

from rathaus.integrations.bank.credit_transfer import TransferFile, write_pain001
from rathaus.integrations.bank.demo_bank import answer
from rathaus.integrations.bank.return_file import Kind, ReturnFile, Status, read_return

AT = datetime(2021, 5, 27, 16, 0, tzinfo=UTC)


def answers(file: TransferFile, **what: dict[str, str]) -> list[ReturnFile]:
    return [read_return(content) for content in answer(write_pain001(file), at=AT, **what)]


def test_443_transfers_there_and_back() -> None:
    file = big_order()
    [found] = answers(file)
    assert found.kind is Kind.NOTIFICATION
    assert found.accounts == (file.debtor.iban,)
    assert found.skipped == 0
    assert {(entry.end_to_end, entry.amount) for entry in found.entries} == {
        (each.end_to_end, each.amount) for each in file.transfers
    }
    assert {(entry.status, entry.booked_on) for entry in found.entries} == {(Status.PAID, file.execute_on)}


def test_what_goes_wrong() -> None:
    file = order(*(transfer(n) for n in range(1, 6)))
    ids = [each.end_to_end for each in file.transfers]
    refused, booked = answers(file, rejected={ids[0]: "AC01"}, returned={ids[3]: "AC04"})
    assert [(e.end_to_end, e.status, e.amount, e.reason) for e in refused.entries] == [
        (ids[0], Status.REJECTED, Decimal("36117.38"), "Die Kontonummer stimmt nicht (AC01).")
    ]
    assert refused.rejected_runs == ()
    assert refused.entries[0].booked_on == date(2021, 5, 27)
    assert [(e.end_to_end, e.status) for e in booked.entries] == [
        *((each, Status.PAID) for each in ids[1:]),
        (ids[3], Status.RETURNED),
    ]
    assert booked.entries[-1].reason == "Das Konto ist aufgelöst (AC04)."
    assert refused.id != booked.id


def test_everything_refused_is_nothing_booked() -> None:
    [refused] = answers(order(), rejected={"SHH-2021-0001-1": "AC06"})
    assert [entry.status for entry in refused.entries] == [Status.REJECTED]


def test_the_same_order_has_the_same_answers() -> None:
    content = write_pain001(big_order(5))
    assert answer(content, at=AT) == answer(content, at=AT)
    [one], [other] = answers(big_order(5)), answers(big_order(6))
    assert one.id != other.id


@pytest.mark.parametrize(
    ("wrong", "right", "code"),
    [
        ("<NbOfTxs>3", "<NbOfTxs>2", "AM18"),
        ("<CtrlSum>108352.14", "<CtrlSum>108352.15", "AM10"),
        (">SHH-2021-0003-1<", ">SHH-2021-0001-1<", "DUPL"),
        (iban(2), iban(2)[:-1] + "9", "AC01"),
        (iban(7_000_000), iban(7_000_000)[:-1] + "9", "AC01"),
        ("<PmtMtd>TRF", "<PmtMtd>GELD", "FF01"),
    ],
)
def test_an_order_that_a_bank_refuses(wrong: str, right: str, code: str) -> None:
    content = write_pain001(order(transfer(1), transfer(2), transfer(3))).decode()
    assert wrong in content
    [found] = [read_return(each) for each in answer(content.replace(wrong, right, 1).encode(), at=AT)]
    assert found.entries == ()
    [run] = found.rejected_runs
    assert run.message_id == "SHH-2021-LAUF-7"
    assert f"({code})" in run.reason


def test_an_order_that_cannot_be_read() -> None:
    [found] = [read_return(each) for each in answer(b"Guten Tag", at=AT)]
    assert [run.message_id for run in found.rejected_runs] == ["UNREADABLE"]


def test_only_transfers_of_the_order_can_go_wrong() -> None:
    content = write_pain001(order())
    with pytest.raises(KeyError, match="FREMD"):
        answer(content, at=AT, returned={"FREMD": "AC04"})
    with pytest.raises(KeyError):
        answer(content, at=AT, rejected={"SHH-2021-0001-1": "AC04"}, returned={"SHH-2021-0001-1": "AC04"})


def test_one_booking_for_the_batch() -> None:
    """As the order asks (batch booking), so that reading has to look into the details."""
    [content] = answer(write_pain001(big_order(10)), at=AT)
    root = etree.fromstring(content)
    assert len(root.findall(".//{*}Ntry")) == 1
    assert len(root.findall(".//{*}TxDtls")) == 10
