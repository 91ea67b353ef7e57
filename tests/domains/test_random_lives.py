"""Random lives of grants: whatever happens in whatever order, also at once, not a cent drifts.

The operations run as processes run them (`Run.call`) and the actions as people call them, on the real database. A model
of its own counts what the bank paid and what came back. `RATHAUS_LIVES=3000` plays many more than the suite does.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.casework.conftest import World, committed_world, make_world
from tests.casework.packages import PROCESS, probe
from tests.casework.test_races import at_once

from rathaus.casework.cases.enums import DecisionState
from rathaus.casework.cases.models import Case, Decision, Notice
from rathaus.casework.cases.steps import lock
from rathaus.casework.records.models import Document
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.operations import Refused, find
from rathaus.core import clock
from rathaus.core.files.actions import keep
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions import closing, payments, receipts
from rathaus.domains.grants.actions.programme import provide, set_up_call
from rathaus.domains.grants.actions.receipts import agree_instalments, record_receipt, waive
from rathaus.domains.grants.enums import Account, DrawdownState, LineKind, PaymentState
from rathaus.domains.grants.models import (
    Balance,
    BudgetLine,
    Claim,
    Drawdown,
    Grant,
    Measure,
    Payment,
    PaymentRun,
    Programme,
    Proof,
)
from rathaus.domains.grants.queries.books import check_invariants
from rathaus.law.money import share_largest_remainder

__all__ = ["committed_world"]

YEARS = (2023, 2024, 2025)
BEGIN = date(2023, 1, 10)
MANY = 100  # so many lives reach every move; fewer may miss one by chance
LAST_KNOWN = date(2025, 12, 30)  # base rates are known until the end of 2025
IBAN = "DE02120300000000202051"
MANIFEST_PARAMETERS = """
finanzierungsart = "{financing}"
bagatelle = "{minor}"
einbehalt_prozent = {retained}
mittelabruf_monate = 2
verwendungsnachweis_monate = 12
zweckbindung_jahre = 5
"""


class Place:
    """A ministry with a call for each financing type, and a town; cases are opened as the office opens them."""

    def __init__(self, world: World) -> None:
        self.w = world
        self.system = Actor.system(world.ministry.id)
        self.calls: list[Any] = []
        for number, (financing, minor, retained) in enumerate(
            (
                ("anteil", "0.00", 0),
                ("fehlbedarf", "500.00", 10),
                ("festbetrag", "0.00", 5),
                ("voll", "1.00", 0),
            )
        ):
            key = f"leben-{number}"
            manifest = (
                probe()["leistung.toml"].replace('"probe"', f'"{key}"').replace('"PRB"', f'"LEB{number}"')
            )
            manifest += MANIFEST_PARAMETERS.format(financing=financing, minor=minor, retained=retained)
            version = publish_package(
                by=self.system,
                files={**probe(), "leistung.toml": manifest, "prozess.bpmn": _without_rules(PROCESS)},
            )
            offer = offer_service(
                by=self.system, authority=world.ministry, version=version, slug=key, prefix=f"LEB{number}"
            )
            money = {year: Decimal("20000.00") for year in YEARS}
            self.calls.append(
                set_up_call(
                    by=self.system, programme="leben", programme_title="Leben", key=key, title=key, offer=offer,
                    budgets=money, commitments=money if number % 2 else {}, measure=f"m{number % 2}", measure_title="M",
                )
            )  # fmt: skip
        manifest = probe()["leistung.toml"].replace('"probe"', '"folge"').replace('"PRB"', '"FOL"')
        files = {
            **probe(),
            "leistung.toml": manifest.replace("ermessen = true", "ermessen = true\nbezug = true"),
        }
        version = publish_package(by=self.system, files={**files, "prozess.bpmn": _without_rules(PROCESS)})
        self.follow_up = offer_service(
            by=self.system, authority=world.ministry, version=version, slug="folge", prefix="FOL"
        )
        with self.system.acting():
            Programme.objects.filter(key="leben").update(payer_iban=IBAN, payer_name="Land")

    def case(self, call: int, about: Case | None = None) -> Case:
        from rathaus.casework.cases.actions.submission import submit_application
        from rathaus.core.tenancy import new_id

        return submit_application(
            by=self.system, offer=self.follow_up if about else self.calls[call].offer,
            party=self.w.lahnau_party, submission=new_id(),
            answers={"titel": "Leben", "betrag": "1.00", "ausgaben": "1.00"}, about=about,
        )  # fmt: skip

    def run(
        self,
        case: Case,
        operation: str,
        *,
        amount: Decimal | None = None,
        years: dict[int, Decimal] | None = None,
        **arguments: Any,
    ) -> Any:
        """An operation as a step of the case runs it, after a decision that two people made."""
        with self.system.acting():
            step = lock(case.id, by=self.system)
            if amount is not None:
                step.decision = Decision.objects.create(
                    authority_id=case.authority_id, case=case, party_id=case.party_id, outcome="granted",
                    amount=amount, reasons="So ist es.", state=DecisionState.DECIDED, proposed_at=clock.now(),
                    proposed_by_id=self.w.clerk.account, decided_at=clock.now(), decided_by_id=self.w.approver.account,
                    details={"jahre": {str(y): str(v) for y, v in (years or {}).items()}},
                )  # fmt: skip
            named = find(operation)
            result = named.run(step, **named.convert(arguments))
            step.write()
            return result

    def notify(self, case: Case) -> None:
        """A notice that is final at once, as after a waiver."""
        with self.system.acting():
            blob = keep(authority=case.authority_id, content=b"%PDF-", media_type="application/pdf")
            document = Document.objects.create(
                authority_id=case.authority_id, case_id=case.id, party_id=case.party_id, kind="notice", title="B",
                file_name="b.pdf", blob=blob, sha256=blob.sha256, size=5, media_type="application/pdf", origin="M",
            )  # fmt: skip
            today = clock.today()
            Notice.objects.create(
                authority_id=case.authority_id, case=case, party_id=case.party_id, document=document, issued_on=today,
                decision=Decision.objects.get(case=case), deemed_on=today, remedy="action",
                remedy_until=today + timedelta(days=30), waived_at=clock.now(), waived_by_id=self.w.lahnau_officer.account,
            )  # fmt: skip
        self.run(case, "grants.notified")


def _without_rules(process: str) -> str:
    """The probe's process with its rule check made a message: rules are not what is played here."""
    start = process.index('<bpmn:serviceTask id="regeln"')
    end = process.index("</bpmn:serviceTask>", start)
    task = (
        '<bpmn:serviceTask id="regeln" name="Eingang" r:operation="messages.send"><bpmn:extensionElements>'
        """<r:argument name="text" value='"Eingegangen."'/></bpmn:extensionElements>"""
    )
    return process[:start] + task + process[end:]


@contextmanager
def on(day: date) -> Iterator[None]:
    with clock.living_at(datetime.combine(day, time(9), UTC)):
        yield


class Books:
    """What happened, counted apart from the journal, in euros."""

    def __init__(self) -> None:
        self.paid = self.received = self.budget = Decimal("0.00")
        self.refused: dict[str, int] = {}
        self.done: dict[str, int] = {}

    def note(self, name: str, act: Callable[[], Any]) -> Any:
        """Do something that may be refused; anything else is a fault."""
        try:
            with transaction.atomic():
                result = act()
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        except Refused as wrong:
            why = f"{name}: {str(wrong)[:60]}"
            self.refused[why] = self.refused.get(why, 0) + 1
            return None
        self.done[name] = self.done.get(name, 0) + 1
        return result


class Life:
    """The moves. `pick` chooses: from hypothesis, or a random number generator of a thread."""

    def __init__(self, place: Place, books: Books, pick: Callable[[list[Any]], Any]) -> None:
        self.place, self.books, self.pick = place, books, pick
        self.w = place.w

    def euros(self, *more: Decimal) -> Decimal:
        return self.pick(
            [Decimal(text) for text in ("0.01", "1.00", "33.33", "500.00", "1234.56", "9999.99", "30000.00")]
            + list(more)
        )

    def grants(self) -> list[Grant]:
        with self.place.system.acting():
            return list(Grant.objects.select_related("case", "call").order_by("id"))

    def one(self) -> Grant | None:
        found = self.grants()
        return self.pick(found) if found else None

    def about(self, grant: Grant) -> Case:
        return self.place.case(self._call(grant), about=grant.case)

    def _call(self, grant: Grant) -> int:
        return next(n for n, call in enumerate(self.place.calls) if call.id == grant.call_id)

    def of(self, grant: Grant, account: Account, year: int | None = None) -> Decimal:
        with self.place.system.acting():
            found = Balance.objects.filter(grant=grant, account=account)
            if year:
                found = found.filter(line__year=year)
            return sum(found.values_list("amount", flat=True), Decimal("0.00"))

    # --- moves ---

    def move_budget(self) -> None:
        measure_of = self.pick(self.place.calls).measure_id
        year, kind = self.pick(list(YEARS)), self.pick([LineKind.CASH, LineKind.COMMITMENT])
        with self.place.system.acting():
            measure = Measure.objects.get(id=measure_of)
        amount = self.euros(Decimal("20000.00"))
        self.books.note(
            "budget",
            lambda: provide(by=self.place.system, measure=measure, year=year, amount=amount, kind=kind),
        )

    def award(self) -> None:
        call = self.pick([0, 1, 2, 3])
        amount, cost = self.euros(), self.euros()
        years = self.pick([list(YEARS), [2023], [2023, 2024], [2025]])
        by_year = dict(zip(years, share_largest_remainder(amount, [1] * len(years)), strict=True))
        is_full = call == 3

        def act() -> None:
            case = self.place.case(call)
            self.place.run(
                case, "grants.award", amount=amount, years=by_year, ausgaben=amount if is_full else max(cost, amount),
                beginn=BEGIN, ende=date(2025, 12, 31), plan=[{"wofuer": "Alles", "betrag": str(max(cost, amount))}],
            )  # fmt: skip
            self.place.notify(case)

        self.books.note("award", act)

    def draw(self) -> None:
        grant = self.one()
        if grant is None:
            return
        year = clock.today().year
        left = self.of(grant, Account.OPEN, year)
        amount = (
            self.euros(left)
            if not left
            else self.pick([left, self.euros(left), max(left / 2, Decimal("0.01")).quantize(Decimal("0.01"))])
        )
        used = self.of(grant, Account.PAID) + self.of(grant, Account.PROVEN)

        is_final = self.pick([False, False, True])
        self.books.note("draw", partial(self.ask, grant, amount, year, used, is_final=is_final))

    def decide_drawdown(self) -> None:
        with self.place.system.acting():
            waiting = list(
                Drawdown.objects.filter(state=DrawdownState.REQUESTED).select_related("case").order_by("id")
            )
        if not waiting:
            return
        drawdown, verdict = self.pick(waiting), self.pick(["all", "all", "part", "no"])
        if verdict == "no":
            self.books.note("refuse", lambda: self.place.run(drawdown.case, "grants.drawdown.refuse"))
            return
        amount = (
            drawdown.amount
            if verdict == "all"
            else max(drawdown.amount / 3, Decimal("0.01")).quantize(Decimal("0.01"))
        )
        self.books.note(
            "order", lambda: self.place.run(drawdown.case, "grants.drawdown.order", amount=amount)
        )

    def pay(self) -> None:
        with self.place.system.acting():
            programme = Programme.objects.get(key="leben")
        run = self.books.note(
            "run",
            lambda: payments.prepare_run(by=self.w.clerk, programme=programme, executes_on=clock.today()),
        )
        if run is None:
            return
        if self.pick([False, False, False, True]):
            self.books.note("dissolve", lambda: payments.dissolve_run(by=self.w.clerk, run=run.id))
            return
        self.books.note(
            "release",
            lambda: payments.release_run(
                by=self.w.approver, run=run.id, make_file=lambda found, rows: f"{found.id}".encode()
            ),
        )
        self.answer_of_the_bank(run)

    def answer_of_the_bank(self, run: PaymentRun) -> None:
        with self.place.system.acting():
            rows = list(Payment.objects.filter(run=run).order_by("id"))
        answers = [
            payments.Answer(
                row.end_to_end,
                row.amount,
                clock.today(),
                self.pick([True, True, True, False]),
                "Konto erloschen",
            )
            for row in rows
        ]
        taken = self.books.note(
            "bank",
            lambda: payments.take_return(by=self.w.clerk, identifier=f"{run.id}", name="b", answers=answers),
        )
        if taken is not None:
            self.books.paid += sum((a.amount for a in answers if a.is_paid), Decimal(0))
        if self.pick([True, False]):
            before = dict(self.books.done)
            self.books.note(
                "bank again",
                lambda: payments.take_return(
                    by=self.w.clerk, identifier=f"{run.id}", name="b", answers=answers
                ),
            )
            assert self.books.done == before, "a file was booked twice"

    def bounce(self) -> None:
        with self.place.system.acting():
            rows = list(
                Payment.objects.filter(state__in=[PaymentState.PAID, PaymentState.RETURNED]).order_by("id")
            )
        if not rows:
            return
        row = self.pick(rows)
        if row.state == PaymentState.RETURNED:
            self.books.note(
                "again",
                lambda: payments.order_again(by=self.w.approver, payment=row.id, iban=IBAN, holder="L"),
            )
            return
        with self.place.system.acting():
            stands = Balance.objects.filter(
                grant_id=row.grant_id, line_id=row.line_id, account=Account.PAID
            ).first()
        if stands is None or stands.amount < row.amount:
            return  # proven or claimed back meanwhile: money that was used does not bounce
        if self.books.note(
            "bounce",
            lambda: payments.mark_returned(by=self.w.clerk, payment=row.id, on=clock.today(), reason="R"),
        ):
            self.books.paid -= row.amount

    def prove(self) -> None:
        grant = self.one()
        if grant is None:
            return
        kind = self.pick(["zwischen", "verwendung", "verwendung"])
        spent = self.pick([self.euros(), grant.amount, grant.amount * 2])
        third = self.pick([Decimal("0.00"), Decimal("10.00")])

        def act() -> Case:
            case = self.about(grant)
            self.place.run(
                case,
                "grants.proof.submit",
                art=kind,
                zeilen=[{"wofuer": "Alles", "betrag": spent}],
                dritte=third,
            )
            return case

        case = self.books.note("prove", act)
        if case is not None:
            accepted = self.pick([spent, spent, (spent / 2).quantize(Decimal("0.01"))])
            operation = self.pick(["grants.proof.accept"] * 3 + ["grants.proof.reject"])
            self.books.note(operation, lambda: self.place.run(case, operation, amount=accepted))

    def claim(self) -> None:
        grant = self.one()
        if grant is None:
            return
        with self.place.system.acting():
            proof = Proof.objects.filter(grant=grant, kind="verwendung").order_by("-id").first()
        reason = self.pick(["nachweis", "widerruf"])
        paid = self.of(grant, Account.PAID) + self.of(grant, Account.PROVEN)
        amount = self.pick([proof.to_repay if proof else Decimal("1.00"), paid, self.euros()])
        since = self.pick([None, clock.today() - timedelta(days=90)])

        def act() -> None:
            case = self.about(grant)
            self.place.run(case, "grants.claim.make", amount=amount, grund=reason, zinsen_ab=since)

        if amount or reason == "widerruf":
            self.books.note("claim", act)

    def repay(self) -> None:
        with self.place.system.acting():
            rows = list(Claim.objects.filter(settled_on=None, waived_at=None).order_by("id"))
        if not rows:
            return
        found = self.pick(rows)
        with self.place.system.acting():
            owed = receipts.open_principal(found) + receipts.open_interest(found)
        verdict = self.pick(["all", "part", "too much", "waive", "instalments"])
        amount = {"all": owed, "part": max(owed / 2, Decimal("0.01")).quantize(Decimal("0.01"))}.get(
            verdict, owed + 10_000
        )
        if verdict == "waive":
            self.books.note(
                "waive", lambda: waive(by=self.w.approver, claim=found.id, reason="Unbillig wäre es.")
            )
        elif verdict == "instalments":
            halves = share_largest_remainder(owed, [1, 1])
            days = [clock.today() + timedelta(days=30 * (n + 1)) for n in range(2)]
            self.books.note(
                "instalments",
                lambda: agree_instalments(
                    by=self.w.approver, claim=found.id, instalments=list(zip(days, halves, strict=True))
                ),
            )
        elif self.books.note(
            "receipt",
            lambda: record_receipt(
                by=self.w.clerk,
                claim=found.id,
                amount=amount,
                on=clock.today(),
                reference=f"K{random.SystemRandom().random()}",
            ),
        ):
            self.books.received += amount

    def release(self) -> None:
        grant = self.one()
        if grant is None:
            return
        year = self.pick([None, *YEARS])
        self.books.note(
            "release rest", lambda: closing.release_rest(by=self.w.approver, grant=grant.id, year=year)
        )

    def reuse(self) -> None:
        with self.place.system.acting():
            lines = list(BudgetLine.objects.order_by("id").values_list("id", flat=True))
        line: UUID = self.pick(lines)
        self.books.note("reuse", lambda: closing.reuse(by=self.w.approver, line=line))

    def change(self) -> None:
        grant = self.one()
        if grant is None:
            return
        years = self.pick([[2024], [2023, 2025], list(YEARS)])
        amount = self.pick([grant.amount, self.euros()])
        by_year = dict(zip(years, share_largest_remainder(amount, [1] * len(years)), strict=True))

        def act() -> None:
            case = self.about(grant)
            self.place.run(
                case, "grants.change.apply", amount=amount, years=by_year, ausgaben=max(amount, grant.amount) * 2,
                ende=self.pick([date(2025, 6, 30), date(2025, 12, 31)]),
            )  # fmt: skip

        self.books.note("change", act)

    def draw_all(self) -> None:
        """The first grant that has money this year asks for all of it and gets it."""
        year = clock.today().year
        for grant in self.grants():
            left, used = (
                self.of(grant, Account.OPEN, year),
                self.of(grant, Account.PAID) + self.of(grant, Account.PROVEN),
            )
            if left:
                self.books.note("draw", partial(self.ask, grant, left, year, used))
                break
        self.decide_drawdown()
        self.pay()

    def ask(self, grant: Grant, amount: Decimal, year: int, used: Decimal, *, is_final: bool = False) -> None:
        case = self.about(grant)
        self.place.run(
            case, "grants.drawdown.request", betrag=amount, jahr=Decimal(year), iban=IBAN, inhaber="Lahnau",
            verwendet=used or None, verwendet_am=clock.today() if used else None, schlussrate=is_final,
        )  # fmt: skip

    MOVES = (
        "award", "award", "draw", "draw", "draw", "decide_drawdown", "decide_drawdown", "pay", "pay", "bounce", "prove",
        "claim", "repay", "repay", "release", "reuse", "change", "move_budget",
    )  # fmt: skip


def assert_books_are_right(place: Place, books: Books) -> None:
    found = check_invariants(place.system)
    assert found.faults == ()
    with place.system.acting():
        sums: dict[str, Decimal] = {}
        for account, amount in Balance.objects.values_list("account", "amount"):
            sums[account] = sums.get(account, Decimal(0)) + amount
    gone = sum(
        (sums.get(a, Decimal(0)) for a in ("paid", "proven", "to_recover", "recovered", "waived")), Decimal(0)
    )
    assert gone == books.paid, (sums, books.paid)
    back = sums.get("recovered", Decimal(0)) + sums.get("interest_paid", Decimal(0))
    assert back == books.received, (sums, books.received)


# --- one after the other ---------------------------------------------------------------------------------------------


@pytest.fixture
def place(db: None) -> Place:
    with on(BEGIN):
        return Place(make_world())


def test_random_lives_one_after_the_other(place: Place) -> None:
    totals = Books()

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.point = transaction.savepoint()
            self.day = BEGIN
            self.books = Books()

        def act(self, data: st.DataObject, name: str) -> None:
            with on(self.day):
                getattr(Life(place, self.books, lambda options: data.draw(st.sampled_from(options))), name)()

        @rule(days=st.sampled_from([1, 20, 90, 200]))
        def wait(self, days: int) -> None:
            self.day = min(self.day + timedelta(days=days), LAST_KNOWN)

        @rule(data=st.data(), name=st.sampled_from(Life.MOVES))
        def live(self, data: st.DataObject, name: str) -> None:
            self.act(data, name)

        @precondition(lambda self: self.books.done.get("award"))
        @rule()
        def draw_to_the_account(self) -> None:
            """What a grant may draw this year goes all the way, so that later moves find money that is paid."""
            with on(self.day):
                Life(place, self.books, lambda options: options[0]).draw_all()

        @invariant()
        def right(self) -> None:
            assert_books_are_right(place, self.books)

        def teardown(self) -> None:
            for kind in ("done", "refused"):
                for name, number in getattr(self.books, kind).items():
                    of = getattr(totals, kind)
                    of[name] = of.get(name, 0) + number
            transaction.savepoint_rollback(self.point)

    lives = int(os.environ.get("RATHAUS_LIVES", "20"))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=lives, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    missing = {"award", "draw", "order", "run", "bank", "prove"} - totals.done.keys()
    assert not missing or lives < MANY, f"the lives never reached {missing}: {totals.refused}"


# --- at once ---------------------------------------------------------------------------------------------------------


def test_random_lives_at_once(committed_world: World) -> None:
    """Four people at once, on real connections, on the same few grants: whoever loses a race is refused or told."""
    with on(BEGIN):
        place = Place(committed_world)
        setting = Life(place, Books(), random.Random(1).choice)
        for _ in range(6):
            setting.award()
    together = Books()
    moves = int(os.environ.get("RATHAUS_LIVES", "20"))

    def live(seed: int) -> Books:
        chance, books = random.Random(seed), Books()
        life = Life(place, books, chance.choice)
        for number in range(moves):
            with on(min(date(2023, 2, 1) + timedelta(days=number), LAST_KNOWN)):
                try:
                    getattr(life, chance.choice(Life.MOVES))()
                except payments.ReturnRefused:
                    continue
                except IntegrityError as lost:
                    if not re.search("_once|decision_one_final", str(lost)):
                        raise
        return books

    results = at_once(*(lambda seed=seed: live(seed) for seed in range(4)), seconds=60 + 2 * moves)
    assert [result for result in results if not isinstance(result, Books)] == []
    for books in results:
        together.paid += books.paid
        together.received += books.received
    assert_books_are_right(place, together)
