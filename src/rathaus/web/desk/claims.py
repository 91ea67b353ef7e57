"""Claims on the desk: the list, a claim with receipts, instalments and waiver; and the base rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.identity.actors import NotAllowed
from rathaus.domains.grants.actions.interest import enter_base_rate, may_enter_rates
from rathaus.domains.grants.actions.receipts import agree_instalments, record_receipt, waive
from rathaus.domains.grants.models import Claim, Programme, Receipt
from rathaus.domains.grants.permissions import APPROVE, WORK
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.queries.claiming import (
    ClaimFigures,
    accrued,
    claim_of,
    claims_of,
    known_rates,
)
from rathaus.law.days import add_months
from rathaus.law.money import AmountError, format_amount, format_number, parse_amount
from rathaus.law.text import format_date, format_day
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.grant_panel import steps_of
from rathaus.web.desk.money_pages import Filled, around, form, programme_of, today_text
from rathaus.web.desk.panels import Input, read_day
from rathaus.web.parts import Link

VIEWS = {"offen": "Offen", "faellig": "Überfällig", "erledigt": "Erledigt", "alle": "Alle"}
HEAD = "Leitung"
MOST_INSTALMENTS = 60


@require_GET
@for_staff
def index(request: HttpRequest, key: str) -> HttpResponse:
    """Claims of a programme: open ones with what is due next, overdue first."""
    programme, today = programme_of(request, key), clock.today()
    view = request.GET.get("stand", "offen")
    view = view if view in VIEWS else "offen"
    found = claims_of(programme)
    kept = {
        "offen": [row for row in found if row.is_open],
        "faellig": [row for row in found if row.is_overdue(today)],
        "erledigt": [row for row in found if not row.is_open],
        "alle": found,
    }
    here = reverse("desk:repayments", args=[key])
    context = around(request, programme, "repayments") | {
        "views": [
            Link(label, f"{here}?stand={name}", is_current=name == view, count=str(len(kept[name]) or ""))
            for name, label in VIEWS.items()
        ],
        "view": VIEWS[view],
        "rows": [(row, row.is_overdue(today)) for row in kept[view]],
        "owed": sum((row.owed for row in kept["offen"]), NOTHING),
        "open_count": len(kept["offen"]),
    }
    return render(request, "desk/claims/index.html", context)


# --- one claim ---


@dataclass(frozen=True)
class ClaimForms:
    """What this person may do with a claim now."""

    receipt: Filled | None = None
    instalments: Filled | None = None
    waiver: Filled | None = None

    @property
    def has_error(self) -> bool:
        return any(found.has_error for found in (self.receipt, self.instalments, self.waiver) if found)


@require_http_methods(["GET", "POST"])
@for_staff
def show(request: HttpRequest, key: str, reference: str) -> HttpResponse:
    """A claim: what is owed and why, what came in, and what can be agreed."""
    programme, figures = _own(request, key, reference)
    forms = _forms(request, programme, figures)
    if request.method == "GET":
        return _page(request, programme, figures, forms)
    doing = {"eingang": _receive, "raten": _divide, "erlassen": _waive}.get(request.GET.get("tun", ""))
    if doing is None:
        raise Http404
    return doing(request, programme, figures, forms)


def _own(request: HttpRequest, key: str, reference: str) -> tuple[Programme, ClaimFigures]:
    programme = programme_of(request, key)
    try:
        figures = claim_of(actor_of(request), reference)
    except Claim.DoesNotExist as missing:
        raise Http404 from missing
    if figures.claim.grant.call.measure.programme_id != programme.id:
        raise Http404
    return programme, figures


def _url(programme: Programme, figures: ClaimFigures) -> str:
    return reverse("desk:repayment", args=[programme.key, figures.claim.case.reference])


def _forms(request: HttpRequest, programme: Programme, figures: ClaimFigures) -> ClaimForms:
    roles, found = actor_of(request).roles, ClaimForms()
    if not figures.is_open:
        return found
    if WORK & roles:
        found = replace(found, receipt=_receipt_form(request, programme, figures))
    if APPROVE & roles:
        found = replace(found, instalments=_instalment_form(request, programme, figures))
    if HEAD in roles:
        found = replace(found, waiver=_waiver_form(request, programme, figures))
    return found


def _receipt_form(request: HttpRequest, programme: Programme, figures: ClaimFigures) -> Filled:
    return form(
        request,
        f"{_url(programme, figures)}?tun=eingang",
        "Zahlungseingang buchen",
        Input("betrag", "Betrag"),
        Input("eingegangen", "Eingegangen am", today_text()),
        Input("kassenzeichen", "Kassenzeichen des Eingangs"),
        hints={
            "betrag": f"Offen: {format_amount(figures.owed)}. Zinsen stellen wir mit dem Eingang fest.",
            "kassenzeichen": "Daran erkennen wir, dass ein Eingang nicht zweimal gebucht wird.",
        },
    )


def _instalment_form(request: HttpRequest, programme: Programme, figures: ClaimFigures) -> Filled:
    return form(
        request,
        f"{_url(programme, figures)}?tun=raten",
        "Raten vereinbaren",
        Input("raten", "Raten", _plan(figures)),
        hints={
            "raten": f"Je Zeile Tag und Betrag, zusammen {format_amount(figures.owed)}, "
            "zum Beispiel: 30.06.2027 1.500,00"
        },
    )


def _plan(figures: ClaimFigures) -> str:
    """The plan in force, else three months' instalments as a start."""
    if figures.instalments:
        rows = [(rate.due_on, rate.amount) for rate in figures.instalments]
    else:
        part = (figures.owed / 3).quantize(Decimal("0.01"))
        first = add_months(clock.today(), 1)
        rows = [(first, part), (add_months(first, 1), part), (add_months(first, 2), figures.owed - 2 * part)]
    return "\n".join(f"{format_day(day)} {format_number(amount, places=2)}" for day, amount in rows)


def _waiver_form(request: HttpRequest, programme: Programme, figures: ClaimFigures) -> Filled:
    return form(
        request,
        f"{_url(programme, figures)}?tun=erlassen",
        f"{format_amount(figures.owed)} erlassen",
        Input("grund", "Warum wird darauf verzichtet?"),
        hints={"grund": "Der Grund bleibt im Vorgang stehen (§ 59 LHO)."},
    )


def _receive(
    request: HttpRequest, programme: Programme, figures: ClaimFigures, forms: ClaimForms
) -> HttpResponse:
    filled = (forms.receipt or _receipt_form(request, programme, figures)).typed(request.POST)
    amount, filled = filled.amount("betrag")
    day, filled = filled.day("eingegangen")
    shown = replace(forms, receipt=filled)
    if amount is None or day is None:
        return _page(request, programme, figures, shown)
    return _act(
        request,
        programme,
        figures,
        lambda: record_receipt(
            by=actor_of(request),
            claim=figures.claim.id,
            amount=amount,
            on=day,
            reference=filled.text("kassenzeichen"),
        ),
        f"{format_amount(amount)} sind gebucht.",
        lambda why: replace(forms, receipt=filled.refused(why)),
    )


def _divide(
    request: HttpRequest, programme: Programme, figures: ClaimFigures, forms: ClaimForms
) -> HttpResponse:
    filled = (forms.instalments or _instalment_form(request, programme, figures)).typed(request.POST)
    rows, error = _read_plan(filled.text("raten"))
    if error:
        return _page(request, programme, figures, replace(forms, instalments=filled.wrong("raten", error)))
    return _act(
        request,
        programme,
        figures,
        lambda: agree_instalments(by=actor_of(request), claim=figures.claim.id, instalments=rows),
        f"{len(rows)} Raten sind vereinbart.",
        lambda why: replace(forms, instalments=filled.refused(why)),
    )


def _read_plan(text: str) -> tuple[list[tuple[date, Decimal]], str]:
    """Lines of day and amount; the first that cannot be read is named."""
    rows: list[tuple[date, Decimal]] = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        day_text, _, amount_text = line.partition(" ")
        day = read_day(day_text)
        if day is None:
            return (
                [],
                f"Zeile {number}: „{day_text}“ ist kein Datum. Schreiben Sie zum Beispiel 30.06.2027 1.500,00.",
            )
        try:
            rows.append((day, parse_amount(amount_text.strip().removesuffix("€"))))
        except AmountError as wrong:
            return [], f"Zeile {number}: {wrong.reason}"
    if not rows:
        return [], "Schreiben Sie mindestens eine Rate."
    if len(rows) > MOST_INSTALMENTS:
        return [], f"Mehr als {MOST_INSTALMENTS} Raten sind nicht vorgesehen."
    return rows, ""


def _waive(
    request: HttpRequest, programme: Programme, figures: ClaimFigures, forms: ClaimForms
) -> HttpResponse:
    filled = (forms.waiver or _waiver_form(request, programme, figures)).typed(request.POST)
    return _act(
        request,
        programme,
        figures,
        lambda: waive(by=actor_of(request), claim=figures.claim.id, reason=filled.text("grund")),
        f"Auf {format_amount(figures.owed)} ist verzichtet.",
        lambda why: replace(forms, waiver=filled.refused(why)),
    )


def _act(
    request: HttpRequest,
    programme: Programme,
    figures: ClaimFigures,
    act: Callable[[], object],
    done: str,
    again: Callable[[Refused], ClaimForms],
) -> HttpResponse:
    try:
        act()
    except Refused as wrong:
        return _page(request, programme, figures, again(wrong))
    messages.success(request, done)
    return redirect(_url(programme, figures))


def _page(
    request: HttpRequest, programme: Programme, figures: ClaimFigures, forms: ClaimForms
) -> HttpResponse:
    found, today = figures.claim, clock.today()
    running = accrued(figures, today)
    claims = Link("Rückforderungen", reverse("desk:repayments", args=[programme.key]))
    context = around(request, programme, "repayments", claims, here=found.case.reference) | {
        "figures": figures,
        "claim": found,
        "running": running,
        "running_steps": steps_of(running.steps) if running else [],
        "steps": steps_of(found.steps),
        "is_overdue": figures.is_overdue(today),
        "receipts": list(
            Receipt.objects.filter(claim=found).select_related("booked_by").order_by("received_on", "id")
        ),
        "forms": forms,
    }
    return render(request, "desk/claims/claim.html", context, status=422 if forms.has_error else 200)


# --- base rates ---


@require_http_methods(["GET", "POST"])
@for_staff
def rates(request: HttpRequest) -> HttpResponse:
    """Base rates with source and whether somebody compared them with it; a new one can be entered."""
    by = actor_of(request)
    if not (WORK | APPROVE) & by.roles:
        raise NotAllowed("Die Basiszinssätze sieht, wer mit Rückforderungen arbeitet.")
    filled = form(
        request,
        request.path,
        "Zinssatz eintragen",
        Input("ab", "Gültig ab"),
        Input("satz", "Basiszinssatz in Prozent"),
        Input("quelle", "Bekanntmachung", "Bundesanzeiger, Bekanntmachung der Deutschen Bundesbank vom "),
        hints={"ab": "1. Januar oder 1. Juli.", "satz": "Zum Beispiel 1,27 oder -0,88."},
    )
    if request.method == "POST":
        filled = filled.typed(request.POST)
        day, filled = filled.day("ab")
        rate: Decimal | None = None
        try:
            rate = parse_amount(filled.text("satz"), allow_negative=True)
        except AmountError as wrong:
            filled = filled.wrong("satz", wrong.reason)
        if day is not None and rate is not None:
            try:
                enter_base_rate(by=by, valid_from=day, rate=rate, source=filled.text("quelle"))
            except Refused as wrong:
                filled = filled.refused(wrong)
            else:
                messages.success(request, f"Der Basiszinssatz ab {format_date(day)} ist eingetragen.")
                return redirect("desk:base_rates")
    context: dict[str, Any] = {
        "frame": frame_of(request, current="programmes"),
        "crumbs": [Link("Programme", reverse("desk:programmes")), Link("Basiszinssätze", "")],
        "rows": known_rates(),
        "form": filled if may_enter_rates(by) else None,
        "has_error": filled.has_error,
    }
    return render(request, "desk/claims/rates.html", context, status=422 if filled.has_error else 200)
