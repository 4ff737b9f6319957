"""The simulator's own calls under ``/_``: faults, request log and world; loopback only."""

import ipaddress
import json
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Lock

from .faults import Faults
from .inventory import Account
from .responses import NO_CONTENT, Request, Response, json_response
from .restores import Scenario
from .world import World

LOG_SIZE = 50_000
RATE = 50
INTERVAL = "1m"
SCENARIO_FIELDS = {
    "backup_id": str,
    "remark": str,
    "waiting": float,
    "seconds": float,
    "code": str,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One request; ``at`` is the real time of its arrival, in seconds since 1970."""

    at: float
    method: str
    path: str
    query: str
    status: int
    account: str


class RequestLog:
    """The latest requests, control calls left out, so that tests can count calls and rates."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=LOG_SIZE)
        self._lock = Lock()
        self.total = 0

    def add(self, entry: LogEntry) -> None:
        """Log a request."""
        with self._lock:
            self._entries.append(entry)
            self.total += 1

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.total = 0

    @property
    def entries(self) -> list[LogEntry]:
        """The requests by arrival, oldest first."""
        with self._lock:
            return sorted(self._entries, key=lambda entry: entry.at)

    def busiest_second(self, account: str | None = None) -> int:
        """Return the most requests that arrived within any one second."""
        second: deque[float] = deque()
        most = 0
        for entry in self.entries:
            if account in (None, entry.account):
                second.append(entry.at)
                while second[0] <= entry.at - 1:
                    second.popleft()
                most = max(most, len(second))
        return most


class Control:
    """The control calls."""

    def __init__(self, world: World, faults: Faults, log: RequestLog) -> None:
        self._world, self._faults, self._log = world, faults, log

    def respond(self, request: Request, client: str, url: str) -> Response:
        """Respond to a control call."""
        if not ipaddress.ip_address(client).is_loopback:
            return json_response(403, {"error": "loopback only"})
        try:
            match f"{request.method} {request.path}":
                case "GET /_healthz":
                    return json_response(200, {"ok": True})
                case "GET /_world":
                    return json_response(200, self._describe_world(url))
                case "GET /_log":
                    return json_response(200, self._summary(int(request.param("n") or 100)))
                case "DELETE /_log":
                    self._log.clear()
                    return NO_CONTENT
                case "POST /_faults":
                    described = json.loads(request.body)
                    self._faults.add(*(described if isinstance(described, list) else [described]))
                    return json_response(200, self._faults.to_json())
                case "DELETE /_faults":
                    self._faults.clear()
                    return json_response(200, [])
                case "GET /_faults":
                    return json_response(200, self._faults.to_json())
                case "POST /_restores":
                    return json_response(200, self._start_restore(request))
                case call:
                    return json_response(404, {"error": f"{call} is not a call of the simulator"})
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return json_response(400, {"error": str(error)})

    def _describe_world(self, url: str) -> dict[str, object]:
        return {
            "projects_file": projects_file(self._world, url),
            "environment": credentials(self._world),
            "seed": self._world.seed,
            "epoch": self._world.epoch.isoformat(),
            "instances": len(self._world.instances),
        }

    def _summary(self, last: int) -> dict[str, object]:
        entries = self._log.entries
        return {
            "total": self._log.total,
            "by_status": Counter(str(entry.status) for entry in entries),
            "by_account": Counter(entry.account for entry in entries),
            "busiest_second": self._log.busiest_second(),
            "requests": [asdict(entry) for entry in entries[-last:]] if last > 0 else [],
            "now": time.time(),
        }

    def _start_restore(self, request: Request) -> dict[str, object]:
        """Start a restore as described: which instance, how long, which outcome."""
        fields = json.loads(request.body or b"{}")
        wanted = fields.pop("instance", None)
        if unknown := fields.keys() - SCENARIO_FIELDS:
            allowed = ", ".join(("instance", *SCENARIO_FIELDS))
            raise ValueError(f"{', '.join(unknown)} unknown; allowed: {allowed}")
        known = {k: SCENARIO_FIELDS[k](v) for k, v in fields.items() if v is not None}
        scenario, now = Scenario(**known), request.world_now
        busy = {instance.instance_id for instance, _ in self._world.running(now)}
        for instance in self._world.instances:
            free = wanted is None and instance.instance_id not in busy
            named = wanted in (instance.instance_id, instance.name)
            if instance.restorable and (free or named):
                return {
                    "restore_id": self._world.start_restore(instance, now, scenario),
                    "instance_id": instance.instance_id,
                    "project_id": instance.project.project_id,
                }
        raise LookupError(f"no instance {wanted or 'is free'}")


def projects_file(world: World, url: str) -> str:
    """Return the world's accounts and projects as TOML, for the app."""
    sections = [_section(f"accounts.{a.name}", _account(a, url)) for a in world.accounts]
    for project in world.projects:
        fields = {
            "account": project.account.name,
            "project_id": project.project_id,
            "region": project.region,
            "interval": INTERVAL,
            "customer": project.customer,
            "customer_ref": f"C-{1001 + project.index}",
            "time_zone": project.zone.key,
        }
        sections.append(_section(f"projects.{project.name}", fields))
    return "\n".join(sections)


def credentials(world: World) -> dict[str, str]:
    """Return the environment variables that the projects file names."""
    secrets: dict[str, str] = {}
    for account in world.accounts:
        prefix = account.name.upper()
        if account.method == "aksk":
            secrets[f"{prefix}_ACCESS_KEY"] = account.key.access
            secrets[f"{prefix}_SECRET_KEY"] = account.key.secret
        else:
            secrets[f"{prefix}_PASSWORD"] = account.password
    return secrets


def _account(account: Account, url: str) -> dict[str, object]:
    prefix = account.name.upper()
    fields = {"endpoint": url, "rate": RATE, "method": account.method}
    if account.method == "aksk":
        keys = {"access_key_env": f"{prefix}_ACCESS_KEY", "secret_key_env": f"{prefix}_SECRET_KEY"}
        return fields | keys
    return fields | {
        "iam_endpoint": url,
        "domain": account.domain,
        "username": account.username,
        "password_env": f"{prefix}_PASSWORD",
    }


def _section(title: str, fields: Mapping[str, object]) -> str:
    # A JSON string is a TOML basic string too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join([f"[{title}]", *lines, ""])
