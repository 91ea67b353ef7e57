"""Everything that writes identity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from rathaus.core.audit.actions import record
from rathaus.core.audit.kinds import EventKind
from rathaus.core.authorities.models import Authority
from rathaus.core.identity import events
from rathaus.core.identity.actors import Actor, NotAllowed
from rathaus.core.identity.enums import PartyKind
from rathaus.core.identity.models import Account, Mandate, Membership, Party
from rathaus.core.tenancy import acting, new_id


def add_member(
    *, by: Actor, authority: Authority, account: Account, roles: Iterable[str], function: str
) -> Membership:
    """Let an account work for an authority; called again, it replaces roles and function."""
    _check_may_give(by, authority.id)
    wanted = {"roles": sorted(roles), "function": function}
    with acting(authority=authority.id, account=account.pk):
        before = Membership.objects.filter(authority=authority, account=account).values(*wanted).first()
        member, _ = Membership.objects.update_or_create(authority=authority, account=account, defaults=wanted)
        if before != wanted:
            named = {"function": function, "roles": ", ".join(member.roles)}
            _record(events.MEMBER_SET, by, authority.id, account, **named)
        return member


@transaction.atomic
def set_password(*, by: Actor, email: str, password: str, name: str) -> Account:
    """Give an account a (new) password; made if unknown. Its other sessions end; every authority it works for is told."""
    _check_may_give(by, by.authority)
    account = Account.objects.filter(email=email.lower()).first()
    if account is None:
        return Account.objects.create_user(email, password, name=name)
    account.set_password(password)
    account.save(update_fields=["password"])
    with acting(account=account.pk):
        memberships = list(Membership.objects.filter(account=account))
    for member in memberships:
        with acting(authority=member.authority_id):
            _record(events.PASSWORD_SET, by, member.authority_id, account, function=member.function)
    return account


def _check_may_give(by: Actor, authority: UUID | None) -> None:
    """Rights are given from the command line, which acts as the machine of an authority, and by nobody who is logged in."""
    if not by.is_system or by.authority != authority:
        raise NotAllowed("Rechte vergibt nur, wer diese Plattform betreibt.")


def _record(kind: EventKind, by: Actor, authority: UUID, account: Account, **data: Any) -> None:
    record(kind, by=by, authority=authority, account=str(account.pk), **data)


def party_of_authority(authority: Authority) -> Party:
    """The party as which an authority applies elsewhere; made at first use."""
    with acting(authority=authority.id):
        party, _ = Party.objects.get_or_create(
            authority=authority,
            defaults={
                "kind": PartyKind.AUTHORITY,
                "name": authority.label,
                "street": authority.street,
                "postal_code": authority.postal_code,
                "city": authority.city,
            },
        )
        return party


def give_mandate(*, by: Actor, account: Account, party: Party, function: str = "") -> Mandate:
    """Let an account act for an authority as a party; its history tells. Persons act for themselves (`own_party`)."""
    _check_may_give(by, party.authority_id)
    with acting(authority=party.authority_id, account=account.pk, parties=[party.id]):
        before = Mandate.objects.filter(account=account, party=party).first()
        mandate, _ = Mandate.objects.update_or_create(
            account=account, party=party, defaults={"function": function}
        )
        if before is None or before.function != function:
            _record(events.MANDATE_GIVEN, by, by.staff_of, account, function=function)
        return mandate


def own_party(account: Account, *, name: str = "", address: dict[str, str] | None = None) -> Party:
    """The person behind an account as a party; made at first login."""
    with acting(account=account.id):
        mandated = [mandate.party_id for mandate in Mandate.objects.filter(account=account)]
    with acting(account=account.id, parties=mandated):
        if party := Party.objects.filter(kind=PartyKind.PERSON, id__in=mandated).first():
            return party
    party_id: UUID = new_id()
    with acting(account=account.id, parties=[*mandated, party_id]):
        party = Party.objects.create(
            id=party_id,
            kind=PartyKind.PERSON,
            name=name or account.name,
            email=account.email,
            **(address or {}),
        )
        Mandate.objects.create(account=account, party=party)
        return party
