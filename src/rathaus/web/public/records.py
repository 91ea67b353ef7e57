"""A grant as open data: the columns with what they mean, one row a grant. Page, CSV, JSON and schema read this one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings
from django.urls import reverse

from rathaus.core.authorities.queries import by_ags
from rathaus.domains.grants.models import Grant

CHUNK = 1000  # rows for which the names of partners are looked up together


@dataclass(frozen=True)
class Licence:
    """A licence for open data: how people call it, its text, and its address in DCAT-AP.de."""

    name: str
    url: str
    uri: str


LICENCES: Mapping[str, Licence] = {
    "dl-de/by-2-0": Licence(
        "Datenlizenz Deutschland – Namensnennung – Version 2.0",
        "https://www.govdata.de/dl-de/by-2-0",
        "http://dcat-ap.de/def/licenses/dl-by-de/2.0",
    ),
    "dl-de/zero-2-0": Licence(
        "Datenlizenz Deutschland – Zero – Version 2.0",
        "https://www.govdata.de/dl-de/zero-2-0",
        "http://dcat-ap.de/def/licenses/dl-zero-de/2.0",
    ),
    "cc-by/4.0": Licence(
        "Creative Commons Namensnennung 4.0 International",
        "https://creativecommons.org/licenses/by/4.0/",
        "http://dcat-ap.de/def/licenses/cc-by/4.0",
    ),
}


@dataclass(frozen=True)
class Column:
    """A column: its name, what it holds in words, its type in JSON Schema."""

    name: str
    words: str
    shape: Mapping[str, Any]


_TEXT = {"type": "string"}
_DAY = {"type": ["string", "null"], "format": "date"}
_MONEY = {"type": "string", "pattern": r"^\d+\.\d{2}$"}

COLUMNS: tuple[Column, ...] = (
    Column("behoerde", "bewilligende Stelle", _TEXT),
    Column("vorgang", "Vorgangsnummer, je bewilligender Stelle einmalig", _TEXT),
    Column("programm", "Kurzname des Förderprogramms", _TEXT),
    Column("programm_titel", "Förderprogramm", _TEXT),
    Column("foerderaufruf", "Förderaufruf", _TEXT),
    Column("empfaenger", "wer die Zuwendung bekommen hat, mit dem Namen bei der Bewilligung", _TEXT),
    Column("ags", "amtlicher Gemeindeschlüssel der Kommune, bei Landkreisen 5 Stellen", _TEXT),
    Column("land", "Land der Kommune: HE, TH …", {"type": "string", "pattern": "^[A-Z]{2}$"}),
    Column("vorhaben", "wofür", _TEXT),
    Column("betrag", "Zuwendung in Euro nach dem neuesten Stand, mit Punkt und zwei Stellen", _MONEY),
    Column(
        "jahre",
        "davon je Haushaltsjahr; in der CSV-Datei „2021=100.00 2022=50.00“",
        {"type": "object", "patternProperties": {r"^\d{4}$": _MONEY}, "additionalProperties": False},
    ),
    Column(
        "partner",
        "Schlüssel der Kommunen, die mitmachen; in der CSV-Datei mit Leerzeichen getrennt",
        {"type": "array", "items": _TEXT},
    ),
    Column(
        "partner_namen",
        "ihre Namen, in derselben Reihenfolge; in der CSV-Datei mit „ | “ getrennt",
        {"type": "array", "items": _TEXT},
    ),
    Column("bescheid_vom", "Tag des ersten Bescheids", {"type": "string", "format": "date"}),
    Column("beginn", "Beginn des Bewilligungszeitraums; leer, wenn keiner festgelegt ist", _DAY),
    Column("ende", "Ende des Bewilligungszeitraums; leer, wenn keines festgelegt ist", _DAY),
    Column("stand", "„läuft“ oder „abgeschlossen“", {"enum": ["läuft", "abgeschlossen"]}),
    Column("adresse", "Seite der Förderung", {"type": "string", "format": "uri"}),
)


def licence() -> Licence:
    """The licence of this installation's data."""
    return LICENCES[settings.DATA_LICENCE]


def records(grants: Iterable[Grant]) -> Iterator[dict[str, Any]]:
    """One record a grant, with the values of COLUMNS; a few at a time, whatever their number."""
    rest = iter(grants)
    while chunk := list(islice(rest, CHUNK)):
        names = partner_names(chunk)
        for grant in chunk:
            yield _record(grant, names)


def partner_names(grants: Iterable[Grant]) -> dict[str, str]:
    """Names of all partners by key, in one statement at most."""
    keys = {str(key) for grant in grants for key in grant.partners}
    return {key: found.label for key, found in by_ags(keys).items()} if keys else {}


def page_of(grant: Grant) -> str:
    """The public page of a grant, as a path."""
    return reverse("public:grant", args=[grant.authority.slug, grant.reference])


def _record(grant: Grant, names: Mapping[str, str]) -> dict[str, Any]:
    programme = grant.call.measure.programme
    recipient = grant.recipient
    assert recipient is not None  # else it were not public
    partners = [str(key) for key in grant.partners]
    return {
        "behoerde": grant.authority.label,
        "vorgang": grant.reference,
        "programm": programme.key,
        "programm_titel": programme.title,
        "foerderaufruf": grant.call.title,
        "empfaenger": grant.recipient_name,
        "ags": recipient.ags,
        "land": recipient.land,
        "vorhaben": grant.title,
        "betrag": f"{grant.amount:.2f}",
        "jahre": dict(sorted(grant.years.items())),
        "partner": partners,
        "partner_namen": [names.get(key, key) for key in partners],
        "bescheid_vom": grant.notified_on.isoformat() if grant.notified_on else None,
        "beginn": grant.begins_on.isoformat() if grant.begins_on else None,
        "ende": grant.ends_on.isoformat() if grant.ends_on else None,
        "stand": grant.get_state_display(),
        "adresse": settings.BASE_URL + page_of(grant),
    }
