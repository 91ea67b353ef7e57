"""The letter that a sample's decision leads to, as the kernel would print it, without a database."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from pypdf import PdfReader

from rathaus.casework.services.packages import Package
from rathaus.casework.services.samples import facts_of_sample
from rathaus.engine.letters import render_letter
from rathaus.law.days import Land
from rathaus.law.notification import remedy_for

MINISTRY = {
    "name": "Hessisches Ministerium für Digitalisierung und Innovation",
    "art": "ministry",
    "strasse": "Georg-August-Zinn-Straße 1",
    "plz": "65183",
    "ort": "Wiesbaden",
    "land": "HE",
}
TOWN = {
    "name": "Gemeinde Lahnau",
    "art": "municipality",
    "strasse": "Rathausstraße 1",
    "plz": "35633",
    "ort": "Lahnau",
    "land": "HE",
}
PLACES = {"06532001": "Stadt Aßlar", "06532016": "Stadt Leun"}


def letter_data(
    package: Package,
    sample: Mapping[str, Any],
    *,
    authority: Mapping[str, str] | None = None,
    exceptions: Sequence[Mapping[str, str]] = (),
    places: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What `cases.actions.notices.letter_data` gives for the sample; test_kernel.py holds the two together."""
    manifest = package.manifest
    if authority is None:
        authority = MINISTRY if manifest.zustaendig == "ministry" else TOWN
    received = date.fromisoformat(sample.get("eingang", "2025-03-03"))
    proposal = next(
        (
            step["ergebnis"]
            for step in reversed(sample.get("schritte", []))
            if "ergebnis" in step.get("ergebnis", {}) and "begruendung" in step["ergebnis"]
        ),
        None,
    )
    issued = received + timedelta(days=48 if proposal else 0)
    parameters = {**manifest.parameter, **sample.get("parameter", {})}
    decided = sample["entscheidung"]
    answers = package.form.typed(sample["antrag"])
    known = facts_of_sample(package, sample)
    data: dict[str, Any] = {
        "datum": issued,
        "behoerde": dict(authority),
        "empfaenger": _addressee(answers),
        "fall": {
            "nummer": f"{manifest.kuerzel}-{received.year}-00017",
            "titel": str(package.title.evaluate({"antrag": answers, "parameter": parameters, **known})),
            "leistung": manifest.titel,
            "eingang": received,
        },
        "antrag": answers,
        "parameter": parameters,
        **known,
        "entscheidung": {
            "ergebnis": decided["ergebnis"],
            "ergebnis_text": "",
            "betrag": Decimal(decided["betrag"]) if "betrag" in decided else None,
            "begruendung": proposal["begruendung"] if proposal else parameters["begruendung"],
            "einzelheiten": proposal.get("einzelheiten", {}) if proposal else {},
            "automatisch": proposal is None,
            "am": issued,
            "funktion": "Referatsleitung D3" if proposal else "Automatische Entscheidung",
            "konto": "leitung.d3" if proposal else "",
            "ausnahmen": list(exceptions),
        },
        "rechtsbehelf": remedy_for(authority["art"], land=Land(authority["land"]), on=issued).remedy,
    }
    return data if places is None else {**data, "behoerden": dict(places)}


def _addressee(answers: Mapping[str, Any]) -> list[str]:
    if "strasse" in answers:
        return [answers["name"], answers["strasse"], f"{answers['plz']} {answers['ort']}"]
    return ["Gemeinde Ehringshausen", "Der Gemeindevorstand", "Rathausstraße 1", "35630 Ehringshausen"]


def letter_of(package: Package, data: Mapping[str, Any]) -> bytes:
    """The notice as PDF, in Fira Sans where the fonts are built."""
    fonts = settings.LETTER_FONTS if settings.LETTER_FONTS.is_dir() else None
    return render_letter(
        package.letters["bescheid.typ"], data, fonts=fonts, title=f"Bescheid {data['fall']['nummer']}"
    )


def text_of(pdf: bytes) -> str:
    """The words of all pages without their feet, so that a sentence over two pages is one; blanks made one."""
    pages = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    plain = re.sub(r"\s+", " ", pages.replace("\u00a0", " "))
    return re.sub(r"\S+ · \d+\. \w+ \d{4} Seite \d+ von \d+ ?", "", plain)


def pages_of(pdf: bytes) -> int:
    return len(PdfReader(io.BytesIO(pdf)).pages)
