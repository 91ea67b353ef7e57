"""Who may set up calls and share money; and approvals that do not add up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.casework.conftest import World

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Finding
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.kinds import sentence_of
from rathaus.core.audit.models import Event
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants.actions import allot, set_up_call
from rathaus.domains.grants.models import Allotment, Balance, Call, Grant
from rathaus.domains.grants.rules import Request, check


def call_of(w: World) -> Call:
    with w.clerk.acting():
        return Call.objects.get(offer=w.offer)


def set_up(w: World, by: Actor, **changes: Any) -> Call:
    given: dict[str, Any] = {
        "programme": "programm", "programme_title": "Programm", "key": "aufruf", "title": "Aufruf",
        "offer": w.offer, "budgets": {2025: Decimal("10000.00")},
    }  # fmt: skip
    return set_up_call(by=by, **(given | changes))


def sentences(w: World, name: str) -> list[str]:
    with w.clerk.acting():
        return [sentence_of(e.name, e.data) for e in Event.objects.filter(name=name).order_by("id")]


def test_only_the_head_of_the_authority_sets_up_and_shares(world: World) -> None:
    w = world
    call = call_of(w)
    for stranger in (w.clerk, w.lahnau_officer, Actor.system(w.lahnau.id)):
        with pytest.raises(NotAllowed):
            set_up(w, stranger, budgets={2030: Decimal("1.00")})
        with pytest.raises(NotAllowed):
            allot(by=stranger, call=call, total=Decimal("10.00"), base=Decimal("1.00"), among=[w.lahnau])
    assert set_up(w, w.approver).id == call.id
    allot(by=w.approver, call=call, total=Decimal("10.00"), base=Decimal("10.00"), among=[w.lahnau])
    assert sentences(w, "grants.call.allotted") == [
        "10,00 € auf 1 Kommunen verteilt".replace(" €", "\u00a0€")
    ]


def test_each_year_of_money_is_recorded_once(world: World) -> None:
    w = world
    for _ in range(2):
        set_up(w, w.approver, budgets={2025: Decimal("1.00"), 2026: Decimal("2500.00")})
    assert sentences(w, "grants.budget.added") == [
        "Mittel 2025 für „Aufruf“: 10.000,00\u00a0€",
        "Mittel 2026 für „Aufruf“: 2.500,00\u00a0€",
    ]
    assert len(sentences(w, "grants.call.created")) == 1
    with w.clerk.acting():
        free = Balance.objects.filter(account="free").values_list("amount", flat=True)
        assert sorted(free) == [Decimal("2500.00"), Decimal(10000)]


def test_an_offer_has_one_call(world: World) -> None:
    with pytest.raises(Refused, match="schon einen Aufruf"):
        set_up(world, world.approver, key="zweiter")


def test_no_more_is_shared_than_there_is_and_only_once(world: World) -> None:
    w = world
    call, among = call_of(w), [w.lahnau, w.waldsolms]
    for place in among:
        place.population = 5000
    given: dict[str, Any] = {"by": w.approver, "call": call, "base": Decimal("10.00"), "among": among}
    with pytest.raises(Refused, match=r"hat nur 10\.000,00"):
        allot(total=Decimal("10000.01"), **given)
    with pytest.raises(ValueError, match="fit into the total"):
        allot(total=Decimal("19.99"), **given)
    allot(total=Decimal("20.00"), **given)
    with pytest.raises(Refused, match="schon zugeteilt"):
        allot(total=Decimal("20.00"), **given)
    with w.clerk.acting():
        assert Allotment.objects.count() == 2


@pytest.mark.parametrize(
    ("years", "reason"),
    [
        ({"2025": "900,00"}, "Euro und Cent"),
        ({"bald": "900.00"}, "Euro und Cent"),
        ({"2025": "NaN"}, "Euro und Cent"),
        ({"2025": "1000.00", "2026": "-100.00"}, "Euro und Cent"),
        ({"2025": ["900.00"]}, "Euro und Cent"),
        ({"2025": "899.995", "2026": "0.005"}, "Euro und Cent"),
        ({"2025": "899.99"}, "ergeben"),
        ({"2031": "900.00"}, "2031"),
    ],
)
def test_years_that_do_not_add_up_are_refused_at_the_approval(
    world: World, years: dict[str, Any], reason: str
) -> None:
    w = world
    case = w.submit()
    complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Gut."}
    complete_task(by=w.clerk, task=w.task(case).id, answers={**proposal, "einzelheiten": {"jahre": years}})
    with pytest.raises(Refused, match=reason):
        complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
    assert w.task(case).title == "Freigeben"
    with w.clerk.acting():
        assert not Grant.objects.exists()


def test_a_very_long_name_is_no_obstacle(world: World) -> None:
    world.lahnau.label = "G" * 200
    world.lahnau.save()
    case = world.submit()
    with world.clerk.acting():
        assert Finding.objects.get(case=case, rule="antragsberechtigt").value == "G" * 160


@pytest.mark.parametrize(("partners", "words"), [(1, "mit einem Partner"), (2, "mit 2 Partnern")])
def test_partners_are_counted_in_words(partners: int, words: str) -> None:
    day = date(2025, 1, 1)
    request = Request("municipality", "Lahnau", Decimal(1), Decimal(0), None, None, partners, True, day)
    found = {c.rule: c.value for c in check(request, {}, free=Decimal(1), allotment=None)}
    assert found["kooperation"] == words
