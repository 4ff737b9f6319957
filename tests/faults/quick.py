"""Runs celery with some constants of the product set shorter, so that tests need not wait.

FAULTS_SET holds them: ``restores.sync.scheduling.LEASE=3;dashboard.celery.TICK_SECONDS=1``.
A number set in place of a duration is taken as seconds.
"""

import importlib
import os
import sys
from datetime import timedelta

from celery.__main__ import main


def shorten(spec):
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
    shorten(os.environ.get("FAULTS_SET", ""))
    app.conf.beat_schedule["tick"]["schedule"] = float(os.environ.get("FAULTS_TICK", "1"))
    sys.argv[0] = "celery"
    sys.exit(main())
