"""Loading the register of municipalities, and territorial changes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from rathaus.core.audit.actions import record
from rathaus.core.authorities import events
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.tenancy import acting
from rathaus.law.names import display_name, sort_key
from rathaus.law.text import format_date

KINDS = {
    "Gemeinde": AuthorityKind.MUNICIPALITY,
    "Stadt": AuthorityKind.MUNICIPALITY,
    "Markt": AuthorityKind.MUNICIPALITY,
    "kreisfreie Stadt": AuthorityKind.MUNICIPALITY,
    "Landkreis": AuthorityKind.COUNTY,
}
# The Länder by the first two digits of a municipality key (AGS), from 01 on.
LANDS = ("SH", "HH", "NI", "HB", "NW", "HE", "RP", "BW", "BY", "SL", "BE", "BB", "MV", "SN", "ST", "TH")
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "ae", "Ö": "oe", "Ü": "ue", "ß": "ss"})


class NotMerged(Exception):
    """A territorial change that cannot be. The text is a German sentence for people."""


def merge_authority(*, by: Actor, predecessor: Authority, successor: Authority, on: date) -> Authority:
    """Let an authority end with the day before `on`, and another hold its rights and duties from `on`.

    Nothing is moved or renamed: who acts for the successor then finds what the predecessor left. Both histories tell.
    Called again, it changes nothing. For the machine only (command, register). Raises NotMerged or NotAllowed.
    """
    if not by.is_system:
        raise NotAllowed("Gebietsänderungen trägt nur der Betrieb ein.")
    with transaction.atomic():
        ids = sorted([predecessor.id, successor.id])
        # In the order of their keys, so that two changes that name each other wait and do not lock up.
        locked = {
            found.id: found
            for found in Authority.objects.select_for_update().filter(id__in=ids).order_by("id")
        }
        old, new = locked[predecessor.id], locked[successor.id]
        last_day = on - timedelta(days=1)
        if (old.valid_until, old.successor_id) == (last_day, new.id):
            return old
        _check_merger(old, new, on)
        old.valid_until, old.successor = last_day, new
        old.save(update_fields=["valid_until", "successor"])
        for kind, place in ((events.MERGED, old), (events.SUCCEEDED, new)):
            with acting(authority=place.id):
                record(
                    kind,
                    by=by,
                    authority=place.id,
                    on=format_date(on),
                    predecessor=old.label,
                    successor=new.label,
                )
        return old


def _check_merger(old: Authority, new: Authority, on: date) -> None:
    last_day = on - timedelta(days=1)
    if old.id == new.id:
        raise NotMerged(f"{old.label} kann nicht in sich selbst aufgehen.")
    if old.kind != new.kind:
        raise NotMerged(f"{old.label} und {new.label} sind Behörden verschiedener Art.")
    if old.successor is not None and old.valid_until is not None:
        day = format_date(old.valid_until + timedelta(days=1))
        raise NotMerged(f"{old.label} ist schon zum {day} aufgegangen in: {old.successor.label}.")
    if old.valid_from > last_day or (old.valid_until is not None and old.valid_until != last_day):
        raise NotMerged(f"{old.label} endet nicht am Tag vor dem {format_date(on)}.")
    if new.valid_from > on or new.has_ended(on):
        raise NotMerged(f"{new.label} gibt es am {format_date(on)} nicht.")
    if late := old.predecessors.filter(valid_until__gte=last_day).first():
        raise NotMerged(f"{late.label} geht erst später in {old.label} auf; die gibt es dann nicht mehr.")


def load_register(folder: Path) -> list[Authority]:
    """Load `gemeinden_*.csv` of a folder, newer files last, and `nachfolge.csv`. Called again, it brings up to date.

    Other Länder, in folders of their own, stay as they are. Answers all authorities with a municipality key, by name.

    A municipality of an older file that the newest one lacks must stand in `nachfolge.csv`, or have been merged by
    `merge_authority`: ValueError otherwise. NotMerged for a territorial change that cannot be.
    """
    files = sorted(folder.glob("gemeinden_*.csv"), key=_day)
    rows = [list(_read(file)) for file in files]
    known = {authority.ags: authority for authority in Authority.objects.exclude(ags="")}
    slugs = set(Authority.objects.values_list("slug", flat=True))
    with transaction.atomic():
        for row in (row for read in rows for row in read):
            known[row["ags"]] = _merge(known.get(row["ags"]), row, slugs)
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


def _merge(known: Authority | None, row: Mapping[str, str], slugs: set[str]) -> Authority:
    authority = known or Authority(slug="")
    name = display_name(row["name"])
    authority.kind, authority.name, authority.ags = KINDS[row["type"]], name, row["ags"]
    authority.land = LANDS[int(row["ags"][:2]) - 1]
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
    """Merge what the file names, in the order of the days. Answers the keys of all that have a successor."""
    changes = sorted(_read(file), key=lambda row: row["gueltig_bis"]) if file.exists() else []
    for row in changes:
        if missing := [key for key in (row["ags"], row["nachfolger"]) if key not in known]:
            raise ValueError(f"{file.name}: {missing[0]} is in none of the registers")
        old, new = known[row["ags"]], known[row["nachfolger"]]
        on = date.fromisoformat(row["gueltig_bis"]) + timedelta(days=1)
        merged = merge_authority(by=Actor.system(new.id), predecessor=old, successor=new, on=on)
        old.valid_until, old.successor = merged.valid_until, new
    return {authority.ags for authority in known.values() if authority.successor_id}
