"""What can be taken away: all grants as CSV, and the report for the head of the ministry as PDF."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rathaus.core import clock
from rathaus.domains.grants.enums import Stage
from rathaus.domains.grants.queries import (
    GrantFigures,
    Share,
    Shares,
    all_grants,
    applications,
    lines_of_programme,
    shares,
    stage_counts,
)
from rathaus.engine.letters import render_letter
from rathaus.law.money import format_number
from rathaus.law.text import format_day
from rathaus.web.charts import Money
from rathaus.web.desk.access import actor_of, for_staff
from rathaus.web.desk.programmes.overview import counted, long_date, period_of, promises_of, years_of
from rathaus.web.desk.programmes.views import file_of

_TEMPLATE = (Path(__file__).parent / "bericht.typ").read_text()
HEAD = (
    "Vorgang", "Aufruf", "Kommune", "AGS", "Landkreis", "Regierungsbezirk", "Vorhaben", "Stand", "bewilligt am",
    "Bescheid vom", "Beginn", "Ende", "Nachweis bis", "Bewilligt", "Gebunden", "Angeordnet", "Ausgezahlt (Nachweis offen)",
    "Nachgewiesen", "Zurückgefordert (offen)", "Zurückgezahlt", "Erlassen", "Freigegeben", "Ausgezahlt insgesamt",
    "Zinsen offen", "Zinsen gezahlt",
)  # fmt: skip


@require_GET
@for_staff
def as_csv(request: HttpRequest, key: str) -> HttpResponse:
    """All grants with all amounts, for a spreadsheet: semicolons, comma before the cents, UTF-8 with its mark."""
    actor = actor_of(request)
    programme = file_of(actor, key).programme
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEAD)
    for row in all_grants(actor, programme, clock.today()):
        writer.writerow([cell(value) for value in _row(row)])
    answer = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{programme.key}-{clock.today().isoformat()}.csv"'
    return answer


def _row(found: GrantFigures) -> Sequence[Any]:
    grant, money, place = found.grant, found.money, found.grant.recipient
    days = (grant.awarded_on, grant.notified_on, grant.begins_on, grant.ends_on, grant.proof_due_on)
    return (
        grant.reference,
        grant.call.title,
        grant.recipient_name,
        place.ags if place else "",
        place.county if place else "",
        place.region if place else "",
        grant.title,
        found.stage.label,
        *(format_day(day) if day else "" for day in days),
        grant.amount,
        money.open,
        money.ordered,
        money.paid,
        money.proven,
        money.to_recover,
        money.recovered,
        money.waived,
        money.released,
        money.paid_out,
        found.interest,
        found.interest_paid,
    )


def cell(value: Any) -> str:
    """An amount with a comma; a text that a spreadsheet would run as a formula is marked as text."""
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", ",")
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


@require_GET
@for_staff
def report(request: HttpRequest, key: str) -> HttpResponse:
    """One or two pages on the programme, tagged, to be read by those who do not work with it."""
    actor, now = actor_of(request), timezone.localtime(clock.now())
    file = file_of(actor, key)
    programme, today = file.programme, now.date()
    lines, found = lines_of_programme(programme), shares(programme, today)
    years = years_of(lines)
    money = sum((year.money for year in years), Money())
    data = {
        "datum": today,
        "stand": f"{long_date(today)}, {now.hour}:{now:%M} Uhr",
        "behoerde": programme.authority.label,
        "titel": programme.title,
        "zeitraum": period_of(lines),
        "grundlage": programme.legal_basis,
        "saetze": _sentences(money, found, sum(row.count for row in applications(programme))),
        "jahre": [{"wort": year.label, **_money(year.money)} for year in years],
        "gesamt": _money(money),
        "hat_zurueck": bool(money.returned),
        "hat_freigegeben": bool(money.released),
        "zusagen": [
            {
                "jahr": str(row.year),
                "massnahme": row.measure,
                "betrag": row.budget,
                "zugesagt": row.open,
                "abgeloest": row.redeemed,
                "frei": row.free,
            }
            for row in promises_of(lines)
        ],
        "bezirke": _regions(found.by_place),
        "staende": [
            {
                "wort": stage.label,
                "anzahl": count,
                "betrag": sum(entry.amount for entry in found.by_stage if entry.stage == stage),
            }
            for stage, count in stage_counts(found.by_stage).items()
            if count
        ],
    }
    fonts = settings.LETTER_FONTS if settings.LETTER_FONTS.is_dir() else None
    pdf = render_letter(
        _TEMPLATE, data, fonts=fonts, title=f"{programme.title}: Bericht vom {format_day(today)}"
    )
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{programme.key}-bericht-{today.isoformat()}.pdf"'
    return answer


def _money(money: Money) -> dict[str, Decimal]:
    return {
        "budget": money.budget,
        "frei": money.free,
        "gebunden": money.committed,
        "ausgezahlt": money.paid,
        "nachgewiesen": money.proven,
        "zurueck": money.returned,
        "freigegeben": money.released,
    }


def _sentences(money: Money, found: Shares, handed_in: int) -> list[str]:
    """What a minister must know, in words. Amounts in millions, rounded; the tables are exact."""
    counts = stage_counts(found.by_stage)
    granted = sum(counts.values())
    places = len({share.ags or share.name for share in found.by_place})
    if not granted:
        return [
            f"Von {_millions(money.budget)} ist noch nichts bewilligt. {counted(handed_in, 'Antrag', 'Anträge')} liegen vor."
        ]
    said = [
        f"{counted(granted, 'Vorhaben', 'Vorhaben')} in {counted(places, 'Kommune', 'Kommunen')} sind bewilligt, "
        f"aus {counted(handed_in, 'Antrag', 'Anträgen')}.",
        f"Von {_millions(money.budget)} sind {_millions(money.awarded)} zugesagt ({_share(money.awarded, money.budget)}), "
        f"{_millions(money.drawn)} ausgezahlt und {_millions(money.proven)} mit geprüftem Nachweis belegt.",
    ]
    if late := counts[Stage.OVERDUE]:
        said.append(f"{counted(late, 'Nachweis ist', 'Nachweise sind')} überfällig.")
    if open_claims := counts[Stage.CLAIMED]:
        said.append(f"Bei {counted(open_claims, 'Vorhaben', 'Vorhaben')} ist eine Rückforderung offen.")
    if closed := counts[Stage.CLOSED]:
        said.append(f"{counted(closed, 'Vorhaben ist', 'Vorhaben sind')} abgeschlossen.")
    return said


def _millions(amount: Decimal) -> str:
    if amount >= 1_000_000:
        return f"{format_number(amount / 1_000_000, places=1)}\u00a0Mio.\u00a0€"
    return f"{format_number(amount, places=0)}\u00a0€"


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{format_number(part * 100 / whole, places=0)}\u00a0%" if whole else "–"


def _regions(found: Sequence[Share]) -> list[dict[str, Any]]:
    """By Regierungsbezirk, or what there is of it."""
    rows: dict[str, dict[str, Any]] = {}
    for share in found:
        name = share.region or "ohne Regierungsbezirk"
        row = rows.setdefault(name, {"wort": name, "kommunen": set(), "anzahl": 0, "betrag": Decimal("0.00")})
        row["kommunen"].add(share.ags or share.name)
        row["anzahl"] += share.count
        row["betrag"] += share.amount
    return [{**row, "kommunen": len(row["kommunen"])} for _, row in sorted(rows.items())]
