"""The guides for ministries and municipalities name pages, buttons, fields and answers as people find them."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from tests.docs.tables import codes, section, tables
from tests.docs.test_docs import without_blocks

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "docs/guide-ministry.md", ROOT / "docs/guide-municipality.md"]
each_guide = pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)


def text_of(guide: Path) -> str:
    return guide.read_text(encoding="utf-8")


@cache
def routes() -> frozenset[str]:
    """Every address of the product, with „<>“ for what differs."""

    def below(patterns: list[URLPattern | URLResolver], prefix: str) -> list[str]:
        found = []
        for entry in patterns:
            here = prefix + str(entry.pattern)
            found += below(entry.url_patterns, here) if isinstance(entry, URLResolver) else [here]
        return found

    return frozenset(
        re.sub(r"<[^>]+>", "<>", "/" + route) for route in below(get_resolver().url_patterns, "")
    )


@cache
def words() -> str:
    """What the product says: pages, code and packages, with blanks as one blank."""
    files = [
        *(ROOT / "src/rathaus").rglob("*.html"),
        *(ROOT / "src/rathaus").rglob("*.py"),
        *(ROOT / "leistungen").rglob("*.json"),
        *(ROOT / "leistungen").rglob("*.toml"),
        *(ROOT / "leistungen").rglob("*.bpmn"),
    ]
    text = " ".join(path.read_text(encoding="utf-8") for path in files)
    joined = re.sub(r'"\s+f?"', "", html.unescape(text))  # sentences that go on in the next line of code
    return re.sub(r"\s+", " ", joined)


@each_guide
def test_addresses_exist(guide: Path) -> None:
    named = [word for word in codes(without_blocks(guide)) if word.startswith("/")]
    assert len(named) > 5
    for address in named:
        assert re.sub(r"<[^>]+>", "<>", address) in routes(), address


@each_guide
def test_buttons_and_fields_exist(guide: Path) -> None:
    """What is bold stands on a page; „Nr. 1“ is a number that a page counts, „Eingang“ a word of its own."""
    bold = {
        re.sub(r" Nr\. \d+$", " Nr.", found)
        for found in re.findall(r"\*\*([^*]+)\*\*", text_of(guide))
        if not found.endswith((".", ":"))  # the beginning of a paragraph
    } - {"fett"}
    assert len(bold) > 8
    assert {found for found in bold if not re.search(rf"(?<!\w){re.escape(found)}(?!\w)", words())} == set()


@each_guide
def test_what_is_refused_is_said_so(guide: Path) -> None:
    rows = tables(section(guide, "Wenn etwas nicht geht"))[0]
    assert len(rows) > 3
    for said, _ in rows:
        parts = map(re.escape, said.split("…"))  # an amount, a year
        assert re.search(r".{1,60}?".join(parts), words()), said


@each_guide
def test_every_picture_shows_something(guide: Path) -> None:
    """Each has words for those who do not see it, and is small enough to load."""
    found = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text_of(guide))
    assert len(found) >= 4
    for said, name in found:
        path = guide.parent / name
        assert said
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 150_000, name


def test_rules_are_named_as_in_the_form() -> None:
    for row in tables(section(GUIDES[0], "4. Die Regeln"))[0]:
        for name in row[0].split(", "):
            assert f'"{name}"' in words(), name


def test_roles_are_those_of_the_product() -> None:
    for role, _ in tables(text_of(GUIDES[0]))[0]:
        assert f'"{role}"' in words() or f"{role} = " in words(), role
