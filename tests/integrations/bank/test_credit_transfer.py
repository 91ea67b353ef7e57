"""Writing pain.001: valid, exact, the same each time, and nothing that a bank would refuse or misread."""

from __future__ import annotations

import string
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sepaxml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.integrations.bank.orders import big_order, iban, order, transfer

from rathaus.integrations.bank.credit_transfer import (
    Account,
    TransferFile,
    TransfersRefused,
    schema_problems,
    write_pain001,
)
from rathaus.integrations.bank.transfers import bank_text

XSD = etree.XMLSchema(etree.parse(str(Path(sepaxml.__file__).parent / "schemas/pain.001.001.09.xsd")))
#: What German banks must take.
LETTERS = set(string.ascii_letters + string.digits + "/?:().,'+ -ÄÖÜäöüß&*$%")
HEADER, BATCH = "{*}CstmrCdtTrfInitn/{*}GrpHdr", "{*}CstmrCdtTrfInitn/{*}PmtInf"


def written(file: TransferFile) -> etree._Element:
    root = etree.fromstring(write_pain001(file))
    XSD.assertValid(root)
    return root


def texts(root: etree._Element, *names: str) -> list[str | None]:
    return [found.text for found in root.iterfind(".//" + "/".join(f"{{*}}{name}" for name in names))]


def problems(*transfers: Any, **changes: Any) -> list[str]:
    with pytest.raises(TransfersRefused) as refused:
        write_pain001(order(*transfers, **changes))
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def test_one_transfer() -> None:
    root = written(order())
    assert root.tag == "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}Document"
    assert root.findtext(f"{HEADER}/{{*}}MsgId") == "SHH-2021-LAUF-7"
    assert root.findtext(f"{HEADER}/{{*}}CreDtTm") == "2021-05-25T08:30:15Z"
    assert root.findtext(f"{HEADER}/{{*}}InitgPty/{{*}}Nm") == "Hessisches Ministerium für Beispiele"
    assert root.findtext(f"{BATCH}/{{*}}PmtInfId") == "SHH-2021-LAUF-7"
    assert root.findtext(f"{BATCH}/{{*}}PmtMtd") == "TRF"
    assert root.findtext(f"{BATCH}/{{*}}BtchBookg") == "true"
    assert root.findtext(f"{BATCH}/{{*}}PmtTpInf/{{*}}SvcLvl/{{*}}Cd") == "SEPA"
    assert root.findtext(f"{BATCH}/{{*}}ReqdExctnDt/{{*}}Dt") == "2021-05-27"
    assert root.findtext(f"{BATCH}/{{*}}DbtrAcct/{{*}}Id/{{*}}IBAN") == iban(7_000_000)
    assert root.findtext(f"{BATCH}/{{*}}ChrgBr") == "SLEV"
    assert texts(root, "EndToEndId") == ["SHH-2021-0001-1"]
    assert texts(root, "Cdtr", "Nm") == ["Gemeinde Müsterhausen 1"]
    assert texts(root, "CdtrAcct", "Id", "IBAN") == [iban(1)]
    assert texts(root, "Ustrd") == ["Starke Heimat Hessen, Rate 1 zu SHH-2021-0001"]
    amount = root.find(".//{*}InstdAmt")
    assert amount is not None
    assert (amount.text, amount.get("Ccy")) == ("36117.38", "EUR")


def test_443_transfers_in_one_batch() -> None:
    file = big_order()
    root = written(file)
    assert texts(root, "NbOfTxs") == ["443", "443"]
    assert texts(root, "CtrlSum") == [f"{file.total:.2f}"] * 2
    assert len(texts(root, "PmtInf", "CdtTrfTxInf", "PmtId", "EndToEndId")) == 443
    amounts = [Decimal(text or "") for text in texts(root, "InstdAmt")]
    assert amounts == [each.amount for each in file.transfers]
    # 443 × 20,000 € and 37 cents more for each than for the one before: 8,860,000 + 0.37 × 443 × 444 / 2
    assert sum(amounts) == Decimal("8896388.02")


def test_same_input_same_bytes() -> None:
    assert write_pain001(big_order(20)) == write_pain001(big_order(20))
    elsewhere = timezone(timedelta(hours=2))
    shifted = replace(order(), created_at=datetime(2021, 5, 25, 10, 30, 15, 999, tzinfo=elsewhere))
    assert write_pain001(shifted) == write_pain001(order())


def test_several_at_once_do_not_mix() -> None:
    expected = {n: write_pain001(big_order(n)) for n in range(1, 9)}
    found: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.__setitem__(n, write_pain001(big_order(n))))
        for n in expected
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_with_and_without_bic() -> None:
    bare = written(order())
    # The German banks' form of "my own bank, you know which".
    assert bare.findtext(f"{BATCH}/{{*}}DbtrAgt/{{*}}FinInstnId/{{*}}Othr/{{*}}Id") == "NOTPROVIDED"
    assert bare.find(".//{*}CdtrAgt") is None
    said = written(
        order(transfer(bic="XXXXDEFFXXX"), debtor=Account("Kasse", iban(5), bic="ZZZZDEFF")),
    )
    assert texts(said, "DbtrAgt", "FinInstnId", "BICFI") == ["ZZZZDEFF"]
    assert texts(said, "CdtrAgt", "FinInstnId", "BICFI") == ["XXXXDEFFXXX"]
    assert said.find(".//{*}Othr") is None


@pytest.mark.parametrize("amount", ["0.01", "0.10", "1.00", "1", "10.5", "999999999.99"])
def test_amounts_to_the_cent(amount: str) -> None:
    root = written(order(transfer(amount=Decimal(amount))))
    assert texts(root, "InstdAmt") == [f"{Decimal(amount):.2f}"]
    assert texts(root, "CtrlSum") == [f"{Decimal(amount):.2f}"] * 2


@given(st.lists(st.integers(1, 99_999_999_999), min_size=1, max_size=15))
def test_the_control_sum_is_the_sum(cents: list[int]) -> None:
    file = order(*(transfer(n, amount=Decimal(each) / 100) for n, each in enumerate(cents)))
    assert texts(written(file), "CtrlSum") == [f"{Decimal(sum(cents)) / 100:.2f}"] * 2


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("Gemeinde Großgörzhäusen", "Gemeinde Großgörzhäusen"),
        ("Gemeinde Großgo\u0308rz", "Gemeinde Großgörz"),
        ("Bad Homburg v. d. Höhe – Kasse", "Bad Homburg v. d. Höhe - Kasse"),
        ("„Smart“ & Co; 5 % René", "'Smart' & Co, 5 % René".replace("é", "e")),
        ("  zwei\u00a0Worte,\nzwei Zeilen\t", "zwei Worte, zwei Zeilen"),
        ("Łódź § 44", "Lodz Par. 44"),
        ("A_B@C", "A-B(at)C"),
    ],
)
def test_texts_in_the_banks_letters(text: str, taken: str) -> None:
    assert bank_text(text) == taken
    assert texts(written(order(transfer(name=text, purpose=text))), "Ustrd") == [taken]


@given(st.text(max_size=60))
def test_any_text_is_written_safely_or_refused(text: str) -> None:
    file = order(transfer(name="Stadt", purpose=text))
    if bank_text(text) and not set(bank_text(text)) - LETTERS and len(bank_text(text)) <= 140:
        assert texts(written(file), "Ustrd") == [bank_text(text)]
    else:
        [found] = problems(*file.transfers)
        assert found.startswith("Überweisung SHH-2021-0001-1 an Stadt: ")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"iban": iban(1)[:-1] + "9"}, "stimmt nicht, oder ihr Land nimmt an SEPA nicht teil."),
        ({"iban": "BR9700360305000010009795493P1"}, "stimmt nicht, oder ihr Land nimmt an SEPA nicht teil."),
        ({"iban": ""}, "Die IBAN „“ stimmt nicht"),
        ({"bic": "FALSCH"}, "Die BIC „FALSCH“ stimmt nicht. Sie hat 8 oder 11 Zeichen und darf fehlen."),
        ({"name": "x" * 71}, "Das Feld „Name“ hat 71 Zeichen; die Bank nimmt höchstens 70."),
        ({"name": ""}, "Das Feld „Name“ ist leer."),
        ({"name": " \n "}, "Das Feld „Name“ ist leer."),
        ({"name": "Село 🏛"}, "Im Feld „Name“ stehen Zeichen, die die Bank nicht kennt: С е л о 🏛"),
        (
            {"purpose": "ä" * 141},
            "Das Feld „Verwendungszweck“ hat 141 Zeichen; die Bank nimmt höchstens 140.",
        ),
        (
            {"purpose": "a\x07b"},
            "Im Feld „Verwendungszweck“ stehen Zeichen, die die Bank nicht kennt: U+0007",
        ),
        ({"purpose": "=1+1"}, "Im Feld „Verwendungszweck“ stehen Zeichen, die die Bank nicht kennt: ="),
        ({"purpose": "…" * 47}, "Das Feld „Verwendungszweck“ hat 141 Zeichen"),
        ({"amount": Decimal("0.00")}, "Der Betrag muss größer als null sein."),
        ({"amount": Decimal("-5.00")}, "Der Betrag muss größer als null sein."),
        ({"amount": Decimal("NaN")}, "Der Betrag muss größer als null sein."),
        ({"amount": Decimal("Infinity")}, "Der Betrag muss größer als null sein."),
        ({"amount": Decimal("1000000000.00")}, "Der Betrag ist größer als 999.999.999,99 Euro"),
        ({"amount": Decimal("0.001")}, "Der Betrag hat Bruchteile eines Cents."),
        ({"amount": Decimal("10.005")}, "Der Betrag hat Bruchteile eines Cents."),
    ],
)
def test_a_fault_names_its_transfer(changes: dict[str, Any], problem: str) -> None:
    [found] = problems(transfer(1), transfer(2, **changes))
    assert found.startswith("Überweisung SHH-2021-0002-1 an ")
    assert problem in found


@pytest.mark.parametrize(
    "end_to_end",
    ["", "x" * 36, "a//b", "/a", "a/", "mit Leerzeichen", "ümlaut", "NOTPROVIDED", "-1", "=1", "a\n"],
)
def test_an_id_that_might_not_come_back(end_to_end: str) -> None:
    [found] = problems(transfer(1, end_to_end=end_to_end))
    assert "Die Kennung passt nicht." in found


def test_an_id_twice() -> None:
    [found] = problems(transfer(1), transfer(2), transfer(3, end_to_end="SHH-2021-0001-1"))
    assert found == (
        "Überweisung SHH-2021-0001-1 an Gemeinde Müsterhausen 3: Die Kennung kommt in der Datei zweimal vor."
    )


def test_all_faults_at_once() -> None:
    found = problems(
        transfer(1, iban="DE00", amount=Decimal(0)),
        transfer(2, purpose=""),
        debtor=Account("", "DE00"),
        message_id="",
        execute_on=date(2021, 5, 24),
    )
    assert [problem.split(":")[0] for problem in found] == [
        "Die Kennung der Datei „“ passt nicht. Möglich sind 1 bis 35 Buchstaben, Ziffern, Punkte, Schräg- und "
        "Bindestriche, Doppelpunkte.",
        "Der Ausführungstag liegt vor dem Tag, an dem die Datei entsteht.",
        "Auftraggeber",
        "Auftraggeber",
        "Überweisung SHH-2021-0001-1 an Gemeinde Müsterhausen 1",
        "Überweisung SHH-2021-0001-1 an Gemeinde Müsterhausen 1",
        "Überweisung SHH-2021-0002-1 an Gemeinde Müsterhausen 2",
    ]


def test_an_empty_file() -> None:
    assert problems(transfers=()) == ["Die Datei enthält keine Überweisung."]


def test_the_day_is_the_german_one() -> None:
    """Half past eleven at night in London is tomorrow in Germany."""
    late = datetime(2021, 5, 26, 22, 30, tzinfo=UTC)
    written(order(created_at=late, execute_on=date(2021, 5, 27)))
    assert problems(created_at=late, execute_on=date(2021, 5, 26)) == [
        "Der Ausführungstag liegt vor dem Tag, an dem die Datei entsteht."
    ]


def test_what_no_caller_may_do() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_pain001(order(created_at=datetime(2021, 5, 25)))
    with pytest.raises(TypeError):
        write_pain001(order(transfer(amount=12.5)))


def test_the_schema_speaks() -> None:
    content = write_pain001(order())
    assert schema_problems(content) == []
    [problem, *_] = schema_problems(content.replace(b"<PmtMtd>TRF", b"<PmtMtd>GELD"))
    assert problem.startswith("Zeile 15: Das Schema pain.001.001.09 lässt das nicht zu: ")
    assert schema_problems(b"<a/>") != []
    assert schema_problems(b"kein XML")[0].startswith("Zeile 1: Die Datei ist kein gültiges XML")
