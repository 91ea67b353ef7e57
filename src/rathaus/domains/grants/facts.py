"""What grants know of a case, for processes, forms and letters: `zuwendung`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Sum
from django.utils.timezone import localtime

from rathaus.casework.cases.enums import Sender
from rathaus.casework.cases.facts import facts
from rathaus.casework.cases.models import Case, Message
from rathaus.core import clock
from rathaus.domains.grants.actions.award import current_award
from rathaus.domains.grants.actions.claims import to_repay
from rathaus.domains.grants.actions.journal import NOTHING
from rathaus.domains.grants.enums import Account, DrawdownState, PaymentState
from rathaus.domains.grants.models import Balance, Claim, Drawdown, Grant, Payment, Proof
from rathaus.domains.grants.queries import Money
from rathaus.law.financing import Financing

NAMES = (
    "nummer", "titel", "betrag", "ausgaben", "plan", "finanzierungsart", "fassung", "beginn", "ende", "nachweis_bis",
    "bescheid_vom", "jahr", "abrufbar", "offen", "ausgezahlt", "verwendet", "rate", "iban", "inhaber", "nachgewiesen",
    "steht_zu", "zu_erstatten", "rechenweg", "jahre", "inventar", "inventarliste",
    "forderung", "zinsen", "zinsen_ab", "zinsen_bis", "faellig", "konto", "kontoinhaber", "anhoerung_bis", "aeusserung_vom",
)  # fmt: skip


@facts("zuwendung", names=NAMES)
def grant_facts(case: Case) -> Mapping[str, Any] | None:
    """The grant that a case is about, or that was awarded in it. Amounts in euros; None where there is none.

    `abrufbar` is what may be drawn of the current budget year, `offen` of all; `verwendet` what was paid so far, which
    is what a report on its use usually says; `rechenweg` explains the result of the last proof or claim.
    """
    keys = [key for key in (case.pk, case.about_id) if key]
    grant = (
        Grant.objects.select_related("call__measure__programme")
        .filter(case_id__in=keys)
        .order_by("id")
        .first()
    )
    if grant is None:
        return None
    award = current_award(grant)
    today = clock.today()
    rows = list(
        Balance.objects.filter(grant=grant).values_list("account", "line__year").annotate(sum=Sum("amount"))
    )
    money = Money.of((account, amount) for account, _, amount in rows)
    drawdowns = Drawdown.objects.filter(grant=grant).exclude(state=DrawdownState.REFUSED)
    last = drawdowns.order_by("-number").first()
    proof = Proof.objects.filter(grant=grant).order_by("-id").first()
    claims = Claim.objects.filter(grant=grant).order_by("-id")
    claim = claims.filter(case_id=case.pk).first() or claims.first()
    items = [item.name for item in grant.items.filter(disposed_on=None).order_by("id")]
    programme = grant.call.measure.programme
    paid = Payment.objects.filter(grant=grant, state=PaymentState.PAID).aggregate(all=Sum("amount"))["all"]
    return {
        "nummer": grant.reference,
        "titel": grant.title,
        "betrag": grant.amount,
        "ausgaben": award.cost,
        "plan": [
            {"wofuer": row.get("wofuer", ""), "betrag": row.get("betrag", "0.00")} for row in award.plan
        ],
        "finanzierungsart": Financing(award.financing).label,
        "fassung": award.number,
        "beginn": grant.begins_on,
        "ende": grant.ends_on,
        "nachweis_bis": grant.proof_due_on,
        "bescheid_vom": grant.notified_on,
        "jahr": today.year,
        "abrufbar": sum(
            (amount for account, year, amount in rows if account == Account.OPEN and year == today.year),
            NOTHING,
        ),
        "offen": money.undrawn,
        "ausgezahlt": money.paid_out,
        "verwendet": paid or NOTHING,
        "rate": (last.number if last else 0) + 1,
        "iban": last.iban if last else "",
        "inhaber": last.holder if last else "",
        "nachgewiesen": money.proven,
        "steht_zu": proof.due if proof else NOTHING,
        "zu_erstatten": to_repay(grant),
        "rechenweg": claim.steps if claim and claim.case_id == case.pk else proof.steps if proof else [],
        "jahre": {str(row.year): row.amount for row in award.years.all()},
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
