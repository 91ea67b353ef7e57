"""The section „Zuwendung“ on the page of a case, for the award's case and for those that follow it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal

import pytest
from pypdf import PdfReader
from tests.casework.conftest import World
from tests.domains.claim_world import Place, on
from tests.web.desk.conftest import Desk
from tests.web.queries import counted

from rathaus.casework.cases.models import Case


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    with on("2023-05-10"):
        yield Place.make(world)


def path(case: Case) -> str:
    return f"/amt/vorgang/{case.reference}/"


def submitted(place: Place, case: Case, spent: list[tuple[str, str]]) -> Case:
    total = sum(Decimal(amount) for _, amount in spent)
    return place.follow(
        place.prove, case, betrag=str(total), zeilen=[{"wofuer": what, "betrag": amount} for what, amount in spent],
        inventar=[],
    )  # fmt: skip


def test_where_the_money_stands(place: Place, clerk: Desk) -> None:
    case = place.granted(amount="900.00", cost="1000.00")
    place.drawn(case, amount="300.00", year=2023)
    page = clerk.get(path(case))
    section = page[page.index('id="zuwendung"') : page.index('id="antrag"')]
    for words in (
        "900,00",
        "300,00",
        "600,00",
        "Fassung 1",
        "Bescheid vom 10.05.2023",
        "1. Rate 2023",
        "ausgezahlt am 10.05.2023",
    ):
        assert words in section, words
    assert "Rest freigeben" not in section  # releasing is not the clerk's
    rate = place.grant(case).drawdowns.model.objects
    with place.w.clerk.acting():
        follow_up = rate.select_related("case").get().case
    page = clerk.get(path(follow_up))
    assert f'href="{path(case)}#zuwendung"' in page


def test_a_case_without_a_grant_has_no_section(place: Place, clerk: Desk) -> None:
    case = place.w.submit()
    assert 'id="zuwendung"' not in clerk.get(path(case))
    clerk.get(path(case) + "rechenweg/", 404)
    clerk.post(path(case) + "rest-freigeben/", 404, jahr="alle")


def test_a_proof_is_compared_with_the_plan_and_explained(place: Place, clerk: Desk) -> None:
    case = place.granted(amount="900.00", cost="1000.00")
    place.drawn(case, amount="900.00", year=2023)
    with on("2024-02-01"):
        proof = submitted(place, case, [("Software", "500.00"), ("Schulung", "300.00")])
        page = clerk.get(path(proof))
        for words in (
            "Plan und Ausgaben",
            "Schulung",
            "nicht im Plan",
            "Rechenweg drucken",
            "800,00",
            "720,00",
        ):
            assert words in page, words
        answer = clerk.client.get(path(proof) + "rechenweg/")
        text = " ".join(
            "".join(part.extract_text() for part in PdfReader(io.BytesIO(answer.content)).pages).split()
        )
        for words in (
            "Verwendungsnachweis",
            "Anteilfinanzierung",
            "1.000,00",
            "800,00",
            "720,00",
            "zu erstatten",
            proof.reference,
        ):
            assert words.lower() in text.lower(), words
        place.decide(proof, amount="800.00")
        assert "720,00" in clerk.get(path(proof))
        assert "Verwendungsnachweis" in clerk.get(path(case))
    place.sound()


def test_the_rest_is_released_once(place: Place, clerk: Desk, head: Desk) -> None:
    case = place.granted(amount="900.00", cost="1000.00", years={"2023": "600.00", "2024": "300.00"})
    page = head.get(path(case))
    assert "2024: 300,00\u00a0€" in page
    assert "Alle: 900,00\u00a0€" in page
    clerk.post(path(case) + "rest-freigeben/", 403, jahr="2024")
    for _ in range(2):
        head.post(path(case) + "rest-freigeben/", jahr="2024")
    page = head.get(path(case))
    assert "Fassung 2, Minderung" in page
    assert "Fassung 3" not in page
    assert place.grant(case).amount == Decimal("600.00")
    place.sound()


def test_statements(place: Place, clerk: Desk) -> None:
    plain = place.w.submit()
    case = place.granted(amount="900.00", cost="1000.00")
    place.drawn(case, amount="300.00", year=2023)
    costs = []
    for found in (plain, case):
        clerk.get(path(found))
        with counted() as statements:
            clerk.get(path(found))
        costs.append(len(statements))
    assert costs[1] <= 14
    place.drawn(case, amount="100.00", year=2023, verwendet="300.00", verwendet_am="2023-05-10")
    with counted() as statements:
        clerk.get(path(case))
    assert len(statements) == costs[1]
