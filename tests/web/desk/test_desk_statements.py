"""How many SQL statements the pages cost that people wait for."""

from __future__ import annotations

from typing import Any

from tests.web.desk.conftest import Desk, proposed
from tests.web.queries import counted

from rathaus.casework.cases.actions.tasks import complete_task


def cost(desk: Desk, path: str, **data: Any) -> int:
    """Statements of a request, with session, account and rights."""
    with counted() as statements:
        if data:
            desk.post(path, **data)
        else:
            desk.get(path)
    return len(statements)


def test_inbox(clerk: Desk) -> None:
    clerk.world.submit()
    clerk.get("/amt/eingang/")  # reads the package once a process
    few = cost(clerk, "/amt/eingang/")
    for number in range(4):
        clerk.world.submit(titel=f"Antrag {number}")
    assert cost(clerk, "/amt/eingang/") == few <= 8


def test_case_page(clerk: Desk, head: Desk) -> None:
    case = proposed(clerk.world)
    address = f"/amt/vorgang/{case.reference}/"
    for desk in (clerk, head):
        desk.get(address)
        assert cost(desk, address) <= 13


def test_tasks(clerk: Desk, head: Desk) -> None:
    case = clerk.world.submit()
    assert (
        cost(clerk, clerk.task_url(case), vollstaendig="nein", nachricht="Was fehlt?", frist="31.12.2099")
        <= 8
    )
    case = clerk.world.submit()
    assert cost(clerk, clerk.task_url(case), vollstaendig="ja") <= 8
    typed = {"ergebnis": "granted", "betrag": "900,00", "begruendung": "Gut."}
    assert cost(clerk, clerk.task_url(case), **typed) <= 8
    # An approval that awards writes grant, award, its years and their postings besides.
    assert cost(head, head.task_url(case), freigegeben="ja") <= 14
    case = proposed(clerk.world)
    assert cost(head, head.task_url(case), freigegeben="nein", grund="Zu viel.") <= 8


def test_long_cases_cost_no_more(clerk: Desk) -> None:
    short, long = proposed(clerk.world), proposed(clerk.world)
    given = {"ergebnis": "granted", "betrag": long.amount, "begruendung": "Gut."}
    for number in range(5):
        returned = {"freigegeben": False, "grund": f"Noch einmal, {number}."}
        complete_task(by=clerk.world.approver, task=clerk.world.task(long).id, answers=returned)
        complete_task(by=clerk.actor, task=clerk.world.task(long).id, answers=given)
    clerk.get(f"/amt/vorgang/{short.reference}/")
    assert cost(clerk, f"/amt/vorgang/{long.reference}/") == cost(clerk, f"/amt/vorgang/{short.reference}/")
