"""A draft with the form of its version, as one request sees it: its pages, what was posted, what is still wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from rathaus.casework.cases.actions.drafts import attach_file, save_draft
from rathaus.casework.cases.facts import facts_before
from rathaus.casework.cases.models import Draft
from rathaus.casework.services.packages import Package, package_of
from rathaus.core.files.actions import FileRefused
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Party
from rathaus.engine.forms import (
    ElementView,
    FieldError,
    FieldView,
    FileAnswer,
    Form,
    GroupView,
    Kind,
    Page,
    Reading,
    SummarySection,
    Table,
)
from rathaus.engine.forms.importing import FILE_PLACE
from rathaus.engine.forms.places import lookup
from rathaus.engine.forms.reading import fields_of
from rathaus.web.parts import Step
from rathaus.web.portal.register import Register, asks_for_municipalities, keys_in, names_of
from rathaus.web.uploads import RefusedUpload

REVIEW = "Prüfen und absenden"
PREFILLED = "Aus Ihrem Konto übernommen."
# Our own buttons and inputs in a form's page; a form's own fields never begin with an underscore.
TO, SEARCH, PICK = "_nach", "_suche", "_waehlen"
IMPORT, REPLACE = "_einlesen", "_ersetzen"  # `_ersetzen.belege` beside `belege._datei`


@dataclass
class Filling:
    """An application being filled in, by somebody who may."""

    request: HttpRequest
    actor: Actor
    draft: Draft

    # --- reading ---

    @cached_property
    def package(self) -> Package:
        return package_of(self.draft.version_id)

    @cached_property
    def form(self) -> Form:
        """The form, its texts filled in with what is known of the matter."""
        form = self.package.form
        if not form.placeholders:
            return form
        return form.filled_in(facts_before(self.actor, self.draft, self.package))

    @cached_property
    def register(self) -> Register:
        return Register()

    @property
    def pages(self) -> tuple[Page, ...]:
        return self.form.pages_for(self.draft.answers)

    def url_of(self, page: Page | None) -> str:
        """The address of a step; of the review for None."""
        if page is None:
            return reverse("portal:review", args=[self.draft.id])
        return reverse("portal:step", args=[self.draft.id, page.key])

    def next_url(self, page: Page) -> str:
        return self.url_of(self._neighbour(page, 1))

    def previous_url(self, page: Page) -> str:
        before = self._neighbour(page, -1)
        if before:
            return self.url_of(before)
        if self.draft.corrects_id:
            return reverse("portal:case", args=[self.draft.corrects_id])
        if self.draft.about_id:
            return reverse("portal:case", args=[self.draft.about_id])
        return reverse("portal:service", args=[self.draft.offer.slug])

    def current_url(self) -> str:
        """Where to go on: the first step that is not done."""
        return self.url_of(next((page for page in self.pages if not self._is_done(page)), None))

    def steps(self, current: Page | None) -> list[Step]:
        """All steps with their state; those that are done, and the first that is not, can be gone to."""
        found: list[Step] = []
        can_go = True
        for page in self.pages:
            is_done = self._is_done(page)
            state = "now" if page == current else "done" if is_done else "open"
            found.append(Step(page.title, state, self.url_of(page) if is_done or can_go else ""))
            can_go = can_go and is_done
        state = "now" if current is None else "open"
        return [*found, Step(REVIEW, state, self.url_of(None) if can_go else "")]

    def draw(
        self, page: Page, reading: Reading | None, *, with_errors: bool = False
    ) -> tuple[ElementView, ...]:
        """The page as it is, or as it was posted; `with_errors` also says what is wrong with what is stored."""
        if reading is None:
            errors = self.errors_on(page) if with_errors else ()
            reading = Reading(self.draft.answers, errors, self.draft.raw)
        views = self.form.view(
            page, reading.answers, reading, authority_name=self._name(page), takes_rows=True
        )
        return tuple(_with_origin(views, profile_of(self.draft.party, self.request.user)))

    def errors_on(self, page: Page) -> tuple[FieldError, ...]:
        """What is wrong with the stored answers of a page."""
        paths = {item.path for item in fields_of(page.elements)}
        errors = self.form.check(self.draft.answers, raw=self.draft.raw)
        return tuple(error for error in errors if _owner(error, paths))

    def problems(self) -> list[tuple[Page, tuple[FieldError, ...]]]:
        """Pages that keep the application from being handed in, each with its errors; none for one not gone through."""
        found = [(page, self.errors_on(page)) for page in self.pages]
        return [(page, errors) for page, errors in found if errors or not self._is_done(page)]

    def summary(self) -> tuple[SummarySection, ...]:
        names = names_of(keys_in(self.pages, self.draft.answers))
        return self.form.summary(self.draft.answers, authority_name=lambda ags: names.get(ags, ags))

    # --- writing ---

    def take(
        self,
        page: Page,
        posted: QueryDict,
        files: MultiValueDict[str, UploadedFile],
        refused: Sequence[RefusedUpload] = (),
    ) -> Reading:
        """Read a posted page and keep all of it, right or wrong; the errors are those of this page."""
        data = {name: [str(text) for text in texts] for name, texts in posted.lists()}
        if picked := data.get(PICK):
            path, _, ags = picked[-1].partition(":")
            data = {**data, path: [*data.get(path, []), ags]}
        answers, problems = self._store_files(page, files)
        problems += _refused_as_errors(page, refused)
        find = self.register.find if asks_for_municipalities(page) else None
        reading = self.form.read(page, data, answers, self.draft.answers, find_authority=find)
        if picked:
            reading = replace(reading, errors=(), rows_changed=True)
        reading = replace(reading, errors=_merged(page, reading.errors, problems))
        if table := _table_to_fill(page, data, files, refused):
            reading = self._import(reading, table, posted, files, refused)
        self._save(page, reading)
        return reading

    def _import(
        self,
        reading: Reading,
        table: Table,
        posted: QueryDict,
        files: MultiValueDict[str, UploadedFile],
        refused: Sequence[RefusedUpload],
    ) -> Reading:
        """Rows from a CSV file beside what was typed, which is kept whatever becomes of the file."""
        place = f"{table.path}.{FILE_PLACE}"
        reason = next((upload.reason for upload in refused if upload.field == place), "")
        upload = files.get(place)
        if upload is None or reason:
            reason = reason or "Wählen Sie die CSV-Datei aus, die Sie einlesen möchten."
            error = FieldError(place, reason, place, table.label)
            return replace(reading, errors=(error,), rows_changed=True)
        return self.form.with_rows_imported(
            reading,
            table.path,
            upload.read(),
            replaces=f"{REPLACE}.{table.path}" in posted,
            find_authority=self.register.find if _names_municipalities(table) else None,
        )

    def _save(self, page: Page, reading: Reading) -> None:
        done = [key for key in self.draft.pages_done if key != page.key]
        if reading.is_complete:
            done.append(page.key)
        paths = {item.path for item in fields_of(page.elements)}
        elsewhere = {name: text for name, text in self.draft.raw.items() if not _is_under(name, paths)}
        save_draft(
            by=self.actor,
            draft=self.draft,
            answers=reading.answers,
            raw={**elsewhere, **reading.raw},
            pages_done=done,
        )

    def _store_files(
        self, page: Page, files: MultiValueDict[str, UploadedFile]
    ) -> tuple[dict[str, list[FileAnswer]], list[FieldError]]:
        taken: dict[str, list[FileAnswer]] = {}
        problems: list[FieldError] = []
        for field in fields_of(page.elements):
            if getattr(field, "kind", None) not in (Kind.FILE, Kind.FILES):
                continue
            for upload in files.getlist(field.path):
                name = upload.name or "Datei"
                try:
                    blob = attach_file(by=self.actor, draft=self.draft, name=name, content=upload.read())
                except FileRefused as refused:
                    problems.append(FieldError(field.path, str(refused), field.path, field.label))
                else:
                    taken.setdefault(field.path, []).append(
                        FileAnswer(name, blob.sha256, blob.size, blob.media_type)
                    )
        return taken, problems

    def _is_done(self, page: Page) -> bool:
        return page.key in self.draft.pages_done

    def _neighbour(self, page: Page, step: int) -> Page | None:
        pages = self.pages
        keys = [found.key for found in pages]
        at = keys.index(page.key) + step if page.key in keys else 0
        return pages[at] if 0 <= at < len(pages) else None

    def _name(self, page: Page) -> Callable[[str], str]:
        if not asks_for_municipalities(page):
            return str
        former = names_of(keys_in([page], self.draft.answers) - self.register.labels.keys())
        return lambda ags: self.register.labels.get(ags) or former.get(ags, ags)


def profile_of(party: Party, account: Account | Any) -> dict[str, Any]:
    """What is known of who applies, under the places that a form's `vorbelegung` may name."""
    return {
        "konto": {"name": account.name, "email": account.email},
        "partei": {
            "name": party.name,
            "strasse": party.street,
            "plz": party.postal_code,
            "ort": party.city,
            "email": party.email or account.email,
        },
    }


def page_or_none(filling: Filling, key: str) -> Page | None:
    """The page of that key if it applies to the answers. Raises KeyError if the form has none."""
    page = filling.form.page(key)
    return page if page in filling.pages else None


def anchor_of(reading: Reading, posted: QueryDict) -> str:
    """Where to look after a row was added or removed: the new row, or the table."""
    if path := posted.get("add") or (posted.get(PICK) or "").partition(":")[0]:
        rows = lookup(reading.answers, path)
        return f"f-{path.replace('.', '-')}-{len(rows)}" if isinstance(rows, list) else ""
    if filled := posted.get(IMPORT):
        return f"f-{filled.replace('.', '-')}"
    table = (posted.get("remove") or "").rpartition(".")[0] or posted.get("remove") or ""
    return f"f-{table.replace('.', '-')}"


def revealed_views(views: Iterable[ElementView], revealed: frozenset[str]) -> list[FieldView]:
    """The fields that only now apply, as they are drawn."""
    found: list[FieldView] = []
    for view in views:
        if isinstance(view, GroupView):
            found += revealed_views(view.elements, revealed)
        elif isinstance(view, FieldView) and view.field.path in revealed:
            found.append(view)
    return found


def draft_of(actor: Actor, draft: UUID) -> Draft:
    """A draft of the actor's parties with all that a page shows of it. Raises Draft.DoesNotExist."""
    drafts = Draft.objects.select_related("offer__authority", "party", "about")
    return drafts.get(id=draft, party_id__in=actor.parties)


def _with_origin(views: Iterable[ElementView], profile: Mapping[str, Any]) -> Iterable[ElementView]:
    """Fields that hold what the account told say so."""
    for view in views:
        if isinstance(view, GroupView):
            yield replace(view, elements=tuple(_with_origin(view.elements, profile)))
        elif isinstance(view, FieldView) and view.field.prefill and view.text and not view.error:
            known = lookup(profile, view.field.prefill)
            if view.text == known:
                hint = f"{view.field.hint} {PREFILLED}".strip()
                view = replace(view, field=replace(view.field, hint=hint))
            yield view
        else:
            yield view


def _table_to_fill(
    page: Page,
    data: Mapping[str, Sequence[str]],
    files: MultiValueDict[str, UploadedFile],
    refused: Sequence[RefusedUpload],
) -> Table | None:
    """The table whose file is to be read: its button was pressed, or a file was chosen before going on."""
    tables = [item for item in fields_of(page.elements) if isinstance(item, Table) and item.may_import]
    pressed = data.get(IMPORT, [""])[-1]
    goes_on = data.get(TO, ["weiter"])[-1] == "weiter" and not {"add", "remove", PICK, IMPORT} & data.keys()
    sent = {*files, *(upload.field for upload in refused)}
    for table in tables:
        if table.path == pressed or (goes_on and f"{table.path}.{FILE_PLACE}" in sent):
            return table
    return None


def _names_municipalities(table: Table) -> bool:
    return any(column.kind in (Kind.AUTHORITY, Kind.AUTHORITIES) for column in table.columns)


def _refused_as_errors(page: Page, refused: Sequence[RefusedUpload]) -> list[FieldError]:
    labels = {field.path: field.label for field in fields_of(page.elements)}
    return [
        FieldError(upload.field, upload.reason, upload.field, labels[upload.field])
        for upload in refused
        if upload.field in labels
    ]


def _merged(
    page: Page, errors: Iterable[FieldError], problems: Sequence[FieldError]
) -> tuple[FieldError, ...]:
    """A file that was refused is not also missing; the order is the page's."""
    at = {item.path: number for number, item in enumerate(fields_of(page.elements))}
    refused = {problem.path for problem in problems}
    kept = [error for error in errors if error.path not in refused]
    one_each = list({problem.path: problem for problem in problems}.values())
    return tuple(sorted([*kept, *one_each], key=lambda error: at.get(_owner(error, set(at)) or "", len(at))))


def _owner(error: FieldError, paths: set[str]) -> str | None:
    return next((path for path in paths if error.path == path or error.path.startswith(f"{path}.")), None)


def _is_under(name: str, paths: set[str]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for path in paths)
