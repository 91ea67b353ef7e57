"""Fills the provider's database: the platform as a client, the people as users."""

from __future__ import annotations

from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.db import transaction

from rathaus.integrations.demo_idp import options
from rathaus.integrations.demo_idp.people import password, people


@transaction.atomic
def seed() -> None:
    """Make database and settings agree. Idempotent; people no longer in the file lose their access."""
    client = Client.objects.filter(id=options.CLIENT_ID).first() or Client(id=options.CLIENT_ID, secret="")
    if not client.check_secret(options.CLIENT_SECRET):
        client.set_secret(options.CLIENT_SECRET)
    client.name = "Rathaus (Vorschau)"
    client.set_scopes(["openid", "profile", "email", "address"])
    client.set_redirect_uris(options.REDIRECT_URIS)
    # The platform belongs to the same preview: asking for consent each time would only be in the way.
    client.skip_consent = True
    client.save()
    _seed_people()


def _seed_people() -> None:
    # Hashing is slow on purpose: one hash for all, kept while it fits.
    kept = User.objects.values_list("password", flat=True).first() or ""
    hashed = kept if check_password(password(), kept) else make_password(password())
    User.objects.exclude(username__in=[person.subject for person in people()]).delete()
    User.objects.bulk_create(
        [
            User(
                username=person.subject,
                first_name=person.given_name,
                last_name=person.family_name,
                email=person.email,
                password=hashed,
            )
            for person in people()
        ],
        update_conflicts=True,
        unique_fields=["username"],
        update_fields=["first_name", "last_name", "email", "password"],
    )
