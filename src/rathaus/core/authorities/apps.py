from django.apps import AppConfig


class AuthoritiesConfig(AppConfig):
    name = "rathaus.core.authorities"
    label = "authorities"
    verbose_name = "Behörden"
