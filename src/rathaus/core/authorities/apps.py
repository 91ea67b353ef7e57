from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuthoritiesConfig(AppConfig):
    """The room of tenants: once everything is migrated, rights and policies are made what the models declare."""

    name = "rathaus.core.authorities"
    label = "authorities"
    verbose_name = "Behörden"

    def ready(self) -> None:
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(*, using: str, **_: object) -> None:
    from django.db import connections

    from rathaus.core.tenancy import apply_tenancy

    apply_tenancy(connections[using])
