"""Settings of the preview's Servicekonto: a Django site of its own, beside the platform, with its own database."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

from rathaus.integrations.demo_idp import keys, options

if os.environ.get("RATHAUS_PREVIEW") != "1":
    raise RuntimeError(
        "Das Vorschau-Servicekonto kennt nur erfundene Personen mit einem bekannten Passwort. "
        "Es läuft nur, wenn RATHAUS_PREVIEW=1 gesetzt ist."
    )

PACKAGE = Path(__file__).resolve().parents[2]
ROOT = PACKAGE.parents[1]
VAR = Path(os.environ.get("RATHAUS_VAR", ROOT / "var"))

SECRET_KEY = keys.secret(VAR / "idp/secret_key")
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", str(urlsplit(options.ISSUER).hostname)]
CSRF_TRUSTED_ORIGINS = [options.ISSUER]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rathaus.integrations.demo_idp",  # before allauth: its templates count
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rathaus.integrations.demo_idp.views.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "rathaus.integrations.demo_idp.urls"
WSGI_APPLICATION = "rathaus.integrations.demo_idp.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "rathaus.integrations.demo_idp.views.site",
            ],
            "builtins": ["django.templatetags.static"],
        },
    }
]

DATABASES = {"default": dict(dj_database_url.parse(os.environ["IDP_DATABASE_URL"], conn_max_age=None))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "/anmelden/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "rathaus.integrations.demo_idp.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
# Everybody knows the password: counting attempts would protect nothing, and demos log in often.
ACCOUNT_RATE_LIMITS = False
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]

IDP_OIDC_ADAPTER = "rathaus.integrations.demo_idp.adapter.ProviderAdapter"
IDP_OIDC_PRIVATE_KEY = keys.signing_key(VAR / "idp/signing_key.pem")

# Cookies do not know ports: on localhost, names of our own keep the platform's session apart.
SESSION_COOKIE_NAME = "vorschau_konto"
CSRF_COOKIE_NAME = "vorschau_konto_csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "de"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Berlin"

STATIC_URL = "/static/"
STATICFILES_DIRS = [
    ("kern", ROOT / "node_modules/@kern-ux/native/dist"),
    ("fonts", VAR / "build/fonts"),
    ("web", PACKAGE / "web/static/web"),
]
WHITENOISE_USE_FINDERS = True
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
