"""The web process."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
application = get_wsgi_application()


def _prepare() -> None:
    """Import the views and compile the templates: nobody's first page shall wait for that."""
    get_resolver().url_patterns  # noqa: B018 - read to be imported
    folder = settings.BASE_DIR / "templates"
    for file in folder.rglob("*.html"):
        get_template(str(file.relative_to(folder)))


_prepare()
