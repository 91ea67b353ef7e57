"""The form for the time in which an offer takes applications: days with times of the clock in Germany."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils import timezone

from rathaus.casework.services.models import Offer
from rathaus.engine.forms import Answers, ElementView, FieldError, Form, Page, Reading

BERLIN = ZoneInfo("Europe/Berlin")
_TIME = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "maxLength": 5}
_SCHEMA = {
    "type": "object",
    "required": ["angeboten"],
    "properties": {
        "angeboten": {"type": "boolean"},
        "ab_tag": {"type": "string", "format": "date"},
        "ab_zeit": _TIME,
        "bis_tag": {"type": "string", "format": "date"},
        "bis_zeit": _TIME,
    },
}


def _control(name: str, label: str, **options: str) -> dict[str, Any]:
    return {"type": "Control", "scope": f"#/properties/{name}", "label": label, "options": options}


def _group(label: str, *controls: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Group", "label": label, "elements": list(controls)}


_WRONG_TIME = "Schreiben Sie die Uhrzeit mit vier Ziffern, zum Beispiel 09:30."
_PAGES = {
    "type": "Categorization",
    "elements": [
        {
            "type": "Category",
            "label": "Zeitraum",
            "elements": [
                _control("angeboten", "Nimmt die Leistung Anträge an?", format="radio"),
                _group(
                    "Beginn",
                    _control("ab_tag", "Offen ab", hinweis="Leer heißt: schon jetzt."),
                    _control("ab_zeit", "Uhrzeit", hinweis="Leer heißt: 00:00 Uhr.", fehler=_WRONG_TIME),
                ),
                _group(
                    "Ende",
                    _control("bis_tag", "Offen bis einschließlich", hinweis="Leer heißt: ohne Ende."),
                    _control(
                        "bis_zeit",
                        "Uhrzeit",
                        hinweis="Leer heißt: bis zum Ende dieses Tages.",
                        fehler=_WRONG_TIME,
                    ),
                ),
            ],
        }
    ],
}


@dataclass(frozen=True)
class Filled:
    """The form as it is or as it was posted, with the values it means."""

    views: tuple[ElementView, ...]
    errors: tuple[FieldError | str, ...]
    values: dict[str, Any]

    @property
    def is_complete(self) -> bool:
        """Whether it can be saved."""
        return not self.errors

    def refused(self, reason: str) -> Filled:
        """The same with a reason why it was not saved."""
        return replace(self, errors=(*self.errors, reason))


def shown(offer: Offer) -> Filled:
    """The form with the window as it is."""
    answers = _answers(offer)
    return Filled(_form().view(_page(), answers), (), {})


def read(offer: Offer, posted: QueryDict) -> Filled:
    """The form as it was posted. A moment that was not touched stays to the second."""
    data = {name: [str(text) for text in texts] for name, texts in posted.lists()}
    before = _answers(offer)
    reading = _form().read(_page(), data, {}, before)
    answers = reading.answers
    errors = (*reading.errors, *_problems(answers, reading))
    values: dict[str, Any] = {}
    if not errors:
        opens = _moment(answers, "ab", is_end=False)
        closes = _moment(answers, "bis", is_end=True)
        values = {
            "is_open": answers["angeboten"],
            "opens_at": offer.opens_at if _same(before, answers, "ab") else opens,
            "closes_at": offer.closes_at if _same(before, answers, "bis") else closes,
        }
    reading = Reading(answers, errors, reading.raw)
    return Filled(_form().view(_page(), answers, reading), errors, values)


@cache
def _form() -> Form:
    return Form.load(_SCHEMA, _PAGES)


def _page() -> Page:
    return _form().pages[0]


def _answers(offer: Offer) -> Answers:
    answers: Answers = {"angeboten": offer.is_open}
    if offer.opens_at:
        local = timezone.localtime(offer.opens_at, BERLIN)
        answers |= {"ab_tag": local.date().isoformat(), "ab_zeit": f"{local:%H:%M}"}
    if offer.closes_at:
        local = timezone.localtime(offer.closes_at, BERLIN)
        if local.time() == time(0):  # the end of the day before
            answers["bis_tag"] = (local.date() - timedelta(days=1)).isoformat()
        else:
            answers |= {"bis_tag": local.date().isoformat(), "bis_zeit": f"{local:%H:%M}"}
    return answers


def _problems(answers: Answers, reading: Reading) -> list[FieldError]:
    """A time without its day says nothing."""
    return [
        FieldError(f"{side}_tag", "Zur Uhrzeit gehört ein Tag.", f"{side}_tag.tag", label)
        for side, label in (("ab", "Offen ab"), ("bis", "Offen bis einschließlich"))
        if answers.get(f"{side}_zeit")
        and not answers.get(f"{side}_tag")
        and not any(name.startswith(f"{side}_tag") for name in reading.raw)
    ]


def _moment(answers: Answers, side: str, *, is_end: bool) -> datetime | None:
    if not answers.get(f"{side}_tag"):
        return None
    day = date.fromisoformat(answers[f"{side}_tag"])
    clock = answers.get(f"{side}_zeit")
    if clock is None and is_end:
        return datetime.combine(day + timedelta(days=1), time(0), BERLIN)
    return datetime.combine(day, time.fromisoformat(clock or "00:00"), BERLIN)


def _same(before: Answers, after: Answers, side: str) -> bool:
    return all(before.get(f"{side}_{part}") == after.get(f"{side}_{part}") for part in ("tag", "zeit"))
