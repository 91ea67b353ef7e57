"""The form for the time in which an offer takes applications: days with times of the clock in Germany."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils import timezone

from rathaus.casework.services.models import Offer, Window
from rathaus.engine.forms import Answers, ElementView, FieldError, Form, Page, Reading

BERLIN = ZoneInfo("Europe/Berlin")
BASE = "_grundlage"
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
    based_on: Window
    window: Window | None = None
    is_overtaken: bool = False

    @property
    def base(self) -> str:
        """The window that the form shows the change to, for its hidden field."""
        is_open, *moments = self.based_on
        return " ".join([str(int(is_open)), *(moment.isoformat() if moment else "-" for moment in moments)])

    def refused(self, reason: str) -> Filled:
        """The same with a reason why it was not saved."""
        return replace(self, errors=(*self.errors, reason))


def shown(offer: Offer) -> Filled:
    """The form with the window as it is."""
    return Filled(_form().view(_page(), _answers(offer.window)), (), offer.window)


def read(offer: Offer, posted: QueryDict) -> Filled:
    """The form as it was posted. A moment that was not touched stays to the second.

    Where somebody set the window meanwhile, theirs is in the form, and over it what this person had changed.
    """
    data = {name: [str(text) for text in texts] for name, texts in posted.lists()}
    base = _base(offer, posted.get(BASE, ""))
    before = _answers(base)
    reading = _form().read(_page(), data, {}, before)
    if base != offer.window:
        theirs, mine = _answers(offer.window), _touched(before, reading)
        merged = {name: value for name, value in theirs.items() if _side(name) not in mine}
        merged |= {name: value for name, value in reading.answers.items() if _side(name) in mine}
        reading = Reading(merged, (), reading.raw)
        return Filled(_form().view(_page(), merged, reading), (), offer.window, is_overtaken=True)
    answers = reading.answers
    errors = (*reading.errors, *_problems(answers, reading))
    window = None
    if not errors:
        touched = _touched(before, reading)
        window = Window(
            answers["angeboten"],
            _moment(answers, "ab", is_end=False) if "ab" in touched else offer.opens_at,
            _moment(answers, "bis", is_end=True) if "bis" in touched else offer.closes_at,
        )
    reading = Reading(answers, errors, reading.raw)
    return Filled(_form().view(_page(), answers, reading), errors, offer.window, window)


def _base(offer: Offer, text: str) -> Window:
    """The window that the posted form had shown; the one in force if it names none."""
    try:
        is_open, *moments = text.split(" ")
        opens, closes = (None if part == "-" else datetime.fromisoformat(part) for part in moments)
    except ValueError:
        return offer.window
    if any(moment and moment.tzinfo is None for moment in (opens, closes)):
        return offer.window
    return Window(is_open == "1", opens, closes)


def _touched(before: Answers, reading: Reading) -> set[str]:
    """What the person changed or wrote wrongly: a day and its time are one moment, „ab“ or „bis“."""
    after = reading.answers
    changed = {_side(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return changed | {_side(name) for name in reading.raw}


def _side(name: str) -> str:
    return name.partition("_")[0]


@cache
def _form() -> Form:
    return Form.load(_SCHEMA, _PAGES)


def _page() -> Page:
    return _form().pages[0]


def _answers(window: Window) -> Answers:
    answers: Answers = {"angeboten": window.is_open}
    if window.opens_at:
        local = timezone.localtime(window.opens_at, BERLIN)
        answers |= {"ab_tag": local.date().isoformat(), "ab_zeit": f"{local:%H:%M}"}
    if window.closes_at:
        local = timezone.localtime(window.closes_at, BERLIN)
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
