"""What happened to one restore, in words: for its page, its list row and its customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from .codes import explain
from .estimates import Estimate, Stuck, at_time, estimate, on_day, roughly, seconds, stuck, words

# What is foretold rests on so many of the newest: an instance grows, and a list reads no more.
RECENT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One restore as known at ``now``.

    ``earlier`` holds the seconds that earlier successful restores of the instance took, ``past``
    the statuses of its earlier ended restores, oldest first.
    """

    status: str
    now: datetime
    created: datetime | None = None
    ended: datetime | None = None
    progress: float | None = None
    code: str = ""
    recovered: datetime | None = None
    unchanged: float | None = None  # seconds progress provably stood still, up to the last look
    steps: bool = True  # the cloud reports progress between 0 and 100
    earlier: Sequence[float] = ()
    past: Sequence[str] = ()
    records_begin: datetime | None = None

    @property
    def took(self) -> float | None:
        """Seconds from created to ended."""
        return seconds(self.created, self.ended)

    @property
    def elapsed(self) -> float | None:
        """Seconds from created to now."""
        return seconds(self.created, self.now)

    @property
    def stuck(self) -> Stuck | None:
        """Why the restore is probably stuck, if it is."""
        return stuck(self.status, self.elapsed, self.unchanged, self._recent, steps=self.steps)

    @property
    def estimate(self) -> Estimate | None:
        """How long it will probably still take."""
        if self.status != "restoring" or self.stuck:
            return None
        unchanged = self.unchanged if self.steps else None
        return estimate(self.elapsed, self.progress, self._recent, unchanged)

    @property
    def _recent(self) -> Sequence[float]:
        return self.earlier[-RECENT:]


QUEUED, NO_PROGRESS = "queued, no progress expected yet", "progress not given"

Segment = tuple[str, str | None]

_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence as segments of text, each with the error code it names or None."""

    segments: tuple[Segment, ...]

    @property
    def sentence(self) -> str:
        """The whole as plain text."""
        return "".join(text for text, _ in self.segments)


def verdict(facts: Facts) -> Verdict:
    """What happened to a restore, or what is happening."""
    tell = {"failed": _failed, "succeed": _succeeded, "restoring": _restoring, "waiting": _waiting}
    segments = tell.get(facts.status, _unknown)(facts)
    if facts.code and facts.status != "failed":
        segments += [(" The cloud also gives the error code ", None), _code(facts), (".", None)]
    return Verdict(tuple(segments))


def line(facts: Facts) -> str:
    """The reason or the progress for a list row; empty for a success."""
    if facts.status == "failed":
        return explain(facts.code).reason
    if facts.status == "waiting":
        return facts.stuck.reason if facts.stuck else QUEUED
    if facts.status != "restoring":
        return ""
    percent = percentage(facts.progress) if _telling(facts) else "restoring"
    after = "" if facts.elapsed is None else f" after {roughly(facts.elapsed)}"
    return " · ".join(filter(None, [percent + after, _outlook(facts)]))


def percentage(progress: float | None) -> str:
    """``63 %``, with a decimal only if there is one; ``–`` when it is not known."""
    if progress is None:
        return "–"
    return f"{min(round(progress, 1), 100 if progress >= 100 else 99.9):g} %"


def _failed(facts: Facts) -> list[Segment]:
    told = f"{_opening('Failed', facts)} {explain(facts.code).during}"
    rest = (")." if facts.code else ".") + _contradiction(facts)
    if facts.progress is not None:
        rest += f" It stopped at {percentage(facts.progress)}."
    if facts.recovered:
        rest += f" A later restore of this instance succeeded at {at_time(facts.recovered)}."
    elif facts.created:
        rest += " No later restore of this instance has succeeded."
    else:
        rest += " The cloud does not say when it was created, so nobody knows what came later."
    if not facts.code:
        return [(told + rest, None)]
    return [(f"{told} (", None), _code(facts), (rest, None)]


def _succeeded(facts: Facts) -> list[Segment]:
    text = _opening("Succeeded", facts).rstrip(",") + "." + _contradiction(facts)
    if facts.progress is not None and facts.progress < 100:
        text += f" The cloud's progress stayed at {percentage(facts.progress)}."
    return [(text, None)]


def _restoring(facts: Facts) -> list[Segment]:
    head = "Restoring" + ("" if facts.elapsed is None else f" for {roughly(facts.elapsed)}")
    if facts.progress == 100:
        end = f"; probably stuck: {facts.stuck.reason}." if facts.stuck else ": finishing."
        return [(f"{head}, at 100 %{end}", None)]
    done = f"{percentage(facts.progress)} done" if _telling(facts) else "no progress reported"
    if facts.stuck:
        more = f"; probably stuck: {facts.stuck.reason}"
    elif found := facts.estimate:
        more = f"; probably {found.left} ({found.count} earlier restores of this instance)"
    else:
        more = ""
    return [(f"{head}, {done}{more}.", None)]


def _waiting(facts: Facts) -> list[Segment]:
    head = "Waiting" + ("" if facts.elapsed is None else f" for {roughly(facts.elapsed)}")
    more = "probably stuck, it should have started" if facts.stuck else "no progress expected yet"
    return [(f"{head}; {more}.", None)]


def _unknown(facts: Facts) -> list[Segment]:
    status = " ".join(facts.status.split())
    if len(status) > _QUOTED:
        status = f"{status[:_QUOTED]}…"
    text = f"The cloud reports the status “{status}”, which we do not know."
    if not status:
        text = "The cloud gives no status for this restore."
    if facts.created:
        text += f" It was created at {at_time(facts.created)}."
    if facts.progress is not None:
        text += f" Its progress is {percentage(facts.progress)}."
    return [(text, None)]


def _opening(outcome: str, facts: Facts) -> str:
    if facts.ended is None:
        return f"{outcome} at a time the cloud does not give,"
    if facts.took is None:
        return f"{outcome} at {at_time(facts.ended)},"
    return f"{outcome} after {words(facts.took)}, at {at_time(facts.ended)},"


def _contradiction(facts: Facts) -> str:
    if facts.created is None or facts.took is not None:
        return ""
    given = f" It was created at {at_time(facts.created)}"
    return given + ("." if facts.ended is None else ": the cloud's times contradict each other.")


def _outlook(facts: Facts) -> str:
    if facts.stuck:
        return facts.stuck.reason
    if facts.progress == 100:
        return "finishing"
    return facts.estimate.text if facts.estimate else ""


def _telling(facts: Facts) -> bool:
    """Whether the progress says anything: where a cloud reports no steps, 0 doesn't."""
    return facts.progress is not None and (facts.steps or facts.progress > 0)


def _code(facts: Facts) -> Segment:
    return facts.code, facts.code


_ENOUGH_TO_RANK = 10  # earlier successes that make a rank worth telling
_FAR = 90  # per cent of them that must be shorter, or longer


def history(facts: Facts) -> str:
    """What is notable against the past; empty when nothing is."""
    if facts.status == "failed":
        return _compare_failure(facts)
    if facts.status != "succeed":
        return ""
    failures = _run(facts.past, "failed")
    if failures:
        return f"The first success after {_count(failures, 'failed restore')} in a row."
    return _compare_duration(facts)


def _compare_failure(facts: Facts) -> str:
    if facts.created is None:
        return ""
    begin = facts.records_begin
    since = f" since our records begin on {on_day(begin)}" if begin else ""
    if not facts.past:
        return f"The first restore of this instance{since}."
    failures = _run(facts.past, "failed")
    if failures:
        return f"{failures + 1} failures in a row{'' if failures < len(facts.past) else since}."
    successes = _run(facts.past, "succeed")
    told = f"First failure after {_count(successes, 'successful restore')}"
    all_failures = sum(status == "failed" for status in facts.past)
    if not all_failures:
        return f"{told}{since}."
    return f"{told} in a row; {_count(all_failures, 'earlier failure')}{since}."


def _compare_duration(facts: Facts) -> str:
    took, earlier = facts.took, facts.earlier
    if took is None or len(earlier) < _ENOUGH_TO_RANK:
        return ""
    shorter = 100 * sum(length < took for length in earlier) // len(earlier)
    longer = 100 * sum(length > took for length in earlier) // len(earlier)
    share, word = max((shorter, "Slower"), (longer, "Faster"))
    if share < _FAR:
        return ""
    than = f"all {len(earlier)}" if share == 100 else f"{share} % of {len(earlier)}"
    return f"{word} than {than} earlier successful restores of this instance."


def _run(past: Sequence[str], status: str) -> int:
    """How many restores at the end of the past have this status."""
    return sum(1 for _ in takewhile(lambda other: other == status, reversed(past)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_PROMISE = "We are checking the data and will contact you before any further restore."


def message(facts: Facts, instance: str, zone: str = "", told: datetime | None = None) -> str:
    """The text for the customer of an instance, in UTC and in the customer's zone if given.

    ``told`` is when it is said, if that is not when it was known: a time of another day than
    that one gets its date.
    """
    moment = _Moments(told or facts.now, zone)
    name = " ".join(instance.split()) or "instance"
    restore = f"The restore of your instance {name}" if name != "instance" else "The restore"
    if facts.status == "failed":
        return _failure_message(facts, restore, moment)
    if facts.status == "succeed":
        return f"{restore} was completed{moment.at(facts.ended)}."
    if facts.status == "restoring":
        return (
            f"{restore} is running{moment.since(facts.created)}. Until it has ended, the instance "
            "does not answer requests. We will tell you when it has ended."
        )
    if facts.status == "waiting":
        return (
            f"{restore} is queued{moment.since(facts.created)} and has not begun. "
            "We will tell you when it has ended."
        )
    return f"{restore} was requested{moment.at(facts.created)}. We are checking its state."


def _failure_message(facts: Facts, restore: str, moment: "_Moments") -> str:
    text = f"{restore} did not complete."
    if facts.ended:
        text += f" It stopped{moment.at(facts.ended)}."
    if facts.recovered:
        return f"{text} A later restore was completed{moment.at(facts.recovered)}."
    return f"{text} {_PROMISE}"


class _Moments:
    """Writes instants twice: in UTC and by the customer's clock, with dates where needed."""

    def __init__(self, now: datetime, zone: str) -> None:
        self.now, self.zone = now, _zone(zone)

    def at(self, instant: datetime | None) -> str:
        return f" at {self._both(instant)}" if instant else ""

    def since(self, instant: datetime | None) -> str:
        return f" since {self._both(instant)}" if instant else ""

    def _both(self, instant: datetime) -> str:
        instant = instant.astimezone(UTC)
        clocks = (UTC, self.zone or UTC)
        dated = any(
            instant.astimezone(zone).date() != self.now.astimezone(zone).date() for zone in clocks
        )
        text = f"{instant:%H:%M:%S} UTC" + f" on {on_day(instant)}" * dated
        if self.zone is None:
            return text
        local = instant.astimezone(self.zone)
        return f"{text} ({local:%H:%M:%S}" + f" on {on_day(local)}" * dated + " your time)"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name not in ("", "UTC") else None
    except (ValueError, KeyError, OSError):
        return None
