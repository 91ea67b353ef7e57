"""Replaying docs/service-packages.md: its files are written, its changes made, its commands run.

Fenced blocks say by their info string what they are: a language and a path is a file; `diff PATH` is a change to it (`try`
behind: undone after the next command); `console` is commands with what they print.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from rathaus.cli.commands import service

_BLOCK = re.compile(r"^```(\S+)(?: ([^\n]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else its info string says, its text, and the line of its first character."""

    language: str
    about: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """All fenced blocks of a page that name a language."""
    for found in _BLOCK.finditer(page):
        yield Block(found[1], found[2] or "", found[3], page.count("\n", 0, found.start()) + 2)


def replay(page: str, folder: Path) -> Iterator[tuple[Block, str]]:
    """Follow the page in `folder`, the working directory. Gives each console block with what it should have said."""
    undo: dict[Path, str] = {}
    for block in blocks(page):
        if block.language == "console":
            yield block, _run(block.text)
            for path, before in undo.items():
                path.write_text(before, encoding="utf-8")
            undo = {}
        elif block.language == "diff":
            name, _, mark = block.about.partition(" ")
            path = folder / name
            before = path.read_text(encoding="utf-8")
            path.write_text(_changed(before, block), encoding="utf-8")
            if mark == "try":
                undo.setdefault(path, before)
        elif "/" in block.about:
            path = folder / block.about
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def _changed(text: str, block: Block) -> str:
    lines = block.text.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line.startswith("-"))
    new = "".join(line[1:] for line in lines if line.startswith("+"))
    assert text.count(old) == 1, (
        f"line {block.line}: the lines to change are not in {block.about} exactly once"
    )
    return text.replace(old, new)


def _run(console: str) -> str:
    """The block as it should read: each command with its real output."""
    said = []
    for line in console.splitlines():
        if line.startswith("$ rathaus service "):
            result = CliRunner().invoke(service, line.removeprefix("$ rathaus service ").split())
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            said.append(f"{line}\n{result.output}")
    return "".join(said)
