"""The main job: 446 applications from a file, checked, decided by two people, and answered with 446 notices."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from rathaus.casework.cases.actions.decisions import allow_exception
from rathaus.casework.cases.actions.importing import import_applications
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Finding, Incident, Task
from rathaus.cli.commands import beside
from rathaus.cli.demo.place import ROOT, Place
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.models import Allotment
from rathaus.engine.letters import render_letter
from rathaus.law.money import share_largest_remainder

Progress = Callable[[str, int, int], None]
REASON_LAHNAU = (
    "Das Vorhaben ergänzt eine vorhandene Lösung. Der Zweck wird mit weniger Geld erreicht; "
    "ein höherer Antrag wäre nicht sparsam."
)
_TIMEOUT_SECONDS = 300
# While all of them still existed: Bromskirchen merged into Allendorf (Eder) on 1 January 2023.
HANDED_IN_AT = datetime(2021, 5, 27, 8, tzinfo=UTC)
SAMPLES = ROOT / "leistungen/starke-heimat-smart/beispiele"


class DemoFailed(Exception):
    """The round did not end as it must; the text says where."""


def write_applications(place: Place, file: Path) -> int:
    """Write the file that a ministry might send us: 443 applications of 2020 and three projects. Answers the lines."""
    with place.clerk.acting():
        allotments = dict(
            Allotment.objects.filter(call=place.first_call).values_list("recipient_id", "amount")
        )
    rows: list[dict[str, str]] = [
        {
            "leistung": place.first_call.offer.slug,
            "ags": authority.ags,
            **flatten(first_call_answers(authority.label, allotments[authority.id])),
        }
        for authority in place.all_2020
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    for name, ags in THREE_PROJECTS.items():
        answers = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))["antrag"]
        for attachment in _files_in(answers):
            (file.parent / attachment).write_bytes(
                project_description(answers["titel"], answers["beschreibung"])
            )
        rows.append({"leistung": place.smart_call.offer.slug, "ags": ags, **flatten(answers)})
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=";", restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8")
    return len(rows)


THREE_PROJECTS = {"ehringshausen": "06532008", "lahnau": "06532015", "waldsolms": "06532022"}


def first_call_answers(label: str, amount: Decimal) -> dict:
    """What a municipality applies for in 2020: its allotment, for the purposes of the programme."""
    return {
        "zwecke": ["IT-Infrastruktur und Arbeitsplätze", "Elektronische Akten"],
        "vorhaben": f"Wir führen elektronische Akten ein und statten die Arbeitsplätze aus ({label}).",
        "betrag": str(amount),
        "ansprechperson": {
            "name": "Büro der Verwaltungsleitung",
            "funktion": "Verwaltungsleitung",
            "email": "verwaltung@kommune.example",
        },
        "nicht_begonnen": True,
        "richtig": True,
    }


def project_description(title: str, text: str) -> bytes:
    """The attachment that a project brings: a real PDF, so that the file passes what every upload must pass."""
    template = '#import "brief.typ": *\n#set document(title: sys.inputs.titel)\n= #daten.titel\n#daten.text'
    data = {"datum": date(2021, 5, 25), "titel": title, "text": text}
    return render_letter(template, data, fonts=settings.LETTER_FONTS, title=title)


def flatten(answers: object, path: str = "") -> dict[str, str]:
    """Answers as columns of a CSV line: `kosten.0.betrag`; lists of values are joined with `|`, files go by name."""
    if isinstance(answers, dict):
        if "sha256" in answers:
            return {path: answers["name"]}
        found: dict[str, str] = {}
        for key, value in answers.items():
            found.update(flatten(value, f"{path}.{key}" if path else key))
        return found
    if isinstance(answers, list):
        if any(isinstance(value, dict) and "sha256" not in value for value in answers):
            found = {}
            for number, value in enumerate(answers):
                found.update(flatten(value, f"{path}.{number}"))
            return found
        return {path: "|".join(value["name"] if isinstance(value, dict) else str(value) for value in answers)}
    if isinstance(answers, bool):
        return {path: "ja" if answers else "nein"}
    return {path: str(answers)}


def _files_in(answers: object) -> Iterator[str]:
    if isinstance(answers, dict):
        if "sha256" in answers:
            yield answers["name"]
        else:
            for value in answers.values():
                yield from _files_in(value)
    elif isinstance(answers, list):
        for value in answers:
            yield from _files_in(value)


def run_round(place: Place, file: Path, progress: Progress) -> float:
    """Import, check, decide, notify. Answers the seconds from the import to the last notice.

    A round that was interrupted goes on where it was: the import is all or nothing.
    """
    begun = time.perf_counter()
    with place.clerk.acting():
        is_imported = Case.objects.filter(offer=place.first_call.offer).exists()
    if not is_imported:
        with clock.living_at(HANDED_IN_AT):
            import_applications(
                by=Actor.system(place.ministry.id),
                content=file.read_bytes(),
                attachments=beside(file),
                progress=lambda done, total: progress("Anträge einlesen, Regeln prüfen", done, total),
            )
    with workers(2):
        _allow_exception_for_lahnau(place)
        _work_off(place, place.clerk, "Sachbearbeitung", "Vorschlagen", progress)
        _work_off(place, place.approver, "Freigabe", "Freigeben", progress)
        _wait_for_notices(place, progress)
    return time.perf_counter() - begun


def _allow_exception_for_lahnau(place: Place) -> None:
    with place.approver.acting():
        failed = list(Finding.objects.filter(result="failed", is_current=True).select_related("case"))
    expected = {("Gemeinde Lahnau", "mindestbetrag")}
    if {(finding.case.party_name, finding.rule) for finding in failed} != expected:
        raise DemoFailed(f"Unerwartete Prüfergebnisse: {[(f.case.party_name, f.rule) for f in failed]}")
    if failed[0].excepted_at is None:
        allow_exception(by=place.approver, finding=failed[0].id, reason=REASON_LAHNAU)


def _work_off(place: Place, by: Actor, role: str, title: str, progress: Progress) -> None:
    """Complete every open task of a role, as that person, until there is none left."""
    done = 0
    while True:
        with by.acting():
            open_ones = Task.objects.filter(state="open", role=role).select_related(
                "case__offer", "case__terms", "case__application"
            )
            tasks = list(open_ones.order_by("id"))
        if not tasks:
            return
        total = done + len(tasks)
        for task in tasks:
            complete_task(by=by, task=task.id, answers=_answers(task))
            done += 1
            progress(title, done, total)


def _answers(task: Task) -> dict:
    match task.form:
        case "kern:pruefung":
            return {"vollstaendig": True}
        case "kern:vorschlag":
            return {
                "ergebnis": "granted",
                "betrag": task.case.amount,
                "begruendung": "Das Vorhaben erfüllt den Zweck des Programms.",
                "einzelheiten": {"jahre": _by_year(task.case)},
            }
    return {"freigegeben": True}


def _by_year(case: Case) -> dict[str, str]:
    """A grant evenly over the years of its call."""
    years = [str(year) for year in case.parameters.get("jahre", [])]
    if not years or case.amount is None:
        return {}
    shares = share_largest_remainder(case.amount, [1] * len(years))
    return {year: str(share) for year, share in zip(years, shares, strict=True)}


def _wait_for_notices(place: Place, progress: Progress) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with place.approver.acting():
            total = Case.objects.filter(authority=place.ministry).count()
            open_cases = (
                Case.objects.filter(authority=place.ministry).exclude(state=CaseState.COMPLETED).count()
            )
            incident = Incident.objects.filter(state="open").first()
        if incident:
            raise DemoFailed(f"{incident.operation}: {incident.reason}")
        progress("Bescheide erstellen", total - open_cases, total)
        if not open_cases:
            return
        time.sleep(0.1)
    raise DemoFailed(f"Nach {_TIMEOUT_SECONDS} Sekunden fehlten noch {open_cases} Bescheide.")


@contextmanager
def workers(number: int) -> Iterator[None]:
    """Job workers beside us, as in real life; ended afterwards."""
    command = [sys.executable, "-m", "rathaus", "worker"]
    started = [subprocess.Popen(command) for _ in range(number)]  # noqa: S603  our own program
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)
