"""The lists of the desk: the inbox of tasks, and all cases of the authority."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from rathaus.casework.cases.actions.tasks import TaskTaken, claim_task
from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Task
from rathaus.casework.cases.queries import PAGE, cases_of_authority, count_tasks, inbox
from rathaus.casework.services.models import Offer
from rathaus.core import clock
from rathaus.web.addresses import key_in, keys_in, query_of
from rathaus.web.desk.access import (
    actor_of,
    capped,
    for_all_staff,
    for_staff,
    frame_of,
    initials_of,
    workplaces_of,
)
from rathaus.web.middleware import AUTHORITY_KEY

VIEWS = {"team": "Team", "meine": "Meine Aufgaben", "frei": "Nicht zugewiesen"}
DUE = {"ueberfaellig": "Überfällig", "heute": "Heute und überfällig", "woche": "Bis Sonntag"}
_TEXT_AT_MOST = 100
_REFERENCE = re.compile(r"[A-Z0-9-]{1,40}")


@require_GET
@for_all_staff
def home(request: HttpRequest) -> HttpResponse:
    """To the inbox, experts to their reviews; who works for several authorities chooses one first."""
    if AUTHORITY_KEY not in request.session and len(workplaces_of(request)) > 1:
        return redirect("desk:authority")
    return redirect("desk:reviews" if actor_of(request).is_limited else "desk:inbox")


@require_http_methods(["GET", "POST"])
@for_all_staff
def authority(request: HttpRequest) -> HttpResponse:
    """For which authority to work now."""
    found = workplaces_of(request)
    if request.method == "POST":
        chosen = next(
            (place.authority for place in found if str(place.authority.id) == request.POST.get("behoerde")),
            None,
        )
        if chosen:
            request.session[AUTHORITY_KEY] = str(chosen.id)
            return redirect("desk:home")
    context = {
        "frame": frame_of(request, current="authority"),
        "places": found,
        "chosen": actor_of(request).authority,
        "is_wrong": request.method == "POST",
    }
    return render(request, "desk/authority.html", context, status=422 if request.method == "POST" else 200)


# --- the inbox ---


@dataclass(frozen=True)
class Filter:
    """What narrows the inbox, as it stands in the address; what is not understood is left out."""

    view: str = "team"
    text: str = ""
    offer: UUID | None = None
    due: str = ""
    after: str = ""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Filter:
        """From the fields of the address."""
        view, due = data.get("sicht", "team"), data.get("faellig", "")
        return cls(
            view if view in VIEWS else "team",
            text_of(data),
            key_in(data.get("leistung", "")),
            due if due in DUE else "",
            _place(data.get("nach", "")),
        )

    def query(self, **changes: str) -> str:
        """The address of this list with some fields changed; an empty one falls away."""
        fields = {
            "sicht": self.view if self.view != "team" else "",
            "q": self.text,
            "leistung": str(self.offer or ""),
            "faellig": self.due,
            "nach": self.after,
        } | changes
        filled = {name: value for name, value in fields.items() if value}
        return f"?{urlencode(filled)}" if filled else "?"

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the view is chosen."""
        return bool(self.text or self.offer or self.due)

    def due_until(self, today: date) -> date | None:
        """The last day that a task may be due."""
        match self.due:
            case "ueberfaellig":
                return today - timedelta(days=1)
            case "heute":
                return today
            case "woche":
                return today + timedelta(days=6 - today.weekday())
        return None


@dataclass(frozen=True)
class Row:
    """A task as the inbox shows it; `taken` is empty for nobody, `is_mine` for this person."""

    task: Task
    days: int
    is_mine: bool
    taken: str
    taken_by: str


@require_GET
@for_staff
def show(request: HttpRequest) -> HttpResponse:
    """Open tasks of one's roles, earliest due first."""
    actor, chosen, today = actor_of(request), Filter.read(request.GET), clock.today()
    page = inbox(
        actor,
        view=chosen.view,
        offer=chosen.offer,
        text=chosen.text,
        due_until=chosen.due_until(today),
        after=chosen.after,
    )
    offers = list(Offer.objects.filter(authority_id=actor.staff_of).order_by("title", "id"))
    counts = count_tasks(actor)
    context = {
        "frame": frame_of(request, current="mine" if chosen.view == "meine" else "inbox", counts=counts),
        "filter": chosen,
        "today": today,
        "now": clock.now(),
        "tabs": [
            (
                label,
                chosen.query(sicht=view if view != "team" else "", nach=""),
                capped(counts[view]),
                view == chosen.view,
            )
            for view, label in VIEWS.items()
        ],
        "offers": offers,
        "due": DUE,
        "chips": _chips(chosen, offers),
        "rows": [_row(task, actor.account, today) for task in page.tasks],
        "more": chosen.query(nach=page.after) if page.after else "",
        "start": chosen.query(nach="") if chosen.after else "",
        "here": chosen.query(),
    }
    return render(request, "desk/inbox.html", context)


@require_http_methods(["GET", "POST"])
@for_staff
def claim(request: HttpRequest) -> HttpResponse:
    """Take one task (the button in its row or on its case) or all that are selected. Whoever was faster is named."""
    if request.method == "GET":  # back from the login page
        return redirect("desk:inbox")
    chosen = [request.POST["nur"]] if "nur" in request.POST else request.POST.getlist("aufgabe")
    taken: list[Task] = []
    for key in keys_in(chosen[:PAGE]):
        try:
            taken.append(claim_task(by=actor_of(request), task=key))
        except TaskTaken as faster:
            messages.info(request, str(faster))
        except Task.DoesNotExist:
            messages.info(request, "Eine der Aufgaben gibt es nicht mehr.")
    if len(taken) == 1:
        messages.success(request, f"Sie haben „{taken[0].title}“ in {taken[0].case.reference} übernommen.")
    elif taken:
        messages.success(request, f"Sie haben {len(taken)} Aufgaben übernommen.")
    elif not chosen:
        messages.info(request, "Wählen Sie zuerst Aufgaben aus der Liste.")
    return redirect(_back(request.POST))


def _back(posted: QueryDict) -> str:
    """To the case from which a task was taken, else to the list as it was filtered."""
    if found := _REFERENCE.fullmatch(posted.get("vorgang", "")):
        return reverse("desk:case", args=[found[0]])
    kept = QueryDict(posted.get("zurueck", "")[:500].lstrip("?"))
    return reverse("desk:inbox") + Filter.read(kept).query()


def _row(task: Task, me: UUID | None, today: date) -> Row:
    name = str(task.claimed_by) if task.claimed_by else ""
    opened_on = timezone.localtime(task.case.opened_at).date()
    return Row(
        task, (today - opened_on).days, task.claimed_by_id == me, initials_of(name) if name else "", name
    )


def _chips(chosen: Filter, offers: list[Offer]) -> list[tuple[str, str]]:
    """What is filtered, each with the address without it."""
    titles = {offer.id: offer.title for offer in offers}
    found = []
    if chosen.text:
        found.append((f"„{chosen.text}“", chosen.query(q="", nach="")))
    if chosen.offer:
        found.append((titles.get(chosen.offer, "Leistung"), chosen.query(leistung="", nach="")))
    if chosen.due:
        found.append((DUE[chosen.due], chosen.query(faellig="", nach="")))
    return found


# --- all cases ---


@require_GET
@for_staff
def cases(request: HttpRequest) -> HttpResponse:
    """All cases of the authority, newest first."""
    actor, text = actor_of(request), text_of(request.GET)
    state = request.GET.get("stand", "")
    state = state if state in CaseState.values else ""
    after = key_in(request.GET.get("nach", ""))
    found = cases_of_authority(actor, text=text, state=state, after=after, size=PAGE + 1)
    shown = found[:PAGE]
    context = {
        "frame": frame_of(request, current="cases", text=text),
        "text": text,
        "state": state,
        "states": CaseState.choices,
        "cases": shown,
        "more": query_of(q=text, stand=state, nach=str(shown[-1].id)) if len(found) > PAGE else "",
        "start": query_of(q=text, stand=state) if after else "",
    }
    return render(request, "desk/cases.html", context)


def text_of(data: Mapping[str, Any]) -> str:
    """What was typed into a search field, without what a database cannot look for."""
    return " ".join(str(data.get("q", "")).replace("\0", "").split())[:_TEXT_AT_MOST]


def _place(text: str) -> str:
    """The key of a page, if it is one: `2026-12-01_<id>`."""
    day, _, key = text.partition("_")
    try:
        return f"{date.fromisoformat(day).isoformat()}_{UUID(key)}"
    except ValueError:
        return ""
