"""A competitive round as a whole: who reviews what, and the ranking with the line where the money ends."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.domains.grants.actions.reviews import assign_experts
from rathaus.domains.grants.models import Call, Review
from rathaus.domains.grants.permissions import WORK
from rathaus.domains.grants.queries.ranking import BY_JURY, BY_POINTS, Ranked, Ranking, ranking
from rathaus.domains.grants.queries.reviews import Assignment, assignments, experts
from rathaus.domains.grants.ranking import RULES
from rathaus.web.desk.access import actor_of, for_staff
from rathaus.web.desk.money_pages import around, programme_of
from rathaus.web.desk.panels import Input, read_day
from rathaus.web.desk.programmes.files import cell
from rathaus.web.parts import Link

ORDERS = {BY_POINTS: "Nach Punkten", BY_JURY: "Nach Votum der Jury"}
UNTIL = "bis"
HEAD = (
    "Platz", "geteilt", "Vorgang", "Kommune", "Vorhaben", "Stand", "Punkte", "Spanne", "Gutachten", "Betrag",
    "Laufende Summe", "Im Budget", "Votum der Jury", "Rang der Jury", "Empfohlener Betrag", "Abweichung",
    "Begründung der Jury",
)  # fmt: skip


@require_GET
@for_staff
def show(request: HttpRequest, key: str, call: str) -> HttpResponse:
    """The ranking of a call, by points or as the jury voted."""
    programme = programme_of(request, key)
    found = _call(request, key, call)
    result = ranking(actor_of(request), found, order=request.GET.get("nach", BY_POINTS))
    here = reverse("desk:ranking", args=[key, call])
    context = around(request, programme, "programme_calls", _calls(key), here="Rangliste") | {
        "call": found,
        "ranking": result,
        "lines": list(_with_line(result)),
        "rules": RULES,
        "orders": [
            Link(label, f"{here}?nach={name}", is_current=name == result.order)
            for name, label in ORDERS.items()
        ],
        "is_jury": result.order == BY_JURY,
        "csv_url": f"{reverse('desk:ranking_csv', args=[key, call])}?nach={result.order}",
        "may_assign": bool(WORK & actor_of(request).roles),
    }
    return render(request, "desk/reviews/ranking.html", context)


def _with_line(found: Ranking) -> Iterator[tuple[Ranked, bool]]:
    """Each row, and whether the line lies above it."""
    before = True
    for row in found.rows:
        is_within = bool(row.place and row.place.is_within)
        yield row, before and not is_within
        before = is_within


@require_GET
@for_staff
def as_csv(request: HttpRequest, key: str, call: str) -> HttpResponse:
    """The ranking for a spreadsheet: semicolons, comma in numbers, UTF-8 with its mark."""
    programme_of(request, key)
    found = ranking(actor_of(request), _call(request, key, call), order=request.GET.get("nach", BY_POINTS))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEAD)
    for row in (*found.rows, *found.unplaced, *found.decided):
        writer.writerow([cell(value) for value in _csv_row(row)])
    answer = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    name = f"rangliste-{call}-{clock.today().isoformat()}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _csv_row(row: Ranked) -> tuple[str | int | Decimal, ...]:
    case, place, vote = row.case, row.place, row.vote

    def number(value: Decimal | None) -> str | Decimal:
        return "" if value is None else value

    return (
        place.place if place else "",
        "ja" if place and place.is_shared else "",
        case.reference,
        case.party_name,
        case.title,
        case.outcome_label or case.get_state_display(),
        number(row.mean),
        number(row.spread),
        row.valid,
        row.amount,
        number(place.running if place else None),
        ("ja" if place.is_within else "nein") if place else "",
        vote.get_verdict_display() if vote else "",
        (vote.rank or "") if vote else "",
        number(vote.amount if vote else None),
        "; ".join(row.deviations),
        vote.note if vote else "",
    )


# --- who reviews what ---


@dataclass(frozen=True)
class AssignmentRow:
    """A case with its experts: asked already, or to be ticked. `choices` are account, name, load, whether ticked."""

    found: Assignment
    asked: tuple[Review, ...]
    choices: tuple[tuple[UUID, str, str, bool], ...]


@require_http_methods(["GET", "POST"])
@for_staff
def assign(request: HttpRequest, key: str, call: str) -> HttpResponse:
    """Ask experts for reviews: several cases at once, with a balanced proposal ticked."""
    programme = programme_of(request, key)
    found, by = _call(request, key, call), actor_of(request)
    pool = experts(by)
    rows = assignments(by, found, pool)
    chosen: set[tuple[UUID, UUID]] | None = None
    refusal, until = "", Input(UNTIL, "Bis wann? (freiwillig)", request.POST.get(UNTIL, "")[:20].strip())
    if request.method == "POST":
        shown = {(row.case.id, expert.account) for row in rows for expert in pool}
        chosen = {pair for pair in map(_pair, request.POST.getlist("gutachten")) if pair in shown}
        due_on = read_day(until.text) if until.text else None
        if until.text and due_on is None:
            wrong_day = f"„{until.text}“ ist kein Datum. Schreiben Sie zum Beispiel 30.06.2027."
            until = replace(until, error=wrong_day)
            refusal = "Prüfen Sie den Tag, bis zu dem Sie die Gutachten brauchen."
        elif not chosen:
            refusal = "Wählen Sie mindestens eine Person aus."
        else:
            try:
                done = assign_experts(by=by, assignments=sorted(chosen), due_on=due_on)
            except Refused as wrong:
                refusal = str(wrong)
            else:
                number = len(done)
                messages.success(
                    request,
                    "Ein Gutachten ist erbeten." if number == 1 else f"{number} Gutachten sind erbeten.",
                )
                return redirect("desk:assignments", key, call)
    names = {expert.account: expert for expert in pool}
    context = around(request, programme, "programme_calls", _calls(key), here="Gutachten") | {
        "call": found,
        "rows": [
            AssignmentRow(
                row,
                row.reviews,
                tuple(
                    (
                        account,
                        expert.name,
                        _load(expert.open),
                        (row.case.id, account) in chosen if chosen is not None else account in row.proposed,
                    )
                    for account, expert in names.items()
                    if account not in row.asked
                ),
            )
            for row in rows
        ],
        "has_experts": bool(pool),
        "proposed": sum(len(row.proposed) for row in rows),
        "refusal": refusal,
        "until": until,
    }
    return render(request, "desk/reviews/assign.html", context, status=422 if refusal else 200)


def _load(number: int) -> str:
    return "nichts offen" if not number else f"{number} offen"


def _pair(text: str) -> tuple[UUID, UUID] | None:
    case, _, account = text.partition(":")
    try:
        return UUID(case), UUID(account)
    except ValueError:
        return None


def _call(request: HttpRequest, key: str, call: str) -> Call:
    try:
        return Call.objects.select_related("measure", "offer").get(
            authority_id=actor_of(request).staff_of, measure__programme__key=key, key=call
        )
    except Call.DoesNotExist as missing:
        raise Http404 from missing


def _calls(key: str) -> Link:
    return Link("Aufrufe", reverse("desk:programme_calls", args=[key]))
