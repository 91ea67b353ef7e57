"""The pages of programmes: figures to the cent, what is to do, who may see what."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from pypdf import PdfReader
from tests.casework.conftest import World, account
from tests.web.desk.conftest import Desk, proposed, sit_down
from tests.web.desk.grant_lives import Ministry
from tests.web.desk.test_desk_statements import cost
from tests.web.queries import counted

from rathaus.casework.cases.models import Case
from rathaus.core import clock
from rathaus.core.authorities.enums import AuthorityKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import actor_of
from rathaus.domains.grants.actions.award import change_award
from rathaus.domains.grants.actions.programme import provide, set_up_measure, set_up_programme
from rathaus.domains.grants.enums import AwardKind, LineKind, PaymentState, Stage
from rathaus.domains.grants.models import Balance, Grant, Programme, Proof
from rathaus.domains.grants.queries import (
    Money,
    check_invariants,
    counts_by_stage,
    grants_page,
    lines_of_programme,
    shares,
    stage_counts,
)
from rathaus.law.money import format_amount
from rathaus.web.desk.programmes.overview import years_of
from rathaus.web.map_geometry import load_geometry

D = Decimal
HOME = "/amt/foerderung/programm/"
LISTS = ("", "aufrufe/", "antraege/", "foerderungen/", "nachweise/")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def ministry(world: World) -> Ministry:
    found = Ministry(world)
    found.provide(2025, "20000.00")
    return found


def words(html: str) -> str:
    """What is to be read, with plain blanks."""
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).replace("\xa0", " ").split())


def all_money(ministry: Ministry) -> Money:
    """Straight from the balances, in another way than the pages go."""
    with ministry.system.acting():
        return Money.of(Balance.objects.values_list("account", "amount"))


def programme(ministry: Ministry, key: str = "programm") -> Programme:
    with ministry.system.acting():
        return Programme.objects.select_related("authority").get(key=key, authority=ministry.world.ministry)


# --- figures ---


def test_the_overview_says_what_the_books_say(ministry: Ministry, clerk: Desk) -> None:
    ministry.every_stage()
    money = all_money(ministry)
    assert check_invariants(ministry.system).faults == ()
    with ministry.system.acting():
        (year,) = years_of(lines_of_programme(programme(ministry)))
    assert (
        (year.money.free, year.money.budget) == (money.free, money.budget) == (D("11999.72"), D("20000.00"))
    )
    assert year.money.committed == money.undrawn
    assert (year.money.paid, year.money.proven) == (money.paid, money.proven)
    text = words(clerk.get(HOME))
    for amount in (money.free, money.undrawn, money.paid, money.proven, money.budget):
        assert format_amount(amount).replace("\xa0", " ") in text
    assert "8 Anträge, alle bewilligt" not in text, "follow-ups are applications here, too"
    assert "1 Nachweis überfällig" in text
    assert "Stand" in text


def test_a_year_from_which_all_money_was_taken_is_no_year(ministry: Ministry) -> None:
    ministry.provide(2031, "500.00")
    ministry.provide(2031, "0.00")
    with ministry.system.acting():
        years = years_of(lines_of_programme(programme(ministry)))
    assert [year.label for year in years] == ["2025"]


def test_every_stage_is_counted_listed_and_linked(ministry: Ministry, clerk: Desk) -> None:
    found = ministry.every_stage()
    with ministry.system.acting():
        counts = stage_counts(shares(programme(ministry), clock.today()).by_stage)
        assert counts_by_stage(programme(ministry), clock.today()) == counts
    assert counts == dict.fromkeys(Stage, 1)
    page = clerk.get(HOME)
    for stage, grant in found.items():
        link = f"{HOME}foerderungen/?stand={stage}"
        assert f'href="{link}"' in page
        listed = clerk.get(link)
        assert grant.reference in listed
        assert not [
            other.reference for other in found.values() if other != grant and other.reference in listed
        ]
    proofs = clerk.get(f"{HOME}nachweise/")
    with ministry.system.acting():
        proof = Proof.objects.select_related("case").get(grant=found["pruefung"])
    shown = (found["ueberfaellig"].reference, proof.case.reference, found["nachweis"].reference)
    places = [proofs.find(reference) for reference in shown]
    assert -1 < places[0] < places[1] < places[2], "overdue ones first"
    assert found["abgeschlossen"].reference not in proofs
    assert re.search(r"Programme<span class=\"rh-count rh-count--bad\">1", clerk.get("/amt/eingang/"))


def test_money_that_came_back_has_its_own_place(ministry: Ministry, clerk: Desk) -> None:
    grant = ministry.award("1000.00")
    ministry.draw(grant, "600.00")
    with ministry.system.acting():
        change_award(
            by=ministry.system, grant=Grant.objects.select_related("call").get(id=grant.id), case=grant.case,
            kind=AwardKind.REDUCTION, by_year={2025: D("450.00")}, claimed={2025: D("150.00")}, key="kürzen",
        )  # fmt: skip
    with ministry.system.acting():
        (year,) = years_of(lines_of_programme(programme(ministry)))
    assert year.money.returned == D("150.00")
    assert year.money.released == D("400.00")
    assert year.money.budget == all_money(ministry).budget
    (fault,) = check_invariants(ministry.system).faults
    assert fault == f"Rückforderungen von {grant.id}: 0.00, gebucht 150.00.", "no case stands behind it here"
    text = words(clerk.get(HOME))
    assert "zurückgefordert 150,00 € davon noch offen: 150,00 €" in text
    assert "nicht gebraucht, freigegeben 400,00 €" in text
    assert "zurückgefordert: 150,00 €" in text, "in the flow"


def test_what_is_promised_of_a_later_year_binds_its_cash_once(ministry: Ministry) -> None:
    year = clock.today().year + 1
    ministry.provide(year, "1000.00")
    ministry.provide(year, "700.00", kind=LineKind.COMMITMENT)
    ministry.award("300.00", year=year)
    with ministry.system.acting():
        later = years_of(lines_of_programme(programme(ministry)))[-1]
    assert (later.label, later.money.committed, later.money.free) == (str(year), D("300.00"), D("700.00"))
    assert later.money.budget == D("1000.00")


def test_the_list_of_programmes_says_what_the_overview_says(ministry: Ministry, clerk: Desk) -> None:
    year = clock.today().year + 1
    ministry.provide(year, "700.00", kind=LineKind.COMMITMENT)
    ministry.award("300.00", year=year)
    ministry.draw(ministry.award("1000.00"), "600.00")
    with ministry.system.acting():
        this, later = (found.money for found in years_of(lines_of_programme(programme(ministry))))
    money = this + later
    assert (money.budget, money.awarded, money.drawn) == (D("20700.00"), D("1300.00"), D("600.00"))
    listed, overview = words(clerk.get("/amt/foerderung/")), words(clerk.get(HOME))
    for amount in (money.free, money.budget):
        assert format_amount(amount).replace("\xa0", " ") in listed
        assert format_amount(amount).replace("\xa0", " ") in overview
    for amount in (money.awarded, money.drawn):
        assert format_amount(amount).replace("\xa0", " ") in listed
    assert f"bis {year} · 1 Aufruf" in listed


def test_processing_time_is_counted_in_days_to_the_notice(
    ministry: Ministry, clerk: Desk, run_jobs: Callable[[], int]
) -> None:
    grant = ministry.award()
    run_jobs()
    with ministry.system.acting():
        Case.objects.filter(id=grant.case_id).update(opened_at=clock.now() - timedelta(days=16))
    assert "die Hälfte in 16 Tagen, 9 von 10 in 16 Tagen" in words(clerk.get(HOME))


# --- what is to do ---


def test_what_waits_for_somebody_is_on_the_list(ministry: Ministry, clerk: Desk) -> None:
    today = clock.today()
    proposal = proposed(ministry.world)
    grant = ministry.award("3000.00")
    ministry.run(ministry.draw(grant, "100.00", state=PaymentState.ORDERED))
    ministry.draw(grant, "200.00", state=PaymentState.ORDERED, number=2)
    ministry.draw(grant, "300.00", state=PaymentState.RETURNED, number=3)
    ministry.hand_in_proof(grant, on=today - timedelta(days=12))
    ministry.claim(grant, "19.44", due_on=today - timedelta(days=3))
    ministry.claim(grant, "5.00", due_on=today + timedelta(days=3))
    ministry.claim(grant, "7.00", due_on=today + timedelta(days=300))
    text = words(clerk.get(HOME))
    assert f"Freigeben: Gemeinde Lahnau {proposal.reference}" in text
    assert "Zahlungslauf Nr. 41 freigeben 1 Auszahlung 100,00 €" in text
    assert "1 Auszahlung in einen Zahlungslauf geben die älteste ist angeordnet seit heute 200,00 €" in text
    assert "1 zurückgekommene Zahlung neu anordnen" in text
    assert "1 Nachweis prüfen er liegt seit 12 Tagen" in text
    assert "Überfällig 1 Rückforderung anmahnen" in text
    assert "19,44 €" in text
    assert "1 Rückforderung erwarten" in text
    assert "12,00 €" not in text, "what is due much later is not to do"


def test_money_of_the_year_is_remembered_before_it_lapses(ministry: Ministry, clerk: Desk) -> None:
    grant = ministry.award("1000.00")
    ministry.draw(grant, "400.00")

    def on(day: date) -> str:
        with clock.living_at(datetime(day.year, day.month, day.day, 9, tzinfo=BERLIN)):
            return words(clerk.get(HOME))

    assert "an Abruf 2025 erinnern" not in on(date(2025, 9, 30))
    assert "Kommunen an Abruf 2025 erinnern 1 Jahresbetrag, sonst verfällt das Geld 600,00 €" in on(
        date(2025, 10, 1)
    )
    assert "Abruf 2025" not in on(date(2026, 1, 1))
    assert grant.reference in clerk.get(f"{HOME}foerderungen/?abruf=2025")
    assert grant.reference not in clerk.get(f"{HOME}foerderungen/?abruf=2024")


def test_nothing_to_do_says_so(ministry: Ministry, clerk: Desk) -> None:
    text = words(clerk.get(HOME))
    assert "Nichts. Alles ist erledigt." in text
    assert "Noch kein Antrag." in text


# --- map ---


def test_map_and_table_say_the_same(ministry: Ministry, clerk: Desk) -> None:
    world = ministry.world
    partner = Authority.objects.create(
        kind=AuthorityKind.MUNICIPALITY, name="Aßlar", label="Stadt Aßlar", sort_key="asslar", slug="asslar",
        ags="06532001", population=13_000,
    )  # fmt: skip
    Authority.objects.filter(id=world.lahnau.id).update(population=8_000)
    Authority.objects.filter(id=world.waldsolms.id).update(population=None)
    big = ministry.award("4200.00", partners=[partner.ags])
    small = ministry.award("100.00", party=world.waldsolms_party)
    page = clerk.get(HOME)
    text = words(page)
    assert "Gemeinde Lahnau mit Aßlar 4.200,00 € 0,20 €" in text, "its partners' people count, too"
    assert "Gemeinde Waldsolms 100,00 € – " in text
    for grant in (big, small):
        assert page.count(f'href="/amt/vorgang/{grant.reference}/"') >= 2, "in map and table"
    assert "Partner von Gemeinde Lahnau" in page
    per_head = clerk.get(f"{HOME}?karte=kopf")
    assert "0,20\xa0€ je Einwohner" in unescape(per_head)
    assert "Überfällig oder Rückforderung offen" in clerk.get(f"{HOME}?karte=stand")
    assert words(clerk.get(f"{HOME}?karte=quatsch")) == text
    Authority.objects.filter(id=world.ministry.id).update(land="BY")
    assert "GeoBasis" not in clerk.get(HOME)
    assert "4.200,00 €" in words(clerk.get(HOME))


def test_several_grants_of_a_municipality_show_the_most_urgent(ministry: Ministry, clerk: Desk) -> None:
    ministry.every_stage()
    text = words(clerk.get(HOME))
    assert "Gemeinde Lahnau 8 Vorhaben 8.000,28 €" in text
    assert re.search(r"8\.000,28 € – Nachweis überfällig", text)
    assert "foerderungen/?q=Gemeinde+Lahnau" in clerk.get(HOME)


def test_a_long_table_is_shown_whole_when_asked_for(ministry: Ministry, clerk: Desk) -> None:
    keys = [ags for ags in load_geometry("hessen").rings if ags.startswith("06635")][:14]
    for number, ags in enumerate(keys):
        town = Authority.objects.create(
            kind=AuthorityKind.MUNICIPALITY, name=f"Ort {number}", label=f"Gemeinde Ort {number}",
            sort_key=f"ort {number:02}", slug=f"ort-{number}", ags=ags,
        )  # fmt: skip
        grant = ministry.award(f"{100 + number}.00", recipient_name=town.name)
        with ministry.system.acting():
            Grant.objects.filter(id=grant.id).update(recipient=town)
    first, whole = clerk.get(f"{HOME}?karte=stand"), clerk.get(f"{HOME}?karte=stand&kommunen=alle")
    assert 'href="?karte=stand&amp;kommunen=alle#kommunen"' in first
    assert "Alle 14 Kommunen zeigen" in words(first)
    assert ("113,00 €" in words(first), "101,00 €" in words(first)) == (True, False)
    assert "101,00 €" in words(whole)
    assert "Alle 14 Kommunen" not in whole
    assert 'href="?karte=stand#kommunen"' in whole, "and back"
    for shown in (first, whole):
        assert len(re.findall(r'<path class="hot ', shown)) == 2 * 14, (
            "the map has all: the Land, and what is enlarged"
        )
        assert "1.491,00 €" in words(shown)
    assert 'href="?karte=kopf&amp;kommunen=alle#karte"' in whole, "it stays whole"


def test_persons_stand_under_their_names(ministry: Ministry, clerk: Desk) -> None:
    """Who is no authority has no shape on the map; of one name there is one row."""
    for number, name in enumerate(("Verein A", "Verein B", "Verein B")):
        grant = ministry.award(f"{100 + number}.00", recipient_name=name)
        with ministry.system.acting():
            Grant.objects.filter(id=grant.id).update(recipient=None)
    with ministry.system.acting():
        found = shares(programme(ministry), clock.today()).by_place
    assert [(share.name, share.count, share.amount, share.ags) for share in found] == [
        ("Verein A", 1, D("100.00"), ""),
        ("Verein B", 2, D("203.00"), ""),
    ]
    text = words(clerk.get(HOME))
    assert "Verein B 2 Vorhaben 203,00 €" in text
    assert "Verein A 100,00 €" in text


# --- lists ---


def test_pages_of_a_list_leave_nobody_out(ministry: Ministry) -> None:
    ministry.every_stage()
    ministry.award("110.00", party=ministry.world.waldsolms_party)
    actor, found = ministry.world.clerk, programme(ministry)
    for by_due in (False, True):
        with actor.acting():
            whole = [row.grant.id for row in grants_page(actor, found, clock.today(), by_due=by_due).rows]
            assert len(whole) == 9
            walked, after = [], None
            while True:
                page = grants_page(actor, found, clock.today(), by_due=by_due, after=after, size=2)
                walked += [row.grant.id for row in page.rows]
                after = page.after
                if after is None:
                    break
        assert walked == whole


def test_lists_are_narrowed_and_survive_nonsense(
    ministry: Ministry, clerk: Desk, run_jobs: Callable[[], int]
) -> None:
    grant = ministry.award("110.00", party=ministry.world.waldsolms_party)
    other = ministry.award("120.00")
    waiting = f"{HOME}antraege/?stand=PROCESSING"
    assert grant.reference not in clerk.get(waiting), "it is a grant by now, if not yet in the post"
    assert "Antrag: In Bearbeitung" not in clerk.get(HOME)
    open_case = proposed(ministry.world)
    assert open_case.reference in clerk.get(waiting)
    run_jobs()
    listed = clerk.get(f"{HOME}foerderungen/?q=waldsolms&aufruf=aufruf")
    assert grant.reference in listed
    assert other.reference not in listed
    assert "Keine Förderung gefunden" in clerk.get(f"{HOME}foerderungen/?q=niemand%00%27")
    for query in (
        "?stand=x&nach=1&aufruf=fremd&abruf=%C2%B2",
        "?nach=00000000-0000-7000-8000-000000000000",
        "?abruf=99999",
    ):
        for name in LISTS[1:]:
            clerk.get(f"{HOME}{name}{query}")
    text = words(clerk.get(f"{HOME}antraege/?ergebnis=granted"))
    assert grant.reference in text
    assert "Kein Antrag gefunden" in words(clerk.get(f"{HOME}antraege/?ergebnis=refused"))
    assert "Aufruf offen" not in text
    calls = words(clerk.get(f"{HOME}aufrufe/"))
    assert "Aufruf Aufruf offen ohne Frist Regeln Nr. 1 3 2 230,00 €" in calls


# --- who may ---


@pytest.fixture
def stranger(world: World) -> Desk:
    """The head of another ministry, which has a programme of its own, with the same key."""
    other = Authority.objects.create(
        kind=AuthorityKind.MINISTRY,
        name="Anderes",
        label="Anderes Ministerium",
        sort_key="anderes",
        slug="anderes",
    )
    person = account("andere@example.org")
    add_member(
        by=Actor.system(other.id), authority=other, account=person, roles=["Leitung", "Sachbearbeitung", "Freigabe"],
        function="Referatsleitung X1",
    )  # fmt: skip
    return sit_down(world, actor_of(person.pk))


ROUTES = ("", *LISTS[1:], "zahlen.csv", "bericht.pdf", "beschreibung/", "mittel/", "aufruf/")


def test_another_ministry_guessing_names_finds_nothing(ministry: Ministry, stranger: Desk) -> None:
    ministry.award()
    for name in ROUTES:
        stranger.get(f"{HOME}{name}", 404)
    for name in ROUTES[-3:]:
        stranger.post(f"{HOME}{name}", 404, titel="Gekapert", betrag="1,00", jahr="2025")
    assert programme(ministry).title == "Programm"


def test_the_same_key_at_two_ministries_does_not_mix(ministry: Ministry, stranger: Desk) -> None:
    grant = ministry.award()
    system = Actor.system(stranger.actor.staff_of)
    own = set_up_programme(by=system, authority=stranger.actor.staff_of, key="programm", title="Ihres")
    measure = set_up_measure(by=system, programme=own, key="aufruf", title="Ihre Maßnahme")
    provide(by=system, measure=measure, year=2025, amount=D("7.77"))
    for name in LISTS:
        text = words(stranger.get(f"{HOME}{name}"))
        assert "Ihres" in text
        assert grant.reference not in text
        assert "Lahnau" not in text
    assert "7,77 €" in words(stranger.get(HOME))
    assert grant.reference not in stranger.get(f"{HOME}zahlen.csv")
    assert "7,77" not in words(sit_down(ministry.world, ministry.world.clerk).get(HOME))


def test_municipalities_and_clerks_without_programmes_have_no_link(world: World, stranger: Desk) -> None:
    person = account("klein@example.org")
    add_member(
        by=Actor.system(world.lahnau.id),
        authority=world.lahnau,
        account=person,
        roles=["Leitung"],
        function="Amt",
    )
    town = sit_down(world, actor_of(person.pk))
    assert "Programme" not in words(town.get("/amt/eingang/"))
    assert "Programme" in words(stranger.get("/amt/eingang/")), "the head of a ministry may set one up"
    town.get(HOME, 404)


# --- files ---


def test_csv_has_every_cent_and_runs_no_formula(ministry: Ministry, clerk: Desk) -> None:
    ministry.every_stage()
    evil = ministry.award("101.00", title='=HYPERLINK("http://böse")', recipient_name="@Gemeinde;\r\n+1")
    answer = clerk.client.get(f"{HOME}zahlen.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 9

    def total(column: str) -> Decimal:
        return sum((D(row[column].replace(",", ".")) for row in rows), D(0))

    money = all_money(ministry)
    assert total("Bewilligt") == money.awarded
    assert total("Gebunden") == money.open
    assert total("Ausgezahlt (Nachweis offen)") == money.paid
    assert total("Nachgewiesen") == money.proven
    assert total("Ausgezahlt insgesamt") == money.paid_out
    (found,) = [row for row in rows if row["Vorgang"] == evil.reference]
    assert found["Vorhaben"] == '\'=HYPERLINK("http://böse")'
    assert found["Kommune"] == "'@Gemeinde; +1"
    assert {row["Stand"] for row in rows} == {stage.label for stage in Stage}


def test_the_report_can_be_read_and_adds_up(ministry: Ministry, clerk: Desk) -> None:
    ministry.every_stage()
    Authority.objects.filter(id=ministry.world.lahnau.id).update(region="Gießen")
    answer = clerk.client.get(f"{HOME}bericht.pdf")
    reader = PdfReader(io.BytesIO(answer.content))
    assert len(reader.pages) <= 2
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\xa0", " ").split())
    money = all_money(ministry)
    for amount in (money.free, money.undrawn, money.paid, money.proven):
        assert format_amount(amount).replace("\xa0€", "") in text
    assert "8 Vorhaben in 1 Kommune sind bewilligt" in text
    assert "Gießen 1 8 8.000,28 €" in text
    assert "Nachweis überfällig 1 1.000,03 €" in text


def test_the_report_of_an_empty_programme(ministry: Ministry, clerk: Desk) -> None:
    set_up_programme(
        by=ministry.system, authority=ministry.world.ministry.id, key="leer", title="Leer #x $y$"
    )
    assert clerk.client.get("/amt/foerderung/leer/bericht.pdf").content.startswith(b"%PDF")
    assert "Noch keine Mittel" in clerk.get("/amt/foerderung/leer/")
    assert "Leer #x" in words(clerk.get("/amt/foerderung/"))


# --- statements ---


def test_pages_cost_few_statements_however_many_grants_there_are(ministry: Ministry, clerk: Desk) -> None:
    ministry.every_stage()
    ministry.award(partners=[ministry.world.waldsolms.ags])
    few = {}
    for name in LISTS:
        clerk.get(f"{HOME}{name}")
        few[name] = cost(clerk, f"{HOME}{name}")
    assert max(few.values()) <= 12, few
    ministry.every_stage()
    assert {name: cost(clerk, f"{HOME}{name}") for name in LISTS} == few
    assert cost(clerk, "/amt/foerderung/") <= 9
    assert cost(clerk, f"{HOME}zahlen.csv") <= 7
    with counted() as statements:
        clerk.client.get(f"{HOME}bericht.pdf")
    assert len(statements) <= 8


def test_all_addresses_are_reachable(clerk: Desk) -> None:
    assert reverse("desk:programme", args=["programm"]) == HOME
    assert f'href="{HOME}"' in clerk.get("/amt/foerderung/")
    page = clerk.get(HOME)
    for name in LISTS[1:]:
        assert f'href="{HOME}{name}"' in page
