"""The simulator's own calls under ``/_``, for tests and the run script; loopback only."""

import ipaddress
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from .answers import NOTHING, Answer, Request, json_answer
from .faults import Faults
from .fleet import Instance
from .plans import Order
from .projectsfile import environment, projects_file
from .querylog import QueryLog
from .world import World

WISHES = {"backup_id": str, "remark": str, "waiting": float, "seconds": float, "code": str}


@dataclass(frozen=True, slots=True)
class Control:
    """Faults, log and world, from outside."""

    world: World
    faults: Faults
    log: QueryLog

    def answer(self, request: Request, client: str, url: str) -> Answer:
        """Answer a control call."""
        if not ipaddress.ip_address(client).is_loopback:
            return json_answer(403, {"error": "loopback only"})
        call = f"{request.method} {urlsplit(request.target).path}"
        try:
            return self._called(call, request, url)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return json_answer(400, {"error": str(error)})

    def _called(self, call: str, request: Request, url: str) -> Answer:
        match call:
            case "GET /_healthz":
                return json_answer(200, {"ok": True})
            case "GET /_world":
                return json_answer(200, self._printed_world(url))
            case "GET /_log":
                return json_answer(200, self.log.printed(max(0, int(request.asked("n") or 100))))
            case "DELETE /_log":
                self.log.clear()
                return NOTHING
            case "GET /_faults" | "POST /_faults" | "DELETE /_faults":
                return self._changed_faults(request)
            case "POST /_begin":
                return json_answer(200, self._begun(request))
        return json_answer(404, {"error": f"{call} is not a call of the simulator"})

    def _printed_world(self, url: str) -> dict[str, object]:
        return {
            "projects_file": projects_file(self.world, url),
            "environment": environment(self.world),
            "seed": self.world.seed,
            "born": self.world.born.isoformat(),
            "instances": len(self.world.instances),
        }

    def _changed_faults(self, request: Request) -> Answer:
        if request.method == "DELETE":
            self.faults.clear()
        if request.method == "POST":
            described = json.loads(request.body)
            self.faults.add(*(described if isinstance(described, list) else [described]))
        return json_answer(200, self.faults.printed())

    def _begun(self, request: Request) -> dict[str, object]:
        """Begin a restore as told: which instance, how long, which end."""
        order = json.loads(request.body or b"{}")
        instance = self._chosen(order.pop("instance", None), request)
        if unknown := order.keys() - WISHES:
            raise ValueError(
                f"{', '.join(unknown)} unknown; allowed: instance, {', '.join(WISHES)}"
            )
        wishes = {name: WISHES[name](value) for name, value in order.items() if value is not None}
        restore_id = self.world.begin(instance, request.world_now, Order(**wishes))
        return {
            "restore_id": restore_id,
            "instance_id": instance.instance_id,
            "project_id": instance.project.project_id,
        }

    def _chosen(self, wanted: str | None, request: Request) -> Instance:
        """Return the instance of that id or name, or else one that is not busy."""
        busy = {instance.instance_id for instance, _ in self.world.running(request.world_now)}
        for each in self.world.instances:
            free = wanted is None and each.instance_id not in busy
            if each.restorable and (free or wanted in (each.instance_id, each.name)):
                return each
        raise LookupError(f"no instance {wanted or 'is free'}")
