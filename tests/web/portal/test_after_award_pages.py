"""The forms after the award at the portal: what is known stands there, in few statements."""

from __future__ import annotations

import re

from tests.casework.conftest import World
from tests.domains.lives import Lives, on
from tests.web.portal.conftest import at_portal
from tests.web.queries import counted

from rathaus.core.identity.models import Account


def test_a_request_for_money_begins_with_what_is_left(world: World) -> None:
    lives = Lives.make(world, einbehalt_prozent=10)
    with on("2022-01-10"):
        case = lives.award("180000", "200000")
        lives.waive(case)
        lives.draw(case, "50000")
        lives.pay()
    officer = at_portal(Account.objects.get(email="gemeinde-lahnau@example.org"))
    with on("2022-02-01"):
        first = officer.get(f"/leistung/mittelabruf/beginnen/?vorgang={case.id}")
        assert re.search(r"<h1[^>]*>Mittelabruf</h1>", first)
        assert "Antrag beginnen" not in first
        step = officer.post("/leistung/mittelabruf/beginnen/", vorgang=str(case.id)).headers["Location"]
        officer.get(step)  # compiles the package
        with counted() as statements:
            page = officer.get(step)
        assert len(statements) <= 12, "\n".join(statements)
        assert "noch 130.000,00\xa0€ abrufbar, davon 40.000,00\xa0€ aus dem Haushaltsjahr" in page
        assert "einbehalten: 18.000,00\xa0€" in page
        use = officer.get(step.replace("/betrag/", "/verwendung/"))
        assert "Bisher überwiesen: 50.000,00\xa0€." in use
        assert re.search(r'name="schon_ausgezahlt"[^>]*value="true"[^>]*checked', use) or "checked" in use
        account = officer.get(step.replace("/betrag/", "/konto/"))
        assert "DE89370400440532013000" in account.replace(" ", "")
