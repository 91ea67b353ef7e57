"""Everything that writes identity."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from rathaus.core.authorities.models import Authority
from rathaus.core.identity.enums import PartyKind
from rathaus.core.identity.models import Account, Mandate, Membership, Party
from rathaus.core.tenancy import acting, new_id


def add_member(*, authority: Authority, account: Account, roles: Iterable[str], function: str) -> Membership:
    """Let an account work for an authority; called again, it replaces roles and function."""
    with acting(authority=authority.id, account=account.id):
        member, _ = Membership.objects.update_or_create(
            authority=authority, account=account, defaults={"roles": sorted(roles), "function": function}
        )
        return member


def set_password(*, email: str, password: str, name: str) -> Account:
    """Give an account a (new) password; made if unknown. Ends nothing else: its other sessions expire by themselves."""
    account = Account.objects.filter(email=email.lower()).first()
    if account is None:
        return Account.objects.create_user(email, password, name=name)
    account.set_password(password)
    account.save(update_fields=["password"])
    return account


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


def give_mandate(*, account: Account, party: Party, function: str = "") -> Mandate:
    """Let an account act for a party."""
    with acting(account=account.id, parties=[party.id]):
        mandate, _ = Mandate.objects.update_or_create(
            account=account, party=party, defaults={"function": function}
        )
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
