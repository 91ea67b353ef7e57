"""What a form is made of, as frozen data: pages with their elements, and what reading a posted page gives
back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

#: One JSON object, as it is stored and exchanged: money as "1234.56", dates as "2021-05-25", files as
#: ``{"name", "sha256", "size", "media_type"}``, authorities as AGS strings.
Answers: TypeAlias = dict[str, Any]


class Kind(StrEnum):
    """How a field is drawn, read and written; templates choose their part by it."""

    TEXT = "text"
    TEXTAREA = "textarea"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DAY_OF_YEAR = "day_of_year"
    CHECKBOX = "checkbox"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    AUTHORITY = "authority"
    AUTHORITIES = "authorities"
    EMAIL = "email"
    IBAN = "iban"
    FILE = "file"
    FILES = "files"


class FormError(ValueError):
    """A form that must not be published; ``problems`` lists every reason with its place, in German."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers: what is stored, and the words for people."""

    value: str | int
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule holds. ``operator`` is AND, OR or LEAF; a leaf asks whether the answer at ``path`` fits
    the schema.

    A field that was not answered, or does not apply itself, fits nothing.
    """

    operator: str
    parts: tuple["Condition", ...] = ()
    path: str = ""
    fits: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Shows (or hides) an element while its condition holds."""

    shows: bool
    condition: Condition


@dataclass(frozen=True, slots=True)
class Field:
    """One question. ``path`` is its place in the answers; a column's path is ``table.column``.

    ``minimum`` and ``maximum`` are Decimal for money and numbers, date for dates; lengths count characters,
    items count list entries, ``max_bytes`` is per file. ``accept`` lists media types. ``must_be_true``
    marks a declaration that has to be confirmed; ``asks_to_confirm`` has the authorities that were named confirm it.
    """

    path: str
    label: str
    kind: Kind
    hint: str = ""
    optional: bool = False
    choices: tuple[Choice, ...] = ()
    widget: str = ""
    example: str = ""
    unit: str = ""
    autocomplete: str = ""
    min_length: int | None = None
    max_length: int | None = None
    minimum: Decimal | date | None = None
    maximum: Decimal | date | None = None
    excludes_bounds: tuple[bool, bool] = (False, False)
    min_items: int = 0
    max_items: int = 1
    accept: tuple[str, ...] = ()
    max_bytes: int = 0
    must_be_true: bool = False
    prefill: str = ""
    asks_to_confirm: bool = False
    if_missing: str = ""
    if_wrong: str = ""
    rules: tuple[Rule, ...] = ()

    @property
    def key(self) -> str:
        """The last part of the path: the name of the property."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Table:
    """A growing table: an array of objects, one row each. ``noun`` names a row ("Position").

    ``may_import``: rows may be read from a CSV file, too.
    """

    path: str
    label: str
    columns: tuple[Field, ...]
    hint: str = ""
    optional: bool = False
    min_rows: int = 0
    max_rows: int = 100
    sum_column: str = ""
    noun: str = "Position"
    prefill: str = ""
    may_import: bool = False
    if_missing: str = ""
    rules: tuple[Rule, ...] = ()

    @property
    def key(self) -> str:
        """The last part of the path: the name of the property."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph between the fields."""

    text: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading (``label`` may be empty: then it only holds them together)."""

    label: str
    elements: tuple["Element", ...]
    hint: str = ""
    rules: tuple[Rule, ...] = ()


Element: TypeAlias = Field | Table | Text | Group


@dataclass(frozen=True, slots=True)
class Page:
    """One step of the form; ``key`` stands in its address."""

    key: str
    title: str
    elements: tuple[Element, ...]
    intro: str = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """An uploaded file that is stored already: name as given, SHA-256 in hex, bytes, media type by
    content."""

    name: str
    sha256: str
    size: int
    media_type: str

    def as_answer(self) -> dict[str, str | int]:
        """The JSON object that stands for the file in the answers."""
        return {"name": self.name, "sha256": self.sha256, "size": self.size, "media_type": self.media_type}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one answer, in German.

    ``path`` is the place with row numbers from zero (``kosten.3.betrag``), ``name`` the HTML name of the
    input to put the focus on, ``label`` what a list of errors calls it („Position 4: Betrag“).
    """

    path: str
    message: str
    name: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A posted page: the new answers, what is wrong on this page, and the texts that could not become
    answers.

    ``raw`` maps HTML names to such texts, to be shown (and may be kept with the draft) until they are put
    right.
    ``revealed`` are paths of this page that only now apply: the page is to be shown again, with them.
    ``rows_changed``: a row was added or removed, so the page is shown again and nothing was complained about.
    """

    answers: Answers
    errors: tuple[FieldError, ...]
    raw: Mapping[str, str]
    revealed: frozenset[str] = frozenset()
    rows_changed: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether the next page may follow."""
        return not (self.errors or self.revealed or self.rows_changed)


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of a table's money column so far; ``left_out`` are rows (from 1) without a valid amount."""

    total: Decimal
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SummaryItem:
    """One answer in words. ``lines`` has one entry for each value of a list; empty when nothing was
    answered."""

    path: str
    label: str
    lines: tuple[str, ...]
    group: str = ""

    @property
    def value(self) -> str:
        """All lines as one text; "Keine Angabe" for none."""
        return "\n".join(self.lines) if self.lines else "Keine Angabe"


@dataclass(frozen=True, slots=True)
class SummaryTable:
    """A table in words; ``numeric`` says which columns are right-aligned, ``total`` is empty without a
    sum."""

    path: str
    label: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    total: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class SummarySection:
    """A page of the form in words; ``key`` is the page's, for the link "Ändern"."""

    key: str
    title: str
    items: tuple[SummaryItem | SummaryTable, ...]
