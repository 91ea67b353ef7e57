"""Reading a posted page: HTML names and texts become answers; what cannot, is kept as it was typed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rathaus.engine.forms import limits, values
from rathaus.engine.forms.checking import place_of_row
from rathaus.engine.forms.model import Answers, Element, Field, FileAnswer, Group, Kind, Table, Text
from rathaus.engine.forms.places import MISSING, is_empty_row, lookup, store

Data = Mapping[str, Sequence[str]]
Files = Mapping[str, Sequence[FileAnswer]]
#: Finds the AGS for what a person typed (a name or a key); None if there is no such authority, or several.
FindAuthority = Callable[[str], str | None]

_TICKED = frozenset({"on", "true", "1"})
# A text longer than any field allows is cut; the check then says that it is too long.
_MOST_TYPED = limits.LONGEST_TEXT + 1


def fields_of(elements: Iterable[Element]) -> list[Field | Table]:
    """The fields and tables among a page's elements, in their order."""
    found: list[Field | Table] = []
    for element in elements:
        if isinstance(element, Group):
            found += fields_of(element.elements)
        elif not isinstance(element, Text):
            found.append(element)
    return found


class PageReader:
    """Reads one posted page into ``answers`` (changed in place); unreadable texts go to ``raw``."""

    def __init__(
        self,
        answers: Answers,
        data: Data,
        files: Files,
        find_authority: FindAuthority | None,
        *,
        keep_empty_rows: bool,
    ) -> None:
        self.answers = answers
        self.data = data
        self.files = files
        self.find_authority = find_authority
        self.keep_empty_rows = keep_empty_rows
        self.raw: dict[str, str] = {}

    def is_posted(self, item: Field | Table) -> bool:
        """Whether the page that was posted had this field, as far as one can tell from the names."""
        prefix = f"{item.path}."
        return any(name == item.path or name.startswith(prefix) for name in (*self.data, *self.files))

    def read(self, item: Field | Table) -> None:
        """Take in one field or table; what is absent was emptied, except files, which stay."""
        if isinstance(item, Table):
            self._read_table(item)
        elif item.kind in (Kind.FILE, Kind.FILES):
            self._read_files(item)
        elif item.kind is Kind.AUTHORITIES:
            self._read_authorities(item)
        else:
            store(self.answers, item.path, self._read_one(item, item.path))

    def _read_one(self, field: Field, name: str) -> Any:
        if field.kind is Kind.CHECKBOX:
            ticked = not _TICKED.isdisjoint(self.data.get(name, ()))
            return True if ticked else (MISSING if field.must_be_true else False)
        if field.kind is Kind.CHOICES:
            return self._read_choices(field, name)
        parts = {part: self._text(f"{name}.{part}") for part in values.DATE_PARTS}
        if field.kind is Kind.DATE and any(parts.values()):
            try:
                return values.parse_day(parts)
            except values.WrongText:
                self.raw |= {f"{name}.{part}": text for part, text in parts.items()}
                return MISSING
        text = self._text(name, multiline=field.kind is Kind.TEXTAREA)
        return self._parse(field, name, text) if text else MISSING

    def _parse(self, field: Field, name: str, text: str) -> Any:
        try:
            if self.find_authority and field.kind in (Kind.AUTHORITY, Kind.AUTHORITIES):
                found = self.find_authority(text)
                if found is None:
                    raise values.WrongText(text)
                return found
            return values.parse(field, text)
        except values.WrongText:
            self.raw[name] = text
            return MISSING

    def _read_choices(self, field: Field, name: str) -> Any:
        chosen: list[Any] = []
        for text in self.data.get(name, ())[: limits.CHOICES]:
            value = self._parse(field, name, values.tidy(text[:_MOST_TYPED])) if text else MISSING
            if value is not MISSING and value not in chosen:
                chosen.append(value)
        return chosen or MISSING

    def _read_table(self, table: Table) -> None:
        rows: list[dict[str, Any]] = []
        for number in self._row_numbers(table.path, table.max_rows):
            before = len(self.raw)
            row: Answers = {}
            for column in table.columns:
                name = f"{table.path}.{number}.{column.key}"
                store(row, column.key, self._read_one(column, name))
            if is_empty_row(row) and len(self.raw) == before and not self.keep_empty_rows:
                continue
            self._renumber(table.path, number, len(rows))
            rows.append(row)
        store(self.answers, table.path, rows or MISSING)

    def _read_authorities(self, field: Field) -> None:
        numbered = [f"{field.path}.{number}" for number in self._row_numbers(field.path, field.max_items)]
        texts = [self._text(name) for name in numbered]
        repeated = self.data.get(field.path, ())[: field.max_items + 1]
        texts += [values.tidy(text[:_MOST_TYPED]) for text in repeated]
        entries: list[str] = []
        for text in texts:
            if text or self.keep_empty_rows:
                value = self._parse(field, f"{field.path}.{len(entries)}", text) if text else ""
                entries.append("" if value is MISSING else value)
        store(self.answers, field.path, entries or MISSING)

    def _read_files(self, field: Field) -> None:
        uploaded = [file.as_answer() for file in self.files.get(field.path, ())]
        if not uploaded:
            return
        if field.kind is Kind.FILE:
            store(self.answers, field.path, uploaded[-1])
            return
        kept = lookup(self.answers, field.path)
        known = [file for file in kept if isinstance(file, dict)] if isinstance(kept, list) else []
        hashes = {file.get("sha256") for file in known}
        # The same file sent twice (a double click) is one file.
        fresh = {file["sha256"]: file for file in uploaded if file["sha256"] not in hashes}
        store(self.answers, field.path, [*known, *fresh.values()])

    def _row_numbers(self, path: str, most: int) -> list[int]:
        numbers = {place_of_row(name, path) for name in self.data}
        # One more than allowed stays, so that the check can say that there are too many.
        return sorted(number for number in numbers if number is not None)[: most + 1]

    def _renumber(self, path: str, old: int, new: int) -> None:
        if old == new:
            return
        prefix = f"{path}.{old}."
        for name in [name for name in self.raw if name.startswith(prefix)]:
            self.raw[f"{path}.{new}.{name.removeprefix(prefix)}"] = self.raw.pop(name)

    def _text(self, name: str, *, multiline: bool = False) -> str:
        texts = self.data.get(name, ())
        return values.tidy(texts[-1][:_MOST_TYPED], multiline=multiline) if texts else ""


def without_row(raw: Mapping[str, str], path: str, number: int) -> dict[str, str]:
    """The typed texts after a row (or list entry) was taken away: later rows move up."""
    moved: dict[str, str] = {}
    for name, text in raw.items():
        at = place_of_row(name, path)
        if at is None or at < number:
            moved[name] = text
        elif at > number:
            tail = name.removeprefix(f"{path}.{at}")
            moved[f"{path}.{at - 1}{tail}"] = text
    return moved
