"""Discovery of the projects that an account can access, from the IAM API.

Source: IAM API Reference, KeystoneListProjects and KeystoneListAuthProjects
(https://support.huaweicloud.com/api-iam/iam_06_0003.html).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from restores.dcs.client import ApiClient, max_pages
from restores.dcs.errors import InvalidResponse, PermissionDenied, invalid_response
from restores.dcs.records import parse_id, parse_text


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredProject:
    """A project. Its name begins with its region: ``eu-de`` or ``eu-de_shop``."""

    project_id: str
    name: str

    @property
    def region(self) -> str:
        """The region's id."""
        return self.name.partition("_")[0]


def accessible_projects(iam: ApiClient, dcs_endpoint: str) -> list[DiscoveredProject]:
    """List the account's projects, those of the DCS endpoint's region if its host names one.

    Endpoints are regional: a call for a project of another region would be rejected.
    """
    try:
        projects = _list_projects(iam, "v3/projects")
    except PermissionDenied:
        # Listing all projects takes a separate permission, listing the user's own does not.
        projects = _list_projects(iam, "v3/auth/projects")
    host_labels = (urlsplit(dcs_endpoint).hostname or "").split(".")
    return [project for project in projects if project.region in host_labels] or projects


def _list_projects(iam: ApiClient, path: str) -> list[DiscoveredProject]:
    projects: dict[str, DiscoveredProject] = {}
    for page in count(1):
        response, limit = iam.get_page(path, {"page": page}, size="per_page")
        body = response.json()
        rows = body.get("projects") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise invalid_response(response, "The response’s JSON has no projects.")
        known = len(projects)
        projects |= {project.project_id: project for project in _parse_projects(rows)}
        if len(rows) < limit or len(projects) == known:
            break
        if page == max_pages(limit):
            raise InvalidResponse(f"The list of projects has more than {page} pages.")
    return list(projects.values())


def _parse_projects(rows: list[object]) -> Iterator[DiscoveredProject]:
    for row in rows:
        if isinstance(row, dict) and row.get("enabled") is not False and not row.get("is_domain"):
            project_id = parse_id(row.get("id"))
            name = parse_text(row.get("name")).strip()
            # The id becomes part of a header.
            if re.fullmatch(r"[\x21-\x7e]+", project_id) and name:
                yield DiscoveredProject(project_id=project_id, name=name[:80])
