"""A check, when the web process starts, that the static files were collected."""

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.exceptions import ImproperlyConfigured


def require_static_files() -> None:
    """Raise ImproperlyConfigured if a page would fail because a file was not collected."""
    if settings.DEBUG or not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        return
    collected = staticfiles_storage.hashed_files
    missing = [
        path for finder in get_finders() for path, _ in finder.list([]) if path not in collected
    ]
    if missing:
        raise ImproperlyConfigured(
            f"{len(missing)} static files, such as {missing[0]}, aren't in {settings.STATIC_ROOT}. "
            "Run: manage.py collectstatic --noinput"
        )
