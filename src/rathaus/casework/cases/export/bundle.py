"""A ZIP on its way to disk: entries one by one, each with its checksum; memory does not grow with their size."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from django.utils import timezone

from rathaus.engine.csv_files import harmless

SUMS = "SHA256SUMS"
LONGEST_NAME = 100  # bytes: with a number before and a note behind it, every file system takes it
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')


def safe_name(name: str) -> str:
    """What an applicant called a file, as the name of a file in one folder, on every system.

    No path, no control or invisible characters, no leading or trailing dot, at most 100 bytes, the ending kept.
    """
    plain = unicodedata.normalize("NFC", name)
    plain = "".join("_" if unicodedata.category(char)[0] == "C" else char for char in plain)
    plain = _FORBIDDEN.sub("_", plain).strip(" .")
    path = PurePosixPath(plain or "datei")
    ending = path.suffix if len(path.suffix.encode()) <= 12 else ""
    stem = plain.removesuffix(ending) or "datei"
    room = LONGEST_NAME - len(ending.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + ending


def as_json(value: Any) -> str:
    """Indented JSON in the order given; amounts as texts, days and instants in ISO 8601."""
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class Entry:
    """An entry that is being written: takes bytes and sums them up."""

    def __init__(self, raw: Any) -> None:
        self._raw, self.sha256 = raw, hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.sha256.update(content)
        self._raw.write(content)


class Folder:
    """A folder in the bundle. Names are ours; what others named goes through `safe_name` first."""

    def __init__(self, bundle: Bundle, path: str) -> None:
        self.bundle, self.path = bundle, path

    def add(self, name: str, content: str | bytes) -> None:
        """A file at once."""
        with self.open(name) as entry:
            entry.write(content.encode() if isinstance(content, str) else content)

    def add_csv(self, name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table, row by row: UTF-8 with its mark, semicolons, nothing that a spreadsheet would run as a formula."""
        with self.open(name) as entry:
            entry.write(b"\xef\xbb\xbf")
            text = io.StringIO(newline="")
            writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
            writer.writerow(head)
            for row in rows:
                writer.writerow([_cell(value) for value in row])
                if text.tell() > 1 << 16:
                    entry.write(_taken(text))
            entry.write(_taken(text))

    @contextmanager
    def open(self, name: str) -> Iterator[Entry]:
        """A file that is written in pieces. ValueError for a name that is there already."""
        with self.bundle.entry(self.path + name) as entry:
            yield entry

    def folder(self, name: str) -> Folder:
        return Folder(self.bundle, f"{self.path}{name}/")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", ",")  # a number, with a minus that no formula begins with
    return harmless(_plain(value) if not isinstance(value, str) else value)


def _taken(text: io.StringIO) -> bytes:
    found = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return found


class Bundle:
    """The ZIP at `path`. `close` writes the checksums last; without it the file is no bundle."""

    def __init__(self, path: Path, at: datetime) -> None:
        self.at = at
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False)
        self._sums: dict[str, str] = {}
        self._names: set[str] = set()
        self.root = Folder(self, "")

    @contextmanager
    def entry(self, path: str) -> Iterator[Entry]:
        if path.casefold() in self._names:
            raise ValueError(f"{path} is in the bundle already")
        self._names.add(path.casefold())
        info = zipfile.ZipInfo(path, timezone.localtime(self.at).timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        with self._zip.open(info, "w", force_zip64=True) as raw:
            entry = Entry(raw)
            yield entry
        self._sums[path] = entry.sha256.hexdigest()

    def close(self) -> None:
        lines = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(self._sums.items()))
        self._zip.writestr(zipfile.ZipInfo(SUMS, timezone.localtime(self.at).timetuple()[:6]), lines)
        self._zip.close()

    def abandon(self) -> None:
        """End without checksums, after an error."""
        self._zip.close()
