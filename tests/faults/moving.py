"""A cloud's list of restores that changes between any two of its responses, and remembers how."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from restores.dcs.errors import Throttled, Unreachable
from restores.dcs.records import Page, RestoreRecord
from tests.sync.records import BEGUN, make_record

NEXT = {"waiting": ["restoring", "failed"], "restoring": ["restoring", "succeed", "failed"]}


ODDITIES = [
    {"counts_returned": True},
    {"timeless": 0.2},
    {"filters_by": "updated_at"},
    {"hours_off": 8},
]


@dataclass
class Manners:
    """How badly this cloud behaves; every number is a chance per response."""

    insert: float = 0.0
    late: float = 0.0
    remove: float = 0.0
    change: float = 0.0
    stale: float = 0.0
    fault: float = 0.0
    ignore: float = 0.0
    lie: float = 0.0
    blank: float = 0.0
    timeless: float = 0.0
    filters_by: str = "created_at"
    hours_off: int = 0
    ends_included: bool = True
    counts_returned: bool = False
    order: str = "newest"

    @classmethod
    def thrown(cls, dice: Random) -> "Manners":
        def chance(most, often=0.6):
            return dice.uniform(0, most) if dice.random() < often else 0.0

        thrown = cls(
            insert=chance(0.3),
            late=chance(0.2),
            remove=chance(0.3),
            change=chance(0.5),
            stale=chance(0.2, 0.3),
            fault=chance(0.03, 0.3),
            ignore=chance(0.1, 0.2),
            lie=chance(0.1, 0.2),
            blank=chance(0.05, 0.2),
            ends_included=dice.random() < 0.6,
            order=dice.choice(["newest", "oldest", "any"]),
        )
        # One oddity of these at a time: who neither counts nor filters cannot be seen through.
        odd = dice.choice([*[{}] * 6, *ODDITIES])
        return replace(thrown, **odd)

    @property
    def provable(self):
        """Whether a list of more than one response can be proven once it stands still."""
        return not (self.timeless or self.hours_off or self.counts_returned) and (
            self.filters_by == "created_at"
        )


@dataclass
class MovingList:
    """``instants`` holds what was listed at each moment since the look's first response."""

    dice: Random
    manners: Manners
    full: int
    now: datetime = BEGUN
    rows: dict[str, RestoreRecord] = field(default_factory=dict)
    before: dict[str, RestoreRecord] = field(default_factory=dict)
    instants: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)
    born: int = 0
    calls: int = 0

    def fill(self, count: int) -> None:
        for _ in range(count):
            self.insert(timedelta(seconds=self.dice.uniform(0, 3 * 365 * 86400)))

    def look(self) -> None:
        """A look begins: what was before it does not matter to it."""
        self.instants, self.calls = [], 0

    def __call__(self, begin, end) -> Page:
        self.happen()
        self.note()
        self.calls += 1
        if self.dice.random() < self.manners.fault:
            raise self.dice.choice([Unreachable("503"), Throttled("429", until=self.now)])
        return self.page(begin, end)

    def page(self, begin, end) -> Page:
        rows = [r for r in self.rows.values() if begin is None or self.within(r, begin, end)]
        rows = self.ordered(rows)
        if begin is not None and self.dice.random() < self.manners.blank:
            rows = []
        listed = tuple(self.told(row) for row in rows[: self.full])
        total = len(listed) if self.manners.counts_returned else len(rows)
        if self.dice.random() < self.manners.lie:
            total = self.dice.choice([None, 10**9, total + 1 + self.dice.randrange(3)])
        return Page(
            rows=listed, skipped=0, total=total, server_time=self.now.replace(microsecond=0)
        )

    def within(self, row, begin, end) -> bool:
        if self.dice.random() < self.manners.ignore:
            return True
        moment = getattr(row, self.manners.filters_by)
        if moment is None:
            return False
        moment += timedelta(hours=self.manners.hours_off)
        return begin <= moment <= end if self.manners.ends_included else begin < moment < end

    def ordered(self, rows):
        if self.manners.order == "any":
            return self.dice.sample(rows, len(rows))
        newest = self.manners.order == "newest"
        return sorted(rows, key=lambda row: row.created_at or BEGUN, reverse=newest)

    def told(self, row):
        """A replica that lags tells of a row what it was before."""
        old = self.before.get(row.restore_id)
        return old if old and self.dice.random() < self.manners.stale else row

    def happen(self) -> None:
        """Time passes, and what the dice want with it; each event is an instant of its own."""
        self.now += timedelta(seconds=self.dice.choice([0, 0.04, 0.3, 2]))
        manners, dice = self.manners, self.dice
        for chance, event in (
            (manners.insert, lambda: self.insert(timedelta(0))),
            (manners.late, lambda: self.insert(timedelta(seconds=dice.expovariate(1 / 90)))),
            (manners.remove, self.remove),
            (manners.change, self.change),
        ):
            while dice.random() < chance:
                event()
                self.note()

    def note(self) -> None:
        self.instants.append((self.now, frozenset(self.rows)))

    def insert(self, ago: timedelta) -> None:
        """List a restore, perhaps later than it was created, perhaps in another's second."""
        created = self.now - ago
        if self.rows and self.dice.random() < 0.15:
            created = self.dice.choice(list(self.rows.values())).created_at or created
        if self.dice.random() < self.manners.timeless:
            created = None
        self.born += 1
        status = self.dice.choice(["waiting", "restoring", "succeed", "failed"])
        ended = (
            created + timedelta(minutes=6) if created and status in ("succeed", "failed") else None
        )
        key = f"r-{self.born}"
        self.rows[key] = make_record(key, status=status, created_at=created, updated_at=ended)

    def remove(self) -> None:
        if self.rows:
            del self.rows[self.dice.choice(list(self.rows))]

    def change(self) -> None:
        open_rows = [row for row in self.rows.values() if row.status in NEXT]
        if not open_rows:
            return
        row = self.dice.choice(open_rows)
        status = self.dice.choice(NEXT[row.status])
        progress = min(99.0, row.progress + 7) if status == "restoring" else 100.0
        moved = replace(row, status=status, progress=progress, updated_at=self.now)
        self.before[row.restore_id] = row
        self.rows[row.restore_id] = replace(moved, raw=f"{status} {progress} {self.now}")

    def stand_still(self) -> None:
        """Nothing happens any more, and every answer is as documented."""
        calm = Manners(
            filters_by=self.manners.filters_by,
            hours_off=self.manners.hours_off,
            ends_included=self.manners.ends_included,
            counts_returned=self.manners.counts_returned,
            order=self.manners.order,
        )
        self.manners = calm

    def crowded(self) -> bool:
        """Whether a few seconds hold more records than one response."""
        times = sorted(row.created_at for row in self.rows.values() if row.created_at)
        pairs = zip(times, times[self.full - 1 :], strict=False)
        return any(last - first < timedelta(seconds=6) for first, last in pairs)
