"""Working on a case through its page: each task, its errors, and what happens when it cannot be done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.utils import timezone
from tests.casework.conftest import money_on
from tests.casework.packages import MANIFEST, probe
from tests.web.desk.conftest import Desk, proposed, sit_down

from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Decision, Finding, Incident, Message, Task
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.core import clock
from rathaus.core.audit.actions import seal
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.domains.grants.actions.programme import provide
from rathaus.domains.grants.models import Measure

EVIL = '<script>alert("x")</script>'


def words(html: str) -> str:
    """The text of a page without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\xa0", " ").split())


def proposal(**changes: str) -> dict[str, str]:
    return {"ergebnis": "granted", "betrag": "900,00", "begruendung": "Alles erfüllt.", **changes}


def ready(desk: Desk, **answers: str) -> Case:
    """A case whose decision can be proposed."""
    case = desk.world.submit(**answers)
    complete_task(by=desk.world.clerk, task=desk.world.task(case).id, answers={"vollstaendig": True})
    return case


def test_from_application_to_notice(clerk: Desk, head: Desk, run_jobs: Callable[[], int]) -> None:
    case = clerk.world.submit()
    address = f"/amt/vorgang/{case.reference}/"
    page = words(clerk.get(address))
    assert "Gemeinde Lahnau: Neue Akte" in page
    assert "900,00 €" in page
    assert "Was fehlt Nichts" in page
    clerk.post(clerk.task_url(case), vollstaendig="ja")
    assert "„Vollständigkeit prüfen“ ist erledigt." in clerk.get(address)
    clerk.post(clerk.task_url(case), **proposal())
    assert "Rolle Freigabe" in words(clerk.get(address))
    page = words(head.get(address))
    assert "Vorgeschlagen von Sachbearbeitung D3-2" in page
    assert "Alles erfüllt." in page
    head.post(head.task_url(case), freigegeben="ja")
    run_jobs()
    page = words(clerk.get(address))
    assert "Entschieden von Referatsleitung D3" in page
    assert "Rechtsbehelf bis" in page
    assert "Abgeschlossen" in page
    assert "Bescheid erstellt und ins Postfach gelegt" in page


def test_nothing_is_chosen_in_advance_and_errors_stand_beside_the_fields(clerk: Desk) -> None:
    case = ready(clerk)
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    assert "checked" not in page
    assert 'value="900,00"' in page
    typed = {"betrag": "118.500.00", "begruendung": "  "}
    page = clerk.post(clerk.task_url(case), 422, **typed).content.decode()
    assert page.count('aria-invalid="true"') == 2  # amount and reasons; the radios point to their error
    assert "Wählen Sie, wie Sie entscheiden möchten." in page
    assert "Der Betrag „118.500.00“ ist nicht eindeutig." in page
    assert 'value="118.500.00"' in page
    assert "<title>Fehler: " in page
    with clerk.actor.acting():
        assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"betrag": "0"}, "mehr als 0,00"),
        ({"betrag": "-5"}, "negativ"),
        ({"betrag": "1,234"}, "nicht eindeutig"),
        ({"betrag": ""}, "Tragen Sie einen Betrag ein"),
        ({"ergebnis": "maybe"}, "Wählen Sie, wie"),
        ({"begruendung": ""}, "Schreiben Sie eine Begründung"),
    ],
)
def test_wrong_fields_of_a_proposal(clerk: Desk, typed: dict[str, str], said: str) -> None:
    case = ready(clerk)
    answer = clerk.post(clerk.task_url(case), 422, **proposal(**typed))
    assert said in answer.content.decode()


def test_refusing_needs_no_amount(clerk: Desk) -> None:
    case = ready(clerk, betrag="50.00", ausgaben="60.00")  # below the minimum: only refusing is possible
    page = words(clerk.get(f"/amt/vorgang/{case.reference}/"))
    assert "Bewilligen geht noch nicht" in page
    clerk.post(clerk.task_url(case), **proposal(ergebnis="refused", betrag="nicht nötig"))
    with clerk.actor.acting():
        assert Decision.objects.get().amount is None


def test_years_must_add_up(clerk: Desk) -> None:
    system = Actor.system(clerk.world.ministry.id)
    year = clock.today().year
    years = f"jahre = [{year - 1}, {year}, {year + 1}]\n"
    manifest = MANIFEST.replace('fassung = "1"', 'fassung = "2"') + years
    version = publish_package(by=system, files=probe(leistung__toml=manifest))
    clerk.world.offer = offer_service(
        by=system, authority=clerk.world.ministry, version=version, slug="probe"
    )
    case = ready(clerk)
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    assert page.count('value="450,00"') == 2  # evenly over the years that are not over, to be changed
    assert page.count('value="0,00"') == 1

    def divided(*amounts: str) -> dict[str, str]:
        return proposal(**{f"jahr_{year + number}": amount for number, amount in enumerate(amounts, -1)})

    wrong = divided("0,00", "450,00", "400,00")
    page = words(clerk.post(clerk.task_url(case), 422, **wrong).content.decode())
    assert "Die Jahre ergeben 850,00 €, der Betrag ist 900,00 €. Es fehlen 50,00 €." in page
    clerk.post(clerk.task_url(case), **divided("0", "500,00", "400"))
    with clerk.actor.acting():
        assert Decision.objects.get().details == {
            "jahre": {f"{year - 1}": "0.00", f"{year}": "500.00", f"{year + 1}": "400.00"}
        }


def test_exception_is_for_the_head_and_stays_on_top(clerk: Desk, head: Desk) -> None:
    case = ready(clerk, betrag="50.00", ausgaben="60.00")
    with clerk.actor.acting():
        finding = Finding.objects.get(result="failed")
    address = f"/amt/vorgang/{case.reference}/ausnahme/{finding.id}/"
    assert address not in clerk.get(f"/amt/vorgang/{case.reference}/")
    assert "nur die Leitung" in clerk.post(address, 403, grund="Weil es sinnvoll ist.").content.decode()
    task = clerk.task_url(case)
    refused = clerk.post(task, 422, **proposal(betrag="50,00")).content.decode()
    assert "Erst muss die Leitung" in refused
    assert 'value="50,00"' in refused
    assert "Alles erfüllt." in refused
    page = head.post(address, 422, grund="kurz").content.decode()
    assert "Begründen Sie die Ausnahme" in page
    assert "kurz</textarea>" in page
    head.post(address, grund="Der Zweck wird mit weniger Geld erreicht.")
    page = words(clerk.get(f"/amt/vorgang/{case.reference}/"))
    assert "Ausnahme zugelassen von Referatsleitung D3" in page
    assert "mit weniger Geld" in page
    assert page.index("Ausnahme zugelassen von") < page.index("Antragsberechtigt")
    clerk.post(task, **proposal(betrag="50,00"))


def test_own_proposal_says_why_not(head: Desk) -> None:
    case = proposed(head.world, by=head.actor)
    page = words(head.get(f"/amt/vorgang/{case.reference}/"))
    assert "Den eigenen Vorschlag können Sie nicht freigeben" in page
    answer = head.post(head.task_url(case), 403, freigegeben="ja")
    assert "Vier-Augen-Prinzip" in answer.content.decode()
    with head.actor.acting():
        assert Decision.objects.get().state == "proposed"


def test_sent_back_with_a_note_and_proposed_again(clerk: Desk, head: Desk) -> None:
    case = proposed(clerk.world)
    task = head.task_url(case)
    assert "was am Vorschlag zu ändern ist" in head.post(task, 422, freigegeben="nein").content.decode()
    head.post(task, freigegeben="nein", grund="Bitte kürzer begründen.")
    page = words(clerk.get(f"/amt/vorgang/{case.reference}/"))
    assert "Zurückgegeben von Referatsleitung D3" in page
    assert "Bitte kürzer begründen." in page
    assert "Alles erfüllt." in page  # the reasons are there to be changed
    clerk.post(clerk.task_url(case), **proposal(ergebnis="partly", betrag="800,00"))


def test_asking_the_applicant(clerk: Desk) -> None:
    case = clerk.world.submit()
    task = clerk.task_url(case)
    page = clerk.post(task, 422, vollstaendig="nein", nachricht="", frist="1.1.2020").content.decode()
    assert "Schreiben Sie, was noch fehlt." in page
    assert "Die Frist muss nach heute liegen" in page
    assert (
        "„bald“ ist kein Datum"
        in clerk.post(task, 422, vollstaendig="nein", nachricht="Was?", frist="bald").content.decode()
    )
    until = timezone.localdate() + timedelta(days=10)
    clerk.post(
        task,
        vollstaendig="nein",
        nachricht="Bitte den Haushaltsplan.",
        frist=f"{until.day}.{until.month}.{until.year}",
    )
    with clerk.actor.acting():
        assert Message.objects.get().answer_until == until
        case.refresh_from_db()
    page = words(clerk.get(f"/amt/vorgang/{case.reference}/"))
    assert "Antwort abwarten" in page
    assert "Eine Antwort" in page
    answer_request(
        by=clerk.world.lahnau_officer, case=case, body="Hier.", uploads=[("Plan.pdf", b"%PDF-1.7 x")]
    )
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    assert "Plan.pdf" in page
    assert "Nachgereicht" in page


def test_a_message(clerk: Desk) -> None:
    case = clerk.world.submit()
    address = f"/amt/vorgang/{case.reference}/nachricht/"
    assert "Schreiben Sie eine Nachricht." in clerk.post(address, 422, text=" ").content.decode()
    clerk.post(address, text=EVIL)
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_somebody_was_faster(clerk: Desk, head: Desk) -> None:
    case = ready(clerk)
    address = clerk.task_url(case)
    head.post(address, **proposal(begruendung="Zuerst."))
    answer = clerk.post(address, 409, **proposal(begruendung="Mein langer Text."))
    page = words(answer.content.decode())
    assert "Diese Aufgabe hat approver am" in page
    assert "erledigt" in page
    assert "Mein langer Text." in page
    assert "nicht gespeichert" in page
    with clerk.actor.acting():
        assert Decision.objects.get().reasons == "Zuerst."


def test_money_that_is_short_books_nothing(clerk: Desk, head: Desk) -> None:
    case = proposed(clerk.world)
    with clerk.actor.acting():  # meanwhile nearly all was taken away
        provide(by=head.actor, measure=Measure.objects.get(), year=2025, amount=Decimal(1))
    answer = head.post(head.task_url(case), 422, freigegeben="ja", grund="getippt")
    page = answer.content.decode()
    assert "reichen nicht" in page
    assert "getippt" in page
    assert "Es ist nichts gespeichert." in page
    with head.actor.acting():
        assert Decision.objects.get().state == "proposed"
        assert money_on("free") == Decimal(1)
        assert Task.objects.get(state="open", case=case).title == "Freigeben"


def test_an_incident_is_seen_and_retried(clerk: Desk, head: Desk, run_jobs: Callable[[], int]) -> None:
    case = proposed(clerk.world)
    with patch("rathaus.domains.grants.actions.award.post", side_effect=OSError("Speicher voll")):
        head.post(head.task_url(case), freigegeben="ja")
    with clerk.actor.acting():
        incident = Incident.objects.get(state="open")
    page = words(clerk.get(f"/amt/vorgang/{case.reference}/"))
    assert "Störung bei „Mittel binden“" in page
    assert "Speicher voll" in page
    address = f"/amt/vorgang/{case.reference}/stoerung/{incident.id}/"
    with patch("rathaus.domains.grants.actions.award.post", side_effect=OSError("Speicher voll")):
        clerk.post(address)
    assert "Es hat wieder nicht geklappt." in clerk.get(f"/amt/vorgang/{case.reference}/")
    clerk.post(address)
    run_jobs()
    page = words(clerk.get(f"/amt/vorgang/{case.reference}/"))
    assert "Es hat geklappt." in page
    assert "Noch einmal versuchen" not in page
    clerk.post(address)  # a second click
    assert "schon behoben" in clerk.get(f"/amt/vorgang/{case.reference}/")


def test_history_says_what_is_sealed(clerk: Desk) -> None:
    case = clerk.world.submit()
    assert "0 von 2 Einträgen versiegelt" in clerk.get(f"/amt/vorgang/{case.reference}/")
    assert seal(clerk.world.ministry.id) is None  # the test's own transaction is still open


def test_others_cases_do_not_exist(clerk: Desk, db: None) -> None:
    case = clerk.world.submit()
    with clerk.actor.acting():
        finding, task = Finding.objects.first(), clerk.world.task(case)
    stranger = sit_down(clerk.world, clerk.actor)
    account = Account.objects.create(email="fremd@example.org", name="Fremd")
    from rathaus.core.identity.actions import add_member
    from rathaus.core.identity.actors import Actor

    add_member(
        by=Actor.system(clerk.world.lahnau.id),
        authority=clerk.world.lahnau,
        account=account,
        roles=["Sachbearbeitung", "Leitung", "Freigabe"],
        function="Amt",
    )
    stranger.client.force_login(account)
    base = f"/amt/vorgang/{case.reference}/"
    assert finding is not None
    for path in ("", "entwurf/", f"dokument/{finding.id}/"):
        stranger.get(base + path, 404)
    for path in (f"aufgabe/{task.id}/", f"ausnahme/{finding.id}/", "nachricht/", f"stoerung/{finding.id}/"):
        stranger.post(base + path, 404, text="x", grund="Ein langer Grund.", vollstaendig="ja")
    assert case.reference not in stranger.get("/amt/vorgaenge/")


def test_what_was_typed_outlives_the_session(clerk: Desk) -> None:
    case = ready(clerk)
    address = clerk.task_url(case)
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    kept_for = re.findall(r'name="kept_for" value="([^"]+)"', page)[-1]
    clerk.client.logout()
    answer = clerk.post(address, **proposal(begruendung="Lange überlegt."), kept_for=kept_for)
    assert answer.headers["Location"].startswith("/anmelden/?next=%2Famt%2Fvorgang%2F")
    clerk.client.force_login(Account.objects.get(pk=clerk.actor.account))
    page = clerk.get(address)
    assert "Lange überlegt." in page
    assert "checked" in page
    assert "Fehler" not in page
    assert clerk.client.get(address).status_code == 302  # given back once
