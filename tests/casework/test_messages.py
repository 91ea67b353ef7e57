"""Texts between authority and applicant: whole or refused; a process writes in the name of the authority."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection
from tests.casework.conftest import World
from tests.casework.packages import MANIFEST, PROCESS, probe

from rathaus.casework.cases.actions.messages import answer_request, send_message
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Incident, Message, Task
from rathaus.casework.cases.rules import LONGEST_MESSAGE
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.queries import history
from rathaus.core.identity.actors import Actor

ASK = {"vollstaendig": False, "nachricht": "Was fehlt?"}


def offer_with_send_task(w: World, text: str) -> None:
    """The service `probe`, which writes to the applicant before anybody looks at the application."""
    send = f"""<bpmn:sendTask id="melden" name="Bescheid geben"><bpmn:extensionElements>
      <r:argument name="text" value="{text}"/></bpmn:extensionElements></bpmn:sendTask>
      <bpmn:sequenceFlow id="f2b" sourceRef="melden" targetRef="pruefen"/>"""
    process = PROCESS.replace(
        'sourceRef="regeln" targetRef="pruefen"', 'sourceRef="regeln" targetRef="melden"'
    )
    files = probe(
        leistung__toml=MANIFEST.replace('fassung = "1"', 'fassung = "2"'),
        prozess__bpmn=process.replace('<bpmn:userTask id="pruefen"', send + '<bpmn:userTask id="pruefen"'),
    )
    by = Actor.system(w.ministry.id)
    version = publish_package(by=by, files=files)
    w.offer = offer_service(by=by, authority=w.ministry, version=version, slug="probe")


def test_a_send_task_writes_to_the_applicant(world: World, run_jobs: Callable[[], int]) -> None:
    w = world
    offer_with_send_task(w, "&quot;Wir prüfen: &quot; + antrag.titel")
    case = w.submit()
    with w.lahnau_officer.acting():
        message = Message.objects.get(case=case)
    assert (message.body, message.sender, message.sender_name, message.sent_by_id) == (
        "Wir prüfen: Neue Akte", "staff", "Ministerium", None,
    )  # fmt: skip
    assert w.task(case).title == "Vollständigkeit prüfen"
    with w.clerk.acting():
        assert "Nachricht automatisch gesendet" in [entry.sentence for entry in history(case.id)]
    run_jobs()
    assert sorted(sent.subject for sent in mail.outbox) == [
        f"Ihr Antrag ist eingegangen ({case.reference})",
        f"Neue Nachricht ({case.reference})",
    ]


def test_the_mail_about_it_is_a_job_of_the_step(world: World) -> None:
    offer_with_send_task(world, "&quot;Hallo&quot;")
    world.submit()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'reason' FROM procrastinate_jobs WHERE task_name = 'cases.send_mail_to_applicant'"
        )
        assert cursor.fetchall() == [("message",)]


@pytest.mark.parametrize(
    "text", ["&quot;  &quot;", " + ".join(["antrag.titel"] * 51)], ids=["empty", "too long"]
)
def test_a_text_that_does_not_fit_is_the_matter_of_staff_not_of_the_applicant(
    world: World, text: str
) -> None:
    offer_with_send_task(world, text)
    case = world.submit(titel="x" * 100)
    with world.clerk.acting():
        assert "1 bis 5000 Zeichen" in Incident.objects.get(case=case).reason
        assert not Message.objects.exists()
        assert not Task.objects.exists()


def test_nothing_that_somebody_wrote_is_cut_off(world: World) -> None:
    w = world
    case = w.submit()
    longest, too_long = "x" * LONGEST_MESSAGE, "x" * (LONGEST_MESSAGE + 1)
    with pytest.raises(Refused, match="höchstens 5000"):
        send_message(by=w.clerk, case=case, body=too_long)
    with pytest.raises(Refused, match="höchstens 5000"):
        complete_task(by=w.clerk, task=w.task(case).id, answers={**ASK, "nachricht": too_long})
    complete_task(by=w.clerk, task=w.task(case).id, answers=ASK)
    with pytest.raises(Refused, match="höchstens 5000"):
        answer_request(by=w.lahnau_officer, case=case, body=too_long)
    answer_request(by=w.lahnau_officer, case=case, body=longest)
    send_message(by=w.clerk, case=case, body=f"\x00 {longest}\x00")
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": "granted", "betrag": case.amount, "begruendung": "x" * 10_001}
    with pytest.raises(Refused, match="höchstens 10000"):
        complete_task(by=w.clerk, task=w.task(case).id, answers=proposal)
    complete_task(by=w.clerk, task=w.task(case).id, answers={**proposal, "begruendung": "Gut."})
    with pytest.raises(Refused, match="höchstens 2000"):
        complete_task(
            by=w.approver, task=w.task(case).id, answers={"freigegeben": False, "grund": "x" * 2001}
        )
    with w.lahnau_officer.acting():
        assert sorted(len(message.body) for message in Message.objects.all()) == [10, 5000, 5000]
        assert Case.objects.get(id=case.id).state == "PROCESSING"


@pytest.mark.parametrize("until", ["2020-01-01", 7])
def test_a_deadline_is_a_day(world: World, until: object) -> None:
    case = world.submit()
    with pytest.raises(Refused, match="Frist"):
        complete_task(by=world.clerk, task=world.task(case).id, answers={**ASK, "frist": until})
