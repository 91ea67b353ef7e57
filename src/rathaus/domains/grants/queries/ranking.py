"""The ranking of a competitive round: by the points of experts or as the jury voted, with the line where money ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db.models import Exists, OuterRef, Sum

from rathaus.casework.cases.enums import DecisionState, Outcome
from rathaus.casework.cases.models import Case, Decision
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import ranking as rules
from rathaus.domains.grants.enums import Account, Verdict
from rathaus.domains.grants.models import Balance, Call, JuryVote, Review
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.queries.reviews import by_case
from rathaus.domains.grants.ranking import Place, shown
from rathaus.domains.grants.terms import ReviewTerms, review_terms_of
from rathaus.law.money import format_amount

BY_POINTS, BY_JURY = "punkte", "jury"
_ORDER_OF_VERDICTS = {Verdict.YES: 2, Verdict.CONDITIONS: 1}
_LAST = 10_000  # behind every rank that a jury can give


@dataclass(frozen=True)
class Ranked:
    """An application in the ranking. `place` is None while nothing places it.

    `mean` and `spread` (best less worst review) are points, `valid` and `open` count reviews. `amount` in euros is what
    counts for the line: what is applied for or, in the order of the jury, what it recommends; of a decided one what was
    granted. `deviations` say where the jury sees it differently. `is_hidden` while the actor may not see its points.
    """

    case: Case
    place: Place | None
    mean: Decimal | None
    spread: Decimal | None
    valid: int
    open: int
    amount: Decimal
    vote: JuryVote | None
    deviations: tuple[str, ...]
    is_hidden: bool


@dataclass(frozen=True)
class Ranking:
    """A round in order. `rows` have a place, `unplaced` not yet, `decided` are out of the competition: what they were
    granted is no longer in `free`, the measure's money now. `has_mixed_terms`: not all have the same criteria."""

    call: Call
    order: str
    terms: ReviewTerms
    rows: tuple[Ranked, ...]
    unplaced: tuple[Ranked, ...]
    decided: tuple[Ranked, ...]
    free: Decimal
    has_mixed_terms: bool

    @property
    def within(self) -> Decimal:
        """What all above the line come to."""
        return sum((row.amount for row in self.rows if row.place and row.place.is_within), NOTHING)

    @property
    def rest(self) -> Decimal:
        """What is left of the free money then."""
        return self.free - self.within

    @property
    def has_hidden(self) -> bool:
        """Whether the actor sees the ranking without some applications."""
        return any(row.is_hidden for row in self.unplaced)


def ranking(by: Actor, call: Call, *, order: str = BY_POINTS) -> Ranking:
    """The ranking of a call, in four statements and those of packages that were not read yet.

    Whoever still reviews an application, or has ties to an applicant, does not see its points, so it has no place for
    them. Raises Call.DoesNotExist for another authority's, NotAllowed for experts from outside.
    """
    by.check_is_unlimited()
    if call.authority_id != by.staff_of:
        raise Call.DoesNotExist
    found = _scored(by, call)
    free = (
        Balance.objects.filter(line__measure_id=call.measure_id, account=Account.FREE).aggregate(
            all=Sum("amount")
        )["all"]
        or NOTHING
    )
    running = [entry for entry in found if not entry.is_decided]
    by_points = _places(((entry, entry.marks, entry.asked) for entry in running), free)
    by_jury = _places(((entry, entry.jury_marks, entry.recommended) for entry in running), free)
    is_jury = order == BY_JURY
    placed = by_jury if is_jury else by_points
    rows = {entry.case.id: _row(entry, by_points, placed, is_jury) for entry in found}
    newest = max((entry.case for entry in found), key=lambda case: case.terms.number, default=None)
    return Ranking(
        call,
        BY_JURY if is_jury else BY_POINTS,
        review_terms_of(newest) if newest else ReviewTerms(),
        rows=tuple(rows[key] for key in placed),
        unplaced=tuple(rows[entry.case.id] for entry in running if entry.case.id not in placed),
        decided=tuple(rows[entry.case.id] for entry in found if entry.is_decided),
        free=free,
        has_mixed_terms=len({(entry.terms.criteria, entry.terms.top) for entry in found}) > 1,
    )


@dataclass(frozen=True)
class _Scored:
    """A case with its exact points; no marks where it cannot be placed."""

    case: Case
    terms: ReviewTerms
    points: tuple[Fraction, ...]
    marks: tuple[Fraction, ...]
    open: int
    vote: JuryVote | None
    is_decided: bool
    is_hidden: bool

    @property
    def asked(self) -> Decimal:
        return self.case.amount or NOTHING

    @property
    def recommended(self) -> Decimal:
        return self.vote.amount if self.vote and self.vote.amount is not None else self.asked

    @property
    def jury_marks(self) -> tuple[Fraction, ...]:
        """Those the jury ranked in its order, then those it only wants, then those with conditions; at last by points."""
        if self.is_hidden or self.vote is None or self.vote.verdict == Verdict.NO:
            return ()
        rank = Fraction(-(self.vote.rank or _LAST))
        return (
            rank,
            Fraction(_ORDER_OF_VERDICTS[Verdict(self.vote.verdict)]),
            *(self.marks or (Fraction(-1),)),
        )


def _scored(by: Actor, call: Call) -> list[_Scored]:
    decided = Decision.objects.filter(case_id=OuterRef("pk"), state=DecisionState.DECIDED)
    cases = [
        (case, terms)
        for case in Case.objects.filter(offer_id=call.offer_id)
        .exclude(outcome=Outcome.WITHDRAWN)
        .select_related("terms", "application", "grant")
        .annotate(is_decided=Exists(decided))
        .order_by("reference")
        if (terms := review_terms_of(case)).criteria
    ]
    keys = [case.id for case, _ in cases]
    reviews = by_case(Review.objects.filter(case_id__in=keys).order_by("id"))
    votes = {vote.case_id: vote for vote in JuryVote.objects.filter(case_id__in=keys)}
    found = []
    for case, terms in cases:
        own = reviews.get(case.id, [])
        is_hidden = any(review.expert_id == by.account and review.submitted_at is None for review in own)
        valid = [] if is_hidden else [review for review in own if review.is_valid]
        points = tuple(rules.points(review.scores, terms.criteria) / terms.top for review in valid)
        heaviest = [rules.heaviest(review.scores, terms.criteria) / terms.top for review in valid]
        marks = (rules.mean(points), rules.mean(heaviest)) if points else ()
        waiting = sum(1 for review in own if review.is_open)
        is_over = bool(case.is_decided or case.closed_at)
        found.append(_Scored(case, terms, points, marks, waiting, votes.get(case.id), is_over, is_hidden))
    return found


def _places(
    entries: Iterable[tuple[_Scored, tuple[Fraction, ...], Decimal]], free: Decimal
) -> dict[UUID, Place]:
    return {
        place.key: place
        for place in rules.places(
            [(entry.case.id, marks, amount) for entry, marks, amount in entries if marks], free
        )
    }


def _row(entry: _Scored, by_points: dict[UUID, Place], placed: dict[UUID, Place], is_jury: bool) -> Ranked:
    key, top = entry.case.id, entry.terms.top
    grant = getattr(entry.case, "grant", None)
    amount = entry.recommended if is_jury else entry.asked
    if entry.is_decided:
        amount = grant.amount if grant else NOTHING
    return Ranked(
        entry.case,
        placed.get(key),
        shown(rules.mean(entry.points) * top) if entry.points else None,
        shown((max(entry.points) - min(entry.points)) * top) if entry.points else None,
        valid=len(entry.points),
        open=entry.open,
        amount=amount,
        vote=entry.vote,
        deviations=() if entry.is_decided else _deviations(entry, by_points.get(key)),
        is_hidden=entry.is_hidden,
    )


def _deviations(entry: _Scored, place: Place | None) -> tuple[str, ...]:
    """Where the jury sees it differently from the experts, in words."""
    vote = entry.vote
    if vote is None or place is None:
        return ()
    found = []
    if vote.verdict == Verdict.NO and place.is_within:
        found.append("nach Punkten im Budget, die Jury will nicht fördern")
    if vote.verdict != Verdict.NO and not place.is_within:
        found.append("nach Punkten unter der Linie, die Jury will fördern")
    if vote.rank is not None and vote.rank != place.place:
        found.append(f"Rang {vote.rank} der Jury statt Platz {place.place}")
    if vote.amount is not None and vote.amount != entry.asked:
        found.append(f"{format_amount(vote.amount)} statt {format_amount(entry.asked)}")
    return tuple(found)
