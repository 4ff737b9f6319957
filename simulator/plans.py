"""How one restore will go, decided at its first second: its times, progress and outcome."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from . import names
from .backups import Backup, Backups
from .dice import dice, uuid_of
from .fleet import Instance

CODES = tuple(f"dcs.08.000{number}" for number in range(1, 9))
CODE_WEIGHTS = (8, 22, 3, 6, 4, 12, 40, 2)
# These fail before any data moves.
EARLY_CODES = frozenset(CODES[:1] + CODES[2:6])
# The longest a restore and its second attempt can last together.
LONGEST_CASE = timedelta(minutes=95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One restore from its first second to its last.

    ``peak`` is the per cent it reaches ``rise`` after it starts; there it stays until it ends.
    """

    restore_id: str
    backup: Backup
    begins: datetime
    starts: datetime
    ends: datetime
    rise: timedelta
    peak: int
    step: int
    final: str
    code: str | None
    remark: str | None

    def status(self, now: datetime) -> str:
        """Return the API's word for how far it is."""
        if now < self.starts:
            return "waiting"
        return "restoring" if now < self.ends else self.final

    def progress(self, now: datetime) -> int:
        """Return the per cent done, as coarse as the region reports it."""
        if now < self.starts:
            return 0
        if now >= self.ends:
            return 100 if self.final == "succeed" else self.peak
        done = int(self.peak * min(1.0, (now - self.starts) / self.rise))
        return min(done // self.step * self.step, 99)

    def in_progress(self, now: datetime) -> bool:
        """Whether it has begun and not ended."""
        return self.begins <= now < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A restore that somebody asks for: from which backup, how long (in seconds), which end."""

    backup_id: str | None = None
    remark: str | None = None
    waiting: float = 5
    seconds: float = 60
    code: str | None = None

    def __post_init__(self) -> None:
        for seconds in (self.waiting, self.seconds):
            if not 0 <= seconds <= 86_400:
                raise ValueError(f"{seconds} s: 0 to 86400 is allowed")


class Planner:
    """Draws plans from the seed, so that the same words always give the same plan."""

    def __init__(self, seed: int, backups: Backups) -> None:
        self._seed = seed
        self._backups = backups

    def case(self, instance: Instance, words: str, begins: datetime) -> tuple[Plan, ...]:
        """Return the restore that ``words`` name and, if it fails, mostly a second attempt."""
        rng = dice(self._seed, instance.instance_id, words)
        backup = self._backups.behind(rng, instance, begins)
        first = _drawn(rng, instance, backup, begins, failing=rng.random() < 0.1)
        if rng.random() < 1 / 80:
            first = _stuck(rng, first)
        if first.final != "failed" or rng.random() < 0.2:
            return (first,)
        again = first.ends + timedelta(seconds=int(rng.uniform(180, 1800)), milliseconds=417)
        return first, _drawn(rng, instance, backup, again, failing=rng.random() < 0.05)

    def ordered(
        self, instance: Instance, backup: Backup, begins: datetime, order: Order, number: int
    ) -> Plan:
        """Return a restore that somebody asked for; ``number`` tells it from their others."""
        rng = dice(self._seed, instance.instance_id, "ordered", begins.isoformat(), number)
        starts = begins + timedelta(seconds=order.waiting)
        lasts = timedelta(seconds=order.seconds)
        step = _step(rng, instance)
        return Plan(
            restore_id=uuid_of(rng),
            backup=backup,
            begins=begins,
            starts=starts,
            ends=starts + lasts,
            rise=lasts or timedelta.resolution,
            peak=_peak(rng, step) if order.code else 100,
            step=step,
            final="failed" if order.code else "succeed",
            code=order.code,
            remark=order.remark,
        )


def _drawn(
    rng: Random, instance: Instance, backup: Backup, begins: datetime, *, failing: bool
) -> Plan:
    starts = begins + timedelta(milliseconds=int(rng.uniform(5_000, 40_000)))
    lasts = _duration(rng, instance)
    if instance.project.brisk and rng.random() < 0.3:
        starts, lasts = begins + timedelta(seconds=1), timedelta(seconds=3)
    plan = Plan(
        restore_id=uuid_of(rng),
        backup=backup,
        begins=begins,
        starts=starts,
        ends=starts + lasts,
        rise=lasts,
        peak=100,
        step=_step(rng, instance),
        final="succeed",
        code=None,
        remark=names.remark(rng),
    )
    return _failed(rng, plan, rng.choices(CODES, CODE_WEIGHTS)[0]) if failing else plan


def _duration(rng: Random, instance: Instance) -> timedelta:
    minutes = instance.pace / timedelta(minutes=1) * rng.lognormvariate(0, 0.35)
    return timedelta(milliseconds=int(60_000 * min(12.0, max(1.0, minutes))))


def _peak(rng: Random, step: int) -> int:
    return 0 if step == 100 else rng.randint(15, 97)


def _step(rng: Random, instance: Instance) -> int:
    return 100 if instance.project.progress == "ends" else rng.choice((1, 3, 7, 9))


def _failed(rng: Random, plan: Plan, code: str) -> Plan:
    reached = 0.1 if code in EARLY_CODES else rng.uniform(0.15, 0.97)
    milliseconds = (plan.ends - plan.starts) // timedelta(milliseconds=1)
    lasts = timedelta(milliseconds=max(1, int(milliseconds * reached)))
    peak = 0 if plan.step == 100 or code in EARLY_CODES else int(100 * reached)
    return replace(plan, ends=plan.starts + lasts, rise=lasts, peak=peak, final="failed", code=code)


def _stuck(rng: Random, plan: Plan) -> Plan:
    ends = plan.starts + timedelta(seconds=int(rng.uniform(22 * 60, 45 * 60)))
    peak = _peak(rng, plan.step)
    if rng.random() < 0.6:
        return replace(plan, ends=ends, peak=peak, final="failed", code="dcs.08.0002")
    return replace(plan, ends=ends, peak=peak)
