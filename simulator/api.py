"""The calls of DCS and IAM: routes, permissions, and responses from the simulated world."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from . import records
from .auth import Authenticator, Caller
from .inventory import Account, Instance, Project
from .responses import (
    NO_CONTENT,
    ApiError,
    Request,
    Response,
    gateway_error,
    iam_error,
    json_response,
    service_error,
)
from .restores import Scenario
from .world import World

PROJECT_CALL = re.compile(r"/v2/([^/]+)/(instances|instances/status)")
INSTANCE_CALL = re.compile(r"/v2/([^/]+)/instances/([^/]+)(|/restores|/backups)")
PROJECT_ID = re.compile(r"[0-9a-f]{32}")
INSTANCE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONGEST_REMARK = 128
MAX_LIMIT = 1000
Item = TypeVar("Item")


class Api:
    """The cloud's two services behind their gateway."""

    def __init__(
        self,
        world: World,
        token_lifetime: timedelta = timedelta(hours=24),
        max_limit: int = MAX_LIMIT,
    ) -> None:
        self._world = world
        self._max_limit = max_limit
        self._auth = Authenticator(world.seed, world.accounts)
        self._token_lifetime = token_lifetime

    def respond(self, request: Request) -> Response:
        """Respond as the cloud would."""
        try:
            return self._route(request)
        except ApiError as error:
            return error.response

    def _route(self, request: Request) -> Response:
        for name in ("limit", "per_page"):
            if self._max_limit < MAX_LIMIT and request.param(name):
                _number(request, name, default=1, lowest=1, highest=self._max_limit)
        if request.path == "/v3/auth/tokens":
            _require_method(request, "POST")
            return self._issue_token(request)
        if request.path in ("/v3/projects", "/v3/auth/projects"):
            _require_method(request, "GET")
            return self._list_projects(request)
        if found := PROJECT_CALL.fullmatch(request.path):
            project_id, call = found.groups()
            _require_method(request, *(method for path, method in PROJECT_CALLS if path == call))
            project = self._project(request, project_id, "instances")
            return PROJECT_CALLS[call, request.method](request, self._world, project)
        if found := INSTANCE_CALL.fullmatch(request.path):
            project_id, instance_id, call = found.groups()
            _require_method(request, *(method for path, method in INSTANCE_CALLS if path == call))
            project = self._project(request, project_id, call.removeprefix("/") or "instances")
            if not INSTANCE_ID.fullmatch(instance_id):
                raise service_error("DCS.4061")
            instance = self._world.instance(instance_id)
            if instance is None or instance.project is not project:
                raise service_error("DCS.3022")
            return INSTANCE_CALLS[call, request.method](request, self._world, instance)
        raise gateway_error(404, "0101", "The API does not exist or has not been published.")

    def _project(self, request: Request, project_id: str, permission: str) -> Project:
        """Return the project if the caller has this permission there."""
        caller = self._auth.caller(request)
        if not PROJECT_ID.fullmatch(project_id):
            raise service_error("DCS.4002")
        project = self._world.project(project_id)
        if project is None or not _may_access(caller, project):
            raise service_error("DCS.1004")
        if permission in caller.denied:
            raise service_error("DCS.2003")
        return project

    def _issue_token(self, request: Request) -> Response:
        """Respond to ``POST /v3/auth/tokens``: the token in a header, its fields in the body."""
        try:
            auth = json.loads(request.body)["auth"]
            user = auth["identity"]["password"]["user"]
            credentials = (user["name"], user["password"], user["domain"]["name"])
            scope = auth.get("scope", {}).get("project")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise iam_error(400, "Bad Request", "The request body is invalid.") from error
        for account in self._world.accounts:
            if (account.username, account.password, account.domain) == credentials:
                break
        else:
            raise iam_error(401, "Unauthorized", "The username or password is wrong.")
        project = self._project_in_scope(account, scope)
        if scope and not project:
            raise iam_error(401, "Unauthorized", "The username or password is wrong.")
        request.account = account.name
        expires_at = request.now + self._token_lifetime
        token = self._auth.issue_token(account, project.project_id if project else "", expires_at)
        return json_response(
            201,
            {"token": _token_fields(account, project, request.now, expires_at)},
            ("X-Subject-Token", token),
            ("X-IAM-Trace-Id", f"token_{account.name}"),
        )

    def _project_in_scope(self, account: Account, scope: object) -> Project | None:
        """Find a project by id, or by its name, which in IAM is the region."""
        if isinstance(scope, Mapping):
            for project in self._world.projects:
                wanted = (
                    scope.get("id") == project.project_id or scope.get("name") == project.region
                )
                if project.account is account and wanted:
                    return project
        return None

    def _list_projects(self, request: Request) -> Response:
        """Respond to ``GET /v3/projects`` and ``/v3/auth/projects``; ``name`` is the region."""
        caller = self._auth.caller(request)
        name = request.param("name")
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
            for project in self._world.projects
            if project.account is caller.account and name in (None, project.region)
        ]
        links = {"self": request.target, "previous": None, "next": None}
        return json_response(200, {"links": links, "projects": found})


def list_instances(request: Request, world: World, project: Project) -> Response:
    """Respond with a page of a project's instances."""
    wanted = {name: request.param(name) for name in ("instance_id", "status", "ip")}
    name = request.param("name") or ""
    exact = bool(name) and request.param("name_equal") == "true"

    def matches(instance: Instance, status: str) -> bool:
        values = {"instance_id": instance.instance_id, "status": status, "ip": instance.ip}
        named = name == instance.name if exact else name in instance.name
        return named and all(wanted[key] in (None, "", value) for key, value in values.items())

    found = [pair for pair in _instances(request, world, project) if matches(*pair)]
    page = [records.instance(*pair) for pair in _page(request, found)]
    return json_response(200, {"instance_num": len(found), "instances": page})


def count_statuses(request: Request, world: World, project: Project) -> Response:
    """Respond with how many of a project's instances have each status."""
    return json_response(200, records.status_counts(_instances(request, world, project)))


def show_instance(request: Request, world: World, instance: Instance) -> Response:
    """Respond with one instance."""
    status = dict(world.statuses(instance.project, request.world_now))[instance]
    return json_response(200, records.detail(instance, status))


def list_restores(request: Request, world: World, instance: Instance) -> Response:
    """Respond with a page of restoration records, newest first; 204 when there is none."""
    begin, end = _time_range(request)
    now = request.world_now
    found = [r for r in world.restores(instance, now) if begin <= r.created_at <= end]
    page = [records.restore(each, instance.project, now) for each in _page(request, found)]
    body = {"restore_record_response": page, "total_num": len(found)}
    return json_response(200, body) if found else NO_CONTENT


def list_backups(request: Request, world: World, instance: Instance) -> Response:
    """Respond with a page of backup records, newest first; 204 when there is none."""
    begin, end = _time_range(request)
    now = request.world_now
    found = [b for b in world.backups(instance, now) if begin <= b.created_at <= end]
    page = [records.backup(each, instance, now) for each in _page(request, found)]
    body = {"backup_record_response": page, "total_num": len(found)}
    return json_response(200, body) if found else NO_CONTENT


def start_restore(request: Request, world: World, instance: Instance) -> Response:
    """Start a restore now, or refuse as the service does."""
    try:
        body = json.loads(request.body)
        backup_id, remark = body["backup_id"], body.get("remark")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise service_error("DCS.4062", "backup_id") from error
    if not isinstance(backup_id, str) or not isinstance(remark, str | None):
        raise service_error("DCS.4062", "remark")
    if not instance.restorable:
        raise service_error("DCS.4086")
    if len(remark or "") > LONGEST_REMARK:
        raise service_error("DCS.4098")
    now = request.world_now
    if any(restore.in_progress(now) for restore in world.restores(instance, now)):
        raise service_error("DCS.4097")
    try:
        scenario = Scenario(backup_id=backup_id, remark=remark)
        return json_response(200, {"restore_id": world.start_restore(instance, now, scenario)})
    except LookupError as error:
        raise service_error("DCS.4087") from error


# (path, method) -> function
PROJECT_CALLS: dict[tuple[str, str], Callable[[Request, World, Project], Response]] = {
    ("instances", "GET"): list_instances,
    ("instances/status", "GET"): count_statuses,
}
INSTANCE_CALLS: dict[tuple[str, str], Callable[[Request, World, Instance], Response]] = {
    ("", "GET"): show_instance,
    ("/restores", "GET"): list_restores,
    ("/restores", "POST"): start_restore,
    ("/backups", "GET"): list_backups,
}


def _require_method(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise service_error("DCS.5001")


def _may_access(caller: Caller, project: Project) -> bool:
    in_scope = caller.project_id in (None, project.project_id)
    return project.account is caller.account and in_scope


def _token_fields(
    account: Account, project: Project | None, issued_at: datetime, expires_at: datetime
) -> dict[str, object]:
    domain = {"id": account.domain_id, "name": account.domain}
    token: dict[str, object] = {
        "methods": ["password"],
        "expires_at": _iam_time(expires_at),
        "issued_at": _iam_time(issued_at),
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
        token["project"] = {"domain": domain, "id": project.project_id, "name": project.region}
    return token


def _iam_time(time: datetime) -> str:
    """Write a time as IAM does: UTC, microseconds, ``Z``."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _instances(request: Request, world: World, project: Project) -> list[tuple[Instance, str]]:
    """Return the project's instances with status; failed creations only on request."""
    found = world.statuses(project, request.world_now)
    if request.param("include_failure") == "true":
        return found
    return [pair for pair in found if pair[1] != "CREATEFAILED"]


def _page(request: Request, found: list[Item]) -> list[Item]:
    offset = _number(request, "offset", default=0, lowest=0, highest=10**9)
    limit = _number(request, "limit", default=10, lowest=1, highest=MAX_LIMIT)
    return found[offset : offset + limit]


def _number(request: Request, name: str, *, default: int, lowest: int, highest: int) -> int:
    text = request.param(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and lowest <= int(text[:12]) <= highest):
        raise service_error("DCS.4800", name)
    return int(text)


def _time_range(request: Request) -> tuple[datetime, datetime]:
    """Read begin_time and end_time, both inclusive; other spellings are ignored as unknown."""
    begin = _time(request, "begin_time", datetime.min)
    end = _time(request, "end_time", datetime.max)
    if end < begin:
        raise service_error("DCS.4025")
    return begin, end


def _time(request: Request, name: str, default: datetime) -> datetime:
    """Read ``yyyyMMddHHmmss`` in UTC."""
    text = request.param(name)
    if text is None:
        return default.replace(tzinfo=UTC)
    # strptime alone would accept blanks and fewer digits.
    if not (len(text) == 14 and text.isascii() and text.isdigit()):
        raise service_error("DCS.4062", name)
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise service_error("DCS.4062", name) from error
