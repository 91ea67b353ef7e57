"""Events of a grant in an order that nobody planned: each is refused with its reason, or comes out to the cent."""

from __future__ import annotations

import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from tests.casework.conftest import World, committed_world
from tests.casework.test_races import at_once
from tests.domains.test_random_lives import BEGIN, IBAN, Place, on, place

from rathaus.casework.cases.actions.remedies import note_remedy, settle_remedy
from rathaus.casework.cases.models import Case, Notice
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.domains.grants.actions import payments
from rathaus.domains.grants.actions.claims import to_repay
from rathaus.domains.grants.actions.receipts import record_receipt
from rathaus.domains.grants.models import Balance, Claim, Grant, Item, Payment, Programme
from rathaus.domains.grants.queries.books import check_invariants
from rathaus.law.days import add_months

__all__ = ["committed_world", "place"]

D = Decimal


class Life:
    """One grant, step by step, each step today."""

    def __init__(
        self,
        place: Place,
        *,
        amount: str = "900.00",
        cost: str = "1000.00",
        call: int = 0,
        years: dict[int, str] | None = None,
    ) -> None:
        self.place = place
        self.case = place.case(call)
        by_year = {year: D(value) for year, value in (years or {2023: amount}).items()}
        place.run(
            self.case, "grants.award", amount=D(amount), years=by_year, ausgaben=D(cost), beginn=BEGIN,
            ende=date(2025, 12, 31), plan=[{"wofuer": "Alles", "betrag": cost}],
        )  # fmt: skip
        place.notify(self.case)
        with place.system.acting():
            self.grant = Grant.objects.select_related("case", "call").get(case=self.case)

    def about(self) -> Case:
        return self.place.case(0, about=self.case)

    def request(
        self, amount: str, *, used: str | None = None, final: bool = False, year: int | None = None
    ) -> Case:
        case = self.about()
        self.place.run(
            case, "grants.drawdown.request", betrag=D(amount), jahr=D(year or clock.today().year), iban=IBAN,
            inhaber="Lahnau", verwendet=D(used) if used else None,
            verwendet_am=clock.today() if used else None, schlussrate=final,
        )  # fmt: skip
        return case

    def order(self, case: Case, amount: str) -> None:
        self.place.run(case, "grants.drawdown.order", amount=D(amount))

    def draw(self, amount: str, **request: Any) -> Payment:
        case = self.request(amount, **request)
        self.order(case, amount)
        with self.place.system.acting():
            return Payment.objects.get(drawdown__case=case)

    def send(self) -> None:
        """All that is ordered goes to the bank."""
        w = self.place.w
        with self.place.system.acting():
            programme = Programme.objects.get(key="leben")
        run = payments.prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())
        payments.release_run(by=w.approver, run=run.id, make_file=lambda *_: b"x")

    def pay(self, *payments_: Payment) -> None:
        self.send()
        for payment in payments_:
            payments.mark_paid(by=self.place.w.clerk, payment=payment.id, on=clock.today())

    def drawn(self, amount: str, **request: Any) -> Payment:
        payment = self.draw(amount, **request)
        self.pay(payment)
        return payment

    def submit(self, spent: str, *, kind: str = "verwendung") -> Case:
        case = self.about()
        self.place.run(
            case, "grants.proof.submit", art=kind, zeilen=[{"wofuer": "Alles", "betrag": D(spent)}]
        )
        return case

    def prove(self, spent: str, **proof: Any) -> Case:
        case = self.submit(spent, **proof)
        self.place.run(case, "grants.proof.accept", amount=D(spent))
        return case

    def change(self, amount: str, years: dict[int, str], case: Case | None = None, **more: Any) -> None:
        self.place.run(
            case or self.about(),
            "grants.change.apply",
            amount=D(amount),
            years={year: D(value) for year, value in years.items()},
            **more,
        )

    def claim(self, amount: str, *, reason: str = "nachweis", **more: Any) -> Claim:
        case = self.about()
        self.place.run(case, "grants.claim.make", amount=D(amount), grund=reason, **more)
        with self.place.system.acting():
            return Claim.objects.get(case=case)

    def repay(self, claim: Claim, amount: str) -> None:
        record_receipt(
            by=self.place.w.clerk,
            claim=claim.id,
            amount=D(amount),
            on=clock.today(),
            reference=f"K {claim.id}",
        )

    def on(self, account: str) -> Decimal:
        with self.place.system.acting():
            return sum(
                Balance.objects.filter(grant=self.grant, account=account).values_list("amount", flat=True),
                D(0),
            )

    def now(self) -> Grant:
        with self.place.system.acting():
            return Grant.objects.get(id=self.grant.id)

    def sound(self) -> None:
        assert check_invariants(self.place.system).faults == ()


@pytest.fixture
def begun(place: Place) -> Life:
    with on(BEGIN):
        return Life(place)


def test_nothing_changes_after_the_accepted_proof(place: Place) -> None:
    with on(BEGIN):
        life = Life(place, years={2023: "500.00", 2024: "400.00"})
        life.drawn("500.00")
        early = life.about()
        life.place.run(early, "grants.change.check")
        life.prove("1000.00")  # 400 of 2024 are still due
        with pytest.raises(Refused, match="Verwendungsnachweis"):
            life.change("5000.00", {2023: "500.00", 2024: "4500.00"}, case=early, ausgaben=D("9000.00"))
        with pytest.raises(Refused, match="Verwendungsnachweis"):
            life.place.run(life.about(), "grants.change.check")


def test_a_closed_grant_is_not_changed_by_an_old_request(begun: Life) -> None:
    with on(BEGIN):
        early = begun.about()
        begun.place.run(early, "grants.change.check")
        begun.drawn("900.00")
        begun.prove("1000.00")
        assert begun.now().state == "closed"
        with pytest.raises(Refused, match="ist abgeschlossen"):
            begun.change("5000.00", {2023: "5000.00"}, case=early, ausgaben=D("9000.00"))


def test_the_retained_rate_holds_at_the_order_too(place: Place) -> None:
    with on(BEGIN):
        life = Life(place, call=1, amount="1000.00", cost="2000.00")  # 10 % retained
        case = life.request("900.00")
        life.change("900.00", {2023: "900.00"})
        with pytest.raises(Refused, match="behalten"):
            life.order(case, "900.00")
        life.order(case, "810.00")


def test_money_of_a_later_year_waits_for_it_also_as_the_last_rate(place: Place) -> None:
    with on(BEGIN):
        life = Life(place, years={2023: "500.00", 2024: "400.00"})
        life.drawn("500.00")
        life.prove("1000.00")
        with pytest.raises(Refused, match=r"ab dem 1\. Januar 2024"):
            life.request("400.00", used="500.00", final=True, year=2024)
    with on(date(2024, 1, 2)):
        life.drawn("400.00", used="500.00", final=True, year=2024)
        assert life.now().state == "closed"
        life.sound()


def test_an_old_rate_that_lies_unused_stops_the_next(begun: Life) -> None:
    with on(date(2023, 2, 1)):
        begun.drawn("300.00")
    with on(date(2023, 3, 31)):
        begun.drawn("300.00", used="100.00")  # still in time
    with on(date(2023, 4, 15)):  # the first rate's two months are over, the second's are not
        with pytest.raises(Refused, match=r"200,00.€ nicht verwendet"):
            begun.request("100.00", used="100.00")
        begun.request("100.00", used="300.00")


def test_unused_money_that_was_given_back_stops_nothing(begun: Life) -> None:
    with on(date(2023, 2, 1)):
        begun.drawn("300.00")
    with on(date(2023, 6, 1)):
        with pytest.raises(Refused, match="nicht verwendet"):
            begun.request("100.00", used="100.00")
        claim = begun.claim("200.00", reason="widerruf", offenes=False)
        begun.repay(claim, "200.00")
        begun.request("100.00", used="300.00")  # or 100.00: nobody asks what became of what came back


def test_a_payment_on_its_way_counts_in_the_proof(begun: Life) -> None:
    with on(BEGIN):
        begun.drawn("450.00")
        second = begun.draw("450.00", used="450.00")
        proof = begun.submit("600.00")
        begun.place.run(proof, "grants.proof.accept", amount=D("600.00"))  # 540 are due
        begun.pay(second)
        assert (begun.on("paid"), begun.on("proven")) == (D("360.00"), D("540.00"))
        with begun.place.system.acting():
            assert to_repay(begun.now()) == D("360.00")
        claim = begun.claim("360.00")
        begun.repay(claim, "360.00")
        assert begun.now().state == "closed"
        begun.sound()


def test_a_revocation_in_part_leaves_no_more_to_repay_than_is_too_much(begun: Life) -> None:
    with on(BEGIN):
        begun.drawn("900.00")
        begun.prove("600.00")  # 540 are due, 360 too much
        first = begun.claim("300.00", reason="widerruf")
        begun.repay(first, "300.00")
        with pytest.raises(Refused, match=r"noch 60,00"):
            begun.claim("360.00")
        begun.repay(begun.claim("60.00"), "60.00")
        assert begun.now().state == "closed"
        assert begun.on("proven") == D("540.00")


def test_an_interim_proof_comes_before_the_final_one(begun: Life) -> None:
    with on(BEGIN):
        begun.drawn("900.00")
        interim = begun.submit("1000.00", kind="zwischen")
        begun.prove("600.00")
        with pytest.raises(Refused, match="Verwendungsnachweis"):
            begun.place.run(interim, "grants.proof.accept", amount=D("1000.00"))
        with pytest.raises(Refused, match="Verwendungsnachweis"):
            begun.submit("1000.00", kind="zwischen")
        assert begun.on("paid") == D("360.00")


def test_interest_for_late_use_ends_today_at_the_latest(begun: Life) -> None:
    with on(date(2023, 2, 1)):
        begun.drawn("900.00")
    with on(date(2023, 8, 1)), pytest.raises(Refused, match="Zukunft"):
        begun.place.run(
            begun.about(),
            "grants.claim.examine",
            grund="verspaetet",
            betrag=D("900.00"),
            ausgezahlt_am=date(2023, 2, 1),
            verwendet_am=date(2025, 1, 1),
        )


def test_interest_for_late_use_begins_with_a_payment(begun: Life) -> None:
    with on(date(2023, 2, 1)):
        begun.drawn("900.00")
    with on(date(2023, 8, 1)), pytest.raises(Refused, match=r"Bis zum 1\..Februar 2021 sind 0,00"):
        begun.place.run(
            begun.about(),
            "grants.claim.examine",
            grund="verspaetet",
            betrag=D("900.00"),
            ausgezahlt_am=date(2021, 2, 1),
            verwendet_am=date(2023, 7, 1),
        )


def test_interest_on_a_claim_does_not_begin_before_the_money_was_paid(begun: Life) -> None:
    with on(date(2023, 2, 1)):
        begun.drawn("900.00")
    with on(date(2023, 8, 1)), pytest.raises(Refused, match="frühestens"):
        begun.claim("900.00", reason="widerruf", zinsen_ab=date(2020, 1, 1))


def test_half_a_cent_of_something_sold_is_rounded_up(place: Place) -> None:
    with on(BEGIN):
        life = Life(place, amount="1000.00", cost="2000.00")
        life.drawn("1000.00")
        with place.system.acting():
            Item.objects.create(
                authority_id=life.grant.authority_id, grant=life.grant, party_id=life.grant.party_id, name="Server",
                price=D("1000.01"), bought_on=BEGIN, earmarked_until=add_months(BEGIN, 60) - timedelta(days=1),
            )  # fmt: skip
        told = place.run(life.about(), "grants.item.examine", gegenstand="Server", am=BEGIN)
        assert told["betrag"] == D("500.01")  # half of it is 500.005


def test_an_objection_stops_a_payment_on_its_way(place: Place) -> None:
    with on(BEGIN):
        life, other, w = Life(place), Life(place), place.w
        with place.system.acting():
            Notice.objects.filter(case=life.case).update(waived_at=None, waived_by=None)
            notice = Notice.objects.get(case=life.case)
            programme = Programme.objects.get(key="leben")
    with on(notice.remedy_until + timedelta(days=1)):
        held = life.draw("300.00")
        free = other.draw("200.00")
        remedy = note_remedy(
            by=w.clerk,
            notice=notice.id,
            kind="objection",
            received_on=notice.remedy_until,
            note="Kam per Post.",
        )
        run = payments.prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())
        assert (run.count, run.total) == (1, free.amount)
        with pytest.raises(Refused, match="läuft ein Rechtsbehelf"):
            payments.prepare_run(
                by=w.clerk, programme=programme, executes_on=clock.today(), payments=[held.id]
            )
        settle_remedy(by=w.clerk, remedy=remedy.id, settled_on=clock.today(), result="withdrawn")
        run = payments.prepare_run(by=w.clerk, programme=programme, executes_on=clock.today())
        assert run.total == held.amount
        note_remedy(by=w.clerk, notice=notice.id, kind="action", received_on=notice.remedy_until)
        with pytest.raises(Refused, match="neu vor"):
            payments.release_run(by=w.approver, run=run.id, make_file=lambda *_: b"x")


def test_an_open_claim_stops_a_payment_on_its_way(begun: Life) -> None:
    with on(BEGIN):
        begun.drawn("450.00")
        waiting = begun.draw("450.00", used="450.00")
        begun.prove("200.00")  # 180 are due
        claim = begun.claim("270.00")
        with pytest.raises(Refused, match="Eine Rückforderung ist offen"):
            begun.send()
        begun.repay(claim, "270.00")
        begun.pay(waiting)
        begun.repay(begun.claim("450.00"), "450.00")
        assert (begun.on("proven"), begun.now().state) == (D("180.00"), "closed")
        begun.sound()


def test_a_payment_and_the_next_order_wait_for_each_other_and_not_in_a_circle(committed_world: World) -> None:
    """Whoever orders holds the grant and then takes its balances; so must who pays."""
    with on(BEGIN):
        life = Life(Place(committed_world))
        payment = life.draw("300.00")
        life.send()
        second = life.request("200.00")
        held = threading.Event()

        def order() -> None:
            with on(BEGIN), life.place.system.acting():
                Grant.objects.select_for_update(of=("self",)).get(id=life.grant.id)
                held.set()
                _wait_until_somebody_waits()
                life.order(second, "200.00")

        def pay() -> None:
            held.wait(10)
            with on(BEGIN):
                payments.mark_paid(by=life.place.w.clerk, payment=payment.id, on=clock.today())

        assert at_once(order, pay) == [None, None]
        assert (life.on("ordered"), life.on("paid")) == (D("200.00"), D("300.00"))
        life.sound()


def _wait_until_somebody_waits() -> None:
    """Until another connection waits for a lock that somebody else holds."""
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody came")
