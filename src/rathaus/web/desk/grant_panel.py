"""The section „Zuwendung“ on the page of a case: where the money of its grant stands and what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from rathaus.casework.cases.models import Case
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.domains.grants.actions.closing import release_rest
from rathaus.domains.grants.models import Proof
from rathaus.domains.grants.permissions import APPROVE
from rathaus.domains.grants.queries.books import NOTHING
from rathaus.domains.grants.queries.grant_file import (
    GrantFile,
    PlanLine,
    award_of,
    grant_file,
    plan_and_actual,
)
from rathaus.law.money import format_amount
from rathaus.web.desk.access import actor_of, for_staff

Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StepRow:
    """A row of a computation; `amount` is None where it comes to no money."""

    label: str
    formula: str
    amount: Decimal | None
    note: str
    source: str


@dataclass(frozen=True)
class ProofView:
    """What a proof's own case shows besides: plan and actual, vouchers, the computation."""

    proof: Proof
    lines: list[PlanLine]
    planned: Decimal
    vouchers: list[tuple[str, str, str, Decimal]]
    steps: list[StepRow]


@dataclass(frozen=True)
class GrantPanel:
    """The section. `is_own` on the page of the award's case, else that of one that follows it."""

    file: GrantFile
    is_own: bool
    overdue: frozenset[str]
    rest_years: tuple[tuple[int, Decimal], ...]
    may_release: bool
    proof: ProofView | None
    has_computation: bool


def panel_of(by: Actor, case: Case) -> GrantPanel | None:
    """None for a case that has nothing to do with a grant. One statement, and two more for a proof."""
    file = grant_file(case)
    if file is None:
        return None
    is_own = file.grant.case_id == case.pk
    today = clock.today()
    proof = None
    if any(row.reference == case.reference for row in file.proofs):
        proof = _proof(Proof.objects.get(case_id=case.pk))
    return GrantPanel(
        file=file,
        is_own=is_own,
        overdue=frozenset(row.reference for row in file.claims if row.is_overdue(today)),
        rest_years=tuple((year, money.open) for year, money in file.years if money.open),
        may_release=is_own and bool(APPROVE & by.roles),
        proof=proof,
        has_computation=proof is not None or any(row.case == case.pk for row in file.claims),
    )


def _proof(proof: Proof) -> ProofView:
    lines = plan_and_actual(award_of(proof).plan, proof)
    return ProofView(
        proof,
        lines,
        sum((line.planned for line in lines if line.planned is not None), NOTHING),
        [
            (
                str(row.get("datum", "")),
                str(row.get("empfaenger", "")),
                str(row.get("grund", "")),
                Decimal(str(row.get("betrag", "0"))),
            )
            for row in proof.vouchers
        ],
        steps_of(proof.steps),
    )


def steps_of(rows: Steps) -> list[StepRow]:
    """A kept computation as rows of a table."""
    return [
        StepRow(
            row.get("label", ""),
            row.get("formula", ""),
            Decimal(row["amount"]) if row.get("amount") else None,
            row.get("note", ""),
            row.get("source", ""),
        )
        for row in rows
    ]


@require_http_methods(["GET", "POST"])
@for_staff
def release(request: HttpRequest, reference: str) -> HttpResponse:
    """Take back what a grant has not drawn, of one year or of all."""
    by = actor_of(request)
    case = Case.objects.filter(authority_id=by.staff_of, reference=reference).first()
    file = grant_file(case) if case else None
    if case is None or file is None or file.grant.case_id != case.pk:
        raise Http404
    if request.method == "POST":
        text = request.POST.get("jahr", "")  # empty for all years; what is neither must not mean all
        if text and not re.fullmatch(r"[0-9]{4}", text):
            raise Http404
        try:
            total = release_rest(by=by, grant=file.grant.id, year=int(text) if text else None)
        except Refused as wrong:
            messages.info(request, str(wrong))
        else:
            messages.success(
                request, f"{format_amount(total)} sind freigegeben. Die Zuwendung ist entsprechend kleiner."
            )
    return redirect(reverse("desk:case", args=[reference]) + "#zuwendung")
