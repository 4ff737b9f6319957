"""The projects file: which accounts and projects to watch, and where their secrets are."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from restores.dcs import sections
from restores.dcs.accounts import Account, read_account
from restores.dcs.credentials import Credentials
from restores.dcs.sections import Section, Vault

__all__ = ["Account", "ConfigError", "Project", "Projects", "load", "secret_files", "secret_names"]


class ConfigError(Exception):
    """Everything that is wrong with a projects file, one line each."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__(path, problems)
        self.problems = tuple(f"{path}: {problem}" for problem in problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One cloud project to watch; ``interval`` in seconds."""

    name: str
    account: Account
    project_id: str
    region: str
    interval: int
    customer: str
    customer_ref: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Projects:
    """All that the file describes, by name."""

    accounts: dict[str, Account]
    projects: dict[str, Project]


# Stands in for an account that could not be read, so that its projects are checked all the same.
_UNKNOWN = Account(name="", endpoint="", rate=1.0, method="", credentials=Credentials(), digest="")


def load(path: Path, environ: Mapping[str, str]) -> Projects:
    """Read the file with its secrets; raise ConfigError with all its problems at once."""
    problems: list[str] = []
    top = Section("", _document(path), problems)
    vault = Vault(environ, path.parent)
    accounts = {
        name: read_account(name, section, vault) for name, section in _sections(top, "accounts")
    }
    projects = {
        name: _project(name, section, accounts) for name, section in _sections(top, "projects")
    }
    top.refuse_unknown()
    _refuse_doubles(projects, problems)
    if problems:
        raise ConfigError(path, problems)
    return Projects(accounts, projects)


def secret_names(path: Path) -> set[str]:
    """Name the environment variables that hold the file's secrets, set or not."""
    return set(_named(path, "_env"))


def secret_files(path: Path) -> set[Path]:
    """Name the files that hold the file's secrets, there or not."""
    return {path.parent / name for name in _named(path, "_file")}


def _named(path: Path, ending: str) -> Iterator[str]:
    tables = [_document(path)]
    while tables:
        for key, value in tables.pop().items():
            if isinstance(value, dict):
                tables.append(value)
            elif key.endswith(ending) and isinstance(value, str):
                yield value


def _document(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        trouble = f"cannot be read ({error.strerror}): must be a TOML file"
        raise ConfigError(path, [trouble]) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(path, [f"is not TOML in UTF-8: {error}"]) from error


def _sections(top: Section, kind: str) -> Iterator[tuple[str, Section]]:
    top.known.add(kind)
    tables = top.table.get(kind, {})
    for name, table in tables.items() if isinstance(tables, dict) else [("", None)]:
        section = Section(f"{kind}.{name}" if name else kind, {}, top.problems)
        if not isinstance(table, dict):
            section.note(f"must be a table such as [{kind}.shop]")
        elif sections.TEXT.read(name) is None:
            section.note(f"has a name that must be {sections.TEXT.allowed}")
        else:
            section.table = table
            yield name, section


def _project(name: str, section: Section, accounts: Mapping[str, Account]) -> Project:
    account = section.take("account", sections.one_of(accounts))
    project = Project(
        name=name,
        account=accounts.get(account, _UNKNOWN),
        project_id=section.take("project_id", sections.PROJECT_ID),
        region=section.take("region", sections.TEXT),
        interval=section.take("interval", sections.INTERVAL, default=15 * 60),
        customer=section.take("customer", sections.LABEL, default=""),
        customer_ref=section.take("customer_ref", sections.LABEL, default=""),
        time_zone=section.take("time_zone", sections.TIME_ZONE, default=""),
    )
    section.refuse_unknown()
    return project


def _refuse_doubles(projects: Mapping[str, Project], problems: list[str]) -> None:
    first: dict[tuple[str, str], str] = {}
    for name, project in projects.items():
        place = (project.account.endpoint, project.project_id)
        other = first.setdefault(place, name)
        if other != name and all(place):
            problems.append(
                f'[projects.{name}] project_id = "{project.project_id}": '
                f"must differ from that of [projects.{other}] at the same endpoint"
            )
