"""A page ready to be drawn: every field with its HTML name, its text and its error."""

from dataclasses import dataclass
from typing import TypeAlias

from rathaus.engine.forms.model import Field, FileAnswer, Group, Sum, Table, Text


@dataclass(frozen=True, slots=True)
class OptionView:
    """One choice: what is posted, the words for people, its HTML id."""

    value: str
    label: str
    hint: str
    id: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class InputView:
    """One text input of a field that has several: day, month, year, or one entry of a list."""

    name: str
    id: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field with its HTML ``name``, ``id``, ``text`` as typed or stored, and ``error`` (empty: none).

    ``inputs`` serves dates and lists of authorities, ``options`` choices, ``files`` uploads; ``id`` is always
    the first control's, so that a list of errors can link to it. ``error_id`` is for ``aria-describedby``.
    """

    field: Field
    name: str
    id: str
    text: str = ""
    is_checked: bool = False
    inputs: tuple[InputView, ...] = ()
    options: tuple[OptionView, ...] = ()
    files: tuple[FileAnswer, ...] = ()
    error: str = ""

    @property
    def error_id(self) -> str:
        """The id of the error's paragraph."""
        return f"{self.id}-fehler"

    @property
    def hint_id(self) -> str:
        """The id of the hint's paragraph."""
        return f"{self.id}-hinweis"


@dataclass(frozen=True, slots=True)
class RowView:
    """One row of a table: ``number`` counts from 1, ``remove`` is the value of its ``remove`` button."""

    number: int
    remove: str
    cells: tuple[FieldView, ...]

    @property
    def has_error(self) -> bool:
        """Whether any cell is wrong."""
        return any(cell.error for cell in self.cells)


@dataclass(frozen=True, slots=True)
class TableView:
    """A growing table. ``error`` concerns the table as a whole; ``can_add`` is false at the limit of rows.

    ``can_import`` offers to read rows from a CSV file; ``not_imported`` says, line by line, why one was refused.
    """

    table: Table
    id: str
    rows: tuple[RowView, ...]
    can_add: bool
    sum: Sum | None = None
    error: str = ""
    can_import: bool = False
    not_imported: tuple[str, ...] = ()

    @property
    def error_id(self) -> str:
        """The id of the error's paragraph."""
        return f"{self.id}-fehler"

    @property
    def import_id(self) -> str:
        """The id of the input for a file of rows."""
        return f"{self.id}-datei"


@dataclass(frozen=True, slots=True)
class GroupView:
    """Fields under one heading."""

    group: Group
    elements: tuple["ElementView", ...]


ElementView: TypeAlias = FieldView | TableView | GroupView | Text
