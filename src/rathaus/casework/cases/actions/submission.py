"""Handing in: the one way an application becomes a case, from the form, a file or a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection
from django.utils import timezone

from rathaus.casework.cases import events, jobs
from rathaus.casework.cases.actions.answers import InvalidAnswers, file_attachments, title_and_amount
from rathaus.casework.cases.actions.confirmations import ask_partners
from rathaus.casework.cases.actions.corrections import hand_in_correction
from rathaus.casework.cases.actions.drafts import check_about, check_open, check_trust
from rathaus.casework.cases.facts import check_fits
from rathaus.casework.cases.models import Application, Case, Draft
from rathaus.casework.cases.permissions import check_may_open
from rathaus.casework.cases.steps import opening
from rathaus.casework.services.enums import Opening
from rathaus.casework.services.models import Offer
from rathaus.casework.services.operations import Refused
from rathaus.casework.services.packages import Package, package_of
from rathaus.core import clock
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Party
from rathaus.core.tenancy import new_id

_NOTHING_TYPED: Mapping[str, str] = {}


def submit_draft(*, by: Actor, draft: UUID) -> Case:
    """Hand a draft in: a new application, or the correction of an earlier one. Sent twice (double click, resent request),
    it makes one case and answers with it."""
    with by.acting():
        drafts = Draft.objects.select_for_update(of=("self",))
        drafts = drafts.select_related("offer__authority", "offer__terms", "party", "about", "corrects")
        found = drafts.filter(id=draft).first()
        if found is None:
            application = Application.objects.select_related("case").filter(submission=draft).first()
            if application is None:
                raise Draft.DoesNotExist
            return application.case
        check_trust(by, package_of(found.version_id))
        if found.corrects_id:
            return hand_in_correction(by=by, draft=found)
        case = submit_application(
            by=by,
            offer=found.offer,
            party=found.party,
            answers=found.answers,
            submission=found.id,
            raw=found.raw,
            version=found.version_id,
            about=found.about,
        )
        found.delete()
        return case


def submit_application(
    *,
    by: Actor,
    offer: Offer,
    party: Party,
    answers: dict[str, Any],
    submission: UUID,
    raw: Mapping[str, str] | None = None,
    version: UUID | None = None,
    about: Case | None = None,
) -> Case:
    """Make an application and its case, and begin its process.

    `submission` identifies the act of handing in and is unique; `about` is the earlier case of a follow-up. The terms
    of the offer that are in force now hold for the case until its end. The office may enter what it received for
    anybody; everybody else hands in for their own parties, with a login as good as the service demands. Raises
    InvalidAnswers, Refused (window closed, handed in already) or NotAllowed; then nothing is stored.
    """
    if party.id not in by.parties and by.authority != offer.authority_id:
        raise NotAllowed("Für diese Antragstellerin oder diesen Antragsteller dürfen Sie nicht handeln.")
    check_open(offer)
    package = package_of(version or offer.version_id)
    if package.manifest.opening == Opening.OFFICE:
        raise NotAllowed("Diesen Vorgang eröffnet nur die Behörde.")
    check_about(package.manifest, offer, party.id, about)
    if by.authority != offer.authority_id:
        check_trust(by, package)
    case = Case(
        authority_id=offer.authority_id,
        offer=offer,
        terms=offer.terms,
        party=party,
        party_name=party.name,
        party_address=party.address,
        applicant_id=party.authority_id,
        about=about,
    )
    return _open(by, case, package, version or offer.version_id, answers, submission, raw=raw or {})


def open_case(*, by: Actor, offer: Offer, about: Case, answers: dict[str, Any], submission: UUID) -> Case:
    """The office opens a case by itself (ex officio) about an earlier one, for the same party, and begins its process.

    `answers` are those of the package's form, written by the office; they stay inside. Only the first role of the package
    may (see permissions), or the system. The same `submission` again answers with the case that it made. Raises
    InvalidAnswers, Refused or NotAllowed; then nothing is stored.
    """
    package = package_of(offer.version_id)
    check_may_open(by, offer, package)
    check_about(package.manifest, offer, about.party_id, about)
    check_open(offer)
    with by.acting():
        earlier = Application.objects.select_related("case").filter(submission=submission).first()
        if earlier is not None and (earlier.case.offer_id, earlier.case.about_id) == (offer.id, about.id):
            return earlier.case
        case = Case(
            authority_id=offer.authority_id,
            offer=offer,
            terms=offer.terms,
            party_id=about.party_id,
            party_name=about.party_name,
            party_address=about.party_address,
            applicant_id=about.applicant_id,
            about=about,
            is_for_applicant=False,
        )
        return _open(by, case, package, offer.version_id, answers, submission, is_ex_officio=True)


def _open(
    by: Actor,
    case: Case,
    package: Package,
    version: UUID,
    answers: dict[str, Any],
    submission: UUID,
    *,
    raw: Mapping[str, str] = _NOTHING_TYPED,
    is_ex_officio: bool = False,
) -> Case:
    """Check the answers, name and number the case, and take its first step."""
    if errors := package.form.check(answers, raw=raw):
        raise InvalidAnswers(errors)
    clean = package.form.clean(answers)
    case.opened_at = clock.now()
    with by.on_behalf_of(case.authority_id):
        known = check_fits(case, package)
        case.title, case.amount = title_and_amount(package, clean, case.terms.values_for(version), known)
        year = timezone.localtime(case.opened_at).year
        case.reference = _next_reference(case.authority_id, case.offer.prefix, year)
        case.application = application = Application(
            authority_id=case.authority_id,
            case=case,
            party_id=case.party_id,
            version_id=version,
            answers=clean,
            submission=submission,
            is_ex_officio=is_ex_officio,
            submitted_at=case.opened_at,
            submitted_by_id=by.account,
        )
        file_attachments(case, clean)
        run = opening(application, package, by=by)
        run.record(events.OPENED_EX_OFFICIO if is_ex_officio else events.OPENED)
        run.start()
        if not is_ex_officio:
            ask_partners(run, clean)
            run.defer(jobs.send_receipt)
        with _once():
            run.write()
        return case


@contextmanager
def _once() -> Iterator[None]:
    """Of two that hand in the same at the same moment, the second is told."""
    try:
        yield
    except IntegrityError as wrong:
        if "cases_application_submission" not in str(wrong):
            raise
        raise Refused("Dieser Antrag ist schon eingegangen.") from wrong


def _next_reference(authority: UUID, prefix: str, year: int) -> str:
    """SHH-2021-00018: counted per authority, prefix and year without gaps."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_referencecounter (id, authority_id, prefix, year, last) VALUES (%s, %s, %s, %s, 1) "
            "ON CONFLICT (authority_id, prefix, year) DO UPDATE SET last = cases_referencecounter.last + 1 "
            "RETURNING last",
            [new_id(), authority, prefix, year],
        )
        return f"{prefix}-{year}-{cursor.fetchone()[0]:05d}"
