from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "rathaus.casework.cases"
    label = "cases"
    verbose_name = "Vorgänge"

    def ready(self) -> None:
        from rathaus.casework.cases.actions import decisions, messages, notices  # noqa: F401  registers the operations
