"""The whole simulated world: a function of seed, sizes, birth and the instant one asks about."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from . import cast, records
from .backups import Backup, Backups
from .cast import Project
from .fleet import Instance, fleet
from .history import History
from .plans import Order, Plan, Planner

YEARS = timedelta(days=730)


class World:
    """Accounts, projects and instances, with what happens to them.

    ``born`` is when restores begin to come every half minute; before it history is thin.
    """

    def __init__(
        self, *, born: datetime, seed: int = 7, instances: int = 240, restores: int = 6000
    ) -> None:
        self.seed = seed
        self.born = born
        self.accounts = cast.accounts(seed)
        self.projects = cast.projects(seed, *self.accounts)
        month = (born - YEARS).astimezone(UTC)
        opened = month.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self.instances = fleet(seed, self.projects, instances, opened)
        self._projects = {each.project_id: each for each in self.projects}
        self._instances = {each.instance_id: each for each in self.instances}
        self._backups = Backups(seed)
        self._planner = Planner(seed, self._backups)
        self._history = History(
            seed, self.instances, restores, self._planner, opened=opened, born=born
        )
        self._ordered: dict[str, list[Plan]] = {}
        self._numbers = count()

    def project(self, project_id: str) -> Project | None:
        """Return the project with that id."""
        return self._projects.get(project_id)

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance with that id."""
        return self._instances.get(instance_id)

    def instances_of(self, project: Project) -> list[Instance]:
        """Return the project's instances, in the order in which the API lists them."""
        return [each for each in self.instances if each.project is project]

    def plans(self, instance: Instance, now: datetime) -> list[Plan]:
        """Return the instance's restores begun by ``now``, newest first."""
        ordered = [
            plan for plan in self._ordered.get(instance.instance_id, []) if plan.begins <= now
        ]
        found = self._history.begun(instance, now) + ordered
        return sorted(found, key=lambda plan: plan.begins, reverse=True)

    def restores(self, instance: Instance, now: datetime) -> list[records.Printed]:
        """Return the instance's restoration records at ``now``, newest first."""
        return [records.restore(plan, instance.project, now) for plan in self.plans(instance, now)]

    def backups(self, instance: Instance, now: datetime) -> list[Backup]:
        """Return the backups that the cloud still keeps of an instance, newest first."""
        return self._backups.listed(instance, now)

    def statuses(self, project: Project, now: datetime) -> list[tuple[Instance, str]]:
        """Return the project's instances, each with its status at ``now``."""
        restoring = {
            instance.instance_id
            for instance, plan in self.running(now)
            if plan.status(now) == "restoring" or not instance.project.waiting_is_running
        }
        return [
            (each, "RESTORING" if each.instance_id in restoring else each.base_status)
            for each in self.instances_of(project)
        ]

    def running(self, now: datetime) -> Iterator[tuple[Instance, Plan]]:
        """Yield every restore in progress at ``now``, those asked for included."""
        yield from self._history.running(now)
        for instance_id, plans in list(self._ordered.items()):
            for plan in list(plans):
                instance = self.instance(instance_id)
                if instance and plan.in_progress(now):
                    yield instance, plan

    def begin(self, instance: Instance, now: datetime, order: Order | None = None) -> str:
        """Begin a restore now, from the newest sound backup unless told, and return its id.

        It lives in memory only. An unknown or unsound backup is a LookupError.
        """
        order = order or Order()
        for backup in self._backups.listed(instance, now):
            wanted = order.backup_id in (None, backup.backup_id)
            if wanted and backup.status(now) == "succeed":
                number = next(self._numbers)
                plan = self._planner.ordered(instance, backup, now, order, number)
                self._ordered.setdefault(instance.instance_id, []).append(plan)
                return plan.restore_id
        raise LookupError(f"no sound backup {order.backup_id or 'at all'}")
