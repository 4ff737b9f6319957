"""A cloud's list of restores that changes between any two of its responses, and records how."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from restores.dcs.errors import Throttled, Unreachable
from restores.dcs.records import Page, RestoreRecord
from tests.sync.records import BEGUN, make_record

NEXT = {"waiting": ["restoring", "failed"], "restoring": ["restoring", "succeed", "failed"]}


ODDITIES = [
    {"total_is_page_length": True},
    {"undated": 0.2},
    {"filters_by": "updated_at"},
    {"hours_off": 8},
]


@dataclass
class Behavior:
    """How badly this cloud behaves; every number is a probability per response."""

    insert: float = 0.0
    insert_late: float = 0.0
    remove: float = 0.0
    change: float = 0.0
    stale: float = 0.0
    error: float = 0.0
    ignore_filter: float = 0.0
    wrong_total: float = 0.0
    empty: float = 0.0
    undated: float = 0.0
    filters_by: str = "created_at"
    hours_off: int = 0
    ends_included: bool = True
    total_is_page_length: bool = False
    order: str = "newest"

    @classmethod
    def random(cls, rng: Random) -> "Behavior":
        def probability(highest, often=0.6):
            return rng.uniform(0, highest) if rng.random() < often else 0.0

        behavior = cls(
            insert=probability(0.3),
            insert_late=probability(0.2),
            remove=probability(0.3),
            change=probability(0.5),
            stale=probability(0.2, 0.3),
            error=probability(0.03, 0.3),
            ignore_filter=probability(0.1, 0.2),
            wrong_total=probability(0.1, 0.2),
            empty=probability(0.05, 0.2),
            ends_included=rng.random() < 0.6,
            order=rng.choice(["newest", "oldest", "any"]),
        )
        # One fault at a time: no sync can cope with a cloud that neither counts nor filters.
        oddity = rng.choice([*[{}] * 6, *ODDITIES])
        return replace(behavior, **oddity)

    @property
    def provable(self):
        """Whether a list of several responses can be proven complete once it stops changing."""
        return not (self.undated or self.hours_off or self.total_is_page_length) and (
            self.filters_by == "created_at"
        )


@dataclass
class ChangingList:
    """``history`` holds what was listed at each time since the sync's first response."""

    rng: Random
    behavior: Behavior
    limit: int
    now: datetime = BEGUN
    rows: dict[str, RestoreRecord] = field(default_factory=dict)
    previous: dict[str, RestoreRecord] = field(default_factory=dict)
    history: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)
    created: int = 0
    calls: int = 0

    def fill(self, count: int) -> None:
        for _ in range(count):
            self.insert(timedelta(seconds=self.rng.uniform(0, 3 * 365 * 86400)))

    def start_sync(self) -> None:
        """Forget what was listed before: it does not matter to the next sync."""
        self.history, self.calls = [], 0

    def __call__(self, begin, end) -> Page:
        self.pass_time()
        self.record()
        self.calls += 1
        if self.rng.random() < self.behavior.error:
            raise self.rng.choice([Unreachable("503"), Throttled("429", until=self.now)])
        return self.page(begin, end)

    def page(self, begin, end) -> Page:
        rows = [r for r in self.rows.values() if begin is None or self.within(r, begin, end)]
        rows = self.ordered(rows)
        if begin is not None and self.rng.random() < self.behavior.empty:
            rows = []
        listed = tuple(self.shown(row) for row in rows[: self.limit])
        total = len(listed) if self.behavior.total_is_page_length else len(rows)
        if self.rng.random() < self.behavior.wrong_total:
            total = self.rng.choice([None, 10**9, total + 1 + self.rng.randrange(3)])
        server_time = self.now.replace(microsecond=0)
        return Page(rows=listed, skipped=0, total=total, server_time=server_time, limit=self.limit)

    def within(self, row, begin, end) -> bool:
        if self.rng.random() < self.behavior.ignore_filter:
            return True
        time = getattr(row, self.behavior.filters_by)
        if time is None:
            return False
        time += timedelta(hours=self.behavior.hours_off)
        return begin <= time <= end if self.behavior.ends_included else begin < time < end

    def ordered(self, rows):
        if self.behavior.order == "any":
            return self.rng.sample(rows, len(rows))
        newest = self.behavior.order == "newest"
        return sorted(rows, key=lambda row: row.created_at or BEGUN, reverse=newest)

    def shown(self, row):
        """Return a row, or what it was before: from a replica that lags behind."""
        previous = self.previous.get(row.restore_id)
        return previous if previous and self.rng.random() < self.behavior.stale else row

    def pass_time(self) -> None:
        """Let time pass and random changes happen, each at its own instant."""
        self.now += timedelta(seconds=self.rng.choice([0, 0.04, 0.3, 2]))
        behavior, rng = self.behavior, self.rng
        for probability, change in (
            (behavior.insert, lambda: self.insert(timedelta(0))),
            (behavior.insert_late, lambda: self.insert(timedelta(seconds=rng.expovariate(1 / 90)))),
            (behavior.remove, self.remove),
            (behavior.change, self.change),
        ):
            while rng.random() < probability:
                change()
                self.record()

    def record(self) -> None:
        self.history.append((self.now, frozenset(self.rows)))

    def insert(self, ago: timedelta) -> None:
        """List a restore, perhaps later than it was created, perhaps in another's second."""
        created = self.now - ago
        if self.rows and self.rng.random() < 0.15:
            created = self.rng.choice(list(self.rows.values())).created_at or created
        if self.rng.random() < self.behavior.undated:
            created = None
        self.created += 1
        status = self.rng.choice(["waiting", "restoring", "succeed", "failed"])
        ended = (
            created + timedelta(minutes=6) if created and status in ("succeed", "failed") else None
        )
        key = f"r-{self.created}"
        self.rows[key] = make_record(key, status=status, created_at=created, updated_at=ended)

    def remove(self) -> None:
        if self.rows:
            del self.rows[self.rng.choice(list(self.rows))]

    def change(self) -> None:
        unfinished = [row for row in self.rows.values() if row.status in NEXT]
        if not unfinished:
            return
        row = self.rng.choice(unfinished)
        status = self.rng.choice(NEXT[row.status])
        progress = min(99.0, row.progress + 7) if status == "restoring" else 100.0
        changed = replace(row, status=status, progress=progress, updated_at=self.now)
        self.previous[row.restore_id] = row
        self.rows[row.restore_id] = replace(changed, raw=f"{status} {progress} {self.now}")

    def settle(self) -> None:
        """Let nothing change any more, and every response be as documented."""
        self.behavior = Behavior(
            filters_by=self.behavior.filters_by,
            hours_off=self.behavior.hours_off,
            ends_included=self.behavior.ends_included,
            total_is_page_length=self.behavior.total_is_page_length,
            order=self.behavior.order,
        )

    def crowded(self) -> bool:
        """Return whether a few seconds hold more records than one response."""
        times = sorted(row.created_at for row in self.rows.values() if row.created_at)
        pairs = zip(times, times[self.limit - 1 :], strict=False)
        return any(last - first < timedelta(seconds=6) for first, last in pairs)
