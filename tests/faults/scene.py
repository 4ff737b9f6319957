"""One project of a simulated cloud behind our own collector, for faults of the API."""

import json
import re
from datetime import UTC, datetime, timedelta

from restores.models import Instance, Project, Restore
from restores.sync import scheduling
from restores.sync.accounts import current_clouds
from restores.sync.instances import look_at
from restores.sync.projects import look_at_project

HARBOUR, LANTERN = 0, 4  # projects: of the account with an access key, of the one with a password


class Scene:
    """Looks at a project of the simulator, and at one instance of it, whenever told."""

    def __init__(self, simulator, folder, monkeypatch, settings, index=HARBOUR, rate=1000):
        self.simulator = simulator
        text = re.sub("rate = .*", f"rate = {rate}", simulator.projects_file)
        self.file = folder / "projects.toml"
        self.file.write_text(text)
        settings.DCS_PROJECTS = str(self.file)
        for name, value in simulator.credentials.items():
            monkeypatch.setenv(name, value)
        self.clouds = current_clouds()
        self.project = Project.objects.get(project_id=simulator.world.projects[index].project_id)

    @property
    def account(self):
        self.project.account.refresh_from_db()
        return self.project.account

    @property
    def cloud(self):
        return current_clouds()[self.project.account.name]

    @property
    def instance(self):
        """The first instance of the project that can be restored."""
        return self.instances.first()

    @property
    def instances(self):
        return Instance.objects.filter(project=self.project, single_node=False).order_by("pk")

    def breaks(self, match, **fault):
        """Switch a fault on for the calls whose path and query match."""
        self.simulator.faults.add({"match": match, **fault})

    def lists(self, *rows, total=None, times=None):
        """Let every instance list these restores."""
        total = len(rows) if total is None else total
        body = {"restore_record_response": rows, "total_num": total}
        self.breaks("/restores", kind="answer", body=json.loads(json.dumps(body)), times=times)

    def heals(self):
        self.simulator.faults.clear()
        self.simulator.log.clear()

    def calls(self, match=""):
        """The calls that arrived, all told or those that match."""
        return [e for e in self.simulator.log.entries if re.search(match, f"{e.path}?{e.query}")]

    def look_at_project(self):
        """Look at the project now, whoever holds it; return the fault."""
        self.project = scheduling.take(self.project, datetime.now(UTC))
        fault = look_at_project(self.project, self.cloud, whole=True)
        self.project.refresh_from_db()
        return fault

    def look(self, *instances):
        """Look now at instances, the first one if none is named; return the first one's look."""
        chosen = instances or [self.instance]
        claimed = scheduling.claim_these([row.pk for row in chosen], datetime.now(UTC))
        assert len(claimed) == len(chosen), "somebody holds one of them"
        looks = {look.instance.pk: look for look in look_at(claimed, self.cloud)}
        return looks[chosen[0].pk]

    def held(self):
        """What we hold of the first instance: restore id -> status."""
        rows = Restore.objects.filter(instance=self.instance)
        return dict(rows.values_list("restore_id", "status"))


def record(restore_id="r-1", minutes=60, **fields):
    """A restore as the API lists it: succeeded, so many minutes ago, unless told otherwise."""
    begun = datetime.now(UTC) - timedelta(minutes=minutes)
    return {
        "restore_id": restore_id,
        "status": "succeed",
        "progress": "100",
        "created_at": _written(begun),
        "updated_at": _written(begun + timedelta(minutes=6)),
        **fields,
    }


def _written(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
