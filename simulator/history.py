"""Every restore of every instance, derived from the seed when asked for.

Three eras: thin history up to the day before the world is born, a handful on the eve, and
from then on life. Nothing that was listed once ever vanishes or moves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from .dice import dice
from .fleet import Instance
from .instants import EPOCH, since_epoch
from .life import Life
from .oddities import ODDITIES
from .plans import LONGEST_CASE, Plan, Planner

EVE = timedelta(hours=24)
HEAD_START = timedelta(minutes=20)
EVE_SHARE = 0.15
# A tenth fail and most of those are tried again, so there are more restores than slots.
RESTORES_PER_SLOT = 1.08


class History:
    """The restores of all instances as a function of time."""

    def __init__(
        self,
        seed: int,
        instances: Sequence[Instance],
        restores: int,
        planner: Planner,
        *,
        opened: datetime,
        born: datetime,
    ) -> None:
        self._seed = seed
        self._opened = opened
        self._born = born
        self._players = [each for each in instances if each.restorable]
        self._life = Life(seed, len(self._players), born - HEAD_START)
        busyness = sum(each.busyness for each in self._players)
        self._slots_per_busyness = restores / RESTORES_PER_SLOT / busyness if busyness else 0.0
        self._case = lru_cache(maxsize=30_000)(planner.case)

    def begun(self, instance: Instance, now: datetime) -> list[Plan]:
        """Return the instance's restores begun by ``now``, oldest first."""
        if not instance.restorable:
            return []
        return [plan for case in self._cases(instance, now) for plan in case if plan.begins <= now]

    def running(self, now: datetime) -> Iterator[tuple[Instance, Plan]]:
        """Yield every restore of the world that is in progress at ``now``."""
        for player, round_ in self._life.recent(now, LONGEST_CASE):
            if player < len(self._players):
                instance = self._players[player]
                for plan in self._turn(instance, round_):
                    if plan.in_progress(now):
                        yield instance, plan

    def _cases(self, instance: Instance, now: datetime) -> Iterator[tuple[Plan, ...]]:
        yield from self._thin(instance, min(now, self._born - EVE))
        yield from self._eve(instance)
        for round_, _ in self._life.turns(instance.turn, now):
            yield self._turn(instance, round_)

    def _thin(self, instance: Instance, until: datetime) -> Iterator[tuple[Plan, ...]]:
        slots = instance.busyness * self._slots_per_busyness
        if not slots:
            return
        start = (max(self._opened, instance.created_at) - EPOCH).total_seconds()
        # Slots are counted from 1970, so a world born later tells the same history.
        length = ((self._opened - EPOCH).total_seconds() + 730 * 86_400 - start) / slots
        first = int(start // length) + 1
        for slot in range(first, int((until - EPOCH).total_seconds() // length) + 1):
            offset = dice(self._seed, instance.instance_id, "slot", slot).random()
            begins = since_epoch(slot * length + offset * max(1.0, length - 7200))
            if begins < until:
                case = self._case(instance, f"slot {slot}", begins)
                yield _with_oddity(instance, case) if slot == first else case

    def _eve(self, instance: Instance) -> Iterator[tuple[Plan, ...]]:
        rng = dice(self._seed, instance.instance_id, "eve")
        if instance.busyness and rng.random() < EVE_SHARE:
            free = EVE - HEAD_START - LONGEST_CASE
            hours = timedelta(milliseconds=int(rng.random() * (free // timedelta(milliseconds=1))))
            yield self._case(instance, "eve", self._born - EVE + hours)

    def _turn(self, instance: Instance, round_: int) -> tuple[Plan, ...]:
        """Return the case of that round, or nothing while the one before still runs."""
        begins = self._life.turn(instance.turn, round_)
        if round_:
            before = self._life.turn(instance.turn, round_ - 1)
            if self._case(instance, f"round {round_ - 1}", before)[-1].ends > begins:
                return ()
        return self._case(instance, f"round {round_}", begins)


def _with_oddity(instance: Instance, case: tuple[Plan, ...]) -> tuple[Plan, ...]:
    odd = ODDITIES.get((instance.project.index, instance.ordinal))
    return (replace(case[0], **odd), *case[1:]) if odd else case  # type: ignore[arg-type]
