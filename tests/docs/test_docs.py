"""The documents say what is: links lead somewhere, settings, commands, rooms and names exist."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest
from django.apps import apps
from tests.docs.replay import blocks
from tests.docs.tables import codes, names_of, section, tables

from rathaus.cli import main

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src/rathaus"
DOCS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *SRC.rglob("*.md"), *(ROOT / "daten").glob("*.md")]
)
each_page = pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))


def without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def spoken(page: Path) -> str:
    """What stands in backticks or in blocks of a shell: where commands are named."""
    text = page.read_text(encoding="utf-8")
    shell = re.findall(r"^```(?:console|sh)?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return "\n".join([*codes(without_blocks(page)), *shell])


# --- every page ---


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page)):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(path), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_commands_exist(page: Path) -> None:
    for words in re.findall(
        r"^(?:\$ )?rathaus ((?:[a-z]+ ?)+)((?: ?--[a-z-]+)?)", spoken(page), re.MULTILINE
    ):
        command: click.Command = main
        for word in words[0].split():
            if not isinstance(command, click.Group):
                break
            assert word in command.commands, f"{page.name}: rathaus {words[0]}"
            command = command.commands[word]
        options = {option for param in command.params for option in param.opts}
        assert not words[1] or words[1].strip() in options, f"{page.name}: rathaus {' '.join(words)}"
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", spoken(page), re.MULTILINE)) <= targets, page.name


@each_page
def test_paths_exist(page: Path) -> None:
    """Paths into the checkout, as the pages at the top and below docs write them."""
    if page.is_relative_to(SRC):
        return
    for path in re.findall(
        r"^((?:src|tests|docs|leistungen|daten|requirements)/[\w./-]*)$", spoken(page), re.MULTILINE
    ):
        assert (ROOT / path).exists(), f"{page.name}: {path}"


@each_page
def test_no_place_of_a_machine(page: Path) -> None:
    assert not re.search(r"/(?:home|work|root|Users)/\w", page.read_text(encoding="utf-8"))


# --- running it ---


def test_settings_are_documented() -> None:
    text = (SRC / "config/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"os\.environ(?:\.get\(|\[)\"(\w+)\"", text))
    assert names_of(section(ROOT / "docs/operations.md", "Settings")) == read


def test_defaults_of_settings() -> None:
    text = (SRC / "config/settings.py").read_text(encoding="utf-8")
    defaults = dict(re.findall(r"os\.environ\.get\(\"(\w+)\", \"([^\"]*)\"\)", text))
    for names, _, said in tables(section(ROOT / "docs/operations.md", "Settings"))[0]:
        if len(codes(names)) == 1 and codes(said):
            name = codes(names)[0]
            assert codes(said)[0] in (defaults.get(name), "var/"), name


def test_roles_of_the_database() -> None:
    from rathaus.core import embedded

    text = section(ROOT / "docs/operations.md", "PostgreSQL")
    assert f"CREATE ROLE {embedded.APP_ROLE} " in text
    assert f"CREATE ROLE {embedded.OWNER_ROLE} " in text


# --- the rooms ---


def rooms() -> dict[str, str]:
    """The tree of docs/architecture.md: top-level folder → its line."""
    tree = next(found for found in re.findall(r"^```\n(.*?)^```$", ARCHITECTURE, re.DOTALL | re.MULTILINE))
    return {line.split("/")[0].strip(): line for line in tree.splitlines() if not line.startswith("src/")}


ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def test_rooms_are_those_that_there_are() -> None:
    packages = {path.parent.name for path in SRC.glob("*/__init__.py")}
    data = {"leistungen", "daten", "tests"}
    assert set(rooms()) == packages | data
    assert all((ROOT / name).is_dir() for name in data)


def test_rooms_within_rooms() -> None:
    """What is listed behind a colon or a semicolon is there, and what is there is listed."""
    for room in ("casework", "core", "domains", "engine", "web"):
        parts = {path.name for path in (SRC / room).iterdir() if (path / "__init__.py").exists()}
        parts -= {"postgres", "templatetags"}  # technique of their room, not rooms
        if room == "web":
            assert all(part in rooms()[room] for part in parts), room
            continue
        listed = set(re.findall(r"\b[a-z]+\b", rooms()[room].rpartition(": ")[2]))
        assert parts <= listed, room
        for name in listed:
            assert (SRC / room / name).exists() or (SRC / room / f"{name}.py").exists(), f"{room}: {name}"


def test_layers_are_those_of_the_linter() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    known = [re.sub(r"[()]", "", name).strip() for layer in layers for name in layer.split("|")]
    there = [name for name in known if (SRC / name).is_dir()]
    assert [room for room in rooms() if room in known] == there


def test_every_app_has_its_readme() -> None:
    own = [Path(found.path) for found in apps.get_app_configs() if found.name.startswith("rathaus.")]
    assert len(own) > 8
    assert [path.name for path in own if not (path / "README.md").exists()] == []


def test_readme_map() -> None:
    for row in tables(section(ROOT / "README.md", "The map"))[0]:
        first = codes(row[0])[0]
        base = ROOT if (ROOT / first).exists() else SRC
        prefix = Path(first).parent if base == ROOT else Path()
        for number, name in enumerate(codes(row[0])):
            path = base / name if not number else base / prefix / name
            assert path.exists(), name


# --- records and words ---


def test_every_record_is_listed() -> None:
    folder = ROOT / "docs/adr"
    text = (folder / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| \[(.+?)\]\((\d{4}-[\w-]+\.md)\) \|", text, re.MULTILINE))
    titles = {}
    for path in sorted(folder.glob("[0-9]*.md")):
        number, _, title = (
            path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").partition(". ")
        )
        assert int(number) == int(path.name[:4]), path.name
        titles[f"{number}. {title}"] = path.name
    assert listed == titles


@cache
def code() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in SRC.rglob("*.py"))


@pytest.mark.parametrize("name", ["architecture.md", "glossary.md"])
def test_names_exist_in_the_code(name: str) -> None:
    page = ROOT / "docs" / name
    known = {"acting", "by"}
    for word in codes(without_blocks(page)):
        found = re.fullmatch(r"([A-Za-z_][\w.]*?)(\*|\(.*\))?", word)
        if not found or word in known or word.endswith((".py", ".md")):
            continue
        for part in [found[1]] if "." not in found[1] else found[1].split("."):
            assert re.search(rf"\b{re.escape(part)}" + ("" if found[2] == "*" else r"\b"), code()), (
                f"{name}: {word}"
            )


def test_states_of_a_case() -> None:
    from rathaus.casework.cases.enums import CaseState

    said = section(ROOT / "docs/glossary.md", "Glossary").partition("States of a case")[2]
    for state in CaseState:
        assert re.search(rf"`{state.value}`\s+{state.label}", said), state


def test_blocks_are_closed() -> None:
    for page in DOCS:
        text = page.read_text(encoding="utf-8")
        assert text.count("\n```") % 2 == 0, page.name
        assert all(block.text for block in blocks(text)), page.name
