from django.apps import AppConfig


class BulkConfig(AppConfig):
    name = "rathaus.casework.bulk"
    label = "bulk"
    verbose_name = "Sammelbearbeitung"

    def ready(self) -> None:
        from rathaus.casework.bulk import tasks  # noqa: F401  registers the kernel's kind
