"""Paying: what is ordered, payment runs with four eyes, the bank's files out and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.files import actions as files
from rathaus.core.files.actions import FileRefused
from rathaus.core.identity.actors import NotAllowed
from rathaus.domains.grants.actions.payments import (
    dissolve_run,
    mark_paid,
    mark_returned,
    order_again,
    prepare_run,
)
from rathaus.domains.grants.enums import PaymentState, RunState
from rathaus.domains.grants.models import Payment, PaymentRun, Programme
from rathaus.domains.grants.permissions import APPROVE, WORK
from rathaus.domains.grants.queries.paying import (
    newest_try,
    own_payment,
    payments_of,
    returned_payments,
    run_of,
    runs_of,
    waiting_payments,
)
from rathaus.integrations.bank.actions import cash_csv, release_run, take_return_file
from rathaus.law.money import format_amount
from rathaus.law.text import format_day
from rathaus.web.account import kept
from rathaus.web.addresses import keys_in
from rathaus.web.desk.access import actor_of, for_staff
from rathaus.web.desk.documents import file_response
from rathaus.web.desk.money_pages import Filled, around, form, programme_of, today_text
from rathaus.web.desk.panels import Input
from rathaus.web.parts import Link
from rathaus.web.uploads import refused_uploads, takes_refused_uploads

_RUNS = 20
_TWICE = timedelta(minutes=2)  # a second click on the same button comes within


@require_GET
@for_staff
def show(request: HttpRequest, key: str) -> HttpResponse:
    """What waits to be paid, the runs, and what came back."""
    return _overview(request, programme_of(request, key))


def _overview(
    request: HttpRequest,
    programme: Programme,
    *,
    run_form: Filled | None = None,
    chosen: tuple[UUID, ...] = (),
    problems: tuple[str, ...] = (),
    file_name: str = "",
) -> HttpResponse:
    by, before = actor_of(request), _number(request.GET.get("vor", ""))
    runs = runs_of(programme, before=before, size=_RUNS + 1)
    context = around(request, programme, "payments") | {
        "waiting": waiting_payments(programme),
        "chosen": chosen,
        "returned": returned_payments(programme),
        "runs": runs[:_RUNS],
        "more": f"?vor={runs[_RUNS - 1].number}#laeufe" if len(runs) > _RUNS else "",
        "is_later_page": before is not None,
        "run_form": run_form or _run_form(request, programme),
        "may_work": bool(WORK & by.roles),
        "return_url": reverse("desk:payments_return", args=[programme.key]),
        "problems": problems,
        "file_name": file_name,
        "kept_field": kept.FIELD,
    }
    failed = bool(problems or (run_form and run_form.has_error))
    return render(request, "desk/payments/overview.html", context, status=422 if failed else 200)


def _run_form(request: HttpRequest, programme: Programme) -> Filled:
    return form(
        request,
        reverse("desk:payments_prepare", args=[programme.key]),
        "Zahlungslauf vorbereiten",
        Input("ausfuehren", "Ausführung am", today_text()),
        hints={"ausfuehren": "Ist an diesem Tag keine Bank offen, zahlt sie am nächsten."},
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None


@require_http_methods(["GET", "POST"])
@for_staff
def prepare(request: HttpRequest, key: str) -> HttpResponse:
    """Put all or the chosen payments into a run. A second click leads to the run that the first one made."""
    programme, by = programme_of(request, key), actor_of(request)
    here = reverse("desk:payments", args=[key])
    empty = _run_form(request, programme)
    if request.method == "GET":  # back from the login page
        typed = kept.take(request, request.path)
        if typed is None:
            return redirect(here)
        return _overview(
            request, programme, run_form=empty.typed(typed), chosen=tuple(keys_in(typed.getlist("zahlung")))
        )
    is_all = request.POST.get("welche") == "alle"
    chosen = tuple(keys_in(request.POST.getlist("zahlung")))
    filled = empty.typed(request.POST)
    day, filled = filled.day("ausfuehren")
    if day is None:
        return _overview(request, programme, run_form=filled, chosen=chosen)
    if not is_all and not chosen:
        why = Refused("Wählen Sie zuerst Zahlungen aus der Liste, oder nehmen Sie alle.")
        return _overview(request, programme, run_form=filled.refused(why))
    try:
        run = prepare_run(by=by, programme=programme, executes_on=day, payments=None if is_all else chosen)
    except Refused as wrong:
        earlier = _just_prepared(by.account, programme, day, () if is_all else chosen)
        if earlier is None:
            return _overview(request, programme, run_form=filled.refused(wrong), chosen=chosen)
        return redirect("desk:payment_run", key, earlier.number)
    messages.success(
        request,
        f"Zahlungslauf {run.number} ist vorbereitet: {run.count} Zahlung{'en' if run.count != 1 else ''}, "
        f"{format_amount(run.total)}. Eine andere Person gibt ihn frei.",
    )
    return redirect("desk:payment_run", key, run.number)


def _just_prepared(
    account: UUID | None, programme: Programme, day: date, chosen: tuple[UUID, ...]
) -> PaymentRun | None:
    """The run that this person made for the same day (and the same payments) a moment ago."""
    runs = PaymentRun.objects.filter(
        programme=programme,
        prepared_by_id=account,
        executes_on=day,
        state=RunState.PREPARED,
        count__gt=0,
        prepared_at__gte=clock.now() - _TWICE,
    )
    if chosen:
        runs = runs.filter(payments__in=chosen).distinct()
    return runs.order_by("-number").first()


# --- a run ---


@dataclass(frozen=True)
class RunView:
    """A run as its page shows it: what this person may do with it, or why not."""

    run: PaymentRun
    payments: list[Payment]
    may_release: bool
    blocked: str
    may_dissolve: bool
    has_files: bool


def _view(request: HttpRequest, run: PaymentRun) -> RunView:
    by = actor_of(request)
    is_open = run.state == RunState.PREPARED and run.count > 0
    is_own = run.prepared_by_id == by.account
    blocked = ""
    if is_open and is_own:
        blocked = "Sie haben diesen Lauf vorbereitet. Freigeben muss eine andere Person (Vier-Augen-Prinzip)."
    elif is_open and not APPROVE & by.roles:
        blocked = "Freigeben darf die Rolle „Freigabe“ oder „Leitung“."
    return RunView(
        run,
        payments_of(run) if run.count else [],
        may_release=is_open and not blocked,
        blocked=blocked,
        may_dissolve=is_open and bool(WORK & by.roles),
        has_files=run.state != RunState.PREPARED,
    )


def _run(request: HttpRequest, key: str, number: int) -> PaymentRun:
    try:
        return run_of(programme_of(request, key), number)
    except PaymentRun.DoesNotExist as missing:
        raise Http404 from missing


@require_GET
@for_staff
def run_page(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """A run with its payments: who prepared and released it, its files, and what the bank said."""
    return _run_page(request, _run(request, key, number))


def _run_page(request: HttpRequest, run: PaymentRun, problems: tuple[str, ...] = ()) -> HttpResponse:
    programme = run.programme
    payments = Link("Auszahlungen", reverse("desk:payments", args=[programme.key]))
    title = f"Zahlungslauf {run.number}"
    context = around(request, programme, "payments", payments, here=title) | {
        "title": title,
        "page": _view(request, run),
        "problems": problems,
    }
    return render(request, "desk/payments/run.html", context, status=422 if problems else 200)


@require_http_methods(["GET", "POST"])
@for_staff
def release(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Release a run that somebody else prepared; the file for the bank is made and kept."""
    run, by = _run(request, key, number), actor_of(request)
    if request.method == "POST":
        try:
            release_run(by=by, run=run.id)
        except Refused as wrong:
            run = _run(request, key, number)
            if run.released_by_id != by.account:  # else the second click on the same button
                return _run_page(request, run, tuple(str(wrong).split("\n")))
        else:
            messages.success(
                request, f"Zahlungslauf {number} ist freigegeben. Holen Sie die Datei für die Bank."
            )
    return redirect("desk:payment_run", key, number)


@require_http_methods(["GET", "POST"])
@for_staff
def dissolve(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Take a run apart that was not released; its payments wait again."""
    run = _run(request, key, number)
    if request.method == "POST":
        try:
            dissolve_run(by=actor_of(request), run=run.id)
        except Refused as wrong:
            messages.info(request, str(wrong))
        else:
            messages.success(
                request, f"Zahlungslauf {number} ist aufgelöst. Seine Zahlungen warten auf den nächsten Lauf."
            )
        return redirect("desk:payments", key)
    return redirect("desk:payment_run", key, number)


@require_GET
@for_staff
def sepa(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """The file that the bank takes, as it was made at the release; 404 before."""
    run = _released(request, key, number)
    if run.blob is None:
        raise Http404
    try:
        content = files.read(run.blob)
    except (FileRefused, FileNotFoundError) as wrong:
        raise Http404("Die Datei fehlt im Speicher.") from wrong
    return _attachment(content, f"{key}-Lauf-{number}.xml", "application/xml")


@require_GET
@for_staff
def csv(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """The same payments for the cash system; 404 before the release."""
    run = _released(request, key, number)
    return _attachment(cash_csv(run, payments_of(run)), f"{key}-Lauf-{number}.csv", "text/csv")


def _released(request: HttpRequest, key: str, number: int) -> PaymentRun:
    run = _run(request, key, number)
    by = actor_of(request)
    if not (WORK | APPROVE) & by.roles:
        raise NotAllowed("Zahlungsdateien holt, wer mit Auszahlungen arbeitet.")
    if run.state == RunState.PREPARED:
        raise Http404("Dieser Lauf ist nicht freigegeben.")
    return run


def _attachment(content: bytes, name: str, media_type: str) -> HttpResponse:
    response = file_response(content, name, media_type)
    response["Cache-Control"] = "private, no-store"
    return response


# --- what the bank says ---


@takes_refused_uploads
@require_http_methods(["GET", "POST"])
@for_staff
def take_return(request: HttpRequest, key: str) -> HttpResponse:
    """Read a file of the bank or the cash system: booked whole, or every problem is listed and nothing is booked."""
    programme = programme_of(request, key)
    if request.method == "GET":
        return redirect("desk:payments", key)
    if refused := refused_uploads(request):
        return _overview(
            request, programme, problems=tuple(found.reason for found in refused), file_name=refused[0].name
        )
    upload = request.FILES.get("datei")
    if upload is None:
        return _overview(request, programme, problems=("Wählen Sie die Datei, die Sie einlesen möchten.",))
    name = (upload.name or "Rückmeldung").replace("\0", "")[:200]
    try:
        taken = take_return_file(
            by=actor_of(request), name=name, content=upload.read(settings.UPLOAD_LIMIT_BYTES)
        )
    except Refused as wrong:
        return _overview(request, programme, problems=tuple(str(wrong).split("\n")), file_name=name)
    words = f"„{name}“ ist eingelesen: {taken.paid} ausgezahlt, {taken.returned} zurückgekommen."
    if taken.skipped:
        words += f" {taken.skipped} Buchungen gehören nicht dazu oder waren schon gemeldet."
    messages.success(request, words)
    return redirect("desk:payments", key)


# --- one payment by hand ---


@dataclass(frozen=True)
class PaymentForms:
    """What can be noted by hand of a payment, as far as its state allows it."""

    paid: Filled | None = None
    returned: Filled | None = None
    again: Filled | None = None

    @property
    def all(self) -> list[tuple[str, Filled]]:
        """Each form with the heading above it."""
        named = (
            ("Neu anordnen", self.again),
            ("Als ausgezahlt vermerken", self.paid),
            ("Als zurückgekommen vermerken", self.returned),
        )
        return [(title, found) for title, found in named if found]


def _forms(request: HttpRequest, key: str, payment: Payment) -> PaymentForms:
    url = reverse("desk:payment", args=[key, payment.id])
    by, found = actor_of(request), PaymentForms()
    is_sent = payment.run is not None and payment.run.state != RunState.PREPARED
    if payment.state == PaymentState.IN_RUN and is_sent and WORK & by.roles:
        day = Input("tag", "Vom Konto abgegangen am", today_text())
        found = replace(found, paid=form(request, f"{url}?tun=bezahlt", "Als ausgezahlt vermerken", day))
    if (
        (payment.state == PaymentState.IN_RUN and is_sent) or payment.state == PaymentState.PAID
    ) and WORK & by.roles:
        found = replace(
            found,
            returned=form(
                request,
                f"{url}?tun=zurueck",
                "Als zurückgekommen vermerken",
                Input("tag_zurueck", "Zurückgekommen am", today_text()),
                Input("grund", "Warum?"),
                hints={"grund": "Was die Bank sagt, zum Beispiel: Konto erloschen."},
            ),
        )
    if payment.state == PaymentState.RETURNED and newest_try(payment).id == payment.id and APPROVE & by.roles:
        found = replace(
            found,
            again=form(
                request,
                f"{url}?tun=neu",
                "Neu anordnen",
                Input("iban", "Neue IBAN"),
                Input("inhaber", "Kontoinhaber", payment.holder),
                hints={"iban": "Wie die Kommune sie Ihnen schriftlich mitgeteilt hat."},
            ),
        )
    return found


@require_http_methods(["GET", "POST"])
@for_staff
def payment(request: HttpRequest, key: str, payment: UUID) -> HttpResponse:
    """A payment: where it stands, and what can be noted by hand."""
    programme = programme_of(request, key)
    try:
        found = own_payment(programme, payment)
    except Payment.DoesNotExist as missing:
        raise Http404 from missing
    forms = _forms(request, key, found)
    if request.method == "GET":
        return _payment_page(request, found, forms)
    doing = {"bezahlt": _paid, "zurueck": _returned, "neu": _again}.get(request.GET.get("tun", ""))
    if doing is None:
        raise Http404
    return doing(request, key, found, forms)


def _paid(request: HttpRequest, key: str, found: Payment, forms: PaymentForms) -> HttpResponse:
    filled = (forms.paid or _blank(request, key, found, "bezahlt", Input("tag", "Tag"))).typed(request.POST)
    day, filled = filled.day("tag")
    if day is None:
        return _payment_page(request, found, replace(forms, paid=filled))
    return _act(
        request,
        key,
        lambda: mark_paid(by=actor_of(request), payment=found.id, on=day),
        f"{format_amount(found.amount)} an {found.holder} sind als ausgezahlt am {format_day(day)} vermerkt.",
        lambda why: _payment_page(request, found, replace(forms, paid=filled.refused(why))),
    )


def _returned(request: HttpRequest, key: str, found: Payment, forms: PaymentForms) -> HttpResponse:
    empty = forms.returned or _blank(
        request, key, found, "zurueck", Input("tag_zurueck", "Tag"), Input("grund", "Warum?")
    )
    filled = empty.typed(request.POST)
    day, filled = filled.day("tag_zurueck")
    if day is None:
        return _payment_page(request, found, replace(forms, returned=filled))
    return _act(
        request,
        key,
        lambda: mark_returned(by=actor_of(request), payment=found.id, on=day, reason=filled.text("grund")),
        f"{format_amount(found.amount)} an {found.holder} sind zurückgekommen. Ordnen Sie die Zahlung neu an, "
        "wenn Sie das richtige Konto kennen.",
        lambda why: _payment_page(request, found, replace(forms, returned=filled.refused(why))),
    )


def _again(request: HttpRequest, key: str, found: Payment, forms: PaymentForms) -> HttpResponse:
    empty = forms.again or _blank(
        request, key, found, "neu", Input("iban", "Neue IBAN"), Input("inhaber", "Kontoinhaber")
    )
    filled = empty.typed(request.POST)
    return _act(
        request,
        key,
        lambda: order_again(
            by=actor_of(request), payment=found.id, iban=filled.text("iban"), holder=filled.text("inhaber")
        ),
        "Die Zahlung ist neu angeordnet und wartet auf den nächsten Zahlungslauf.",
        lambda why: _payment_page(request, found, replace(forms, again=filled.refused(why))),
    )


def _blank(request: HttpRequest, key: str, found: Payment, doing: str, *fields: Input) -> Filled:
    """A form that the state of the payment has no place for any more: the action says why."""
    return form(request, f"{reverse('desk:payment', args=[key, found.id])}?tun={doing}", "Speichern", *fields)


def _act(
    request: HttpRequest,
    key: str,
    act: Callable[[], object],
    done: str,
    again: Callable[[Refused], HttpResponse],
) -> HttpResponse:
    try:
        act()
    except Refused as wrong:
        return again(wrong)
    messages.success(request, done)
    return redirect("desk:payments", key)


def _payment_page(request: HttpRequest, found: Payment, forms: PaymentForms) -> HttpResponse:
    programme: Any = programme_of(request, request.resolver_match.kwargs["key"])  # type: ignore[union-attr]
    payments = Link("Auszahlungen", reverse("desk:payments", args=[programme.key]))
    newest = newest_try(found) if found.state == PaymentState.RETURNED else found
    context = around(request, programme, "payments", payments, here=found.end_to_end) | {
        "payment": found,
        "forms": forms.all,
        "newer": newest if newest.id != found.id else None,
        "has_error": any(entry.has_error for _, entry in forms.all),
    }
    return render(request, "desk/payments/payment.html", context, status=422 if context["has_error"] else 200)
