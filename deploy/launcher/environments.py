"""Environment variables of each process: web and beat never see the cloud's secrets."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from .console import CliError

PLAIN = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR"})
SETTINGS = frozenset(
    {
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "TOKEN_KEY",
        "TOKEN_KEY_FALLBACKS",
        "DEBUG",
        "ALLOWED_HOSTS",
        "BASE_URL",
        "DATABASE_URL",
        "STATIC_ROOT",
        "CELERY_PREFIX",
        "TRUSTED_PROXIES",
        "MFA",
        "OIDC_SERVER_URL",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "OIDC_NAME",
        "OIDC_SCOPES",
        "OIDC_GROUPS_CLAIM",
        "OIDC_GROUPS",
        "METRICS_TOKEN",
        "LOG_FORMAT",
        "DOCS_URL",
    }
)
TESTING = frozenset({"TEST_DATABASE_URL", "TEST_REDIS_URL", "E2E", "CI", "TERM", "COLUMNS"})
# These, and PYTHON…, would make the virtual environment's Python, or Django, load something else.
MISLEADING = frozenset({"VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE", "__PYVENV_LAUNCHER__"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The environment variables of each process of one ./run.

    ``user`` is the environment that ./run was started in, ``defaults`` are settings that it may
    override, ``credentials`` are variables that the projects file names and ``user`` lacks.
    """

    user: Mapping[str, str]
    defaults: Mapping[str, str]
    base_url: str
    projects_file: Path | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)

    def with_projects(self, projects_file: Path, credentials: Mapping[str, str]) -> Self:
        """Return a copy with another projects file, the simulator's."""
        return replace(self, projects_file=projects_file, credentials=dict(credentials))

    def web(self) -> dict[str, str]:
        """For web and simulator: plain variables and settings, except any that is a secret."""
        secret = (secret_names(self.projects_file) | self.credentials.keys()) - {"PATH", "HOME"}
        allowed = {k: v for k, v in plain(self.user, SETTINGS).items() if k not in secret}
        return {**self.defaults, **allowed, "BASE_URL": self.base_url}

    def beat(self, broker_url: str) -> dict[str, str]:
        """For beat: as for web, and the broker."""
        return {**self.web(), "REDIS_URL": broker_url}

    def command(self) -> dict[str, str]:
        """For commands: the user's environment, the projects file and its credentials."""
        allowed = {k: v for k, v in without_misleading(self.user).items() if v}
        allowed.pop("REDIS_URL", None)
        if self.projects_file:
            allowed["DCS_PROJECTS"] = str(self.projects_file)
        return {**self.defaults, **allowed, **self.credentials, "BASE_URL": self.base_url}

    def worker(self, broker_url: str) -> dict[str, str]:
        """For the worker: as for commands, and the broker."""
        return {**self.command(), "REDIS_URL": broker_url}


def plain(user: Mapping[str, str], more: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the harmless variables and those named in ``more``; empty ones count as absent."""
    allowed = PLAIN | more
    return {k: v for k, v in user.items() if v and (k in allowed or k.startswith("LC_"))}


def without_misleading(user: Mapping[str, str]) -> dict[str, str]:
    """Return the user's environment without what would mislead Python or Django."""
    return {k: v for k, v in user.items() if k not in MISLEADING and not k.startswith("PYTHON")}


def secret_names(projects_file: Path | None) -> frozenset[str]:
    """Return the environment variables that a projects file names in its ``…_env`` entries."""
    if projects_file is None:
        return frozenset()
    try:
        text = projects_file.read_bytes().decode("utf-8-sig")
        return frozenset(_env_entries(tomllib.loads(text)))
    except OSError as error:
        raise CliError(
            f"The projects file {projects_file} cannot be read: {error.strerror}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise CliError(f"The projects file {projects_file} is not valid TOML: {error}.") from error


def _env_entries(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _env_entries(value)
        elif key.endswith("_env") and isinstance(value, str):
            yield value
