"""The IAM calls: tokens for user and password, and the projects a caller can reach."""

import json
from collections.abc import Mapping
from datetime import timedelta

from .answers import Answer, Request, iam_error, json_answer
from .cast import Account, Project
from .gate import Caller
from .instants import iam_time
from .tokens import Mint, Token
from .world import World


def issued_token(request: Request, world: World, mint: Mint, life: timedelta) -> Answer:
    """Answer ``POST /v3/auth/tokens``: the token is in a header, its fields in the body."""
    try:
        body = json.loads(request.body)
        user = body["auth"]["identity"]["password"]["user"]
        name, password, domain = user["name"], user["password"], user["domain"]["name"]
        scope = body["auth"].get("scope", {}).get("project")
    except (ValueError, LookupError, TypeError, AttributeError):
        return iam_error(400, "Bad Request", "The request body is invalid.")
    account = _account(world, name, password, domain)
    project = _project(world, account, scope) if account else None
    if not account or (scope and not project):
        return iam_error(401, "Unauthorized", "The username or password is wrong.")
    request.account = account.name
    token = Token(account.name, project.project_id if project else "", request.now + life)
    return json_answer(
        201,
        {"token": _printed(token, account, project, request)},
        ("X-Subject-Token", mint.issued(token)),
        ("X-IAM-Trace-Id", f"token_{account.name}"),
    )


def listed_projects(request: Request, world: World, caller: Caller) -> Answer:
    """Answer ``GET /v3/projects`` and ``GET /v3/auth/projects``; ``name`` is the region."""
    name = request.asked("name")
    found = [
        {
            "id": project.project_id,
            "name": project.region,
            "description": project.name,
            "domain_id": caller.account.domain_id,
            "parent_id": caller.account.domain_id,
            "is_domain": False,
            "enabled": True,
            "links": {"self": f"/v3/projects/{project.project_id}"},
        }
        for project in world.projects
        if project.account is caller.account and name in (None, project.region)
    ]
    links = {"self": request.target, "previous": None, "next": None}
    return json_answer(200, {"links": links, "projects": found})


def _account(world: World, name: object, password: object, domain: object) -> Account | None:
    for account in world.accounts:
        if (account.username, account.password, account.domain) == (name, password, domain):
            return account
    return None


def _project(world: World, account: Account, scope: object) -> Project | None:
    """Find the project by id, or by its name, which in IAM is the region."""
    if not isinstance(scope, Mapping):
        return None
    for project in world.projects:
        wanted = scope.get("id") == project.project_id or scope.get("name") == project.region
        if project.account is account and wanted:
            return project
    return None


def _printed(
    token: Token, account: Account, project: Project | None, request: Request
) -> dict[str, object]:
    domain = {"id": account.domain_id, "name": account.domain}
    body: dict[str, object] = {
        "methods": ["password"],
        "expires_at": iam_time(token.expires_at),
        "issued_at": iam_time(request.now),
        "user": {
            "domain": domain,
            "id": account.domain_id[::-1],
            "name": account.username,
            "password_expires_at": "",
        },
        "catalog": [],
        "roles": [{"name": "readonly", "id": "0"}],
    }
    if project:
        body["project"] = {"domain": domain, "id": project.project_id, "name": project.region}
    return body
