"""Named reads of cases. Lists are keyset pages without a total; each is one statement over an index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from rathaus.casework.cases.enums import CaseState, ConfirmationState, Outcome, Sender
from rathaus.casework.cases.facts import check_fits
from rathaus.casework.cases.models import (
    Application,
    Case,
    Confirmation,
    Decision,
    Draft,
    Finding,
    Incident,
    Message,
    Notice,
    Remedy,
    Task,
)
from rathaus.casework.cases.permissions import check_may_open, open_for
from rathaus.casework.cases.rules import final_day
from rathaus.casework.records.models import Document
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import package_of
from rathaus.core import clock
from rathaus.core.audit.models import Block
from rathaus.core.authorities.models import Authority
from rathaus.core.authorities.queries import successor_of
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.law.names import succession_line

PAGE = 50


@dataclass(frozen=True)
class TaskPage:
    """A page of an inbox; `after` is the key of the next page, empty on the last."""

    tasks: list[Task]
    after: str


def inbox(
    by: Actor,
    *,
    view: str = "team",
    offer: UUID | None = None,
    text: str = "",
    due_until: date | None = None,
    after: str = "",
    size: int = PAGE,
) -> TaskPage:
    """Open tasks of the actor's roles, earliest due first. Views: `team`, `meine` (claimed by me), `frei` (unclaimed)."""
    tasks = (
        Task.objects.filter(open_for(by))
        .exclude(excluded_id=by.account)
        .select_related("case__offer", "claimed_by")
    )
    if view == "meine":
        tasks = tasks.filter(claimed_by_id=by.account)
    elif view == "frei":
        tasks = tasks.filter(claimed_by=None)
    if offer:
        tasks = tasks.filter(case__offer_id=offer)
    if due_until:
        tasks = tasks.filter(due_on__lte=due_until)
    if text:
        tasks = tasks.filter(
            Q(case__reference__iexact=text)
            | Q(case__party_name__icontains=text)
            | Q(case__title__icontains=text)
        )
    if after:
        day, _, key = after.partition("_")
        # The first condition is what the index can seek; deep pages cost what the first one does.
        tasks = tasks.filter(Q(due_on__gte=day), Q(due_on__gt=day) | Q(id__gt=key))
    found = list(tasks.order_by("due_on", "id")[: size + 1])
    more = len(found) > size
    found = found[:size]
    return TaskPage(found, f"{found[-1].due_on.isoformat()}_{found[-1].id}" if more else "")


COUNT_CAP = 100


def count_tasks(by: Actor) -> dict[str, int]:
    """Open tasks per view of the inbox, each counted up to 100 (then the page says „99+“): never a full count."""
    team = [by.authority, sorted(by.roles), by.account]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [*team, COUNT_CAP, *team, by.account, COUNT_CAP, *team, COUNT_CAP])
        return dict(zip(("team", "meine", "frei"), cursor.fetchone(), strict=True))


_TEAM = """SELECT 1 FROM cases_task WHERE authority_id = %s AND state = 'open' AND role = ANY(%s)
  AND excluded_id IS DISTINCT FROM %s"""
# Only constants are joined; every value is a parameter.
_COUNTS = f"""SELECT (SELECT count(*) FROM ({_TEAM} LIMIT %s) AS team),
  (SELECT count(*) FROM ({_TEAM} AND claimed_by_id = %s LIMIT %s) AS mine),
  (SELECT count(*) FROM ({_TEAM} AND claimed_by_id IS NULL LIMIT %s) AS unclaimed)"""  # noqa: S608


def cases_of_authority(
    by: Actor, *, text: str = "", state: str = "", after: UUID | None = None, size: int = PAGE
) -> list[Case]:
    """Cases of the actor's authority, newest first (UUIDv7 order)."""
    by.check_is_unlimited()
    cases = Case.objects.filter(authority_id=by.staff_of).select_related("offer")
    if text:
        cases = cases.filter(
            Q(reference__iexact=text) | Q(party_name__icontains=text) | Q(title__icontains=text)
        )
    if state:
        cases = cases.filter(state=state)
    if after:
        cases = cases.filter(id__lt=after)
    return list(cases.order_by("-id")[:size])


def count_running(offer: UUID) -> int:
    """How many cases of an offer are not completed."""
    return Case.objects.filter(offer_id=offer).exclude(state=CaseState.COMPLETED).count()


def own_cases(by: Actor) -> list[Case]:
    """What the applicant's parties handed in, newest first."""
    return list(
        Case.objects.filter(party_id__in=by.parties, is_for_applicant=True)
        .select_related("offer", "authority")
        .order_by("-opened_at")[:200]
    )


def own_drafts(by: Actor) -> list[Draft]:
    """Applications begun and not handed in, newest first."""
    return list(
        Draft.objects.filter(party_id__in=by.parties)
        .select_related("offer", "party", "about")
        .order_by("-saved_at")[:100]
    )


@dataclass(frozen=True)
class CaseFile:
    """All of a case that its desk page shows. Events of transactions before `sealed_before` lie under a seal."""

    case: Case
    application: Application
    versions: list[Application]
    confirmations: list[Confirmation]
    tasks: list[Task]
    findings: list[Finding]
    documents: list[Document]
    messages: list[Message]
    decisions: list[Decision]
    notices: list[Notice]
    incidents: list[Incident]
    follow_ups: list[Case]
    office_offers: list[Offer]
    remedies: list[Remedy]
    state: dict[str, Any]
    version: UUID
    sealed_before: int


def case_file(by: Actor, reference: str) -> CaseFile:
    """A case for the desk, by its reference, in four statements and one for each of findings, messages, incidents and
    follow-ups and remedies that there are.

    Raises Case.DoesNotExist for what the authority does not keep, NotAllowed for whoever is limited to what is assigned.
    """
    by.check_is_unlimited()
    newest_seal = Block.objects.filter(authority_id=OuterRef("authority_id")).order_by("-number")
    case = (
        Case.objects.select_related(
            "offer",
            "terms",
            "authority",
            "applicant__successor",
            "application__submitted_by",
            "process",
            "about",
        )
        .annotate(
            sealed_before=Coalesce(Subquery(newest_seal.values("horizon")[:1]), 0),
            has_findings=Exists(Finding.objects.filter(case_id=OuterRef("pk"))),
            has_messages=Exists(Message.objects.filter(case_id=OuterRef("pk"))),
            has_confirmations=Exists(Confirmation.objects.filter(case_id=OuterRef("pk"))),
            has_remedies=Exists(Remedy.objects.filter(case_id=OuterRef("pk"))),
            has_incidents=Exists(Incident.objects.filter(case_id=OuterRef("pk"))),
            has_follow_ups=Exists(Case.objects.filter(about_id=OuterRef("pk"))),
            has_office_offers=Exists(_office_offers(by)),
        )
        .get(authority_id=by.staff_of, reference=reference)
    )
    decisions = list(case.decisions.select_related("proposed_by", "decided_by", "notice").order_by("-id"))
    notices = [decision.notice for decision in reversed(decisions) if hasattr(decision, "notice")]
    # Read after the notices: one that is filed meanwhile has its document, not the other way round.
    documents = list(Document.objects.filter(case_id=case.id).order_by("id"))
    for notice in notices:
        notice.case = case
        notice.document = next(document for document in documents if document.id == notice.document_id)
    return CaseFile(
        case=case,
        application=case.application,
        confirmations=confirmations(case) if case.has_confirmations else [],
        versions=versions_of(case) if case.application.number > 1 else [],
        tasks=list(case.tasks.select_related("claimed_by", "completed_by").order_by("id")),
        findings=list(
            case.findings.filter(is_current=True).select_related("excepted_by").order_by("position")
        )
        if case.has_findings
        else [],
        documents=documents,
        messages=list(case.messages.order_by("-id")) if case.has_messages else [],
        decisions=decisions,
        notices=notices,
        incidents=list(case.incidents.order_by("-id")) if case.has_incidents else [],
        follow_ups=list(case.follow_ups.select_related("offer").order_by("-id"))
        if case.has_follow_ups
        else [],
        office_offers=office_offers(by, case) if case.has_office_offers else [],
        remedies=list(case.remedies.order_by("id")) if case.has_remedies else [],
        state=case.process.state,
        version=case.process.version_id,
        sealed_before=case.sealed_before,
    )


def addressee(case: Case, *, on: date) -> list[str]:
    """Name and address of whom a letter of that day is for, as lines on the envelope.

    The applicant as it was known when it applied; the successor of an authority that was merged, which says so. Where
    no successor is known, the letter keeps the old name.
    """
    was = case.applicant
    now = successor_of(was, on) if was else None
    if was is None or now is None:
        return [case.party_name, *case.party_address]
    return [now.label, succession_line(now.label, was.label), *now.address]


def office_of(case: Case, *, on: date) -> Authority:
    """The authority that writes to the applicant on a day: the one that keeps the case, or its successor."""
    return successor_of(case.authority, on) or case.authority


def _office_offers(by: Actor) -> QuerySet[Offer]:
    now = clock.now()
    return Offer.objects.filter(
        Q(opens_at=None) | Q(opens_at__lte=now),
        Q(closes_at=None) | Q(closes_at__gt=now),
        authority_id=by.staff_of,
        is_open=True,
        opening=Opening.OFFICE,
    )


def office_offers(by: Actor, case: Case) -> list[Offer]:
    """What this person may open by themselves about a case, by title: their role begins it, and it fits the case."""
    found = []
    for offer in _office_offers(by).order_by("title", "id"):
        package = package_of(offer.version_id)
        follow_up = Case(authority_id=case.authority_id, offer=offer, party_id=case.party_id, about=case)
        try:
            check_may_open(by, offer, package)
            check_fits(follow_up, package)
        except (NotAllowed, Refused):
            continue
        found.append(offer)
    return found


def own_case(by: Actor, case: UUID) -> Case:
    """An applicant's case with what it refers to. Raises Case.DoesNotExist for anybody else's."""
    return (
        Case.objects.select_related("offer", "authority", "application", "applicant__successor", "about")
        .annotate(has_follow_ups=Exists(Case.objects.filter(about_id=OuterRef("pk"))))
        .get(id=case, party_id__in=by.parties, is_for_applicant=True)
    )


def open_question(case: Case) -> Message | None:
    """What the office asked last and still waits for; None if the case waits for no answer."""
    asked = Message.objects.filter(case=case, case__state=CaseState.ACTION_REQUIRED, sender=Sender.STAFF)
    return asked.exclude(answer_until=None).order_by("-id").first()


def versions_of(case: Case) -> list[Application]:
    """All versions of a case's application, the one in force first."""
    return list(case.versions.select_related("submitted_by").order_by("-number"))


def confirmations(case: Case) -> list[Confirmation]:
    """Whether the partners that the application names agreed, by name; without those that are no longer needed."""
    found = case.confirmations.select_related("partner").exclude(state=ConfirmationState.OBSOLETE)
    return list(found.order_by("partner__sort_key", "id"))


def asks_partners(application: Application) -> bool:
    """Whether the form of an application has authorities confirm at all."""
    return bool(package_of(application.version_id).form.confirming)


def asked_confirmations(by: Actor) -> list[Confirmation]:
    """What the actor's parties are asked to confirm, or answered, newest first."""
    found = Confirmation.objects.filter(party_id__in=by.parties).exclude(state=ConfirmationState.OBSOLETE)
    return list(found.order_by("-asked_at", "-id")[:100])


def own_confirmation(by: Actor, confirmation: UUID) -> Confirmation:
    """One of them. Raises Confirmation.DoesNotExist for anybody else's."""
    found = Confirmation.objects.select_related("authority", "partner")
    return found.get(id=confirmation, party_id__in=by.parties)


def can_withdraw(case: Case) -> bool:
    """Whether the applicant is offered to withdraw; a decision that they cannot see yet still refuses it."""
    return case.state != CaseState.COMPLETED and own_application(case) is not None


def own_application(case: Case) -> Application | None:
    """What the applicant handed in; None where the office opened the case, whose words stay inside."""
    try:
        application: Application | None = case.application
    except Application.DoesNotExist:  # row-level security hides what the office wrote
        return None
    return None if application is None or application.is_ex_officio else application


def own_follow_ups(by: Actor, case: Case) -> list[Case]:
    """The cases that go on with one of the applicant's (as `own_case` read it), newest first."""
    if not case.has_follow_ups:  # type: ignore[attr-defined]  # annotated by own_case
        return []
    found = case.follow_ups.filter(party_id__in=by.parties, is_for_applicant=True)
    return list(found.select_related("offer").order_by("-id"))


def final_on(notice: Notice, today: date, remedies: Iterable[Remedy] | None = None) -> date | None:
    """Since when a notice is final; None as long as it is not, also while a remedy is open.

    One statement unless `remedies` of the notice are given (or prefetched).
    """
    found = notice.remedies.all() if remedies is None else remedies
    day = final_day(
        waived_on=timezone.localdate(notice.waived_at) if notice.waived_at else None,
        remedy_until=notice.remedy_until,
        remedies=((remedy.received_on, remedy.settled_on, remedy.result) for remedy in found),
    )
    return day if day is not None and day <= today else None


def why_no_waiver(notice: Notice, today: date, remedies: Iterable[Remedy] | None = None) -> str:
    """Why the applicant cannot waive the remedy against a notice; empty if they can. Takes `decision` of the notice.

    Nobody is asked to give up their right against a refusal.
    """
    found = list(notice.remedies.all() if remedies is None else remedies)
    if notice.waived_at:
        return "Sie haben schon verzichtet."
    if notice.decision.outcome not in (Outcome.GRANTED, Outcome.PARTLY):
        return "Auf einen Rechtsbehelf gegen eine Ablehnung können Sie hier nicht verzichten."
    if any(remedy.settled_on is None for remedy in found):
        return "Gegen den Bescheid läuft ein Rechtsbehelf. Erst muss er erledigt sein."
    if today > notice.remedy_until:
        return "Die Frist für einen Rechtsbehelf ist schon vorbei. Ein Verzicht ist nicht mehr nötig."
    return ""


def own_case_parts(case: Case) -> tuple[list[Message], list[Document], list[Notice], list[Decision]]:
    """Messages, documents, notices and notified decisions, as far as the applicant may see them."""
    return (
        list(case.messages.order_by("-id")),
        list(Document.objects.filter(case_id=case.id, is_for_applicant=True).order_by("id")),
        list(
            case.notices.select_related("document", "decision").prefetch_related("remedies").order_by("-id")
        ),
        list(case.decisions.exclude(notified_at=None)),
    )
