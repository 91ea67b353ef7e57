from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "rathaus.core.identity"
    label = "identity"
    verbose_name = "Identität"
