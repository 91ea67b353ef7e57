"""One answer in its four shapes: typed by a person, stored as JSON, calculated with, and read by people."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.engine.forms import limits
from rathaus.engine.forms.formats import is_ags, is_amount, is_day_of_year, is_email, is_iso_date
from rathaus.engine.forms.model import Field, FileAnswer, Kind
from rathaus.law.iban import is_iban
from rathaus.law.money import (
    NO_BREAK_SPACE,
    AmountError,
    format_amount,
    format_number,
    parse_amount,
)
from rathaus.law.text import MONTHS, format_date

DATE_PARTS = ("tag", "monat", "jahr")
ANY_YEAR = 2021  # not a leap year, so that it has just the days that every year has

_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?")
_GERMAN = re.compile(r"-?[0-9]+(?:,[0-9]+)?")
_ENGLISH = re.compile(r"-?[0-9]+\.[0-9]+")
_TWO_READINGS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
_DAY = re.compile(r"([0-9]{1,2})\.\s*([0-9]{1,2}|[^\W\d_]+)\.?\s*([0-9]{1,4})")
# Marks that turn the direction of writing hide what a text says; controls have no place in an answer.
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class WrongText(ValueError):
    """A typed text that is no answer. ``message`` is the German sentence for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def tidy(text: str, *, multiline: bool = False) -> str:
    """A typed text without what nobody sees: controls, lone surrogates, blanks at the ends; in Unicode form
    NFC."""
    text = text.encode("utf-8", "ignore").decode().replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", _HIDDEN.sub("", _CONTROLS.sub("", text)))
    return text.strip() if multiline else " ".join(text.split())


def is_tidy(text: str) -> bool:
    """Whether a stored text holds nothing that the database or a letter could not take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not _CONTROLS.search(text)


def parse(field: Field, text: str) -> Any:
    """The answer that a (not empty) typed text means. Raises WrongText."""
    parser = _PARSERS.get(field.kind)
    return parser(field, text) if parser else text


def parse_day(parts: Mapping[str, str]) -> str:
    """The ISO date that three inputs (tag, monat, jahr) mean. Raises WrongText."""
    missing = [name.capitalize() for name in DATE_PARTS if not parts.get(name)]
    if missing:
        raise WrongText(
            f"Das Datum ist unvollständig, es fehlt: {', '.join(missing)}. "
            "Schreiben Sie zum Beispiel 25.05.2021."
        )
    return _day(parts["tag"].rstrip("."), parts["monat"].rstrip("."), parts["jahr"])


def as_text(field: Field, value: Any) -> str:
    """A stored answer as the text of its input; what does not fit the field is shown as it is."""
    if isinstance(value, bool) or value is None:
        return ""
    if field.kind is Kind.MONEY and isinstance(value, str) and is_amount(value):
        return format_number(Decimal(value), places=2)
    if field.kind is Kind.NUMBER and isinstance(value, int | float):
        return format_number(Decimal(str(value)))
    if field.kind is Kind.DATE and isinstance(value, str) and is_iso_date(value):
        day = date.fromisoformat(value)
        return f"{day.day}.{day.month}.{day.year}"
    if field.kind is Kind.DAY_OF_YEAR and isinstance(value, str) and is_day_of_year(value):
        month, day_ = value.split("-")
        return f"{int(day_)}.{int(month)}."
    if field.kind is Kind.IBAN and isinstance(value, str):
        return " ".join(value[at : at + 4] for at in range(0, len(value), 4))
    return str(value) if isinstance(value, str | int | float) else ""


def as_words(field: Field, value: Any, authority_name: Callable[[str], str]) -> tuple[str, ...]:
    """A stored answer as people read it: one line, or one for each entry of a list."""
    if isinstance(value, list):
        return tuple(line for entry in value for line in as_words(field, entry, authority_name))
    if isinstance(value, bool):
        return ("Ja" if value else "Nein",)
    if isinstance(value, dict):
        return tuple(f"{file.name} ({format_bytes(file.size)})" for file in files_of(value))
    labels = {choice.value: choice.label for choice in field.choices}
    if value in labels:
        return (labels[value],)
    text = as_text(field, value)
    if not text:
        return ()
    if field.kind is Kind.MONEY and is_amount(str(value)):
        return (format_amount(Decimal(value)),)
    if field.kind is Kind.DATE and is_iso_date(str(value)):
        return (format_date(date.fromisoformat(value)),)
    if field.kind is Kind.DAY_OF_YEAR and is_day_of_year(str(value)):
        return (format_date(date.fromisoformat(f"{ANY_YEAR}-{value}")).removesuffix(f" {ANY_YEAR}"),)
    if field.kind in (Kind.AUTHORITY, Kind.AUTHORITIES):
        return (authority_name(text),)
    return (f"{text}{NO_BREAK_SPACE}{field.unit}" if field.unit else text,)


def as_typed(field: Field, value: Any) -> Any:
    """A stored answer to calculate with: money and numbers as Decimal, dates as date; what does not fit is
    None."""
    if field.kind is Kind.MONEY:
        return Decimal(value) if isinstance(value, str) and is_amount(value) else None
    if field.kind is Kind.DATE:
        return date.fromisoformat(value) if isinstance(value, str) and is_iso_date(value) else None
    if field.kind is Kind.NUMBER:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return Decimal(str(value)) if is_number else None
    return value


def files_of(value: Any) -> tuple[FileAnswer, ...]:
    """The files that an answer (one file or a list) holds; what is no file is left out."""
    found = []
    for file in value if isinstance(value, list) else [value]:
        if isinstance(file, dict) and file.keys() == {"name", "sha256", "size", "media_type"}:
            name, sha256, size, media_type = (file[key] for key in ("name", "sha256", "size", "media_type"))
            if isinstance(size, int) and all(isinstance(text, str) for text in (name, sha256, media_type)):
                found.append(FileAnswer(name, sha256, size, media_type))
    return tuple(found)


def format_bytes(size: int) -> str:
    """A file's size in words: ``180 KB``, ``1,2 MB``, ``10 MB``; a kilobyte has 1,000 bytes (IEC 80000-13)."""
    if size < 1_000_000:
        return f"{format_number(max(1, round(size / 1000)))}{NO_BREAK_SPACE}KB"
    return f"{format_number(Decimal(size) / 1_000_000, places=1).removesuffix(',0')}{NO_BREAK_SPACE}MB"


def short(text: str) -> str:
    """A typed text as a message repeats it."""
    return text if len(text) <= 60 else f"{text[:57]}…"


def _parse_integer(field: Field, text: str) -> int:
    bare = text.replace(NO_BREAK_SPACE, "").replace("−", "-")
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(".", "")
    if not re.fullmatch(r"-?[0-9]+", bare, re.ASCII):
        raise WrongText(
            f"„{short(text)}“ ist keine ganze Zahl. Schreiben Sie zum Beispiel {field.example or 12}."
        )
    return int(_few_digits(bare, text))


def _parse_number(field: Field, text: str) -> int | float:
    bare = text.replace(NO_BREAK_SPACE, "").replace("−", "-")
    example = field.example or "12,5"
    if _TWO_READINGS.fullmatch(bare):
        raise WrongText(
            f"Die Zahl „{short(text)}“ ist nicht eindeutig. Schreiben Sie zum Beispiel {example}."
        )
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif _GERMAN.fullmatch(bare):
        bare = bare.replace(",", ".")
    elif not _ENGLISH.fullmatch(bare):
        raise WrongText(f"„{short(text)}“ ist keine Zahl. Schreiben Sie zum Beispiel {example}.")
    number = Decimal(_few_digits(bare, text))
    return int(number) if number == number.to_integral() else float(number)


def _few_digits(bare: str, text: str) -> str:
    # More digits than a float keeps would come back as another number.
    if sum(char.isdecimal() for char in bare) > limits.NUMBER_DIGITS:
        raise WrongText(f"Die Zahl „{short(text)}“ hat mehr als {limits.NUMBER_DIGITS} Stellen.")
    return bare


def _parse_money(field: Field, text: str) -> str:
    may_be_negative = isinstance(field.minimum, Decimal) and field.minimum < 0
    try:
        return str(parse_amount(text, allow_negative=may_be_negative))
    except AmountError as error:
        raise WrongText(error.reason) from None


def _parse_date(field: Field, text: str) -> str:
    if is_iso_date(text):
        return text
    found = _DAY.fullmatch(text)
    if not found:
        raise WrongText(f"„{short(text)}“ ist kein Datum. Schreiben Sie zum Beispiel 25.05.2021.")
    return _day(*found.groups())


def _parse_day_of_year(field: Field, text: str) -> str:
    if is_day_of_year(text):
        return text
    example = f"Schreiben Sie zum Beispiel {field.example or '3.12.'}"
    found = _DAY.fullmatch(f"{text} {ANY_YEAR}")
    try:
        if found:
            return _day(*found.groups()).removeprefix(f"{ANY_YEAR}-")
    except WrongText:
        pass
    raise WrongText(f"„{short(text)}“ ist kein Tag, den es in jedem Jahr gibt. {example}") from None


def _day(day: str, month: str, year: str) -> str:
    typed = short(f"{day}.{month}.{year}")
    names = [name.casefold() for name in MONTHS]
    if month.casefold() in names:
        month = str(names.index(month.casefold()) + 1)
    if not all(re.fullmatch(r"[0-9]{1,4}", part, re.ASCII) for part in (day, month, year)):
        raise WrongText(f"„{typed}“ ist kein Datum. Schreiben Sie zum Beispiel 25.05.2021.")
    if len(year) != 4:
        raise WrongText(f"Schreiben Sie das Jahr in „{typed}“ mit vier Ziffern, zum Beispiel 2021.")
    iso = f"{year}-{month:0>2}-{day:0>2}"
    if not is_iso_date(iso):
        raise WrongText(
            f"Den Tag „{typed}“ gibt es nicht, oder er liegt zu fern. Schreiben Sie zum Beispiel 25.05.2021."
        )
    return iso


def _parse_choice(field: Field, text: str) -> str | int:
    for choice in field.choices:
        if str(choice.value) == text:
            return choice.value
    raise WrongText(
        f"Bei „{field.label}“ gibt es die Antwort „{short(text)}“ nicht. "
        f"Wählen Sie zum Beispiel „{field.choices[0].label}“."
    )


def _parse_yes_no(field: Field, text: str) -> bool:
    if text not in ("true", "false"):
        raise WrongText(f"Antworten Sie bei „{field.label}“ mit Ja oder Nein.")
    return text == "true"


def _parse_email(field: Field, text: str) -> str:
    if not is_email(text):
        raise WrongText(
            f"„{short(text)}“ ist keine E-Mail-Adresse. Schreiben Sie zum Beispiel rathaus@example.org."
        )
    return text


def _parse_iban(field: Field, text: str) -> str:
    bare = re.sub(r"\s", "", text).upper()
    if not is_iban(bare):
        raise WrongText(
            f"Die IBAN „{short(text)}“ stimmt nicht: Eine Ziffer fehlt oder ist vertauscht. "
            "Schreiben Sie zum Beispiel DE02 1203 0000 0000 2020 51."
        )
    return bare


def _parse_authority(field: Field, text: str) -> str:
    if not is_ags(text):
        raise WrongText(
            f"Wir finden „{short(text)}“ nicht im Verzeichnis der Gemeinden und Kreise. "
            f"Schreiben Sie den Namen oder den Schlüssel, zum Beispiel {field.example or 'Lahnau'}."
        )
    return text


_PARSERS: dict[Kind, Callable[[Field, str], Any]] = {
    Kind.INTEGER: _parse_integer,
    Kind.NUMBER: _parse_number,
    Kind.MONEY: _parse_money,
    Kind.DATE: _parse_date,
    Kind.DAY_OF_YEAR: _parse_day_of_year,
    Kind.CHOICE: _parse_choice,
    Kind.CHOICES: _parse_choice,
    Kind.YES_NO: _parse_yes_no,
    Kind.EMAIL: _parse_email,
    Kind.IBAN: _parse_iban,
    Kind.AUTHORITY: _parse_authority,
    Kind.AUTHORITIES: _parse_authority,
}
