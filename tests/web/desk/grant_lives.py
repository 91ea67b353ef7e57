"""Grants in every stage, for the pages of programmes: decided through the kernel, their money moved through the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.casework.conftest import World

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Party
from rathaus.domains.grants.actions.closing import close_if_done
from rathaus.domains.grants.actions.journal import Shift, post
from rathaus.domains.grants.actions.programme import provide
from rathaus.domains.grants.enums import (
    Account,
    ClaimReason,
    DrawdownState,
    MovementKind,
    PaymentState,
    ProofKind,
)
from rathaus.domains.grants.models import (
    BudgetLine,
    Claim,
    Drawdown,
    Grant,
    Measure,
    Payment,
    PaymentRun,
    Proof,
)

D = Decimal
IBAN = "DE02120300000000202051"


@dataclass
class Ministry:
    """A ministry that looks after grants; `world` has one programme „programm“ with the call „aufruf“."""

    world: World

    @property
    def system(self) -> Actor:
        return Actor.system(self.world.ministry.id)

    def provide(self, year: int, amount: str, **more: Any) -> BudgetLine:
        with self.system.acting():
            measure = Measure.objects.get(key="aufruf")
        return provide(by=self.system, measure=measure, year=year, amount=D(amount), **more)

    def award(
        self, amount: str = "900.00", *, year: int = 2025, party: Party | None = None, **fields: Any
    ) -> Grant:
        """Handed in, proposed, released; `fields` are set as the notice would."""
        world, party = self.world, party or self.world.lahnau_party
        by = world.lahnau_officer if party == world.lahnau_party else world.waldsolms_officer
        case = world.submit(by=by, party=party, betrag=amount, ausgaben=str(D(amount) * 2))
        complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
        proposal = {
            "ergebnis": "granted", "betrag": D(amount), "begruendung": "Gut.",
            "einzelheiten": {"jahre": {str(year): amount}},
        }  # fmt: skip
        complete_task(by=world.clerk, task=world.task(case).id, answers=proposal)
        complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
        with self.system.acting():
            Grant.objects.filter(case=case).update(**fields)
            return Grant.objects.get(case=case)

    def follow_up(self, grant: Grant) -> Case:
        """Some case about the grant."""
        case = self.world.submit(titel=f"Zu {grant.reference}")
        with self.system.acting():
            Case.objects.filter(id=case.id).update(about=grant.case_id)
        return case

    def shift(self, grant: Grant, kind: MovementKind, source: Account, target: Account, amount: str) -> None:
        with self.system.acting():
            line = BudgetLine.objects.get(balances__grant=grant, balances__account=Account.OPEN, kind="cash")
            post(
                by=self.system, authority=grant.authority_id, kind=kind, key=f"{kind}:{grant.id}:{clock.now()}",
                shifts=[Shift(line.id, source, target, D(amount))], grant=grant.id,
            )  # fmt: skip

    def draw(
        self, grant: Grant, amount: str, *, state: PaymentState = PaymentState.PAID, number: int = 1
    ) -> Payment:
        """A rate: ordered, paid, or come back."""
        case = self.follow_up(grant)
        self.shift(grant, MovementKind.ORDERED, Account.OPEN, Account.ORDERED, amount)
        with self.system.acting():
            common: dict[str, Any] = {
                "authority_id": grant.authority_id, "grant": grant, "party_id": grant.party_id, "amount": D(amount),
                "iban": IBAN, "holder": "Gemeinde",
            }  # fmt: skip
            reached = DrawdownState.PAID if state == PaymentState.PAID else DrawdownState.ORDERED
            drawdown = Drawdown.objects.create(case=case, number=number, year=2025, state=reached, **common)
            payment = Payment.objects.create(
                drawdown=drawdown, end_to_end=case.reference, state=state,
                paid_on=clock.today() if state == PaymentState.PAID else None,
                line=BudgetLine.objects.filter(balances__grant=grant).first(), **common,
            )  # fmt: skip
        if state == PaymentState.PAID:
            self.shift(grant, MovementKind.PAID, Account.ORDERED, Account.PAID, amount)
        return payment

    def hand_in_proof(self, grant: Grant, *, accepted: str = "", on: date | None = None) -> Proof:
        """A final proof; `accepted` is how much of what was paid it proves."""
        case = self.follow_up(grant)
        with self.system.acting():
            proof = Proof.objects.create(
                authority_id=grant.authority_id, grant=grant, party_id=grant.party_id, case=case, kind=ProofKind.FINAL,
                spent=D("1.00"), due=D("1.00"), submitted_on=on or clock.today(),
                state="accepted" if accepted else "submitted", decided_on=clock.today() if accepted else None,
            )  # fmt: skip
        if accepted:
            self.shift(grant, MovementKind.PROVEN, Account.PAID, Account.PROVEN, accepted)
        return proof

    def close(self, grant: Grant) -> None:
        with self.system.acting():
            assert close_if_done(by=self.system, grant=grant)

    def claim(self, grant: Grant, amount: str, *, due_on: date) -> Claim:
        """Claimed back; what is owed is not taken from the award here, only interest is, so that awards stay booked."""
        case = self.follow_up(grant)
        self.shift(grant, MovementKind.CLAIMED, Account.INTEREST, Account.INTEREST_DUE, amount)
        with self.system.acting():
            return Claim.objects.create(
                authority_id=grant.authority_id, grant=grant, party_id=grant.party_id, case=case,
                reason=ClaimReason.LATE_USE, amount=D("0.00"), interest=D(amount), due_on=due_on,
            )  # fmt: skip

    def run(self, payment: Payment, number: int = 41) -> PaymentRun:
        with self.system.acting():
            programme = Grant.objects.get(id=payment.grant_id).call.measure.programme
            run = PaymentRun.objects.create(
                authority_id=payment.authority_id, programme=programme, number=number, executes_on=clock.today(),
                total=payment.amount, count=1, prepared_by_id=self.world.clerk.account,
            )  # fmt: skip
            Payment.objects.filter(id=payment.id).update(state=PaymentState.IN_RUN, run=run)
            return run

    def every_stage(self) -> dict[str, Grant]:
        """A grant in each stage, by the value of the stage."""
        today = clock.today()
        before, after, long_ago = (
            today - timedelta(days=20),
            today + timedelta(days=90),
            today - timedelta(days=400),
        )
        period = {"begins_on": long_ago, "notified_on": long_ago}
        found = {
            "bewilligt": self.award("1000.00", ends_on=after, **period),
            "auszahlung": self.award("1000.01", ends_on=after, **period),
            "nachweis": self.award("1000.02", ends_on=before, proof_due_on=after, **period),
            "ueberfaellig": self.award(
                "1000.03", ends_on=long_ago + timedelta(days=1), proof_due_on=before, **period
            ),
            "pruefung": self.award("1000.04", ends_on=before, proof_due_on=before, **period),
            "geprueft": self.award("1000.05", ends_on=before, proof_due_on=before, **period),
            "rueckforderung": self.award("1000.06", ends_on=before, proof_due_on=before, **period),
            "abgeschlossen": self.award("1000.07", ends_on=before, proof_due_on=before, **period),
        }
        self.draw(found["auszahlung"], "500.01")
        self.draw(found["nachweis"], "1000.02")
        self.draw(found["pruefung"], "1000.04")
        self.hand_in_proof(found["pruefung"], on=today - timedelta(days=12))
        self.draw(found["geprueft"], "900.05")
        self.hand_in_proof(found["geprueft"], accepted="900.05")
        self.claim(found["rueckforderung"], "19.44", due_on=before)
        self.draw(found["abgeschlossen"], "1000.07")
        self.hand_in_proof(found["abgeschlossen"], accepted="1000.07")
        self.close(found["abgeschlossen"])
        return found
