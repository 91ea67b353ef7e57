"""Proof of use: figures against the plan, the result with its steps, and what follows from it (VV Nr. 10 and 11)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from rathaus.casework.cases.actions.findings import keep_findings
from rathaus.casework.cases.actions.withdrawal import when_withdrawn
from rathaus.casework.cases.enums import FindingResult
from rathaus.casework.cases.models import Finding
from rathaus.casework.cases.steps import Run
from rathaus.casework.services.operations import Refused, operation
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants import events
from rathaus.domains.grants.actions.award import (
    balances_of,
    change_award,
    current_award,
    decision_of,
    grant_of,
)
from rathaus.domains.grants.actions.closing import close_if_done
from rathaus.domains.grants.actions.journal import NOTHING, Shift, post
from rathaus.domains.grants.enums import Account, AwardKind, GrantState, MovementKind, ProofKind, ProofState
from rathaus.domains.grants.models import Award, Balance, Grant, Item, Proof
from rathaus.domains.grants.terms import GrantTerms, terms_of
from rathaus.law.days import add_months
from rathaus.law.financing import Actual, Financing, Plan, Settlement, Step, overruns, settle
from rathaus.law.money import format_amount
from rathaus.law.text import format_date

PAID_ACCOUNTS = (Account.PAID, Account.PROVEN)


@operation("grants.proof.submit")
def submit_proof(
    step: Run,
    *,
    art: str,
    zeilen: list,
    dritte: Decimal = NOTHING,
    belege: list | None = None,
) -> dict[str, Any]:
    """Operation: take a proof, compute its result for the financing type, and note findings for the clerk. Called again
    for the same case (corrected answers), it takes the place of what was there.

    `zeilen` are the figures in the order of the plan (`wofuer`, `betrag`), `belege` the vouchers (`datum`, `empfaenger`,
    `grund`, `betrag`). Refused where the vouchers do not add up to the figures, or one lies outside the period.
    """
    grant = grant_of(step.case, lock=True)
    kind = ProofKind(art)
    if grant.state == GrantState.CLOSED or grant.notified_on is None or not grant.amount:
        raise Refused("Zu dieser Förderung wird kein Nachweis erwartet.")
    _check_still_expected(grant, kind)
    terms, award = terms_of(grant.case), current_award(grant)
    spent = _sum(zeilen)
    _check_vouchers(award, spent, belege or [])
    result = compute(award, spent, dritte, paid=_paid(grant), terms=terms)
    figures = {
        "kind": kind,
        "spent": spent,
        "third_party": dritte,
        "lines": _plain(zeilen),
        "vouchers": _plain(belege or []),
        "due": result.due,
        "to_repay": result.to_repay if kind == ProofKind.FINAL else NOTHING,
        "steps": steps_of(result),
        "submitted_on": clock.today(),
    }
    try:
        with transaction.atomic():
            proof, _ = Proof.objects.update_or_create(
                case=step.case,
                defaults=figures,
                create_defaults={
                    **figures,
                    "authority_id": grant.authority_id,
                    "grant": grant,
                    "party_id": grant.party_id,
                },
            )
    except IntegrityError as wrong:
        if "proof_final_once" not in str(wrong):
            raise
        raise Refused("Ihr Verwendungsnachweis liegt uns schon vor.") from wrong
    _note_findings(step, proof, award, terms, result)
    step.record(events.PROOF_SUBMITTED, what=kind.label, spent=format_amount(spent))
    return {"ausgaben": spent, "steht_zu": result.due, "erstatten": proof.to_repay}


def compute(
    award: Award, spent: Decimal, third_party: Decimal, *, paid: Decimal, terms: GrantTerms
) -> Settlement:
    """What the grant comes to for what was spent, with the steps of the computation. Amounts in euros.

    The plan that was decided last counts, with its rate. What was taken from the award since (a year that lapsed, a part
    that was revoked) only bounds the result.
    """
    base = _decided_plan(award)
    plan = Plan(
        eligible_cost=base.cost,
        award=base.amount,
        own_funds=base.cost - base.amount - base.third_party,
        third_party_funds=base.third_party,
    )
    actual = Actual(eligible_cost=spent, third_party_funds=third_party)
    result = settle(Financing(base.financing), plan, actual, minor_amount=terms.minor_amount, paid=paid)
    if result.due <= award.amount:
        return result
    bound = Step(
        "Begrenzt auf die Bewilligung",
        f"höchstens {format_amount(award.amount)} (Fassung {award.number})",
        award.amount,
        "Seit der Bewilligung wurde Geld freigegeben oder widerrufen.",
        "Zuwendungsbescheid",
    )
    return replace(
        result,
        award=award.amount,
        due=award.amount,
        reduction=NOTHING,
        waived_as_minor=NOTHING,
        to_repay=max(paid - award.amount, NOTHING),
        still_payable=max(award.amount - paid, NOTHING),
        steps=(*result.steps, bound),
    )


def _decided_plan(award: Award) -> Award:
    """The version whose plan was decided last: the first, or a change of cost, funds or amount."""
    versions = list(Award.objects.filter(grant=award.grant_id, number__lte=award.number).order_by("number"))
    base = versions[0]
    for before, version in pairwise(versions):
        figures = (version.cost, version.amount, version.third_party)
        if version.kind == AwardKind.CHANGE and figures != (before.cost, before.amount, before.third_party):
            base = version
    return base


def steps_of(result: Settlement) -> list[dict[str, Any]]:
    """The computation (Rechenweg) as JSON rows: `label`, `formula`, `amount` as text or None, `note`, `source`."""
    return [
        {**asdict(step), "amount": str(step.amount) if step.amount is not None else None}
        for step in result.steps
    ]


def _check_still_expected(grant: Grant, kind: ProofKind) -> None:
    if kind == ProofKind.INTERIM and accepted_final(grant):
        raise Refused(
            "Der Verwendungsnachweis ist schon geprüft. Ein Zwischennachweis hat sich damit erledigt."
        )


def _check_vouchers(award: Award, spent: Decimal, vouchers: list) -> None:
    if not vouchers:
        return
    total = _sum(vouchers)
    if total != spent:
        raise Refused(
            f"Die Belege ergeben {format_amount(total)}, die Ausgaben {format_amount(spent)}. "
            f"Der Unterschied ist {format_amount(abs(total - spent))}."
        )
    for number, voucher in enumerate(vouchers, 1):
        day = voucher.get("datum")
        if not isinstance(day, date):
            continue
        if day > clock.today():
            raise Refused(f"Beleg {number} vom {format_date(day)} liegt in der Zukunft.")
        if (award.begins_on and day < award.begins_on) or (award.ends_on and day > award.ends_on):
            raise Refused(
                f"Beleg {number} vom {format_date(day)} liegt außerhalb des Bewilligungszeitraums "
                f"({format_date(award.begins_on) if award.begins_on else '…'} bis "
                f"{format_date(award.ends_on) if award.ends_on else '…'})."
            )


def _keep_items(grant: Grant, terms: GrantTerms, items: list) -> None:
    """What is dear enough enters the inventory and stays bound to its purpose; what an earlier proof named is there."""
    known = set(Item.objects.filter(grant=grant).values_list("name", "price", "bought_on"))
    for item in items:
        name, price, bought_on = str(item["gegenstand"])[:200], item["preis"], item["angeschafft_am"]
        if terms.earmark_years and price >= terms.inventory_from and (name, price, bought_on) not in known:
            Item.objects.create(
                authority_id=grant.authority_id,
                grant=grant,
                party_id=grant.party_id,
                name=name,
                price=price,
                bought_on=bought_on,
                earmarked_until=add_months(bought_on, 12 * terms.earmark_years),
            )


def _note_findings(step: Run, proof: Proof, award: Award, terms: GrantTerms, result: Settlement) -> None:
    found: list[Finding] = []

    def note(rule: str, title: str, source: str, result: FindingResult, value: str, note: str = "") -> None:
        found.append(
            Finding(
                rule=rule,
                title=title,
                source=source,
                result=result,
                value=value[:160],
                note=note[:200],
            )
        )

    due_on = proof.grant.proof_due_on
    is_late = proof.kind == ProofKind.FINAL and due_on is not None and proof.submitted_on > due_on
    note(
        "frist",
        "Nachweis zu spät" if is_late else "Rechtzeitig eingereicht",
        f"Zuwendungsbescheid: bis {format_date(due_on)}" if due_on else "Zuwendungsbescheid",
        FindingResult.HINT if is_late else FindingResult.MET,
        format_date(proof.submitted_on),
    )
    if proof.vouchers:
        note(
            "belege",
            "Belege ergeben die Ausgaben",
            "Belegliste",
            FindingResult.MET,
            f"{len(proof.vouchers)} Belege",
        )
    over = (
        [
            row
            for row in overruns(_by_line(award.plan), _by_line(proof.lines), terms.overrun_percent)
            if row.is_beyond_percent or not row.is_offset
        ]
        if award.plan
        else []
    )
    for row in over[:5]:
        note(
            f"ueberschreitung_{len(found)}",
            f"Mehr ausgegeben: {row.line}"[:120],
            f"Nebenbestimmungen: bis {terms.overrun_percent} % bei Ausgleich",
            FindingResult.HINT,
            f"{format_amount(row.actual)} statt {format_amount(row.planned)}",
        )
    note(
        "ergebnis",
        "Zuwendung nach Nachweis",
        f"{Financing(award.financing).label}, Rechenweg am Nachweis",
        FindingResult.MET if not proof.to_repay else FindingResult.HINT,
        format_amount(result.due),
        f"{format_amount(proof.to_repay)} zu viel ausgezahlt" if proof.to_repay else "",
    )
    keep_findings(step, found)


def _by_line(rows: list) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        name = str(row.get("wofuer", ""))
        sums[name] = sums.get(name, NOTHING) + Decimal(str(row.get("betrag", "0")))
    return sums


@operation("grants.proof.accept")
def accept_proof(step: Run, *, inventar: list | None = None) -> dict[str, Any]:
    """Operation, after the release: what was accepted is proven, the result fixed with the amount that the decision
    accepts as expenditure; what nobody needs any more is released. What was paid too much waits for its own case.

    `inventar` is what was bought to keep (`gegenstand`, `angeschafft_am`, `preis`).
    """
    grant = grant_of(step.case, lock=True)
    proof = Proof.objects.select_for_update().get(case=step.case)
    _check_still_expected(grant, ProofKind(proof.kind))
    terms, award = terms_of(grant.case), current_award(grant)
    accepted = min(decision_of(step).amount or NOTHING, proof.spent)
    result = compute(award, accepted, proof.third_party, paid=_paid(grant), terms=terms)
    proof.due, proof.steps = result.due, steps_of(result)
    proof.to_repay = result.to_repay if proof.kind == ProofKind.FINAL else NOTHING
    _keep_items(grant, terms, inventar or [])
    prove(by=step.by, grant=grant, proof=proof, key=f"proof:{proof.id}")
    proof.state, proof.decided_on = ProofState.ACCEPTED, clock.today()
    proof.save(update_fields=["state", "decided_on", "due", "to_repay", "steps"])
    if proof.kind == ProofKind.FINAL:
        _release_rest(step, grant, proof)
        close_if_done(by=step.by, grant=grant)
    step.record(events.PROOF_ACCEPTED, what=ProofKind(proof.kind).label, due=format_amount(proof.due))
    return {"erstatten": proof.to_repay}


@when_withdrawn
def forget_proof(step: Run) -> None:
    """A proof that was withdrawn makes room for another."""
    open_one = Proof.objects.filter(case=step.case, state=ProofState.SUBMITTED)
    open_one.update(state=ProofState.REJECTED, decided_on=clock.today())


@operation("grants.proof.reject")
def reject_proof(step: Run) -> dict[str, Any]:
    """Operation: the proof was not accepted; another must follow."""
    proof = Proof.objects.select_for_update().get(case=step.case)
    proof.state, proof.decided_on = ProofState.REJECTED, clock.today()
    proof.save(update_fields=["state", "decided_on"])
    step.record(events.PROOF_REJECTED, what=ProofKind(proof.kind).label)
    return {}


def prove(*, by: Actor, grant: Grant, proof: Proof, key: str) -> None:
    """What was paid and is due after an accepted proof counts as proven, earliest years first; part of a running step."""
    balances = balances_of(grant, PAID_ACCOUNTS)
    left = min(sum(balances.values(), NOTHING), proof.due) - balances[Account.PROVEN]
    shifts: list[Shift] = []
    for row in Balance.objects.filter(grant=grant, account=Account.PAID, amount__gt=0).order_by(
        "line__year", "id"
    ):
        part = min(max(left, NOTHING), row.amount)
        if part:
            shifts.append(Shift(row.line_id, Account.PAID, Account.PROVEN, part))
            left -= part
    if not shifts:
        return
    post(
        by=by,
        authority=grant.authority_id,
        kind=MovementKind.PROVEN,
        key=key,
        shifts=shifts,
        grant=grant.id,
        text=f"{grant.reference}, {ProofKind(proof.kind).label}",
    )


def accepted_final(grant: Grant) -> Proof | None:
    """The proof of use that settled the grant, if it was accepted."""
    return accepted_finals([grant.id]).get(grant.id)


def accepted_finals(grants: Collection[UUID]) -> dict[UUID, Proof]:
    """The same of many, by grant; each knows its grant."""
    found = Proof.objects.filter(grant_id__in=grants, kind=ProofKind.FINAL, state=ProofState.ACCEPTED)
    return {proof.grant_id: proof for proof in found.select_related("grant").order_by("-id")}


def _release_rest(step: Run, grant: Grant, proof: Proof) -> None:
    """The award falls to what is due, but not below what was paid: that is claimed back by its own notice."""
    open_by_year: dict[int, Decimal] = {}
    rows = Balance.objects.filter(grant=grant, account=Account.OPEN, amount__gt=0)
    for year, amount in rows.values_list(
        "line__year", "amount"
    ):  # cash and commitment of a year are two rows
        open_by_year[year] = open_by_year.get(year, NOTHING) + amount
    balances = balances_of(grant)
    needed = max(
        proof.due - balances[Account.PAID] - balances[Account.PROVEN] - balances[Account.ORDERED], NOTHING
    )
    surplus = sum(open_by_year.values(), NOTHING) - needed
    if surplus <= 0:
        return
    by_year = {row.year: row.amount for row in current_award(grant).years.all()}
    for year, amount in sorted(open_by_year.items(), reverse=True):
        part = min(surplus, amount)
        by_year[year] -= part
        surplus -= part
    change_award(
        by=step.by,
        grant=grant,
        case=step.case,
        kind=AwardKind.REDUCTION,
        by_year=by_year,
        key=f"settle:{proof.id}",
    )
    step.record(events.RELEASED, amount=format_amount(sum(open_by_year.values(), NOTHING) - needed))


def _paid(grant: Grant) -> Decimal:
    """What was paid out and not claimed back; also what is on its way, for nobody stops it any more."""
    found = balances_of(grant, (*PAID_ACCOUNTS, Account.ORDERED))
    return sum(found.values(), NOTHING)


def _sum(rows: list) -> Decimal:
    return sum((Decimal(str(row["betrag"])) for row in rows), NOTHING)


def _plain(rows: list) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in dict(row).items()} for row in rows]
