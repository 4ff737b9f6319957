"""Complete fetch: get an instance's records so that the result is provably complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from restores.dcs.records import Page, RestoreRecord
from restores.sync.diff import newest_by_id

# Fetches the records created within a time range, or all of them without one.
Fetch = Callable[[datetime | None, datetime | None], Page[RestoreRecord]]
Range = tuple[datetime, datetime]

_SECOND = timedelta(seconds=1)
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
_MAX_CALLS = 200
_MAX_ROWS_OF_SMALL_PAGES = 5000
_MAX_PASSES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """All records that were found; ``incomplete`` says why some may be missing, else it is empty.

    A complete result holds what the cloud listed at the instant ``complete_to``, each id once, and
    in addition only records that disappeared while we fetched. Every state in it was seen by
    ``fetched_at``. ``clock_skew`` is how far the provider's clock was ahead of ours at most, or
    behind. ``digest`` is that of the only response, empty if it took several; ``unchanged``: that
    response was the known one and was not parsed.
    """

    records: tuple[RestoreRecord, ...]
    skipped: int
    complete_to: datetime
    fetched_at: datetime
    clock_skew: timedelta = timedelta()
    incomplete: str = ""
    digest: str = ""
    unchanged: bool = False

    @property
    def complete(self) -> bool:
        """Whether a record that is missing from it was not listed."""
        return not self.incomplete and not self.skipped


class _Incomplete(Exception):
    """Why the responses may lack a record."""


def fetch_complete(fetch: Fetch) -> FetchResult:
    """Fetch all records in one call or, if a page is too small, by time ranges.

    One response with as many records as its ``total_num`` is atomic, whereas pages shift while
    records come and go.
    """
    fetcher = _Fetcher(fetch)
    try:
        return fetcher.result(complete_to=_complete_to(fetcher))
    except _Incomplete as reason:
        return fetcher.result(complete_to=fetcher.pages[0].listed_at, incomplete=str(reason))


def _complete_to(fetch: _Fetcher) -> datetime:
    """Return the instant at which the list was exactly what has been fetched.

    Ranges are fetched at different moments, while the list changes. So all of them are fetched
    twice, and the total in between: what both passes hold was listed at that time, and if there
    are as many records as the total, nothing is missing.
    """
    first = fetch()
    if first.unchanged:
        return first.listed_at
    listed = len(first.rows) + first.skipped
    if first.total is None or first.total < listed:
        raise _Incomplete(f"total_num is {first.total}, but {listed} records were returned")
    # Some clouds count in total_num what they return: a full response may have been cut off.
    if first.total == listed < first.limit:
        duplicates = len(first.rows) - len(_ids(first))
        if duplicates:
            raise _Incomplete(
                f"{duplicates} of {len(first.rows)} records repeat another's restore_id"
            )
        return first.listed_at
    latest = max(first.server_time, first.seen_at) + timedelta(days=1)
    ranges, ids = _fetch_ranges(fetch, [(_EARLIEST, latest)])
    for _ in range(_MAX_PASSES - 1):
        between = fetch()
        ranges, again = _fetch_ranges(fetch, ranges)
        if again == ids:
            if between.total != len(ids) or _ids(between) - ids:
                raise _Incomplete(
                    f"total_num is {between.total}, but {len(ids)} records were found"
                )
            return between.listed_at
        ids = again
    raise _Incomplete("the list kept changing while it was fetched")


def _fetch_ranges(fetch: _Fetcher, ranges: list[Range]) -> tuple[list[Range], set[str]]:
    """Fetch every range, in halves if it holds too much; return the final ranges and the ids."""
    todo, fetched, ids = ranges[::-1], [], set()
    while todo:
        begin, end = todo.pop()
        page = fetch(begin, end)
        if _has_records_outside(page, begin, end):
            raise _Incomplete("filter_ignored: records outside the requested time range")
        if page.complete and len(page.rows) < page.limit:
            fetched.append((begin, end))
            ids |= _ids(page)
        elif end - begin <= 2 * _SECOND:
            count = f"{page.total} records, of which {len(page.rows)} were returned"
            raise _Incomplete(f"{count}, within {begin:%Y-%m-%d %H:%M:%S}")
        else:
            middle = _split_time(page, begin, end)
            # The API does not say whether the ends are included: halves overlap by a second.
            todo += [(middle, end), (begin, middle + _SECOND)]
    return fetched, ids


def _split_time(page: Page[RestoreRecord], begin: datetime, end: datetime) -> datetime:
    """Return where to split a range: at the median of the records that were returned for it.

    If the list is sorted, one part then fits on half a page, so that few calls are needed.
    """
    times = sorted(row.created_at for row in page.rows if row.created_at)
    median = times[len(times) // 2] if times else begin
    if not begin + _SECOND <= median <= end - 2 * _SECOND:
        median = begin + (end - begin) / 2
    return median.replace(microsecond=0)


def _ids(page: Page[RestoreRecord]) -> set[str]:
    return {row.restore_id for row in page.rows}


def _has_records_outside(page: Page[RestoreRecord], begin: datetime, end: datetime) -> bool:
    times = [row.created_at for row in page.rows if row.created_at]
    return any(not begin - _SECOND <= time <= end + _SECOND for time in times)


class _Fetcher:
    """Keeps every page that is fetched: what one shows may be gone from the next."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.pages: list[Page[RestoreRecord]] = []

    def __call__(
        self, begin: datetime | None = None, end: datetime | None = None
    ) -> Page[RestoreRecord]:
        limit = self.pages[0].limit if self.pages else 1
        if len(self.pages) == max(_MAX_CALLS, _MAX_ROWS_OF_SMALL_PAGES // limit):
            raise _Incomplete(f"not done after {len(self.pages)} calls")
        self.pages.append(self._fetch(begin, end))
        return self.pages[-1]

    def result(self, complete_to: datetime, incomplete: str = "") -> FetchResult:
        records = newest_by_id(row for page in self.pages for row in page.rows)
        return FetchResult(
            records=tuple(records.values()),
            skipped=max(page.skipped for page in self.pages),
            complete_to=complete_to,
            fetched_at=max(page.seen_at for page in self.pages),
            clock_skew=max((page.clock_skew for page in self.pages), key=abs),
            incomplete=incomplete,
            digest="" if len(self.pages) > 1 else self.pages[0].digest,
            unchanged=self.pages[0].unchanged,
        )
