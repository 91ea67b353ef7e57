"""Programmes as data: a TOML file that says what there is to give, from which budget, in which calls.

Pure: reads and checks; `actions.loading` makes it so. Every key is German, amounts are texts like "16000000.00" (euros),
days are TOML days, both included.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rathaus.law.iban import is_sepa_iban


class ProgrammeRefused(Exception):
    """The file cannot be loaded; each problem is `key: German sentence`. Nothing was stored."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class MeasurePlan:
    """A measure with its money by year, in euros: cash, and what may be promised for later years."""

    key: str
    title: str
    cash: Mapping[int, Decimal] = field(default_factory=dict)
    commitments: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class CallPlan:
    """A call: the package that it offers, under which address, title and reference, with which parameters, and when.

    Without `offer_title` the offer is called as its package.
    """

    key: str
    title: str
    measure: str
    package: str
    slug: str
    prefix: str
    offer_title: str = ""
    opens_on: date | None = None
    closes_on: date | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProgrammePlan:
    """A programme as its file describes it."""

    key: str
    title: str
    summary: str
    legal_basis: str
    payer_name: str
    payer_iban: str
    measures: tuple[MeasurePlan, ...]
    calls: tuple[CallPlan, ...]


def read_programme(text: str) -> ProgrammePlan:
    """Read and check a file. Raises ProgrammeRefused with everything that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ProgrammeRefused([f"Kein gültiges TOML: {wrong}"]) from wrong
    if problems := [*_programme_problems(data), *_relations(data)]:
        raise ProgrammeRefused(problems)
    return ProgrammePlan(
        key=data["schluessel"],
        title=data["titel"],
        summary=data.get("kurztext", ""),
        legal_basis=data.get("grundlage", ""),
        payer_name=data.get("konto_inhaber", ""),
        payer_iban=data.get("konto_iban", "").replace(" ", ""),
        measures=tuple(
            MeasurePlan(
                given["schluessel"],
                given["titel"],
                _by_year(given.get("barmittel", {})),
                _by_year(given.get("verpflichtungen", {})),
            )
            for given in data["massnahmen"]
        ),
        calls=tuple(
            CallPlan(
                key=given["schluessel"],
                title=given["titel"],
                measure=given["massnahme"],
                package=given["leistung"],
                slug=given["kurzname"],
                prefix=given["kuerzel"],
                offer_title=given.get("angebot", ""),
                opens_on=given.get("beginnt"),
                closes_on=given.get("endet"),
                parameters=given.get("parameter", {}),
            )
            for given in data.get("aufrufe", ())
        ),
    )


_KEY, _PREFIX, _LINE = r"[a-z0-9]+(-[a-z0-9]+)*", r"[A-ZÄÖÜ0-9]{1,12}", r".*\S.*"
_AMOUNT = r"\d{1,12}\.\d{2}"
_TEXTS: Mapping[str, tuple[str, int, str]] = {
    "schluessel": (_KEY, 80, "kleine Buchstaben, Ziffern und Bindestriche"),
    "massnahme": (_KEY, 80, "der Schlüssel einer Maßnahme"),
    "leistung": (_KEY, 80, "der Name eines Leistungspakets"),
    "kurzname": (_KEY, 120, "kleine Buchstaben, Ziffern und Bindestriche"),
    "kuerzel": (_PREFIX, 12, "große Buchstaben und Ziffern"),
    "titel": (_LINE, 200, "eine Zeile"),
    "angebot": (_LINE, 200, "eine Zeile"),
    "grundlage": (_LINE, 200, "eine Zeile"),
    "konto_inhaber": (_LINE, 70, "eine Zeile"),
    "konto_iban": (r"[A-Z0-9 ]+", 42, "eine IBAN"),
    "kurztext": (r"(?s).*", 2000, "ein Text"),
}
_PROGRAMME = {"schluessel": True, "titel": True, "kurztext": False, "grundlage": False, "konto_inhaber": False,
              "konto_iban": False, "massnahmen": True, "aufrufe": False}  # fmt: skip
_MEASURE = {"schluessel": True, "titel": True, "barmittel": False, "verpflichtungen": False}
_CALL = {"schluessel": True, "titel": True, "massnahme": True, "leistung": True, "kurzname": True, "kuerzel": True,
         "angebot": False, "beginnt": False, "endet": False, "parameter": False}  # fmt: skip


def _programme_problems(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _shape("", data, _PROGRAMME)
    iban = data.get("konto_iban")
    if isinstance(iban, str) and iban and not is_sepa_iban(iban.replace(" ", "")):
        yield "konto_iban: Das ist keine gültige IBAN."
    for name, known in (("massnahmen", _MEASURE), ("aufrufe", _CALL)):
        entries = data.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            yield f"{name}: Das ist eine Liste von Tabellen ([[{name}]])."
            continue
        if name == "massnahmen" and name in data and not entries:
            yield "massnahmen: Ein Programm hat mindestens eine Maßnahme."
        for number, entry in enumerate(entries):
            where = f"{name}[{number}]."
            yield from _shape(where, entry, known)
            for money in ("barmittel", "verpflichtungen"):
                if known is _MEASURE and money in entry:
                    yield from _money_problems(f"{where}{money}", entry[money])
            if known is _CALL:
                yield from _call_problems(where, entry)


def _shape(where: str, data: Mapping[str, Any], known: Mapping[str, bool]) -> Iterator[str]:
    for name in data:
        if name not in known:
            yield f"{where}{name}: Diesen Eintrag gibt es nicht."
    for name, must in known.items():
        if name not in data:
            if must:
                yield f"{where}{name}: Dieser Eintrag fehlt."
        elif name in _TEXTS:
            shape, longest, words = _TEXTS[name]
            value = data[name]
            if not isinstance(value, str) or len(value) > longest or not re.fullmatch(shape, value):
                yield f"{where}{name}: Hier steht {words}, höchstens {longest} Zeichen."


def _money_problems(where: str, given: Any) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{where}: Das ist eine Tabelle von Jahren und Beträgen."
        return
    for year, amount in given.items():
        if not re.fullmatch(r"20\d\d", year):
            yield f"{where}.{year}: Das ist kein Haushaltsjahr."
        if not isinstance(amount, str) or not re.fullmatch(_AMOUNT, amount):
            yield f'{where}.{year}: Schreiben Sie den Betrag als Text in Euro und Cent, zum Beispiel "16000000.00".'


def _call_problems(where: str, given: Mapping[str, Any]) -> Iterator[str]:
    days = {name: given[name] for name in ("beginnt", "endet") if name in given}
    wrong = [name for name, day in days.items() if not isinstance(day, date) or isinstance(day, datetime)]
    for name in wrong:
        yield f"{where}{name}: Das ist ein Tag, zum Beispiel 2025-10-01, ohne Anführungszeichen."
    if len(days) == 2 and not wrong and days["endet"] < days["beginnt"]:
        yield f"{where}endet: Das Ende liegt vor dem Beginn."
    if not isinstance(given.get("parameter", {}), dict):
        yield f"{where}parameter: Das ist eine Tabelle."


def _relations(data: Mapping[str, Any]) -> Iterator[str]:
    """What must fit together: nothing twice, calls of measures that exist."""
    measures, calls = (
        [entry for entry in data.get(name, []) if isinstance(entry, dict)]
        if isinstance(data.get(name, []), list)
        else []
        for name in ("massnahmen", "aufrufe")
    )
    for entries, name, keys in (
        (measures, "massnahmen", ("schluessel",)),
        (calls, "aufrufe", ("schluessel", "kurzname", "kuerzel")),
    ):
        for key in keys:
            seen: set[str] = set()
            for number, entry in enumerate(entries):
                value = str(entry.get(key, ""))
                if value and value in seen:
                    yield f"{name}[{number}].{key}: „{value}“ steht schon an anderer Stelle."
                seen.add(value)
    known = {entry.get("schluessel") for entry in measures}
    for number, call in enumerate(calls):
        if "massnahme" in call and call["massnahme"] not in known:
            yield f"aufrufe[{number}].massnahme: Eine Maßnahme „{call['massnahme']}“ gibt es in dieser Datei nicht."


def _by_year(given: Mapping[str, str]) -> dict[int, Decimal]:
    return {int(year): Decimal(amount) for year, amount in given.items()}
