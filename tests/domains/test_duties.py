"""What is next for a grant: along a life that is really lived, and by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.casework.conftest import World
from tests.domains.small_lives import Lives, noon

from rathaus.casework.cases.actions.remedies import waive_remedy
from rathaus.casework.cases.models import Notice
from rathaus.core import clock
from rathaus.domains.grants.duties import (
    Duty,
    DutyKind,
    Left,
    duties_of,
    left_to_draw,
    next_of,
    reminder_for,
)
from rathaus.domains.grants.models import Grant
from rathaus.domains.grants.queries import Standing, check_invariants, own_standing
from rathaus.domains.grants.queries.owed import Owed, Part
from rathaus.domains.grants.queries.standings import Question

AWARDED, WAIVED = date(2021, 3, 1), date(2021, 3, 8)


@pytest.fixture
def lives(world: World) -> Lives:
    with clock.living_at(noon(date(2021, 1, 4))):
        return Lives.at(world)


def standing(lives: Lives, grant: Grant) -> Standing:
    return own_standing(lives.world.lahnau_officer, grant.id)


def duties(lives: Lives, grant: Grant, on: date) -> dict[str, Duty]:
    with clock.living_at(noon(on)):
        return {duty.key: duty for duty in duties_of(standing(lives, grant), on)}


def left(lives: Lives, grant: Grant, on: date) -> Left:
    return left_to_draw(standing(lives, grant), on)


def begin(lives: Lives, **given: object) -> Grant:
    with clock.living_at(noon(AWARDED)):
        return lives.begin({2021: "600.00", 2022: "300.00"}, **given)  # type: ignore[arg-type]


def waive(lives: Lives, grant: Grant) -> None:
    officer = lives.world.lahnau_officer
    with clock.living_at(noon(WAIVED)):
        with officer.acting():
            notice = Notice.objects.get(case=grant.case_id)
        waive_remedy(by=officer, notice=notice)


def test_a_whole_life(lives: Lives) -> None:
    grant = begin(lives)
    found = duties(lives, grant, AWARDED)
    assert found["verzicht"].is_waiver
    assert found["abruf:2021"].kind == DutyKind.DATE
    assert next_of(list(found.values()), AWARDED) == found["verzicht"]
    waive(lives, grant)
    found = duties(lives, grant, WAIVED)
    assert "verzicht" not in found
    abruf = found["abruf:2021"]
    assert (abruf.kind, abruf.due_on, abruf.amount) == (DutyKind.DO, date(2021, 12, 3), Decimal("600.00"))
    assert found["abruf:2022"].kind == DutyKind.DATE
    assert found["nachweis"].due_on == date(2023, 10, 31)
    assert left(lives, grant, WAIVED) == Left(
        now=Decimal("600.00"),
        until=date(2021, 12, 3),
        later=Decimal("210.00"),
        years=(2022,),
        last=Decimal("90.00"),
    )
    asked_on, paid_on = date(2021, 9, 1), date(2021, 9, 6)
    with clock.living_at(noon(asked_on)):
        request = lives.ask_for(grant, "400.00", 2021)
    found = duties(lives, grant, asked_on)
    assert "abruf:2021" not in found
    assert found["warten"].note == "Wir prüfen die 1. Rate."
    assert left(lives, grant, asked_on) == Left(
        now=Decimal("200.00"),
        until=date(2021, 12, 3),
        later=Decimal("210.00"),
        years=(2022,),
        last=Decimal("90.00"),
        asked=Decimal("400.00"),
    )
    with clock.living_at(noon(paid_on)):
        lives.pay(request, paid_on)
    found = duties(lives, grant, paid_on)
    report = found["verwendung:1"]
    assert (report.due_on, report.amount) == (date(2021, 11, 6), Decimal("400.00"))
    assert report.service == "mittelabruf"
    assert next_of(list(found.values()), paid_on) == report
    with clock.living_at(noon(date(2021, 11, 2))):
        second = lives.ask_for(grant, "200.00", 2021, verwendet="400.00", verwendet_am="2021-10-31")
        assert "verwendung:1" not in duties(lives, grant, date(2021, 11, 2))
        lives.pay(second, date(2021, 11, 2))
    found = duties(lives, grant, date(2021, 11, 3))
    assert found["verwendung:2"].amount == Decimal("200.00")
    assert found["verwendung:2"].service == "verwendungsnachweis"  # nothing of 2021 is left to draw
    assert found["zwischennachweis:2021"].kind == DutyKind.DATE
    found = duties(lives, grant, date(2022, 1, 10))
    assert found["zwischennachweis:2021"].kind == DutyKind.DO
    assert found["zwischennachweis:2021"].due_on == date(2022, 4, 30)
    assert found["abruf:2022"].amount == Decimal("210.00")
    with clock.living_at(noon(date(2022, 1, 10))):
        lives.accept(lives.prove(grant, "700.00", kind="zwischen"), "700.00")
        found = duties(lives, grant, date(2022, 1, 10))
        assert not {"zwischennachweis:2021", "verwendung:2"} & found.keys()
    prove(lives, grant)


def prove(lives: Lives, grant: Grant) -> None:
    """From the end of the period to the last day of the earmarking."""
    after = date(2023, 2, 1)
    assert left(lives, grant, after) == Left(last=Decimal("90.00"), lapsed=Decimal("210.00"))
    assert next_of(list(duties(lives, grant, after).values()), after).key == "nachweis"  # type: ignore[union-attr]
    with clock.living_at(noon(after)):
        items = (("Scanner", "2022-05-01", "900.00"),)
        proof = lives.prove(grant, "1000.00", items=items)
        found = duties(lives, grant, after)
        assert "nachweis" not in found
        assert found["warten"].note == "Wir prüfen Ihren Verwendungsnachweis."
        lives.accept(proof, "1000.00")
    found = duties(lives, grant, after)
    assert found["schlussrate"].amount == Decimal("300.00")
    assert left(lives, grant, after) == Left(now=Decimal("300.00"))
    assert found["zweckbindung:2027-05-01"].note == "Scanner"
    with clock.living_at(noon(after)):
        last = lives.ask_for(
            grant, "300.00", 2022, verwendet="600.00", verwendet_am="2022-01-01", schlussrate=True
        )
        lives.pay(last, after)
    found = duties(lives, grant, after)
    assert not [duty for duty in found.values() if duty.kind == DutyKind.DO]
    assert duties(lives, grant, date(2027, 5, 2)) == {}
    assert check_invariants(lives.world.clerk).faults == ()


def test_money_that_nobody_drew_lapses_with_a_hint(lives: Lives) -> None:
    grant = begin(lives)
    waive(lives, grant)
    day = date(2021, 12, 4)
    assert left(lives, grant, day).lapsed == Decimal(
        "510.00"
    )  # a tenth of 900 may still come after the proof
    found = duties(lives, grant, day)
    assert "abruf:2021" not in found
    assert found["verfallen"].amount == Decimal("510.00")
    assert found["verfallen"].service == "aenderungsantrag"


def test_before_the_period_nothing_can_be_drawn(lives: Lives) -> None:
    grant = begin(lives, begins="2021-06-01")
    waive(lives, grant)
    day = date(2021, 5, 31)
    assert left(lives, grant, day).now == 0
    assert left(lives, grant, day).years == (2021, 2022)
    assert duties(lives, grant, day)["abruf:2021"].note == "Möglich ab 1.\u00a0Juni 2021."
    assert left(lives, grant, date(2021, 6, 1)).now == Decimal("600.00")


def test_the_period_may_end_before_the_last_day_for_requests(lives: Lives) -> None:
    grant = begin(lives, ends="2022-08-31")
    waive(lives, grant)
    found = duties(lives, grant, date(2022, 2, 1))
    assert found["abruf:2022"].due_on == date(2022, 8, 31)


@pytest.mark.parametrize(
    "day", [date(2021, 3, 8), date(2021, 9, 1), date(2022, 1, 1), date(2022, 12, 31), date(2023, 1, 1)]
)
def test_nothing_is_lost_on_the_way(lives: Lives, day: date) -> None:
    grant = begin(lives)
    waive(lives, grant)
    found = left(lives, grant, day)
    assert found.now + found.later + found.last + found.lapsed + found.asked == Decimal("900.00")


def test_others_do_not_see_a_grant(lives: Lives) -> None:
    grant = begin(lives)
    for stranger in (lives.world.waldsolms_officer, lives.world.clerk):
        with pytest.raises(Grant.DoesNotExist):
            own_standing(stranger, grant.id)


# --- claims and questions, by rule -------------------------------------------------------------------------------


def with_claim(lives: Lives, **changes: Any) -> Standing:
    """A grant, and a claim of 1,000 euros on it as the database would tell it."""
    given: dict[str, Any] = {
        "id": uuid4(), "reason": "nachweis", "amount": Decimal("1000.00"), "interest": Decimal("0.00"),
        "interest_from": date(2021, 4, 1), "received": Decimal("0.00"), "due_on": date(2021, 7, 1),
        "is_done": False, "case": uuid4(), **changes,
    }  # fmt: skip
    grant = begin(lives)
    waive(lives, grant)
    return replace(standing(lives, grant), claims=(Owed(**given),))


def payments(found: Standing, on: date = WAIVED) -> list[tuple[str, Decimal | None, date | None]]:
    return [(d.title, d.amount, d.due_on) for d in duties_of(found, on) if d.key.startswith("forderung:")]


def test_while_a_claim_is_open_nothing_can_be_drawn(lives: Lives) -> None:
    found = with_claim(lives)
    assert payments(found) == [("Rückforderung zahlen", Decimal("1000.00"), date(2021, 7, 1))]
    by_key = {duty.key: duty for duty in duties_of(found, WAIVED)}
    assert by_key["abruf:2021"].kind == DutyKind.DATE
    claim = next(duty for key, duty in by_key.items() if key.startswith("forderung:"))
    assert claim.note == "dazu Zinsen seit 1.\u00a0April 2021, berechnet beim Eingang"


def test_instalments_one_by_one_and_interest_at_the_end(lives: Lives) -> None:
    half, nothing = Decimal("500.00"), Decimal("0.00")
    first, second = (
        Part(1, date(2021, 5, 1), half, nothing),
        Part(2, date(2021, 6, 1), half, Decimal("200.00")),
    )
    found = with_claim(lives, parts=(first, second), received=Decimal("800.00"), interest=Decimal("8.50"))
    assert payments(found) == [("2. Rate der Rückforderung zahlen", Decimal("200.00"), date(2021, 6, 1))]
    paid = replace(second, owed=nothing)
    found = with_claim(lives, parts=(first, paid), received=Decimal("1000.00"), interest=Decimal("12.34"))
    assert payments(found) == [("Zinsen zahlen", Decimal("12.34"), date(2021, 7, 1))]
    assert payments(with_claim(lives, is_done=True)) == []


def test_a_hearing_is_no_duty_to_speak(lives: Lives) -> None:
    grant = begin(lives)
    asked = Question(uuid4(), "Rückforderung", date(2021, 3, 20), "rueckforderung")
    found = duties_of(replace(standing(lives, grant), questions=(asked,)), AWARDED)
    assert found[0].title == "Zur geplanten Rückforderung äußern"
    assert found[0].note.startswith("Sie können, Sie müssen nicht")


@pytest.mark.parametrize(
    ("left_days", "expected"), [(-1, None), (0, 3), (3, 3), (4, 14), (14, 14), (15, None)]
)
def test_which_reminder_a_day_is_worth(left_days: int, expected: int | None) -> None:
    duty = Duty("nachweis", "Nachweis", due_on=WAIVED + timedelta(days=left_days))
    assert reminder_for(duty, WAIVED) == expected
    assert reminder_for(replace(duty, kind=DutyKind.DATE), WAIVED) is None
    assert reminder_for(replace(duty, kind=DutyKind.DATE, key="zweckbindung:x"), WAIVED) == expected
