"""„Rechenweg drucken“: why a proof or a claim comes to its amount, as a PDF that goes into the paper file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rathaus.core import clock
from rathaus.domains.grants.enums import ProofKind
from rathaus.domains.grants.models import Claim, Proof
from rathaus.domains.grants.queries.claiming import accrued, claim_of
from rathaus.domains.grants.queries.grant_file import proof_of
from rathaus.domains.grants.terms import terms_of
from rathaus.engine.letters import render_letter
from rathaus.law.financing import Financing
from rathaus.law.money import format_amount
from rathaus.law.text import format_date
from rathaus.web.desk.access import actor_of, for_staff
from rathaus.web.desk.documents import file_response

_TEMPLATE = (Path(__file__).parent / "rechenweg.typ").read_text()
Values = list[tuple[str, str]]


@require_GET
@for_staff
def show(request: HttpRequest, reference: str) -> HttpResponse:
    """The computation of the proof or claim of this case."""
    by = actor_of(request)
    try:
        data = _of_proof(proof_of(by, reference))
    except Proof.DoesNotExist:
        try:
            data = _of_claim(request, reference)
        except Claim.DoesNotExist as missing:
            raise Http404 from missing
    pdf = render_letter(_TEMPLATE, data, fonts=settings.LETTER_FONTS, title=f"Rechenweg {reference}")
    return file_response(pdf, f"Rechenweg-{reference}.pdf", "application/pdf", is_shown=True)


def _of_proof(proof: Proof) -> dict[str, Any]:
    award, grant = proof.award, proof.grant  # type: ignore[attr-defined]  # set by proof_of
    terms = terms_of(grant.case)
    kind = ProofKind(proof.kind)
    result = [f"Der Kommune stehen {format_amount(proof.due)} zu."]
    if proof.to_repay:
        result.append(f"Zu erstatten sind {format_amount(proof.to_repay)}.")
    values: Values = [
        ("Finanzierungsart", Financing(award.financing).label),
        (f"Zuwendung (Bescheid, Fassung {award.number})", format_amount(award.amount)),
        ("Zuwendungsfähige Ausgaben nach Plan", format_amount(award.cost)),
        ("Mittel Dritter nach Plan", format_amount(award.third_party)),
        ("Nachgewiesene Ausgaben", format_amount(proof.spent)),
        ("Mittel Dritter nach Nachweis", format_amount(proof.third_party)),
        ("Bagatellgrenze", format_amount(terms.minor_amount)),
    ]
    note = (
        f"Eingereicht am {format_date(proof.submitted_on)}, {proof.get_state_display()}"
        + (f" am {format_date(proof.decided_on)}" if proof.decided_on else "")
        + "."
    )
    return _data(grant, proof.case.reference, f"Rechenweg: {kind.label}", result, values, proof.steps, note)


def _of_claim(request: HttpRequest, reference: str) -> dict[str, Any]:
    figures, today = claim_of(actor_of(request), reference), clock.today()
    claim = figures.claim
    running = accrued(figures, today)
    result = [f"Zurückgefordert sind {format_amount(claim.amount)}."] if claim.amount else []
    if claim.interest:
        result.append(f"Zinsen, festgestellt: {format_amount(claim.interest)}.")
    if running and not running.problem:
        result.append(
            f"Zinsen auf die offenen {format_amount(figures.principal)}, gezahlt am {format_date(today)}: "
            f"{format_amount(running.total)}."
        )
    values: Values = [
        ("Grund", claim.get_reason_display()),
        ("Rückforderung vom", format_date(claim.made_on)),
        ("Forderung", format_amount(claim.amount)),
        ("Eingegangen", format_amount(figures.received)),
        ("Noch offen, ohne laufende Zinsen", format_amount(figures.owed)),
        ("Zählung der Tage", terms_of(claim.grant.case).day_count.label),
    ]
    if claim.interest_from:
        values.append(("Zinsen ab", format_date(claim.interest_from)))
    steps = [*claim.steps, *(running.steps if running else ())]
    note = " ".join(text for text in (running.problem, running.note) if text) if running else ""
    return _data(claim.grant, reference, "Rechenweg: Rückforderung", result, values, steps, note)


def _data(
    grant: Any,
    reference: str,
    title: str,
    result: Sequence[str],
    values: Values,
    steps: Sequence[Mapping[str, Any]],
    note: str,
) -> dict[str, Any]:
    return {
        "datum": clock.today(),
        "behoerde": grant.call.measure.programme.authority.label,
        "titel": title,
        "nummer": reference,
        "zuwendung": grant.reference,
        "empfaengerin": grant.recipient_name,
        "vorhaben": grant.title,
        "ergebnis": list(result),
        "werte": [{"wort": word, "wert": value} for word, value in values],
        "schritte": [
            {
                "wort": row.get("label", ""),
                "rechnung": row.get("formula", ""),
                "betrag": Decimal(row["amount"]) if row.get("amount") else "",
                "hinweis": row.get("note", ""),
                "quelle": row.get("source", ""),
            }
            for row in steps
        ],
        "anmerkung": note,
    }
