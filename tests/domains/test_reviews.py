"""Review by experts: who may, when, once; ties to an applicant; the jury; and what the process does then."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from tests.casework.conftest import World, make_world
from tests.casework.test_races import at_once
from tests.domains.competition import Round, make_round, scores

from rathaus.casework.cases.actions.exporting import export_case
from rathaus.casework.cases.actions.messages import send_message
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.queries import case_file, cases_of_authority
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.audit.queries import history
from rathaus.core.identity.actors import NotAllowed
from rathaus.core.identity.models import Account
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.reviews import (
    assign_experts,
    declare_conflict,
    finish_reviews,
    record_jury_vote,
    set_aside_review,
    submit_review,
    unassign_expert,
)
from rathaus.domains.grants.models import JuryVote, Review
from rathaus.domains.grants.queries.ranking import ranking
from rathaus.domains.grants.queries.reviews import (
    assignments,
    count_open_reviews,
    documents_for,
    experts,
    others_of,
    own_review,
    own_reviews,
    reviews_of,
)
from rathaus.law.text import format_date


@pytest.fixture
def rounds(world: World) -> Round:
    return make_round(world)


def test_a_round_from_application_to_proposal(rounds: Round) -> None:
    case = rounds.apply()
    assert rounds.waits(case)
    first, second = rounds.ask(case)
    one, two, _ = rounds.experts
    rounds.review(first, one, 4, 3, 2)
    assert rounds.waits(case), "one of two is not enough"
    rounds.review(second, two, 3, 3, 3)
    assert not rounds.waits(case)
    assert rounds.world.task(case).title == "Entscheidung vorschlagen"
    with rounds.world.clerk.acting():
        told = [entry.sentence for entry in history(case.id)]
        found = reviews_of(rounds.world.clerk, case)
    assert "Begutachtung eröffnet: 3 Kriterien, 2 Gutachten" in told
    assert "Gutachten erbeten: Gutachten 1" in told
    assert "Gutachten abgegeben: Gutachten 2" in told
    assert found is not None
    assert [found.points(review) for review in found.reviews] == [Decimal("3.30"), Decimal("3.00")]
    assert found.mean == Decimal("3.15")


def test_without_criteria_nobody_waits(world: World) -> None:
    rounds = make_round(world, parameters="begutachtung = []\n")
    case = rounds.apply()
    assert world.task(case).title == "Entscheidung vorschlagen"
    with world.clerk.acting():
        assert reviews_of(world.clerk, case) is None
    with pytest.raises(Refused, match="keine Jury"):
        record_jury_vote(by=world.clerk, case=case.id, verdict="yes", session_on=clock.today())
    with pytest.raises(Refused, match="nicht begutachtet"):
        rounds.ask(case)


def test_nobody_is_asked_before_the_application_is_complete(rounds: Round) -> None:
    case = rounds.world.submit(offer=rounds.offer)
    with pytest.raises(Refused, match="nicht begutachtet"):
        rounds.ask(case)


def test_who_may_ask_and_be_asked(rounds: Round) -> None:
    world, case = rounds.world, rounds.apply()
    one = rounds.experts[0].account
    assert one
    with pytest.raises(NotAllowed):
        assign_experts(by=rounds.experts[0], assignments=[(case.id, one)])
    with pytest.raises(NotAllowed):
        assign_experts(by=world.lahnau_officer, assignments=[(case.id, one)])
    with pytest.raises(Refused, match="nur Personen mit der Rolle"):
        assign_experts(by=world.clerk, assignments=[(case.id, one), (case.id, world.approver.account or one)])
    with pytest.raises(Refused, match="gibt es nicht"):
        assign_experts(by=world.clerk, assignments=[(new_id(), one)])
    with world.clerk.acting():
        assert not Review.objects.exists(), "all or nothing"
    assert len(assign_experts(by=world.clerk, assignments=[(case.id, one), (case.id, one)])) == 1
    assert assign_experts(by=world.clerk, assignments=[(case.id, one)]) == []


def test_who_is_asked_gets_one_mail_with_the_day(
    rounds: Round, run_jobs: Callable[[], int], mailoutbox: list[EmailMessage]
) -> None:
    cases = [rounds.apply("Bauakte"), rounds.apply("Pegel")]
    expert = rounds.experts[0].account
    assert expert
    pairs = [(case.id, expert) for case in cases]
    today = clock.today()
    with pytest.raises(Refused, match="ist vorbei"):
        assign_experts(by=rounds.world.clerk, assignments=pairs, due_on=today - timedelta(days=1))
    run_jobs()
    mailoutbox.clear()
    reviews = assign_experts(by=rounds.world.clerk, assignments=pairs, due_on=today)
    declare_conflict(by=rounds.experts[0], review=reviews[1].id, is_conflicted=True, reason="Verwandt.")
    run_jobs()
    (mail,) = mailoutbox
    assert mail.subject == f"Bitte um ein Gutachten bis {format_date(today)}", (
        "the other one needs none any more"
    )
    assert f"- Bauakte ({cases[0].reference})" in mail.body
    assert "Pegel" not in mail.body
    assert mail.to == [Account.objects.get(id=expert).email]
    assert assign_experts(by=rounds.world.clerk, assignments=pairs) == []
    run_jobs()
    assert len(mailoutbox) == 1, "who was asked already is not told again"


def test_nobody_asks_themselves(rounds: Round) -> None:
    world, case = rounds.world, rounds.apply()
    with world.clerk.acting():
        from rathaus.core.identity.models import Membership

        Membership.objects.filter(account=world.clerk.account).update(roles=["Sachbearbeitung", "Gutachten"])
        assert world.clerk.account not in [expert.account for expert in experts(world.clerk)]
    with pytest.raises(Refused, match="Sich selbst"):
        assign_experts(by=world.clerk, assignments=[(case.id, world.clerk.account or new_id())])
    with world.clerk.acting(), pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(
            authority_id=world.ministry.id, case=case, function="x",
            expert_id=world.clerk.account, assigned_by_id=world.clerk.account,
        )  # fmt: skip


def test_declaration_comes_first(rounds: Round) -> None:
    case = rounds.apply()
    (first, _), one = rounds.ask(case), rounds.experts[0]
    with pytest.raises(Refused, match="Erklären Sie zuerst"):
        submit_review(by=one, review=first.id, scores=scores(1, 1, 1), comment="Gut.")
    with rounds.world.clerk.acting(), pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.filter(id=first.id).update(scores=scores(1, 1, 1), submitted_at=clock.now())


def test_whoever_has_ties_is_out_for_good(rounds: Round) -> None:
    world, case = rounds.world, rounds.apply()
    (first, second), (one, two, three) = rounds.ask(case), rounds.experts
    with pytest.raises(Refused, match="worin"):
        declare_conflict(by=one, review=first.id, is_conflicted=True, reason="  ")
    declare_conflict(by=one, review=first.id, is_conflicted=False)
    declare_conflict(
        by=one, review=first.id, is_conflicted=True, reason="Meine Schwester leitet das Projekt."
    )
    with pytest.raises(Refused, match="ausgeschlossen"):
        submit_review(by=one, review=first.id, scores=scores(4, 4, 4), comment="Gut.")
    with pytest.raises(Refused, match="ausgeschlossen"):
        declare_conflict(by=one, review=first.id, is_conflicted=False)
    with world.clerk.acting(), pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.filter(id=first.id).update(
            conflict="none", conflict_reason="", scores=scores(4, 4, 4), submitted_at=clock.now()
        )
    with pytest.raises(Refused, match="schon erklärt"):
        unassign_expert(by=world.clerk, review=first.id)
    with one.acting():
        assert documents_for(own_review(one, first.id)) == []
    rounds.review(second, two, 3, 3, 3)
    assert rounds.waits(case), "two are wanted, and only one counts"
    (third,) = rounds.ask(case, three)
    rounds.review(third, three, 2, 2, 2)
    assert not rounds.waits(case)
    with world.clerk.acting():
        found = reviews_of(world.clerk, case)
    assert found
    assert found.mean == Decimal("2.50")


def test_ties_bind_in_the_office_too(rounds: Round) -> None:
    """Somebody of the office who has ties does nothing more in the case (§ 20 VwVfG)."""
    world, case = rounds.world, rounds.apply()
    with world.clerk.acting():
        tied = Review.objects.create(
            authority_id=world.ministry.id, case=case, expert_id=world.approver.account, function="x",
            assigned_by_id=world.clerk.account, conflict="declared", conflict_reason="Schwager",
            declared_at=clock.now(),
        )  # fmt: skip
    for act in (
        lambda: record_jury_vote(by=world.approver, case=case.id, verdict="yes", session_on=clock.today()),
        lambda: finish_reviews(by=world.approver, case=case.id, reason="Es eilt."),
        lambda: assign_experts(
            by=world.approver, assignments=[(case.id, rounds.experts[0].account or new_id())]
        ),
    ):
        with pytest.raises(NotAllowed, match="befangen"):
            act()
    assert tied.is_open is False


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"Nutzen": 5, "Umsetzbarkeit": 1, "Übertragbarkeit": 1}, "ganze Punkte von 0 bis 4"),
        ({"Nutzen": -1, "Umsetzbarkeit": 1, "Übertragbarkeit": 1}, "ganze Punkte"),
        ({"Nutzen": True, "Umsetzbarkeit": 1, "Übertragbarkeit": 1}, "ganze Punkte"),
        ({"Nutzen": Decimal("1.5"), "Umsetzbarkeit": 1, "Übertragbarkeit": 1}, "ganze Punkte"),
        ({"Nutzen": 1, "Umsetzbarkeit": 1}, "Es fehlen Punkte für: „Übertragbarkeit“"),
        ({"Nutzen": 1, "Umsetzbarkeit": 1, "Übertragbarkeit": 1, "Charme": 4}, "gibt es hier nicht: Charme"),
    ],
)
def test_scores_fit_the_terms(rounds: Round, given: dict[str, int], says: str) -> None:
    case = rounds.apply()
    (first, _), one = rounds.ask(case), rounds.experts[0]
    declare_conflict(by=one, review=first.id, is_conflicted=False)
    with pytest.raises(Refused, match=says):
        submit_review(by=one, review=first.id, scores=given, comment="Gut.")
    with pytest.raises(Refused, match="Begründen"):
        submit_review(by=one, review=first.id, scores=scores(1, 1, 1), comment=" ")
    with one.acting():
        assert own_review(one, first.id).submitted_at is None


def test_what_is_handed_in_stays(rounds: Round) -> None:
    world, case = rounds.world, rounds.apply()
    (first, _), one = rounds.ask(case), rounds.experts[0]
    rounds.review(first, one, 4, 3, 2)
    with pytest.raises(Refused, match="nicht mehr ändern"):
        submit_review(by=one, review=first.id, scores=scores(0, 0, 0), comment="Doch nicht.")
    with pytest.raises(Refused, match="ist abgegeben"):
        declare_conflict(by=one, review=first.id, is_conflicted=True, reason="Fiel mir erst jetzt ein.")
    with pytest.raises(Refused, match="schon erklärt"):
        unassign_expert(by=world.clerk, review=first.id)
    for change in ({"scores": scores(0, 0, 0)}, {"comment": "x"}, {"expert_id": world.clerk.account},
                   {"submitted_at": None, "scores": {}, "comment": ""}):  # fmt: skip
        with world.clerk.acting(), pytest.raises(IntegrityError, match="stays"), transaction.atomic():
            Review.objects.filter(id=first.id).update(**change)
    with world.clerk.acting(), pytest.raises(IntegrityError, match="stays"), transaction.atomic():
        Review.objects.filter(id=first.id).delete()


def test_ties_that_turn_up_later(rounds: Round) -> None:
    """The head sets the review aside; it stays readable and counts no more, once and for all."""
    world = rounds.world
    case = rounds.scored("Akte", "900.00", (4, 4, 4), (0, 0, 0))
    with world.clerk.acting():
        first = Review.objects.filter(case=case).order_by("id")[0]
    with pytest.raises(NotAllowed):
        set_aside_review(by=world.clerk, review=first.id, reason="Befangen.")
    with pytest.raises(Refused, match="warum"):
        set_aside_review(by=world.approver, review=first.id, reason="")
    set_aside_review(by=world.approver, review=first.id, reason="Schwägerschaft, am 3. Mai bekannt geworden")
    with pytest.raises(Refused, match="zählt ohnehin nicht"):
        set_aside_review(by=world.approver, review=first.id, reason="Noch einmal.")
    with world.clerk.acting():
        found = reviews_of(world.clerk, case)
        with pytest.raises(IntegrityError, match="stays"), transaction.atomic():
            Review.objects.filter(id=first.id).update(
                set_aside_at=None, set_aside_by=None, set_aside_reason=""
            )
    assert found
    assert found.mean == Decimal("0.00")
    assert found.points(found.reviews[0]) == Decimal("4.00")


def test_an_expert_sees_their_own_and_others_only_afterwards(rounds: Round) -> None:
    case, elsewhere = rounds.apply(), rounds.apply("Anderes")
    (first, second), (one, two, three) = rounds.ask(case), rounds.experts
    (foreign,) = rounds.ask(elsewhere, three)
    rounds.review(second, two, 1, 1, 1)
    with one.acting():
        waiting, done = own_reviews(one)
        assert [review.id for review in waiting] == [first.id]
        assert done == []
        assert count_open_reviews(one) == 1
        assert others_of(one, own_review(one, first.id)) == []
        with pytest.raises(Review.DoesNotExist):
            own_review(one, second.id)
        with pytest.raises(Review.DoesNotExist):
            own_review(one, foreign.id)
        assert others_of(one, Review.objects.get(id=second.id)) == [], "another's review opens nothing"
    for act in (
        lambda: submit_review(by=one, review=foreign.id, scores=scores(4, 4, 4), comment="Gut."),
        lambda: declare_conflict(by=one, review=foreign.id, is_conflicted=True, reason="Um zu stören."),
    ):
        with pytest.raises(Review.DoesNotExist):
            act()
    rounds.review(first, one, 4, 4, 4)
    with one.acting():
        assert [review.id for review in others_of(one, own_review(one, first.id))] == [second.id]


def test_an_expert_from_outside_sees_nothing_else(rounds: Round) -> None:
    case, one = rounds.apply(), rounds.experts[0]
    assert one.is_limited
    assert not rounds.world.clerk.is_limited
    with one.acting():
        for read in (
            lambda: case_file(one, case.reference),
            lambda: cases_of_authority(one),
            lambda: reviews_of(one, case),
            lambda: ranking(one, rounds.call),
            lambda: experts(one),
            lambda: assignments(one, rounds.call, []),
        ):
            with pytest.raises(NotAllowed):
                read()
    with pytest.raises(NotAllowed):
        send_message(by=one, case=case, body="Rufen Sie mich an.")


def test_another_authority_finds_no_review(rounds: Round) -> None:
    case = rounds.apply()
    first, _ = rounds.ask(case)
    with rounds.world.lahnau_officer.acting():
        assert not Review.objects.exists(), "the applicant neither"
    assert first.authority_id == rounds.world.ministry.id


def test_whoever_also_works_on_cases_waits_for_scores(rounds: Round) -> None:
    world, case = rounds.world, rounds.apply()
    with world.approver.acting():
        Review.objects.create(
            authority_id=world.ministry.id, case=case, expert_id=world.clerk.account, function="x",
            assigned_by_id=world.approver.account,
        )  # fmt: skip
    (second,) = rounds.ask(case, rounds.experts[1])
    rounds.review(second, rounds.experts[1], 4, 4, 4)
    with world.clerk.acting():
        found = reviews_of(world.clerk, case)
        assert found
        assert found.is_hidden
        assert found.mean is None
        assert [found.points(review) for review in found.reviews] == [None, None]
        seen = ranking(world.clerk, rounds.call)
    assert seen.rows == ()
    assert [row.mean for row in seen.unplaced] == [None]
    assert seen.has_hidden


def test_an_assignment_may_go_before_the_declaration(rounds: Round) -> None:
    world, case = rounds.world, rounds.apply()
    first, second, third = rounds.ask(case, *rounds.experts)
    rounds.review(first, rounds.experts[0], 1, 1, 1)
    rounds.review(second, rounds.experts[1], 1, 1, 1)
    assert rounds.waits(case), "the third was asked, so they are waited for"
    unassign_expert(by=world.clerk, review=third.id)
    assert not rounds.waits(case)
    with rounds.experts[2].acting():
        assert count_open_reviews(rounds.experts[2]) == 0


def test_jury(world: World) -> None:
    rounds = make_round(world, jury=True)
    case = rounds.scored("Akte", "900.00", (4, 4, 4), (3, 3, 3))
    assert rounds.waits(case), "the jury is still to come"
    today = clock.today()
    for wrong, says in (
        ({"verdict": "vielleicht"}, "Wählen Sie"),
        ({"verdict": "conditions"}, "Auflagen"),
        ({"session_on": today + timedelta(days=1)}, "Sitzung"),
        ({"session_on": today - timedelta(days=400)}, "Sitzung"),
        ({"amount": Decimal("900.01")}, "nicht mehr empfehlen"),
        ({"amount": Decimal("0.00")}, "Euro und Cent"),
        ({"amount": Decimal("NaN")}, "Euro und Cent"),
        ({"verdict": "no", "amount": Decimal("1.00")}, "keinen Betrag"),
        ({"rank": 0}, "Rang"),
    ):
        with pytest.raises(Refused, match=says):
            record_jury_vote(
                **{"by": world.clerk, "case": case.id, "verdict": "yes", "session_on": today, **wrong}
            )
    with pytest.raises(NotAllowed):
        record_jury_vote(by=rounds.experts[0], case=case.id, verdict="yes", session_on=today)
    record_jury_vote(
        by=world.clerk, case=case.id, verdict="conditions", session_on=today, rank=1,
        amount=Decimal("800.00"), note="Nur mit offener Schnittstelle.",
    )  # fmt: skip
    assert not rounds.waits(case)
    with pytest.raises(Refused, match="steht schon fest"):
        record_jury_vote(by=world.approver, case=case.id, verdict="no", session_on=today)
    with world.clerk.acting(), pytest.raises(Exception, match="permission denied"), transaction.atomic():
        JuryVote.objects.update(verdict="no")


def test_the_vote_may_come_first(world: World) -> None:
    rounds = make_round(world, jury=True)
    case = rounds.apply()
    record_jury_vote(by=world.clerk, case=case.id, verdict="yes", session_on=clock.today())
    first, second = rounds.ask(case)
    rounds.review(first, rounds.experts[0], 1, 1, 1)
    assert rounds.waits(case)
    rounds.review(second, rounds.experts[1], 1, 1, 1)
    assert not rounds.waits(case)


def test_going_on_without_what_is_missing(rounds: Round) -> None:
    world, case = rounds.world, rounds.apply()
    first, _ = rounds.ask(case)
    with pytest.raises(NotAllowed):
        finish_reviews(by=world.clerk, case=case.id, reason="Es eilt.")
    with pytest.raises(Refused, match="warum"):
        finish_reviews(by=world.approver, case=case.id, reason="")
    finish_reviews(by=world.approver, case=case.id, reason="Zwei Personen sind erkrankt.")
    assert world.task(case).title == "Entscheidung vorschlagen"
    declare_conflict(by=rounds.experts[0], review=first.id, is_conflicted=False)
    with pytest.raises(Refused, match="abgeschlossen"):
        submit_review(by=rounds.experts[0], review=first.id, scores=scores(4, 4, 4), comment="Zu spät.")
    with pytest.raises(Refused, match="nicht begutachtet"):
        finish_reviews(by=world.approver, case=case.id, reason="Noch einmal.")
    with world.clerk.acting():
        assert "Begutachtung vorzeitig abgeschlossen: Zwei Personen sind erkrankt." in [
            entry.sentence for entry in history(case.id)
        ]


def test_after_the_decision_nothing_is_added(rounds: Round) -> None:
    world = rounds.world
    case = rounds.scored("Akte", "900.00", (4, 4, 4), (4, 4, 4))
    proposal = {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Überzeugt."}
    complete_task(by=world.clerk, task=world.task(case).id, answers=proposal)
    complete_task(by=world.approver, task=world.task(case).id, answers={"freigegeben": True})
    with pytest.raises(Refused, match="schon entschieden"):
        record_jury_vote(by=world.clerk, case=case.id, verdict="no", session_on=clock.today())
    with world.clerk.acting():
        first = Review.objects.filter(case=case).first()
    assert first
    with pytest.raises(Refused, match="schon entschieden"):
        set_aside_review(by=world.approver, review=first.id, reason="Zu spät.")


def test_proposed_assignments_are_balanced(rounds: Round) -> None:
    cases = [rounds.apply(f"Antrag {number}") for number in range(3)]
    (declared,) = rounds.ask(cases[0], rounds.experts[0])
    declare_conflict(by=rounds.experts[0], review=declared.id, is_conflicted=True, reason="Schwager")
    clerk = rounds.world.clerk
    with clerk.acting():
        found = assignments(clerk, rounds.call, experts(clerk))
    asked = [expert.account for expert in rounds.experts]
    assert [row.case.id for row in found] == [case.id for case in cases]
    assert asked[0] not in found[0].proposed, "whoever has ties is not asked again"
    assert [len(row.proposed) for row in found] == [2, 2, 2]
    load = [sum(expert in row.proposed for row in found) for expert in asked]
    assert load == [2, 2, 2]


def test_the_last_two_at_once(committed: None) -> None:
    """Whoever comes second sees the first, so that the process neither stays nor goes on twice."""
    rounds = make_round(make_world(), jury=True)
    clerk, (one, two, _) = rounds.world.clerk, rounds.experts
    case = rounds.apply()
    first, second = rounds.ask(case)
    for review, expert in ((first, one), (second, two)):
        declare_conflict(by=expert, review=review.id, is_conflicted=False)
    results = at_once(
        lambda: submit_review(by=one, review=first.id, scores=scores(4, 4, 4), comment="Gut."),
        lambda: submit_review(by=two, review=second.id, scores=scores(3, 3, 3), comment="Gut."),
        lambda: record_jury_vote(by=clerk, case=case.id, verdict="yes", session_on=clock.today()),
        lambda: record_jury_vote(by=clerk, case=case.id, verdict="no", session_on=clock.today()),
        lambda: submit_review(by=one, review=first.id, scores=scores(0, 0, 0), comment="Zweimal."),
    )
    assert [type(result) for result in results].count(Refused) == 2, results
    assert sum(isinstance(result, Review | JuryVote) for result in results) == 3, results
    assert not rounds.waits(case)
    with clerk.acting():
        assert [task.title for task in case.tasks.filter(state="open")] == ["Entscheidung vorschlagen"]
        assert Review.objects.filter(case=case, submitted_at__isnull=False).count() == 2


def test_the_file_of_a_case_tells_points_once_all_are_in(rounds: Round, tmp_path: Path) -> None:
    world, case = rounds.world, rounds.apply()
    first, second = rounds.ask(case)
    rounds.review(first, rounds.experts[0], 4, 3, 2)

    def told(name: str) -> dict[str, Any]:
        export_case(by=world.approver, reference=case.reference, to=tmp_path / name)
        with zipfile.ZipFile(tmp_path / name) as packed:
            path = next(path for path in packed.namelist() if path.endswith("gutachten.json"))
            assert "gutachten.json" in packed.read("README.txt").decode()
            found: dict[str, Any] = json.loads(packed.read(path))
            return found

    before = told("vorher.zip")
    assert [each["punkte"] for each in before["gutachten"]] == [None, None]
    assert "Gut begründet." not in json.dumps(before, ensure_ascii=False)
    rounds.review(second, rounds.experts[1], 1, 1, 1)
    record_jury_vote(by=world.clerk, case=case.id, verdict="no", session_on=clock.today(), note="Zu teuer.")
    after = told("nachher.zip")
    assert [each["gewichtet"] for each in after["gutachten"]] == ["3.30", "1.00"]
    assert after["gutachten"][0]["punkte"]["Nutzen"] == 4
    assert after["gutachten"][0]["befangenheit"] == "nicht befangen"
    assert after["votum_der_jury"]["votum"] == "nicht fördern"
    with pytest.raises(NotAllowed):
        export_case(by=rounds.experts[0], reference=case.reference, to=tmp_path / "fremd.zip")
