"""What the commands that need the projects file have in common."""

from django.core.management.base import CommandError

from restores.dcs.config import ConfigError
from restores.dcs.errors import AuthenticationError, DcsError, RequestSkipped
from restores.models import Project
from restores.sync.accounts import Cloud, current_clouds


def clouds_or_stop() -> dict[str, Cloud]:
    """Read the projects file, or stop with what is wrong in it."""
    try:
        return current_clouds()
    except ConfigError as error:
        raise CommandError(str(error)) from error


class Refusals:
    """The accounts whose credentials were refused: five refusals in a row lock a key."""

    def __init__(self) -> None:
        self._faults: dict[int, AuthenticationError] = {}

    def note(self, project: Project, fault: object) -> None:
        """Remember the project's account if that is what the fault says."""
        if isinstance(fault, AuthenticationError):
            self._faults[project.account_id] = fault

    def of(self, project: Project) -> DcsError | None:
        """Why the project is not to be asked."""
        refused = self._faults.get(project.account_id)
        return RequestSkipped(refused) if refused else None
