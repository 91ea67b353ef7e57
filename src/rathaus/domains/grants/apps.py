from django.apps import AppConfig


class GrantsConfig(AppConfig):
    name = "rathaus.domains.grants"
    label = "grants"
    verbose_name = "Förderung"

    def ready(self) -> None:
        from rathaus.domains.grants import actions  # noqa: F401  registers the operations
