"""Checks a letter template of a package before anybody may use it."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rathaus.engine.letters.render import LetterError, plain_data, refuse_forbidden, render_letter

_MEMORY_BYTES = 2 * 1024**3
_CPU_SECONDS = 10
_WALL_SECONDS = 30


@dataclass(frozen=True)
class LetterProblem:
    """What is wrong with a template: a German sentence, and the line (from 1) where it is known."""

    reason: str
    line: int | None = None

    def __str__(self) -> str:
        return self.reason if self.line is None else f"Zeile {self.line}: {self.reason}"


def check_letter(
    template: str, data: Mapping[str, Any] | None = None, *, fonts: Path | None = None
) -> list[LetterProblem]:
    """The problems of `template`; none means that `render_letter` makes a letter of it.

    Runs in a process of its own with at most 10 s and 2 GiB, so that a hostile template harms nobody. Pass
    the `data` of a sample: without, only the syntax is checked and the way to the first use of `daten`.
    """
    try:
        refuse_forbidden(template)
        sample = plain_data(data if data is not None else {"datum": date(2000, 1, 1)})
    except LetterError as error:
        return [LetterProblem(*problem) for problem in error.problems]
    job = {"template": template, "data": sample, "fonts": None if fonts is None else str(fonts)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from rathaus.engine.letters.check import main; main()"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=_WALL_SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return [LetterProblem("Die Vorlage braucht zu viel Zeit oder Speicher.")]
    problems = [LetterProblem(reason, line) for reason, line in json.loads(done.stdout)]
    if data is None:
        problems = [problem for problem in problems if "In den Daten fehlt" not in problem.reason]
    return problems


def main() -> None:
    """The other process: a job on standard input, its problems on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = json.load(sys.stdin)
    problems: list[tuple[str, int | None]] = []
    try:
        fonts = Path(job["fonts"]) if job["fonts"] else None
        render_letter(job["template"], job["data"], fonts=fonts, title="Probe")
    except LetterError as error:
        problems = error.problems
    json.dump(problems, sys.stdout)
