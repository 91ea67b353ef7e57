"""The platform's side: accounts that already know their people, so that roles can be given before a first login.

Runs under the platform's settings, unlike most of this folder.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from rathaus.core.identity.actions import own_party
from rathaus.core.identity.models import Account
from rathaus.integrations.demo_idp.options import PROVIDER_ID
from rathaus.integrations.demo_idp.people import Person


@transaction.atomic
def account_of(person: Person) -> Account:
    """The platform's account of a person of the preview, made if missing, with the person's own party.

    No password: it is entered through the Servicekonto only. Idempotent.
    """
    known = (
        SocialAccount.objects.filter(provider=PROVIDER_ID, uid=person.subject).select_related("user").first()
    )
    if known:
        return known.user
    account = Account.objects.create_user(person.email, name=person.name, trust_level=person.trust_level)
    EmailAddress.objects.create(user=account, email=person.email, verified=True, primary=True)
    SocialAccount.objects.create(
        user=account, provider=PROVIDER_ID, uid=person.subject, extra_data={"trust_level": person.trust_level}
    )
    own_party(
        account, address={"street": person.street, "postal_code": person.postal_code, "city": person.city}
    )
    return account
