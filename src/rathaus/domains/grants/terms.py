"""The terms of a call as far as grants act on them: read from the parameters under which an application came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rathaus.casework.cases.models import Case
from rathaus.law.financing import Financing
from rathaus.law.interest import DayCount
from rathaus.law.money import to_cents


@dataclass(frozen=True)
class GrantTerms:
    """What holds for a grant after its award. Amounts in euros, periods in months; nothing set means no such rule.

    `last_request` is month and day after which no money of the year is requested (year-end of the cash system).
    """

    financing: Financing = Financing.PROPORTIONAL
    minor_amount: Decimal = Decimal("0.00")
    retained_percent: Decimal = Decimal(0)
    spend_within_months: int = 2
    last_request: tuple[int, int] | None = None
    proof_months: int = 12
    interim_months: int = 0
    earmark_years: int = 0
    inventory_from: Decimal = Decimal("800.00")
    overrun_percent: Decimal = Decimal(20)
    day_count: DayCount = DayCount.ACT_365
    minor_interest: Decimal = Decimal("0.00")
    payable_days: int = 30

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> GrantTerms:
        """From the German parameters of a package or offer; raises ValueError where one cannot be understood."""
        plain: dict[str, Any] = {}
        for name, parameter, kind in _NAMES:
            if parameters.get(parameter) not in (None, ""):
                plain[name] = kind(parameters[parameter])
        return cls(**plain)

    def retained_of(self, amount: Decimal) -> Decimal:
        """What of a grant is kept back until its proof of use is accepted, in euros."""
        return to_cents(amount * self.retained_percent / 100)

    def last_request_in(self, year: int) -> date | None:
        """The last day on which money of this budget year may be requested."""
        return date(year, *self.last_request) if self.last_request else None


def _money(value: Any) -> Decimal:
    return to_cents(Decimal(str(value)))


def _number(value: Any) -> Decimal:
    return Decimal(str(value))


def _month_day(value: Any) -> tuple[int, int]:
    month, day = (int(part) for part in str(value).split("-"))
    date(2024, month, day)  # raises for what is no day
    return month, day


_NAMES = (
    ("financing", "finanzierungsart", Financing),
    ("minor_amount", "bagatelle", _money),
    ("retained_percent", "einbehalt_prozent", _number),
    ("spend_within_months", "mittelabruf_monate", int),
    ("last_request", "letzter_abruf", _month_day),
    ("proof_months", "verwendungsnachweis_monate", int),
    ("interim_months", "zwischennachweis_monate", int),
    ("earmark_years", "zweckbindung_jahre", int),
    ("inventory_from", "inventar_ab", _money),
    ("overrun_percent", "ueberschreitung_prozent", _number),
    ("day_count", "zinstage", DayCount),
    ("minor_interest", "zinsbagatelle", _money),
    ("payable_days", "zahlungsziel_tage", int),
)


def terms_of(case: Case) -> GrantTerms:
    """The terms that hold for a case's grant."""
    return GrantTerms.read(case.parameters)


# --- review by experts ---


@dataclass(frozen=True)
class Criterion:
    """What experts score, and how much it weighs."""

    name: str
    weight: int
    hint: str = ""


@dataclass(frozen=True)
class ReviewTerms:
    """How applications are reviewed: from 0 to `top` points for each criterion, by `wanted` experts each.

    No criteria means that nobody reviews. With a jury the process also waits for its vote.
    """

    criteria: tuple[Criterion, ...] = ()
    top: int = 4
    wanted: int = 2
    has_jury: bool = False

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> ReviewTerms:
        """From the parameters `begutachtung…`; raises ValueError where they cannot be understood."""
        criteria = tuple(
            Criterion(name, int(row["gewicht"]), str(row.get("hinweis") or ""))
            for name, row in _named(parameters.get("begutachtung") or ())
        )
        if any(criterion.weight < 1 for criterion in criteria):
            raise ValueError("Jedes Kriterium wiegt mindestens 1.")
        top, wanted = (
            int(parameters.get("begutachtung_skala") or 4),
            int(parameters.get("begutachtung_anzahl") or 2),
        )
        if top not in SCALES:
            raise ValueError(f"Die Skala reicht bis {' oder '.join(map(str, SCALES))}.")
        return cls(criteria, top, wanted, bool(parameters.get("begutachtung_jury")))


def _named(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its name; of two that are called the same, the second is counted."""
    seen: Counter[str] = Counter()
    for row in rows:
        name = str(row["name"]).strip()
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name} ({seen[name]})"), row


SCALES: Mapping[int, Mapping[int, str]] = {
    4: {0: "nicht erfüllt", 1: "kaum", 2: "teilweise", 3: "gut", 4: "sehr gut"},
    10: {
        0: "nicht erfüllt", 1: "kaum", 2: "kaum", 3: "schwach", 4: "schwach", 5: "teilweise", 6: "teilweise",
        7: "gut", 8: "gut", 9: "sehr gut", 10: "sehr gut",
    },
}  # fmt: skip


def review_terms_of(case: Case) -> ReviewTerms:
    """How this case is reviewed."""
    return ReviewTerms.read(case.parameters)
