"""Charts of the money and of the work, as data for the templates `web/parts/budget_bars.html`, `money_sums.html`,
`money_flow.html`, `money_glance.html`, `state_bars.html` and `histogram.html` (each with `chart=`). Pure.

Money is one hue, darker = further. Stages are disjoint: free + committed + paid + proven + returned + released = budget,
to the cent, in bar, sums and table. Widths are texts in percent ("13.81"), exact enough that segments meet; amounts are
Decimal euros with two places. Pages with hatched parts include `web/parts/chart_patterns.html` once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, pairwise

from rathaus.law.money import NO_BREAK_SPACE, format_amount, format_number

NOTHING = Decimal("0.00")
#: Key, class of its colour, whether words on it are light, column of the table, words of the headline sum.
STAGES = (
    ("proven", "rh-m3", True, "nachgewiesen", "nachgewiesen"),
    ("paid", "rh-m2", True, "ausgezahlt", "ausgezahlt, Nachweis offen"),
    ("committed", "rh-m1", False, "gebunden", "gebunden, noch nicht ausgezahlt"),
    ("returned", "rh-mr", False, "zurück", "zurückgefordert"),
    ("released", "rh-ml", False, "freigegeben", "nicht gebraucht, freigegeben"),
    ("free", "rh-m0", False, "frei", "frei"),
)
WIDE_BAR, NARROW_BAR = 540, 270  # pixels that a bar has on a screen and on a phone, to know which words fit
LETTER, PADDING = 7.4, 14  # pixels
FIRST = 6  # weeks of the histogram; the last stands for all that took longer
HEIGHT = 104  # pixels of the highest column
FLOW_LINK = 100  # units across the piece that joins two bars of the flow


@dataclass(frozen=True, slots=True)
class Money:
    """A sum by where its money is: `paid` is paid and not yet proven, `returned` was paid and claimed back (come in or
    not), `released` was promised and given back unpaid; neither of the two is free again.

    ValueError for a negative amount or fractions of a cent: such money is a mistake, not a picture.
    """

    proven: Decimal = NOTHING
    paid: Decimal = NOTHING
    committed: Decimal = NOTHING
    free: Decimal = NOTHING
    returned: Decimal = NOTHING
    released: Decimal = NOTHING

    def __post_init__(self) -> None:
        for key, *_ in STAGES:
            amount = getattr(self, key)
            if amount < 0 or amount != round(amount, 2):
                raise ValueError(f"{key} is {amount}")

    def __add__(self, other: Money) -> Money:
        return Money(**{key: getattr(self, key) + getattr(other, key) for key, *_ in STAGES})

    @property
    def budget(self) -> Decimal:
        """All of it."""
        return self.free + self.awarded

    @property
    def awarded(self) -> Decimal:
        """What was ever bound: committed, paid, proven, returned, released."""
        return self.committed + self.drawn + self.released

    @property
    def drawn(self) -> Decimal:
        """What was ever paid, whatever became of it."""
        return self.paid + self.proven + self.returned


@dataclass(frozen=True, slots=True)
class BudgetYear:
    """A year of a programme or measure; `label` is "2021"."""

    label: str
    money: Money


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar: from `x`, `width` wide (percent); `text` is what fits on it, with `text_x` and its class."""

    css: str
    x: str
    width: str
    title: str
    text: str = ""
    text_x: str = ""
    text_css: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of bars: `words` for those who hear it."""

    label: str
    words: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class BudgetBars:
    """Stacked bars by year, with the same figures as a table: `heads`, `rows` of (year, cells), `total`."""

    name: str
    note: str
    bars: tuple[Bar, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    total: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """A headline sum with its swatch."""

    css: str
    label: str
    amount: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class MoneySums:
    """The headline sums of a programme, which are the legend of its bars."""

    sums: tuple[Sum, ...]


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many are in a state, and the list of them; overdue is red, nothing else."""

    label: str
    count: int
    url: str
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class StateBar:
    """A state with the width of its bar in percent of the longest."""

    label: str
    count: str
    url: str
    width: str
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class StateBars:
    """Counts by state; `name` says of what ("Anträge nach Stand")."""

    name: str
    bars: tuple[StateBar, ...]
    total: str


@dataclass(frozen=True, slots=True)
class WeekColumn:
    """A week of the histogram: places in percent across, in pixels down."""

    label: str
    count: str
    x: str
    width: str
    middle: str
    y: int
    height: int
    count_y: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations in weeks; `summary` is "die Hälfte in 16, 9 von 10 in 27 Tagen". Without columns nothing was counted."""

    words: str
    summary: str
    columns: tuple[WeekColumn, ...]


@dataclass(frozen=True, slots=True)
class FlowStep:
    """A station of the money: its bar, its amount, and what did not come this far with it (`rest`)."""

    label: str
    css: str
    amount: str
    share: str
    width: str
    link: str = ""
    rests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoneyFlow:
    """From budget to proof, each bar a part of the one above."""

    words: str
    steps: tuple[FlowStep, ...]


@dataclass(frozen=True, slots=True)
class GlancePart:
    """A part of what was awarded: "abrufbar bis 3. Dezember 2021". The first is what went furthest."""

    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class MoneyGlance:
    """ "Das Geld auf einen Blick": one bar, its parts as a sum."""

    words: str
    segments: tuple[Segment, ...]
    sums: tuple[Sum, ...]
    total_label: str
    total: str


def budget_bars(years: Sequence[BudgetYear], *, name: str = "Budget nach Jahr", note: str = "") -> BudgetBars:
    """Bars of the years in the order given; the largest budget is the full width, so that years compare."""
    largest = max((year.money.budget for year in years), default=NOTHING)
    stages = _used_stages(year.money for year in years)
    total = sum((year.money for year in years), Money())
    bars = []
    for year in years:
        parts = [
            _Part(css, is_light, word, getattr(year.money, key)) for key, css, is_light, word, _ in stages
        ]
        said = ", ".join(f"{part.word} {format_amount(part.amount)}" for part in parts)
        bars.append(Bar(year.label, f"{year.label}: {said}", _segments(parts, largest, f"{year.label} ")))
    return BudgetBars(
        name,
        note,
        tuple(bars),
        (*(word for *_, word, _ in stages), "Budget"),
        tuple((year.label, _cells(year.money, stages)) for year in years),
        _cells(total, stages),
    )


def money_sums(money: Money, notes: Mapping[str, str] | None = None) -> MoneySums:
    """The sums from free to proven; `notes` by stage ("paid": "9 Nachweise überfällig"), free says of how much."""
    said = {"free": f"von {format_amount(money.budget)}"} | dict(notes or {})
    stages = sorted(_used_stages([money]), key=lambda stage: _READ.index(stage[0]))
    return MoneySums(
        tuple(
            Sum(css, words, format_amount(getattr(money, key)), said.get(key, ""))
            for key, css, _, _, words in stages
        )
    )


def state_bars(counts: Iterable[StateCount], *, name: str = "Anträge nach Stand") -> StateBars:
    """Counts in the order given, each a link to its list."""
    counts = list(counts)
    largest = max((entry.count for entry in counts), default=0) or 1
    return StateBars(
        name,
        tuple(
            StateBar(
                entry.label,
                format_number(entry.count),
                entry.url,
                _percent(Decimal(entry.count * 100) / largest),
                entry.is_overdue,
            )
            for entry in counts
        ),
        format_number(sum(entry.count for entry in counts)),
    )


def histogram(durations: Mapping[int, int], *, noun: str = "Anträge") -> Histogram:
    """How long it took: `durations` is days → how many. A day more than a whole week counts to the next."""
    total = sum(durations.values())
    if any(days < 0 or count < 0 for days, count in durations.items()):
        raise ValueError("durations and counts must not be negative")
    if not total:
        return Histogram(f"Dauer: noch keine {noun}", f"noch keine {noun}", ())
    counts = [0] * FIRST
    for days, count in durations.items():
        counts[min(max((days + 6) // 7, 1), FIRST) - 1] += count
    half, most = (_within(durations, total * part) for part in (Decimal("0.5"), Decimal("0.9")))
    columns, step = [], Decimal(100) / FIRST
    for number, count in enumerate(counts):
        height = max(round(HEIGHT * count / max(counts)), 1 if count else 0)
        columns.append(
            WeekColumn(
                str(number + 1) if number + 1 < FIRST else f"ab{NO_BREAK_SPACE}{FIRST}",
                format_number(count),
                _percent(step * number + Decimal("1.5")),
                _percent(step - 3),
                _percent(step * number + step / 2),
                HEIGHT + 20 - height,
                height,
                HEIGHT + 14 - height,
            )
        )
    said = [
        f"{'in der' if number == 1 else ''} {number}. Woche {format_number(count)}".strip()
        for number, count in enumerate(counts[:-1], 1)
    ]
    summary = (
        f"die Hälfte in {half}{NO_BREAK_SPACE}{_days(half)}, 9{NO_BREAK_SPACE}von{NO_BREAK_SPACE}10 "
        f"in {most}{NO_BREAK_SPACE}{_days(most)}"
    )
    words = f"Dauer von {format_number(total)} {noun}: {', '.join(said)}, später {format_number(counts[-1])}"
    return Histogram(words, f"{noun} nach Wochen: {summary}", tuple(columns))


def money_flow(money: Money) -> MoneyFlow:
    """Budget, awarded, paid, proven: what came how far, and what stayed behind."""
    stations = [
        ("Budget", "rh-m0", money.budget, [("noch frei", money.free)]),
        (
            "bewilligt",
            "rh-m1",
            money.awarded,
            [("noch nicht ausgezahlt", money.committed), ("wieder freigegeben", money.released)],
        ),
        (
            "ausgezahlt",
            "rh-m2",
            money.drawn,
            [("Nachweis offen", money.paid), ("zurückgefordert", money.returned)],
        ),
        ("nachgewiesen", "rh-m3", money.proven, []),
    ]
    whole = money.budget or Decimal(1)
    steps = []
    for number, (label, css, amount, rests) in enumerate(stations):
        width = amount * 100 / whole
        after = stations[number + 1][2] * 100 / whole if number + 1 < len(stations) else None
        steps.append(
            FlowStep(
                label,
                css,
                format_amount(amount),
                f"{format_number(width, places=1)}{NO_BREAK_SPACE}%" if number and money.budget else "",
                _percent(width),
                ""
                if after is None
                else f"0,0 {_percent(width)},0 {_percent(after)},{FLOW_LINK} 0,{FLOW_LINK}",
                tuple(f"{word}: {format_amount(rest)}" for word, rest in rests if rest),
            )
        )
    words = "Vom Budget zum Nachweis: " + ", ".join(f"{step.label} {step.amount}" for step in steps)
    return MoneyFlow(words, tuple(steps))


def money_glance(parts: Sequence[GlancePart], *, total_label: str = "bewilligt") -> MoneyGlance:
    """What was awarded in at most four parts, the one that went furthest first. ValueError for more parts."""
    looks = (("rh-m3", True), ("rh-m2", True), ("rh-m1", False), ("rh-m0", False))
    if len(parts) > len(looks):
        raise ValueError(f"at most {len(looks)} parts, not {len(parts)}")
    whole = sum((part.amount for part in parts), NOTHING)
    pieces = [
        _Part(css, is_light, part.label, part.amount)
        for part, (css, is_light) in zip(parts, looks, strict=False)
    ]
    said = ", ".join(f"{part.label} {format_amount(part.amount)}" for part in parts)
    return MoneyGlance(
        f"{total_label} {format_amount(whole)}: {said}",
        _segments(pieces, whole, "", with_text=False),
        tuple(Sum(piece.css, piece.word, format_amount(piece.amount)) for piece in pieces),
        total_label,
        format_amount(whole),
    )


_READ = (
    "free",
    "committed",
    "paid",
    "proven",
    "returned",
    "released",
)  # the headline's order: from promise to proof
_Stage = tuple[str, str, bool, str, str]


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a bar before it is measured."""

    css: str
    is_light: bool
    word: str
    amount: Decimal = field(default=NOTHING)


def _used_stages(sums: Iterable[Money]) -> list[_Stage]:
    """All stages, but those of money that came back only where there is some."""
    sums = list(sums)
    return [
        stage
        for stage in STAGES
        if stage[0] not in ("returned", "released") or any(getattr(money, stage[0]) for money in sums)
    ]


def _cells(money: Money, stages: Sequence[_Stage]) -> tuple[str, ...]:
    return (*(format_amount(getattr(money, key)) for key, *_ in stages), format_amount(money.budget))


def _segments(
    parts: Sequence[_Part], whole: Decimal, before: str, *, with_text: bool = True
) -> tuple[Segment, ...]:
    """The pieces side by side. Each begins where the one before ends, because edges are rounded and not widths."""
    if any(part.amount < 0 for part in parts):
        raise ValueError("a part of a bar must not be negative")
    if not whole:
        return ()
    edges = [
        (sum_ * 100 / whole).quantize(Decimal("0.01"))
        for sum_ in accumulate((part.amount for part in parts), initial=NOTHING)
    ]
    found = []
    for part, (start, end) in zip(parts, pairwise(edges), strict=True):
        if not part.amount:
            continue
        text, narrow = _text_that_fits(part.amount, whole, end - start) if with_text else ("", "")
        found.append(
            Segment(
                part.css,
                _percent(start),
                _percent(end - start),
                f"{before}{part.word}: {format_amount(part.amount)}",
                text,
                _percent(start + Decimal("1.2")),
                f"{'on-dark' if part.is_light else 'on-light'}{narrow}",
            )
        )
    return tuple(found)


def _text_that_fits(amount: Decimal, whole: Decimal, percent: Decimal) -> tuple[str, str]:
    """The amount as long as there is room for it, and " narrow" if a phone has none."""
    size, unit = (1_000_000, "Mio.") if whole >= 2_000_000 else (1_000, "Tsd.") if whole >= 2_000 else (1, "")
    short = format_number(amount / size, places=1 if size > 1 else 0)
    long = NO_BREAK_SPACE.join(filter(None, (short, unit, "€")))

    def fits(text: str, bar: int) -> bool:
        return len(text) * LETTER + PADDING <= float(percent) * bar / 100

    for text, bar, css in (
        (long, NARROW_BAR, ""),
        (short, NARROW_BAR, ""),
        (long, WIDE_BAR, " narrow"),
        (short, WIDE_BAR, " narrow"),
    ):
        if fits(text, bar):
            return text, css
    return "", ""


def _within(durations: Mapping[int, int], wanted: Decimal) -> int:
    """In how many days so many were through."""
    through = 0
    for days in sorted(durations):
        through += durations[days]
        if through >= wanted:
            return days
    return max(durations)


def _days(number: int) -> str:
    return "Tag" if number == 1 else "Tagen"


def _percent(number: Decimal) -> str:
    """For SVG: a point, two places, never in scientific notation."""
    return f"{number:.2f}"
