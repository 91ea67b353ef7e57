"""Settings. Everything a place may change comes from the environment (see docs/operations.md); the rest stands here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url

ROOT = Path(__file__).resolve().parents[3]
VAR = Path(os.environ.get("RATHAUS_VAR", ROOT / "var"))  # data
BUILD = ROOT / "var/build"  # what `rathaus assets build` makes of this checkout

IS_PREVIEW = os.environ.get("RATHAUS_PREVIEW", "1") == "1"
# An instant at which a process of a preview begins to live (core/clock).
LIVES_AT = os.environ.get("RATHAUS_LIVES_AT", "")
BASE_URL = os.environ.get("RATHAUS_URL", "http://localhost:8000")
IS_HTTPS = BASE_URL.startswith("https://")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("RATHAUS_HOSTS", "localhost,127.0.0.1,testserver").split(",")
CSRF_TRUSTED_ORIGINS = [BASE_URL]


def _secret() -> str:
    """From the environment; a preview makes its own once and keeps it."""
    if given := os.environ.get("RATHAUS_SECRET_KEY"):
        return given
    if not IS_PREVIEW:
        raise RuntimeError("RATHAUS_SECRET_KEY fehlt.")
    kept = VAR / "secret_key"
    if not kept.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(os.urandom(32).hex())
    return kept.read_text()


SECRET_KEY = _secret()

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rathaus.web",  # before allauth: its templates count
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "procrastinate.contrib.django",
    "rathaus.core.authorities",
    "rathaus.core.identity",
    "rathaus.core.audit",
    "rathaus.core.files",
    "rathaus.core.jobs",
    "rathaus.casework.services",
    "rathaus.casework.cases",
    "rathaus.casework.records",
    "rathaus.casework.bulk",
    "rathaus.domains.grants",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rathaus.web.middleware.ContentSecurityPolicy",
    "rathaus.web.uploads.UploadLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "rathaus.web.middleware.ActingMiddleware",
]

ROOT_URLCONF = "rathaus.config.urls"
WSGI_APPLICATION = "rathaus.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "rathaus.web.context.site",
            ],
            "builtins": ["rathaus.web.templatetags.rathaus", "django.templatetags.static"],
        },
    }
]

# --- database: the app's role is neither owner nor superuser; migrations use the owner ---
_FALLBACK = "postgresql://rathaus_app@localhost/rathaus"


def _database(url: str) -> dict[str, Any]:
    found: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=None))
    found["OPTIONS"] = {**found.get("OPTIONS", {}), "application_name": "rathaus"}
    return found


DATABASES = {
    "default": {
        **_database(os.environ.get("DATABASE_URL", _FALLBACK)),
        "ENGINE": "rathaus.core.postgres",  # prepared statements, fewer round trips
    },
    "owner": _database(os.environ.get("DATABASE_OWNER_URL", os.environ.get("DATABASE_URL", _FALLBACK))),
}
DATABASES["owner"]["CONN_MAX_AGE"] = 0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- identity ---
AUTH_USER_MODEL = "identity.Account"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/anmelden/"
LOGIN_REDIRECT_URL = "/weiter/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "rathaus.core.identity.adapter.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "rathaus.core.identity.adapter.ProviderAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key"}
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
MFA_TOTP_ISSUER = "Rathaus"
IDENTITY_PROVIDER_URL = os.environ.get("RATHAUS_OIDC_URL", "http://localhost:8001")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": os.environ.get("RATHAUS_OIDC_ID", "servicekonto"),
                "name": os.environ.get("RATHAUS_OIDC_NAME", "Servicekonto (Vorschau)"),
                "client_id": os.environ.get("RATHAUS_OIDC_CLIENT", "rathaus"),
                "secret": os.environ.get("RATHAUS_OIDC_SECRET", "vorschau-geheimnis"),
                "settings": {
                    "server_url": IDENTITY_PROVIDER_URL,
                    "fetch_userinfo": True,
                    "scope": ["openid", "profile", "email", "address"],
                },
            }
        ],
    }
}
SESSION_COOKIE_AGE = int(os.environ.get("RATHAUS_SESSION_HOURS", "12")) * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
CSRF_FAILURE_VIEW = "rathaus.web.errors.csrf_failed"

# --- language and time: UTC inside, Europe/Berlin at the edge ---
LANGUAGE_CODE = "de"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Berlin"

# --- files ---
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # stays empty unless files are collected; WhiteNoise wants it
STATICFILES_DIRS = [
    ("kern", ROOT / "node_modules/@kern-ux/native/dist"),
    ("htmx", ROOT / "node_modules/htmx.org/dist"),
    ("bpmn", ROOT / "node_modules/bpmn-js/dist"),
    ("fonts", BUILD / "fonts"),
]
WHITENOISE_MAX_AGE = 3600
WHITENOISE_USE_FINDERS = True
BLOB_ROOT = VAR / "blobs"
LETTER_FONTS = BUILD / "letter-fonts"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": BLOB_ROOT}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
VIRUS_SCAN = ""  # dotted name of a function, see core/files
UPLOAD_LIMIT_BYTES = 20 * 1024 * 1024
REQUEST_LIMIT_BYTES = 30 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "rathaus.web.uploads.LimitedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- mail and jobs ---
EMAIL_BACKEND = os.environ.get("RATHAUS_EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = VAR / "mail"
EMAIL_HOST = os.environ.get("RATHAUS_SMTP_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("RATHAUS_SMTP_PORT", "25"))
DEFAULT_FROM_EMAIL = os.environ.get("RATHAUS_MAIL_FROM", "rathaus@localhost")
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# --- law: what a state may set differently (domain.md B8) ---
LAND = os.environ.get("RATHAUS_LAND", "HE")

# --- open data: under which licence, see web/public/records.py ---
DATA_LICENCE = os.environ.get("RATHAUS_DATA_LICENCE", "dl-de/by-2-0")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Refused forms and unknown addresses are answered, not logged; what we did wrong is.
    "loggers": {"django.request": {"level": "ERROR"}},
    "root": {"handlers": ["console"], "level": os.environ.get("RATHAUS_LOG", "WARNING")},
}
