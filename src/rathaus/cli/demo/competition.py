"""A competition: criteria that the head sets, reviews by experts, and a ranking in which the money ends.

The call, its applications and what experts say are invented. It is left open: one review is missing, and nobody has decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from rathaus.casework.cases.models import Case, Task
from rathaus.casework.services.actions import offer_service, publish_package, set_terms
from rathaus.casework.services.models import Offer
from rathaus.casework.services.packages import read_folder
from rathaus.cli.demo.chapters import Chapters
from rathaus.cli.demo.people import Hands
from rathaus.cli.demo.place import PROGRAMME, ROOT, Place
from rathaus.cli.demo.round import INVENTED, flatten, hand_in, paid_with, sample, with_files, write
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions import set_up_call
from rathaus.domains.grants.actions.reviews import assign_experts, declare_conflict, submit_review
from rathaus.domains.grants.models import Call, Review

KEY, TITLE = "wettbewerb-2026", "Wettbewerb 2026 (Beispiel)"
MONEY = Decimal("1000000.00")
CRITERIA = [
    {"name": "Nutzen für die Menschen", "gewicht": 50, "hinweis": "Was wird einfacher, und für wie viele?"},
    {"name": "Umsetzbarkeit", "gewicht": 30, "hinweis": "Zeitplan, Personal, Risiken"},
    {"name": "Übertragbarkeit", "gewicht": 20, "hinweis": "Können andere Kommunen es übernehmen?"},
]


class Entry(NamedTuple):
    """An application: who, what, how much (euros), and the points of each expert by number, criterion by criterion."""

    ags: str
    title: str
    grant: Decimal
    points: dict[int, tuple[int, int, int]]


ENTRIES = (
    Entry("06532015", "Digitale Bauakte", Decimal("320000.00"), {0: (4, 4, 3), 1: (4, 3, 4)}),
    Entry("06535001", "Sensoren an Bächen", Decimal("280000.00"), {0: (3, 4, 4), 2: (4, 3, 3)}),
    Entry("06440002", "Termine in allen Ämtern", Decimal("240000.00"), {1: (3, 3, 4), 2: (3, 4, 3)}),
    Entry("06633013", "Bürgerportal mit Bezahlfunktion", Decimal("310000.00"), {0: (3, 2, 2), 1: (2, 3, 3)}),
    Entry("06635002", "Ratsinformation für alle", Decimal("200000.00"), {1: (2, 2, 1)}),
)
TIED = (4, 2, "Meine Schwester leitet dort die Verwaltung.")  # which entry, which expert, why
STILL_TO_REVIEW = (4, 0)  # who takes their place, and has not begun
COMMENT = "Der Antrag beschreibt Ziel, Weg und Kosten klar. Risiken sind benannt."


def tell_competition(place: Place, chapters: Chapters) -> None:
    """From the call to the ranking."""
    hands = Hands.of(place.hessen)

    def apply() -> None:
        with hands.living("2026-09-01"):
            call = _set_up(place)
        file = _write(chapters.folder, call.offer.slug)
        with hands.living("2026-10-12"):
            hand_in(hands, call, file, chapters.bars)
            hands.work_off(
                lambda done, total: chapters.bars("Vollständigkeit prüfen", done, total),
                answers=lambda task: _complete(task, call.offer),
            )

    chapters.tell("2026: ein Wettbewerb", apply)
    chapters.tell("2026: Gutachten und Rangliste", lambda: _review(hands, place))


def _set_up(place: Place) -> Call:
    ministry, head = place.hessen.ministry, place.hessen.head
    system = Actor.system(ministry.id)
    offer = offer_service(
        by=system,
        authority=ministry,
        version=publish_package(by=system, files=read_folder(ROOT / "leistungen/starke-heimat-smart")),
        slug=f"starke-heimat-{KEY}",
        title=f"Starke Heimat Hessen: {TITLE}",
        prefix="SHHW26",
        parameters={"foerdersatz": 80, "jahre": [2027, 2028]},
        opens_at=datetime.fromisoformat("2026-09-01T00:00+02:00"),
        closes_at=datetime.fromisoformat("2026-11-01T00:00+01:00"),
    )
    set_terms(
        by=head,
        offer=offer,
        parameters={"begutachtung": CRITERIA},
        note="Der Aufruf ist ein Wettbewerb.",
        based_on=offer.terms.number,
    )
    return set_up_call(
        by=head,
        programme=PROGRAMME,
        programme_title="Starke Heimat Hessen",
        key=KEY,
        title=TITLE,
        offer=offer,
        budgets={},
        commitments={2027: MONEY},
    )


def _write(folder: Path, slug: str) -> Path:
    rows = []
    for entry in ENTRIES:
        said = {
            **sample("starke-heimat-smart", "wettbewerb"),
            "titel": entry.title,
            "beschreibung": INVENTED,
            "ziel": "Am 31. Dezember 2028 arbeitet die ganze Verwaltung damit.",
            "beginn": "2027-02-01",
            "ende": "2028-12-31",
            **paid_with(entry.title, entry.grant * 5 / 4, entry.grant),
        }
        rows.append({"leistung": slug, "ags": entry.ags, **flatten(with_files(said, folder))})
    return write(folder / "antraege-wettbewerb.csv", rows)


def _complete(task: Task, offer: Offer) -> dict[str, Any] | None:
    is_ours = task.case.offer_id == offer.id and task.form == "kern:pruefung"
    return {"vollstaendig": True} if is_ours else None


def _review(hands: Hands, place: Place) -> None:
    clerk, experts = place.hessen.clerk, place.hessen.experts
    with clerk.acting():
        cases = list(Case.objects.filter(offer__slug=f"starke-heimat-{KEY}").order_by("reference"))
    tied, biased, reason = TIED
    wanted = [(number, expert) for number, entry in enumerate(ENTRIES) for expert in entry.points]
    with hands.living("2026-10-26"):
        _ask(place, cases, [*wanted, (tied, biased)])
        declare_conflict(
            by=experts[biased],
            review=_review_of(place, cases[tied], experts[biased]),
            is_conflicted=True,
            reason=reason,
        )
        _ask(place, cases, [STILL_TO_REVIEW])
    with hands.living("2026-11-09"):
        for number, expert in wanted:
            by = experts[expert]
            review = _review_of(place, cases[number], by)
            declare_conflict(by=by, review=review, is_conflicted=False)
            points = ENTRIES[number].points[expert]
            scores = {str(row["name"]): given for row, given in zip(CRITERIA, points, strict=True)}
            submit_review(by=by, review=review, scores=scores, comment=COMMENT)


def _ask(place: Place, cases: Sequence[Case], wanted: Sequence[tuple[int, int]]) -> None:
    accounts = [expert.account for expert in place.hessen.experts]
    pairs = [(cases[number].id, account) for number, expert in wanted if (account := accounts[expert])]
    assign_experts(by=place.hessen.clerk, assignments=pairs)


def _review_of(place: Place, case: Case, expert: Actor) -> UUID:
    with place.hessen.clerk.acting():
        return Review.objects.get(case=case, expert_id=expert.account).id
