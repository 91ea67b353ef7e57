"""German names: their order after DIN 5007-1, and a register's names as people say them."""

import re
import unicodedata

_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"}
)
_TITLE = re.compile(r"(?:stadt|gemeinde|flecken|markt|kreis)$", re.IGNORECASE)


def sort_key(name: str) -> str:
    """The key by which names are ordered after DIN 5007-1 (as in a dictionary): ä as a, ß as ss, no accents
    or case.

    Words count one by one, a hyphen parts words, other marks count for nothing. To be compared code point
    by code point (``COLLATE "C"``); names that differ only in accents share a key, so order by the name
    next.
    """
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS)).translate(_LETTERS)
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    words = re.sub(r"[\s\-‐-―/_]+", " ", plain)
    return re.sub(r"[^\w ]", "", words).strip()


def display_name(register_name: str) -> str:
    """The name without the title that registers put behind it: „Frankfurt am Main, Stadt“ → „Frankfurt am
    Main“."""
    name = " ".join(register_name.split())
    head, _, title = name.rpartition(", ")
    return head if head and _TITLE.search(title) else name


def succession_line(successor: str, predecessor: str) -> str:
    """Who is whose legal successor, as a line of an address: „Rechtsnachfolgerin der Gemeinde Bromskirchen“.

    Both are names with their kind, as the register has them.
    """
    word = "Rechtsnachfolger" if _is_masculine(successor) else "Rechtsnachfolgerin"
    if not _is_masculine(predecessor):
        return f"{word} der {predecessor}"
    kind, space, name = predecessor.partition(" ")
    if kind in _MASCULINE:
        return f"{word} des {kind}es{space}{name}"
    return f"{word} des {predecessor}es"


_MASCULINE = ("Landkreis", "Markt")


def _is_masculine(label: str) -> bool:
    return label.split(" ")[0] in _MASCULINE or label.lower().endswith("kreis")
