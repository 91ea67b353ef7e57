"""What runs later for grants. Arguments are ids and keys of duties."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail

from rathaus.casework.cases.queries import office_of
from rathaus.core import clock
from rathaus.core.identity.actors import Actor
from rathaus.core.identity.queries import addresses_of
from rathaus.core.jobs.queue import MAIL_RETRY, app
from rathaus.core.tenancy import acting
from rathaus.domains.grants.actions import deadlines
from rathaus.domains.grants.duties import Duty, duties_of
from rathaus.domains.grants.models import Call, Grant, Review
from rathaus.domains.grants.queries.standings import Standing, standings
from rathaus.law.money import format_amount
from rathaus.law.text import format_date


@app.periodic(cron="15 5 * * *")
@app.task(name="grants.remind", queueing_lock="grants.remind")
def remind(timestamp: int) -> None:
    """Remind of what is due, each morning, per authority."""
    for authority in _authorities():
        deadlines.remind(by=Actor.system(authority))


@app.task(name="grants.send_reminder", retry=MAIL_RETRY)
def send_reminder(*, authority: str, grant: str, duties: list[str]) -> None:
    """Send one mail about these duties of a grant. What was done meanwhile is left out, and so is a mail about nothing."""
    today = clock.today()
    with acting(authority=UUID(authority)):
        standing = next(iter(standings(Grant.objects.filter(id=UUID(grant)))))
        found = [duty for duty in duties_of(standing, today) if duty.key in duties]
        addresses = addresses_of(standing.grant.party_id, without=deadlines.without_mail) if found else []
    if addresses:
        subject, body = mail(standing, found)
        send_mail(subject, body, None, addresses)


def mail(standing: Standing, duties: list[Duty]) -> tuple[str, str]:
    """Subject and text of a reminder."""
    today, grant = clock.today(), standing.grant
    lines = [_line(duty, duty.days_left(today) or 0) for duty in duties]
    first = duties[0]
    day = format_date(first.due_on) if first.due_on else ""
    subject = (
        f"{first.title}: bis {day}" if len(duties) == 1 else f"{len(duties)} Fristen, die erste am {day}"
    )
    was = f" ({grant.recipient_name})" if grant.recipient and grant.recipient.has_ended(today) else ""
    sender = office_of(grant.case, on=today)
    body = (
        f"Guten Tag,\n\nzu Ihrer Förderung „{grant.title}“ ({grant.reference}){was} steht an:\n\n"
        + "\n".join(lines)
        + f"\n\nHier sehen Sie, was zu tun ist: {settings.BASE_URL}/foerderungen/{grant.id}/\n"
        f"Erinnerungen abschalten: {settings.BASE_URL}/foerderungen/fristen/\n\n{sender.label}\n"
    )
    return f"{subject} ({grant.reference})", body


@app.task(name="grants.send_review_request", retry=MAIL_RETRY)
def send_review_request(*, authority: str, expert: str, reviews: list[str]) -> None:
    """Tell an expert what they are asked to review. What is no longer open is left out, and so is a mail about nothing."""
    with acting(authority=UUID(authority)):
        found = Review.objects.filter(id__in=reviews, expert_id=UUID(expert)).select_related(
            "case", "authority", "expert"
        )
        waiting = [review for review in found.order_by("id") if review.is_open]
    if waiting:
        subject, body = review_mail(waiting)
        send_mail(subject, body, None, [waiting[0].expert.email])


def review_mail(reviews: list[Review]) -> tuple[str, str]:
    """Subject and text of the mail about reviews that were asked for at once."""
    one, number = reviews[0], len(reviews)
    what = "ein Gutachten" if number == 1 else f"{number} Gutachten"
    until = f" bis {format_date(one.due_on)}" if one.due_on else ""
    lines = "\n".join(f"- {review.case.title} ({review.case.reference})" for review in reviews)
    body = (
        f"Guten Tag,\n\nwir bitten Sie um {what}{until}:\n\n{lines}\n\n"
        "Sagen Sie uns zuerst, ob Sie befangen sind. Danach sehen Sie den Antrag und geben Ihre Punkte ab:\n"
        f"{settings.BASE_URL}/amt/gutachten/\n\n{one.authority.label}\n"
    )
    return f"Bitte um {what}{until}", body


def _line(duty: Duty, left: int) -> str:
    when = (
        "heute" if left == 0 else "morgen" if left == 1 else f"in {left} Tagen" if left > 0 else "überfällig"
    )
    amount = f", {format_amount(duty.amount)}" if duty.amount else ""
    day = f" bis {format_date(duty.due_on)} ({when})" if duty.due_on else ""
    note = f"\n  {duty.note[0].upper()}{duty.note[1:]}" if duty.note else ""
    return f"- {duty.title}{amount}{day}{note}"


def _authorities() -> list[UUID]:
    """Whoever has a call; calls are public."""
    return list(Call.objects.order_by("authority_id").values_list("authority_id", flat=True).distinct())
