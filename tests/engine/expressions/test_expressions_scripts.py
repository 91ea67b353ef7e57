from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from rathaus.engine.expressions import EvaluationError, ExpressionError, compile_script

GRANT = """
# Förderung: 90 % der Kosten, höchstens 2,5 Mio. Euro
kosten = summe(antrag.kosten, "betrag")

foerderung = min(runden(kosten * 0.9, 2), 2500000)
eigenanteil = kosten - foerderung
summe = summe([foerderung, eigenanteil])
ab = plus_monate(datum(antrag.beginn), 24)
"""


def test_later_lines_see_earlier_ones_and_the_names_stay_as_they_are() -> None:
    script = compile_script(GRANT)
    names = {"antrag": {"kosten": [{"betrag": "0"}], "beginn": "2024-02-29"}, "kosten": "unberührt"}
    names["antrag"]["kosten"] = [{"betrag": Decimal("537400.00")}, {"betrag": 0.01}]  # type: ignore[index]
    result = script.run(names)
    assert result == {
        "kosten": Decimal("537400.01"),
        "foerderung": Decimal("483660.01"),
        "eigenanteil": Decimal("53740.00"),
        "summe": Decimal("537400.01"),
        "ab": date(2026, 2, 28),
    }
    assert list(result) == ["kosten", "foerderung", "eigenanteil", "summe", "ab"]
    assert names["kosten"] == "unberührt"
    assert script.names == {"antrag"}
    assert script.assigned == set(result)


def test_a_name_may_be_read_before_it_is_assigned_and_assigned_again() -> None:
    script = compile_script("zaehler = zaehler + 1\nzaehler = zaehler * 2")
    assert script.names == script.assigned == {"zaehler"}
    assert script.run({"zaehler": 4}) == {"zaehler": 10}


def test_names_are_folded_as_python_folds_them() -> None:
    assert compile_script("ﬁrma = 1\nx = firma").run({}) == {"firma": 1, "x": 1}


def test_an_empty_script_assigns_nothing() -> None:
    script = compile_script("\n# nichts\n")
    assert script.run({"a": 1}) == {}
    assert hash(script) == hash(compile_script("\n# nichts\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "Zeile 1: Jede Zeile"),
        ("a = 1\n\nb == 2", "Zeile 3: Jede Zeile"),
        ("a.b = 1", "Jede Zeile"),
        ("a[0] = 1", "Jede Zeile"),
        ("a, b = 1", "Jede Zeile"),
        ("a += 1", "Jede Zeile"),
        ("a: int = 1", "Jede Zeile"),
        ("a = b = 1", "=="),
        ("_a = 1", "nicht erlaubt"),
        ("__builtins__ = 1", "nicht erlaubt"),
        ("＿a = 1", "Jede Zeile"),
        ("a__b = 1", "nicht erlaubt"),
        ("true = 1", "kein Name"),
        ("None = 1", "kein Name"),
        ("if = 1", "kein Name"),
        ("1a = 1", "kein Name"),
        ("a =", "leer"),
        ("a = 1; b = 2", "=="),
        ("a = 1 # eins", "Kommentare"),
        ("import os", "Jede Zeile"),
        ("while true:\n  a = 1", "Jede Zeile"),
        ("a = 1\n" * 51, "mehr als 50"),
    ],
)
def test_what_is_no_assignment_is_refused(text: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        compile_script(text)


def test_the_column_is_that_of_the_line() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_script("a = 1\nbetrag =  a ** 2")
    assert (caught.value.column, caught.value.reason[:8]) == (11, "Zeile 2:")


def test_the_line_that_failed_is_named() -> None:
    with pytest.raises(EvaluationError, match=r"^Zeile 2: „y“ ist nicht bekannt\. Ausdruck: y$"):
        compile_script("x = 1\nz = y").run({})
