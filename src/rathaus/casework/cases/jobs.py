"""What runs later for cases. Arguments are ids, and for operations what the package passes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from procrastinate import JobContext

from rathaus.casework.cases.actions import incidents
from rathaus.casework.cases.actions.timers import fire_timers
from rathaus.casework.cases.models import Case, Confirmation, Draft
from rathaus.casework.cases.queries import office_of
from rathaus.casework.services.models import Offer
from rathaus.core import clock
from rathaus.core.audit.actions import seal
from rathaus.core.audit.queries import authorities_with_history
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import addresses_of
from rathaus.core.jobs.queue import MAIL_RETRY, RETRY, app
from rathaus.core.tenancy import acting, housekeeping

MAILS = {
    "receipt": (
        "Ihr Antrag ist eingegangen",
        "wir haben Ihren Antrag „{title}“ erhalten. Ihre Vorgangsnummer ist {reference}.",
    ),
    "question": (
        "Rückfrage zu Ihrem Antrag",
        "zu Ihrem Antrag „{title}“ ({reference}) haben wir eine Rückfrage.",
    ),
    "message": (
        "Neue Nachricht",
        "zu Ihrem Antrag „{title}“ ({reference}) liegt eine Nachricht für Sie bereit.",
    ),
    "declined": (
        "Ein Partner macht nicht mit",
        "zu Ihrem Antrag „{title}“ ({reference}) hat ein Partner die Mitwirkung abgelehnt.",
    ),
    "withdrawn": (
        "Ihr Antrag ist zurückgezogen",
        "Sie haben Ihren Antrag „{title}“ ({reference}) zurückgezogen. Wir bearbeiten ihn nicht weiter.",
    ),
    "notice": (
        "Ihr Bescheid ist da",
        "über Ihren Antrag „{title}“ ({reference}) ist entschieden. Der Bescheid liegt in Ihrem Postfach.",
    ),
}
# The same where the office opened the case: nobody applied for anything.
OFFICE_MAILS = {
    "question": (
        "Sie können sich äußern",
        "im Vorgang „{title}“ ({reference}) können Sie sich äußern, bevor wir entscheiden. Die Frist finden Sie dort.",
    ),
    "message": (
        "Neue Nachricht",
        "im Vorgang „{title}“ ({reference}) liegt eine Nachricht für Sie bereit.",
    ),
    "notice": (
        "Ihr Bescheid ist da",
        "im Vorgang „{title}“ ({reference}) ist entschieden. Der Bescheid liegt in Ihrem Postfach.",
    ),
}


@app.task(name="cases.run_operation", retry=RETRY, pass_context=True)
def run_operation(
    context: JobContext,
    *,
    authority: str,
    case: str,
    token: str,
    element: str,
    operation: str,
    arguments: dict[str, Any],
) -> None:
    """Run an operation of a service task; see the action for what happens when it fails."""
    incidents.run_operation(
        by=Actor.system(UUID(authority)),
        case=UUID(case),
        token=token,
        operation=operation,
        arguments=arguments,
        attempts=context.job.attempts,
        most=RETRY.max_attempts or 1,
    )


@app.task(name="cases.send_receipt", retry=MAIL_RETRY)
def send_receipt(*, authority: str, case: str) -> None:
    _mail(UUID(authority), UUID(case), "receipt")


@app.task(name="cases.send_mail_to_applicant", retry=MAIL_RETRY)
def send_mail_to_applicant(*, authority: str, case: str, reason: str) -> None:
    _mail(UUID(authority), UUID(case), reason)


def _mail(authority: UUID, case_id: UUID, reason: str) -> None:
    with acting(authority=authority):
        case = Case.objects.select_related("authority__successor", "application").get(id=case_id)
    addresses = addresses_of(case.party_id)
    if not addresses:
        return
    subject, sentence = (OFFICE_MAILS if case.application.is_ex_officio else MAILS)[reason]
    sender = office_of(case, on=clock.today())
    body = (
        f"Guten Tag,\n\n{sentence.format(title=case.title, reference=case.reference)}\n\n"
        f"Hier sehen Sie alles dazu: {settings.BASE_URL}/meine/{case.id}/\n\n{sender.label}\n"
    )
    send_mail(f"{subject} ({case.reference})", body, None, addresses)


@app.task(name="cases.send_confirmation_request", retry=MAIL_RETRY)
def send_confirmation_request(*, authority: str, case: str, confirmation: str) -> None:
    """Tell a partner that an application names them; nothing if they are not needed any more."""
    with acting(authority=UUID(authority)):
        found = Confirmation.objects.filter(id=confirmation, case_id=case, state="open").first()
    addresses = addresses_of(found.party_id) if found else []
    if found is None or not addresses:
        return
    body = (
        f"Guten Tag,\n\n{found.applicant_name} stellt einen Antrag und nennt Sie als Partner: „{found.title}“. "
        "Bitte bestätigen Sie, dass Sie mitwirken, oder lehnen Sie ab.\n\n"
        f"Hier antworten Sie: {settings.BASE_URL}/meine/bestaetigung/{found.id}/\n"
    )
    send_mail(f"Um Ihre Bestätigung wird gebeten ({found.reference})", body, None, addresses)


@app.periodic(cron="* * * * *")
@app.task(name="cases.fire_due_timers", queueing_lock="cases.fire_due_timers")
def fire_due_timers(timestamp: int) -> None:
    """Let processes go on whose time has come."""
    for authority in _authorities():
        fire_timers(by=Actor.system(authority))


@app.periodic(cron="*/10 * * * *")
@app.task(name="cases.seal_events", queueing_lock="cases.seal_events")
def seal_events(timestamp: int) -> None:
    """Seal what happened, per authority; also at those that offer nothing but publish packages."""
    for authority in authorities_with_history():
        seal(authority)


@app.periodic(cron="20 3 * * *")
@app.task(name="cases.expire_drafts", queueing_lock="cases.expire_drafts")
def expire_drafts(timestamp: int) -> None:
    """Remove drafts that nobody went on with (OZG § 8a (3): thirty days after the last edit)."""
    with housekeeping():
        Draft.objects.filter(expires_on__lt=clock.today()).delete()


def _authorities() -> list[UUID]:
    return list(Offer.objects.order_by("authority_id").values_list("authority_id", flat=True).distinct())
