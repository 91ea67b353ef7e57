"""What reviews add to the file of a case: criteria, reviews, and the vote of the jury."""

from __future__ import annotations

from typing import Any

from rathaus.casework.cases.export.bundle import Folder, as_json
from rathaus.casework.cases.export.parts import case_part, plain
from rathaus.casework.cases.models import Case
from rathaus.domains.grants import ranking
from rathaus.domains.grants.models import JuryVote, Review
from rathaus.domains.grants.terms import ReviewTerms, review_terms_of

FILES = """  gutachten.json        nur im Wettbewerb: Kriterien, Gutachten mit Erklärung zur Befangenheit, Votum der Jury;
                        Punkte erst, wenn kein Gutachten mehr aussteht
"""


@case_part("reviews", files=FILES)
def write_reviews(case: Case, into: Folder) -> None:
    """`gutachten.json` for a case that is reviewed. Points are left out as long as somebody still reviews, who might
    read them here before handing in."""
    terms = review_terms_of(case)
    if not terms.criteria:
        return
    reviews = list(Review.objects.filter(case=case).order_by("id"))
    is_running = any(review.is_open for review in reviews)
    vote = JuryVote.objects.filter(case=case).first()
    told = {
        "kriterien": [plain(found, "name=name", "gewicht=weight", "hinweis=hint") for found in terms.criteria],
        "punkte_bis": terms.top,
        "gutachten": [_review(review, terms, is_running=is_running) for review in reviews],
        "votum_der_jury": plain(
            vote, "votum=verdict!", "rang=rank", "empfohlener_betrag=amount", "begruendung=note", "sitzung_am=session_on",
            "festgehalten_am=recorded_at", "festgehalten_von=recorded_by_id",
        )
        if vote
        else None,
    }  # fmt: skip
    into.add("gutachten.json", as_json(told))


def _review(review: Review, terms: ReviewTerms, *, is_running: bool) -> dict[str, Any]:
    is_shown = review.submitted_at is not None and not is_running
    return {
        **plain(
            review, "von=function", "kennung=expert_id", "erbeten_am=assigned_at", "erbeten_von=assigned_by_id",
            "erbeten_bis=due_on",
            "grund_der_befangenheit=conflict_reason", "erklaert_am=declared_at", "abgegeben_am=submitted_at",
            "zaehlt_nicht_mehr_seit=set_aside_at", "ausgenommen_von=set_aside_by_id", "ausgenommen_weil=set_aside_reason",
        ),
        "befangenheit": review.get_conflict_display() if review.conflict else None,
        "punkte": review.scores if is_shown else None,
        "gewichtet": ranking.shown(ranking.points(review.scores, terms.criteria)) if is_shown else None,
        "begruendung": review.comment if is_shown else None,
    }  # fmt: skip
