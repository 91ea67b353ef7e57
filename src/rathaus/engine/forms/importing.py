"""Texts of a CSV file as answers: a cell, and all rows of a growing table. Read as the form itself reads what is typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rathaus.engine.csv_files import FileNotImported, LineProblem, read_rows, write_rows
from rathaus.engine.forms import values
from rathaus.engine.forms.model import Answers, Field, Kind, Table
from rathaus.engine.forms.reading import FindAuthority

#: What stands for the file of rows among the places of a table: ``belege._datei``.
FILE_PLACE = "_datei"
_TOLD_AT_MOST = 20
_WORDS = {"ja": True, "nein": False}


def template_of(table: Table) -> bytes:
    """An empty file with the header that `rows_of` reads."""
    labels = [column.label for column in table.columns]
    is_clear = len({_folded(label) for label in labels}) == len(labels)
    return write_rows([labels if is_clear else [column.key for column in table.columns]])


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row of a file with its line; ``unread`` are columns whose text is no answer."""

    line: int
    answers: Answers
    unread: frozenset[str]


def rows_of(
    table: Table, content: bytes, *, most: int, find_authority: FindAuthority | None = None
) -> tuple[list[ImportedRow], list[LineProblem]]:
    """The rows that a file holds, and why some cannot be read. Raises FileNotImported where nothing can be read.

    Columns are named by label or key, in any order; lines without any value are skipped; at most `most` rows fit. What
    the form demands of rows is not yet checked.
    """
    header, records = read_rows(content, most=table.max_rows * 10)
    columns = _header(table, header)
    problems: list[LineProblem] = []
    rows: list[ImportedRow] = []
    for line, cells in records:
        texts = [cell.strip() for cell in cells]
        if not any(texts):
            continue
        if len(rows) == most:
            taken = f"; {table.max_rows - most} stehen schon darin" if most < table.max_rows else ""
            reason = f"In die Liste passen höchstens {table.max_rows} Zeilen{taken}."
            problems.append(LineProblem(line, reason))
            break
        row, wrong = _row(columns, texts, find_authority)
        problems += [LineProblem(line, reason) for reason in wrong.values()]
        rows.append(ImportedRow(line, row, frozenset(wrong)))
    if not rows and not problems:
        raise FileNotImported([LineProblem(1, "Unter der Kopfzeile steht nichts.")])
    return rows, problems


def _row(
    columns: Sequence[Field | None], texts: Sequence[str], find_authority: FindAuthority | None
) -> tuple[Answers, dict[str, str]]:
    """The answers of a row, and by column the sentence for what cannot be read."""
    row: Answers = {}
    wrong: dict[str, str] = {}
    for column, text in zip(columns, texts, strict=True):
        if column is None:
            if text:
                wrong[""] = f"„{values.short(text)}“ steht in einer Spalte ohne Überschrift."
        elif text:
            try:
                row[column.key] = value_of(column, text, find_authority=find_authority)
            except values.WrongText as problem:
                wrong[column.key] = named(column, problem.message)
        elif column.kind is Kind.CHECKBOX and not column.must_be_true:
            row[column.key] = False  # as an unticked box is read
    return row, wrong


def named(item: Field | Table, message: str) -> str:
    """A message that says which column it is about."""
    return message if f"„{item.label}“" in message else f"{item.label}: {message}"


def told(refused: FileNotImported) -> str:
    """What people read of a file that was refused: a sentence, then each problem on a line of its own."""
    lines = [str(problem) for problem in refused.problems]
    rest = len(lines) - _TOLD_AT_MOST
    more = [f"Und {rest} weitere."] if rest > 0 else []
    first = "Die Datei ist nicht eingelesen, von ihr ist nichts übernommen."
    return "\n".join([first, *lines[:_TOLD_AT_MOST], *more])


def value_of(field: Field, text: str, *, find_authority: FindAuthority | None = None) -> Any:
    """What the text of a cell means; lists are separated by `|`, choices named by their words. Raises WrongText."""
    if field.kind in (Kind.CHECKBOX, Kind.YES_NO):
        if text.lower() not in _WORDS:
            raise values.WrongText(f"„{values.short(text)}“ ist weder „ja“ noch „nein“.")
        return _WORDS[text.lower()]
    if field.kind in (Kind.CHOICES, Kind.AUTHORITIES):
        return [_one(field, part, find_authority) for part in parts_of(text)]
    return _one(field, text, find_authority)


def parts_of(text: str) -> list[str]:
    """The entries of a list in one cell."""
    return [part.strip() for part in text.split("|") if part.strip()]


def _one(field: Field, text: str, find_authority: FindAuthority | None) -> Any:
    text = values.tidy(text, multiline=field.kind is Kind.TEXTAREA)
    if field.choices:
        named = {_folded(choice.label): str(choice.value) for choice in field.choices}
        text = named.get(_folded(text), text)
    if find_authority and field.kind in (Kind.AUTHORITY, Kind.AUTHORITIES):
        text = find_authority(text) or text
    return values.parse(field, text)


def _header(table: Table, header: Sequence[str]) -> list[Field | None]:
    """The column that each heading names; None for none. Raises FileNotImported."""
    known = _known(table)
    if len(header) == 1 and len(known) > 1 and any(mark in header[0] for mark in ",\t"):
        raise FileNotImported([LineProblem(1, "Die Spalten sind nicht mit Semikolon getrennt.")])
    problems = []
    found: list[Field | None] = []
    for heading in header:
        column = known.get(_folded(heading))
        if column is None and heading.strip():
            labels = ", ".join(f"„{column.label}“" for column in table.columns)
            reason = f"Die Spalte „{values.short(heading)}“ kennen wir nicht. Möglich sind: {labels}."
            problems.append(LineProblem(1, reason))
        elif column is not None and column in found:
            problems.append(LineProblem(1, f"Die Spalte „{column.label}“ kommt zweimal vor."))
        found.append(column)
    problems += [
        LineProblem(1, f"Die Spalte „{column.label}“ fehlt.")
        for column in table.columns
        if not column.optional and column not in found
    ]
    if problems:
        raise FileNotImported(problems)
    return found


def _known(table: Table) -> Mapping[str, Field]:
    """Columns by what a heading may call them; a label that two columns have names neither."""
    columns = table.columns
    labels = [_folded(column.label) for column in columns]
    known = {label: column for label, column in zip(labels, columns, strict=True) if labels.count(label) == 1}
    return {**known, **{column.key: column for column in columns}}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
