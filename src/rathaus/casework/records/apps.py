from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "rathaus.casework.records"
    label = "records"
    verbose_name = "Unterlagen"
