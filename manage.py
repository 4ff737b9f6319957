#!/usr/bin/env python3
"""The command line of this Django project."""

import os
import sys

from django.db import DatabaseError, OperationalError, ProgrammingError

from dashboard.env import InvalidSetting

DAMAGED = """\
The database {name} is damaged ({error}).
Stop everything that uses it, keep a copy of it, and then do one of these:
 * restore it from a backup;
 * on SQLite, save what can be read:  sqlite3 {name} .recover | sqlite3 repaired.sqlite3
   and put that file in its place;
 * move it away and start with an empty one. Only what the provider still lists is synced again,
   and users have to be added again."""


def main() -> None:
    """Run a management command; problems that operators can fix get no traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from django.core.management import execute_from_command_line

    from dashboard.errors import is_damaged

    try:
        execute_from_command_line(sys.argv)
    except InvalidSetting as error:
        sys.exit(str(error))
    except DatabaseError as error:
        if is_damaged(error):
            from django.conf import settings

            sys.exit(DAMAGED.format(error=error, name=settings.DATABASES["default"]["NAME"]))
        if "--traceback" in sys.argv or not isinstance(error, (OperationalError, ProgrammingError)):
            raise
        reason = " ".join(str(error).split())
        sys.exit(f"The database can't be used: {reason}. If it is new, run the migrate command.")


if __name__ == "__main__":
    main()
