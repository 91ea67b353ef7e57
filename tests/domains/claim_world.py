"""A grant's life as far as claims need it, through the real kernel: small packages for award, drawdown and proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.casework.conftest import World, run_waiting_jobs
from tests.casework.packages import BPMN, LETTER, MANIFEST

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.actions.submission import open_case
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Notice, Task
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import read_folder
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.actions.payments import mark_paid, prepare_run, release_run
from rathaus.domains.grants.actions.programme import set_up_programme
from rathaus.domains.grants.models import Claim, Grant, Payment
from rathaus.domains.grants.queries import Money, check_invariants

LEISTUNGEN = Path(__file__).resolve().parents[2] / "leistungen"
IBAN = "DE02120300000000202051"
TERMS = {
    "mindestbetrag": "1.00",
    "hoechstbetrag": "500000.00",
    "zinsbagatelle": "50.00",
    "zweckbindung_jahre": 5,
    "mittelabruf_monate": 2,
}


@contextmanager
def on(day: str) -> Iterator[None]:
    """Live at noon of a day."""
    with clock.living_at(datetime.combine(date.fromisoformat(day), time(11), UTC)):
        yield


def process(*, before: str = "", after: str = "") -> str:
    """A process: service tasks at once, proposal and release, then service tasks. Each is `operation|name=value;...`."""

    def tasks(text: str, prefix: str) -> list[tuple[str, str]]:
        found = []
        for number, line in enumerate(part for part in text.split("\n") if part.strip()):
            name, _, arguments = line.strip().partition("|")
            values = "".join(
                f"<r:argument name=\"{key}\" value='{value}'/>"
                for key, _, value in (pair.partition("=") for pair in arguments.split(";") if pair)
            )
            ident = f"{prefix}{number}"
            inner = f"<bpmn:extensionElements>{values}</bpmn:extensionElements>" if values else ""
            found.append(
                (
                    ident,
                    f'<bpmn:serviceTask id="{ident}" name="{name}" r:operation="{name}">{inner}</bpmn:serviceTask>',
                )
            )
        return found

    out = '<bpmn:extensionElements><r:output variable="ok" value="result.freigegeben"/></bpmn:extensionElements>'
    nodes = [
        ("start", '<bpmn:startEvent id="start"/>'),
        *tasks(before, "vor"),
        ("vorschlagen", '<bpmn:userTask id="vorschlagen" name="Vorschlagen" r:form="kern:vorschlag"/>'),
        (
            "freigeben",
            '<bpmn:userTask id="freigeben" name="Freigeben" r:form="kern:freigabe" r:four-eyes="vorschlagen">'
            f"{out}</bpmn:userTask>",
        ),
        *tasks(after, "nach"),
        ("ende", '<bpmn:endEvent id="ende"/>'),
    ]
    ids = [ident for ident, _ in nodes]
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{number}" sourceRef="{one}" targetRef="{other}"/>'
        for number, (one, other) in enumerate(pairwise(ids))
    )
    lanes = (
        '<bpmn:lane id="l1" name="Sachbearbeitung"><bpmn:flowNodeRef>vorschlagen</bpmn:flowNodeRef></bpmn:lane>'
        '<bpmn:lane id="l2" name="Freigabe"><bpmn:flowNodeRef>freigeben</bpmn:flowNodeRef></bpmn:lane>'
    )
    return (
        f'<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:r="urn:rathaus:bpmn:1" id="d" targetNamespace="urn:probe">'
        f'<bpmn:process id="p" isExecutable="true"><bpmn:laneSet id="ls">{lanes}</bpmn:laneSet>'
        f"{''.join(text for _, text in nodes)}{flows}</bpmn:process></bpmn:definitions>"
    )


def package(
    key: str,
    prefix: str,
    properties: dict[str, Any],
    steps: str,
    sample: dict[str, Any],
    *,
    about: bool = True,
) -> dict[str, str]:
    manifest = MANIFEST.split("[parameter]")[0]
    for old, new in (('"probe"', f'"{key}"'), ('"PRB"', f'"{prefix}"'), ('"antrag.titel"', "'\"Vorgang\"'")):
        manifest = manifest.replace(old, new)
    manifest = manifest.replace(
        "ermessen = true", "ermessen = true\nbezug = true" if about else "ermessen = true"
    )
    parameters = "\n".join(f"{name} = {json.dumps(value)}" for name, value in TERMS.items())
    elements = [
        {"type": "Control", "scope": f"#/properties/{name}", "label": name, "options": _options(kind)}
        for name, kind in properties.items()
    ]
    decided = {"ergebnis": "granted", "betrag": sample["betrag"]}
    return {
        "leistung.toml": f"{manifest}[parameter]\n{parameters}\n",
        "formular.schema.json": json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "required": ["betrag"],
                "properties": properties,
            }
        ),
        "formular.ui.json": json.dumps(
            {"type": "Categorization", "elements": [{"type": "Category", "label": "Seite", "elements": elements}]}
        ),
        "prozess.bpmn": steps,
        "bescheid.typ": LETTER,
        "beispiele/eins.json": json.dumps(
            {
                "titel": "Beispiel",
                "antrag": sample,
                "schritte": [
                    {"element": "vorschlagen", "ergebnis": decided},
                    {"element": "freigeben", "ergebnis": {"freigegeben": True}},
                ],
                "entscheidung": decided,
            }
        ),
    }  # fmt: skip


def _options(kind: dict[str, Any]) -> dict[str, Any]:
    if kind["type"] != "array":
        return {}
    inner = [
        {"type": "Control", "scope": f"#/properties/{name}", "label": name}
        for name in kind["items"]["properties"]
    ]
    return {"detail": {"type": "VerticalLayout", "elements": inner}}


MONEY, TEXT, DAY = (
    {"type": "string", "format": "betrag"},
    {"type": "string", "maxLength": 100},
    {"type": "string", "format": "date"},
)


def table(**columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "array",
        "maxItems": 20,
        "items": {"type": "object", "required": list(columns), "properties": columns},
    }


AWARD = process(
    after="grants.award|titel=antrag.titel;ausgaben=antrag.ausgaben;beginn=antrag.beginn;ende=antrag.ende\nletters.issue\ngrants.notified"
)
DRAW = process(
    before=f'grants.drawdown.request|betrag=antrag.betrag;jahr=antrag.jahr;iban="{IBAN}";inhaber="Gemeinde";verwendet=antrag.verwendet;verwendet_am=antrag.verwendet_am',
    after="grants.drawdown.order",
)
PROVE = process(
    before='grants.proof.submit|art="verwendung";zeilen=antrag.zeilen',
    after="grants.proof.accept|inventar=antrag.inventar",
)


@dataclass
class Place:
    """The ministry of the kernel's world with a programme, and everything that a grant's life needs."""

    w: World
    award: Offer
    draw: Offer
    prove: Offer

    @classmethod
    def make(cls, w: World, *, years: tuple[int, ...] = (2023, 2024, 2025)) -> Place:
        def offered(files: dict[str, str], slug: str) -> Offer:
            return w.publish(files, slug)

        award = offered(
            package(
                "zuwendung", "ZW", {"titel": TEXT, "betrag": MONEY, "ausgaben": MONEY, "beginn": DAY, "ende": DAY}, AWARD,
                {"titel": "Akte", "betrag": "900.00", "ausgaben": "1000.00", "beginn": "2023-01-01", "ende": "2023-12-31"},
                about=False,
            ),
            "zuwendung",
        )  # fmt: skip
        draw = offered(
            package(
                "abrufen", "MA", {"betrag": MONEY, "jahr": {"type": "integer"}, "verwendet": MONEY, "verwendet_am": DAY},
                DRAW, {"betrag": "9.00", "jahr": 2023},
            ),
            "abrufen",
        )  # fmt: skip
        prove = offered(
            package(
                "nachweisen", "VN",
                {
                    "betrag": MONEY,
                    "zeilen": table(wofuer=TEXT, betrag=MONEY),
                    "inventar": table(gegenstand=TEXT, angeschafft_am=DAY, preis=MONEY),
                },
                PROVE, {"betrag": "9.00", "zeilen": [{"wofuer": "x", "betrag": "9.00"}]},
            ),
            "nachweisen",
        )  # fmt: skip
        system = Actor.system(w.ministry.id)
        call = set_up_call(
            by=system,
            programme="land",
            programme_title="Landesprogramm",
            key="land-1",
            title="Aufruf 1",
            offer=award,
            budgets=dict.fromkeys(years, Decimal("500000.00")),
        )
        set_up_programme(
            by=system,
            authority=w.ministry.id,
            key=call.measure.programme.key,
            title="Landesprogramm",
            payer_name="Land Hessen",
            payer_iban=IBAN,
        )
        return cls(w, award, draw, prove)

    def leistung(self, key: str, **parameters: Any) -> Offer:
        """A package of the library, offered by the ministry."""
        system = Actor.system(self.w.ministry.id)
        version = publish_package(by=system, files=read_folder(LEISTUNGEN / key))
        return offer_service(
            by=system, authority=self.w.ministry, version=version, slug=key, parameters=parameters
        )

    def decide(
        self, case: Case, *, amount: str | None, outcome: str = "granted", years: dict[str, str] | None = None
    ) -> None:
        """Proposed by the clerk, released by the approver; what comes after runs."""
        given: dict[str, Any] = {"ergebnis": outcome, "begruendung": "Die Voraussetzungen sind erfüllt."}
        if amount is not None:
            given["betrag"] = Decimal(amount)
        if years:
            given["einzelheiten"] = {"jahre": years}
        complete_task(by=self.w.clerk, task=self.task(case).id, answers=given)
        complete_task(by=self.w.approver, task=self.task(case).id, answers={"freigegeben": True})
        run_waiting_jobs()

    def task(self, case: Case) -> Task:
        return self.w.task(case)

    def tasks(self, case: Case) -> int:
        with self.w.clerk.acting():
            return Task.objects.filter(case=case, state="open").count()

    def granted(
        self, *, amount: str, cost: str = "", years: dict[str, str] | None = None, ende: str = "2024-12-31"
    ) -> Case:
        """Awarded, notified and final."""
        case = self.w.submit(
            offer=self.award,
            titel="Akte",
            betrag=amount,
            ausgaben=cost or amount,
            beginn="2023-01-01",
            ende=ende,
        )
        self.decide(case, amount=amount, years=years)
        with self.w.lahnau_officer.acting():
            notice = Notice.objects.get(case=case)
        waive_remedy(by=self.w.lahnau_officer, notice=notice)
        with self.w.clerk.acting():
            return Case.objects.get(id=case.id)

    def follow(self, offer: Offer, about: Case, **answers: Any) -> Case:
        from rathaus.casework.cases.actions.submission import submit_application

        return submit_application(
            by=replace(self.w.lahnau_officer, trust_level=3),
            offer=offer,
            party=self.w.lahnau_party,
            answers=answers,
            submission=new_id(),
            about=about,
        )

    def drawn(self, case: Case, *, amount: str, year: int, **used: Any) -> Payment:
        """A rate, requested, decided, ordered and paid today."""
        about = self.follow(self.draw, case, betrag=amount, jahr=year, **used)
        self.decide(about, amount=amount)
        with self.w.clerk.acting():
            payment = Payment.objects.get(drawdown__case=about)
            programme = payment.grant.call.measure.programme
        run = prepare_run(by=self.w.clerk, programme=programme, executes_on=clock.today())
        release_run(by=self.w.approver, run=run.id, make_file=lambda _run, _payments: b"x")
        return mark_paid(by=self.w.clerk, payment=payment.id, on=clock.today())

    def proven(self, case: Case, *, spent: str, items: list[dict[str, str]] | None = None) -> Case:
        about = self.follow(
            self.prove,
            case,
            betrag=spent,
            zeilen=[{"wofuer": "Software", "betrag": spent}],
            inventar=items or [],
        )
        self.decide(about, amount=spent)
        return about

    def opened(self, offer: Offer, about: Case, *, by: Actor | None = None, **answers: Any) -> Case:
        """Opened by the office."""
        return open_case(
            by=by or self.w.clerk, offer=offer, about=about, answers=answers, submission=new_id()
        )

    def grant(self, case: Case) -> Grant:
        with self.w.clerk.acting():
            return Grant.objects.get(case=case)

    def claim(self, case: Case) -> Claim:
        with self.w.clerk.acting():
            return Claim.objects.get(case=case)

    def money(self, case: Case) -> Money:
        from django.db.models import Sum

        from rathaus.domains.grants.models import Balance

        with self.w.clerk.acting():
            rows = Balance.objects.filter(grant__case=case).values_list("account").annotate(sum=Sum("amount"))
            return Money.of(rows.order_by())

    def interest(self, case: Case, account: str) -> Decimal:
        from rathaus.domains.grants.models import Balance

        with self.w.clerk.acting():
            return sum(
                Balance.objects.filter(grant__case=case, account=account).values_list("amount", flat=True),
                Decimal(0),
            )

    def sound(self) -> None:
        """The books hold."""
        found = check_invariants(self.w.clerk)
        assert found.faults == ()
        assert found.grants
