"""What the page of a programme shows, worked out from what was read of it; no statement but for names of partners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from rathaus.casework.cases.enums import CaseState, Outcome
from rathaus.domains.grants.enums import LineKind, Stage
from rathaus.domains.grants.queries import (
    Applications,
    Errand,
    LineMoney,
    ProgrammeFile,
    Shares,
    stage_counts,
    total_of,
)
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import format_date
from rathaus.web.charts import (
    NOTHING,
    BudgetBars,
    BudgetYear,
    Histogram,
    Money,
    MoneyFlow,
    MoneySums,
    StateBars,
    StateCount,
    budget_bars,
    histogram,
    money_flow,
    money_sums,
    state_bars,
)
from rathaus.web.desk.programmes.map import Places, places_of
from rathaus.web.desk.programmes.todo import Group, todo_of

OPEN_STATES = (CaseState.RECEIVED, CaseState.PROCESSING, CaseState.ACTION_REQUIRED)


@dataclass(frozen=True)
class Promise:
    """A commitment authority: what may be promised of a later year, and what became of it. Amounts in euros."""

    year: int
    measure: str
    budget: Decimal
    open: Decimal
    redeemed: Decimal
    free: Decimal


@dataclass(frozen=True)
class Overview:
    """Everything of the page."""

    sums: MoneySums
    bars: BudgetBars
    flow: MoneyFlow
    promises: tuple[Promise, ...]
    states: StateBars
    states_note: str
    todo: tuple[Group, ...]
    durations: Histogram
    places: Places


def overview_of(
    file: ProgrammeFile,
    lines: Sequence[LineMoney],
    shares: Shares,
    applications: Sequence[Applications],
    errands: Sequence[Errand],
    *,
    today: date,
    shown: str,
    call: str,
    is_whole: bool,
) -> Overview:
    """`shown` is what the map shows (a key of `map.MODES`), `call` narrows map and table to a call (empty: all),
    `is_whole` is a table of all municipalities."""
    key = file.programme.key
    years = years_of(lines)
    money = sum((year.money for year in years), Money())
    counts = stage_counts(shares.by_stage)
    return Overview(
        money_sums(money, _notes(money, years, lines, counts, today)),
        budget_bars(years, note=_by_measure(lines)),
        money_flow(money),
        promises_of(lines),
        state_bars(_states(key, applications, counts)),
        _states_note(applications, counts),
        todo_of(file, lines, shares.by_stage, errands, today=today),
        histogram(_durations(applications)),
        places_of(
            file,
            (share for share in shares.by_place if call in ("", share.call)),
            shown,
            is_whole=is_whole,
        ),
    )


def years_of(lines: Sequence[LineMoney]) -> list[BudgetYear]:
    """The money of a programme by year, each euro once."""
    found: dict[int, Money] = {}
    for year, _, money in _each_once(lines):
        found[year] = found.get(year, Money()) + money
    return [BudgetYear(str(year), found[year]) for year in sorted(found)]


def _each_once(lines: Sequence[LineMoney]) -> Iterator[tuple[int, str, Money]]:
    """Year, title and money of each measure's year.

    What is promised from a commitment authority and not yet covered by cash is bound, and the cash of its year that
    will cover it is not free any more. A year from which all money was taken is none.
    """
    for year, measure in dict.fromkeys((line.year, line.measure) for line in lines if line.money.budget):
        own = [line for line in lines if (line.year, line.measure) == (year, measure)]
        cash, promised = total_of(own), total_of(own, LineKind.COMMITMENT)
        has_cash = any(line.kind == LineKind.CASH for line in own)
        money = Money(
            proven=cash.proven,
            paid=cash.paid,
            committed=cash.undrawn + promised.undrawn,
            free=max(cash.free - promised.undrawn, NOTHING) if has_cash else promised.free,
            returned=cash.claimed_back,
            released=cash.released + promised.released,
        )
        yield year, own[0].measure_title, money


def promises_of(lines: Sequence[LineMoney]) -> tuple[Promise, ...]:
    """The commitment authorities of a programme."""
    return tuple(
        Promise(
            line.year,
            line.measure_title,
            line.money.budget,
            line.money.undrawn,
            line.money.redeemed,
            line.money.free,
        )
        for line in lines
        if line.kind == LineKind.COMMITMENT
    )


def list_url(name: str, key: str, **fields: str) -> str:
    """The address of a list of the programme, narrowed."""
    return f"{reverse(name, args=[key])}{f'?{urlencode(fields)}' if fields else ''}"


def _notes(
    money: Money,
    years: Sequence[BudgetYear],
    lines: Sequence[LineMoney],
    counts: dict[Stage, int],
    today: date,
) -> dict[str, str]:
    """What is said below the headline sums."""
    this_year = next((year.money.committed for year in years if year.label == str(today.year)), NOTHING)
    overdue = counts[Stage.OVERDUE]
    owed = total_of(lines).to_recover
    said = {
        "committed": f"davon {today.year}: {format_amount(this_year)}" if this_year else "",
        "paid": f"{counted(overdue, 'Nachweis', 'Nachweise')} überfällig" if overdue else "",
        "proven": "" if money.returned else "ohne Rückforderung",
        "returned": f"davon noch offen: {format_amount(owed)}" if owed else "alles erledigt",
    }
    return {stage: words for stage, words in said.items() if words}


def _by_measure(lines: Sequence[LineMoney]) -> str:
    """How the budget divides among measures, if there are several."""
    sums: dict[str, Decimal] = {}
    for _, title, money in _each_once(lines):
        sums[title] = sums.get(title, NOTHING) + money.budget
    if len(sums) < 2:
        return ""
    return (
        "Nach Maßnahme: " + "; ".join(f"{title} {format_amount(sum_)}" for title, sum_ in sums.items()) + "."
    )


def _states(key: str, applications: Sequence[Applications], counts: dict[Stage, int]) -> list[StateCount]:
    """Applications that are not decided, then grants in the order of their life, then what was refused or withdrawn."""

    def of(name: str, **fields: str) -> str:
        return list_url(name, key, **fields)

    found = [
        StateCount(
            f"Antrag: {state.label}",
            sum(
                row.count
                for row in applications
                if row.state == state and not (row.outcome or row.is_awarded)
            ),
            of("desk:programme_applications", stand=state.value),
        )
        for state in OPEN_STATES
    ]
    found += [
        StateCount(
            stage.label,
            count,
            of("desk:programme_grants", stand=stage.value),
            is_overdue=stage == Stage.OVERDUE,
        )
        for stage, count in counts.items()
    ]
    found += [
        StateCount(
            f"Antrag: {outcome.label}",
            sum(row.count for row in applications if row.outcome == outcome),
            of("desk:programme_applications", ergebnis=outcome.value),
        )
        for outcome in (Outcome.REFUSED, Outcome.WITHDRAWN)
    ]
    return [entry for entry in found if entry.count]


def _states_note(applications: Sequence[Applications], counts: dict[Stage, int]) -> str:
    total, granted = sum(row.count for row in applications), sum(counts.values())
    if not total:
        return ""
    words = "alle bewilligt" if granted == total else f"{format_number(granted)} bewilligt"
    return f"{counted(total, 'Antrag', 'Anträge')}, {words}"


def _durations(applications: Sequence[Applications]) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in applications:
        if row.days is not None:
            days = max(row.days, 0)
            found[days] = found.get(days, 0) + row.count
    return found


def counted(number: int, one: str, many: str) -> str:
    """ "1 Nachweis", "9 Nachweise"."""
    return f"{format_number(number)} {one if number == 1 else many}"


def period_of(lines: Sequence[LineMoney]) -> str:
    """ "2020 bis 2024", or what there is."""
    years = [line.year for line in lines if line.money.budget]
    if not years:
        return "noch ohne Mittel"
    return f"{min(years)}" if min(years) == max(years) else f"{min(years)} bis {max(years)}"


def long_date(day: date) -> str:
    """ "Montag, 18. Oktober 2021"."""
    names = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
    return f"{names[day.weekday()]}, {format_date(day)}"
