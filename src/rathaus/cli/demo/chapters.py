"""The chapters of the demo in order of time: each is told once, and kept when it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from rathaus.cli.demo.bars import Bars
from rathaus.cli.demo.people import DemoFailed
from rathaus.cli.demo.troubles import Troubles

# Which story: another number where chapters change, since the data of one do not go on with another.
TELLS = 2
AFRESH = "`make clean-demo` löscht ihre Daten; danach beginnt `make demo` von vorn."


class Chapters:
    """What is told already. A file beside the database says which chapters are done, and which one was begun last.

    `lives` is how many grants of the first call live on after their notice: what the first run said holds. Raises
    DemoFailed for data of another story.
    """

    def __init__(self, folder: Path, bars: Bars, *, lives: int) -> None:
        self.folder, self.bars, self.lives = folder, bars, lives
        self.troubles, self.begun, self.is_resumed = Troubles(), "", False
        self.seconds: dict[str, float] = {}
        if self._file.exists():
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            if kept.get("tells") != TELLS:
                raise DemoFailed(f"Die Vorführung hier erzählt eine frühere Fassung.\n{AFRESH}")
            self.troubles, self.seconds = Troubles(kept["troubles"]), kept["seconds"]
            self.begun, self.lives, self.is_resumed = kept["begun"], kept["lives"], True

    @property
    def _file(self) -> Path:
        return self.folder / "kapitel.json"

    def tell(self, name: str, act: Callable[[], object], *, goes_on: bool = False) -> None:
        """Live a chapter unless it is told, and keep that it is.

        A chapter that was interrupted begins again only if it `goes_on`: if it does nothing twice. Otherwise DemoFailed
        says what to do, since half of it is booked.
        """
        if name in self.seconds:
            return
        if name == self.begun and not goes_on:
            raise DemoFailed(
                f"Die Vorführung brach mitten in „{name}“ ab. Die Hälfte davon ist schon gebucht, "
                f"und zweimal soll nichts geschehen.\n{AFRESH}"
            )
        self.begun = name
        self._keep()
        begun = time.perf_counter()
        self.bars.begin(name)
        act()
        self.seconds[name], self.begun = round(time.perf_counter() - begun, 1), ""
        self._keep()
        self.bars.end(self.seconds[name])

    def _keep(self) -> None:
        """Whole or not at all, whenever we are interrupted."""
        kept = {
            "tells": TELLS,
            "lives": self.lives,
            "begun": self.begun,
            "seconds": self.seconds,
            "troubles": self.troubles.rows(),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".neu")
        fresh.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        fresh.replace(self._file)
