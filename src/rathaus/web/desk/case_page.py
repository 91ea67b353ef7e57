"""What the case page shows, worked out from the case as it was read; no statement but for names of municipalities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from rathaus.casework.cases import events
from rathaus.casework.cases.actions.decisions import HEAD
from rathaus.casework.cases.enums import (
    CaseState,
    DecisionState,
    FindingResult,
    IncidentState,
    Sender,
    TaskState,
)
from rathaus.casework.cases.models import Application, Case, Confirmation, Finding, Incident, Task
from rathaus.casework.cases.permissions import may_act, may_export
from rathaus.casework.cases.queries import CaseFile
from rathaus.casework.records.models import Document
from rathaus.casework.services.packages import Package, package_of
from rathaus.core.audit.queries import Entry, history
from rathaus.core.authorities.queries import by_ags, succession
from rathaus.core.identity.actors import Actor
from rathaus.engine.forms import Form, SummaryItem, SummarySection, SummaryTable, format_bytes
from rathaus.law.money import format_amount, format_number
from rathaus.law.text import format_date
from rathaus.web.desk.panels import Panel, open_panel
from rathaus.web.desk.remedies import RemedyPanel, RemedySection, section_of
from rathaus.web.desk.work import Work, work_of
from rathaus.web.diagram import Drawing, draw
from rathaus.web.fields import media_name
from rathaus.web.parts import Attachment, Fact, HistoryEntry, Link, MessageView
from rathaus.web.versions import VersionView, versions_view

_KEY_EVENTS = {
    kind.name
    for kind in (
        events.OPENED,
        events.EXCEPTION_ALLOWED,
        events.CORRECTED,
        events.PROPOSED,
        events.RETURNED,
        events.DECIDED,
        events.DECIDED_AUTOMATICALLY,
        events.WITHDRAWN,
        events.NOTICE_ISSUED,
        events.REMEDY_NOTED,
        events.REMEDY_SETTLED,
        events.REMEDY_WAIVED,
        events.INCIDENT_OPENED,
    )
}
_STEPS = frozenset(
    {"userTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask", "callActivity", "subProcess"}
)
_ENDS = frozenset({"startEvent", "endEvent"})


@dataclass(frozen=True)
class Typed:
    """What somebody chose or typed before the page is shown (again), with what is wrong with it.

    `taken` says who was faster with the task; then the panel's texts are shown, to be copied.
    """

    task: UUID | None = None
    panel: Panel | None = None
    taken: str = ""
    finding: UUID | None = None
    reason: str = ""
    finding_error: str = ""
    message: str = ""
    message_error: str = ""
    remedy: RemedyPanel | None = None


@dataclass(frozen=True)
class PostForm:
    """Where a form goes, and the mark by which its text is kept if the session ends meanwhile."""

    url: str
    kept_for: str


@dataclass(frozen=True)
class FindingView:
    """A rule as it came out: `level` ok, hint, over (exception) or bad; `form` where an exception may be allowed."""

    finding: Finding
    level: str
    decided: str = ""
    form: PostForm | None = None
    is_open: bool = False
    typed: str = ""
    error: str = ""


@dataclass(frozen=True)
class SectionView:
    """A page of the application: tables, and between them answers that follow each other."""

    title: str
    blocks: tuple[tuple[SummaryTable | None, tuple[SummaryItem, ...]], ...]


@dataclass(frozen=True)
class StepView:
    """A step of the process in words: `state` done, now or empty."""

    name: str
    state: str
    note: str


@dataclass(frozen=True)
class IncidentView:
    """A failed operation that waits for somebody, by the name of its step."""

    incident: Incident
    name: str
    url: str


@dataclass(frozen=True)
class Page:
    """Everything that desk/case.html shows."""

    case: Case
    crumbs: tuple[Link, ...]
    about: Link | None
    follow_ups: tuple[Case, ...]
    openings: tuple[Link, ...]
    is_ex_officio: bool
    may_export: bool
    may_act: bool
    glance: tuple[Fact, ...]
    tabs: tuple[Link, ...]
    findings: tuple[FindingView, ...]
    findings_sum: str
    has_head: bool
    sections: tuple[SectionView, ...]
    versions: tuple[tuple[VersionView, tuple[SectionView, ...]], ...]
    confirmations: tuple[Confirmation, ...]
    documents: tuple[Document, ...]
    messages: tuple[MessageView, ...]
    message_form: PostForm
    version: str
    drawing: Drawing | None
    steps: tuple[StepView, ...]
    history: tuple[HistoryEntry, ...]
    seal: str
    is_sealed: bool
    incidents: tuple[IncidentView, ...]
    remedies: RemedySection | None
    work: Work
    typed: Typed
    has_error: bool


def page_of(file: CaseFile, by: Actor, typed: Typed, *, now: datetime, owner: Callable[[str], str]) -> Page:
    """The page of a case for this person. `owner` marks a form (by its address) as theirs."""
    case = file.case
    package = package_of(file.version)
    entries = history(case.id)
    names = _functions(entries)
    work = work_of(file, package, by, typed.task, names=names, today=timezone.localtime(now).date())
    work = work.with_form(
        panel=typed.panel
        if typed.panel and not typed.taken
        else (_opened(work.task, file, now) if work.task else None),
        owner=owner,
    )
    findings = tuple(_findings(file, by, typed, owner))
    done = package.definition.passed(file.state)
    waiting = frozenset(found.element for found in package.definition.waiting(file.state))
    sealed = sum(1 for entry in entries if entry.event.transaction < file.sealed_before)
    message_url = reverse("desk:message", args=[case.reference])
    return Page(
        case=case,
        crumbs=(Link("Eingang", reverse("desk:inbox")), Link(case.reference, "")),
        about=Link(case.about.reference, reverse("desk:case", args=[case.about.reference]))
        if case.about
        else None,
        follow_ups=tuple(file.follow_ups),
        openings=tuple(
            Link(f"{offer.title} beginnen", reverse("desk:open", args=[case.reference, offer.slug]))
            for offer in file.office_offers
        ),
        is_ex_officio=file.application.is_ex_officio,
        may_export=may_export(by, case.authority_id),
        may_act=may_act(by, package),
        glance=tuple(_glance(file, package, work, now)),
        tabs=tuple(_tabs(file)),
        findings=findings,
        findings_sum=_findings_sum(findings),
        has_head=HEAD in by.roles,
        sections=in_words(file.application),
        versions=tuple(
            (view, () if view.is_in_force else in_words(view.application))
            for view in versions_view(file.versions)
        ),
        confirmations=tuple(file.confirmations),
        documents=tuple(file.documents),
        messages=tuple(_messages(file, by)),
        message_form=PostForm(message_url, owner(message_url)),
        version=package.manifest.fassung,
        drawing=draw(package.files["prozess.bpmn"], done=done, now=waiting),
        steps=tuple(_steps(file, package, names, done, waiting)),
        history=tuple(
            HistoryEntry(
                entry.sentence, entry.event.happened_at, entry.function, entry.event.name in _KEY_EVENTS
            )
            for entry in entries
        ),
        seal=_seal(sealed, len(entries)),
        is_sealed=sealed == len(entries),
        incidents=tuple(
            IncidentView(
                found,
                package.definition.nodes[found.element].name or found.element,
                reverse("desk:incident", args=[case.reference, found.id]),
            )
            for found in file.incidents
            if found.state == IncidentState.OPEN
        ),
        remedies=section_of(file, typed.remedy, today=timezone.localtime(now).date(), owner=owner),
        work=work,
        typed=typed,
        has_error=bool(
            (typed.panel and (typed.panel.errors or typed.panel.refusal) and not typed.taken)
            or typed.finding_error
            or typed.message_error
            or (typed.remedy and typed.remedy.has_error)
        ),
    )


def _opened(task: Task, file: CaseFile, now: datetime) -> Panel:
    """A fresh form; after a return it starts from the proposal that was sent back."""
    newest = file.decisions[0] if file.decisions else None
    earlier: dict[str, str] = {}
    if newest and newest.state == DecisionState.RETURNED:
        earlier["begruendung"] = newest.reasons
        if newest.amount is not None:
            earlier["betrag"] = format_number(newest.amount, places=2)
            for year, amount in newest.details.get("jahre", {}).items():
                earlier[f"jahr_{year}"] = format_number(Decimal(str(amount)), places=2)
    return open_panel(task, file.case, today=timezone.localtime(now).date(), earlier=earlier)


def _functions(entries: list[Entry]) -> dict[UUID, str]:
    """How the history calls an account: its function when it last acted."""
    found: dict[UUID, str] = {}
    for entry in entries:
        if entry.event.account_id and entry.function:
            found.setdefault(entry.event.account_id, entry.function)
    return found


# --- the strip and the tabs ---


def _glance(file: CaseFile, package: Package, work: Work, now: datetime) -> Iterator[Fact]:
    case, applicant = file.case, file.case.applicant
    about = []
    if applicant:
        about = [str(step) for step in succession(applicant, timezone.localtime(now).date())]
        about += [applicant.county] if applicant.county else []
        if applicant.population:
            about.append(f"{format_number(applicant.population)} Einwohner")
    yield Fact("Wer", case.party_name, " · ".join(about))
    yield _what(file)
    opened_on = timezone.localtime(case.opened_at).date()
    days = (timezone.localtime(now).date() - opened_on).days
    if case.closed_at:
        since = f"abgeschlossen am {format_date(timezone.localtime(case.closed_at).date())}"
    else:
        since = f"{_days(days) if days else 'heute'} · Ziel: {_days(package.manifest.bearbeitung_tage)}"
    yield Fact("Seit wann", format_date(opened_on), since)
    yield Fact("Was fehlt", *_missing(file))
    yield Fact("Was ist als Nächstes zu tun", *work.next_step, is_next=not case.closed_at)


def _what(file: CaseFile) -> Fact:
    case = file.case
    decided = next((found for found in file.decisions if found.state == DecisionState.DECIDED), None)
    result = decided.outcome_label if decided else ""
    if case.amount is None:
        return Fact("Was", case.offer.title, result)
    asked = "vorgesehen" if file.application.is_ex_officio else "beantragt"
    if decided and decided.amount is not None:
        return Fact("Was", format_amount(decided.amount), f"{result}, {asked} {format_amount(case.amount)}")
    return Fact("Was", format_amount(case.amount), result or asked)


def _missing(file: CaseFile) -> tuple[str, str]:
    if file.case.closed_at:
        return "Nichts", ""
    if file.case.state == CaseState.ACTION_REQUIRED:
        asked = next((message for message in file.messages if message.answer_until), None)
        until = f"erbeten bis {format_date(asked.answer_until)}" if asked and asked.answer_until else ""
        return "Eine Antwort", until
    failed = [found for found in file.findings if _level(found) == "bad"]
    if failed:
        return (
            ("Eine Ausnahme" if len(failed) == 1 else f"{len(failed)} Ausnahmen"),
            "Regel nicht erfüllt" if len(failed) == 1 else "Regeln nicht erfüllt",
        )
    return "Nichts", ""


def _tabs(file: CaseFile) -> Iterator[Link]:
    if file.findings:
        yield Link("Prüfung", "#pruefung", count=_count(file.findings), is_current=True)
    yield Link(
        "Angaben" if file.application.is_ex_officio else "Antrag", "#antrag", is_current=not file.findings
    )
    yield Link("Unterlagen", "#unterlagen", count=_count(file.documents))
    yield Link("Nachrichten", "#nachrichten", count=_count(file.messages))
    if file.follow_ups or file.office_offers:
        yield Link("Folgevorgänge", "#folgen", count=_count(file.follow_ups))
    if file.notices:
        yield Link("Rechtsbehelf", "#rechtsbehelf", count=_count(file.remedies))
    yield Link("Ablauf", "#ablauf")
    yield Link("Verlauf", "#verlauf")


def _count(found: Sized) -> str:
    return str(len(found) or "")


def _days(number: int) -> str:
    return f"{format_number(number)}\u00a0Tag{'' if number == 1 else 'e'}"


# --- findings ---


def _level(finding: Finding) -> str:
    if finding.result == FindingResult.FAILED:
        return "over" if finding.excepted_at else "bad"
    return "hint" if finding.result == FindingResult.HINT else "ok"


def _findings(file: CaseFile, by: Actor, typed: Typed, owner: Callable[[str], str]) -> Iterator[FindingView]:
    """Failed ones first, then exceptions and hints; what is met comes last, each in the order of the rules."""
    order = {"bad": 0, "over": 1, "hint": 2, "ok": 3}
    for found in sorted(file.findings, key=lambda finding: order[_level(finding)]):
        level, form = _level(found), None
        if level == "bad" and HEAD in by.roles and not file.case.closed_at:
            url = reverse("desk:exception", args=[file.case.reference, found.id])
            form = PostForm(url, owner(url))
        is_typed = typed.finding == found.id
        yield FindingView(
            found,
            level,
            decided=_excepted(found),
            form=form,
            is_open=is_typed,
            typed=typed.reason if is_typed else "",
            error=typed.finding_error if is_typed else "",
        )


def _excepted(finding: Finding) -> str:
    if finding.excepted_at is None:
        return ""
    at = timezone.localtime(finding.excepted_at)
    return f"von {finding.excepted_function or finding.excepted_by}, {format_date(at.date())}, {at.hour}:{at:%M} Uhr"


def _findings_sum(findings: tuple[FindingView, ...]) -> str:
    words = {"bad": "nicht erfüllt", "over": "mit Ausnahme", "hint": "Hinweis", "ok": "erfüllt"}
    counts = {level: sum(1 for found in findings if found.level == level) for level in words}
    return " · ".join(f"{counts[level]} {word}" for level, word in words.items() if counts[level])


# --- application and messages ---


def in_words(application: Application) -> tuple[SectionView, ...]:
    """What was applied for, page by page."""
    form = package_of(application.version_id).form
    return tuple(_section(section) for section in _sections(form, application.answers))


def _sections(form: Form, answers: dict[str, Any]) -> tuple[SummarySection, ...]:
    """The application in words; one statement for the names of municipalities, if there are any in it."""
    keys: set[str] = set()

    def collect(key: str) -> str:
        keys.add(key)
        return key

    found = form.summary(answers, authority_name=collect)
    if not keys:
        return found
    names = by_ags(keys)
    return form.summary(answers, authority_name=lambda key: names[key].label if key in names else key)


def _section(section: SummarySection) -> SectionView:
    blocks: list[tuple[SummaryTable | None, tuple[SummaryItem, ...]]] = []
    for is_table, found in groupby(section.items, lambda item: isinstance(item, SummaryTable)):
        items = list(found)
        if is_table:
            blocks += [(item, ()) for item in items if isinstance(item, SummaryTable)]
        else:
            blocks.append((None, tuple(item for item in items if isinstance(item, SummaryItem))))
    return SectionView(section.title, tuple(blocks))


def _messages(file: CaseFile, by: Actor) -> Iterator[MessageView]:
    for message in file.messages:
        is_staff = message.sender == Sender.STAFF
        sender = message.sender_name
        if is_staff and message.sent_by_id == by.account:
            sender = f"Sie ({sender})"
        text = message.body
        if message.answer_until:
            text += f"\n\nAntwort erbeten bis {format_date(message.answer_until)}."
        files = tuple(
            Attachment(
                document.file_name,
                reverse("desk:document", args=[file.case.reference, document.id]),
                f"{media_name(document.media_type)}, {format_bytes(document.size)}",
            )
            for document in file.documents
            if document.message_id == message.id
        )
        yield MessageView(sender, message.sent_at, text, is_mine=is_staff, attachments=files)


# --- process and history ---


def _steps(
    file: CaseFile, package: Package, names: Mapping[UUID, str], done: frozenset[str], now: frozenset[str]
) -> Iterator[StepView]:
    """The steps in the order of the process file; events of the flow only where they have a name."""
    latest = {task.element: task for task in file.tasks if task.state == TaskState.DONE}
    for element in package.definition.elements:
        if element.kind not in _STEPS and not (element.kind in _ENDS and element.name):
            continue
        name = element.name or element.id
        if element.id in now:
            yield StepView(name, "now", element.role or "")
        elif element.id in done:
            task = latest.get(element.id)
            yield StepView(name, "done", _who_when(task, names) if task else "")
        else:
            yield StepView(name, "", element.role or "")


def _who_when(task: Task, names: Mapping[UUID, str]) -> str:
    if task.completed_at is None or task.completed_by_id is None:
        return ""
    who = names.get(task.completed_by_id) or str(task.completed_by)
    return f"{who}, {format_date(timezone.localtime(task.completed_at).date())}"


def _seal(sealed: int, total: int) -> str:
    if sealed == total:
        return f"{total} {'Eintrag' if total == 1 else 'Einträge'}, alle versiegelt"
    return f"{sealed} von {total} Einträgen versiegelt"
