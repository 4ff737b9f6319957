"""Fills the measured database and prints the cookie of a signed-in reader."""

import sys

from django.conf import settings

from bench.pages import site

if __name__ == "__main__":
    site.ready(migrated=True)
    from bench.pages import visitor
    from bench.pages.history import fill

    fill(int(sys.argv[1]))
    name = settings.SESSION_COOKIE_NAME
    print(f"{name}={visitor.client().cookies[name].value}")
