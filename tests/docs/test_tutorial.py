"""docs/service-packages.md is followed word by word, and its service runs in the real kernel."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.docs.replay import replay
from tests.docs.tables import names_of, section
from tests.leistungen.test_kernel import Place, notice_of, staff

from rathaus.casework.cases.actions import notices
from rathaus.casework.cases.models import Case, Decision, Task
from rathaus.casework.services.models import Offer
from rathaus.core.authorities.actions import load_register
from rathaus.core.identity.actions import own_party
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/service-packages.md"


@pytest.fixture
def followed(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The page from top to bottom: what it says that commands print, and what they print."""
    load_register(ROOT / "daten/register")
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    return [
        (f"line {block.line}\n{block.text}", f"line {block.line}\n{said}")
        for block, said in replay(page, tmp_path)
    ]


def test_the_page_and_the_service_that_it_builds(followed: list[tuple[str, str]]) -> None:
    """One test, since following the page takes some seconds: its outputs, then the published service."""
    assert [shown for shown, _ in followed] == [said for _, said in followed]
    assert len(followed) >= 20
    town = _town()
    case = town.submit(_answers())
    text = notice_of(town, case)
    assert case.reference == f"TONNE-{timezone.localdate().year}-00001"
    assert case.title == "Restmülltonne für Gießener Straße 12"
    assert "eine Gebühr von 172,00 Euro im Jahr" in text  # the town's own value outlived version 1.1
    assert "automatisch ergangen" in text
    with town.clerk.acting():
        decision = Decision.objects.select_related("decided_by").get(case=case)
        assert decision.is_automatic
        data = notices.letter_data(Case.objects.get(id=case.id), decision)
    assert names_of(section(PAGE, "Letters"), table=1) == set(_names(data))

    small = town.submit(_answers(groesse=60, personen=5))
    with town.clerk.acting():
        task = Task.objects.get(case=small, state="open")
    assert (task.role, task.amount) == ("Steueramt", Decimal("126.00"))
    reasons = "Für fünf Personen verlangt die Satzung mindestens 100 Liter."
    town.work(small, town.clerk, {"ergebnis": "refused", "begruendung": reasons})
    town.work(small, town.head, {"freigegeben": True})
    text = notice_of(town, small)
    assert "wir lehnen Ihre Bestellung ab." in text
    assert reasons in text


def _town() -> Place:
    offer = Offer.objects.select_related("authority", "version").get(slug="restmuelltonne-lahnau")
    assert offer.version.number == "1.1"
    resident = Account.objects.create(email="erika@example.org", name="Erika Mustermann")
    clerk = staff(offer.authority, "krug", ["Steueramt"], "Steueramt")
    head = staff(offer.authority, "lotz", ["Leitung Steueramt"], "Leitung Steueramt")
    party = own_party(resident)
    return Place(offer, clerk, head, actor_of(resident.pk), party)


def _answers(**changed: Any) -> dict[str, Any]:
    return {
        "name": "Erika Mustermann",
        "grundstueck": "Gießener Straße 12",
        "personen": 2,
        "groesse": 80,
        "beginn": timezone.localdate().isoformat(),
        "kompost": False,
        "richtig": True,
    } | changed


def _names(data: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of what a letter may print; what packages fill themselves counts as one."""
    found = []
    for key, value in data.items():
        own = key in ("antrag", "parameter", "behoerden", "einzelheiten")
        found += _names(value, f"{key}.") if isinstance(value, dict) and not own else [prefix + key]
    return found
