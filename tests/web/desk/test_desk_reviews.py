"""Pages of review: what an expert may open and do, the office's part on the case page, assignments and the ranking."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.test import Client
from tests.casework.conftest import World, account
from tests.domains.competition import Round, make_round
from tests.web.desk.conftest import Desk, sit_down
from tests.web.desk.test_desk_statements import cost
from tests.web.test_routes import RULES, address, ask_for

from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case
from rathaus.casework.records.models import Document
from rathaus.core import clock
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Membership
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.reviews import record_jury_vote
from rathaus.domains.grants.models import JuryVote, Review

RANKING = "/amt/foerderung/wettbewerbe/aufruf/runde/rangliste/"
ASSIGN = "/amt/foerderung/wettbewerbe/aufruf/runde/gutachten/"
# What somebody with the role „Gutachten“ alone may open; everything else at the desk is closed.
OPEN_TO_EXPERTS = {
    "desk:home",
    "desk:authority",
    "desk:reviews",
    "desk:review",
    "desk:review_conflict",
    "desk:review_document",
}
POINTS = {"k1": "4", "k2": "3", "k3": "2", "begruendung": "Überzeugt durch Nutzen."}


@pytest.fixture
def rounds(world: World) -> Round:
    return make_round(world)


@pytest.fixture
def expert(rounds: Round) -> Desk:
    return sit_down(rounds.world, rounds.experts[0])


def case_url(case: Case) -> str:
    return f"/amt/vorgang/{case.reference}/"


# --- the expert ---


def test_from_the_declaration_to_the_others(rounds: Round, expert: Desk) -> None:
    case = rounds.apply("Digitale Akte")
    first, second = rounds.ask(case)
    rounds.review(second, rounds.experts[1], 1, 1, 1)
    assert expert.client.get("/amt/").headers["Location"] == "/amt/gutachten/"
    page = expert.get("/amt/gutachten/")
    assert "Befangenheit erklären" in page
    url = f"/amt/gutachten/{first.id}/"
    assert f'href="{url}"' in page
    page = expert.get(url)
    assert "Zuerst: Sind Sie befangen?" in page
    assert "Gemeinde Lahnau" in page
    assert "1.000.000,00" not in page, "the application comes after the declaration"
    assert 'name="k1"' not in page
    expert.post(url + "befangenheit/", befangen="nein")
    page = expert.get(url)
    assert "1.000.000,00" in page
    assert "Was haben die Menschen davon?" in page
    assert re.search(r"Nutzen\s*<span[^>]*>50&nbsp;%", page)
    assert "Gut begründet." not in page, "what others wrote comes after one's own"
    assert "Gutachten 2" not in page
    expert.post(url, **POINTS)
    page = expert.get(url)
    assert "Ihr Gutachten ist abgegeben" in page
    assert "Gut begründet." in page
    assert "Gutachten 2" in page
    assert "3,30" in page
    assert 'name="k1"' not in page
    assert "abgegeben" in expert.get("/amt/gutachten/")


def test_ties_close_the_application(rounds: Round, expert: Desk) -> None:
    case = rounds.apply("Digitale Akte")
    first, _ = rounds.ask(case)
    url = f"/amt/gutachten/{first.id}/"
    page = expert.post(url + "befangenheit/", 422).content.decode()
    assert "Wählen Sie eines davon." in page
    page = expert.post(url + "befangenheit/", 422, befangen="ja", grund=" ").content.decode()
    assert "worin die Befangenheit liegt" in page
    assert "<title>Fehler: " in page
    expert.post(url + "befangenheit/", befangen="ja", grund="Meine Schwester ist dort Bürgermeisterin.")
    page = expert.get(url)
    assert "Sie haben erklärt, befangen zu sein" in page
    assert "1.000.000,00" not in page
    expert.post(url, 422, **POINTS)
    expert.post(url + "befangenheit/", 422, befangen="nein")
    with rounds.world.clerk.acting():
        found = Review.objects.get(id=first.id)
    assert found.submitted_at is None
    assert found.conflict == "declared"


def test_what_is_wrong_comes_back_as_typed(rounds: Round, expert: Desk) -> None:
    first, _ = rounds.ask(rounds.apply())
    url = f"/amt/gutachten/{first.id}/"
    page = expert.post(url, 422, **POINTS).content.decode()
    assert "Zuerst: Sind Sie befangen?" in page
    expert.post(url + "befangenheit/", befangen="nein")
    for wrong in ({"k2": ""}, {"k2": "5"}, {"k2": "-1"}, {"k2": "2.5"}, {"k2": "٣"}, {"k2": "zwei"}):
        page = expert.post(url, 422, **(POINTS | wrong)).content.decode()
        assert "Wählen Sie, wie viele Punkte es gibt." in page
        assert "Überzeugt durch Nutzen." in page
        assert re.search(r'name="k1" value="4"[^>]* checked', page)
    page = expert.post(url, 422, **(POINTS | {"begruendung": "x" * 2001})).content.decode()
    assert "2001 Zeichen" in page
    expert.post(url, **POINTS)
    page = expert.post(url, 422, **(POINTS | {"k1": "0"})).content.decode()
    with expert.actor.acting():
        assert Review.objects.get(id=first.id).scores["Nutzen"] == 4


def test_a_review_is_its_experts_alone(rounds: Round, expert: Desk) -> None:
    case = rounds.apply()
    _, second = rounds.ask(case)
    url = f"/amt/gutachten/{second.id}/"
    clerk, head = sit_down(rounds.world, rounds.world.clerk), sit_down(rounds.world, rounds.world.approver)
    for desk in (expert, clerk, head):
        desk.get(url, 404)
        desk.post(url, 404, **POINTS)
        desk.post(url + "befangenheit/", 404, befangen="ja", grund="Um zu stören.")
        desk.get(f"{url}unterlage/{new_id()}/", 404)
    with rounds.world.clerk.acting():
        assert Review.objects.get(id=second.id).conflict == ""


@pytest.mark.parametrize("name", sorted(RULES["staff"]))
def test_an_expert_opens_nothing_else(rounds: Round, expert: Desk, name: str) -> None:
    case = rounds.apply()
    rounds.ask(case)
    path = address(name).replace("XYZ-2026-00001", case.reference)
    answers = [expert.client.get(path), expert.client.post(path)]
    if name in OPEN_TO_EXPERTS:
        assert ask_for(expert.client, name).status_code in {200, 302, 404}
        return
    assert {answer.status_code for answer in answers} <= {403, 405}, name
    assert 403 in {answer.status_code for answer in answers}
    for answer in answers:
        assert case.party_name.encode() not in answer.content


def test_the_side_bar_of_an_expert(rounds: Round, expert: Desk) -> None:
    rounds.ask(rounds.apply())
    page = expert.get("/amt/gutachten/")
    assert "Meine Gutachten" in page
    for closed in ("/amt/eingang/", "/amt/vorgaenge/", "/amt/foerderung/", 'type="search"'):
        assert closed not in page
    refused = expert.get("/amt/eingang/", 403)
    assert "sieht nur, was ihr zugewiesen ist" in refused
    assert "/amt/eingang/" not in refused


def test_who_has_other_roles_too_keeps_the_desk(rounds: Round) -> None:
    world = rounds.world
    with Actor.system(world.ministry.id).acting():
        member = Membership.objects.get(account=world.approver.account)
        member.roles = [*member.roles, "Gutachten"]
        member.save()
    head = sit_down(world, actor_of(world.approver.account or new_id()))
    assert "/amt/gutachten/" in head.get("/amt/eingang/")
    assert "/amt/gutachten/" not in sit_down(world, world.clerk).get("/amt/eingang/")


def test_files_of_the_application_after_the_declaration(rounds: Round, expert: Desk) -> None:
    world = rounds.world
    case = world.submit(offer=rounds.offer)
    ask = {"vollstaendig": False, "nachricht": "Bitte den Plan."}
    complete_task(by=world.clerk, task=world.task(case).id, answers=ask)
    answer_request(by=world.lahnau_officer, case=case, body="Hier.", uploads=[("plan.pdf", b"%PDF-1.7 plan")])
    complete_task(by=world.clerk, task=world.task(case).id, answers={"vollstaendig": True})
    first, second = rounds.ask(case)
    with world.clerk.acting():
        plan = Document.objects.get(case_id=case.id)
    url = f"/amt/gutachten/{first.id}/"
    expert.get(f"{url}unterlage/{plan.id}/", 404)
    expert.post(url + "befangenheit/", befangen="nein")
    answer = expert.client.get(f"{url}unterlage/{plan.id}/")
    assert answer.status_code == 200
    assert answer.content == b"%PDF-1.7 plan"
    expert.get(f"/amt/gutachten/{second.id}/unterlage/{plan.id}/", 404)
    expert.get(f"{case_url(case)}dokument/{plan.id}/", 403)
    other = rounds.apply("Anderes")
    rounds.ask(other)
    with world.clerk.acting():
        foreign = Review.objects.get(case=other, expert=expert.actor.account)
    expert.post(f"/amt/gutachten/{foreign.id}/befangenheit/", befangen="nein")
    expert.get(f"/amt/gutachten/{foreign.id}/unterlage/{plan.id}/", 404)


# --- the office ---


def test_the_section_of_the_case(rounds: Round, clerk: Desk, head: Desk) -> None:
    case = rounds.apply()
    page = clerk.get(case_url(case))
    assert "Noch niemand ist um ein Gutachten gebeten." in page
    assert "2 weitere Personen, die jemand zuweist" in page
    assert RANKING in page
    first, second = rounds.ask(case)
    rounds.review(first, rounds.experts[0], 4, 3, 2)
    page = clerk.get(case_url(case))
    assert "Der Ablauf wartet auf ein Gutachten." in page
    assert "3,30" in page
    assert "ausnehmen" not in page, "only the head sets aside"
    assert f"/gutachten/{second.id}/weg/" in page
    assert f"/gutachten/{first.id}/weg/" not in page
    clerk.post(f"{case_url(case)}gutachten/{second.id}/weg/")
    with clerk.actor.acting():
        assert not Review.objects.filter(id=second.id).exists()
    clerk.post(f"{case_url(case)}gutachten/{first.id}/weg/")
    assert "bleibt stehen" in clerk.get(case_url(case))
    clerk.post(f"{case_url(case)}gutachten/{first.id}/", 403, grund="Befangen.")
    page = head.post(f"{case_url(case)}gutachten/{first.id}/", 422, grund="").content.decode()
    assert "warum das Gutachten nicht mehr zählt" in page
    head.post(f"{case_url(case)}gutachten/{first.id}/", grund="Schwager des Bürgermeisters")
    assert "Zählt nicht mehr seit" in head.get(case_url(case))
    assert "Gutachten zählt nicht mehr: Gutachten 1" in head.get(case_url(case))


def test_a_case_without_criteria_has_no_such_section(world: World, clerk: Desk) -> None:
    case = world.submit()
    assert 'id="gutachten"' not in clerk.get(case_url(case))


def test_the_vote_of_the_jury(rounds: Round, clerk: Desk, expert: Desk) -> None:
    case = rounds.apply()
    url, today = f"{case_url(case)}votum/", f"{clock.today():%d.%m.%Y}"
    given = {
        "votum": "conditions",
        "sitzung": today,
        "rang": "2",
        "betrag": "800,00",
        "text": "Offene Lizenz.",
    }
    expert.post(url, 403, **given)
    for wrong, says in (
        ({"votum": ""}, "Wählen Sie eines davon."),
        ({"sitzung": "gestern"}, "ist kein Datum"),
        ({"rang": "erster"}, "eine Zahl ab 1"),
        ({"rang": "²"}, "eine Zahl ab 1"),
        ({"betrag": "viel"}, 'id="feld-betrag-fehler"'),
        ({"betrag": "900,01"}, "nicht mehr empfehlen"),
        ({"text": ""}, "Auflagen der Jury"),
    ):
        page = clerk.post(url, 422, **(given | wrong)).content.decode()
        assert says in page
        assert "<title>Fehler: " in page
    clerk.get(url)
    clerk.post(url, **given)
    page = clerk.get(case_url(case))
    assert "mit Auflagen fördern" in page
    assert "Offene Lizenz." in page
    assert "Votum der Jury festhalten" not in page
    assert "steht schon fest" in clerk.post(url, 422, **given).content.decode()
    with clerk.actor.acting():
        assert JuryVote.objects.filter(case=case).count() == 1


def test_going_on_without(rounds: Round, clerk: Desk, head: Desk) -> None:
    case = rounds.apply()
    url = f"{case_url(case)}begutachtung/"
    assert "Ohne das Fehlende weitergehen" not in clerk.get(case_url(case))
    assert "Ohne das Fehlende weitergehen" in head.get(case_url(case))
    clerk.post(url, 403, grund="Es eilt.")
    head.post(url, 422, grund="")
    head.post(url, grund="Zwei Personen sind erkrankt.")
    assert "Entscheidung vorschlagen" in head.get(case_url(case))
    head.post(url, 422, grund="Noch einmal.")


def test_assigning_with_the_proposal(rounds: Round, clerk: Desk, head: Desk, expert: Desk) -> None:
    cases = [rounds.apply(f"Antrag {number}") for number in range(3)]
    page = clerk.get(ASSIGN)
    ticked = re.findall(r'name="gutachten" value="([^"]+)" checked', page)
    assert len(ticked) == 6
    assert len(re.findall(r'name="gutachten"', page)) == 9
    expert.post(ASSIGN, 403, gutachten=ticked)
    assert "mindestens eine Person" in clerk.post(ASSIGN, 422).content.decode()
    foreign = f"{cases[0].id}:{rounds.world.approver.account}"
    clerk.post(ASSIGN, 422, gutachten=[foreign, "x:y", f"{new_id()}:{rounds.experts[0].account}"])
    wrong = clerk.post(ASSIGN, 422, gutachten=ticked, bis="bald").content.decode()
    assert "„bald“ ist kein Datum." in wrong
    assert len(re.findall(r'name="gutachten" value="[^"]+" checked', wrong)) == 6
    clerk.post(ASSIGN, gutachten=[*ticked, foreign], bis="30.06.2199")
    with clerk.actor.acting():
        loads = [Review.objects.filter(expert=found.account).count() for found in rounds.experts]
        assert Review.objects.count() == 6
    assert loads == [2, 2, 2]
    page = clerk.get(ASSIGN)
    assert "6 Gutachten sind erbeten." in page
    assert "offen, bis 30.06.2199" in page
    assert "30.06.2199" in expert.get("/amt/gutachten/")
    assert not re.findall(r'name="gutachten" value="([^"]+)" checked', page)
    assert not head.world.clerk.is_limited


def test_the_ranking(world: World, clerk: Desk, head: Desk) -> None:
    rounds = make_round(world, money="1500.00")
    best = rounds.scored("Beste Idee", "900.00", (4, 4, 4), (4, 3, 4))
    below = rounds.scored("=HYPERLINK(1)", "800.00", (2, 2, 2), (2, 2, 2))
    new = rounds.apply("Noch ohne", "100.00")
    record_jury_vote(by=world.clerk, case=below.id, verdict="yes", rank=1, session_on=clock.today())
    record_jury_vote(by=world.clerk, case=best.id, verdict="no", session_on=clock.today(), note="-Gründe")
    page = clerk.get(RANKING)
    assert page.index("Beste Idee") < page.index("Hier enden die freien Mittel") < page.index("=HYPERLINK(1)")
    assert page.index("Ohne Platz") < page.index("Noch ohne")
    assert "3,85" in page
    assert "nach Punkten unter der Linie, die Jury will fördern" in page
    assert "nach Punkten im Budget, die Jury will nicht fördern" in page
    jury = clerk.get(f"{RANKING}?nach=jury")
    assert jury.index("=HYPERLINK(1)") < jury.index("Beste Idee")
    assert "Hier enden" not in jury
    clerk.get(f"{RANKING}?nach=egal")
    answer = clerk.client.get(f"{RANKING[:-1]}.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [row[0] for row in rows] == ["Platz", "1", "2", ""]
    assert rows[1][2:] == [
        best.reference, "Gemeinde Lahnau", "Beste Idee", "In Bearbeitung", "3,85", "0,30", "2", "900,00", "900,00",
        "ja", "nicht fördern", "", "", "nach Punkten im Budget, die Jury will nicht fördern", "'-Gründe",
    ]  # fmt: skip
    assert rows[2][4] == "'=HYPERLINK(1)"
    assert rows[3][2] == new.reference
    assert RANKING in clerk.get("/amt/foerderung/wettbewerbe/aufrufe/")


def test_points_are_hidden_from_whoever_still_reviews(rounds: Round, head: Desk) -> None:
    world = rounds.world
    case = rounds.scored("Akte", "900.00", (4, 4, 4))
    with world.clerk.acting():
        Review.objects.create(
            authority_id=world.ministry.id, case=case, expert_id=world.approver.account, function="x",
            assigned_by_id=world.clerk.account,
        )  # fmt: skip
    page = head.get(case_url(case))
    assert "4,00" not in page
    assert "Gut begründet." not in page
    assert "sobald Ihr eigenes Gutachten abgegeben ist" in page
    ranking = head.get(RANKING)
    assert "Sie sehen die Rangliste nicht ganz" in ranking
    assert "4,00" not in ranking
    assert "verborgen" in ranking
    assert "4,00" not in head.client.get(f"{RANKING[:-1]}.csv").content.decode()


def test_another_ministry_finds_nothing(rounds: Round) -> None:
    case = rounds.scored("Akte", "900.00", (4, 4, 4))
    other = Authority.objects.create(
        kind=AuthorityKind.MINISTRY, name="Anderes", label="Anderes", sort_key="anderes", slug="anderes"
    )
    person = account("anderes@example.org")
    add_member(
        by=Actor.system(other.id), authority=other, account=person,
        roles=["Sachbearbeitung", "Leitung", "Gutachten"], function="Leitung",
    )  # fmt: skip
    client = Client()
    client.force_login(Account.objects.get(pk=person.pk))
    with rounds.world.clerk.acting():
        review = Review.objects.get(case=case)
    for path in (
        RANKING, f"{RANKING[:-1]}.csv", ASSIGN, f"/amt/gutachten/{review.id}/", f"{case_url(case)}votum/",
        f"{case_url(case)}begutachtung/", f"{case_url(case)}gutachten/{review.id}/",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
        assert client.post(path).status_code in {404, 405}, path


def test_statements(rounds: Round, clerk: Desk, expert: Desk) -> None:
    first = rounds.scored("Eins", "900.00", (4, 4, 4), (1, 1, 1))
    case = rounds.apply("Zwei")
    review, _ = rounds.ask(case)
    for path in (RANKING, ASSIGN):
        clerk.get(path)
        few = cost(clerk, path)
        assert few <= 13, path
    rounds.scored("Drei", "900.00", (3, 3, 3), (1, 1, 1))
    rounds.apply("Vier")
    assert cost(clerk, RANKING) <= 13
    expert.get("/amt/gutachten/")
    assert cost(expert, "/amt/gutachten/") <= 9
    expert.post(f"/amt/gutachten/{review.id}/befangenheit/", befangen="nein")
    expert.get(f"/amt/gutachten/{review.id}/")
    assert cost(expert, f"/amt/gutachten/{review.id}/") <= 10
    clerk.get(case_url(first))
    assert cost(clerk, case_url(first)) <= 18
