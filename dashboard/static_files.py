"""Storage of static files, and a check, when the web process starts, that they were collected."""

import os

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from whitenoise.storage import CompressedManifestStaticFilesStorage

_COMMAND = "Run: manage.py collectstatic --noinput"


class Storage(CompressedManifestStaticFilesStorage):
    """Static files with a content hash in their names, also where a script imports another.

    A browser runs a script twice if a page and another script load it by different addresses.
    """

    support_js_module_import_aggregation = True


def require_static_files() -> None:
    """Raise ImproperlyConfigured if a page would fail because a file was not collected."""
    if settings.DEBUG:
        return
    try:
        if not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
            return
        collected = staticfiles_storage.hashed_files
    except (OSError, ValueError) as error:  # cut off, perhaps by a full disk
        raise ImproperlyConfigured(
            f"The list of static files in {settings.STATIC_ROOT} can't be read: {error}. {_COMMAND}"
        ) from error
    missing = [
        path
        for finder in get_finders()
        for path, _ in finder.list([])
        if path not in collected
        or not os.access(os.path.join(settings.STATIC_ROOT, collected[path]), os.R_OK)
    ]
    if missing:
        raise ImproperlyConfigured(
            f"{len(missing)} static files, such as {missing[0]}, aren't in {settings.STATIC_ROOT}"
            f" or can't be read. {_COMMAND}"
        )
