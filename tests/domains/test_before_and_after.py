"""Around the award: a sketch and its answer, an early start, and something given away before its earmarking ends."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import default_storage
from tests.casework.conftest import World, run_waiting_jobs
from tests.domains.claim_world import Place, on
from tests.domains.test_programmes import Town, file, findings, load
from tests.leistungen.letters import text_of

from rathaus.casework.cases.actions.drafts import begin_draft
from rathaus.casework.cases.actions.submission import submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Notice
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.core.files.actions import path_of
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions.receipts import record_receipt
from rathaus.domains.grants.models import Call, Claim, EarlyStart, Item

EARLY: dict[str, Any] = {
    "beschreibung": "Wir schließen den Vertrag über die Lizenzen des Archivs.",
    "grund": "Der Vertrag für die alte Software endet am 30. Juni.",
    "ausgaben": [{"wofuer": "Lizenzen", "betrag": "12000.00"}],
    "nicht_begonnen": True,
    "risiko": True,
}
SKETCH = {
    "titel": "Gemeinsames Archiv",
    "beschreibung": "Drei Rathäuser führen ihre Akten in einem gemeinsamen Archiv.",
    "ziel": "Am 31. Juli 2027 sind alle laufenden Akten digital.",
    "kosten": "250000.00",
}


def letter(by: Actor, case: Case) -> str:
    run_waiting_jobs()
    with by.acting():
        notice = Notice.objects.select_related("document").get(case=case)
    with default_storage.open(path_of(notice.document.sha256), "rb") as stored:
        return text_of(stored.read())


def decide(w: World, case: Case, outcome: str, amount: str | None = None) -> None:
    given: dict[str, Any] = {"ergebnis": outcome, "begruendung": "So ist es begründet."}
    complete_task(
        by=w.clerk,
        task=w.task(case).id,
        answers={**given, **({"betrag": Decimal(amount)} if amount else {})},
    )
    complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
    run_waiting_jobs()


# ------------------------------------------------------------------------------------------- disposal


@pytest.fixture
def kept(world: World) -> tuple[Place, Case]:
    """A server of 12,000 euros, bought with a grant of 90 % on 1 July 2023 and earmarked for five years."""
    with on("2023-01-02"):
        p = Place.make(world)
    with on("2023-01-10"):
        case = p.granted(amount="18000.00", cost="20000.00")
    with on("2023-03-01"):
        p.drawn(case, amount="18000.00", year=2023)
    with on("2024-12-20"):
        bought = {"angeschafft_am": "2023-07-01"}
        p.proven(
            case,
            spent="20000.00",
            items=[
                {**bought, "gegenstand": "Server", "preis": "12000.00"},
                {**bought, "gegenstand": "Kabel", "preis": "799.99"},
            ],
        )
    return p, case


def disposed(p: Place, about: Case, day: str, **changes: Any) -> Case:
    given = {
        "gegenstand": "Server",
        "am": day,
        "verbleib": "verkauft an die Stadt Aßlar",
        "grund": "Wir nutzen jetzt das Rechenzentrum.",
        "richtig": True,
        **changes,
    }
    return p.follow(p.leistung("veraeusserung"), about, **given)


def test_what_is_sold_early_is_repaid_pro_rata(kept: tuple[Place, Case]) -> None:
    p, about = kept
    with on("2025-07-10"):
        case = disposed(p, about, "2025-07-01", gegenstand=" server ")
        # 90 % of 12,000 for 36 of 60 months
        assert p.task(case).amount == Decimal("6480.00")
        with p.w.clerk.acting():
            assert Item.objects.get(name="Server").disposed_on is None  # nothing happens before the decision
        p.decide(case, amount="6480.00")
    text = letter(p.w.lahnau_officer, case)
    assert "6.480,00 Euro" in text
    assert "beträgt damit noch 11.520,00 Euro" in text
    assert "§ 28 Abs. 2 Nr. 3" in text
    with p.w.clerk.acting():
        item = Item.objects.get(name="Server")
        claim = Claim.objects.get(case=case)
    assert (item.disposed_on, item.disposal) == (date(2025, 7, 1), "verkauft an die Stadt Aßlar")
    assert (claim.reason, claim.amount) == ("veraeusserung", Decimal("6480.00"))
    p.sound()
    with on("2025-07-20"):
        record_receipt(
            by=p.w.clerk, claim=claim.id, amount=claim.amount, on=date(2025, 7, 20), reference="K1"
        )
        run_waiting_jobs()
        with pytest.raises(Refused, match="steht kein"):
            disposed(p, about, "2025-07-02")
    with p.w.clerk.acting():
        assert Case.objects.get(id=case.id).state == "COMPLETED"
    p.sound()


def test_the_ministry_may_waive(kept: tuple[Place, Case]) -> None:
    p, about = kept
    with on("2025-07-10"):
        case = disposed(p, about, "2025-07-01")
        p.decide(case, amount=None, outcome="refused")
    assert "verzichten darauf, wegen „Server“" in letter(p.w.lahnau_officer, case)
    with p.w.clerk.acting():
        assert Item.objects.get(name="Server").disposed_on == date(2025, 7, 1)
        assert not Claim.objects.exists()
    assert p.money(about).proven == Decimal("18000.00")
    p.sound()


@pytest.mark.parametrize(
    ("today", "day", "changes", "reason"),
    [
        ("2025-07-10", "2025-07-11", {}, "zwischen der Anschaffung"),
        ("2025-07-10", "2023-06-30", {}, "zwischen der Anschaffung"),
        ("2028-07-10", "2028-07-02", {}, "müssen nichts melden"),
        ("2025-07-10", "2025-07-01", {"gegenstand": "Drucker"}, "steht kein „Drucker“"),
        ("2025-07-10", "2025-07-01", {"gegenstand": "Kabel"}, "steht kein „Kabel“"),  # too cheap to be kept
    ],
)
def test_what_cannot_be_reported_is_refused_at_once(
    kept: tuple[Place, Case], today: str, day: str, changes: dict[str, str], reason: str
) -> None:
    p, about = kept
    with on(today), pytest.raises(Refused, match=reason):
        disposed(p, about, day, **changes)
    with p.w.clerk.acting():
        assert not Case.objects.filter(offer__slug="veraeusserung").exists()


# ------------------------------------------------------------------------------------------- early start


@pytest.fixture
def applied(world: World) -> tuple[World, Town, Call, Case]:
    (call,) = load(world, file("thueringen-2024"))
    with on("2024-08-05"):
        town = Town.make(1)
        return world, town, call, town.apply(call, amount="8000.00", cost="10000.00")


def early(w: World, town: Town, about: Case, begin: str) -> Case:
    offer = Place(w, about.offer, about.offer, about.offer).leistung("vorzeitiger-beginn")
    return submit_application(
        by=town.officer,
        offer=offer,
        party=town.party,
        answers={**EARLY, "beginn": begin},
        submission=new_id(),
        about=about,
    )


def test_an_early_start_is_allowed_and_the_finding_says_so(
    applied: tuple[World, Town, Call, Case],
) -> None:
    w, town, _, application = applied
    with on("2024-08-20"):
        case = early(w, town, application, "2024-09-01")
        assert findings(application)["nicht_begonnen"] == ("met", "erklärt")
        decide(w, case, "granted")
    text = letter(town.officer, case)
    assert "ab dem 1. September 2024 beginnen" in text
    assert "Das ist keine Förderzusage." in text
    expected = f"vorzeitiger Beginn ab 01.09.2024 zugelassen ({case.reference})"
    assert findings(application)["nicht_begonnen"] == ("met", expected)
    with w.clerk.acting():
        assert EarlyStart.objects.get().application_id == application.id


def test_a_day_that_passed_meanwhile_becomes_today(applied: tuple[World, Town, Call, Case]) -> None:
    w, town, _, application = applied
    with on("2024-08-20"):
        case = early(w, town, application, "2024-08-21")
    with on("2024-09-10"):
        decide(w, case, "granted")
    assert "ab dem 10. September 2024 beginnen" in letter(town.officer, case)
    with w.clerk.acting():
        assert EarlyStart.objects.get().begins_on == date(2024, 9, 10)


def test_a_refused_early_start_changes_nothing(applied: tuple[World, Town, Call, Case]) -> None:
    w, town, _, application = applied
    with on("2024-08-20"):
        case = early(w, town, application, "2024-09-01")
        decide(w, case, "refused")
    assert "Schließen Sie noch keinen Liefer- oder" in letter(town.officer, case)
    assert findings(application)["nicht_begonnen"] == ("met", "erklärt")
    with w.clerk.acting():
        assert not EarlyStart.objects.exists()


def test_too_late_for_an_early_start(applied: tuple[World, Town, Call, Case]) -> None:
    w, town, _, application = applied
    with on("2024-08-20"):
        with pytest.raises(Refused, match="Dieser Tag ist vorbei"):
            early(w, town, application, "2024-08-19")
        pending = early(w, town, application, "2024-09-01")
        with pytest.raises(NotAllowed):
            early(w, Town.make(2), application, "2024-09-01")
        complete_task(by=w.clerk, task=w.task(application).id, answers={"vollstaendig": True})
        decide(w, application, "refused")
        with pytest.raises(Refused, match="entschieden"):
            early(w, town, application, "2024-09-01")
        with pytest.raises(Refused, match="entschieden"):
            decide(w, pending, "granted")  # decided between proposal and release
        with w.clerk.acting():
            about = Case.objects.get(id=pending.id)
        with pytest.raises(Refused, match="passt nicht"):
            early(w, town, about, "2024-09-01")


# ------------------------------------------------------------------------------------------- sketch


@pytest.fixture
def called(world: World) -> tuple[World, Town, Offer, Offer]:
    """Call of 2025 with its sketches."""
    text = file("starke-heimat-2025").read_text(encoding="utf-8")
    sketches, call = load(
        world, text.replace("foerdersatz = 80", "skizze_erforderlich = true\nfoerdersatz = 80")
    )
    return world, Town.make(1), sketches.offer, call.offer


def sketched(w: World, town: Town, offer: Offer, outcome: str) -> Case:
    with on("2025-09-05"):
        case = submit_application(
            by=town.officer, offer=offer, party=town.party, answers=SKETCH, submission=new_id()
        )
    with on("2025-09-20"):
        decide(w, case, outcome)
    with w.clerk.acting():
        return Case.objects.select_related("offer").get(id=case.id)


def test_an_invited_sketch_fills_in_the_application(called: tuple[World, Town, Offer, Offer]) -> None:
    w, town, sketches, offer = called
    sketch = sketched(w, town, sketches, "granted")
    assert "wir laden Sie ein" in letter(town.officer, sketch)
    assert "kein Bescheid und keine Zusage" in letter(town.officer, sketch)
    with on("2025-10-01"):
        draft = begin_draft(by=town.officer, offer=offer, party=town.party.id, about=sketch)
    assert {name: draft.answers[name] for name in ("titel", "beschreibung", "ziel")} == {
        name: SKETCH[name] for name in ("titel", "beschreibung", "ziel")
    }


@pytest.mark.parametrize(("outcome", "result"), [("granted", "met"), ("refused", "failed"), ("", "failed")])
def test_the_check_says_whether_there_was_an_invitation(
    called: tuple[World, Town, Offer, Offer], outcome: str, result: str
) -> None:
    w, town, sketches, offer = called
    sketch = sketched(w, town, sketches, outcome) if outcome else None
    answers = smart_answers(w, town)
    with on("2025-10-01"):
        case = submit_application(
            by=town.officer, offer=offer, party=town.party, answers=answers, submission=new_id(), about=sketch
        )
    found = findings(case)["skizze"]
    assert found[0] == result
    assert (sketch is not None and sketch.reference in found[1]) == (outcome == "granted")


def test_sketches_and_applications_have_their_windows(called: tuple[World, Town, Offer, Offer]) -> None:
    w, town, sketches, offer = called
    given: dict[str, Any] = {"by": town.officer, "party": town.party, "submission": new_id()}
    with on("2025-09-06"), pytest.raises(Refused, match="abgelaufen"):
        submit_application(offer=sketches, answers=SKETCH, **given)
    answers = smart_answers(w, town)
    for day, reason in (("2025-09-30", "noch nicht begonnen"), ("2025-11-08", "abgelaufen")):
        with on(day), pytest.raises(Refused, match=reason):
            submit_application(offer=offer, answers=answers, **given)


def test_an_application_follows_sketches_and_nothing_else(called: tuple[World, Town, Offer, Offer]) -> None:
    w, town, sketches, offer = called
    sketch = sketched(w, town, sketches, "granted")
    other = Town.make(2)
    with on("2025-10-01"):
        with pytest.raises(NotAllowed):
            begin_draft(by=other.officer, offer=offer, party=other.party.id, about=sketch)
        with pytest.raises(Refused, match="steht für sich"):
            begin_draft(by=w.lahnau_officer, offer=w.offer, party=w.lahnau_party.id, about=w.submit())


def smart_answers(w: World, town: Town) -> dict[str, Any]:
    from tests.leistungen.library import SMART, sample

    from rathaus.core.files.models import Blob

    said = json.loads(json.dumps(sample(SMART, "lahnau")["antrag"]))
    attached = said["projektbeschreibung"]
    with town.officer.acting():
        Blob.objects.get_or_create(
            authority_id=w.ministry.id,
            party_id=town.party.id,
            sha256=attached["sha256"],
            defaults={"size": attached["size"], "media_type": attached["media_type"]},
        )
    return said
