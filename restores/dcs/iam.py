"""The projects that an account reaches, as IAM lists them (dcs-api.md section 9)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from restores.dcs import values
from restores.dcs.calls import Calls, decoded
from restores.dcs.faults import BadAnswer, Forbidden
from restores.dcs.refusals import bad_answer

_PAGE = 1000
_MOST_PAGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProject:
    """A project by its id and its name, which begins with its region's."""

    project_id: str
    name: str

    @property
    def region(self) -> str:
        """``eu-de`` of both ``eu-de`` and ``eu-de_shop``."""
        return self.name.partition("_")[0]


def reachable_projects(calls: Calls, endpoint: str) -> list[FoundProject]:
    """List the projects that can be asked for at ``endpoint``.

    Endpoints are regional: where its host names a region, projects of others are left out, since
    asking for them there would be refused.
    """
    try:
        found = _all(calls, "v3/projects")
    except Forbidden:
        # The list of all projects takes a permission of its own, that of one's own does not.
        found = _all(calls, "v3/auth/projects")
    labels = (urlsplit(endpoint).hostname or "").split(".")
    return [project for project in found if project.region in labels] or found


def _all(calls: Calls, path: str) -> list[FoundProject]:
    found: dict[str, FoundProject] = {}
    for page in range(1, _MOST_PAGES + 1):
        answer = calls.answer(path, {"page": page, "per_page": _PAGE})
        body = decoded(answer)
        rows = body.get("projects") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise bad_answer(answer, "The answer is JSON but holds no projects.")
        known = len(found)
        found |= {project.project_id: project for project in _usable(rows)}
        if len(rows) < _PAGE or len(found) == known:
            return list(found.values())
    raise BadAnswer(f"The list of projects does not end within {_MOST_PAGES} pages.")


def _usable(rows: list[object]) -> Iterator[FoundProject]:
    for row in rows:
        if isinstance(row, dict) and row.get("enabled") is not False and not row.get("is_domain"):
            project_id, name = values.identifier(row.get("id")), values.text(row.get("name"))
            # It becomes part of a header.
            if re.fullmatch(r"[\x21-\x7e]+", project_id) and name.strip():
                yield FoundProject(project_id=project_id, name=name.strip()[:80])
