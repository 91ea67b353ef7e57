"""What grants know of a case, for processes, forms and letters: `zuwendung`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
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
_PARTS: Mapping[str, tuple[str, ...]] = {
    "_grant": (
        "nummer", "titel", "betrag", "beginn", "ende", "nachweis_bis", "zweckbindung_bis", "bescheid_vom", "partner",
        "konto", "kontoinhaber",
    ),
    "_award": ("ausgaben", "dritte", "plan", "positionen", "finanzierungsart", "fassung", "jahre", "vorher"),
    "_years": ("jahresbetraege",),
    "_money": ("offen", "ausgezahlt", "nachgewiesen", "jahr", "abrufbar"),
    "_requests": ("rate", "iban", "inhaber"),
    "_payments": ("schon_ausgezahlt", "verwendet", "gezahlt", "gezahlt_am", "ausgeben_bis"),
    "_proof": ("einbehalt", "steht_zu", "noch_auszuzahlen", "ueberzahlt"),
    "_claim": ("zu_erstatten", "rechenweg", "forderung", "zinsen", "zinsen_ab", "zinsen_bis", "faellig"),
    "_items": ("inventar", "inventarliste"),
    "_hearing": ("anhoerung_bis", "aeusserung_vom"),
}  # fmt: skip
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}


@facts("zuwendung", names=_PART_OF)
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
    return GrantFacts(case, grant) if grant else None


class GrantFacts(Mapping[str, Any]):
    """Worked out part by part, when a name is asked for."""

    def __init__(self, case: Case, grant: Grant) -> None:
        self._case, self._of = case, grant

    def __getitem__(self, name: str) -> Any:
        return getattr(self, _PART_OF[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_PART_OF)

    def __len__(self) -> int:
        return len(_PART_OF)

    @cached_property
    def _grant(self) -> dict[str, Any]:
        grant, programme = self._of, self._of.call.measure.programme
        return {
            "nummer": grant.reference,
            "titel": grant.title,
            "betrag": grant.amount,
            "beginn": grant.begins_on,
            "ende": grant.ends_on,
            "nachweis_bis": grant.proof_due_on,
            "zweckbindung_bis": grant.earmarked_until,
            "bescheid_vom": grant.notified_on,
            "partner": list(grant.partners),
            "konto": programme.payer_iban,
            "kontoinhaber": programme.payer_name,
        }

    @cached_property
    def _award(self) -> dict[str, Any]:
        awards = list(Award.objects.filter(grant=self._of).prefetch_related("years").order_by("number"))
        version = _version(awards[-1])
        return {
            **version,
            "positionen": [{"wofuer": row["wofuer"], "geplant": row["betrag"]} for row in version["plan"]],
            "jahre": {str(row["jahr"]): row["betrag"] for row in version["jahresbetraege"]},
            "vorher": _version(_before(self._case, awards)),
        }

    @cached_property
    def _years(self) -> dict[str, Any]:
        """Also years to which money could be moved, as far as the programme has any."""
        by_year = {int(year): amount for year, amount in self._award["jahre"].items()}
        first = min(by_year, default=0)
        years = sorted({year for _, year, _, _ in self._standing if year >= first})
        rows = [{"jahr": year, "betrag": by_year.get(year, NOTHING)} for year in years]
        return {"jahresbetraege": rows}

    @cached_property
    def _standing(self) -> list[tuple[str, int, Decimal, bool]]:
        return _standing(self._of)

    @cached_property
    def _money(self) -> dict[str, Any]:
        own = [(account, year, amount) for account, year, amount, is_own in self._standing if is_own]
        money = Money.of((account, amount) for account, _, amount in own)
        open_by_year: dict[int, Decimal] = {}
        for account, year, amount in own:
            if account == Account.OPEN and amount:
                open_by_year[year] = open_by_year.get(year, NOTHING) + amount
        this_year = clock.today().year
        # What is left of an earlier year is asked for with the last rate; else this year's money is meant.
        chosen = this_year if this_year in open_by_year else min(open_by_year, default=this_year)
        return {
            "offen": money.undrawn,
            "ausgezahlt": money.paid_out,
            "nachgewiesen": money.proven,
            "settled": money.paid + money.proven,
            "jahr": chosen,
            "abrufbar": open_by_year.get(chosen, NOTHING),
        }

    @cached_property
    def _requests(self) -> dict[str, Any]:
        drawn = Drawdown.objects.filter(grant=self._of).exclude(state=DrawdownState.REFUSED)
        last = drawn.order_by("-number").first()
        return {
            "rate": (last.number if last else 0) + 1,
            "iban": last.iban if last else "",
            "inhaber": last.holder if last else self._of.recipient_name[:70],
        }

    @cached_property
    def _payments(self) -> dict[str, Any]:
        found = Payment.objects.filter(grant=self._of, state=PaymentState.PAID).select_related("drawdown")
        payments = list(found.order_by("paid_on", "id"))
        paid = sum((payment.amount for payment in payments), NOTHING)
        mine = next((one for one in reversed(payments) if one.drawdown.case_id == self._case.pk), None)
        paid_on = mine.paid_on if mine else None
        months = terms_of(self._of.case).spend_within_months
        return {
            "schon_ausgezahlt": bool(paid),
            "verwendet": paid,
            "gezahlt": mine.amount if mine else NOTHING,
            "gezahlt_am": paid_on,
            "ausgeben_bis": add_months(paid_on, months) if paid_on else None,
        }

    @cached_property
    def _proofs(self) -> list[Proof]:
        return list(Proof.objects.filter(grant=self._of).order_by("id"))

    @cached_property
    def _proof(self) -> dict[str, Any]:
        proof = _one_of(self._case, self._proofs)
        is_final = bool(proof and proof.kind == ProofKind.FINAL)
        is_proven = any(
            one.kind == ProofKind.FINAL and one.state == ProofState.ACCEPTED for one in self._proofs
        )
        due = proof.due if proof else NOTHING
        return {
            "einbehalt": NOTHING if is_proven else terms_of(self._of.case).retained_of(self._of.amount),
            "steht_zu": due,
            "noch_auszuzahlen": max(due - self._money["settled"], NOTHING) if is_final else NOTHING,
            "ueberzahlt": proof.to_repay if proof and is_final else NOTHING,
        }

    @cached_property
    def _claim(self) -> dict[str, Any]:
        proof = _one_of(self._case, self._proofs)
        claim = _one_of(self._case, list(Claim.objects.filter(grant=self._of).order_by("id")))
        is_claims = claim is not None and (claim.case_id == self._case.pk or proof is None)
        explained = claim if is_claims else proof
        return {
            "zu_erstatten": to_repay(self._of),
            "rechenweg": explained.steps if explained else [],
            "forderung": claim.amount if claim else NOTHING,
            "zinsen": claim.interest if claim else NOTHING,
            "zinsen_ab": claim.interest_from if claim else None,
            "zinsen_bis": claim.interest_until if claim else None,
            "faellig": claim.due_on if claim else None,
        }

    @cached_property
    def _items(self) -> dict[str, Any]:
        items = [item.name for item in self._of.items.filter(disposed_on=None).order_by("id")]
        return {"inventar": items, "inventarliste": ", ".join(items)}

    @cached_property
    def _hearing(self) -> dict[str, date | None]:
        return _hearing(self._case)


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
