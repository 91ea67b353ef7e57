"""Awarding: a decision commits money and begins a grant; its notice makes it public; later decisions change it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from rathaus.casework.cases.enums import DecisionState
from rathaus.casework.cases.models import Case, Decision, Notice
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.journal import NOTHING, NotEnough, Shift, post
from rathaus.domains.grants.enums import AWARDED, Account, AwardKind, LineKind, MovementKind
from rathaus.domains.grants.models import Award, AwardYear, Balance, BudgetLine, Call, Grant
from rathaus.domains.grants.terms import GrantTerms, terms_of
from rathaus.law.days import add_months
from rathaus.law.financing import Financing
from rathaus.law.money import format_amount
from rathaus.law.text import format_day

ByYear = dict[int, Decimal]


@operation("grants.award")
def award(
    step: Run,
    *,
    titel: str = "",
    ausgaben: Decimal = NOTHING,
    dritte: Decimal = NOTHING,
    beginn: date | None = None,
    ende: date | None = None,
    plan: list | None = None,
    partner: list | None = None,
) -> dict[str, Any]:
    """Operation: commit the decided amount by year as decided, and begin the grant. Refused, with the whole approval,
    beyond what is left. `ausgaben` and `plan` (rows `art`, `wofuer`, `betrag`) are the binding plan."""
    case, decision = step.case, decision_of(step)
    amount, by_year = decision.amount or NOTHING, years_of(decision)
    call = Call.objects.filter(offer_id=case.offer_id).first()
    if call is None:
        raise Refused("Zu dieser Leistung gibt es keinen Förderaufruf mit Mitteln.")
    lines = lines_of(call)
    if not by_year and lines:
        by_year = {min(year for year, _ in lines): amount}
    _check_years(lines, by_year, amount)
    terms = terms_of(case)
    cost = ausgaben or amount
    check_plan(terms.financing, cost, amount, dritte)
    grant = Grant.objects.create(
        authority_id=case.authority_id,
        case=case,
        call=call,
        party_id=case.party_id,
        recipient_id=case.applicant_id,
        recipient_name=case.party_name,
        reference=case.reference,
        title=titel or case.title,
        partners=list(partner or ()),
        amount=amount,
        begins_on=beginn,
        ends_on=ende,
        awarded_on=clock.today(),
        **_deadlines(ende, terms),
    )
    version = _new_version(
        grant,
        case,
        1,
        AwardKind.AWARD,
        amount,
        by_year,
        financing=terms.financing.value,
        cost=cost,
        third_party=dritte,
        plan=_plain(plan),
        begins_on=beginn,
        ends_on=ende,
    )
    shifts = [
        Shift(line_for(lines, year).id, Account.FREE, Account.OPEN, value) for year, value in by_year.items()
    ]
    _post(step.by, grant, MovementKind.AWARDED, f"award:{version.id}", shifts)
    step.record(events.AWARDED, amount=format_amount(amount))
    return {}


@operation("grants.notified")
def notified(step: Run) -> dict[str, Any]:
    """Operation, after the letter: what this case made of the award stands in its notice. The first time the grant runs
    from now on, and is public. A case that changed nothing of the award may call it too."""
    grant = grant_of(step.case, lock=True)
    notice = Notice.objects.get(case=step.case)
    Award.objects.filter(grant=grant, case=step.case, notice=None).update(notice=notice)
    if grant.notified_on is None:
        grant.notified_on = notice.issued_on
        grant.save(update_fields=["notified_on"])
        step.record(events.NOTIFIED, proof_due=format_day(grant.proof_due_on) if grant.proof_due_on else "–")
    return {}


def change_award(
    *,
    by: Actor,
    grant: Grant,
    case: Case,
    kind: AwardKind,
    by_year: Mapping[int, Decimal],
    claimed: Mapping[int, Decimal] | None = None,
    key: str,
    **terms: Any,
) -> Award:
    """A new version of an award: `by_year` is the whole new division in euros, part of the running step.

    What a year loses is released, what it gains is committed (Refused where nothing is left). `claimed` is what of the
    loss was paid out already and is now claimed back. `terms` are fields of Award that change (cost, plan, ends_on ...).
    """
    before = current_award(grant)
    old = {row.year: row.amount for row in before.years.all()}
    new = {year: amount for year, amount in by_year.items() if amount}
    lines = lines_of(grant.call)
    _check_years(lines, new, sum(new.values(), NOTHING))
    shifts: list[Shift] = []
    for year in sorted(old.keys() | new.keys()):
        change = new.get(year, NOTHING) - old.get(year, NOTHING)
        back = (claimed or {}).get(year, NOTHING)
        if change > 0:
            shifts.append(Shift(line_for(lines, year).id, Account.FREE, Account.OPEN, change))
        elif change < 0:
            shifts += _taken(grant, year, Account.OPEN, Account.RELEASED, -change - back)
            shifts += _taken(grant, year, Account.PROVEN, Account.TO_RECOVER, back, also=Account.PAID)
    kept = {
        name: getattr(before, name)
        for name in ("financing", "cost", "third_party", "plan", "begins_on", "ends_on")
    }
    total = sum(new.values(), NOTHING)
    version = _new_version(grant, case, before.number + 1, kind, total, new, **{**kept, **terms})
    grant.amount, grant.ends_on, grant.begins_on = total, version.ends_on, version.begins_on
    for name, day in _deadlines(version.ends_on, terms_of(grant.case)).items():
        setattr(grant, name, day)
    grant.save(update_fields=["amount", "ends_on", "begins_on", "proof_due_on", "earmarked_until"])
    if shifts:
        movement = MovementKind.CLAIMED if claimed else MovementKind.CHANGED
        _post(by, grant, movement, key, shifts)
    return version


def _taken(
    grant: Grant, year: int, source: Account, target: Account, amount: Decimal, also: Account | None = None
) -> list[Shift]:
    """Take an amount of a year from the lines where it stands, cash last; from `also` first. Refused if it is not there."""
    if not amount:
        return []
    accounts = [also, source] if also else [source]
    found = Balance.objects.filter(grant=grant, line__year=year, account__in=accounts, amount__gt=0)
    rows = sorted(
        found.select_related("line").order_by("id"),
        key=lambda row: (accounts.index(Account(row.account)), row.line.kind == LineKind.CASH),
    )
    shifts, left = [], amount
    for row in rows:
        part = min(left, row.amount)
        if part:
            shifts.append(Shift(row.line_id, Account(row.account), target, part))
            left -= part
    if left:
        raise Refused(
            f"{format_amount(left)} der Mittel {year} sind schon angeordnet oder ausgezahlt und lassen sich nicht kürzen."
        )
    return shifts


def _new_version(
    grant: Grant,
    case: Case,
    number: int,
    kind: AwardKind,
    amount: Decimal,
    by_year: Mapping[int, Decimal],
    **terms: Any,
) -> Award:
    version = Award.objects.create(
        authority_id=grant.authority_id,
        grant=grant,
        party_id=grant.party_id,
        number=number,
        kind=kind,
        case=case,
        amount=amount,
        awarded_on=clock.today(),
        **terms,
    )
    AwardYear.objects.bulk_create(
        AwardYear(
            authority_id=grant.authority_id, award=version, party_id=grant.party_id, year=year, amount=value
        )
        for year, value in sorted(by_year.items())
    )
    return version


def _post(by: Actor, grant: Grant, kind: MovementKind, key: str, shifts: list[Shift]) -> None:
    if not shifts:
        return
    try:
        post(
            by=by,
            authority=grant.authority_id,
            kind=kind,
            key=key,
            shifts=shifts,
            grant=grant.id,
            text=f"{grant.reference} {grant.title}",
        )
    except NotEnough as wrong:
        raise Refused(str(wrong)) from wrong


Lines = dict[tuple[int, str], BudgetLine]


def lines_of(call: Call) -> Lines:
    """The budget lines of a call's measure by year and kind."""
    return {(line.year, line.kind): line for line in BudgetLine.objects.filter(measure_id=call.measure_id)}


def line_for(lines: Lines, year: int) -> BudgetLine:
    """The line that promises money of a year: a commitment authority for a later year if there is one, else cash."""
    cash, promise = lines.get((year, LineKind.CASH)), lines.get((year, LineKind.COMMITMENT))
    found = promise if promise and (year > clock.today().year or not cash) else cash
    if found is None:
        raise Refused(f"Für {year} hat dieser Aufruf keine Mittel.")
    return found


def _check_years(lines: Lines, by_year: Mapping[int, Decimal], amount: Decimal) -> None:
    if unknown := sorted(by_year.keys() - {year for year, _ in lines}):
        raise Refused(f"Für {', '.join(map(str, unknown))} hat dieser Aufruf keine Mittel.")
    total = sum(by_year.values(), NOTHING)
    if total != amount:
        raise Refused(
            f"Die Jahresbeträge ergeben {format_amount(total)}, bewilligt werden sollen {format_amount(amount)}."
        )


def check_plan(financing: Financing, cost: Decimal, amount: Decimal, third_party: Decimal) -> None:
    """What the plan must be, so that its proof can be computed one day."""
    if amount + third_party > cost:
        raise Refused(
            f"Zuwendung und Mittel Dritter ergeben {format_amount(amount + third_party)}, die Ausgaben sind nur "
            f"{format_amount(cost)}."
        )
    if financing == Financing.FULL and amount + third_party != cost:
        raise Refused(
            f"Bei Vollfinanzierung gibt es keinen Eigenanteil: Zu den Ausgaben von {format_amount(cost)} fehlen "
            f"{format_amount(cost - amount - third_party)}."
        )


def _deadlines(ends_on: date | None, terms: GrantTerms) -> dict[str, date | None]:
    """Until when the use is to be proven, and what was bought is bound to its purpose."""
    if ends_on is None:
        return {"proof_due_on": None, "earmarked_until": None}
    earmarked = add_months(ends_on, 12 * terms.earmark_years) if terms.earmark_years else None
    return {"proof_due_on": add_months(ends_on, terms.proof_months), "earmarked_until": earmarked}


def decision_of(step: Run) -> Decision:
    """The decision that was released in this step or before."""
    return step.decision or Decision.objects.get(case=step.case, state=DecisionState.DECIDED)


def years_of(decision: Decision) -> ByYear:
    """The amounts of the years among which the decision divides its amount; empty if it does not."""
    try:
        given = {int(year): Decimal(value) for year, value in decision.details.get("jahre", {}).items()}
        if any(value < 0 or value != round(value, 2) for value in given.values()):
            raise ValueError
    except (ArithmeticError, TypeError, ValueError) as wrong:
        raise Refused("Die Aufteilung auf die Jahre besteht nicht aus Beträgen in Euro und Cent.") from wrong
    return {year: value for year, value in given.items() if value}


def grant_of(case: Case, *, lock: bool = False) -> Grant:
    """The grant that a case is about: its own, or that of the case it refers to. Raises Refused where there is none."""
    grants = Grant.objects.select_related("call", "case__offer")
    if lock:
        grants = grants.select_for_update(of=("self",))
    found = grants.filter(case_id__in=[key for key in (case.id, case.about_id) if key]).first()
    if found is None:
        raise Refused("Zu diesem Vorgang gibt es keine Zuwendung.")
    return found


def current_award(grant: Grant) -> Award:
    """The award in force: its newest version."""
    return Award.objects.filter(grant=grant).order_by("-number").first() or _missing(grant)


def _missing(grant: Grant) -> Award:
    raise Award.DoesNotExist(grant.reference)


def balances_of(
    grant: Grant, accounts: tuple[Account, ...] = AWARDED, *, line: UUID | None = None
) -> dict[Account, Decimal]:
    """What stands on a grant's accounts over all years, or on one line, in euros."""
    found = dict.fromkeys(accounts, NOTHING)
    rows = Balance.objects.filter(grant=grant, account__in=accounts)
    if line:
        rows = rows.filter(line_id=line)
    for account, amount in rows.values_list("account", "amount"):
        found[Account(account)] += amount
    return found


def _plain(plan: list | None) -> list[dict[str, str]]:
    """Rows of the plan as JSON: texts, amounts as texts."""
    return [{name: str(value) for name, value in dict(row).items()} for row in plan or ()]
