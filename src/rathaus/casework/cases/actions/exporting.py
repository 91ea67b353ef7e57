"""Giving a whole file away: a ZIP for the court of audit, and an event that says who took it out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from rathaus.casework.cases import events
from rathaus.casework.cases.export import cover
from rathaus.casework.cases.export.bundle import Bundle, Folder, safe_name
from rathaus.casework.cases.export.case_folder import Written, write_case
from rathaus.casework.cases.export.parts import parts
from rathaus.casework.cases.export.seals import Seals
from rathaus.casework.cases.models import Case
from rathaus.casework.cases.permissions import check_may_export
from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.audit.kinds import EventKind
from rathaus.core.identity.actors import Actor

SCRIPT = Path(cover.__file__).with_name("pruefen.py")


@dataclass(frozen=True)
class Export:
    """What was written: how much, what of it is lost (paths in the ZIP), and the SHA-256 of the whole file."""

    cases: int
    documents: int
    missing: tuple[str, ...]
    sha256: str


def export_case(*, by: Actor, reference: str, to: Path) -> Export:
    """Write a case to a ZIP, from the case that it began with to all that followed. Raises Case.DoesNotExist.

    For the head and the audit of the authority. The file is there whole or not at all; an event says who made it.
    """
    check_may_export(by, by.staff_of)
    with by.acting():
        case = Case.objects.get(authority_id=by.staff_of, reference=reference)
        first = case
        while first.about is not None:
            first = first.about
        with bundle_at(to) as bundle:
            written = write_cases([first], bundle.root.folder("vorgaenge"), seals := Seals(by.staff_of))
            seals.write(bundle.root)
            finish(bundle, f"Akte {first.reference}", first.authority.label, written)
        return recorded(events.EXPORTED, by, to, written, case=case)


def write_cases(
    cases: Iterable[Case],
    into: Folder,
    seals: Seals,
    *,
    seen: set[object] | None = None,
    on_case: Callable[[], None] | None = None,
) -> list[Written]:
    """A folder for each case and for each that followed it, in that order; none twice."""
    written, known = [], set() if seen is None else seen
    for case in _with_follow_ups(cases):
        if case.id in known:
            continue
        known.add(case.id)
        written.append(write_case(case, into.folder(safe_name(case.reference)), seals))
        if on_case:
            on_case()
    return written


def _with_follow_ups(cases: Iterable[Case]) -> Iterator[Case]:
    for case in cases:
        yield case
        later = Case.objects.filter(about=case, authority_id=case.authority_id)
        yield from _with_follow_ups(later.select_related("offer", "about").order_by("id"))


def finish(
    bundle: Bundle, title: str, authority: str, written: list[Written], files: str = "", more: str = ""
) -> None:
    """The cover of a bundle, when all its cases are in it. `files` explains what else is in it, `more` is HTML about it."""
    files = "".join(part.files for part in parts()) + files
    documents = sum(each.documents for each in written)
    bundle.root.add("README.txt", cover.readme(title, authority, bundle.at, written, documents, files))
    bundle.root.add("index.html", cover.index(title, authority, bundle.at, written, more))
    bundle.root.add("pruefen.py", SCRIPT.read_bytes())


@contextmanager
def bundle_at(to: Path) -> Iterator[Bundle]:
    """A bundle that is at `to` when all went well, and nothing is there if not."""
    with NamedTemporaryFile(dir=to.parent, prefix=".", suffix=".zip", delete=False) as beside:
        path = Path(beside.name)
    bundle = Bundle(path, clock.now())
    try:
        yield bundle
        bundle.close()
        path.replace(to)
    finally:
        bundle.abandon()
        path.unlink(missing_ok=True)


def recorded(
    kind: EventKind, by: Actor, to: Path, written: list[Written], *, case: Case | None = None, **data: str
) -> Export:
    """Say in the history what left the house. If that fails, the file goes again."""
    missing = tuple(path for each in written for path in each.missing)
    with to.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    found = Export(len(written), sum(each.documents for each in written), missing, sha256)
    try:
        record(
            kind,
            by=by,
            authority=by.staff_of,
            case=case.id if case else None,
            cases=found.cases,
            documents=found.documents,
            missing=len(missing),
            sha256=sha256,
            **data,
        )
    except BaseException:
        to.unlink(missing_ok=True)
        raise
    return found
