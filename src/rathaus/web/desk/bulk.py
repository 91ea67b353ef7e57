"""Doing many at once: what could be, a page to confirm number and sum, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.bulk.actions import BROKEN, Entry, resume, start
from rathaus.casework.bulk.models import BulkRun
from rathaus.casework.bulk.queries import (
    APPROVAL,
    PROPOSAL,
    failures_of,
    is_quiet,
    outcomes_of,
    progress_of,
    run_of,
    runs_of,
    task_groups,
    tasks_at_once,
)
from rathaus.casework.bulk.tasks import TASKS
from rathaus.casework.cases.queries import PAGE
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.identity.actors import NotAllowed
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.dunning import DRAFT, DUNNING, PLACES, filled_in
from rathaus.domains.grants.permissions import WORK
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.queries.dunning import Late, overdue_proofs
from rathaus.law.money import format_amount, format_number
from rathaus.web.account import kept
from rathaus.web.addresses import keys_in
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.desk.money_pages import around, programme_of
from rathaus.web.desk.panels import Input
from rathaus.web.parts import Link

SHOWN = 20
KEY, COUNT, SUM = "_lauf", "_anzahl", "_summe"
LONGEST_TEXT = 4_000


@require_GET
@for_staff
def index(request: HttpRequest) -> HttpResponse:
    """Open tasks that could be done at once, by step and service, and the newest runs."""
    by = actor_of(request)
    context = {
        "frame": frame_of(request, current="bulk"),
        "groups": [
            (group, _address(group.offer, group.element, group.about))
            for group in task_groups(by)
            if group.count > 1
        ],
        "runs": runs_of(by),
    }
    return render(request, "desk/bulk/index.html", context)


def _address(offer: str, element: str, about: str) -> str:
    fields = {"leistung": offer, "schritt": element, **({"zu": about} if about else {})}
    return f"{reverse('desk:bulk_tasks')}?{urlencode(fields)}"


# --- confirming ---


@dataclass(frozen=True)
class Confirmation:
    """What is about to be done: the words, the items, the sum in euros, and the text that all of them get."""

    title: str
    verb: str
    entries: tuple[Entry, ...]
    amount: Decimal | None
    key: UUID
    url: str
    back: str
    facts: tuple[str, ...] = ()
    text: Input | None = None
    text_hint: str = ""
    hidden: tuple[tuple[str, str], ...] = ()
    changed: str = ""
    example: str = ""

    @property
    def shown(self) -> tuple[Entry, ...]:
        return self.entries[:SHOWN]

    @property
    def rest(self) -> int:
        return max(len(self.entries) - SHOWN, 0)


def _sum(entries: Sequence[Entry]) -> Decimal | None:
    amounts = [entry.amount for entry in entries if entry.amount is not None]
    return sum(amounts, NOTHING) if amounts else None


def _page(request: HttpRequest, found: Confirmation, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "frame": frame_of(request, current="bulk"),
        "crumbs": (Link("Sammelbearbeitung", reverse("desk:bulk")), Link(found.title, "")),
        "found": found,
        "count": len(found.entries),
        "sum_text": str(found.amount) if found.amount is not None else "",
        "key_field": KEY,
        "count_field": COUNT,
        "sum_field": SUM,
        "kept_field": kept.FIELD,
        "kept_for": kept.owner_token(request, request.path),
        "late": None,
        **more,
    }
    return render(request, "desk/bulk/confirm.html", context, status=status)


def _key(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get(KEY, ""))
    except ValueError:
        return new_id()


def _has_changed(request: HttpRequest, found: Confirmation) -> bool:
    """Whether number or sum are others than the person has seen."""
    seen = (request.POST.get(COUNT, ""), request.POST.get(SUM, ""))
    return seen != (str(len(found.entries)), str(found.amount) if found.amount is not None else "")


def _begun_before(request: HttpRequest) -> HttpResponse | None:
    """The second click on the same button leads to the run that the first one began."""
    key, by = request.POST.get(KEY, ""), actor_of(request)
    try:
        run = run_of(by, UUID(key))
    except (ValueError, BulkRun.DoesNotExist):
        return None
    return redirect("desk:bulk_run", run.id) if run.requested_by_id == by.account else None


def _start(request: HttpRequest, found: Confirmation, kind: str, options: dict[str, Any]) -> HttpResponse:
    run = start(
        by=actor_of(request),
        key=found.key,
        kind=kind,
        title=found.title,
        entries=found.entries,
        options=options,
        back_url=found.back,
    )
    return redirect("desk:bulk_run", run.id)


# --- tasks ---


@require_http_methods(["GET", "POST"])
@for_staff
def tasks(request: HttpRequest) -> HttpResponse:
    """All open tasks of one step of one service, or those that were ticked in the inbox."""
    by = actor_of(request)
    if begun := _begun_before(request):
        return begun
    ticked = request.POST.getlist("aufgabe")[:PAGE]
    offer, element, about = (request.GET.get(name, "")[:200] for name in ("leistung", "schritt", "zu"))
    found = tasks_at_once(
        by, offer=offer, element=element, about=about, chosen=keys_in(ticked) if ticked else None
    )
    if ticked:
        steps = {(task.case.offer_id, task.element) for task in found}
        if len(steps) > 1:
            messages.info(
                request, "Auf einmal geht nur derselbe Schritt derselben Leistung. Wählen Sie neu aus."
            )
            return redirect("desk:inbox")
    if not found:
        messages.info(request, "Hier ist nichts offen, das Sie auf einmal erledigen könnten.")
        return redirect("desk:bulk")
    page = _of_tasks(request, found, ticked)
    if KEY not in request.POST:
        return _page(request, page)
    if page.text and not page.text.text.strip():
        return _page(
            request, _wrong(page, "Schreiben Sie eine Begründung. Sie steht im Bescheid."), status=422
        )
    if _has_changed(request, page):
        return _page(request, _changed(page), status=409)
    options = {"begruendung": page.text.text.strip()} if page.text else {}
    return _start(request, page, TASKS, options)


def _of_tasks(request: HttpRequest, found: Sequence[Any], ticked: Sequence[str]) -> Confirmation:
    first = found[0]
    about = first.case.about.offer.title if first.case.about else ""
    title = f"{first.title}: {first.case.offer.title}{f' ({about})' if about else ''}"
    entries = tuple(
        Entry(
            task.id,
            task.case.reference,
            task.case.party_name,
            task.worth if first.form == APPROVAL else task.amount,
        )
        for task in found
    )
    facts = []
    if first.form == APPROVAL:
        facts = [f"{label}: {count}" for label, count in outcomes_of(found).items()]
    text = None
    if first.form == PROPOSAL:
        text = Input(
            "begruendung",
            "Begründung für alle",
            request.POST.get("begruendung", "")[:LONGEST_TEXT].replace("\0", ""),
        )
    offer, element, zu = (
        first.case.offer.slug,
        first.element,
        first.case.about.offer.slug if first.case.about else "",
    )
    return Confirmation(
        title=title,
        verb="freigeben" if first.form == APPROVAL else "vorschlagen",
        entries=entries,
        amount=_sum(entries),
        key=_key(request),
        url=reverse("desk:bulk_tasks") if ticked else _address(offer, element, zu),
        back=reverse("desk:inbox") if ticked else reverse("desk:bulk"),
        facts=tuple(facts),
        text=text,
        text_hint="Vorgeschlagen wird in jedem Vorgang, was beantragt ist.",
        hidden=tuple(("aufgabe", str(task.id)) for task in found) if ticked else (),
    )


def _wrong(page: Confirmation, error: str) -> Confirmation:
    assert page.text is not None
    return replace(page, text=replace(page.text, error=error))


def _changed(page: Confirmation) -> Confirmation:
    total = f", {format_amount(page.amount)}" if page.amount is not None else ""
    return replace(
        page, changed=f"Inzwischen sind es {len(page.entries)} Vorgänge{total}. Prüfen Sie noch einmal."
    )


# --- dunning ---


@require_http_methods(["GET", "POST"])
@for_staff
def dunning(request: HttpRequest, key: str) -> HttpResponse:
    """Remind all whose proof of use is overdue, or those that stay ticked."""
    programme, by = programme_of(request, key), actor_of(request)
    if not WORK & by.roles:
        raise NotAllowed("Mahnen darf die Sachbearbeitung.")
    if begun := _begun_before(request):
        return begun
    late = overdue_proofs(programme, clock.today())
    waiting = [row for row in late if row.can_be_dunned]
    is_posted = request.method == "POST"
    typed = request.POST if is_posted else kept.take(request, request.path)
    ticked = set(typed.getlist("zuwendung")) if typed is not None else None
    chosen = [row for row in waiting if ticked is None or str(row.grant.id) in ticked]
    text = Input(
        "text",
        "Nachricht an jede Kommune",
        (typed.get("text", "") if typed is not None else DRAFT)[:LONGEST_TEXT]
        .replace("\0", "")
        .replace("\r\n", "\n"),
    )
    page = _of_dunning(request, programme.title, key, chosen, text)
    around_page = around(
        request,
        programme,
        "programme_proofs",
        Link("Nachweise", reverse("desk:programme_proofs", args=[key])),
        here="Mahnen",
    )
    more: dict[str, Any] = {
        "frame": around_page["frame"],
        "crumbs": around_page["crumbs"],
        "late": [(row, row in chosen) for row in late],
        "places": ", ".join(PLACES),
    }
    if not is_posted:
        return _page(request, page, **more)
    if not text.text.strip():
        return _page(request, _wrong(page, "Schreiben Sie eine Nachricht."), status=422, **more)
    if not chosen:
        return _page(
            request, _changed_words(page, "Wählen Sie mindestens eine Kommune aus."), status=422, **more
        )
    if ticked is not None and len(ticked) != len(chosen):
        return _page(request, _changed(page), status=409, **more)
    return _start(request, page, DUNNING, {"text": text.text.strip()})


def _changed_words(page: Confirmation, words: str) -> Confirmation:
    return replace(page, changed=words)


def _of_dunning(
    request: HttpRequest, title: str, key: str, chosen: Sequence[Late], text: Input
) -> Confirmation:
    entries = tuple(
        Entry(row.grant.id, row.grant.reference, row.grant.recipient_name, row.paid) for row in chosen
    )
    return Confirmation(
        title=f"Überfällige Nachweise mahnen: {title}",
        verb="mahnen",
        entries=entries,
        amount=_sum(entries),
        key=_key(request),
        url=reverse("desk:dunning", args=[key]),
        back=reverse("desk:programme_proofs", args=[key]),
        text=text,
        text_hint=f"Eingesetzt werden {', '.join(PLACES)}.",
        example=filled_in(text.text, chosen[0].grant) if chosen else "",
    )


# --- how far it is ---


@require_GET
@for_staff
def run(request: HttpRequest, run: UUID) -> HttpResponse:
    """How far a run is. With htmx its middle comes anew by itself; without there is a link."""
    found = _own(request, run)
    progress = progress_of(found)
    failures = failures_of(found) if progress.failed else []
    context = {
        "run": found,
        "progress": progress,
        "failures": failures,
        "is_running": bool(progress.waiting),
        "may_resume": is_quiet(found, progress) or any(item.reason == BROKEN for item in failures),
    }
    if request.headers.get("HX-Request"):
        return render(request, "desk/bulk/_progress.html", context)
    context |= {
        "frame": frame_of(request, current="bulk"),
        "crumbs": (Link("Sammelbearbeitung", reverse("desk:bulk")), Link(found.title, "")),
    }
    return render(request, "desk/bulk/run.html", context)


@require_http_methods(["GET", "POST"])
@for_staff
def go_on(request: HttpRequest, run: UUID) -> HttpResponse:
    """Put jobs back for what still waits."""
    found = _own(request, run)
    if request.method == "POST":
        try:
            count = resume(by=actor_of(request), run=found.id)
        except Refused as wrong:
            messages.info(request, str(wrong))
        else:
            what = "einem Vorgang" if count == 1 else f"{format_number(count)} Vorgängen"
            messages.success(request, f"Es geht weiter mit {what}.")
    return redirect("desk:bulk_run", run)


def _own(request: HttpRequest, run: UUID) -> BulkRun:
    try:
        return run_of(actor_of(request), run)
    except BulkRun.DoesNotExist as missing:
        raise Http404 from missing
