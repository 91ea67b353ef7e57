"""How far the demo is: a line for each chapter that is told, a bar for the one that is being told."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from rathaus.law.money import format_number

WIDTH = 40  # of a name; bar, count and time fit beside it on a terminal of 80


class Bars:
    """Called with a step of the chapter, how much of it is done, and of how much."""

    def __init__(self, console: Console) -> None:
        self._console, self._name = console, ""
        self._progress = Progress(
            TextColumn(f"{{task.description:<{WIDTH}}}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, name: str) -> None:
        """A chapter begins."""
        self._name = name
        self._progress.add_task(name[:WIDTH], total=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        for task in self._progress.tasks:
            self._progress.update(task.id, description=step[:WIDTH], completed=done, total=total)

    def end(self, seconds: float) -> None:
        """The chapter is told; its line stays."""
        for task in self._progress.tasks:
            self._progress.remove_task(task.id)
        self._console.print(f"{self._name:<{WIDTH}} {format_number(Decimal(seconds), places=1):>8} s")
