"""Who is restored when: every half minute it is some instance's turn."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, lru_cache
from math import gcd

from .dice import dice
from .instants import EPOCH, since_epoch

TICK = 33
# An instance has one turn per round, and a round must outlast any restore.
SHORTEST_ROUND = 6000


class Life:
    """Turns in rounds: in each round every instance has one, in an order of its own.

    A turn's instant follows from its number alone, so one instance's turns and the latest turns
    of the world are both found without walking through all the others.
    """

    def __init__(self, seed: int, players: int, since: datetime) -> None:
        self._seed = seed
        self._players = max(players, 1)
        self._tick = max(TICK, -(-SHORTEST_ROUND // self._players))
        self._since = (since - EPOCH).total_seconds()
        self._order = cache(self._shuffled)
        self._instant = lru_cache(maxsize=50_000)(self._rolled)

    def turns(self, player: int, until: datetime) -> Iterator[tuple[int, datetime]]:
        """Yield the rounds and instants at which it was this player's turn, oldest first."""
        for round_ in range(self._latest(until) // self._players + 1):
            instant = self.turn(player, round_)
            if instant <= until:
                yield round_, instant

    def turn(self, player: int, round_: int) -> datetime:
        """Return when it is this player's turn in that round."""
        factor, offset = self._order(round_)
        return self._instant(round_ * self._players + (player * factor + offset) % self._players)

    def recent(self, until: datetime, span: timedelta) -> Iterator[tuple[int, int]]:
        """Yield (player, round) of every turn in the ``span`` that ends at ``until``."""
        latest = self._latest(until)
        earliest = max(0, latest - int(span.total_seconds()) // self._tick - 1)
        for number in range(earliest, latest + 1):
            if self._instant(number) <= until:
                round_, place = divmod(number, self._players)
                factor, offset = self._order(round_)
                inverse = pow(factor, -1, self._players)
                yield (place - offset) * inverse % self._players, round_

    def _latest(self, until: datetime) -> int:
        return int(((until - EPOCH).total_seconds() - self._since) // self._tick)

    def _rolled(self, number: int) -> datetime:
        late = dice(self._seed, "tick", number).uniform(0, self._tick / 5)
        return since_epoch(self._since + number * self._tick + late)

    def _shuffled(self, round_: int) -> tuple[int, int]:
        """Return factor and offset of a permutation that can be undone without a table."""
        rng = dice(self._seed, "round", round_)
        factor = rng.randrange(1, self._players + 1)
        while gcd(factor, self._players) != 1:
            factor = rng.randrange(1, self._players + 1)
        return factor, rng.randrange(self._players)
