"""How often “possibly stuck” is right, and how far estimates are off, in simulated worlds.

``./run bench stuck``. A restore that hangs makes no progress for 25 minutes or more; any other one
ends on its own. The worlds differ in what progress shows and how much durations vary. Nothing here
depends on the rule under test, which sees only what a sync every ten seconds sees.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median

from bench.report import Report
from restores.explain.estimates import Estimate, Usual, estimate, find_stuck_at, usual_of

SEED, RESTORES = 1, 4000
_SYNC = 10  # seconds
_HANGING = 0.03  # the share of restores that hang
_MINUTE = 60
_CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How restores behave in one kind of cloud.

    ``spread`` is the sigma of an instance's durations; progress comes in steps of ``step``
    percent; ``pausing`` is the share of restores that stand still for some minutes and go on;
    ``history`` says how many earlier successes an instance has.
    """

    name: str
    spread: float = 0.35
    step: tuple[int, ...] = (1, 3, 7, 9)
    pausing: float = 0.02
    history: tuple[int, int] = (3, 40)
    reports_progress: bool = True


WORLDS = (
    World(name="steady"),
    World(name="stepwise", step=(20, 25, 34, 50)),
    World(name="heavy-tailed", spread=1.0, pausing=0.1),
    World(name="no history", history=(0, 2), pausing=0.05),
    World(name="silent", reports_progress=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRestore:
    """One restore in seconds: it waits, restores, and stands still for ``pause`` on the way.

    One that ``hangs`` ends when its pause does.
    """

    waiting: float
    duration: float
    pause_at: float
    pause: float
    hangs: bool
    step: int
    curve: float
    usual: Usual | None

    @property
    def end(self) -> float:
        """Seconds from creation to the end."""
        return self.waiting + self.pause + (self.pause_at if self.hangs else self.duration)

    def progress(self, at: float) -> float:
        """What the cloud reports this many seconds after the creation."""
        running = max(0.0, at - self.waiting)
        if running > self.pause_at:
            running = max(self.pause_at, running - self.pause)
        percent = 100 * min(1.0, running / self.duration) ** self.curve
        return float(min(99, percent // self.step * self.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known about a restore at a sync, and how many seconds it will really take."""

    status: str
    elapsed: float
    progress: float
    unchanged_for: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of one world: how many restores called stuck hang, and vice versa.

    ``delay`` is the median of the seconds from hanging to being called stuck. ``error`` is the
    median distance of the middle of an estimate from the truth, ``shown`` the share of syncs with
    an estimate, and ``within`` the share of estimates that contain the truth.
    """

    precision: float
    recall: float
    delay: float
    error: float
    shown: float
    within: float


def simulate(world: World, seed: int, count: int) -> Iterator[SimulatedRestore]:
    """Yield the restores of a world: the same for the same seed."""
    rng = Random(f"{world.name} {seed}")
    for _ in range(count):
        typical = min(25 * _MINUTE, max(40, rng.lognormvariate(5.4, 0.7)))

        def duration(typical: float = typical) -> float:
            seconds = typical * rng.lognormvariate(0, world.spread)
            return max(20.0, seconds)

        earlier = [duration() for _ in range(rng.randint(*world.history))]
        # Some of the earlier successes hung, too, before they went on.
        earlier = [one + (1800 if rng.random() < _HANGING / 2 else 0) for one in earlier]
        hangs, pauses, own = rng.random() < _HANGING, rng.random() < world.pausing, duration()
        pause = rng.uniform(25, 120) * _MINUTE if hangs else 0.0
        if pauses and not hangs:
            pause = min(15 * _MINUTE, rng.expovariate(1 / (3 * _MINUTE)))
        yield SimulatedRestore(
            waiting=rng.uniform(5, 40) if rng.random() < 0.97 else rng.uniform(1, 8) * _MINUTE,
            duration=own,
            pause_at=own * rng.uniform(0.02, 0.98),
            pause=pause,
            hangs=hangs,
            step=rng.choice(world.step),
            curve=rng.uniform(0.7, 1.4),
            usual=usual_of(earlier),
        )


def syncs(world: World, restore: SimulatedRestore) -> Iterator[Seen]:
    """Yield what each sync sees of a restore, until its end."""
    state, since = ("", 0.0), 0.0
    for at in range(_SYNC, int(restore.end), _SYNC):
        status = "waiting" if at < restore.waiting else "restoring"
        progress = restore.progress(at) if world.reports_progress else 0.0
        if (status, progress) != state:
            state, since = (status, progress), float(at)
        yield Seen(
            status=status,
            elapsed=at,
            progress=progress,
            unchanged_for=at - since,
            left=restore.end - at,
        )


def judge(world: World, seed: int = SEED, count: int = RESTORES) -> Scores:
    """Compare what the rule and the estimates say about a world with the truth."""
    hanging = right = wrong = seen_healthy = within = 0
    delays: list[float] = []
    errors: list[float] = []
    for restore in simulate(world, seed, count):
        called_at: float | None = None
        for seen in syncs(world, restore):
            if called_at is None and _called_stuck(world, restore, seen):
                called_at = seen.elapsed
            if restore.hangs and called_at is not None:
                break
            if restore.hangs or seen.status != "restoring":
                continue
            seen_healthy += 1
            if found := _estimate(world, restore, seen):
                errors.append(abs((found.low + found.high) / 2 - seen.left))
                within += found.low <= seen.left <= found.high
        hanging += restore.hangs
        if called_at is not None and restore.hangs:
            right += 1
            delays.append(called_at - restore.waiting - restore.pause_at)
        wrong += called_at is not None and not restore.hangs
    return Scores(
        precision=right / max(1, right + wrong),
        recall=right / max(1, hanging),
        delay=median(delays or [0]),
        error=median(errors or [0]),
        shown=len(errors) / max(1, seen_healthy),
        within=within / max(1, len(errors)),
    )


def main(arguments: list[str]) -> int:
    """Print the scores of each world; the exit status is 0 if the goals are met."""
    parser = argparse.ArgumentParser(prog="bench stuck", description=__doc__)
    parser.add_argument("--restores", type=int, default=RESTORES, metavar="N", help="of each world")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    options = parser.parse_args(arguments)
    report = Report()
    for world in WORLDS:
        found = judge(world, options.seed, options.restores)
        report.heading(f"{world.name}, {options.restores:,} restores, seed {options.seed}")
        goals = {"precision": 90, "recall": 80} if world.reports_progress else {}
        for name, share in (("precision", found.precision), ("recall", found.recall)):
            report.number(f"stuck: {name}", 100 * share, "%", at_least=goals.get(name))
        report.number("stuck: minutes from hanging to being called stuck", found.delay / 60, "min")
        report.number("estimates: median error", found.error, "s")
        report.number("estimates: shown, of syncs while restoring", 100 * found.shown, "%")
        report.number("estimates: that hold the truth", 100 * found.within, "%")
    report.summary()
    return 0 if report.goals_met else 1


def _called_stuck(world: World, restore: SimulatedRestore, seen: Seen) -> bool:
    now = _CREATED + timedelta(seconds=seen.elapsed)
    stuck_at = find_stuck_at(
        seen.status,
        _CREATED,
        now - timedelta(seconds=seen.unchanged_for),
        restore.usual,
        reports_progress=world.reports_progress,
    )
    return stuck_at is not None and stuck_at <= now


def _estimate(world: World, restore: SimulatedRestore, seen: Seen) -> Estimate | None:
    unchanged_for = seen.unchanged_for if world.reports_progress else None
    return estimate(seen.elapsed, seen.progress, restore.usual, unchanged_for)
