"""The data of one award notice, as an operation would hand it over."""

from datetime import date
from decimal import Decimal
from typing import Any

AWARD: dict[str, Any] = {
    "absender": {
        "name": "Hessisches Ministerium für Digitalisierung und Innovation",
        "kurz": "Hess. Digitalministerium",
        "anschrift": ["65183 Wiesbaden"],
    },
    "empfaenger": [
        "Gemeinde Ehringshausen",
        "Der Gemeindevorstand",
        "Rathausstraße 1",
        "35630 Ehringshausen",
    ],
    "zeichen": "SHH-2021-00017",
    "datum": date(2021, 7, 12),
    "antrag_vom": date(2021, 5, 25),
    "bearbeitung": "Referat D3, Sachbearbeitung D3-2",
    "vorhaben": "Gemeinsames Dokumentenmanagement",
    "programm": "Starke Heimat Hessen – Smarte Kommunen und Regionen",
    "betrag": Decimal("483660.00"),
    "foerdersatz": 90,
    "ausgaben_summe": Decimal("537400.00"),
    "beginn": date(2021, 8, 1),
    "ende": date(2023, 7, 31),
    "jahre": [("2021", Decimal("145098.00")), ("2022", Decimal("241830.00")), ("2023", Decimal("96732.00"))],
    "zweck": "Sie führen mit den Städten Aßlar und Leun ein Dokumentenmanagementsystem ein. Ziel: Am "
    "31. Juli 2023 führen alle drei Rathäuser ihre Akten vollständig digital.",
    "ausgaben": [
        ("Dokumentenmanagement", Decimal("168900.00")),
        ("Einführung, Datenübernahme", Decimal("142600.00")),
        ("Anbindung Fachanwendungen", Decimal("86400.00")),
        ("Prozessdesign, 24 Monate", Decimal("118500.00")),
        ("Schulung", Decimal("21000.00")),
    ],
    "gruende": "Ihr Antrag erfüllt die Voraussetzungen der Förderrichtlinie. Wir haben unser Ermessen (§ 44 "
    "Landeshaushaltsordnung) zu Ihren Gunsten ausgeübt: Drei Kommunen arbeiten zusammen.",
    "rolle": "Referatsleitung D3",
    "konto": "leitung.d3",
}
