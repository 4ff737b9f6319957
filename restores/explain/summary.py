"""What happened to one restore, in words, for its page, its row in the list and its customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import takewhile
from zoneinfo import ZoneInfo

from .codes import explain
from .estimates import (
    Estimate,
    Usual,
    city_of,
    estimate,
    format_date,
    format_duration,
    format_rough_duration,
    format_timestamp,
    seconds_between,
)

# Compare with at most this many earlier restores; an instance can have a hundred thousand.
HISTORY = 1_000
QUEUED, NO_PROGRESS = "Queued", "No progress reported"

Segment = tuple[str, str | None]

_MAX_STATUS_LENGTH = 60
_MIN_TO_RANK = 10  # earlier successes that make a rank worth mentioning
_NOTABLE_RANK = 90  # percent of them that must have been shorter, or longer
_ORDINALS = ("Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth")
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One restore as known at ``now``, and the history of its instance.

    ``unchanged_for``: the seconds for which it provably stood still, up to the last sync;
    ``stuck``: whether it is possibly stuck, and ``stuck_at``: since when, or from when on.
    ``reports_progress``: whether this cloud reports progress between 0 and 100 at all.
    ``usual``: how long restores of the instance usually take, None if that isn't known.
    ``earlier_durations``: of the instance's earlier successful restores, in seconds, and
    ``earlier_statuses``: of its earlier finished ones, both oldest first. They are the newest
    ``HISTORY`` ones if ``history_cut``; otherwise all since ``records_begin``.
    ``earlier_queues``: the seconds after which those were first seen restoring, if they were.
    ``undated_statuses``: of its other restores whose creation time is unknown. ``zone``: the time
    zone of the sentences; a message to the customer has its own.
    """

    status: str
    now: datetime
    created_at: datetime | None = None
    ended_at: datetime | None = None
    progress: float | None = None
    error_code: str = ""
    recovered_at: datetime | None = None
    unchanged_for: float | None = None
    stuck: bool = False
    stuck_at: datetime | None = None
    reports_progress: bool = True
    usual: Usual | None = None
    earlier_durations: Sequence[float] = ()
    earlier_statuses: Sequence[str] = ()
    earlier_queues: Sequence[float] = ()
    records_begin: datetime | None = None
    history_cut: bool = False
    undated_statuses: Sequence[str] = ()
    zone: tzinfo = UTC

    @property
    def duration(self) -> float | None:
        """Seconds from creation to end."""
        return seconds_between(self.created_at, self.ended_at)

    @property
    def elapsed(self) -> float | None:
        """Seconds from creation to now."""
        return seconds_between(self.created_at, self.now)

    @property
    def estimate(self) -> Estimate | None:
        """How long a running restore will probably still take."""
        if self.status != "restoring" or self.stuck:
            return None
        unchanged_for = self.unchanged_for if self.reports_progress else None
        return estimate(self.elapsed, self.progress, self.usual, unchanged_for)

    @property
    def contradictory(self) -> bool:
        """Whether the provider contradicts itself: an end before the start, a success at 57%."""
        backwards = bool(self.created_at and self.ended_at) and self.duration is None
        # Some restores stay at 99%, and 0 may mean that the cloud reports none.
        incomplete = self.status == "succeed" and (self.progress or 100) < 99
        return backwards or incomplete

    @property
    def shows_progress(self) -> bool:
        """Whether the progress means anything: 0 doesn't where a cloud reports no progress."""
        return self.progress is not None and (self.reports_progress or self.progress > 0)


@dataclass(frozen=True, slots=True)
class Summary:
    """Sentences as segments of text, each with the error code that it names or None."""

    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The sentences as plain text."""
        return "".join(text for text, _ in self.segments)


def summarize(facts: Facts) -> Summary:
    """Say in a few sentences what happened to a restore, or what is happening."""
    if facts.status == "failed":
        return Summary(tuple(_failed(facts)))
    sentences = {"succeed": _succeeded, "restoring": _running, "waiting": _queued}
    text = sentences.get(facts.status, _unknown_status)(facts)
    if not facts.error_code:
        return Summary(((text, None),))
    code = (facts.error_code, facts.error_code)
    return Summary(((f"{text} The provider also reported error code ", None), code, (".", None)))


def details(facts: Facts) -> str:
    """Write the "Details" cell of a list row; empty for a success."""
    if facts.status == "failed":
        return explain(facts.error_code).reason
    elapsed = "" if facts.elapsed is None else format_rough_duration(facts.elapsed)
    if facts.status == "waiting":
        if facts.stuck:
            return f"Still queued after {elapsed}"
        return f"Queued for {elapsed}" if elapsed else QUEUED
    if facts.status != "restoring":
        return ""
    if facts.shows_progress:
        progress = format_percent(facts.progress)
        if facts.stuck and facts.unchanged_for is not None:
            progress += f" for {format_rough_duration(facts.unchanged_for)}"
        elif facts.progress == 100 and not facts.stuck:
            progress = "Finishing"
    else:
        progress = f"Running for {elapsed}" if elapsed else NO_PROGRESS
    outlook = facts.usual if facts.stuck else facts.estimate and facts.estimate.left
    return f"{progress} · {outlook}" if outlook else progress


def compare(facts: Facts) -> str:
    """Say what is notable against the instance's earlier restores; empty when nothing is."""
    if facts.status == "failed":
        return _compare_failure(facts)
    if facts.status != "succeed":
        return ""
    failures = _streak(facts.earlier_statuses, "failed")
    if failures:
        streak = "a failure" if failures == 1 else f"{failures} consecutive failures"
        return f"First success after {streak}."
    return _compare_duration(facts)


def customer_message(
    facts: Facts, instance: str, zone: str = "", written_at: datetime | None = None
) -> str:
    """Tell an instance's customer what is certain, calmly and without internal details.

    Times are by the customer's clock, with UTC, or in UTC alone if their zone isn't known. They
    include the date if it is not that of ``written_at``, which defaults to when the facts were
    known.
    """

    def time(at: datetime) -> str:
        return _customer_time(at, zone, written_at or facts.now)

    name = " ".join(instance.split())
    restore = f"The restore of your instance {name}" if name else "The restore"
    created = time(facts.created_at) if facts.created_at else ""
    ended = time(facts.ended_at) if facts.ended_at else ""
    if facts.contradictory and facts.status in ("succeed", "failed"):
        return f"{restore} has ended. We’re checking its result and will let you know."
    if facts.status == "failed":
        failed = f"{restore} did not complete" + (f"; it stopped at {ended}." if ended else ".")
        if facts.recovered_at:
            return f"{failed} A later restore was completed at {time(facts.recovered_at)}."
        return (
            f"{failed} We’re checking your data and will contact you before starting another "
            "restore."
        )
    if facts.status == "succeed":
        return f"{restore} was completed at {ended}." if ended else f"{restore} was completed."
    if facts.status == "restoring":
        running = f"has been running since {created}" if created else "is running"
        if facts.stuck:
            return (
                f"{restore} {running}, which is longer than usual. The instance is unavailable "
                "until it finishes. We’re looking into it and will keep you informed."
            )
        return (
            f"{restore} {running}. The instance is unavailable until it finishes. "
            "We’ll let you know as soon as it does."
        )
    if facts.status == "waiting":
        queued = f"was queued at {created}" if created else "is queued"
        if facts.stuck:
            return (
                f"{restore} {queued} and should have started by now. We’re looking into it and "
                "will keep you informed."
            )
        return f"{restore} {queued} and hasn’t started yet. We’ll let you know when it finishes."
    requested = f"was requested at {created}" if created else "was requested"
    return f"{restore} {requested}. We’re checking its status."


def format_percent(progress: float | None) -> str:
    """Format a progress: ``63%``, ``63.2%``; ``–`` if unknown. Only 100 itself is ``100%``."""
    if progress is None:
        return "–"
    return f"{min(round(progress, 1), 100 if progress >= 100 else 99.9):g}%"


def _failed(facts: Facts) -> list[Segment]:
    start = f"{_ending('Failed', facts)}, {explain(facts.error_code).during}"
    end = f", at {format_percent(facts.progress)} progress" if facts.progress is not None else ""
    end += "." + _inconsistent_times(facts)
    if facts.recovered_at:
        at = format_timestamp(facts.recovered_at, facts.zone)
        end += f" A later restore of this instance succeeded on {at}."
    elif facts.created_at and "succeed" in facts.undated_statuses:
        end += (
            " We can’t tell whether the instance has been restored successfully since: another "
            "of its restores has no usable creation time."
        )
    elif facts.created_at:
        end += " The instance hasn’t been restored successfully since."
    else:
        end += (
            " The provider reported no usable creation time, so we can’t tell whether a later "
            "restore worked."
        )
    if not facts.error_code:
        return [(start + end, None)]
    return [(f"{start} (", None), (facts.error_code, facts.error_code), (f"){end}", None)]


def _succeeded(facts: Facts) -> str:
    text = f"{_ending('Succeeded', facts)}.{_inconsistent_times(facts)}"
    if facts.progress is not None and facts.progress < 100:
        text += f" The provider still reports {format_percent(facts.progress)} progress."
    return text


def _running(facts: Facts) -> str:
    text = "Running"
    if facts.elapsed is not None:
        text += f" for {format_rough_duration(facts.elapsed)}"
    if not facts.shows_progress:
        text += ", no progress reported."
    elif facts.progress == 100 and not facts.stuck:
        text += ", 100% complete and finishing."
    else:
        text += f", {format_percent(facts.progress)} complete."
    if facts.stuck:
        return f"{text} Possibly stuck: {_why_stuck(facts)}."
    if found := facts.estimate:
        return f"{text} {found.left[0].upper()}{found.left[1:]} ({found.basis})."
    return text


def _why_stuck(facts: Facts) -> str:
    if not facts.reports_progress or facts.unchanged_for is None:
        return str(facts.usual or "should have finished by now")
    stalled = f"no progress for {format_rough_duration(facts.unchanged_for)}"
    return f"{stalled}; {facts.usual}" if facts.usual else stalled


def _queued(facts: Facts) -> str:
    text = "Queued"
    if facts.elapsed is not None:
        text += f" for {format_rough_duration(facts.elapsed)}"
    return f"{text}. Possibly stuck: should have started by now." if facts.stuck else f"{text}."


def _unknown_status(facts: Facts) -> str:
    status = " ".join(facts.status.split())
    if len(status) > _MAX_STATUS_LENGTH:
        status = f"{status[:_MAX_STATUS_LENGTH]}…"
    text = "The provider reports no status for this restore."
    if status:
        text = f"The provider reports an unknown status, “{status}”."
    if facts.created_at:
        text += f" Created on {format_timestamp(facts.created_at, facts.zone)}."
    if facts.progress is not None:
        text += f" Progress: {format_percent(facts.progress)}."
    return text


def _ending(outcome: str, facts: Facts) -> str:
    if facts.ended_at is None:
        return f"{outcome} (no usable end time reported)"
    after = "" if facts.duration is None else f" after {format_duration(facts.duration)}"
    return f"{outcome} on {format_timestamp(facts.ended_at, facts.zone)}{after}"


def _inconsistent_times(facts: Facts) -> str:
    """Return a sentence with the creation time where it gives no duration."""
    if facts.created_at is None or facts.duration is not None:
        return ""
    text = f" Created on {format_timestamp(facts.created_at, facts.zone)}"
    return text + ("." if facts.ended_at is None else "; the reported times are inconsistent.")


def _compare_failure(facts: Facts) -> str:
    if facts.created_at is None or facts.undated_statuses:
        return ""
    earlier = facts.earlier_statuses
    if not earlier:
        return "First recorded restore of this instance."
    since = "on record"
    if facts.history_cut:
        since = f"in the last {len(earlier):,} restores"
    elif facts.records_begin:
        begin = facts.records_begin.astimezone(facts.zone)
        since = f"since records began on {format_date(begin)}"
    if failures := _streak(earlier, "failed"):
        text = f"{_ordinal(failures + 1)} consecutive failure"
        return f"{text}." if failures < len(earlier) else f"{text}, with no success {since}."
    successes = _streak(earlier, "succeed")
    after = "after a success" if successes == 1 else f"after {successes} consecutive successes"
    failures = sum(status == "failed" for status in earlier)
    if not failures:
        return f"First failure {since}, {after}."
    noun = "failure" if failures == 1 else "failures"
    return f"First failure {after}. {failures} earlier {noun} {since}."


def _compare_duration(facts: Facts) -> str:
    duration, earlier = facts.duration, facts.earlier_durations
    if duration is None or len(earlier) < _MIN_TO_RANK:
        return ""
    shorter = 100 * sum(other < duration for other in earlier) // len(earlier)
    longer = 100 * sum(other > duration for other in earlier) // len(earlier)
    share, comparison = max((shorter, "Slower"), (longer, "Faster"))
    if share < _NOTABLE_RANK:
        return ""
    which = f"all {len(earlier)}" if share == 100 else f"{share}% of the {len(earlier)}"
    if facts.history_cut:
        which = f"{'all' if share == 100 else f'{share}%'} of the last {len(earlier)}"
        return f"{comparison} than {which} successful restores."
    return f"{comparison} than {which} previous successful restores."


def _streak(statuses: Sequence[str], status: str) -> int:
    """Count the restores at the end of the history that have this status."""
    return sum(1 for _ in takewhile(lambda other: other == status, reversed(statuses)))


def _ordinal(number: int) -> str:
    if number < len(_ORDINALS) + 2:
        return _ORDINALS[number - 2]
    suffix = "th" if number % 100 in (11, 12, 13) else _SUFFIXES.get(number % 10, "th")
    return f"{number}{suffix}"


def _customer_time(at: datetime, zone_name: str, written_at: datetime) -> str:
    """Format a time for the customer and in UTC: ``00:37:41 Tokyo time (15:37:41 UTC)``."""
    zones: dict[str, tzinfo] = {}
    if zone := _zone(zone_name):
        zones[f"{city_of(zone)} time"] = zone
    zones["UTC"] = UTC
    dated = any(
        at.astimezone(zone).date() != written_at.astimezone(zone).date() for zone in zones.values()
    )
    texts = [
        f"{at.astimezone(zone):%H:%M:%S} {name}"
        + (f" on {format_date(at.astimezone(zone))}" if dated else "")
        for name, zone in zones.items()
    ]
    return " ".join([texts[0], *(f"({text})" for text in texts[1:])])


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name not in ("", "UTC") else None
    except (ValueError, KeyError, OSError):
        return None
