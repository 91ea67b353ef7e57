from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "rathaus.casework.services"
    label = "services"
    verbose_name = "Leistungen"
