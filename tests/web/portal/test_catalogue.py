"""Finding a service and beginning an application."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.conftest import World
from tests.web.portal.conftest import Person

from rathaus.casework.cases.models import Draft
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actions import give_mandate
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account
from rathaus.web.portal.catalogue import first_sentence, first_words, listings, search


def test_home_parts_services_for_people_from_those_for_municipalities(akte: Offer, visitor: Person) -> None:
    page = visitor.get("/")
    people, rest = page.split("Für Bürgerinnen und Bürger")[1].split("Für Städte, Gemeinden und Landkreise")
    assert "Probe</a>" in people
    assert "Elektronische Akte</a>" in rest
    assert "Elektronische Akte" not in people
    assert "Antrag fortsetzen" in page
    assert "Vorschau – keine amtliche Website" in page


def test_home_without_any_service_says_so(visitor: Person) -> None:
    assert "Noch keine Dienste" in visitor.get("/")


def test_home_shows_what_was_begun(officer: Person, full: Draft, world: World) -> None:
    case = world.submit()
    page = officer.get("/")
    assert f"/antrag/{full.id}/" in page
    assert f"/meine/{case.id}/" in page


@pytest.mark.parametrize("text", ["akte", "AKTE", "elektronische", "ministerium akte", "Aktenführung", ""])
def test_search_finds_by_everyday_words(akte: Offer, visitor: Person, text: str) -> None:
    assert "Elektronische Akte" in visitor.get(f"/leistungen/?q={text}")


def test_search_without_a_hit_says_what_else_there_is(akte: Offer, visitor: Person) -> None:
    page = visitor.get("/leistungen/?q=Pferdesteuer")
    assert "Nichts gefunden zu „Pferdesteuer“" in page
    assert "Elektronische Akte" in page


def test_search_text_is_never_markup(akte: Offer, visitor: Person) -> None:
    page = visitor.get("/leistungen/?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page


def test_titles_come_first(akte: Offer) -> None:
    found = search(listings(), "probe")
    assert [listing.offer.slug for listing in found] == ["probe"]


def test_service_page_says_who_may_apply_and_how_well_known(akte: Offer, visitor: Person) -> None:
    page = visitor.get("/leistung/akte/")
    assert "Nicht: Unternehmen, Vereine und Privatpersonen" in page
    assert "Vertrauensniveau substanziell" in page
    assert "/leistung/akte/beginnen/" in page


def test_unknown_service_is_not_found(visitor: Person) -> None:
    assert "Diese Seite gibt es nicht" in visitor.get("/leistung/pferdesteuer/", status=404)


def test_closed_window_says_until_when_and_offers_no_button(world: World, officer: Person) -> None:
    with Actor.system(world.ministry.id).acting():
        Offer.objects.filter(id=world.offer.id).update(closes_at=timezone.now() - timedelta(days=1))
    page = officer.get("/leistung/probe/")
    assert "Der Antragszeitraum ist abgelaufen." in page
    assert "/leistung/probe/beginnen/" not in page
    assert (
        "Der Antragszeitraum ist abgelaufen."
        in officer.post("/leistung/probe/beginnen/", 409).content.decode()
    )


def test_begin_without_login_leads_to_login_and_back(akte: Offer, visitor: Person) -> None:
    answer = visitor.client.get("/leistung/akte/beginnen/")
    assert answer.headers["Location"] == "/anmelden/?next=%2Fleistung%2Fakte%2Fbeginnen%2F&niveau=3"


def test_begin_with_too_low_a_level_is_refused_with_the_way(akte: Offer, resident: Person) -> None:
    page = resident.get("/leistung/akte/beginnen/", status=403)
    assert "substanziell" in page
    assert "/anmelden/" in page


def test_a_person_cannot_apply_for_what_is_for_municipalities(akte: Offer, resident: Person) -> None:
    Account.objects.filter(pk=resident.actor.account).update(trust_level=4)
    page = resident.get("/leistung/akte/beginnen/")
    assert "Diesen Antrag können nur Kommunen stellen" in page
    resident.post("/leistung/akte/beginnen/", 200)
    with resident.actor.acting():
        assert not Draft.objects.exists()


def test_begin_for_the_only_party_goes_to_the_first_step_with_what_is_known(
    akte: Offer, officer: Person
) -> None:
    answer = officer.post("/leistung/akte/beginnen/")
    assert answer.headers["Location"].endswith("/vorhaben/")
    page = officer.get(answer.headers["Location"])
    assert "gemeinde-lahnau@example.org" in page
    assert "Aus Ihrem Konto übernommen." in page


def test_begin_again_goes_on_with_the_draft_unless_a_new_one_is_wanted(akte: Offer, officer: Person) -> None:
    first = officer.post("/leistung/akte/beginnen/").headers["Location"]
    assert officer.post("/leistung/akte/beginnen/").headers["Location"] == first
    assert officer.post("/leistung/akte/beginnen/", neu="1").headers["Location"] != first
    assert "Antrag fortsetzen" in officer.get("/leistung/akte/")


def test_several_parties_are_asked_for_whom(akte: Offer, officer: Person, world: World) -> None:
    account = Account.objects.get(pk=officer.actor.account)
    give_mandate(
        by=Actor.system(world.waldsolms_party.authority_id), account=account, party=world.waldsolms_party
    )
    assert "Für wen stellen Sie den Antrag?" in officer.get("/leistung/akte/beginnen/")
    page = officer.post("/leistung/akte/beginnen/", 422).content.decode()
    assert "Wählen Sie, für wen Sie den Antrag stellen." in page
    assert "<title>Fehler: " in page
    officer.post("/leistung/akte/beginnen/", 422, fuer="00000000-0000-0000-0000-000000000000")
    where = officer.post("/leistung/akte/beginnen/", fuer=str(world.waldsolms_party.id)).headers["Location"]
    assert "Antrag: Gemeinde Waldsolms" in officer.get(where)


def test_register_page_and_its_inline_answer(world: World, visitor: Person) -> None:
    page = visitor.get("/verzeichnis/?q=lahn")
    assert "Gemeinde Lahnau" in page
    assert "<html" in page
    hits = visitor.get("/verzeichnis/?_suche=lahn&feld=partner", hx_request="true")
    assert 'value="partner:06532015"' in hits
    assert "<html" not in hits
    assert "Keine Kommune gefunden" in visitor.get("/verzeichnis/?q=Atlantis")


@pytest.mark.parametrize("path", ["/hilfe/", "/datenschutz/", "/barrierefreiheit/", "/impressum/"])
def test_pages_of_the_footer_are_honest_about_the_preview(visitor: Person, path: str) -> None:
    assert "Vorschau" in visitor.get(path)


def test_first_sentences() -> None:
    assert first_sentence("Etwa 40 Minuten. Sie können unterbrechen.") == (
        "Etwa 40 Minuten",
        "Sie können unterbrechen.",
    )
    assert first_sentence("Kostenlos.") == ("Kostenlos", "")
    assert first_words("Sofort; sonst zwei Wochen") == ("Sofort", "sonst zwei Wochen")
    assert first_words("") == ("", "")
