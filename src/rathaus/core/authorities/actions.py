"""Loading the register of municipalities."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.law.names import display_name, sort_key

KINDS = {
    "Gemeinde": AuthorityKind.MUNICIPALITY,
    "Stadt": AuthorityKind.MUNICIPALITY,
    "Markt": AuthorityKind.MUNICIPALITY,
    "kreisfreie Stadt": AuthorityKind.MUNICIPALITY,
    "Landkreis": AuthorityKind.COUNTY,
}
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "ae", "Ö": "oe", "Ü": "ue", "ß": "ss"})


def load_register(folder: Path, *, land: str = "HE") -> list[Authority]:
    """Load `gemeinden_*.csv` of a folder, newer files last, and `nachfolge.csv`. Called again, it brings up to date.

    A municipality of an older file that the newest one lacks must stand in `nachfolge.csv`: ValueError otherwise.
    """
    files = sorted(folder.glob("gemeinden_*.csv"), key=_day)
    rows = [list(_read(file)) for file in files]
    known = {authority.ags: authority for authority in Authority.objects.exclude(ags="")}
    slugs = set(Authority.objects.values_list("slug", flat=True))
    with transaction.atomic():
        for row in (row for read in rows for row in read):
            known[row["ags"]] = _merge(known.get(row["ags"]), row, land, slugs)
        fields = [
            f.name for f in Authority._meta.concrete_fields if f.name not in {"id", "slug", "successor"}
        ]
        Authority.objects.bulk_create(
            known.values(), update_conflicts=True, unique_fields=["id"], update_fields=fields
        )
        ended = _successions(folder / "nachfolge.csv", known)
    newest = {row["ags"] for row in rows[-1]} if rows else set()
    if forgotten := {ags for read in rows for ags in (row["ags"] for row in read)} - newest - ended:
        raise ValueError(f"no successor for {sorted(forgotten)}")
    return sorted(known.values(), key=lambda authority: (authority.sort_key, authority.ags))


def keys_of(file: Path) -> list[str]:
    """The municipality keys of one register file, in its order."""
    return [row["ags"] for row in _read(file)]


def _read(file: Path) -> Iterable[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def _day(file: Path) -> str:
    return next(iter(_read(file)))["valid_as_of"]


def _merge(known: Authority | None, row: Mapping[str, str], land: str, slugs: set[str]) -> Authority:
    authority = known or Authority(slug="")
    name = display_name(row["name"])
    authority.kind, authority.name, authority.land, authority.ags = KINDS[row["type"]], name, land, row["ags"]
    authority.label = (
        name if name.lower().endswith("kreis") else f"{row['type'].removeprefix('kreisfreie ')} {name}"
    )
    authority.sort_key = sort_key(name)
    authority.region, authority.county = row["regierungsbezirk"], row["county"]
    if row.get("population"):
        authority.population = int(row["population"])
    authority.postal_code = row.get("postal_code") or authority.postal_code
    authority.city = row.get("seat") or name
    if not authority.slug:
        plain = slugify(name.translate(UMLAUTS))
        authority.slug = plain if plain not in slugs else f"{plain}-{row['ags']}"
        slugs.add(authority.slug)
    return authority


def _successions(file: Path, known: Mapping[str, Authority]) -> set[str]:
    if not file.exists():
        return set()
    ended = set()
    for row in _read(file):
        authority = known[row["ags"]]
        authority.valid_until, authority.successor = (
            date.fromisoformat(row["gueltig_bis"]),
            known[row["nachfolger"]],
        )
        authority.save(update_fields=["valid_until", "successor"])
        ended.add(row["ags"])
    return ended
