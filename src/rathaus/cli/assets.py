"""Builds the fonts: small WOFF2 files for pages, TTF for letters, both from the design system's Fira Sans."""

import hashlib
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

_FAMILY = "Fira Sans"
_WEIGHTS = {"Regular": 400, "Medium": 500, "SemiBold": 600}
# German and its neighbours, loaded on every page: Latin-1, typographic signs, euro, minus, arrows.
_LATIN = (
    "U+0020-007E, U+00A0-00FF, U+2009-200D, U+2010-201E, U+2020-2022, U+2026, U+2030, U+2032-2033, "
    "U+2039-203A, U+20AC, U+2190-2193, U+2212"
)
# What else DIN 91379 asks for in names, loaded when a page shows such a letter; combining marks included.
_EXTENDED = (
    "U+0100-024F, U+0259, U+02B9-02BC, U+02C6-02CC, U+02D8-02DD, U+0300-036F, U+1E00-1EFF, U+2070-2079, "
    "U+2080-2089, U+2113, U+2116, U+2122"
)


def build_assets(node_modules: Path, target: Path) -> bool:
    """Write `target`/fonts (WOFF2, fira-sans.css) and `target`/letter-fonts (TTF); False if all was there.

    Safe to call again and again: the work is done once, and again when the fonts or the ranges here change.
    Raises FileNotFoundError with a German sentence if the npm packages are not installed.
    """
    source = node_modules / "@kern-ux/native/dist/fonts/fira-sans"
    originals = {style: source / f"FiraSans-{style}.woff2" for style in _WEIGHTS}
    for original in originals.values():
        if not original.exists():
            raise FileNotFoundError(f"{original.name} fehlt. Rufen Sie zuerst „npm ci“ auf.")
    stamp = target / "fonts" / "stand.txt"
    state = _state(originals)
    if stamp.exists() and stamp.read_text() == state:
        return False
    for name in ("fonts", "letter-fonts"):
        shutil.rmtree(target / name, ignore_errors=True)
        (target / name).mkdir(parents=True)
    rules = []
    for style, weight in _WEIGHTS.items():
        for name, ranges in (("latin", _LATIN), ("erweitert", _EXTENDED)):
            file = f"fira-sans-{weight}-{name}.woff2"
            _write_subset(originals[style], ranges, target / "fonts" / file)
            rules.append(_rule(weight, file, ranges))
        font = _open(originals[style])
        font.flavor = None
        font.save(target / "letter-fonts" / f"FiraSans-{style}.ttf")
    (target / "fonts" / "fira-sans.css").write_text("\n".join(rules))
    stamp.write_text(state)
    return True


def _state(originals: dict[str, Path]) -> str:
    digest = hashlib.sha256(f"{_LATIN} {_EXTENDED}".encode())
    for original in originals.values():
        digest.update(original.read_bytes())
    return digest.hexdigest()


def _open(original: Path) -> TTFont:
    # Without its own time of change the result is the same on every machine.
    font = TTFont(original, recalcTimestamp=False)
    # The fonts use flags that came with version 4 of this table but claim version 3.
    font["OS/2"].version = 4
    return font


def _write_subset(original: Path, ranges: str, file: Path) -> None:
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "tnum", "lnum", "pnum"]
    options.drop_tables += ["DSIG"]
    font = _open(original)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=_codepoints(ranges))
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(file)


def _codepoints(ranges: str) -> list[int]:
    points: list[int] = []
    for part in ranges.split(", "):
        first, _, last = part.removeprefix("U+").partition("-")
        points.extend(range(int(first, 16), int(last or first, 16) + 1))
    return points


def _rule(weight: int, file: str, ranges: str) -> str:
    return (
        f'@font-face {{ font-family: "{_FAMILY}"; font-weight: {weight}; font-style: normal; '
        "font-display: swap;\n"
        f'  src: url("{file}") format("woff2"); unicode-range: {ranges}; }}\n'
    )
