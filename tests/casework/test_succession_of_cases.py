"""What a merged municipality left: drafts, cases, mail, letters and offers, from the day on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from tests.casework.conftest import World, account
from tests.casework.packages import MANIFEST, follow_up, probe

from rathaus.casework.cases.actions.drafts import begin_draft, save_draft
from rathaus.casework.cases.actions.importing import FileNotImported, import_applications
from rathaus.casework.cases.actions.messages import answer_request, note_notice_read
from rathaus.casework.cases.actions.notices import letter_data
from rathaus.casework.cases.actions.submission import submit_draft
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Decision, Message, Notice, Task
from rathaus.casework.cases.queries import addressee, own_case
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.core import clock
from rathaus.core.authorities.actions import merge_authority
from rathaus.core.authorities.models import Authority
from rathaus.core.identity.actions import add_member, own_party
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Account
from rathaus.core.identity.queries import actor_of

ON = date(2030, 1, 1)
EVE = ON - timedelta(days=1)
ANSWERS = {"titel": "Neue Akte", "betrag": "900.00", "ausgaben": "1000.00"}


@contextmanager
def on_day(day: date) -> Iterator[None]:
    with clock.living_at(datetime(day.year, day.month, day.day, 10, tzinfo=UTC)):
        yield


@pytest.fixture
def merged(world: World) -> World:
    """Lahnau goes into Waldsolms on the first of January 2030."""
    Authority.objects.filter(pk=world.waldsolms.pk).update(
        street="Lindenplatz 2", postal_code="35647", city="Waldsolms", ags="06532022"
    )
    merge_authority(
        by=Actor.system(world.waldsolms.id), predecessor=world.lahnau, successor=world.waldsolms, on=ON
    )
    return world


def heir_of(world: World) -> Actor:
    assert world.waldsolms_officer.account
    return actor_of(world.waldsolms_officer.account)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


# --- beginning and handing in ---


def test_nothing_new_begins_for_who_is_gone(merged: World) -> None:
    w = merged
    with on_day(EVE):
        begin_draft(by=w.lahnau_officer, offer=w.offer, party=w.lahnau_party.id)
        with pytest.raises(NotAllowed):
            begin_draft(by=heir_of(w), offer=w.offer, party=w.lahnau_party.id)
    with on_day(ON):
        with pytest.raises(Refused) as refused:
            begin_draft(by=heir_of(w), offer=w.offer, party=w.lahnau_party.id)
        assert plain(str(refused.value)) == (
            "Gemeinde Lahnau gibt es seit dem 1. Januar 2030 nicht mehr. "
            "Die Rechtsnachfolge hat: Gemeinde Waldsolms (Schlüssel 06532022)."
        )
        begin_draft(by=heir_of(w), offer=w.offer, party=w.waldsolms_party.id)


def test_a_draft_left_behind_is_handed_in_by_the_successor_under_the_old_name(merged: World) -> None:
    w = merged
    draft = begin_draft(by=w.lahnau_officer, offer=w.offer, party=w.lahnau_party.id)
    assert w.lahnau_officer.account
    with on_day(ON):
        save_draft(by=heir_of(w), draft=draft, answers=ANSWERS)
        lost = actor_of(w.lahnau_officer.account)
        with pytest.raises(NotAllowed):
            save_draft(by=lost, draft=draft, answers={})
        case = submit_draft(by=heir_of(w), draft=draft.id)
        assert (case.party_id, case.party_name, case.applicant_id) == (
            w.lahnau_party.id,
            "Gemeinde Lahnau",
            w.lahnau.id,
        )


def test_a_file_with_the_old_key_is_refused_from_the_day_on(merged: World) -> None:
    by = Actor.system(merged.ministry.id)
    content = b"leistung;ags;titel;betrag;ausgaben\nprobe;06532015;Neue Akte;900,00;1.000,00\n"
    with on_day(ON):
        with pytest.raises(FileNotImported) as refused:
            import_applications(by=by, content=content)
        assert plain(str(refused.value)) == (
            "Zeile 2: Gemeinde Lahnau gibt es seit dem 1. Januar 2030 nicht mehr. "
            "Die Rechtsnachfolge hat: Gemeinde Waldsolms (Schlüssel 06532022)."
        )
        with by.acting():
            assert not Case.objects.exists()
    with on_day(EVE):
        assert len(import_applications(by=by, content=content)) == 1


# --- a case that goes on ---


def test_an_earlier_case_goes_on_in_the_name_that_it_has(merged: World) -> None:
    w = merged
    abruf = w.publish(follow_up(), "abruf")
    earlier = w.submit()
    lines = "leistung;ags;bezug;titel;betrag;ausgaben\nabruf;06532015;{};Akte;900,00;1.000,00\n"
    with on_day(ON):
        heir = heir_of(w)
        with heir.acting():
            about = own_case(heir, earlier.id)
        with pytest.raises(NotAllowed):  # who applied first goes on with it, not whoever holds it today
            begin_draft(by=heir, offer=abruf, party=w.waldsolms_party.id, about=about)
        assert w.lahnau_officer.account
        with pytest.raises(NotAllowed):
            begin_draft(
                by=actor_of(w.lahnau_officer.account), offer=abruf, party=w.lahnau_party.id, about=about
            )
        draft = begin_draft(by=heir, offer=abruf, party=w.lahnau_party.id, about=about)
        save_draft(by=heir, draft=draft, answers=ANSWERS)
        case = submit_draft(by=heir, draft=draft.id)
        assert (case.about_id, case.party_name) == (earlier.id, "Gemeinde Lahnau")
        by = Actor.system(w.ministry.id)
        (imported,) = import_applications(by=by, content=lines.format(earlier.reference).encode())
        assert (imported.about_id, imported.party_id) == (earlier.id, w.lahnau_party.id)


def test_questions_mail_and_the_notice_reach_the_successor(
    merged: World, run_jobs: Callable[[], int]
) -> None:
    w = merged
    case = w.submit()
    assert w.lahnau_officer.account
    run_jobs()
    assert [message.to for message in mail.outbox] == [["gemeinde-lahnau@example.org"]]
    with on_day(ON):
        mail.outbox.clear()
        complete_task(
            by=w.clerk, task=w.task(case).id, answers={"vollstaendig": False, "nachricht": "Bitte den Plan."}
        )
        run_jobs()
        assert {address for message in mail.outbox for address in message.to} == {
            "gemeinde-waldsolms@example.org"
        }
        lost, heir = actor_of(w.lahnau_officer.account), heir_of(w)
        with pytest.raises(NotAllowed):
            answer_request(by=lost, case=case, body="Hier.")
        with heir.acting():
            seen = own_case(heir, case.id)
        answer_request(by=heir, case=seen, body="Hier.")
        complete_task(by=w.clerk, task=w.task(case).id, answers={"vollstaendig": True})
        given = {"ergebnis": "granted", "betrag": case.amount, "begruendung": "Alles erfüllt."}
        complete_task(by=w.clerk, task=w.task(case).id, answers=given)
        complete_task(by=w.approver, task=w.task(case).id, answers={"freigegeben": True})
        run_jobs()
        with w.clerk.acting():
            data = letter_data(Case.objects.get(id=case.id), Decision.objects.get(case=case))
        assert data["empfaenger"] == [
            "Gemeinde Waldsolms",
            "Rechtsnachfolgerin der Gemeinde Lahnau",
            "Lindenplatz 2",
            "35647 Waldsolms",
        ]
        with heir.acting():
            notice = Notice.objects.get()
            assert notice.case.party_name == "Gemeinde Lahnau"
            assert [m.sender_name for m in Message.objects.filter(sender="applicant")] == ["Gemeinde Lahnau"]
        with pytest.raises(NotAllowed):
            note_notice_read(by=lost, notice=notice)
        note_notice_read(by=heir, notice=notice)
        with lost.acting():
            assert not Notice.objects.exists()


def test_the_addressee_until_the_day_before(merged: World) -> None:
    case = merged.submit()
    with merged.clerk.acting():
        case = Case.objects.get(id=case.id)
        assert addressee(case, on=EVE) == ["Gemeinde Lahnau"]
        assert addressee(case, on=ON)[:2] == ["Gemeinde Waldsolms", "Rechtsnachfolgerin der Gemeinde Lahnau"]


def test_the_addressee_without_a_successor_keeps_its_name(world: World) -> None:
    case = world.submit()
    Authority.objects.filter(pk=world.lahnau.pk).update(valid_until=EVE)
    with world.clerk.acting():
        assert addressee(Case.objects.get(id=case.id), on=ON) == ["Gemeinde Lahnau"]


# --- what the authority offered itself ---


@pytest.fixture
def own_offer(world: World) -> Offer:
    """A service of Lahnau's own."""
    manifest = MANIFEST.replace('"ministry"', '"municipality"').replace('fassung = "1"', 'fassung = "2"')
    by = Actor.system(world.lahnau.id)
    version = publish_package(by=by, files=probe(leistung__toml=manifest))
    return offer_service(by=by, authority=world.lahnau, version=version, slug="probe-lahnau")


def test_offers_close_on_the_day_and_running_cases_go_on(own_offer: Offer, merged: World) -> None:
    w = merged
    petra, heir_staff = account("petra@example.org"), account("amt@example.org")
    add_member(
        by=Actor.system(w.waldsolms.id),
        authority=w.waldsolms,
        account=heir_staff,
        roles=["Sachbearbeitung"],
        function="Amt Waldsolms",
    )
    party = own_party(Account.objects.get(pk=petra.pk))
    resident = actor_of(petra.pk)
    with on_day(EVE):
        begun = begin_draft(by=resident, offer=own_offer, party=party.id)
        running = begin_draft(by=resident, offer=own_offer, party=party.id)
        save_draft(by=resident, draft=running, answers=ANSWERS)
        case = submit_draft(by=resident, draft=running.id)
    with on_day(ON):
        offer = Offer.objects.get(id=own_offer.id)
        for late in (
            lambda: begin_draft(by=resident, offer=offer, party=party.id),
            lambda: submit_draft(by=resident, draft=begun.id),
            lambda: offer_service(
                by=Actor.system(w.lahnau.id),
                authority=merged_lahnau(w),
                version=offer.version,
                slug="neu",
                prefix="NEU",
            ),
        ):
            with pytest.raises(Refused, match="Gemeinde Lahnau gibt es seit dem"):
                late()
        # Without changing the authority, the successor's staff see nothing of it.
        with pytest.raises(Task.DoesNotExist):
            complete_task(by=actor_of(heir_staff.pk), task=w.task(case).id, answers={"vollstaendig": True})
        by = actor_of(heir_staff.pk, authority=w.lahnau.id)
        done = complete_task(by=by, task=w.task(case).id, answers={"vollstaendig": True})
        assert (done.state, done.completed_by_id) == ("done", heir_staff.pk)


def merged_lahnau(w: World) -> Authority:
    return Authority.objects.get(pk=w.lahnau.pk)


def test_the_letter_of_a_merged_authority_comes_from_its_successor(
    own_offer: Offer, merged: World, run_jobs: Callable[[], int]
) -> None:
    w = merged
    petra = account("petra@example.org")
    party = own_party(Account.objects.get(pk=petra.pk))
    resident = actor_of(petra.pk)
    draft = begin_draft(by=resident, offer=own_offer, party=party.id)
    save_draft(by=resident, draft=draft, answers=ANSWERS)
    case = submit_draft(by=resident, draft=draft.id)
    decision = Decision(case=case, outcome="granted", reasons="", details={})
    with on_day(ON), Actor.system(w.lahnau.id).acting():
        data = letter_data(Case.objects.get(id=case.id), decision)
        assert (data["behoerde"]["name"], data["behoerde"]["strasse"]) == (
            "Gemeinde Waldsolms",
            "Lindenplatz 2",
        )
        assert data["empfaenger"] == ["petra"]
