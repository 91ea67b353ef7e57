"""Filling in: nothing that was typed is ever lost, and nothing wrong is handed in."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.casework.conftest import World
from tests.web.portal.conftest import DONE, PDF, Person
from tests.web.portal.form_package import ANSWERS, form_package
from tests.web.queries import counted

from rathaus.casework.cases.models import Case, Draft
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.core.identity.actors import Actor

FIRST = {"titel": "Neue Akte", "gemeinsam": "false"}
MONEY = {
    "kosten__0__wofuer": "Software",
    "kosten__0__betrag": "1.000,00",
    "ausgaben": "1000",
    "betrag": "900,00",
}


def file(name: str = "plan.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/pdf")


def cases(world: World) -> list[Case]:
    with Actor.system(world.ministry.id).acting():
        return list(Case.objects.filter(offer__slug="akte"))


def test_from_the_first_step_to_the_receipt(akte: Offer, officer: Person, world: World) -> None:
    begin = officer.post("/leistung/akte/beginnen/").headers["Location"]
    base = begin.removesuffix("vorhaben/")
    assert officer.post(begin, **FIRST).headers["Location"] == f"{base}geld/"
    assert officer.post(f"{base}geld/", **MONEY).headers["Location"] == f"{base}anlagen/"
    assert officer.post(f"{base}anlagen/", anlagen=file()).headers["Location"] == f"{base}pruefen/"
    review = officer.get(f"{base}pruefen/")
    assert "Antrag absenden" in review
    assert "plan.pdf" in review
    assert f"{base}geld/?pruefen" in review
    where = officer.post(f"{base}pruefen/").headers["Location"]
    [case] = cases(world)
    assert where == f"/meine/{case.id}/eingang/"
    assert case.reference in officer.get(where)
    assert case.party_name == "Gemeinde Lahnau"


def test_errors_stand_beside_the_fields_and_what_was_typed_stays(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    page = officer.post(
        f"/antrag/{draft.id}/vorhaben/", 422, titel="", email="kein at", gemeinsam="false"
    ).content.decode()
    assert "<title>Fehler: Vorhaben" in page
    assert 'role="alert"' in page
    assert 'href="#f-titel"' in page
    assert 'aria-describedby="f-titel-fehler"' in page
    assert 'value="kein at"' in page
    assert officer.kept(draft)["gemeinsam"] is False


@pytest.mark.parametrize("typed", ["118.500.00", "1,000", "zwölf", "-5", "1e9", "12.34.56,7"])
def test_amounts_that_are_not_clear_are_refused_and_kept_as_typed(
    akte: Offer, officer: Person, typed: str
) -> None:
    draft = officer.draft(akte)
    step = f"/antrag/{draft.id}/geld/"
    page = officer.post(step, 422, **{**MONEY, "spende": typed}).content.decode()
    assert f'value="{typed}"' in page
    assert 'id="f-spende-fehler"' in page
    again = officer.get(step)
    assert f'value="{typed}"' in again
    assert "spende" not in officer.kept(draft)


@pytest.mark.parametrize(
    ("typed", "stored"), [("1.000,00", "1000.00"), ("1000", "1000.00"), ("1 000,5", "1000.50")]
)
def test_german_amounts_are_understood(akte: Offer, officer: Person, typed: str, stored: str) -> None:
    draft = officer.draft(akte)
    officer.client.post(f"/antrag/{draft.id}/geld/", {"spende": typed})
    assert officer.kept(draft)["spende"] == stored


def test_an_unreadable_amount_keeps_the_application_from_being_handed_in(
    full: Draft, officer: Person, world: World
) -> None:
    officer.post(f"/antrag/{full.id}/geld/", 422, **{**MONEY, "spende": "118.500.00"})
    page = officer.post(f"/antrag/{full.id}/pruefen/", 422).content.decode()
    assert "„118.500.00“ ist nicht eindeutig" in page
    assert f"/antrag/{full.id}/geld/?pruefen#f-spende" in page
    assert not cases(world)


def test_sums_that_do_not_match_are_said_where_they_are(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    page = officer.post(f"/antrag/{draft.id}/geld/", 422, **{**MONEY, "ausgaben": "999,99"}).content.decode()
    assert "Die Ausgaben sind nicht die Summe der Positionen." in page
    assert "1.000,00" in page


def test_rows_come_and_go_without_complaint_and_keep_what_was_typed(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    step = f"/antrag/{draft.id}/geld/"
    where = officer.post(step, **{**MONEY, "kosten__0__betrag": "unklar", "add": "kosten"}).headers[
        "Location"
    ]
    assert where == f"{step}#f-kosten-2"
    page = officer.get(step)
    assert 'name="kosten.1.betrag"' in page
    assert 'value="unklar"' in page
    assert 'role="alert"' not in page
    where = officer.post(
        step,
        kosten__0__betrag="unklar",
        kosten__1__wofuer="Schulung",
        kosten__1__betrag="5",
        remove="kosten.0",
    ).headers["Location"]
    assert where == f"{step}#f-kosten"
    page = officer.get(step)
    assert "unklar" not in page
    assert officer.kept(draft)["kosten"] == [{"wofuer": "Schulung", "betrag": "5.00"}]


def test_running_sum_names_what_it_leaves_out(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    data = {**MONEY, "kosten__1__wofuer": "Schulung", "kosten__1__betrag": "118.500.00"}
    page = officer.post(f"/antrag/{draft.id}/geld/", 422, **data).content.decode()
    assert "ohne Position 2" in page
    assert re.search(r"data-total>1\.000,00", page)


def test_a_question_that_only_now_applies_is_asked_before_going_on(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    page = officer.post(f"/antrag/{draft.id}/vorhaben/", 200, titel="Akte", gemeinsam="true").content.decode()
    assert "Dazu haben wir noch eine Frage" in page
    assert 'href="#f-womit"' in page
    where = officer.post(f"/antrag/{draft.id}/vorhaben/", titel="Akte", gemeinsam="true", womit="Software")
    assert where.headers["Location"].endswith("/partner/")


def test_partners_are_found_by_name_and_key_and_picked_without_javascript(
    akte: Offer, officer: Person
) -> None:
    draft = officer.draft(akte, titel="Akte", gemeinsam=True, womit="Software")
    step = f"/antrag/{draft.id}/partner/"
    page = officer.get(step)
    assert '<option value="Gemeinde Waldsolms">' in page
    where = officer.post(step, partner__0="gemeinde lahnau", _suche="waldso", _nach="suche").headers[
        "Location"
    ]
    assert where == f"{step}?_suche=waldso#suche"
    entered = officer.post(step, partner__0="gemeinde lahnau", _suche="waldso")  # Enter in the search field
    assert entered.headers["Location"] == where
    gone_on = officer.post(step, partner__0="gemeinde lahnau", _suche="waldso", _nach="weiter")
    assert gone_on.headers["Location"] != where
    hits = officer.get(where.partition("#")[0])
    assert 'name="_waehlen" value="partner:06532022"' in hits
    officer.post(step, partner__0="Gemeinde Lahnau", _waehlen="partner:06532022")
    assert officer.kept(draft)["partner"] == ["06532015", "06532022"]
    page = officer.post(step, 422, partner__0="Atlantis").content.decode()
    assert 'value="Atlantis"' in page
    officer.post(step, partner__0="06532022")
    assert "Gemeinde Waldsolms" in officer.get(f"/antrag/{draft.id}/pruefen/")


def test_picking_what_is_no_field_or_no_municipality_does_no_harm(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte, titel="Akte", gemeinsam=True, womit="Software")
    step = f"/antrag/{draft.id}/partner/"
    for value in ("partner:99999999", "titel:06532022", "", ":", "nichts:x"):
        officer.client.post(step, {"_waehlen": value})
    assert officer.kept(draft) == {"titel": "Akte", "gemeinsam": True, "womit": "Software"}


def test_an_executable_named_pdf_is_refused_beside_its_field(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    step = f"/antrag/{draft.id}/anlagen/"
    page = officer.post(
        step, 422, anlagen=[file("Leun.pdf", b"MZ\x90\x00" + b"\0" * 500), file("gut.pdf")]
    ).content.decode()
    assert "ist aber keine PDF-Datei" in page
    assert 'id="f-anlagen-fehler"' in page
    assert [found["name"] for found in officer.kept(draft)["anlagen"]] == ["gut.pdf"]


def test_a_file_can_be_removed_again(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    step = f"/antrag/{draft.id}/anlagen/"
    officer.post(step, anlagen=[file("a.pdf"), file("b.pdf", PDF + b"b")])
    officer.post(step, remove="anlagen.0")
    assert [found["name"] for found in officer.kept(draft)["anlagen"]] == ["b.pdf"]


def test_a_file_that_is_too_large_loses_nothing_that_was_typed(
    akte: Offer, officer: Person, settings: Settings
) -> None:
    settings.UPLOAD_LIMIT_BYTES = 3_000_000
    draft = officer.draft(akte)
    step = f"/antrag/{draft.id}/anlagen/"
    large = file("film.pdf", b"%PDF-" + b"x" * 4_000_000)
    page = officer.post(step, 413, anlagen=[file("gut.pdf"), large]).content.decode()
    assert "Die Datei „film.pdf“ ist größer als 2" in unescape(page)
    assert [found["name"] for found in officer.kept(draft)["anlagen"]] == ["gut.pdf"]


def test_a_request_that_is_too_large_keeps_the_text_and_drops_the_files(
    akte: Offer, officer: Person, settings: Settings
) -> None:
    settings.REQUEST_LIMIT_BYTES = 1_000_000
    draft = officer.draft(akte)

    def large() -> SimpleUploadedFile:
        return file("film.pdf", b"%PDF-" + b"x" * 2_000_000)

    answer = officer.post(
        f"/antrag/{draft.id}/vorhaben/", 302, titel="Bleibt", gemeinsam="false", anlagen=large()
    )
    assert answer.headers["Location"].endswith("/geld/")
    page = officer.post(f"/antrag/{draft.id}/anlagen/", 413, anlagen=large()).content.decode()
    assert "„film.pdf“ ist nicht gespeichert" in page
    assert officer.kept(draft)["titel"] == "Bleibt"


def test_what_is_far_too_large_is_turned_away_unread(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    answer = officer.client.post(
        f"/antrag/{draft.id}/anlagen/",
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(10**12),
    )
    assert answer.status_code == 413
    assert "Das war zu groß" in answer.content.decode()


def test_views_that_do_not_look_at_refused_uploads_answer_413(
    akte: Offer, officer: Person, settings: Settings
) -> None:
    settings.REQUEST_LIMIT_BYTES = 1_000
    officer.post("/leistung/akte/beginnen/", 413, datei=file(content=b"x" * 2_000))


def test_back_and_later_keep_what_was_typed(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte, **{key: ANSWERS[key] for key in ("titel", "gemeinsam")})
    where = officer.post(f"/antrag/{draft.id}/geld/", spende="7", _nach="zurueck").headers["Location"]
    assert where == f"/antrag/{draft.id}/vorhaben/"
    where = officer.post(f"/antrag/{draft.id}/geld/", spende="8,50", _nach="spaeter").headers["Location"]
    assert where == "/meine/"
    assert officer.kept(draft)["spende"] == "8.50"
    assert f"/antrag/{draft.id}/" in officer.get("/meine/")
    assert officer.client.get(f"/antrag/{draft.id}/").headers["Location"] == f"/antrag/{draft.id}/vorhaben/"


def test_steps_show_what_is_done_and_lead_there(full: Draft, officer: Person) -> None:
    page = officer.get(f"/antrag/{full.id}/geld/")
    assert 'aria-current="step"' in page
    assert f'href="/antrag/{full.id}/vorhaben/"' in page
    assert f'href="/antrag/{full.id}/pruefen/"' in page


def test_change_from_the_review_leads_back_to_the_review(full: Draft, officer: Person) -> None:
    answer = officer.post(f"/antrag/{full.id}/vorhaben/?pruefen", **FIRST)
    assert answer.headers["Location"] == f"/antrag/{full.id}/pruefen/"


def test_somebody_elses_draft_does_not_exist(full: Draft, neighbour: Person, officer: Person) -> None:
    for path in ("", "vorhaben/", "pruefen/", "verwerfen/"):
        neighbour.get(f"/antrag/{full.id}/{path}", status=404)
    for path in ("vorhaben/", "pruefen/", "verwerfen/"):
        neighbour.post(f"/antrag/{full.id}/{path}", 404, titel="Fremd")
    assert officer.kept(full)["titel"] == "Neue Akte"


def test_unknown_drafts_and_steps_are_not_found(full: Draft, officer: Person) -> None:
    officer.get(f"/antrag/{uuid4()}/vorhaben/", status=404)
    officer.get(f"/antrag/{full.id}/erfunden/", status=404)


def test_a_step_that_does_not_apply_leads_on_to_one_that_does(full: Draft, officer: Person) -> None:
    answer = officer.client.get(f"/antrag/{full.id}/partner/")
    assert answer.headers["Location"] == f"/antrag/{full.id}/pruefen/"


def test_an_incomplete_application_is_not_handed_in(akte: Offer, officer: Person, world: World) -> None:
    draft = officer.draft(akte, titel="Akte", gemeinsam=False)
    page = officer.post(f"/antrag/{draft.id}/pruefen/", 422).content.decode()
    assert "Der Antrag ist noch nicht vollständig" in page
    assert "Diesen Schritt haben Sie noch nicht abgeschlossen." in page
    assert "Antrag absenden" not in page
    shown = officer.get(f"/antrag/{draft.id}/geld/?pruefen")
    assert "<title>Fehler: Geld" in shown
    assert not cases(world)


def test_handing_in_twice_makes_one_case(full: Draft, officer: Person, world: World) -> None:
    first = officer.post(f"/antrag/{full.id}/pruefen/").headers["Location"]
    second = officer.post(f"/antrag/{full.id}/pruefen/").headers["Location"]
    assert first == second
    assert officer.client.get(f"/antrag/{full.id}/vorhaben/").headers["Location"] == first
    assert len(cases(world)) == 1


def test_handed_in_drafts_of_others_stay_unknown(full: Draft, officer: Person, neighbour: Person) -> None:
    officer.post(f"/antrag/{full.id}/pruefen/")
    neighbour.get(f"/antrag/{full.id}/pruefen/", status=404)


def test_after_the_window_nothing_is_handed_in_and_nothing_lost(
    full: Draft, officer: Person, world: World
) -> None:
    with Actor.system(world.ministry.id).acting():
        Offer.objects.filter(slug="akte").update(closes_at=timezone.now() - timedelta(minutes=1))
    page = officer.post(f"/antrag/{full.id}/pruefen/", 422).content.decode()
    assert "Der Antragszeitraum ist abgelaufen." in page
    assert "Antrag absenden" not in page
    assert not cases(world)
    assert officer.kept(full) == ANSWERS
    assert "aber nicht mehr absenden" in officer.get(f"/antrag/{full.id}/vorhaben/")


def test_a_draft_stays_on_the_version_it_began_with(full: Draft, officer: Person, world: World) -> None:
    system = Actor.system(world.ministry.id)
    files = form_package("2")
    files["formular.ui.json"] = files["formular.ui.json"].replace('"Titel"', '"Neuer Name der Frage"')
    offer_service(
        by=system, authority=world.ministry, version=publish_package(by=system, files=files), slug="akte"
    )
    assert "Neuer Name der Frage" not in officer.get(f"/antrag/{full.id}/vorhaben/")
    officer.post(f"/antrag/{full.id}/pruefen/")
    [case] = cases(world)
    with Actor.system(world.ministry.id).acting():
        assert case.application.version_id == full.version_id


def test_a_login_that_ends_while_typing_loses_nothing(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    step = f"/antrag/{draft.id}/vorhaben/"
    found = re.search(r'name="kept_for" value="([^"]+)"', officer.get(step))
    assert found
    token = unescape(found[1])
    browser = Client()
    answer = browser.post(step, {"titel": "Lange getippt", "email": "halb@", "kept_for": token})
    assert answer.headers["Location"].startswith("/anmelden/")
    assert "titel" not in officer.kept(draft)
    from rathaus.core.identity.models import Account

    browser.force_login(Account.objects.get(pk=officer.actor.account))
    page = browser.get(step).content.decode()
    assert "Ihre Eingaben sind wieder da" in page
    assert 'value="Lange getippt"' in page
    assert 'value="halb@"' in page
    assert officer.kept(draft)["titel"] == "Lange getippt"


def test_a_form_from_elsewhere_is_stopped_in_words(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = officer.client.cookies
    answer = strict.post(f"/antrag/{draft.id}/vorhaben/", {"titel": "Fremd"})
    assert answer.status_code == 403
    assert "Ihre Sitzung ist abgelaufen" in answer.content.decode()


def test_a_draft_is_thrown_away_only_on_purpose(full: Draft, officer: Person) -> None:
    assert "Entwurf verwerfen?" in officer.get(f"/antrag/{full.id}/verwerfen/")
    assert officer.kept(full)
    officer.post(f"/antrag/{full.id}/verwerfen/")
    with officer.actor.acting():
        assert not Draft.objects.exists()
    officer.get(f"/antrag/{full.id}/", status=404)


@pytest.mark.parametrize(
    "data",
    [
        {"kosten.99999.betrag": "1"},
        {"kosten.-1.betrag": "1", "kosten..betrag": "2"},
        {"add": "gibtsnicht"},
        {"remove": "kosten.x"},
        {"remove": "kosten"},
        {"titel": "x" * 60_000},
        {"email": "\x00\u202e"},
        {"gemeinsam": ["true", "false"]},
        {"partner.0": "x", "partner": "y"},
    ],
)
def test_strange_posts_get_an_answer(akte: Offer, officer: Person, data: dict[str, str]) -> None:
    draft = officer.draft(akte, **{key: ANSWERS[key] for key in ("titel", "gemeinsam")})
    for step in ("vorhaben", "geld"):
        assert officer.client.post(f"/antrag/{draft.id}/{step}/", data).status_code in (200, 302, 422)


def test_a_step_and_handing_in_take_few_statements(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte, titel="Akte", gemeinsam=True, womit="Software")
    officer.get(f"/antrag/{draft.id}/vorhaben/")  # compiles the package
    with counted() as step:
        officer.post(f"/antrag/{draft.id}/partner/", partner__0="Gemeinde Waldsolms")
    assert len(step) <= 12, step
    officer.post(f"/antrag/{draft.id}/anlagen/", anlagen=file())
    officer.post(f"/antrag/{draft.id}/geld/", **MONEY)
    officer.post(f"/antrag/{draft.id}/vorhaben/", titel="Akte", gemeinsam="true", womit="Software")
    with counted() as submit:
        officer.post(f"/antrag/{draft.id}/pruefen/")
    assert len(submit) <= 12, "\n".join(submit)


def test_steps_done_are_those_that_apply(akte: Offer, officer: Person) -> None:
    draft = officer.draft(akte, done=DONE, **ANSWERS)
    officer.post(f"/antrag/{draft.id}/vorhaben/", titel="Akte", gemeinsam="true", womit="Software")
    page = officer.get(f"/antrag/{draft.id}/pruefen/")
    assert "Partner: Diesen Schritt haben Sie noch nicht abgeschlossen." in page
