"""One project of a simulated cloud and our own sync, for failures of the API."""

import json
import re
from datetime import UTC, datetime, timedelta

from restores.models import Instance, Project, Restore
from restores.sync import scheduling
from restores.sync.accounts import load_accounts
from restores.sync.instances import sync_instances
from restores.sync.projects import sync_project

HARBOUR, LANTERN = 0, 4  # projects: of the account with an access key, of the one with a password


class Scene:
    """Syncs a project of the simulator, and instances of it, whenever a test says so."""

    def __init__(self, simulator, folder, monkeypatch, settings, index=HARBOUR, rate=1000):
        self.simulator = simulator
        text = re.sub("rate = .*", f"rate = {rate}", simulator.projects_file)
        self.file = folder / "projects.toml"
        self.file.write_text(text)
        settings.DCS_PROJECTS = str(self.file)
        for name, value in simulator.credentials.items():
            monkeypatch.setenv(name, value)
        load_accounts()
        self.project = Project.objects.get(project_id=simulator.world.projects[index].project_id)

    @property
    def account(self):
        self.project.account.refresh_from_db()
        return self.project.account

    @property
    def client(self):
        return load_accounts()[self.project.account.name]

    @property
    def instance(self):
        """The first instance of the project that can be restored."""
        return self.instances.first()

    @property
    def instances(self):
        return Instance.objects.filter(project=self.project, single_node=False).order_by("pk")

    def inject(self, match, **fault):
        """Make the calls fail whose path and query match."""
        self.simulator.faults.add({"match": match, **fault})

    def list_restores(self, *rows, total=None, times=None):
        """Let every instance list these restores."""
        total = len(rows) if total is None else total
        body = {"restore_record_response": rows, "total_num": total}
        self.inject("/restores", kind="answer", body=json.loads(json.dumps(body)), times=times)

    def clear_faults(self):
        self.simulator.faults.clear()
        self.simulator.log.clear()

    def calls(self, match=""):
        """The calls that arrived, all of them or those that match."""
        return [e for e in self.simulator.log.entries if re.search(match, f"{e.path}?{e.query}")]

    def sync_project(self):
        """Sync the project now, regardless of who has claimed it; return the error."""
        self.project = scheduling.take_over_project(self.project, datetime.now(UTC))
        error = sync_project(self.project, self.client, full=True)
        self.project.refresh_from_db()
        return error

    def sync(self, *instances):
        """Sync these instances now, by default the first one; return the first result."""
        chosen = instances or [self.instance]
        claimed = scheduling.claim_selected([row.pk for row in chosen], datetime.now(UTC))
        assert len(claimed) == len(chosen), "one of them is claimed"
        results = {result.instance.pk: result for result in sync_instances(claimed, self.client)}
        return results[chosen[0].pk]

    def stored(self):
        """What we have stored of the first instance: restore id -> status."""
        rows = Restore.objects.filter(instance=self.instance)
        return dict(rows.values_list("restore_id", "status"))


def record(restore_id="r-1", minutes=60, **fields):
    """A restore as the API lists it; by default it succeeded this many minutes ago."""
    created = datetime.now(UTC) - timedelta(minutes=minutes)
    return {
        "restore_id": restore_id,
        "status": "succeed",
        "progress": "100",
        "created_at": _timestamp(created),
        "updated_at": _timestamp(created + timedelta(minutes=6)),
        **fields,
    }


def _timestamp(time):
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
