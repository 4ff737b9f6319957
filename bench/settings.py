"""The product's settings, plus the pages that it is compared with."""

from dashboard.settings import *  # noqa: F403 - settings are a namespace
from dashboard.settings import ALLOWED_HOSTS, BASE_DIR, STORAGES, TEMPLATES

ROOT_URLCONF = "bench.stock"
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
TEMPLATES = [TEMPLATES[0] | {"DIRS": [*TEMPLATES[0]["DIRS"], BASE_DIR / "bench" / "templates"]}]
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
