"""From a request to its answer: routes, permissions, and the service's order of complaints."""

import re
from collections.abc import Callable
from datetime import timedelta

from . import dcs, iam
from .answers import Answer, Refused, Request, gateway_error, service_error
from .cast import Project
from .fleet import Instance
from .gate import Caller, Gate
from .tokens import Mint
from .world import World

TOKENS = "/v3/auth/tokens"
PROJECTS = ("/v3/projects", "/v3/auth/projects")
PROJECT_CALL = re.compile(r"/v2/([^/]+)/(instances|instances/status)")
INSTANCE_CALL = re.compile(r"/v2/([^/]+)/instances/([^/]+)(|/restores|/backups)")
PROJECT_ID = re.compile(r"[0-9a-f]{32}")
INSTANCE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# (path, method) -> permission, function
PROJECT_CALLS: dict[tuple[str, str], tuple[str, Callable[[Request, World, Project], Answer]]] = {
    ("instances", "GET"): ("instances", dcs.instances),
    ("instances/status", "GET"): ("instances", dcs.status_counts),
}
INSTANCE_CALLS: dict[tuple[str, str], tuple[str, Callable[[Request, World, Instance], Answer]]] = {
    ("", "GET"): ("instances", dcs.instance_detail),
    ("/restores", "GET"): ("restores", dcs.restores),
    ("/restores", "POST"): ("restores", dcs.begun_restore),
    ("/backups", "GET"): ("backups", dcs.backups),
}


class Api:
    """The cloud's two services behind their gateway."""

    def __init__(self, world: World, token_life: timedelta = timedelta(hours=24)) -> None:
        self._world = world
        self._mint = Mint(world.seed)
        self._gate = Gate(world.accounts, self._mint)
        self._token_life = token_life

    def answer(self, request: Request) -> Answer:
        """Answer a request as the cloud would."""
        try:
            return self._routed(request)
        except Refused as refused:
            return refused.answer

    def _routed(self, request: Request) -> Answer:
        path = request.path
        if path == TOKENS:
            _allow(request, "POST")
            return iam.issued_token(request, self._world, self._mint, self._token_life)
        if path in PROJECTS:
            _allow(request, "GET")
            return iam.listed_projects(request, self._world, self._gate.caller(request))
        if found := PROJECT_CALL.fullmatch(path):
            return self._project_call(request, *found.groups())
        if found := INSTANCE_CALL.fullmatch(path):
            return self._instance_call(request, *found.groups())
        return gateway_error(404, "0101", "The API does not exist or has not been published.")

    def _project_call(self, request: Request, project_id: str, call: str) -> Answer:
        _allow(request, *(method for path, method in PROJECT_CALLS if path == call))
        permission, function = PROJECT_CALLS[call, request.method]
        return function(request, self._world, self._entered(request, project_id, permission))

    def _instance_call(
        self, request: Request, project_id: str, instance_id: str, call: str
    ) -> Answer:
        _allow(request, *(method for path, method in INSTANCE_CALLS if path == call))
        permission, function = INSTANCE_CALLS[call, request.method]
        project = self._entered(request, project_id, permission)
        if not INSTANCE_ID.fullmatch(instance_id):
            return service_error("DCS.4061")
        instance = self._world.instance(instance_id)
        if instance is None or instance.project is not project:
            return service_error("DCS.3022")
        return function(request, self._world, instance)

    def _entered(self, request: Request, project_id: str, permission: str) -> Project:
        """Return the project if the caller may do this there."""
        caller = self._gate.caller(request)
        if not PROJECT_ID.fullmatch(project_id):
            raise Refused(service_error("DCS.4002"))
        project = self._world.project(project_id)
        if project is None or not _reaches(caller, project):
            raise Refused(service_error("DCS.1004"))
        if permission in caller.denied:
            raise Refused(service_error("DCS.2003"))
        return project


def _allow(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise Refused(service_error("DCS.5001"))


def _reaches(caller: Caller, project: Project) -> bool:
    scoped_here = caller.project_id in (None, project.project_id)
    return project.account is caller.account and scoped_here
