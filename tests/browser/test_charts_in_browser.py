"""Charts and map in a real browser: axe finds nothing, words stay on their bars, the map is walked by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Engine, Template
from playwright.sync_api import Browser, Page
from tests.web.test_charts import TOTAL, YEARS
from tests.web.test_maps import FEW, THREE

from rathaus.web.charts import (
    BudgetYear,
    GlancePart,
    Money,
    StateCount,
    budget_bars,
    histogram,
    money_flow,
    money_glance,
    money_sums,
    state_bars,
)
from rathaus.web.map_geometry import load_geometry
from rathaus.web.maps import MapValue, draw_map

D = Decimal
ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
STYLES = (
    ROOT / "node_modules/@kern-ux/native/dist/kern.min.css",
    *(ROOT / f"src/rathaus/web/static/web/{name}.css" for name in ("base", "residents", "desk")),
)
PAGE = """<!doctype html><html lang="de"><head><title>Probe</title><meta name="viewport" content="width=device-width">
</head><body class="rh-desk"><main class="rh-deskmain"><h1>Probe</h1>
{% include "web/parts/chart_patterns.html" %}{% include "web/parts/money_sums.html" with chart=sums only %}
{% include "web/parts/budget_bars.html" with chart=bars only %}
{% include "web/parts/state_bars.html" with chart=states only %}
{% include "web/parts/money_flow.html" with chart=flow only %}
{% include "web/parts/money_glance.html" with chart=glance only %}
{% include "web/parts/histogram.html" with chart=weeks only %}{% include "web/parts/map.html" with chart=map only %}
</main></body></html>"""
pytestmark = pytest.mark.browser


def write(is_whole_land: bool) -> str:
    values = FEW
    if is_whole_land:
        values = {
            ags: MapValue(n % 3, "1,00 €", f"#{ags}") for n, ags in enumerate(load_geometry("hessen").names)
        }
    back = BudgetYear(
        "2025", Money(D("50000.00"), D("1000000.00"), D("300000.00"), D("500000.00"), D("150000.00"))
    )
    context = {
        "sums": money_sums(TOTAL + back.money, {"paid": "9 Nachweise überfällig"}),
        "bars": budget_bars([*YEARS, back], note="Je Jahr 20 Mio. €"),
        "states": state_bars(
            [StateCount("Nachweis überfällig", 9, "#", True), StateCount("Fertig", 261, "#")]
        ),
        "flow": money_flow(TOTAL + back.money),
        "glance": money_glance(
            [GlancePart("ausgezahlt", D("117782.16")), GlancePart("offen", D("57798.00"))]
        ),
        "weeks": histogram({3: 38, 10: 141, 17: 163, 24: 74, 31: 22, 60: 8}),
        "map": draw_map("hessen", values, legend=THREE, title="Zuschüsse"),
    }
    return Template(PAGE, engine=Engine.get_default()).render(Context(context))


@pytest.fixture(params=[(1440, "light"), (375, "light"), (320, "dark")], ids=str)
def look(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def show(page: Page, *, is_whole_land: bool = False) -> None:
    page.set_content(write(is_whole_land))
    for style in STYLES:
        page.add_style_tag(content=style.read_text(encoding="utf-8"))


@pytest.mark.parametrize("is_whole_land", [False, True])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(look: Page, is_whole_land: bool) -> None:
    show(look, is_whole_land=is_whole_land)
    look.locator("summary").click()
    look.evaluate(AXE.read_text(encoding="utf-8"))
    found = look.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    said = [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found]
    assert not said, json.dumps(said, indent=1, ensure_ascii=False)
    assert look.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_words_stay_on_their_piece_of_the_bar(look: Page) -> None:
    show(look)
    over = look.evaluate(
        """[...document.querySelectorAll('.rh-bars text')].filter(text => {
          const word = text.getBoundingClientRect(), piece = text.previousElementSibling.getBoundingClientRect()
          return word.width && (word.left < piece.left || word.right > piece.right)
        }).map(text => text.textContent)"""
    )
    assert over == []
    assert look.locator(".rh-bars text:visible").count() >= 6


def test_names_on_the_map_lie_inside_the_picture_and_links_take_the_focus(look: Page) -> None:
    show(look)
    outside = look.evaluate(
        """[...document.querySelectorAll('.rh-map .lbl')].filter(label => {
          const word = label.getBoundingClientRect(), map = label.ownerSVGElement.getBoundingClientRect()
          return word.left < map.left - 1 || word.right > map.right + 1 || word.height < 9
        }).map(label => label.textContent)"""
    )
    assert outside == []
    names = []
    look.locator("summary").focus()
    for _ in range(20):
        look.keyboard.press("Tab")
        names.append(look.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert [name for name in names if name and ":" in name][:5] == [
        "Aßlar: Partner von Ehringshausen", "Ehringshausen: 483.660,00 €", "Lahnau: 56.084,00 €",
        "Leun: Partner von Ehringshausen", "Waldsolms: 136.214,10 €",
    ]  # fmt: skip


def test_a_map_full_of_links_can_be_skipped(look: Page) -> None:
    show(look, is_whole_land=True)
    skip = look.get_by_role("link", name="Karte überspringen")
    skip.focus()
    assert skip.bounding_box() is not None
    assert look.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
