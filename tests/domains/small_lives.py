"""Small service packages with which a grant lives in tests: award, drawdown, proof of use; and people who play them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.casework.conftest import World, run_waiting_jobs
from tests.casework.packages import BPMN, LETTER, MANIFEST, PROCESS, SCHEMA, UI, follow_up, probe

from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Party
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.actions.payments import mark_paid, prepare_run, release_run
from rathaus.domains.grants.actions.programme import set_up_programme
from rathaus.domains.grants.models import Grant, Payment, Programme

IBAN = "DE02120300000000202051"
TERMS = """
einbehalt_prozent = 10
letzter_abruf = "12-03"
verwendungsnachweis_monate = 10
zwischennachweis_monate = 4
zweckbindung_jahre = 5
"""


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo("Europe/Berlin"))


def _form(**properties: dict[str, Any]) -> dict[str, str]:
    """A form of one page; tables get their columns."""
    elements: list[dict[str, Any]] = []
    for name, schema in properties.items():
        element: dict[str, Any] = {"type": "Control", "scope": f"#/properties/{name}", "label": name.title()}
        if schema["type"] == "array":
            columns = [
                {"type": "Control", "scope": f"#/properties/{column}", "label": column.title()}
                for column in schema["items"]["properties"]
            ]
            element["options"] = {"detail": {"type": "VerticalLayout", "elements": columns}}
        elements.append(element)
    schema = {**SCHEMA, "required": [next(iter(properties))], "properties": properties}
    ui = {
        "type": "Categorization",
        "elements": [{"type": "Category", "label": "Seite", "elements": elements}],
    }
    return {"formular.schema.json": json.dumps(schema), "formular.ui.json": json.dumps(ui)}


def _process(first: str, arguments: dict[str, str], last: str, told_last: str = "") -> str:
    """An operation, a proposal, a release by somebody else, an operation."""
    told = "".join(f"<r:argument name=\"{name}\" value='{value}'/>" for name, value in arguments.items())
    lane = '<bpmn:lane id="l{0}" name="{1}"><bpmn:flowNodeRef>{2}</bpmn:flowNodeRef></bpmn:lane>'
    lanes = lane.format(1, "Sachbearbeitung", "vorschlagen") + lane.format(2, "Freigabe", "freigeben")
    nodes = ["start", "beginn", "vorschlagen", "freigeben", "folge", "ende"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(pairwise(nodes))
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:r="urn:rathaus:bpmn:1" id="d" targetNamespace="urn:probe">
  <bpmn:process id="p" isExecutable="true">
    <bpmn:laneSet id="ls">{lanes}</bpmn:laneSet>
    <bpmn:startEvent id="start"/>
    <bpmn:serviceTask id="beginn" name="Prüfen" r:operation="{first}">
      <bpmn:extensionElements>{told}</bpmn:extensionElements></bpmn:serviceTask>
    <bpmn:userTask id="vorschlagen" name="Entscheidung vorschlagen" r:form="kern:vorschlag"/>
    <bpmn:userTask id="freigeben" name="Freigeben" r:form="kern:freigabe" r:four-eyes="vorschlagen"/>
    <bpmn:serviceTask id="folge" name="Ausführen" r:operation="{last}">
      <bpmn:extensionElements>{told_last}</bpmn:extensionElements></bpmn:serviceTask>
    <bpmn:endEvent id="ende"/>{flows}
  </bpmn:process>
</bpmn:definitions>
"""


def award_package() -> dict[str, str]:
    """`probe` with a period, terms and a notice that begins the grant."""
    days = {name: {"type": "string", "format": "date"} for name in ("beginn", "ende")}
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], **days}}  # type: ignore[dict-item]
    ui = json.loads(json.dumps(UI))
    for name in days:
        control = {"type": "Control", "scope": f"#/properties/{name}", "label": name.title()}
        ui["elements"][0]["elements"].append(control)
    told = "".join(
        f'<r:argument name="{name}" value="antrag.{name}"/>'
        for name in ("titel", "ausgaben", "beginn", "ende")
    )
    process = PROCESS.replace(
        'r:operation="grants.award"/>',
        f'r:operation="grants.award"><bpmn:extensionElements>{told}</bpmn:extensionElements></bpmn:serviceTask>',
    )
    process = process.replace(
        '<bpmn:endEvent id="ende"/>',
        '<bpmn:serviceTask id="notiz" name="Vermerken" r:operation="grants.notified"/><bpmn:endEvent id="ende"/>'
        '<bpmn:sequenceFlow id="f15" sourceRef="notiz" targetRef="ende"/>',
    ).replace('sourceRef="bescheid" targetRef="ende"', 'sourceRef="bescheid" targetRef="notiz"')
    manifest = MANIFEST.replace('schluessel = "probe"', 'schluessel = "zuschuss"').replace('"PRB"', '"ZUS"')
    manifest = manifest.replace("ermessen = true", "ermessen = true\nfuer_behoerden = true") + TERMS
    manifest = manifest.replace('"5000.00"', '"2500000.00"')
    files = probe(
        leistung__toml=manifest,
        prozess__bpmn=process,
        formular__schema__json=json.dumps(schema),
        formular__ui__json=json.dumps(ui),
    )
    sample = json.loads(files["beispiele/bewilligt.json"])
    sample["pfad"] = [*sample["pfad"][:-1], "notiz", "ende"]
    sample["antrag"] |= {"beginn": "2021-01-01", "ende": "2022-12-31"}
    return {**files, "beispiele/bewilligt.json": json.dumps(sample)}


def _after(
    key: str, prefix: str, amount: str, form: dict[str, str], process: str, answers: dict[str, Any]
) -> dict[str, str]:
    manifest = follow_up(key=key, prefix=prefix)["leistung.toml"]
    manifest = manifest.replace('betrag = "antrag.betrag"', f"betrag = '{amount}'").replace(
        'vorgangstitel = "antrag.titel"', f"vorgangstitel = '\"{key.title()}\"'"
    )
    sample = {
        "titel": "Gut",
        "antrag": answers,
        "schritte": [
            {"element": "vorschlagen", "ergebnis": {"ergebnis": "granted", "betrag": "900.00"}},
            {"element": "freigeben", "ergebnis": {"freigegeben": True, "ergebnis": "granted"}},
        ],
        "pfad": ["beginn", "vorschlagen", "freigeben", "folge", "ende"],
        "entscheidung": {"ergebnis": "granted", "betrag": "900.00"},
    }
    return {
        "leistung.toml": manifest,
        "prozess.bpmn": process,
        "bescheid.typ": LETTER,
        "beispiele/gut.json": json.dumps(sample),
        **form,
    }


AMOUNT = {"type": "string", "format": "betrag"}
DAY = {"type": "string", "format": "date"}
TEXT = {"type": "string", "maxLength": 100}


def drawdown_package() -> dict[str, str]:
    names = ["betrag", "jahr", "iban", "inhaber", "verwendet", "verwendet_am", "schlussrate"]
    year, flag = {"type": "integer"}, {"type": "boolean"}
    form = _form(
        betrag=AMOUNT,
        jahr=year,
        iban=TEXT,
        inhaber=TEXT,
        verwendet=AMOUNT,
        verwendet_am=DAY,
        schlussrate=flag,
    )
    arguments = {name: f"antrag.{name}" for name in names}
    process = _process("grants.drawdown.request", arguments, "grants.drawdown.order")
    sample = {"betrag": "900.00", "jahr": 2021, "iban": IBAN, "inhaber": "Lahnau", "schlussrate": False}
    return _after("mittelabruf", "MAB", "antrag.betrag", form, process, sample)


def proof_package() -> dict[str, str]:
    row = {
        "type": "object",
        "required": ["wofuer", "betrag"],
        "properties": {"wofuer": TEXT, "betrag": AMOUNT},
    }
    thing = {"gegenstand": TEXT, "angeschafft_am": DAY, "preis": AMOUNT}
    things = {"type": "array", "items": {"type": "object", "required": list(thing), "properties": thing}}
    form = _form(art=TEXT, zeilen={"type": "array", "items": row}, inventar=things)
    arguments = {name: f"antrag.{name}" for name in ("art", "zeilen")}
    items = '<r:argument name="inventar" value="antrag.inventar"/>'
    process = _process("grants.proof.submit", arguments, "grants.proof.accept", items)
    sample = {"art": "verwendung", "zeilen": [{"wofuer": "Akte", "betrag": "900.00"}], "inventar": []}
    amount = 'summe(antrag.zeilen, "betrag")'
    return _after("verwendungsnachweis", "VWN", amount, form, process, sample)


@dataclass
class Lives:
    """A ministry that offers the three packages; each method plays one of them to where the office is done."""

    world: World
    award_offer: Offer
    drawdown_offer: Offer
    proof_offer: Offer

    @classmethod
    def at(cls, world: World, *, first_year: int = 2021) -> Lives:
        """With money for three years."""
        system = Actor.system(world.ministry.id)
        offers = [
            offer_service(
                by=system,
                authority=world.ministry,
                version=publish_package(by=system, files=files),
                slug=slug,
            )
            for slug, files in (
                ("zuschuss", award_package()),
                ("mittelabruf", drawdown_package()),
                ("verwendungsnachweis", proof_package()),
            )
        ]
        set_up_programme(
            by=system,
            authority=world.ministry.id,
            key="digital",
            title="Digital",
            payer_name="Land",
            payer_iban=IBAN,
        )
        set_up_call(
            by=system,
            programme="digital",
            programme_title="Digital",
            key="aufruf-21",
            title=f"Aufruf {first_year}",
            offer=offers[0],
            budgets={year: Decimal("1000000.00") for year in range(first_year, first_year + 3)},
        )
        return cls(world, *offers)

    def apply(
        self,
        title: str = "Neue Akte",
        cost: str = "1000.00",
        amount: str = "900.00",
        *,
        by: Actor | None = None,
        party: Party | None = None,
        begins: str = "2021-01-01",
        ends: str = "2022-12-31",
    ) -> Case:
        return self.world.submit(
            by=by,
            party=party,
            offer=self.award_offer,
            titel=title,
            betrag=amount,
            ausgaben=cost,
            beginn=begins,
            ende=ends,
        )

    def ask(self, case: Case) -> None:
        """The office asks; the case waits for the applicant."""
        self._do(case, self.world.clerk, {"vollstaendig": False, "nachricht": "Wie viele Plätze?"})

    def decide_without_notice(self, case: Case) -> None:
        """Awarded, but the job that writes the letter has not run."""
        self._do(case, self.world.clerk, {"vollstaendig": True})
        self._decide(case, case.amount or Decimal(0))

    def award(self, case: Case, years: dict[int, str] | None = None) -> Grant:
        """Decided and told; `years` divide the amount."""
        self._do(case, self.world.clerk, {"vollstaendig": True})
        details = (
            {"einzelheiten": {"jahre": {str(year): amount for year, amount in years.items()}}}
            if years
            else {}
        )
        self._decide(case, case.amount or Decimal(0), details)
        run_waiting_jobs()
        with self.world.clerk.acting():
            return Grant.objects.get(case=case)

    def begin(self, years: dict[int, str] | None = None, **given: Any) -> Grant:
        return self.award(self.apply(**given), years)

    def ask_for(self, grant: Grant, amount: str, year: int, *, by: Actor | None = None, **more: Any) -> Case:
        answers = {
            "betrag": amount,
            "jahr": year,
            "iban": IBAN,
            "inhaber": "Gemeindekasse",
            "schlussrate": False,
            **more,
        }
        return self._follow(grant, self.drawdown_offer, answers, by)

    def pay(self, case: Case, on: date) -> None:
        """The office orders what was asked for, and the bank pays it on a day not after today."""
        self._decide(case, case.amount or Decimal(0))
        clerk, approver = self.world.clerk, self.world.approver
        with clerk.acting():
            programme = Programme.objects.get(key="digital")
            payment = Payment.objects.get(drawdown__case=case)
        run = prepare_run(by=clerk, programme=programme, executes_on=on, payments=[payment.id])
        release_run(by=approver, run=run.id, make_file=lambda run, payments: b"<x/>")
        mark_paid(by=clerk, payment=payment.id, on=on)

    def prove(
        self, grant: Grant, spent: str, *, kind: str = "verwendung", items: tuple[Any, ...] = ()
    ) -> Case:
        inventory = [{"gegenstand": name, "angeschafft_am": on, "preis": price} for name, on, price in items]
        answers = {"art": kind, "zeilen": [{"wofuer": "Akte", "betrag": spent}], "inventar": inventory}
        return self._follow(grant, self.proof_offer, answers, None)

    def accept(self, case: Case, amount: str) -> None:
        self._decide(case, Decimal(amount))

    def _follow(self, grant: Grant, offer: Offer, answers: dict[str, Any], by: Actor | None) -> Case:
        actor = by or self.world.lahnau_officer
        with Actor.system(grant.authority_id).acting():
            about = Case.objects.get(id=grant.case_id)
            party = grant.party_id
        with actor.acting():
            owner = Party.objects.get(id=party)
        return submit_application(
            by=actor, offer=offer, party=owner, answers=answers, submission=new_id(), about=about
        )

    def _decide(self, case: Case, amount: Decimal, details: dict[str, Any] | None = None) -> None:
        proposal = {"ergebnis": "granted", "betrag": amount, "begruendung": "Gut.", **(details or {})}
        self._do(case, self.world.clerk, proposal)
        self._do(case, self.world.approver, {"freigegeben": True})

    def _do(self, case: Case, by: Actor, answers: dict[str, Any]) -> None:
        complete_task(by=by, task=self.world.task(case).id, answers=answers)
