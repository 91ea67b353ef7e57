"""Who the preview's Servicekonto knows: invented people, read from personen.csv."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("personen.csv")
_DEFAULT_PASSWORD = "Vorschau-2021"  # noqa: S105  printed by the demo on purpose; opens invented accounts on loopback only


@dataclass(frozen=True)
class Person:
    """An invented person. `subject` never changes; `trust_level` is 1, 3 or 4; `role` is German, for lists."""

    subject: str
    given_name: str
    family_name: str
    email: str
    street: str
    postal_code: str
    city: str
    trust_level: int
    role: str

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@cache
def people() -> tuple[Person, ...]:
    """All of them, in the order of the file."""
    with _FILE.open(encoding="utf-8", newline="") as lines:
        return tuple(
            Person(
                subject=row["kennung"],
                given_name=row["vorname"],
                family_name=row["nachname"],
                email=row["e_mail"],
                street=row["strasse"],
                postal_code=row["plz"],
                city=row["ort"],
                trust_level=int(row["niveau"]),
                role=row["rolle"],
            )
            for row in csv.DictReader(lines)
        )


def person_of(subject: str) -> Person:
    """The person with this subject identifier. KeyError if there is none."""
    return {person.subject: person for person in people()}[subject]


def password() -> str:
    """The one password of all of them; RATHAUS_DEMO_PASSWORD changes it."""
    return os.environ.get("RATHAUS_DEMO_PASSWORD", _DEFAULT_PASSWORD)
