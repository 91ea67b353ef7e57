"""What the language can say, and how exactly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rathaus.engine.expressions import EvaluationError, compile_expression

CASE: Mapping[str, Any] = {
    "antrag": {
        "betrag": Decimal("150.10"),
        "hunde": [
            {"name": "Bello", "gefaehrlich": False, "alter": 3},
            {"name": "Rex", "gefaehrlich": True, "alter": 7},
            {"name": "Waldi", "alter": 1},
        ],
        "kosten": [{"betrag": "0"}, {"betrag": 19.99}],
        "halter": {"name": "Müller", "straße": "Gießener Straße 1"},
        "beginn": "2025-01-31",
        "ermaessigung": True,
        "leerer_text": "  ",
        "from": 1,
    },
    "rolle": "sachbearbeitung",
    "preise": [Decimal("0.10"), 0.2, 3],
    "heute": date(2025, 2, 28),
}


def value(text: str, names: Mapping[str, Any] = CASE) -> Any:
    return compile_expression(text).evaluate(names)


def fails(text: str, names: Mapping[str, Any] = CASE) -> str:
    with pytest.raises(EvaluationError) as caught:
        compile_expression(text).evaluate(names)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", Decimal(1)),
        ("0.1 + 0.2", Decimal("0.3")),
        ("0.1 + 0.2 == 0.3", True),
        (".5 * 4", Decimal(2)),
        ("-3 + +2", Decimal(-1)),
        ("1 / 4", Decimal("0.25")),
        ("2 / 3", Decimal("0." + "6" * 33 + "7")),
        ("9999999999999999.99 + 0.01", Decimal("10000000000000000.00")),
        ("16000000.00 * 0.9", Decimal("14400000.000")),
        ('"Gieß" + "en"', "Gießen"),
        ("'einfach'", "einfach"),
        ("True and true", True),
        ("none_of_it == 1 if false else null", None),
        ("not false or false", True),
        ("1 < 2 <= 2 != 3", True),
        ("1 < 2 > 2", False),
        ("2 in [1, 2]", True),
        ('"b" not in ["a", "b"]', False),
        ('"ieß" in "Gießen"', True),
        ("[1, 2][1]", Decimal(2)),
        ("[1, 2][-1]", Decimal(2)),
        ("null == null", True),
        ("0 == null", False),
        ("null in [1, null]", True),
        ("  1 +\n  2\t", Decimal(3)),
        ("10 - 2 - 3", Decimal(5)),
        ("2 + 3 * 4", Decimal(14)),
        ("(2 + 3) * 4", Decimal(20)),
        ("1.0 == 1", True),
        ("[1, 2] == [1.0, 2]", True),
        ("[1] == [1, 2]", False),
        ('"#" + "="', "#="),
    ],
)
def test_language(text: str, expected: Any) -> None:
    result = value(text, {"none_of_it": 1})
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('antrag.betrag > 100 and rolle == "sachbearbeitung"', True),
        ("antrag.hunde[1].name", "Rex"),
        ('antrag["betrag"]', Decimal("150.10")),
        ('antrag["from"]', Decimal(1)),
        ("antrag.halter.straße", "Gießener Straße 1"),
        ("antrag.fehlt", None),
        ("antrag.fehlt.auch.das", None),
        ("antrag.fehlt == null", True),
        ("not antrag.fehlt", True),
        ("preise[1] + preise[0]", Decimal("0.30")),
        ("0.2 in preise", True),
        ('"name" in antrag.halter', True),
        ('"fehlt" in antrag.halter', False),
        ('"x" in antrag.fehlt', False),
    ],
)
def test_data(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anzahl(antrag.hunde)", 3),
        ('anzahl(antrag.hunde, "gefaehrlich")', 1),
        ('len("Gießen")', 6),
        ("len(antrag.fehlt)", 0),
        ('summe(antrag.hunde, "alter")', 11),
        ("sum(preise)", Decimal("3.30")),
        ("summe(antrag.fehlt)", 0),
        ("min(3, 1.5, 2)", Decimal("1.5")),
        ("max(preise)", 3),
        ('max(antrag.hunde, "alter")', 7),
        ("max(antrag.fehlt)", None),
        ("min(heute, datum(2024, 2, 29))", date(2024, 2, 29)),
        ('"Rex" in werte(antrag.hunde, "name")', True),
        ('irgendein(antrag.hunde, "gefaehrlich")', True),
        ('alle(antrag.hunde, "gefaehrlich")', False),
        ("any([])", False),
        ("all([])", True),
        ("leer(antrag.leerer_text)", True),
        ("leer(antrag.fehlt)", True),
        ("leer(antrag.hunde)", False),
        ("leer(0)", False),
        ("runden(2.5)", 3),
        ("runden(-2.5)", -3),
        ("runden(1.005, 2)", Decimal("1.01")),
        ("runden(1250, -2)", 1300),
        ("abrunden(-1.5)", -2),
        ("abrunden(199.99)", 199),
        ("aufrunden(199.01)", 200),
        ("aufrunden(1.001, 2)", Decimal("1.01")),
        ("abs(-2)", 2),
        ("zahl(antrag.kosten[0].betrag)", 0),
        ('zahl("-12.50")', Decimal("-12.5")),
        ("zahl(null)", None),
        ("klein('ÄB') + gross('ß')", "äbSS"),
        ('beginnt_mit("35578", "355")', True),
        ('datum("2024-02-29")', date(2024, 2, 29)),
        ("datum(null)", None),
        ("tage(antrag.beginn, heute)", 28),
        ('days("2025-03-01", "2025-02-28")', -1),
        ("monate(antrag.beginn, heute)", 1),
        ('monate("2025-01-15", "2025-03-14")', 1),
        ('monate("2025-03-14", "2025-01-15")', -1),
        ('alter("2008-02-29", "2026-02-28")', 17),
        ('alter("2008-02-29", "2026-03-01")', 18),
        ('alter("2000-05-05", "2018-05-05")', 18),
        ("plus_tage(heute, 1)", date(2025, 3, 1)),
        ("plus_monate(antrag.beginn, 1)", date(2025, 2, 28)),
        ("plus_monate(antrag.beginn, -2)", date(2024, 11, 30)),
        ("jahr(heute) * 10000 + monat(heute) * 100 + tag(heute)", 20250228),
        ("heute >= datum(antrag.beginn)", True),
    ],
)
def test_functions(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unbekannt", "„unbekannt“ ist nicht bekannt"),
        ("antrag.fehlt > 100", "ein leerer Wert und eine Zahl"),
        ('antrag.betrag == "150.10"', "eine Zahl und ein Text"),
        ("antrag.ermaessigung == 1", "Ja/Nein und eine Zahl"),
        ("antrag.beginn < heute", "datum(…)"),
        ("heute == antrag.beginn", "ein Datum und ein Text"),
        ('rolle < "x"', "ein Text und ein Text"),
        ("rolle and true", "„and“ braucht Ja oder Nein; hier steht ein Text"),
        ("1 if antrag.betrag else 2", "Ja oder Nein"),
        ("antrag.betrag + rolle", "zwei Zahlen"),
        ("rolle * 3", "zwei Zahlen"),
        ("preise * 3", "zwei Zahlen"),
        ("antrag.fehlt + 1", "ein leerer Wert"),
        ("-rolle", "eine Zahl"),
        ("rolle.upper", "nur in Gruppen"),
        ("antrag.hunde.name", "nur in Gruppen"),
        ("rolle[0]", "braucht eine Liste"),
        ("preise[3]", "gibt es nicht"),
        ("preise[-4]", "gibt es nicht"),
        ("preise[0.5]", "ganze Zahl"),
        ("antrag.betrag / (antrag.betrag - 150.10)", "Durch null"),
        ("antrag == antrag", "nur Gleiches"),
        ("antrag.betrag in 5", "„in“ sucht"),
        ("antrag in preise", "nur Gleiches"),
        ("1 in antrag.hunde", "nur einfache Werte"),
        ("[antrag]", "nur einfache Werte"),
        ("summe(antrag.betrag)", "eine Liste erwartet"),
        ('summe(antrag.hunde, "name")', "eine Zahl erwartet"),
        ('summe(antrag.hunde, "fehlt")', "„summe“: Hier wird eine Zahl erwartet, nicht ein leerer Wert"),
        ('summe(preise, "x")', "nur in Gruppen"),
        ("max(1, heute)", "miteinander"),
        ("max(rolle)", "eine Liste"),
        ('alle(antrag.hunde, "name")', "Ja oder Nein"),
        ("runden(antrag.betrag, 13)", "höchstens 12"),
        ("zahl(rolle)", "keine Zahl"),
        ("klein(antrag.betrag)", "ein Text erwartet"),
        ("datum(rolle)", "kein Datum"),
        ("tage(antrag.fehlt, heute)", "kein Datum"),
        ("datum(jahr(heute), 2, 29)", "nicht im Kalender"),
        ("plus_tage(heute, antrag.betrag)", "ganze Zahl"),
        ("plus_tage(heute, antrag.betrag * 0 + 9999999999)", "1 bis 9999"),
        ("plus_monate(heute, preise[2] * 999999)", "1 bis 9999"),
    ],
)
def test_what_does_not_fit_is_an_error_and_names_the_expression(text: str, words: str) -> None:
    reason = fails(text)
    assert words.replace("nicht im Kalender", "im Kalender nicht") in reason
    assert reason.endswith(f"Ausdruck: {text}")


def test_names_and_paths_say_what_is_read() -> None:
    expression = compile_expression(
        'antrag.halter["name"] == x and anzahl(antrag.hunde) > liste[i].n and true'
    )
    assert expression.names == {"antrag", "x", "liste", "i"}
    assert expression.paths == {"antrag.halter.name", "x", "antrag.hunde", "liste", "i"}
    assert compile_expression("antrag == null or antrag.x == 1").paths == {"antrag", "antrag.x"}


def test_expressions_are_equal_and_hashed_by_their_text() -> None:
    one, same, other = (compile_expression(text) for text in ("a + 1", "a + 1", "a+1"))
    assert one == same
    assert one != other
    assert len({one, same, other}) == 2
    assert "a + 1" in repr(one)


def test_a_condition_holds_or_not() -> None:
    assert compile_expression("antrag.betrag > 1").holds(CASE) is True
    assert compile_expression("antrag.fehlt").holds(CASE) is False
    with pytest.raises(EvaluationError, match=r"steht eine Zahl.*Ausdruck: antrag\.betrag"):
        compile_expression("antrag.betrag").holds(CASE)


def test_the_second_half_is_not_read_when_the_first_decides() -> None:
    assert value("false and x > 1", {}) is False
    assert value("true or x > 1", {}) is True
    assert value("false or true or x > 1", {}) is True
    assert value("1 > 2 > x", {}) is False
    assert value("1 if true else x", {}) == 1


def test_a_list_in_an_expression_is_new_each_time() -> None:
    expression = compile_expression("[1, 2]")
    expression.evaluate({}).append(3)
    assert expression.evaluate({}) == [1, 2]


class Kind(StrEnum):
    GRANT = "zuwendung"


def test_plain_values_of_richer_types() -> None:
    names = {"kind": Kind.GRANT, "group": MappingProxyType({"x": (1, 2)})}
    assert type(value("kind", names)) is str
    assert value('kind == "zuwendung" and group.x[1] == 2', names) is True


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (0.1 + 0.2, "nicht genau"),
        (float("nan"), "nicht endlich"),
        (float("inf"), "nicht endlich"),
        (Decimal("NaN"), "nicht endlich"),
        (Decimal("sNaN"), "nicht endlich"),
        (Decimal("-Infinity"), "nicht endlich"),
        (Decimal("1E+100"), "zu groß"),
        (Decimal("9" * 35), "mehr als 34 Stellen"),
        (Decimal("1E-1000000"), "zu groß oder"),
        (10**34, "mehr als 34 Stellen"),
        pytest.param(10**5000, "mehr als 34 Stellen"),
        (datetime(2025, 1, 1), "keine Uhrzeit"),
        (Fraction(1, 3), "nicht zugelassen"),
        (object(), "nicht zugelassen"),
        (b"x", "nicht zugelassen"),
        ({1}, "nicht zugelassen"),
        (len, "nicht zugelassen"),
        (1j, "nicht zugelassen"),
        ("x" * 100_001, "länger als"),
        ([1] * 2001, "mehr als 2000"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_data_of_other_kinds_or_sizes_is_refused(data: Any, words: str) -> None:
    for text, names in (("x", {"x": data}), ("x.y", {"x": {"y": data}}), ("x[0]", {"x": [data]})):
        assert words in fails(text, names)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2))
def test_money_goes_through_unchanged_however_it_is_carried(amount: Decimal) -> None:
    """Cents below a trillion have at most 14 digits, so a float of JSON carries them too."""
    for carried in (amount, float(amount)):
        assert value("x + 0.00", {"x": carried}) == amount
    assert value("zahl(x)", {"x": f"{amount:f}"}) == amount


@given(st.lists(st.integers(-(10**15), 10**15), max_size=20), st.integers(1, 10**6))
def test_sums_are_exact(cents: list[int], divisor: int) -> None:
    names = {"c": [{"b": Decimal(cent).scaleb(-2)} for cent in cents], "d": divisor}
    assert value('summe(c, "b") * 100', names) == sum(cents)
    assert abs(value("1 / d", names) * divisor - 1) <= Decimal("1E-27")


@given(st.dates(), st.dates())
def test_months_and_days_agree_with_the_calendar(start: date, end: date) -> None:
    names = {"a": start, "b": end}
    assert value("plus_tage(a, tage(a, b)) == b", names)
    full = value("monate(a, b)", names)
    if start <= end:
        assert full >= 0
        assert value("plus_monate(a, n) <= b", names | {"n": full})
    else:
        assert full == -value("monate(b, a)", names)
