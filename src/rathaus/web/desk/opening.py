"""Opening a case ex officio about an earlier one: the package's form on one page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from rathaus.casework.cases.actions.submission import InvalidAnswers, open_case
from rathaus.casework.cases.facts import facts_for_opening
from rathaus.casework.cases.models import Case
from rathaus.casework.cases.permissions import check_may_open
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import package_of
from rathaus.core.tenancy import new_id
from rathaus.engine.forms import Form, Group, Page, Reading
from rathaus.web.account import kept
from rathaus.web.desk.access import actor_of, for_staff, frame_of
from rathaus.web.parts import Link

_SUBMISSION = "_vorgang"  # a form's own fields never begin with an underscore


@require_http_methods(["GET", "POST"])
@for_staff
def open_about(request: HttpRequest, reference: str, slug: str) -> HttpResponse:
    """The form; a POST opens the case. Sent twice, it makes one; what is wrong is said beside the fields."""
    by = actor_of(request)
    try:
        about = Case.objects.select_related("offer").get(authority_id=by.staff_of, reference=reference)
        offers = Offer.objects.select_related("terms", "authority__successor")
        offer = offers.get(authority_id=by.staff_of, slug=slug, opening=Opening.OFFICE)
    except (Case.DoesNotExist, Offer.DoesNotExist) as missing:
        raise Http404 from missing
    check_may_open(by, offer, package_of(offer.version_id))
    known = facts_for_opening(offer, about)
    form = package_of(offer.version_id).form.filled_in(known)
    page = _whole(form, offer.title)
    if request.method == "GET":
        typed = kept.take(request, request.path)
        if typed is None:
            return _page(request, about, offer, form, page, Reading(form.prefill(known), (), {}))
        return _page(request, about, offer, form, page, _read(form, page, _without_buttons(typed)))
    reading = _read(form, page, request.POST)
    refused = ""
    if reading.is_complete:
        try:
            case = open_case(
                by=by,
                offer=offer,
                about=about,
                answers=reading.answers,
                submission=_submission(request.POST),
            )
        except InvalidAnswers as wrong:
            reading = Reading(reading.answers, wrong.errors, reading.raw)
        except Refused as wrong:
            refused = str(wrong)
        else:
            messages.success(request, f"Der Vorgang {case.reference} ist eröffnet.")
            return redirect("desk:case", case.reference)
    return _page(request, about, offer, form, page, reading, refused=refused)


def _whole(form: Form, title: str) -> Page:
    """All pages of a form as one, each below its heading."""
    if len(form.pages) == 1:
        return form.pages[0]
    groups = tuple(Group(page.title, page.elements, page.intro, page.rules) for page in form.pages)
    return Page("vorgang", title, groups)


def _read(form: Form, page: Page, posted: QueryDict) -> Reading:
    data = {name: [str(text) for text in texts] for name, texts in posted.lists()}
    return form.read(page, data, {}, {})


def _submission(posted: QueryDict) -> UUID:
    """What the page was given when it was first shown; a fresh one where somebody tampered with it."""
    try:
        return UUID(posted.get(_SUBMISSION, ""))
    except ValueError:
        return new_id()


def _without_buttons(typed: QueryDict) -> QueryDict:
    """What somebody had typed when the session ended; the buttons wait until they press them again."""
    for name in ("add", "remove"):
        typed.pop(name, None)
    return typed


def _page(
    request: HttpRequest,
    about: Case,
    offer: Offer,
    form: Form,
    page: Page,
    reading: Reading,
    *,
    refused: str = "",
) -> HttpResponse:
    here = reverse("desk:case", args=[about.reference])
    context: dict[str, Any] = {
        "frame": frame_of(request),
        "crumbs": (
            Link("Eingang", reverse("desk:inbox")),
            Link(about.reference, here),
            Link(offer.title, ""),
        ),
        "about": about,
        "offer": offer,
        "intro": page.intro,
        "back": here,
        "views": form.view(page, reading.answers, reading),
        "errors": reading.errors,
        "is_revealed": bool(reading.revealed) and not reading.errors,
        "refused": refused,
        "submission_field": _SUBMISSION,
        "submission": _submission(request.POST),
        "kept_field": kept.FIELD,
        "kept_for": kept.owner_token(request, request.path),
    }
    return render(request, "desk/open.html", context, status=422 if reading.errors or refused else 200)
