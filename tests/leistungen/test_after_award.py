"""After the award, with the packages of the product: every refusal with its reason, changes, and what letters say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.casework.conftest import World, committed_world, world
from tests.casework.test_races import at_once
from tests.domains.lives import Lives, on

from rathaus.casework.cases.actions.corrections import begin_correction
from rathaus.casework.cases.actions.drafts import begin_draft, save_draft
from rathaus.casework.cases.actions.remedies import note_remedy, settle_remedy
from rathaus.casework.cases.actions.submission import InvalidAnswers, submit_draft
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.actions.withdrawal import withdraw_application
from rathaus.casework.cases.models import Case, Finding, Notice
from rathaus.casework.services.operations import Refused
from rathaus.core.identity.actors import NotAllowed
from rathaus.domains.grants.actions.closing import release_rest
from rathaus.domains.grants.models import Award, Claim, Drawdown, Payment, Proof
from rathaus.web.desk.panels import open_panel

__all__ = ["committed_world", "world"]


@pytest.fixture
def lives(world: World) -> Lives:
    return Lives.make(world)


def awarded(lives: Lives, **more: Any) -> Case:
    with on("2022-01-10"):
        case = lives.award("180000", "200000", **more)
        lives.waive(case)
    return case


def nothing_stored(lives: Lives, model: Any = Drawdown) -> None:
    with lives.w.clerk.acting():
        assert not model.objects.exists()
        assert not Case.objects.exclude(about=None).exists()


# --- Mittelabruf: refused with its reason, and nothing is stored ---


@pytest.mark.parametrize(
    ("day", "request_", "reason"),
    [
        ("2022-02-01", {"amount": "90000.01"}, "Aus 2022 sind noch 90.000,00\xa0€ abrufbar, beantragt sind 90.000,01"),
        ("2022-02-01", {"amount": "500000"}, "Aus 2022 sind noch 90.000,00"),
        ("2022-02-01", {"amount": "1", "year": 2023}, "Das Geld für 2023 können Sie ab dem 1. Januar 2023 abrufen"),
        ("2023-02-01", {"amount": "1", "year": 2022}, "Das Geld für 2022 war bis Ende 2022 abzurufen"),
        ("2023-07-01", {"amount": "1"}, "Bewilligungszeitraum endete am 30.\xa0Juni 2023"),
        ("2022-12-04", {"amount": "1"}, "Der letzte Tag für Abrufe aus 2022 war der 3.\xa0Dezember 2022"),
        ("2022-02-01", {"amount": "1", "final": True}, "wenn der Verwendungsnachweis geprüft ist"),
        ("2022-02-01", {"amount": "1", "used": "5"}, "noch keine Rate bekommen"),
        ("2024-07-01", {"amount": "1", "final": True}, "Verwendungsnachweis war bis 30.\xa0Juni 2024 fällig"),
    ],
)  # fmt: skip
def test_a_request_is_refused_with_its_reason(
    lives: Lives, day: str, request_: dict[str, Any], reason: str
) -> None:
    case = awarded(lives)
    with on(day), pytest.raises(Refused) as refused:
        lives.request(case, **request_)
    assert reason in str(refused.value)
    nothing_stored(lives)
    lives.sound()


def test_nothing_before_the_notice_is_final_and_nothing_while_a_remedy_runs(lives: Lives) -> None:
    with on("2022-01-10"):
        case = lives.award("180000", "200000")
        with pytest.raises(Refused, match=r"bestandskräftig ist\. Das ist er ab dem 15\.\xa0Februar 2022"):
            lives.request(case, "1")
    with on("2022-02-14"), pytest.raises(Refused, match="bestandskräftig"):
        lives.request(case, "1")
    with lives.w.clerk.acting():
        notice = Notice.objects.get(case=case)
    with on("2022-02-10"):
        remedy = note_remedy(by=lives.w.clerk, notice=notice.id, kind="action", received_on=date(2022, 2, 10))
    with (
        on("2022-03-01"),
        pytest.raises(Refused, match=r"bestandskräftig ist\. Über den Rechtsbehelf ist noch nicht"),
    ):
        lives.request(case, "1")
    nothing_stored(lives)
    with on("2022-03-02"):
        settle_remedy(by=lives.w.clerk, remedy=remedy.id, settled_on=date(2022, 3, 1), result="withdrawn")
    with on("2022-03-03"):
        lives.draw(case, "1")


def test_a_remedy_that_comes_after_the_request_stops_the_release(lives: Lives) -> None:
    with on("2022-01-10"):
        case = lives.award("180000", "200000")
        with lives.w.clerk.acting():
            notice = Notice.objects.get(case=case)
    with on("2022-02-15"):
        requested = lives.request(case, "100")
        note_remedy(by=lives.w.clerk, notice=notice.id, kind="action", received_on=date(2022, 2, 14))
        with pytest.raises(Refused, match="Seit dem Antrag hat sich etwas geändert: Geld gibt es erst"):
            lives.decide(requested, "100")
    with lives.w.clerk.acting():
        assert not Payment.objects.exists()
    assert lives.w.task(requested).title == "Freigeben"


def test_nothing_before_the_period_begins(lives: Lives) -> None:
    case = awarded(lives, begins="2022-03-01")
    with on("2022-02-28"), pytest.raises(Refused, match=r"Bewilligungszeitraum beginnt am 1\.\xa0März 2022"):
        lives.request(case, "1")
    with on("2022-03-01"):
        lives.draw(case, "1")


def test_no_more_than_the_award_over_all_rates(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-02-01"):
        lives.draw(case, "60000")
        with pytest.raises(Refused, match=r"noch 30\.000,00\xa0€ abrufbar"):
            lives.request(case, "30000.01")
        lives.draw(case, "30000")
        with pytest.raises(Refused, match=r"noch 0,00\xa0€ abrufbar"):
            lives.request(case, "0.01")
    lives.sound()


def test_the_last_rate_is_kept_back(world: World) -> None:
    lives = Lives.make(world, einbehalt_prozent=10, budgets={2022: "500000"})
    case = awarded(lives, years={2022: "180000"})
    with on("2022-02-01"):
        with pytest.raises(
            Refused, match=r"behalten wir 18\.000,00\xa0€ ein\. Abrufbar sind jetzt noch 162\.000,00"
        ):
            lives.request(case, "162000.01")
        lives.draw(case, "162000")
        with pytest.raises(Refused, match=r"jetzt noch 0,00"):
            lives.request(case, "1")


def test_earlier_rates_are_reported_and_used_in_time(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-02-01"):
        lives.draw(case, "50000")
        lives.pay()
    with on("2022-03-01"):
        with pytest.raises(Refused, match=r"bisher 50\.000,00\xa0€ bekommen\. Melden Sie"):
            lives.request(case, "1")
        with pytest.raises(Refused, match="mehr kann nicht verwendet sein"):
            lives.request(case, "1", used="50000.01")
        with pytest.raises(Refused, match="nicht in der Zukunft"):
            lives.request(case, "1", used="50000", used_on="2022-03-02")
        lives.draw(case, "1", used="20000")
    with (
        on("2022-04-02"),
        pytest.raises(Refused, match=r"30\.000,00\xa0€ nicht verwendet.* am 1\.\xa0April 2022 endete"),
    ):
        lives.request(case, "1", used="20000")
    with on("2022-04-02"):
        lives.draw(case, "1", used="50000", used_on="2022-04-01")


def test_an_open_claim_stops_payments(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-02-01"):
        lives.draw(case, "50000")
        lives.pay()
        claimed = lives.claim(case, "1000", reason="widerruf", rest_entfaellt=False)
        with pytest.raises(Refused, match="Rückforderung offen, fällig am"):
            lives.request(case, "1", used="50000")
        with lives.w.clerk.acting():
            assert Claim.objects.get(case=claimed).amount == Decimal("1000.00")
        lives.receive(claimed, "1000")
        lives.draw(case, "1", used="50000")
    lives.sound()


def test_a_closed_or_overdue_grant_pays_nothing(lives: Lives) -> None:
    case = awarded(lives, ends="2022-12-31", years={2022: "180000"})
    with on("2022-02-01"):
        lives.draw(case, "180000")
        lives.pay()
        lives.prove(case, "200000")
        with pytest.raises(Refused, match="abgeschlossen"):
            lives.request(case, "1", used="180000")
        with pytest.raises(Refused, match="kein Nachweis erwartet"):
            lives.hand_in_proof(case, "1")
        with pytest.raises(Refused, match="abgeschlossen"):
            lives.ask_for_change(case, "Zeitraum", ende="2023-12-31")


def test_a_wrong_account_number_is_told_in_the_form_already(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-02-01"), pytest.raises(InvalidAnswers, match="iban"):
        lives.request(case, "1", iban="DE02120300000000202052")
    nothing_stored(lives)


def test_one_request_at_a_time_and_the_next_after_a_refusal_or_withdrawal(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-02-01"):
        first = lives.request(case, "1000")
        with pytest.raises(Refused, match="letzten Mittelabruf ist noch nicht entschieden"):
            lives.request(case, "2")
        lives.decide(first, None, outcome="refused", reasons="Das Geld wird noch nicht gebraucht.")
        text = lives.letter(first)
        assert "wir zahlen die Rate von 1.000,00 Euro, die Sie abgerufen haben, nicht aus." in text
        assert "Abrufbar sind noch 180.000,00 €." in text
        assert "Das Geld wird noch nicht gebraucht." in text
        second = lives.request(case, "3")
        withdraw_application(by=lives.officer, case=lives.fresh(second))
        third = lives.draw(case, "4")
    assert [lives.drawdown(one).state for one in (first, second, third)] == ["refused", "refused", "ordered"]
    assert [lives.drawdown(one).number for one in (first, second, third)] == [1, 2, 3]


def test_four_eyes_and_less_than_was_asked_for(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-02-01"):
        drawn = lives.request(case, "1000")
        proposal = {"ergebnis": "granted", "betrag": Decimal("1000.00"), "begruendung": "Gut."}
        task = lives.w.task(drawn)
        complete_task(by=lives.w.approver, task=task.id, answers=proposal)
        with pytest.raises(NotAllowed):
            complete_task(by=lives.w.approver, task=lives.w.task(drawn).id, answers={"freigegeben": True})
        withdraw_application(by=lives.officer, case=lives.fresh(drawn))
        less = lives.draw(case, "1000", decided="600")
    assert lives.payment(less).amount == Decimal("600.00")
    assert lives.money(case).ordered == Decimal("600.00")
    assert lives.fresh(less).outcome == ""  # told when the money is on its way
    with on("2022-02-02"):
        lives.pay()
    assert lives.fresh(less).outcome == "partly"
    lives.sound()


def test_the_form_begins_with_what_is_known(lives: Lives) -> None:
    case = awarded(lives, plan=[("Software", "120000"), ("Schulung", "80000")])
    with on("2022-02-01"):
        lives.draw(case, "50000")
        lives.pay()

    def begun(key: str) -> dict[str, Any]:
        return dict(
            begin_draft(
                by=lives.officer, offer=lives.offers[key], party=lives.w.lahnau_party.id, about=lives.fresh(case)
            ).answers
        )  # fmt: skip

    with on("2022-03-01"):
        assert begun("mittelabruf") == {
            "haushaltsjahr": 2022,
            "schon_ausgezahlt": True,
            "iban": "DE89370400440532013000",
            "inhaber": "Gemeinde Lahnau",
        }
        assert begun("verwendungsnachweis") == {
            "zeilen": [
                {"wofuer": "Software", "geplant": "120000.00"},
                {"wofuer": "Schulung", "geplant": "80000.00"},
            ]
        }
        assert begun("aenderungsantrag") == {
            "kosten": [
                {"art": "Software", "wofuer": "Software", "betrag": "120000.00"},
                {"art": "Software", "wofuer": "Schulung", "betrag": "80000.00"},
            ],
            "dritte": "0.00",
            "ende": "2023-06-30",
            "jahre": [{"jahr": 2022, "betrag": "90000.00"}, {"jahr": 2023, "betrag": "90000.00"}],
        }


# --- twice with one click, on real connections ---


def test_twice_with_one_click_is_one_request(committed_world: World) -> None:
    lives = Lives.make(committed_world)
    case = awarded(lives)
    answers = {
        "haushaltsjahr": 2022, "schlussrate": False, "betrag": "90000.00", "bedarf": "Rechnungen",
        "schon_ausgezahlt": False, "iban": "DE89370400440532013000", "inhaber": "Gemeinde", "richtig": True,
    }  # fmt: skip

    def begun() -> Any:
        draft = begin_draft(
            by=lives.officer, offer=lives.offers["mittelabruf"], party=lives.w.lahnau_party.id,
            about=lives.fresh(case),
        )  # fmt: skip
        return save_draft(by=lives.officer, draft=draft, answers=answers)

    def handed_in(draft: Any) -> Callable[[], Any]:
        def work() -> Any:
            with on("2022-02-01"):
                return submit_draft(by=lives.officer, draft=draft.id)

        return work

    with on("2022-02-01"):
        first, other = begun(), begun()
    one, two = at_once(handed_in(first), handed_in(first))
    assert one == two
    withdraw_application(by=lives.officer, case=lives.fresh(one))
    with on("2022-02-01"):
        third = begun()
    results = at_once(handed_in(other), handed_in(third))
    assert sorted(type(found).__name__ for found in results) == ["Case", "Refused"]
    with lives.w.clerk.acting():
        assert Drawdown.objects.filter(state="requested").count() == 1
        assert Case.objects.exclude(about=None).count() == 2
    lives.sound()


# --- Verwendungsnachweis ---


@pytest.mark.parametrize(
    ("vouchers", "reason"),
    [
        ([("2022-02-01", "99.99")], r"Die Belege ergeben 99,99\xa0€, die Ausgaben 100,00\xa0€\. Der Unterschied ist 0,01"),
        ([("2021-12-31", "100")], r"Beleg 1 vom 31\.\xa0Dezember 2021 liegt außerhalb"),
        ([("2022-02-01", "40"), ("2023-07-01", "60")], r"Beleg 2 vom 1\.\xa0Juli 2023 liegt außerhalb"),
        ([("2023-06-30", "100")], "liegt in der Zukunft"),
    ],
)  # fmt: skip
def test_vouchers_must_fit(lives: Lives, vouchers: list[tuple[str, str]], reason: str) -> None:
    case = awarded(lives)
    with on("2023-03-01" if "Zukunft" in reason else "2023-09-01"), pytest.raises(Refused, match=reason):
        lives.hand_in_proof(case, "100", vouchers=vouchers)
    nothing_stored(lives, Proof)


def test_one_final_proof_at_a_time_and_another_after_a_refusal(lives: Lives) -> None:
    case = awarded(lives)
    with on("2023-09-01"):
        first = lives.hand_in_proof(case, "100")
        with pytest.raises(Refused, match="liegt uns schon vor"):
            lives.hand_in_proof(case, "200")
        withdraw_application(by=lives.officer, case=lives.fresh(first))
        second = lives.hand_in_proof(case, "100", items=[("Scanner", "2022-04-01", "1890")])
        lives.found_complete(second)
        lives.decide(second, None, outcome="refused", reasons="Es fehlt die Belegliste.")
        text = lives.letter(second)
        assert "wir erkennen Ihren Nachweis nicht an. Reichen Sie einen neuen ein." in text
        with lives.w.clerk.acting():
            assert not lives.grant(case).items.exists()
        lives.prove(case, "200000", vouchers=[("2022-04-01", "200000")])
    assert [lives.proof(one).state for one in (first, second)] == ["rejected", "rejected"]


def test_corrected_figures_are_computed_again(lives: Lives) -> None:
    case = awarded(lives)
    with on("2023-09-01"):
        proof = lives.hand_in_proof(case, "100000")
        assert lives.proof(proof).due == Decimal("90000.00")
        asked = {"vollstaendig": False, "nachricht": "Bitte prüfen Sie die Summe.", "korrektur": True}
        complete_task(by=lives.w.clerk, task=lives.w.task(proof).id, answers=asked)
        draft = begin_correction(by=lives.officer, case=lives.fresh(proof))
        rows = [{"wofuer": "Software", "betrag": "120000.00"}]
        save_draft(by=lives.officer, draft=draft, answers={**draft.answers, "zeilen": rows})
        submit_draft(by=lives.officer, draft=draft.id)
        assert (lives.proof(proof).spent, lives.proof(proof).due) == (Decimal(120000), Decimal(108000))
        lives.found_complete(proof)
        lives.decide(proof, "120000")
        text = lives.letter(proof)
    assert "wir erkennen Ausgaben von 120.000,00 Euro an." in text
    assert "Ihnen steht eine Zuwendung von 108.000,00 Euro zu." in text
    lives.sound()


def test_findings_say_what_the_clerk_must_look_at(lives: Lives) -> None:
    case = awarded(lives, plan=[("Software", "120000"), ("Schulung", "80000")])
    with on("2024-07-01"):
        proof = lives.hand_in_proof(case, [("Software", "150000"), ("Schulung", "40000")])
        with lives.w.clerk.acting():
            found = {f.rule: (f.result, f.title) for f in Finding.objects.filter(case=proof)}
    assert found["frist"] == ("hint", "Nachweis zu spät")
    assert found["ueberschreitung_1"] == ("hint", "Mehr ausgegeben: Software")
    assert found["ergebnis"][1] == "Zuwendung nach Nachweis"


# --- Änderungsantrag ---


def test_a_longer_period_moves_every_date_and_says_so(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-09-05"):
        changed = lives.change(case, "Zeitraum", amount="180000", ende="2023-12-31")
        text = lives.letter(changed)
    assert "Änderungsbescheid" in text
    assert "Jetzt gilt Fassung 2 mit einer Zuwendung von 180.000,00 Euro." in text
    assert "Ende des Bewilligungszeitraums 30. Juni 2023 31. Dezember 2023" in text
    assert "Der Verwendungsnachweis ist bis 31. Dezember 2024 fällig." in text
    grant = lives.grant(case)
    assert (grant.ends_on, grant.proof_due_on) == (date(2023, 12, 31), date(2024, 12, 31))
    with lives.w.clerk.acting():
        versions = list(Award.objects.filter(grant=grant).order_by("number"))
    assert [(v.number, v.ends_on) for v in versions] == [(1, date(2023, 6, 30)), (2, date(2023, 12, 31))]
    assert all(version.notice_id for version in versions)
    with on("2023-08-01"):
        lives.draw(case, "100")
    lives.sound()


def test_money_moves_to_another_year_as_the_form_suggests(world: World) -> None:
    lives = Lives.make(world, budgets={2022: "500000", 2023: "500000", 2024: "30000"})
    case = awarded(lives, years={2022: "90000", 2023: "90000"}, ends="2023-12-31")
    years = [
        {"jahr": 2022, "betrag": "90000.00"},
        {"jahr": 2023, "betrag": "60000.00"},
        {"jahr": 2024, "betrag": "30000.00"},
    ]
    with on("2022-09-05"):
        asked = lives.ask_for_change(case, "Zeitraum", "Jahresbeträge", ende="2024-06-30", jahre=years)
        with lives.w.clerk.acting():
            task, fresh = lives.w.task(asked), lives.fresh(asked)
            panel = open_panel(task, fresh, today=date(2022, 9, 5))
        assert [(year.label, year.text) for year in panel.years] == [
            ("davon 2022", "90.000,00"), ("davon 2023", "60.000,00"), ("davon 2024", "30.000,00"),
        ]  # fmt: skip
        lives.decide(asked, "180000", years={2022: "90000", 2023: "60000", 2024: "30000"})
        text = lives.letter(asked)
    assert "Haushaltsjahr 2023 90.000,00 € 60.000,00 €" in text
    assert "Haushaltsjahr 2024 0,00 € 30.000,00 €" in text
    assert lives.money(case).released == Decimal("30000.00")
    lives.sound()


def test_more_money_only_as_far_as_there_is_any(world: World) -> None:
    lives = Lives.make(world, budgets={2022: "200000"})
    case = awarded(lives, years={2022: "180000"}, ends="2022-12-31")
    more = {
        "kosten": [{"art": "Software", "wofuer": "Software", "betrag": "240000.00"}],
        "dritte": "0.00",
        "jahre": [{"jahr": 2022, "betrag": "216000.00"}],
    }
    with on("2022-09-05"):
        with pytest.raises(
            Refused, match=r"Ihre Ausgaben von 200\.000,00\xa0€ wären kleiner als die Zuwendung von 216"
        ):
            lives.ask_for_change(case, "Jahresbeträge", jahre=more["jahre"])
        asked = lives.ask_for_change(case, "Ausgaben", "Jahresbeträge", **more)
        with pytest.raises(
            Refused, match=r"Die Mittel 2022 reichen nicht: 20\.000,00\xa0€ sind frei, 36\.000,00"
        ):
            lives.decide(asked, "216000", years={2022: "216000"})
        assert lives.grant(case).amount == Decimal("180000.00")
        complete_task(
            by=lives.w.approver, task=lives.w.task(asked).id, answers={"freigegeben": False, "grund": "Weniger."}
        )  # fmt: skip
        with pytest.raises(Refused, match="Die Jahresbeträge ergeben"):
            lives.decide(asked, "200000", outcome="partly", years={2022: "180000"})
        complete_task(
            by=lives.w.approver, task=lives.w.task(asked).id, answers={"freigegeben": False, "grund": "Falsch."}
        )  # fmt: skip
        lives.decide(asked, "200000", outcome="partly", years={2022: "200000"})
        text = lives.letter(asked)
    assert "Zuwendung 180.000,00 € 200.000,00 €" in text
    assert "Zuwendungsfähige Ausgaben 200.000,00 € 240.000,00 €" in text
    assert "Im Übrigen lehnen wir Ihren Antrag ab." in text
    assert (lives.grant(case).amount, lives.money(case).open) == (Decimal(200000), Decimal(200000))
    lives.sound()


def test_a_refused_change_changes_nothing(lives: Lives) -> None:
    case = awarded(lives, partners=["06532022"])
    with on("2022-09-05"):
        with pytest.raises(Refused, match="liegt nicht nach dem Beginn"):
            lives.ask_for_change(case, "Zeitraum", ende="2022-01-01")
        asked = lives.ask_for_change(case, "Partner", partner=["06532015"])
        lives.decide(asked, None, outcome="refused", reasons="Ohne Waldsolms entfällt der Zweck.")
        assert "wir lehnen Ihren Antrag auf Änderung ab." in lives.letter(asked)
        assert lives.grant(case).partners == ["06532022"]
        with lives.w.clerk.acting():
            assert Award.objects.count() == 1
        changed = lives.change(case, "Partner", amount="180000", partner=["06532022", "06532015"])
        assert "Ihre Partner sind jetzt: Gemeinde Waldsolms und Gemeinde Lahnau." in lives.letter(changed)
    assert lives.grant(case).partners == ["06532022", "06532015"]


def test_what_nobody_drew_is_released_and_an_empty_grant_closes(lives: Lives) -> None:
    case = awarded(lives)
    with on("2022-06-01"):
        assert release_rest(by=lives.w.approver, grant=lives.grant(case).id, year=2023) == Decimal("90000.00")
        assert lives.grant(case).state == "running"
        release_rest(by=lives.w.approver, grant=lives.grant(case).id)
    assert (lives.grant(case).state, lives.grant(case).amount) == ("closed", Decimal("0.00"))
    lives.sound()


# --- Zuwendungsbescheid ---


@pytest.mark.parametrize(
    ("financing", "cost", "words"),
    [
        ("anteil", "200000", "Anteilfinanzierung): Geben Sie weniger aus oder kommt anderes Geld dazu, sinkt sie im"),
        ("fehlbedarf", "200000", "Fehlbedarfsfinanzierung): Sie deckt, was Ihre eigenen und andere Mittel nicht decken."),
        ("festbetrag", "200000", "Festbetragsfinanzierung): Sie bleibt gleich, auch wenn Sie weniger ausgeben."),
        ("voll", "180000", "Vollfinanzierung): Sie deckt alle zuwendungsfähigen Ausgaben."),
    ],
)  # fmt: skip
def test_the_notice_says_its_financing_in_words(world: World, financing: str, cost: str, words: str) -> None:
    lives = Lives.make(
        world, finanzierungsart=financing, bagatelle="1000.00", einbehalt_prozent=5, letzter_abruf="12-18"
    )
    with on("2022-01-10"):
        text = lives.letter(lives.award("180000", cost))
    for said in (
        words,
        "Höher wird sie nicht, auch wenn das Vorhaben teurer wird. Bis 1.000,00 € unterbleibt eine Minderung.",
        "was Sie innerhalb von zwei Monaten ausgeben, in jedem Haushaltsjahr bis zum 18. Dezember.",
        "oder sofort, wenn Sie im Portal darauf verzichten",
        "Die letzten fünf Prozent zahlen wir",
        "fünf Jahre lang für den Zweck",
        "innerhalb von vier Monaten einen Zwischennachweis",
        "Verwendungsnachweis bis 30. Juni 2024",
        "2022 90.000,00 € 2023 90.000,00 €",
        "Klage erheben",
    ):
        assert said in text, said


def test_full_financing_leaves_no_own_share(world: World) -> None:
    lives = Lives.make(world, finanzierungsart="voll")
    with on("2022-01-10"):
        case = lives.apply("180000", "200000")
        lives.found_complete(case)
        with pytest.raises(Refused, match=r"Bei Vollfinanzierung gibt es keinen Eigenanteil.*20\.000,00"):
            lives.decide(case, "180000", years={2022: "90000", 2023: "90000"})
