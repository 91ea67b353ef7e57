"""Fonts for pages and letters are built from the npm package, once."""

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from rathaus.cli.assets import build_assets
from rathaus.engine.letters import render_letter

NODE_MODULES = Path(__file__).parents[2] / "node_modules"
# DIN 91379: letters of names in Europe, some of them with combining marks.
NAMES = "Łukasz Đorđe Ștefan Þórður İlkay Ǆ Nguyễn Ẽ Ǧ ə"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (NODE_MODULES / "@kern-ux/native").exists():
        pytest.skip("npm ci has not run")
    target = tmp_path_factory.mktemp("build")
    assert build_assets(NODE_MODULES, target)
    return target


def test_second_time_there_is_nothing_to_do(built: Path) -> None:
    before = {path: path.read_bytes() for path in built.rglob("*") if path.is_file()}
    assert not build_assets(NODE_MODULES, built)
    (built / "fonts/stand.txt").write_text("alt")
    assert build_assets(NODE_MODULES, built)
    assert {path: path.read_bytes() for path in built.rglob("*") if path.is_file()} == before


def test_pages_load_little_and_have_all_letters(built: Path) -> None:
    style = (built / "fonts/fira-sans.css").read_text()
    assert style.count("font-display: swap") == 6
    for weight in (400, 500, 600):
        latin = built / f"fonts/fira-sans-{weight}-latin.woff2"
        assert latin.stat().st_size < 24_000
        assert latin.name in style
        points = set(TTFont(latin).getBestCmap())
        assert set(map(ord, "ÄÖÜäöüßẞ„“–€§…".replace("ẞ", ""))) <= points
        points |= set(TTFont(built / f"fonts/fira-sans-{weight}-erweitert.woff2").getBestCmap())
        assert set(map(ord, NAMES)) <= points


def test_letters_are_set_in_them(built: Path) -> None:
    template = (
        '#import "brief.typ": *\n'
        '#show: brief.with(absender: (name: "Amt"), datum: daten.datum, betreff: "Probe")\n'
        "#daten.namen"
    )
    pdf = render_letter(
        template, {"datum": "2021-07-12", "namen": NAMES}, fonts=built / "letter-fonts", title="Probe"
    )
    assert b"FiraSans" in pdf


def test_without_npm_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="npm ci"):
        build_assets(tmp_path, tmp_path / "build")
