"""Runs celery with some of our constants overridden, so that tests need not wait.

TEST_OVERRIDES has the form ``restores.sync.scheduling.LEASE=3;dashboard.celery.TICK_SECONDS=1``.
A number for a timedelta is in seconds.
"""

import importlib
import os
import sys
from datetime import timedelta

from celery.__main__ import main


def override(spec):
    for part in filter(None, spec.split(";")):
        path, _, number = part.partition("=")
        module, _, name = path.rpartition(".")
        owner = importlib.import_module(module)
        value = float(number)
        if isinstance(getattr(owner, name), timedelta):
            value = timedelta(seconds=value)
        setattr(owner, name, value)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    from dashboard.celery import app

    django.setup()
    override(os.environ.get("TEST_OVERRIDES", ""))
    app.conf.beat_schedule["tick"]["schedule"] = float(os.environ.get("TEST_TICK_SECONDS", "1"))
    sys.argv[0] = "celery"
    sys.exit(main())
