"""The engine with PostgreSQL on one connection, against the same rows as bare PostgreSQL work (yardstick R).

The process is that of the bench package; its two operations do nothing here, so that only the engine's work is left.
R executes the very statements that the engine wrote, with the same rows under new keys: one prepared statement and
one commit a step, no row-level security, nothing read before.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from django.utils import timezone

from rathaus.casework.cases import events
from rathaus.casework.cases.models import Application, Case, CaseProcess
from rathaus.casework.cases.steps import Run, lock, lock_task, opening
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import operation
from rathaus.casework.services.packages import Package, package_of, read_folder
from rathaus.cli.bench.figures import Figure, Sizes, median, ms, number
from rathaus.cli.bench.place import PACKAGE, Place, offer_package, sample_of
from rathaus.cli.bench.relay import counting_relay
from rathaus.core.identity.actors import Actor
from rathaus.core.tenancy import new_id
from rathaus.engine import workflow

GOAL, STATE_BYTES, TRIPS, GROWTH = 0.40, 2048, 3, 1.3
LOOP = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:r="urn:rathaus:bpmn:1" id="d"
  targetNamespace="urn:rathaus:leistungen">
  <bpmn:process id="p" isExecutable="true">
    <bpmn:laneSet id="ls"><bpmn:lane id="l" name="Sachbearbeitung"><bpmn:flowNodeRef>weiter</bpmn:flowNodeRef></bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="start"/>
    <bpmn:userTask id="weiter" name="Weiter" r:form="kern:pruefung">
      <bpmn:extensionElements><r:output variable="fertig" value="result.fertig"/></bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:exclusiveGateway id="g" default="zurueck"/>
    <bpmn:endEvent id="ende"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="weiter"/>
    <bpmn:sequenceFlow id="f2" sourceRef="weiter" targetRef="g"/>
    <bpmn:sequenceFlow id="zurueck" sourceRef="g" targetRef="weiter"/>
    <bpmn:sequenceFlow id="f3" sourceRef="g" targetRef="ende">
      <bpmn:conditionExpression>fertig</bpmn:conditionExpression></bpmn:sequenceFlow>
  </bpmn:process>
</bpmn:definitions>
"""


@operation("bench.now")
def _now(step: Run) -> dict[str, Any]:
    """Stands in for grants.award: runs in the step of the approval."""
    return {}


@operation("bench.later", later=True)
def _later(step: Run) -> dict[str, Any]:
    """Stands in for letters.issue: queued in the step of the approval, a step of its own."""
    return {}


def measure(sizes: Sizes, place: Place) -> Iterator[Figure]:
    """Engine and yardstick in turns; then round trips on the wire, size of the state, and the long loop."""
    engine = Engine.of(place)
    for _ in range(5):
        engine.lifecycle()
    rows = engine.recorded(sizes.steps)
    ours, bare = [], []
    with psycopg.connect(place.urls.superuser, autocommit=True, prepare_threshold=1) as raw:
        for _ in range(sizes.repeats):
            ours.append(_each(engine.lifecycle, sizes.steps))
            bare.append(_bare(raw, [renewed(row, engine.fixed) for row in rows]))
    ratios = [b / a for a, b in zip(ours, bare, strict=True)]
    a, b, ratio = median(ours), median(bare), median(ratios)
    yield Figure(
        "engine_with_postgresql",
        "Ablauf mit PostgreSQL, eine Verbindung",
        f"≥ {number(GOAL)} R",
        f"{number(1 / a)}/s = {number(ratio)} R",
        f"R {number(1 / b)}/s",
        ratio >= GOAL,
        {"per_second": 1 / a, "r_per_second": 1 / b, "of_r": ratio, "lifecycle_seconds": a},
    )
    yield _round_trips(engine)
    yield _state(place)
    yield _long_loop(sizes, place)
    with psycopg.connect(place.urls.superuser, autocommit=True) as cleaner:
        cleaner.execute("TRUNCATE procrastinate_jobs CASCADE")  # nobody knows these operations


@dataclass
class Engine:
    """Walks cases through the process, as the actions do, without forms and files around it."""

    place: Place
    offer: Offer
    package: Package
    answers: dict[str, Any]

    @classmethod
    def of(cls, place: Place, process: str | None = None, slug: str = "messung-ablauf") -> Engine:
        """The bench package's process (or another), with operations that do nothing."""
        files = read_folder(PACKAGE)
        text = process or files["prozess.bpmn"]
        text = text.replace("grants.award", "bench.now").replace("letters.issue", "bench.later")
        offer = offer_package(place.ministry, {**files, "prozess.bpmn": text}, slug)
        package = package_of(offer.version_id)
        return cls(place, offer, package, sample_of(package))

    def lifecycle(self) -> None:
        """Four steps: handed in, proposed, approved, notified."""
        run = self.begin()
        for by, result in (
            (self.place.clerk, {"ergebnis": "granted", "betrag": Decimal("36000.00")}),
            (self.place.approver, {"freigegeben": True}),
        ):
            run = self.complete(UUID(next(iter(run.tasks.values()))["id"]), by, result)
        call = run.later[0]
        by = Actor.system(self.place.ministry.id)
        with by.acting():
            run = lock(run.case.id, by=by)
            run.send(run.call(call.token, call.operation, call.arguments))
            run.write()

    def begin(self) -> Run:
        """The first step: case and application are stored with it."""
        place, now = self.place, timezone.now()
        case = Case(
            authority_id=place.ministry.id,
            offer=self.offer,
            terms_id=self.offer.terms_id,
            party=place.party,
            party_name=place.party.name,
            party_address=place.party.address,
            applicant_id=place.party.authority_id,
            reference=str(new_id()),
            title=self.answers["titel"],
            amount=Decimal(self.answers["betrag"]),
            opened_at=now,
        )
        case.application = application = Application(
            authority_id=place.ministry.id,
            case=case,
            party=place.party,
            version_id=self.offer.version_id,
            answers=self.answers,
            submission=new_id(),
            submitted_at=now,
            submitted_by_id=place.applicant.account,
        )
        with place.applicant.on_behalf_of(place.ministry.id):
            run = opening(application, self.package, by=place.applicant)
            run.record(events.OPENED)
            run.start()
            run.write()
        return run

    def complete(self, task: UUID, by: Actor, result: dict[str, Any]) -> Run:
        """A step that somebody's task sets off."""
        with by.acting():
            run, found = lock_task(task, by=by)
            run.completed = {"token": found.token, "account": by.account}
            run.completed_elements[found.element] = by.account
            run.record(events.TASK_COMPLETED, title=found.title)
            run.send(workflow.TaskCompleted(found.token, result))
            run.write()
        return run

    @property
    def fixed(self) -> frozenset[str]:
        """Keys that every case shares; all others belong to one case."""
        place = self.place
        shared = (
            place.ministry.id,
            place.party.id,
            place.party.authority_id,
            self.offer.id,
            self.offer.version_id,
            self.offer.terms_id,
            place.applicant.account,
            place.clerk.account,
            place.approver.account,
        )
        return frozenset(map(str, shared))

    def recorded(self, times: int) -> list[list[Statement]]:
        """What the engine writes for so many lifecycles."""
        found = []
        for _ in range(times):
            written: list[Statement] = []

            def note(
                execute: Any, query: str, values: Any, many: bool, context: Any, into: Any = written
            ) -> Any:
                if query.startswith("WITH "):
                    into.append((query, list(values)))
                return execute(query, values, many, context)

            with connection.execute_wrapper(note):
                self.lifecycle()
            found.append(written)
        return found


Statement = tuple[str, list[Any]]
_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def renewed(statements: list[Statement], fixed: frozenset[str]) -> list[Statement]:
    """The same rows under new keys."""
    keys: dict[str, str] = {}

    def new(key: str) -> str:
        return key if key in fixed else keys.setdefault(key, str(new_id()))

    def value(given: Any) -> Any:
        if isinstance(given, UUID):
            return UUID(new(str(given)))
        if isinstance(given, str):
            return _KEY.sub(lambda found: new(found[0]), given)
        return given

    return [(query, [value(given) for given in values]) for query, values in statements]


def _each(run: Any, times: int) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - begun) / times


def _bare(raw: psycopg.Connection, lifecycles: list[list[Statement]]) -> float:
    """R: seconds a lifecycle."""
    with raw.cursor() as cursor:
        begun = time.perf_counter()
        for statements in lifecycles:
            for query, values in statements:
                cursor.execute(query, values)
        return (time.perf_counter() - begun) / len(lifecycles)


def _round_trips(engine: Engine) -> Figure:
    with counting_relay() as relay:
        for _ in range(5):
            engine.lifecycle()
        before = relay.trips
        for _ in range(10):
            engine.lifecycle()
        trips = (relay.trips - before) / 40
    return Figure(
        "round_trips",
        "… Wege zur Datenbank je Schritt",
        f"≤ {TRIPS}",
        number(trips),
        is_reached=trips <= TRIPS,
        values={"round_trips_a_step": trips},
    )


def _state(place: Place) -> Figure:
    with place.clerk.acting():
        states = CaseProcess.objects.order_by("-case_id").values_list("state", flat=True)[:100]
        largest = max(len(json.dumps(state, separators=(",", ":")).encode()) for state in states)
    return Figure(
        "state_bytes",
        "… gespeicherter Zustand",
        f"≤ {STATE_BYTES} Byte",
        f"{largest} Byte",
        is_reached=largest <= STATE_BYTES,
        values={"bytes": largest},
    )


def _long_loop(sizes: Sizes, place: Place) -> Figure:
    engine = Engine.of(place, LOOP, "messung-schleife")
    early, late, bytes_late = [], [], 0
    for _ in range(sizes.loops):
        run = engine.begin()
        for number_of_step in range(2, sizes.loop + 4):
            task = UUID(next(iter(run.tasks.values()))["id"])
            begun = time.perf_counter()
            run = engine.complete(task, place.clerk, {"fertig": False})
            taken = time.perf_counter() - begun
            if 3 <= number_of_step <= 7:
                early.append(taken)
            elif number_of_step >= sizes.loop - 1:
                late.append(taken)
        bytes_late = len(json.dumps(run.state).encode())
    growth = median(late) / median(early)
    return Figure(
        "long_loop",
        f"… Schritt {sizes.loop} gegen Schritt 5",
        "kostet dasselbe",
        f"{ms(median(late))} gegen {ms(median(early))}, {bytes_late} Byte",
        is_reached=growth <= GROWTH,
        values={"early_seconds": median(early), "late_seconds": median(late), "bytes": bytes_late},
    )
