"""The kernel's task forms on the desk: what each shows, and what was typed into it as answers for `complete_task`.

A panel is built from the case alone (`open_panel`) or with what was typed (`read_panel`), then it knows its errors and
shows every text again as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rathaus.casework.cases.enums import Outcome
from rathaus.casework.cases.models import Case, Task
from rathaus.engine.forms.formats import is_iso_date
from rathaus.law.money import AmountError, format_amount, format_number, parse_amount, share_largest_remainder
from rathaus.law.text import format_date, format_day

REVIEW, PROPOSAL, APPROVAL = "kern:pruefung", "kern:vorschlag", "kern:freigabe"
ANSWER_DAYS = 14


@dataclass(frozen=True)
class Input:
    """A field of a panel: its text as typed, and what is wrong with it (empty: nothing)."""

    name: str
    label: str
    text: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        """Of the control in the page."""
        return f"feld-{self.name}"

    @property
    def error_id(self) -> str:
        """Of the paragraph with the error."""
        return f"{self.id}-fehler"


@dataclass(frozen=True)
class Panel:
    """A task's form. `answers` is what `complete_task` takes; meaningless while there are errors."""

    form: str
    inputs: Mapping[str, Input]
    years: tuple[Input, ...] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """In the order of the page."""
        first = [entry for name, entry in self.inputs.items() if name != "begruendung"]
        last = [entry for name, entry in self.inputs.items() if name == "begruendung"]
        return (*first, *self.years, *last)

    @property
    def errors(self) -> tuple[Input, ...]:
        """The fields that are wrong."""
        return tuple(entry for entry in self.all_inputs if entry.error)

    @property
    def typed(self) -> tuple[tuple[str, str], ...]:
        """Label and text of all that was typed, to be shown when it can no longer be saved."""
        return tuple((entry.label, entry.text) for entry in self.all_inputs if entry.text.strip())

    def unchecked(self) -> Panel:
        """The same texts, without saying yet what is wrong with them."""
        return replace(
            self,
            inputs={name: replace(entry, error="") for name, entry in self.inputs.items()},
            years=tuple(replace(entry, error="") for entry in self.years),
        )

    def refused(self, reason: str) -> Panel:
        """The same panel, with the sentence of the action that refused it."""
        return replace(self, refusal=reason)


def open_panel(task: Task, case: Case, *, today: date, earlier: Mapping[str, Any] | None = None) -> Panel:
    """The form of a task before anything is typed. `earlier` are fields of a proposal that was sent back."""
    match task.form:
        case "kern:pruefung":
            return _review({"frist": format_day(today + timedelta(days=ANSWER_DAYS))})
        case "kern:vorschlag":
            return _proposal(task, case, {**_suggested(task, case, today), **(earlier or {})})
    return Panel(task.form, {"grund": Input("grund", "Was ist zu ändern?")})


def read_panel(task: Task, case: Case, data: Mapping[str, Any], *, today: date) -> Panel:
    """The form of a task with what was typed, checked as far as the fields alone can tell."""
    typed = {name: str(value)[:20_000].replace("\0", "") for name, value in data.items()}
    match task.form:
        case "kern:pruefung":
            return _checked_review(_review(typed), today)
        case "kern:vorschlag":
            return _checked_proposal(_proposal(task, case, typed), may_be_nothing=task.amount == 0)
    return _checked_approval(typed)


def years_of(task: Task, case: Case) -> tuple[int, ...]:
    """The budget years among which an amount is divided: those that the process names, else the case's parameter
    `jahre`; empty if there are none."""
    if task.years is not None:
        return tuple(sorted(task.years))
    found = case.parameters.get("jahre") or []
    return tuple(year for year in found if isinstance(year, int)) if isinstance(found, list) else ()


# --- kern:pruefung ---


def _review(data: Mapping[str, str]) -> Panel:
    return Panel(
        REVIEW,
        {
            "vollstaendig": Input(
                "vollstaendig", "Ist der Antrag vollständig?", data.get("vollstaendig", "")
            ),
            "nachricht": Input("nachricht", "Was fehlt noch?", data.get("nachricht", "")),
            "frist": Input("frist", "Antwort bis", data.get("frist", "")),
            "korrektur": Input(
                "korrektur", "Angaben im Antrag dürfen berichtigt werden", data.get("korrektur", "")
            ),
        },
    )


def _checked_review(panel: Panel, today: date) -> Panel:
    chosen, body, until = (panel.inputs[name] for name in ("vollstaendig", "nachricht", "frist"))
    if chosen.text == "ja":
        return replace(panel, answers={"vollstaendig": True})
    if chosen.text != "nein":
        wrong = replace(chosen, error="Wählen Sie, ob der Antrag vollständig ist.")
        return replace(panel, inputs={**panel.inputs, "vollstaendig": wrong})
    day = read_day(until.text)
    if not body.text.strip():
        body = replace(body, error="Schreiben Sie, was noch fehlt. Der Text geht an die Antragstellenden.")
    if day is None:
        until = replace(until, error=f"„{until.text}“ ist kein Datum. Schreiben Sie zum Beispiel 30.06.2027.")
    elif day <= today:
        until = replace(until, error=f"Die Frist muss nach heute liegen, dem {format_date(today)}.")
    return replace(
        panel,
        inputs={**panel.inputs, "nachricht": body, "frist": until},
        answers={
            "vollstaendig": False,
            "nachricht": body.text,
            "frist": day,
            "korrektur": panel.inputs["korrektur"].text == "ja",
        },
    )


def read_day(text: str) -> date | None:
    """A day as people write it (30.6.2027) or as machines do (2027-06-30); None for anything else."""
    text = text.strip()
    if german := re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", text):
        text = f"{german[3]}-{german[2]:0>2}-{german[1]:0>2}"
    return date.fromisoformat(text) if is_iso_date(text) else None


# --- kern:vorschlag ---


def _suggested(task: Task, case: Case, today: date) -> dict[str, str]:
    """The amount that the task is about, over the years as the process suggests, else evenly over those that are not
    over. The choice itself is never made in advance."""
    if task.amount is None:
        return {}
    years = years_of(task, case)
    if task.years is not None:
        shares = [task.years[year] for year in years]
    else:
        weights = [int(year >= today.year) for year in years]
        if not any(weights):
            weights = [1] * len(years)
        shares = share_largest_remainder(task.amount, weights) if years else []
    found = {f"jahr_{year}": _plain(share) for year, share in zip(years, shares, strict=True)}
    return {"betrag": _plain(task.amount), **found}


def _proposal(task: Task, case: Case, data: Mapping[str, str]) -> Panel:
    inputs = {"ergebnis": Input("ergebnis", "Vorschlag", data.get("ergebnis", ""))}
    if task.amount is not None:
        inputs["betrag"] = Input("betrag", "Betrag in Euro", data.get("betrag", ""))
    inputs["begruendung"] = Input("begruendung", "Begründung im Bescheid", data.get("begruendung", ""))
    years: Iterable[int] = years_of(task, case) if task.amount is not None else ()
    return Panel(
        PROPOSAL,
        inputs,
        tuple(Input(f"jahr_{year}", f"davon {year}", data.get(f"jahr_{year}", "")) for year in years),
    )


def _checked_proposal(panel: Panel, *, may_be_nothing: bool) -> Panel:
    inputs = dict(panel.inputs)
    outcome, reasons = inputs["ergebnis"], inputs["begruendung"]
    if outcome.text not in Outcome.values:
        inputs["ergebnis"] = replace(outcome, error="Wählen Sie, wie Sie entscheiden möchten.")
    if not reasons.text.strip():
        inputs["begruendung"] = replace(
            reasons, error="Schreiben Sie eine Begründung. Sie steht im Bescheid."
        )
    answers: dict[str, Any] = {"ergebnis": outcome.text, "begruendung": reasons.text, "betrag": None}
    years = panel.years
    if "betrag" in inputs and outcome.text != Outcome.REFUSED:
        amount, inputs["betrag"] = _amount(inputs["betrag"])
        if amount == 0 and not may_be_nothing:
            inputs["betrag"] = replace(
                inputs["betrag"],
                error="Der Betrag muss mehr als 0,00 Euro sein. Sonst wählen Sie „Ablehnen“.",
            )
        read = [_amount(year) for year in years]
        years = tuple(year for _, year in read)
        by_year = [value for value, _ in read if value is not None]
        if amount and years and len(by_year) == len(years):
            if fault := _difference(amount, sum(by_year, Decimal(0))):
                years = (*years[:-1], replace(years[-1], error=fault))
            answers["einzelheiten"] = {
                "jahre": {
                    year.name.removeprefix("jahr_"): str(v) for year, v in zip(years, by_year, strict=True)
                }
            }
        answers["betrag"] = amount
    return replace(panel, inputs=inputs, years=years, answers=answers)


def _amount(entry: Input) -> tuple[Decimal | None, Input]:
    try:
        return parse_amount(entry.text), entry
    except AmountError as wrong:
        return None, replace(entry, error=wrong.reason)


def _difference(amount: Decimal, total: Decimal) -> str:
    if total == amount:
        return ""
    left = amount - total
    verb = f"Es fehlen {format_amount(left)}." if left > 0 else f"Das sind {format_amount(-left)} zu viel."
    return f"Die Jahre ergeben {format_amount(total)}, der Betrag ist {format_amount(amount)}. {verb}"


def _plain(amount: Decimal) -> str:
    return format_number(amount, places=2)


# --- kern:freigabe ---


def _checked_approval(typed: Mapping[str, str]) -> Panel:
    note = Input("grund", "Was ist zu ändern?", typed.get("grund", ""))
    is_approved = typed.get("freigegeben") == "ja"
    if not is_approved and not note.text.strip():
        note = replace(note, error="Schreiben Sie, was am Vorschlag zu ändern ist.")
    return Panel(APPROVAL, {"grund": note}, answers={"freigegeben": is_approved, "grund": note.text})
