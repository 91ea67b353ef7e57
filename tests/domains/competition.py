"""A competitive round: a ministry, its experts, and applications that are reviewed before they are decided."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tests.casework.conftest import World, account
from tests.casework.packages import MANIFEST, PROCESS, SAMPLE, probe

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import actor_of
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.actions.reviews import assign_experts, declare_conflict, submit_review
from rathaus.domains.grants.models import Call, Review

CRITERIA = """
begutachtung = [
  {name = "Nutzen", gewicht = 50, hinweis = "Was haben die Menschen davon?"},
  {name = "Umsetzbarkeit", gewicht = 30},
  {name = "Übertragbarkeit", gewicht = 20},
]
"""
_REVIEW = """
    <bpmn:exclusiveGateway id="wettbewerb" default="w2"/>
    <bpmn:serviceTask id="oeffnen" name="Begutachtung eröffnen" r:operation="grants.review.open"/>
    <bpmn:receiveTask id="begutachten" name="Begutachtung" messageRef="m2"/>
    <bpmn:sequenceFlow id="w1" sourceRef="wettbewerb" targetRef="oeffnen">
      <bpmn:conditionExpression>anzahl(parameter.begutachtung) > 0</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="w2" sourceRef="wettbewerb" targetRef="vorschlagen"/>
    <bpmn:sequenceFlow id="w3" sourceRef="oeffnen" targetRef="begutachten"/>
    <bpmn:sequenceFlow id="w4" sourceRef="begutachten" targetRef="vorschlagen"/>
    <bpmn:startEvent id="start"/>"""


def package(parameters: str = CRITERIA, jury: bool = False) -> dict[str, str]:
    """The files of `wettbewerb`; `parameters` are its criteria as TOML."""
    manifest = MANIFEST.replace('"probe"', '"wettbewerb"').replace('"PRB"', '"WBW"')
    manifest += parameters + (f"begutachtung_anzahl = 2\nbegutachtung_jury = {str(jury).lower()}\n")
    process = (
        PROCESS.replace('sourceRef="g1" targetRef="vorschlagen"', 'sourceRef="g1" targetRef="wettbewerb"')
        .replace('<bpmn:message id="m1" name="antwort"/>',
                 '<bpmn:message id="m1" name="antwort"/><bpmn:message id="m2" name="begutachtet"/>')
        .replace('\n    <bpmn:startEvent id="start"/>', _REVIEW)
    )  # fmt: skip
    sample = {**SAMPLE, "parameter": {"begutachtung": []}}
    reviewed = {
        **SAMPLE,
        "titel": "Begutachtet",
        "parameter": {"begutachtung": [{"name": "Nutzen", "gewicht": 1}]},
        "schritte": [
            SAMPLE["schritte"][0],
            {"element": "begutachten", "ergebnis": {}},
            *SAMPLE["schritte"][1:],
        ],
        "pfad": ["pruefen", "oeffnen", "begutachten", "vorschlagen"],
    }
    return probe(leistung__toml=manifest, prozess__bpmn=process) | {
        "beispiele/bewilligt.json": json.dumps(sample),
        "beispiele/begutachtet.json": json.dumps(reviewed),
    }


@dataclass
class Round:
    """Everything a test of a competition needs by name."""

    world: World
    offer: Offer
    call: Call
    experts: tuple[Actor, Actor, Actor]

    def apply(self, title: str = "Neue Akte", amount: str = "900.00") -> Case:
        """An application that is complete, so that its review is open."""
        case = self.world.submit(offer=self.offer, titel=title, betrag=amount, ausgaben="1000000.00")
        complete_task(by=self.world.clerk, task=self.world.task(case).id, answers={"vollstaendig": True})
        return case

    def ask(self, case: Case, *experts: Actor) -> list[Review]:
        """Reviews of these experts, or of the first two."""
        chosen = experts or self.experts[:2]
        pairs = [(case.id, expert.account) for expert in chosen if expert.account]
        assign_experts(by=self.world.clerk, assignments=pairs)
        with self.world.clerk.acting():
            found = {review.expert_id: review for review in Review.objects.filter(case=case)}
        return [found[expert.account] for expert in chosen if expert.account]

    def review(self, review: Review, expert: Actor, *points: int) -> Review:
        """Declared unbiased and handed in, with points in the order of the criteria."""
        declare_conflict(by=expert, review=review.id, is_conflicted=False)
        return submit_review(by=expert, review=review.id, scores=scores(*points), comment="Gut begründet.")

    def scored(self, title: str, amount: str, *marks: tuple[int, int, int]) -> Case:
        """An application with reviews handed in."""
        case = self.apply(title, amount)
        experts = self.experts[: len(marks)]
        for review, expert, points in zip(self.ask(case, *experts), experts, marks, strict=True):
            self.review(review, expert, *points)
        return case

    def waits(self, case: Case) -> bool:
        """Whether the process still waits for reviews."""
        with self.world.clerk.acting():
            return case.subscriptions.filter(message="begutachtet").exists()


def scores(*points: int) -> Mapping[str, int]:
    return dict(zip(("Nutzen", "Umsetzbarkeit", "Übertragbarkeit"), points, strict=True))


def make_round(
    world: World, *, jury: bool = False, money: str = "10000.00", parameters: str = CRITERIA
) -> Round:
    offer = world.publish(package(parameters, jury), "wettbewerb")
    system = Actor.system(world.ministry.id)
    call = set_up_call(
        by=system,
        programme="wettbewerbe",
        programme_title="Wettbewerbe",
        key="runde",
        title="Runde 2025",
        offer=offer,
        budgets={2025: Decimal(money)},
    )
    experts = tuple(_expert(world, number) for number in (1, 2, 3))
    return Round(world, offer, call, (experts[0], experts[1], experts[2]))


def _expert(world: World, number: int) -> Actor:
    person = account(f"gutachten{number}@example.org", f"Dr. Gut {number}")
    add_member(
        by=Actor.system(world.ministry.id),
        authority=world.ministry,
        account=person,
        roles=["Gutachten"],
        function=f"Gutachten {number}",
    )
    return actor_of(person.pk)
