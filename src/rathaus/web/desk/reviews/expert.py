"""What an expert sees: their reviews, and one of them with the application beside its form. Nothing else of the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.cases.rules import LONGEST_NOTE
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.authorities.queries import by_ags
from rathaus.domains.grants import ranking
from rathaus.domains.grants.actions.reviews import declare_conflict, submit_review
from rathaus.domains.grants.enums import Conflict
from rathaus.domains.grants.models import Review
from rathaus.domains.grants.queries.reviews import (
    documents_for,
    is_under_review,
    others_of,
    own_review,
    own_reviews,
)
from rathaus.domains.grants.terms import SCALES, ReviewTerms, review_terms_of
from rathaus.web.account import kept
from rathaus.web.desk.access import actor_of, for_all_staff, frame_of
from rathaus.web.desk.case_page import in_words
from rathaus.web.desk.documents import document_response
from rathaus.web.desk.panels import Input
from rathaus.web.parts import Link

COMMENT = "begruendung"
YES, NO = "ja", "nein"


@require_GET
@for_all_staff
def mine(request: HttpRequest) -> HttpResponse:
    """What this person is asked to review, and what they did."""
    waiting, done = own_reviews(actor_of(request))
    context = {
        "frame": frame_of(request, current="reviews"),
        "waiting": waiting,
        "today": clock.today(),
        "done": [(review, points_of(review)) for review in done],
    }
    return render(request, "desk/reviews/mine.html", context)


@dataclass(frozen=True)
class ScoreField:
    """A criterion to be scored: the share of its weight, and one radio button for each number of points."""

    field: Input
    hint: str
    share: int
    choices: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class ReviewForm:
    """The form of a review as typed."""

    scores: tuple[ScoreField, ...]
    comment: Input
    refusal: str = ""

    @property
    def errors(self) -> tuple[Input, ...]:
        fields = (*(score.field for score in self.scores), self.comment)
        return tuple(field for field in fields if field.error)

    @property
    def has_error(self) -> bool:
        return bool(self.refusal or self.errors)

    @property
    def given(self) -> dict[str, int]:
        """Points by criterion; meaningful if there are no errors."""
        return {score.field.label: int(score.field.text) for score in self.scores}


@dataclass(frozen=True)
class ConflictForm:
    """The declaration on ties as typed."""

    choice: Input
    reason: Input
    refusal: str = ""

    @property
    def has_error(self) -> bool:
        return bool(self.refusal or self.choice.error or self.reason.error)


@require_http_methods(["GET", "POST"])
@for_all_staff
def show(request: HttpRequest, review: UUID) -> HttpResponse:
    """A review: first the declaration on ties, then application and form, at last what others wrote."""
    found = _own(request, review)
    terms = review_terms_of(found.case)
    if request.method == "GET":
        typed = kept.take(request, request.path)
        return _page(request, found, scores=_form(terms, typed or {}))
    form = _checked(_form(terms, request.POST), terms)
    if form.has_error:
        return _page(request, found, scores=form)
    try:
        submit_review(by=actor_of(request), review=found.id, scores=form.given, comment=form.comment.text)
    except Refused as wrong:
        return _page(request, _own(request, review), scores=replace(form, refusal=str(wrong)))
    messages.success(request, "Ihr Gutachten ist abgegeben. Vielen Dank.")
    return redirect("desk:review", found.id)


@require_http_methods(["GET", "POST"])
@for_all_staff
def declare(request: HttpRequest, review: UUID) -> HttpResponse:
    """Say whether one has ties to an applicant."""
    found = _own(request, review)
    if request.method == "GET":
        typed = kept.take(request, request.path)
        if typed is None:
            return redirect("desk:review", found.id)
        return _page(request, found, conflict=_conflict_form(typed))
    form = _conflict_form(request.POST)
    if form.choice.text not in (YES, NO):
        choice = replace(form.choice, error="Wählen Sie eines davon.")
        return _page(request, found, conflict=replace(form, choice=choice))
    is_conflicted = form.choice.text == YES
    if is_conflicted and not form.reason.text.strip():
        reason = replace(form.reason, error="Schreiben Sie, worin die Befangenheit liegt.")
        return _page(request, found, conflict=replace(form, reason=reason))
    try:
        declare_conflict(
            by=actor_of(request), review=found.id, is_conflicted=is_conflicted, reason=form.reason.text
        )
    except Refused as wrong:
        return _page(request, _own(request, review), conflict=replace(form, refusal=str(wrong)))
    if is_conflicted:
        messages.success(request, "Danke für die Anzeige. Jemand anderes begutachtet diesen Antrag.")
        return redirect("desk:reviews")
    return redirect("desk:review", found.id)


@require_GET
@for_all_staff
def document(request: HttpRequest, review: UUID, document: UUID) -> HttpResponse:
    """A file that the applicant handed in with the application."""
    found = next((file for file in documents_for(_own(request, review)) if file.id == document), None)
    if found is None:
        raise Http404
    return document_response(
        request, found, back=Link("Zum Gutachten", reverse("desk:review", args=[review]))
    )


# --- the page ---


def points_of(review: Review) -> Decimal | None:
    """The weighted mean of a review that was handed in."""
    if review.submitted_at is None:
        return None
    return ranking.shown(ranking.points(review.scores, review_terms_of(review.case).criteria))


def scores_of(review: Review, terms: ReviewTerms) -> list[tuple[str, int, str]]:
    """Criterion, points and their word."""
    words = SCALES[terms.top]
    return [
        (criterion.name, score, words[score])
        for criterion in terms.criteria
        if (score := review.scores.get(criterion.name)) is not None
    ]


def _own(request: HttpRequest, review: UUID) -> Review:
    try:
        return own_review(actor_of(request), review)
    except Review.DoesNotExist as missing:
        raise Http404 from missing


def _page(
    request: HttpRequest,
    review: Review,
    *,
    scores: ReviewForm | None = None,
    conflict: ConflictForm | None = None,
) -> HttpResponse:
    by, case, terms = actor_of(request), review.case, review_terms_of(review.case)
    conflict = conflict or _conflict_form({})
    scores = scores or _form(terms, {})
    may_read = review.conflict == Conflict.NONE
    others = others_of(by, review)
    has_error = conflict.has_error or scores.has_error
    context = {
        "frame": frame_of(request, current="reviews"),
        "crumbs": (Link("Meine Gutachten", reverse("desk:reviews")), Link(case.reference, "")),
        "review": review,
        "case": case,
        "terms": terms,
        "partners": _partners(review),
        "sections": in_words(case.application) if may_read else (),
        "documents": documents_for(review),
        "is_over": review.is_open and not is_under_review(case),
        "form": scores,
        "conflict": conflict,
        "points": points_of(review),
        "own": scores_of(review, terms),
        "others": [(found, ranking.shown(ranking.points(found.scores, terms.criteria))) for found in others],
        "kept_scores": kept.owner_token(request, reverse("desk:review", args=[review.id])),
        "kept_conflict": kept.owner_token(request, reverse("desk:review_conflict", args=[review.id])),
        "has_error": has_error,
    }
    return render(request, "desk/reviews/review.html", context, status=422 if has_error else 200)


def _partners(review: Review) -> list[str]:
    """Municipalities that take part, by name: an expert may have ties to them as well."""
    keys = review.case.application.answers.get("partner", [])
    keys = [str(key) for key in keys] if isinstance(keys, list) else []
    names = by_ags(keys) if keys else {}
    return [names[key].label if key in names else key for key in keys]


def _form(terms: ReviewTerms, data: Mapping[str, str]) -> ReviewForm:
    total = sum(criterion.weight for criterion in terms.criteria)
    return ReviewForm(
        tuple(
            ScoreField(
                Input(f"k{number}", criterion.name, _text(data, f"k{number}")),
                criterion.hint,
                round(criterion.weight * 100 / total),
                tuple(SCALES[terms.top].items()),
            )
            for number, criterion in enumerate(terms.criteria, 1)
        ),
        Input(COMMENT, "Begründung", _text(data, COMMENT)),
    )


def _checked(form: ReviewForm, terms: ReviewTerms) -> ReviewForm:
    allowed = {str(points) for points in range(terms.top + 1)}
    scores = tuple(
        score
        if score.field.text in allowed
        else replace(score, field=replace(score.field, error="Wählen Sie, wie viele Punkte es gibt."))
        for score in form.scores
    )
    comment, length = form.comment, len(form.comment.text.strip())
    if not length:
        comment = replace(comment, error="Begründen Sie Ihre Punkte in einigen Sätzen.")
    elif length > LONGEST_NOTE:
        comment = replace(
            comment, error=f"Der Text hat {length} Zeichen. Kürzen Sie ihn auf höchstens {LONGEST_NOTE}."
        )
    return replace(form, scores=scores, comment=comment)


def _conflict_form(data: Mapping[str, str]) -> ConflictForm:
    return ConflictForm(
        Input("befangen", "Sind Sie befangen?", _text(data, "befangen")),
        Input("grund", "Worin liegt die Befangenheit?", _text(data, "grund")),
    )


def _text(data: Mapping[str, str], name: str) -> str:
    return str(data.get(name, ""))[:20_000].replace("\0", "")
