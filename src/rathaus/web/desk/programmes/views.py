"""The pages of programmes: list, overview, and what lies behind the tabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rathaus.casework.cases.enums import Outcome
from rathaus.casework.cases.permissions import may_export
from rathaus.casework.services.permissions import may_set_terms
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.enums import Stage
from rathaus.domains.grants.models import Call, Programme
from rathaus.domains.grants.permissions import may_set_up
from rathaus.domains.grants.queries import (
    ProgrammeFile,
    ProgrammeRow,
    StageSum,
    applications,
    applications_page,
    counts_by_stage,
    errands,
    grants_page,
    lines_of_programme,
    programme_file,
    programmes,
    shares,
    stage_counts,
)
from rathaus.domains.grants.queries.lists import PROOFS
from rathaus.law.money import format_number
from rathaus.law.text import format_date
from rathaus.web.addresses import key_in, query_of
from rathaus.web.charts import Money
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.inbox import text_of
from rathaus.web.desk.programmes.map import MODES
from rathaus.web.desk.programmes.overview import OPEN_STATES, long_date, overview_of, period_of, years_of
from rathaus.web.parts import Link

DONE = Stage.CHECKED, Stage.CLOSED


@require_GET
@for_staff
def index(request: HttpRequest) -> HttpResponse:
    """The programmes of the authority, each with its money."""
    actor = actor_of(request)
    context = {
        "frame": frame_of(request, current="programmes"),
        "rows": [_programme_row(row) for row in programmes(actor)],
        "may_set_up": may_set_up(actor, actor.staff_of),
    }
    return render(request, "desk/programmes/index.html", context)


@dataclass(frozen=True)
class ProgrammeView:
    """A programme in the list, with the sums of its overview; `bound` is what municipalities have or may still draw."""

    programme: Programme
    period: str
    calls: int
    money: Money
    bound: Decimal


def _programme_row(row: ProgrammeRow) -> ProgrammeView:
    money = sum((year.money for year in years_of(row.lines)), Money())
    bound = money.committed + money.paid + money.proven
    return ProgrammeView(row.programme, period_of(row.lines), row.calls, money, bound)


@require_GET
@for_staff
def show(request: HttpRequest, key: str) -> HttpResponse:
    """The overview: money, work, states, map."""
    actor, today = actor_of(request), clock.today()
    file = file_of(actor, key)
    lines, found = lines_of_programme(file.programme), shares(file.programme, today)
    mode = request.GET.get("karte", "")
    mode = mode if mode in MODES else "betrag"
    call = _call(file, request.GET)
    fields = {
        "karte": mode,
        "aufruf": call.key if call else "",
        "kommunen": "alle" if request.GET.get("kommunen") == "alle" else "",
    }
    overview = overview_of(
        file,
        lines,
        found,
        applications(file.programme),
        errands(file.programme, today),
        today=today,
        shown=mode,
        call=fields["aufruf"],
        is_whole=bool(fields["kommunen"]),
    )
    now = timezone.localtime(clock.now())
    context = around(request, file, "programme", stage_counts(found.by_stage)) | {
        "overview": overview,
        "period": period_of(lines),
        "as_of": f"{long_date(now.date())}, {now.hour}:{now:%M} Uhr",
        "modes": [
            (label, query_of(**fields | {"karte": name}), name == mode) for name, label in MODES.items()
        ],
        "call": call,
        "calls": [
            (label, query_of(**fields | {"aufruf": name}), name == fields["aufruf"])
            for name, label in [("", "Alle Aufrufe"), *((entry.key, entry.title) for entry in file.calls)]
        ],
        "all_places": query_of(**fields | {"kommunen": "alle"}),
        "first_places": query_of(**fields | {"kommunen": ""}),
        "has_lines": bool(lines),
    }
    return render(request, "desk/programmes/overview.html", context)


@require_GET
@for_staff
def calls(request: HttpRequest, key: str) -> HttpResponse:
    """The calls of a programme: window, terms, how far they are."""
    actor, today = actor_of(request), clock.today()
    file = file_of(actor, key)
    found = shares(file.programme, today).by_stage
    handed_in: dict[str, int] = {}
    for row in applications(file.programme):
        handed_in[row.call] = handed_in.get(row.call, 0) + row.count
    context = around(request, file, "programme_calls", stage_counts(found)) | {
        "rows": [_call_row(call, found, handed_in.get(call.key, 0)) for call in file.calls],
        "may_set_terms": may_set_terms(actor),
    }
    return render(request, "desk/programmes/calls.html", context)


@dataclass(frozen=True)
class CallRow:
    """A call with its window in words, and how far it is. Amounts in euros."""

    call: Call
    window: str
    is_open: bool
    terms: int
    handed_in: int
    granted: int
    amount: Any
    is_competition: bool


def _call_row(call: Call, found: Sequence[StageSum], handed_in: int) -> CallRow:
    own = [entry for entry in found if entry.call == call.key]
    offer, now = call.offer, clock.now()
    opens, closes = offer.opens_at, offer.closes_at
    is_open = offer.is_open and (opens is None or opens <= now) and (closes is None or now < closes)
    parts = []
    if opens:
        parts.append(f"ab {format_date(timezone.localtime(opens).date())}")
    if closes:
        parts.append(f"bis {format_date(timezone.localtime(closes).date())}")
    return CallRow(
        call,
        " ".join(parts) or "ohne Frist",
        is_open,
        offer.terms.number,
        handed_in,
        sum(entry.count for entry in own),
        sum(entry.amount for entry in own),
        bool(offer.terms.values_for(offer.version_id).get("begutachtung")),
    )


@require_GET
@for_staff
def applied(request: HttpRequest, key: str) -> HttpResponse:
    """The applications of a programme, newest first."""
    actor = actor_of(request)
    file = file_of(actor, key)
    text, call = text_of(request.GET), _call(file, request.GET)
    state, outcome = request.GET.get("stand", ""), request.GET.get("ergebnis", "")
    state = state if state in OPEN_STATES else ""
    outcome = outcome if outcome in Outcome.values else ""
    fields = {"q": text, "aufruf": call.key if call else "", "stand": state, "ergebnis": outcome}
    after = key_in(request.GET.get("nach", ""))
    cases, more = applications_page(
        actor,
        file.programme,
        states=[state] if state else [],
        outcome=outcome,
        text=text,
        call=fields["aufruf"],
        after=after,
    )
    context = around(
        request, file, "programme_applications", counts_by_stage(file.programme, clock.today())
    ) | {
        "cases": cases,
        "fields": fields,
        "is_narrow": any(fields.values()),
        "states": [(found.value, found.label) for found in OPEN_STATES],
        "outcomes": Outcome.choices,
        "more": query_of(**fields, nach=str(more)) if more else "",
        "start": query_of(**fields) if after else "",
    }
    return render(request, "desk/programmes/applications.html", context)


@require_GET
@for_staff
def grants(request: HttpRequest, key: str) -> HttpResponse:
    """The grants of a programme by name."""
    return _grants(request, key, "programme_grants", list(Stage), by_due=False)


@require_GET
@for_staff
def proofs(request: HttpRequest, key: str) -> HttpResponse:
    """The grants whose proof is overdue, in check or expected; the longest overdue first."""
    return _grants(request, key, "programme_proofs", list(PROOFS), by_due=True)


def _grants(
    request: HttpRequest, key: str, tab: str, known: Sequence[Stage], *, by_due: bool
) -> HttpResponse:
    actor, today = actor_of(request), clock.today()
    file = file_of(actor, key)
    text, call = text_of(request.GET), _call(file, request.GET)
    stage = request.GET.get("stand", "")
    stage = stage if stage in [found.value for found in known] else ""
    year = request.GET.get("abruf", "")
    year = year if year.isascii() and year.isdigit() and len(year) == 4 and not by_due else ""
    fields = {"q": text, "aufruf": call.key if call else "", "stand": stage, "abruf": year}
    after = key_in(request.GET.get("nach", ""))
    page = grants_page(
        actor,
        file.programme,
        today,
        stages=[stage] if stage else [found.value for found in known] if by_due else [],
        text=text,
        call=fields["aufruf"],
        undrawn_in=int(year) if year else None,
        by_due=by_due,
        after=after,
    )
    counts = counts_by_stage(file.programme, today)
    context = around(request, file, tab, counts) | {
        "rows": page.rows,
        "fields": fields,
        "is_narrow": any(fields.values()),
        "today": today,
        "stages": [(found.value, f"{found.label} ({format_number(counts[found])})") for found in known],
        "more": query_of(**fields, nach=str(page.after)) if page.after else "",
        "start": query_of(**fields) if after else "",
        "here": reverse(f"desk:{tab}", args=[key]),
    }
    return render(request, f"desk/programmes/{'proofs' if by_due else 'grants'}.html", context)


def file_of(actor: Actor, key: str) -> ProgrammeFile:
    """The programme, if it is of the actor's authority. Raises Http404."""
    try:
        return programme_file(actor, key)
    except Programme.DoesNotExist as missing:
        raise Http404 from missing


def around(
    request: HttpRequest,
    file: ProgrammeFile,
    tab: str,
    counts: Mapping[Stage, int] | None = None,
    *last: Link,
) -> dict[str, Any]:
    """What every page of a programme shows around its content; `counts` its grants by stage, for the tabs."""
    actor, programme = actor_of(request), file.programme
    own = Link(
        programme.title, reverse("desk:programme", args=[programme.key]) if last or tab != "programme" else ""
    )
    names = {tab_name: label for tab_name, label, _ in TABS}
    here = (Link(names[tab], ""),) if tab in names and tab != "programme" and not last else ()
    return {
        "frame": frame_of(request, current="programmes"),
        "programme": programme,
        "crumbs": (Link("Programme", reverse("desk:programmes")), own, *here, *last),
        "tabs": _tabs(file, tab, counts or dict.fromkeys(Stage, 0)),
        "file": file,
        "may_set_up": may_set_up(actor, actor.staff_of),
        "may_export": may_export(actor, actor.staff_of),
    }


TABS = (
    ("programme", "Überblick", None),
    ("programme_calls", "Aufrufe", "calls"),
    ("programme_applications", "Anträge", None),
    ("programme_grants", "Förderungen", "grants"),
    ("payments", "Auszahlungen", None),
    ("programme_proofs", "Nachweise", "proofs"),
    ("repayments", "Rückforderungen", None),
)


def tab_links(key: str, tab: str, numbers: Mapping[str | None, int] | None = None) -> list[Link]:
    """The tabs of a programme's pages, `tab` being the one that is shown; `numbers` by what a tab counts."""
    links = []
    for name, label, counted in TABS:
        number = (numbers or {}).get(counted, 0)
        links.append(
            Link(
                label,
                reverse(f"desk:{name}", args=[key]),
                is_current=name == tab,
                count=format_number(number) if number else "",
            )
        )
    return links


def _tabs(file: ProgrammeFile, tab: str, counts: Mapping[Stage, int]) -> list[Link]:
    numbers = {
        "calls": len(file.calls),
        "grants": sum(counts.values()),
        "proofs": sum(counts[stage] for stage in PROOFS),
        None: 0,
    }
    return tab_links(file.programme.key, tab, numbers)


def _address(name: str, file: ProgrammeFile) -> str:
    return reverse(f"desk:{name}", args=[file.programme.key])


def _call(file: ProgrammeFile, data: Mapping[str, Any]) -> Call | None:
    """The call that the address names, if the programme has it."""
    return next((call for call in file.calls if call.key == data.get("aufruf", "")), None)
