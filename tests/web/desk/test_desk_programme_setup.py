"""Setting up programmes, money and calls in the browser, and what cannot be."""

from __future__ import annotations

from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from tests.casework.conftest import World
from tests.casework.packages import probe
from tests.web.desk.conftest import Desk
from tests.web.desk.grant_lives import IBAN, Ministry
from tests.web.desk.test_desk_programmes import HOME, words

from rathaus.domains.grants.enums import LineKind
from rathaus.domains.grants.models import BudgetLine, Call, Measure, Programme
from rathaus.domains.grants.queries import lines_of_programme

NEW = "/amt/foerderung/neu/"


@pytest.fixture
def ministry(world: World) -> Ministry:
    return Ministry(world)


def posted(desk: Desk, path: str, **data: Any) -> str:
    """The page that a refused form comes back with."""
    return unescape(desk.post(path, 422, **data).content.decode())


def budgets(ministry: Ministry, key: str) -> dict[tuple[str, int, str], Decimal]:
    with ministry.system.acting():
        lines = lines_of_programme(Programme.objects.get(key=key))
    return {(line.measure_title, line.year, line.kind.value): line.money.budget for line in lines}


def test_from_nothing_to_a_call(ministry: Ministry, head: Desk) -> None:
    answer = head.post(
        NEW,
        titel="Größe & Straßen für Hessen",
        kurz="Für alle.",
        grundlage="StAnz. 1",
        inhaber="Land",
        iban=IBAN,
    )
    home = "/amt/foerderung/groesse-strassen-fuer-hessen/"
    assert answer.headers["Location"] == f"{home}mittel/"
    assert "Noch keine Mittel" in head.get(home)
    cash = {"massnahme": "neu", "neue": "Plattform", "jahr": "2026", "art": "cash", "betrag": "4.000.000,00"}
    head.post(f"{home}mittel/", **cash)
    page = head.get(f"{home}mittel/")
    assert "Plattform“ hat 2026 jetzt 4.000.000,00 € (Barmittel)" in words(page)
    with ministry.system.acting():
        measure = Measure.objects.get(title="Plattform")
    head.post(f"{home}mittel/", massnahme=measure.key, jahr="2027", art="commitment", betrag="1000")
    key = home.split("/")[3]
    assert budgets(ministry, key) == {
        ("Plattform", 2026, "cash"): Decimal("4000000.00"),
        ("Plattform", 2027, "commitment"): Decimal("1000.00"),
    }
    assert "Verpflichtungsermächtigungen" in head.get(home)
    files = probe()
    files["leistung.toml"] = files["leistung.toml"].replace('"probe"', '"zweite"').replace('"PRB"', '"ZWE"')
    ministry.world.publish(files, "zweite")
    head.post(f"{home}aufruf/", leistung="zweite", titel="Aufruf 2026", massnahme=measure.key)
    with ministry.system.acting():
        call = Call.objects.select_related("offer", "measure__programme").get(title="Aufruf 2026")
    assert (call.offer.slug, call.measure_id, call.measure.programme.payer_iban) == (
        "zweite",
        measure.id,
        IBAN,
    )
    assert "Aufruf 2026" in head.get(f"{home}aufrufe/")
    assert "Jede Leistung Ihrer Behörde gehört schon zu einem Aufruf" in head.get(f"{home}aufruf/")


def test_errors_stand_beside_their_fields_and_nothing_is_lost(ministry: Ministry, head: Desk) -> None:
    page = posted(head, NEW, titel="", kurz="Das <b>bleibt</b>.", iban="DE00 1234")
    assert "Geben Sie dem Programm einen Namen." in page
    assert "Das <b>bleibt</b>." in page, "what was typed, escaped and unescaped again"
    assert page.count('aria-invalid="true"') == 2
    assert "<title>Fehler: " in page
    page = posted(
        head, f"{HOME}mittel/", jahr="1066", art="cash", betrag="118.500.00", massnahme="neu", neue=""
    )
    assert page.count('aria-invalid="true"') == 3
    assert "118.500.00" in page
    page = posted(head, f"{HOME}mittel/", jahr="2026", art="bar", betrag="-5", massnahme="fremde")
    assert 'aria-invalid="true"' in page
    assert budgets(ministry, "programm") == {("Aufruf", 2025, "cash"): Decimal("10000.00")}


def test_what_is_there_is_not_overwritten(ministry: Ministry, head: Desk) -> None:
    assert "Ein Programm „programm“ gibt es schon" in posted(head, NEW, titel="Programm")
    assert "nicht möglich" in posted(head, NEW, titel="Neu!")
    assert "mindestens einen Buchstaben" in posted(head, NEW, titel="???")
    head.post(f"{HOME}mittel/", massnahme="neu", neue="Aufruf zwei", jahr="2026", art="cash", betrag="1,00")
    again = {"massnahme": "neu", "neue": "Aufruf Zwei", "jahr": "2027", "art": "cash", "betrag": "1,00"}
    assert "hat das Programm schon" in posted(head, f"{HOME}mittel/", **again)
    with ministry.system.acting():
        assert Programme.objects.count() == 1
        assert Measure.objects.count() == 2


def test_promised_money_cannot_be_taken_away(ministry: Ministry, head: Desk) -> None:
    ministry.award("900.00")
    given = {"massnahme": "aufruf", "jahr": "2025", "art": "cash"}
    page = posted(head, f"{HOME}mittel/", **given, betrag="899,99")
    assert "nur 9.100,00" in page
    assert "899,99" in page, "what was typed stays"
    assert budgets(ministry, "programm")["Aufruf", 2025, "cash"] == Decimal("10000.00")
    head.post(f"{HOME}mittel/", **given, betrag="900")
    assert budgets(ministry, "programm")["Aufruf", 2025, "cash"] == Decimal("900.00")


def test_a_refused_amount_leaves_no_new_measure_behind(ministry: Ministry, head: Desk) -> None:
    ministry.award("900.00")
    posted(head, f"{HOME}mittel/", massnahme="neu", neue="Halb", jahr="2026", art="cash", betrag="0,001")
    with ministry.system.acting():
        assert not Measure.objects.filter(title="Halb").exists()
        assert not BudgetLine.objects.filter(year=2026).exists()


def test_description_and_account_are_kept_up_to_date(ministry: Ministry, head: Desk) -> None:
    path = f"{HOME}beschreibung/"
    assert 'value="Programm"' in head.get(path)
    assert (
        "IBAN"
        in posted(head, path, titel="Anders", iban="DE02120300000000202052").split('role="alert"')[1][:600]
    )
    head.post(path, titel="Anders", inhaber="Landeskasse", iban="DE02 1203 0000 0000 2020 51")
    with ministry.system.acting():
        found = Programme.objects.get(key="programm")
    assert (found.title, found.payer_name, found.payer_iban) == ("Anders", "Landeskasse", IBAN)


def test_only_the_head_sets_up(ministry: Ministry, clerk: Desk, head: Desk) -> None:
    for path in (NEW, f"{HOME}mittel/", f"{HOME}aufruf/", f"{HOME}beschreibung/"):
        assert "Leitung der Behörde" in clerk.get(path, 403)
        clerk.post(path, 403, titel="Heimlich", massnahme="aufruf", jahr="2025", art="cash", betrag="1,00")
        head.get(path)
    assert budgets(ministry, "programm") == {("Aufruf", 2025, LineKind.CASH.value): Decimal("10000.00")}
    assert "Mittel festlegen" not in clerk.get(HOME)
    assert "Mittel festlegen" in head.get(HOME)
