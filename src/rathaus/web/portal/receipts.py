"""The receipt of an application as PDF: number, time, all answers, checksums. Made when asked for; it never changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from rathaus.casework.cases.actions.answers import files_in
from rathaus.casework.cases.models import Application, Case
from rathaus.casework.records.models import Document
from rathaus.casework.services.packages import package_of
from rathaus.engine.forms import SummaryTable, format_bytes
from rathaus.engine.letters import render_letter
from rathaus.law.text import format_date
from rathaus.web.portal.register import keys_in, names_of

_TEMPLATE = (Path(__file__).parent / "quittung.typ").read_text()


def render(case: Case, application: Application, documents: Sequence[Document]) -> bytes:
    """The receipt of a version of a case's application; of `documents`, what it refers to is listed."""
    form = package_of(application.version_id).form
    files = {file["sha256"] for file in files_in(application.answers)}
    names = names_of(keys_in(form.pages_for(application.answers), application.answers))
    submitted = timezone.localtime(application.submitted_at)
    data = {
        "datum": submitted.date(),
        "behoerde": {
            "name": case.authority.label,
            "strasse": case.authority.street,
            "ort": f"{case.authority.postal_code} {case.authority.city}".strip(),
        },
        "empfaenger": [case.party_name, *case.party_address],
        "nummer": case.reference,
        "leistung": case.offer.title,
        "titel": case.title,
        "eingang": f"{format_date(submitted.date())}, {submitted.hour}:{submitted:%M} Uhr",
        "pruefsumme": checksum(application.answers),
        "abschnitte": [
            {"titel": section.title, "angaben": [_entry(item) for item in section.items]}
            for section in form.summary(application.answers, authority_name=lambda ags: names.get(ags, ags))
        ],
        "dateien": [
            {"name": found.file_name, "groesse": format_bytes(found.size), "sha256": found.sha256}
            for found in documents
            if found.sha256 in files
        ],
    }
    return render_letter(_TEMPLATE, data, fonts=_fonts(), title=f"Quittung {case.reference}")


def checksum(answers: dict[str, Any]) -> str:
    """SHA-256 of the answers as canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(answers, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(item: Any) -> dict[str, Any]:
    if isinstance(item, SummaryTable):
        return {
            "art": "tabelle",
            "wort": item.label,
            "spalten": list(item.columns),
            "rechts": list(item.numeric),
            "zeilen": [list(row) for row in item.rows],
            "summe": item.total,
        }
    return {"art": "angabe", "wort": item.label, "zeilen": list(item.lines) or ["Keine Angabe"]}


def _fonts() -> Path | None:
    """The letter fonts, if they were built."""
    return settings.LETTER_FONTS if settings.LETTER_FONTS.is_dir() else None
