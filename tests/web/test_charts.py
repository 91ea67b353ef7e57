"""Charts: sums to the cent, segments that meet, what is said of them, and templates without a style or a script."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from django.template import Context, Engine, Template
from hypothesis import given
from hypothesis import strategies as st

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

D = Decimal
EVIL = "<script>alert(1)</script>\" onfocus='x'"
AMOUNTS = st.decimals(min_value=0, max_value=999_999_999, places=2)
MONEY = st.builds(Money, **{part.name: AMOUNTS for part in fields(Money)})
# The programme page of the mock-up: year, proven, paid, committed, free.
YEARS = [
    BudgetYear(label, Money(D(proven), D(paid), D(committed), D(free)))
    for label, proven, paid, committed, free in (
        ("2020", "13812460.00", "5706940.00", "480600.00", "0.00"),
        ("2021", "0.00", "3101321.00", "1112683.23", "15785995.77"),
        ("2022", "0.00", "0.00", "4337979.05", "15662020.95"),
        ("2023", "0.00", "0.00", "4123974.82", "15876025.18"),
        ("2024", "0.00", "0.00", "4000000.00", "16000000.00"),
    )
]
TOTAL = sum((year.money for year in YEARS), Money())


class Page(HTMLParser):
    """Tags with their attributes; fails on what a strict policy would block."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        for tag, attributes in self.tags:
            assert tag not in {"script", "style"}
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def render(part: str, chart: Any) -> str:
    source = f'{{% include "web/parts/{part}.html" with chart=chart only %}}'
    return Template(source, engine=Engine.get_default()).render(Context({"chart": chart}))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def cents(text: str) -> Decimal:
    return D(plain(text).removesuffix(" €").replace(".", "").replace(",", "."))


def test_the_mock_up_comes_out_to_the_cent() -> None:
    assert TOTAL.budget == D("100000000.00")
    sums = money_sums(TOTAL, {"paid": "9 Nachweise überfällig"}).sums
    assert [(entry.label, plain(entry.amount), plain(entry.note)) for entry in sums] == [
        ("frei", "63.324.041,90 €", "von 100.000.000,00 €"),
        ("gebunden, noch nicht ausgezahlt", "14.055.237,10 €", ""),
        ("ausgezahlt, Nachweis offen", "8.808.261,00 €", "9 Nachweise überfällig"),
        ("nachgewiesen", "13.812.460,00 €", ""),
    ]
    bars = budget_bars(YEARS)
    assert [plain(cell) for cell in bars.total] == [
        "13.812.460,00 €", "8.808.261,00 €", "14.055.237,10 €", "63.324.041,90 €", "100.000.000,00 €",
    ]  # fmt: skip
    first = bars.bars[0]
    assert plain(first.words) == (
        "2020: nachgewiesen 13.812.460,00 €, ausgezahlt 5.706.940,00 €, gebunden 480.600,00 €, frei 0,00 €"
    )
    assert [(piece.x, piece.width) for piece in first.segments] == [
        ("0.00", "69.06"), ("69.06", "28.54"), ("97.60", "2.40"),
    ]  # fmt: skip
    assert [plain(piece.text) for piece in first.segments] == ["13,8 Mio. €", "5,7", ""]


@given(st.lists(MONEY, min_size=1, max_size=6))
def test_segments_meet_and_the_largest_budget_fills_its_bar(sums: list[Money]) -> None:
    bars = budget_bars([BudgetYear(str(number), money) for number, money in enumerate(sums)])
    largest = max(money.budget for money in sums)
    for money, bar, (_, cells) in zip(sums, bars.bars, bars.rows, strict=True):
        assert sum(map(cents, cells[:-1])) == cents(cells[-1]) == money.budget
        end = D(0)
        for piece in bar.segments:
            assert D(piece.x) >= end  # a stage without money leaves no gap, a tiny one may round to nothing
            assert D(piece.x) - end <= D("0.00")
            end = D(piece.x) + D(piece.width)
        if largest:
            assert end == (money.budget * 100 / largest).quantize(D("0.01"))
        if money.budget == largest and largest:
            assert end == 100
    for column, cell in enumerate(bars.total):
        assert cents(cell) == sum(cents(cells[column]) for _, cells in bars.rows)


@given(MONEY)
def test_what_flows_on_and_what_stays_behind_are_the_station_before(money: Money) -> None:
    steps = money_flow(money).steps
    for before, after in pairwise(steps):
        stayed = sum((cents(rest.split(": ")[1]) for rest in before.rests), D(0))
        assert cents(before.amount) == cents(after.amount) + stayed
        assert D(before.width) >= D(after.width)
    assert [step.label for step in steps] == ["Budget", "bewilligt", "ausgezahlt", "nachgewiesen"]
    assert cents(steps[0].amount) == money.budget


def test_returned_money_shows_only_where_there_is_some() -> None:
    assert "zurück" not in budget_bars(YEARS).heads
    assert "Sum(css='rh-mr'" not in repr(money_sums(TOTAL))
    years = [*YEARS, BudgetYear("2025", Money(proven=D("90.00"), returned=D("10.00")))]
    bars = budget_bars(years)
    assert bars.heads == ("nachgewiesen", "ausgezahlt", "gebunden", "zurück", "frei", "Budget")
    assert plain(bars.total[3]) == "10,00 €"
    assert [entry.label for entry in money_sums(years[-1].money).sums][-1] == "zurückgefordert"
    given_back = Money(proven=D("90.00"), released=D("10.00"))
    assert budget_bars([BudgetYear("2025", given_back)]).heads[3] == "freigegeben"
    assert [entry.label for entry in money_sums(given_back).sums][-1] == "nicht gebraucht, freigegeben"
    assert given_back.budget == D("100.00")
    assert given_back.drawn == D("90.00"), "what was given back was never paid"


@pytest.mark.parametrize("amount", [D("-0.01"), D("0.001")])
def test_impossible_money_is_no_picture(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="paid is"):
        Money(paid=amount)
    with pytest.raises(ValueError, match=r"negative|cent"):
        money_glance([GlancePart("ausgezahlt", amount)])


def test_nothing_yet() -> None:
    empty = budget_bars([BudgetYear("2021", Money())])
    assert empty.bars[0].segments == ()
    assert 'class="rh-sbar__empty"' in render("budget_bars", empty)
    assert [step.width for step in money_flow(Money()).steps] == ["0.00"] * 4
    assert state_bars([StateCount("Leer", 0, "/")]).bars[0].width == "0.00"
    nobody = histogram({})
    assert nobody.summary == "noch keine Anträge"
    assert "<svg" not in render("histogram", nobody)
    assert budget_bars([]).total[-1] == money_glance([]).total


def test_words_on_bars_fit() -> None:
    """A word wider than its piece would lie over the next one."""
    for share in range(1, 100):
        money = Money(proven=D(share) * 10_000, free=D(100 - share) * 10_000)
        piece = budget_bars([BudgetYear("2021", money), BudgetYear("2022", Money(free=D(3_000_000)))]).bars[0]
        for segment in piece.segments:
            room = (540 if "narrow" in segment.text_css else 270) * float(segment.width) / 100
            assert len(segment.text) * 7.4 < room or not segment.text


def test_states_link_to_their_lists_and_only_overdue_is_red() -> None:
    bars = state_bars(
        [
            StateCount("Nachweis erwartet", 104, "/n/?a=1&b=2"),
            StateCount("Nachweis überfällig", 9, "/u/", is_overdue=True),
            StateCount("Abgeschlossen", 2610, "/a/"),
        ]
    )
    assert [bar.width for bar in bars.bars] == ["3.98", "0.34", "100.00"]
    assert bars.total == "2.723"
    page = Page(render("state_bars", bars))
    assert [link["href"] for link in page.all("a")] == ["/n/?a=1&b=2", "/u/", "/a/"]
    assert [rect.get("class") for rect in page.all("rect")] == [None, "bad", None]


def test_durations_by_week() -> None:
    drawn = histogram({0: 1, 7: 2, 8: 3, 14: 1, 36: 2, 400: 1})
    assert [column.count for column in drawn.columns] == ["3", "4", "0", "0", "0", "3"]
    assert plain(drawn.summary) == "Anträge nach Wochen: die Hälfte in 8 Tagen, 9 von 10 in 36 Tagen"
    assert max(column.height for column in drawn.columns) == 104
    assert [column.height for column in drawn.columns][2] == 0
    assert "10 Anträge" in drawn.words
    assert plain(histogram({1: 5}).summary).endswith("die Hälfte in 1 Tag, 9 von 10 in 1 Tag")
    with pytest.raises(ValueError, match="negative"):
        histogram({-1: 3})


@given(st.dictionaries(st.integers(0, 400), st.integers(0, 50), max_size=30))
def test_every_duration_is_counted_once(durations: dict[int, int]) -> None:
    drawn = histogram(durations)
    assert sum(int(column.count) for column in drawn.columns) == sum(durations.values())
    if drawn.columns:
        last = drawn.columns[-1]
        assert D(last.x) + D(last.width) <= 100


def test_money_at_a_glance() -> None:
    drawn = money_glance(
        [
            GlancePart("ausgezahlt", D("117782.16")),
            GlancePart("abrufbar bis 3. Dezember 2021", D("57798.00")),
            GlancePart("abrufbar 2022 und 2023", D("338562.00")),
        ]
    )
    assert plain(drawn.total) == "514.142,16 €"
    assert [(piece.css, piece.width) for piece in drawn.segments] == [
        ("rh-m3", "22.91"), ("rh-m2", "11.24"), ("rh-m1", "65.85"),
    ]  # fmt: skip
    assert "Bewilligt" not in drawn.words
    assert plain(drawn.words).startswith("bewilligt 514.142,16 €: ausgezahlt 117.782,16 €, abrufbar bis")
    with pytest.raises(ValueError, match="at most 4"):
        money_glance([GlancePart("x", D(1))] * 5)


def test_templates_escape_and_say_their_figures() -> None:
    money = Money(D("5.00"), D("4.00"), D("3.00"), D("2.00"), D("1.00"))
    pages = {
        "budget_bars": budget_bars([BudgetYear(EVIL, money)], name=EVIL, note=EVIL),
        "money_sums": money_sums(money, {"paid": EVIL}),
        "state_bars": state_bars([StateCount(EVIL, 3, "/a/")], name=EVIL),
        "histogram": histogram({3: 4}, noun=EVIL),
        "money_flow": money_flow(money),
        "money_glance": money_glance([GlancePart(EVIL, D(4))], total_label=EVIL),
    }
    for part, chart in pages.items():
        html = render(part, chart)
        page = Page(html)
        assert "<script" not in html, part
        for image in page.all("svg"):
            assert image.get("aria-hidden") == "true" or (image["role"], bool(image["aria-label"])) == (
                "img",
                True,
            )
    table = Page(render("budget_bars", pages["budget_bars"]))
    assert [cell.get("scope") for cell in table.all("th")] == ["col"] * 7 + ["row"] * 2
    assert [area["tabindex"] for area in table.all("div")] == ["0"]
