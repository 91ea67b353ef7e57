"""Claims from the hearing to the last euro: refused where the law refuses, interest to the cent, books that hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import default_storage
from tests.casework.conftest import World, run_waiting_jobs
from tests.domains.claim_world import IBAN, Place, on
from tests.leistungen.letters import text_of

from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.actions.timers import fire_timers
from rathaus.casework.cases.models import Case, Message, Notice
from rathaus.casework.services.operations import Refused
from rathaus.core.audit.models import Event
from rathaus.core.files.actions import path_of
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.domains.grants.actions.interest import base_rates, enter_base_rate
from rathaus.domains.grants.actions.receipts import agree_instalments, open_principal, record_receipt, waive
from rathaus.domains.grants.models import Award, Claim, Instalment
from rathaus.law.iban import format_iban

SAID = "Nach dem Verwendungsnachweis sind nicht alle Ausgaben belegt."


@pytest.fixture
def place(world: World) -> Place:
    with on("2023-01-02"):
        return Place.make(world)


def letter(p: Place, case: Case) -> str:
    with p.w.lahnau_officer.acting():
        notice = Notice.objects.select_related("document").get(case=case)
    with default_storage.open(path_of(notice.document.sha256), "rb") as stored:
        return text_of(stored.read())


def drawn(p: Place, amount: str = "10000.00", **more: Any) -> Case:
    with on("2023-01-10"):
        case = p.granted(amount=amount, cost="20000.00", **more)
    with on("2023-03-01"):
        p.drawn(case, amount=amount, year=2023)
    return case


def claimed(p: Place, about: Case, *, amount: str = "10000.00", **answers: Any) -> Case:
    """Opened, heard, decided and notified in March and April 2025."""
    offer = p.leistung("rueckforderung")
    with on("2025-03-03"):
        given = {
            "grund": "widerruf",
            "betrag": amount,
            "rest_entfaellt": True,
            "sachverhalt": SAID,
            **answers,
        }
        case = p.opened(offer, about, **given)
        answer_request(by=p.w.lahnau_officer, case=case, body="Wir bedauern das.")
    with on("2025-04-01"):
        p.decide(case, amount=amount)
    return case


def owed(p: Place, case: Case) -> Decimal:
    with p.w.clerk.acting():
        return open_principal(Claim.objects.get(case=case))


def state(p: Place, case: Case) -> str:
    with p.w.clerk.acting():
        return Case.objects.get(id=case.id).state


def test_interest_of_two_and_a_half_years_to_the_cent(place: Place) -> None:
    p = place
    about = drawn(p)
    case = claimed(p, about, zinsen_ab="2023-04-01")
    text = letter(p, case)
    assert "Sie erstatten uns 10.000,00 Euro." in text
    assert f"auf das Konto {format_iban(IBAN)} (Land Hessen)" in text
    assert "5 Prozentpunkten über dem Basiszinssatz" in text
    assert "§ 49 Abs. 3 HVwVfG" in text
    assert "Ihre Äußerung vom 3. März 2025 haben wir" in text
    assert "Zahlen Sie 10.000,00 € bis zum 1. Mai 2025" in text
    assert "Klage erheben" in text
    claim = p.claim(case)
    with on("2025-10-01"):
        record_receipt(
            by=p.w.clerk, claim=claim.id, amount=Decimal("10000.00"), on=date(2025, 10, 1), reference="K1"
        )
    claim = p.claim(case)
    assert claim.interest == Decimal("1944.69")
    assert claim.interest_until == date(2025, 9, 30)
    assert [row["amount"] for row in claim.steps] == [
        "165.05", "409.34", "429.82", "421.94", "360.51", "158.04", "1944.69",
    ]  # fmt: skip
    assert p.interest(about, "interest_due") == Decimal("1944.69")
    assert state(p, case) != "COMPLETED"
    with p.w.lahnau_officer.acting():
        last = Message.objects.filter(case=case).order_by("-id")[0].body
    assert "Zinsen von 1.944,69" in last
    assert "bis zum 31.\xa0Oktober 2025" in last
    with on("2025-10-20"):
        for reference, amount in (("K2", "1900.00"), ("K3", "44.69")):
            record_receipt(
                by=p.w.clerk,
                claim=claim.id,
                amount=Decimal(amount),
                on=date(2025, 10, 20),
                reference=reference,
            )
    run_waiting_jobs()
    assert p.claim(case).settled_on == date(2025, 10, 20)
    assert state(p, case) == "COMPLETED"
    assert p.money(about).recovered == Decimal("10000.00")
    assert p.interest(about, "interest_paid") == Decimal("1944.69")
    p.sound()


def test_interest_ends_with_the_last_day_whatever_is_booked_last(place: Place) -> None:
    p = place
    case = claimed(p, drawn(p), zinsen_ab="2023-04-01")
    claim = p.claim(case)
    with on("2025-10-01"):
        for reference, amount, day in (("K1", "4000.00", 1), ("K2", "6000.00", 0)):
            record_receipt(
                by=p.w.clerk, claim=claim.id, amount=Decimal(amount), reference=reference,
                on=date(2025, 9, 30) + timedelta(days=day),
            )  # fmt: skip
    assert p.claim(case).interest_until == date(2025, 9, 30)


def test_nothing_is_claimed_before_the_hearing_is_over(place: Place) -> None:
    p = place
    about = drawn(p)
    offer = p.leistung("rueckforderung", anhoerung_tage=14)
    with on("2025-03-03"):
        case = p.opened(
            offer, about, grund="widerruf", betrag="500.00", rest_entfaellt=True, sachverhalt=SAID
        )
        with p.w.lahnau_officer.acting():
            asked = Message.objects.get(case=case)
        assert asked.answer_until == date(2025, 3, 17)
        assert SAID in asked.body
        assert "500,00\xa0€ zurückfordern" in asked.body
        assert p.tasks(case) == 0
    with on("2025-03-17"):
        fire_timers(by=Actor.system(p.w.ministry.id))
        run_waiting_jobs()
        assert p.tasks(case) == 0
        with p.w.clerk.acting():
            assert not Claim.objects.exists()
    with on("2025-03-18"):
        fire_timers(by=Actor.system(p.w.ministry.id))
        run_waiting_jobs()
        p.decide(case, amount="400.00")
    assert "Sie haben sich nicht geäußert." in letter(p, case)
    assert p.claim(case).amount == Decimal("400.00")
    with p.w.clerk.acting():
        version = Award.objects.get(case=case)
        assert version.notice == Notice.objects.get(case=case)
        assert (version.number, version.amount) == (2, Decimal("9600.00"))
    p.sound()


def test_more_than_was_heard_is_not_decided(place: Place) -> None:
    p = place
    about = drawn(p)
    offer = p.leistung("rueckforderung")
    with on("2025-03-03"):
        case = p.opened(offer, about, grund="widerruf", betrag="5.00", rest_entfaellt=False, sachverhalt=SAID)
        answer_request(by=p.w.lahnau_officer, case=case, body="Nein.")
        with pytest.raises(Refused, match="Mehr kann nicht"):
            p.decide(case, amount="5.01")
    with p.w.clerk.acting():
        assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"grund": "widerruf", "betrag": "10000.01", "rest_entfaellt": True}, r"Ausgezahlt sind 10\.000,00"),
        ({"grund": "widerruf", "betrag": "0.00", "rest_entfaellt": True}, "nichts mehr offen"),
        ({"grund": "nachweis", "betrag": "1.00"}, "noch 0,00"),
        (
            {"grund": "verspaetet", "betrag": "1.00", "ausgezahlt_am": "2023-03-01", "verwendet_am": "2023-05-01"},
            "rechtzeitig verwendet",
        ),
        (
            {"grund": "verspaetet", "betrag": "10.00", "ausgezahlt_am": "2023-03-01", "verwendet_am": "2023-06-01"},
            "werden sie nicht erhoben",
        ),
        (
            {"grund": "verspaetet", "betrag": "10000.01", "ausgezahlt_am": "2023-03-01", "verwendet_am": "2024-06-01"},
            r"Bis zum 1\..März 2023 sind 10\.000,00.€ ausgezahlt",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_claimed_is_refused_before_anybody_is_heard(
    place: Place, answers: dict[str, Any], reason: str
) -> None:
    p = place
    about = drawn(p)
    offer = p.leistung("rueckforderung")
    with on("2025-03-03"), pytest.raises(Refused, match=reason):
        p.opened(offer, about, sachverhalt=SAID, **answers)
    with p.w.clerk.acting():
        assert not Case.objects.filter(offer=offer).exists()
        assert not Message.objects.filter(case__offer=offer).exists()


def test_only_the_office_opens_a_claim(place: Place) -> None:
    p = place
    about = drawn(p)
    offer = p.leistung("rueckforderung")
    given = {"grund": "widerruf", "betrag": "1.00", "rest_entfaellt": False, "sachverhalt": SAID}
    for stranger in (p.w.lahnau_officer, p.w.waldsolms_officer):
        with pytest.raises(NotAllowed):
            p.opened(offer, about, by=stranger, **given)


def test_weniger_ausgegeben_is_claimed_back_with_the_computation(place: Place) -> None:
    p = place
    with on("2023-01-10"):
        about = p.granted(amount="180000.00", cost="200000.00")
    with on("2023-03-01"):
        p.drawn(about, amount="180000.00", year=2023)
    with on("2024-12-31"):
        p.proven(about, spent="160000.00")
    offer = p.leistung("rueckforderung")
    with on("2025-01-10"):
        with pytest.raises(Refused, match=r"noch 36\.000,00"):
            p.opened(offer, about, grund="nachweis", betrag="36000.01", sachverhalt=SAID)
        case = p.opened(offer, about, grund="nachweis", betrag="36000.00", sachverhalt=SAID)
        answer_request(by=p.w.lahnau_officer, case=case, body="Einverstanden.")
    with on("2025-02-03"):
        p.decide(case, amount="36000.00")
    text = letter(p, case)
    assert "36.000,00 Euro. Die Zuwendung beträgt damit noch 144.000,00 Euro" in text
    assert "So haben wir gerechnet" in text
    with on("2025-02-20"):
        record_receipt(
            by=p.w.clerk,
            claim=p.claim(case).id,
            amount=Decimal("36000.00"),
            on=date(2025, 2, 20),
            reference="K1",
        )
    assert state(p, case) == "COMPLETED"
    grant = p.grant(about)
    assert (grant.state, grant.amount) == ("closed", Decimal("144000.00"))
    with on("2025-03-03"), pytest.raises(Refused, match="noch 0,00"):
        p.opened(offer, about, grund="nachweis", betrag="1.00", sachverhalt=SAID)
    p.sound()


def test_a_receipt_is_booked_once_and_not_beyond_what_is_owed(place: Place) -> None:
    p = place
    about = drawn(p)
    claim = p.claim(claimed(p, about, amount="1000.00")).id
    with on("2025-05-05"):
        given: dict[str, Any] = {"by": p.w.clerk, "claim": claim, "on": date(2025, 5, 5)}
        record_receipt(amount=Decimal("400.00"), reference="K7", **given)
        with pytest.raises(Refused, match="schon gebucht"):
            record_receipt(amount=Decimal("400.00"), reference=" K7 ", **given)
        with pytest.raises(Refused, match="nur noch 600,00"):
            record_receipt(amount=Decimal("600.01"), reference="K8", **given)
        for amount in ("0.00", "-1.00", "0.001", "NaN"):
            with pytest.raises(Refused, match="Euro und Cent"):
                record_receipt(amount=Decimal(amount), reference="K9", **given)
        with pytest.raises(Refused, match="Kassenzeichen"):
            record_receipt(amount=Decimal("1.00"), reference="  ", **given)
        for day, reason in ((date(2025, 5, 6), "Zukunft"), (date(2025, 3, 31), "vor der Rückforderung")):
            with pytest.raises(Refused, match=reason):
                record_receipt(amount=Decimal("1.00"), reference="K9", **{**given, "on": day})
        with pytest.raises(NotAllowed):
            record_receipt(amount=Decimal("1.00"), reference="K9", **{**given, "by": p.w.lahnau_officer})
        record_receipt(amount=Decimal("600.00"), reference="K8", **given)
        with pytest.raises(Refused, match="erledigt"):
            record_receipt(amount=Decimal("1.00"), reference="K10", **given)
    assert p.money(about).recovered == Decimal("1000.00")
    p.sound()


def test_instalments_add_up_and_each_bears_its_interest(place: Place) -> None:
    p = place
    about = drawn(p)
    case = claimed(p, about, zinsen_ab="2024-01-01")
    claim = p.claim(case).id
    half = Decimal("5000.00")
    with on("2025-04-10"):
        days = [date(2025, 5, 1), date(2025, 7, 1)]
        with pytest.raises(NotAllowed):
            agree_instalments(by=p.w.clerk, claim=claim, instalments=[(days[0], half), (days[1], half)])
        for wrong, reason in (
            ([(days[0], half)], "ergeben"),
            ([(days[1], half), (days[0], half)], "aufsteigende"),
            ([(date(2025, 4, 9), half), (days[0], half)], "nicht vor heute"),
            ([(days[0], Decimal("10000.01")), (days[1], Decimal("-0.01"))], "Jede Rate"),
            ([], "aufsteigende"),
        ):
            with pytest.raises(Refused, match=reason):
                agree_instalments(by=p.w.approver, claim=claim, instalments=wrong)
        for _ in range(2):  # the second plan replaces the first
            agree_instalments(by=p.w.approver, claim=claim, instalments=[(day, half) for day in days])
        with p.w.clerk.acting():
            assert Instalment.objects.filter(claim_id=claim, is_replaced=False).count() == 2
        assert p.claim(case).due_on == days[1]
    with on("2025-07-01"):
        for number, day in enumerate(days):
            record_receipt(by=p.w.clerk, claim=claim, amount=half, on=day, reference=f"K{number}")
    # 5,000 at 8.62 % for 182 days, 8.37 % for 184, 7.27 % until each day (120 and 181 days)
    expected = [Decimal("545.39"), Decimal("606.14")]
    assert p.claim(case).interest == sum(expected)
    assert owed(p, case) == 0
    p.sound()


def test_small_rates_together_pass_the_minor_amount(place: Place) -> None:
    """Interest of each rate alone lies below 50 euros; of both together above."""
    p = place
    about = drawn(p)
    case = claimed(p, about, amount="1200.00", zinsen_ab="2024-07-01")
    claim = p.claim(case).id
    with on("2025-07-01"):
        for number in range(2):
            given = {"amount": Decimal("600.00"), "on": date(2025, 7, 1), "reference": f"K{number}"}
            record_receipt(by=p.w.clerk, claim=claim, **given)
            assert (p.claim(case).interest > 0) == (number == 1)
    assert p.claim(case).interest == 2 * Decimal("46.95")
    p.sound()


def test_only_the_head_waives_and_says_why(place: Place) -> None:
    p = place
    about = drawn(p)
    case = claimed(p, about, amount="1000.00")
    claim = p.claim(case).id
    with on("2025-06-02"):
        record_receipt(
            by=p.w.clerk, claim=claim, amount=Decimal("250.00"), on=date(2025, 6, 2), reference="K1"
        )
        with pytest.raises(NotAllowed, match="Leitung"):
            waive(by=p.w.clerk, claim=claim, reason="Härtefall nach dem Hochwasser.")
        with pytest.raises(Refused, match="Begründen"):
            waive(by=p.w.approver, claim=claim, reason="   ")
        waive(by=p.w.approver, claim=claim, reason="Härtefall nach dem Hochwasser.")
        with pytest.raises(Refused, match="erledigt"):
            waive(by=p.w.approver, claim=claim, reason="Noch einmal.")
    run_waiting_jobs()
    money = p.money(about)
    assert (money.recovered, money.waived, money.to_recover) == (Decimal("250.00"), Decimal("750.00"), 0)
    assert p.claim(case).waived_reason == "Härtefall nach dem Hochwasser."
    assert state(p, case) == "COMPLETED"
    with p.w.lahnau_officer.acting():
        assert "auf den Rest verzichtet" in Message.objects.filter(case=case).order_by("-id")[0].body
    p.sound()


def test_a_missing_base_rate_is_named_then_entered(place: Place) -> None:
    p = place
    about = drawn(p)
    case = claimed(p, about, zinsen_ab="2025-03-01")
    claim = p.claim(case).id
    given: dict[str, Any] = {"claim": claim, "amount": Decimal("10000.00"), "on": date(2030, 8, 1)}
    source = "Bekanntmachung der Deutschen Bundesbank"
    with on("2030-08-01"):
        with pytest.raises(Refused, match="2030"):
            record_receipt(by=p.w.clerk, reference="K1", **given)
        assert p.claim(case).interest == 0
        assert owed(p, case) == Decimal("10000.00")
        with pytest.raises(NotAllowed):
            enter_base_rate(by=p.w.clerk, valid_from=date(2030, 7, 1), rate=Decimal("1.00"), source=source)
        for day, rate, text, reason in (
            (date(2030, 7, 2), "1.00", source, "1. Januar und zum 1. Juli"),
            (date(2030, 7, 1), "1.00", " ", "Bekanntmachung"),
            (date(2030, 7, 1), "NaN", source, "Stellen"),
            (date(2030, 7, 1), "1.001", source, "Stellen"),
            (date(2031, 1, 1), "1.00", source, "noch nicht bekannt"),
            (date(2023, 1, 1), "3.12", source, "schon ein Zinssatz"),
        ):
            with pytest.raises(Refused, match=reason):
                enter_base_rate(by=p.w.approver, valid_from=day, rate=Decimal(rate), source=text)
        for year in range(2026, 2031):
            for month in (1, 7):
                day = date(year, month, 1)
                if day <= date(2030, 8, 1):
                    enter_if_missing(p, day, source)
        record_receipt(by=p.w.clerk, reference="K1", **given)
    # 306 days of 2025 by the law's table, then 1,673 days at 6 %: 2026-01-01 to 2030-08-01
    steps = p.claim(case).steps
    assert steps[-1]["amount"] == str(p.claim(case).interest)
    assert sum(Decimal(row["amount"]) for row in steps if row["note"] == "6,00 %") == Decimal("2750.14")
    p.sound()


def test_a_wrong_base_rate_is_corrected_by_another_person(place: Place) -> None:
    p, day, source = place, date(2026, 1, 1), "BAnz AT 30.12.2025 B7"

    def rate() -> Decimal:
        with p.w.clerk.acting():
            return next(known.rate for known in base_rates() if known.valid_from == day)

    with on("2026-01-15"):
        enter_base_rate(by=p.w.approver, valid_from=day, rate=Decimal("12.70"), source=source)
        with pytest.raises(Refused, match="andere Person"):
            enter_base_rate(by=p.w.approver, valid_from=day, rate=Decimal("1.27"), source=source)
        other = replace(p.w.approver, account=p.w.clerk.account)
        enter_base_rate(by=other, valid_from=day, rate=Decimal("1.27"), source=source)
        assert rate() == Decimal("1.27")
        with pytest.raises(Refused, match="schon ein Zinssatz"):
            enter_base_rate(by=p.w.approver, valid_from=day, rate=Decimal("1.27"), source=source)
    with p.w.clerk.acting():
        assert Event.objects.filter(name="grants.rate.corrected").count() == 1


def enter_if_missing(p: Place, day: date, source: str) -> None:
    if day not in {rate.valid_from for rate in base_rates()}:
        enter_base_rate(by=p.w.approver, valid_from=day, rate=Decimal("1.00"), source=source)


def test_late_use_costs_interest_and_leaves_the_award(place: Place) -> None:
    p = place
    about = drawn(p)
    offer = p.leistung("rueckforderung")
    with on("2025-03-03"):
        case = p.opened(
            offer, about, grund="verspaetet", betrag="10000.00", ausgezahlt_am="2023-03-01",
            verwendet_am="2024-03-01", sachverhalt=SAID,
        )  # fmt: skip
        with p.w.lahnau_officer.acting():
            assert "Zinsen verlangen" in Message.objects.get(case=case).body
        answer_request(by=p.w.lahnau_officer, case=case, body="Die Lieferung kam später.")
    # from 2023-05-02 to 2024-03-01: 60 days at 6.62, 184 at 8.12, 61 at 8.62 % (both ends counted)
    expected = Decimal("662.22")
    with on("2025-04-01"), pytest.raises(Refused, match="Mehr kann nicht"):
        p.decide(case, amount="662.23")
    with p.w.clerk.acting():
        assert not Claim.objects.exists()
    with on("2025-04-01"):
        complete_task(
            by=p.w.approver, task=p.task(case).id, answers={"freigegeben": False, "grund": "Zu viel."}
        )
        p.decide(case, amount=str(expected))
    assert "Zinsen von 662,22 Euro fest" in letter(p, case)
    claim = p.claim(case)
    assert (claim.amount, claim.interest) == (0, expected)
    assert p.grant(about).amount == Decimal("10000.00")
    with on("2025-04-20"):
        record_receipt(by=p.w.clerk, claim=claim.id, amount=expected, on=date(2025, 4, 20), reference="K1")
    run_waiting_jobs()
    assert state(p, case) == "COMPLETED"
    p.sound()


def test_revoking_what_nobody_drew_frees_it_and_asks_for_nothing(place: Place) -> None:
    p = place
    with on("2023-01-10"):
        about = p.granted(amount="9000.00", years={"2023": "4000.00", "2024": "5000.00"})
    with on("2023-03-01"):
        p.drawn(about, amount="4000.00", year=2023)
    case = claimed(p, about, amount="0.00")
    text = letter(p, case)
    assert "soweit er über 4.000,00 Euro hinausgeht" in text
    assert "Sie haben nichts zurückzuzahlen." in text
    money = p.money(about)
    assert (money.open, money.released, money.paid) == (0, Decimal("5000.00"), Decimal("4000.00"))
    assert p.grant(about).amount == Decimal("4000.00")
    assert state(p, case) == "COMPLETED"
    with p.w.clerk.acting():
        assert not Claim.objects.exists()
    p.sound()


def test_a_full_revocation_takes_all_back(place: Place) -> None:
    p = place
    with on("2023-01-10"):
        about = p.granted(amount="9000.00", years={"2023": "4000.00", "2024": "5000.00"})
    with on("2023-03-01"):
        p.drawn(about, amount="4000.00", year=2023)
    case = claimed(p, about, amount="4000.00")
    money = p.money(about)
    assert (money.open, money.released, money.to_recover) == (0, Decimal("5000.00"), Decimal("4000.00"))
    assert p.grant(about).amount == 0
    with (
        on("2025-05-05"),
        pytest.raises(Refused, match=r"Rückforderung offen|gibt es|reicht|Verwendungsnachweis"),
    ):
        p.follow(p.draw, about, betrag="1.00", jahr=2024)
    assert p.claim(case).amount == Decimal("4000.00")
    p.sound()


def test_after_what_was_said_the_case_may_end_without_a_claim(place: Place) -> None:
    p = place
    about = drawn(p)
    offer = p.leistung("rueckforderung")
    with on("2025-03-03"):
        case = p.opened(offer, about, grund="widerruf", betrag="10.00", rest_entfaellt=True, sachverhalt=SAID)
        answer_request(by=p.w.lahnau_officer, case=case, body="Hier sind die Belege.")
        p.decide(case, amount=None, outcome="refused")
    assert "wir fordern von Ihnen nichts zurück" in letter(p, case)
    assert state(p, case) == "COMPLETED"
    assert p.money(about).paid == Decimal("10000.00")
    p.sound()
