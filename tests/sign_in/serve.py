"""A web process with an identity provider and a second step, on a new database: for tests.

The settings are read once when a process starts, so it is a separate one. While there is a file
with a time, its clock stands still at that time.
"""

import os
import sys
from pathlib import Path
from wsgiref.simple_server import make_server

import django
import time_machine
from django.conf import settings

from tests.sign_in.provider import Quiet, Threads


def main(port, clock, *users):
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    # What one process remembers in its cache, others don't: nothing may rely on it.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 60  # a machine may be busy
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from tests.factories import make_project

    call_command("migrate", verbosity=0)
    for name in ("shop-prod", "shop-test", "bank"):
        make_project(name)
    for name in users:
        User.objects.create_superuser(name, f"{name}@local.example", "a long secret")
    dashboard = StaticFilesHandler(get_wsgi_application())

    def application(environ, start_response):
        if not Path(clock).exists():
            return dashboard(environ, start_response)
        with time_machine.travel(float(Path(clock).read_text()), tick=False):
            return dashboard(environ, start_response)

    server = make_server("127.0.0.1", int(port), application, Threads, Quiet)
    sys.stdout.write("Ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
