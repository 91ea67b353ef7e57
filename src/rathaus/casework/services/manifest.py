"""leistung.toml: what a service is, for whom, on which legal ground, and who works on it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from rathaus.casework.services.enums import Opening
from rathaus.casework.services.parameters import shape_problems


class ManifestError(Exception):
    """The manifest cannot be used; each problem is a German sentence."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Result:
    """An outcome in the words of a service: as a state, as what staff do, as a headline for the applicant."""

    name: str
    tun: str
    satz: str


RESULTS: Mapping[str, Result] = {
    "granted": Result("Bewilligt", "Bewilligen", "Ihr Antrag ist bewilligt"),
    "partly": Result("Teilweise bewilligt", "Teilweise bewilligen", "Ihr Antrag ist teilweise bewilligt"),
    "refused": Result("Abgelehnt", "Ablehnen", "Ihr Antrag ist abgelehnt"),
}


@dataclass(frozen=True)
class Manifest:
    """The fields of leistung.toml under their German keys; texts are plain, lists keep their order."""

    schluessel: str
    fassung: str
    titel: str
    kurztext: str
    zustaendig: str
    kuerzel: str
    vorgangstitel: str
    ermessen: bool
    rechtsgrundlagen: tuple[str, ...] = ()
    leika: str = ""
    automatik: str = ""
    lebenslage: str = ""
    stichworte: tuple[str, ...] = ()
    vertrauensniveau: int = 1
    aktenplan: str = ""
    aufbewahrung_jahre: int = 10
    bearbeitung_tage: int = 14
    dauer: str = ""
    aufwand: str = ""
    gebuehr: str = ""
    warnung: str = ""
    betrag: str = ""
    fuer_behoerden: bool = False
    bezug: bool = False
    von_amts_wegen: bool = False
    nach: tuple[str, ...] = ()
    voraussetzungen: tuple[str, ...] = ()
    unterlagen: tuple[str, ...] = ()
    schritte: tuple[Mapping[str, str], ...] = ()
    rollen: Mapping[str, str] = field(default_factory=dict)
    parameter: Mapping[str, Any] = field(default_factory=dict)
    ergebnisse: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def opening(self) -> Opening:
        """Who begins its cases; only what is begun by an application of its own stands in the catalogue."""
        if self.von_amts_wegen:
            return Opening.OFFICE
        return Opening.FOLLOW_UP if self.bezug else Opening.APPLICATION

    @property
    def first_role(self) -> str:
        """The role that begins what the office opens; empty where the package names none."""
        return next(iter(self.rollen), "")

    @property
    def results(self) -> dict[str, Result]:
        """The outcomes that this service knows, with its words for them."""
        if not self.ergebnisse:
            return dict(RESULTS)
        return {key: Result(**words) for key, words in self.ergebnisse.items()}

    @classmethod
    def parse(cls, text: str) -> Manifest:
        """Read and check. Raises ManifestError with everything that is wrong."""
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as wrong:
            raise ManifestError([f"Kein gültiges TOML: {wrong}"]) from wrong
        known = {f.name: f for f in fields(cls)}
        problems = [f"Unbekannter Eintrag „{name}“." for name in data if name not in known]
        for name, f in known.items():
            wanted = _KINDS[str(f.type).split("[")[0]]
            if name not in data:
                if name in _REQUIRED:
                    problems.append(f"„{name}“ fehlt.")
            elif not isinstance(data[name], wanted) or (wanted is int and isinstance(data[name], bool)):
                problems.append(f"„{name}“ hat die falsche Art: {data[name]!r}.")
        if data.get("vertrauensniveau", 1) not in (1, 3, 4):
            problems.append("„vertrauensniveau“ ist 1 (niedrig), 3 (substanziell) oder 4 (hoch).")
        if data.get("zustaendig") not in (None, "ministry", "municipality", "county"):
            problems.append("„zustaendig“ ist ministry, municipality oder county.")
        leika = data.get("leika", "")
        if leika and not re.fullmatch(r"99\d{12}", str(leika)):
            problems.append("„leika“ hat 14 Ziffern und beginnt mit 99.")
        if data.get("von_amts_wegen") is True:
            problems += _office_problems(data)
        problems += _shape_problems(data)
        if isinstance(data.get("parameter"), dict):
            problems += shape_problems(data["parameter"])
        problems += _result_problems(data.get("ergebnisse", {}))
        if problems:
            raise ManifestError(problems)
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**given)


PREFIX = r"[A-ZÄÖÜ0-9]{1,12}"  # part of every reference, also in addresses
_SHAPES = {
    "schluessel": (r"[a-z0-9]+(-[a-z0-9]+)*", 80, "kleine Buchstaben, Ziffern und Bindestriche"),
    "fassung": (r"\S+", 20, "ohne Leerzeichen"),
    "titel": (r".*\S.*", 200, "eine Zeile"),
    "kuerzel": (PREFIX, 12, "große Buchstaben und Ziffern"),
}
_LEAST = {"bearbeitung_tage": 1, "aufbewahrung_jahre": 0}
_TEXTS = ("nach", "rechtsgrundlagen", "stichworte", "voraussetzungen", "unterlagen")


def _shape_problems(data: Mapping[str, Any]) -> Iterator[str]:
    """What the database or a page could not take. Wrong kinds were told before."""
    for name, (shape, longest, words) in _SHAPES.items():
        text = data.get(name)
        if isinstance(text, str) and (len(text) > longest or not re.fullmatch(shape, text)):
            yield f"„{name}“: höchstens {longest} Zeichen, {words}."
    for name, least in _LEAST.items():
        number = data.get(name)
        if isinstance(number, int) and not least <= number <= 999:
            yield f"„{name}“ ist eine Zahl von {least} bis 999."
    for name in _TEXTS:
        entries = data.get(name)
        if isinstance(entries, list) and not all(isinstance(entry, str) for entry in entries):
            yield f"„{name}“ ist eine Liste von Texten."
    steps = data.get("schritte")
    if isinstance(steps, list) and not all(
        isinstance(step, dict)
        and set(step) == {"titel", "text"}
        and all(isinstance(w, str) for w in step.values())
        for step in steps
    ):
        yield "„schritte“ sind Tabellen mit „titel“ und „text“."


def _office_problems(data: Mapping[str, Any]) -> Iterator[str]:
    """What must hold where the office opens the case by itself."""
    if not data.get("rollen"):
        yield "„von_amts_wegen“ braucht „rollen“: Die erste eröffnet den Vorgang."
    if data.get("bezug") is False:
        yield "„von_amts_wegen“ gehört immer zu einem früheren Vorgang; „bezug“ kann nicht false sein."


def _result_problems(given: Any) -> Iterator[str]:
    if not isinstance(given, dict):
        return
    words = {f.name for f in fields(Result)}
    for key, result in given.items():
        if key not in RESULTS:
            yield f"„ergebnisse.{key}“: Es gibt {', '.join(RESULTS)}."
        elif (
            not isinstance(result, dict)
            or set(result) != words
            or not all(isinstance(w, str) for w in result.values())
        ):
            yield f"„ergebnisse.{key}“ braucht genau {', '.join(sorted(words))}."


_KINDS: dict[str, type] = {"str": str, "int": int, "bool": bool, "tuple": list, "Mapping": dict}
_REQUIRED = {f.name for f in fields(Manifest) if f.default is MISSING and f.default_factory is MISSING}
