"""Handing in many applications from a CSV file: all of them, or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid5

from rathaus.casework.cases.actions.answers import InvalidAnswers
from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.models import Application, Case
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import by_ags, why_ended
from rathaus.core.files import actions as files
from rathaus.core.files.actions import FileRefused
from rathaus.core.identity.actions import party_of_authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.engine.csv_files import FileNotImported, LineProblem, read_rows
from rathaus.engine.forms import Field, Kind
from rathaus.engine.forms.importing import parts_of, value_of
from rathaus.engine.forms.values import WrongText

FIXED = ("leistung", "ags")
ABOUT = "bezug"
ROWS_AT_MOST = 20_000
_SPACE = UUID("0194c5a0-0000-7000-8000-000000000001")


@dataclass(frozen=True)
class _Line:
    number: int
    offer: Offer
    authority: Authority
    answers: dict[str, Any]
    files: dict[str, list[str]]
    submission: UUID
    about: Case | None


def import_applications(
    *,
    by: Actor,
    content: bytes,
    attachments: Callable[[str], bytes] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Case]:
    """Hand in every line of a CSV file (UTF-8, semicolons, header) in one transaction, or none of them.

    Columns: `leistung` (slug of the offer), `ags` (municipality key of the applicant), perhaps `bezug` (reference of the
    earlier case that a follow-up is about), then fields of the form by path: `kosten.0.betrag`; lists of values are
    separated by `|`. A file field names a file that `attachments` reads (FileNotFoundError if it cannot). Raises
    FileNotImported with line and reason of each fault.
    """
    if not by.is_staff:
        raise NotAllowed("Anträge einlesen darf nur die Behörde, bei der sie eingehen.")
    rows = _rows(content)
    with by.acting():
        lines = _lines(by, rows)
        problems: list[LineProblem] = []
        cases: list[Case] = []
        for line in lines:
            try:
                with by.acting():
                    party = party_of_authority(line.authority)
                    answers = _with_files(line, party.id, attachments)
                    cases.append(
                        submit_application(
                            by=by,
                            offer=line.offer,
                            party=party,
                            answers=answers,
                            submission=line.submission,
                            about=line.about,
                        )
                    )
            except InvalidAnswers as wrong:
                problems += [LineProblem(line.number, f"{e.path}: {e.message}") for e in wrong.errors]
            except (Refused, NotAllowed, FileRefused) as wrong:
                problems.append(LineProblem(line.number, str(wrong)))
            progress(len(cases), len(lines))
        if problems:
            raise FileNotImported(problems)
        return cases


def _rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    header, rows = read_rows(content, most=ROWS_AT_MOST, needed=FIXED)
    if not rows:
        raise FileNotImported([LineProblem(1, "Die Datei enthält keine Anträge.")])
    return [(line, dict(zip(header, values, strict=True))) for line, values in rows]


def _lines(by: Actor, rows: list[tuple[int, dict[str, str]]]) -> list[_Line]:
    """Lines that name a known offer of this authority and a known applicant, once each; else all problems."""
    offers = {
        offer.slug: offer
        for offer in Offer.objects.filter(authority_id=by.staff_of).select_related("authority", "terms")
    }
    register = by_ags({row["ags"].strip() for _, row in rows})
    earlier = _earlier(by, rows)
    problems: list[LineProblem] = []
    lines: list[_Line] = []
    seen: dict[UUID, int] = {}
    for number, row in rows:
        offer, authority = offers.get(row["leistung"].strip()), register.get(row["ags"].strip())
        if offer is None:
            problems.append(
                LineProblem(number, f"Die Leistung „{row['leistung']}“ bietet diese Behörde nicht an.")
            )
            continue
        if authority is None:
            problems.append(
                LineProblem(number, f"Den Gemeindeschlüssel „{row['ags']}“ gibt es im Verzeichnis nicht.")
            )
            continue
        reference = row.get(ABOUT, "").strip()
        if reference and reference not in earlier:
            problems.append(
                LineProblem(number, f"Den Vorgang „{reference}“ gibt es bei dieser Behörde nicht.")
            )
            continue
        if not reference and (ended := why_ended(authority, clock.today())):
            problems.append(LineProblem(number, ended))
            continue
        submission = _submission(offer, authority, row)
        if submission in seen:
            problems.append(
                LineProblem(number, f"{authority.label} steht schon in Zeile {seen[submission]}.")
            )
            continue
        seen[submission] = number
        try:
            answers, named = _answers(offer, row)
        except ValueError as wrong:
            problems.append(LineProblem(number, str(wrong)))
            continue
        about = earlier.get(reference)
        lines.append(_Line(number, offer, authority, answers, named, submission, about))
    already = set(Application.objects.filter(submission__in=seen).values_list("submission", flat=True))
    problems += [
        LineProblem(line.number, f"{line.authority.label} hat diesen Antrag schon gestellt.")
        for line in lines
        if line.submission in already
    ]
    if problems:
        raise FileNotImported(sorted(problems, key=lambda problem: problem.line))
    return lines


def _earlier(by: Actor, rows: list[tuple[int, dict[str, str]]]) -> dict[str, Case]:
    """The cases that the lines refer to, by reference; those that this authority does not keep are missing."""
    wanted = {reference for _, row in rows if (reference := row.get(ABOUT, "").strip())}
    if not wanted:
        return {}
    found = Case.objects.filter(authority_id=by.staff_of, reference__in=wanted)
    return {case.reference: case for case in found}


def _submission(offer: Offer, authority: Authority, row: Mapping[str, str]) -> UUID:
    """What makes a line the same as one that came in before: offer and municipality; for a follow-up, of which there
    may be several, all that it says."""
    if not row.get(ABOUT, "").strip():
        return uuid5(_SPACE, f"{offer.id}/{authority.ags}")
    said = json.dumps({name: text.strip() for name, text in row.items() if text.strip()}, sort_keys=True)
    return uuid5(_SPACE, f"{offer.id}/{authority.ags}/{said}")


def _answers(offer: Offer, row: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Texts of a line as answers of the form, and names of files by column; columns of other services must be empty."""
    form = package_of(offer.version_id).form
    answers: dict[str, Any] = {}
    named: dict[str, list[str]] = {}
    for column, text in row.items():
        if column in (*FIXED, ABOUT) or not (text := text.strip()):
            continue
        node = form.find(column)
        if not isinstance(node, Field):
            raise ValueError(f"Das Feld „{column}“ kennt das Formular nicht.")
        if node.kind in (Kind.FILE, Kind.FILES):
            named[column] = parts_of(text)
        else:
            _put(answers, column.split("."), _value(node, text, column))
    return answers, named


def _with_files(line: _Line, party: UUID, attachments: Callable[[str], bytes] | None) -> dict[str, Any]:
    """The answers of a line with its files, kept for the party that hands them in."""
    answers = {**line.answers}
    form = package_of(line.offer.version_id).form
    for column, names in line.files.items():
        kept = []
        for name in names:
            try:
                if attachments is None:
                    raise FileNotFoundError
                content = attachments(name)
            except OSError as wrong:
                raise FileRefused(f"{column}: Die Datei „{name}“ liegt nicht bei.") from wrong
            media_type = files.media_type_of(name, content)
            blob = files.keep(
                authority=line.offer.authority_id, content=content, media_type=media_type, party=party
            )
            kept.append({"name": name, "sha256": blob.sha256, "size": blob.size, "media_type": media_type})
        node = form.find(column)
        is_list = isinstance(node, Field) and node.kind is Kind.FILES
        _put(answers, column.split("."), kept if is_list else kept[0])
    return answers


def _value(field: Field, text: str, column: str) -> Any:
    """What the text means, read as the form itself reads it. Raises ValueError with column and reason."""
    try:
        return value_of(field, text)
    except WrongText as wrong:
        raise ValueError(f"{column}: {wrong.message}") from wrong


def _put(answers: dict[str, Any], path: list[str], value: Any) -> None:
    """Set `kosten.0.betrag`; rows of a table are lists."""
    here: Any = answers
    for step, following in pairwise(path):
        fresh: Any = [] if following.isdigit() else {}
        if isinstance(here, list):
            index = int(step)
            if index > len(here):
                raise ValueError(f"{'.'.join(path)}: Die Zeile davor fehlt.")
            if index == len(here):
                here.append(fresh)
            here = here[index]
        elif isinstance(here, dict):
            here = here.setdefault(step, fresh)
    if not isinstance(here, dict):
        raise ValueError(f"Das Feld „{'.'.join(path)}“ kennt das Formular nicht.")
    here[path[-1]] = value
