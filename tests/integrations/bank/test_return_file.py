"""Reading what banks send: bookings, returns and refusals, of several versions, by several banks' habits."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pytest

from rathaus.integrations.bank.return_file import (
    Entry,
    Kind,
    RejectedRun,
    ReturnFile,
    ReturnFileRefused,
    Status,
    read_return,
)

DAY = date(2021, 5, 27)


def camt(*bookings: str, version: str = "camt.054.001.08", header: str = "", iban: str = "DE1") -> bytes:
    root, part = {"camt.053": ("BkToCstmrStmt", "Stmt"), "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}[
        version[:8]
    ]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"><{root}>\n'
        f"<GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2021-05-27T18:00:00</CreDtTm>{header}</GrpHdr>\n"
        f"<{part}><Id>A</Id><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>\n"
        + "\n".join(bookings)
        + f"\n</{part}></{root}></Document>"
    ).encode()


def booking(
    *details: str,
    amount: str = "100.00",
    currency: str = "EUR",
    direction: str = "DBIT",
    state: str = "<Cd>BOOK</Cd>",
    day: str = "<Dt>2021-05-27</Dt>",
    more: str = "",
) -> str:
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{more}<Sts>{state}</Sts>'
        f"<BookgDt>{day}</BookgDt><NtryDtls>{''.join(details)}</NtryDtls></Ntry>"
    )


def detail(end_to_end: str = "E-1", amount: str = "", more: str = "") -> str:
    money = amount and f'<Amt Ccy="EUR">{amount}</Amt>'
    return f"<TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>{money}{more}</TxDtls>"


RETURNED = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Konto\n erloschen</AddtlInf></RtrInf>"


def read(content: bytes) -> ReturnFile:
    return read_return(content)


def faults(content: bytes) -> list[str]:
    with pytest.raises(ReturnFileRefused) as refused:
        read_return(content)
    return [str(problem) for problem in refused.value.problems]


# --- bookings ---


@pytest.mark.parametrize(
    "version", ["camt.053.001.02", "camt.053.001.08", "camt.054.001.02", "camt.054.001.11"]
)
@pytest.mark.parametrize("state", ["BOOK", "<Cd>BOOK</Cd>"])
def test_a_debit_is_a_payment(version: str, state: str) -> None:
    found = read(camt(booking(detail(), state=state), version=version))
    assert found == ReturnFile(
        id=f"{version[:8]}/BANK-1",
        kind=Kind(version[:8]),
        entries=(Entry("E-1", Decimal("100.00"), DAY, Status.PAID, "", 5),),
        accounts=("DE1",),
    )


def test_a_batch_with_its_details() -> None:
    found = read(camt(booking(detail("E-1", "60.00"), detail("E-2", "40.00"))))
    assert [(entry.end_to_end, entry.amount, entry.status) for entry in found.entries] == [
        ("E-1", Decimal("60.00"), Status.PAID),
        ("E-2", Decimal("40.00"), Status.PAID),
    ]


@pytest.mark.parametrize("name", ["TxAmt", "InstdAmt"])
def test_amounts_where_older_versions_have_them(name: str) -> None:
    def one(end_to_end: str, amount: str) -> str:
        return detail(end_to_end, more=f'<AmtDtls><{name}><Amt Ccy="EUR">{amount}</Amt></{name}></AmtDtls>')

    found = read(camt(booking(one("E-1", "60"), one("E-2", "40.0")), version="camt.053.001.02"))
    assert [entry.amount for entry in found.entries] == [Decimal("60.00"), Decimal("40.00")]


def test_a_credit_with_a_reason_came_back() -> None:
    found = read(camt(booking(detail(more=RETURNED), direction="CRDT")))
    assert found.entries == (
        Entry(
            "E-1",
            Decimal("100.00"),
            DAY,
            Status.RETURNED,
            "Das Konto ist aufgelöst (AC04). Konto erloschen",
            5,
        ),
    )


def test_a_reversed_debit_came_back() -> None:
    [entry] = read(camt(booking(detail(), direction="CRDT", more="<RvslInd>true</RvslInd>"))).entries
    assert (entry.status, entry.reason) == (Status.RETURNED, "")


def test_paid_and_returned_in_one_file() -> None:
    found = read(camt(booking(detail()), booking(detail(more=RETURNED), direction="CRDT")))
    assert [entry.status for entry in found.entries] == [Status.PAID, Status.RETURNED]


@pytest.mark.parametrize(
    ("other", "skipped"),
    [
        (booking(detail(), state="<Cd>PDNG</Cd>"), 1),
        (booking(detail(), detail("E-2"), state="INFO"), 2),
        (booking(), 1),  # charges, or a batch without details
        (booking(detail("NOTPROVIDED")), 1),
        (booking("<TxDtls><Refs><InstrId>x</InstrId></Refs></TxDtls>"), 1),
        (booking(detail(), direction="CRDT"), 1),  # somebody pays us
        (booking(detail(more=RETURNED), direction="DBIT"), 1),  # a direct debit of ours that was not honoured
        (booking(detail(), more="<RvslInd>true</RvslInd>"), 1),  # a credit that was taken back
        (booking(detail(more="<BkTxCd><Domn><Fmly><Cd>RDDT</Cd></Fmly></Domn></BkTxCd>")), 1),
        (booking(detail(), more="<BkTxCd><Domn><Fmly><Cd>RDDT</Cd></Fmly></Domn></BkTxCd>"), 1),
        (booking(detail("NOTPROVIDED"), currency="CHF"), 1),
    ],
)
def test_other_bookings_say_nothing_about_transfers(other: str, skipped: int) -> None:
    found = read(camt(booking(detail("MEINE")), other))
    assert [entry.end_to_end for entry in found.entries] == ["MEINE"]
    assert found.skipped == skipped


def test_a_quiet_day() -> None:
    assert read(camt()).entries == ()


@pytest.mark.parametrize(
    ("day", "taken"),
    [
        ("<Dt>2021-05-27</Dt>", DAY),
        ("<DtTm>2021-05-27T23:59:59</DtTm>", DAY),
        ("<DtTm>2021-05-27T22:30:00Z</DtTm>", date(2021, 5, 28)),
        ("<DtTm>2021-05-28T00:30:00.000+02:00</DtTm>", date(2021, 5, 28)),
    ],
)
def test_days_are_german(day: str, taken: date) -> None:
    assert read(camt(booking(detail(), day=day))).entries[0].booked_on == taken


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (booking(detail(), amount="1e5"), "„1e5“ ist kein Betrag in Euro und Cent."),
        (booking(detail(), amount="-5.00"), "„-5.00“ ist kein Betrag in Euro und Cent."),
        (booking(detail(), amount="0.00"), "„0.00“ ist kein Betrag in Euro und Cent."),
        (booking(detail(), amount="1.005"), "„1.005“ ist kein Betrag in Euro und Cent."),
        (booking(detail(), amount="NaN"), "„NaN“ ist kein Betrag in Euro und Cent."),
        (booking(detail(), amount=""), "„“ ist kein Betrag in Euro und Cent."),
        (booking(detail(), amount="9" * 14), "ist kein Betrag in Euro und Cent."),
        (booking(detail(), currency="CHF"), "Der Betrag ist nicht in Euro, sondern in „CHF“."),
        (booking(detail(), currency=""), "Der Betrag ist nicht in Euro, sondern in „“."),
        (booking(detail(), direction="ODER"), "Ob die Buchung belastet oder gutschreibt (CdtDbtInd), fehlt"),
        (booking(detail(), state="<Cd>XXXX</Cd>"), "Die Buchung hat den unbekannten Stand „XXXX“."),
        (booking(detail(), day="<Dt>2021-02-30</Dt>"), "Das Datum (BookgDt) fehlt oder stimmt nicht."),
        (booking(detail(), day="<DtTm>0001-01-01T00:00:00+14:00</DtTm>"), "Das Datum (BookgDt) fehlt oder"),
        (booking(detail(), day=""), "Das Datum (BookgDt) fehlt oder stimmt nicht."),
        (booking(detail("x" * 36)), "Die Kennung der Überweisung (EndToEndId) hat mehr als 35 Zeichen."),
        (
            booking(detail(), detail("E-2", "40.00")),
            "Die Überweisung in der Sammelbuchung hat keinen Betrag.",
        ),
        (
            booking(detail("E-1", "60.00"), detail("E-2", "40.01")),
            "Gebucht sind 100,00\u00a0€, die Einzelposten ergeben 100,01\u00a0€.",
        ),
    ],
)
def test_a_wrong_booking_refuses_the_file(wrong: str, fault: str) -> None:
    [found] = faults(camt(booking(detail("GUT")), wrong))
    assert found.startswith("Zeile 6: Buchung 2: ")
    assert fault in found


def test_every_wrong_booking_is_named() -> None:
    found = faults(
        camt(booking(detail(), amount="x"), booking(detail("E-2")), booking(detail("E-3"), currency="USD"))
    )
    assert [fault.partition(": „")[0].partition(": Der")[0] for fault in found] == [
        "Zeile 5: Buchung 1",
        "Zeile 7: Buchung 3",
    ]


@pytest.mark.parametrize("joined", [False, True])
def test_the_same_payment_twice(joined: bool) -> None:
    content = camt(booking(detail()), booking(detail()))
    if joined:  # banks write everything into one line
        content = content.replace(b"\n", b"")
    [found] = faults(content)
    assert "„E-1“ steht mit demselben Ergebnis schon in Zeile" in found


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "camt.054/BANK-1"),
        ("<MsgPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></MsgPgntn>", "camt.054/BANK-1"),
        ("<MsgPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></MsgPgntn>", "camt.054/BANK-1/1"),
        ("<MsgPgntn><PgNb>2</PgNb><LastPgInd>true</LastPgInd></MsgPgntn>", "camt.054/BANK-1/2"),
    ],
)
def test_pages_of_one_message_are_files_of_their_own(header: str, told: str) -> None:
    assert read(camt(header=header)).id == told


def test_a_message_without_id() -> None:
    [found] = faults(camt().replace(b"<MsgId>BANK-1</MsgId>", b""))
    assert "Die Kennung der Nachricht (MsgId) fehlt" in found


def test_several_accounts() -> None:
    one = camt(booking(detail()))
    part = one[one.index(b"<Ntfctn>") : one.index(b"</BkToCstmr")]
    other = part.replace(b"DE1", b"DE2").replace(b"E-1", b"E-2")
    found = read(one.replace(part, part + other))
    assert found.accounts == ("DE1", "DE2")
    assert [entry.end_to_end for entry in found.entries] == ["E-1", "E-2"]


def test_too_many_bookings() -> None:
    many = "".join(detail(f"E-{n}", "1.00") for n in range(20_001))
    assert "mehr als 20000" in faults(camt(booking(many, amount="20001.00")))[0]


# --- refusals ---


def report(
    status: str = "",
    batch: str = "",
    refusals: str = "",
    about: str = "pain.001.001.09",
    message_id: str = "LAUF-7",
) -> bytes:
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>R-1</MsgId><CreDtTm>2021-05-27T06:00:00Z</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId><OrgnlMsgNmId>{about}</OrgnlMsgNmId>{status}"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>LAUF-7</OrgnlPmtInfId>{batch}{refusals}"
        "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def refusal(end_to_end: str = "E-1", status: str = "RJCT", amount: str = "") -> str:
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        f"<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf><OrgnlTxRef><Amt>{amount}</Amt></OrgnlTxRef></TxInfAndSts>"
    )


REASON = "<StsRsnInf><Rsn><Cd>AM10</Cd></Rsn></StsRsnInf>"


def test_single_refusals() -> None:
    paid = '<InstdAmt Ccy="EUR">36117.38</InstdAmt>'
    found = read(
        report(
            "<GrpSts>PART</GrpSts>", "", refusal("E-1", amount=paid) + refusal("E-2") + refusal("E-3", "ACSC")
        )
    )
    assert found == ReturnFile(
        id="pain.002/R-1",
        kind=Kind.STATUS_REPORT,
        entries=(
            Entry(
                "E-1", Decimal("36117.38"), DAY, Status.REJECTED, "Die Kontonummer stimmt nicht (AC01).", 1
            ),
            Entry("E-2", None, DAY, Status.REJECTED, "Die Kontonummer stimmt nicht (AC01).", 1),
        ),
        skipped=1,
    )


@pytest.mark.parametrize("level", ["group", "batch", "both"])
def test_a_refused_file(level: str) -> None:
    found = read(
        report(
            f"<GrpSts>RJCT</GrpSts>{REASON}" if level != "batch" else "",
            f"<PmtInfSts>RJCT</PmtInfSts>{REASON}" if level != "group" else "",
        )
    )
    assert found.entries == ()
    assert found.rejected_runs == (RejectedRun("LAUF-7", DAY, "Die Kontrollsumme stimmt nicht (AM10)."),)


def test_a_good_report_says_nothing() -> None:
    found = read(report("<GrpSts>ACCP</GrpSts>"))
    assert (found.entries, found.rejected_runs) == ((), ())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (report(message_id=""), "Der Bericht nennt die Datei nicht, zu der er gehört."),
        (report(about="pain.008.001.08"), "Der Bericht gehört nicht zu Überweisungen."),
        (report(refusals=refusal("")), "Die Ablehnung nennt die Überweisung nicht."),
        (report(refusals=refusal("NOTPROVIDED")), "Die Ablehnung nennt die Überweisung nicht."),
        (
            report(refusals=refusal(amount='<InstdAmt Ccy="EUR">x</InstdAmt>')),
            "Überweisung E-1: „x“ ist kein Betrag",
        ),
        (report(refusals=refusal() + refusal()), "„E-1“ steht mit demselben Ergebnis schon in"),
        (report().replace(b"2021-05-27T06:00:00Z", b"heute"), "Das Datum (CreDtTm) fehlt oder stimmt nicht."),
    ],
)
def test_a_wrong_report(content: bytes, fault: str) -> None:
    [found] = faults(content)
    assert fault in found


# --- files that are something else ---


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "Die Datei ist leer."),
        (b" \n", "Die Datei ist leer."),
        (b"PK\x03\x04...", "Das ist ein ZIP-Archiv."),
        (b"<a>", "Zeile 1: Die Datei ist kein gültiges XML"),
        (b"<a/>", "Zeile 1: Das ist keine Rückmeldung einer Bank."),
        (b"<Document/>", "Zeile 1: Das ist keine Rückmeldung einer Bank."),
        (b"<Document><Html/></Document>", "Zeile 1: Das ist keine Rückmeldung einer Bank."),
        (b"<Brief><BkToCstmrStmt/></Brief>", "Zeile 1: Das ist keine Rückmeldung einer Bank."),
        (b"<Document><BkToCstmrAcctRpt/></Document>", "Zeile 1: Das sind vorläufige Umsätze (camt.052)."),
        (
            b"<Document><CstmrCdtTrfInitn/></Document>",
            "Zeile 1: Das ist ein Zahlungsauftrag an die Bank (pain.001)",
        ),
        (b"<Document>" + b" " * 20_000_000 + b"</Document>", "zu groß"),
    ],
)
def test_not_a_return_file(content: bytes, fault: str) -> None:
    assert fault in faults(content)[0]


def bomb() -> bytes:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = camt(booking(detail("&l9;"))).decode()
    return text.replace("<Document", f'<!DOCTYPE Document [<!ENTITY l0 "lol">{levels}]><Document').encode()


def outside(place: str) -> bytes:
    text = camt(booking(detail("&x;"))).decode()
    return text.replace("<Document", f'<!DOCTYPE Document [<!ENTITY x SYSTEM "{place}">]><Document').encode()


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        bomb().decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
        outside("file:///etc/passwd"),
        outside("http://127.0.0.1:9/x"),
        b"<Document>" * 100_000,
    ],
    ids=["bomb", "bomb in UTF-16", "file", "network", "deep"],
)
def test_hostile_xml(content: bytes) -> None:
    begun = time.monotonic()
    found = faults(content)
    assert time.monotonic() - begun < 2
    assert "root:" not in "".join(found)


def test_encodings_of_a_bank() -> None:
    text = camt(booking(detail())).decode()
    for encoding in ("utf-8-sig", "utf-16", "iso-8859-1"):
        declared = text.replace("UTF-8", encoding.removesuffix("-sig").upper())
        assert read(declared.encode(encoding)).entries[0].end_to_end == "E-1"


# --- our CSV ---

CSV = "end_to_end;datum;betrag;status;grund\r\n"


def test_csv() -> None:
    found = read(
        (
            "\ufeff" + CSV + "E-1;27.05.2021;36.117,38;bezahlt;\r\n"
            "E-2;2021-05-27;36117,38 €;Zurückgegeben;Konto  erloschen\r\n;;;;\r\nE-3;7.5.2021;1;abgelehnt;\r\n"
        ).encode()
    )
    assert found.kind is Kind.CSV
    assert found.entries == (
        Entry("E-1", Decimal("36117.38"), DAY, Status.PAID, "", 2),
        Entry("E-2", Decimal("36117.38"), DAY, Status.RETURNED, "Konto erloschen", 3),
        Entry("E-3", Decimal("1.00"), date(2021, 5, 7), Status.REJECTED, "", 5),
    )


def test_columns_in_any_order_and_without_reason() -> None:
    [entry] = read(b"Status; Betrag ;datum;end_to_end\nbezahlt;1,00;27.05.2021;E-1\n").entries
    assert entry == Entry("E-1", Decimal("1.00"), DAY, Status.PAID, "", 2)


def test_a_csv_saved_anew_is_the_same_file() -> None:
    lines = ["E-1;27.05.2021;1,00;bezahlt;", "E-2;27.05.2021;2,00;bezahlt;"]
    first = read((CSV + "\r\n".join(lines)).encode())
    again = read(("\ufeff" + CSV + "\n".join(reversed(lines)) + "\n").replace("1,00", '"1,00"').encode())
    other = read((CSV + "\r\n".join(lines).replace("2,00", "2,01")).encode())
    assert first.id == again.id
    assert first.id.startswith("csv/")
    assert first.id != other.id


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("E-2;27.05.2021;1,00;bezahlt", "Die Zeile hat 4 Spalten statt 5 wie die Kopfzeile."),
        (";27.05.2021;1,00;bezahlt;", "Die Kennung der Überweisung (end_to_end) fehlt oder ist keine."),
        (
            f"{'x' * 36};27.05.2021;1,00;bezahlt;",
            "Die Kennung der Überweisung (end_to_end) fehlt oder ist keine.",
        ),
        (
            "E-2;31.02.2021;1,00;bezahlt;",
            "„31.02.2021“ ist kein Datum. Schreiben Sie zum Beispiel 25.05.2021.",
        ),
        ("E-2;01.01.0001;1,00;bezahlt;", "„01.01.0001“ ist kein Datum."),
        ("E-2;;1,00;bezahlt;", "„“ ist kein Datum."),
        ("E-2;27.05.2021;1,234;bezahlt;", "Der Betrag „1,234“ ist nicht eindeutig."),
        ("E-2;27.05.2021;-1,00;bezahlt;", "Der Betrag „-1,00“ ist negativ."),
        ("E-2;27.05.2021;0,00;bezahlt;", "Der Betrag ist null."),
        ("E-2;27.05.2021;;bezahlt;", "Tragen Sie einen Betrag ein"),
        ("E-2;27.05.2021;1,00;erledigt;", "Der Status „erledigt“ ist weder bezahlt noch"),
        ("E-1;28.05.2021;1,00;bezahlt;", "„E-1“ steht mit demselben Ergebnis schon in Zeile 2."),
        ('E-2;"27.05.2021;1,00;bezahlt;', "Die Zeile ist kein gültiges CSV"),
        ("E-2;27.05.2021;1,00;bezahlt;\x00", "Die Zeile enthält ein Nullzeichen."),
    ],
)
def test_a_wrong_line_refuses_the_csv(line: str, fault: str) -> None:
    [found] = faults(f"{CSV}E-1;27.05.2021;1,00;bezahlt;\r\n{line}".encode())
    assert found.startswith(f"Zeile 3: {fault}")


def test_every_wrong_line_is_named() -> None:
    found = faults(
        f"{CSV}E-1;heute;nichts;egal;\nE-2;27.05.2021;1,00;bezahlt;\n;27.05.2021;1,00;bezahlt;".encode()
    )
    assert [fault.split(":")[0] for fault in found] == ["Zeile 2", "Zeile 2", "Zeile 2", "Zeile 4"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("end_to_end;datum;betrag\n", ["Zeile 1: Die Spalte „status“ fehlt."]),
        ("end_to_end;datum;betrag;status;x\n", ["Zeile 1: Die Spalte „x“ kennen wir nicht."]),
        ("end_to_end;datum;betrag;status;status\n", ["Zeile 1: Eine Spalte kommt zweimal vor."]),
        ("end_to_end;datum;betrag;status\n", ["Zeile 1: Die Datei enthält keine Rückmeldung."]),
        ("end_to_end,datum,betrag,status\nE-1,27.05.2021,1,bezahlt", None),
        ("Guten Tag", None),
    ],
)
def test_a_wrong_header(content: str, told: list[str] | None) -> None:
    found = faults(content.encode())
    assert found == told if told else len(found) == 5


def test_a_csv_of_the_wrong_kind() -> None:
    latin = f"{CSV}E-1;27.05.2021;1,00;zurückgegeben;".encode("latin-1")
    assert faults(latin) == ["Zeile 2: Die Datei ist nicht UTF-8. Speichern Sie sie als „CSV UTF-8“."]
    assert faults(CSV.encode() + b"x" * 5_000_000) == ["Die Datei ist größer als 5 MB."]
    many = CSV + "".join(f"E-{n};27.05.2021;1,00;bezahlt;\n" for n in range(20_001))
    assert faults(many.encode()) == ["Zeile 20002: Mehr als 20000 Zeilen."]
