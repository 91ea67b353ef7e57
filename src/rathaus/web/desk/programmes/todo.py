"""What is to be done in a programme, by the day it is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from rathaus.domains.grants.enums import Stage
from rathaus.domains.grants.queries import Errand, LineMoney, ProgrammeFile, StageSum
from rathaus.domains.grants.terms import GrantTerms
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import format_date, span_of_days

YEAR_END_MONTHS = 3  # from October on the money of the year is on the list


@dataclass(frozen=True)
class Item:
    """One thing to do: `amount` in words, `url` where to do it."""

    label: str
    note: str
    amount: str
    url: str


@dataclass(frozen=True)
class Group:
    """What is due alike."""

    title: str
    is_overdue: bool
    items: tuple[Item, ...]


def todo_of(
    file: ProgrammeFile,
    lines: Sequence[LineMoney],
    stages: Sequence[StageSum],
    errands: Sequence[Errand],
    *,
    today: date,
) -> tuple[Group, ...]:
    """Earliest first: überfällig, heute, diese Woche, then day by day. What has no day stands under this week."""
    key = file.programme.key
    found = [entry for errand in errands if (entry := _WORDS[errand.kind](key, errand, today))]
    found += [entry for entry in (_overdue_proofs(file, stages), _year_end(file, lines, today)) if entry]
    return _grouped(found, today)


Dated = tuple[date | None, Item]


def _list(name: str, key: str, **fields: str) -> str:
    return f"{reverse(name, args=[key])}?{urlencode(fields)}"


def _approval(key: str, errand: Errand, today: date) -> Dated:
    url = reverse("desk:case", args=[errand.reference])
    return errand.day, Item(f"{errand.title}: {errand.name}", errand.reference, _euro(errand.amount), url)


def _approvals(key: str, errand: Errand, today: date) -> Dated | None:
    if errand.count < 2:
        return None
    url = reverse("desk:bulk")
    return errand.day, Item(
        f"Alle {format_number(errand.count)} Freigaben auf einmal ansehen",
        "Vier-Augen-Prinzip",
        _euro(errand.amount),
        url,
    )


def _run(key: str, errand: Errand, today: date) -> Dated:
    label = f"Zahlungslauf Nr. {errand.reference} freigeben"
    note = _number(errand.count, "Auszahlung", "Auszahlungen")
    url = reverse("desk:payment_run", args=[key, int(errand.reference)])
    return errand.day, Item(label, note, _euro(errand.amount), url)


def _ordered(key: str, errand: Errand, today: date) -> Dated:
    label = f"{_number(errand.count, 'Auszahlung', 'Auszahlungen')} in einen Zahlungslauf geben"
    return None, Item(
        label,
        _since("die älteste ist angeordnet", errand.day, today),
        _euro(errand.amount),
        reverse("desk:payments", args=[key]),
    )


def _returned(key: str, errand: Errand, today: date) -> Dated:
    label = f"{_number(errand.count, 'zurückgekommene Zahlung', 'zurückgekommene Zahlungen')} neu anordnen"
    return today, Item(
        label,
        "die Bank konnte nicht gutschreiben",
        _euro(errand.amount),
        reverse("desk:payments", args=[key]),
    )


def _checking(key: str, errand: Errand, today: date) -> Dated:
    label = f"{_number(errand.count, 'Nachweis', 'Nachweise')} prüfen"
    note = _since("er liegt" if errand.count == 1 else "der älteste liegt", errand.day, today)
    return None, Item(label, note, "", _list("desk:programme_proofs", key, stand=Stage.CHECKING.value))


def _claims(key: str, errand: Errand, today: date) -> Dated:
    late = errand.day is not None and errand.day < today
    label = (
        f"{_number(errand.count, 'Rückforderung', 'Rückforderungen')} {'anmahnen' if late else 'erwarten'}"
    )
    when = f"fällig {'seit' if late else 'am'} {format_date(errand.day)}" if errand.day else ""
    url = _list("desk:repayments", key, stand="faellig" if late else "offen")
    return errand.day, Item(label, when, _euro(errand.amount), url)


_WORDS: dict[str, Callable[[str, Errand, date], Dated | None]] = {
    "approval": _approval,
    "approvals": _approvals,
    "run": _run,
    "ordered": _ordered,
    "returned": _returned,
    "checking": _checking,
    "claims": _claims,
}


def _overdue_proofs(file: ProgrammeFile, stages: Sequence[StageSum]) -> Dated | None:
    late = [entry for entry in stages if entry.stage == Stage.OVERDUE]
    if not late:
        return None
    oldest = min(entry.oldest for entry in late if entry.oldest)
    titles = {call.key: call.title for call in file.calls}
    calls = sorted({titles[entry.call] for entry in late})
    where = f"{calls[0]}, " if len(calls) == 1 else ""
    label = f"{_number(sum(entry.count for entry in late), 'Nachweis', 'Nachweise')} anmahnen"
    url = _list("desk:programme_proofs", file.programme.key, stand=Stage.OVERDUE.value)
    return oldest, Item(label, f"{where}früheste Frist war {format_date(oldest)}", "", url)


def _year_end(file: ProgrammeFile, lines: Sequence[LineMoney], today: date) -> Dated | None:
    """Money of this year that nobody has drawn, in its last months: it lapses."""
    own = [line for line in lines if line.year == today.year and line.undrawn]
    amount = sum((line.money.open for line in own), Decimal(0))
    if not amount or today.month <= 12 - YEAR_END_MONTHS:
        return None
    last = _last_request(file, today.year)
    count = sum(line.undrawn for line in own)
    url = _list("desk:programme_grants", file.programme.key, abruf=str(today.year))
    note = f"{_number(count, 'Jahresbetrag', 'Jahresbeträge')}, sonst verfällt das Geld"
    if last < today:
        return date(today.year, 12, 31), Item(
            f"Nicht abgerufene Mittel {today.year} übertragen oder freigeben",
            f"letzter Tag für Abrufe war {format_date(last)}",
            _euro(amount),
            url,
        )
    return last, Item(f"Kommunen an Abruf {today.year} erinnern", note, _euro(amount), url)


def _last_request(file: ProgrammeFile, year: int) -> date:
    """The last day on which money of a year may be requested in any call, by the terms in force."""
    days = []
    for call in file.calls:
        try:
            terms = GrantTerms.read(call.offer.terms.values_for(call.offer.version_id))
        except (ValueError, ArithmeticError):
            continue  # terms that cannot be read show themselves where they are set
        days.append(terms.last_request_in(year))
    return max((day for day in days if day), default=date(year, 12, 31))


def _grouped(found: Iterable[Dated], today: date) -> tuple[Group, ...]:
    sunday = today + timedelta(days=6 - today.weekday())
    groups: dict[tuple[date, str], list[Item]] = {}
    for day, item in sorted(found, key=lambda entry: entry[0] or sunday):
        if day is not None and day < today:
            place = (date.min, "Überfällig")
        elif day == today:
            place = (today, "Heute")
        elif day is None or day <= sunday:
            place = (sunday, "Diese Woche")
        else:
            place = (day, f"Bis {format_date(day)}")
        groups.setdefault(place, []).append(item)
    return tuple(
        Group(title, title == "Überfällig", tuple(items))
        for (_, title), items in sorted(groups.items(), key=lambda g: g[0])
    )


def _number(number: int, one: str, many: str) -> str:
    return f"{format_number(number)} {one if number == 1 else many}"


def _euro(amount: Decimal | None) -> str:
    return "" if amount is None else format_amount(amount)


def _since(what: str, day: date | None, today: date) -> str:
    days = (today - day).days if day else 0
    return f"{what} seit {span_of_days(days)}" if days > 0 else f"{what} seit heute"
