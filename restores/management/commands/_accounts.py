"""Shared code of the commands that need the projects file."""

from django.core.management.base import CommandError

from restores.dcs.config import ConfigError
from restores.dcs.errors import AuthenticationError, DcsError, RequestSkipped
from restores.models import Project
from restores.sync.accounts import AccountClient, load_accounts


def accounts_or_exit() -> dict[str, AccountClient]:
    """Read the projects file, or exit with what is wrong in it."""
    try:
        return load_accounts()
    except ConfigError as error:
        raise CommandError(str(error)) from error


class RejectedLogins:
    """Accounts whose login was rejected: five rejections in a row lock a key."""

    def __init__(self) -> None:
        self._errors: dict[int, AuthenticationError] = {}

    def note(self, project: Project, error: object) -> None:
        """Remember the project's account if its login was rejected."""
        if isinstance(error, AuthenticationError):
            self._errors[project.account_id] = error

    def skip(self, project: Project) -> DcsError | None:
        """Return why the project must be skipped, if it must."""
        error = self._errors.get(project.account_id)
        return RequestSkipped(error) if error else None
