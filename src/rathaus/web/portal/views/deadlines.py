"""How one wants to be told of deadlines: mail or none, a calendar to subscribe to; and that calendar itself."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rathaus.core import clock
from rathaus.core.identity.actors import NotAllowed
from rathaus.core.identity.queries import entering, holder
from rathaus.domains.grants.actions.deadlines import feed_of, make_feed, revoke_feed, set_mail
from rathaus.domains.grants.duties import REMIND_BEFORE
from rathaus.domains.grants.models import DeadlineChoice
from rathaus.engine.icalendar import Day, write_calendar
from rathaus.web.addresses import key_in
from rathaus.web.parts import Link
from rathaus.web.portal import grants
from rathaus.web.portal.access import for_account
from rathaus.web.portal.frames import actor_of, frame_of


@cache_control(private=True, no_cache=True, no_store=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_account
def choices(request: HttpRequest) -> HttpResponse:
    """One block a municipality. A new calendar address is shown once, in the answer to the POST that made it."""
    by = actor_of(request)
    made: tuple[UUID, str] | None = None
    if request.method == "POST":
        party = key_in(request.POST.get("kommune", ""))
        if party is None:
            raise Http404
        doing = request.POST.get("tun", "")
        try:
            if doing == "kalender":
                made = (party, make_feed(by=by, party=party))
            elif doing == "widerrufen":
                revoke_feed(by=by, party=party)
            elif doing in ("mail-an", "mail-aus"):
                set_mail(by=by, party=party, wanted=doing == "mail-an")
            else:
                raise Http404
        except NotAllowed as refused:
            raise Http404 from refused
        if made is None:
            return redirect("portal:deadlines")
    kept = {
        choice.party_id: choice for choice in DeadlineChoice.objects.filter(account_id=str(request.user.pk))
    }
    own = [(party, name) for party, name in by.names.items() if party in by.bodies - by.former]
    context = {
        "frame": frame_of(request, current=reverse("portal:grants")),
        "crumbs": (Link("Unsere Förderungen", reverse("portal:grants")), Link("Fristen", "")),
        "places": [
            {
                "party": party,
                "name": name,
                "wants_mail": kept[party].wants_mail if party in kept else True,
                "made_at": kept[party].feed_made_at if party in kept else None,
                "address": _address(made[1]) if made and made[0] == party else "",
                "subscribe": _address(made[1]).replace("http", "webcal", 1).replace("webcals", "webcal", 1)
                if made and made[0] == party
                else "",
            }
            for party, name in own
        ],
        "days": " und ".join(map(str, REMIND_BEFORE)),
    }
    return render(request, "portal/deadlines.html", context)


@never_cache
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar of a municipality, for whoever has its secret address and while their mandate lasts."""
    known = feed_of(token)
    if known is None:
        raise Http404("Diesen Kalender gibt es nicht.")
    account, party = known
    today = clock.today()
    with entering(account) as by:
        if party not in by.parties:
            raise Http404("Diesen Kalender gibt es nicht.")
        merged = {former for former in by.former if (now := holder(former, today)) and now.id == party}
        found = grants.overview(by, today, only=frozenset({party, *merged}))
        name = by.names[party]
    days = (
        Day(
            key=f"{deadline.key}@{settings.BASE_URL.partition('://')[2]}",
            day=deadline.day,
            title=grants.plain_spaces(f"{deadline.title} ({deadline.about})"),
            text=grants.plain_spaces(deadline.note),
            url=settings.BASE_URL + deadline.url,
            alarms=REMIND_BEFORE if deadline.is_to_do else (),
        )
        for deadline in found.deadlines
    )
    content = write_calendar(days, name=f"Förderfristen {name}", now=clock.now())
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="fristen.ics"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _address(token: str) -> str:
    return settings.BASE_URL + reverse("portal:deadline_feed", args=[token])
