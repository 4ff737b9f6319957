"""Django settings; what operators may choose comes from environment variables."""

import os
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from dashboard import __version__
from dashboard.env import Env, digest
from dashboard.sign_in_settings import *  # noqa: F403 - Django takes the names as settings
from dashboard.sign_in_settings import SIGN_IN_APPS, SIGN_IN_MIDDLEWARE

env = Env.with_secret_files(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = __version__

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret("SECRET_KEY", "insecure-" * 6 if DEBUG else None, minimum=32)
# Previous keys: what was signed with them stays valid while the key is rotated.
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS", minimum=32)
# API tokens outlive anything else that SECRET_KEY protects, so they may have their own key.
TOKEN_KEY = env.secret("TOKEN_KEY", SECRET_KEY, minimum=32)
TOKEN_KEY_FALLBACKS = env.secrets("TOKEN_KEY_FALLBACKS", minimum=32)
if TOKEN_KEY == SECRET_KEY:
    TOKEN_KEY_FALLBACKS += SECRET_KEY_FALLBACKS
_base = urlsplit(env.url("BASE_URL", "http://127.0.0.1:8000"))
# Without the path, which reverse() puts in front of every path that it returns.
BASE_URL = f"{_base.scheme}://{_base.netloc}"
FORCE_SCRIPT_NAME = _base.path or None
_host = _base.hostname or ""
ALLOWED_HOSTS = env.names(
    "ALLOWED_HOSTS", f"[{_host}]" if ":" in _host else f"{_host},127.0.0.1,localhost"
)
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# Without a token, there is no /metrics.
METRICS_TOKEN = env.token("METRICS_TOKEN", minimum=32)
# Where operators read docs/, without a trailing slash.
DOCS_URL = env.url("DOCS_URL", "")
# For the worker, beat and commands only; the web process has neither.
DCS_PROJECTS = env.text("DCS_PROJECTS", "")
REDIS_URL = env.broker("REDIS_URL")
_default_database = f"sqlite:///{quote(str(BASE_DIR / 'var' / 'dashboard.sqlite3'))}"
_database_url = env.text("DATABASE_URL", _default_database)
CELERY_PREFIX = env.prefix("CELERY_PREFIX", f"dcs-restores-{digest(_database_url)}")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_tables2",
    *SIGN_IN_APPS,  # before "restores", whose admin removes theirs
    "restores",
]
MIDDLEWARE = [
    "dashboard.middleware.request_ids",
    "dashboard.middleware.leave_out_bodies",
    "dashboard.middleware.security_headers",
    "dashboard.middleware.refuse_other_hosts",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "dashboard.middleware.drop_session_cookie",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Before anything that reads forms, and after the middleware that finds the user.
    "dashboard.middleware.refuse_unreadable_forms",
    "restores.sessions.track_activity",
    "restores.token_access.TokenAccess",
    "restores.link_repair.repair_links",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "restores.time_zone.show_chosen_zone",
    *SIGN_IN_MIDDLEWARE,
]
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "restores.context.stalled",
                "restores.context.zone_choice",
                "restores.context.version",
            ],
        },
    },
]

DATABASES = {
    "default": env.database("DATABASE_URL", _default_database)
    | {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": env.flag("DISABLE_SERVER_SIDE_CURSORS"),
    }
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Web and worker share the file: readers must not wait for the writer, and a transaction takes
    # the write lock at its start instead of failing halfway.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # A network that drops packets is noticed within 10 s, even in the middle of a statement.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 2,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 4,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    } | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Form sizes, in bytes: a ticket pasted into these may have five megabytes, three times as many if
# each byte is percent-encoded.
LARGEST_FORM, DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440, 16_777_216
LARGE_FORMS = ("/lookup/", "/lookup.json")
# Parsing a large one takes seconds: not for somebody who isn't signed in.
LARGEST_SIGNED_OUT_FORM = 65_536

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = f"{_base.path}/static/"
STATIC_ROOT = env.folder("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dashboard.static_files.Storage"},
}

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "dashboard.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "restores.sessions.EndSessions"},
]

_secure = _base.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{_base.path}/"
# Browsers send a host's cookies to all its ports: each deployment needs its own names. They accept
# __Host- only for the path /.
_prefix = ("__Secure-" if _base.path else "__Host-") if _secure else ""
_cookie = f"{_prefix}{{}}-{digest(_database_url, _base.geturl())}"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = _cookie.format("session"), _cookie.format("csrf")
ZONE_COOKIE_NAME = _cookie.format("zone")
# Not in a cookie, for the same reason.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# From signing in; restores/sessions.py ends idle sessions earlier.
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_HSTS_SECONDS = 2 * 365 * 86400 if _secure else 0
# On a shared host, these aren't ours to decide.
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _secure and not _base.path
SECURE_SSL_REDIRECT = _secure
_path = re.escape(f"{_base.path}/".removeprefix("/"))
SECURE_REDIRECT_EXEMPT = [rf"^{_path}{name}$" for name in ("healthz", "readyz", "metrics")]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _secure else None
# Browsers offer passkeys over http:// only on localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _secure

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "dashboard.logs.TextFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "dashboard.logs.JsonFormatter"},
    },
    "filters": {
        "tokens": {"()": "dashboard.logs.HideSignInTokens"},
        "ids": {"()": "dashboard.logs.AddIds"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env.choice("LOG_FORMAT", ("text", "json")),
            "filters": ["tokens", "ids"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Not Django's own handlers: they print and e-mail addresses with sign-in tokens.
        "django": {"handlers": []},
        "django.server": {"handlers": []},
        # A request that we refuse isn't our fault.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
        # Two lines for each message, every five seconds, would hide what matters.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # A worker that stops puts back what arrives meanwhile; another one gets it.
        "kombu.transport.virtual.base": {"level": "ERROR"},
    },
}
