"""What the case page shows of reviews, and what the office does there: the jury's vote, setting aside, going on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from rathaus.casework.cases.models import Case
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.reviews import (
    finish_reviews,
    record_jury_vote,
    set_aside_review,
    unassign_expert,
)
from rathaus.domains.grants.enums import Verdict
from rathaus.domains.grants.models import Call, Review
from rathaus.domains.grants.permissions import HEAD_ONLY, WORK
from rathaus.domains.grants.queries.reviews import CaseReviews, reviews_of
from rathaus.web.account import kept
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.money_pages import Filled, form, today_text
from rathaus.web.desk.panels import Input
from rathaus.web.desk.reviews.expert import scores_of
from rathaus.web.parts import Link

ANCHOR = "#gutachten"


@dataclass(frozen=True)
class ReviewRow:
    """A review as the office sees it: points and scores are hidden from whoever may not see them yet."""

    review: Review
    points: Decimal | None
    scores: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class ReviewSection:
    """The section of the case page. `missing` says in words what the process waits for."""

    found: CaseReviews
    rows: tuple[ReviewRow, ...]
    missing: str
    may_vote: bool
    may_work: bool
    may_lead: bool
    links: tuple[Link, ...]


def section_of(by: Actor, case: Case) -> ReviewSection | None:
    """Reviews and vote of a case; None where nobody reviews."""
    found = reviews_of(by, case)
    if found is None:
        return None
    is_open = not case.closed_at and not found.is_biased
    return ReviewSection(
        found,
        tuple(
            ReviewRow(
                review,
                found.points(review),
                tuple(scores_of(review, found.terms)) if review.submitted_at and not found.is_hidden else (),
            )
            for review in found.reviews
        ),
        _missing(found),
        may_vote=is_open and found.vote is None and bool(WORK & by.roles),
        may_work=is_open and bool(WORK & by.roles),
        may_lead=is_open and bool(HEAD_ONLY & by.roles),
        links=_links(by, case),
    )


def _links(by: Actor, case: Case) -> tuple[Link, ...]:
    """To the round that the case is part of, in one statement."""
    call = Call.objects.select_related("measure__programme").filter(offer_id=case.offer_id).first()
    if call is None:
        return ()
    address = (call.measure.programme.key, call.key)
    links = [Link("Rangliste", reverse("desk:ranking", args=address))]
    if WORK & by.roles:
        links.append(Link("Gutachten zuweisen", reverse("desk:assignments", args=address)))
    return tuple(links)


def _missing(found: CaseReviews) -> str:
    if not found.is_waiting:
        return ""
    waiting = sum(1 for review in found.reviews if review.is_open)
    lacking = max(found.terms.wanted - waiting - sum(1 for review in found.reviews if review.is_valid), 0)
    parts = []
    if waiting:
        parts.append("ein Gutachten" if waiting == 1 else f"{waiting} Gutachten")
    if lacking:
        parts.append(f"{lacking} weitere {'Person' if lacking == 1 else 'Personen'}, die jemand zuweist")
    if found.terms.has_jury and found.vote is None:
        parts.append("das Votum der Jury")
    return f"Der Ablauf wartet auf {_listed(parts)}." if parts else "Der Ablauf wartet auf die Begutachtung."


def _listed(parts: list[str]) -> str:
    return " und ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


# --- what is done there ---


@require_http_methods(["GET", "POST"])
@for_staff
def vote(request: HttpRequest, reference: str) -> HttpResponse:
    """Record how the jury voted."""
    case, by = _case(request, reference), actor_of(request)
    filled = form(
        request,
        reverse("desk:jury", args=[reference]),
        "Votum festhalten",
        Input("votum", "Wie hat die Jury gestimmt?"),
        Input("sitzung", "Sitzung am", today_text()),
        Input("rang", "Rang"),
        Input("betrag", "Empfohlener Betrag in Euro"),
        Input("text", "Begründung oder Auflagen"),
        hints={
            "sitzung": "Tag.Monat.Jahr",
            "rang": "Nur, wenn die Jury eine Reihenfolge festgelegt hat.",
            "betrag": "Nur, wenn er vom Antrag abweicht.",
            "text": "Auflagen müssen hier stehen. Das Votum rät; entschieden wird wie sonst auch.",
        },
    )
    if (typed := _typed(request)) is not None:
        filled = filled.typed(typed)
    if request.method == "POST":
        day, filled = filled.day("sitzung")
        amount: Decimal | None = None
        if filled.text("betrag"):
            amount, filled = filled.amount("betrag")
        rank = filled.text("rang")
        if rank and not (rank.isascii() and rank.isdigit() and len(rank) <= 4):
            filled = filled.wrong("rang", "Der Rang ist eine Zahl ab 1.")
        if filled.text("votum") not in Verdict.values:
            filled = filled.wrong("votum", "Wählen Sie eines davon.")
        if not filled.has_error and day is not None:
            try:
                record_jury_vote(
                    by=by,
                    case=case.id,
                    verdict=filled.text("votum"),
                    session_on=day,
                    rank=int(rank) if rank else None,
                    amount=amount,
                    note=filled.text("text"),
                )
            except Refused as wrong:
                filled = filled.refused(wrong)
            else:
                messages.success(request, "Das Votum der Jury steht fest.")
                return _back(reference)
    lead = f"{case.party_name}: {case.title}. Was hier steht, lässt sich nicht mehr ändern."
    return _page(request, case, filled, "Votum der Jury", lead, choices=Verdict.choices)


@require_http_methods(["GET", "POST"])
@for_staff
def finish(request: HttpRequest, reference: str) -> HttpResponse:
    """Go on without what is missing."""
    case, by = _case(request, reference), actor_of(request)
    filled = form(
        request,
        reverse("desk:review_finish", args=[reference]),
        "Begutachtung abschließen",
        Input("grund", "Warum geht es ohne das Fehlende weiter?"),
        hints={"grund": "Der Grund steht im Verlauf."},
    )
    if (typed := _typed(request)) is not None:
        filled = filled.typed(typed)
    if request.method == "POST":
        try:
            finish_reviews(by=by, case=case.id, reason=filled.text("grund"))
        except Refused as wrong:
            filled = filled.refused(wrong)
        else:
            messages.success(request, "Die Begutachtung ist abgeschlossen. Der Ablauf geht weiter.")
            return _back(reference)
    lead = "Ausstehende Gutachten können danach nicht mehr abgegeben werden."
    return _page(request, case, filled, "Begutachtung abschließen", lead)


@require_http_methods(["GET", "POST"])
@for_staff
def set_aside(request: HttpRequest, reference: str, review: UUID) -> HttpResponse:
    """A review counts no more."""
    case, by, found = _case(request, reference), actor_of(request), _review(request, reference, review)
    filled = form(
        request,
        reverse("desk:review_set_aside", args=[reference, review]),
        "Gutachten ausnehmen",
        Input("grund", "Warum zählt das Gutachten nicht mehr?"),
        hints={
            "grund": "Zum Beispiel eine Befangenheit, die erst jetzt bekannt ist. Der Grund steht im Verlauf."
        },
    )
    if (typed := _typed(request)) is not None:
        filled = filled.typed(typed)
    if request.method == "POST":
        try:
            set_aside_review(by=by, review=found.id, reason=filled.text("grund"))
        except Refused as wrong:
            filled = filled.refused(wrong)
        else:
            messages.success(request, "Das Gutachten zählt nicht mehr. Es bleibt lesbar.")
            return _back(reference)
    return _page(
        request, case, filled, f"{found.function}: Gutachten ausnehmen", "Das lässt sich nicht zurücknehmen."
    )


@require_POST
@for_staff
def unassign(request: HttpRequest, reference: str, review: UUID) -> HttpResponse:
    """An expert is no longer asked."""
    found = _review(request, reference, review)
    try:
        unassign_expert(by=actor_of(request), review=found.id)
    except Refused as wrong:
        messages.warning(request, str(wrong))
    else:
        messages.success(request, f"{found.function} ist nicht mehr um ein Gutachten gebeten.")
    return _back(reference)


def _typed(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else kept.take(request, request.path)


def _page(
    request: HttpRequest,
    case: Case,
    filled: Filled,
    title: str,
    lead: str,
    choices: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    context = {
        "frame": frame_of(request),
        "crumbs": (
            Link("Eingang", reverse("desk:inbox")),
            Link(case.reference, reverse("desk:case", args=[case.reference])),
            Link(title, ""),
        ),
        "title": title,
        "lead": lead,
        "form": filled,
        "choices": choices or [],
        "back": reverse("desk:case", args=[case.reference]) + ANCHOR,
    }
    return render(request, "desk/reviews/form.html", context, status=422 if filled.has_error else 200)


def _back(reference: str) -> HttpResponse:
    return redirect(reverse("desk:case", args=[reference]) + ANCHOR)


def _case(request: HttpRequest, reference: str) -> Case:
    try:
        return Case.objects.get(authority_id=actor_of(request).staff_of, reference=reference)
    except Case.DoesNotExist as missing:
        raise Http404 from missing


def _review(request: HttpRequest, reference: str, review: UUID) -> Review:
    try:
        return Review.objects.get(
            id=review, case__reference=reference, authority_id=actor_of(request).staff_of
        )
    except Review.DoesNotExist as missing:
        raise Http404 from missing
