"""Typst to PDF/A-2a and PDF/UA-1, with data as JSON, without files, packages or a clock."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import typst

from rathaus.engine.letters.reasons import problems_in, undisplayable

# The only folder that a template can see; it holds brief.typ and nothing else.
_ROOT = Path(__file__).parent / "vorlage"
_STANDARDS: list[Any] = ["a-2a", "ua-1"]
MAX_TEMPLATE_CHARS = 100_000
MAX_DATA_CHARS = 1_000_000
MAX_PDF_BYTES = 10_000_000
_SUBSTITUTE = "□"

# Typst would fetch packages from the network, and `eval` (also by way of `std`) would hide that from us.
# Keywords cannot be spelled in another way, so looking for the words is enough; brief.typ is the one import.
_FORBIDDEN = re.compile(r'\b(?:import\b(?!\s*"brief\.typ")|(?:include|eval|plugin|std)\b)')


class LetterError(Exception):
    """A letter that cannot be made: `reason` in German for whoever wrote the template, `line` where known.

    `problems` holds all such pairs, the first of them being `reason` and `line`.
    """

    def __init__(self, reason: str, line: int | None = None, *others: tuple[str, int | None]) -> None:
        super().__init__(reason if line is None else f"Zeile {line}: {reason}")
        self.reason = reason
        self.line = line
        self.problems = [(reason, line), *others]


def render_letter(
    template: str, data: Mapping[str, Any], *, fonts: Path | None, title: str, lang: str = "de"
) -> bytes:
    """The letter as PDF/A-2a and PDF/UA-1. Equal arguments give equal bytes.

    `data` holds strings, numbers, truth values, `Decimal`, `date`, `datetime`, lists and mappings; the
    template reads it as `daten` (amounts and days arrive as text: `euro(...)`, `datum(...)` write them in
    German). `data["datum"]`, a `date` or ISO day, is the date of letter and file. `fonts` is the folder of
    TTF files that `rathaus assets build` makes; without it the letter is set in a serif that Typst brings.
    `title` and `lang` become document properties, which PDF/UA-1 demands.

    Characters of `data` for which no font has a glyph are printed as □, since an archivable file must not
    contain them; control and direction characters are dropped (they could make an amount read differently
    from what it is).

    Raises `LetterError`. Memory and time of a template are not limited here: render only what `check_letter`
    has passed, which runs it in a process of its own.
    """
    refuse_forbidden(template)
    issued = _issue_date(data)
    plain = plain_data(data)
    try:
        pdf = _compile(template, plain, issued, fonts, title, lang)
    except typst.TypstError as error:
        missing = undisplayable(error.diagnostic)
        if not missing:
            raise _refusal(error) from error
        try:
            pdf = _compile(template, _without(plain, missing), issued, fonts, title, lang)
        except typst.TypstError as again:
            raise _refusal(again) from again
    if len(pdf) > MAX_PDF_BYTES:
        raise LetterError(f"Der Brief ist größer als {MAX_PDF_BYTES // 1_000_000} MB.")
    return pdf


def refuse_forbidden(template: str) -> None:
    """Raise `LetterError` if the template is too long, or reaches for packages or code made at run time."""
    if len(template) > MAX_TEMPLATE_CHARS:
        raise LetterError(f"Die Vorlage ist länger als {MAX_TEMPLATE_CHARS} Zeichen.")
    found = _FORBIDDEN.search(template)
    if found:
        raise LetterError(
            f"„{found.group()}“ ist in einer Vorlage nicht erlaubt; einbinden darf sie nur „brief.typ“.",
            template.count("\n", 0, found.start()) + 1,
        )


def _compile(template: str, data: Any, issued: date, fonts: Path | None, title: str, lang: str) -> bytes:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    if len(text) > MAX_DATA_CHARS:
        raise LetterError(f"Die Daten des Briefs sind länger als {MAX_DATA_CHARS} Zeichen.")
    # A compiler is cheap and must not be shared by threads; the fonts are dear and may be.
    compiler = typst.Compiler(root=_ROOT, font_paths=_fonts(fonts), ignore_system_fonts=True)
    pdf = compiler.compile(
        template.encode(),
        format="pdf",
        pdf_standards=_STANDARDS,
        sys_inputs={"daten": text, "titel": title, "sprache": lang},
        timestamp=int(datetime.combine(issued, time(), UTC).timestamp()),
    )
    if not isinstance(pdf, bytes):
        raise LetterError("Die Vorlage ergibt keinen Brief.")
    return pdf


def _refusal(error: typst.TypstError) -> LetterError:
    first, *others = problems_in(error.diagnostic) or [
        (f"Der Brief lässt sich nicht setzen ({error.message}).", None)
    ]
    return LetterError(*first, *others)


@cache
def _fonts(folder: Path | None) -> typst.Fonts:
    """Never the fonts of the machine: the same letter must look the same everywhere."""
    return typst.Fonts(include_system_fonts=False, font_paths=[folder] if folder else [])


def _issue_date(data: Mapping[str, Any]) -> date:
    issued = data.get("datum")
    if isinstance(issued, datetime):
        return issued.date()
    if isinstance(issued, date):
        return issued
    try:
        return date.fromisoformat(issued if isinstance(issued, str) else "")
    except ValueError:
        raise LetterError("In den Daten fehlt „datum“, das Datum des Briefs (JJJJ-MM-TT).") from None


def plain_data(value: Any) -> Any:
    """`value` as JSON knows it: decimals and days become text, so that no cent passes through a float.

    Raises `LetterError` for anything else.
    """
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _clean(value)
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain_data(entry) for key, entry in value.items()}
        case list() | tuple():
            return [plain_data(entry) for entry in value]
    raise LetterError(f"Die Daten des Briefs enthalten einen Wert der Art „{type(value).__name__}“.")


def _clean(text: str) -> str:
    """NFC, plain line ends, no control, direction or private characters; soft hyphen and joiners stay."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        char
        for char in text
        if char in "\n\t\u00ad\u200c\u200d"
        or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )


def _without(value: Any, missing: set[str]) -> Any:
    match value:
        case str():
            for text in sorted(missing, key=len, reverse=True):
                value = value.replace(text, _SUBSTITUTE)
            return value
        case dict():
            return {key: _without(entry, missing) for key, entry in value.items()}
        case list():
            return [_without(entry, missing) for entry in value]
    return value
