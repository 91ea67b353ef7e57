"""What the pages on the money of a programme share: the programme by its address, tabs, fields of their forms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse

from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.domains.grants.models import Programme
from rathaus.domains.grants.queries.paying import own_programme
from rathaus.law.money import AmountError, parse_amount
from rathaus.law.text import format_day
from rathaus.web.account import kept
from rathaus.web.desk.access import actor_of, frame_of
from rathaus.web.desk.panels import Input, read_day
from rathaus.web.desk.programmes.views import tab_links
from rathaus.web.parts import Link


def programme_of(request: HttpRequest, key: str) -> Programme:
    """The programme in the address, if it is of this person's authority. Raises Http404."""
    try:
        return own_programme(actor_of(request), key)
    except Programme.DoesNotExist as missing:
        raise Http404 from missing


def around(
    request: HttpRequest, programme: Programme, tab: str, *crumbs: Link, here: str = ""
) -> dict[str, Any]:
    """What stands around a page of a programme; `crumbs` lead from the programme to the page named `here`."""
    links = tab_links(programme.key, tab)
    title = Link(programme.title, reverse("desk:programme", args=[programme.key]))
    last = Link(here or next(link.label for link in links if link.is_current), "")
    return {
        "frame": frame_of(request, current="programmes"),
        "programme": programme,
        "tabs": links,
        "crumbs": (Link("Programme", reverse("desk:programmes")), title, *crumbs, last),
        "today": clock.today(),
    }


@dataclass(frozen=True)
class Filled:
    """A small form of one of these pages: its fields as typed, and the sentence of the action that refused it."""

    url: str
    button: str
    fields: tuple[Input, ...]
    hints: dict[str, str] = field(default_factory=dict)
    refusal: tuple[str, ...] = ()
    is_open: bool = False
    kept_for: str = ""

    @property
    def has_error(self) -> bool:
        return bool(self.refusal or any(entry.error for entry in self.fields))

    @property
    def rows(self) -> list[tuple[Input, str]]:
        """Each field with its hint."""
        return [(entry, self.hints.get(entry.name, "")) for entry in self.fields]

    def text(self, name: str) -> str:
        """What was typed into a field."""
        return next(entry.text for entry in self.fields if entry.name == name).strip()

    def typed(self, data: QueryDict) -> Filled:
        """The form as it was posted."""
        fields = tuple(
            replace(entry, text=data.get(entry.name, "")[:2_000].replace("\0", "")) for entry in self.fields
        )
        return replace(self, fields=fields, is_open=True)

    def wrong(self, name: str, error: str) -> Filled:
        """The form with what is wrong with a field."""
        return replace(
            self,
            fields=tuple(
                replace(entry, error=error) if entry.name == name else entry for entry in self.fields
            ),
            is_open=True,
        )

    def refused(self, why: Refused) -> Filled:
        """The form with the sentences of an action that refused."""
        return replace(self, refusal=tuple(str(why).split("\n")), is_open=True)

    def day(self, name: str) -> tuple[date | None, Filled]:
        """A field as a day; the form says if it is none."""
        found = read_day(self.text(name))
        if found is None:
            return None, self.wrong(
                name, f"„{self.text(name)}“ ist kein Datum. Schreiben Sie zum Beispiel 30.06.2027."
            )
        return found, self

    def amount(self, name: str) -> tuple[Decimal | None, Filled]:
        """A field as an amount in euros; the form says if it is none."""
        try:
            return parse_amount(self.text(name)), self
        except AmountError as wrong:
            return None, self.wrong(name, wrong.reason)


def form(
    request: HttpRequest, url: str, button: str, *fields: Input, hints: dict[str, str] | None = None
) -> Filled:
    """An empty form, with the mark by which its text is kept if the session ends meanwhile."""
    return Filled(url, button, fields, hints or {}, kept_for=kept.owner_token(request, url.partition("?")[0]))


def today_text() -> str:
    """Today, as one types it."""
    return format_day(clock.today())
