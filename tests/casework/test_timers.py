"""Timers: each fires once, however many workers look; one that cannot go on holds nobody up and is shown to staff."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.conftest import World
from tests.casework.packages import MANIFEST, PROCESS, SAMPLE, probe
from tests.casework.test_races import at_once

from rathaus.casework.cases.actions import timers
from rathaus.casework.cases.actions.incidents import retry_incident
from rathaus.casework.cases.actions.timers import fire_timer
from rathaus.casework.cases.jobs import fire_due_timers
from rathaus.casework.cases.models import Case, Incident, Task, Timer
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.models import Event
from rathaus.core.audit.queries import history
from rathaus.core.identity.actors import Actor
from rathaus.engine import workflow

PAUSE = (
    '<bpmn:intermediateCatchEvent id="pause" name="Eine Stunde"><bpmn:timerEventDefinition id="t">'
    "<bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    '<bpmn:sequenceFlow id="f2b" sourceRef="pause" targetRef="pruefen"/>'
)


@pytest.fixture
def paused(committed_world: World) -> World:
    """The service `probe`, in which each case first waits for an hour."""
    w = committed_world
    process = PROCESS.replace(
        'sourceRef="regeln" targetRef="pruefen"', 'sourceRef="regeln" targetRef="pause"'
    )
    files = probe(
        leistung__toml=MANIFEST.replace('fassung = "1"', 'fassung = "2"'),
        prozess__bpmn=process.replace('<bpmn:userTask id="pruefen"', PAUSE + '<bpmn:userTask id="pruefen"'),
    )
    del files["beispiele/bewilligt.json"]
    import json

    files["beispiele/wartet.json"] = json.dumps(
        {**SAMPLE, "schritte": [{"element": "pause", "ergebnis": {}}, *SAMPLE["schritte"]]}
    )
    by = Actor.system(w.ministry.id)
    w.offer = offer_service(
        by=by, authority=w.ministry, version=publish_package(by=by, files=files), slug="probe"
    )
    return w


def waiting_case(w: World, *, due: bool = True) -> Case:
    case = w.submit()
    with Actor.system(w.ministry.id).acting():
        timer = Timer.objects.get(case=case)
        assert timedelta(minutes=59) < timer.due_at - timezone.now() <= timedelta(hours=1)
        if due:
            Timer.objects.filter(id=timer.id).update(due_at=timezone.now() - timedelta(seconds=1))
    return case


def test_a_due_timer_fires_once_with_many_workers(paused: World) -> None:
    w = paused
    cases = [waiting_case(w) for _ in range(3)]
    answers = at_once(*[lambda: fire_due_timers.func(0)] * 3)
    assert answers == [None] * 3
    with w.clerk.acting():
        assert history(cases[0].id)[0].sentence == "Frist abgelaufen: Eine Stunde"
    with w.clerk.acting():
        assert not Timer.objects.exists()
        assert not Incident.objects.exists()
        for case in cases:
            assert Task.objects.get(case=case).state == "open"
            assert Event.objects.filter(case_id=case.id, name="cases.timer.fired").count() == 1


def test_one_timer_fired_by_two_at_once(paused: World) -> None:
    w = paused
    case = waiting_case(w)
    by = Actor.system(w.ministry.id)
    with by.acting():
        timer = Timer.objects.get(case=case)
    assert at_once(*[lambda: fire_timer(by=by, timer=timer)] * 4) == [None] * 4
    with w.clerk.acting():
        assert Task.objects.filter(case=case).count() == 1
        assert Event.objects.filter(name="cases.timer.fired").count() == 1


def test_a_timer_that_is_not_due_stays(paused: World) -> None:
    case = waiting_case(paused, due=False)
    fire_due_timers.func(0)
    with paused.clerk.acting():
        assert Timer.objects.filter(case=case).exists()
        assert not Task.objects.exists()


def test_a_timer_of_another_authority_is_not_seen(paused: World) -> None:
    w = paused
    waiting_case(w)
    with Actor.system(w.ministry.id).acting():
        timer = Timer.objects.get()
    for stranger in (Actor.system(w.waldsolms.id), w.lahnau_officer):
        with stranger.acting():
            assert not Timer.objects.exists()
            assert Timer.objects.filter(id=timer.id).delete()[0] == 0
            assert Timer.objects.update(due_at=timezone.now()) == 0
    with Actor.system(w.ministry.id).acting():
        assert Timer.objects.get() == timer


def test_one_case_that_cannot_go_on_holds_nobody_up(paused: World, monkeypatch: pytest.MonkeyPatch) -> None:
    w = paused
    stuck, fine = waiting_case(w), waiting_case(w)
    real = Run.send

    def send(self: Run, event: workflow.Event) -> None:
        if self.case.id == stuck.id:
            raise Refused("Keine Bedingung trifft zu.")
        real(self, event)

    monkeypatch.setattr(Run, "send", send)
    fire_due_timers.func(0)
    fire_due_timers.func(0)
    with w.clerk.acting():
        assert Task.objects.get().case_id == fine.id
        incident = Incident.objects.get()
        assert (incident.case_id, incident.element, incident.state) == (stuck.id, "pause", "open")
        assert "Keine Bedingung" in incident.reason
        assert Timer.objects.get().case_id == stuck.id  # nothing of the failed step was stored
    with pytest.raises(Refused, match="Keine Bedingung"):
        retry_incident(by=w.clerk, incident=incident.id)
    monkeypatch.setattr(Run, "send", real)
    assert retry_incident(by=w.clerk, incident=incident.id).state == "resolved"
    with w.clerk.acting():
        assert not Timer.objects.exists()
        assert Task.objects.filter(case=stuck).count() == 1


def test_what_was_stuck_and_went_on_by_itself_is_settled(
    paused: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = paused
    waiting_case(w)
    with monkeypatch.context() as spoiled:
        spoiled.setattr(Run, "send", lambda self, event: 1 / 0)
        fire_due_timers.func(0)
    with w.clerk.acting():
        assert Incident.objects.get().state == "open"
    fire_due_timers.func(0)
    with w.clerk.acting():
        assert Incident.objects.get().state == "resolved"
        assert Task.objects.get().state == "open"


def test_many_that_are_stuck_do_not_hold_up_the_later_ones(
    paused: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = paused
    monkeypatch.setattr(timers, "PAGE", 2)
    stuck = {waiting_case(w).id for _ in range(5)}
    fine = waiting_case(w)
    with Actor.system(w.ministry.id).acting():  # as if all came due in the same instant, the good one last
        first = timezone.now() - timedelta(hours=2)
        Timer.objects.filter(case_id__in=stuck).update(due_at=first)
    real, tried = Run.send, []

    def send(self: Run, event: workflow.Event) -> None:
        tried.append(self.case.id)
        if self.case.id in stuck:
            raise Refused("Keine Bedingung trifft zu.")
        real(self, event)

    monkeypatch.setattr(Run, "send", send)
    fire_due_timers.func(0)
    assert (len(tried), set(tried)) == (6, {*stuck, fine.id})  # each once
    assert tried[-1] == fine.id
    with w.clerk.acting():
        assert Task.objects.get().case_id == fine.id
        assert {found.case_id for found in Timer.objects.all()} == stuck
        assert Incident.objects.filter(state="open").count() == 5
