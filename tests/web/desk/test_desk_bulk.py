"""Many at once, as people do it on the desk: confirm, watch, work on what was refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from tests.casework.conftest import World
from tests.domains.claim_world import Place, on
from tests.web.desk.conftest import Desk, proposed, sit_down
from tests.web.desk.test_desk_payments import member
from tests.web.queries import counted

from rathaus.casework.bulk.models import BulkItem, BulkRun
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Decision, Message
from rathaus.domains.grants.models import Reminder

RELEASE = "/amt/sammel/aufgaben/?leistung=probe&schritt=freigeben"
DUN = "/amt/foerderung/land/mahnen/"


def hidden(page: str) -> dict[str, str]:
    """The fields by which a confirmation says what was seen."""
    return dict(re.findall(r'name="(_\w+)" value="([^"]*)"', page))


def confirmed(desk: Desk, address: str, status: int = 302, **data: object) -> str:
    answer = desk.post(address, status, **{**hidden(desk.get(address)), **data})
    return str(answer.headers.get("Location") or answer.content.decode())


def runs(w: World) -> int:
    with w.clerk.acting():
        return BulkRun.objects.count()


def test_release_a_whole_round(clerk: Desk, head: Desk, run_jobs: Callable[[], int]) -> None:
    w = head.world
    cases = [proposed(w) for _ in range(2)] + [proposed(w, by=w.approver)]
    page = head.get("/amt/sammel/")
    assert 'schritt=freigeben"' in page
    assert "1.800,00\u00a0€" in page  # one's own proposal is not among them
    page = head.get(RELEASE)
    assert "Alle 2 freigeben" in page
    assert "1.800,00\u00a0€" in page
    assert "Bewilligt: 2" in page
    here = confirmed(head, RELEASE)
    page = head.get(here)
    assert "0 von 2" in page
    assert (
        "Stand aktualisieren" in page
    )  # for who has no JavaScript; a page that reloads itself would be in the way
    assert 'hx-trigger="every 2s"' in page
    run_jobs()
    page = head.get(here)
    assert "2 erledigt" in page
    assert "hx-get" not in page
    assert "Stand aktualisieren" not in page
    assert 'id="fortschritt"' in head.client.get(here, headers={"HX-Request": "true"}).content.decode()
    with w.clerk.acting():
        assert Decision.objects.filter(state="decided", decided_by=w.approver.account).count() == 2
    assert w.task(cases[2]).title == "Freigeben"
    assert "Hier ist nichts offen" in head.client.get(RELEASE, follow=True).content.decode()


def test_what_was_refused_is_listed_with_a_link(clerk: Desk, head: Desk, run_jobs: Callable[[], int]) -> None:
    w = head.world
    first, second = proposed(w), proposed(w)
    here = confirmed(head, RELEASE)
    complete_task(by=w.approver, task=w.task(first).id, answers={"freigegeben": False, "grund": "Zu viel."})
    run_jobs()
    page = head.get(here)
    assert "1 erledigt" in page
    assert "1 nicht erledigt" in page
    assert f'href="/amt/vorgang/{first.reference}/"' in page
    assert f'href="/amt/vorgang/{second.reference}/"' not in page


def test_number_and_sum_are_what_was_seen(clerk: Desk, head: Desk) -> None:
    w = head.world
    proposed(w)
    seen = hidden(head.get(RELEASE))
    proposed(w)
    page = head.post(RELEASE, 409, **seen).content.decode()
    assert "Inzwischen sind es 2 Vorgänge, 1.800,00\u00a0€" in page
    assert runs(w) == 0
    fresh = hidden(page)
    address = head.post(RELEASE, **fresh).headers["Location"]
    assert head.post(RELEASE, **fresh).headers["Location"] == address  # the second click
    assert runs(w) == 1


def test_ticked_in_the_inbox(clerk: Desk, head: Desk, run_jobs: Callable[[], int]) -> None:
    w = head.world
    cases = [proposed(w) for _ in range(3)]
    ticked = [str(w.task(case).id) for case in cases[:2]]
    assert "Auf einmal erledigen" in head.get("/amt/eingang/")
    page = head.post("/amt/sammel/aufgaben/", 200, aufgabe=ticked).content.decode()
    assert "Alle 2 freigeben" in page
    head.post("/amt/sammel/aufgaben/", aufgabe=ticked, **hidden(page))
    run_jobs()
    with w.clerk.acting():
        assert Decision.objects.filter(state="decided").count() == 2
    other = w.submit()
    complete_task(by=w.clerk, task=w.task(other).id, answers={"vollstaendig": True})
    mixed = [str(w.task(case).id) for case in (cases[2], other)]
    answer = head.client.post("/amt/sammel/aufgaben/", {"aufgabe": mixed}, follow=True)
    assert "nur derselbe Schritt" in answer.content.decode()
    head.post("/amt/sammel/aufgaben/", aufgabe=["unsinn", str(uuid4())])


def test_proposing_needs_reasons(clerk: Desk, run_jobs: Callable[[], int]) -> None:
    w = clerk.world
    for _ in range(2):
        complete_task(by=w.clerk, task=w.task(w.submit()).id, answers={"vollstaendig": True})
    address = "/amt/sammel/aufgaben/?leistung=probe&schritt=vorschlagen"
    assert "Schreiben Sie eine Begründung" in confirmed(clerk, address, 422, begruendung=" ")
    confirmed(clerk, address, begruendung="Alles erfüllt.")
    run_jobs()
    with w.clerk.acting():
        assert Decision.objects.filter(state="proposed", reasons="Alles erfüllt.").count() == 2


def test_another_authority_and_another_role(clerk: Desk, head: Desk) -> None:
    w = head.world
    case = proposed(w)
    here = confirmed(head, RELEASE)
    stranger = sit_down(
        w, member(w, "x@example.org", ["Sachbearbeitung", "Freigabe", "Leitung"], authority=w.lahnau)
    )
    stranger.get(here, 404)
    stranger.post(here + "fortsetzen/", 404)
    assert "Freigeben" not in stranger.get("/amt/sammel/")
    ticked = {"aufgabe": [str(w.task(case).id)], "_lauf": str(uuid4()), "_anzahl": "1", "_summe": "900.00"}
    assert stranger.post("/amt/sammel/aufgaben/", **ticked).headers["Location"] == "/amt/sammel/"
    assert clerk.post("/amt/sammel/aufgaben/", **ticked).headers["Location"] == "/amt/sammel/"
    assert runs(w) == 1


def test_going_on_by_hand(clerk: Desk, head: Desk, run_jobs: Callable[[], int]) -> None:
    w = head.world
    with on("2030-01-07"):
        proposed(w)
        here = confirmed(head, RELEASE)
        assert "Fortsetzen" not in head.get(here)
    with on("2030-01-08"):
        assert "Fortsetzen" in head.get(here)
        head.post(here + "fortsetzen/")
        run_jobs()
        assert "1 erledigt" in head.get(here)
        head.post(here + "fortsetzen/")
        assert "Hier wartet nichts mehr" in head.get(here)


def test_statements(clerk: Desk, head: Desk) -> None:
    w = head.world
    costs: dict[str, list[int]] = {"/amt/sammel/": [], RELEASE: []}
    for _ in range(2):
        for _ in range(3):
            proposed(w)
        for path, found in costs.items():
            head.get(path)
            with counted() as statements:
                head.get(path)
            found.append(len(statements))
    for path, (few, many) in costs.items():
        assert few == many <= 12, path
    here = confirmed(head, RELEASE)
    with counted() as statements:
        head.get(here)
    assert len(statements) <= 12


# --- dunning ---


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    with on("2023-05-10"):
        yield Place.make(world)


def test_dunning_a_round(place: Place, clerk: Desk, run_jobs: Callable[[], int]) -> None:
    w = place.w
    cases = [place.granted(amount="900.00", ende="2023-12-31") for _ in range(3)]
    assert "Kein Nachweis ist überfällig" in clerk.get(DUN)
    with on("2025-01-02"):  # the proof was due at the end of 2024
        page = clerk.get(DUN)
        assert page.count('name="zuwendung"') == 3
        grants = [str(place.grant(case).id) for case in cases[:2]]
        assert "mindestens eine Kommune" in confirmed(clerk, DUN, 422, text="Bitte.")
        assert "Schreiben Sie eine Nachricht" in confirmed(clerk, DUN, 422, text=" ", zuwendung=grants)
        here = confirmed(
            clerk, DUN, zuwendung=grants, text="Es fehlt „{vorhaben}“ ({nummer}), fällig am {frist}."
        )
        run_jobs()
        assert "2 erledigt" in clerk.get(here)
        with w.clerk.acting():
            bodies = set(Message.objects.values_list("body", flat=True))
            assert Reminder.objects.count() == 2
        assert f"Es fehlt „Akte“ ({cases[0].reference}), fällig am 31.\u00a0Dezember 2024." in bodies
        assert len(bodies) == 2
        page = clerk.get(DUN)
        assert page.count('name="zuwendung"') == 1  # two wait for two weeks
        with w.clerk.acting():
            last = BulkItem.objects.order_by("-number").first()
            assert last
            assert last.state == "done"
    with on("2025-01-20"):
        assert clerk.get(DUN).count('name="zuwendung"') == 3


def test_who_hands_in_meanwhile_is_not_dunned(place: Place, clerk: Desk, run_jobs: Callable[[], int]) -> None:
    case = place.granted(amount="900.00", ende="2023-12-31")
    with on("2025-01-02"):
        here = confirmed(clerk, DUN, zuwendung=[str(place.grant(case).id)], text="Bitte.")
        place.follow(
            place.prove, case, betrag="1.00", zeilen=[{"wofuer": "x", "betrag": "1.00"}], inventar=[]
        )
        run_jobs()
        assert "liegt inzwischen vor" in clerk.get(here)
    outsider = sit_down(place.w, member(place.w, "reader@example.org", ["Lesen"]))
    outsider.get(DUN, 403)
    stranger = sit_down(
        place.w, member(place.w, "x@example.org", ["Sachbearbeitung"], authority=place.w.lahnau)
    )
    stranger.get(DUN, 404)
