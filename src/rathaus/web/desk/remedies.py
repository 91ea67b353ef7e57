"""Objection and action on the case page: since when a notice is final, what is pending, and the forms to note it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from rathaus.casework.cases.enums import RemedyForm, RemedyResult
from rathaus.casework.cases.models import Notice, Remedy
from rathaus.casework.cases.queries import CaseFile, final_on
from rathaus.law.text import format_date, format_day
from rathaus.web.desk.panels import Input, read_day


@dataclass(frozen=True)
class RemedyPanel:
    """A form of this section with what was typed. `choices` are value and word of its radio buttons."""

    url: str
    choice: Input
    choices: tuple[tuple[str, str], ...]
    day: Input
    note: Input
    day_hint: str
    button: str
    refusal: str = ""
    is_open: bool = False
    kept_for: str = ""

    @property
    def read_day(self) -> date | None:
        return read_day(self.day.text)

    @property
    def has_error(self) -> bool:
        return bool(self.refusal or self.choice.error or self.day.error)

    def checked(self) -> RemedyPanel:
        """The same, saying what is wrong with its fields."""
        known = {value for value, _ in self.choices}
        choice, day = self.choice, self.day
        if choice.text not in known:
            choice = replace(choice, error="Wählen Sie eines davon.")
        if self.read_day is None:
            day = replace(day, error=f"„{day.text}“ ist kein Datum. Schreiben Sie zum Beispiel 30.06.2027.")
        return replace(self, choice=choice, day=day, is_open=True)


@dataclass(frozen=True)
class RemedyView:
    """One that was noted, in words; `form` to settle it while it is open."""

    remedy: Remedy
    is_late: bool
    form: RemedyPanel | None


@dataclass(frozen=True)
class RemedySection:
    """What the case page shows of the newest notice."""

    notice: Notice
    standing: str
    is_final: bool
    remedies: tuple[RemedyView, ...]
    form: RemedyPanel


def section_of(
    file: CaseFile, typed: RemedyPanel | None, *, today: date, owner: Callable[[str], str]
) -> RemedySection | None:
    """The section, None before there is a notice. `typed` is shown instead of the form with its address."""
    if not file.notices:
        return None
    notice = file.notices[-1]
    own = [found for found in file.remedies if found.notice_id == notice.id]
    final = final_on(notice, today, own)

    def shown(panel: RemedyPanel) -> RemedyPanel:
        found = typed if typed and typed.url == panel.url else panel
        return replace(found, kept_for=owner(found.url))

    return RemedySection(
        notice=notice,
        standing=_standing(notice, own, final),
        is_final=final is not None,
        remedies=tuple(
            RemedyView(
                found,
                found.received_on > notice.remedy_until,
                None
                if found.settled_on
                else shown(settle_panel(file.case.reference, found.id, {}, today=today)),
            )
            for found in own
        ),
        form=shown(note_panel(file.case.reference, notice, {}, today=today)),
    )


def _standing(notice: Notice, remedies: list[Remedy], final: date | None) -> str:
    if final and notice.waived_at:
        on = format_date(timezone.localdate(notice.waived_at))
        return f"Bestandskräftig seit {format_date(final)}: {notice.case.party_name} hat am {on} verzichtet."
    if final:
        return f"Bestandskräftig seit {format_date(final)}."
    if any(found.settled_on is None for found in remedies):
        return "Noch nicht bestandskräftig, es läuft ein Rechtsbehelf."
    if any(found.result == RemedyResult.UPHELD for found in remedies):
        return "Der Bescheid gilt so nicht mehr, ein Rechtsbehelf hatte Erfolg."
    return f"Noch nicht bestandskräftig, ein Rechtsbehelf ist bis {format_date(notice.remedy_until)} möglich."


def note_panel(reference: str, notice: Notice, data: Mapping[str, str], *, today: date) -> RemedyPanel:
    """The form to note an objection or action, usually the one that the notice names."""
    return RemedyPanel(
        reverse("desk:remedy", args=[reference, notice.id]),
        Input("art", "Was ist eingegangen?", _text(data, "art", notice.remedy)),
        tuple(RemedyForm.choices),
        Input("eingegangen", "Eingegangen am", _text(data, "eingegangen", format_day(today))),
        Input("vermerk", "Vermerk", _text(data, "vermerk")),
        "Tag.Monat.Jahr",
        "Rechtsbehelf vermerken",
    )


def settle_panel(reference: str, remedy: UUID, data: Mapping[str, str], *, today: date) -> RemedyPanel:
    """The form to say how it came out. Its fields carry the remedy, since several may be open on one page."""
    return RemedyPanel(
        reverse("desk:settle", args=[reference, remedy]),
        Input(f"ausgang-{remedy}", "Wie ist es ausgegangen?", _text(data, f"ausgang-{remedy}")),
        tuple(RemedyResult.choices),
        Input(
            f"erledigt-{remedy}",
            "Unanfechtbar erledigt am",
            _text(data, f"erledigt-{remedy}", format_day(today)),
        ),
        Input(f"schluss-{remedy}", "Vermerk", _text(data, f"schluss-{remedy}")),
        "Der Tag, von dem an nichts mehr dagegen möglich ist. Nach einem Widerspruchsbescheid läuft erst die Klagefrist.",
        "Als erledigt vermerken",
    )


def _text(data: Mapping[str, str], name: str, otherwise: str = "") -> str:
    """What was typed; `otherwise` in a form that nobody filled in yet."""
    return str(data.get(name, "") if data else otherwise)[:20_000].replace("\0", "")
