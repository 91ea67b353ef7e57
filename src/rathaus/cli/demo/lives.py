"""What the lives of grants are made of: waive, draw and pay, prove, claim, repay. Each on a day, for many at once.

What was done on the same day already is not done again where the docstring says that it goes on; a chapter made of such
steps alone may be interrupted. What the municipalities spend, and when, is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.actions.timers import fire_timers
from rathaus.casework.cases.models import Notice, Task
from rathaus.cli.demo.people import Hands, yes
from rathaus.cli.demo.troubles import Troubles
from rathaus.core import clock
from rathaus.core.files.actions import read
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions import closing, payments, receipts
from rathaus.domains.grants.enums import PaymentState, ProofKind, ProofState, RunState
from rathaus.domains.grants.models import Award, Claim, Drawdown, Grant, Payment, PaymentRun, Programme, Proof
from rathaus.integrations.bank import demo_bank
from rathaus.integrations.bank.actions import release_run, take_return_file
from rathaus.law.money import share_largest_remainder

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
IBAN, OTHER_IBAN, PAYER = "DE02120300000000202051", "DE02500105170137075030", "DE02100500000054540402"
AT_ONCE = 10  # of ten municipalities nine waive the remedy to get the money at once
FEW = 40  # cases, for which no workers need to be started
NOTHING = Decimal("0.00")
REPORT = "Wir haben das Vorhaben wie beantragt umgesetzt; alle Arbeitsplätze sind ausgestattet."


class Lives:
    """The steps, as one ministry's people and its municipalities take them."""

    def __init__(self, hands: Hands, progress: Progress, troubles: Troubles) -> None:
        self.hands, self.progress, self.troubles = hands, progress, troubles

    def grants_of(self, call: UUID) -> list[Grant]:
        """The grants of a call, in the order of their numbers."""
        with self.hands.clerk.acting():
            return list(
                Grant.objects.filter(call_id=call)
                .select_related("case", "call__measure")
                .order_by("reference")
            )

    def waive(self, day: str, grants: Iterable[Grant]) -> None:
        """Waive the remedy, so that the money comes at once. Goes on."""
        grants = list(grants)
        with self.hands.living(day, many=len(grants) > FEW):
            for grant in self._each("Auf Rechtsbehelf verzichten", grants):
                town = self.hands.town(grant.party_id)
                with town.acting():
                    notice = Notice.objects.filter(case_id=grant.case_id, waived_at=None).first()
                if notice:
                    waive_remedy(by=town, notice=notice)

    def draw(
        self,
        day: str,
        title: str,
        wanted: Iterable[tuple[Grant, Decimal]],
        *,
        bounced: int = 0,
    ) -> None:
        """Ask for money, decide about it, pay it with the preview's bank; `bounced` of the payments come back. Goes on."""
        wanted = list(wanted)
        with self.hands.living(day, many=len(wanted) > FEW):
            with self.hands.clerk.acting():
                asked = set(
                    Drawdown.objects.filter(requested_on=clock.today()).values_list("grant_id", flat=True)
                )
            for grant, amount in self._each(title, wanted):
                if grant.id not in asked:
                    self.ask(grant, amount)
            self.decide(f"{title}: entscheiden")
            self.pay(bounced=bounced)

    def ask(self, grant: Grant, amount: Decimal, *, is_final: bool = False, **changes: Any) -> None:
        """Hand in a request for money of the current year."""
        with self.hands.clerk.acting():
            before = Payment.objects.filter(grant=grant, state="paid").values_list("amount", flat=True)
            used = sum(before, NOTHING)
        answers: dict[str, Any] = {
            "haushaltsjahr": clock.today().year,
            "schlussrate": is_final,
            "betrag": str(amount),
            "bedarf": "Rechnungen der nächsten Wochen",
            "schon_ausgezahlt": bool(used),
            "iban": IBAN,
            "inhaber": grant.recipient_name[:70],
            "richtig": True,
        }
        if used:
            answers |= {
                "verwendet": str(used),
                "verwendet_am": (clock.today() - timedelta(days=1)).isoformat(),
            }
        self.hands.hand_in("mittelabruf", grant, {**answers, **changes})

    def decide(self, title: str, answers: Callable[[Task], dict[str, Any] | None] = yes) -> None:
        self.hands.work_off(lambda done, total: self.progress(title, done, total), answers=answers)

    def pay(self, *, bounced: int = 0) -> None:
        """A run for each programme that has something to pay; what comes back is ordered anew and paid with the next.

        Goes on: a run that was begun is brought to its end first.
        """
        for run in self._runs_begun():
            self._finish(run, bounced=bounced)
            bounced = 0
        for back in (bounced, 0):
            with self.hands.clerk.acting():
                ordered = Payment.objects.filter(state=PaymentState.ORDERED)
                ids = set(ordered.values_list("grant__call__measure__programme_id", flat=True))
                programmes = list(Programme.objects.filter(id__in=ids))
            for programme in programmes:
                run = payments.prepare_run(
                    by=self.hands.clerk, programme=programme, executes_on=clock.today()
                )
                self._finish(run, bounced=back)
                back = 0

    def _runs_begun(self) -> list[PaymentRun]:
        with self.hands.clerk.acting():
            return list(PaymentRun.objects.exclude(state=RunState.DONE).order_by("number"))

    def _finish(self, run: PaymentRun, *, bounced: int) -> None:
        clerk, approver = self.hands.clerk, self.hands.approver
        if run.state == RunState.PREPARED:
            release_run(by=approver, run=run.id)
        with clerk.acting():
            found = PaymentRun.objects.select_related("blob").get(id=run.id)
            assert found.blob is not None
            order = read(found.blob)
            references = list(found.payments.order_by("id").values_list("end_to_end", flat=True))
        returned = dict.fromkeys(references[:bounced], "AC04")
        for number, answer in enumerate(demo_bank.answer(order, at=clock.now(), returned=returned)):
            name = f"rueckmeldung-{run.number}-{number + 1}.xml"
            take_return_file(by=clerk, name=name, content=answer)
            self.troubles.expect(
                "Rückmeldung der Bank zweimal eingelesen",
                partial(take_return_file, by=clerk, name=name, content=answer),
            )
        with clerk.acting():
            came_back = list(Payment.objects.filter(run=run, state=PaymentState.RETURNED))
        for payment in came_back:
            self.troubles.note("Überweisung kam zurück, neu angeordnet")
            payments.order_again(by=approver, payment=payment.id, iban=OTHER_IBAN, holder=payment.holder)
        self.progress("Zahlungslauf", 1, 1)

    # --- proof ---

    def prove(
        self,
        day: str,
        title: str,
        grants: Sequence[Grant],
        *,
        share: Callable[[Grant], Decimal] = lambda grant: Decimal(1),
        answers: Callable[[Task], dict[str, Any] | None] = yes,
        items: Sequence[dict[str, str]] = (),
    ) -> None:
        """Hand in proofs that spend `share` of the planned cost, and decide about them. Goes on."""
        with self.hands.living(day, many=len(grants) > FEW):
            for grant in self._each(title, grants):
                with self.hands.clerk.acting():
                    proofs = Proof.objects.filter(grant=grant, kind=ProofKind.FINAL)
                    is_there = proofs.filter(state__in=[ProofState.SUBMITTED, ProofState.ACCEPTED]).exists()
                if not is_there:
                    self.hand_in_proof(grant, share(grant), items=items)
            self.decide(f"{title}: prüfen", answers)

    def hand_in_proof(
        self,
        grant: Grant,
        share: Decimal,
        *,
        items: Sequence[dict[str, str]] = (),
        off: Decimal = NOTHING,
    ) -> None:
        """A proof whose vouchers add up; `off` makes them differ by an amount."""
        with self.hands.clerk.acting():
            award = Award.objects.filter(grant=grant).order_by("-number")[0]
        spent = (award.cost * share).quantize(Decimal("0.01"))
        parts = share_largest_remainder(spent, [3, 2])
        first = award.begins_on or grant.awarded_on
        rows = [
            {
                "datum": (first + timedelta(days=60 * (number + 1))).isoformat(),
                "empfaenger": f"Systemhaus {'AB'[number]} GmbH",
                "grund": ("Software und Einrichtung", "Geräte und Schulung")[number],
                "betrag": str(part + (off if number else NOTHING)),
            }
            for number, part in enumerate(parts)
            if part
        ]
        answers: dict[str, Any] = {
            "art": ProofKind.FINAL,
            "sachbericht": REPORT,
            "ziel": "Das Ziel ist erreicht.",
            "zeilen": [{"wofuer": "Digitalisierung", "betrag": str(spent)}]
            if not award.plan
            else _as_planned(award, spent),
            "dritte": "0.00",
            "belege": rows,
            "inventar": list(items),
            "notwendig": True,
            "richtig": True,
        }
        self.hands.hand_in("verwendungsnachweis", grant, answers)

    # --- money back ---

    def claim(self, day: str, grants: Sequence[Grant], **answers: Any) -> None:
        """Open a claim for each grant: the hearing begins."""
        with self.hands.living(day):
            for grant in self._each("Rückforderung: anhören", grants):
                with self.hands.clerk.acting():
                    proof = (
                        Proof.objects.filter(grant=grant, state=ProofState.ACCEPTED).order_by("-id").first()
                    )
                    paid = (
                        Payment.objects.filter(grant=grant, paid_on__isnull=False)
                        .order_by("-paid_on")
                        .first()
                    )
                given: dict[str, Any] = {
                    "grund": "nachweis",
                    "betrag": str(proof.to_repay if proof else NOTHING),
                    "sachverhalt": "Nach dem geprüften Verwendungsnachweis haben Sie weniger ausgegeben als bewilligt.",
                    "zinsen_ab": (paid.paid_on + timedelta(days=1)).isoformat()
                    if paid and paid.paid_on
                    else None,
                }
                given |= answers
                self.hands.open("rueckforderung", grant, {k: v for k, v in given.items() if v is not None})

    def hear_and_decide(self, day: str) -> None:
        """The time for an answer is over: the claims are proposed, released and fixed by a notice."""
        with self.hands.living(day):
            fire_timers(by=Actor.system(self.hands.house.ministry.id))
            self.decide("Rückforderung: entscheiden", answers=_after_the_hearing)

    def repay(self, day: str, claims: Iterable[Claim], *, share: Decimal = Decimal(1)) -> None:
        """Money comes in on claims."""
        with self.hands.living(day):
            for claim in self._each("Rückzahlungen", claims):
                self._receive(claim, (receipts.open_principal(claim) * share).quantize(Decimal("0.01")), "1")
                if share == 1:  # the interest is known when the money is there
                    with self.hands.clerk.acting():
                        claim.refresh_from_db()
                        owed = receipts.open_interest(claim)
                    self._receive(claim, owed, "2")

    def _receive(self, claim: Claim, amount: Decimal, number: str) -> None:
        if amount:
            reference = f"EIN-{clock.today():%Y%m%d}-{str(claim.id)[-8:]}-{number}"
            receipts.record_receipt(
                by=self.hands.clerk, claim=claim.id, amount=amount, on=clock.today(), reference=reference
            )

    def open_claims(self) -> list[Claim]:
        with self.hands.clerk.acting():
            found = Claim.objects.filter(settled_on=None, waived_at=None).select_related("grant", "case")
            return list(found.order_by("case__reference"))

    # --- small things ---

    def _each(self, title: str, things: Iterable[T]) -> Iterable[T]:
        rows = list(things)
        for number, row in enumerate(rows, 1):
            yield row
            self.progress(title, number, len(rows))


def _as_planned(award: Award, spent: Decimal) -> list[dict[str, str]]:
    """Figures in the order of the plan that add up to what was spent."""
    weights = [Decimal(str(row["betrag"])) for row in award.plan]
    parts = share_largest_remainder(spent, weights)
    return [
        {"wofuer": str(row.get("wofuer", ""))[:120], "betrag": str(part)}
        for row, part in zip(award.plan, parts, strict=True)
    ]


def drawn_nothing(hands: Hands, grants: Iterable[Grant]) -> list[Grant]:
    """Those that never asked for money."""
    with hands.clerk.acting():
        drawn = set(Drawdown.objects.exclude(state="refused").values_list("grant_id", flat=True))
    return [grant for grant in grants if grant.id not in drawn]


def rest_lapses(hands: Hands, grants: Iterable[Grant]) -> int:
    """Take back what was never drawn, after the end of the year."""
    done = 0
    for grant in grants:
        if grant.amount:
            closing.release_rest(by=hands.approver, grant=grant.id)
            done += 1
    return done


def _after_the_hearing(task: Task) -> dict[str, Any]:
    """What is claimed stays as it was announced."""
    given = yes(task)
    if "begruendung" in given:
        given["begruendung"] = "Die Anhörung hat nichts ergeben, was dagegen spricht."
    return given
