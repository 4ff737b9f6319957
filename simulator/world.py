"""The simulated world: its whole history is a function of seed, sizes, epoch and time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import count
from math import gcd

from . import inventory, records
from .inventory import Instance, Project, make_accounts, make_instances, make_projects
from .restores import (
    LONGEST_ATTEMPTS,
    UNIX_EPOCH,
    Backup,
    Restore,
    Scenario,
    attempts,
    backups_kept,
    requested,
    since_1970,
)
from .rng import seeded

HISTORY = timedelta(days=730)
DAY_BEFORE = timedelta(hours=24)
HEAD_START = timedelta(minutes=20)
DAY_BEFORE_SHARE = 0.15
# A tenth fail and most of those are retried, so there are more restores than first attempts.
RESTORES_PER_ATTEMPT = 1.08

SHARED_ID = "5a3e0000-0000-4000-8000-00000000c0de"
# (project, n-th restorable instance of it) -> fields of its oldest restore, in every world
ODD_RECORDS: dict[tuple[int, int], dict[str, object]] = {
    (0, 0): {"restore_id": "../x"},
    (1, 0): {"restore_id": "a?b#c"},
    (2, 0): {"restore_id": "%2e"},
    (3, 0): {"restore_id": SHARED_ID},
    (4, 0): {"restore_id": SHARED_ID},
    (5, 0): {"restore_id": ".."},
    (0, 1): {"remark": inventory.HTML_REMARK},
    (1, 1): {"remark": inventory.LONG_REMARK},
    (2, 1): {"remark": inventory.CHINESE_REMARK},
    (3, 1): {"remark": inventory.ARABIC_REMARK},
    (4, 1): {"remark": inventory.HEBREW_REMARK},
    (5, 1): {"remark": inventory.FORMULA_REMARK},
    (0, 2): {"final_status": "failed", "error_code": "dcs.08.0099", "max_progress": 41},
    (3, 2): {"final_status": "failed", "error_code": "dcs.08.0099", "max_progress": 0},
    (1, 2): {"final_status": "rolledback", "error_code": None, "max_progress": 12},
}


class World:
    """Accounts, projects, instances and their restores.

    History is thin up to the day before ``epoch``; from ``epoch`` on a restore starts about every
    half minute. A restore once listed never moves or disappears.
    """

    def __init__(
        self, *, epoch: datetime, seed: int = 7, instances: int = 240, restores: int = 6000
    ) -> None:
        self.seed = seed
        self.epoch = epoch
        self.accounts = make_accounts(seed)
        self.projects = make_projects(seed, *self.accounts)
        start = (epoch - HISTORY).astimezone(UTC)
        self._history_start = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self.instances = make_instances(seed, self.projects, instances, self._history_start)
        self._projects = {each.project_id: each for each in self.projects}
        self._instances = {each.instance_id: each for each in self.instances}
        self._restorable = [each for each in self.instances if each.restorable]
        self._schedule = _Schedule(seed, len(self._restorable), epoch - HEAD_START)
        weight = sum(each.restore_weight for each in self._restorable)
        self._attempts_per_weight = restores / RESTORES_PER_ATTEMPT / weight if weight else 0.0
        self._requested: dict[str, list[Restore]] = {}
        self._request_number = count()

    def project(self, project_id: str) -> Project | None:
        """Return the project with that id."""
        return self._projects.get(project_id)

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance with that id."""
        return self._instances.get(instance_id)

    def instances_of(self, project: Project) -> list[Instance]:
        """Return the project's instances, in the order in which the API lists them."""
        return [each for each in self.instances if each.project is project]

    def restores(self, instance: Instance, now: datetime) -> list[Restore]:
        """Return the instance's restores created by ``now``, newest first."""
        found = list(self._requested.get(instance.instance_id, []))
        if instance.restorable:
            found += self._history(instance, now)
        created = [restore for restore in found if restore.created_at <= now]
        return sorted(created, key=lambda restore: restore.created_at, reverse=True)

    def records(self, instance: Instance, now: datetime) -> list[records.Json]:
        """Return the instance's restoration records at ``now``, newest first."""
        found = self.restores(instance, now)
        return [records.restore(restore, instance.project, now) for restore in found]

    def backups(self, instance: Instance, now: datetime) -> list[Backup]:
        """Return the backups that the cloud still keeps of an instance, newest first."""
        return backups_kept(self.seed, instance, now)

    def statuses(self, project: Project, now: datetime) -> list[tuple[Instance, str]]:
        """Return the project's instances, each with its status at ``now``."""
        restoring = {
            instance.instance_id
            for instance, restore in self.running(now)
            if restore.status(now) == "restoring" or not instance.project.waiting_is_running
        }
        return [
            (each, "RESTORING" if each.instance_id in restoring else each.base_status)
            for each in self.instances_of(project)
        ]

    def running(self, now: datetime) -> Iterator[tuple[Instance, Restore]]:
        """Yield every restore in progress at ``now``."""
        for index, round_number in self._schedule.recent(now, LONGEST_ATTEMPTS):
            if index < len(self._restorable):
                instance = self._restorable[index]
                for restore in self._scheduled(instance, round_number):
                    if restore.in_progress(now):
                        yield instance, restore
        for instance_id, found in list(self._requested.items()):
            for restore in list(found):
                if restore.in_progress(now):
                    yield self._instances[instance_id], restore

    def start_restore(
        self, instance: Instance, now: datetime, scenario: Scenario | None = None
    ) -> str:
        """Start a restore now and return its id; it is kept in memory only.

        Raises LookupError if the backup is unknown or has not succeeded.
        """
        scenario = scenario or Scenario()
        for backup in self.backups(instance, now):
            wanted = scenario.backup_id in (None, backup.backup_id)
            if wanted and backup.status(now) == "succeed":
                number = next(self._request_number)
                restore = requested(self.seed, instance, backup, now, scenario, number)
                self._requested.setdefault(instance.instance_id, []).append(restore)
                return restore.restore_id
        raise LookupError(f"backup {scenario.backup_id or 'missing'}: none that succeeded")

    def _history(self, instance: Instance, now: datetime) -> Iterator[Restore]:
        yield from self._thin_history(instance, min(now, self.epoch - DAY_BEFORE))
        rng = seeded(self.seed, instance.instance_id, "eve")
        if instance.restore_weight and rng.random() < DAY_BEFORE_SHARE:
            free = DAY_BEFORE - HEAD_START - LONGEST_ATTEMPTS
            after = timedelta(milliseconds=int(rng.random() * (free // timedelta(milliseconds=1))))
            yield from attempts(self.seed, instance, "eve", self.epoch - DAY_BEFORE + after)
        for round_number in self._schedule.rounds(instance.index, now):
            yield from self._scheduled(instance, round_number)

    def _thin_history(self, instance: Instance, until: datetime) -> Iterator[Restore]:
        """Yield one restore in each of the equal periods that the instance's weight allows."""
        periods = instance.restore_weight * self._attempts_per_weight
        if not periods:
            return
        start = (max(self._history_start, instance.created_at) - UNIX_EPOCH).total_seconds()
        # Periods are counted from 1970, so a world with a later epoch has the same history.
        end = (self._history_start - UNIX_EPOCH + HISTORY).total_seconds()
        length = (end - start) / periods
        first = int(start // length) + 1
        for period in range(first, int((until - UNIX_EPOCH).total_seconds() // length) + 1):
            offset = seeded(self.seed, instance.instance_id, "slot", period).random()
            created_at = since_1970(period * length + offset * max(1.0, length - 7200))
            if created_at < until:
                found = attempts(self.seed, instance, f"slot {period}", created_at)
                odd = ODD_RECORDS.get((instance.project.index, instance.index_in_project))
                if odd and period == first:
                    found = (replace(found[0], **odd), *found[1:])  # type: ignore[arg-type]
                yield from found

    def _scheduled(self, instance: Instance, round_number: int) -> tuple[Restore, ...]:
        """Return the restores of that round, or none while the previous round's still run."""

        def of_round(number: int) -> tuple[Restore, ...]:
            created_at = self._schedule.time(instance.index, number)
            return attempts(self.seed, instance, f"round {number}", created_at)

        if round_number:
            previous = of_round(round_number - 1)[-1]
            if previous.ended_at > self._schedule.time(instance.index, round_number):
                return ()
        return of_round(round_number)


class _Schedule:
    """When each instance is restored after the epoch: once per round, in a shuffled order.

    A restore's time follows from its number alone, so the times of one instance and the latest
    of the whole world are both found without walking through all the others.
    """

    INTERVAL = 33  # seconds
    # A round must outlast any restore.
    SHORTEST_ROUND = 6000

    def __init__(self, seed: int, instances: int, since: datetime) -> None:
        self._seed = seed
        self._size = max(instances, 1)
        self._interval = max(self.INTERVAL, -(-self.SHORTEST_ROUND // self._size))
        self._since = (since - UNIX_EPOCH).total_seconds()
        self._permutation = cache(self._random_permutation)
        self._time = lru_cache(maxsize=50_000)(self._random_time)

    def rounds(self, index: int, until: datetime) -> Iterator[int]:
        """Yield the rounds in which this instance was restored by ``until``, oldest first."""
        for round_number in range(self._latest(until) // self._size + 1):
            if self.time(index, round_number) <= until:
                yield round_number

    def time(self, index: int, round_number: int) -> datetime:
        """Return when this instance is restored in that round."""
        factor, offset = self._permutation(round_number)
        return self._time(round_number * self._size + (index * factor + offset) % self._size)

    def recent(self, until: datetime, span: timedelta) -> Iterator[tuple[int, int]]:
        """Yield (instance index, round) of every restore in the ``span`` that ends at ``until``."""
        latest = self._latest(until)
        earliest = max(0, latest - int(span.total_seconds()) // self._interval - 1)
        for number in range(earliest, latest + 1):
            if self._time(number) <= until:
                round_number, place = divmod(number, self._size)
                factor, offset = self._permutation(round_number)
                inverse = pow(factor, -1, self._size)
                yield (place - offset) * inverse % self._size, round_number

    def _latest(self, until: datetime) -> int:
        return int(((until - UNIX_EPOCH).total_seconds() - self._since) // self._interval)

    def _random_time(self, number: int) -> datetime:
        delay = seeded(self._seed, "tick", number).uniform(0, self._interval / 5)
        return since_1970(self._since + number * self._interval + delay)

    def _random_permutation(self, round_number: int) -> tuple[int, int]:
        """Return factor and offset of a permutation that can be inverted without a table."""
        rng = seeded(self._seed, "round", round_number)
        factor = rng.randrange(1, self._size + 1)
        while gcd(factor, self._size) != 1:
            factor = rng.randrange(1, self._size + 1)
        return factor, rng.randrange(self._size)
