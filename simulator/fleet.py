"""The instances of the simulated world."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

from . import names
from .cast import Project
from .dice import dice, uuid_of

# (mode, spec code, gigabytes); weights below
SPECS = (
    ("ha", "redis.ha.xu1.large.r2.4", 4),
    ("ha", "redis.ha.xu1.large.r2.8", 8),
    ("cluster", "redis.cluster.xu1.large.r2.24", 24),
    ("proxy", "redis.proxy.xu1.large.16", 16),
    ("ha", "redis.ha.xu1.tiny.r2.128", 0),
    ("ha", "dcs.memcached.master_standby", 2),
    ("single", "redis.single.xu1.large.2", 2),
)
SPEC_WEIGHTS = (34, 20, 10, 8, 10, 3, 15)
RARE_STATUSES = ("FROZEN", "ERROR", "EXTENDING", "CREATEFAILED")
# So many instances of each project are plain and sound in every world, for the oddities.
SOUND_PER_PROJECT = 3
DRILL_PROJECT = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """One cache instance.

    ``ordinal`` and ``turn`` count the instances that can be restored, in the project and in the
    world; -1 means that this one cannot.
    """

    project: Project
    instance_id: str
    name: str
    engine_version: str
    mode: str
    spec_code: str
    gigabytes: int
    ip: str
    base_status: str
    created_at: datetime
    busyness: float
    pace: timedelta
    ordinal: int = -1
    turn: int = -1

    @property
    def engine(self) -> str:
        """Redis or Memcached."""
        return "Memcached" if "memcached" in self.spec_code else "Redis"

    @property
    def restorable(self) -> bool:
        """Whether it can be backed up and restored; a single node or a broken one cannot."""
        return self.mode != "single" and self.base_status == "RUNNING"


def fleet(seed: int, projects: Sequence[Project], count: int, opened: datetime) -> list[Instance]:
    """Build ``count`` instances, the first in turn, the rest by the projects' shares."""
    shares = list(accumulate(project.share for project in projects))
    drawn: list[Instance] = []
    for index in range(count):
        rng = dice(seed, "instance", index)
        early = index < SOUND_PER_PROJECT * len(projects)
        in_turn = projects[index % len(projects)]
        project = in_turn if early else rng.choices(projects, cum_weights=shares)[0]
        drawn.append(_instance(rng, project, opened, sound=early))
    return _named_apart(_with_a_drill_target(_counted(drawn)))


def _instance(rng: Random, project: Project, opened: datetime, *, sound: bool) -> Instance:
    mode, spec, gigabytes = SPECS[0] if sound else rng.choices(SPECS, SPEC_WEIGHTS)[0]
    broken = not sound and rng.random() < 0.02
    idle = not sound and rng.random() < 0.12
    old = sound or rng.random() < 0.8
    age = -rng.uniform(5, 600) if old else rng.uniform(5, 500)
    return Instance(
        project=project,
        instance_id=uuid_of(rng),
        name=names.instance_name(rng, project.tongue),
        engine_version=rng.choice(("4.0", "5.0", "6.0", "7.0")),
        mode=mode,
        spec_code=spec,
        gigabytes=gigabytes,
        ip=f"10.{20 + project.index}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
        base_status=rng.choice(RARE_STATUSES) if broken else "RUNNING",
        created_at=opened + timedelta(days=age),
        busyness=0.0 if idle else 0.3 + rng.expovariate(1.2),
        pace=timedelta(minutes=1 + 4 * rng.random() ** 3),
    )


def _counted(instances: Iterable[Instance]) -> list[Instance]:
    in_project: Counter[int] = Counter()
    counted: list[Instance] = []
    for instance in instances:
        if instance.restorable:
            at = instance.project.index
            turn = in_project.total()
            instance = replace(instance, ordinal=in_project[at], turn=turn)
            in_project[at] += 1
        counted.append(instance)
    return counted


def _with_a_drill_target(instances: list[Instance]) -> list[Instance]:
    """Give one instance a fifth of all history, so that paging is needed somewhere."""
    if len(instances) <= DRILL_PROJECT:
        return instances
    others = sum(each.busyness for each in instances if each.restorable)
    target = replace(instances[DRILL_PROJECT], name="drill-target", busyness=others / 4)
    return [target if each.turn == target.turn >= 0 else each for each in instances]


def _named_apart(instances: Iterable[Instance]) -> list[Instance]:
    used: Counter[tuple[int, str]] = Counter()
    apart: list[Instance] = []
    for instance in instances:
        key = (instance.project.index, instance.name)
        used[key] += 1
        number = used[key]
        apart.append(
            replace(instance, name=f"{instance.name}-{number:02d}") if number > 1 else instance
        )
    return apart
