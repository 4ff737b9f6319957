"""How the records of one instance are asked for so that the answer is provably complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from restores.dcs.records import Page, RestoreRecord
from restores.sync.diff import latest

# asks for the records created from .. to; no window at all means everything
Ask = Callable[[datetime | None, datetime | None], Page[RestoreRecord]]
Window = tuple[datetime, datetime]

FULL = 1000
_SECOND = timedelta(seconds=1)
_FIRST = datetime(2010, 1, 1, tzinfo=UTC)
_MOST_CALLS = 200
_MOST_PASSES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that was found; ``flaw`` says why it does not prove completeness, empty if it does.

    Without a flaw it holds what the cloud listed ``at`` that instant, each id once, and besides
    only what was seen to vanish while we asked. Every state in it was seen by ``until``.
    ``digest`` is that of the one response that proved it, empty if it took several; ``same``: that
    response was the known one, left unread.
    """

    records: tuple[RestoreRecord, ...]
    skipped: int
    at: datetime
    until: datetime
    flaw: str = ""
    digest: str = ""
    same: bool = False

    @property
    def proves(self) -> bool:
        """True when what is not in it was not listed."""
        return not self.flaw and not self.skipped


class _Unproven(Exception):
    """Why the responses do not prove that nothing is missing."""


def ask_all(ask: Ask, full: int = FULL) -> Answer:
    """Ask for everything at once; where ``full`` records are too few, window by window.

    One response with as many records as ``total_num`` is atomic, whereas pages shift while rows
    come and go.
    """
    asking = _Asking(ask)
    try:
        return asking.answer(at=_proof(asking, full))
    except _Unproven as reason:
        return asking.answer(at=asking.pages[0].server_time, flaw=str(reason))


def _proof(ask: _Asking, full: int) -> datetime:
    """Return the instant at which the list was exactly what has been collected.

    Windows are asked at different moments, while the list changes. So all are asked twice, and
    the total in between: what both passes hold was listed at that moment, and as many records as
    the total are all of them.
    """
    first = ask()
    if first.unchanged:
        return first.server_time
    listed = len(first.rows) + first.skipped
    if first.total is None or first.total < listed:
        raise _Unproven(f"total_num {first.total} against {listed} records")
    # Some clouds count in total_num what they return: a full response may be a cut one.
    if first.total == listed < full:
        return _alone(first)
    windows, ids = _pass(ask, [(_FIRST, first.server_time + timedelta(days=1))], full)
    for _ in range(_MOST_PASSES - 1):
        between = ask()
        windows, again = _pass(ask, windows, full)
        if again == ids:
            if between.total != len(ids) or _ids(between) - ids:
                raise _Unproven(f"total_num {between.total} against {len(ids)} records")
            return between.server_time
        ids = again
    raise _Unproven("the list kept changing while it was asked for")


def _alone(page: Page[RestoreRecord]) -> datetime:
    doubled = len(page.rows) - len(_ids(page))
    if doubled:
        raise _Unproven(f"{doubled} of {len(page.rows)} records repeat another's restore_id")
    return page.server_time


def _pass(ask: _Asking, windows: list[Window], full: int) -> tuple[list[Window], set[str]]:
    """Ask for every window, in halves where it is too much; return the windows and the ids."""
    todo, answered, ids = windows[::-1], [], set()
    while todo:
        begin, end = todo.pop()
        page = ask(begin, end)
        if _strangers(page, begin, end):
            raise _Unproven("filter_ignored: records outside the asked window")
        if page.complete and len(page.rows) < full:
            answered.append((begin, end))
            ids |= _ids(page)
        elif end - begin <= 2 * _SECOND:
            count = f"{page.total} records, of which {len(page.rows)} came"
            raise _Unproven(f"{count}, within {begin:%Y-%m-%d %H:%M:%S}")
        else:
            middle = (begin + (end - begin) / 2).replace(microsecond=0)
            # The API does not say whether ends are included: halves overlap by a second.
            todo += [(middle, end), (begin, middle + _SECOND)]
    return answered, ids


def _ids(page: Page[RestoreRecord]) -> set[str]:
    return {row.restore_id for row in page.rows}


def _strangers(page: Page[RestoreRecord], begin: datetime, end: datetime) -> bool:
    times = [row.created_at for row in page.rows if row.created_at]
    return any(not begin - _SECOND <= moment <= end + _SECOND for moment in times)


class _Asking:
    """Keeps every page that comes: what one shows may be gone from the next."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.pages: list[Page[RestoreRecord]] = []

    def __call__(
        self, begin: datetime | None = None, end: datetime | None = None
    ) -> Page[RestoreRecord]:
        if len(self.pages) == _MOST_CALLS:
            raise _Unproven(f"not done after {_MOST_CALLS} calls")
        self.pages.append(self._ask(begin, end))
        return self.pages[-1]

    def answer(self, at: datetime, flaw: str = "") -> Answer:
        rows = latest(row for page in self.pages for row in page.rows)
        return Answer(
            records=tuple(rows.values()),
            skipped=max(page.skipped for page in self.pages),
            at=at,
            until=max(page.server_time for page in self.pages),
            flaw=flaw,
            digest="" if len(self.pages) > 1 else self.pages[0].digest,
            same=self.pages[0].unchanged,
        )
