#!/usr/bin/env python3
"""The command line of this Django project."""

import os
import sys

from dashboard.env import InvalidSetting


def main() -> None:
    """Run a management command; an invalid setting is reported without a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except InvalidSetting as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
