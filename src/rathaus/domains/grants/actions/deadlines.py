"""Telling people of deadlines: reminders by mail, and the secret address of a calendar."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from contextlib import AbstractContextManager
from uuid import UUID

from django.db.models import QuerySet

from rathaus.core import clock
from rathaus.core.audit.actions import record
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.models import Party
from rathaus.core.tenancy import Context, acting
from rathaus.domains.grants import events
from rathaus.domains.grants.duties import Duty, duties_of, reminder_for
from rathaus.domains.grants.models import DeadlineChoice, Grant, Reminder
from rathaus.domains.grants.queries.standings import Standing, standings
from rathaus.law.text import format_day

BATCH = 200  # grants read at once
SECRET_BYTES = 24


def remind(*, by: Actor) -> int:
    """Note what of the authority's grants is due in 14 or 3 days and was not told yet, and have the mails sent, one a
    grant. Answers how many mails will go out. A batch of grants is one transaction."""
    from rathaus.domains.grants.jobs import send_reminder  # jobs call actions

    with by.acting():
        keys = list(
            Grant.objects.filter(authority_id=by.staff_of, notified_on__isnull=False)
            .order_by("id")
            .values_list("id", flat=True)
        )
    mails, today = 0, clock.today()
    for start in range(0, len(keys), BATCH):
        with by.acting():
            batch = Grant.objects.filter(id__in=keys[start : start + BATCH])
            due = {
                standing.grant.id: (standing, found)
                for standing in standings(batch)
                if (
                    found := [
                        (duty, days)
                        for duty in duties_of(standing, today)
                        if (days := reminder_for(duty, today))
                    ]
                )
            }
            known = _known(Reminder.objects.filter(grant_id__in=due))
            for key, (standing, found) in due.items():
                new = [
                    (duty, days) for duty, days in found if (key, duty.key, duty.due_on, days) not in known
                ]
                if new and _note(by, standing, new):
                    send_reminder.defer(
                        authority=str(by.staff_of), grant=str(key), duties=[duty.key for duty, _ in new]
                    )
                    mails += 1
    return mails


def _known(reminders: QuerySet[Reminder]) -> set[tuple[object, ...]]:
    return set(reminders.values_list("grant_id", "duty", "due_on", "days_before"))


def _note(by: Actor, standing: Standing, found: list[tuple[Duty, int]]) -> bool:
    """Whether at least one is new: another run may have been faster."""
    grant = standing.grant
    rows = [
        Reminder(
            authority_id=grant.authority_id, grant=grant, duty=duty.key, due_on=duty.due_on, days_before=days
        )
        for duty, days in found
        if duty.due_on
    ]
    before = Reminder.objects.filter(grant=grant).count()
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    if Reminder.objects.filter(grant=grant).count() == before:
        return False
    for duty, _ in found:
        if duty.due_on:
            record(
                events.REMINDED,
                by=by,
                authority=grant.authority_id,
                case=grant.case_id,
                duty=duty.title,
                due=format_day(duty.due_on),
            )
    return True


def set_mail(*, by: Actor, party: UUID, wanted: bool) -> DeadlineChoice:
    """Whether the actor's account gets mails about deadlines of a party that it acts for. Without a choice it does."""
    with _choosing(by, party):
        choice, _ = DeadlineChoice.objects.update_or_create(
            account_id=by.account, party_id=party, defaults={"wants_mail": wanted}
        )
        return choice


def make_feed(*, by: Actor, party: UUID) -> str:
    """A new secret for the calendar of a party; an earlier one is worth nothing from now on. It is told once and never
    kept: the database has its hash."""
    with _choosing(by, party):
        assert by.account is not None  # `_choosing` looked
        token = _token(by.account)
        DeadlineChoice.objects.update_or_create(
            account_id=by.account,
            party_id=party,
            defaults={"feed_hash": _hash(token), "feed_made_at": clock.now()},
        )
        return token


def revoke_feed(*, by: Actor, party: UUID) -> None:
    """The calendar's address leads nowhere from now on."""
    with _choosing(by, party):
        assert by.account is not None  # `_choosing` looked
        DeadlineChoice.objects.filter(account_id=by.account, party_id=party).update(
            feed_hash=None, feed_made_at=None
        )


def _choosing(by: Actor, party: UUID) -> AbstractContextManager[Context]:
    if by.account is None or party not in by.parties or party not in by.bodies or party in by.former:
        raise NotAllowed("Für diese Kommune dürfen Sie nicht handeln.")
    return by.acting()


def feed_of(token: str) -> tuple[UUID, UUID] | None:
    """Account and party of a calendar's secret; None for one that is wrong or revoked.

    A secret begins with the account, so that the database shows the rows of that account and no others while the
    hash is compared.
    """
    account = _account_in(token)
    if account is None:
        return None
    with acting(account=account):
        party = (
            DeadlineChoice.objects.filter(account_id=account, feed_hash=_hash(token))
            .values_list("party_id", flat=True)
            .first()
        )
    return (account, party) if party else None


def _token(account: UUID) -> str:
    return urlsafe_b64encode(account.bytes + secrets.token_bytes(SECRET_BYTES)).decode().rstrip("=")


def _account_in(token: str) -> UUID | None:
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Error, ValueError):
        return None
    return UUID(bytes=raw[:16]) if len(raw) == 16 + SECRET_BYTES else None


def _hash(token: str) -> str:
    """A secret of 192 random bits needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def without_mail(party: Party) -> list[UUID]:
    """The accounts that want no mail about deadlines of a party; to be asked in the party's context."""
    choices = DeadlineChoice.objects.filter(party_id=party.id, wants_mail=False)
    return list(choices.values_list("account_id", flat=True))
