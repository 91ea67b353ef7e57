"""The packages under leistungen/ and the one that is measured, compiled once a run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from rathaus.casework.services.packages import Package, compile_package, read_folder

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [*sorted(path for path in (ROOT / "leistungen").iterdir() if path.is_dir())]
FOLDERS.append(ROOT / "src/rathaus/bench/leistung")
SMART = ROOT / "leistungen/starke-heimat-smart"
PHASE_2020 = ROOT / "leistungen/starke-heimat-2020"
DOG = ROOT / "leistungen/hundesteuer-anmeldung"
BENCH = ROOT / "src/rathaus/bench/leistung"


@cache
def package(folder: Path) -> Package:
    return compile_package(read_folder(folder), check_letters=False)


def sample(folder: Path, name: str) -> dict[str, Any]:
    return dict(package(folder).samples[f"beispiele/{name}.json"])


def every_sample() -> list[tuple[Path, str]]:
    return [(folder, Path(name).stem) for folder in FOLDERS for name in sorted(package(folder).samples)]


def every_letter() -> list[tuple[Path, str]]:
    """The samples that come by a letter; money that is paid as it was asked for needs none."""

    def issues(folder: Path, name: str) -> bool:
        nodes = package(folder).definition.nodes
        reached = sample(folder, name)["pfad"]
        return any(nodes[element].operation == "letters.issue" for element in reached)

    return [(folder, name) for folder, name in every_sample() if issues(folder, name)]
