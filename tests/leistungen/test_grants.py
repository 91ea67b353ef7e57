"""Starke Heimat Hessen: the three real projects, what the forms refuse, and what a notice must contain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.leistungen.letters import PLACES, letter_data, letter_of, pages_of, text_of
from tests.leistungen.library import BENCH, PHASE_2020, SMART, package, sample

from rathaus.domains.grants import rules

EXCEPTION = {
    "regel": "Mindestbetrag nicht erreicht",
    "wert": "56.084,00 €",
    "grund": "Der Zweck wird mit weniger Geld voll erreicht.",
}
GRANTS = {
    "ehringshausen": Decimal("483660.00"),
    "lahnau": Decimal("56084.00"),
    "waldsolms": Decimal("136214.10"),
}


def answers(name: str) -> dict[str, Any]:
    return package(SMART).form.typed(sample(SMART, name)["antrag"])


def costs(name: str) -> Decimal:
    return sum((row["betrag"] for row in answers(name)["kosten"]), Decimal(0))


def errors(folder: Any, given: dict[str, Any]) -> dict[str, str]:
    return {error.path: error.message for error in package(folder).form.check(given)}


def test_the_three_projects_of_the_news_text() -> None:
    amount = package(SMART).amount
    assert amount is not None
    for name, grant in GRANTS.items():
        assert amount.evaluate({"antrag": answers(name)}) == grant
        assert Decimal(sample(SMART, name)["entscheidung"]["betrag"]) == grant
    assert sum(GRANTS.values()) == Decimal("675958.10")
    assert answers("ehringshausen")["partner"] == ["06532001", "06532016"]


@pytest.mark.parametrize(("name", "failed"), [("ehringshausen", 0), ("waldsolms", 0), ("lahnau", 1)])
def test_rules_find_what_the_sample_says(name: str, failed: int) -> None:
    """The sample's answer of grants.check is the one that the real rules give."""
    given = answers(name)
    assert GRANTS[name] <= round(costs(name) * Decimal("0.9"), 2)
    request = rules.Request(
        applicant_kind="municipality",
        applicant_label=name,
        amount=given["zuschuss"],
        cost=costs(name),
        begins_on=given["beginn"],
        ends_on=given["ende"],
        partners=len(given["partner"] or []),
        has_not_begun=given["nicht_begonnen"],
        submitted_on=date(2021, 5, 25),
    )
    checks = list(
        rules.check(request, package(SMART).manifest.parameter, free=Decimal("16000000"), allotment=None)
    )
    not_met = [check.rule for check in checks if check.result == rules.FAILED]
    assert len(not_met) == failed == sample(SMART, name)["operationen"]["grants.check"]["nicht_erfuellt"]
    assert not_met == (["mindestbetrag"] if failed else [])


def change(**changes: Any) -> dict[str, Any]:
    return {**sample(SMART, "ehringshausen")["antrag"], **changes}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        (change(zuschuss="483660.01"), "finanzierung", "nicht gleich hoch"),
        (change(finanzierung=[]), "finanzierung", "Eigenanteil"),
        (change(ende="2021-08-01"), "ende", "nicht nach dem Beginn"),
        (change(nicht_begonnen=False), "nicht_begonnen", "Kreuzen Sie an"),
        (change(vorsteuerabzug=None), "vorsteuerabzug", "Ja oder Nein"),
        (change(projektbeschreibung=None), "projektbeschreibung", "Projektbeschreibung als PDF"),
        (change(partner=["06532001", "06532001"]), "partner", "doppelt"),
        (change(partner=["Aßlar"]), "partner.0", "Aßlar"),
        (change(kosten=[]), "kosten", "mindestens eine Ausgabe"),
        (change(kosten=[{"art": "Auto", "wofuer": "x", "betrag": "537400.00"}]), "kosten.0.art", "Software"),
        (change(kosten=[{"art": "Software", "wofuer": "x", "betrag": "-1.00"}]), "kosten.0.betrag", ""),
        (change(zuschuss="118.500.00"), "zuschuss", "passt nicht"),
        (change(geheim="x"), "geheim", "gehört nicht"),
    ],
)
def test_bad_answers_are_named(given: dict[str, Any], path: str, words: str) -> None:
    found = errors(SMART, given)
    assert path in found
    assert words in found[path]


def test_phase_2020_asks_little() -> None:
    given = sample(PHASE_2020, "lahnau")["antrag"]
    assert errors(PHASE_2020, given) == {}
    assert "zwecke" in errors(PHASE_2020, {**given, "zwecke": []})
    assert "zwecke" in errors(PHASE_2020, {**given, "zwecke": ["Schwimmbad"]})
    assert "betrag" in errors(PHASE_2020, {**given, "betrag": "0.00"})
    person = {**given["ansprechperson"], "email": "keine"}
    assert "ansprechperson.email" in errors(PHASE_2020, {**given, "ansprechperson": person})
    prefilled = package(PHASE_2020).form.prefill({"partei": {"email": "rathaus@lahnau.example"}})
    assert prefilled == {"ansprechperson": {"email": "rathaus@lahnau.example"}}


def test_the_measured_package_is_what_the_yardstick_says() -> None:
    found = package(BENCH)
    kinds = [getattr(item, "kind", "table") for item in found.form.items.values()]
    assert (len(kinds), kinds.count("file")) == (16, 1)
    assert len(found.decisions["stufe"].rules) == 6
    gateways = [node for node in found.definition.nodes.values() if node.kind == "exclusiveGateway"]
    assert len(gateways) == 2
    pdf = letter_of(found, letter_data(found, sample(BENCH, "durchgang")))
    assert pages_of(pdf) == 1


# --- the notice --------------------------------------------------------------------------------------------------


def letter(name: str, **kwargs: Any) -> str:
    found = package(SMART)
    return text_of(letter_of(found, letter_data(found, sample(SMART, name), **kwargs)))


def test_award_notice_has_everything_that_the_rules_ask_for() -> None:
    """domain.md B4: addressee to annexes."""
    text = letter("ehringshausen", places=PLACES)
    for words in (
        "Gemeinde Ehringshausen Der Gemeindevorstand",
        "Ihr Antrag vom 25. Mai 2021",
        "wir bewilligen Ihnen eine Zuwendung von 483.660,00 Euro.",
        "90 Prozent Ihrer zuwendungsfähigen Ausgaben von 537.400,00 Euro",
        "vom 1. August 2021 bis 31. Juli 2023 (Bewilligungszeitraum)",
        "Projektförderung, Anteilfinanzierung",
        "2021 241.830,00 € 2022 241.830,00 € Zuwendung 483.660,00 €",
        "Sie setzen Ihr beantragtes Vorhaben um, gemeinsam mit: Stadt Aßlar und Stadt Leun.",
        "Ziel: Am 31. Juli 2023",
        "Ausgaben und Finanzierung (verbindlich)",
        "Prozessdesign, 24 Monate (Personal) 118.500,00 €",
        "Summe 537.400,00 €",
        "Stadt Leun (Partner) 10.748,00 €",
        "innerhalb von zwei Monaten",
        "(ANBest-GK) sind Teil dieses Bescheids",
        "fünf Jahre lang für den Zweck",
        "Verwendungsnachweis bis 31. Juli 2024",
        "Hessische Rechnungshof dürfen prüfen",
        "öffentlich auf die Förderung",
        "ganz oder teilweise widerrufen",
        "§ 44 Landeshaushaltsordnung",
        "pflichtgemäßem Ermessen",
        "Verwaltungsgericht, in dessen Bezirk Sie Ihren Sitz haben",
        "Anlagen: ANBest-GK",
    ):
        assert words in text, words


def test_partners_are_counted_where_their_names_are_not_given() -> None:
    assert "gemeinsam mit: zwei weiteren Kommunen." in letter("ehringshausen")


def test_exception_is_part_of_the_reasons() -> None:
    text = letter("lahnau", exceptions=[EXCEPTION])
    assert "Wir lassen eine Ausnahme zu (Mindestbetrag nicht erreicht: 56.084,00 €). Der Zweck wird" in text
    assert "Ausnahme" not in letter("lahnau")


def test_refusal_names_reasons_and_no_duties() -> None:
    text = letter("ablehnung")
    assert "wir lehnen Ihren Antrag auf eine Zuwendung von 118.800,00 Euro ab." in text
    assert "zur laufenden Ausstattung" in text
    for words in ("Auszahlung", "Nebenbestimmungen", "Anlagen:", "bewilligen Ihnen"):
        assert words not in text


def test_partial_award_says_what_is_missing() -> None:
    text = letter("teilweise")
    assert "Beantragt hatten Sie 144.000,00 Euro. Im Übrigen lehnen wir den Antrag ab." in text
    assert "67,5 Prozent" in text
    assert "Noch nicht gedeckt sind 36.000,00 €" in text


@pytest.mark.parametrize(
    ("ends", "months", "due"),
    [
        ("2023-07-31", 12, "31. Juli 2024"),
        ("2023-08-31", 6, "29. Februar 2024"),
        ("2022-08-31", 6, "28. Februar 2023"),
        ("2023-12-31", 1, "31. Januar 2024"),
        ("2023-11-30", 1, "30. Dezember 2023"),
        ("2021-12-01", 24, "1. Dezember 2023"),
    ],
)
def test_proof_of_use_is_due_after_months_of_the_calendar(ends: str, months: int, due: str) -> None:
    found = package(SMART)
    data = letter_data(found, sample(SMART, "waldsolms"))
    data["antrag"]["ende"] = date.fromisoformat(ends)
    data["parameter"] = {**data["parameter"], "verwendungsnachweis_monate": months}
    assert f"Verwendungsnachweis bis {due} im Portal" in text_of(letter_of(found, data))


@pytest.mark.parametrize(
    ("change_data", "words"),
    [
        (lambda data: data["entscheidung"].update(einzelheiten={}), "Anteilfinanzierung"),
        (lambda data: data["antrag"].update(partner=[]), "Sie setzen Ihr beantragtes Vorhaben um"),
        (lambda data: data["antrag"].update(vorsteuerabzug=True), "ohne Mehrwertsteuer, da Sie Vorsteuer"),
        (lambda data: data["behoerde"].update(strasse="", plz="", ort=""), "Zuwendungsbescheid"),
        (
            lambda data: data["entscheidung"].update(
                einzelheiten={"jahre": {"2021": "0.00", "2022": "483660.00"}}
            ),
            "Betrag 2022 483.660,00 €",
        ),
    ],
)
def test_letter_copes_with_what_a_case_may_lack(change_data: Callable[[Any], None], words: str) -> None:
    found = package(SMART)
    data = letter_data(found, sample(SMART, "ehringshausen"))
    change_data(data)
    assert words in text_of(letter_of(found, data))


def test_long_texts_and_plans_run_over_pages() -> None:
    found = package(SMART)
    data = letter_data(found, sample(SMART, "ehringshausen"))
    data["antrag"]["beschreibung"] = "\n".join(["Ein Absatz mit vielen Worten. " * 12] * 8)
    data["antrag"]["kosten"] = [
        {"art": "Software", "wofuer": f"Position {number} " + "x" * 100, "betrag": Decimal("1000.00")}
        for number in range(60)
    ]
    pdf = letter_of(found, data)
    assert 3 <= pages_of(pdf) <= 8
    assert "Summe 60.000,00 €" in text_of(pdf)
