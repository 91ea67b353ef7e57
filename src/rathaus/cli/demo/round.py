"""Rounds: applications from a file, checked, decided by two people, and answered with notices."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from rathaus.casework.cases.actions.decisions import allow_exception
from rathaus.casework.cases.actions.importing import import_applications
from rathaus.casework.cases.enums import CaseState
from rathaus.casework.cases.models import Case, Finding, Task
from rathaus.cli.commands import beside
from rathaus.cli.demo.people import DemoFailed, Hands, yes
from rathaus.cli.demo.place import ROOT, Place
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.models import Allotment, Call
from rathaus.engine.letters import render_letter
from rathaus.law.money import share_largest_remainder

Progress = Callable[[str, int, int], None]
REASON_LAHNAU = (
    "Das Vorhaben ergänzt eine vorhandene Lösung. Der Zweck wird mit weniger Geld erreicht; "
    "ein höherer Antrag wäre nicht sparsam."
)
CENT = Decimal("0.01")
INVENTED = "Dieses Vorhaben ist für die Vorführung erfunden; die Kommune hat damit nichts zu tun."


def write_first(place: Place, folder: Path) -> Path:
    """The file that a ministry might send us: 443 applications of 2020."""
    with place.hessen.clerk.acting():
        allotments = dict(
            Allotment.objects.filter(call=place.first_call).values_list("recipient_id", "amount")
        )
    rows = [
        {
            "leistung": place.first_call.offer.slug,
            "ags": authority.ags,
            **flatten(first_call_answers(authority.label, allotments[authority.id])),
        }
        for authority in place.all_2020
    ]
    return write(folder / "antraege-2020.csv", rows)


def write_projects(place: Place, folder: Path) -> Path:
    """The three projects of 2021, with what they bring."""
    rows = []
    for name, ags in THREE_PROJECTS.items():
        answers = with_files(sample("starke-heimat-smart", name), folder)
        rows.append({"leistung": place.smart_call.offer.slug, "ags": ags, **flatten(answers)})
    return write(folder / "antraege-2021.csv", rows)


def sample(package: str, name: str) -> dict[str, Any]:
    """The answers of a package's sample application."""
    file = ROOT / "leistungen" / package / "beispiele" / f"{name}.json"
    answers: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["antrag"]
    return answers


def with_files(answers: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same answers, once the files that they name lie in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for attachment in _files_in(answers):
        (folder / attachment).write_bytes(project_description(answers["titel"], answers["beschreibung"]))
    return answers


def write(file: Path, rows: list[dict[str, str]]) -> Path:
    """A file of applications as `import_applications` reads it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=";", restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8")
    return file


def write_later(folder: Path, slug: str) -> Path:
    """Applications of a later call: the project of Lahnau, as other towns might bring it."""
    answers = with_files(sample("starke-heimat-smart", "lahnau"), folder)
    rows = []
    for ags, title, cost in LATER_PROJECTS:
        period = {
            "ziel": "Am 30. November 2027 sind alle laufenden Akten digital.",
            "beginn": "2026-02-01",
            "ende": "2027-12-31",
        }
        said = {
            **answers,
            **period,
            "titel": title,
            "beschreibung": INVENTED,
            **paid_with(title, cost, cost * 4 / 5),
        }
        rows.append({"leistung": slug, "ags": ags, **flatten(said)})
    return write(folder / "antraege-2025.csv", rows)


def paid_with(what: str, cost: Decimal, grant: Decimal, kind: str = "Software") -> dict[str, Any]:
    """Cost and how it is paid, as the forms of projects ask for it: a grant, and the municipality's own share. Euros."""
    cost, grant = cost.quantize(CENT), grant.quantize(CENT)
    return {
        "kosten": [{"art": kind, "wofuer": what, "betrag": str(cost)}],
        "zuschuss": str(grant),
        "finanzierung": [{"quelle": "Eigenanteil", "wer": "Eigene Mittel", "betrag": str(cost - grant)}],
    }


LATER_PROJECTS = (
    ("06532001", "Digitaler Bauantrag", Decimal("240000.00")),
    ("06534014", "Bürgerportal mit Bezahlfunktion", Decimal("187500.00")),
    ("06631009", "Sensoren für Wasser und Verkehr", Decimal("412000.00")),
    ("06635002", "Ratsinformation für alle", Decimal("150000.00")),
)
THREE_PROJECTS = {"ehringshausen": "06532008", "lahnau": "06532015", "waldsolms": "06532022"}


def first_call_answers(label: str, amount: Decimal) -> dict[str, Any]:
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


def hand_in(hands: Hands, call: Call, file: Path, progress: Progress) -> None:
    """Import a file of applications for a call, all or nothing; once."""
    with hands.clerk.acting():
        if Case.objects.filter(offer=call.offer).exists():
            return
    import_applications(
        by=Actor.system(hands.house.ministry.id),
        content=file.read_bytes(),
        attachments=beside(file),
        progress=lambda done, total: progress(f"{call.title}: einlesen, prüfen", done, total),
    )


def hand_in_and_decide(
    hands: Hands,
    call: Call,
    file: Path,
    progress: Progress,
    *,
    handed_in: str,
    decided: str,
    many: bool = False,
    first: Callable[[], object] = lambda: None,
) -> None:
    """Import a file of applications on one day, and check, decide and notify on another; `first` comes before that.

    A round that was interrupted goes on where it was.
    """
    with hands.living(handed_in, many=many):
        hand_in(hands, call, file, progress)
    with hands.living(decided, many=many):
        first()
        hands.work_off(
            lambda done, total: progress(f"{call.title}: entscheiden", done, total), answers=decide
        )
    with hands.clerk.acting():
        open_cases = Case.objects.filter(offer=call.offer).exclude(state=CaseState.COMPLETED).count()
    if open_cases:
        raise DemoFailed(f"{open_cases} Anträge haben keinen Bescheid.")


def round_of_2020(hands: Hands, place: Place, folder: Path, progress: Progress) -> None:
    """All municipalities and counties, from the file to the last notice."""
    file = write_first(place, folder)
    hand_in_and_decide(
        hands, place.first_call, file, progress, handed_in="2020-09-28", decided="2020-10-19", many=True
    )


def round_of_2021(hands: Hands, place: Place, folder: Path, progress: Progress) -> None:
    """The three projects, one with an exception."""
    hand_in_and_decide(
        hands,
        place.smart_call,
        write_projects(place, folder),
        progress,
        handed_in="2021-05-27",
        decided="2021-06-21",
        first=lambda: _allow_exception_for_lahnau(place),
    )


def run_round(place: Place, folder: Path, progress: Progress) -> float:
    """Both from their files to the last notice; answers the seconds."""
    begun = time.perf_counter()
    hands = Hands.of(place.hessen)
    round_of_2020(hands, place, folder, progress)
    round_of_2021(hands, place, folder, progress)
    return time.perf_counter() - begun


def _allow_exception_for_lahnau(place: Place) -> None:
    with place.hessen.head.acting():
        failed = list(Finding.objects.filter(result="failed", is_current=True).select_related("case"))
    expected = {("Gemeinde Lahnau", "mindestbetrag")}
    if {(finding.case.party_name, finding.rule) for finding in failed} != expected:
        raise DemoFailed(f"Unerwartete Prüfergebnisse: {[(f.case.party_name, f.rule) for f in failed]}")
    if failed[0].excepted_at is None:
        allow_exception(by=place.hessen.head, finding=failed[0].id, reason=REASON_LAHNAU)


def decide(task: Task) -> dict[str, Any]:
    """As the kernel's forms want it; a proposal divides its amount over the years of the call."""
    given = yes(task)
    if task.form == "kern:vorschlag":
        given["begruendung"] = "Das Vorhaben erfüllt den Zweck des Programms."
        given["einzelheiten"] = {"jahre": _by_year(task.case)}
    return given


def _by_year(case: Case) -> dict[str, str]:
    """A grant evenly over the years of its call in which the project runs."""
    answers = case.application.answers if case.application else {}
    first, last = (
        int(str(answers.get(name, year))[:4]) for name, year in (("beginn", "0000"), ("ende", "9999"))
    )
    years = [str(year) for year in case.parameters.get("jahre", []) if first <= year <= last]
    if not years or case.amount is None:
        return {}
    shares = share_largest_remainder(case.amount, [1] * len(years))
    return {year: str(share) for year, share in zip(years, shares, strict=True)}
