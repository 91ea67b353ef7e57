"""The ranking of a round: points to the hundredth, places and ties, the line, and where the jury sees it differently."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.conftest import World
from tests.domains.competition import make_round
from tests.web.queries import counted

from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.actions.withdrawal import withdraw_application
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import ranking as rules
from rathaus.domains.grants.actions.reviews import record_jury_vote, set_aside_review
from rathaus.domains.grants.models import Call, Review
from rathaus.domains.grants.queries.ranking import BY_JURY, ranking
from rathaus.domains.grants.terms import Criterion, ReviewTerms

CRITERIA = (Criterion("Nutzen", 50), Criterion("Umsetzbarkeit", 30), Criterion("Übertragbarkeit", 20))


def test_points_are_weighted_means() -> None:
    scores = {"Nutzen": 4, "Umsetzbarkeit": 3, "Übertragbarkeit": 1}
    assert rules.points(scores, CRITERIA) == Fraction(31, 10)  # (200 + 90 + 20) / 100
    assert rules.heaviest(scores, CRITERIA) == 4
    assert rules.heaviest({"a": 4, "b": 1}, [Criterion("a", 5), Criterion("b", 5)]) == Fraction(5, 2)
    assert rules.shown(Fraction(10, 3)) == Decimal("3.33")
    assert rules.shown(Fraction(5, 1000)) == Decimal("0.01")


def test_terms_that_cannot_be_understood() -> None:
    row = {"name": "Nutzen", "gewicht": 1}
    for wrong in (
        {"begutachtung": [{**row, "gewicht": 0}]},
        {"begutachtung": [row], "begutachtung_skala": 5},
    ):
        with pytest.raises(ValueError, match=r"wiegt mindestens|Skala"):
            ReviewTerms.read(wrong)
    assert ReviewTerms.read({}).criteria == ()
    assert [criterion.name for criterion in ReviewTerms.read({"begutachtung": [row, row]}).criteria] == [
        "Nutzen",
        "Nutzen (2)",
    ]


Entries = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 100_000)), max_size=12)


@given(Entries, st.integers(0, 300_000))
def test_places_whatever_comes(rows: list[tuple[int, int, int]], money: int) -> None:
    entries: list[tuple[UUID, tuple[Fraction, ...], Decimal]] = [
        (uuid4(), (Fraction(a), Fraction(b)), Decimal(cents) / 100) for a, b, cents in rows
    ]
    found = rules.places(entries, Decimal(money) / 100)
    marks = {key: values for key, values, _ in entries}
    assert sorted(marks) == sorted(place.key for place in found)
    assert [marks[place.key] for place in found] == sorted(marks.values(), reverse=True)
    within = [place for place in found if place.is_within]
    assert found[: len(within)] == within, "nobody is pulled up past the line"
    if within:
        assert within[-1].running <= Decimal(money) / 100
    for place in found:
        same = [other for other in found if marks[other.key] == marks[place.key]]
        assert {other.place for other in same} == {place.place}
        assert {other.is_within for other in same} == {place.is_within}
        assert place.is_shared == (len(same) > 1)
        assert place.place == 1 + sum(marks[other.key] > marks[place.key] for other in found)


def test_the_line_is_where_the_next_does_not_fit_whole() -> None:
    keys = [uuid4() for _ in range(4)]
    amounts = ["50.00", "50.01", "10.00", "1.00"]
    entries = [
        (key, (Fraction(9 - at),), Decimal(amount))
        for at, (key, amount) in enumerate(zip(keys, amounts, strict=True))
    ]
    found = rules.places(entries, Decimal("100.00"))
    assert [place.is_within for place in found] == [True, False, False, False]
    assert [place.running for place in found] == [
        Decimal(text) for text in ("50.00", "100.01", "110.01", "111.01")
    ]
    assert all(place.is_within for place in rules.places(entries, Decimal("111.01")))


def test_a_round(world: World) -> None:
    rounds = make_round(world, money="2000.00", jury=True)
    best = rounds.scored("Beste", "900.00", (4, 4, 4), (4, 3, 4))
    wide = rounds.scored("Umstritten", "1000.00", (4, 4, 4), (1, 1, 1))
    tied = rounds.scored("Gleichauf, weniger Nutzen", "500.00", (2, 3, 3), (2, 3, 3))
    late = rounds.scored("Kleiner Antrag", "100.00", (1, 1, 1), (1, 1, 1))
    new = rounds.apply("Noch ohne Gutachten", "300.00")
    gone = rounds.apply("Zurückgezogen", "300.00")
    withdraw_application(by=world.lahnau_officer, case=gone)
    with world.clerk.acting():
        ranking(world.clerk, rounds.call)
        with counted() as statements:
            found = ranking(world.clerk, rounds.call)
    assert len(statements) == 4
    assert [row.case.id for row in found.rows] == [best.id, wide.id, tied.id, late.id]
    assert [row.place.place for row in found.rows if row.place] == [1, 2, 3, 4]
    # 4.00 and 3.70; 4.00 and 1.00; 2.50 twice, behind by the heaviest criterion; 1.00.
    assert [row.mean for row in found.rows] == [Decimal(text) for text in ("3.85", "2.50", "2.50", "1.00")]
    assert [row.spread for row in found.rows] == [Decimal(text) for text in ("0.30", "3.00", "0.00", "0.00")]
    assert [row.place.is_within for row in found.rows if row.place] == [True, True, False, False]
    assert [row.place.running for row in found.rows if row.place] == [
        Decimal(text) for text in ("900.00", "1900.00", "2400.00", "2500.00")
    ]
    assert (found.free, found.within, found.rest) == (
        Decimal("2000.00"),
        Decimal("1900.00"),
        Decimal("100.00"),
    )
    assert [row.case.id for row in found.unplaced] == [new.id]
    assert found.decided == ()
    assert not found.has_mixed_terms

    today = clock.today()
    vote = {"by": world.clerk, "session_on": today}
    record_jury_vote(case=best.id, verdict="yes", rank=2, **vote)
    record_jury_vote(case=wide.id, verdict="no", note="Nicht überzeugend.", **vote)
    record_jury_vote(case=tied.id, verdict="yes", rank=1, amount=Decimal("400.00"), **vote)
    record_jury_vote(case=late.id, verdict="conditions", note="Mit offener Lizenz.", **vote)
    with world.clerk.acting():
        found = ranking(world.clerk, rounds.call)
        jury = ranking(world.clerk, rounds.call, order=BY_JURY)
    said = {row.case.id: row.deviations for row in found.rows}
    assert said[best.id] == ("Rang 2 der Jury statt Platz 1",)
    assert said[wide.id] == ("nach Punkten im Budget, die Jury will nicht fördern",)
    assert said[tied.id] == (
        "nach Punkten unter der Linie, die Jury will fördern",
        "Rang 1 der Jury statt Platz 3",
        "400,00\xa0€ statt 500,00\xa0€",
    )
    assert [row.case.id for row in jury.rows] == [tied.id, best.id, late.id]
    assert [row.amount for row in jury.rows] == [Decimal(text) for text in ("400.00", "900.00", "100.00")]
    assert all(row.place and row.place.is_within for row in jury.rows)
    assert {row.case.id for row in jury.unplaced} == {wide.id, new.id}

    proposal = {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Überzeugt."}
    complete_task(by=world.clerk, task=world.task(best).id, answers=proposal)
    complete_task(by=world.approver, task=world.task(best).id, answers={"freigegeben": True})
    with world.clerk.acting():
        found = ranking(world.clerk, rounds.call)
    assert [(row.case.id, row.amount) for row in found.decided] == [(best.id, Decimal("900.00"))]
    assert found.free == Decimal("1100.00"), "what was granted is not counted twice"
    assert [row.place.is_within for row in found.rows if row.place] == [True, False, False]


def test_equal_in_all_share_a_place_and_a_side_of_the_line(world: World) -> None:
    rounds = make_round(world, money="1000.00")
    for title in ("Eins", "Zwei"):
        rounds.scored(title, "600.00", (3, 3, 3), (3, 3, 3))
    with world.clerk.acting():
        found = ranking(world.clerk, rounds.call)
    assert [
        (row.place.place, row.place.is_shared, row.place.is_within) for row in found.rows if row.place
    ] == [
        (1, True, False),
        (1, True, False),
    ]
    assert found.rest == Decimal("1000.00")


def test_a_review_that_was_set_aside_moves_the_place(world: World) -> None:
    rounds = make_round(world)
    first = rounds.scored("Eins", "600.00", (4, 4, 4), (2, 2, 2))
    second = rounds.scored("Zwei", "600.00", (3, 3, 3), (2, 2, 2))
    with world.clerk.acting():
        assert [row.case.id for row in ranking(world.clerk, rounds.call).rows] == [first.id, second.id]
        praise = Review.objects.filter(case=first).order_by("id")[0]
    set_aside_review(by=world.approver, review=praise.id, reason="Befangen, später bekannt geworden")
    with world.clerk.acting():
        found = ranking(world.clerk, rounds.call)
    assert [row.case.id for row in found.rows] == [second.id, first.id]
    assert [row.valid for row in found.rows] == [2, 1]


def test_another_authority_has_no_ranking_of_it(world: World) -> None:
    rounds = make_round(world)
    foreign = Actor.system(world.lahnau.id)
    with foreign.acting(), pytest.raises(Call.DoesNotExist):
        ranking(foreign, rounds.call)
