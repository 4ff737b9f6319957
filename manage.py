#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys

from dashboard.env import BadSetting


def main() -> None:
    """Run a management command; a bad setting stops in words."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
