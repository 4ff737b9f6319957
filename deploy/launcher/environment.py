"""Decides what each process may know: web and beat get a short list, never the cloud's secrets."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from .words import Trouble

Names = Mapping[str, str]

PLAIN = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR"})
SETTINGS = frozenset(
    {
        "SECRET_KEY",
        "DEBUG",
        "ALLOWED_HOSTS",
        "BASE_URL",
        "DATABASE_URL",
        "DISPLAY_TIME_ZONE",
        "STATIC_ROOT",
        "TICKET_URL",
    }
)
TESTING = frozenset({"TEST_DATABASE_URL", "TEST_REDIS_URL", "E2E", "CI", "TERM", "COLUMNS"})
# Names that would lead the environment's own Python, or Django, elsewhere.
MISLEADING = frozenset({"VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE", "__PYVENV_LAUNCHER__"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The environments of one ./run's processes.

    ``user``: the one ./run was started in. ``defaults``: settings for what it leaves open.
    ``base_url``: our own address. ``projects``: the projects file, ``credentials``: names for it
    that the user's environment lacks.
    """

    user: Names
    defaults: Names
    base_url: str
    projects: Path | None = None
    credentials: Names = field(default_factory=dict)

    def over(self, projects: Path, credentials: Names) -> Self:
        """The same for a world that was met only now, the simulator's."""
        return replace(self, projects=projects, credentials=dict(credentials))

    def web(self) -> dict[str, str]:
        """For web and simulator: plain names and settings, without any that is a secret."""
        secret = (secret_names(self.projects) | self.credentials.keys()) - {"PATH", "HOME"}
        known = {k: v for k, v in plain(self.user, SETTINGS).items() if k not in secret}
        return {**self.defaults, **known, "BASE_URL": self.base_url}

    def beat(self, redis_url: str) -> dict[str, str]:
        """For beat: as the web's, and the broker."""
        return {**self.web(), "REDIS_URL": redis_url}

    def command(self) -> dict[str, str]:
        """For commands: the user's environment, the projects file and its credentials."""
        known = {k: v for k, v in self.user.items() if v and not _misleads(k)}
        known.pop("REDIS_URL", None)
        if self.projects:
            known["DCS_PROJECTS"] = str(self.projects)
        return {**self.defaults, **known, **self.credentials, "BASE_URL": self.base_url}

    def worker(self, redis_url: str) -> dict[str, str]:
        """For the worker: as a command's, and the broker."""
        return {**self.command(), "REDIS_URL": redis_url}


def plain(user: Names, further: frozenset[str] = frozenset()) -> dict[str, str]:
    """The names that say nothing about anybody, and the ``further`` ones; empty means absent."""
    allowed = PLAIN | further
    return {k: v for k, v in user.items() if v and (k in allowed or k.startswith("LC_"))}


def unmisled(user: Names) -> dict[str, str]:
    """The user's environment without what would lead Python elsewhere."""
    return {k: v for k, v in user.items() if not _misleads(k)}


def secret_names(projects: Path | None) -> frozenset[str]:
    """The environment variables that a projects file names by its ``…_env`` keys."""
    if projects is None:
        return frozenset()
    try:
        with projects.open("rb") as file:
            return frozenset(_named(tomllib.load(file)))
    except OSError as error:
        raise Trouble(f"The projects file {projects} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Trouble(f"The projects file {projects} is not valid TOML: {error}.") from error


def _named(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _named(value)
        elif key.endswith("_env") and isinstance(value, str):
            yield value


def _misleads(name: str) -> bool:
    return name in MISLEADING or name.startswith("PYTHON")
