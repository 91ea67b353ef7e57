"""What a municipality must do next for a grant, until when, and how much is left to draw. Pure; amounts in euros.

The rules follow what drawdowns, proofs and claims refuse (`actions`), so that nobody is sent to do what is then refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from rathaus.domains.grants.enums import DrawdownState, GrantState, ProofKind, ProofState
from rathaus.domains.grants.queries.owed import Owed
from rathaus.domains.grants.queries.standings import Standing
from rathaus.law.days import add_months
from rathaus.law.money import format_amount
from rathaus.law.text import format_date

NOTHING = Decimal("0.00")
# Keys of the service packages with which a grant goes on.
DRAWDOWN, PROOF, CHANGE, DISPOSAL = "mittelabruf", "verwendungsnachweis", "aenderungsantrag", "veraeusserung"
CLAIM = "rueckforderung"  # the office begins it, and hears the municipality first
YEAR_END = (12, 31)
SOON, FAR = timedelta(days=30), timedelta(days=60)


class DutyKind(StrEnum):
    """DO: the municipality acts. WAIT: somebody else does. DATE: nothing to do, but a day to know."""

    DO = "do"
    WAIT = "wait"
    DATE = "date"


@dataclass(frozen=True)
class Duty:
    """A thing to do, to wait for, or to know of a grant.

    `key` names it within the grant for good. `service` is the key of the package to begin, `action` the words of its
    button; `case` is where it is done where that is an earlier case; `waiver` that it is giving up the remedy.
    """

    key: str
    title: str
    kind: DutyKind = DutyKind.DO
    due_on: date | None = None
    amount: Decimal | None = None
    note: str = ""
    service: str = ""
    action: str = ""
    case: UUID | None = None
    is_waiver: bool = False

    def days_left(self, today: date) -> int | None:
        return (self.due_on - today).days if self.due_on else None


@dataclass(frozen=True)
class Left:
    """What of a grant is still to be drawn: `now` until `until`, `later` in coming years, `last` after the proof; what
    `lapsed` was not drawn in its year. With what is `asked` for already, all that is promised and neither paid nor
    ordered."""

    now: Decimal = NOTHING
    until: date | None = None
    later: Decimal = NOTHING
    years: tuple[int, ...] = ()
    last: Decimal = NOTHING
    lapsed: Decimal = NOTHING
    asked: Decimal = NOTHING


def duties_of(standing: Standing, today: date) -> list[Duty]:
    """All that is ahead, most urgent first: what to do by its day, then what others do, then days to know.

    What can be done at any time stands behind what is due within a month.
    """
    order, some_time = list(DutyKind), today + SOON
    found = [*_duties(standing, today), *_waiting(standing, today)]
    return sorted(found, key=lambda duty: (order.index(duty.kind), duty.due_on or some_time, duty.key))


def next_of(duties: Sequence[Duty], today: date) -> Duty | None:
    """The one to name where there is room for one; None where nothing is to do and nobody is waited for.

    What is due in the far future steps back behind what somebody else is doing just now.
    """
    first = next((duty for duty in duties if duty.kind == DutyKind.DO), None)
    waits = next((duty for duty in duties if duty.kind == DutyKind.WAIT), None)
    is_far = first is not None and first.due_on is not None and first.due_on > today + FAR
    return waits if waits and (first is None or is_far) else first


def left_to_draw(standing: Standing, today: date) -> Left:
    """How the rest of a grant divides, by what drawdowns allow on a day."""
    grant, by_year = standing.grant, dict(standing.open_by_year)
    asked = NOTHING
    for rate in standing.rates:
        if rate.state == DrawdownState.REQUESTED:
            part = min(
                rate.amount, by_year.get(rate.year, NOTHING)
            )  # a change may have moved the money meanwhile
            by_year[rate.year] = by_year.get(rate.year, NOTHING) - part
            asked += part
    total = sum(by_year.values(), NOTHING)
    if standing.is_proven or not total:
        return Left(now=total, asked=asked)
    retained = min(standing.terms.retained_of(grant.amount), total)
    drawable = total - retained
    begins = grant.begins_on or today
    ahead = {
        year: amount
        for year, amount in by_year.items()
        if amount
        and (
            year > today.year or (year == today.year < begins.year) or (year == today.year and today < begins)
        )
    }
    until = last_day(standing, today.year)
    is_open = today.year not in ahead and today <= until
    now = min(by_year.get(today.year, NOTHING), drawable) if is_open else NOTHING
    later = min(sum(ahead.values(), NOTHING), drawable - now)
    return Left(
        now=now,
        until=until if now else None,
        later=later,
        years=tuple(sorted(ahead)) if later else (),
        last=retained,
        lapsed=drawable - now - later,
        asked=asked,
    )


def last_day(standing: Standing, year: int) -> date:
    """The last day on which money of a budget year can be asked for."""
    end = standing.terms.last_request_in(year) or date(year, *YEAR_END)
    return min(end, standing.grant.ends_on) if standing.grant.ends_on else end


def unreported(standing: Standing) -> Decimal:
    """What of the money paid so far nobody has told the use of."""
    paid = sum((rate.amount for rate in standing.rates if rate.paid_on), NOTHING)
    told = [rate.used for rate in standing.rates if rate.state != DrawdownState.REFUSED]
    for proof in standing.proofs:
        if proof.counts:
            before = (
                rate.amount for rate in standing.rates if rate.paid_on and rate.paid_on <= proof.submitted_on
            )
            told.append(sum(before, NOTHING))
    return max(paid - max(told, default=NOTHING), NOTHING)


# --- one rule a matter -------------------------------------------------------------------------------------------


def _duties(standing: Standing, today: date) -> Iterator[Duty]:
    yield from _questions(standing)
    yield from _payments_due(standing)
    if standing.grant.state == GrantState.RUNNING:
        yield from _finality(standing, today)
        yield from _drawing(standing, today)
        yield from _spending(standing, today)
        yield from _interim_proofs(standing, today)
        yield from _final_proof(standing)
    yield from _earmarking(standing, today)


def _questions(standing: Standing) -> Iterator[Duty]:
    for question in standing.questions:
        is_hearing = question.service == CLAIM
        yield Duty(
            f"frage:{question.case}",
            "Zur geplanten Rückforderung äußern"
            if is_hearing
            else f"Rückfrage zu „{question.about}“ beantworten",
            due_on=question.until,
            note="Sie können, Sie müssen nicht (Anhörung)." if is_hearing else "",
            action="Antworten",
            case=question.case,
        )


def _payments_due(standing: Standing) -> Iterator[Duty]:
    for claim in standing.claims:
        if not claim.owed:
            continue
        note = _interest_note(claim)
        in_parts = sum((part.owed for part in claim.parts), NOTHING)
        if not in_parts:
            yield Duty(
                f"forderung:{claim.id}",
                "Rückforderung zahlen" if claim.received < claim.amount else "Zinsen zahlen",
                due_on=claim.due_on,
                amount=claim.owed,
                note=note,
                action="Bescheid lesen",
                case=claim.case,
            )
        for part in claim.parts:
            if part.owed:
                yield Duty(
                    f"forderung:{claim.id}:{part.number}",
                    f"{part.number}. Rate der Rückforderung zahlen",
                    due_on=part.due_on,
                    amount=part.owed,
                    note=note,
                    action="Bescheid lesen",
                    case=claim.case,
                )


def _interest_note(claim: Owed) -> str:
    if not claim.interest_from or claim.received >= claim.amount:
        return ""
    return f"dazu Zinsen seit {format_date(claim.interest_from)}, berechnet beim Eingang"


def _finality(standing: Standing, today: date) -> Iterator[Duty]:
    notice = standing.notice
    if notice is None or standing.is_final(today) or notice.has_remedy or notice.final_on is None:
        return
    if standing.open_by_year and today <= notice.remedy_until:
        yield Duty(
            "verzicht",
            "Auf Rechtsbehelf verzichten oder abwarten",
            note=f"Geld gibt es ab {format_date(notice.final_on)}, mit einem Verzicht sofort.",
            action="Verzicht ansehen",
            is_waiver=True,
        )


def _drawing(standing: Standing, today: date) -> Iterator[Duty]:
    left = left_to_draw(standing, today)
    is_asked = any(rate.state == DrawdownState.REQUESTED for rate in standing.rates)
    may_draw = standing.is_final(today) and not is_asked and not any(claim.owed for claim in standing.claims)
    if standing.is_proven:
        if left.now and may_draw:
            yield Duty(
                "schlussrate",
                "Schlussrate abrufen",
                amount=left.now,
                service=DRAWDOWN,
                action="Geld abrufen",
            )
        return
    if left.now and left.until and not is_asked:
        yield Duty(
            f"abruf:{today.year}",
            f"Geld für {today.year} abrufen",
            kind=DutyKind.DO if may_draw else DutyKind.DATE,
            due_on=left.until,
            amount=left.now,
            note="Was Sie nicht abrufen, verfällt."
            if may_draw
            else "Möglich, sobald der Bescheid bestandskräftig und nichts offen ist.",
            service=DRAWDOWN if may_draw else "",
            action="Geld abrufen" if may_draw else "",
        )
    for year in left.years:
        yield Duty(
            f"abruf:{year}",
            f"Geld für {year} abrufen",
            kind=DutyKind.DATE,
            due_on=last_day(standing, year),
            amount=standing.open_by_year[year],
            note=f"Möglich ab {format_date(max(date(year, 1, 1), standing.grant.begins_on or date.min))}.",
        )
    if left.lapsed and not standing.has_final_proof and _runs(standing, today):
        yield Duty(
            "verfallen",
            "Nicht abgerufenes Geld neu verteilen lassen",
            amount=left.lapsed,
            note="Ohne Änderungsantrag verfällt es.",
            service=CHANGE,
            action="Änderung beantragen",
        )


def _runs(standing: Standing, today: date) -> bool:
    return standing.grant.ends_on is None or today <= standing.grant.ends_on


def _spending(standing: Standing, today: date) -> Iterator[Duty]:
    """ANBest-GK Nr. 1.2: money is spent within so many months after it was paid, and its use is told."""
    amount = unreported(standing)
    paid = [(rate.paid_on, rate.number) for rate in standing.rates if rate.paid_on]
    if not amount or not paid or standing.has_final_proof:
        return
    last, number = max(paid)
    by_drawdown = bool(left_to_draw(standing, today).now) and standing.is_final(today)
    yield Duty(
        f"verwendung:{number}",
        f"{number}. Rate ausgeben und melden",
        due_on=add_months(last, standing.terms.spend_within_months),
        amount=amount,
        note="Sie melden das mit dem nächsten Mittelabruf."
        if by_drawdown
        else "Sie melden das mit einem Nachweis.",
        service=DRAWDOWN if by_drawdown else PROOF,
        action="Rate melden" if by_drawdown else "Nachweis beginnen",
    )


def _interim_proofs(standing: Standing, today: date) -> Iterator[Duty]:
    """One for each budget year in which there was money, but for the last, which the final proof covers."""
    months, ends = standing.terms.interim_months, standing.grant.ends_on
    paid = [rate.paid_on.year for rate in standing.rates if rate.paid_on]
    if not months or not paid or ends is None or standing.has_final_proof:
        return
    for year in range(min(paid), min(ends.year, today.year + 1)):
        closes = date(year, *YEAR_END)
        if any(proof.counts and proof.submitted_on > closes for proof in standing.proofs):
            continue
        has_begun = today > closes
        yield Duty(
            f"zwischennachweis:{year}",
            f"Zwischennachweis für {year} einreichen",
            kind=DutyKind.DO if has_begun else DutyKind.DATE,
            due_on=add_months(closes, months),
            service=PROOF if has_begun else "",
            action="Nachweis beginnen" if has_begun else "",
        )


def _final_proof(standing: Standing) -> Iterator[Duty]:
    grant = standing.grant
    if standing.has_final_proof or grant.proof_due_on is None or not grant.amount:
        return
    rejected = any(p.kind == ProofKind.FINAL and p.state == ProofState.REJECTED for p in standing.proofs)
    yield Duty(
        "nachweis",
        "Verwendungsnachweis einreichen",
        due_on=grant.proof_due_on,
        note="Der letzte wurde nicht anerkannt." if rejected else "",
        service=PROOF,
        action="Nachweis beginnen",
    )


def _earmarking(standing: Standing, today: date) -> Iterator[Duty]:
    by_day: dict[date, list[str]] = {}
    for name, until in standing.items:
        by_day.setdefault(until, []).append(name)
    if not by_day and standing.grant.earmarked_until:
        by_day[standing.grant.earmarked_until] = []
    for until, names in by_day.items():
        if until < today:
            continue
        more = f" und {len(names) - 2} weitere" if len(names) > 2 else ""
        yield Duty(
            f"zweckbindung:{until.isoformat()}",
            "Zweckbindung endet",
            kind=DutyKind.DATE,
            due_on=until,
            note=(", ".join(names[:2]) + more) or "Bis dahin nutzen Sie das Geförderte für seinen Zweck.",
            service=DISPOSAL if names else "",
            action="Veräußerung melden" if names else "",
        )


def _waiting(standing: Standing, today: date) -> Iterator[Duty]:
    """What somebody else does, in the order in which it says most."""
    notes: list[str] = []
    notice = standing.notice
    if notice and (notice.has_remedy or (notice.final_on is None and standing.open_by_year)):
        notes.append("Über Ihren Rechtsbehelf ist noch nicht entschieden.")
    elif notice and not standing.is_final(today) and notice.final_on and standing.open_by_year:
        notes.append(f"Ab {format_date(notice.final_on)} ist der Bescheid bestandskräftig.")
    for rate in standing.rates:
        if rate.state == DrawdownState.REQUESTED:
            notes.append(f"Wir prüfen die {rate.number}. Rate.")
        elif rate.returned and not rate.paid_on:
            notes.append(f"Die Zahlung der {rate.number}. Rate kam zurück. Wir klären das mit Ihnen.")
        elif rate.state == DrawdownState.ORDERED:
            notes.append(f"Die {rate.number}. Rate ist auf dem Weg zu Ihnen.")
    notes += [
        f"Wir prüfen Ihren {ProofKind(p.kind).label}."
        for p in standing.proofs
        if p.state == ProofState.SUBMITTED
    ]
    accepted = [p for p in standing.proofs if p.state == ProofState.ACCEPTED and p.to_repay]
    if accepted and not standing.claims:
        notes.append(f"Über {format_amount(accepted[-1].to_repay)} folgt ein Bescheid zur Rückzahlung.")
    notes += [f"Wir bearbeiten: {title}." for title in dict.fromkeys(standing.running)] if not notes else []
    if notes:
        yield Duty("warten", "Nichts zu tun", kind=DutyKind.WAIT, note=notes[0])


# --- reminders ---------------------------------------------------------------------------------------------------

REMIND_BEFORE = (14, 3)  # days


def reminder_for(duty: Duty, today: date) -> int | None:
    """Which reminder a duty is worth today: the last of 14 and 3 days before that has come; None for none.

    A day without a run of the job loses none, and what became known late is told at once. Nobody is reminded of what
    is not theirs to do, except of the end of an earmarking.
    """
    left = duty.days_left(today)
    if left is None or left < 0 or not (duty.kind == DutyKind.DO or duty.key.startswith("zweckbindung:")):
        return None
    return min((days for days in REMIND_BEFORE if left <= days), default=None)
