"""How static files are collected, and a check that they were when the web process starts."""

import os

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from whitenoise.storage import CompressedManifestStaticFilesStorage

_COMMAND = "Run: manage.py collectstatic --noinput"


class Storage(CompressedManifestStaticFilesStorage):
    """Files whose names have a hash of their content, also where a script imports another.

    A browser runs a script twice that a page loads by one address and a script by another.
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
