"""The kernel's world, for attacks on what everybody stands on; and people in it, so that every table has rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.utils import timezone
from tests.casework.conftest import World, account, committed_world, run_waiting_jobs, world
from tests.casework.office_package import ANSWERS, recovery
from tests.casework.packages import MANIFEST, follow_up, probe

from rathaus.casework.bulk.models import BulkItem, BulkRun
from rathaus.casework.cases.actions.drafts import attach_file, begin_draft
from rathaus.casework.cases.actions.messages import answer_request
from rathaus.casework.cases.actions.submission import open_case, submit_application
from rathaus.casework.cases.actions.tasks import complete_task
from rathaus.casework.cases.models import Case, Confirmation, Incident, Notice, Remedy, Subscription, Timer
from rathaus.casework.services.actions import offer_service, publish_package
from rathaus.core import clock
from rathaus.core.audit.actions import seal
from rathaus.core.audit.queries import verify
from rathaus.core.authorities.models import Authority
from rathaus.core.embedded import DatabaseUrls
from rathaus.core.identity.actions import add_member
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.models import Account, Membership, Party
from rathaus.core.identity.queries import actor_of
from rathaus.core.tenancy import new_id
from rathaus.domains.grants.actions import allot, set_up_call
from rathaus.domains.grants.actions.deadlines import make_feed
from rathaus.domains.grants.models import (
    BudgetLine,
    Claim,
    Drawdown,
    EarlyStart,
    Grant,
    Instalment,
    Item,
    JuryVote,
    Payment,
    PaymentRun,
    Project,
    Proof,
    Receipt,
    Reminder,
    ReturnFile,
    Review,
)

__all__ = ["committed_world", "world"]


@pytest.fixture
def superuser(database_urls: DatabaseUrls, django_db_setup: None) -> Iterator[psycopg.Connection]:
    """Sees and may everything: to look behind the policies, and to tamper."""
    with psycopg.connect(database_urls.superuser, autocommit=True) as connection:
        yield connection


@pytest.fixture
def app_role(database_urls: DatabaseUrls, django_db_setup: None) -> Iterator[psycopg.Connection]:
    """A bare connection as the app's role, outside any context."""
    with psycopg.connect(database_urls.app, autocommit=True) as connection:
        yield connection


@pytest.fixture
def peopled(committed_world: World) -> World:
    """Two authorities that decide and two municipalities that apply; each tenant table has rows of several of them.

    Lahnau applies at the ministry and at Waldsolms, Waldsolms applies at the ministry.
    """
    w = committed_world
    clerk, approver = (account(f"{name}@waldsolms.example.org") for name in ("clerk", "approver"))
    add_member(
        by=Actor.system(w.waldsolms.id),
        authority=w.waldsolms,
        account=clerk,
        roles=["Sachbearbeitung"],
        function="Amt 1",
    )
    add_member(
        by=Actor.system(w.waldsolms.id),
        authority=w.waldsolms,
        account=approver,
        roles=["Freigabe"],
        function="Amtsleitung",
    )
    system = Actor.system(w.waldsolms.id)
    manifest = MANIFEST.replace('"ministry"', '"municipality"').replace('fassung = "1"', 'fassung = "2"')
    version = publish_package(by=system, files=probe(leistung__toml=manifest))
    offer = offer_service(by=system, authority=w.waldsolms, version=version, slug="probe-waldsolms")
    for by, of in ((system, offer), (Actor.system(w.ministry.id), w.offer)):
        call = set_up_call(
            by=by, programme="p" if of is offer else "programm", programme_title="P",
            key=f"k-{of.slug}" if of is offer else "aufruf", title="K",
            offer=of, budgets={2025: Decimal("9000.00")},
        )  # fmt: skip
        allot(
            by=by, call=call, total=Decimal("4000.00"), base=Decimal("2000.00"), among=[w.lahnau, w.waldsolms]
        )
    decide_fully(w, w.clerk, w.approver, first := w.submit())
    decide_fully(w, w.clerk, w.approver, w.submit(by=w.waldsolms_officer, party=w.waldsolms_party))
    answers = {"titel": "Radweg", "betrag": "900.00", "ausgaben": "1000.00"}
    case = submit_application(
        by=w.lahnau_officer, offer=offer, party=w.lahnau_party, answers=answers, submission=new_id()
    )
    decide_fully(w, actor_of(clerk.pk), actor_of(approver.pk), case)
    for officer, party, at in (
        (w.lahnau_officer, w.lahnau_party, w.offer),
        (w.waldsolms_officer, w.waldsolms_party, w.offer),
        (w.lahnau_officer, w.lahnau_party, offer),
    ):
        draft = begin_draft(by=officer, offer=at, party=party.id)
        attach_file(by=officer, draft=draft, name="plan.pdf", content=b"%PDF-1.7 plan")
    abruf = w.publish(follow_up(), "abruf")
    w.submit(offer=abruf, about=first)
    opened_by_the_office(w, about=first)
    for officer in (w.lahnau_officer, w.waldsolms_officer):
        make_feed(by=officer, party=officer.parties[0])
    for authority in (w.ministry, w.waldsolms):
        leave_waiting(authority, w.waldsolms_party)
        leave_a_life(authority)
        seal_all(authority.id)
    return w


def seal_all(authority: UUID) -> None:
    """Seal until nothing is left. Other databases of the cluster may have transactions open, which delays a seal."""
    until = time.monotonic() + 30
    while verify(authority).unsealed:
        assert time.monotonic() < until, "a transaction elsewhere in the cluster stays open"
        if seal(authority) is None:
            time.sleep(0.05)


def decide_fully(w: World, clerk: Actor, approver: Actor, case: Case) -> None:
    """A case from a question to its notice, with a proposal that was sent back on the way."""
    task = {"vollstaendig": False, "nachricht": "Bitte reichen Sie den Plan nach."}
    complete_task(by=clerk, task=w.task(case).id, answers=task)
    applicant = w.lahnau_officer if case.party_id == w.lahnau_party.id else w.waldsolms_officer
    with applicant.acting():
        case = Case.objects.get(id=case.id)
    answer_request(by=applicant, case=case, body="Hier", uploads=[("plan.pdf", b"%PDF-1.7 plan")])
    complete_task(by=clerk, task=w.task(case).id, answers={"vollstaendig": True})
    proposal = {"ergebnis": "granted", "betrag": Decimal("900.00"), "begruendung": "Alles erfüllt."}
    complete_task(by=clerk, task=w.task(case).id, answers=proposal)
    complete_task(
        by=approver, task=w.task(case).id, answers={"freigegeben": False, "grund": "Kürzer, bitte."}
    )
    complete_task(by=clerk, task=w.task(case).id, answers=proposal)
    complete_task(by=approver, task=w.task(case).id, answers={"freigegeben": True})
    run_waiting_jobs()


def leave_a_life(authority: Authority) -> None:
    """Rows of a grant's later life: only who sees them matters here; tests/domains live it through actions."""
    by = Actor.system(authority.id)
    person = Membership.objects.filter(authority=authority).order_by("id")
    with by.acting():
        grant = Grant.objects.select_related("case", "call__measure").order_by("id").first()
        assert grant is not None
        first, second = person[0].account_id, person[1].account_id
        of: dict[str, Any] = {"authority": authority, "grant": grant, "party_id": grant.party_id}
        euro = Decimal("1.00")
        drawdown = Drawdown.objects.create(
            **of, case=grant.case, number=1, year=2025, amount=euro, iban="DE02120300000000202051", holder="G"
        )
        line = BudgetLine.objects.get(measure=grant.call.measure, year=2025)
        run = PaymentRun.objects.create(
            authority=authority, programme=grant.call.measure.programme, number=1, executes_on=clock.today(),
            total=euro, count=1, prepared_by_id=first,
        )  # fmt: skip
        assert second != first
        Payment.objects.create(
            **of, drawdown=drawdown, end_to_end=grant.reference, line=line, amount=euro, iban=drawdown.iban,
            holder="G", run=run, state="in_run",
        )  # fmt: skip
        ReturnFile.objects.create(authority=authority, identifier="camt/1", name="antwort.xml")
        Proof.objects.create(**of, case=grant.case, kind="zwischen", spent=euro, due=euro)
        today = clock.today()
        Item.objects.create(**of, name="Scanner", price=euro, bought_on=today, earmarked_until=today)
        claim = Claim.objects.create(
            **of, case=grant.case, reason="nachweis", amount=euro, due_on=clock.today()
        )
        own = {"authority": authority, "party_id": grant.party_id, "claim": claim, "amount": euro}
        Instalment.objects.create(**own, number=1, due_on=clock.today())
        Receipt.objects.create(**own, reference="K1", received_on=clock.today())
        Reminder.objects.create(authority=authority, grant=grant, duty="x", due_on=today, days_before=3)
        Project.objects.create(
            authority=authority, case=grant.case, call=grant.call, begins_on=today, ends_on=today
        )
        EarlyStart.objects.create(
            authority=authority, application=grant.case, case=grant.case, begins_on=today
        )
        Review.objects.create(
            authority=authority, case=grant.case, expert_id=first, function="Gutachten", assigned_by_id=second
        )
        JuryVote.objects.create(
            authority=authority, case=grant.case, verdict="yes", session_on=today, recorded_by_id=second
        )
        bulk = BulkRun.objects.create(
            authority=authority, kind="cases.tasks", title="Freigeben", total=1, requested_by_id=first
        )
        BulkItem.objects.create(
            authority=authority, run=bulk, number=1, target=grant.id, reference=grant.reference, label="L"
        )
        second_grant = Grant.objects.order_by("id").last()
        if second_grant and second_grant != grant:
            second_grant.notified_on = today
            second_grant.save(update_fields=["notified_on"])


def opened_by_the_office(w: World, *, about: Case) -> None:
    """One case that the applicant knows nothing of yet, and one that they were heard in."""
    offer = w.publish(recovery(), "rueckforderung")
    for urgent in ({"eilig": True, "warum": "Verjährung"}, {}):
        open_case(by=w.clerk, offer=offer, about=about, answers={**ANSWERS, **urgent}, submission=new_id())


def leave_waiting(authority: Authority, partner: Party) -> None:
    """Rows of what a process waits for, beside the process: only who sees them matters here."""
    with Actor.system(authority.id).acting():
        case = Case.objects.filter(authority=authority).first()
        own = {"authority": authority, "case": case, "token": "99", "element": "x"}
        Timer.objects.create(**own, due_at=timezone.now() + timedelta(days=9))
        Subscription.objects.create(**own, message="antwort")
        Incident.objects.create(**own, operation="letters.issue", reason="Papierstau")
        for other in Case.objects.filter(authority=authority):
            Confirmation.objects.create(
                authority=authority, case=other, party_id=partner.id, partner_id=partner.authority_id,
                applicant_party_id=other.party_id, applicant_name="A", title="T", role="Partner", text="x",
            )  # fmt: skip
        for letter in Notice.objects.filter(authority=authority):
            Remedy.objects.create(
                authority=authority, case_id=letter.case_id, party_id=letter.party_id, notice=letter, kind="action",
                received_on=letter.issued_on, noted_by=Account.objects.get(email="clerk@example.org"),
            )  # fmt: skip
