from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "rathaus.core.files"
    label = "files"
    verbose_name = "Dateien"
