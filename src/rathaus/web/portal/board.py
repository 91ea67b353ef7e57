"""The sheet for the board (Gemeindevorstand): all grants with amounts, next steps and deadlines, as PDF to print."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from rathaus.engine.letters import render_letter
from rathaus.law.money import format_amount
from rathaus.law.text import format_date, format_day
from rathaus.web.portal.grants import Deadline, Overview, Row, days_until

_TEMPLATE = (Path(__file__).parent / "uebersicht.typ").read_text(encoding="utf-8")


def render(overview: Overview, today: date) -> bytes:
    """PDF/A and PDF/UA, landscape. Raises LetterError if it cannot be set."""
    data = {
        "datum": today,
        "wer": ", ".join(overview.names) or "Unsere Förderungen",
        "stand": format_date(today),
        "zeilen": [_row(row) for row in overview.rows],
        "fertig": [_row(row) for row in overview.closed],
        "geld": [{"wort": part.label, "betrag": part.amount} for part in overview.glance.sums]
        if overview.glance
        else [],
        "bewilligt": overview.glance.total if overview.glance else "",
        "schuld": format_amount(overview.owed) if overview.owed else "",
        "fristen": [_deadline(deadline, today) for deadline in overview.deadlines],
    }
    fonts = settings.LETTER_FONTS if settings.LETTER_FONTS.is_dir() else None
    return render_letter(_TEMPLATE, data, fonts=fonts, title=f"Unsere Förderungen, {format_date(today)}")


def _row(row: Row) -> dict[str, Any]:
    return {
        "titel": row.title,
        "worum": ", ".join(filter(None, [row.about, row.reference, row.who])),
        "schritt": row.step,
        "hinweis": row.note,
        "bis": format_day(row.due_on) if row.due_on else "",
        "wann": row.due_note,
        "eilt": row.tone != "",
        "bewilligt": row.awarded,
        "ausgezahlt": row.paid,
        "rest": row.left,
        "rest_hinweis": list(row.left_notes),
    }


def _deadline(deadline: Deadline, today: date) -> dict[str, str]:
    return {
        "tag": format_day(deadline.day),
        "wann": days_until(deadline.day, today),
        "was": deadline.title,
        "wozu": deadline.about,
    }
