"""Whole lives of grants with the packages of the product, through the real kernel and at simulated times.

`Lives.make(world)` offers everything; then a call a step: `award`, `waive`, `draw`, `pay`, `prove`, `change`, `claim`,
`receive`. Each acts at the current time (`on("2022-03-01")`), runs the jobs that it leaves, and raises what the person
would be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Sum
from tests.casework.conftest import World, run_waiting_jobs
from tests.leistungen.letters import text_of
from tests.leistungen.library import ROOT

from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.actions.submission import open_case, submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Notice
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import read_folder
from rathaus.core import clock
from rathaus.core.files.actions import path_of
from rathaus.core.files.models import Blob
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Mandate
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.actions.payments import prepare_run
from rathaus.domains.grants.actions.programme import set_up_programme
from rathaus.domains.grants.actions.receipts import record_receipt
from rathaus.domains.grants.models import (
    Balance,
    Claim,
    Drawdown,
    Grant,
    Payment,
    PaymentRun,
    Programme,
    Proof,
)
from rathaus.domains.grants.queries import Money, check_invariants
from rathaus.integrations.bank import actions as bank
from rathaus.integrations.bank import demo_bank

IBAN = "DE02120300000000202051"
TOWN_IBAN = "DE89370400440532013000"
FOLLOW_UPS = ("mittelabruf", "verwendungsnachweis", "aenderungsantrag")
REASON = "Alles spricht dafür."
FILE = {"name": "Projekt.pdf", "sha256": "ab" * 32, "size": 1000, "media_type": "application/pdf"}
# What a test says nothing about stands in nobody's way.
PLAIN = {"mindestbetrag": "1.00", "foerdersatz": 100, "einbehalt_prozent": 0, "bagatelle": "0.00"}


@contextmanager
def on(day: str) -> Iterator[None]:
    """Live at noon of a day."""
    with clock.living_at(datetime.combine(date.fromisoformat(day), time(11), UTC)):
        yield


def euros(amount: str | Decimal) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))


@dataclass
class Lives:
    """A ministry with a call of „Smarte Kommunen“, its follow-ups, a paying account, and the town of Lahnau."""

    w: World
    award_offer: Offer
    offers: dict[str, Offer]
    programme: Programme
    officer: Actor

    @classmethod
    def make(
        cls,
        w: World,
        *,
        budgets: Mapping[int, str] | None = None,
        commitments: Mapping[int, str] | None = None,
        **terms: Any,
    ) -> Lives:
        """`terms` are parameters of the call; money of 2022 and 2023 unless said otherwise."""
        account = Account.objects.get(email="gemeinde-lahnau@example.org")
        account.trust_level = 3
        account.save(update_fields=["trust_level"])
        with actor_of(account.pk).acting():  # who acts in these lives did so then already
            Mandate.objects.filter(account=account).update(valid_from=date(2019, 1, 1))
        system = Actor.system(w.ministry.id)

        def offered(key: str, **parameters: Any) -> Offer:
            version = publish_package(by=system, files=read_folder(ROOT / "leistungen" / key))
            return offer_service(
                by=system, authority=w.ministry, version=version, slug=key, parameters=parameters
            )

        years = {
            year: euros(amount) for year, amount in (budgets or {2022: "500000", 2023: "500000"}).items()
        }
        promised = {year: euros(amount) for year, amount in (commitments or {}).items()}
        award = offered("starke-heimat-smart", **{**PLAIN, "jahre": sorted({*years, *promised}), **terms})
        call = set_up_call(
            by=system, programme="land", programme_title="Landesprogramm", key="land-1", title="Aufruf 1",
            offer=award, budgets=years, commitments=promised,
        )  # fmt: skip
        programme = set_up_programme(
            by=system, authority=w.ministry.id, key=call.measure.programme.key, title="Landesprogramm",
            payer_name="Land Hessen", payer_iban=IBAN,
        )  # fmt: skip
        offers = {key: offered(key) for key in FOLLOW_UPS}
        return cls(w, award, offers, programme, actor_of(account.pk))

    # --- steps of a life ---

    def apply(
        self, amount: str, cost: str, *, third: str = "0", begins: str = "2022-01-01", ends: str = "2023-06-30",
        plan: Sequence[tuple[str, str]] | None = None, partners: Sequence[str] = (), title: str = "Akten",
    ) -> Case:  # fmt: skip
        """An application; the own share is what grant and third parties leave open."""
        own = euros(cost) - euros(amount) - euros(third)
        rows = [("Eigenanteil", own), ("Dritte", euros(third))]
        with self.officer.acting():
            Blob.objects.get_or_create(
                sha256=FILE["sha256"], authority_id=self.award_offer.authority_id, party_id=self.w.lahnau_party.id,
                defaults={"size": FILE["size"], "media_type": FILE["media_type"]},
            )  # fmt: skip
        answers = {
            "titel": f"Digitale {title}",
            "beschreibung": "Wir führen ein Dokumentenmanagement ein.",
            "ziel": "Am Ende sind alle Akten digital.",
            "handlungsfeld": "Verwaltungsdigitalisierung",
            "partner": list(partners),
            "beginn": begins,
            "ende": ends,
            "kosten": [
                {"art": "Software", "wofuer": name, "betrag": str(euros(value))}
                for name, value in plan or [("Software", cost)]
            ],
            "zuschuss": str(euros(amount)),
            "finanzierung": [
                {"quelle": source, "wer": source, "betrag": str(value)}
                for source, value in rows
                if value or source == "Eigenanteil"
            ],
            "projektbeschreibung": FILE,
            "nicht_begonnen": True,
            "eigenanteil_gesichert": True,
            "keine_andere_foerderung": True,
            "vorsteuerabzug": False,
            "richtig": True,
        }
        return self.submit(self.award_offer, answers)

    def award(self, amount: str, cost: str, *, years: Mapping[int, str] | None = None, **plan: Any) -> Case:
        """Applied for, found complete, decided and notified today; all years equal unless said."""
        case = self.apply(amount, cost, **plan)
        self.found_complete(case)
        if years is None:
            all_years = case.parameters["jahre"]
            share = euros(amount) / len(all_years)
            years = {year: str(euros(share)) for year in all_years}
        self.decide(case, amount, years=years)
        return self.fresh(case)

    def waive(self, case: Case) -> None:
        """The town gives up remedies: the notice is final today."""
        with self.officer.acting():
            notice = Notice.objects.get(case=case)
        waive_remedy(by=self.officer, notice=notice)

    def request(
        self, about: Case, amount: str, *, year: int | None = None, used: str | None = None, used_on: str | None = None,
        final: bool = False, iban: str = TOWN_IBAN,
    ) -> Case:  # fmt: skip
        """A request for money, not decided yet. Without `used` nothing is reported."""
        answers: dict[str, Any] = {
            "haushaltsjahr": year or clock.today().year,
            "schlussrate": final,
            "betrag": str(euros(amount)),
            "bedarf": "Rechnungen der nächsten Wochen",
            "schon_ausgezahlt": used is not None,
            "iban": iban,
            "inhaber": "Gemeinde Lahnau",
            "richtig": True,
        }
        if used is not None:
            answers |= {
                "verwendet": str(euros(used)),
                "verwendet_am": used_on or clock.today().isoformat(),
            }
        return self.submit(self.offers["mittelabruf"], answers, about=about)

    def draw(self, about: Case, amount: str, *, decided: str | None = None, **request: Any) -> Case:
        """Requested and ordered today; `decided` is less than was asked for."""
        case = self.request(about, amount, **request)
        self.decide(case, decided or amount, outcome="partly" if decided else "granted")
        return case

    def pay(
        self, *, rejected: Mapping[str, str] | None = None, returned: Mapping[str, str] | None = None
    ) -> PaymentRun:
        """A run of all that is ordered, released by the second person, and the bank's answers of the same day."""
        run = prepare_run(by=self.w.clerk, programme=self.programme, executes_on=clock.today())
        run = bank.release_run(by=self.w.approver, run=run.id)
        with self.w.clerk.acting():
            blob = Blob.objects.get(id=run.blob_id)
        with default_storage.open(path_of(blob.sha256), "rb") as stored:
            order = stored.read()
        answers = demo_bank.answer(order, at=clock.now(), rejected=rejected or {}, returned=returned or {})
        for number, answer in enumerate(answers):
            bank.take_return_file(by=self.w.clerk, name=f"antwort-{number}.xml", content=answer)
        self.run_jobs()
        with self.w.clerk.acting():
            return PaymentRun.objects.get(id=run.id)

    def hand_in_proof(
        self, about: Case, spent: str | Sequence[tuple[str, str]], *, kind: str = "verwendung", third: str = "0",
        vouchers: Sequence[tuple[str, str]] = (), items: Sequence[tuple[str, str, str]] = (),
    ) -> Case:  # fmt: skip
        """A proof, not decided yet. `spent` is a sum or rows (what, amount); vouchers are (day, amount)."""
        rows = [("Software", spent)] if isinstance(spent, str) else spent
        answers = {
            "art": kind,
            "sachbericht": "Alles ist umgesetzt wie beschrieben.",
            "ziel": "Ja, alle Akten sind digital.",
            "zeilen": [{"wofuer": name, "betrag": str(euros(value))} for name, value in rows],
            "dritte": str(euros(third)),
            "belege": [
                {"datum": day, "empfaenger": "Systemhaus", "grund": "Rechnung", "betrag": str(euros(value))}
                for day, value in vouchers
            ],
            "inventar": [
                {"gegenstand": name, "angeschafft_am": day, "preis": str(euros(price))}
                for name, day, price in items
            ],
            "notwendig": True,
            "richtig": True,
        }
        return self.submit(self.offers["verwendungsnachweis"], answers, about=about)

    def prove(
        self,
        about: Case,
        spent: str | Sequence[tuple[str, str]],
        *,
        accepted: str | None = None,
        **proof: Any,
    ) -> Case:
        """A proof, found complete and accepted today; `accepted` is less than was handed in."""
        case = self.hand_in_proof(about, spent, **proof)
        self.found_complete(case)
        amount = accepted or str(self.fresh(case).amount)
        self.decide(case, amount, outcome="partly" if accepted else "granted")
        return case

    def ask_for_change(self, about: Case, *what: str, **answers: Any) -> Case:
        """A request for a change, not decided yet; `what` are the sections, `answers` their fields."""
        given = {"was": list(what), "gruende": "Es ist anders gekommen als geplant.", "richtig": True}
        return self.submit(self.offers["aenderungsantrag"], {**given, **answers}, about=about)

    def change(
        self, about: Case, *what: str, amount: str, years: Mapping[int, str] | None = None, **answers: Any
    ) -> Case:
        """A change, asked for and decided today."""
        case = self.ask_for_change(about, *what, **answers)
        self.decide(case, amount, years=years)
        return case

    def claim(self, about: Case, amount: str, *, reason: str = "nachweis", **answers: Any) -> Case:
        """Opened by the office, heard, answered, decided and notified today."""
        if "rueckforderung" not in self.offers:
            system = Actor.system(self.w.ministry.id)
            version = publish_package(by=system, files=read_folder(ROOT / "leistungen/rueckforderung"))
            self.offers["rueckforderung"] = offer_service(
                by=system, authority=self.w.ministry, version=version, slug="rueckforderung"
            )
        given = {"grund": reason, "betrag": str(euros(amount)), "sachverhalt": "Es wurde weniger ausgegeben."}
        case = open_case(
            by=self.w.clerk, offer=self.offers["rueckforderung"], about=about, answers={**given, **answers},
            submission=new_id(),
        )  # fmt: skip
        self.run_jobs()
        answer_request(by=self.officer, case=self.fresh(case), body="Das stimmt.")
        self.decide(case, amount)
        return case

    def receive(self, claimed: Case, amount: str, *, reference: str = "K-1") -> None:
        """Money that came in on a claim today."""
        with self.w.clerk.acting():
            claim = Claim.objects.get(case=claimed)
        record_receipt(
            by=self.w.clerk, claim=claim.id, amount=euros(amount), on=clock.today(), reference=reference
        )
        self.run_jobs()

    # --- what every step is made of ---

    def submit(self, offer: Offer, answers: dict[str, Any], *, about: Case | None = None) -> Case:
        return submit_application(
            by=self.officer, offer=offer, party=self.w.lahnau_party, answers=answers, submission=new_id(),
            about=self.fresh(about) if about else None,
        )  # fmt: skip

    def found_complete(self, case: Case) -> None:
        complete_task(by=self.w.clerk, task=self.w.task(case).id, answers={"vollstaendig": True})

    def decide(
        self, case: Case, amount: str | None, *, outcome: str = "granted", years: Mapping[int, str] | None = None,
        reasons: str = REASON,
    ) -> None:  # fmt: skip
        """Proposed by the clerk, released by the approver; then the jobs run (letters)."""
        proposal: dict[str, Any] = {"ergebnis": outcome, "begruendung": reasons}
        if amount is not None:
            proposal["betrag"] = euros(amount)
        if years:
            proposal["einzelheiten"] = {"jahre": {str(year): str(euros(v)) for year, v in years.items()}}
        complete_task(by=self.w.clerk, task=self.w.task(case).id, answers=proposal)
        complete_task(by=self.w.approver, task=self.w.task(case).id, answers={"freigegeben": True})
        self.run_jobs()

    def run_jobs(self) -> None:
        run_waiting_jobs()

    # --- looking ---

    def fresh(self, case: Case) -> Case:
        with self.w.clerk.acting():
            return Case.objects.select_related("offer", "terms", "application").get(id=case.id)

    def grant(self, case: Case) -> Grant:
        with self.w.clerk.acting():
            return Grant.objects.select_related("case").get(case=case)

    def money(self, case: Case) -> Money:
        with self.w.clerk.acting():
            rows = Balance.objects.filter(grant__case=case).values_list("account").annotate(sum=Sum("amount"))
            return Money.of(rows.order_by())

    def drawdown(self, case: Case) -> Drawdown:
        with self.w.clerk.acting():
            return Drawdown.objects.get(case=case)

    def payment(self, case: Case) -> Payment:
        with self.w.clerk.acting():
            return Payment.objects.filter(drawdown__case=case).latest("id")

    def proof(self, case: Case) -> Proof:
        with self.w.clerk.acting():
            return Proof.objects.get(case=case)

    def letter(self, case: Case) -> str:
        """The words of the case's notice, as its PDF has them."""
        with self.officer.acting():
            notice = Notice.objects.select_related("document").get(case=case)
        with default_storage.open(path_of(notice.document.sha256), "rb") as stored:
            return text_of(stored.read())

    def sound(self) -> None:
        """The books hold."""
        found = check_invariants(self.w.clerk)
        assert found.faults == ()
        assert found.grants
