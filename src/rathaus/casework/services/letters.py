"""Setting the letters of a package with the data of its samples, as the kernel would with a case."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rathaus.casework.services.packages import Package, letter_problems
from rathaus.engine.letters.render import plain_data
from rathaus.law.days import Land
from rathaus.law.notification import remedy_for


def problems_of_letters(
    package: Package,
    names: Sequence[str],
    data: Mapping[str, Any],
    decision: Mapping[str, Any],
    received: date,
) -> list[str]:
    """What is wrong with the letters of these names: German sentences with file and line.

    `data` is what expressions read (`antrag`, `parameter`), `decision` what was proposed or decided.
    """
    printed = json.dumps(plain_data(sample_letter_data(package, data, decision, received)), sort_keys=True)
    found = []
    for name in names:
        if name in package.letters:
            found += [f"{name}, {problem}" for problem in letter_problems(package.letters[name], printed)]
        else:
            found.append(f"Die Vorlage „{name}“ fehlt.")
    return found


def sample_letter_data(
    package: Package, data: Mapping[str, Any], decision: Mapping[str, Any], received: date
) -> dict[str, Any]:
    """What a letter may print, in the shape of the kernel's notices (`cases.actions.notices.letter_data`)."""
    manifest = package.manifest
    return {
        **{name: data.get(name) for name in package.facts},
        "datum": received,
        "behoerde": {
            "name": "Behörde",
            "art": manifest.zustaendig,
            "strasse": "Musterweg 1",
            "plz": "65183",
            "ort": "Wiesbaden",
            "land": Land.HESSEN.value,
        },
        "empfaenger": ["Anna Muster", "Musterweg 2", "65183 Wiesbaden"],
        "fall": {
            "nummer": f"{manifest.kuerzel}-{received.year}-00001",
            "titel": str(package.title.evaluate(data)),
            "leistung": manifest.titel,
            "eingang": received,
        },
        "behoerden": {},
        "antrag": data["antrag"],
        "parameter": data["parameter"],
        "entscheidung": {
            "ergebnis": decision.get("ergebnis", ""),
            "ergebnis_text": str(decision.get("ergebnis", "")),
            "betrag": decision.get("betrag"),
            "begruendung": decision.get("begruendung") or "So ist es.",
            "einzelheiten": decision.get("einzelheiten") or {},
            "automatisch": decision.get("automatisch", False),
            "am": received,
            "funktion": "Freigabe",
            "konto": "a.muster",
            "ausnahmen": [],
        },
        "rechtsbehelf": remedy_for(manifest.zustaendig, land=Land.HESSEN, on=received).remedy,
    }
