"""`python -m rathaus.integrations.demo_idp`: migrate and fill the provider's database, in a process of its own."""

import os

import django


def main() -> None:
    """Needs IDP_DATABASE_URL and RATHAUS_PREVIEW=1. A second settings module wants a second process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rathaus.integrations.demo_idp.settings"
    django.setup()
    from django.core.management import call_command

    from rathaus.integrations.demo_idp.seed import seed

    call_command("migrate", verbosity=0)
    seed()


if __name__ == "__main__":
    main()
