"""What was asked of the simulator, so that tests can count calls and measure their rate."""

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from threading import Lock

KEPT = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request; ``at`` is the real instant of its arrival, in seconds since 1970."""

    at: float
    method: str
    path: str
    query: str
    status: int
    account: str


class QueryLog:
    """The last requests, control calls left out."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._lock = Lock()
        self.total = 0

    def add(self, entry: Entry) -> None:
        """Remember a request."""
        with self._lock:
            self._entries.append(entry)
            self.total += 1

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.total = 0

    @property
    def entries(self) -> list[Entry]:
        """The requests by arrival, oldest first."""
        with self._lock:
            return sorted(self._entries, key=lambda entry: entry.at)

    def busiest_second(self, account: str | None = None) -> int:
        """Return the most requests that arrived within any one second."""
        window: deque[float] = deque()
        most = 0
        for entry in self.entries:
            if account in (None, entry.account):
                window.append(entry.at)
                while window[0] <= entry.at - 1:
                    window.popleft()
                most = max(most, len(window))
        return most

    def printed(self, last: int) -> dict[str, object]:
        """Return counts and the last requests, for ``GET /_log``."""
        entries = self.entries
        return {
            "total": self.total,
            "by_status": Counter(str(entry.status) for entry in entries),
            "by_account": Counter(entry.account for entry in entries),
            "busiest_second": self.busiest_second(),
            "requests": [asdict(entry) for entry in entries[-last:]] if last else [],
            "now": time.time(),
        }
