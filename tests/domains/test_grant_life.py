"""Lives of grants with the packages of the product: the worked examples of each financing type, to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.casework.conftest import World
from tests.domains.lives import Lives, on

from rathaus.casework.cases.models import Case, Message
from rathaus.domains.grants.actions.payments import mark_returned, order_again
from rathaus.domains.grants.models import Award


def drawn_in_full(lives: Lives, *, amount: str, third: str = "0") -> Case:
    """Awarded in January 2022, all money paid in two rates, half each."""
    half = str(Decimal(amount) / 2)
    with on("2022-01-10"):
        case = lives.award(amount, "200000", third=third)
        lives.waive(case)
        first = lives.draw(case, half)
        lives.pay()
    with on("2022-02-20"), lives.officer.acting():
        message = Message.objects.filter(case=first).latest("id").body
    assert message.endswith(
        "am 10.\u00a0Januar 2022 überwiesen. Geben Sie das Geld bis zum 10.\u00a0März 2022 aus."
    )
    with on("2023-01-16"):
        lives.draw(case, half, used=half, used_on="2022-03-01")
        lives.pay()
    return case


@pytest.mark.parametrize(
    ("financing", "amount", "spent", "third", "due"),
    [
        ("anteil", "180000", "160000", "0", "144000.00"),
        ("fehlbedarf", "180000", "160000", "0", "140000.00"),
        ("festbetrag", "180000", "160000", "0", "160000.00"),
        ("voll", "200000", "160000", "0", "160000.00"),
        ("anteil", "180000", "190000", "0", "171000.00"),
        ("fehlbedarf", "180000", "190000", "0", "170000.00"),
        ("anteil", "180000", "200000", "10000", "171000.00"),
        ("fehlbedarf", "180000", "200000", "10000", "170000.00"),
    ],
)
def test_what_was_paid_too_much_is_computed_claimed_and_closed(
    world: World, financing: str, amount: str, spent: str, third: str, due: str
) -> None:
    lives = Lives.make(world, finanzierungsart=financing)
    case = drawn_in_full(lives, amount=amount)
    back = Decimal(amount) - Decimal(due)
    with on("2023-09-01"):
        proof = lives.prove(case, spent, third=third)
        found = lives.proof(proof)
        assert (found.due, found.to_repay) == (Decimal(due), back)
        assert found.steps[-1]["amount"] == str(back)
        money = lives.money(case)
        assert (money.proven, money.paid) == (Decimal(due), back)
        text = lives.letter(proof)
        assert "Schlussbescheid" in text
        assert f"Zu viel ausgezahlt sind {back:,.2f} €".translate({44: 46, 46: 44}) in text
        lives.sound()
        claimed = lives.claim(case, str(back))
        assert lives.grant(case).state == "running"
        lives.receive(claimed, str(back))
    assert lives.grant(case).state == "closed"
    assert lives.grant(case).amount == Decimal(due)
    assert lives.money(case).recovered == back
    lives.sound()


@pytest.mark.parametrize(
    ("financing", "spent", "third"),
    [
        ("festbetrag", "190000", "0"),
        ("festbetrag", "200000", "10000"),
        ("anteil", "230000", "0"),
        ("fehlbedarf", "230000", "0"),
        ("festbetrag", "230000", "0"),
    ],
)
def test_nothing_comes_back_and_nothing_is_added(
    world: World, financing: str, spent: str, third: str
) -> None:
    lives = Lives.make(world, finanzierungsart=financing)
    case = drawn_in_full(lives, amount="180000")
    with on("2023-09-01"):
        proof = lives.prove(case, spent, third=third)
    assert lives.proof(proof).due == Decimal("180000.00")
    assert "Sie haben alles bekommen. Ihre Förderung ist damit abgeschlossen." in lives.letter(proof)
    grant = lives.grant(case)
    assert (grant.state, grant.closed_on) == ("closed", date(2023, 9, 1))
    assert lives.money(case).proven == Decimal("180000.00")
    lives.sound()


def test_the_last_rate_is_kept_until_the_proof_and_closes_the_grant(world: World) -> None:
    lives = Lives.make(world, einbehalt_prozent=10, budgets={2022: "180000"})
    with on("2022-01-10"):
        case = lives.award("180000", "200000", years={2022: "180000"}, ends="2022-12-31")
        assert (
            "Die letzten zehn Prozent zahlen wir, wenn Ihr Verwendungsnachweis geprüft ist."
            in lives.letter(case)
        )
        lives.waive(case)
        lives.draw(case, "162000")
        lives.pay()
    with on("2023-03-01"):
        proof = lives.prove(case, "190000")
        assert "Noch auszuzahlen sind 9.000,00 €. Rufen Sie sie als Schlussrate ab." in lives.letter(proof)
        # 171.000 are due: of the 18.000 that were kept, 9.000 are nobody's any more.
        assert lives.money(case).released == Decimal("9000.00")
        assert lives.grant(case).amount == Decimal("171000.00")
        with lives.w.clerk.acting():
            reduced = Award.objects.select_related("notice").get(grant__case=case, number=2)
        assert reduced.notice is not None, "what the proof reduced stands in its notice"
        assert reduced.notice.case_id == proof.id
        last = lives.draw(case, "9000", year=2022, used="162000", used_on="2022-12-01", final=True)
        assert lives.grant(case).state == "running"
        lives.pay()
    assert lives.drawdown(last).is_final
    assert lives.grant(case).state == "closed"
    assert lives.money(case).proven == Decimal("171000.00")
    assert lives.fresh(last).outcome == "granted"
    lives.sound()


def test_a_payment_that_bounces_after_the_end_opens_the_grant_again(world: World) -> None:
    lives = Lives.make(world, budgets={2022: "180000"})
    with on("2022-01-10"):
        case = lives.award("1000", "2000", years={2022: "1000"}, ends="2022-12-31")
        lives.waive(case)
        drawn = lives.draw(case, "1000")
        lives.pay()
        lives.prove(case, "2000", vouchers=[("2022-01-10", "2000")])
        assert lives.grant(case).state == "closed"
        lost = lives.payment(drawn)
        mark_returned(by=world.clerk, payment=lost.id, on=date(2022, 1, 10), reason="Konto erloschen")
        assert lives.grant(case).state == "running"
        money = lives.money(case)
        assert (money.ordered, money.proven) == (Decimal("1000.00"), Decimal("0.00"))
        lives.sound()
        order_again(by=world.approver, payment=lost.id, iban="DE02120300000000202051", holder="Gemeinde")
        lives.pay()
    assert lives.grant(case).state == "closed"
    assert lives.money(case).proven == Decimal("1000.00")
    lives.sound()


def test_what_the_bank_rejects_waits_for_another_account(world: World) -> None:
    lives = Lives.make(world)
    with on("2022-01-10"):
        case = lives.award("180000", "200000")
        lives.waive(case)
        one = lives.draw(case, "1000")
        two = lives.draw(case, "2000")
        lives.pay(rejected={lives.payment(one).end_to_end: "AC04"})
    assert (lives.payment(one).state, lives.payment(two).state) == ("returned", "paid")
    assert lives.fresh(one).state == "PROCESSING"
    money = lives.money(case)
    assert (money.ordered, money.paid) == (Decimal("1000.00"), Decimal("2000.00"))
    lives.sound()


def test_interim_and_final_proof_with_inventory(world: World) -> None:
    lives = Lives.make(world, zweckbindung_jahre=5)
    case = drawn_in_full(lives, amount="180000")
    scanner = ("Scanner", "2022-04-01", "1890")
    with on("2023-02-01"):
        lives.prove(case, "100000", kind="zwischen", items=[scanner, ("Maus", "2022-04-01", "20")])
        assert lives.money(case).proven == Decimal("90000.00")  # 90 per cent of what was spent so far
        grant = lives.grant(case)
        with world.clerk.acting():
            kept = list(grant.items.values_list("name", "earmarked_until"))
        assert kept == [("Scanner", date(2027, 4, 1))]
    with on("2023-09-01"):
        lives.prove(case, "200000", items=[scanner])
        with world.clerk.acting():
            assert lives.grant(case).items.count() == 1
    assert lives.grant(case).state == "closed"
    lives.sound()


def test_nothing_spent_gives_all_back(world: World) -> None:
    lives = Lives.make(world)
    with on("2022-01-10"):
        case = lives.award("180000", "200000")
        lives.waive(case)
        lives.draw(case, "50000")
        lives.pay()
    with on("2023-09-01"):
        proof = lives.hand_in_proof(case, "0")
        lives.found_complete(proof)
        lives.decide(proof, "0")
        assert lives.proof(proof).to_repay == Decimal("50000.00")
        assert lives.money(case).released == Decimal("130000.00")
        claimed = lives.claim(case, "50000")
        lives.receive(claimed, "50000")
    assert (lives.grant(case).state, lives.grant(case).amount) == ("closed", Decimal("0.00"))
    lives.sound()


def test_a_partly_accepted_proof_counts_what_was_accepted(world: World) -> None:
    lives = Lives.make(world)
    case = drawn_in_full(lives, amount="180000")
    with on("2023-09-01"):
        proof = lives.prove(case, "200000", accepted="190000")
        text = lives.letter(proof)
    assert lives.proof(proof).due == Decimal("171000.00")
    assert "wir erkennen Ausgaben von 190.000,00 Euro an." in text
    assert "Eingereicht hatten Sie 200.000,00 Euro." in text
    assert "Anteil an den Ausgaben" in text
    lives.sound()


def test_the_minor_amount_is_left_alone(world: World) -> None:
    lives = Lives.make(world, bagatelle="1000.00")
    case = drawn_in_full(lives, amount="180000")
    with on("2023-09-01"):
        proof = lives.prove(case, "199000")
    assert lives.proof(proof).due == Decimal("180000.00")
    assert any(step["label"] == "Bagatellgrenze" for step in lives.proof(proof).steps)
    assert lives.grant(case).state == "closed"


def test_the_award_holds_its_plan_and_its_dates(world: World) -> None:
    lives = Lives.make(world, zweckbindung_jahre=5, verwendungsnachweis_monate=12)
    with on("2022-01-10"):
        case = lives.award(
            "150000", "200000", third="30000", partners=["06532022"],
            plan=[("Software", "120000"), ("Schulung", "80000")],
        )  # fmt: skip
    grant = lives.grant(case)
    with world.clerk.acting():
        award = Award.objects.get(grant=grant)
    assert (award.cost, award.third_party, award.financing) == (Decimal(200000), Decimal(30000), "anteil")
    assert [row["wofuer"] for row in award.plan] == ["Software", "Schulung"]
    assert grant.partners == ["06532022"]
    assert (grant.proof_due_on, grant.earmarked_until) == (date(2024, 6, 30), date(2028, 6, 30))
    assert grant.notified_on == date(2022, 1, 10)
    assert award.notice_id
