"""Times found in pasted text: a chat, an email, lines of a log."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from . import words, zones
from .grammar import all_words, any_of, is_east_asian, latin, plain
from .meanings import LocalTime, meanings_of
from .phrases import Phrase, find_phrases
from .ranges import EARLIEST, LATEST

MAX_LENGTH = 100_000
MAX_FOUND = 500
# Digits are a time in epoch seconds only if they are this near; otherwise they are an id.
_NEAR = timedelta(days=5 * 366)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a time may mean: ``start <= t < end`` in UTC, and the zone that it was read in.

    A time to the minute lasts that minute, a day all day.
    """

    start: datetime
    end: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTime:
    """A time as it stands in the text: ``text`` is ``pasted[start:end]``.

    ``meanings`` is never empty. ``relative``: it counts from today ("yesterday", "last Monday"),
    or names no day, so an older text means another day.
    """

    text: str
    start: int
    end: int
    meanings: tuple[Meaning, ...]
    relative: bool = False

    @property
    def ambiguous(self) -> bool:
        """Whether a person has to say which meaning it is."""
        return len(self.meanings) > 1


def find_times(text: str, *, now: datetime, zone: ZoneInfo) -> list[FoundTime]:
    """Find the times in text, in order, each with every meaning that it may have.

    ``zone`` is where a time without one is read; it also settles what IST or CST stands for::

        >>> [found] = find_times("Down since 28.11. 04.26 Uhr", now=now, zone=ZoneInfo("UTC"))
        >>> found.text, found.meanings[0].start
        ('28.11. 04.26 Uhr', datetime(2026, 11, 28, 4, 26, tzinfo=UTC))

    Ask if a time is ``ambiguous``: ``04/05/2026 3 pm`` and ``14:05 CST`` have two meanings.
    Numbers, versions, addresses, ids, durations and prices are not times, nor are words alone.
    A time of day alone may be of the day mentioned last. Only the first 100,000 characters are
    read, and at most 500 times are returned. Takes time proportional to the length of the text.
    """
    found: list[FoundTime] = []
    mentioned: date | None = None
    head = plain(text[:MAX_LENGTH])
    for phrase in find_phrases(head):
        if len(found) == MAX_FOUND:
            break
        if not _is_time(phrase, head):
            continue
        times = [
            time
            for time in _meanings(phrase, now, zone, mentioned)
            if EARLIEST.year <= time.day.year < LATEST.year
        ]
        if phrase.has_day and len({time.day for time in times}) == 1:
            mentioned = times[0].day
        listed = [one for time in times for one in _ranges(time)]
        if phrase.epoch:
            listed = _epoch(phrase.epoch, now)
        if listed:
            found.append(
                FoundTime(
                    text=text[phrase.start : phrase.end],
                    start=phrase.start,
                    end=phrase.end,
                    meanings=tuple(dict.fromkeys(listed)),
                    relative=not (phrase.day or phrase.epoch),
                )
            )
    return found


_GOES_ON = re.compile(r"[0-9A-Za-zÀ-ɏ_]|[.:/@+-][0-9A-Za-zÀ-ɏ]")
_MINUTES = re.compile(r"[0-9]\D{1,2}[0-9]{2}")
_DURATIONS = all_words(words.DURATIONS)
_DURATION = re.compile(
    rf"(?:\b{any_of(latin(_DURATIONS))}|{any_of(filter(is_east_asian, _DURATIONS))})"
    r"(?:\ (?:about|nearly|ca\.|etwa))?[\s:=~]*$",
    re.IGNORECASE,
)


def _is_time(phrase: Phrase, text: str) -> bool:
    """Whether a phrase of running text is a time, not something that looks like one."""
    if _GOES_ON.match(text, phrase.end):
        return False
    if phrase.epoch:
        return True
    if phrase.day:
        needs = phrase.day.needs
        supported = phrase.introduced or phrase.weekday is not None
        return phrase.has_clock or not needs or (needs == "support" and supported)
    if not phrase.has_clock or phrase.has_day:
        return phrase.has_clock
    if phrase.clock is None or _DURATION.search(text, max(0, phrase.start - 24), phrase.start):
        return False
    introduced = phrase.introduced and _MINUTES.search(text, phrase.start, phrase.end)
    return bool(phrase.clock.exact or phrase.part or phrase.zones or introduced)


def _meanings(
    phrase: Phrase, now: datetime, zone: ZoneInfo, mentioned: date | None
) -> list[LocalTime]:
    times = meanings_of(phrase, now, zone, mentioned=mentioned)
    if phrase.short and phrase.day is None and phrase.relative is None:
        # "Sam 14:05" and "So 14:05" are also what a chat and a sentence begin with.
        times += meanings_of(replace(phrase, weekday=None), now, zone, mentioned=mentioned)
    return times


def _ranges(time: LocalTime) -> Iterator[Meaning]:
    """The ranges that a time means: two if the clock shows it twice, when it goes back."""
    if time.clock is None:
        first, last = (zones.midnight(day, time.zone) for day in (time.day, time.day + _DAY))
        yield Meaning(start=first, end=last, zone=time.zone.key)
        return
    lasts = timedelta(minutes=1)
    if time.clock.second is not None:
        lasts = timedelta(milliseconds=1) if time.clock.fraction else timedelta(seconds=1)
    for later in (False, True):
        start, _ = zones.to_utc(time.wall, time.zone, last=later)
        start -= timedelta(microseconds=start.microsecond % 1000)
        end = start + lasts
        if time.wall_until:
            end = max(end, zones.to_utc(time.wall_until, time.zone, last=later)[0])
        yield Meaning(start=start, end=end, zone=time.zone.key)


def _epoch(seconds: str, now: datetime) -> list[Meaning]:
    whole, _, fraction = seconds.partition(".")
    start = _EPOCH + timedelta(seconds=int(whole), milliseconds=int(f"{fraction[:3]:0<3}"))
    if abs(start - now) > _NEAR:
        return []
    lasts = timedelta(milliseconds=1) if fraction else timedelta(seconds=1)
    return [Meaning(start=start, end=start + lasts, zone="UTC")]
