"""What an OpenID Connect provider says about a person, made safe to store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOWEST = 1
# Vertrauensniveaus as BundID tells them; level 2 is not used.
LEVEL_NAMES = {1: "niedrig", 3: "substanziell", 4: "hoch"}
# BundID names its levels after STORK; eIDAS names come from other providers (assurance levels of Regulation
# (EU) 910/2014 Art. 8). Whatever else is said counts as the lowest.
_LEVELS = {
    "STORK-QAA-Level-1": 1,
    "STORK-QAA-Level-3": 3,
    "STORK-QAA-Level-4": 4,
    "http://eidas.europa.eu/LoA/low": 1,
    "http://eidas.europa.eu/LoA/substantial": 3,
    "http://eidas.europa.eu/LoA/high": 4,
}
_LENGTHS = {"street": 120, "postal_code": 10, "city": 120}
_ADDRESS = {"street": "street_address", "postal_code": "postal_code", "city": "locality"}


@dataclass(frozen=True)
class Claims:
    """Name (may be empty), address (fields of Party; only what was said), trust level 1, 3 or 4."""

    name: str
    address: dict[str, str]
    trust_level: int


def read_claims(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> Claims:
    """Read both answers of a provider. Never fails: what has the wrong shape was not said.

    The trust level belongs to this one authentication (`acr`, OpenID Connect Core 2), so the ID token goes first.
    """
    said = {**id_token, **userinfo}
    given = " ".join(part for part in (_text(said.get("given_name")), _text(said.get("family_name"))) if part)
    address = said.get("address")
    lines = {
        field: _text(address.get(claim))[: _LENGTHS[field]] for field, claim in _ADDRESS.items()
    } if isinstance(address, Mapping) else {}  # fmt: skip
    acr = id_token.get("acr", userinfo.get("acr"))
    return Claims(
        name=(_text(said.get("name")) or given)[:120],
        address={field: line for field, line in lines.items() if line},
        trust_level=_LEVELS.get(_text(acr), LOWEST),
    )


def _text(value: object) -> str:
    # PostgreSQL knows no NUL in a text.
    return " ".join(value.replace("\x00", "").split()) if isinstance(value, str) else ""
