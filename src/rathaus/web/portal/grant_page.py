"""The page of one grant: next steps, money by year, versions of the award, drawdowns, proofs, claims, inventory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.urls import reverse

from rathaus.casework.cases.models import Case
from rathaus.core.authorities.queries import by_ags, succession
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.duties import (
    CHANGE,
    DISPOSAL,
    DRAWDOWN,
    PROOF,
    Duty,
    DutyKind,
    duties_of,
    left_to_draw,
)
from rathaus.domains.grants.enums import (
    AwardKind,
    DrawdownState,
    GrantState,
    ProofKind,
    ProofState,
)
from rathaus.domains.grants.models import Award, Claim, Item, Proof
from rathaus.domains.grants.queries import Standing
from rathaus.domains.grants.queries.owed import Owed
from rathaus.domains.grants.queries.standings import Rate
from rathaus.law.financing import Financing
from rathaus.law.money import format_amount
from rathaus.law.text import format_date, format_day
from rathaus.web.charts import MoneyGlance
from rathaus.web.parts import Column, Fact, Link, PlainTable
from rathaus.web.portal.grants import (
    Deadline,
    Offers,
    action_of,
    begin_url,
    days_until,
    deadlines_of,
    follow_ups_offered,
    glance_of,
    left_notes,
    tone_of,
    with_partners,
)

NOTHING = Decimal("0.00")
BUTTONS = {
    DRAWDOWN: "Geld abrufen",
    PROOF: "Nachweis einreichen",
    CHANGE: "Änderung beantragen",
    DISPOSAL: "Veräußerung melden",
}


@dataclass(frozen=True)
class Step:
    """A thing to do, with its button and how soon."""

    title: str
    note: str
    due_on: date | None
    due_note: str
    tone: str
    action: Link | None


@dataclass(frozen=True)
class Version:
    """A version of the award with the page of its notice."""

    number: int
    kind: str
    on: date
    amount: Decimal
    cost: Decimal
    period: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class RateRow:
    rate: Rate
    state: str
    note: str
    url: str


@dataclass(frozen=True)
class ProofView:
    """A proof with its computation (Rechenweg)."""

    proof: Proof
    title: str
    state: str
    url: str
    steps: PlainTable


@dataclass(frozen=True)
class ClaimView:
    """A claim with what is owed of it, and its instalments."""

    claim: Owed
    reason: str
    state: str
    url: str
    facts: tuple[Fact, ...]
    parts: PlainTable | None
    steps: PlainTable | None


@dataclass(frozen=True)
class Page:
    """Everything that the page of a grant shows."""

    about: str
    since: tuple[str, ...]
    first: Step | None
    steps: tuple[Step, ...]
    wait: Duty | None
    facts: tuple[Fact, ...]
    terms: tuple[Fact, ...]
    glance: MoneyGlance | None
    years: PlainTable
    versions: tuple[Version, ...]
    rates: tuple[RateRow, ...]
    proofs: tuple[ProofView, ...]
    claims: tuple[ClaimView, ...]
    items: PlainTable | None
    follow_ups: tuple[Case, ...]
    deadlines: tuple[Deadline, ...]
    buttons: tuple[Link, ...]
    is_closed: bool


def page_of(by: Actor, standing: Standing, today: date) -> Page:
    """The page's data; ten statements at most, whatever the grant went through."""
    grant, duties = standing.grant, duties_of(standing, today)
    offers = follow_ups_offered([grant.authority_id])
    steps = [_step(duty, standing, offers, today) for duty in duties if duty.kind == DutyKind.DO]
    awards = list(Award.objects.filter(grant=grant).select_related("notice").order_by("-number"))
    names = (
        {ags: place.name for ags, place in by_ags(map(str, grant.partners)).items()} if grant.partners else {}
    )
    return Page(
        about=", ".join(filter(None, [grant.call.title, with_partners(standing, names)])),
        since=tuple(map(str, succession(grant.recipient, today))) if grant.recipient else (),
        first=steps[0] if steps else None,
        steps=tuple(steps[1:]),
        wait=next((duty for duty in duties if duty.kind == DutyKind.WAIT), None),
        facts=_facts(standing, today),
        terms=_terms(standing, awards[0] if awards else None, today),
        glance=glance_of([standing], today),
        years=_years(standing),
        versions=tuple(_version(award, is_current=award is awards[0]) for award in awards),
        rates=tuple(_rate(rate) for rate in reversed(standing.rates)),
        proofs=_proofs(standing),
        claims=_claims(standing),
        items=_items(standing),
        follow_ups=tuple(
            Case.objects.filter(about=grant.case_id, party_id__in=by.parties, is_for_applicant=True)
            .select_related("offer")
            .order_by("-id")
        ),
        deadlines=tuple(sorted(deadlines_of(standing, duties, today), key=lambda entry: entry.day)),
        buttons=_buttons(standing, offers, steps[:1], today),
        is_closed=grant.state == GrantState.CLOSED,
    )


def _step(duty: Duty, standing: Standing, offers: Offers, today: date) -> Step:
    amount = format_amount(duty.amount) if duty.amount else ""
    return Step(
        f"{duty.title}: {amount}" if amount else duty.title,
        f"{duty.note[0].upper()}{duty.note[1:]}".rstrip(".") + "." if duty.note else "",
        duty.due_on,
        days_until(duty.due_on, today) if duty.due_on else "",
        tone_of(duty.due_on, today),
        action_of(duty, standing, offers),
    )


def _buttons(standing: Standing, offers: Offers, first: Sequence[Step], today: date) -> tuple[Link, ...]:
    """What can be begun besides the next step."""
    grant = standing.grant
    shown = {step.action.url for step in first if step.action}
    wanted = []
    if left_to_draw(standing, today).now and standing.is_final(today):
        wanted.append(DRAWDOWN)
    if grant.state == GrantState.RUNNING:
        wanted += [CHANGE] if standing.has_final_proof else [PROOF, CHANGE]
    if standing.items:
        wanted.append(DISPOSAL)
    links = (
        Link(BUTTONS[key], begin_url(slug, grant.case_id))
        for key in wanted
        if (slug := offers.get((grant.authority_id, key)))
    )
    return tuple(link for link in links if link.url not in shown)


def _facts(standing: Standing, today: date) -> tuple[Fact, ...]:
    left, money = left_to_draw(standing, today), standing.money
    owed = sum((claim.owed for claim in standing.claims), NOTHING)
    found = [
        Fact("Bewilligt", format_amount(standing.grant.amount)),
        Fact(
            "Ausgezahlt",
            format_amount(money.paid_out),
            f"{format_amount(money.ordered)} unterwegs" if money.ordered else "",
        ),
        Fact("Noch abrufbar", format_amount(left.now), "; ".join(left_notes(left, today)[:2])),
        Fact("Nachgewiesen", format_amount(money.proven)),
    ]
    if owed:
        found[3] = Fact("Zurückzuzahlen", format_amount(owed))
    return tuple(found)


def _terms(standing: Standing, award: Award | None, today: date) -> tuple[Fact, ...]:
    grant, notice, terms = standing.grant, standing.notice, standing.terms
    found = []
    if award:
        found.append(Fact("Finanzierung", Financing(award.financing).label))
        found.append(Fact("Ausgaben laut Plan", format_amount(award.cost)))
        if award.third_party:
            found.append(Fact("davon Dritte", format_amount(award.third_party)))
    if grant.begins_on and grant.ends_on:
        found.append(
            Fact("Bewilligungszeitraum", f"{format_date(grant.begins_on)} bis {format_date(grant.ends_on)}")
        )
    if notice and notice.final_on:
        word = "seit" if notice.final_on <= today else "ab"
        found.append(Fact("Bescheid bestandskräftig", f"{word} {format_date(notice.final_on)}"))
    if terms.retained_percent:
        found.append(
            Fact(
                "Schlussrate nach dem Nachweis", f"{terms.retained_percent.normalize():f} %".replace(".", ",")
            )
        )
    found.append(Fact("Ausgezahltes Geld ausgeben", f"innerhalb von {terms.spend_within_months} Monaten"))
    if grant.proof_due_on:
        found.append(Fact("Verwendungsnachweis bis", format_date(grant.proof_due_on)))
    if grant.earmarked_until:
        found.append(Fact("Zweckgebunden bis", format_date(grant.earmarked_until)))
    return tuple(found)


def _years(standing: Standing) -> PlainTable:
    """By budget year: awarded, paid, still open. What was paid of a year and claimed back is in no column any more."""
    rows, sums = [], [NOTHING, NOTHING, NOTHING]
    for year in sorted(standing.by_year.keys() | {rate.year for rate in standing.rates if rate.paid_on}):
        awarded = standing.by_year.get(year, NOTHING)
        paid = sum((rate.amount for rate in standing.rates if rate.paid_on and rate.year == year), NOTHING)
        amounts = [awarded, paid, standing.open_by_year.get(year, NOTHING)]
        sums = [total + amount for total, amount in zip(sums, amounts, strict=True)]
        rows.append((str(year), *map(format_amount, amounts)))
    if len(rows) > 1:
        rows.append(("zusammen", *map(format_amount, sums)))
    columns = ("bewilligt", "ausgezahlt", "noch offen")
    return PlainTable(
        "Das Geld nach Haushaltsjahren",
        (Column("Jahr"), *(Column(label, is_numeric=True) for label in columns)),
        tuple(rows),
    )


def _version(award: Award, *, is_current: bool) -> Version:
    url = reverse("portal:notice", args=[award.case_id, award.notice_id]) if award.notice_id else ""
    period = (
        f"{format_day(award.begins_on)} – {format_day(award.ends_on)}"
        if award.begins_on and award.ends_on
        else ""
    )
    return Version(
        award.number,
        AwardKind(award.kind).label,
        award.awarded_on,
        award.amount,
        award.cost,
        period,
        url,
        is_current,
    )


def _rate(rate: Rate) -> RateRow:
    note = f"am {format_day(rate.paid_on)}" if rate.paid_on else rate.returned
    state = "zurückgekommen" if rate.returned and not rate.paid_on else DrawdownState(rate.state).label
    return RateRow(rate, state, note, _case_url(rate.case))


def _proofs(standing: Standing) -> tuple[ProofView, ...]:
    if not standing.proofs:
        return ()
    return tuple(
        ProofView(
            proof,
            ProofKind(proof.kind).label,
            ProofState(proof.state).label,
            _case_url(proof.case_id),
            _computation(proof.steps),
        )
        for proof in Proof.objects.filter(grant=standing.grant).order_by("-id")
    )


def _computation(steps: Sequence[Any]) -> PlainTable:
    """The rows of a computation as they were kept."""
    return PlainTable(
        "Rechenweg",
        (Column("Schritt"), Column("Rechnung"), Column("Betrag", is_numeric=True)),
        tuple(
            (
                " – ".join(filter(None, [step.get("label", ""), step.get("note", "")])),
                step.get("formula") or "",
                format_amount(Decimal(step["amount"])) if step.get("amount") is not None else "",
            )
            for step in steps
        ),
    )


def _claims(standing: Standing) -> tuple[ClaimView, ...]:
    if not standing.claims:
        return ()
    kept = {claim.id: claim for claim in Claim.objects.filter(grant=standing.grant)}
    return tuple(_claim(owed, kept[owed.id]) for owed in reversed(standing.claims))


def _claim(owed: Owed, claim: Claim) -> ClaimView:
    facts = [Fact("Betrag", format_amount(owed.amount))]
    if owed.interest or owed.interest_from:
        since = f"seit {format_date(owed.interest_from)}" if owed.interest_from else ""
        facts.append(Fact("Zinsen", format_amount(owed.interest), since))
    facts.append(Fact("Gezahlt", format_amount(owed.received)))
    facts.append(
        Fact(
            "Noch zu zahlen", format_amount(owed.owed), f"bis {format_date(owed.due_on)}" if owed.owed else ""
        )
    )
    state = "offen" if owed.owed else "erlassen" if claim.waived_at else "erledigt"
    parts = (
        PlainTable(
            "Raten",
            (
                Column("Rate"),
                Column("fällig am"),
                Column("Betrag", is_numeric=True),
                Column("noch offen", is_numeric=True),
            ),
            tuple(
                (
                    str(part.number),
                    format_day(part.due_on),
                    format_amount(part.amount),
                    format_amount(NOTHING if owed.is_done else part.owed),
                )
                for part in owed.parts
            ),
        )
        if owed.parts
        else None
    )
    return ClaimView(
        owed,
        owed.reason_label,
        state,
        _case_url(owed.case),
        tuple(facts),
        parts,
        _computation(claim.steps) if claim.steps else None,
    )


def _items(standing: Standing) -> PlainTable | None:
    rows = list(Item.objects.filter(grant=standing.grant).order_by("id"))
    if not rows:
        return None
    return PlainTable(
        "Was angeschafft wurde",
        (
            Column("Gegenstand"),
            Column("angeschafft"),
            Column("zweckgebunden bis"),
            Column("Preis", is_numeric=True),
        ),
        tuple(
            (
                f"{item.name} – {item.disposal} am {format_day(item.disposed_on)}"
                if item.disposed_on
                else item.name,
                format_day(item.bought_on),
                format_day(item.earmarked_until),
                format_amount(item.price),
            )
            for item in rows
        ),
    )


def _case_url(case: UUID) -> str:
    return reverse("portal:case", args=[case])
