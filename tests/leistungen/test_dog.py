"""Registering a dog: the tax to the cent, who decides, and the notice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.leistungen.letters import letter_data, letter_of, text_of
from tests.leistungen.library import DOG, package, sample

from rathaus.engine.letters import LetterError

RECEIVED = date(2025, 3, 3)
RATES = {"steuer_erster": 60, "steuer_zweiter": 90, "steuer_weiterer": 120, "steuer_gefaehrlich": 600}


def dog(since: str = "2025-03-01", *, dangerous: bool = False) -> dict[str, Any]:
    return {"name": "Bello", "rasse": "Dackel", "halter_seit": since, "gefaehrlich": dangerous}


def names(*dogs: dict[str, Any], registered: int = 0, received: date = RECEIVED) -> dict[str, Any]:
    given = {**sample(DOG, "zwei-hunde")["antrag"], "hunde": list(dogs), "angemeldet": registered}
    found = package(DOG)
    return {
        "antrag": found.form.typed(given),
        "parameter": found.manifest.parameter,
        "fall": {"nummer": "HUND-2025-00001", "eingang": received},
    }


def errors(**changes: Any) -> dict[str, str]:
    changed = {**sample(DOG, "ein-hund")["antrag"], **changes}
    return {error.path: error.message for error in package(DOG).form.check(changed)}


@given(registered=st.integers(0, 8), ordinary=st.integers(0, 9), dangerous=st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_tax_is_that_of_the_ladder(registered: int, ordinary: int, dangerous: int) -> None:
    if ordinary + dangerous == 0:
        ordinary = 1
    ladder = [60, 90] + [120] * 30
    expected = sum(ladder[registered : registered + ordinary]) + 600 * dangerous
    given_names = names(*[dog()] * ordinary, *[dog(dangerous=True)] * dangerous, registered=registered)
    assert package(DOG).decisions["jahressteuer"].evaluate(given_names) == expected


@pytest.mark.parametrize(
    ("given_names", "way"),
    [
        (names(dog()), "automatisch"),
        (names(dog("2025-01-01"), dog("2025-03-03")), "automatisch"),
        (names(*[dog()] * 5), "automatisch"),
        (names(*[dog()] * 6), "steueramt"),
        (names(dog(), dog(dangerous=True)), "steueramt"),
        (names(dog(), registered=1), "steueramt"),
        (names(dog("2024-12-31")), "steueramt"),
        (names(dog("2025-03-04")), "steueramt"),
        (names(dog("2025-03-01"), received=date(2026, 1, 2)), "steueramt"),
    ],
)
def test_automatic_only_where_nothing_is_left_open(given_names: dict[str, Any], way: str) -> None:
    assert package(DOG).decisions["entscheidungsweg"].evaluate(given_names) == way


def test_package_says_why_it_may_decide_automatically() -> None:
    manifest = package(DOG).manifest
    assert not manifest.ermessen
    assert "§ 155 Abs. 4 Abgabenordnung" in manifest.automatik
    assert "§ 35a" in manifest.automatik


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"plz": "3563"}, "plz", "fünf Ziffern"),
        ({"hunde": []}, "hunde", "mindestens einen Hund"),
        ({"hunde": [{**dog(), "chip": "27609810601234"}]}, "hunde.0.chip", "15 Ziffern"),
        (
            {"hunde": [{"name": "B", "rasse": "D", "halter_seit": "2025-03-01"}]},
            "hunde.0.gefaehrlich",
            "Ja oder Nein",
        ),
        ({"hunde": [{**dog(), "halter_seit": "2025-02-30"}]}, "hunde.0.halter_seit", ""),
        ({"iban": "DE02120300000000202052"}, "iban", "IBAN"),
        ({"iban": None}, "iban", "IBAN"),
        ({"mandat": False}, "mandat", "Kreuzen Sie an"),
        ({"angemeldet": -1}, "angemeldet", ""),
    ],
)
def test_bad_answers_are_named(changes: dict[str, Any], path: str, words: str) -> None:
    found = errors(**changes)
    assert list(found) == [path]
    assert words in found[path]


def test_bank_account_is_asked_only_for_debits() -> None:
    assert errors(lastschrift=False, iban=None, mandat=None) == {}
    clean = package(DOG).form.clean({**sample(DOG, "ein-hund")["antrag"], "lastschrift": False})
    assert "iban" not in clean
    assert "mandat" not in clean


def test_person_is_filled_in_from_the_account() -> None:
    profile = {
        "partei": {
            "name": "E. M.",
            "strasse": "Weg 1",
            "plz": "35633",
            "ort": "Lahnau",
            "email": "e@example.org",
        }
    }
    assert package(DOG).form.prefill(profile) == profile["partei"]


# --- the notice --------------------------------------------------------------------------------------------------


def letter(name: str, **antrag: Any) -> str:
    found = package(DOG)
    data = letter_data(found, sample(DOG, name))
    data["antrag"].update(antrag)
    return text_of(letter_of(found, data))


def test_every_dog_has_its_line() -> None:
    text = letter("drei-hunde")
    assert "wir setzen Ihre Hundesteuer auf 270,00 Euro im Jahr fest." in text
    assert "Max, Beagle (erster Hund) 60,00 € 12 60,00 €" in text
    assert "Luna, Dackel (zweiter Hund) 90,00 € 11 82,50 €" in text
    assert "Bello, Labrador-Mischling (weiterer Hund) 120,00 € 10 100,00 €" in text
    assert "Summe 270,00 € 242,50 €" in text
    assert "Für 2025 zahlen Sie 242,50 Euro, fällig einen Monat nach Bekanntgabe" in text
    assert "Ab 2026 zahlen Sie 270,00 Euro, fällig jedes Jahr am 1. Juli." in text


def test_own_rates_of_a_municipality() -> None:
    text = letter("andere-saetze")
    assert "Summe 247,50 €" in text
    assert "Max, Beagle (erster Hund) 55,00 €" in text


def test_dog_beside_a_registered_one_counts_as_second() -> None:
    assert "Bello, Labrador-Mischling (zweiter Hund) 90,00 € 10 75,00 €" in letter("schon-ein-hund")


def test_dog_of_an_earlier_year_pays_the_whole_year() -> None:
    text = letter("frueheres-jahr")
    assert "60,00 € 12 60,00 €" in text
    assert "Für frühere Jahre bekommen Sie einen eigenen Bescheid." in text


def test_debit_shows_only_the_last_digits() -> None:
    text = letter("ein-hund")
    assert "Konto mit den letzten Ziffern 2051 ab" in text
    assert "DE02" not in text
    assert "IBAN DE02 1203 0000 0000 2020 51, Verwendungszweck HUND-2025-00017" in letter("zwei-hunde")


def test_exempt_dog_gets_no_duties() -> None:
    text = letter("assistenzhund")
    assert "wir setzen keine Hundesteuer fest." in text
    assert "Zahlung" not in text


def test_clerk_may_decide_another_amount() -> None:
    found = package(DOG)
    data = letter_data(found, sample(DOG, "gefaehrlicher-hund"))
    data["entscheidung"]["betrag"] = Decimal("300.00")
    text = text_of(letter_of(found, data))
    assert "300,00 Euro im Jahr" in text
    assert "je Monat ab der Aufnahme ein Zwölftel" in text
    assert "600,00" not in text


def test_automatic_letter_never_differs_from_the_decision() -> None:
    found = package(DOG)
    data = letter_data(found, sample(DOG, "zwei-hunde"))
    data["entscheidung"]["betrag"] = Decimal("149.99")
    with pytest.raises(LetterError, match="automatisch entschiedene Steuer"):
        letter_of(found, data)
