"""What somebody chose on the public pages, read from the address and written into it again."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import QueryDict

from rathaus.domains.grants.queries.public import Choice

_MOST_TYPED = 80
_NAMES = (
    ("text", "q"),
    ("municipality", "kommune"),
    ("programme", "programm"),
    ("land", "land"),
    ("year", "jahr"),
    ("authority", "behoerde"),
)


def choice_of(query: QueryDict) -> Choice:
    """From an address; what no filter can be is left out."""
    found = {name: _tidy(query.get(key, "")) for name, key in _NAMES}
    year = found.pop("year")
    return Choice(**found, year=int(year) if re.fullmatch(r"[12][0-9]{3}", year) else None)


def address_of(path: str, choice: Choice, **more: str) -> str:
    """A path with the choice as its query, and more of it; an empty value takes one away."""
    values = {key: str(getattr(choice, name) or "") for name, key in _NAMES} | more
    query = urlencode({key: value for key, value in values.items() if value})
    return f"{path}?{query}" if query else path


def _tidy(text: str) -> str:
    return text.replace("\x00", "").strip()[:_MOST_TYPED]
