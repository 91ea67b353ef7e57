"""The formats of strings in answers, as the validator asks for them: each a question about one text."""

import re
from collections.abc import Callable
from datetime import date

from rathaus.law.iban import is_iban

#: A date outside these years is a slip of the pen.
FIRST_YEAR, LAST_YEAR = 1850, 2199

_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,11})\.[0-9]{2}")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_OF_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}")
_AGS = re.compile(r"(?:0[1-9]|1[0-6])[0-9]{6}|(?:0[1-9]|1[0-6])[0-9]{3}")
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_][\w-]{1,62}"
)


def is_amount(text: str) -> bool:
    """Euros as they are stored: ``1234.56``, at most 12 digits before the point."""
    return bool(_AMOUNT.fullmatch(text)) and text != "-0.00"


def is_iso_date(text: str) -> bool:
    """A day of the calendar as ``2021-05-25``, in a year that people now alive may have to do with."""
    if not _ISO_DATE.fullmatch(text):
        return False
    try:
        return FIRST_YEAR <= date.fromisoformat(text).year <= LAST_YEAR
    except ValueError:
        return False


def is_day_of_year(text: str) -> bool:
    """A day that comes every year, as ``12-03`` for 3 December; so not 29 February."""
    return bool(_DAY_OF_YEAR.fullmatch(text)) and is_iso_date(f"2021-{text}")


def is_ags(text: str) -> bool:
    """The shape of a municipality key (eight digits) or a county key (five); whether it exists, the
    register knows."""
    return bool(_AGS.fullmatch(text))


def is_email(text: str) -> bool:
    """An address that mail can be sent to: one @, a domain with a dot, no comments or quotes."""
    local = text.partition("@")[0]
    dots_well = not local.startswith(".") and not local.endswith(".") and ".." not in local
    return len(text) <= 254 and dots_well and bool(_EMAIL.fullmatch(text))


FORMATS: dict[str, Callable[[str], bool]] = {
    "betrag": is_amount,
    "date": is_iso_date,
    "jahrestag": is_day_of_year,
    "ags": is_ags,
    "email": is_email,
    "iban": is_iban,
}
