"""The smallest Django project that does it, as its tutorial would. Run as a program, it makes its tables."""

from __future__ import annotations

import os

import dj_database_url
import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

PAGE = """<!doctype html><html lang="en"><title>Entries</title><h1>Entries</h1>
<form method="post">{% csrf_token %}<input name="text"><button>Save</button></form><p>{{ user.username }}: {{ text }}</p>"""
LOGIN = """<!doctype html><html lang="en"><title>Login</title>
<form method="post">{% csrf_token %}{{ form }}<button>Login</button></form>"""
NAME = "plain"
PASSWORD = "messung-misst-masse"  # noqa: S105  a made-up account in a database that is dropped afterwards

settings.configure(
    SECRET_KEY="only for the yardstick",  # noqa: S106  see above
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="rathaus.cli.bench.plain.site",
    LOGIN_URL="/login/",
    LOGIN_REDIRECT_URL="/",
    USE_TZ=True,
    DATABASES={"default": dj_database_url.parse(os.environ["PLAIN_DATABASE_URL"], conn_max_age=None)},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "rathaus.cli.bench.plain",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                ],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"page.html": PAGE, "registration/login.html": LOGIN},
                    )
                ],
            },
        }
    ],
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402  needs the settings
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.shortcuts import render  # noqa: E402

from rathaus.cli.bench.plain.models import Entry  # noqa: E402


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Session, account, one write, a small page."""
    entry = Entry.objects.create(text=request.POST.get("text", ""))
    return render(request, "page.html", {"text": entry.text})


urlpatterns = [path("", page), path("login/", LoginView.as_view())]
application = WSGIHandler()


def make_tables() -> None:
    """Tables and the one account."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Entry)
    User.objects.create_user(NAME, password=PASSWORD)


if __name__ == "__main__":
    make_tables()
