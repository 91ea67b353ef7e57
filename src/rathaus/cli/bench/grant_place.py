"""A programme whose grants are measured: the bench package awards, the real packages draw and prove; and who plays them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.enums import TaskState
from rathaus.casework.cases.models import Case, Notice, Task
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import package_of, read_folder
from rathaus.cli.bench.place import BUDGET, PACKAGE, ROOT, Place, offer_package, sample_of
from rathaus.cli.bench.statements import run_jobs
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.actions.programme import set_up_programme
from rathaus.domains.grants.models import Call, Grant, Programme

PROGRAMME = "messung-foerderung"
AWARD, DRAWDOWN, PROOF = "zuwendung-messung", "abruf-messung", "nachweis-messung"
IBAN = "DE02120300000000202051"
REASONS = "Das Vorhaben erfüllt den Zweck des Programms."


@dataclass(frozen=True)
class GrantPlace:
    """What measurements of grants need by name. `years` have money; the last of them is this year."""

    place: Place
    programme: Programme
    call: Call
    award: Offer
    drawdown: Offer
    proof: Offer
    years: tuple[int, int, int]

    def begin(self) -> Grant:
        """A grant of the place's party, from the application to its notice, which is final at once."""
        place, today = self.place, clock.today()
        answers = _sample(self.award) | {
            "beginn": str(today - timedelta(days=300)),
            "ende": str(today + timedelta(days=60)),
        }
        answers.pop("projektbeschreibung")
        case = self._hand_in(self.award, answers, None)
        details = {"jahre": {str(self.years[-1]): answers["betrag"]}}
        self.decide(case, Decimal(answers["betrag"]), {"einzelheiten": details})
        run_jobs(place)
        with place.clerk.acting():
            notice = Notice.objects.get(case=case)
        waive_remedy(by=place.applicant, notice=notice)
        with place.clerk.acting():
            return Grant.objects.select_related("case").get(case=case)

    def ask_for(self, about: Case, amount: Decimal) -> Case:
        """Mittelabruf of this year's money."""
        answers: dict[str, Any] = {
            "haushaltsjahr": self.years[-1],
            "schlussrate": False,
            "betrag": str(amount),
            "bedarf": "Die Rechnungen sind fällig.",
            "schon_ausgezahlt": False,
            "iban": IBAN,
            "inhaber": "Gemeindekasse Messhausen",
            "richtig": True,
        }
        return self._hand_in(self.drawdown, answers, about)

    def prove(self, about: Case, spent: Decimal, vouchers: int = 20) -> Case:
        """Verwendungsnachweis with two lines and a list of vouchers that add up to `spent`."""
        day = str(clock.today() - timedelta(days=30))
        part = (spent / vouchers).quantize(Decimal("0.01"))
        first = spent - part * (vouchers - 1)
        answers: dict[str, Any] = {
            "art": "verwendung",
            "sachbericht": "Wir haben die digitale Akte in allen Ämtern eingeführt.",
            "ziel": "Ja: Alle laufenden Akten sind digital.",
            "zeilen": [
                {"wofuer": "Einführung", "betrag": str(spent - part)},
                {"wofuer": "Schulung", "betrag": str(part)},
            ],
            "dritte": "0.00",
            "belege": [
                {
                    "datum": day,
                    "empfaenger": "Systemhaus Muster GmbH",
                    "grund": f"Rechnung {number}",
                    "betrag": str(part if number else first),
                }
                for number in range(vouchers)
            ],
            "inventar": [],
            "notwendig": True,
            "richtig": True,
        }
        return self._hand_in(self.proof, answers, about)

    def propose(self, case: Case, amount: Decimal, more: Mapping[str, Any] | None = None) -> None:
        proposal = {"ergebnis": "granted", "betrag": amount, "begruendung": REASONS, **(more or {})}
        self.do(case, self.place.clerk, proposal)

    def release(self, case: Case) -> None:
        self.do(case, self.place.approver, {"freigegeben": True})

    def decide(self, case: Case, amount: Decimal, more: Mapping[str, Any] | None = None) -> None:
        """Proposed by one, released by the other."""
        self.propose(case, amount, more)
        self.release(case)

    def do(self, case: Case, by: Actor, answers: Mapping[str, Any]) -> None:
        """Complete the one task that is open."""
        with by.acting():
            task = Task.objects.get(case=case, state=TaskState.OPEN)
        complete_task(by=by, task=task.id, answers=answers)

    def _hand_in(self, offer: Offer, answers: dict[str, Any], about: Case | None) -> Case:
        place = self.place
        return submit_application(
            by=place.applicant,
            offer=offer,
            party=place.party,
            answers=answers,
            submission=new_id(),
            about=about,
        )


def furnish_grants(place: Place) -> GrantPlace:
    """The programme with its money, call and follow-ups; called again, it is the same."""
    system = Actor.system(place.ministry.id)
    this_year = clock.today().year
    years = (this_year - 2, this_year - 1, this_year)
    award = offer_package(place.ministry, _award_files(), AWARD)
    drawdown = offer_package(place.ministry, read_folder(ROOT / "leistungen/mittelabruf"), DRAWDOWN)
    proof = offer_package(place.ministry, read_folder(ROOT / "leistungen/verwendungsnachweis"), PROOF)
    programme = set_up_programme(
        by=system,
        authority=place.ministry.id,
        key=PROGRAMME,
        title="Messförderung",
        payer_name="Messkasse",
        payer_iban=IBAN,
    )
    call = set_up_call(
        by=system,
        programme=PROGRAMME,
        programme_title=programme.title,
        key=AWARD,
        title="Messförderung, erster Aufruf",
        offer=award,
        budgets=dict.fromkeys(years, BUDGET),
    )
    return GrantPlace(place, programme, call, award, drawdown, proof, years)


def _award_files() -> dict[str, str]:
    """The bench package, with the period in the award and its notice noted, and without its upload."""
    files = dict(read_folder(PACKAGE))
    told = "".join(
        f'<r:argument name="{name}" value="antrag.{name}" />'
        for name in ("titel", "ausgaben", "beginn", "ende")
    )
    process = files["prozess.bpmn"]
    for old, new in (
        (
            'r:operation="grants.award">',
            f'r:operation="grants.award"><bpmn:extensionElements>{told}</bpmn:extensionElements>',
        ),
        (
            'sourceRef="bescheid_erstellen" targetRef="bescheid_im_postfach" />',
            'sourceRef="bescheid_erstellen" targetRef="vermerken" />'
            '<bpmn:serviceTask id="vermerken" name="Vermerken" r:operation="grants.notified" />'
            '<bpmn:sequenceFlow id="fluss_vermerkt" sourceRef="vermerken" targetRef="bescheid_im_postfach" />',
        ),
    ):
        assert old in process
        process = process.replace(old, new)
    schema = json.loads(files["formular.schema.json"])
    schema["required"].remove("projektbeschreibung")
    return {**files, "prozess.bpmn": process, "formular.schema.json": json.dumps(schema)}


def _sample(offer: Offer) -> dict[str, Any]:
    return sample_of(package_of(offer.version_id))
