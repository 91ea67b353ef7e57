"""Texts of a form that say what is known of the matter: „Noch abrufbar: {zuwendung.offen}“.

A placeholder is a dotted name in braces and nothing else: it is looked up, never calculated. Whoever loads the form says
which names there are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.engine.forms.model import Element, Field, Group, Page, Table, Text
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import format_date

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)\}")
UNKNOWN = "–"


def names_in(pages: tuple[Page, ...]) -> frozenset[str]:
    """The dotted names that the texts of these pages ask for."""
    return frozenset(name for page in pages for text in _texts(page) for name in _PLACEHOLDER.findall(text))


def filled_in(page: Page, known: Mapping[str, Any]) -> Page:
    """The page with its texts filled in from nested groups; what is not known is a dash."""
    return replace(
        page, intro=_filled(page.intro, known), elements=tuple(_element(one, known) for one in page.elements)
    )


def _texts(page: Page) -> Iterator[str]:
    yield page.intro
    for element in page.elements:
        yield from _texts_of(element)


def _texts_of(element: Element) -> Iterator[str]:
    match element:
        case Text(text=text):
            yield text
        case Group(hint=hint, elements=elements):
            yield hint
            for inner in elements:
                yield from _texts_of(inner)
        case Field() | Table():
            yield element.hint


def _element(element: Element, known: Mapping[str, Any]) -> Element:
    match element:
        case Text():
            return replace(element, text=_filled(element.text, known))
        case Group():
            inner = tuple(_element(one, known) for one in element.elements)
            return replace(element, hint=_filled(element.hint, known), elements=inner)
        case Field() | Table():
            return replace(element, hint=_filled(element.hint, known)) if "{" in element.hint else element


def _filled(text: str, known: Mapping[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda found: _words(_at(known, found[1])), text) if "{" in text else text


def _at(known: Any, name: str) -> Any:
    for key in name.split("."):
        known = known.get(key) if isinstance(known, Mapping) else None
    return known


def _words(value: Any) -> str:
    match value:
        case bool():
            return "ja" if value else "nein"
        case Decimal():
            return format_amount(value)
        case int():
            return format_number(value)
        case date():
            return format_date(value)
        case str():
            return value
    return UNKNOWN
