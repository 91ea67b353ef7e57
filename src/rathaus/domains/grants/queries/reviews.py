"""Reviews as far as somebody may see them, and whom to ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from rathaus.casework.cases.models import Case, Subscription
from rathaus.casework.records.enums import DocumentKind
from rathaus.casework.records.models import Document
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Membership
from rathaus.domains.grants import ranking as rules
from rathaus.domains.grants.actions.reviews import REVIEWED
from rathaus.domains.grants.enums import Conflict
from rathaus.domains.grants.models import Call, JuryVote, Review
from rathaus.domains.grants.permissions import EXPERT, WORK, check_role
from rathaus.domains.grants.ranking import shown
from rathaus.domains.grants.terms import ReviewTerms, review_terms_of

# --- for experts ---


def count_open_reviews(by: Actor) -> int:
    """How many reviews wait for this person."""
    return _mine(by).filter(_OPEN).count()


_OPEN = Q(submitted_at=None) & ~Q(conflict=Conflict.DECLARED)


def own_reviews(by: Actor) -> tuple[list[Review], list[Review]]:
    """What this person is asked to review, oldest first, and what is behind them, newest first."""
    found = list(_mine(by).select_related("case__offer", "case__terms", "case__application").order_by("id"))
    return [review for review in found if review.is_open], [
        review for review in reversed(found) if not review.is_open
    ]


def own_review(by: Actor, review: UUID) -> Review:
    """One of them with its case. Raises Review.DoesNotExist for anybody else's."""
    return _mine(by).select_related("case__offer", "case__terms", "case__application").get(id=review)


def others_of(by: Actor, review: Review) -> list[Review]:
    """What other experts handed in on the same application: nothing before one's own review is in."""
    if review.expert_id != by.account or review.submitted_at is None:
        return []
    others = Review.objects.filter(case_id=review.case_id, submitted_at__isnull=False)
    return list(others.exclude(id=review.id).order_by("submitted_at", "id"))


def documents_for(review: Review) -> list[Document]:
    """The files that the applicant handed in with the application or in answer to a question; none to whoever is biased."""
    if review.conflict != Conflict.NONE:
        return []
    kinds = [DocumentKind.ATTACHMENT, DocumentKind.REPLY]
    return list(Document.objects.filter(case_id=review.case_id, kind__in=kinds).order_by("id"))


def is_under_review(case: Case) -> bool:
    """Whether its process waits for reviews or the jury."""
    return Subscription.objects.filter(case=case, message=REVIEWED).exists()


def _mine(by: Actor) -> QuerySet[Review]:
    return Review.objects.filter(
        authority_id=by.staff_of, expert_id=by.account if EXPERT in by.roles else None
    )


# --- for those who work on cases ---


@dataclass(frozen=True)
class CaseReviews:
    """Reviews and vote of a case. `is_hidden`: this person reviews it too and has not handed in, or has ties to it."""

    terms: ReviewTerms
    reviews: tuple[Review, ...]
    vote: JuryVote | None
    is_waiting: bool
    is_hidden: bool
    is_biased: bool

    def points(self, review: Review) -> Decimal | None:
        """The weighted mean of a review that was handed in, for people."""
        if review.submitted_at is None or self.is_hidden:
            return None
        return shown(rules.points(review.scores, self.terms.criteria))

    @property
    def mean(self) -> Decimal | None:
        """The mean of all valid reviews, for people; None before there is one."""
        valid = [rules.points(found.scores, self.terms.criteria) for found in self.reviews if found.is_valid]
        return shown(rules.mean(valid)) if valid and not self.is_hidden else None


def reviews_of(by: Actor, case: Case) -> CaseReviews | None:
    """Reviews of a case for whoever works on it; None where nobody reviews. Two or three statements, or none."""
    by.check_is_unlimited()
    terms = review_terms_of(case)
    if not terms.criteria:
        return None
    reviews = tuple(Review.objects.filter(case=case).order_by("id"))
    own = next((review for review in reviews if review.expert_id == by.account), None)
    return CaseReviews(
        terms,
        reviews,
        JuryVote.objects.filter(case=case).first(),
        is_under_review(case),
        own is not None and own.submitted_at is None,
        own is not None and own.conflict == Conflict.DECLARED,
    )


@dataclass(frozen=True)
class Expert:
    """Somebody who may review, with how many reviews they still have to write."""

    account: UUID
    name: str
    function: str
    open: int


def experts(by: Actor) -> list[Expert]:
    """The experts of the authority, by name, the actor not among them: nobody assigns work to themselves."""
    check_role(by, by.staff_of, WORK)
    waiting = dict(
        Review.objects.filter(_OPEN, authority_id=by.staff_of)
        .values_list("expert_id")
        .annotate(open=Count("id"))
        .order_by()
    )
    members = Membership.objects.filter(
        authority_id=by.staff_of, roles__contains=[EXPERT], account__is_active=True
    ).exclude(account=by.account)
    return [
        Expert(found.account_id, str(found.account), found.function, waiting.get(found.account_id, 0))
        for found in members.select_related("account").order_by("account__name", "account_id")
    ]


@dataclass(frozen=True)
class Assignment:
    """A case under review, who was asked, and whom a balanced distribution would ask besides."""

    case: Case
    reviews: tuple[Review, ...]
    proposed: tuple[UUID, ...]
    missing: int

    @property
    def asked(self) -> frozenset[UUID]:
        """Accounts that were asked, whatever became of it."""
        return frozenset(review.expert_id for review in self.reviews)


def assignments(by: Actor, call: Call, pool: Sequence[Expert]) -> list[Assignment]:
    """The cases of a call that are under review, oldest first, with a proposal that gives all experts about as much to do.

    Who was asked before, or has ties, is not proposed again.
    """
    check_role(by, by.staff_of, WORK)
    cases = list(
        Case.objects.filter(authority_id=by.staff_of, offer_id=call.offer_id, subscriptions__message=REVIEWED)
        .select_related("terms", "application")
        .order_by("id")
    )
    reviews = by_case(Review.objects.filter(case__in=cases).order_by("id"))
    load = {expert.account: expert.open for expert in pool}
    found = []
    for case in cases:
        own = reviews.get(case.id, [])
        expected = sum(1 for review in own if review.is_open or review.is_valid)
        missing = max(review_terms_of(case).wanted - expected, 0)
        asked = {review.expert_id for review in own}
        free = sorted(
            (expert.account for expert in pool if expert.account not in asked),
            key=lambda key: (load[key], key),
        )
        proposed = tuple(free[:missing])
        for account in proposed:
            load[account] += 1
        found.append(Assignment(case, tuple(own), proposed, missing))
    return found


def by_case(reviews: Iterable[Review]) -> dict[UUID, list[Review]]:
    found: dict[UUID, list[Review]] = {}
    for review in reviews:
        found.setdefault(review.case_id, []).append(review)
    return found
