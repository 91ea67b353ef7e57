"""What grants know of a case, for processes, forms and letters: `zuwendung`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Q, Sum
from django.utils.timezone import localtime

from rathaus.casework.cases.enums import Sender
from rathaus.casework.cases.facts import facts
from rathaus.casework.cases.models import Case, Message
from rathaus.core import clock
from rathaus.domains.grants.actions.claims import to_repay
from rathaus.domains.grants.actions.journal import NOTHING
from rathaus.domains.grants.enums import Account, DrawdownState, PaymentState, ProofKind, ProofState
from rathaus.domains.grants.models import Award, Balance, Claim, Drawdown, Grant, Payment, Proof
from rathaus.domains.grants.queries import Money
from rathaus.domains.grants.terms import terms_of
from rathaus.law.days import add_months
from rathaus.law.financing import Financing

Row = TypeVar("Row", Proof, Claim)
NAMES = (
    "nummer", "titel", "betrag", "ausgaben", "dritte", "plan", "positionen", "partner", "finanzierungsart", "fassung",
    "beginn", "ende", "nachweis_bis", "zweckbindung_bis", "bescheid_vom", "jahre", "jahresbetraege", "vorher",
    "jahr", "abrufbar", "offen", "einbehalt", "ausgezahlt", "schon_ausgezahlt", "verwendet", "rate", "iban", "inhaber",
    "gezahlt", "gezahlt_am", "ausgeben_bis",
    "nachgewiesen", "steht_zu", "noch_auszuzahlen", "ueberzahlt", "zu_erstatten", "rechenweg", "inventar", "inventarliste",
    "forderung", "zinsen", "zinsen_ab", "zinsen_bis", "faellig", "konto", "kontoinhaber", "anhoerung_bis", "aeusserung_vom",
)  # fmt: skip


@facts("zuwendung", names=NAMES)
def grant_facts(case: Case) -> Mapping[str, Any] | None:
    """The grant that a case is about, or that was awarded in it. Amounts in euros; None where there is none.

    `abrufbar` is what may be drawn of `jahr`, `offen` of all years; `verwendet` what was paid so far, which is what a
    report on its use usually says. `vorher` is the award before the version that this case made, or the one in force.
    `gezahlt` is what was paid on the request of this case. `rechenweg` explains this case's proof or claim, or the
    last one; `ueberzahlt` is what was paid too much by that proof, `zu_erstatten` what of it nobody claimed yet.
    `einbehalt` is what is kept until the proof of use.
    """
    keys = [key for key in (case.pk, case.about_id) if key]
    found = Grant.objects.select_related("call__measure__programme", "case__terms", "case__application")
    grant = found.filter(case_id__in=keys).order_by("id").first()
    if grant is None:
        return None
    awards = list(Award.objects.filter(grant=grant).prefetch_related("years").order_by("number"))
    rows = _standing(grant)
    own = [(account, amount) for account, _, amount, is_own in rows if is_own]
    money = Money.of(own)
    proofs = list(Proof.objects.filter(grant=grant).order_by("id"))
    proof = _one_of(case, proofs)
    claim = _one_of(case, list(Claim.objects.filter(grant=grant).order_by("id")))
    items = [item.name for item in grant.items.filter(disposed_on=None).order_by("id")]
    programme = grant.call.measure.programme
    is_proven = any(one.kind == ProofKind.FINAL and one.state == ProofState.ACCEPTED for one in proofs)
    return {
        "nummer": grant.reference,
        "titel": grant.title,
        "partner": list(grant.partners),
        **_award(awards[-1], grant, sorted({year for _, year, _, _ in rows})),
        "vorher": _version(_before(case, awards)),
        **_drawdowns(case, grant, rows, is_proven=is_proven),
        "offen": money.undrawn,
        "ausgezahlt": money.paid_out,
        "nachgewiesen": money.proven,
        **_proof(proof, money),
        "rechenweg": claim.steps if claim and (claim.case_id == case.pk or not proof) else proof.steps if proof else [],
        "zu_erstatten": to_repay(grant),
        "inventar": items,
        "inventarliste": ", ".join(items),
        "forderung": claim.amount if claim else NOTHING,
        "zinsen": claim.interest if claim else NOTHING,
        "zinsen_ab": claim.interest_from if claim else None,
        "zinsen_bis": claim.interest_until if claim else None,
        "faellig": claim.due_on if claim else None,
        "konto": programme.payer_iban,
        "kontoinhaber": programme.payer_name,
        **_hearing(case),
    }  # fmt: skip


def _standing(grant: Grant) -> list[tuple[str, int, Decimal, bool]]:
    """Account, year, amount: of the grant (True), and of the lines of its measure, which say what years there are."""
    of_line = Q(grant=None, account=Account.BUDGET, line__measure_id=grant.call.measure_id)
    found = Balance.objects.filter(Q(grant=grant) | of_line)
    return [
        (account, year, amount, owner is not None)
        for account, year, owner, amount in found.values_list("account", "line__year", "grant_id")
        .annotate(sum=Sum("amount"))
        .order_by()
    ]


def _one_of(case: Case, rows: Sequence[Row]) -> Row | None:
    """The row of this case, else the last of the grant."""
    return next((row for row in rows if row.case_id == case.pk), rows[-1] if rows else None)


def _award(award: Award, grant: Grant, years: Sequence[int]) -> dict[str, Any]:
    version = _version(award)
    by_year = {row["jahr"]: row["betrag"] for row in version["jahresbetraege"]}
    first = min(by_year, default=0)
    return {
        **version,
        "betrag": grant.amount,
        "nachweis_bis": grant.proof_due_on,
        "zweckbindung_bis": grant.earmarked_until,
        "bescheid_vom": grant.notified_on,
        "positionen": [{"wofuer": row["wofuer"], "geplant": row["betrag"]} for row in version["plan"]],
        "jahre": {str(year): amount for year, amount in by_year.items()},
        # Also years to which money could be moved, as far as the programme has any.
        "jahresbetraege": [
            {"jahr": year, "betrag": by_year.get(year, NOTHING)} for year in years if year >= first
        ],
    }


def _version(award: Award) -> dict[str, Any]:
    return {
        "fassung": award.number,
        "betrag": award.amount,
        "ausgaben": award.cost,
        "dritte": award.third_party,
        "finanzierungsart": Financing(award.financing).label,
        "beginn": award.begins_on,
        "ende": award.ends_on,
        "plan": [
            {
                "art": row.get("art", ""),
                "wofuer": row.get("wofuer", ""),
                "betrag": Decimal(row.get("betrag", "0.00")),
            }
            for row in award.plan
        ],
        "jahresbetraege": [
            {"jahr": row.year, "betrag": row.amount}
            for row in sorted(award.years.all(), key=lambda row: row.year)
        ],
    }


def _before(case: Case, awards: Sequence[Award]) -> Award:
    own = next((award for award in awards if award.case_id == case.pk), None)
    earlier = [award for award in awards if own is None or award.number < own.number]
    return earlier[-1] if earlier else awards[0]


def _drawdowns(
    case: Case, grant: Grant, rows: Sequence[tuple[str, int, Decimal, bool]], *, is_proven: bool
) -> dict[str, Any]:
    drawn = [
        row
        for row in Drawdown.objects.filter(grant=grant).order_by("number")
        if row.state != DrawdownState.REFUSED
    ]
    last = drawn[-1] if drawn else None
    payments = list(
        Payment.objects.filter(grant=grant, state=PaymentState.PAID).select_related("drawdown").order_by("paid_on")
    )  # fmt: skip
    paid = sum((payment.amount for payment in payments), NOTHING)
    mine = next((payment for payment in reversed(payments) if payment.drawdown.case_id == case.pk), None)
    paid_on = mine.paid_on if mine else None
    terms = terms_of(grant.case)
    open_by_year: dict[int, Decimal] = {}
    for account, year, amount, is_own in rows:
        if is_own and account == Account.OPEN and amount:
            open_by_year[year] = open_by_year.get(year, NOTHING) + amount
    this_year = clock.today().year
    # What is left of an earlier year is asked for with the last rate; else this year's money is meant.
    year = this_year if this_year in open_by_year else min(open_by_year, default=this_year)
    return {
        "jahr": year,
        "abrufbar": open_by_year.get(year, NOTHING),
        "einbehalt": NOTHING if is_proven else terms.retained_of(grant.amount),
        "schon_ausgezahlt": bool(paid),
        "verwendet": paid,
        "rate": (last.number if last else 0) + 1,
        "iban": last.iban if last else "",
        "inhaber": last.holder if last else grant.recipient_name[:70],
        "gezahlt": mine.amount if mine else NOTHING,
        "gezahlt_am": paid_on,
        "ausgeben_bis": add_months(paid_on, terms.spend_within_months) if paid_on else None,
    }


def _proof(proof: Proof | None, money: Money) -> dict[str, Any]:
    due = proof.due if proof else NOTHING
    is_final = bool(proof and proof.kind == ProofKind.FINAL)
    return {
        "steht_zu": due,
        "noch_auszuzahlen": max(due - money.paid - money.proven, NOTHING) if is_final else NOTHING,
        "ueberzahlt": proof.to_repay if proof and is_final else NOTHING,
    }


def _hearing(case: Case) -> dict[str, date | None]:
    """Until when the applicant could say something in this case, and when they did (§ 28 VwVfG)."""
    asked = Message.objects.filter(case_id=case.pk, answer_until__isnull=False).order_by("-id").first()
    if asked is None:
        return {"anhoerung_bis": None, "aeusserung_vom": None}
    answers = Message.objects.filter(case_id=case.pk, sender=Sender.APPLICANT, sent_at__gte=asked.sent_at)
    answer = answers.order_by("id").first()
    return {
        "anhoerung_bis": asked.answer_until,
        "aeusserung_vom": localtime(answer.sent_at).date() if answer else None,
    }
