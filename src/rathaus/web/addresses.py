"""Keys and fields in addresses and posted forms: what is no key is none, never an error."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID


def key_in(text: str) -> UUID | None:
    """The key that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def keys_in(texts: Iterable[str]) -> list[UUID]:
    """Those of the texts that are keys, in their order."""
    return [key for text in texts if (key := key_in(text))]


def query_of(**fields: str) -> str:
    """The query of an address with the fields that say something."""
    filled = {name: value for name, value in fields.items() if value}
    return f"?{urlencode(filled)}" if filled else "?"
