"""What the commands that need the projects file have in common."""

from django.core.management.base import CommandError

from restores.collector.clouds import Cloud, current_clouds
from restores.dcs.config import ConfigError


def clouds_or_stop() -> dict[str, Cloud]:
    """Read the projects file, or stop with what is wrong in it."""
    try:
        return current_clouds()
    except ConfigError as error:
        raise CommandError(str(error)) from error
