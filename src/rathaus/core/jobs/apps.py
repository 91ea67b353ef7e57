from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    """Last of the core apps; once all tables are there, rights and policies are made what the models declare."""

    name = "rathaus.core.jobs"
    label = "jobs"
    verbose_name = "Aufträge"

    def ready(self) -> None:
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(*, using: str, **_: object) -> None:
    from django.db import connections

    from rathaus.core.tenancy import apply_tenancy

    apply_tenancy(connections[using])
