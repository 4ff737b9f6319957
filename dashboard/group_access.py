"""The groups file: what the members of an identity provider's groups may see and do."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# From least to most: among several groups, the highest role in a project counts.
ROLES = ("viewer", "support", "admin")


class InvalidGroups(ValueError):
    """A groups file that can't be used, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAccess:
    """What one group grants: a role in projects, or everything.

    ``projects`` holds names or IDs of projects; None stands for all.
    """

    role: str = ""
    projects: frozenset[str] | None = frozenset()
    superuser: bool = False


def read_groups(path: str) -> dict[str, GroupAccess]:
    """Read a groups file: what each group grants, by its name in the claim."""
    try:
        tables = tomllib.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InvalidGroups(f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InvalidGroups(f"is not valid TOML ({error})") from error
    groups = tables.pop("groups", None)
    if tables or not isinstance(groups, dict) or not groups:
        raise InvalidGroups("must have only [groups.NAME] tables, at least one")
    return {name: _read_group(name, table) for name, table in groups.items()}


def _read_group(name: str, table: Any) -> GroupAccess:
    def invalid(problem: str) -> InvalidGroups:
        return InvalidGroups(f"has a mistake in [groups.{name!r}]: {problem}")

    if not isinstance(table, Mapping):
        raise invalid("it is not a table")
    if unknown := table.keys() - {"role", "projects", "superuser"}:
        allowed = "role, projects and superuser"
        raise invalid(f"{min(unknown)!r} is unknown; use only {allowed}")
    superuser, role = table.get("superuser", False), table.get("role", "")
    if not isinstance(superuser, bool):
        raise invalid(f"superuser is {superuser!r}; it must be true or false")
    if "role" in table and role not in ROLES:
        raise invalid(f"role is {role!r}; it must be one of {', '.join(ROLES)}")
    if ("role" in table) != ("projects" in table) or not (superuser or role):
        raise invalid("it must have role and projects, or superuser = true, or all three")
    projects = table.get("projects", [])
    if projects == "all":
        return GroupAccess(role=role, projects=None, superuser=superuser)
    names = isinstance(projects, list) and all(isinstance(each, str) for each in projects)
    if not names or (role and not projects):
        raise invalid(f'projects is {projects!r}; it must be "all" or a list of names or IDs')
    return GroupAccess(role=role, projects=frozenset(projects), superuser=superuser)
