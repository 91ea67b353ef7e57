"""The round of 446, as `rathaus demo` runs it, on this database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rathaus.cli.bench.figures import Figure, Sizes, number

GOAL_SECONDS = 30


def measure(sizes: Sizes) -> Iterator[Figure]:
    """Seconds from the import of the file to the last notice."""
    from rathaus.cli.demo.place import prepare_place
    from rathaus.cli.demo.round import THREE_PROJECTS, run_round

    place = prepare_place()
    place = replace(place, all_2020=place.all_2020[: sizes.applicants])
    folder = Path(os.environ["RATHAUS_VAR"]) / "demo"
    seconds = run_round(place, folder, lambda name, done, total: None)
    lines = len(place.all_2020) + len(THREE_PROJECTS)
    yield Figure(
        "whole_round",
        f"Runde mit {lines} Anträgen, Einlesen bis letzter Bescheid",
        f"≤ {GOAL_SECONDS} s",
        f"{number(seconds)} s, {number(lines / seconds)} Bescheide/s",
        is_reached=seconds <= GOAL_SECONDS,
        values={"seconds": seconds, "applications": lines},
    )
