"""What the pages of an offer's terms show: words, history, and a change on its way from form to review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from rathaus.casework.cases.actions.drafts import check_open
from rathaus.casework.services.actions import LONGEST_NOTE, window_words
from rathaus.casework.services.models import Offer, Terms
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import package_of
from rathaus.casework.services.parameters import Change, ParameterForm, same
from rathaus.engine.forms import (
    Answers,
    ElementView,
    Field,
    FieldError,
    FieldView,
    Form,
    Group,
    Kind,
    Page,
    Reading,
    SummaryItem,
    SummarySection,
    SummaryTable,
)
from rathaus.web.account import kept
from rathaus.web.parts import Fact

# Our own inputs and buttons in a package's form; names of parameters never begin with an underscore there.
TO, BASE, NOTE = "_nach", "_grundlage", "_grund"
SAVE, BACK = "speichern", "zurueck"
NO_NOTE = "Schreiben Sie, warum Sie die Regeln ändern."
NOTE_HINT = "Ein Satz. Er steht später bei dieser Fassung, zum Beispiel: Geänderte Richtlinie vom 1. März."
_NOT_TYPED = {"csrfmiddlewaretoken", kept.FIELD, TO, "add", "remove"}


class NothingToChange(Exception):
    """The package has no parameter that a form could ask for."""


@dataclass(frozen=True)
class OfferRow:
    """An offer in a list: `closed` says why it takes no applications now, empty if it does."""

    offer: Offer
    window: str
    closed: str


def row_of(offer: Offer) -> OfferRow:
    """An offer with its window in words."""
    try:
        check_open(offer)
    except Refused as why:
        closed = str(why)
    else:
        closed = ""
    words = window_words(offer)
    return OfferRow(offer, words[:1].upper() + words[1:], closed)


def sections_of(offer: Offer) -> dict[str, Any]:
    """The terms in force in words: what can be changed by its pages, and what the package fixes."""
    form, values = _form_of(offer), _values(offer)
    summary = form.form.summary(form.answers_of(values)) if form.form else ()
    sections = [(section.title, list(_parts(section))) for section in summary]
    fixed = [Fact(form.label(name), "\n".join(form.words(name, values[name])) or "–") for name in form.fixed]
    return {"sections": sections, "fixed": fixed, "can_change": form.form is not None}


def _parts(section: SummarySection) -> Iterator[tuple[list[Fact], SummaryTable | None]]:
    """Facts and tables in their order; a list of single values is one fact."""
    facts: list[Fact] = []
    for item in section.items:
        if isinstance(item, SummaryItem):
            facts.append(Fact(item.label, item.value))
        elif len(item.columns) == 1:
            facts.append(Fact(item.label, ", ".join(row[0] for row in item.rows) or "Keine Angabe"))
        else:
            yield facts, item
            facts = []
    if facts:
        yield facts, None


@dataclass(frozen=True)
class TermsEntry:
    """Terms in the history, with what they changed; the first ones, and what is too old to be shown, changed nothing."""

    terms: Terms
    changes: tuple[Change, ...]
    is_first: bool
    is_current: bool


def history_of(offer: Offer, newest_first: Sequence[Terms]) -> list[TermsEntry]:
    """The terms with their changes, in the words that the offer's version has for them now."""
    form = _form_of(offer)
    older: list[Terms | None] = [*newest_first[1:], None]
    return [
        TermsEntry(
            terms,
            form.changes(before.parameters, terms.parameters) if before else (),
            terms.number == 1,
            terms.id == offer.terms_id,
        )
        for terms, before in zip(newest_first, older, strict=True)
    ]


# --- changing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Editing:
    """A change of terms as it was typed. `overtaken` says who was faster; then what they changed is in the form, too."""

    offer: Offer
    form: ParameterForm
    page: Page
    reading: Reading
    note: str
    typed: tuple[tuple[str, str], ...] = ()
    errors: tuple[FieldError | str, ...] = ()
    note_error: str = ""
    overtaken: str = ""

    @property
    def based_on(self) -> int:
        """The number of the terms that the form shows the change to."""
        return self.offer.terms.number

    @property
    def views(self) -> tuple[ElementView, ...]:
        """The form, ready to be drawn."""
        return _engine(self.form).view(self.page, self.reading.answers, self.reading)

    @property
    def note_view(self) -> FieldView:
        """The field for the reason, which every form has below the package's own fields."""
        field = Field(NOTE, "Warum ändern Sie die Regeln?", Kind.TEXTAREA, hint=NOTE_HINT)
        return FieldView(field, NOTE, "f-grund", text=self.note, error=self.note_error)

    @property
    def all_views(self) -> tuple[ElementView, ...]:
        """All fields, for the list of errors to link to."""
        return (*self.views, self.note_view)

    @property
    def rows_changed(self) -> bool:
        """Whether only a row was added or removed."""
        return self.reading.rows_changed and not self.overtaken

    @property
    def is_complete(self) -> bool:
        """Whether the review may follow."""
        return self.reading.is_complete and not self.errors and not self.overtaken

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is different from the terms in force."""
        return self.form.changes(_values(self.offer), self._new_values)

    @property
    def changed_values(self) -> dict[str, Any]:
        """The parameters that get another value."""
        before = _values(self.offer)
        return {name: value for name, value in self._new_values.items() if not same(value, before.get(name))}

    @property
    def _new_values(self) -> dict[str, Any]:
        return self.form.values_of(self.reading.answers, _values(self.offer))

    def refused(self, reason: str) -> Editing:
        """The same with a reason why it was not saved."""
        return replace(self, errors=(*self.errors, reason))


def fresh(offer: Offer) -> Editing:
    """The form with the terms in force. Raises NothingToChange."""
    form = _form_of(offer)
    return Editing(offer, form, _one_page(form), Reading(form.answers_of(_values(offer)), (), {}), "")


def edited(offer: Offer, posted: QueryDict) -> Editing:
    """The form as it was posted, checked. Raises NothingToChange."""
    form = _form_of(offer)
    page = _one_page(form)
    data = {name: [str(text) for text in texts] for name, texts in posted.lists()}
    base = _base(offer, posted.get(BASE, ""))
    shown = form.answers_of(base.values_for(offer.version_id))
    reading = _engine(form).read(page, data, {}, shown)
    note = posted.get(NOTE, "").replace("\x00", "").strip()
    typed = tuple(
        (name, text) for name, texts in data.items() if name not in _NOT_TYPED | {BASE} for text in texts
    )
    editing = Editing(offer, form, page, reading, note, typed, reading.errors)
    if base.number != offer.terms.number:
        return _overtaken(editing, shown)
    if reading.rows_changed:
        return editing
    if not note or len(note) > LONGEST_NOTE:
        wrong = NO_NOTE if not note else f"Kürzen Sie den Grund auf höchstens {LONGEST_NOTE} Zeichen."
        error = FieldError(NOTE, wrong, NOTE, "Grund")
        editing = replace(editing, note_error=wrong, errors=(*editing.errors, error))
    if reading.is_complete and not editing.changes:
        editing = editing.refused("Sie haben nichts geändert.")
    return editing


def _overtaken(editing: Editing, shown: Answers) -> Editing:
    """Somebody set terms meanwhile: their values, and over them what this person had changed."""
    current = editing.offer.terms
    theirs = editing.form.answers_of(_values(editing.offer))
    mine = editing.reading.answers
    touched = {name for name in mine.keys() | shown.keys() if mine.get(name) != shown.get(name)}
    touched |= {name.partition(".")[0] for name in editing.reading.raw}
    merged = {name: value for name, value in theirs.items() if name not in touched}
    merged |= {name: value for name, value in mine.items() if name in touched}
    reading = replace(editing.reading, answers=merged, revealed=frozenset(), rows_changed=False)
    who = current.set_function or "Jemand"
    words = f"{who} hat inzwischen die Regeln Nr. {current.number} gesetzt: {current.note}"
    return replace(editing, reading=reading, errors=(), overtaken=words)


def _base(offer: Offer, number: str) -> Terms:
    """The terms that the posted form had shown; those in force if it names none."""
    if number.isascii() and number.isdecimal() and len(number) < 9 and int(number) != offer.terms.number:
        return offer.all_terms.filter(number=int(number)).first() or offer.terms
    return offer.terms


def _one_page(form: ParameterForm) -> Page:
    """All pages of the package's form below each other."""
    pages = _engine(form).pages
    groups = tuple(Group(page.title, page.elements, page.intro, page.rules) for page in pages)
    return Page("regeln", "Regeln", groups if len(groups) > 1 else groups[0].elements)


def _engine(form: ParameterForm) -> Form:
    if form.form is None:
        raise NothingToChange
    return form.form


def _form_of(offer: Offer) -> ParameterForm:
    return package_of(offer.version_id).parameters


def _values(offer: Offer) -> Mapping[str, Any]:
    return offer.terms.values_for(offer.version_id)
