"""Claims on the desk: list, receipts, instalments, waiver, base rates, and the computation on paper."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from pypdf import PdfReader
from tests.casework.conftest import World
from tests.domains.claim_world import Place, on
from tests.web.desk.conftest import Desk, sit_down
from tests.web.desk.test_desk_payments import member
from tests.web.queries import counted

from rathaus.casework.cases.models import Case
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.award import change_award, current_award
from rathaus.domains.grants.actions.receipts import record_receipt
from rathaus.domains.grants.enums import AwardKind, ClaimReason
from rathaus.domains.grants.models import BaseRate, Claim, Receipt

LIST = "/amt/foerderung/land/rueckforderungen/"
RATES = "/amt/foerderung/zinssaetze/"


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    with on("2023-03-01"):
        yield Place.make(world)


def claimed(place: Place, *, amount: str = "10000.00", interest_from: str = "2023-04-01") -> Claim:
    """10,000 € were paid, and are claimed back since 1 July 2025."""
    case = place.granted(amount="20000.00")
    place.drawn(case, amount="10000.00", year=2023)
    return claim_for(place, case, amount=amount, interest_from=interest_from)


def claim_for(place: Place, case: Case, *, amount: str, interest_from: str) -> Claim:
    w = place.w
    with w.clerk.acting():
        grant = place.grant(case)
        follow_up = place.follow(
            place.draw, case, betrag="1.00", jahr=2023, verwendet="10000.00", verwendet_am="2023-03-01"
        )
        claim = Claim.objects.create(
            authority=w.ministry, grant=grant, party_id=grant.party_id, case=follow_up, reason=ClaimReason.REVOCATION,
            amount=Decimal(amount), interest_from=date.fromisoformat(interest_from), due_on=date(2023, 8, 1),
            made_on=date(2023, 3, 1),
        )  # fmt: skip
        years = {row.year: row.amount for row in current_award(grant).years.all()}
        years[2023] -= Decimal(amount)
        change_award(
            by=w.clerk, grant=grant, case=follow_up, kind=AwardKind.REVOCATION, by_year=years,
            claimed={2023: Decimal(amount)}, key=f"claim:{new_id()}",
        )  # fmt: skip
    return claim


def address(claim: Claim) -> str:
    return f"{LIST}{claim.case.reference}/"


def test_what_is_owed_until_today_and_why(place: Place, clerk: Desk, head: Desk) -> None:
    claim = claimed(place)
    with on("2025-10-01"):  # the example of the law's tests: 1,944.69 €
        page = clerk.get(address(claim))
        assert "1.944,69\u00a0€" in page
        assert "429,82\u00a0€" in page
        assert "überfällig" in page
        assert "Offenes erlassen" not in page  # Leitung only
        assert "Offenes erlassen" in head.get(address(claim))
        answer = clerk.client.get(f"/amt/vorgang/{claim.case.reference}/rechenweg/")
        assert answer.headers["Content-Type"] == "application/pdf"
        text = " ".join(
            "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages).split()
        )
    for words in (
        "Rückforderung",
        "10.000,00",
        "1.944,69",
        "Deutschen Bundesbank",
        "365 Tagen",
        "Gemeinde Lahnau",
    ):
        assert words in text, words


def test_receipts_instalments_and_the_rest(place: Place, clerk: Desk, head: Desk) -> None:
    claim = claimed(place)
    here = address(claim)
    with on("2025-10-01"):
        page = clerk.post(
            here + "?tun=eingang", 422, betrag="viel", eingegangen="gestern", kassenzeichen=""
        ).content.decode()
        assert "„gestern“ ist kein Datum" in page
        page = clerk.post(
            here + "?tun=eingang", 422, betrag="4000", eingegangen="01.10.2025", kassenzeichen=""
        ).content.decode()
        assert "Nennen Sie das Kassenzeichen" in page
        assert 'value="4000"' in page
        given = {"betrag": "4.000,00", "eingegangen": "01.10.2025", "kassenzeichen": "K-1"}
        clerk.post(here + "?tun=eingang", **given)
        page = clerk.post(here + "?tun=eingang", 422, **given).content.decode()
        assert "schon gebucht" in page  # the second click books nothing
        page = clerk.post(
            here + "?tun=eingang", 422, betrag="90000", eingegangen="01.10.2025", kassenzeichen="K-2"
        ).content.decode()
        assert "Offen sind nur noch" in page
        with place.w.clerk.acting():
            assert Receipt.objects.count() == 1
            claim.refresh_from_db()
        owed = Decimal("6000.00") + claim.interest
        clerk.post(here + "?tun=raten", 403, raten="01.11.2025 6.000,00")
        page = head.post(here + "?tun=raten", 422, raten="01.11.2025 6.000,00").content.decode()
        assert "die Raten ergeben 6.000,00" in page
        page = head.post(here + "?tun=raten", 422, raten="31.11.2025 6.000,00").content.decode()
        assert "Zeile 1: „31.11.2025“ ist kein Datum" in page
        rest = str(owed - Decimal("3000.00")).replace(".", ",")
        head.post(here + "?tun=raten", raten=f"01.11.2025 3.000,00\n01.12.2025 {rest}")
        assert "Rate 3.000,00\u00a0€" in clerk.get(LIST)
    with on("2025-11-02"):
        assert "3.000,00" in clerk.get(LIST + "?stand=faellig")
    with on("2025-11-03"):
        record_receipt(
            by=place.w.clerk, claim=claim.id, amount=Decimal("3000.00"), on=date(2025, 11, 3), reference="K-3"
        )
        assert "Keine Rückforderung" in clerk.get(LIST + "?stand=faellig")
        clerk.post(here + "?tun=erlassen", 403, grund="Härte")
        assert "Begründen Sie" in head.post(here + "?tun=erlassen", 422, grund=" ").content.decode()
        head.post(here + "?tun=erlassen", grund="Unbillige Härte nach dem Hochwasser.")
        page = clerk.get(here)
        assert "Unbillige Härte" in page
        assert "Zahlungseingang buchen" not in page
        assert "ist erledigt" in head.post(here + "?tun=erlassen", 422, grund="Noch einmal.").content.decode()
        assert "erlassen" in clerk.get(LIST + "?stand=erledigt")
        assert "Keine Rückforderung" in clerk.get(LIST)
    place.sound()


def test_another_authority_finds_nothing(place: Place) -> None:
    claim = claimed(place)
    stranger = sit_down(
        place.w,
        member(
            place.w, "x@example.org", ["Sachbearbeitung", "Freigabe", "Leitung"], authority=place.w.lahnau
        ),
    )
    stranger.get(LIST, 404)
    stranger.get(address(claim), 404)
    stranger.post(address(claim) + "?tun=erlassen", 404, grund="Bitte.")
    stranger.get(f"/amt/vorgang/{claim.case.reference}/rechenweg/", 404)
    stranger.post(f"/amt/vorgang/{claim.grant.reference}/rest-freigeben/", 404, jahr="alle")


def test_base_rates(place: Place, clerk: Desk, head: Desk) -> None:
    with on("2026-01-15"):
        page = clerk.get(RATES)
        assert "1,62\u00a0%" in page.replace("&nbsp;", "\u00a0")
        assert "nicht geprüft" in page
        assert "Satz eintragen" not in page
        given = {"ab": "01.01.2026", "satz": "1,27", "quelle": "BAnz AT 30.12.2025 B7"}
        clerk.post(RATES, 403, **given)
        for change, reason in (
            ({"ab": "02.01.2026"}, "1. Januar und zum 1. Juli"),
            ({"satz": "viel"}, "viel"),
            ({"quelle": " "}, "Bekanntmachung"),
            ({"ab": "01.01.2023"}, "schon ein Zinssatz"),
        ):
            assert reason in head.post(RATES, 422, **(given | change)).content.decode()
        head.post(RATES, **given)
        assert "schon ein Zinssatz" in head.post(RATES, 422, **given).content.decode()
        assert (
            "trägt eine andere Person"
            in head.post(RATES, 422, **(given | {"satz": "12,70"})).content.decode()
        )
        head.post(RATES, ab="01.07.2023", satz="3,12", quelle="BAnz AT 30.06.2023")  # now it is checked
        assert head.get(RATES).count("nicht geprüft") == page.count("nicht geprüft") - 1
    assert BaseRate.objects.count() == 2


def test_a_missing_rate_is_said_and_nothing_guessed(place: Place, clerk: Desk) -> None:
    claim = claimed(place)
    with on("2027-01-15"):
        page = clerk.get(address(claim))
    assert "Es fehlt ein Basiszinssatz" in page
    assert "nicht zu berechnen" in page


def test_statements(place: Place, clerk: Desk) -> None:
    claim = claimed(place)
    for path in (LIST, address(claim)):
        clerk.get(path)
        with counted() as statements:
            clerk.get(path)
        assert len(statements) <= 12, path
    award = f"/amt/vorgang/{claim.grant.reference}/"  # read with its claims: they cost nothing more
    clerk.get(award)
    with counted() as statements:
        clerk.get(award)
    assert len(statements) <= 14
