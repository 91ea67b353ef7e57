"""What a grant comes to in the end: the result of a proof of use, cost lines exceeded, disposal while earmarked.

Every result carries its computation as rows (Rechenweg) that a clerk prints as they are. Amounts are euros
with two places; a division is rounded once, half up, and the row says so. Words of the law: ANBest-GK (P) Nr. 2,
VV Nr. 2 to § 44 LHO. The Länder word them differently, so whatever they set differently is an argument.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from rathaus.law.days import add_months
from rathaus.law.money import MAX_INTEGER_DIGITS, NO_BREAK_SPACE, format_amount, format_number
from rathaus.law.text import format_day

ZERO = Decimal("0.00")

_PLACES_SHOWN = 6
_TOO_LARGE = Decimal(10) ** MAX_INTEGER_DIGITS
_NOTICE = "Zuwendungsbescheid"
_REDUCTION = "ANBest-GK Nr. 2"
_ROUNDING = "kaufmännisch: ab einem halben Cent nach oben"


class Financing(StrEnum):
    """How a grant shares the cost (Finanzierungsart, VV Nr. 2 to § 44 LHO). The value stands in packages."""

    PROPORTIONAL = "anteil"
    DEFICIT = "fehlbedarf"
    FIXED_AMOUNT = "festbetrag"
    FULL = "voll"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Financing.PROPORTIONAL: "Anteilfinanzierung",
    Financing.DEFICIT: "Fehlbedarfsfinanzierung",
    Financing.FIXED_AMOUNT: "Festbetragsfinanzierung",
    Financing.FULL: "Vollfinanzierung",
}


class MinorBasis(StrEnum):
    """What the minor amount is compared with: the reduction itself, or the change that causes it.

    ANBest-P Nr. 2.2 speaks of the change of cost or funds; under Anteilfinanzierung it is a little larger
    than the reduction.
    """

    REDUCTION = "minderung"
    CHANGE = "aenderung"


@dataclass(frozen=True, slots=True)
class Plan:
    """The binding financing plan of the award (Finanzierungsplan): its parts add up to the eligible cost.

    ``units`` only for a fixed amount per unit (places, trainings): how many the award is for.
    ValueError if the parts do not add up, something is negative, or the award exceeds the cost.
    """

    eligible_cost: Decimal
    award: Decimal
    own_funds: Decimal = ZERO
    third_party_funds: Decimal = ZERO
    units: int | None = None

    def __post_init__(self) -> None:
        for amount in (self.eligible_cost, self.award, self.own_funds, self.third_party_funds):
            _check_amount(amount)
        if not self.eligible_cost:
            raise ValueError("a plan without cost finances nothing")
        if self.award > self.eligible_cost:
            raise ValueError(f"the award {self.award} exceeds the eligible cost {self.eligible_cost}")
        if self.award + self.own_funds + self.third_party_funds != self.eligible_cost:
            raise ValueError("award, own and third-party funds must add up to the eligible cost of the plan")
        if self.units is not None and self.units < 1:
            raise ValueError("a fixed amount per unit needs at least one unit")


@dataclass(frozen=True, slots=True)
class Actual:
    """What was proven and accepted: eligible cost, and all third-party money that came in.

    ``own_funds`` only if the grantee finally brings in more of its own than planned; it then counts like new
    money. What it merely lays out until the last rate is paid is not that: leave None.
    """

    eligible_cost: Decimal
    third_party_funds: Decimal = ZERO
    own_funds: Decimal | None = None
    units: int | None = None

    def __post_init__(self) -> None:
        for amount in (self.eligible_cost, self.third_party_funds, self.own_funds):
            if amount is not None:
                _check_amount(amount)
        if self.units is not None and self.units < 0:
            raise ValueError("nobody achieves less than no unit")


@dataclass(frozen=True, slots=True)
class Step:
    """One row of a computation for people: ``formula`` has the numbers in it, ``amount`` is what came out
    (None where the row comes to no whole cents or to something else than money)."""

    label: str
    formula: str
    amount: Decimal | None
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """``award = due + reduction`` and ``paid + still_payable = due + to_repay``, always to the cent.

    ``waived_as_minor`` is a reduction that was computed but not made.
    """

    financing: Financing
    award: Decimal
    due: Decimal
    reduction: Decimal
    waived_as_minor: Decimal
    paid: Decimal
    to_repay: Decimal
    still_payable: Decimal
    steps: tuple[Step, ...]


def settle(
    financing: Financing,
    plan: Plan,
    actual: Actual,
    *,
    minor_amount: Decimal = ZERO,
    minor_basis: MinorBasis = MinorBasis.REDUCTION,
    paid: Decimal = ZERO,
) -> Settlement:
    """The grant that is due after a proof of use, with its computation.

    Never more than the award. Lower cost or more money from others (more than planned) lessens it: pro rata
    (Anteil), in full (Fehlbedarf, Voll), or only as far as the cost falls below the award (Festbetrag).
    Additional money first pays for additional eligible cost. Anteil never leaves more money than cost.
    Reductions up to ``minor_amount`` are not made (0: all are made), unless no cost was accepted at all.
    ValueError for amounts that are negative or have fractions of a cent, for full financing with own funds
    in the plan, and for units that are missing on one side or stand with anything but a fixed amount.
    """
    _check_amount(minor_amount)
    _check_amount(paid)
    _check_fit(financing, plan, actual)
    steps = [
        Step("Zuwendung laut Bescheid", _in_plan(plan), plan.award, financing.label, _NOTICE),
        Step(
            "Anerkannte Ausgaben",
            _cost_in_words(plan, actual),
            actual.eligible_cost,
            "",
            "Verwendungsnachweis",
        ),
    ]
    computed, own_steps = _RULES[financing](plan, actual)
    steps += own_steps
    due = min(computed, plan.award)
    if computed > plan.award:
        formula = (
            f"Rechnerisch {_euro(computed)}, bewilligt {_euro(plan.award)}: es bleibt bei der Bewilligung"
        )
        steps.append(Step("Obergrenze", formula, due, "mehr als bewilligt gibt es nicht", _NOTICE))
    reduction = plan.award - due
    formula = f"Bewilligt {_euro(plan.award)} − errechnet {_euro(due)}"
    steps.append(Step("Minderung", formula, reduction, "", _REDUCTION))
    waived = ZERO
    if reduction and minor_amount and actual.eligible_cost:
        is_minor, step = _minor(plan, actual, reduction, minor_amount, minor_basis)
        steps.append(step)
        if is_minor:
            due, reduction, waived = plan.award, ZERO, reduction
    formula = f"Bewilligt {_euro(plan.award)} − Minderung {_euro(reduction)}"
    steps.append(Step("Zustehende Zuwendung", formula, due))
    to_repay, still_payable = max(paid - due, ZERO), max(due - paid, ZERO)
    if to_repay:
        formula = f"Ausgezahlt {_euro(paid)} − zustehend {_euro(due)}"
        steps.append(
            Step("Zu erstatten", formula, to_repay, "durch Bescheid festzusetzen", "§ 49a Abs. 1 VwVfG")
        )
    else:
        formula = f"Zustehend {_euro(due)} − ausgezahlt {_euro(paid)}"
        steps.append(Step("Noch auszuzahlen", formula, still_payable))
    return Settlement(
        financing, plan.award, due, reduction, waived, paid, to_repay, still_payable, tuple(steps)
    )


def _proportional(plan: Plan, actual: Actual) -> tuple[Decimal, list[Step]]:
    """The award's share of the cost that no new money covers; never more than what third parties leave open."""
    steps: list[Step] = []
    more, more_step = _additional_funds(plan, actual)
    basis = max(actual.eligible_cost - more, ZERO)
    if more_step:
        formula = f"Anerkannte Ausgaben {_euro(actual.eligible_cost)} − neue Deckungsmittel {_euro(more)}"
        steps += [
            more_step,
            Step("Verbleibende Ausgaben", formula, basis, _at_least_zero(actual.eligible_cost < more)),
        ]
    rate = Fraction(plan.award) / Fraction(plan.eligible_cost) * 100
    percent = f"{_shown(rate)}{NO_BREAK_SPACE}%"
    steps.append(
        Step(
            "Fördersatz",
            f"Zuwendung {_euro(plan.award)} ÷ geplante Ausgaben {_euro(plan.eligible_cost)} = {percent}",
            None,
            "gerechnet wird mit dem Bruch, nicht mit dem gerundeten Satz" if _is_cut(rate) else "",
            _NOTICE,
        )
    )
    exact = Fraction(basis) * Fraction(plan.award) / Fraction(plan.eligible_cost)
    words = f"Ausgaben {_euro(basis)} × {_euro(plan.award)} ÷ {_euro(plan.eligible_cost)}"
    share, share_steps = _to_cents("Anteil an den Ausgaben", words, exact, f"{_REDUCTION}, anteilig")
    steps += share_steps
    uncovered = max(actual.eligible_cost - actual.third_party_funds, ZERO)
    if share > uncovered:
        formula = f"Ausgaben {_euro(actual.eligible_cost)} − Drittmittel {_euro(actual.third_party_funds)}"
        note = "mehr Geld als Ausgaben gibt es nicht"
        steps.append(
            Step("Keine Überfinanzierung", formula, uncovered, note, "§ 23 LHO; nicht am Text geprüft")
        )
    return min(share, uncovered), steps


def _gap(plan: Plan, actual: Actual) -> tuple[Decimal, list[Step]]:
    """What own and third-party funds leave open. Planned own funds count in full, whatever was spent of them."""
    own = max(plan.own_funds, actual.own_funds or ZERO)
    gap = actual.eligible_cost - own - actual.third_party_funds
    formula = (
        f"Ausgaben {_euro(actual.eligible_cost)} − eigene Mittel {_euro(own)} "
        f"− Drittmittel {_euro(actual.third_party_funds)}"
    )
    source = f"{_REDUCTION}, um den vollen Betrag"
    return max(gap, ZERO), [Step("Fehlbedarf", formula, max(gap, ZERO), _at_least_zero(gap < 0), source)]


def _fixed(plan: Plan, actual: Actual) -> tuple[Decimal, list[Step]]:
    """The amount itself, or so much for each unit achieved; only cost below it lessens it."""
    amount = plan.award
    steps: list[Step] = []
    if plan.units is not None and actual.units is not None and actual.units < plan.units:
        exact = Fraction(plan.award) * actual.units / plan.units
        words = f"{_euro(plan.award)} × {actual.units} erreichte ÷ {plan.units} bewilligte Einheiten"
        amount, steps = _to_cents("Festbetrag je Einheit", words, exact, _NOTICE)
    if actual.eligible_cost < amount:
        formula = f"Ausgaben {_euro(actual.eligible_cost)} sind weniger als der Festbetrag {_euro(amount)}"
        note = "die Zuwendung sinkt auf die Ausgaben"
        return actual.eligible_cost, [
            *steps,
            Step("Ausgaben unter dem Festbetrag", formula, actual.eligible_cost, note, _REDUCTION),
        ]
    formula = f"Ausgaben {_euro(actual.eligible_cost)} erreichen den Festbetrag {_euro(amount)}"
    note = "Einsparungen und neue Mittel ändern ihn nicht"
    return amount, [*steps, Step("Festbetrag", formula, amount, note, _REDUCTION)]


_RULES: dict[Financing, Callable[[Plan, Actual], tuple[Decimal, list[Step]]]] = {
    Financing.PROPORTIONAL: _proportional,
    Financing.DEFICIT: _gap,
    Financing.FIXED_AMOUNT: _fixed,
    Financing.FULL: _gap,
}


def _additional_funds(plan: Plan, actual: Actual) -> tuple[Decimal, Step | None]:
    """Money that the plan did not know. Less than planned is the grantee's own matter and counts as none."""
    third = max(actual.third_party_funds - plan.third_party_funds, ZERO)
    own = max((actual.own_funds or ZERO) - plan.own_funds, ZERO)
    if not third + own:
        return ZERO, None
    parts = []
    if third:
        parts.append(
            f"Drittmittel {_euro(actual.third_party_funds)} statt geplanter {_euro(plan.third_party_funds)}"
        )
    if own:
        parts.append(
            f"eigene Mittel {_euro(actual.own_funds or ZERO)} statt geplanter {_euro(plan.own_funds)}"
        )
    return third + own, Step("Neue Deckungsmittel", ", ".join(parts), third + own, "", _REDUCTION)


def _minor(
    plan: Plan, actual: Actual, reduction: Decimal, minor_amount: Decimal, basis: MinorBasis
) -> tuple[bool, Step]:
    compared, what = reduction, "Minderung"
    too_few_units = plan.units is not None and (actual.units or 0) < plan.units
    if basis is MinorBasis.CHANGE and not too_few_units:
        saved = max(plan.eligible_cost - actual.eligible_cost, ZERO)
        compared, what = max(saved, _additional_funds(plan, actual)[0]), "Änderung"
    is_minor = compared <= minor_amount
    relation, note = (
        ("nicht höher als", "die Minderung unterbleibt")
        if is_minor
        else ("höher als", "die Minderung bleibt in voller Höhe")
    )
    formula = f"{what} {_euro(compared)} ist {relation} die Bagatellgrenze {_euro(minor_amount)}"
    return is_minor, Step("Bagatellgrenze", formula, ZERO if is_minor else reduction, note, "Förderaufruf")


@dataclass(frozen=True, slots=True)
class Overrun:
    """A cost line that the plan does not allow as it was spent. ``percent_over`` is None for a line that was
    not planned; ``is_offset`` says whether other lines saved as much as all lines together exceed."""

    line: str
    planned: Decimal
    actual: Decimal
    allowed: Decimal
    percent_over: Decimal | None
    is_offset: bool

    @property
    def excess(self) -> Decimal:
        return self.actual - self.planned

    @property
    def is_beyond_percent(self) -> bool:
        """Beyond the percentage itself, not only short of savings elsewhere."""
        return self.actual > self.allowed


def overruns(
    plan_lines: Mapping[str, Decimal],
    actual_lines: Mapping[str, Decimal],
    percent: Decimal | int = 20,
) -> tuple[Overrun, ...]:
    """The cost lines that may not be as high as they are, in the order of the plan, then the unplanned ones.

    A line may exceed the plan by up to ``percent`` if that is saved elsewhere (ANBest-P Nr. 1.2). So a line
    is listed if it is beyond the percentage, and every exceeded line is if the savings do not suffice.
    A line missing from ``actual_lines`` cost nothing. ValueError for negative amounts or percentage.
    """
    for amount in (*plan_lines.values(), *actual_lines.values()):
        _check_amount(amount)
    exact_percent = Fraction(percent)
    if exact_percent < 0:
        raise ValueError("the allowed percentage must not be negative")
    is_offset = sum(actual_lines.values(), ZERO) <= sum(plan_lines.values(), ZERO)
    listed = []
    for line in dict.fromkeys((*plan_lines, *actual_lines)):
        planned, actual = plan_lines.get(line, ZERO), actual_lines.get(line, ZERO)
        # Whole cents are spent: comparing with the limit rounded down equals comparing with the limit.
        allowed = _cents_down(Fraction(planned) * (100 + exact_percent) / 100)
        if actual > planned and (actual > allowed or not is_offset):
            over = _half_up(Fraction(actual - planned) / Fraction(planned) * 100) if planned else None
            listed.append(Overrun(line, planned, actual, allowed, over, is_offset))
    return tuple(listed)


class EarmarkingUnit(StrEnum):
    """In what the time of an earmarking period (Zweckbindung) is counted."""

    FULL_MONTHS = "volle_monate"
    DAYS = "tage"


@dataclass(frozen=True, slots=True)
class ProRata:
    """What of the grant for an item goes back, for ``remaining`` of ``total`` months or days."""

    amount: Decimal
    unit: EarmarkingUnit
    total: int
    remaining: int
    to_repay: Decimal
    steps: tuple[Step, ...]


def pro_rata_repayment(
    amount: Decimal,
    bought_on: date,
    earmarked_until: date,
    disposed_on: date,
    *,
    unit: EarmarkingUnit = EarmarkingUnit.FULL_MONTHS,
) -> ProRata:
    """What is to be repaid of the grant ``amount`` for an item that is disposed of before its earmarking ends.

    ``earmarked_until`` is the last day of the earmarking, ``disposed_on`` the first day without the item.
    Only full months that remain count, as months run from the day of disposal (BGB § 188(2)); a month begun
    goes to the grantee's favour. By days, both first and last day count. On the day of purchase all goes
    back, after the last day nothing. ValueError for days out of order, and for full months where the
    earmarking is shorter than one.
    """
    _check_amount(amount)
    if not bought_on <= earmarked_until or disposed_on < bought_on:
        raise ValueError("an item is bought, then earmarked, then disposed of")
    after = earmarked_until + timedelta(days=1)
    if unit is EarmarkingUnit.FULL_MONTHS:
        total, remaining = _full_months(bought_on, after), _full_months(disposed_on, after)
        one, many, note = "voller Monat", "volle Monate", "angefangene Monate zählen nicht"
    else:
        total, remaining = (after - bought_on).days, max((after - disposed_on).days, 0)
        one, many, note = "Tag", "Tage", "erster und letzter Tag zählen"
    if not total:
        raise ValueError("an earmarking of less than a month is counted in days")
    until = format_day(earmarked_until)
    in_all, left = (f"{n} {one if n == 1 else many}" for n in (total, remaining))
    span = (
        f"{format_day(disposed_on)} bis {until}"
        if disposed_on < after
        else f"Die Zweckbindung endete am {until}"
    )
    words = f"{_euro(amount)} × {remaining} ÷ {total}"
    to_repay, share_steps = _to_cents("Zu erstatten", words, Fraction(amount) * remaining / total, _NOTICE)
    steps = (
        Step("Zuwendung für den Gegenstand", f"Angeschafft am {format_day(bought_on)}", amount, "", _NOTICE),
        Step("Zweckbindung", f"{format_day(bought_on)} bis {until}: {in_all}", None, note, _NOTICE),
        Step("Verbleibende Zeit", f"{span}: {left}", None, note),
        *share_steps,
    )
    return ProRata(amount, unit, total, remaining, to_repay, steps)


def _full_months(start: date, end: date) -> int:
    """Full months from ``start`` to the same-numbered day that is not after ``end``; none if it lies behind."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return max(months - (add_months(start, months) > end), 0) if end >= start else 0


def _to_cents(label: str, words: str, exact: Fraction, source: str) -> tuple[Decimal, list[Step]]:
    """The result of a division in whole cents: one row, or two if it had to be rounded."""
    rounded = _half_up(exact)
    if Fraction(rounded) == exact:
        return rounded, [Step(label, words, rounded, "", source)]
    shown = f"{_shown(exact)}{NO_BREAK_SPACE}€"
    return rounded, [
        Step(label, f"{words} = {shown}", None, "", source),
        Step("Rundung auf den Cent", f"{shown} wird {_euro(rounded)}", rounded, _ROUNDING),
    ]


def _check_fit(financing: Financing, plan: Plan, actual: Actual) -> None:
    if financing is Financing.FULL and plan.own_funds:
        raise ValueError("full financing knows no own funds in the plan")
    if (plan.units is None) != (actual.units is None):
        raise ValueError("units stand in the plan and in the proof, or in neither")
    if plan.units is not None and financing is not Financing.FIXED_AMOUNT:
        raise ValueError("only a fixed amount is granted per unit")


def _check_amount(amount: Decimal) -> None:
    if not amount.is_finite() or not 0 <= amount < _TOO_LARGE or amount != amount.quantize(ZERO):
        raise ValueError(f"not an amount in whole cents from zero on: {amount}")


def _in_plan(plan: Plan) -> str:
    parts = [f"Geplante Ausgaben {_euro(plan.eligible_cost)}", f"eigene Mittel {_euro(plan.own_funds)}"]
    if plan.third_party_funds:
        parts.append(f"Drittmittel {_euro(plan.third_party_funds)}")
    return " − ".join(parts)


def _cost_in_words(plan: Plan, actual: Actual) -> str:
    difference = actual.eligible_cost - plan.eligible_cost
    if not difference:
        return "wie geplant"
    more_or_less = "mehr" if difference > 0 else "weniger"
    return f"{_euro(abs(difference))} {more_or_less} als geplant ({_euro(plan.eligible_cost)})"


def _at_least_zero(is_below: bool) -> str:
    return f"nicht weniger als {_euro(ZERO)}" if is_below else ""


def _euro(amount: Decimal) -> str:
    return format_amount(amount)


def _half_up(exact: Fraction) -> Decimal:
    """Two places, half a cent upwards; never for negative numbers here."""
    return _cents_down(exact + Fraction(1, 200))


def _cents_down(exact: Fraction) -> Decimal:
    return Decimal(exact * 100 // 1).scaleb(-2)


def _is_cut(exact: Fraction) -> bool:
    return (exact * 10**_PLACES_SHOWN).denominator != 1


def _shown(exact: Fraction) -> str:
    """The number with its own places, or cut after six with dots."""
    cut = Decimal(exact * 10**_PLACES_SHOWN // 1).scaleb(-_PLACES_SHOWN)
    plain = format_number(cut)
    return f"{plain}…" if _is_cut(exact) else plain.rstrip("0").rstrip(",")
