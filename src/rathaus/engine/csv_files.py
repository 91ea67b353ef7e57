"""CSV files from elsewhere: UTF-8, semicolons, a header; read line by line, refused whole with line and reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LineProblem:
    """Why a line cannot be taken; line 1 is the header."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"Zeile {self.line}: {self.reason}"


class FileNotImported(Exception):
    """Nothing of the file was taken. `problems` has every line that is wrong."""

    def __init__(self, problems: Sequence[LineProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


def read_records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not an empty line, with the line on which it begins (a quoted value may go on over several).

    Raises FileNotImported, at once or when the line is reached.
    """
    reader = csv.reader(io.StringIO(_decoded(content), newline=""), delimiter=";", strict=True)
    line = 1
    try:
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1
    except csv.Error as wrong:
        reason = (
            "Die Zeile ist kein gültiges CSV. Vielleicht fehlt ein Anführungszeichen, oder eines ist zu viel."
        )
        raise _refused(line, reason) from wrong


def read_rows(
    content: bytes, *, most: int, needed: Sequence[str] = ()
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each further record with its line, as long as the header. Raises FileNotImported.

    `needed` are columns without which nothing can be said; `most` is how many records are read.
    """
    records = read_records(content)
    _, header = next(records, (1, []))
    if missing := [name for name in needed if name not in header]:
        raise FileNotImported([LineProblem(1, f"Spalte „{name}“ fehlt.") for name in missing])
    named = [name for name in header if name.strip()]
    if len(set(named)) != len(named):
        raise _refused(1, "Eine Spalte kommt zweimal vor.")
    rows: list[tuple[int, list[str]]] = []
    for line, values in records:
        if len(values) != len(header):
            raise _refused(line, f"Die Zeile hat nicht {len(header)} Spalten wie die Kopfzeile.")
        rows.append((line, values))
        if len(rows) > most:
            raise _refused(line, f"Mehr als {most} Zeilen.")
    return header, rows


def write_rows(rows: Sequence[Sequence[str]]) -> bytes:
    """A file that `read_rows` and spreadsheets read: UTF-8 with byte order mark, semicolons, lines of Windows."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content[: wrong.start].count(b"\n") + 1
        raise _refused(line, "Die Datei ist nicht UTF-8. Speichern Sie sie als „CSV UTF-8“.") from wrong
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise _refused(line, "Die Zeile enthält ein Nullzeichen. Die Datei ist beschädigt.")
    return text


def _refused(line: int, reason: str) -> FileNotImported:
    return FileNotImported([LineProblem(line, reason)])


def harmless(cell: str) -> str:
    """A text that a spreadsheet would run as a formula is marked as text by an apostrophe."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
